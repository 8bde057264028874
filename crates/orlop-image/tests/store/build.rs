use std::os::unix::fs::PermissionsExt;

use orlop_fs::Flags;
use orlop_image::{Builder, Reference, Store, StoreOptions};

use crate::support::{Place, is_root};

fn name(text: &str) -> Reference {
    text.parse().expect("a name")
}

fn hello() -> Builder {
    Builder::new()
        .file("/etc/passwd", "app:x:1000:100::/home/app:\n", 0o644)
        .file("/etc/group", "wheel:x:10:app\n", 0o644)
        .file("bin/hello", "#!/bin/sh\n", 0o755)
        .symlink("/usr/bin", "../bin")
        .directory("/tmp", 0o1777)
        .entrypoint(["/bin/hello"])
        .cmd(["world"])
        .env("A", "b")
        .user("app")
        .expose("80")
        .label("l", "m")
        .working_dir("/tmp")
        .stop_signal("SIGQUIT")
}

#[test]
fn an_image_is_made_found_and_forgotten() {
    let place = Place::new();
    let store = place.store();
    let made = hello().build(&store, &name("hello:1")).unwrap();
    assert_eq!(made.name().unwrap().to_string(), "docker.io/library/hello:1");
    let found = store.get(&name("hello:1")).unwrap().expect("it is there");
    assert_eq!((found.id(), found.manifest_digest()), (made.id(), made.manifest_digest()));
    let config = found.config();
    assert_eq!(config.command_line(&[], &[]), ["/bin/hello", "world"]);
    assert_eq!((config.env(), config.user(), config.working_dir()), (&["A=b".to_owned()][..], "app", "/tmp"));
    assert_eq!((config.stop_signal(), config.exposed_ports()[0].port), (Some("SIGQUIT"), 80));
    assert_eq!(config.labels()["l"], "m");
    // The same files give the same image.
    let again = hello().build(&store, &name("hello:2")).unwrap();
    assert_eq!(again.id(), made.id());

    let layers = store.unpack(&found).unwrap();
    assert_eq!(layers.lower().len(), 1);
    let lower = &layers.lower()[0];
    assert_eq!(std::fs::read_to_string(lower.join("bin/hello")).unwrap(), "#!/bin/sh\n");
    assert_eq!(std::fs::metadata(lower.join("bin/hello")).unwrap().permissions().mode() & 0o7777, 0o755);
    assert_eq!(std::fs::metadata(lower.join("tmp")).unwrap().permissions().mode() & 0o7777, 0o1777);
    assert_eq!(std::fs::read_link(lower.join("usr/bin")).unwrap().to_str(), Some("../bin"));
    let user = layers.user("app").unwrap();
    assert_eq!((user.uid, user.gid, user.groups), (1000, 100, vec![10]));
    layers.user("nobody").unwrap_err();

    // Held, it stays; then it goes.
    store.remove(&name("hello:1")).unwrap();
    store.remove(&name("hello:2")).unwrap();
    assert!(!store.remove(&name("hello:2")).unwrap());
    assert_eq!(store.gc().unwrap(), orlop_image::Collected::default());
    drop((made, found, again, layers));
    let collected = store.gc().unwrap();
    assert_eq!((collected.blobs, collected.layers), (3, 1));
    assert!(store.get(&name("hello:1")).unwrap().is_none());
    assert!(place.names("blobs/sha256").is_empty());
    assert_eq!(place.names("layers"), ["empty"]);
    place.assert_clean();
}

#[test]
fn a_store_is_opened_once_and_finds_its_images_again() {
    let place = Place::new();
    let store = place.store();
    let id = hello().build(&store, &name("hello:1")).unwrap().id().clone();
    let busy = Store::open(store.path(), StoreOptions::default());
    assert!(matches!(busy, Err(orlop_image::Error::Busy { .. })));
    drop(store);
    std::fs::write(place.path().join("store/ingest/left"), "over").unwrap();
    let store = place.store();
    place.assert_clean();
    assert_eq!(store.get(&name("hello:1")).unwrap().expect("it is there").id(), &id);
    assert_eq!(store.by_id(&id).unwrap().expect("it is there").id(), &id);
    assert_eq!(store.images().unwrap().len(), 1);
}

#[test]
fn a_snapshot_is_mounted_over_its_layers() {
    if !is_root("mounting an overlay") {
        return;
    }
    let place = Place::new();
    let store = place.store();
    let this = std::path::Path::new("/usr/bin/env");
    let image = hello().executable(this, "/bin/this").unwrap().build(&store, &name("hello:1")).unwrap();
    let snapshot = store.create_snapshot("one", &image).unwrap();
    assert!(matches!(store.create_snapshot("one", &image), Err(orlop_image::Error::SnapshotExists { .. })));
    assert_eq!(store.snapshot("one").unwrap().as_ref(), Some(&snapshot));
    assert_eq!(store.snapshots().unwrap(), ["one"]);
    {
        let mount = snapshot.mount(Flags::default()).unwrap();
        let root = mount.root().unwrap();
        assert_eq!(root.read("usr/bin/hello", 100).unwrap(), b"#!/bin/sh\n");
        assert_eq!(root.read("bin/this", 1 << 30).unwrap(), std::fs::read(this).unwrap());
        root.write("bin/hello", b"changed", 0o755).unwrap();
        root.remove_all("etc").unwrap();
        assert_eq!(orlop_image::User::in_root(&root, "5").unwrap().uid, 5);
        orlop_image::User::in_root(&root, "app").unwrap_err();
        let layers = store.unpack(&image).unwrap();
        let read_only = layers.mount(Flags::default()).unwrap();
        assert_eq!(read_only.root().unwrap().read("bin/hello", 100).unwrap(), b"#!/bin/sh\n");
        assert!(read_only.root().unwrap().write("x", b"", 0o644).is_err());
    }
    assert_eq!(std::fs::read_to_string(snapshot.upper().join("bin/hello")).unwrap(), "changed");
    // The snapshot needs the layers although nothing else does.
    store.remove(&name("hello:1")).unwrap();
    drop(image);
    assert_eq!(store.gc().unwrap().layers, 0);
    assert!(store.remove_snapshot("one").unwrap());
    assert!(!store.remove_snapshot("one").unwrap());
    assert_eq!(store.gc().unwrap().layers, 1);
    place.assert_clean();
}

#[test]
fn names_of_snapshots_are_no_paths() {
    let place = Place::new();
    let store = place.store();
    let image = hello().build(&store, &name("hello:1")).unwrap();
    for key in ["", ".", "..", "a/b", "/a", ".a", "a b", "a\0", &"x".repeat(129)] {
        store.create_snapshot(key, &image).unwrap_err();
        store.snapshot(key).unwrap_err();
        store.remove_snapshot(key).unwrap_err();
    }
}
