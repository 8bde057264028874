//! Root without being it: the program once more, as root of namespaces that an ordinary user may make
//! (user_namespaces(7)).
//!
//! [`enter`] is called at the beginning of `main`, before there is a second thread. To whoever has root's privileges
//! already it does nothing. For an ordinary user it starts the program once more, with the same arguments, in its own user,
//! mount, pid, network, IPC and UTS namespaces, in which it is root; what it makes there, processes, mounts and networks,
//! ends with it, however it ends. The process that called has only to wait for it.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use orlop_container::rootless::{self, Side};
//!
//! fn main() -> ExitCode {
//!     match rootless::enter() {
//!         Ok(Side::Outside(keeper)) => return ExitCode::from(keeper.wait()),
//!         Ok(Side::Privileged | Side::Inside) => {}
//!         Err(why) => {
//!             eprintln!("not without root: {why}");
//!             return ExitCode::FAILURE;
//!         }
//!     }
//!     // Here it is root, of the machine or of its namespaces.
//!     ExitCode::SUCCESS
//! }
//! ```
//!
//! What is lost against being root:
//! - **Users.** With subordinate ids (subuid(5)) and the programs newuidmap(1) and newgidmap(1) there are as many as were
//!   granted; without, there is one, root, which is the calling user outside, and groups cannot be set. [`Ids`](crate::Ids)
//!   tells. A process of another user is refused with a typed error.
//! - **Cgroups.** Those that were delegated to the user are used
//!   ([`Base::Permitted`](crate::cgroup::Base::Permitted)); otherwise there are no limits and no statistics.
//! - **Network.** There is a loopback link and what is made inside. Ports of the machine and the world outside are out of
//!   reach.
//! - **Devices** of the machine can be mounted into containers, but none can be made.
//!
//! The process that called and the first process of the pid namespace pass on SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1
//! and SIGUSR2, but for those that the terminal sends to all anyway. If the process that called is killed the kernel kills
//! everything inside.

use std::ffi::{CString, OsString};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;

use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::process::Pid;

use crate::capability::{Capability, CapabilitySet};
use crate::compile::bits;
use crate::process::Process;
use crate::program::Strings;
use crate::sys::{self, CloneArgs, MountAttr};
use crate::{ExitStatus, IdMap};

/// Tells the program that it is the one inside.
const MARK: &str = "ORLOP_ROOTLESS";

/// Signals that are passed on.
const PASSED: [i32; 6] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];

/// Exit code of the first process inside if it lost the one it was to wait for.
const LOST: i32 = 125;

/// Where the calling process is.
#[derive(Debug)]
pub enum Side {
    /// It had root's privileges already; nothing was done.
    Privileged,
    /// Outside, as it was; the program runs inside.
    Outside(Keeper),
    /// Inside, as root of its own namespaces.
    Inside,
}

/// Why a program cannot become root of its own namespaces here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// The process has threads, which a second one would not have.
    #[error("the process has {count} threads, and must have one")]
    Threads {
        /// How many.
        count: usize,
    },
    /// The kernel, or how it was set up, doesn't allow it.
    #[error("{step}: {source}")]
    Step {
        /// What was refused.
        step: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The program was started inside, and has no privileges there all the same.
    #[error("no privileges in the user namespace that was made for it")]
    Powerless,
}

fn refused(step: &'static str) -> impl FnOnce(Errno) -> Unavailable {
    move |error| Unavailable::Step { step, source: error.into() }
}

/// What the process inside does until the program runs; the number is what it reports if that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum Step {
    Ids,
    Death,
    Propagation,
    Proc,
    Loopback,
    Clone,
    Exec,
}

impl Step {
    const ALL: [Self; 7] =
        [Self::Ids, Self::Death, Self::Propagation, Self::Proc, Self::Loopback, Self::Clone, Self::Exec];

