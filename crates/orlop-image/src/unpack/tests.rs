use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::tar::write;

/// A layer's directory beside which there is something to protect.
pub(super) struct Place(PathBuf);

impl Place {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let outer = std::env::temp_dir().join(format!("orlop-image-unpack-{}-{count}", std::process::id()));
        std::fs::create_dir_all(outer.join("outside")).unwrap();
        std::fs::write(outer.join("outside/secret"), "untouched").unwrap();
        Self(outer)
    }

    /// The directory of a layer.
    pub(super) fn layer(&self, name: &str) -> (PathBuf, Root) {
        let path = self.0.join(name);
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let root = Root::open(&path).unwrap();
        (path, root)
    }

    fn outside_is_untouched(&self) {
        let outside = self.0.join("outside");
        let names: Vec<_> =
            std::fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["secret"]);
        let secret = outside.join("secret");
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), "untouched");
        let there = std::fs::metadata(&secret).unwrap();
        assert_eq!((there.mode() & 0o7777, there.nlink()), (0o644, 1));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether this process may make devices and set `trusted` attributes.
#[allow(clippy::print_stdout, reason = "what is passed over is said aloud")]
pub(super) fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        assert_ne!(std::env::var("ORLOP_REQUIRE").as_deref(), Ok("all"), "this needs root");
        println!("skipped: needs root");
    }
    root
}

pub(super) fn entry(kind: Kind, path: &str) -> Entry {
    Entry {
        kind,
        path: path.into(),
        link: Vec::new(),
        mode: if kind == Kind::Directory { 0o755 } else { 0o644 },
        uid: 0,
        gid: 0,
        modified: (1_000_000_000, 0),
        size: 0,
        device: (0, 0),
        xattrs: Vec::new(),
    }
}

/// Entries and their contents, as a tar archive.
#[derive(Clone, Default)]
pub(super) struct Layer(Vec<u8>);

impl Layer {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn with(mut self, entry: Entry, content: &[u8]) -> Self {
        let entry = Entry { size: content.len() as u64, ..entry };
        self.0.extend(write::headers(&entry));
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(write::padding(content.len() as u64));
        self
    }

    fn directory(self, path: &str) -> Self {
        self.with(entry(Kind::Directory, path), b"")
    }

    pub(super) fn file(self, path: &str, content: &str) -> Self {
        self.with(entry(Kind::File, path), content.as_bytes())
    }

    pub(super) fn symlink(self, path: &str, target: &str) -> Self {
        self.with(Entry { link: target.into(), ..entry(Kind::Symlink, path) }, b"")
    }

    fn hard_link(self, path: &str, target: &str) -> Self {
        self.with(Entry { link: target.into(), ..entry(Kind::HardLink, path) }, b"")
    }

    fn bytes(&self) -> Vec<u8> {
        [&self.0[..], write::END].concat()
    }

    pub(super) fn unpack_with(
        &self,
        root: &Root,
        below: &[&Root],
        options: &UnpackOptions,
    ) -> Result<Unpacked, LayerError> {
        unpack_layer(&self.bytes()[..], root, below, options)
    }

    fn unpack(&self, root: &Root, below: &[&Root]) -> Result<Unpacked, LayerError> {
        self.unpack_with(root, below, &options())
    }
}

pub(super) fn options() -> UnpackOptions {
    let mut options = UnpackOptions::default();
    if !rustix::process::geteuid().is_root() {
        options.ownership = Ownership::Ignore;
        options.marks = Marks::User;
    }
    options
}

