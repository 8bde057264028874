//! [`Handle`]: one file of any kind, found once and held.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, OFlags, PROC_SUPER_MAGIC, RawMode, ResolveFlags, Stat, Timespec,
    Timestamps, Uid, XattrFlags,
};
use rustix::io::Errno;

use crate::Error;
use crate::error::Context;

/// What kind of file something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// Something this crate doesn't know.
    Unknown,
}

impl FileKind {
    pub(crate) fn of(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Symlink,
            FileType::CharacterDevice => Self::CharDevice,
            FileType::BlockDevice => Self::BlockDevice,
            FileType::Fifo => Self::Fifo,
            FileType::Socket => Self::Socket,
            _ => Self::Unknown,
        }
    }
}

/// What the kernel says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its kind.
    pub kind: FileKind,
    /// Permission bits with set-uid, set-gid and sticky: 0 to 0o7777.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its size in bytes.
    pub size: u64,
    /// How many names it has.
    pub links: u64,
    /// The device it lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Which device it is, if it is one: major and minor number.
    pub rdev: (u32, u32),
    /// When it was last modified: seconds since 1970 and nanoseconds.
    pub modified: (i64, u32),
    /// The blocks of 512 bytes that it takes.
    pub blocks: u64,
}

impl Metadata {
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_lossless,
        reason = "the types differ between architectures"
    )]
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            kind: FileKind::of(FileType::from_raw_mode(stat.st_mode as RawMode)),
            mode: stat.st_mode as u32 & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            links: stat.st_nlink as u64,
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            rdev: (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev)),
            modified: (stat.st_mtime as i64, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
            blocks: u64::try_from(stat.st_blocks).unwrap_or(0),
        }
    }
}

/// Moments to set on a file: seconds since 1970, which may be negative, and nanoseconds below 10⁹.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Last access.
    pub accessed: (i64, u32),
    /// Last modification.
    pub modified: (i64, u32),
}

/// One file of any kind, held by a descriptor that names it but doesn't open it (`O_PATH`). Whatever is done through it
/// is done to this file, even if another has its name by now; symbolic links are not followed any more.
#[derive(Debug)]
pub struct Handle {
    fd: OwnedFd,
    path: PathBuf,
}

impl Handle {
    pub(crate) fn new(fd: OwnedFd, path: PathBuf) -> Self {
        Self { fd, path }
    }