    fn text(self) -> &'static str {
        match self {
            Self::Ids => "becoming root in a user namespace",
            Self::Death => "binding its life to that of the caller",
            Self::Propagation => "setting the propagation of mounts in a user namespace",
            Self::Proc => "mounting /proc in a user namespace",
            Self::Loopback => "setting the loopback link up in a user namespace",
            Self::Clone => "making a process in a user namespace",
            Self::Exec => "executing the program once more",
        }
    }
}

/// Gives the program namespaces in which it is root, unless it is root already. To be called before there is a second
/// thread, and before anything is made that the program would then have twice.
///
/// # Errors
/// If that cannot be here. Then nothing has happened.
pub fn enter() -> Result<Side, Unavailable> {
    if is_privileged() {
        // A program that it starts is not the one inside.
        let marked = std::env::var_os(MARK).is_some();
        if marked && threads()? == 1 {
            // SAFETY: there is no other thread that could read the environment meanwhile.
            unsafe { std::env::remove_var(MARK) };
        }
        return Ok(if marked { Side::Inside } else { Side::Privileged });
    }
    if std::env::var_os(MARK).is_some() {
        return Err(Unavailable::Powerless);
    }
    match threads()? {
        1 => {}
        count => return Err(Unavailable::Threads { count }),
    }
    let plan = Plan::new()?;
    let ranges = Ranges::own();
    if !ranges.is_empty() {
        match start(&plan, Some(&ranges)) {
            Err(Unstarted::Maps(error)) => {
                tracing::debug!(%error, "subordinate ids cannot be had; there will be one user");
            }
            Err(Unstarted::Other(error)) => return Err(error),
            Ok(keeper) => return Ok(Side::Outside(keeper)),
        }
    }
    start(&plan, None).map(Side::Outside).map_err(|error| match error {
        Unstarted::Maps(source) => Unavailable::Step { step: "mapping users in a user namespace", source },
        Unstarted::Other(error) => error,
    })
}

/// Whether namespaces, mounts and networks can be made as it is.
fn is_privileged() -> bool {
    let (effective, _) = sys::capget().unwrap_or_default();
    let effective = CapabilitySet::from_bits(effective);
    let needed = [Capability::SysAdmin, Capability::NetAdmin, Capability::Setuid, Capability::Setgid];
    rustix::process::geteuid().is_root() && needed.into_iter().all(|one| effective.contains(one))
}

fn threads() -> Result<usize, Unavailable> {
    let tasks = std::fs::read_dir("/proc/self/task");
    tasks.map(Iterator::count).map_err(|source| Unavailable::Step { step: "reading /proc/self/task", source })
}

/// The program inside: all that the new process needs, prepared.
struct Plan {
    args: Strings,
    env: Strings,
}

