//! Unpacking one layer into a directory of its own, in the form that overlayfs takes.
//!
//! A layer is a tar archive of changes (image specification, `layer.md`). Names that begin with `.wh.` take away what
//! lies below; they become overlayfs' own marks. Everything is resolved inside the directory by descriptor, and nothing in
//! an archive is believed: not its sizes, not its names, not that a directory is still the one it was.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use orlop_fs::{FileKind, Metadata, Node, Root, Times};
use rustix::fs::{Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};

use crate::compression::Decoder;
use crate::digest::Hasher;
use crate::faults::Faults;
use crate::limits::RATIO_FROM;
use crate::tar::{Archive, Entry, Kind};
use crate::{Algorithm, Digest, Limits, TarError};

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

/// Why a layer cannot be unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// The archive is wrong as such.
    #[error(transparent)]
    Archive(#[from] TarError),
    /// An entry is wrong, or cannot be made.
    #[error("{}: {problem}", path.display())]
    Entry {
        /// Its path, as it stands in the archive.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: EntryError,
    },
    /// It became too large for what it was.
    #[error("grows to more than {ratio} times its size")]
    Ratio {
        /// How many times as large it may become.
        ratio: u64,
    },
    /// It is not the layer that the configuration of the image names.
    #[error("is {found} when decompressed, not {wanted}")]
    DiffId {
        /// The digest in the configuration.
        wanted: Digest,
        /// The digest of what was decompressed.
        found: Digest,
    },
}

/// What is wrong with an entry of a layer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Its path leads out of the image.
    #[error("leads out of the image")]
    Escape,
    /// Its path is empty or has a NUL in it, a name in it is too long, or it is the root and no directory.
    #[error("is no path for a {0}")]
    Path(&'static str),
    /// The name after `.wh.` is none.
    #[error("takes away nothing that has a name")]
    Whiteout,
    /// Something in front of its last name is no directory.
    #[error("{} is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// Symbolic links in front of its last name lead round in a circle.
    #[error("too many symbolic links")]
    Loop,
    /// What a hard link is to be a second name of isn't in the image, or is a directory.
    #[error("hard link to {}, which is {problem}", target.display())]
    HardLink {
        /// Where it points to.
        target: PathBuf,
        /// What is wrong there.
        problem: &'static str,
    },
    /// It is a device, and these are refused.
    #[error("device {0}:{1}")]
    Device(u32, u32),
    /// The kernel refuses.
    #[error(transparent)]
    File(#[from] orlop_fs::Error),
    /// The kernel refuses.
    #[error("{operation}: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Its answer.
        #[source]
        source: io::Error,
    },
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
    let (unpacked, pending) = unpack(layer, root, options)?;
    pending.finish(root, below, options)?;
    Ok(unpacked)
}

/// The first half of [`unpack_layer`], which needs nothing of the layers below.
pub(crate) fn unpack(
    layer: impl BufRead,
    root: &Root,
    options: &UnpackOptions,
) -> Result<(Unpacked, Pending), LayerError> {
    let limits = &options.limits;
    let counted = Counted { source: layer, bytes: 0 };
    let decoder = Decoder::new(counted, limits.window).map_err(TarError::Io)?;
    let hashed = Hashed {
        source: decoder,
        hasher: Hasher::new(Algorithm::Sha256),
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
        } else if self.bytes > RATIO_FROM && self.bytes / self.ratio > compressed {
            self.exceeded = Some(Exceeded::Ratio);
        }
        if self.exceeded.is_some() {
            return Err(io::Error::other("more than is allowed"));
        }
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// What can only be done when the layers below are there, or at the end.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// The directories of the layer and the times they are to have.
    directories: BTreeMap<PathBuf, (i64, u32)>,
    /// Those that the layer doesn't have itself, but has something in.
    implicit: BTreeSet<PathBuf>,
    /// Hard links whose target isn't in the layer: path and target.
    links: Vec<(PathBuf, PathBuf)>,
    /// What the layer takes away, whether it has something in its place or not.
    whiteouts: BTreeSet<PathBuf>,
    /// Directories of which nothing below shows, but they themselves.
    opaques: BTreeSet<PathBuf>,
    /// Whether everything below is hidden.
    opaque: bool,
    /// Bytes of all the paths in here.
    bytes: u64,
}

