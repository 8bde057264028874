//! The profile of containers for which nobody says anything: the calls that Docker and containerd allow.

use super::{Action, Condition, Operator, Profile, Rule, syscalls, with_absent};
use crate::Error;
use crate::capability::{Capability, CapabilitySet};
use crate::sys::Instruction;

/// Allowed to everybody.
const ALWAYS: &str = "
    accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_adjtime
    clock_getres clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
    eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fanotify_mark fchdir fchmod
    fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
    fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake futimesat getcpu getcwd getdents
    getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority
    getrandom getresgid getresuid getrlimit get_robust_list getrusage getsid getsockname getsockopt get_thread_area
    gettid gettimeofday getuid getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
    io_cancel ioctl io_destroy io_getevents io_pgetevents ioprio_get ioprio_set io_setup io_submit kill
    landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen listxattr
    listxattrat llistxattr lremovexattr lseek lsetxattr lstat madvise map_shadow_stack membarrier memfd_create
    memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap modify_ldt mprotect mq_getsetattr
    mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock
    munlockall munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_getfd pidfd_open
    pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64
    process_madvise process_mrelease process_vm_readv process_vm_writev pselect6 ptrace pwrite64 pwritev pwritev2 read
    readahead readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages removexattr removexattrat rename
    renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
    rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam
    sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_setaffinity
    sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop sendfile
    sendmmsg sendmsg sendto setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid
    setresuid setreuid setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address setuid setxattr
    setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs
    statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete
    timerfd_create timerfd_gettime timerfd_settime timer_getoverrun timer_gettime timer_settime times tkill truncate
    umask uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid write writev";

/// Allowed with a capability.
const WITH: &[(Capability, &str)] = &[
    (Capability::DacReadSearch, "open_by_handle_at"),
    (
        Capability::SysAdmin,
        "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick listmount lookup_dcookie mount mount_setattr
         move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount
         umount2 unshare pivot_root",
    ),
    (Capability::SysBoot, "reboot"),
    (Capability::SysChroot, "chroot"),
    (Capability::SysModule, "delete_module init_module finit_module"),
    (Capability::SysPacct, "acct"),
    (Capability::SysPtrace, "kcmp"),
    (Capability::SysRawio, "iopl ioperm"),
    (Capability::SysTime, "settimeofday stime clock_settime"),
    (Capability::SysTtyConfig, "vhangup"),
    (Capability::SysNice, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
    (Capability::Syslog, "syslog"),
    (Capability::Bpf, "bpf"),
    (Capability::Perfmon, "perf_event_open"),
];

/// All namespaces a process can ask for by clone.
const CLONE_NAMESPACES: u64 = 0x7e02_0000;

/// The values of `personality` that change nothing about security.
const PERSONALITIES: [u64; 5] = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// `AF_VSOCK`: reaches the machine below a virtual machine, whatever network namespace the process has.
const VSOCK: u64 = 40;

pub(super) fn profile(capabilities: CapabilitySet) -> Profile {
    let allow = |calls: &str, conditions| Rule {
        syscalls: calls.split_whitespace().map(str::to_owned).collect(),
        action: Action::Allow,
        conditions,
    };
    let when = |operator, value| vec![Condition { argument: 0, operator, value }];
    let mut rules = vec![allow(ALWAYS, vec![]), allow("socket", when(Operator::IntNotEqual, VSOCK))];
    for value in PERSONALITIES {
        rules.push(allow("personality", when(Operator::Equal, value)));
    }
    for (capability, calls) in WITH {
        if capabilities.contains(*capability) {
            rules.push(allow(calls, vec![]));
        }
    }
    if !capabilities.contains(Capability::SysAdmin) {
        rules.push(allow("clone", when(Operator::Masked(CLONE_NAMESPACES), 0)));
    }
    // Not permitted, as opposed to not there.
    let default = Action::Errno(libc::EPERM as u16);
    Profile { default, rules }
}

/// The filter, with what has no place in a profile of one action: clone3 is absent where clone is filtered, since its flags
/// lie in memory and cannot be looked at.
pub(super) fn filter(capabilities: CapabilitySet) -> Result<Vec<Instruction>, Error> {
    let absent = if capabilities.contains(Capability::SysAdmin) { None } else { syscalls::number("clone3") };
    let compiled = profile(capabilities).compile()?;
    Ok(with_absent(compiled, absent.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_calls() {
        let other = [
            // Of other architectures, or gone.
            "epoll_ctl_old",
            "epoll_wait_old",
            "get_thread_area",
            "set_thread_area",
            "stime",
            "umount",
            "io_pgetevents",
        ];
        for (_, calls) in WITH.iter().copied().chain([(Capability::Chown, ALWAYS)]) {
            for call in calls.split_whitespace() {
                assert!(
                    syscalls::number(call).is_some()
                        || other.contains(&call)
                        || !cfg!(target_arch = "x86_64"),
                    "{call}"
                );
            }
        }
    }
}