fn problem(outcome: Result<Unpacked, LayerError>) -> EntryError {
    match outcome {
        Err(LayerError::Entry { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

fn whiteout_at(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_char_device() && there.rdev() == 0)
}

fn opaque_at(root: &Root, path: &str) -> bool {
    pending::is_opaque(root, Path::new(path), &options()).unwrap()
}

#[test]
fn attributes_are_those_of_the_layer() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let (path, root) = place.layer("l");
    let mut program = Entry { mode: 0o4755, uid: 12, gid: 34, ..entry(Kind::File, "bin/program") };
    let capability: Vec<u8> = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].to_vec();
    program.modified = (5, 7);
    program.xattrs = vec![
        (b"user.kept".to_vec(), b"yes".to_vec()),
        (b"security.capability".to_vec(), capability.clone()),
        (b"trusted.overlay.opaque".to_vec(), b"y".to_vec()),
        (b"user.overlay.opaque".to_vec(), b"y".to_vec()),
        (b"trusted.other".to_vec(), b"y".to_vec()),
        (b"security.selinux".to_vec(), b"y".to_vec()),
    ];
    Layer::new()
        .with(Entry { mode: 0o1750, uid: 7, modified: (9, 0), ..entry(Kind::Directory, "./") }, b"")
        .with(Entry { mode: 0o2711, gid: 8, modified: (-3, 0), ..entry(Kind::Directory, "bin/") }, b"")
        .with(program, b"#!")
        .symlink("bin/link", "program")
        .hard_link("bin/other", "/bin/program")
        .with(entry(Kind::Fifo, "pipe"), b"")
        .unpack(&root, &[])
        .unwrap();
    let at = |name: &str| std::fs::symlink_metadata(path.join(name)).unwrap();
    assert_eq!((at("").mode() & 0o7777, at("").uid(), at("").mtime()), (0o1750, 7, 9));
    assert_eq!((at("bin").mode() & 0o7777, at("bin").gid(), at("bin").mtime()), (0o2711, 8, -3));
    let program = at("bin/program");
    assert_eq!((program.mode() & 0o7777, program.uid(), program.gid()), (0o4755, 12, 34));
    assert_eq!((program.mtime(), program.mtime_nsec(), program.nlink()), (5, 7, 2));
    assert_eq!((at("bin/other").ino(), at("bin/link").mtime()), (program.ino(), 1_000_000_000));
    assert!(at("pipe").file_type().is_fifo());
    let handle = root.handle("bin/program", false).unwrap();
    assert_eq!(handle.xattr(OsStr::new("security.capability")).unwrap(), Some(capability));
    let names = handle.xattrs().unwrap();
    assert!(!names.iter().any(|name| name.as_bytes().starts_with(b"trusted.")), "{names:?}");
    assert!(!names.iter().any(|name| name.as_bytes().starts_with(b"user.overlay.")), "{names:?}");
}

#[test]
fn no_path_leads_out() {
    for path in ["../x", "a/../../x", "../../../../etc/x", "/../x", "a/b/../../../x"] {
        let place = Place::new();
        let (_, root) = place.layer("l");
        let outcome = Layer::new().file(path, "x").unpack(&root, &[]);
        assert!(matches!(problem(outcome), EntryError::Escape), "{path}");
        place.outside_is_untouched();
    }
    let place = Place::new();
    let (path, root) = place.layer("l");
    Layer::new()
        .file("/etc/absolute", "x")
        .file("a/./b/../c", "x")
        .file("//d", "x")
        .unpack(&root, &[])
        .unwrap();
    for name in ["etc/absolute", "a/c", "d"] {
        assert!(path.join(name).is_file(), "{name}");
    }
    place.outside_is_untouched();
}

#[test]
fn what_is_no_path_is_refused() {
    let place = Place::new();
    let long = "x".repeat(256);
    for (number, path) in [".", "./.", &long, "a/.wh.b/c"].into_iter().enumerate() {
        let (_, root) = place.layer(&number.to_string());
        problem(Layer::new().file(path, "x").unpack(&root, &[]));
    }
    let (_, root) = place.layer("nul");
    let nul = Entry { path: b"a\0b".to_vec(), ..entry(Kind::File, "") };
    // In the header's field the name ends there; in a record it doesn't.
    let mut long = nul.clone();
    long.path.extend([b'x'; 100]);
    assert!(matches!(problem(Layer::new().with(long, b"x").unpack(&root, &[])), EntryError::Path(_)));
    let (_, root) = place.layer("deep");
    let deep = "d/".repeat(2100) + "f";
    let outcome = Layer::new().file(&deep, "x").unpack(&root, &[]);
    assert!(matches!(outcome, Err(LayerError::Archive(TarError::Limit { .. }))), "{outcome:?}");
}

#[test]
fn symbolic_links_are_followed_inside_only() {
    let place = Place::new();
    let outside = place.0.join("outside");
    let outside = outside.to_str().unwrap();
    for (number, target) in [outside, "../outside", "../../../../../../..", "/"].into_iter().enumerate() {
        let (path, root) = place.layer(&number.to_string());
        let layer = Layer::new()
            .symlink("d", target)
            .file("d/secret", "overwritten")
            .with(Entry { mode: 0o777, uid: 5, ..entry(Kind::Directory, "d/new") }, b"")
            .symlink("s", "outside/secret")
            // Over the link, not through it.
            .file("s", "in place of the link");
        layer.unpack(&root, &[]).unwrap();
        assert!(std::fs::symlink_metadata(path.join("s")).unwrap().is_file());
        place.outside_is_untouched();
    }
}

#[test]
fn a_directory_that_becomes_a_link_leads_nowhere() {
    let place = Place::new();
    let (path, root) = place.layer("l");
    Layer::new()
        .directory("d")
        .file("d/one", "1")
        .symlink("d", "../outside")
        .file("d/secret", "overwritten")
        .hard_link("d/link", "d/secret")
        .directory("d")
        .file("d/three", "3")
        .unpack(&root, &[])
        .unwrap();
    place.outside_is_untouched();
    assert!(std::fs::symlink_metadata(path.join("d")).unwrap().is_dir());
    assert_eq!(std::fs::read_dir(path.join("d")).unwrap().count(), 1);
}

#[test]
fn links_that_lead_in_a_circle_are_refused() {
    let place = Place::new();
    let (_, root) = place.layer("l");
    let layer = Layer::new().symlink("a", "b").symlink("b", "a").file("a/x", "x");
    assert!(matches!(problem(layer.unpack(&root, &[])), EntryError::Loop));
    let (_, root) = place.layer("m");
    let layer = Layer::new().file("a", "").file("a/x", "x");
    assert!(matches!(problem(layer.unpack(&root, &[])), EntryError::NotADirectory(_)));
}

#[test]
fn hard_links_reach_nothing_outside() {
    let place = Place::new();
    let outside = place.0.join("outside/secret");
    for (number, target) in
        ["../outside/secret", "/../outside/secret", outside.to_str().unwrap(), "nothing", ""]
            .into_iter()
            .enumerate()
    {
        let (_, root) = place.layer(&number.to_string());
        problem(Layer::new().hard_link("x", target).unpack(&root, &[]));
        place.outside_is_untouched();
    }
    // Through a link that leads outside.
    let (_, root) = place.layer("through");
    let layer = Layer::new().symlink("d", "../outside").hard_link("x", "d/secret");
    assert!(matches!(problem(layer.unpack(&root, &[])), EntryError::HardLink { .. }));
    // To a link that leads outside: the link itself.
    let (path, root) = place.layer("to");
    Layer::new()
        .symlink("s", "../outside/secret")
        .hard_link("x", "s")
        .file("x2", "")
        .unpack(&root, &[])
        .unwrap();
    assert!(std::fs::symlink_metadata(path.join("x")).unwrap().file_type().is_symlink());
    place.outside_is_untouched();
    // To a directory, and to itself.
    let (_, root) = place.layer("directory");
    assert!(matches!(
        problem(Layer::new().directory("d").hard_link("x", "d").unpack(&root, &[])),
        EntryError::HardLink { .. }
    ));
    let (path, root) = place.layer("itself");
    Layer::new()
        .file("f", "kept")
        .hard_link("f", "f")
        .hard_link("g", "f")
        .hard_link("g", "./f")
        .unpack(&root, &[])
        .unwrap();
    assert_eq!(std::fs::read_to_string(path.join("f")).unwrap(), "kept");
    assert_eq!(std::fs::metadata(path.join("g")).unwrap().nlink(), 2);
}

#[test]
fn devices_are_made_only_if_asked_for() {
    let place = Place::new();
    let null = || Entry { device: (1, 3), mode: 0o666, ..entry(Kind::CharDevice, "null") };
    let disk = Entry { device: (8, 0), ..entry(Kind::BlockDevice, "disk") };
    let layer = Layer::new().with(null(), b"").with(disk, b"");
    let with = |devices| UnpackOptions { devices, ..options() };
    let (path, root) = place.layer("skip");
    let unpacked = layer.unpack_with(&root, &[], &with(Devices::Skip)).unwrap();
    assert_eq!((unpacked.skipped_devices, std::fs::read_dir(path).unwrap().count()), (2, 0));
    let (_, root) = place.layer("refuse");
    assert!(matches!(
        problem(layer.unpack_with(&root, &[], &with(Devices::Refuse))),
        EntryError::Device(1, 3)
    ));
    // It would take away what is below.
    for devices in [Devices::Refuse, Devices::Skip, Devices::Make] {
        let (_, root) = place.layer(&format!("{devices:?}"));
        let mark = Layer::new().with(Entry { device: (0, 0), ..entry(Kind::CharDevice, "null") }, b"");
        assert!(matches!(problem(mark.unpack_with(&root, &[], &with(devices))), EntryError::Device(0, 0)));
    }
    if is_root() {
        let (path, root) = place.layer("make");
        layer.unpack_with(&root, &[], &with(Devices::Make)).unwrap();
        let there = std::fs::symlink_metadata(path.join("null")).unwrap();
        assert!(there.file_type().is_char_device() && there.mode() & 0o7777 == 0o666);
    }
}

#[test]
fn what_is_below_is_taken_away_by_marks() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let (_, base) = place.layer("base");
    ["dir/gone", "linked/x", "filled", "both/x", "made/file", "again/x", "implied/y", "before/x"]
        .into_iter()
        .fold(Layer::new(), |layer, path| layer.file(path, "below"))
        .unpack(&base, &[])
        .unwrap();
    let (path, root) = place.layer("l");
    Layer::new()
        .file("dir/.wh.gone", "")
        .hard_link(".wh.linked", "no such file")
        .file(".wh.filled", "not empty")
        // Only what is below, whatever comes first.
        .file("made/file", "x")
        .file("made/.wh.file", "")
        .file("later/.wh.file", "")
        .file("later/file", "y")
        .file("hidden/x", "x")
        .file("hidden/.wh..wh..opq", "")
        .file("both/.wh..wh..opq", "")
        .file("both/.wh.x", "")
        // A directory in place of what was taken away shows nothing of it.
        .file(".wh.again", "")
        .directory("again")
        .file(".wh.implied", "")
        .file("implied/x", "x")
        // The other way round.
        .directory("before")
        .file(".wh.before", "")
        // What AUFS kept for itself.
        .directory(".wh..wh.plnk")
        .file(".wh..wh.plnk/1.2", "x")
        .file(".wh..wh.aufs", "")
        // What isn't there cannot be taken away.
        .file("dir/.wh.nothing", "")
        .unpack(&root, &[&base])
        .unwrap();
    for name in ["dir/gone", "linked", "filled"] {
        assert!(whiteout_at(&path.join(name)), "{name}");
    }
    for name in ["dir/nothing", "both/x"] {
        assert!(!path.join(name).exists(), "{name}");
        assert!(!whiteout_at(&path.join(name)), "{name}");
    }
    for name in ["made/file", "later/file", "hidden/x", "implied/x"] {
        assert!(path.join(name).is_file(), "{name}");
    }
    for name in ["hidden", "both", "again", "implied", "before"] {
        assert!(opaque_at(&root, name), "{name}");
    }
    assert!(!opaque_at(&root, "made") && !opaque_at(&root, "dir"));
    let names: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.as_bytes().starts_with(b".wh.")), "{names:?}");
    // The whole of it.
    let (_, root) = place.layer("m");
    assert!(Layer::new().file(".wh..wh..opq", "").file("x", "").unpack(&root, &[]).unwrap().opaque);
    for (number, path) in [".wh.", "a/.wh.", ".wh..", "a/.wh...", ".wh.x/y"].into_iter().enumerate() {
        let (_, root) = place.layer(&number.to_string());
        let outcome = Layer::new().file(path, "").unpack(&root, &[]);
        assert!(matches!(problem(outcome), EntryError::Whiteout), "{path}");
    }
}