/// Bytes of paths that are remembered for the end.
const REMEMBERED: u64 = 256 << 20;
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
                self.pending.links.push((path.to_owned(), target));
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

impl Pending {
    fn remember(&mut self, path: &Path) -> Result<(), EntryError> {
        self.bytes += path.as_os_str().len() as u64 + 64;
        if self.bytes > REMEMBERED {
            let source = io::Error::other(format!("more than {REMEMBERED} bytes of names of directories"));
            return Err(EntryError::Io { operation: "remember", source });
        }
        Ok(())
    }

    /// Forgets a path and all below it.
    fn forget(&mut self, path: &Path) {
        let below = |candidate: &PathBuf| candidate.starts_with(path);
        let gone: Vec<PathBuf> = self
            .directories
            .range(path.to_owned()..)
            .map(|(path, _)| path)
            .take_while(|path| below(path))
            .cloned()
            .collect();
        for path in gone {
            self.directories.remove(&path);
            self.implicit.remove(&path);
        }
        self.links.retain(|(link, _)| !below(link));
    }

    /// The second half of [`unpack_layer`].
    pub(crate) fn finish(
        mut self,
        root: &Root,
        below: &[&Root],
        options: &UnpackOptions,
    ) -> Result<(), LayerError> {
        let below: &[&Root] = if self.opaque { &[] } else { below };
        for (path, target) in std::mem::take(&mut self.links) {
            self.link(root, below, &path, &target, options)
                .map_err(|problem| LayerError::Entry { path, problem })?;
        }
        for path in self.whiteouts.union(&self.opaques).cloned().collect::<Vec<_>>() {
            self.settle(root, below, &path, options)
                .map_err(|problem| LayerError::Entry { path, problem })?;
        }
        for path in std::mem::take(&mut self.implicit) {
            self.inherit(root, below, &path, options)
                .map_err(|problem| LayerError::Entry { path, problem })?;
        }
        for (path, modified) in &self.directories {
            let times = Times { accessed: *modified, modified: *modified };
            root.set_times(path, times)
                .map_err(|error| LayerError::Entry { path: path.clone(), problem: error.into() })?;
        }
        Ok(())
    }

