//! [`Process`]: a process of a container, held by a descriptor.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
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
    fn from_wait(status: i32) -> Self {
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
/// another meanwhile. Nothing else is needed to wait for it: no handler of SIGCHLD, no thread.
///
/// A process of ours that has ended is a zombie until somebody has asked ([`wait`](Self::wait),
/// [`try_wait`](Self::try_wait)); dropping asks too.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    pidfd: OwnedFd,
    /// Whether the kernel tells us its status when it ends.
    child: bool,
    exit: Mutex<Option<Exit>>,
}

impl Process {
    pub(crate) fn child(pid: Pid, pidfd: OwnedFd) -> Self {
        Self { pid, pidfd, child: true, exit: Mutex::new(None) }
    }

    /// A process that an earlier run of this program has started.
    pub(crate) fn adopt(pid: Pid) -> Result<Self, Errno> {
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self { pid, pidfd, child: false, exit: Mutex::new(None) })
    }

    /// Its number in the caller's pid namespace.
    #[must_use]
    #[expect(clippy::cast_sign_loss, reason = "positive")]
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get() as u32
    }

    /// Sends a signal, by number. One that has ended gets none, which is no error.
    ///
    /// # Errors
    /// If there is no such signal, or the kernel refuses.
    pub fn signal(&self, signal: i32) -> Result<(), Error> {
        if self.exit.lock().is_ok_and(|exit| exit.is_some()) {
            return Ok(());
        }
        let named = rustix::process::Signal::from_named_raw(signal)
            .ok_or_else(|| Error::spec("signal", format!("{signal} is not a signal that is known")))?;
        match rustix::process::pidfd_send_signal(&self.pidfd, named) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(Error::step("kill", format!("process {}", self.pid()), error)),
        }
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn try_wait(&self) -> Result<Option<Exit>, Error> {
        let mut exit = self.exit.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if exit.is_none() {
            *exit = self.look(false)?;
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
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(exit) = self.try_wait()? {
                return Ok(Some(exit));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.poll(PollFlags::IN, left)?;
        }
    }

    /// Waits until it has ended, without holding a thread. Needs a tokio runtime with I/O.
    ///
    /// # Errors
    /// If the kernel refuses.
    #[cfg(feature = "tokio")]
    pub async fn exited(&self) -> Result<Exit, Error> {
        use tokio::io::Interest;
        use tokio::io::unix::AsyncFd;
        if let Some(exit) = self.try_wait()? {
            return Ok(exit);
        }
        let failed = |error: std::io::Error| Error::Step {
            operation: "await",
            object: format!("process {}", self.pid()),
            source: error,
        };
        // A copy, since a descriptor can be registered once, and several may wait.
        let copy = rustix::io::fcntl_dupfd_cloexec(&self.pidfd, 3).map_err(|error| failed(error.into()))?;
        // SAFETY: the descriptor is owned, and stays open and the same as long as it is registered.
        let ready = unsafe { AsyncFd::register_with_interest(copy, Interest::READABLE) }
            .map_err(|error| failed(error.into_parts().1))?;
        loop {
            if let Some(exit) = self.try_wait()? {
                return Ok(exit);
            }
            let mut guard = ready.readable().await.map_err(failed)?;
            if let Some(exit) = self.try_wait()? {
                return Ok(exit);
            }
            guard.clear_ready();
        }
    }

    fn look(&self, block: bool) -> Result<Option<Exit>, Error> {
        let failed = |error: i32| {
            Error::step("wait", format!("process {}", self.pid()), std::io::Error::from_raw_os_error(error))
        };
        if self.child {
            match sys::wait_pidfd(self.pidfd.as_raw_fd(), block) {
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
        if !self.poll(PollFlags::IN, Duration::ZERO)? {
            return Ok(None);
        }
        // It has ended; whose child it is has to take notice of it, which happens any moment. Only then the kernel tells.
        let deadline = Instant::now() + Duration::from_millis(500);
        loop {
            match sys::exit_status(self.pidfd.as_raw_fd()) {
                Ok(Some(status)) => return Ok(Some(Exit::unknown(ExitStatus::from_wait(status)))),
                Ok(None) | Err(libc::ESRCH) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                // An older kernel, or nobody takes notice.
                _ => return Ok(Some(Exit::unknown(ExitStatus::Unknown))),
            }
        }
    }

    fn poll(&self, flags: PollFlags, timeout: Duration) -> Result<bool, Error> {
        let timeout = Timespec::try_from(timeout).unwrap_or(Timespec { tv_sec: 3_600, tv_nsec: 0 });
        match poll(&mut [PollFd::new(&self.pidfd, flags)], Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(Error::step("poll", format!("process {}", self.pid()), error)),
        }
    }

    /// Ends it at once, and waits for that.
    pub(crate) fn kill_and_wait(&self) -> Result<Exit, Error> {
        self.signal(libc::SIGKILL)?;
        self.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.try_wait();
    }
}

impl AsFd for Process {
    /// A pidfd: readable when the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
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
