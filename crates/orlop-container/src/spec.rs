//! [`Spec`]: what a container is to be.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::capability::{Capabilities, CapabilitySet};
use crate::cgroup::{CgroupPath, Resources};
use crate::seccomp::Seccomp;

/// What a container is to be: its files, its namespaces, its limits and its process.
///
/// [`Spec::new`] gives what container runtimes give if nobody says anything; the fields are there to be changed. It is used
/// up by the container that is made of it, since the descriptors in it can be attached once.
#[derive(Debug)]
pub struct Spec {
    /// Its root directory.
    pub root: Rootfs,
    /// What is mounted over it, in this order.
    pub mounts: Vec<Mount>,
    /// The devices in its `/dev`.
    pub devices: Vec<Device>,
    /// The symbolic links that are made, as (link, target), where nothing is yet.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// Paths that appear empty. Those that aren't there are passed over.
    pub masked_paths: Vec<PathBuf>,
    /// Paths that cannot be written. Those that aren't there are passed over.
    pub read_only_paths: Vec<PathBuf>,
    /// Which namespaces are its own.
    pub namespaces: Namespaces,
    /// Its host name. Needs a UTS namespace of its own.
    pub hostname: Option<String>,
    /// Its NIS domain name. Needs a UTS namespace of its own.
    pub domainname: Option<String>,
    /// Kernel parameters, as `net.ipv4.ip_forward`. Only those of namespaces that are not the caller's.
    pub sysctls: BTreeMap<String, String>,
    /// Its cgroup and limits. Without it the process stays in the caller's cgroup.
    pub cgroup: Option<CgroupSpec>,
    /// The process.
    pub process: ProcessSpec,
    /// What the caller wants to find again with the container.
    pub annotations: BTreeMap<String, String>,
}

impl Spec {
    /// A container as runtimes make it: namespaces of its own but for the user's; `/proc`, `/dev`, `/sys` with their usual
    /// mounts, devices, masked and read-only paths; the usual capabilities, no new privileges, the default seccomp
    /// profile. It has no cgroup yet.
    #[must_use]
    pub fn new(root: Rootfs, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        Self {
            root,
            mounts: Mount::defaults(),
            devices: Device::defaults(),
            links: Self::default_links(),
            masked_paths: paths(MASKED_PATHS),
            read_only_paths: paths(READ_ONLY_PATHS),
            namespaces: Namespaces::default(),
            hostname: None,
            domainname: None,
            sysctls: BTreeMap::new(),
            cgroup: None,
            process: ProcessSpec::new(args),
            annotations: BTreeMap::new(),
        }
    }

    /// `/dev/fd`, `/dev/stdin`, `/dev/stdout`, `/dev/stderr`, `/dev/ptmx`.
    #[must_use]
    pub fn default_links() -> Vec<(PathBuf, PathBuf)> {
        let links = [
            ("/dev/fd", "/proc/self/fd"),
            ("/dev/stdin", "/proc/self/fd/0"),
            ("/dev/stdout", "/proc/self/fd/1"),
            ("/dev/stderr", "/proc/self/fd/2"),
            ("/dev/ptmx", "pts/ptmx"),
        ];
        links.map(|(link, target)| (PathBuf::from(link), PathBuf::from(target))).into()
    }
}

/// What Kubernetes masks in `/proc` and `/sys` by default.
pub const MASKED_PATHS: &[&str] = &[
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];

/// What Kubernetes makes read-only by default.
pub const READ_ONLY_PATHS: &[&str] =
    &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The root directory of a container.
#[derive(Debug)]
pub struct Rootfs {
    /// Where it comes from.
    pub source: RootSource,
    /// Nothing is written in it (the mounts over it have their own say).
    pub read_only: bool,
    /// Device files in it cannot be opened. True unless changed: what is in `/dev` is enough.
    pub no_dev: bool,
    /// Set-uid bits have no effect in it.
    pub no_suid: bool,
}

/// Where a root directory comes from.
#[derive(Debug)]
pub enum RootSource {
    /// A mount that is attached nowhere, such as an overlay of an image's layers.
    Mount(orlop_fs::Mount),
    /// A directory of the machine, without what is mounted below it.
    Directory(PathBuf),
}

impl Rootfs {
    /// A mount that is attached nowhere.
    #[must_use]
    pub fn mount(mount: orlop_fs::Mount) -> Self {
        Self { source: RootSource::Mount(mount), read_only: false, no_dev: true, no_suid: false }
    }

