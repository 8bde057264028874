//! [`Process`]: a process of a container, held by a descriptor.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags};

use crate::Error;
use crate::sys;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// By itself, with this code: 0 to 255.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It has ended, and nobody knows how: it was not ours to wait for, or somebody else has waited for it, and the kernel
    /// doesn't tell (before Linux 6.15).
    Unknown,
}

impl ExitStatus {
    /// The code as shells have it: 128 and the signal if it was one; nothing if it isn't known.
    #[must_use]
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(code),
            Self::Signal(signal) => Some(128 + signal),
            Self::Unknown => None,
        }
    }

    /// Whether it ended with code 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }

    /// From a status as wait(2) has it.
    pub(crate) fn from_wait(status: i32) -> Self {
        match status & 0x7f {
            0 => Self::Code((status >> 8) & 0xff),
            signal => Self::Signal(signal),
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("exit status unknown"),
        }
    }
}

/// What is known of the end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// How it ended.
    pub status: ExitStatus,
    /// Whether the kernel has killed something of the container because memory ran out. Always false for further processes.
    pub oom_killed: bool,
    /// CPU time in user mode, of it and of its children that it has waited for. Zero if unknown.
    pub user_time: Duration,
    /// CPU time in the kernel, likewise.
    pub system_time: Duration,
    /// Most resident memory, in bytes. Zero if unknown.
    pub max_resident: u64,
}

impl Exit {
    pub(crate) fn unknown(status: ExitStatus) -> Self {
        let none = Duration::ZERO;
        Self { status, oom_killed: false, user_time: none, system_time: none, max_resident: 0 }
    }
}

/// A process, held by a descriptor: whatever is done to it is done to this one, even if its number has been given to
/// another meanwhile. Nothing else is needed to wait for it: no handler of SIGCHLD, no thread. Clones are the same process.
///
/// A process of ours that has ended is a zombie until somebody has asked ([`wait`](Self::wait),
/// [`try_wait`](Self::try_wait)). The [`Container`](crate::Container) that it belongs to asks too, when it is waited for or
/// deleted.
#[derive(Clone, Debug)]
pub struct Process {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pid: Pid,
    pidfd: OwnedFd,
    /// Whether the kernel tells us its status when it ends.
    child: bool,
    exit: Mutex<Option<Exit>>,
}

/// How long something that is killed is given to end.
const PATIENCE: Duration = Duration::from_secs(10);

impl Process {
    pub(crate) fn child(pid: Pid, pidfd: OwnedFd) -> Self {
        Self { inner: Arc::new(Inner { pid, pidfd, child: true, exit: Mutex::new(None) }) }
    }