impl Plan {
    fn new() -> Result<Self, Unavailable> {
        use std::os::unix::ffi::OsStringExt;
        let string = |text: OsString| {
            CString::new(text.into_vec()).map_err(|error| Unavailable::Step {
                step: "taking over the arguments",
                source: error.into(),
            })
        };
        let args = std::env::args_os().map(string).collect::<Result<Vec<_>, _>>()?;
        let env = std::env::vars_os()
            .chain([(MARK.into(), "1".into())])
            .map(|(mut name, value)| {
                name.push("=");
                name.push(value);
                string(name)
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { args: Strings::new(args), env: Strings::new(env) })
    }
}

enum Unstarted {
    /// The ids could not be mapped as wanted.
    Maps(io::Error),
    Other(Unavailable),
}

impl From<Unavailable> for Unstarted {
    fn from(error: Unavailable) -> Self {
        Self::Other(error)
    }
}

fn passed() -> u64 {
    PASSED.iter().fold(0, |mask, signal| mask | 1 << (signal - 1))
}

fn and_children() -> u64 {
    passed() | 1 << (libc::SIGCHLD - 1)
}

fn start(plan: &Plan, ranges: Option<&Ranges>) -> Result<Keeper, Unstarted> {
    let pipe = || rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(refused("making a pipe"));
    let (wait, control) = pipe()?;
    let (report, tell) = pipe()?;
    // What is buffered would be written twice.
    let _ = io::stdout().flush();
    let mut pidfd = -1_i32;
    let namespaces = libc::CLONE_NEWUSER
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS;
    let args = CloneArgs {
        flags: bits(namespaces | libc::CLONE_PIDFD),
        pidfd: std::ptr::from_mut(&mut pidfd) as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    // From here on signals wait until somebody passes them on.
    let before = sys::block_signals(and_children());
    // SAFETY: the child goes on in `first`, which keeps to system calls over memory that is there.
    let cloned = unsafe { sys::clone3(&args) };
    if cloned == Ok(0) {
        first(plan, wait.as_raw_fd(), control.as_raw_fd(), tell.as_raw_fd(), before);
    }
    let mask = Mask(before);
    let pid = cloned.map_err(|error| refused("making a user namespace")(Errno::from_raw_os_error(error)))?;
    // SAFETY: the kernel has just made it for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let number = number.ok_or_else(|| refused("making a user namespace")(Errno::RANGE))?;
    drop((wait, tell));
    let keeper = Keeper { process: Process::child(number, pidfd), control, _mask: mask };
    // Whoever drops the keeper ends the process.
    map(keeper.process.pid(), ranges).map_err(Unstarted::Maps)?;
    rustix::io::write(&keeper.control, b"1").map_err(refused("starting the program inside"))?;
    let mut said = [0_u8; 8];
    let mut have = 0;
    while have < said.len() {
        match rustix::io::read(&report, &mut said[have..]) {
            // The program runs.
            Ok(0) if have == 0 && keeper.process.try_wait().is_ok_and(|exit| exit.is_none()) => {
                return Ok(keeper);
            }
            Ok(0) => return Err(refused("starting the program inside")(Errno::CHILD).into()),
            Ok(size) => have += size,
            Err(Errno::INTR) => {}
            Err(error) => return Err(refused("starting the program inside")(error).into()),
        }
    }
    let [a, b, c, d, e, f, g, h] = said;
    let step = usize::try_from(u32::from_ne_bytes([a, b, c, d])).ok();
    let step = step.and_then(|step| Step::ALL.get(step)).map_or("setting up a user namespace", |s| s.text());
    Err(refused(step)(Errno::from_raw_os_error(i32::from_ne_bytes([e, f, g, h]))).into())
}

/// The signals that were blocked before.
#[derive(Debug)]
struct Mask(u64);

impl Drop for Mask {
    fn drop(&mut self) {
        sys::block_signals(self.0);
    }
}

/// The first process of the pid namespace: sets up the namespaces, makes the one that executes the program, passes signals
/// on to it and reaps whatever is left to it. Nothing but system calls: it is a copy of the caller that has executed
/// nothing.
fn first(plan: &Plan, wait: i32, control: i32, tell: i32, mask: u64) -> ! {
    let fail = |step: Step, error: i32| -> ! {
        let (step, error) = ((step as u32).to_ne_bytes(), error.to_ne_bytes());
        let mut report = [0; 8];
        for (to, from) in report.iter_mut().zip(step.iter().chain(&error)) {
            *to = *from;
        }
        let _ = sys::write(tell, &report);
        sys::exit(1)
    };
    // The other end is the caller's alone.
    sys::close(control);
    let mut byte = [0];
    if sys::read(wait, &mut byte) != Ok(1) {
        sys::exit(1);
    }
    if let Err(error) = sys::setresgid(0).and_then(|_| sys::setresuid(0)) {
        fail(Step::Ids, error);
    }
    // After the change of user, which takes it back.
    if let Err(error) = sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as usize, 0) {
        fail(Step::Death, error);
    }
    if sys::is_hung_up(wait) {
        sys::exit(1);
    }
    let slave = MountAttr { propagation: libc::MS_SLAVE, ..MountAttr::default() };
    if let Err(error) = sys::mount_setattr(libc::AT_FDCWD, c"/", true, &slave) {
        fail(Step::Propagation, error);
    }
    if let Err(error) = mount_proc() {
        fail(Step::Proc, error);
    }
    if let Err(error) = sys::loopback_up() {
        fail(Step::Loopback, error);
    }
    let args = CloneArgs { exit_signal: libc::SIGCHLD as u64, ..CloneArgs::default() };
    // SAFETY: the child goes on with system calls over memory that is there.
    let program = match unsafe { sys::clone3(&args) } {
        Ok(0) => {
            let _ = sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as usize, 0);
            sys::block_signals(mask);
            // SAFETY: the lists end in null, and live as long as this process does.
            let error = unsafe { sys::execve(c"/proc/self/exe", plan.args.as_ptr(), plan.env.as_ptr()) };
            fail(Step::Exec, error);
        }
        Ok(pid) => pid as i32,
        Err(error) => fail(Step::Clone, error),
    };
    sys::close(tell);
    loop {
        match sys::await_signal(and_children()) {
            Ok((libc::SIGCHLD, _)) => loop {
                match sys::reap() {
                    Ok(Some((pid, status))) if pid == program => {
                        sys::exit(ExitStatus::from_wait(status).code().unwrap_or(LOST));
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => sys::exit(LOST),
                }
            },
            Ok((signal, code)) if code != libc::SI_KERNEL => {
                let _ = sys::kill(program, signal);
            }
            // The terminal has sent it to the program too.
            Ok(_) => {}
            Err(_) => sys::exit(LOST),
        }
    }
}

fn mount_proc() -> Result<(), i32> {
    let context = sys::fsopen(c"proc")?;
    sys::fsconfig_create(context)?;
    let all = sys::MOUNT_ATTR_NOSUID | sys::MOUNT_ATTR_NODEV | sys::MOUNT_ATTR_NOEXEC;
    let mount = sys::fsmount(context, all)?;
    sys::move_mount_to(mount, c"/proc")?;
    sys::close(mount);
    sys::close(context);
    Ok(())
}

/// Keeps the program inside: waits for it, and passes signals on to it. Dropping it ends everything inside.
#[derive(Debug)]
pub struct Keeper {
    process: Process,
    /// Open as long as there is somebody to live for.
    control: OwnedFd,
    /// Signals are blocked until it is gone.
    _mask: Mask,
}

impl Keeper {
    /// Passes on signals until the program inside has ended; answers its exit code: 128 and the signal if it was ended by
    /// one, 1 if that cannot be found out.
    #[must_use]
    pub fn wait(self) -> u8 {
        loop {
            match self.process.try_wait() {
                Ok(Some(exit)) => {
                    let code = exit.status.code().and_then(|code| u8::try_from(code).ok());
                    return code.unwrap_or(1);
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "the end of the program inside is unknown");
                    return 1;
                }
            }
            match sys::await_signal(and_children()) {
                Ok((libc::SIGCHLD, _)) => {}
                Ok((signal, code)) if code != libc::SI_KERNEL => {
                    let _ = self.process.signal(signal);
                }
                // The terminal has sent it to the program too.
                Ok(_) => {}
                Err(error) => {
                    let error = io::Error::from_raw_os_error(error);
                    tracing::error!(%error, "signals cannot be waited for");
                    return 1;
                }
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.process.kill_and_wait();
    }
}

/// Ids that were granted to the calling user besides its own: first one and how many.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ranges {
    users: Vec<(u32, u32)>,
    groups: Vec<(u32, u32)>,
}

impl Ranges {
    /// As `/etc/subuid` and `/etc/subgid` have them; what other sources (nsswitch.conf(5)) may have is not looked for.
    fn own() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let uid = rustix::process::getuid().as_raw();
        let passwd = read("/etc/passwd");
        let name = name_of(&passwd, uid);
        let users = granted(&read("/etc/subuid"), name, uid);
        Self { users, groups: granted(&read("/etc/subgid"), name, uid) }
    }

