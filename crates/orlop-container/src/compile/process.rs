//! The process: who it is, what it may, what it runs, its standard streams.

use std::ffi::CString;

use rustix::fs::{CWD, FileType, Mode, OFlags};

use crate::Error;
use crate::capability::{Capability, CapabilitySet};
use crate::program::{Op, Program, SetGroups, Slot, Strings, c_string};
use crate::spec::{DEFAULT_PATH, ProcessSpec, Stdio, Stream};

use super::{Command, Machine, duplicate};

/// The part that a container's first process and further ones have in common: who it is, what it may, what it runs.
pub(super) fn process(
    p: &mut Program,
    spec: &ProcessSpec,
    stdio: Stdio,
    owner: Option<u32>,
    set_groups: SetGroups,
    machine: &Machine<'_>,
) -> Result<Command, Error> {
    let by = machine.execute.map(|file| p.bring(duplicate(file)?)).transpose()?;
    let Some(first) = spec.args.first() else { return Err(Error::spec("process.args", "is empty")) };
    if first.is_empty() {
        return Err(Error::spec("process.args[0]", "is empty"));
    }
    let args = spec
        .args
        .iter()
        .enumerate()
        .map(|(number, arg)| c_string(&format!("process.args[{number}]"), arg))
        .collect::<Result<Vec<_>, _>>()?;
    let mut env = Vec::new();
    for (name, value) in &spec.env {
        let field = format!("process.env[{name:?}]");
        if name.is_empty() || name.contains('=') {
            return Err(Error::spec(field, "is not the name of a variable"));
        }
        env.push(c_string(&field, format!("{name}={value}"))?);
    }
    if let Some(score) = spec.oom_score_adj {
        if !(-1_000..=1_000).contains(&score) {
            return Err(Error::spec("process.oom_score_adj", format!("{score} must be -1000 to 1000")));
        }
        p.oom_score_adj = Some(score.to_string().into_bytes());
    }
    if !spec.cwd.is_absolute() {
        return Err(Error::spec("process.cwd", format!("{} is not absolute", spec.cwd.display())));
    }
    let path = spec.env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
    let (candidates, searched) = candidates(first, path)?;

    let user = &spec.user;
    let slots = standard_streams(p, stdio, owner)?;
    p.push(Op::Stdio { slots });
    if spec.terminal {
        p.push(Op::ControllingTerminal);
    }
    for limit in &spec.rlimits {
        let (resource, name) = (limit.resource.number(), limit.resource.name());
        if limit.soft > limit.hard {
            return Err(Error::spec(format!("process.rlimits[{name}]"), "soft limit above hard limit"));
        }
        p.push(Op::Rlimit { resource, name, soft: limit.soft, hard: limit.hard });
    }
    p.push(Op::Umask { mask: user.umask.unwrap_or(0o022) & 0o777 });
    let capabilities = &spec.capabilities;
    for (set, name) in [(capabilities.permitted, "permitted"), (capabilities.inheritable, "inheritable")] {
        let beyond = capabilities.ambient - set;
        if beyond != CapabilitySet::EMPTY {
            return Err(Error::spec("process.capabilities.ambient", format!("{beyond:?} not {name}")));
        }
    }
    let beyond = capabilities.effective - capabilities.permitted;
    if beyond != CapabilitySet::EMPTY {
        return Err(Error::spec("process.capabilities.effective", format!("{beyond:?} not permitted")));
    }
    if !user.groups.is_empty() && set_groups == SetGroups::No {
        return Err(Error::spec(
            "process.user.groups",
            "cannot be set in a user namespace that an ordinary user has made",
        ));
    }
    p.push(Op::Bounding { drop: !capabilities.bounding.bits() });
    p.push(Op::Identity { uid: user.uid, gid: user.gid, groups: user.groups.clone(), set_groups });
    let filter = machine.filters.filter(&spec.seccomp, capabilities.effective)?;
    // A filter can be loaded by those who can never gain privileges again, or by who has this one.
    let load_early = filter.is_some() && !spec.no_new_privileges;
    let admin = CapabilitySet::EMPTY.with(Capability::SysAdmin);
    let held = if load_early { capabilities.permitted | admin } else { capabilities.permitted };
    // What it will have when its program runs: that counts for whether it can be executed.
    let has = if user.uid == 0 { capabilities.effective } else { capabilities.ambient };
    p.push(Op::Capset {
        effective: has.bits(),
        permitted: held.bits(),
        inheritable: capabilities.inheritable.bits(),
    });
    if spec.no_new_privileges {
        p.push(Op::NoNewPrivileges);
    }
    p.push(Op::Chdir { path: c_string("process.cwd", &spec.cwd)? });
    p.push(Op::FindExecutable { candidates });
    p.push(Op::CloseRest { keep: by });
    p.push(Op::Ready);
    p.push(Op::AwaitStart);
    let last = [
        Op::Capset {
            effective: capabilities.effective.bits(),
            permitted: capabilities.permitted.bits(),
            inheritable: capabilities.inheritable.bits(),
        },
        Op::Ambient { set: capabilities.ambient.bits() },
    ];
    let load = filter.map(|filter| Op::Seccomp { filter });
    if load_early {
        p.push(Op::Capset {
            effective: (has | admin).bits(),
            permitted: held.bits(),
            inheritable: capabilities.inheritable.bits(),
        });
        p.ops.extend(load);
        p.ops.extend(last);
    } else {
        p.ops.extend(last);
        p.ops.extend(load);
    }
    p.push(Op::Exec { by, args: Strings::new(args), env: Strings::new(env) });
    Ok(Command { program: first.clone(), searched })
}

