//! Which system calls a process may do (seccomp(2)).

mod default;
mod syscalls;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use seccompiler::{SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};

use crate::Error;
use crate::capability::CapabilitySet;
use crate::sys::Instruction;

/// Which system calls a process may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seccomp {
    /// Those that container runtimes allow if nobody says anything; a few more for each capability it has.
    #[default]
    Default,
    /// All.
    Unconfined,
    /// As this profile says.
    Profile(Profile),
}

/// A profile: what happens with the system calls that are named, and what with all others.
///
/// All rules must have the same action. System calls that the architecture doesn't have are passed over. Those of another
/// architecture (32-bit programs) kill the process; those with the numbers of x32 are none that are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What happens with calls that no rule names.
    pub default: Action,
    /// What happens with those that are named.
    pub rules: Vec<Rule>,
}

/// Some system calls, what happens with them, and under which conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Their names.
    pub syscalls: Vec<String>,
    /// What happens.
    pub action: Action,
    /// All must hold; without any it always happens.
    pub conditions: Vec<Condition>,
}

/// A condition on an argument of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Which argument: 0 to 5.
    pub argument: u8,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub value: u64,
}

/// How an argument is compared, unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// It is the value.
    Equal,
    /// It isn't.
    NotEqual,
    /// It is less.
    Less,
    /// It is less or the same.
    LessOrEqual,
    /// It is more.
    Greater,
    /// It is more or the same.
    GreaterOrEqual,
    /// Its bits under this mask are the value.
    Masked(u64),
    /// Its lower 32 bits are not the value. For what the kernel takes as an `int`: it looks at no more, so that whoever
    /// sets others passes [`NotEqual`](Self::NotEqual) with the value all the same.
    IntNotEqual,
}

/// What happens with a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is done.
    Allow,
    /// It is done, and logged.
    Log,
    /// It fails with this error number.
    Errno(u16),
    /// The process gets SIGSYS.
    Trap,
    /// The thread is killed.
    KillThread,
    /// The process is killed.
    KillProcess,
}

impl From<Action> for seccompiler::SeccompAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Allow => Self::Allow,
            Action::Log => Self::Log,
            Action::Errno(number) => Self::Errno(number.into()),
            Action::Trap => Self::Trap,
            Action::KillThread => Self::KillThread,
            Action::KillProcess => Self::KillProcess,
        }
    }
}

impl Seccomp {
    /// The filter for a process with these capabilities; nothing if it may do everything.
    pub(crate) fn filter(&self, capabilities: CapabilitySet) -> Result<Option<Vec<Instruction>>, Error> {
        match self {
            Self::Unconfined => Ok(None),
            Self::Default => default::filter(capabilities).map(Some),
            Self::Profile(profile) => profile.compile().map(Some),
        }
    }
}

/// Default filters that have been compiled, by the capabilities they are for.
#[derive(Debug, Default)]
pub(crate) struct Compiled(Mutex<Vec<(CapabilitySet, Arc<[Instruction]>)>>);

impl Compiled {
    /// How many are kept: hardly anybody has more different sets than that.
    const LIMIT: usize = 32;

    /// As [`Seccomp::filter`].
    pub(crate) fn filter(
        &self,
        seccomp: &Seccomp,
        capabilities: CapabilitySet,
    ) -> Result<Option<Arc<[Instruction]>>, Error> {
        if *seccomp != Seccomp::Default {
            return Ok(seccomp.filter(capabilities)?.map(Arc::from));
        }
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, filter)) = lock().iter().find(|(set, _)| *set == capabilities) {
            return Ok(Some(filter.clone()));
        }
        let filter: Option<Arc<[Instruction]>> = seccomp.filter(capabilities)?.map(Arc::from);
        let mut all = lock();
        if let Some(filter) = filter.as_ref().filter(|_| all.len() < Self::LIMIT) {
            all.push((capabilities, filter.clone()));
        }
        Ok(filter)
    }
}

impl Profile {
    /// The default profile for a process with these capabilities.
    #[must_use]
    pub fn container(capabilities: CapabilitySet) -> Self {
        default::profile(capabilities)
    }