    /// The path by which it was found, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the kernel says of it.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn metadata(&self) -> Result<Metadata, Error> {
        let stat = rustix::fs::fstat(&self.fd).context("stat", &self.path)?;
        Ok(Metadata::of(&stat))
    }

    /// Sets the permission bits (0 to 0o7777).
    ///
    /// # Errors
    /// If the kernel refuses; always for a symbolic link, which has no mode (`EOPNOTSUPP`).
    pub fn set_mode(&self, mode: u32) -> Result<(), Error> {
        self.not_a_link("chmod")?;
        let (dir, name) = self.by_proc("chmod")?;
        rustix::fs::chmodat(&dir, &name, Mode::from_raw_mode(mode & 0o7777), AtFlags::empty())
            .context("chmod", &self.path)
    }

    /// Sets owner and group. The kernel then drops set-uid, set-gid and file capabilities: set those afterwards.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn set_owner(&self, uid: u32, gid: u32) -> Result<(), Error> {
        // An id with all bits set means "leave as it is" to the kernel.
        let uid = (uid != u32::MAX).then(|| Uid::from_raw(uid));
        let gid = (gid != u32::MAX).then(|| Gid::from_raw(gid));
        rustix::fs::chownat(&self.fd, "", uid, gid, AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW)
            .context("chown", &self.path)
    }

    /// Sets the moments of last access and modification.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn set_times(&self, times: Times) -> Result<(), Error> {
        let moment = |(seconds, nanos): (i64, u32)| Timespec {
            tv_sec: seconds,
            tv_nsec: nanos.min(999_999_999).into(),
        };
        let times =
            Timestamps { last_access: moment(times.accessed), last_modification: moment(times.modified) };
        rustix::fs::utimensat(&self.fd, "", &times, AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW)
            .context("utimensat", &self.path)
    }

    /// Sets an extended attribute.
    ///
    /// # Errors
    /// If the kernel refuses; always for a symbolic link (`EOPNOTSUPP`).
    pub fn set_xattr(&self, name: &OsStr, value: &[u8]) -> Result<(), Error> {
        self.not_a_link("setxattr")?;
        let path = self.proc_path("setxattr")?;
        rustix::fs::setxattr(path, name, value, XattrFlags::empty()).context("setxattr", &self.path)
    }

    /// An extended attribute, or nothing if the file has none of this name.
    ///
    /// # Errors
    /// If the kernel refuses; always for a symbolic link (`EOPNOTSUPP`).
    pub fn xattr(&self, name: &OsStr) -> Result<Option<Vec<u8>>, Error> {
        self.not_a_link("getxattr")?;
        let path = self.proc_path("getxattr")?;
        loop {
            let size = match rustix::fs::getxattr_query(&path, name) {
                Ok(size) => size,
                Err(Errno::NODATA) => return Ok(None),
                Err(error) => return Err(Error::kernel("getxattr", &self.path, error)),
            };
            let mut value = vec![0_u8; size];
            match rustix::fs::getxattr(&path, name, &mut value[..]) {
                Ok(size) => {
                    value.truncate(size);
                    return Ok(Some(value));
                }
                // It has grown in between.
                Err(Errno::RANGE) => {}
                Err(Errno::NODATA) => return Ok(None),
                Err(error) => return Err(Error::kernel("getxattr", &self.path, error)),
            }
        }
    }

    /// The names of its extended attributes, sorted.
    ///
    /// # Errors
    /// If the kernel refuses; always for a symbolic link (`EOPNOTSUPP`).
    pub fn xattrs(&self) -> Result<Vec<OsString>, Error> {
        self.not_a_link("listxattr")?;
        let path = self.proc_path("listxattr")?;
        loop {
            let size = rustix::fs::listxattr_query(&path).context("listxattr", &self.path)?;
            let mut names = vec![0_u8; size];
            match rustix::fs::listxattr(&path, &mut names[..]) {
                Ok(size) => {
                    let mut names: Vec<_> = names[..size]
                        .split(|byte| *byte == 0)
                        .filter(|name| !name.is_empty())
                        .map(|name| OsString::from_vec(name.to_vec()))
                        .collect();
                    names.sort();
                    return Ok(names);
                }
                Err(Errno::RANGE) => {}
                Err(error) => return Err(Error::kernel("listxattr", &self.path, error)),
            }
        }
    }

    /// Removes an extended attribute.
    ///
    /// # Errors
    /// If the kernel refuses, or the file has none of this name (`ENODATA`).
    pub fn remove_xattr(&self, name: &OsStr) -> Result<(), Error> {
        self.not_a_link("removexattr")?;
        let path = self.proc_path("removexattr")?;
        rustix::fs::removexattr(path, name).context("removexattr", &self.path)
    }

    /// Where a symbolic link points to.
    ///
    /// # Errors
    /// If it isn't one, or the kernel refuses.
    pub fn read_link(&self) -> Result<PathBuf, Error> {
        let target = rustix::fs::readlinkat(&self.fd, "", Vec::new()).context("readlink", &self.path)?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    /// The descriptor, for those who go on with it.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }

    fn not_a_link(&self, operation: &'static str) -> Result<(), Error> {
        if self.metadata()?.kind == FileKind::Symlink {
            return Err(Error::kernel(operation, &self.path, Errno::OPNOTSUPP));
        }
        Ok(())
    }

    /// The directory of this process's descriptors and this one's name in it. `fchmod` and its like do not take
    /// descriptors made with `O_PATH`; the kernel's own link to the file does.
    fn by_proc(&self, operation: &'static str) -> Result<(OwnedFd, String), Error> {
        let fake = || Error::NoProc { operation, path: self.path.clone() };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let proc = rustix::fs::openat2(CWD, "/proc", flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)
            .map_err(|_| fake())?;
        let is_procfs = rustix::fs::fstatfs(&proc).is_ok_and(|fs| fs.f_type == PROC_SUPER_MAGIC);
        if !is_procfs {
            return Err(fake());
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
        let dir = rustix::fs::openat2(&proc, "thread-self/fd", flags, Mode::empty(), resolve)
            .map_err(|_| fake())?;
        Ok((dir, self.fd.as_raw_fd().to_string()))
    }

    fn proc_path(&self, operation: &'static str) -> Result<PathBuf, Error> {
        let (_, name) = self.by_proc(operation)?;
        Ok(Path::new("/proc/thread-self/fd").join(OsStr::from_bytes(name.as_bytes())))
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