#[test]
fn entries_replace_each_other() {
    let place = Place::new();
    let (path, root) = place.layer("l");
    Layer::new()
        .file("a", "one")
        .file("a", "two")
        .file("b/x", "x")
        .file("b", "no directory any more")
        .file("c", "no file any more")
        .directory("c")
        .file("c/x", "x")
        .directory("d")
        .file("d/x", "x")
        .with(Entry { mode: 0o700, ..entry(Kind::Directory, "d") }, b"")
        .symlink("e", "x")
        .symlink("e", "y")
        .with(entry(Kind::Fifo, "e"), b"")
        .unpack(&root, &[])
        .unwrap();
    let text = |name: &str| std::fs::read_to_string(path.join(name)).unwrap();
    assert_eq!((text("a").as_str(), text("b").as_str()), ("two", "no directory any more"));
    assert_eq!((text("c/x").as_str(), text("d/x").as_str()), ("x", "x"));
    assert_eq!(std::fs::metadata(path.join("d")).unwrap().mode() & 0o7777, 0o700);
    assert!(std::fs::symlink_metadata(path.join("e")).unwrap().file_type().is_fifo());
    assert_eq!(std::fs::metadata(path.join("c")).unwrap().mtime(), 1_000_000_000);
}

#[test]
fn what_a_layer_does_not_have_itself_comes_from_below() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let (_, base) = place.layer("base");
    Layer::new()
        .with(Entry { mode: 0o2750, uid: 5, modified: (77, 0), ..entry(Kind::Directory, "home") }, b"")
        .with(Entry { mode: 0o4755, uid: 6, modified: (78, 0), ..entry(Kind::File, "bin/tool") }, b"tool")
        .symlink("bin/alias", "tool")
        .file("gone/file", "x")
        .file("opaque/file", "x")
        .unpack(&base, &[])
        .unwrap();
    let (_, middle) = place.layer("middle");
    Layer::new().file(".wh.gone", "").file("opaque/.wh..wh..opq", "").unpack(&middle, &[&base]).unwrap();
    let (path, top) = place.layer("top");
    Layer::new()
        .file("home/user/file", "x")
        .hard_link("usr/tool", "bin/tool")
        .hard_link("usr/alias", "bin/alias")
        .hard_link("first", "second")
        .hard_link("below/z", "bin/tool")
        .hard_link("below/a", "below/z")
        .file("second", "comes later")
        .unpack(&top, &[&middle, &base])
        .unwrap();
    let at = |name: &str| std::fs::symlink_metadata(path.join(name)).unwrap();
    assert_eq!((at("home").mode() & 0o7777, at("home").uid(), at("home").mtime()), (0o2750, 5, 77));
    assert_eq!((at("home/user").mode() & 0o7777, at("home/user").uid()), (0o755, 0));
    assert_eq!(
        (at("usr/tool").mode() & 0o7777, at("usr/tool").uid(), at("usr/tool").mtime()),
        (0o4755, 6, 78)
    );
    assert_eq!(at("usr/tool").ino(), at("bin/tool").ino());
    assert!(at("usr/alias").file_type().is_symlink());
    assert_eq!(at("first").ino(), at("second").ino());
    assert_eq!(at("below/a").ino(), at("bin/tool").ino());
    for (number, target) in ["gone/file", "opaque/file", "gone", "bin", "nothing"].into_iter().enumerate() {
        let (_, root) = place.layer(&format!("refused{number}"));
        let outcome = Layer::new().hard_link("x", target).unpack(&root, &[&middle, &base]);
        assert!(matches!(problem(outcome), EntryError::HardLink { .. }), "{target}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_digest_is_of_all_that_was_decompressed() {
    let place = Place::new();
    let plain = [&Layer::new().file("a", "one").bytes()[..], b"something behind the end"].concat();
    for (name, bytes) in [
        ("plain", plain.clone()),
        ("gzip", gzip(&plain)),
        ("zstd", ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest)),
        ("members", [gzip(&plain[..700]), gzip(&plain[700..])].concat()),
    ] {
        let (path, root) = place.layer(name);
        let unpacked = unpack_layer(&bytes[..], &root, &[], &options()).unwrap();
        assert_eq!((unpacked.diff_id, unpacked.size), (Digest::sha256(&plain), plain.len() as u64));
        assert_eq!(std::fs::read_to_string(path.join("a")).unwrap(), "one");
    }
}