    fn compile(&self) -> Result<Vec<Instruction>, Error> {
        let refuse = |message: String| Error::spec("process.seccomp", message);
        let mut matched = None;
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
        let mut unconditional = Vec::new();
        for rule in &self.rules {
            if rule.action == self.default && rule.conditions.is_empty() {
                continue;
            }
            match matched {
                None => matched = Some(rule.action),
                Some(action) if action == rule.action => {}
                Some(action) => {
                    return Err(refuse(format!(
                        "rules with different actions ({action:?} and {:?}) are not supported",
                        rule.action
                    )));
                }
            }
            let conditions = rule.conditions.iter().map(Condition::compile).collect::<Result<Vec<_>, _>>()?;
            for name in &rule.syscalls {
                let Some(number) = syscalls::number(name) else { continue };
                if conditions.is_empty() {
                    unconditional.push(number);
                    continue;
                }
                let rule = SeccompRule::new(conditions.clone()).map_err(|error| refuse(error.to_string()))?;
                rules.entry(number).or_default().push(rule);
            }
        }
        for number in unconditional {
            // Whatever conditions there are beside it, it always happens.
            rules.insert(number, Vec::new());
        }
        let Some(action) = matched else {
            // Nothing is special: one instruction.
            return Ok(vec![Instruction {
                code: RETURN,
                jt: 0,
                jf: 0,
                k: u32::from(action_of(self.default)),
            }]);
        };
        let arch = std::env::consts::ARCH
            .try_into()
            .map_err(|error: seccompiler::BackendError| refuse(error.to_string()))?;
        let filter = SeccompFilter::new(rules, self.default.into(), action.into(), arch)
            .map_err(|error| refuse(error.to_string()))?;
        let program = seccompiler::BpfProgram::try_from(filter).map_err(|error| refuse(error.to_string()))?;
        let program: Vec<_> = program
            .into_iter()
            .map(|instruction| Instruction {
                code: instruction.code,
                jt: instruction.jt,
                jf: instruction.jf,
                k: instruction.k,
            })
            .collect();
        Ok(program)
    }
}

fn action_of(action: Action) -> seccompiler::SeccompAction {
    action.into()
}

impl Condition {
    fn compile(&self) -> Result<SeccompCondition, Error> {
        let operator = match self.operator {
            Operator::Equal => SeccompCmpOp::Eq,
            Operator::NotEqual => SeccompCmpOp::Ne,
            Operator::Less => SeccompCmpOp::Lt,
            Operator::LessOrEqual => SeccompCmpOp::Le,
            Operator::Greater => SeccompCmpOp::Gt,
            Operator::GreaterOrEqual => SeccompCmpOp::Ge,
            Operator::Masked(mask) => SeccompCmpOp::MaskedEq(mask),
            Operator::IntNotEqual => SeccompCmpOp::Ne,
        };
        let length = match self.operator {
            Operator::IntNotEqual => SeccompCmpArgLen::Dword,
            _ => SeccompCmpArgLen::Qword,
        };
        SeccompCondition::new(self.argument, length, operator, self.value)
            .map_err(|error| Error::spec("process.seccomp", error.to_string()))
    }
}

/// Instructions of a filter: load a word of the call's description, jump, return.
const LOAD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_GREATER: u16 = 0x25;
const JUMP_GREATER_OR_EQUAL: u16 = 0x35;
const RETURN: u16 = 0x06;