    /// A process that an earlier run of this program has started.
    pub(crate) fn adopt(pid: Pid) -> Result<Self, Errno> {
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self { inner: Arc::new(Inner { pid, pidfd, child: false, exit: Mutex::new(None) }) })
    }

    /// Its number in the caller's pid namespace.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.inner.pid.as_raw_nonzero().get() as u32
    }

    /// Sends a signal, by number. One that has ended gets none, which is no error.
    ///
    /// # Errors
    /// If there is no such signal, or the kernel refuses.
    pub fn signal(&self, signal: i32) -> Result<(), Error> {
        /// The last real-time signal of the kernel.
        const LAST: i32 = 64;
        if !(1..=LAST).contains(&signal) {
            return Err(Error::spec("signal", format!("{signal} is not a signal that is known")));
        }
        if self.inner.exit.lock().is_ok_and(|exit| exit.is_some()) {
            return Ok(());
        }
        // SAFETY: what is asked of the type is that signals which the C library keeps for itself are not handled by this
        // program; they are only sent, and to another one.
        let signal = unsafe { rustix::process::Signal::from_raw_unchecked(signal) };
        match rustix::process::pidfd_send_signal(&self.inner.pidfd, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(Error::step("kill", format!("process {}", self.pid()), error)),
        }
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn try_wait(&self) -> Result<Option<Exit>, Error> {
        let mut exit = self.inner.exit.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if exit.is_none() {
            *exit = self.look()?;
        }
        Ok(*exit)
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn wait(&self) -> Result<Exit, Error> {
        loop {
            if let Some(exit) = self.wait_for(Duration::from_secs(3_600))? {
                return Ok(exit);
            }
        }
    }

    /// Waits until it has ended, at most so long.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn wait_for(&self, timeout: Duration) -> Result<Option<Exit>, Error> {
        let deadline = after(timeout);
        loop {
            if let Some(exit) = self.try_wait()? {
                return Ok(Some(exit));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.ended(left)?;
        }
    }

    /// Waits until it has ended, without holding a thread. Needs a tokio runtime with I/O.
    ///
    /// # Errors
    /// If the kernel refuses.
    #[cfg(feature = "tokio")]
    pub async fn exited(&self) -> Result<Exit, Error> {
        ready(self.inner.pidfd.as_fd(), self.pid(), || self.try_wait()).await
    }

    fn look(&self) -> Result<Option<Exit>, Error> {
        let failed = |error: i32| {
            Error::step("wait", format!("process {}", self.pid()), std::io::Error::from_raw_os_error(error))
        };
        if self.inner.child {
            match sys::wait_pidfd(self.inner.pidfd.as_raw_fd()) {
                Ok(None) => return Ok(None),
                Ok(Some((code, status, usage))) => {
                    let status = match code {
                        libc::CLD_EXITED => ExitStatus::Code(status),
                        _ => ExitStatus::Signal(status),
                    };
                    let time = |time: libc::timeval| {
                        Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0))
                            + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
                    };
                    return Ok(Some(Exit {
                        status,
                        oom_killed: false,
                        user_time: time(usage.ru_utime),
                        system_time: time(usage.ru_stime),
                        max_resident: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1_024,
                    }));
                }
                // Somebody in this program waits for all children.
                Err(libc::ECHILD) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        if !self.ended(Duration::ZERO)? {
            return Ok(None);
        }
        // It has ended; whose child it is has to take notice of it, which happens any moment. Only then the kernel tells.
        let deadline = Instant::now() + Duration::from_millis(500);
        loop {
            match sys::exit_status(self.inner.pidfd.as_raw_fd()) {
                Ok(Some(status)) => return Ok(Some(Exit::unknown(ExitStatus::from_wait(status)))),
                Ok(None) | Err(libc::ESRCH) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                // An older kernel, or nobody takes notice.
                _ => return Ok(Some(Exit::unknown(ExitStatus::Unknown))),
            }
        }
    }

    fn ended(&self, timeout: Duration) -> Result<bool, Error> {
        readable(self.inner.pidfd.as_fd(), timeout)
            .map_err(|error| Error::step("poll", format!("process {}", self.pid()), error))
    }

    /// Ends it at once, and waits for that.
    pub(crate) fn kill_and_wait(&self) -> Result<Exit, Error> {
        self.signal(libc::SIGKILL)?;
        self.wait_for(PATIENCE)?.ok_or_else(|| late(self.pid()))
    }
}

/// The end of the first process of a pid namespace waits for that of all others, zombies included.
fn late(pid: u32) -> Error {
    let what = "the end of a process that was killed, or of others in its pid namespace,";
    Error::Timeout { id: format!("process {pid}"), what, seconds: PATIENCE.as_secs() }
}

/// The first process of a container and further ones, waited for together: the kernel lets the first process of a pid
/// namespace end only when all others are gone, and those that are our children are not gone before we have asked.
#[derive(Debug)]
pub(crate) struct Family {
    first: Process,
    further: Mutex<Vec<(u64, Process)>>,
    /// Readable when one has ended.
    epoll: OwnedFd,
}

impl Family {
    pub(crate) fn new(first: Process) -> Result<Self, Error> {
        let failed = |error| Error::step("epoll", format!("process {}", first.pid()), error);
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(failed)?;
        epoll::add(&epoll, &first, epoll::EventData::new_u64(0), epoll::EventFlags::IN).map_err(failed)?;
        Ok(Self { first, further: Mutex::new(Vec::new()), epoll })
    }

    pub(crate) fn first(&self) -> &Process {
        &self.first
    }

    pub(crate) fn add(&self, process: &Process) -> Result<(), Error> {
        let mut further = self.lock();
        let number = further.last().map_or(1, |(number, _)| number + 1);
        epoll::add(&self.epoll, process, epoll::EventData::new_u64(number), epoll::EventFlags::IN)
            .map_err(|error| Error::step("epoll", format!("process {}", process.pid()), error))?;
        further.push((number, process.clone()));
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Process)>> {
        self.further.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How the first one ended, if it has; asks for all.
    pub(crate) fn try_wait(&self) -> Result<Option<Exit>, Error> {
        let mut further = self.lock();
        let mut at = 0;
        while let Some((_, process)) = further.get(at) {
            if process.try_wait()?.is_some() {
                let _ = epoll::delete(&self.epoll, process);
                further.swap_remove(at);
            } else {
                at += 1;
            }
        }
        // Numbers only have to be different.
        further.sort_unstable_by_key(|(number, _)| *number);
        drop(further);
        self.first.try_wait()
    }

    pub(crate) fn wait_for(&self, timeout: Duration) -> Result<Option<Exit>, Error> {
        let deadline = after(timeout);
        loop {
            if let Some(exit) = self.try_wait()? {
                return Ok(Some(exit));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            readable(self.epoll.as_fd(), left)
                .map_err(|error| Error::step("poll", format!("process {}", self.first.pid()), error))?;
        }
    }

    pub(crate) fn wait(&self) -> Result<Exit, Error> {
        loop {
            if let Some(exit) = self.wait_for(Duration::from_secs(3_600))? {
                return Ok(exit);
            }
        }
    }

    /// Ends all of them at once, and waits until none is left, not even as a zombie.
    pub(crate) fn kill_and_wait(&self) -> Result<Exit, Error> {
        let deadline = Instant::now() + PATIENCE;
        self.first.signal(libc::SIGKILL)?;
        for (_, process) in self.lock().iter() {
            process.signal(libc::SIGKILL)?;
        }
        let exit = self.wait_for(PATIENCE)?.ok_or_else(|| late(self.first.pid()))?;
        loop {
            // Asks for those that have ended.
            self.try_wait()?;
            let Some(process) = self.lock().first().map(|(_, process)| process.clone()) else {
                return Ok(exit);
            };
            // It may have come in the meantime.
            process.signal(libc::SIGKILL)?;
            let left = deadline.saturating_duration_since(Instant::now());
            process.wait_for(left)?.ok_or_else(|| late(process.pid()))?;
        }
    }

    #[cfg(feature = "tokio")]
    pub(crate) async fn exited(&self) -> Result<Exit, Error> {
        ready(self.epoll.as_fd(), self.first.pid(), || self.try_wait()).await
    }
}

/// When it is that late, or a day that nobody here will see.
fn after(timeout: Duration) -> Instant {
    const AGES: Duration = Duration::from_secs(100 * 365 * 86_400);
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or_else(|| now + AGES)
}

/// Waits until the descriptor is readable, at most so long; whether it is.
fn readable(fd: BorrowedFd<'_>, timeout: Duration) -> Result<bool, Errno> {
    let timeout = Timespec::try_from(timeout).unwrap_or(Timespec { tv_sec: 3_600, tv_nsec: 0 });
    match poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Asks whenever the descriptor is readable, until there is an answer.
#[cfg(feature = "tokio")]
async fn ready(
    fd: BorrowedFd<'_>,
    pid: u32,
    ask: impl Fn() -> Result<Option<Exit>, Error>,
) -> Result<Exit, Error> {
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    if let Some(exit) = ask()? {
        return Ok(exit);
    }
    let failed =
        |source: std::io::Error| Error::Step { operation: "await", object: format!("process {pid}"), source };
    // A copy, since a descriptor can be registered once, and several may wait.
    let copy = rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(|error| failed(error.into()))?;
    // SAFETY: the descriptor is owned, and stays open and the same as long as it is registered.
    let registered = unsafe { AsyncFd::register_with_interest(copy, Interest::READABLE) }
        .map_err(|error| failed(error.into_parts().1))?;
    loop {
        let mut guard = registered.readable().await.map_err(failed)?;
        // First, so that what happens after the question makes it ready again.
        guard.clear_ready();
        if let Some(exit) = ask()? {
            return Ok(exit);
        }
    }
}

impl AsFd for Process {
    /// A pidfd: readable when the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.pidfd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read() {
        assert_eq!(ExitStatus::from_wait(0), ExitStatus::Code(0));
        assert_eq!(ExitStatus::from_wait(0x0300), ExitStatus::Code(3));
        assert_eq!(ExitStatus::from_wait(9), ExitStatus::Signal(9));
        assert_eq!(ExitStatus::from_wait(0x8b), ExitStatus::Signal(11));
        assert_eq!(ExitStatus::Signal(9).code(), Some(137));
        assert_eq!(ExitStatus::Unknown.code(), None);
        assert!(!ExitStatus::Unknown.success());
    }
}
