//! What of a layer can only be done when the layers below are there, or at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Bound;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use orlop_fs::{FileKind, Metadata, Root, Times};

use super::attributes::{finish_file, is_allowed_xattr, tolerate};
use super::{
    EntryError, LayerError, Ownership, UnpackOptions, io_error, is_whiteout, make_opaque, resolve, step,
};

/// Bytes of paths that are remembered for the end.
const REMEMBERED: u64 = 256 << 20;

/// What can only be done when the layers below are there, or at the end.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// The directories of the layer and the times they are to have.
    pub(super) directories: BTreeMap<PathBuf, (i64, u32)>,
    /// Those that the layer doesn't have itself, but has something in.
    pub(super) implicit: BTreeSet<PathBuf>,
    /// Hard links whose target isn't in the layer, each with its number: one may lead to another before it.
    links: BTreeMap<PathBuf, (u64, PathBuf)>,
    /// The number of the next one.
    next_link: u64,
    /// What the layer takes away, whether it has something in its place or not.
    pub(super) whiteouts: BTreeSet<PathBuf>,
    /// Directories of which nothing below shows, but they themselves.
    pub(super) opaques: BTreeSet<PathBuf>,
    /// Whether everything below is hidden.
    pub(super) opaque: bool,
    /// Bytes of all the paths in here.
    bytes: u64,
}

impl Pending {
    pub(super) fn remember(&mut self, path: &Path) -> Result<(), EntryError> {
        self.bytes += path.as_os_str().len() as u64 + 64;
        if self.bytes > REMEMBERED {
            let source = io::Error::other(format!("more than {REMEMBERED} bytes of names of directories"));
            return Err(EntryError::Io { operation: "remember", source });
        }
        Ok(())
    }

    /// Makes a hard link when the layers below are there.
    pub(super) fn link_later(&mut self, path: &Path, target: PathBuf) {
        self.links.insert(path.to_owned(), (self.next_link, target));
        self.next_link += 1;
    }

    /// Forgets a path and all below it.
    pub(super) fn forget(&mut self, path: &Path) {
        for gone in within(&self.directories, path) {
            self.directories.remove(&gone);
            self.implicit.remove(&gone);
        }
        for gone in within(&self.links, path) {
            self.links.remove(&gone);
        }
    }

    /// The second half of [`unpack_layer`].
    pub(crate) fn finish(
        mut self,
        root: &Root,
        below: &[&Root],
        options: &UnpackOptions,
    ) -> Result<(), LayerError> {
        let below: &[&Root] = if self.opaque { &[] } else { below };
        let mut links: Vec<_> = std::mem::take(&mut self.links).into_iter().collect();
        links.sort_unstable_by_key(|(_, (number, _))| *number);
        for (path, (_, target)) in links {
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

/// The keys that are a path or below it: they stand together, and nothing else is looked at.
fn within<T>(all: &BTreeMap<PathBuf, T>, path: &Path) -> Vec<PathBuf> {
    let from_there = all.range::<Path, _>((Bound::Included(path), Bound::Unbounded)).map(|(key, _)| key);
    from_there.take_while(|key| key.starts_with(path)).cloned().collect()
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

pub(super) fn is_opaque(root: &Root, path: &Path, options: &UnpackOptions) -> Result<bool, EntryError> {
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