#[test]
fn bombs_go_off_small() {
    let place = Place::new();
    let mut small = options();
    small.limits.layer = 1 << 20;
    // A file that claims terabytes.
    let (_, root) = place.layer("claims");
    let claims = write::headers(&Entry { size: 1 << 40, ..entry(Kind::File, "huge") });
    let outcome = unpack_layer(&claims[..], &root, &[], &small);
    assert!(matches!(outcome, Err(LayerError::Archive(TarError::Limit { .. }))), "{outcome:?}");
    // Many small ones that come to too much; also behind the end.
    for (name, bytes) in [
        (
            "many",
            (0..30)
                .fold(Layer::new(), |layer, number| {
                    layer.with(entry(Kind::File, &number.to_string()), &[0; 50_000])
                })
                .bytes(),
        ),
        ("behind", [&Layer::new().file("a", "").bytes()[..], &[0; 2 << 20]].concat()),
    ] {
        let (_, root) = place.layer(name);
        let outcome = unpack_layer(&gzip(&bytes)[..], &root, &[], &small);
        assert!(
            matches!(outcome, Err(LayerError::Archive(TarError::Limit { what: "bytes", .. }))),
            "{outcome:?}"
        );
    }
    // One that grows out of proportion.
    let (_, root) = place.layer("ratio");
    let zeros = entry(Kind::File, "zeros");
    let head = gzip(&write::headers(&Entry { size: 70 << 20, ..zeros }));
    let zeros = [head, gzip(&vec![0; 1 << 20]).repeat(70), gzip(write::END)].concat();
    let outcome = unpack_layer(
        &zeros[..],
        &root,
        &[],
        &UnpackOptions { limits: Limits { ratio: 100, ..Limits::default() }, ..options() },
    );
    assert!(matches!(outcome, Err(LayerError::Ratio { ratio: 100 })), "{outcome:?}");
    // Too many entries.
    let (_, root) = place.layer("entries");
    let mut few = options();
    few.limits.entries = 10;
    let many = (0..11).fold(Layer::new(), |layer, number| layer.directory(&number.to_string()));
    assert!(matches!(
        many.unpack_with(&root, &[], &few),
        Err(LayerError::Archive(TarError::Limit { what: "entries", .. }))
    ));
}

