//! Images made of files of this machine.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::content::Ingest;
use crate::elf::closure;
use crate::store::Resolved;
use crate::tar::{Entry, Kind, write};
use crate::{Algorithm, Descriptor, Digest, Error, Image, Platform, Reference, Store, media};

/// Makes an image of one layer out of files of this machine, without a registry.
///
/// The same files give the same image: owners are root, times are zero.
///
/// ```no_run
/// use orlop_image::{Builder, Store, StoreOptions};
///
/// # fn main() -> Result<(), orlop_image::Error> {
/// let store = Store::open("/var/lib/example/images", StoreOptions::default())?;
/// let image = Builder::new()
///     .executable("/usr/bin/env", "/bin/env")? // with its shared objects
///     .file("/etc/passwd", "root:x:0:0::/:\n", 0o644)
///     .entrypoint(["/bin/env"])
///     .build(&store, &"example/env:1".parse()?)?;
/// let container = store.create_snapshot("container-1", &image)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder {
    entries: BTreeMap<PathBuf, Made>,
    config: Map<String, Value>,
}

#[derive(Clone, Debug)]
enum Made {
    Directory {
        mode: u32,
    },
    File {
        content: Vec<u8>,
        mode: u32,
    },
    /// A file of this machine, with its permission bits.
    Copy {
        from: PathBuf,
    },
    Symlink {
        target: PathBuf,
    },
}

impl Builder {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A file with this content.
    #[must_use]
    pub fn file(mut self, path: impl AsRef<Path>, content: impl Into<Vec<u8>>, mode: u32) -> Self {
        self.entries.insert(inside(path.as_ref()), Made::File { content: content.into(), mode });
        self
    }

    /// An empty directory; those above others come by themselves.
    #[must_use]
    pub fn directory(mut self, path: impl AsRef<Path>, mode: u32) -> Self {
        self.entries.insert(inside(path.as_ref()), Made::Directory { mode });
        self
    }

    /// A symbolic link.
    #[must_use]
    pub fn symlink(mut self, path: impl AsRef<Path>, target: impl AsRef<Path>) -> Self {
        self.entries.insert(inside(path.as_ref()), Made::Symlink { target: target.as_ref().to_owned() });
        self
    }

    /// A file of this machine, with its permission bits. It is read when the image is built.
    #[must_use]
    pub fn copy(mut self, from: impl AsRef<Path>, path: impl AsRef<Path>) -> Self {
        self.entries.insert(inside(path.as_ref()), Made::Copy { from: from.as_ref().to_owned() });
        self
    }

    /// An executable of this machine together with its interpreter and shared objects, which keep their paths.
    ///
    /// # Errors
    /// It is no executable, or something it needs isn't there.
    pub fn executable(mut self, from: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<Self, Error> {
        for (asked, there) in closure(from.as_ref())? {
            self = self.copy(there, asked);
        }
        Ok(self.copy(from, path))
    }

    /// The program, with the arguments that always come first.
    #[must_use]
    pub fn entrypoint<T: Into<String>>(self, words: impl IntoIterator<Item = T>) -> Self {
        self.list("Entrypoint", words)
    }

    /// The arguments, if no others are given.
    #[must_use]
    pub fn cmd<T: Into<String>>(self, words: impl IntoIterator<Item = T>) -> Self {
        self.list("Cmd", words)
    }

    fn list<T: Into<String>>(mut self, field: &str, words: impl IntoIterator<Item = T>) -> Self {
        let words: Vec<String> = words.into_iter().map(Into::into).collect();
        self.config.insert(field.to_owned(), words.into());
        self
    }

    /// A variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        let env = self.config.entry("Env").or_insert_with(|| json!([]));
        if let Some(env) = env.as_array_mut() {
            env.push(format!("{name}={value}").into());
        }
        self
    }

    /// Who runs it: `user`, `uid:gid`.
    #[must_use]
    pub fn user(self, user: &str) -> Self {
        self.set("User", user)
    }

    /// Where it starts.
    #[must_use]
    pub fn working_dir(self, path: &str) -> Self {
        self.set("WorkingDir", path)
    }

    /// The signal that ends it.
    #[must_use]
    pub fn stop_signal(self, signal: &str) -> Self {
        self.set("StopSignal", signal)
    }

    fn set(mut self, field: &str, value: &str) -> Self {
        self.config.insert(field.to_owned(), value.into());
        self
    }

    /// A port that it listens on: `80`, `53/udp`.
    #[must_use]
    pub fn expose(self, port: &str) -> Self {
        self.put("ExposedPorts", port, json!({}))
    }

    /// A label.
    #[must_use]
    pub fn label(self, name: &str, value: &str) -> Self {
        self.put("Labels", name, value.into())
    }

    fn put(mut self, field: &str, key: &str, value: Value) -> Self {
        let map = self.config.entry(field).or_insert_with(|| json!({}));
        if let Some(map) = map.as_object_mut() {
            map.insert(key.to_owned(), value);
        }
        self
    }

