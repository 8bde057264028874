//! [`Program`]: what the new process does between clone3 and exec, compiled beforehand.

use std::cell::Cell;
use std::ffi::{CStr, CString, OsStr, c_char};
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};
use std::sync::Arc;

use crate::Error;
use crate::sys::{Instruction, MountAttr};

/// Where a descriptor is kept that a step makes or that the caller has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) usize);

/// A path in the container, with everything that is needed to make it without allocating.
#[derive(Debug)]
pub(crate) struct Target {
    /// The whole path, without leading `/`.
    pub(crate) path: CString,
    /// The paths above it, outermost first, each with the name of what it adds; the last is the whole path.
    pub(crate) steps: Vec<(CString, CString)>,
}

impl Target {
    /// # Errors
    /// If the path is empty, or has `..`, or a zero byte.
    pub(crate) fn new(field: &str, path: &Path) -> Result<Self, Error> {
        let mut steps = Vec::new();
        let mut whole = Vec::new();
        for component in path.components() {
            let name = match component {
                Component::RootDir | Component::CurDir => continue,
                Component::Normal(name) => name,
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(Error::spec(field, format!("{}: must not contain '..'", path.display())));
                }
            };
            if !whole.is_empty() {
                whole.push(b'/');
            }
            whole.extend_from_slice(name.as_bytes());
            steps.push((c_string(field, OsStr::from_bytes(&whole))?, c_string(field, name)?));
        }
        let Some((path, _)) = steps.last() else {
            return Err(Error::spec(field, "must be a path below '/'"));
        };
        Ok(Self { path: path.clone(), steps })
    }
}

/// A string for the kernel.
///
/// # Errors
/// If it has a zero byte.
pub(crate) fn c_string(field: &str, text: impl AsRef<OsStr>) -> Result<CString, Error> {
    CString::new(text.as_ref().as_bytes()).map_err(|_| Error::spec(field, "contains a zero byte"))
}

/// A list of strings as exec takes it.
pub(crate) struct Strings {
    pointers: Vec<Cell<*const c_char>>,
    _strings: Vec<CString>,
}

// SAFETY: the pointers lead to the strings beside them, which nobody changes; the first is changed only in a process of
// one thread.
unsafe impl Send for Strings {}
// SAFETY: as above.
unsafe impl Sync for Strings {}

impl Strings {
    pub(crate) fn new(strings: Vec<CString>) -> Self {
        // The first place is for what is to come before them.
        let mut pointers = vec![Cell::new(std::ptr::null())];
        pointers.extend(strings.iter().map(|string| Cell::new(string.as_ptr())));
        pointers.push(Cell::new(std::ptr::null()));
        Self { pointers, _strings: strings }
    }

    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        // There are at least two.
        self.pointers.get(1..).map_or(std::ptr::null(), <[_]>::as_ptr).cast()
    }

    /// The list with another string before it.
    pub(crate) fn after(&self, first: &CStr) -> *const *const c_char {
        if let Some(place) = self.pointers.first() {
            place.set(first.as_ptr());
        }
        self.pointers.as_ptr().cast()
    }
}

impl fmt::Debug for Strings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self._strings).finish()
    }
}

/// What a missing mount point is made as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    /// A directory.
    Directory,
    /// An empty file.
    File,
    /// Whichever of the two the mount is.
    AsMounted,
}

/// Whether further groups are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetGroups {
    /// They are.
    Yes,
    /// They are, unless the user namespace forbids it.
    IfPermitted,
    /// They are not.
    No,
}