    /// A directory of the machine.
    #[must_use]
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        Self { source: RootSource::Directory(path.into()), read_only: false, no_dev: true, no_suid: false }
    }

    /// The same, and nothing is written in it.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }
}

/// One mount over the root directory.
#[derive(Debug)]
pub struct Mount {
    /// Where, in the container. It is made if it isn't there; links on the way lead nowhere but inside the container.
    pub target: PathBuf,
    /// What.
    pub source: Source,
    /// What may not be done on it.
    pub options: MountOptions,
    /// Whether mounts that are made later pass between it and the machine. Only for sources of the machine.
    pub propagation: Propagation,
}

/// What is mounted.
#[derive(Debug)]
#[non_exhaustive]
pub enum Source {
    /// A file or directory of the machine.
    Bind {
        /// Its path.
        path: PathBuf,
        /// With what is mounted below it.
        recursive: bool,
    },
    /// A mount that is attached nowhere, of a directory or a file: found inside a root, say.
    Tree(orlop_fs::Mount),
    /// The processes of the container's pid namespace.
    Proc,
    /// The kernel's devices and settings; the network's belong to the container's network namespace.
    Sysfs,
    /// Files in memory.
    Tmpfs {
        /// How many bytes; without it, half of the machine's memory.
        size: Option<u64>,
        /// Mode of its root.
        mode: u32,
    },
    /// Terminals of its own.
    Devpts,
    /// POSIX message queues of the container's IPC namespace.
    Mqueue,
    /// The container's cgroups, as its cgroup namespace shows them: on a machine with cgroup v1, one directory for each
    /// controller.
    Cgroup,
}

/// What may not be done on a mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MountOptions {
    /// Nothing is written; with what is mounted below.
    pub read_only: bool,
    /// Set-uid bits have no effect.
    pub no_suid: bool,
    /// Device files cannot be opened.
    pub no_dev: bool,
    /// Nothing is executed.
    pub no_exec: bool,
}

/// Whether mounts that are made later pass between a mount and where it comes from (mount_namespaces(7)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They don't.
    #[default]
    Private,
    /// Mounts of the machine appear in the container.
    FromHost,
    /// And those of the container on the machine.
    Both,
}

impl Mount {
    /// A mount of this at that path.
    #[must_use]
    pub fn new(source: Source, target: impl Into<PathBuf>) -> Self {
        Self {
            target: target.into(),
            source,
            options: MountOptions::default(),
            propagation: Propagation::default(),
        }
    }

    /// A file or directory of the machine, with what is mounted below it; devices in it cannot be opened.
    #[must_use]
    pub fn bind(path: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        let mut mount = Self::new(Source::Bind { path: path.into(), recursive: true }, target);
        mount.options.no_dev = true;
        mount
    }

    /// A mount that is attached nowhere; devices in it cannot be opened.
    #[must_use]
    pub fn tree(tree: orlop_fs::Mount, target: impl Into<PathBuf>) -> Self {
        let mut mount = Self::new(Source::Tree(tree), target);
        mount.options.no_dev = true;
        mount
    }

    /// Files in memory, of at most this size.
    #[must_use]
    pub fn tmpfs(target: impl Into<PathBuf>, size: Option<u64>) -> Self {
        let mut mount = Self::new(Source::Tmpfs { size, mode: 0o1777 }, target);
        mount.options = MountOptions { no_suid: true, no_dev: true, ..MountOptions::default() };
        mount
    }

    /// The same, and nothing is written on it.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.options.read_only = true;
        self
    }

    /// The usual ones: `/proc`, `/dev`, `/dev/pts`, `/dev/shm`, `/dev/mqueue`, `/sys`, `/sys/fs/cgroup`.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        let all = MountOptions { read_only: false, no_suid: true, no_dev: true, no_exec: true };
        let mount = |source, target: &str, options| Self { options, ..Self::new(source, target) };
        vec![
            mount(Source::Proc, "/proc", all),
            mount(
                Source::Tmpfs { size: Some(64 << 20), mode: 0o755 },
                "/dev",
                MountOptions { no_suid: true, no_dev: true, ..MountOptions::default() },
            ),
            mount(Source::Devpts, "/dev/pts", MountOptions { no_dev: false, ..all }),
            mount(Source::Tmpfs { size: Some(64 << 20), mode: 0o1777 }, "/dev/shm", all),
            mount(Source::Mqueue, "/dev/mqueue", all),
            mount(Source::Sysfs, "/sys", MountOptions { read_only: true, ..all }),
            mount(Source::Cgroup, "/sys/fs/cgroup", MountOptions { read_only: true, ..all }),
        ]
    }
}

