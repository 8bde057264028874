//! Directories of files that change all at once.

use std::collections::{BTreeMap, BTreeSet};

use orlop_fs::{FileKind, Root};

use super::ownership::{Ownership, apply};
use crate::runtime::VolumeFile;
use crate::volume::VolumeFiles;

/// The link to the directory that counts.
const DATA: &str = "..data";
/// The link while it is made.
const DATA_NEW: &str = "..data_tmp";
/// Longest path of a file in bytes.
const MAX_PATH: usize = 4096;
/// Longest part of a path in bytes.
const MAX_PART: usize = 255;
/// Deepest directory.
const MAX_DEPTH: usize = 64;
/// So many entries of a directory are looked at.
const MAX_ENTRIES: usize = 100_000;

/// Why the files could not be written. What was there is still there, whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum AtomicError {
    /// A path that a file must not have.
    #[error("invalid path {path:?}: {complaint}")]
    Path { path: String, complaint: &'static str },
    /// The kernel refused.
    #[error(transparent)]
    Fs(#[from] orlop_fs::Error),
}

/// Writes files into a directory so that whoever reads sees all old ones or all new ones: they are in a directory of
/// their own, which a link names; each top-level name in the directory is a link through that link. `stamp` makes the
/// name of the directory and must be new. Answers whether anything has changed.
///
/// It is kubelet's layout: `NAME → ..data/NAME`, `..data → ..STAMP`.
///
/// # Errors
/// A path is none, or the kernel refused.
pub(crate) fn write(
    root: &Root,
    files: &VolumeFiles,
    stamp: &str,
    ownership: &Ownership,
) -> Result<bool, AtomicError> {
    let files = checked(files)?;
    let old = match root.read_link(DATA) {
        Ok(old) => Some(old),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(error.into()),
    };
    let mut present = BTreeMap::new();
    if let Some(old) = &old {
        match root.sub(old) {
            Ok(dir) => list(&dir, "", 0, &mut present)?,
            // Somebody has removed it: everything is to be written anew.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        let same = present.len() == files.len()
            && files.iter().all(|(path, file)| {
                present.get(path) == Some(&(file.data.len() as u64))
                    && root
                        .read(old.join(path), file.data.len() as u64)
                        .is_ok_and(|content| content[..] == file.data[..])
            });
        if same {
            link_names(root, &files)?;
            return Ok(false);
        }
    }
    let dir = format!("..{stamp}");
    root.create_dir(&dir, 0o755)?;
    let done = fill(root, &dir, &files, ownership).and_then(|()| {
        match root.remove_file(DATA_NEW) {
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
        root.symlink(&dir, DATA_NEW)?;
        root.rename(DATA_NEW, DATA)
    });
    if let Err(error) = done {
        // The error tells more than one about the cleanup would.
        drop(root.remove_all(&dir));
        return Err(error.into());
    }
    link_names(root, &files)?;
    let wanted: BTreeSet<&str> = files.keys().map(|path| top(path)).collect();
    for stale in present.keys().map(|path| top(path)).filter(|name| !wanted.contains(name)) {
        match root.remove_file(stale) {
            Err(error) if !error.is_not_found() => return Err(error.into()),
            _ => {}
        }
    }
    if let Some(old) = old.filter(|old| old.as_os_str() != dir.as_str()) {
        root.remove_all(old)?;
    }
    Ok(true)
}

/// The first part of a path.
fn top(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn checked(files: &VolumeFiles) -> Result<BTreeMap<String, &VolumeFile>, AtomicError> {
    let mut checked = BTreeMap::new();
    for (path, file) in files {
        let wrong = |complaint| AtomicError::Path { path: path.to_string(), complaint };
        if path.is_empty() {
            return Err(wrong("must not be empty"));
        }
        if path.starts_with('/') {
            return Err(wrong("must be relative"));
        }
        if path.len() > MAX_PATH {
            return Err(wrong("must be less than or equal to 4096 characters"));
        }
        if path.contains('\0') {
            return Err(wrong("must not contain zero bytes"));
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if parts.is_empty() {
            return Err(wrong("must not be empty"));
        }
        if parts.contains(&"..") {
            return Err(wrong("must not contain '..'"));
        }
        if parts.iter().any(|part| part.len() > MAX_PART) {
            return Err(wrong("parts must be less than or equal to 255 characters"));
        }
        if parts[0].starts_with("..") {
            return Err(wrong("must not start with '..'"));
        }
        if parts.len() > MAX_DEPTH {
            return Err(wrong("is too deep"));
        }
        checked.insert(parts.join("/"), file);
    }
    Ok(checked)
}

/// Files below a directory with their sizes.
fn list(
    dir: &Root,
    prefix: &str,
    depth: usize,
    all: &mut BTreeMap<String, u64>,
) -> Result<(), orlop_fs::Error> {
    for entry in dir.read_dir(".", MAX_ENTRIES)? {
        let Some(name) = entry.name.to_str() else { continue };
        let path = format!("{prefix}{name}");
        match entry.kind {
            FileKind::Directory if depth < MAX_DEPTH => {
                list(&dir.sub(name)?, &format!("{path}/"), depth + 1, all)?;
            }
            FileKind::File => {
                all.insert(path, dir.metadata(name)?.size);
            }
            _ => {}
        }
    }
    Ok(())
}

fn fill(
    root: &Root,
    dir: &str,
    files: &BTreeMap<String, &VolumeFile>,
    ownership: &Ownership,
) -> Result<(), orlop_fs::Error> {
    use std::io::Write as _;
    let inside = root.sub(dir)?;
    for (path, file) in files {
        if let Some((parent, _)) = path.rsplit_once('/') {
            inside.create_dir_all(parent, 0o755)?;
        }
        let mut made = inside.create_new(path, file.mode & 0o7777)?;
        made.write_all(&file.data).map_err(|source| orlop_fs::Error::Kernel {
            operation: "write",
            path: path.into(),
            source,
        })?;
        if let Some(user) = file.user.and_then(|user| u32::try_from(user).ok()) {
            inside.set_owner(path, user, u32::MAX)?;
            // The kernel drops set-uid and set-gid with a new owner.
            inside.set_mode(path, file.mode & 0o7777)?;
        }
    }
    apply(&inside, ownership)
}

/// Makes the links of top-level names that are missing.
fn link_names(root: &Root, files: &BTreeMap<String, &VolumeFile>) -> Result<(), orlop_fs::Error> {
    let names: BTreeSet<&str> = files.keys().map(|path| top(path)).collect();
    for name in names {
        match root.symlink(format!("{DATA}/{name}"), name) {
            Err(error) if !error.is_exists() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::scratch::Scratch;

    fn files(list: &[(&str, &str)]) -> VolumeFiles {
        list.iter()
            .map(|(path, text)| {
                let file = VolumeFile { mode: 0o640, data: text.as_bytes().into(), user: None };
                ((*path).into(), file)
            })
            .collect()
    }

    #[test]
    fn files_change_at_once_and_leave_nothing() {
        let scratch = Scratch::new("atomic");
        let root = Root::open(scratch.path()).unwrap();
        let none = Ownership::default();
        assert!(write(&root, &files(&[("a", "1"), ("d/b", "2"), ("d/e/c", "")]), "1", &none).unwrap());
        assert_eq!(root.read_link("..data").unwrap().to_str(), Some("..1"));
        assert_eq!(root.read_link("a").unwrap().to_str(), Some("..data/a"));
        assert_eq!(
            (root.read("d/b", 9).unwrap(), root.metadata("..1/a").unwrap().mode),
            (b"2".to_vec(), 0o640)
        );

        assert!(!write(&root, &files(&[("a", "1"), ("d/b", "2"), ("d/e/c", "")]), "2", &none).unwrap());
        assert!(!root.exists("..2").unwrap());

        assert!(write(&root, &files(&[("a", "other"), ("x", "3")]), "3", &none).unwrap());
        let mut names: Vec<String> = root
            .read_dir(".", 99)
            .unwrap()
            .into_iter()
            .map(|entry| entry.name.into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["..3", "..data", "a", "x"]);
        assert_eq!(root.read("a", 9).unwrap(), b"other");
    }

    /// CVE-2017-1002102: links that somebody has put in the place of the layout's own.
    #[test]
    fn links_to_elsewhere_remove_nothing() {
        let scratch = Scratch::new("atomic");
        let victim = scratch.path().join("victim");
        std::fs::create_dir(&victim).unwrap();
        std::fs::write(victim.join("a"), "precious").unwrap();
        let none = Ownership::default();
        for target in ["../victim", "../victim/.", victim.to_str().unwrap()] {
            let place = scratch.path().join("volume");
            std::fs::create_dir(&place).unwrap();
            let root = Root::open(&place).unwrap();
            write(&root, &files(&[("a", "1")]), "1", &none).unwrap();
            root.remove_file("..data").unwrap();
            root.symlink(target, "..data").unwrap();
            // Whether it is made up for or refused: nothing outside is touched.
            drop(write(&root, &files(&[("a", "2")]), "2", &none));
            assert_eq!(std::fs::read_to_string(victim.join("a")).unwrap(), "precious", "{target}");
            assert_eq!(std::fs::read_dir(&victim).unwrap().count(), 1, "{target}");
            drop(root);
            std::fs::remove_dir_all(&place).unwrap();
        }
    }

    #[test]
    fn a_failure_leaves_what_was_there() {
        let scratch = Scratch::new("atomic");
        let root = Root::open(scratch.path()).unwrap();
        let none = Ownership::default();
        write(&root, &files(&[("a", "1")]), "1", &none).unwrap();
        // A file and a directory of one name cannot both be made.
        assert!(write(&root, &files(&[("a", "2"), ("a/b", "2")]), "2", &none).is_err());
        assert_eq!(root.read("a", 9).unwrap(), b"1");
        assert!(!root.exists("..2").unwrap());
        for path in ["/a", "../a", "a/../b", "..a", "", &"x".repeat(256)] {
            assert!(matches!(
                write(&root, &files(&[(path, "2")]), "3", &none),
                Err(AtomicError::Path { .. })
            ));
        }
    }
}
