//! Removing a tree: by descriptors, without following links, without leaving the mount, however deep it is.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// How many directories are held open at once. What lies deeper is first moved up to the top of the tree, so that a
/// tree of any depth needs no more descriptors and no more stack than that.
const DEPTH: usize = 48;

/// How many names are read at once, so that a directory of millions takes no more memory than one of these.
const NAMES: usize = 1_024;

/// Removes what has this name in a directory. Nothing there is no error.
pub(crate) fn all(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // POSIX lets a system answer PERM for a directory, and so does a file system that may not be written.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    contents(parent, name)?;
    gone(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR))
}

/// Removes what is in the directory of this name. None there is no error.
pub(crate) fn contents(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    match directory(parent, name)? {
        Some(top) => empty(&top, &top, 0, &mut 0),
        None => Ok(()),
    }
}

/// Removes what is in a directory; what is too deep is moved into `top` under a new name and counted.
fn empty(dir: &OwnedFd, top: &OwnedFd, depth: usize, moved: &mut u64) -> Result<(), Errno> {
    loop {
        let before = *moved;
        let names = names(dir)?;
        let all = names.len() < NAMES;
        remove(names, dir, top, depth, moved)?;
        // What was moved to the top is read there the next time.
        if all && *moved == before {
            return Ok(());
        }
    }
}

/// Some names of a directory, each with its kind: removing while reading may pass over entries on some file systems.
fn names(dir: &OwnedFd) -> Result<Vec<(OsString, FileType)>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push((OsString::from_vec(name.to_vec()), entry.file_type()));
        }
        if names.len() == NAMES {
            break;
        }
    }
    Ok(names)
}

fn remove(
    names: Vec<(OsString, FileType)>,
    dir: &OwnedFd,
    top: &OwnedFd,
    depth: usize,
    moved: &mut u64,
) -> Result<(), Errno> {
    for (name, kind) in names {
        if kind != FileType::Directory {
            match rustix::fs::unlinkat(dir, &name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => continue,
                Err(Errno::ISDIR) => {}
                Err(error) => return Err(error),
            }
        }
        // Most directories are empty by now or were so from the beginning.
        match rustix::fs::unlinkat(dir, &name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => continue,
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
        let Some(inner) = directory(dir.as_fd(), &name)? else { continue };
        if depth >= DEPTH {
            loop {
                *moved += 1;
                match rustix::fs::renameat(dir, &name, top, format!(".orlop-removed-{moved}")) {
                    // Something else has the name: whoever made the tree may have known.
                    Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
                    other => break other?,
                }
            }
            continue;
        }
        empty(&inner, top, depth + 1, moved)?;
        gone(rustix::fs::unlinkat(dir, &name, AtFlags::REMOVEDIR))?;
    }
    Ok(())
}

/// Opens a directory that is none of: a link, on another mount.
fn directory(parent: BorrowedFd<'_>, name: &OsStr) -> Result<Option<OwnedFd>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    loop {
        match rustix::fs::openat2(parent, name, flags, Mode::empty(), resolve) {
            Ok(fd) => return Ok(Some(fd)),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

fn gone(result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}
