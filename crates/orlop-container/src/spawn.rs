//! Making a process from a [`Launch`]: clone3, the maps of its user namespace, its reports.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, PidfdFlags};

use crate::Error;
use crate::child::{self, Line, Report};
use crate::compile::{Command, Launch, Maps};
use crate::faults::Faults;
use crate::process::Process;
use crate::program::{Op, Program, above_standard};
use crate::spec::IdMap;
use crate::sys::{self, CloneArgs, SharedWord};

/// How long a process is given to set itself up, and to execute its program: files may lie on slow disks, and whoever sees
/// a further process in its pid namespace can hold its report open.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that is set up and waits to be started. Dropping the line ends it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) process: Process,
    pub(crate) line: Held,
}

/// The caller's ends of the pipes, and what is needed to understand what comes out of them.
#[derive(Debug)]
pub(crate) struct Held {
    control: OwnedFd,
    report: OwnedFd,
    program: Program,
    command: Command,
}

/// Makes the process and waits until it is set up. If anything fails nothing is left of it.
#[tracing::instrument(level = "debug", skip_all)]
pub(crate) fn spawn(launch: Launch<'_>, faults: &Faults) -> Result<Prepared, Error> {
    let Launch { mut program, flags, birthplace, maps, command } = launch;
    faults.step("pipe")?;
    let (control_read, control) = pipe()?;
    faults.step("pipe")?;
    let (report, report_write) = pipe()?;
    let between = !program.joins.is_empty();
    let line = Line { control: control_read.as_raw_fd(), report: report_write.as_raw_fd() };
    let mut keep: Vec<i32> = program.slots.iter().copied().filter(|fd| *fd >= 0).collect();
    keep.extend([line.control, line.report]);
    keep.sort_unstable();
    keep.dedup();
    #[cfg(any(test, feature = "test-util"))]
    {
        program.fail_at = faults.steps(program.ops.iter().filter(|op| op.makes()).count());
    }

    faults.step("clone3")?;
    let mut pidfd = -1_i32;
    let mut args = CloneArgs {
        flags: sys::CLONE_CLEAR_SIGHAND | crate::compile::bits(libc::CLONE_PIDFD),
        pidfd: std::ptr::from_mut(&mut pidfd) as u64,
        ..CloneArgs::default()
    };
    if let Some(birthplace) = birthplace {
        args.flags |= sys::CLONE_INTO_CGROUP;
        args.cgroup = birthplace.as_raw_fd() as u64;
    }
    if !between {
        args.flags |= flags;
    }
    // Of the process after the one in between. Our child, not its; the kernel tells us its pid.
    let made = SharedWord::new()
        .map_err(|error| Error::step("mmap", "shared memory", io::Error::from_raw_os_error(error)))?;
    let second = CloneArgs {
        flags: flags | crate::compile::bits(libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID),
        parent_tid: made.address(),
        ..CloneArgs::default()
    };
    // No handler of ours may run in the child.
    let mask = sys::block_signals(u64::MAX);
    // SAFETY: the child goes on in `child`, which keeps to what may be done there.
    let cloned = unsafe { sys::clone3(&args) };
    if cloned == Ok(0) {
        if between {
            child::run_between(&mut program, line, &keep, &second, &made);
        }
        child::run(&mut program, line, &keep);
    }
    sys::block_signals(mask);
    let pid = cloned.map_err(|error| {
        Error::step("clone3", format!("flags {:#x}", args.flags), io::Error::from_raw_os_error(error))
    })?;
    // SAFETY: the kernel has just made it for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    let first = Process::child(number(pid)?, pidfd);
    drop((control_read, report_write));
    let held = Held { control, report, program, command };

    let process = if between {
        // It only joins and clones.
        first.wait()?;
        let pid = match made.get() {
            0 => match held.next()? {
                Some(report) => return Err(held.error(report)),
                None => return Err(died(&first)),
            },
            pid => number(pid.into())?,
        };
        let opened = faults.step("pidfd_open").and_then(|()| {
            rustix::process::pidfd_open(pid, PidfdFlags::empty())
                .map_err(|error| Error::step("pidfd_open", format!("process {pid:?}"), error))
        });
        match opened {
            Ok(pidfd) => Process::child(pid, pidfd),
            Err(error) => {
                // Ours to wait for, so the number is still its own.
                let pid = pid.as_raw_nonzero().get();
                let _ = sys::kill(pid, libc::SIGKILL);
                sys::reap_one(pid);
                return Err(error);
            }
        }
    } else {
        first
    };
    let ready = (|| {
        if let Some(maps) = &maps {
            maps.write(process.pid())?;
            held.go_on()?;
        }
        match held.next()? {
            Some(report) if report.kind == Report::READY => Ok(()),
            Some(report) => Err(held.error(report)),
            None => Err(died(&process)),
        }
    })();
    if let Err(error) = ready {
        process.kill_and_wait()?;
        return Err(error);
    }
    Ok(Prepared { process, line: held })
}

impl Held {
    /// Lets the process go on to its program, and waits until it runs or can't.
    pub(crate) fn start(self) -> Result<(), Error> {
        self.go_on()?;
        match self.next()? {
            // The report's end was closed by the program being executed (or by a death that is then seen as one).
            None => Ok(()),
            Some(report) => Err(self.error(report)),
        }
    }