/// A device of the machine in the container: the machine's node is mounted there, so that it works although device files
/// cannot be opened on the mounts around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its path in the container.
    pub path: PathBuf,
    /// Its path on the machine.
    pub host: PathBuf,
    /// If given, the character device that it must be, by major and minor number.
    pub character: Option<(u32, u32)>,
    /// Whether it may be written.
    pub read_only: bool,
}

impl Device {
    /// A device at the same path as on the machine.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { host: path.clone(), path, character: None, read_only: false }
    }

    /// `/dev/null`, `zero`, `full`, `random`, `urandom` and `tty`.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        let all = [
            ("null", 1, 3),
            ("zero", 1, 5),
            ("full", 1, 7),
            ("random", 1, 8),
            ("urandom", 1, 9),
            ("tty", 5, 0),
        ];
        all.map(|(name, major, minor)| Self {
            character: Some((major, minor)),
            ..Self::new(Path::new("/dev").join(name))
        })
        .into()
    }
}

/// Which namespaces a container has of its own. It always has its own mount namespace.
#[derive(Clone, Debug)]
pub struct Namespaces {
    /// Processes.
    pub pid: Namespace,
    /// Network.
    pub network: Namespace,
    /// System V IPC and message queues.
    pub ipc: Namespace,
    /// Host name.
    pub uts: Namespace,
    /// Cgroups.
    pub cgroup: Namespace,
    /// Users.
    pub user: UserNamespace,
}

impl Default for Namespaces {
    /// Its own, but for the users.
    fn default() -> Self {
        Self {
            pid: Namespace::New,
            network: Namespace::New,
            ipc: Namespace::New,
            uts: Namespace::New,
            cgroup: Namespace::New,
            user: UserNamespace::Host,
        }
    }
}

/// One namespace of a container.
#[derive(Clone, Debug, Default)]
pub enum Namespace {
    /// The caller's.
    Host,
    /// A new one.
    #[default]
    New,
    /// One that is there, by a descriptor of its file (`/proc/PID/ns/…` or where it is pinned).
    Join(Arc<OwnedFd>),
}

/// The user namespace of a container.
#[derive(Clone, Debug, Default)]
pub enum UserNamespace {
    /// The caller's.
    #[default]
    Host,
    /// A new one, in which these ids are known. Both lists must map id 0.
    New {
        /// Users.
        users: Vec<IdMap>,
        /// Groups.
        groups: Vec<IdMap>,
    },
    /// One that is there.
    Join(Arc<OwnedFd>),
}

impl UserNamespace {
    /// A new one in which the caller's user and group are root, and nobody else is known: what the kernel allows without
    /// any privilege.
    #[must_use]
    pub fn only_me() -> Self {
        let map = |outside| vec![IdMap { inside: 0, outside, count: 1 }];
        Self::New {
            users: map(rustix::process::geteuid().as_raw()),
            groups: map(rustix::process::getegid().as_raw()),
        }
    }
}

/// A range of ids of a user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdMap {
    /// The first one, inside.
    pub inside: u32,
    /// The first one, outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// Cgroup and limits of a container.
#[derive(Clone, Debug)]
pub struct CgroupSpec {
    /// Where.
    pub path: CgroupPath,
    /// Limits.
    pub resources: Resources,
}

/// A process in a container.
#[derive(Clone, Debug)]
pub struct ProcessSpec {
    /// The program and its arguments. A program without `/` is looked for in `PATH`.
    pub args: Vec<String>,
    /// Its environment, as (name, value).
    pub env: Vec<(String, String)>,
    /// Its working directory: absolute; made if it isn't there and can be.
    pub cwd: PathBuf,
    /// Whose it is.
    pub user: User,
    /// Its capabilities.
    pub capabilities: Capabilities,
    /// Nothing it executes gains privileges.
    pub no_new_privileges: bool,
    /// Which system calls it may do.
    pub seccomp: Seccomp,
    /// Its limits.
    pub rlimits: Vec<Rlimit>,
    /// How willingly the kernel kills it when memory is short: -1000 (never) to 1000 (first). Without it, as the caller.
    pub oom_score_adj: Option<i32>,
    /// Its standard input is a terminal, and becomes its controlling terminal.
    pub terminal: bool,
}

