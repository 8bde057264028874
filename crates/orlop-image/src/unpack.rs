//! Unpacking one layer into a directory of its own, in the form that overlayfs takes.
//!
//! A layer is a tar archive of changes (image specification, `layer.md`). Names that begin with `.wh.` take away what
//! lies below; they become overlayfs' own marks. Everything is resolved inside the directory by descriptor, and nothing in
//! an archive is believed: not its sizes, not its names, not that a directory is still the one it was.

mod attributes;
mod error;
mod pending;

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use orlop_fs::{FileKind, Metadata, Node, Root, Times};

use crate::compression::Decoder;
use crate::digest::Hasher;
use crate::faults::Faults;
use crate::limits::RATIO_FROM;
use crate::tar::{Archive, Entry, Kind};
use crate::{Algorithm, Digest, Limits, TarError};

use attributes::{allowed_xattrs, attributes_of, finish_file, tolerate};
pub use error::{EntryError, LayerError};
pub(crate) use pending::{Pending, find_below};

/// What to do with device nodes in a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Devices {
    /// The layer is refused.
    Refuse,
    /// They are left out: a container gets its own `/dev`.
    #[default]
    Skip,
    /// They are made, which needs `CAP_MKNOD`.
    Make,
}

/// Who owns what a layer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ownership {
    /// Those whom the layer names, which needs `CAP_CHOWN`.
    #[default]
    Keep,
    /// Whoever unpacks it.
    Ignore,
}

/// Which extended attributes tell overlayfs what a layer takes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marks {
    /// `trusted.overlay.*`, which needs `CAP_SYS_ADMIN` where the machine is.
    #[default]
    Trusted,
    /// `user.overlay.*`: in a user namespace, and with the mount option `userxattr`.
    User,
}

impl Marks {
    pub(crate) fn opaque(self) -> &'static OsStr {
        OsStr::new(match self {
            Self::Trusted => "trusted.overlay.opaque",
            Self::User => "user.overlay.opaque",
        })
    }
}

/// How layers are unpacked.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct UnpackOptions {
    /// What to do with devices.
    pub devices: Devices,
    /// Who owns the files.
    pub ownership: Ownership,
    /// How removals are marked.
    pub marks: Marks,
    /// What a layer may hold.
    pub limits: Limits,
    /// Where to fail, in tests.
    #[doc(hidden)]
    pub faults: Faults,
}

/// What came out of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpacked {
    /// The digest of all that was decompressed.
    pub diff_id: Digest,
    /// How many bytes that were.
    pub size: u64,
    /// How many device nodes were left out.
    pub skipped_devices: u64,
    /// Whether the layer hides everything below it.
    pub opaque: bool,
}

/// Unpacks a layer, which may be compressed, into the directory `root`, which should be empty.
///
/// `below` are the directories of the layers below, the nearest first. They are only read: for what hard links point to,
/// and for the attributes of directories that the layer has something in without having them themselves.
///
/// # Errors
/// What is wrong with the layer. Some of it is in the directory then.
pub fn unpack_layer(
    layer: impl BufRead,
    root: &Root,
    below: &[&Root],
    options: &UnpackOptions,
) -> Result<Unpacked, LayerError> {
    let (unpacked, pending) = unpack(layer, root, options, Algorithm::Sha256)?;
    pending.finish(root, below, options)?;
    Ok(unpacked)
}