/// One step of the new process.
#[derive(Debug)]
pub(crate) enum Op {
    /// Waits until the caller has written the id maps.
    AwaitMaps,
    /// A session of its own.
    Setsid,
    /// Writes to a descriptor; `what` names it.
    WriteSlot { slot: Slot, data: &'static [u8], what: String },
    /// Others may not look into this process.
    Undumpable,
    /// Joins a namespace; `flags` says which kind it must be.
    Setns { slot: Slot, flags: i32, name: &'static str },
    /// Takes namespaces of its own.
    Unshare { flags: i32, name: &'static str },
    /// User and group 0 of the user namespace.
    BecomeRoot,
    /// How mounts of all the tree pass to and from the machine.
    Propagate { to: u64 },
    /// A copy of a mount, by a path of the machine.
    OpenTree { path: CString, recursive: bool, out: Slot },
    /// The mount is of this character device.
    CheckDevice { slot: Slot, major: u32, minor: u32, path: CString },
    /// A new file system.
    FsMount(FsMount),
    /// What may be done on a mount, and with what is mounted below.
    SetAttributes { slot: Slot, attr: MountAttr, recursive: bool, what: String },
    /// Makes this mount the root, and detaches the old one.
    Enter { root: Slot },
    /// Attaches a mount.
    Attach { slot: Slot, target: Target, make: Make, links: bool },
    /// Makes a symbolic link, unless something is there.
    Symlink { link: Target, to: CString },
    /// Hides a file under `null` or a directory under `empty`.
    Mask { path: Target, null: Slot, empty: Slot },
    /// Nothing can be written below this path.
    ReadOnly { path: Target },
    /// The host name.
    Hostname { name: Vec<u8> },
    /// The domain name.
    Domainname { name: Vec<u8> },
    /// Sets a kernel parameter, through a process file system that nobody else has.
    Sysctl { proc: Slot, path: CString, value: Vec<u8> },
    /// A limit.
    Rlimit { resource: u32, name: &'static str, soft: u64, hard: u64 },
    /// The mask of new files.
    Umask { mask: u32 },
    /// Makes a directory and those above it; not being able to is no error.
    MakeDirs { path: Target },
    /// Groups, group and user.
    Identity { uid: u32, gid: u32, groups: Vec<u32>, set_groups: SetGroups },
    /// Drops capabilities from the bounding set.
    Bounding { drop: u64 },
    /// The other sets.
    Capset { effective: u64, permitted: u64, inheritable: u64 },
    /// Capabilities for programs of users other than root.
    Ambient { set: u64 },
    /// Nothing gains privileges from here on.
    NoNewPrivileges,
    /// Loads a filter of system calls.
    Seccomp { filter: Arc<[Instruction]> },
    /// The working directory.
    Chdir { path: CString },
    /// Looks for the program, and reports whether there is one.
    FindExecutable { candidates: Vec<CString> },
    /// The standard streams.
    Stdio { slots: [Slot; 3] },
    /// Standard input becomes the controlling terminal.
    ControllingTerminal,
    /// Closes what is left from setting up, but for this.
    CloseRest { keep: Option<Slot> },
    /// Tells the caller that all is set up.
    Ready,
    /// Waits until the caller wants it to go on; ends if there is no caller any more.
    AwaitStart,
    /// A process of a namespace that nobody waits for vanishes by itself.
    IgnoreChildren,
    /// The program: by one of ours if there is such, whose first argument is the path of this.
    Exec { by: Option<Slot>, args: Strings, env: Strings },
    /// An executable of ours, by descriptor.
    ExecSlot { slot: Slot, args: Strings, env: Strings },
}

/// A new file system to mount.
#[derive(Debug)]
pub(crate) struct FsMount {
    pub(crate) name: CString,
    pub(crate) options: Vec<(CString, Option<CString>)>,
    pub(crate) attributes: u64,
    pub(crate) out: Slot,
    /// If the kernel doesn't permit it (as sysfs in a user namespace without its own network): this path of the machine,
    /// read-only.
    pub(crate) fallback: Option<CString>,
    /// If the kernel doesn't permit it, it is left out.
    pub(crate) optional: bool,
}

impl Op {
    /// What the step does, and with what: for errors.
    pub(crate) fn describe(&self) -> (&'static str, String) {
        let text = |text: &CStr| text.to_string_lossy().into_owned();
        let inside = |target: &Target| format!("/{}", text(&target.path));
        match self {
            Self::AwaitMaps => ("map", "ids of the user namespace".to_owned()),
            Self::Setsid => ("setsid", "session".to_owned()),
            Self::WriteSlot { what, .. } => ("write", what.clone()),
            Self::Undumpable => ("prctl", "PR_SET_DUMPABLE".to_owned()),
            Self::Setns { name, .. } => ("join", format!("{name} namespace")),
            Self::Unshare { name, .. } => ("unshare", format!("{name} namespace")),
            Self::BecomeRoot => ("become", "root of the user namespace".to_owned()),
            Self::Propagate { .. } => ("mount_setattr", "propagation of /".to_owned()),
            Self::OpenTree { path, .. } => ("open_tree", text(path)),
            Self::CheckDevice { path, major, minor, .. } => {
                ("check", format!("{} is character device {major}:{minor}", text(path)))
            }
            Self::FsMount(mount) => ("mount", text(&mount.name)),
            Self::SetAttributes { what, .. } => ("mount_setattr", what.clone()),
            Self::Enter { .. } => ("pivot_root", "/".to_owned()),
            Self::Attach { target, .. } => ("attach a mount to", inside(target)),
            Self::Symlink { link, .. } => ("symlink", inside(link)),
            Self::Mask { path, .. } => ("mask", inside(path)),
            Self::ReadOnly { path } => ("make read-only", inside(path)),
            Self::Hostname { name } => ("sethostname", String::from_utf8_lossy(name).into_owned()),
            Self::Domainname { name } => ("setdomainname", String::from_utf8_lossy(name).into_owned()),
            Self::Sysctl { path, .. } => ("sysctl", text(path)),
            Self::Rlimit { name, .. } => ("setrlimit", (*name).to_owned()),
            Self::Umask { mask } => ("umask", format!("{mask:o}")),
            Self::MakeDirs { path } => ("mkdir", inside(path)),
            Self::Identity { uid, gid, .. } => ("become", format!("user {uid}, group {gid}")),
            Self::Bounding { .. } => ("drop", "capabilities of the bounding set".to_owned()),
            Self::Capset { .. } => ("capset", "capabilities".to_owned()),
            Self::Ambient { .. } => ("raise", "ambient capabilities".to_owned()),
            Self::NoNewPrivileges => ("prctl", "PR_SET_NO_NEW_PRIVS".to_owned()),
            Self::Seccomp { .. } => ("seccomp", "filter".to_owned()),
            Self::Chdir { path } => ("chdir", text(path)),
            Self::FindExecutable { .. } => ("find", "executable".to_owned()),
            Self::Stdio { .. } => ("dup", "standard streams".to_owned()),
            Self::ControllingTerminal => ("set", "controlling terminal".to_owned()),
            Self::CloseRest { .. } => ("close", "descriptors".to_owned()),
            Self::Ready => ("report", "being ready".to_owned()),
            Self::AwaitStart => ("await", "start".to_owned()),
            Self::IgnoreChildren => ("ignore", "SIGCHLD".to_owned()),
            Self::Exec { .. } => ("exec", "program".to_owned()),
            Self::ExecSlot { .. } => ("exec", "own program".to_owned()),
        }
    }

    /// Whether the step makes something, and could therefore leave something behind.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn makes(&self) -> bool {
        !matches!(
            self,
            Self::AwaitMaps | Self::AwaitStart | Self::Ready | Self::Exec { .. } | Self::ExecSlot { .. }
        )
    }
}

/// What the new process does: steps over memory and descriptors that are there when it begins.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) ops: Vec<Op>,
    /// Done by a process in between, which joins these and then makes the real one: slot, kind, name.
    pub(crate) joins: Vec<(Slot, i32, &'static str)>,
    /// What is written into `/proc/self/oom_score_adj`, before anything else.
    pub(crate) oom_score_adj: Option<Vec<u8>>,
    pub(crate) slots: Vec<i32>,
    /// The descriptors of the slots that the caller has brought.
    owned: Vec<OwnedFd>,
    /// The step that fails on purpose.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fail_at: Option<usize>,
}

impl Program {
    /// A slot that a step will fill.
    pub(crate) fn slot(&mut self) -> Slot {
        self.slots.push(-1);
        Slot(self.slots.len() - 1)
    }

    /// A slot for a descriptor that is there. It gets a number above those of the standard streams.
    ///
    /// # Errors
    /// If the process has no descriptor left.
    pub(crate) fn bring(&mut self, fd: OwnedFd) -> Result<Slot, Error> {
        let fd = above_standard(fd)?;
        self.slots.push(fd.as_raw_fd());
        self.owned.push(fd);
        Ok(Slot(self.slots.len() - 1))
    }

    pub(crate) fn push(&mut self, op: Op) {
        self.ops.push(op);
    }
}

/// The lowest number of what is brought: below there is where the standard streams of the new process go, and what
/// programs of ours expect at a certain number.
const FIRST: i32 = 10;

/// The same descriptor with a number of at least [`FIRST`].
pub(crate) fn above_standard(fd: OwnedFd) -> Result<OwnedFd, Error> {
    if fd.as_raw_fd() >= FIRST {
        return Ok(fd);
    }
    rustix::io::fcntl_dupfd_cloexec(&fd, FIRST).map_err(|error| Error::step("dup", "descriptor", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_stay_inside() {
        let target = Target::new("mounts[0].target", Path::new("//a/./b/c")).expect("a target");
        assert_eq!(target.path.as_c_str(), c"a/b/c");
        let steps: Vec<_> = target
            .steps
            .iter()
            .map(|(path, name)| (path.to_str().expect("plain"), name.to_str().expect("plain")))
            .collect();
        assert_eq!(steps, [("a", "a"), ("a/b", "b"), ("a/b/c", "c")]);
        for path in ["", "/", ".", "..", "/a/../b", "a/..", "a\0b"] {
            assert!(Target::new("mounts[0].target", Path::new(path)).is_err(), "{path:?}");
        }
    }
}