/// Where a program may lie (execvp(3)), and the `PATH` if that is searched.
fn candidates(program: &str, path: Option<&str>) -> Result<(Vec<CString>, String), Error> {
    const FIELD: &str = "process.args[0]";
    if program.contains('/') {
        return Ok((vec![c_string(FIELD, program)?], String::new()));
    }
    let path = path.unwrap_or(DEFAULT_PATH);
    let all = path
        .split(':')
        .map(|dir| {
            c_string(FIELD, if dir.is_empty() { format!("./{program}") } else { format!("{dir}/{program}") })
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok((all, format!("PATH {path:?}")))
}

/// `owner` is the process's user as the caller knows it, if it does.
pub(crate) fn standard_streams(
    p: &mut Program,
    stdio: Stdio,
    owner: Option<u32>,
) -> Result<[Slot; 3], Error> {
    let mut null: Option<Slot> = None;
    let mut slots = [Slot(0); 3];
    let own = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    for ((place, stream), own) in slots.iter_mut().zip([stdio.stdin, stdio.stdout, stdio.stderr]).zip(own) {
        *place = match stream {
            Stream::Null => match null {
                Some(slot) => slot,
                None => {
                    let file =
                        rustix::fs::openat(CWD, "/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
                            .map_err(|error| Error::step("open", "/dev/null", error))?;
                    let slot = p.bring(file)?;
                    null = Some(slot);
                    slot
                }
            },
            Stream::Inherit => {
                let copy = rustix::io::fcntl_dupfd_cloexec(own, 3)
                    .map_err(|error| Error::step("dup", "standard stream", error))?;
                p.bring(copy)?
            }
            Stream::Fd(fd) => {
                let kind = rustix::fs::fstat(&fd).map(|stat| FileType::from_raw_mode(stat.st_mode));
                // So that the process can open it again by `/dev/stdout`. Whoever may not give it away, can't help it.
                let given = matches!(kind, Ok(FileType::Fifo)) || rustix::termios::isatty(&fd);
                if let Some(uid) = owner.filter(|uid| given && *uid != 0) {
                    let _ = rustix::fs::fchown(&fd, Some(rustix::fs::Uid::from_raw(uid)), None);
                }
                p.bring(fd)?
            }
        };
    }
    Ok(slots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_searched_as_execvp_does() {
        let found = |program: &str, path| {
            let (all, searched) = candidates(program, path).expect("valid");
            (all.into_iter().map(|c| c.into_string().expect("plain")).collect::<Vec<_>>(), searched)
        };
        assert_eq!(found("/bin/sh", Some("/x")), (vec!["/bin/sh".to_owned()], String::new()));
        assert_eq!(found("./sh", None).0, ["./sh"]);
        assert_eq!(found("sh", Some("/a::/b")).0, ["/a/sh", "./sh", "/b/sh"]);
        assert_eq!(found("sh", None).0.len(), 6);
        assert!(candidates("a\0", None).is_err());
    }
}
