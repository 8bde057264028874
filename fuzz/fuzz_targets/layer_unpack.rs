//! Unpacking layers: whatever an archive holds, nothing outside of its directory is touched, and nothing panics.
//!
//! The first byte says whether the rest is an archive as it is, or a program: entries with kind, mode, path, target and
//! content, of which an archive with right checksums is made.

#![no_main]

use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use orlop_fs::Root;
use orlop_image::{Devices, Marks, Ownership, UnpackOptions, unpack_layer};

/// Names that mean something, so that they need not be found letter by letter.
const NAMES: [&str; 14] = [
    "a",
    "b",
    "a/b",
    "a/b/c",
    "..",
    "../outside",
    "/",
    "a/..",
    "../outside/secret",
    ".wh.a",
    ".wh..wh..opq",
    "b/.wh.c",
    "a/.wh..wh..opq",
    "../../../../../../tmp",
];

struct Program<'a>(std::slice::Iter<'a, u8>);

impl Program<'_> {
    fn next(&mut self) -> Option<u8> {
        self.0.next().copied()
    }

    fn name(&mut self) -> Option<Vec<u8>> {
        let choice = self.next()?;
        if let Some(name) = NAMES.get(usize::from(choice)) {
            return Some(name.as_bytes().to_vec());
        }
        Some(self.0.by_ref().take(usize::from(choice % 16)).copied().collect())
    }
}

fn archive(bytes: &[u8]) -> Vec<u8> {
    let mut program = Program(bytes.iter());
    let mut out = Vec::new();
    let mut entry = || -> Option<()> {
        let (kind, mode) = (program.next()?, program.next()?);
        let (path, target) = (program.name()?, program.name()?);
        let kind = b"0123456S5210xLKg"[usize::from(kind % 16)];
        let content =
            if matches!(kind, b'0' | b'x' | b'L' | b'K' | b'g') { program.name()? } else { Vec::new() };
        let mut header = tar::Header::new_gnu();
        let old = header.as_old_mut();
        old.name[..path.len()].copy_from_slice(&path);
        old.linkname[..target.len()].copy_from_slice(&target);
        old.linkflag[0] = kind;
        header.set_mode(u32::from(mode) << 4);
        header.set_uid(u64::from(mode));
        header.set_gid(0);
        header.set_mtime(u64::from(mode));
        header.set_size(content.len() as u64);
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&content);
        out.resize(out.len().next_multiple_of(512), 0);
        Some(())
    };
    while entry().is_some() {}
    out.resize(out.len() + 1024, 0);
    out
}

/// A place with something to protect, removed at the end.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn directory(path: &Path) -> Root {
    std::fs::create_dir(path).expect("a directory");
    Root::open(path).expect("it is there")
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let place = Place(std::env::temp_dir().join(format!("orlop-fuzz-layer-{}", std::process::id())));
    let _ = std::fs::remove_dir_all(&place.0);
    drop(directory(&place.0));
    drop(directory(&place.0.join("outside")));
    std::fs::write(place.0.join("outside/secret"), "untouched").expect("a file");
    let (layer, below) = (directory(&place.0.join("layer")), directory(&place.0.join("below")));
    below.write("b", b"below", 0o644).expect("a file");

    let mut options = UnpackOptions::default();
    options.devices = Devices::Skip;
    options.ownership = Ownership::Ignore;
    options.marks = Marks::User;
    options.limits.layer = 1 << 20;
    options.limits.entries = 200;
    options.limits.window = 1 << 20;
    let archive = if first % 2 == 0 { rest.to_vec() } else { archive(rest) };
    let _ = unpack_layer(&archive[..], &layer, &[&below], &options);

    let mut names: Vec<_> = std::fs::read_dir(&place.0)
        .expect("it is there")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["below", "layer", "outside"]);
    assert_eq!(std::fs::read_dir(place.0.join("outside")).expect("it is there").count(), 1);
    assert_eq!(std::fs::read_to_string(place.0.join("outside/secret")).expect("it is there"), "untouched");
    assert_eq!(std::fs::read_to_string(place.0.join("below/b")).expect("it is there"), "below");
});
