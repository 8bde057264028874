//! Making a process from a [`Launch`]: clone3, the maps of its user namespace, its reports.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

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
use crate::sys::{self, CloneArgs};

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
    // The process must not report anything before the one in between has reported it.
    let waits = matches!(program.ops.first(), Some(Op::AwaitMaps));
    if between && !waits {
        program.ops.insert(0, Op::AwaitMaps);
    }
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
        {
            args.cgroup = birthplace.as_raw_fd() as u64;
        }
    }
    if !between {
        args.flags |= flags;
    }
    // Of the process after the one in between. Our child, not its.
    let second =
        CloneArgs { flags: flags | crate::compile::bits(libc::CLONE_PARENT), ..CloneArgs::default() };
    // No handler of ours may run in the child.
    let mask = sys::block_signals(u64::MAX);
    // SAFETY: the child goes on in `child`, which keeps to what may be done there.
    let cloned = unsafe { sys::clone3(&args) };
    if cloned == Ok(0) {
        if between {
            child::run_between(&mut program, line, &keep, &second);
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
        let second = held.next();
        let second = match second {
            Ok(Some(report)) if report.kind == Report::PID => number(report.value.into()),
            Ok(Some(report)) => Err(held.error(report)),
            Ok(None) => Err(died(&first)),
            Err(error) => Err(error),
        };
        if second.is_err() {
            let _ = first.signal(libc::SIGKILL);
        }
        first.wait()?;
        let pid = second?;
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())
            .map_err(|error| Error::step("pidfd_open", format!("process {pid:?}"), error))?;
        Process::child(pid, pidfd)
    } else {
        first
    };
    let ready = (|| {
        if let Some(maps) = &maps {
            maps.write(process.pid())?;
        }
        if between || waits {
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
        let mut bytes = [0_u8; Report::SIZE];
        let mut have = 0;
        while have < bytes.len() {
            match rustix::io::read(&self.report, &mut bytes[have..]) {
                Ok(0) => return Ok(None),
                Ok(size) => have += size,
                Err(Errno::INTR) => {}
                Err(error) => return Err(Error::step("read", "report pipe", error)),
            }
        }
        Ok(Some(Report::from_bytes(bytes)))
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

/// Reading and writing end.
fn pipe() -> Result<(OwnedFd, OwnedFd), Error> {
    let (read, write) =
        rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::step("pipe", "pipe", error))?;
    Ok((above_standard(read)?, above_standard(write)?))
}