impl ProcessSpec {
    /// A process of root with the usual capabilities, in `/`, with nothing but `PATH` in its environment, that gains no
    /// privileges, under the default seccomp profile.
    #[must_use]
    pub fn new(args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            args: args.into_iter().map(Into::into).collect(),
            env: vec![("PATH".to_owned(), DEFAULT_PATH.to_owned())],
            cwd: PathBuf::from("/"),
            user: User::default(),
            capabilities: CapabilitySet::CONTAINER.into(),
            no_new_privileges: true,
            seccomp: Seccomp::Default,
            rlimits: Vec::new(),
            oom_score_adj: None,
            terminal: false,
        }
    }
}

/// Where programs are looked for if the environment doesn't say.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Whose a process is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
    /// Permission bits that new files don't get: 0 to 0o777. If nothing is said, 0o022.
    pub umask: Option<u32>,
}

/// A limit of a process (getrlimit(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rlimit {
    /// Of what.
    pub resource: RlimitResource,
    /// What is enforced; `u64::MAX` for no limit.
    pub soft: u64,
    /// How far the process may raise it; `u64::MAX` for no limit.
    pub hard: u64,
}

macro_rules! rlimits {
    ($($variant:ident $name:literal $what:literal;)*) => {
        /// What a limit is of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum RlimitResource { $(#[doc = $what] $variant,)* }

        impl RlimitResource {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name, as `RLIMIT_NOFILE`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

rlimits! {
    As "RLIMIT_AS" "Address space, in bytes.";
    Core "RLIMIT_CORE" "Core dumps, in bytes.";
    Cpu "RLIMIT_CPU" "CPU time, in seconds.";
    Data "RLIMIT_DATA" "Data segment, in bytes.";
    Fsize "RLIMIT_FSIZE" "Files it writes, in bytes.";
    Locks "RLIMIT_LOCKS" "File locks.";
    Memlock "RLIMIT_MEMLOCK" "Locked memory, in bytes.";
    Msgqueue "RLIMIT_MSGQUEUE" "POSIX message queues, in bytes.";
    Nice "RLIMIT_NICE" "Priority: 20 less the nice value.";
    Nofile "RLIMIT_NOFILE" "Open descriptors.";
    Nproc "RLIMIT_NPROC" "Processes of the user.";
    Rss "RLIMIT_RSS" "Resident memory (without effect).";
    Rtprio "RLIMIT_RTPRIO" "Realtime priority.";
    Rttime "RLIMIT_RTTIME" "Realtime CPU time without waiting, in microseconds.";
    Sigpending "RLIMIT_SIGPENDING" "Queued signals.";
    Stack "RLIMIT_STACK" "Stack, in bytes.";
}

impl RlimitResource {
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::As => libc::RLIMIT_AS,
            Self::Core => libc::RLIMIT_CORE,
            Self::Cpu => libc::RLIMIT_CPU,
            Self::Data => libc::RLIMIT_DATA,
            Self::Fsize => libc::RLIMIT_FSIZE,
            Self::Locks => libc::RLIMIT_LOCKS,
            Self::Memlock => libc::RLIMIT_MEMLOCK,
            Self::Msgqueue => libc::RLIMIT_MSGQUEUE,
            Self::Nice => libc::RLIMIT_NICE,
            Self::Nofile => libc::RLIMIT_NOFILE,
            Self::Nproc => libc::RLIMIT_NPROC,
            Self::Rss => libc::RLIMIT_RSS,
            Self::Rtprio => libc::RLIMIT_RTPRIO,
            Self::Rttime => libc::RLIMIT_RTTIME,
            Self::Sigpending => libc::RLIMIT_SIGPENDING,
            Self::Stack => libc::RLIMIT_STACK,
        }
    }
}

/// The standard streams of a process.
#[derive(Debug, Default)]
pub struct Stdio {
    /// Input.
    pub stdin: Stream,
    /// Output.
    pub stdout: Stream,
    /// Errors.
    pub stderr: Stream,
}

/// One standard stream.
#[derive(Debug, Default)]
pub enum Stream {
    /// `/dev/null`.
    #[default]
    Null,
    /// The caller's own.
    Inherit,
    /// This descriptor.
    Fd(OwnedFd),
}

impl Stdio {
    /// The caller's own.
    #[must_use]
    pub fn inherit() -> Self {
        Self { stdin: Stream::Inherit, stdout: Stream::Inherit, stderr: Stream::Inherit }
    }
}
