//! Random stacks of layers: what overlayfs shows of them against the plainest model of what they mean.

use std::collections::{BTreeMap, BTreeSet};

use orlop_fs::{Flags, Overlay};
use proptest::prelude::*;

use super::tests::{Layer, Place, entry, is_root, options};
use super::*;

/// What an entry of a layer does.
#[derive(Clone, Debug)]
enum Change {
    Directory(u32),
    File(u8),
    Symlink,
    Whiteout,
    Opaque,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Directory(u32),
    File(u8),
    Symlink,
}

type Tree = BTreeMap<PathBuf, Node>;

fn changes() -> impl Strategy<Value = Vec<(PathBuf, Change)>> {
    let change = prop_oneof![
        (0..8_u32).prop_map(|bits| Change::Directory(0o700 | bits)),
        any::<u8>().prop_map(Change::File),
        Just(Change::Symlink),
        Just(Change::Whiteout),
        Just(Change::Opaque),
    ];
    let path = prop::collection::vec("[ab]", 1..4).prop_map(|names| names.iter().collect::<PathBuf>());
    prop::collection::vec((path, change), 0..7)
}

fn remove(tree: &mut Tree, path: &Path) {
    tree.retain(|known, _| !known.starts_with(path));
}

/// One layer on its own: what it has, which of its directories it has only something in, and what it takes away.
#[derive(Default)]
struct Own {
    tree: Tree,
    implicit: BTreeSet<PathBuf>,
    removed: Vec<PathBuf>,
    /// Directories of which nothing below shows.
    opaque: BTreeSet<PathBuf>,
    /// The changes that can be made, which are all but those inside of files and links.
    entries: Vec<(PathBuf, Change)>,
}

impl Own {
    fn of(changes: &[(PathBuf, Change)]) -> Self {
        let mut own = Self::default();
        for (path, change) in changes {
            let inside = |path: &Path| {
                path.ancestors()
                    .skip(1)
                    .all(|above| matches!(own.tree.get(above), None | Some(Node::Directory(_))))
            };
            let opaque = matches!(change, Change::Opaque);
            let below_it = path.join("x");
            if !inside(if opaque { &below_it } else { path }) {
                continue;
            }
            own.entries.push((path.clone(), change.clone()));
            let first = usize::from(!opaque);
            for above in path.ancestors().skip(first).filter(|above| !above.as_os_str().is_empty()) {
                if !own.tree.contains_key(above) {
                    own.tree.insert(above.to_owned(), Node::Directory(0o755));
                    own.implicit.insert(above.to_owned());
                }
            }
            match change {
                Change::Directory(mode) => {
                    if !matches!(own.tree.get(path), Some(Node::Directory(_))) {
                        own.tree.remove(path);
                    }
                    own.implicit.remove(path);
                    own.tree.insert(path.clone(), Node::Directory(*mode));
                }
                Change::File(_) | Change::Symlink => {
                    remove(&mut own.tree, path);
                    own.implicit.retain(|known| !known.starts_with(path));
                    let node =
                        if let Change::File(content) = change { Node::File(*content) } else { Node::Symlink };
                    own.tree.insert(path.clone(), node);
                }
                Change::Whiteout => own.removed.push(path.clone()),
                Change::Opaque => {
                    own.opaque.insert(path.clone());
                }
            }
        }
        own
    }

    fn over(&self, below: &Tree) -> Tree {
        let mut merged = below.clone();
        for path in &self.removed {
            remove(&mut merged, path);
        }
        for path in &self.opaque {
            merged.retain(|known, _| known == path || !known.starts_with(path));
        }
        for (path, node) in &self.tree {
            match (node, merged.get(path)) {
                (Node::Directory(_), Some(Node::Directory(_))) if self.implicit.contains(path) => {}
                (Node::Directory(mode), Some(Node::Directory(_))) => {
                    merged.insert(path.clone(), Node::Directory(*mode));
                }
                _ => {
                    remove(&mut merged, path);
                    merged.insert(path.clone(), node.clone());
                }
            }
        }
        merged
    }

    fn archive(&self) -> Layer {
        let mut layer = Layer::new();
        for (path, change) in &self.entries {
            let text = path.to_str().expect("letters");
            let (above, name) = (path.parent().expect("a name"), path.file_name().expect("a name"));
            let beside = |name: &str| above.join(name).to_str().expect("letters").to_owned();
            layer = match change {
                Change::Directory(mode) => {
                    layer.with(Entry { mode: *mode, ..entry(Kind::Directory, text) }, b"")
                }
                Change::File(content) => layer.with(entry(Kind::File, text), &[*content]),
                Change::Symlink => layer.symlink(text, "/nowhere"),
                Change::Whiteout => layer.file(&beside(&format!(".wh.{}", name.display())), ""),
                Change::Opaque => layer.file(&format!("{text}/.wh..wh..opq"), ""),
            };
        }
        layer
    }
}

fn walk(root: &Root, at: &Path, tree: &mut Tree) {
    for found in root.read_dir(at, 100).expect("a directory") {
        let path = at.join(&found.name);
        let there = root.metadata(&path).expect("it is there");
        let node = match there.kind {
            FileKind::Directory => {
                walk(root, &path, tree);
                Node::Directory(there.mode)
            }
            FileKind::Symlink => Node::Symlink,
            FileKind::File => Node::File(root.read(&path, 10).expect("a file")[0]),
            other => panic!("{other:?} at {}", path.display()),
        };
        tree.insert(path, node);
    }
}

fn stacked(layers: &[Vec<(PathBuf, Change)>], marks: Marks) {
    let place = Place::new();
    let options = UnpackOptions { marks, ..options() };
    let (mut roots, mut model): (Vec<Root>, Tree) = (Vec::new(), Tree::new());
    for (number, changes) in layers.iter().enumerate() {
        let own = Own::of(changes);
        model = own.over(&model);
        let (_, root) = place.layer(&number.to_string());
        let below: Vec<&Root> = roots.iter().rev().collect();
        own.archive().unpack_with(&root, &below, &options).expect("it can be unpacked");
        roots.push(root);
    }
    let (_, empty) = place.layer("empty");
    let mut overlay = Overlay::new().flags(Flags::default()).in_user_namespace(marks == Marks::User);
    for root in roots.iter().rev().chain([&empty]) {
        overlay = overlay.lower(root);
    }
    let mount = overlay.mount().expect("an overlay");
    let mut tree = Tree::new();
    walk(&mount.root().expect("its root"), Path::new(""), &mut tree);
    assert_eq!(tree, model);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn an_overlay_shows_what_the_layers_mean(
        layers in prop::collection::vec(changes(), 1..4),
        user in any::<bool>(),
    ) {
        if is_root() {
            stacked(&layers, if user { Marks::User } else { Marks::Trusted });
        }
    }
}
