//! Whose the files of a volume are: the pod's `fsGroup`.

use orlop_fs::{FileKind, Root};

/// So many entries of a directory are looked at.
const MAX_ENTRIES: usize = 1_000_000;
/// Deepest directory.
const MAX_DEPTH: usize = 256;

/// What a pod asks for its volumes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ownership {
    /// The group that every file gets; `None`: all stay as they are.
    pub(crate) group: Option<u32>,
    /// The volume can only be read.
    pub(crate) read_only: bool,
}

/// The permission bits of a file that is a group's: what its owner may read (and write), the group may too;
/// directories pass the group on.
pub(crate) fn mode_for_group(mode: u32, directory: bool, read_only: bool) -> u32 {
    let for_all = if read_only { 0o440 } else { 0o660 };
    mode | for_all | if directory { 0o2110 } else { 0 }
}

/// Gives a directory and all below it to the group. Links get the group, but no mode.
///
/// # Errors
/// If the kernel refuses; what was changed before stays changed.
pub(crate) fn apply(root: &Root, ownership: &Ownership) -> Result<(), orlop_fs::Error> {
    let Some(group) = ownership.group else {
        return Ok(());
    };
    below(root, group, ownership.read_only, 0)
}

fn below(dir: &Root, group: u32, read_only: bool, depth: usize) -> Result<(), orlop_fs::Error> {
    for entry in dir.read_dir(".", MAX_ENTRIES)? {
        if entry.kind == FileKind::Directory && depth < MAX_DEPTH {
            below(&dir.sub(&entry.name)?, group, read_only, depth + 1)?;
            continue;
        }
        let file = dir.handle(&entry.name, false)?;
        file.set_owner(u32::MAX, group)?;
        let present = file.metadata()?;
        if present.kind != FileKind::Symlink {
            file.set_mode(mode_for_group(present.mode, false, read_only))?;
        }
    }
    let own = dir.handle(".", true)?;
    own.set_owner(u32::MAX, group)?;
    own.set_mode(mode_for_group(own.metadata()?.mode, true, read_only))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::scratch::Scratch;

    #[test]
    fn modes() {
        assert_eq!(mode_for_group(0o600, false, false), 0o660);
        assert_eq!(mode_for_group(0o400, false, true), 0o440);
        assert_eq!(mode_for_group(0o755, true, false), 0o2775);
    }

    #[test]
    fn all_below_gets_the_group() {
        let scratch = Scratch::new("group");
        let root = Root::open(scratch.path()).unwrap();
        root.create_dir_all("a/b", 0o700).unwrap();
        root.write("a/b/file", b"x", 0o600).unwrap();
        root.symlink("/etc/passwd", "a/link").unwrap();
        // One's own group can be given to one's own files by anybody.
        let group = rustix::process::getegid().as_raw();
        apply(&root, &Ownership { group: Some(group), read_only: false }).unwrap();
        assert_eq!(root.metadata("a/b/file").unwrap().mode & 0o777, 0o660);
        assert_eq!(root.metadata("a").unwrap().mode & 0o7770, 0o2770);
    }
}