    fn is_empty(&self) -> bool {
        self.users.is_empty() || self.groups.is_empty()
    }
}

fn name_of(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(uid)).then_some(name)
    })
}

/// Lines `user:first:count`, where the user is a name or a number (subuid(5)).
fn granted(text: &str, name: Option<&str>, uid: u32) -> Vec<(u32, u32)> {
    let range = |line: &str| {
        let mut fields = line.trim().split(':');
        let who = fields.next()?;
        let (first, count): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let mine = Some(who) == name || who.parse() == Ok(uid);
        (mine && count > 0 && first.checked_add(count).is_some()).then_some((first, count))
    };
    text.lines().filter_map(range).collect()
}

/// The calling user is root, and the granted ids follow.
fn lines(own: u32, ranges: &[(u32, u32)]) -> Vec<IdMap> {
    let mut maps = vec![IdMap { inside: 0, outside: own, count: 1 }];
    let mut inside = 1_u32;
    for (first, count) in ranges {
        let Some(next) = inside.checked_add(*count) else { break };
        maps.push(IdMap { inside, outside: *first, count: *count });
        inside = next;
    }
    maps
}

fn map(pid: u32, ranges: Option<&Ranges>) -> io::Result<()> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    match ranges {
        Some(ranges) => {
            map_by("newuidmap", pid, &lines(uid, &ranges.users))?;
            map_by("newgidmap", pid, &lines(gid, &ranges.groups))
        }
        None => {
            std::fs::write(format!("/proc/{pid}/uid_map"), format!("0 {uid} 1\n"))?;
            std::fs::write(format!("/proc/{pid}/setgroups"), "deny")?;
            std::fs::write(format!("/proc/{pid}/gid_map"), format!("0 {gid} 1\n"))
        }
    }
}

