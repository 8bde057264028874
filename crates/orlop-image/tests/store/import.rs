use std::io::Write;
use std::path::Path;

use orlop_image::{Builder, Digest, Error, Image, Reference};
use serde_json::{Value, json};

use crate::support::Place;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// A tar archive.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn add(&mut self, path: &str, kind: u8, link: &str, content: &[u8]) {
        let mut header = tar::Header::new_gnu();
        let old = header.as_old_mut();
        old.name[..path.len()].copy_from_slice(path.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        old.linkflag[0] = kind;
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
    }

    fn file(&mut self, path: &str, content: impl AsRef<[u8]>) {
        self.add(path, b'0', "", content.as_ref());
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

fn name(text: &str) -> Reference {
    text.parse().unwrap()
}

/// Documents and layers of an image, as they are stored.
struct Made {
    image: Image,
    blobs: Vec<(Digest, Vec<u8>)>,
    _place: Place,
}

fn made() -> Made {
    let place = Place::new();
    let store = place.store();
    let image =
        Builder::new().file("etc/motd", "hello", 0o644).cmd(["x"]).build(&store, &name("made:1")).unwrap();
    let blobs = std::fs::read_dir(place.path().join("store/blobs/sha256"))
        .unwrap()
        .map(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            (Digest::sha256(&bytes), bytes)
        })
        .collect();
    Made { image, blobs, _place: place }
}

impl Made {
    fn blob(&self, digest: &Digest) -> &[u8] {
        &self.blobs.iter().find(|(known, _)| known == digest).unwrap().1
    }

    fn index(&self, annotations: Value) -> Value {
        let digest = self.image.manifest_digest();
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{
            "mediaType": MANIFEST, "digest": digest, "size": self.blob(digest).len(), "annotations": annotations}]})
    }

    /// A tar of an OCI layout, `index.json` last.
    fn layout(&self, index: &Value) -> Tar {
        let mut tar = Tar::default();
        tar.file("oci-layout", r#"{"imageLayoutVersion": "1.0.0"}"#);
        for (digest, bytes) in &self.blobs {
            tar.file(&format!("blobs/sha256/{}", digest.hex()), bytes);
        }
        tar.file("./index.json", index.to_string());
        tar
    }

    /// What `docker save` wrote for years.
    fn saved(&self, tags: &Value) -> Tar {
        let mut tar = Tar::default();
        let config = format!("{}.json", self.image.id().hex());
        tar.file(&config, self.blob(self.image.id()));
        let layer = &self.image.manifest().layers[0].digest;
        tar.add("aa/", b'5', "", b"");
        tar.file("aa/layer.tar", self.blob(layer));
        tar.add("bb/layer.tar", b'2', "../aa/layer.tar", b"");
        let manifest = json!([{"Config": config, "RepoTags": tags, "Layers": ["bb/layer.tar"]}]);
        tar.file("manifest.json", manifest.to_string());
        tar
    }
}

#[test]
fn a_layout_in_an_archive_is_imported() {
    let made = made();
    let place = Place::new();
    let store = place.store();
    let archive = made.layout(&made.index(json!({REF_NAME: "example.com/x:2"}))).end();
    let images = store.import_archive(&archive[..], None).unwrap();
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].name(), Some(&name("example.com/x:2")));
    assert_eq!(images[0].manifest_digest(), made.image.manifest_digest());
    let layers = store.unpack(&images[0]).unwrap();
    assert_eq!(std::fs::read_to_string(layers.lower()[0].join("etc/motd")).unwrap(), "hello");
    // Compressed, and with a name of one's own.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&archive).unwrap();
    let packed = packed.finish().unwrap();
    let images = store.import_archive(&packed[..], Some(&name("own:1"))).unwrap();
    assert_eq!(images[0].name(), Some(&name("own:1")));
    // A tag alone is no name.
    let nameless = made.layout(&made.index(json!({REF_NAME: "latest"}))).end();
    let images = store.import_archive(&nameless[..], None).unwrap();
    assert_eq!(images[0].name(), None);
    assert_eq!(store.images().unwrap().len(), 2);
    place.assert_clean();
}

#[test]
fn what_docker_saves_is_imported() {
    let made = made();
    let place = Place::new();
    let store = place.store();
    let archive = made.saved(&json!(["a:1", "example.com/b:2"])).end();
    let images = store.import_archive(&archive[..], None).unwrap();
    let names: Vec<String> = images.iter().map(|image| image.name().unwrap().to_string()).collect();
    assert_eq!(names, ["docker.io/library/a:1", "example.com/b:2"]);
    assert_eq!(images[0].id(), made.image.id());
    store.unpack(&images[1]).unwrap();
    let nameless = made.saved(&Value::Null).end();
    assert_eq!(store.import_archive(&nameless[..], None).unwrap()[0].name(), None);
    place.assert_clean();
}