#[test]
fn what_is_cut_off_is_refused() {
    let place = Place::new();
    let whole = Layer::new().file("a", "one").with(entry(Kind::File, "b"), &[1; 2000]).bytes();
    let end = whole.len() - write::END.len();
    for (number, length) in (1..end).step_by(97).enumerate() {
        let (_, root) = place.layer(&format!("plain{number}"));
        if length % 512 != 0 {
            unpack_layer(&whole[..length], &root, &[], &options()).unwrap_err();
        }
    }
    let packed = gzip(&whole);
    for (number, length) in (3..packed.len()).step_by(7).enumerate() {
        let (_, root) = place.layer(&format!("gzip{number}"));
        unpack_layer(&packed[..length], &root, &[], &options()).unwrap_err();
    }
}

#[test]
fn a_failure_anywhere_is_an_error() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let (_, base) = place.layer("base");
    Layer::new().file("bin/tool", "tool").unpack(&base, &[]).unwrap();
    let layer = Layer::new()
        .directory("d")
        .file("e/f", "x")
        .symlink("s", "d")
        .hard_link("h", "e/f")
        .hard_link("below", "bin/tool")
        .with(entry(Kind::Fifo, "p"), b"")
        .file(".wh.w", "")
        .file("e/.wh..wh..opq", "");
    for step in 0.. {
        let (_, root) = place.layer(&step.to_string());
        let options = UnpackOptions { faults: Faults::at(step), ..options() };
        let outcome = layer.unpack_with(&root, &[&base], &options);
        assert_eq!(outcome.is_err(), options.faults.fired(), "step {step}");
        if outcome.is_ok() {
            assert!(step > 10, "only {step} steps");
            return;
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, ..Default::default() })]

    /// Whatever an archive holds, nothing outside is touched and nothing panics.
    #[test]
    fn any_archive_stays_inside(entries in proptest::collection::vec(
        (0..7_u8, "[ab./]{1,8}|\\.wh\\.[ab.]{0,2}|a/\\.wh\\.\\.wh\\.\\.opq", "[ab./]{0,8}|\\.\\./outside(/secret)?"), 0..12,
    )) {
        let place = Place::new();
        let (_, base) = place.layer("base");
        let (_, root) = place.layer("l");
        let mut layer = Layer::new();
        for (kind, path, link) in entries {
            let kind = [Kind::File, Kind::Directory, Kind::Symlink, Kind::HardLink, Kind::Fifo, Kind::Symlink, Kind::File][usize::from(kind)];
            let content = if kind == Kind::File { link.clone() } else { String::new() };
            layer = layer.with(Entry { link: link.into(), ..entry(kind, &path) }, content.as_bytes());
        }
        let _ = layer.unpack(&root, &[&base]);
        place.outside_is_untouched();
    }
}
