//! [`Mount`]: a mount that is attached nowhere, as an owned value.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};

use crate::error::Context;
use crate::{Error, Handle, Root};

/// What may not be done on a mount. Nothing is forbidden by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Nothing is written.
    pub read_only: bool,
    /// Set-uid bits and file capabilities have no effect.
    pub no_suid: bool,
    /// Device files cannot be opened.
    pub no_dev: bool,
    /// Nothing is executed.
    pub no_exec: bool,
}

impl Flags {
    fn attributes(self) -> MountAttrFlags {
        let mut all = MountAttrFlags::empty();
        all.set(MountAttrFlags::MOUNT_ATTR_RDONLY, self.read_only);
        all.set(MountAttrFlags::MOUNT_ATTR_NOSUID, self.no_suid);
        all.set(MountAttrFlags::MOUNT_ATTR_NODEV, self.no_dev);
        all.set(MountAttrFlags::MOUNT_ATTR_NOEXEC, self.no_exec);
        all
    }
}

/// A file system in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tmpfs {
    /// How many bytes may be stored; half of the machine's memory if nothing is said.
    pub size: Option<u64>,
    /// The mode of its root directory.
    pub mode: u32,
    /// What may not be done.
    pub flags: Flags,
}

impl Default for Tmpfs {
    /// No limit, mode 0o1777, nothing forbidden.
    fn default() -> Self {
        Self { size: None, mode: 0o1777, flags: Flags::default() }
    }
}

/// A mount that is attached nowhere: whoever drops it, unmounts it. Everything here needs `CAP_SYS_ADMIN` in the user
/// namespace that owns the mount namespace of the process.
#[derive(Debug)]
pub struct Mount {
    fd: OwnedFd,
}

impl Mount {
    /// A new file system of this type, with options as `mount -o` takes them (an option without value is a flag).
    ///
    /// # Errors
    /// If the kernel doesn't know the type, refuses an option, or refuses as a whole.
    pub fn new(
        filesystem: &'static str,
        options: &[(&str, Option<&str>)],
        flags: Flags,
    ) -> Result<Self, Error> {
        let path = Path::new(filesystem);
        let context =
            rustix::mount::fsopen(filesystem, FsOpenFlags::FSOPEN_CLOEXEC).context("fsopen", path)?;
        for (key, value) in options {
            let set = match value {
                Some(value) => rustix::mount::fsconfig_set_string(&context, *key, *value),
                None => rustix::mount::fsconfig_set_flag(&context, *key),
            };
            set.map_err(|source| Error::Option {
                filesystem,
                option: value.map_or_else(|| (*key).to_owned(), |value| format!("{key}={value}")),
                source: source.into(),
            })?;
        }
        Self::finish(&context, filesystem, flags)
    }

    pub(crate) fn finish(context: &OwnedFd, filesystem: &'static str, flags: Flags) -> Result<Self, Error> {
        let path = Path::new(filesystem);
        rustix::mount::fsconfig_create(context).context("mount", path)?;
        let fd = rustix::mount::fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, flags.attributes())
            .context("fsmount", path)?;
        Ok(Self { fd })
    }

    /// A new file system in memory.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn tmpfs(tmpfs: Tmpfs) -> Result<Self, Error> {
        let size = tmpfs.size.map(|size| size.to_string());
        let mode = format!("{:o}", tmpfs.mode & 0o7777);
        let mut options = vec![("mode", Some(mode.as_str()))];
        if let Some(size) = &size {
            options.push(("size", Some(size)));
        }
        Self::new("tmpfs", &options, tmpfs.flags)
    }

    /// What a path of the process names (file or directory), mounted once more; with all mounts below it, if
    /// `recursive`.
    ///
    /// # Errors
    /// If it isn't there, or the kernel refuses.
    pub fn bind(path: impl AsRef<Path>, recursive: bool) -> Result<Self, Error> {
        let path = path.as_ref();
        let fd = rustix::mount::open_tree(CWD, path, tree(recursive)).context("open_tree", path)?;
        Ok(Self { fd })
    }

    /// The same of something that was found inside a [`Root`].
    ///
    /// # Errors
    /// If the kernel refuses, as when the handle is from another mount namespace.
    pub fn bind_handle(handle: &Handle, recursive: bool) -> Result<Self, Error> {
        let flags = tree(recursive) | OpenTreeFlags::AT_EMPTY_PATH;
        let fd = rustix::mount::open_tree(handle, "", flags).context("open_tree", handle.path())?;
        Ok(Self { fd })
    }

    /// A mount that somebody else made, as a descriptor of `fsmount` or of `open_tree` with `OPEN_TREE_CLONE`.
    #[must_use]
    pub fn from_fd(fd: OwnedFd) -> Self {
        Self { fd }
    }

    /// A second descriptor of the same mount. It stays mounted only as long as the first.
    ///
    /// # Errors
    /// If the process has no descriptor left.
    pub fn root(&self) -> Result<Root, Error> {
        let fd = rustix::io::fcntl_dupfd_cloexec(&self.fd, 3).context("dup", Path::new("/"))?;
        Ok(Root::from_fd(fd))
    }

    /// Attaches it to a file or directory of the same kind, which it covers from then on. It can be attached once;
    /// afterwards it is up to [`unmount`].
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn attach(self, to: &Handle) -> Result<(), Error> {
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        rustix::mount::move_mount(&self.fd, "", to, "", flags).context("move_mount", to.path())
    }

    /// The descriptor.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }
}