/// The first half of [`unpack_layer`], which needs nothing of the layers below. The digest is one of `algorithm`.
pub(crate) fn unpack(
    layer: impl BufRead,
    root: &Root,
    options: &UnpackOptions,
    algorithm: Algorithm,
) -> Result<(Unpacked, Pending), LayerError> {
    let limits = &options.limits;
    let counted = Counted { source: layer, bytes: 0 };
    let decoder = Decoder::new(counted, limits.window).map_err(TarError::Io)?;
    let hashed = Hashed {
        source: decoder,
        hasher: Hasher::new(algorithm),
        bytes: 0,
        limit: limits.layer,
        ratio: limits.ratio,
        exceeded: None,
    };
    let mut archive = Archive::new(BufReader::with_capacity(128 << 10, hashed), limits);
    let mut unpacker = Unpacker {
        root,
        options,
        pending: Pending::default(),
        skipped_devices: 0,
        parent: None,
        buffer: vec![0; 128 << 10],
    };
    let outcome = unpacker.run(&mut archive);
    let (pending, skipped_devices) = (unpacker.pending, unpacker.skipped_devices);
    let mut archive_source = archive;
    let outcome = outcome.and_then(|()| Ok(archive_source.drain()?));
    let hashed = archive_source.into_source().into_inner();
    // A limit shows itself as a failure to read, which is not what happened.
    match (hashed.exceeded, outcome) {
        (Some(Exceeded::Bytes), _) => {
            return Err(TarError::Limit { what: "bytes", limit: limits.layer }.into());
        }
        (Some(Exceeded::Ratio), _) => return Err(LayerError::Ratio { ratio: limits.ratio }),
        (None, outcome) => outcome?,
    }
    let unpacked = Unpacked {
        diff_id: hashed.hasher.finish(),
        size: hashed.bytes,
        skipped_devices,
        opaque: pending.opaque,
    };
    Ok((unpacked, pending))
}

/// Counts what is read of the compressed layer.
struct Counted<R> {
    source: R,
    bytes: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.source.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.source.consume(amount);
        self.bytes += amount as u64;
    }
}

#[derive(Clone, Copy)]
enum Exceeded {
    Bytes,
    Ratio,
}

/// Hashes and bounds what is decompressed.
struct Hashed<R: BufRead> {
    source: Decoder<Counted<R>>,
    hasher: Hasher,
    bytes: u64,
    limit: u64,
    ratio: u64,
    exceeded: Option<Exceeded>,
}

impl<R: BufRead> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.bytes += read as u64;
        let compressed = self.source.get_ref().bytes;
        if self.bytes > self.limit {
            self.exceeded = Some(Exceeded::Bytes);
        } else if self.bytes > RATIO_FROM && self.bytes > compressed.saturating_mul(self.ratio) {
            self.exceeded = Some(Exceeded::Ratio);
        }
        if self.exceeded.is_some() {
            return Err(io::Error::other("more than is allowed"));
        }
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// Symbolic links to follow on the way to a file; the kernel's own limit.
const HOPS: usize = 40;
const MISSING_MODE: u32 = 0o755;
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
const RESERVED: &[u8] = b".wh..wh.";

struct Unpacker<'a> {
    root: &'a Root,
    options: &'a UnpackOptions,
    pending: Pending,
    skipped_devices: u64,
    /// The directory that was resolved last: as the archive has it, and where it is. Valid until something is removed.
    parent: Option<(PathBuf, PathBuf)>,
    buffer: Vec<u8>,
}