    fn go_on(&self) -> Result<(), Error> {
        match rustix::io::write(&self.control, b"1") {
            // It has ended; what it reported says why.
            Ok(_) | Err(Errno::PIPE) => Ok(()),
            Err(error) => Err(Error::step("write", "control pipe", error)),
        }
    }

    fn next(&self) -> Result<Option<Report>, Error> {
        next(&self.report, PATIENCE)
    }

    fn error(&self, report: Report) -> Error {
        let source = io::Error::from_raw_os_error(report.value);
        let number = usize::try_from(report.op).unwrap_or(usize::MAX);
        let program = self.command.program.clone();
        match report.kind {
            Report::JOIN => {
                let name = self.program.joins.get(number).map_or("?", |(_, _, name)| *name);
                return Error::step("join", format!("{name} namespaces"), source);
            }
            Report::SCORE => {
                return Error::step("write", child::OOM_SCORE_ADJ.to_string_lossy(), source);
            }
            Report::CLONE => return Error::step("clone3", "process in joined namespaces", source),
            #[cfg(any(test, feature = "test-util"))]
            Report::INJECTED => {
                let step = self.program.ops.get(number).map(Op::describe).unwrap_or_default();
                return Error::Injected { step: format!("{} {}", step.0, step.1) };
            }
            _ => {}
        }
        // What the program of ours reports has no number.
        let op = if report.op == u32::MAX { self.program.ops.last() } else { self.program.ops.get(number) };
        match (op, report.value) {
            (Some(Op::FindExecutable { .. }), libc::ENOENT | libc::ENOTDIR) => {
                Error::ExecutableNotFound { program, searched: self.command.searched.clone() }
            }
            (Some(Op::Exec { .. }), libc::ENOENT) => Error::InterpreterNotFound { program },
            (Some(Op::FindExecutable { .. } | Op::Exec { .. }), _) => {
                Error::NotExecutable { program, source }
            }
            (Some(op), _) => {
                let (operation, object) = op.describe();
                Error::Step { operation, object, source }
            }
            (None, _) => Error::Step { operation: "set up", object: "process".to_owned(), source },
        }
    }
}

impl Maps {
    fn write(&self, pid: u32) -> Result<(), Error> {
        let write = |file: &str, text: &str| {
            let path = format!("/proc/{pid}/{file}");
            std::fs::write(&path, text).map_err(|source| Error::Step {
                operation: "write",
                object: format!("{path} ({})", text.trim()),
                source,
            })
        };
        let lines = |maps: &[IdMap]| {
            maps.iter()
                .map(|map| format!("{} {} {}\n", map.inside, map.outside, map.count))
                .collect::<String>()
        };
        write("uid_map", &lines(&self.users))?;
        if self.deny_setgroups {
            write("setgroups", "deny")?;
        }
        write("gid_map", &lines(&self.groups))
    }
}

fn died(process: &Process) -> Error {
    let status =
        process.kill_and_wait().map_or_else(|error| error.to_string(), |exit| exit.status.to_string());
    Error::Died { id: format!("process {}", process.pid()), status }
}

fn number(pid: i64) -> Result<Pid, Error> {
    i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(|| Error::step("clone3", "pid", Errno::RANGE))
}

/// What the new process reports next; nothing if it has closed its end.
fn next(report: &OwnedFd, patience: Duration) -> Result<Option<Report>, Error> {
    let deadline = Instant::now() + patience;
    let failed = |operation| move |error| Error::step(operation, "report pipe", error);
    let mut bytes = [0_u8; Report::SIZE];
    let mut have = 0;
    while have < bytes.len() {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).unwrap_or_default();
        match poll(&mut [PollFd::new(report, PollFlags::IN)], Some(&left)) {
            Ok(0) => {
                let what = "setting up or executing its program";
                return Err(Error::Timeout { id: "process".to_owned(), what, seconds: patience.as_secs() });
            }
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(failed("poll")(error)),
        }
        match rustix::io::read(report, &mut bytes[have..]) {
            Ok(0) => return Ok(None),
            Ok(size) => have += size,
            Err(Errno::INTR) => {}
            Err(error) => return Err(failed("read")(error)),
        }
    }
    Ok(Some(Report::from_bytes(bytes)))
}

/// Reading and writing end.
fn pipe() -> Result<(OwnedFd, OwnedFd), Error> {
    let (read, write) =
        rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::step("pipe", "pipe", error))?;
    Ok((above_standard(read)?, above_standard(write)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a process of the container may do that finds `/proc/PID/fd/3` in the right moment.
    #[test]
    fn whoever_holds_the_report_open_is_not_waited_for() {
        let (report, held) = pipe().expect("a pipe");
        let error = next(&report, Duration::from_millis(20)).expect_err("nothing comes");
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
        let ready = Report { kind: Report::READY, op: 0, value: 0 };
        rustix::io::write(&held, &ready.bytes()).expect("written");
        assert_eq!(next(&report, Duration::from_secs(60)).expect("read"), Some(ready));
        drop(held);
        assert_eq!(next(&report, Duration::from_secs(60)).expect("read"), None);
    }
}