impl AsFd for Mount {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn tree(recursive: bool) -> OpenTreeFlags {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    flags.set(OpenTreeFlags::AT_RECURSIVE, recursive);
    flags
}

/// Detaches the topmost mount at a path of the process, at once; it ends when nobody uses it any more. A symbolic link
/// at the end isn't followed.
///
/// # Errors
/// If nothing is mounted there (`EINVAL`), or the kernel refuses.
pub fn unmount(path: impl AsRef<Path>) -> Result<(), Error> {
    let path = path.as_ref();
    rustix::mount::unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW).context("umount", path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Overlay, Root};

    /// Runs in a thread with a mount namespace of its own, which ends with it.
    fn in_namespace(test: impl FnOnce() + Send) {
        std::thread::scope(|scope| {
            let ran = scope.spawn(|| {
                use rustix::thread::UnshareFlags;
                let flags = UnshareFlags::FS | UnshareFlags::NEWNS;
                #[expect(
                    deprecated,
                    reason = "the safe one does not take FS apart; the thread is this test's own"
                )]
                let unshared = rustix::thread::unshare(flags);
                if let Err(error) = unshared {
                    assert!(
                        std::env::var("ORLOP_REQUIRE").as_deref() != Ok("all"),
                        "needs mount namespaces: {error}"
                    );
                    #[expect(clippy::print_stderr, reason = "a test says what it leaves out")]
                    {
                        eprintln!("skipped: needs mount namespaces: {error}");
                    }
                    return;
                }
                let change =
                    rustix::mount::MountPropagationFlags::PRIVATE | rustix::mount::MountPropagationFlags::REC;
                rustix::mount::mount_change("/", change).expect("private");
                test();
            });
            ran.join().expect("the test passes");
        });
    }

    #[test]
    fn an_overlay_takes_writes_in_its_upper_layer() {
        in_namespace(|| {
            let base = Mount::tmpfs(Tmpfs { size: Some(1 << 20), ..Tmpfs::default() }).expect("a tmpfs");
            let base = base.root().expect("a root");
            for dir in ["one", "two", "upper", "work"] {
                base.create_dir(dir, 0o755).expect("a directory");
            }
            base.write("one/f", b"one", 0o644).expect("a file");
            base.write("two/f", b"two", 0o644).expect("a file");
            base.write("two/g", b"two", 0o644).expect("a file");
            let (one, two) = (base.sub("one").expect("there"), base.sub("two").expect("there"));
            let (upper, work) = (base.sub("upper").expect("there"), base.sub("work").expect("there"));
            let overlay = Overlay::new().lower(&one).lower(&two).upper(&upper, &work).volatile(true);
            let merged = overlay.mount().expect("an overlay").root().expect("a root");
            assert_eq!(merged.read("f", 10).expect("there"), b"one");
            assert_eq!(merged.read("g", 10).expect("there"), b"two");
            merged.write("g", b"new", 0o644).expect("written");
            merged.remove_file("f").expect("removed");
            assert_eq!(upper.read("g", 10).expect("there"), b"new");
            assert_eq!(two.read("g", 10).expect("there"), b"two");
            assert_eq!(upper.metadata("f").expect("a whiteout").rdev, (0, 0));
            let read_only = Overlay::new().lower(&one).lower(&two);
            let mounts = [read_only.mount(), read_only.try_mount(&Overlay::all_layers)];
            for mount in mounts {
                let root = mount.expect("an overlay").root().expect("a root");
                assert_eq!(root.read("f", 10).expect("there"), b"one");
                assert!(root.write("f", b"", 0o644).is_err());
            }
        });
    }

    #[test]
    fn a_mount_is_attached_and_detached() {
        in_namespace(|| {
            let base = Mount::tmpfs(Tmpfs::default()).expect("a tmpfs");
            let root = base.root().expect("a root");
            root.create_dir("inner", 0o755).expect("a directory");
            base.attach(&Root::open("/").expect("the root").handle("tmp", true).expect("there"))
                .expect("attached");
            let inner = root.handle("inner", false).expect("there");
            let flags = Flags { read_only: true, no_exec: true, ..Flags::default() };
            let second = Mount::tmpfs(Tmpfs { flags, ..Tmpfs::default() }).expect("a tmpfs");
            second.attach(&inner).expect("attached");
            // Removing stays on its own mount.
            let error = root.remove_all("inner").expect_err("a mount point");
            assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::XDEV.raw_os_error()), "{error}");
            assert!(root.write("inner/f", b"", 0o644).is_err());
            unmount("/tmp/inner").expect("unmounted");
            root.write("inner/f", b"", 0o644).expect("written");
            let again = Mount::bind("/tmp/inner", false).expect("a bind");
            assert!(again.root().expect("a root").exists("f").expect("told"));
            unmount("/tmp").expect("unmounted");
            assert_eq!(
                unmount("/nowhere").expect_err("nothing").to_string(),
                "umount /nowhere: No such file or directory (os error 2)"
            );
        });
    }

    #[test]
    fn options_are_named_when_they_are_refused() {
        in_namespace(|| {
            let error =
                Mount::new("tmpfs", &[("size", Some("many"))], Flags::default()).expect_err("not a number");
            assert!(error.to_string().starts_with("mount tmpfs: option size=many: "), "{error}");
            let error = Mount::new("nosuchfs", &[], Flags::default()).expect_err("no such");
            assert!(error.to_string().starts_with("fsopen nosuchfs: "), "{error}");
        });
    }
}