/// Where the number and the architecture of a call lie in its description.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// Puts before a filter that `ENOSYS` ("there is no such call") is the answer to `absent`, and to all calls newer than
/// those this crate knows: programs then take the older way, where "not permitted" would make them give up.
fn with_absent(filter: Vec<Instruction>, absent: &[i64]) -> Vec<Instruction> {
    let Some(arch) = audit_arch() else { return filter };
    let plain = |code, k| Instruction { code, jt: 0, jf: 0, k };
    let absent: Vec<u32> = absent.iter().filter_map(|number| u32::try_from(*number).ok()).collect();
    let Ok(count) = u8::try_from(absent.len()) else { return filter };
    let newest = u32::try_from(syscalls::newest()).unwrap_or(u32::MAX);
    // Relative to the instruction after a jump: `refuse` is the last of the prefix, the filter begins after it.
    let mut all = vec![
        plain(LOAD, ARCHITECTURE),
        Instruction { code: JUMP_EQUAL, jt: 0, jf: count + 4, k: arch },
        plain(LOAD, NUMBER),
        // Numbers of x32.
        Instruction { code: JUMP_GREATER_OR_EQUAL, jt: count + 2, jf: 0, k: 0x4000_0000 },
    ];
    for (at, number) in (0_u8..).zip(absent) {
        all.push(Instruction { code: JUMP_EQUAL, jt: count - at, jf: 0, k: number });
    }
    all.push(Instruction { code: JUMP_GREATER, jt: 0, jf: 1, k: newest });
    all.push(plain(RETURN, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32));
    all.extend(filter);
    all
}