    /// Removes a mark that takes nothing away: in a directory that isn't merged with one below, overlayfs would list it as
    /// a file that cannot be found. A directory that came into its place in the end shows nothing of what lies below.
    fn settle(
        &mut self,
        root: &Root,
        below: &[&Root],
        path: &Path,
        options: &UnpackOptions,
    ) -> Result<(), EntryError> {
        match root.metadata(path) {
            Ok(there) if there.kind == FileKind::Directory && !path.as_os_str().is_empty() => {
                make_opaque(root, path, options, self)
            }
            Ok(there) if is_whiteout(&there) => {
                if hidden_within(root, path, options)? || find_below(below, path, options)?.is_none() {
                    root.remove_file(path)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A hard link to something that was not in the layer when it came: it comes later, or it lies below, and then a copy
    /// of it is made here, as overlayfs would.
    fn link(
        &mut self,
        root: &Root,
        below: &[&Root],
        path: &Path,
        target: &Path,
        options: &UnpackOptions,
    ) -> Result<(), EntryError> {
        if root.exists(path)? {
            return Ok(());
        }
        let missing = || EntryError::HardLink { target: target.to_owned(), problem: "not in the image" };
        match root.metadata(target) {
            Ok(there) if is_whiteout(&there) => return Err(missing()),
            Ok(_) => {}
            Err(_) => {
                if hidden_within(root, target, options)? {
                    return Err(missing());
                }
                let (layer, there) = find_below(below, target, options)?.ok_or_else(missing)?;
                let parent = resolve(root, target.parent().unwrap_or(Path::new("")), options, self)?;
                let copy = parent.join(target.file_name().unwrap_or_default());
                copy_up(layer, target, &there, root, &copy, options)?;
            }
        }
        step(options, "link")?;
        match root.hard_link(target, path) {
            Err(error) if !error.is_not_found() && root.metadata(target)?.kind == FileKind::Directory => {
                Err(EntryError::HardLink { target: target.to_owned(), problem: "a directory" })
            }
            other => Ok(other?),
        }
    }

    /// Gives a directory that the layer doesn't have itself the attributes of the one below.
    fn inherit(
        &mut self,
        root: &Root,
        below: &[&Root],
        path: &Path,
        options: &UnpackOptions,
    ) -> Result<(), EntryError> {
        if self.whiteouts.contains(path) || hidden_within(root, path, options)? {
            return Ok(());
        }
        let Some((layer, there)) = find_below(below, path, options)? else { return Ok(()) };
        if there.kind != FileKind::Directory {
            return Ok(());
        }
        let (from, to) = (layer.handle_no_links(path)?, root.handle_no_links(path)?);
        if options.ownership == Ownership::Keep {
            to.set_owner(there.uid, there.gid)?;
        }
        to.set_mode(there.mode)?;
        for name in from.xattrs()? {
            if is_allowed_xattr(name.as_bytes(), options)
                && let Some(value) = from.xattr(&name)?
            {
                tolerate(&name, to.set_xattr(&name, &value).map_err(EntryError::from))?;
            }
        }
        self.directories.insert(path.to_owned(), there.modified);
        Ok(())
    }
}

/// Whether something in front of the last name is marked so that nothing below shows through.
fn hidden_within(root: &Root, path: &Path, options: &UnpackOptions) -> Result<bool, EntryError> {
    for ancestor in path.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()) {
        match root.metadata(ancestor) {
            Ok(there) if there.kind != FileKind::Directory => return Ok(true),
            Ok(_) if is_opaque(root, ancestor, options)? => return Ok(true),
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            // Something in front of it is no directory.
            Err(_) => return Ok(true),
        }
    }
    Ok(false)
}

fn is_opaque(root: &Root, path: &Path, options: &UnpackOptions) -> Result<bool, EntryError> {
    let handle = root.handle(path, false)?;
    Ok(handle.xattr(options.marks.opaque())?.is_some_and(|value| value == b"y"))
}

/// What shows at a path through the layers below, the nearest first.
pub(crate) fn find_below<'a>(
    below: &[&'a Root],
    path: &Path,
    options: &UnpackOptions,
) -> Result<Option<(&'a Root, Metadata)>, EntryError> {
    for layer in below {
        match layer.handle_no_links(path) {
            Ok(handle) => {
                let there = handle.metadata()?;
                return Ok((!is_whiteout(&there)).then_some((layer, there)));
            }
            Err(error) if error.is_not_found() => {
                if hidden_within(layer, path, options)? {
                    return Ok(None);
                }
            }
            // A link at the very end is something that is there. One on the way leads elsewhere, and a file on the way,
            // or a mark, has nothing below it.
            Err(_) => {
                let parent = layer.handle_no_links(path.parent().unwrap_or(Path::new("")));
                return match parent.and_then(|parent| parent.metadata()) {
                    Ok(parent) if parent.kind == FileKind::Directory => {
                        Ok(Some((*layer, layer.metadata(path)?)))
                    }
                    _ => Ok(None),
                };
            }
        }
    }
    Ok(None)
}

/// Copies a file or a link out of a layer below.
fn copy_up(
    layer: &Root,
    from: &Path,
    there: &Metadata,
    root: &Root,
    to: &Path,
    options: &UnpackOptions,
) -> Result<(), EntryError> {
    step(options, "copy")?;
    match there.kind {
        FileKind::File => {
            let mut source = layer.open_file(from)?;
            let mut file = root.create_new(to, 0o600)?;
            io::copy(&mut source, &mut file).map_err(io_error("copy"))?;
            let handle = layer.handle_no_links(from)?;
            let mut xattrs = Vec::new();
            for name in handle.xattrs()? {
                if let Some(value) = handle.xattr(&name)? {
                    xattrs.push((name.into_vec(), value));
                }
            }
            finish_file(&file, there, &xattrs, options)
        }
        FileKind::Symlink => {
            root.symlink(layer.read_link(from)?, to)?;
            let handle = root.handle(to, false)?;
            if options.ownership == Ownership::Keep {
                handle.set_owner(there.uid, there.gid)?;
            }
            Ok(handle.set_times(Times { accessed: there.modified, modified: there.modified })?)
        }
        FileKind::Directory => Err(EntryError::HardLink { target: from.to_owned(), problem: "a directory" }),
        _ => Err(EntryError::HardLink { target: from.to_owned(), problem: "neither a file nor a link" }),
    }
}

fn attributes_of(entry: &Entry) -> Metadata {
    Metadata {
        kind: FileKind::File,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        size: entry.size,
        links: 1,
        device: 0,
        inode: 0,
        rdev: (0, 0),
        modified: entry.modified,
        blocks: 0,
    }
}

/// Owner first, since it clears set-uid bits and file capabilities; times last.
fn finish_file(
    file: &File,
    attributes: &Metadata,
    xattrs: &[(Vec<u8>, Vec<u8>)],
    options: &UnpackOptions,
) -> Result<(), EntryError> {
    let failed =
        |operation| move |error: rustix::io::Errno| EntryError::Io { operation, source: error.into() };
    if options.ownership == Ownership::Keep {
        let (uid, gid) = (Uid::from_raw(attributes.uid), Gid::from_raw(attributes.gid));
        rustix::fs::fchown(file, Some(uid), Some(gid)).map_err(failed("chown"))?;
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(attributes.mode & 0o7777)).map_err(failed("chmod"))?;
    for (name, value) in allowed_xattrs(xattrs, options) {
        let set = rustix::fs::fsetxattr(file, name, value, XattrFlags::empty());
        tolerate(name, set.map_err(failed("setxattr")))?;
    }
    let (seconds, nanos) = attributes.modified;
    let moment = Timespec { tv_sec: seconds, tv_nsec: nanos.into() };
    let times = Timestamps { last_access: moment, last_modification: moment };
    rustix::fs::futimens(file, &times).map_err(failed("utimens"))
}

fn allowed_xattrs<'a>(
    xattrs: &'a [(Vec<u8>, Vec<u8>)],
    options: &UnpackOptions,
) -> impl Iterator<Item = (&'a OsStr, &'a [u8])> {
    xattrs
        .iter()
        .filter(|(name, _)| is_allowed_xattr(name, options))
        .map(|(name, value)| (OsStr::from_bytes(name), &value[..]))
}

/// Attributes that a layer may set: users' own, access lists and file capabilities. Those that steer overlayfs or the
/// machine's security are never taken from an image.
fn is_allowed_xattr(name: &[u8], options: &UnpackOptions) -> bool {
    match name {
        b"security.capability" => options.ownership == Ownership::Keep,
        b"system.posix_acl_access" | b"system.posix_acl_default" => true,
        _ if name.contains(&0) => false,
        _ => {
            name.strip_prefix(b"user.").is_some_and(|rest| !rest.is_empty() && !rest.starts_with(b"overlay."))
        }
    }
}

/// A file system without an attribute, or a process without the right to set it, is no reason to refuse an image.
fn tolerate(name: &OsStr, set: Result<(), EntryError>) -> Result<(), EntryError> {
    let code = match &set {
        Err(EntryError::Io { source, .. }) => source.raw_os_error(),
        Err(EntryError::File(error)) => error.raw_os_error(),
        _ => None,
    };
    let tolerable = [rustix::io::Errno::OPNOTSUPP, rustix::io::Errno::PERM, rustix::io::Errno::INVAL];
    if tolerable.iter().any(|errno| code == Some(errno.raw_os_error())) {
        tracing::debug!(attribute = %name.display(), "extended attribute left out");
        return Ok(());
    }
    set
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