    /// Makes the image and names it.
    ///
    /// # Errors
    /// A file cannot be read, or changes meanwhile; the kernel refuses.
    #[tracing::instrument(level = "debug", skip_all, fields(image = %name))]
    pub fn build(&self, store: &Store, name: &Reference) -> Result<Image, Error> {
        let content = &store.0.content;
        let mut lease = store.0.leases.lease();
        let mut layer = content.ingest(Algorithm::Sha256, store.0.options.limits.layer)?;
        for (path, made) in self.with_parents() {
            append(&mut layer, &path, &made)?;
        }
        layer.write(write::END)?;
        let size = layer.bytes();
        // Held before it is there, so that it cannot be collected in between.
        let diff_id = layer.digest();
        lease.hold(&diff_id);
        layer.commit(None, None)?;
        let platform = Platform::current();
        let config = json!({
            "architecture": platform.architecture(),
            "os": platform.os(),
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        });
        let layers = [Descriptor::of(&diff_id, media::OCI_LAYER, size)];
        store.assemble(Some(name), config.to_string().as_bytes(), media::OCI_CONFIG, &layers, lease)
    }

    /// The entries with the directories above them, which come first.
    fn with_parents(&self) -> BTreeMap<PathBuf, Made> {
        let mut all = self.entries.clone();
        for path in self.entries.keys() {
            for above in path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
                all.entry(above.to_owned()).or_insert(Made::Directory { mode: 0o755 });
            }
        }
        all.remove(Path::new(""));
        all
    }
}

/// The path inside of an image.
fn inside(path: &Path) -> PathBuf {
    let mut inside = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::ParentDir => {
                inside.pop();
            }
            _ => {}
        }
    }
    inside
}

fn append(layer: &mut Ingest, path: &Path, made: &Made) -> Result<(), Error> {
    let mut entry = Entry {
        kind: Kind::File,
        path: path.as_os_str().as_bytes().to_vec(),
        link: Vec::new(),
        mode: 0o777,
        uid: 0,
        gid: 0,
        modified: (0, 0),
        size: 0,
        device: (0, 0),
        xattrs: Vec::new(),
    };
    match made {
        Made::Directory { mode } => {
            entry.kind = Kind::Directory;
            entry.mode = *mode;
            layer.write(&write::headers(&entry))
        }
        Made::Symlink { target } => {
            entry.kind = Kind::Symlink;
            entry.link = OsStr::as_bytes(target.as_os_str()).to_vec();
            layer.write(&write::headers(&entry))
        }
        Made::File { content, mode } => {
            entry.mode = *mode;
            entry.size = content.len() as u64;
            layer.write(&write::headers(&entry))?;
            layer.write(content)?;
            layer.write(write::padding(entry.size))
        }
        Made::Copy { from } => {
            let mut file = File::open(from).map_err(Error::io("open", from))?;
            let there = file.metadata().map_err(Error::io("stat", from))?;
            if !there.is_file() {
                return Err(Error::Build { path: from.clone(), problem: "not a regular file".to_owned() });
            }
            entry.mode = there.permissions().mode() & 0o777;
            entry.size = there.len();
            layer.write(&write::headers(&entry))?;
            let mut left = entry.size;
            let mut buffer = vec![0; 128 << 10];
            while left > 0 {
                let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let read = file.read(&mut buffer[..wanted]).map_err(Error::io("read", from))?;
                if read == 0 {
                    let problem = "it became shorter while it was read".to_owned();
                    return Err(Error::Build { path: from.clone(), problem });
                }
                layer.write(&buffer[..read])?;
                left -= read as u64;
            }
            layer.write(write::padding(entry.size))
        }
    }
}

impl Store {
    /// Makes an image of a configuration and layers that are here and held by the lease.
    pub(crate) fn assemble(
        &self,
        name: Option<&Reference>,
        config: &[u8],
        config_type: &str,
        layers: &[Descriptor],
        mut lease: crate::lease::Lease,
    ) -> Result<Image, Error> {
        let content = &self.0.content;
        let shown = |descriptor: &Descriptor| json!({"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size});
        let config_digest = Digest::sha256(config);
        lease.hold(&config_digest);
        content.put(config)?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media::OCI_MANIFEST,
            "config": shown(&Descriptor::of(&config_digest, config_type, config.len() as u64)),
            "layers": layers.iter().map(shown).collect::<Vec<_>>(),
        })
        .to_string();
        let digest = Digest::sha256(&manifest);
        lease.hold(&digest);
        content.put(manifest.as_bytes())?;
        let target = Descriptor::of(&digest, media::OCI_MANIFEST, manifest.len() as u64);
        self.adopt(name, target, lease)
    }

    /// Names an image whose documents are here.
    pub(crate) fn adopt(
        &self,
        name: Option<&Reference>,
        target: Descriptor,
        mut lease: crate::lease::Lease,
    ) -> Result<Image, Error> {
        let shown = name.map_or_else(|| target.digest.to_string(), ToString::to_string);
        match self.resolve(&shown, &target, &mut lease)? {
            Resolved::Image(found) => {
                for layer in &found.1.layers {
                    if !self.has(&layer.digest, &mut lease)? {
                        return Err(Error::Missing { image: shown, digest: layer.digest.clone() });
                    }
                    let found = self.0.content.size(&layer.digest)?;
                    if found != layer.size {
                        return Err(Error::Size { digest: layer.digest.clone(), wanted: layer.size, found });
                    }
                }
                let image = self.parts(name.cloned(), target, *found).leased(lease);
                if let Some(name) = name {
                    self.name(name, &image)?;
                }
                Ok(image)
            }
            Resolved::Missing(descriptor) => Err(Error::Missing { image: shown, digest: descriptor.digest }),
        }
    }
}