/// `AUDIT_ARCH_*` of the architecture this is built for.
fn audit_arch() -> Option<u32> {
    if cfg!(target_arch = "x86_64") {
        Some(0xc000_003e)
    } else if cfg!(target_arch = "aarch64") {
        Some(0xc000_00b7)
    } else if cfg!(target_arch = "riscv64") {
        Some(0xc000_00f3)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;

    /// What the kernel would do: `seccomp_data` is number, architecture, instruction pointer, six arguments.
    fn run(filter: &[Instruction], number: i64, arch: u32, arguments: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend(i32::try_from(number).expect("small").to_le_bytes());
        data.extend(arch.to_le_bytes());
        data.extend(0_u64.to_le_bytes());
        for argument in arguments {
            data.extend(argument.to_le_bytes());
        }
        let mut accumulator = 0;
        let mut at = 0;
        for _ in 0..10_000 {
            let Instruction { code, jt, jf, k } = filter[at];
            at += 1;
            let jump = |condition: bool| usize::from(if condition { jt } else { jf });
            match code {
                LOAD => {
                    let from = k as usize;
                    accumulator = u32::from_le_bytes(data[from..from + 4].try_into().expect("four"));
                }
                0x05 => at += k as usize,
                JUMP_EQUAL => at += jump(accumulator == k),
                JUMP_GREATER => at += jump(accumulator > k),
                JUMP_GREATER_OR_EQUAL => at += jump(accumulator >= k),
                0x54 => accumulator &= k,
                RETURN => return k,
                other => panic!("instruction {other:#x}"),
            }
        }
        panic!("no end")
    }

    const ALLOW: u32 = 0x7fff_0000;

    fn errno(number: i32) -> u32 {
        0x0005_0000 | u32::try_from(number).expect("positive")
    }

    fn name(name: &str) -> i64 {
        syscalls::number(name).expect(name)
    }

    #[test]
    fn the_default_profile_decides() {
        let arch = audit_arch().expect("a known architecture");
        let filter = Seccomp::Default.filter(CapabilitySet::CONTAINER).expect("compiles").expect("a filter");
        let ask = |call: &str, first: u64| run(&filter, name(call), arch, [first, 0, 0, 0, 0, 0]);
        for call in ["read", "write", "openat", "execve", "exit_group", "mmap", "ptrace", "chroot", "clone"] {
            assert_eq!(ask(call, 0), ALLOW, "{call}");
        }
        for call in [
            "mount",
            "umount2",
            "pivot_root",
            "setns",
            "unshare",
            "bpf",
            "reboot",
            "kexec_load",
            "init_module",
            "keyctl",
            "add_key",
            "perf_event_open",
            "swapon",
            "userfaultfd",
            "open_by_handle_at",
            "move_mount",
            "io_uring_setup",
        ] {
            assert_eq!(ask(call, 0), errno(libc::EPERM), "{call}");
        }
        assert_eq!(ask("clone3", 0), errno(libc::ENOSYS));
        assert_eq!(run(&filter, syscalls::newest() + 1, arch, [0; 6]), errno(libc::ENOSYS));
        assert_eq!(run(&filter, 0x4000_0000, arch, [0; 6]), errno(libc::EPERM));
        // A new user namespace, by clone.
        assert_eq!(ask("clone", 0x1000_0000), errno(libc::EPERM));
        assert_eq!(ask("clone", 0x3d0f00), ALLOW);
        assert_eq!(ask("personality", 0xffff_ffff), ALLOW);
        assert_eq!(ask("personality", 0x0040_0000), errno(libc::EPERM));
        assert_eq!(ask("socket", 2), ALLOW);
        assert_eq!(ask("socket", 40), errno(libc::EPERM));
        // The kernel passes over the upper half of an `int`.
        assert_eq!(ask("socket", (1 << 32) | 40), errno(libc::EPERM));
        assert_eq!(ask("socket", (40 << 32) | 2), ALLOW);
        // Programs of 32 bits.
        assert_eq!(run(&filter, 3, 0x4000_0003, [0; 6]), 0x8000_0000);
    }

    #[test]
    fn capabilities_open_what_they_are_for() {
        let arch = audit_arch().expect("a known architecture");
        for (capability, calls) in [
            (Capability::SysAdmin, &["mount", "clone3", "unshare", "setns", "bpf"][..]),
            (Capability::SysModule, &["init_module", "delete_module"]),
            (Capability::SysBoot, &["reboot"]),
            (Capability::DacReadSearch, &["open_by_handle_at"]),
            (Capability::SysTime, &["settimeofday", "clock_settime"]),
            (Capability::Syslog, &["syslog"]),
        ] {
            let set = CapabilitySet::CONTAINER.with(capability);
            let filter = Seccomp::Default.filter(set).expect("compiles").expect("a filter");
            for call in calls {
                assert_eq!(run(&filter, name(call), arch, [0x1000_0000, 0, 0, 0, 0, 0]), ALLOW, "{call}");
            }
        }
    }

    #[test]
    fn profiles_are_compiled() {
        let arch = audit_arch().expect("a known architecture");
        let rule = |call: &str, action, conditions| Rule {
            syscalls: vec![call.to_owned(), "no_such_call".to_owned()],
            action,
            conditions,
        };
        let condition = Condition { argument: 1, operator: Operator::Greater, value: 1 << 40 };
        let refuse = Action::Errno(13);
        let profile = Profile {
            default: Action::Allow,
            rules: vec![rule("mkdirat", refuse, vec![]), rule("read", refuse, vec![condition])],
        };
        let filter =
            Seccomp::Profile(profile).filter(CapabilitySet::EMPTY).expect("compiles").expect("a filter");
        assert_eq!(run(&filter, name("mkdirat"), arch, [0; 6]), errno(13));
        assert_eq!(run(&filter, name("read"), arch, [0, 1 << 40, 0, 0, 0, 0]), ALLOW);
        assert_eq!(run(&filter, name("read"), arch, [0, (1 << 40) + 1, 0, 0, 0, 0]), errno(13));
        assert_eq!(run(&filter, name("write"), arch, [0; 6]), ALLOW);
        let nothing = Profile { default: Action::Errno(1), rules: vec![] };
        let filter =
            Seccomp::Profile(nothing).filter(CapabilitySet::EMPTY).expect("compiles").expect("a filter");
        assert_eq!(run(&filter, name("write"), arch, [0; 6]), errno(1));
        let mixed = Profile {
            default: Action::Allow,
            rules: vec![rule("read", refuse, vec![]), rule("write", Action::KillProcess, vec![])],
        };
        assert!(matches!(
            Seccomp::Profile(mixed).filter(CapabilitySet::EMPTY),
            Err(Error::Spec { field, .. }) if field == "process.seccomp"
        ));
        let bad = Condition { argument: 6, ..condition };
        let profile = Profile { default: Action::Allow, rules: vec![rule("read", refuse, vec![bad])] };
        assert!(Seccomp::Profile(profile).filter(CapabilitySet::EMPTY).is_err());
    }
}