/// Has the ids mapped by a program that may.
fn map_by(program: &str, pid: u32, maps: &[IdMap]) -> io::Result<()> {
    let numbers = maps.iter().flat_map(|map| [map.inside, map.outside, map.count]);
    let numbers = std::iter::once(pid).chain(numbers).map(|number| number.to_string());
    let done = Command::new(program).args(numbers).stdin(std::process::Stdio::null()).output()?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(io::Error::other(format!("{program}: {}: {}", done.status, said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn granted_ids_are_found() {
        let passwd = "root:x:0:0::/:/bin/sh\nada:x:1000:1000::/:/bin/sh\n";
        assert_eq!(name_of(passwd, 1000), Some("ada"));
        assert_eq!(name_of(passwd, 1), None);
        let text = "# none\nada:100000:65536\n1000:300000:5\nbob:400000:9\nada:1:0\nada:4294967295:2\nada:x:1\nada\n";
        assert_eq!(granted(text, Some("ada"), 1000), [(100_000, 65_536), (300_000, 5)]);
        assert_eq!(granted(text, None, 7), []);
    }

    #[test]
    fn granted_ids_follow_root() {
        let map = |inside, outside, count| IdMap { inside, outside, count };
        assert_eq!(lines(1000, &[]), [map(0, 1000, 1)]);
        assert_eq!(
            lines(1000, &[(100_000, 65_536), (300_000, 5)]),
            [map(0, 1000, 1), map(1, 100_000, 65_536), map(65_537, 300_000, 5)]
        );
        assert_eq!(lines(7, &[(5, u32::MAX)]), [map(0, 7, 1)]);
    }

    #[test]
    fn every_step_has_its_number() {
        for (number, step) in Step::ALL.into_iter().enumerate() {
            assert_eq!(step as usize, number);
        }
    }
}
