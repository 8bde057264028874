//! [`Root`]: a directory in which paths are resolved.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;

use crate::error::Context;
use crate::handle::{FileKind, Handle, Metadata, Times};
use crate::{Error, remove};

/// How often a resolution is repeated when something was renamed meanwhile (the kernel answers `EAGAIN`).
const RACES: u32 = 128;

/// Numbers for the names of files that are to replace others.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// Open for what is in it, not for what it is.
const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A file that is neither regular, nor a directory, nor a link: what [`Root::mknod`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A character device with its major and minor number.
    CharDevice(u32, u32),
    /// A block device with its major and minor number.
    BlockDevice(u32, u32),
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// Its kind; [`FileKind::Unknown`] on file systems that don't tell.
    pub kind: FileKind,
    /// Its number on the device.
    pub inode: u64,
}

/// A directory in which untrusted paths are resolved.
///
/// Paths are relative to it, with or without a leading `/`; `..` doesn't lead out of it; symbolic links are followed
/// inside it, unless a method says otherwise; links of `/proc` that jump to a file (`/proc/self/exe`, `/proc/self/fd/3`)
/// are never followed. Mount points below it are crossed, except in removing.
#[derive(Debug)]
pub struct Root {
    dir: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// The directory of this path, which is resolved as any path of the process.
    ///
    /// # Errors
    /// If it isn't there or isn't a directory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let dir = rustix::fs::openat(CWD, path, DIRECTORY, Mode::empty()).context("open", path)?;
        Ok(Self { dir, path: path.to_path_buf() })
    }

    /// The directory of this descriptor (which may be one that was opened with `O_PATH`, or a detached mount).
    #[must_use]
    pub fn from_fd(dir: OwnedFd) -> Self {
        Self { dir, path: PathBuf::from("/") }
    }

    /// A second descriptor of the same directory.
    ///
    /// # Errors
    /// If the process has no descriptor left.
    pub fn try_clone(&self) -> Result<Self, Error> {
        let dir = rustix::io::fcntl_dupfd_cloexec(&self.dir, 3).context("dup", &self.path)?;
        Ok(Self { dir, path: self.path.clone() })
    }

    /// A directory inside as a root of its own.
    ///
    /// # Errors
    /// If it isn't there or isn't a directory.
    pub fn sub(&self, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let dir =
            self.resolve(path, DIRECTORY, Mode::empty(), ResolveFlags::empty()).context("open", path)?;
        Ok(Self { dir, path: self.path.join(path.strip_prefix("/").unwrap_or(path)) })
    }

    /// The file of any kind that a path names, held but not opened. A symbolic link at the very end is followed if
    /// `follow` says so.
    ///
    /// # Errors
    /// If it isn't there.
    pub fn handle(&self, path: impl AsRef<Path>, follow: bool) -> Result<Handle, Error> {
        let path = path.as_ref();
        let end = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
        let fd = self
            .resolve(path, OFlags::PATH | OFlags::CLOEXEC | end, Mode::empty(), ResolveFlags::empty())
            .context("open", path)?;
        Ok(Handle::new(fd, path.to_path_buf()))
    }

    /// The file that a path names, where no component may be a symbolic link.
    ///
    /// # Errors
    /// If it isn't there, or there is a link on the way or at the end (`ELOOP`).
    pub fn handle_no_links(&self, path: impl AsRef<Path>) -> Result<Handle, Error> {
        let path = path.as_ref();
        let fd = self
            .resolve(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS)
            .context("open", path)?;
        Ok(Handle::new(fd, path.to_path_buf()))
    }

    /// Opens a regular file or a directory for reading. Devices, pipes and sockets are refused (`EINVAL`), since
    /// opening them does things.
    ///
    /// # Errors
    /// If it isn't there, is of another kind, or the kernel refuses.
    pub fn open_file(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        let path = path.as_ref();
        // Without waiting: a pipe nobody writes to would hold us.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let handle = self.handle(path, true)?;
        let before = handle.metadata()?;
        if !matches!(before.kind, FileKind::File | FileKind::Directory) {
            return Err(Error::kernel("open", path, Errno::INVAL));
        }
        let fd = self.resolve(path, flags, Mode::empty(), ResolveFlags::empty()).context("open", path)?;
        let after = Metadata::of(&rustix::fs::fstat(&fd).context("stat", path)?);
        if !matches!(after.kind, FileKind::File | FileKind::Directory) {
            return Err(Error::kernel("open", path, Errno::INVAL));
        }
        Ok(File::from(fd))
    }

    /// Opens a regular file for writing; it is made (with the bits of `mode` that the umask leaves) if it isn't there,
    /// and emptied if it is. Other kinds are refused (`EINVAL`), since opening them does things.
    ///
    /// # Errors
    /// If its directory isn't there, it is of another kind, or the kernel refuses.
    pub fn create_file(&self, path: impl AsRef<Path>, mode: u32) -> Result<File, Error> {
        let path = path.as_ref();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        match self.handle(path, true) {
            Ok(there) if there.metadata()?.kind != FileKind::File => {
                return Err(Error::kernel("create", path, Errno::INVAL));
            }
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
        let fd = self.resolve(path, flags, bits(mode), ResolveFlags::empty()).context("create", path)?;
        let kind = Metadata::of(&rustix::fs::fstat(&fd).context("stat", path)?).kind;
        if kind != FileKind::File {
            return Err(Error::kernel("create", path, Errno::INVAL));
        }
        rustix::fs::ftruncate(&fd, 0).context("truncate", path)?;
        Ok(File::from(fd))
    }

    /// Makes a new regular file, of exactly this mode, and opens it for reading and writing. The last component of the
    /// path isn't followed, whatever it is.
    ///
    /// # Errors
    /// If something is there (`EEXIST`), its directory isn't, or the kernel refuses.
    pub fn create_new(&self, path: impl AsRef<Path>, mode: u32) -> Result<File, Error> {
        let path = path.as_ref();
        let (parent, name) = self.parent("create", path)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&parent, name, flags, bits(mode & 0o777)).context("create", path)?;
        rustix::fs::fchmod(&fd, bits(mode)).context("chmod", path)?;
        Ok(File::from(fd))
    }

    /// A file's whole content, up to a limit.
    ///
    /// # Errors
    /// If it isn't there, isn't a regular file, is larger than `limit` bytes, or the kernel refuses.
    pub fn read(&self, path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, Error> {
        let path = path.as_ref();
        let file = self.open_file(path)?;
        let mut content = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut content).map_err(|source| Error::Kernel {
            operation: "read",
            path: path.to_path_buf(),
            source,
        })?;
        if content.len() as u64 > limit {
            return Err(Error::TooLarge { path: path.to_path_buf(), limit });
        }
        Ok(content)
    }

    /// Makes a file with this content, or replaces the content of the one that is there. Not atomic: see
    /// [`replace`](Self::replace).
    ///
    /// # Errors
    /// As [`create_file`](Self::create_file), or if there is no space left.
    pub fn write(&self, path: impl AsRef<Path>, content: &[u8], mode: u32) -> Result<(), Error> {
        let path = path.as_ref();
        let mut file = self.create_file(path, mode)?;
        file.write_all(content).map_err(|source| Error::Kernel {
            operation: "write",
            path: path.to_path_buf(),
            source,
        })
    }

    /// Puts a file with this content and mode in the place of what is there, at once: whoever reads sees the old or
    /// the new one whole, also if several do so. The last component of the path isn't followed. A program that is killed
    /// in between leaves a file whose name begins with `.` and that of the file.
    ///
    /// # Errors
    /// If the kernel refuses; then what was there is still there, and nothing else.
    pub fn replace(&self, path: impl AsRef<Path>, content: &[u8], mode: u32) -> Result<(), Error> {
        let path = path.as_ref();
        let (parent, name) = self.parent("write", path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (temporary, fd) = loop {
            let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
            let mut temporary = OsString::from(".");
            temporary.push(name);
            temporary.push(format!(".{}-{number}", std::process::id()));
            match rustix::fs::openat(&parent, &temporary, flags, bits(mode & 0o777)) {
                // Left over by one who was killed here.
                Err(Errno::EXIST) => {}
                other => break (temporary, other.context("create", path)?),
            }
        };
        let mut file = File::from(fd);
        let done = rustix::fs::fchmod(&file, bits(mode)).context("chmod", path).and_then(|()| {
            file.write_all(content).map_err(|source| Error::Kernel {
                operation: "write",
                path: path.to_path_buf(),
                source,
            })
        });
        let done = done
            .and_then(|()| rustix::fs::renameat(&parent, &temporary, &parent, name).context("rename", path));
        if done.is_err() {
            let _ = rustix::fs::unlinkat(&parent, &temporary, AtFlags::empty());
        }
        done
    }

    /// Makes a directory of exactly this mode.
    ///
    /// # Errors
    /// If something is there (`EEXIST`), or the kernel refuses.
    pub fn create_dir(&self, path: impl AsRef<Path>, mode: u32) -> Result<(), Error> {
        let path = path.as_ref();
        let (parent, name) = self.parent("mkdir", path)?;
        rustix::fs::mkdirat(&parent, name, bits(mode & 0o777)).context("mkdir", path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = rustix::fs::openat(&parent, name, flags, Mode::empty()).context("open", path)?;
        rustix::fs::fchmod(&made, bits(mode)).context("chmod", path)
    }

    /// Makes a directory and those above it that are missing (with the bits of `mode` that the umask leaves), and
    /// answers it as a root of its own. What is there already stays as it is.
    ///
    /// # Errors
    /// If a component is something else than a directory or a link to one, or the kernel refuses.
    pub fn create_dir_all(&self, path: impl AsRef<Path>, mode: u32) -> Result<Self, Error> {
        let path = path.as_ref();
        match self.sub(path) {
            Err(error) if error.is_not_found() => {}
            other => return other,
        }
        let mut prefix = PathBuf::new();
        for component in path.components() {
            let name = match component {
                Component::RootDir | Component::CurDir | Component::Prefix(_) => continue,
                Component::ParentDir => {
                    prefix.push("..");
                    continue;
                }
                Component::Normal(name) => name,
            };
            let parent = self
                .resolve(&prefix, DIRECTORY, Mode::empty(), ResolveFlags::empty())
                .context("open", &prefix)?;
            prefix.push(name);
            match rustix::fs::mkdirat(&parent, name, bits(mode & 0o1777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(Error::kernel("mkdir", &prefix, error)),
            }
        }
        self.sub(path)
    }

    /// Makes a symbolic link. What it points to is not looked at.
    ///
    /// # Errors
    /// If something is there (`EEXIST`), or the kernel refuses.
    pub fn symlink(&self, target: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let (parent, name) = self.parent("symlink", path)?;
        rustix::fs::symlinkat(target.as_ref(), &parent, name).context("symlink", path)
    }

    /// Gives the file `existing` a second name. Links at the end of either path are not followed.
    ///
    /// # Errors
    /// If `existing` isn't there, something else is at `path`, they are on different file systems, or the kernel refuses.
    pub fn hard_link(&self, existing: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<(), Error> {
        let (existing, path) = (existing.as_ref(), path.as_ref());
        let (from, from_name) = self.parent("link", existing)?;
        let (to, to_name) = self.parent("link", path)?;
        rustix::fs::linkat(&from, from_name, &to, to_name, AtFlags::empty()).context("link", path)
    }

    /// Makes a device, a pipe or a socket, of exactly this mode.
    ///
    /// # Errors
    /// If something is there (`EEXIST`), or the kernel refuses (devices need `CAP_MKNOD`).
    pub fn mknod(&self, path: impl AsRef<Path>, node: Node, mode: u32) -> Result<(), Error> {
        let path = path.as_ref();
        let (parent, name) = self.parent("mknod", path)?;
        let (kind, device) = match node {
            Node::CharDevice(major, minor) => (FileType::CharacterDevice, rustix::fs::makedev(major, minor)),
            Node::BlockDevice(major, minor) => (FileType::BlockDevice, rustix::fs::makedev(major, minor)),
            Node::Fifo => (FileType::Fifo, 0),
            Node::Socket => (FileType::Socket, 0),
        };
        rustix::fs::mknodat(&parent, name, kind, bits(mode & 0o777), device).context("mknod", path)?;
        let fd = rustix::fs::openat(
            &parent,
            name,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .context("open", path)?;
        Handle::new(fd, path.to_path_buf()).set_mode(mode)
    }

    /// Where a symbolic link points to.
    ///
    /// # Errors
    /// If it isn't there or isn't a link.
    pub fn read_link(&self, path: impl AsRef<Path>) -> Result<PathBuf, Error> {
        let path = path.as_ref();
        let (parent, name) = self.parent("readlink", path)?;
        let target = rustix::fs::readlinkat(&parent, name, Vec::new()).context("readlink", path)?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    /// What the kernel says of a file; a symbolic link at the end isn't followed.
    ///
    /// # Errors
    /// If it isn't there.
    pub fn metadata(&self, path: impl AsRef<Path>) -> Result<Metadata, Error> {
        self.handle(path, false)?.metadata()
    }

    /// Whether something is there; a symbolic link at the end isn't followed.
    ///
    /// # Errors
    /// If that cannot be told.
    pub fn exists(&self, path: impl AsRef<Path>) -> Result<bool, Error> {
        match self.handle(path, false) {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sets the permission bits of a file; links at the end are not followed (and have none).
    ///
    /// # Errors
    /// As [`Handle::set_mode`], or if it isn't there.
    pub fn set_mode(&self, path: impl AsRef<Path>, mode: u32) -> Result<(), Error> {
        self.handle(path, false)?.set_mode(mode)
    }

    /// Sets owner and group of a file, or of the link itself.
    ///
    /// # Errors
    /// As [`Handle::set_owner`], or if it isn't there.
    pub fn set_owner(&self, path: impl AsRef<Path>, uid: u32, gid: u32) -> Result<(), Error> {
        self.handle(path, false)?.set_owner(uid, gid)
    }

    /// Sets the moments of a file, or of the link itself.
    ///
    /// # Errors
    /// As [`Handle::set_times`], or if it isn't there.
    pub fn set_times(&self, path: impl AsRef<Path>, times: Times) -> Result<(), Error> {
        self.handle(path, false)?.set_times(times)
    }

    /// Sets an extended attribute of a file; links at the end are not followed.
    ///
    /// # Errors
    /// As [`Handle::set_xattr`], or if it isn't there.
    pub fn set_xattr(&self, path: impl AsRef<Path>, name: &OsStr, value: &[u8]) -> Result<(), Error> {
        self.handle(path, false)?.set_xattr(name, value)
    }

    /// The entries of a directory, sorted by name. At most `limit` are read.
    ///
    /// # Errors
    /// If it isn't a directory, has more than `limit` entries, or the kernel refuses.
    pub fn read_dir(&self, path: impl AsRef<Path>, limit: usize) -> Result<Vec<Entry>, Error> {
        let path = path.as_ref();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = self.resolve(path, flags, Mode::empty(), ResolveFlags::empty()).context("open", path)?;
        let mut entries = Vec::new();
        for entry in Dir::new(fd).context("read", path)? {
            let entry = entry.context("read", path)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            if entries.len() == limit {
                return Err(Error::TooLarge { path: path.to_path_buf(), limit: limit as u64 });
            }
            entries.push(Entry {
                name: OsString::from_vec(name.to_vec()),
                kind: FileKind::of(entry.file_type()),
                inode: entry.ino(),
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Renames. What is at `to` is replaced, if the kernel allows that for its kind. Links at the ends are not followed.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), Error> {
        self.rename_with(from.as_ref(), to.as_ref(), RenameFlags::empty())
    }

    /// Renames, unless something is at `to` (`EEXIST`).
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn rename_new(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), Error> {
        self.rename_with(from.as_ref(), to.as_ref(), RenameFlags::NOREPLACE)
    }

    fn rename_with(&self, from: &Path, to: &Path, flags: RenameFlags) -> Result<(), Error> {
        let (from_dir, from_name) = self.parent("rename", from)?;
        let (to_dir, to_name) = self.parent("rename", to)?;
        rustix::fs::renameat_with(&from_dir, from_name, &to_dir, to_name, flags).context("rename", from)
    }

    /// Removes a name: of a file, a link, a device.
    ///
    /// # Errors
    /// If it isn't there, is a directory, or the kernel refuses.
    pub fn remove_file(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let (parent, name) = self.parent("unlink", path)?;
        rustix::fs::unlinkat(&parent, name, AtFlags::empty()).context("unlink", path)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// If it isn't there, isn't empty, or the kernel refuses.
    pub fn remove_dir(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let (parent, name) = self.parent("rmdir", path)?;
        rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR).context("rmdir", path)
    }

    /// Removes whatever is at a path, with all that is below it; nothing there is no error. Links are removed, not
    /// followed. Nothing on another mount is touched: a mount point below fails with `EXDEV` or `EBUSY`, when what comes
    /// before it is gone.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn remove_all(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let parent = match self.parent("remove", path) {
            Err(error) if error.is_not_found() => return Ok(()),
            other => other,
        };
        let (parent, name) = parent?;
        remove::all(parent.as_fd(), name).context("remove", path)
    }

    /// Removes everything that is inside, not the directory itself.
    ///
    /// # Errors
    /// As [`remove_all`](Self::remove_all).
    pub fn clear(&self) -> Result<(), Error> {
        remove::contents(self.dir.as_fd(), OsStr::new(".")).context("remove", &self.path)
    }

    /// The path the root was opened by, for messages; `/` if it was made of a descriptor.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The descriptor (an `O_PATH` one, unless it was given).
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.dir
    }

    /// The directory in which the last component of a path lies, and that component.
    pub(crate) fn parent<'a>(
        &self,
        operation: &'static str,
        path: &'a Path,
    ) -> Result<(OwnedFd, &'a OsStr), Error> {
        let no_name = || Error::NoName { operation, path: path.to_path_buf() };
        // `Path` passes over a last `/.`, with which the kernel would follow a link.
        let bytes = path.as_os_str().as_bytes();
        if bytes.ends_with(b"/.") || bytes == b"." {
            return Err(no_name());
        }
        let name = path.file_name().ok_or_else(no_name)?;
        let parent = path.parent().unwrap_or_else(|| Path::new(""));
        let dir =
            self.resolve(parent, DIRECTORY, Mode::empty(), ResolveFlags::empty()).context(operation, path)?;
        Ok((dir, name))
    }

    fn resolve(
        &self,
        path: &Path,
        flags: OFlags,
        mode: Mode,
        further: ResolveFlags,
    ) -> Result<OwnedFd, Errno> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | further;
        for _ in 0..RACES {
            match rustix::fs::openat2(&self.dir, path, flags, mode, resolve) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                other => return other,
            }
        }
        Err(Errno::AGAIN)
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

fn bits(mode: u32) -> Mode {
    Mode::from_raw_mode(mode & 0o7777)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::atomic::{AtomicBool, AtomicU32};

    use super::*;

    /// A root inside a directory of its own, beside which there is something to protect.
    struct Place {
        outer: PathBuf,
        root: Root,
    }

    impl Place {
        fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let outer = std::env::temp_dir().join(format!("orlop-fs-{}-{count}", std::process::id()));
            std::fs::create_dir_all(outer.join("root")).expect("a directory");
            std::fs::create_dir(outer.join("outside")).expect("a directory");
            std::fs::write(outer.join("outside/secret"), "untouched").expect("a file");
            let root = Root::open(outer.join("root")).expect("it is there");
            Self { outer, root }
        }

        fn inside(&self, path: &str) -> PathBuf {
            self.outer.join("root").join(path)
        }

        /// Nothing was made, changed or removed outside.
        fn outside_is_untouched(&self) {
            let names: Vec<_> = std::fs::read_dir(self.outer.join("outside"))
                .expect("it is there")
                .map(|entry| entry.expect("an entry").file_name())
                .collect();
            assert_eq!(names, ["secret"]);
            let secret = self.outer.join("outside/secret");
            assert_eq!(std::fs::read_to_string(&secret).expect("it is there"), "untouched");
            assert_eq!(std::fs::metadata(secret).expect("it is there").permissions().mode() & 0o7777, 0o644);
            assert_eq!(std::fs::read_dir(&self.outer).expect("it is there").count(), 2);
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.outer);
        }
    }

    #[test]
    fn no_path_leads_out() {
        let place = Place::new();
        let root = &place.root;
        symlink("/", place.inside("absolute")).expect("a link");
        symlink("../../../../../../..", place.inside("up")).expect("a link");
        symlink("../outside", place.inside("beside")).expect("a link");
        symlink(place.outer.join("outside"), place.inside("full")).expect("a link");
        symlink("full/secret", place.inside("file")).expect("a link");
        let secret = place.outer.join("outside/secret");
        let secret = secret.to_str().expect("a temporary directory has a plain name");
        for path in [
            "../outside/secret",
            "/../outside/secret",
            secret,
            &format!("absolute{secret}"),
            &format!("up{secret}"),
            "beside/secret",
            "full/secret",
            "file",
            "absolute/../../outside/secret",
        ] {
            let error = root.read(path, 100).expect_err(path);
            assert!(error.is_not_found(), "{path}: {error}");
            let _ = root.write(path, b"overwritten", 0o644);
            let _ = root.replace(path, b"overwritten", 0o644);
            let _ = root.set_mode(path, 0o777);
            let _ = root.set_owner(path, 1, 1);
            let _ = root.hard_link(path, "stolen");
            let _ = root.rename(path, "stolen");
            let _ = root.remove_all(path);
            place.outside_is_untouched();
        }
        for path in ["beside/new", "full/new", "../outside/new", "up/new", "absolute/new"] {
            let _ = root.create_new(path, 0o644);
            let _ = root.create_dir(format!("{path}-dir"), 0o755);
            let _ = root.create_dir_all(format!("{path}/a/b"), 0o755);
            let _ = root.symlink("x", format!("{path}-link"));
            let _ = root.mknod(format!("{path}-pipe"), Node::Fifo, 0o644);
            place.outside_is_untouched();
        }
        // Links that are absolute begin at the root.
        root.create_dir_all("etc", 0o755).expect("a directory");
        symlink("/etc", place.inside("d")).expect("a link");
        root.write("d/passwd", b"inside", 0o600).expect("a file");
        assert_eq!(std::fs::read(place.inside("etc/passwd")).expect("it is there"), b"inside");
    }

    #[test]
    fn magic_links_are_refused() {
        let place = Place::new();
        let root = Root::open("/").expect("the root");
        for path in ["proc/self/exe", "proc/self/cwd", "proc/self/root/etc", "proc/self/fd/0"] {
            let error = root.handle(path, true).expect_err(path);
            assert_eq!(error.raw_os_error(), Some(Errno::LOOP.raw_os_error()), "{error}");
        }
        symlink("/proc/self/root", place.inside("x")).expect("a link");
        assert!(place.root.read("x/etc/hostname", 1 << 16).is_err());
    }

    #[test]
    fn the_last_component_is_not_followed_when_something_is_made() {
        let place = Place::new();
        let secret = place.outer.join("outside/secret");
        symlink(&secret, place.inside("link")).expect("a link");
        symlink("target", place.inside("dangling")).expect("a link");
        for path in ["link", "dangling"] {
            assert!(place.root.create_new(path, 0o644).expect_err(path).is_exists());
            assert!(place.root.create_dir(path, 0o755).expect_err(path).is_exists());
            assert!(place.root.symlink("y", path).expect_err(path).is_exists());
            assert!(place.root.mknod(path, Node::Fifo, 0o644).expect_err(path).is_exists());
        }
        assert!(!place.inside("target").exists());
        assert!(place.root.set_mode("link", 0o777).is_err());
        place.root.set_owner("link", 12, 13).expect("the link's own");
        place.root.hard_link("link", "second").expect("of the link");
        assert_eq!(place.root.read_link("second").expect("a link"), secret);
        place.root.replace("link", b"new", 0o600).expect("the link is replaced");
        assert_eq!(place.root.metadata("link").expect("there").kind, FileKind::File);
        assert_eq!(place.root.metadata("link").expect("there").mode, 0o600);
        place.outside_is_untouched();
    }

    #[test]
    fn paths_without_a_name_make_nothing() {
        let place = Place::new();
        for path in ["", "/", ".", "..", "a/..", "a/.", "../.."] {
            let error = place.root.create_new(path, 0o644).expect_err(path);
            assert!(matches!(error, Error::NoName { .. }), "{path}: {error}");
            assert!(matches!(place.root.remove_all(path), Err(Error::NoName { .. })), "{path}");
        }
        assert!(place.root.create_new("a\0b", 0o644).is_err());
        assert!(place.root.create_new("n".repeat(256), 0o644).is_err());
        place.outside_is_untouched();
    }

    /// A directory is exchanged with a link to the outside, over and over, while files are made in it and removed.
    #[test]
    fn exchanging_a_directory_for_a_link_does_not_lead_out() {
        let place = Place::new();
        std::fs::create_dir(place.inside("a")).expect("a directory");
        symlink("../outside", place.inside("b")).expect("a link");
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let dir = Root::open(place.inside("")).expect("it is there");
                while !stop.load(Ordering::Relaxed) {
                    rustix::fs::renameat_with(&dir.dir, "a", &dir.dir, "b", RenameFlags::EXCHANGE)
                        .expect("both are there");
                }
            });
            let mut made = 0;
            for round in 0..3_000 {
                let dir = ["a", "b"][round % 2];
                if place.root.write(format!("{dir}/f"), b"x", 0o644).is_ok() {
                    made += 1;
                }
                let _ = place.root.set_mode(format!("{dir}/secret"), 0o777);
                let _ = place.root.remove_all(format!("{dir}/secret"));
                let _ = place.root.create_dir_all(format!("{dir}/x/y"), 0o755);
                let _ = place.root.remove_all(format!("{dir}/x"));
            }
            stop.store(true, Ordering::Relaxed);
            assert!(made > 0, "some have hit the directory");
        });
        place.outside_is_untouched();
    }

    #[test]
    fn removing_does_not_follow_links_and_knows_no_depth() {
        let place = Place::new();
        place.root.create_dir_all("tree/x", 0o755).expect("a directory");
        symlink("../../../outside", place.inside("tree/x/link")).expect("a link");
        let mut deep = place.root.sub("tree").expect("there");
        for _ in 0..400 {
            deep.create_dir("d", 0o700).expect("a directory");
            deep.write("f", b"", 0o600).expect("a file");
            deep = deep.sub("d").expect("there");
        }
        place.root.remove_all("tree").expect("all of it");
        place.root.remove_all("tree").expect("nothing there is no error");
        assert!(!place.inside("tree").exists());
        symlink("../outside", place.inside("link")).expect("a link");
        place.root.remove_all("link").expect("the link");
        place.outside_is_untouched();
    }

    /// What is too deep is moved to the top meanwhile, where somebody has taken the names.
    #[test]
    fn no_name_in_a_tree_keeps_it_from_being_removed() {
        let place = Place::new();
        let many = 20;
        for number in 1..=many {
            place.root.create_dir_all(format!("tree/.orlop-removed-{number}/x"), 0o755).expect("a directory");
            place.root.write(format!("tree/.orlop-removed-{}", many + number), b"", 0o600).expect("a file");
        }
        for number in 0..5 {
            let mut deep = place.root.create_dir_all(format!("tree/{number}"), 0o755).expect("a directory");
            for _ in 0..120 {
                deep = deep.create_dir_all("d", 0o700).expect("a directory");
            }
        }
        place.root.remove_all("tree").expect("all of it");
        assert!(!place.inside("tree").exists());
    }

    #[test]
    fn a_large_directory_is_removed() {
        let place = Place::new();
        place.root.create_dir_all("tree/inner", 0o755).expect("a directory");
        for number in 0..2_100 {
            std::fs::write(place.inside(&format!("tree/{number}")), b"").expect("a file");
            std::fs::write(place.inside(&format!("tree/inner/{number}")), b"").expect("a file");
        }
        place.root.clear().expect("all of it");
        assert_eq!(place.root.read_dir("", 10).expect("entries"), []);
    }

    /// Opening a pipe lets those at its other end go on, opening a watchdog starts it.
    #[test]
    fn what_is_no_file_is_not_even_opened() {
        let place = Place::new();
        place.root.mknod("pipe", Node::Fifo, 0o600).expect("a pipe");
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let reader = rustix::fs::openat(&place.root, "pipe", flags, Mode::empty()).expect("it is there");
        for path in ["pipe", "."] {
            let error = place.root.create_file(path, 0o600).expect_err(path);
            assert_eq!(error.raw_os_error(), Some(Errno::INVAL.raw_os_error()), "{error}");
        }
        let mut poll = [rustix::event::PollFd::new(&reader, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        assert_eq!(rustix::event::poll(&mut poll, Some(&now)).expect("polled"), 0, "nobody was there");
    }

    #[test]
    fn several_replace_a_file_at_once() {
        let place = Place::new();
        let content = |number: u8| vec![number; 1 << 16];
        place.root.replace("f", &content(0), 0o600).expect("replaced");
        std::thread::scope(|scope| {
            for number in 1..=4 {
                let root = &place.root;
                scope.spawn(move || {
                    for _ in 0..100 {
                        root.replace("f", &content(number), 0o600).expect("replaced");
                        let now = root.read("f", 1 << 16).expect("there");
                        assert_eq!(now, content(now[0]), "it is whole");
                    }
                });
            }
        });
        assert_eq!(place.root.read_dir("", 10).expect("entries").len(), 1);
    }

    #[test]
    fn what_is_written_is_read() {
        let place = Place::new();
        let root = &place.root;
        root.write("f", b"one, longer", 0o640).expect("a file");
        root.write("f", b"two", 0o777).expect("a file");
        assert_eq!(root.read("f", 3).expect("it fits"), b"two");
        assert!(matches!(root.read("f", 2), Err(Error::TooLarge { limit: 2, .. })));
        root.set_mode("f", 0o4755).expect("a mode");
        root.set_times("f", Times { accessed: (5, 6), modified: (-7, 8) }).expect("times");
        let metadata = root.metadata("f").expect("there");
        assert_eq!((metadata.mode, metadata.modified, metadata.size), (0o4755, (-7, 8), 3));
        root.create_dir("d", 0o2750).expect("a directory");
        assert_eq!(root.metadata("d").expect("there").mode, 0o2750);
        root.mknod("pipe", Node::Fifo, 0o622).expect("a pipe");
        let metadata = root.metadata("pipe").expect("there");
        assert_eq!((metadata.kind, metadata.mode), (FileKind::Fifo, 0o622));
        assert!(root.open_file("pipe").is_err(), "would do something to who is at the other end");
        assert!(root.write("pipe", b"", 0o644).is_err());
        let handle = root.handle("f", false).expect("there");
        match handle.set_xattr(OsStr::new("user.orlop"), b"value") {
            Err(error) if error.raw_os_error() == Some(Errno::OPNOTSUPP.raw_os_error()) => {}
            done => {
                done.expect("an attribute");
                assert_eq!(handle.xattr(OsStr::new("user.orlop")).expect("read"), Some(b"value".to_vec()));
                assert!(handle.xattrs().expect("read").contains(&OsString::from("user.orlop")));
                handle.remove_xattr(OsStr::new("user.orlop")).expect("removed");
                assert_eq!(handle.xattr(OsStr::new("user.orlop")).expect("read"), None);
            }
        }
        let names: Vec<_> =
            root.read_dir("", 10).expect("entries").into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["d", "f", "pipe"]);
        assert!(matches!(root.read_dir("", 2), Err(Error::TooLarge { .. })));
        root.clear().expect("all of it");
        assert_eq!(root.read_dir("", 10).expect("entries"), []);
    }
}