#[test]
fn a_layout_on_disk_is_imported() {
    let made = made();
    let place = Place::new();
    let layout = place.path().join("layout");
    std::fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
    std::fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
    for (digest, bytes) in &made.blobs {
        std::fs::write(layout.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
    }
    std::fs::write(layout.join("index.json"), made.index(json!({REF_NAME: "x/y:1"})).to_string()).unwrap();
    let store = place.store();
    let images = store.import_layout(&layout, None).unwrap();
    assert_eq!((images[0].name(), images[0].id()), (Some(&name("x/y:1")), made.image.id()));
    // A blob that is a link to somewhere else is not followed out of the layout.
    let layer = layout.join("blobs/sha256").join(made.image.manifest().layers[0].digest.hex());
    std::fs::rename(&layer, place.path().join("stolen")).unwrap();
    std::os::unix::fs::symlink(place.path().join("stolen"), &layer).unwrap();
    let other = Place::new();
    other.store().import_layout(&layout, None).unwrap_err();
    assert!(matches!(store.import_layout(Path::new("/"), None), Err(Error::Archive { .. } | Error::File(_))));
    place.assert_clean();
}

#[test]
fn archives_that_are_wrong_leave_nothing() {
    let made = made();
    let good = made.index(json!({REF_NAME: "x/y:1"}));
    let layer = made.image.manifest().layers[0].digest.hex().to_owned();
    let mut archives: Vec<(&str, Vec<u8>)> = Vec::new();
    archives.push(("empty", Tar::default().end()));
    archives.push(("no tar", b"x".repeat(5000)));
    let whole = made.layout(&good).end();
    for part in 1..8 {
        // In the middle of an entry, or of a header.
        archives.push(("cut off", whole[..whole.len() * part / 8 / 512 * 512 + 100].to_vec()));
    }
    let mut flipped = whole.clone();
    let at = flipped.windows(5).position(|window| window == b"hello").unwrap();
    flipped[at] = b'j';
    archives.push(("another content", flipped));
    let mut missing = Tar::default();
    missing.file("oci-layout", r#"{"imageLayoutVersion": "1.0.0"}"#);
    for (digest, bytes) in made.blobs.iter().filter(|(digest, _)| digest.hex() != layer) {
        missing.file(&format!("blobs/sha256/{}", digest.hex()), bytes);
    }
    missing.file("index.json", good.to_string());
    archives.push(("a layer is missing", missing.end()));
    let mut size = good.clone();
    size["manifests"][0]["size"] = json!(5);
    archives.push(("another size", made.layout(&size).end()));
    let mut ambiguous = good.clone();
    ambiguous["config"] = json!({});
    archives.push(("ambiguous", made.layout(&ambiguous).end()));
    let mut platform = good.clone();
    platform["manifests"][0]["platform"] = json!({"os": "plan9", "architecture": "mips"});
    archives.push(("another platform", made.layout(&platform).end()));
    let mut version = Tar::default();
    version.file("oci-layout", r#"{"imageLayoutVersion": "7"}"#);
    version.file("index.json", good.to_string());
    archives.push(("another layout", version.end()));
    let mut escape = Tar::default();
    escape.file("x", "y");
    escape.file("manifest.json", json!([{"Config": "../x", "Layers": []}]).to_string());
    archives.push(("a path that leads out", escape.end()));
    for (what, archive) in archives {
        let place = Place::new();
        let store = place.store();
        let outcome = store.import_archive(&archive[..], None);
        assert!(outcome.is_err(), "{what}");
        place.assert_clean();
        assert!(store.images().unwrap().is_empty(), "{what}");
        store.gc().unwrap();
        assert!(place.names("blobs/sha256").is_empty(), "{what}");
    }
}

#[test]
fn a_layer_that_is_not_the_configurations_is_refused() {
    use sha2::Digest as _;
    let made = made();
    let layer = made.blob(&made.image.manifest().layers[0].digest);
    let hex = |hash: &[u8]| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for (diff_id, right) in [
        (Digest::sha256("something else").to_string(), false),
        (format!("sha384:{}", "0".repeat(96)), false),
        (format!("sha512:{}", "0".repeat(128)), false),
        (format!("sha512:{}", hex(&sha2::Sha512::digest(layer))), true),
    ] {
        let mut config: Value = serde_json::from_slice(made.blob(made.image.id())).unwrap();
        config["rootfs"]["diff_ids"] = json!([diff_id]);
        let mut tar = Tar::default();
        tar.file("config.json", config.to_string());
        tar.file("layer.tar", layer);
        tar.file("manifest.json", json!([{"Config": "config.json", "Layers": ["layer.tar"]}]).to_string());
        let place = Place::new();
        let store = place.store();
        let images = store.import_archive(&tar.end()[..], Some(&name("x:1"))).unwrap();
        match store.unpack(&images[0]) {
            Ok(_) => assert!(right, "{diff_id}"),
            Err(Error::Layer { error, .. }) if matches!(*error, orlop_image::LayerError::DiffId { .. }) => {
                assert!(!right, "{diff_id}");
                assert_eq!(place.names("layers"), ["empty"]);
            }
            other => panic!("{other:?}"),
        }
        place.assert_clean();
    }
}