impl Unpacker<'_> {
    fn run<R: Read>(&mut self, archive: &mut Archive<R>) -> Result<(), LayerError> {
        while let Some(entry) = archive.next_entry()? {
            self.entry(&entry, archive).map_err(|failure| match failure {
                Failure::Archive(error) => LayerError::Archive(error),
                Failure::Entry(problem) => {
                    LayerError::Entry { path: OsStr::from_bytes(&entry.path).into(), problem }
                }
            })?;
        }
        Ok(())
    }

    fn entry<R: Read>(&mut self, entry: &Entry, archive: &mut Archive<R>) -> Result<(), Failure> {
        let path = normalized(&entry.path, &self.options.limits)?;
        let Some(name) = path.file_name().map(OsStr::to_owned) else {
            if entry.kind != Kind::Directory {
                return Err(EntryError::Path("file").into());
            }
            self.attributes(Path::new(""), entry)?;
            return Ok(());
        };
        let parent = path.parent().unwrap_or(Path::new(""));
        for component in parent.components() {
            let component = component.as_os_str().as_bytes();
            // What AUFS kept for itself.
            if component.starts_with(RESERVED) {
                return Ok(());
            }
            if component.starts_with(WHITEOUT) {
                return Err(EntryError::Whiteout.into());
            }
        }
        if name.as_bytes() == OPAQUE {
            let parent = self.resolve(parent)?;
            self.pending.remember(&parent)?;
            self.pending.opaques.insert(parent.clone());
            return Ok(self.make_opaque(&parent)?);
        }
        if name.as_bytes().starts_with(RESERVED) {
            return Ok(());
        }
        if let Some(hidden) = name.as_bytes().strip_prefix(WHITEOUT) {
            if matches!(hidden, b"" | b"." | b"..") {
                return Err(EntryError::Whiteout.into());
            }
            let path = self.resolve(parent)?.join(OsStr::from_bytes(hidden));
            return Ok(self.whiteout(&path)?);
        }
        let path = self.resolve(parent)?.join(&name);
        match entry.kind {
            Kind::Directory => self.directory(&path, entry)?,
            Kind::File => self.file(&path, entry, archive)?,
            Kind::Symlink => self.symlink(&path, entry)?,
            Kind::HardLink => self.hard_link(&path, entry)?,
            Kind::CharDevice | Kind::BlockDevice | Kind::Fifo => self.node(&path, entry)?,
        }
        Ok(())
    }

    /// The directory that a path leads to, without symbolic links. What is missing is made; what was taken away before is
    /// made anew, with nothing of what lies below.
    fn resolve(&mut self, path: &Path) -> Result<PathBuf, EntryError> {
        if let Some((known, real)) = &self.parent
            && known == path
        {
            return Ok(real.clone());
        }
        let real = resolve(self.root, path, self.options, &mut self.pending)?;
        self.parent = Some((path.to_owned(), real.clone()));
        Ok(real)
    }

    fn directory(&mut self, path: &Path, entry: &Entry) -> Result<(), EntryError> {
        step(self.options, "mkdir")?;
        match self.root.create_dir(path, 0o700) {
            Ok(()) => {}
            Err(error) if error.is_exists() => {
                let there = self.root.metadata(path)?;
                if there.kind != FileKind::Directory {
                    self.remove(path)?;
                    self.root.create_dir(path, 0o700)?;
                    if is_whiteout(&there) {
                        self.make_opaque(path)?;
                    }
                }
            }
            Err(error) => return Err(error.into()),
        }
        self.attributes(path, entry)
    }

    /// The attributes of a directory; its times are for the end.
    fn attributes(&mut self, path: &Path, entry: &Entry) -> Result<(), EntryError> {
        let handle = self.root.handle(path, false)?;
        if self.options.ownership == Ownership::Keep {
            handle.set_owner(entry.uid, entry.gid)?;
        }
        handle.set_mode(entry.mode)?;
        for (name, value) in allowed_xattrs(&entry.xattrs, self.options) {
            tolerate(name, handle.set_xattr(name, value).map_err(EntryError::from))?;
        }
        self.pending.implicit.remove(path);
        self.pending.remember(path)?;
        self.pending.directories.insert(path.to_owned(), entry.modified);
        Ok(())
    }

    fn file<R: Read>(&mut self, path: &Path, entry: &Entry, archive: &mut Archive<R>) -> Result<(), Failure> {
        step(self.options, "create")?;
        let mut file = match self.root.create_new(path, 0o600) {
            Err(error) if error.is_exists() => {
                self.remove(path)?;
                self.root.create_new(path, 0o600).map_err(EntryError::from)?
            }
            other => other.map_err(EntryError::from)?,
        };
        let mut content = archive.content();
        loop {
            let read = match content.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Archive(TarError::Io(error))),
            };
            step(self.options, "write")?;
            file.write_all(&self.buffer[..read]).map_err(io_error("write"))?;
        }
        finish_file(&file, &attributes_of(entry), &entry.xattrs, self.options)?;
        Ok(())
    }

    fn symlink(&mut self, path: &Path, entry: &Entry) -> Result<(), EntryError> {
        if entry.link.is_empty() || entry.link.contains(&0) {
            return Err(EntryError::Path("target of a symbolic link"));
        }
        let target = OsStr::from_bytes(&entry.link);
        step(self.options, "symlink")?;
        match self.root.symlink(target, path) {
            Err(error) if error.is_exists() => {
                self.remove(path)?;
                self.root.symlink(target, path)?;
            }
            other => other?,
        }
        self.owner_and_times(path, entry)
    }

    fn node(&mut self, path: &Path, entry: &Entry) -> Result<(), EntryError> {
        let (major, minor) = entry.device;
        let node = match entry.kind {
            Kind::CharDevice => Node::CharDevice(major, minor),
            Kind::BlockDevice => Node::BlockDevice(major, minor),
            _ => Node::Fifo,
        };
        if node != Node::Fifo {
            match self.options.devices {
                Devices::Refuse => return Err(EntryError::Device(major, minor)),
                // To overlayfs this one means that something is taken away, which layers say otherwise.
                _ if node == Node::CharDevice(0, 0) => return Err(EntryError::Device(0, 0)),
                Devices::Skip => {
                    self.skipped_devices += 1;
                    return Ok(());
                }
                Devices::Make => {}
            }
        }
        step(self.options, "mknod")?;
        match self.root.mknod(path, node, 0o600) {
            Err(error) if error.is_exists() => {
                self.remove(path)?;
                self.root.mknod(path, node, 0o600)?;
            }
            other => other?,
        }
        self.owner_and_times(path, entry)?;
        self.root.set_mode(path, entry.mode)?;
        Ok(())
    }

    fn owner_and_times(&self, path: &Path, entry: &Entry) -> Result<(), EntryError> {
        let handle = self.root.handle(path, false)?;
        if self.options.ownership == Ownership::Keep {
            handle.set_owner(entry.uid, entry.gid)?;
        }
        handle.set_times(Times { accessed: entry.modified, modified: entry.modified })?;
        Ok(())
    }

    fn hard_link(&mut self, path: &Path, entry: &Entry) -> Result<(), EntryError> {
        let target = normalized(&entry.link, &self.options.limits)?;
        if target.file_name().is_none() {
            return Err(EntryError::HardLink { target, problem: "a directory" });
        }
        match self.root.metadata(&target) {
            Ok(there) if is_whiteout(&there) => {
                return Err(EntryError::HardLink { target, problem: "not in the image" });
            }
            Ok(there) if there.kind == FileKind::Directory => {
                return Err(EntryError::HardLink { target, problem: "a directory" });
            }
            Ok(there) => {
                step(self.options, "link")?;
                match self.root.hard_link(&target, path) {
                    Err(error) if error.is_exists() => {
                        let occupant = self.root.metadata(path)?;
                        if (occupant.device, occupant.inode) == (there.device, there.inode) {
                            return Ok(());
                        }
                        self.remove(path)?;
                        self.root.hard_link(&target, path)?;
                    }
                    other => other?,
                }
            }
            Err(_) => {
                // It may be in a layer below. Whatever is in its place gives way now, as it would then.
                self.remove(path)?;
                self.pending.remember(path)?;
                self.pending.remember(&target)?;
                self.pending.link_later(path, target);
            }
        }
        Ok(())
    }

    /// Takes away what lies below at this path, not what this layer has there.
    fn whiteout(&mut self, path: &Path) -> Result<(), EntryError> {
        self.pending.remember(path)?;
        self.pending.whiteouts.insert(path.to_owned());
        match self.root.metadata(path) {
            Ok(there) if there.kind == FileKind::Directory => self.make_opaque(path),
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => {
                step(self.options, "mknod")?;
                Ok(self.root.mknod(path, Node::CharDevice(0, 0), 0)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn make_opaque(&mut self, path: &Path) -> Result<(), EntryError> {
        make_opaque(self.root, path, self.options, &mut self.pending)
    }

    /// Removes what is at a path, with all that is below it.
    fn remove(&mut self, path: &Path) -> Result<(), EntryError> {
        self.parent = None;
        self.root.remove_all(path)?;
        self.pending.forget(path);
        Ok(())
    }
}

/// See [`Unpacker::resolve`].
fn resolve(
    root: &Root,
    path: &Path,
    options: &UnpackOptions,
    pending: &mut Pending,
) -> Result<PathBuf, EntryError> {
    let mut real = PathBuf::new();
    let mut rest: VecDeque<OsString> = path.components().map(|part| part.as_os_str().to_owned()).collect();
    let mut hops = 0;
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            real.pop();
            continue;
        }
        let next = real.join(name);
        let there = match root.metadata(&next) {
            Err(error) if error.is_not_found() => None,
            other => Some(other?),
        };
        match there {
            Some(there) if there.kind == FileKind::Directory => real = next,
            Some(there) if there.kind == FileKind::Symlink => {
                hops += 1;
                if hops > HOPS {
                    return Err(EntryError::Loop);
                }
                let target = root.read_link(&next)?;
                if target.is_absolute() {
                    real.clear();
                }
                for part in target.components().rev() {
                    match part {
                        Component::Normal(name) => rest.push_front(name.to_owned()),
                        Component::ParentDir => rest.push_front("..".into()),
                        _ => {}
                    }
                }
            }
            Some(there) if !is_whiteout(&there) => return Err(EntryError::NotADirectory(next)),
            there => {
                if there.is_some() {
                    root.remove_file(&next)?;
                }
                step(options, "mkdir")?;
                root.create_dir(&next, MISSING_MODE)?;
                if there.is_some() {
                    make_opaque(root, &next, options, pending)?;
                }
                pending.remember(&next)?;
                pending.implicit.insert(next.clone());
                pending.directories.insert(next.clone(), (0, 0));
                real = next;
            }
        }
    }
    Ok(real)
}

fn make_opaque(
    root: &Root,
    path: &Path,
    options: &UnpackOptions,
    pending: &mut Pending,
) -> Result<(), EntryError> {
    if path.as_os_str().is_empty() {
        // Overlayfs does not look for the mark there; the layers below are left out instead.
        pending.opaque = true;
        return Ok(());
    }
    step(options, "setxattr")?;
    Ok(root.set_xattr(path, options.marks.opaque(), b"y")?)
}

/// The path without `.`, `..` and doubled or leading slashes; empty for the root.
fn normalized(path: &[u8], limits: &Limits) -> Result<PathBuf, EntryError> {
    if path.is_empty() || path.contains(&0) {
        return Err(EntryError::Path("file"));
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop().ok_or(EntryError::Escape)?;
            }
            _ if part.len() > limits.name => return Err(EntryError::Path("file: a name is too long")),
            _ => parts.push(part),
        }
    }
    Ok(parts.into_iter().map(OsStr::from_bytes).collect())
}

/// How overlayfs marks that something is taken away.
fn is_whiteout(there: &Metadata) -> bool {
    there.kind == FileKind::CharDevice && there.rdev == (0, 0)
}

fn step(options: &UnpackOptions, operation: &'static str) -> Result<(), EntryError> {
    options.faults.step(operation).map_err(io_error(operation))
}

fn io_error(operation: &'static str) -> impl Fn(io::Error) -> EntryError {
    move |source| EntryError::Io { operation, source }
}

/// What went wrong with an entry: itself, or the archive in the middle of it.
enum Failure {
    Entry(EntryError),
    Archive(TarError),
}

impl From<EntryError> for Failure {
    fn from(problem: EntryError) -> Self {
        Self::Entry(problem)
    }
}

#[cfg(test)]
mod stack;
#[cfg(test)]
mod tests;
