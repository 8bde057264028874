//! Owners, modes, times and extended attributes.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;

use orlop_fs::{FileKind, Metadata};
use rustix::fs::{Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};

use super::{EntryError, Ownership, UnpackOptions};
use crate::tar::Entry;

pub(super) fn attributes_of(entry: &Entry) -> Metadata {
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
pub(super) fn finish_file(
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

pub(super) fn allowed_xattrs<'a>(
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
pub(super) fn is_allowed_xattr(name: &[u8], options: &UnpackOptions) -> bool {
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
pub(super) fn tolerate(name: &OsStr, set: Result<(), EntryError>) -> Result<(), EntryError> {
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
