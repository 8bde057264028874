//! The store: images of one machine on disk.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::BufReader;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use orlop_fs::Root;
use parking_lot::Mutex;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::content::{Content, Removed, file_name};
use crate::faults::Faults;
use crate::image::Parts;
use crate::lease::{InTurn, Lease, Leases};
use crate::manifest::Document;
use crate::unpack::{Pending, unpack};
use crate::{
    Config, ConfigError, Descriptor, Devices, Digest, Error, Image, LayerError, Layers, Limits, Manifest,
    Marks, Ownership, Platform, Reference, Snapshot, UnpackOptions, media,
};

const IMAGES: &str = "images";
const LAYERS: &str = "layers";
const SNAPSHOTS: &str = "snapshots";
/// A layer with nothing in it, for images without layers.
const EMPTY: &str = "layers/empty";

/// How a [`Store`] works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreOptions {
    /// For which machines images are chosen; this one by default.
    pub platform: Platform,
    /// What to do with device nodes in layers; they are left out by default.
    pub devices: Devices,
    /// Who owns what is unpacked. By default, those whom the layers name, if this process may change owners.
    pub ownership: Option<Ownership>,
    /// How removals are marked. By default, by `trusted` attributes, if this process may set them.
    pub marks: Option<Marks>,
    /// What an image may hold.
    pub limits: Limits,
    /// How many layers of an image are unpacked at once; as many as there are processors by default.
    pub threads: usize,
    /// Where to fail, in tests.
    #[doc(hidden)]
    pub faults: Faults,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            platform: Platform::current(),
            devices: Devices::default(),
            ownership: None,
            marks: None,
            limits: Limits::default(),
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            faults: Faults::default(),
        }
    }
}

/// Images on disk: verified content by digest, layers unpacked once each, snapshots for containers.
///
/// One process uses a directory at a time; in it, any number of threads. A clone is the same store. All methods block;
/// in async code they belong on a thread for that.
///
/// Whatever interrupts it, also `kill -9` and loss of power, what is in the store under a name is complete.
#[derive(Clone, Debug)]
pub struct Store(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    path: PathBuf,
    pub(crate) content: Arc<Content>,
    pub(crate) options: StoreOptions,
    pub(crate) unpack: UnpackOptions,
    pub(crate) leases: Leases,
    in_turn: InTurn,
    /// Images by their full names. Held while images and snapshots get and lose their names and while garbage is
    /// collected, so that what one needs is always either leased or named.
    images: Mutex<BTreeMap<Reference, Record>>,
    #[cfg(feature = "registry")]
    pub(crate) downloads: crate::registry::Downloads,
    /// Locked as long as the store is open.
    _lock: File,
}

/// What is written down of a named image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    name: Reference,
    /// What the name leads to: an index or a manifest.
    target: Digest,
    media_type: String,
    size: u64,
    manifest: Digest,
}

/// What is written down of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SnapshotRecord {
    manifest: Digest,
    /// Chain identifiers, the base first.
    chain: Vec<Digest>,
}

/// What is written down of an unpacked layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LayerRecord {
    diff_id: Digest,
    /// Whether nothing below shows.
    opaque: bool,
    /// Bytes when it was decompressed.
    size: u64,
}

/// What a name leads to, as far as it is here.
pub(crate) enum Resolved {
    /// All documents are here, and this is the image.
    Image(Box<(Digest, Manifest, Config)>),
    /// This document has to be fetched first.
    Missing(Descriptor),
}

impl Store {
    /// Opens the store in a directory, which is made if it isn't there. What was left half-done is removed.
    ///
    /// # Errors
    /// Another process uses it, or the kernel refuses.
    pub fn open(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self, Error> {
        let path = path.as_ref();
        std::fs::create_dir_all(path).map_err(Error::io("mkdir", path))?;
        let root = Root::open(path)?;
        root.handle("", true)?.set_mode(0o700)?;
        let lock = root.create_file("lock", 0o600)?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Error::Busy { path: path.to_owned() }),
            Err(error) => return Err(Error::io("flock", path)(error.into())),
        }
        for directory in [IMAGES, LAYERS, SNAPSHOTS, "layers/empty/fs"] {
            root.create_dir_all(directory, 0o755)?;
        }
        let content = Content::open(root, options.faults.clone())?;
        let (ownership, marks) = probe(&content)?;
        let unpack = UnpackOptions {
            devices: options.devices,
            ownership: options.ownership.unwrap_or(ownership),
            marks: options.marks.unwrap_or(marks),
            limits: options.limits.clone(),
            faults: options.faults.clone(),
        };
        let images = read_records(&content)?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            content: Arc::new(content),
            options,
            unpack,
            leases: Leases::default(),
            in_turn: InTurn::default(),
            images: Mutex::new(images),
            #[cfg(feature = "registry")]
            downloads: crate::registry::Downloads::default(),
            _lock: lock,
        })))
    }

    /// The directory it lies in.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// How layers are unpacked here, when what this process may do was taken into account.
    #[must_use]
    pub fn unpack_options(&self) -> &UnpackOptions {
        &self.0.unpack
    }

    /// The image of this name, if it is here.
    ///
    /// A name with a digest is also found under other names of the same repository that lead to this digest.
    ///
    /// # Errors
    /// Its documents cannot be read.
    pub fn get(&self, name: &Reference) -> Result<Option<Image>, Error> {
        let (record, mut lease) = {
            let images = self.0.images.lock();
            let record = images.get(name).or_else(|| {
                let digest = name.digest()?;
                let same = |record: &&Record| record.target == *digest || record.manifest == *digest;
                images.values().filter(|record| record.name.repository() == name.repository()).find(same)
            });
            let Some(record) = record.cloned() else { return Ok(None) };
            let mut lease = self.0.leases.lease();
            lease.hold(&record.target);
            lease.hold(&record.manifest);
            (record, lease)
        };
        Ok(Some(self.load(&record, &mut lease)?.leased(lease)))
    }

    /// The image of this identifier, that is, the digest of its configuration, of its manifest or of its index.
    ///
    /// # Errors
    /// Documents cannot be read.
    pub fn by_id(&self, id: &Digest) -> Result<Option<Image>, Error> {
        for image in self.images()? {
            if [image.id(), image.manifest_digest(), image.target()].contains(&id) {
                return Ok(Some(image));
            }
        }
        Ok(None)
    }

    /// All images that have a name, by their names in order.
    ///
    /// # Errors
    /// Documents cannot be read.
    pub fn images(&self) -> Result<Vec<Image>, Error> {
        let names: Vec<Reference> = self.0.images.lock().keys().cloned().collect();
        let mut images = Vec::with_capacity(names.len());
        for name in names {
            images.extend(self.get(&name)?);
        }
        Ok(images)
    }

    /// Takes the name away; answers whether there was one. What nobody needs any more goes with the next [`gc`](Self::gc).
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn remove(&self, name: &Reference) -> Result<bool, Error> {
        let mut images = self.0.images.lock();
        if !images.contains_key(name) {
            return Ok(false);
        }
        self.0.content.remove(&record_path(name))?;
        images.remove(name);
        Ok(true)
    }

    /// Gives a further name to an image.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn tag(&self, image: &Image, name: &Reference) -> Result<Image, Error> {
        let parts = Parts { name: Some(name.clone()), ..image.parts().clone() };
        let image = parts.leased(self.0.leases.lease());
        self.name(name, &image)?;
        Ok(image)
    }

    /// Writes the name of an image down.
    pub(crate) fn name(&self, name: &Reference, image: &Image) -> Result<(), Error> {
        let parts = image.parts();
        let record = Record {
            name: name.clone(),
            target: parts.target.digest.clone(),
            media_type: parts.target.media_type.clone(),
            size: parts.target.size,
            manifest: parts.manifest_digest.clone(),
        };
        let mut images = self.0.images.lock();
        if images.get(name) == Some(&record) {
            return Ok(());
        }
        let text = serde_json::to_vec(&record).map_err(|error| Error::io("encode", IMAGES)(error.into()))?;
        self.0.content.write(&record_path(name), &text)?;
        images.insert(name.clone(), record);
        Ok(())
    }

    /// All that there is of a named image; the documents are held by the lease.
    fn load(&self, record: &Record, lease: &mut Lease) -> Result<Parts, Error> {
        let target = Descriptor::of(&record.manifest, "", self.0.content.size(&record.manifest)?);
        match self.resolve(&record.name.to_string(), &target, lease)? {
            Resolved::Image(found) => {
                let target = Descriptor::of(&record.target, &record.media_type, record.size);
                Ok(self.parts(Some(record.name.clone()), target, *found))
            }
            Resolved::Missing(descriptor) => {
                Err(Error::Missing { image: record.name.to_string(), digest: descriptor.digest })
            }
        }
    }

    pub(crate) fn parts(
        &self,
        name: Option<Reference>,
        target: Descriptor,
        (manifest_digest, manifest, config): (Digest, Manifest, Config),
    ) -> Parts {
        let chain = config.chain_ids();
        Parts { store: self.clone(), name, target, manifest_digest, manifest, config, chain }
    }

    /// Whether a blob is here; the lease holds it from now on.
    pub(crate) fn has(&self, digest: &Digest, lease: &mut Lease) -> Result<bool, Error> {
        lease.hold(digest);
        self.0.content.contains(digest)
    }

    pub(crate) fn empty_layer(&self) -> PathBuf {
        self.0.path.join(EMPTY).join("fs")
    }

    pub(crate) fn marks(&self) -> Marks {
        self.0.unpack.marks
    }

    /// Follows a descriptor to the image for this store's platform, as far as the documents are here. All of them are
    /// held by the lease.
    pub(crate) fn resolve(
        &self,
        image: &str,
        target: &Descriptor,
        lease: &mut Lease,
    ) -> Result<Resolved, Error> {
        self.resolve_within(image, target, 0, false, lease)
    }

    fn resolve_within(
        &self,
        image: &str,
        target: &Descriptor,
        depth: usize,
        matching: bool,
        lease: &mut Lease,
    ) -> Result<Resolved, Error> {
        let Some(bytes) = self.document(target, lease)? else { return Ok(Resolved::Missing(target.clone())) };
        let media_type = Some(target.media_type.as_str()).filter(|media_type| !media_type.is_empty());
        let document = Document::read(&bytes, media_type).map_err(|error| Error::Document {
            image: image.to_owned(),
            digest: target.digest.clone(),
            error,
        })?;
        let platform = &self.0.options.platform;
        match document {
            Document::Index(entries) => {
                let limit = self.0.options.limits.depth;
                if depth >= limit {
                    let (object, limit) = (format!("image {image}"), limit as u64);
                    return Err(Error::Limit { object, what: "indexes inside of each other", limit });
                }
                let candidates = platform.choose(&entries);
                let several = candidates.len() > 1 || candidates.iter().any(|entry| entry.platform.is_none());
                for candidate in candidates {
                    match self.resolve_within(image, candidate, depth + 1, several, lease) {
                        Err(Error::Platform { .. }) if several => {}
                        other => return other,
                    }
                }
                let offered = entries.iter().map(|entry| match &entry.platform {
                    Some(platform) => platform.to_string(),
                    None => "not said".to_owned(),
                });
                let offered = offered.collect();
                Err(Error::Platform { image: image.to_owned(), wanted: platform.clone(), offered })
            }
            Document::Manifest(manifest) => {
                let limit = self.0.options.limits.layers;
                if manifest.layers.len() > limit {
                    let (object, limit) = (format!("image {image}"), limit as u64);
                    return Err(Error::Limit { object, what: "layers", limit });
                }
                if !media::is_config(&manifest.config.media_type) {
                    let media_type = manifest.config.media_type;
                    return Err(Error::NotAnImage { image: image.to_owned(), media_type });
                }
                let Some(bytes) = self.document(&manifest.config, lease)? else {
                    return Ok(Resolved::Missing(manifest.config));
                };
                let wrong = |error| Error::Config {
                    image: image.to_owned(),
                    digest: manifest.config.digest.clone(),
                    error,
                };
                let config = Config::read(&bytes).map_err(wrong)?;
                let (diff_ids, layers) = (config.diff_ids().len(), manifest.layers.len());
                if diff_ids != layers {
                    return Err(wrong(ConfigError::Layers { diff_ids, layers }));
                }
                if !platform.accepts(&config.platform()) {
                    if matching {
                        let offered = vec![config.platform().to_string()];
                        return Err(Error::Platform {
                            image: image.to_owned(),
                            wanted: platform.clone(),
                            offered,
                        });
                    }
                    tracing::warn!(image, platform = %config.platform(), wanted = %platform, "the image is for another platform");
                }
                Ok(Resolved::Image(Box::new((target.digest.clone(), manifest, config))))
            }
        }
    }

    /// A document, if it is here.
    fn document(&self, descriptor: &Descriptor, lease: &mut Lease) -> Result<Option<Vec<u8>>, Error> {
        let (digest, limit) = (&descriptor.digest, self.0.options.limits.document);
        if descriptor.size > limit {
            return Err(Error::Limit { object: digest.to_string(), what: "bytes", limit });
        }
        if !self.has(digest, lease)? {
            return Ok(None);
        }
        let bytes = self.0.content.read(digest, limit)?;
        let found = bytes.len() as u64;
        if found != descriptor.size {
            return Err(Error::Size { digest: digest.clone(), wanted: descriptor.size, found });
        }
        Ok(Some(bytes))
    }

    /// Unpacks the layers of an image that aren't yet, several at once, and answers their directories.
    ///
    /// # Errors
    /// A layer is missing, wrong, or not what the configuration of the image says; or the kernel refuses. Layers below
    /// it may be unpacked then, whole.
    #[tracing::instrument(level = "debug", skip_all, fields(image = %image.display_name()))]
    pub fn unpack(&self, image: &Image) -> Result<Layers, Error> {
        let name = image.display_name();
        for layer in &image.manifest().layers {
            if !media::is_layer(&layer.media_type) {
                let (digest, media_type) = (layer.digest.clone(), layer.media_type.clone());
                return Err(Error::LayerType { image: name, digest, media_type });
            }
        }
        // In order, so that two who unpack images with common layers do not wait for each other.
        let mut missing = Vec::new();
        let mut turns = Vec::new();
        for (number, chain_id) in image.parts().chain.iter().enumerate() {
            if !self.0.content.root.exists(layer_path(chain_id))? {
                let turn = self.0.in_turn.take(chain_id);
                // Someone else may have done it meanwhile.
                if !self.0.content.root.exists(layer_path(chain_id))? {
                    missing.push(number);
                    turns.push(turn);
                }
            }
        }
        let results: Vec<Mutex<Option<Result<Half<'_>, Error>>>> =
            missing.iter().map(|_| Mutex::new(None)).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(number) = missing.get(index) else { break };
                let half = self.unpack_half(image, *number);
                if half.is_err() {
                    // What comes after it is of no use.
                    next.store(missing.len(), Ordering::Relaxed);
                }
                *results[index].lock() = Some(half);
            }
        };
        let threads = self.0.options.threads.clamp(1, missing.len().max(1));
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        // The first failure is the one to tell; the halves that are not used remove themselves.
        let mut halves = Vec::with_capacity(missing.len());
        let mut failure = None;
        for result in results {
            match result.into_inner() {
                Some(Ok(half)) => halves.push(half),
                Some(Err(error)) if failure.is_none() => failure = Some(error),
                _ => {}
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        for half in halves {
            self.unpack_rest(image, half)?;
        }
        drop(turns);
        Ok(Layers { image: image.clone(), lower: self.lower(&image.parts().chain)? })
    }

    /// Unpacks a layer under another name.
    fn unpack_half(&self, image: &Image, number: usize) -> Result<Half<'_>, Error> {
        let content = &self.0.content;
        let (layer, diff_id) = (&image.manifest().layers[number], &image.config().diff_ids()[number]);
        let name = image.display_name();
        if !content.contains(&layer.digest)? {
            return Err(Error::Missing { image: name, digest: layer.digest.clone() });
        }
        let wrong = |error| Error::Layer {
            image: name.clone(),
            digest: layer.digest.clone(),
            error: Box::new(error),
        };
        let path = content.temporary();
        content.step("mkdir", &path)?;
        content.root.create_dir(&path, 0o755)?;
        let mut half = Half { root: &content.root, number, path, pending: None, done: false };
        let directory = half.path.join("fs");
        content.step("mkdir", &directory)?;
        content.root.create_dir(&directory, 0o755)?;
        let root = content.root.sub(&directory)?;
        let blob = BufReader::with_capacity(128 << 10, content.open_blob(&layer.digest)?);
        let (unpacked, pending) = unpack(blob, &root, &self.0.unpack).map_err(wrong)?;
        if unpacked.diff_id != *diff_id && diff_id.algorithm() == unpacked.diff_id.algorithm() {
            let (wanted, found) = (diff_id.clone(), unpacked.diff_id);
            return Err(wrong(LayerError::DiffId { wanted, found }));
        }
        if unpacked.skipped_devices > 0 {
            tracing::info!(image = name, layer = %layer.digest, devices = unpacked.skipped_devices, "device nodes left out");
        }
        let record = LayerRecord { diff_id: diff_id.clone(), opaque: unpacked.opaque, size: unpacked.size };
        let record =
            serde_json::to_vec(&record).map_err(|error| Error::io("encode", LAYERS)(error.into()))?;
        content.step("write", &half.path)?;
        content.root.write(half.path.join("layer.json"), &record, 0o600)?;
        half.pending = Some(pending);
        Ok(half)
    }

    /// What needs the layers below; then it is there.
    fn unpack_rest(&self, image: &Image, mut half: Half<'_>) -> Result<(), Error> {
        let content = &self.0.content;
        let chain_id = &image.parts().chain[half.number];
        let layer = &image.manifest().layers[half.number];
        let below = self.directories(&image.parts().chain[..half.number])?;
        let below: Vec<Root> =
            below.iter().map(|directory| content.root.sub(directory)).collect::<Result<_, _>>()?;
        let below: Vec<&Root> = below.iter().collect();
        let root = content.root.sub(half.path.join("fs"))?;
        let pending = half.pending.take().unwrap_or_default();
        pending.finish(&root, &below, &self.0.unpack).map_err(|error| Error::Layer {
            image: image.display_name(),
            digest: layer.digest.clone(),
            error: Box::new(error),
        })?;
        content.step("syncfs", &half.path)?;
        let directory = content.root.open_file(&half.path)?;
        rustix::fs::syncfs(&directory).map_err(|error| Error::io("syncfs", &half.path)(error.into()))?;
        let path = layer_path(chain_id);
        content.step("rename", &path)?;
        content.root.rename_new(&half.path, &path)?;
        half.done = true;
        content.sync_directory(Path::new(LAYERS))
    }

    /// The directories of a chain inside the store, the top first, without those that are hidden as a whole.
    fn directories(&self, chain: &[Digest]) -> Result<Vec<PathBuf>, Error> {
        let mut directories = Vec::with_capacity(chain.len());
        for chain_id in chain.iter().rev() {
            let path = layer_path(chain_id);
            let record = self.0.content.root.read(path.join("layer.json"), 1 << 16)?;
            let record: LayerRecord =
                serde_json::from_slice(&record).map_err(|error| Error::io("read", &path)(error.into()))?;
            directories.push(path.join("fs"));
            if record.opaque {
                break;
            }
        }
        Ok(directories)
    }

    /// The same for overlayfs, which needs one at least.
    fn lower(&self, chain: &[Digest]) -> Result<Vec<PathBuf>, Error> {
        let mut lower: Vec<PathBuf> =
            self.directories(chain)?.iter().map(|directory| self.0.path.join(directory)).collect();
        if lower.is_empty() {
            lower.push(self.empty_layer());
        }
        Ok(lower)
    }

    /// Removes what no named image, no snapshot, no [`Image`] and no [`Layers`] needs.
    ///
    /// # Errors
    /// The kernel refuses. What was removed by then is whole.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn gc(&self) -> Result<Collected, Error> {
        let images = self.0.images.lock();
        let content = &self.0.content;
        let mut used: HashSet<Digest> = HashSet::new();
        for record in images.values() {
            used.extend([record.target.clone(), record.manifest.clone()]);
            let mut lease = self.0.leases.lease();
            if let Ok(parts) = self.load(record, &mut lease) {
                used.insert(parts.manifest.config.digest.clone());
                used.extend(parts.manifest.layers.iter().map(|layer| layer.digest.clone()));
                used.extend(parts.chain);
            }
        }
        for key in self.snapshots()? {
            used.extend(self.snapshot_record(&key)?.chain);
        }
        let mut collected = Collected::default();
        for digest in content.all()? {
            if used.contains(&digest) {
                continue;
            }
            let size = content.size(&digest)?;
            if let Some(removed) = self.0.leases.if_free(&digest, || content.remove_blob(&digest)) {
                removed?;
                collected.blobs += 1;
                collected.bytes += size;
            }
        }
        for entry in content.root.read_dir(LAYERS, usize::MAX)? {
            let name = entry.name.to_string_lossy().into_owned();
            let Some(chain_id) = name
                .split_once('-')
                .and_then(|(algorithm, hex)| Digest::parse(&format!("{algorithm}:{hex}")).ok())
            else {
                continue;
            };
            if used.contains(&chain_id) {
                continue;
            }
            // It is gone from its name while nobody can get hold of it; to remove all of it takes longer.
            let temporary = content.temporary();
            let path = layer_path(&chain_id);
            let taken = self.0.leases.if_free(&chain_id, || content.root.rename(&path, &temporary));
            if let Some(taken) = taken {
                taken?;
                content.sync_directory(Path::new(LAYERS))?;
                content.root.remove_all(&temporary)?;
                collected.layers += 1;
            }
        }
        Ok(collected)
    }

    /// Makes the writable part of a container's file system over an image, whose layers are unpacked if they aren't yet.
    /// It stays, also when the process ends, until [`remove_snapshot`](Self::remove_snapshot).
    ///
    /// # Errors
    /// See [`unpack`](Self::unpack); the name is none, or there is one already; the kernel refuses.
    pub fn create_snapshot(&self, key: &str, image: &Image) -> Result<Snapshot, Error> {
        let path = snapshot_path(key)?;
        let layers = self.unpack(image)?;
        let content = &self.0.content;
        if content.root.exists(&path)? {
            return Err(Error::SnapshotExists { key: key.to_owned() });
        }
        let temporary = content.temporary();
        content.step("mkdir", &temporary)?;
        content.root.create_dir(&temporary, 0o700)?;
        let half = Removed { root: &content.root, path: &temporary };
        for directory in ["fs", "work"] {
            content.step("mkdir", &path)?;
            content.root.create_dir(temporary.join(directory), 0o755)?;
        }
        // The root directory of an overlay is that of the upper one.
        let like = match layers.lower.first() {
            Some(top) => Root::open(top)?.handle("", true)?.metadata()?,
            None => content.root.metadata(EMPTY)?,
        };
        let upper = content.root.handle(temporary.join("fs"), false)?;
        if self.0.unpack.ownership == Ownership::Keep {
            upper.set_owner(like.uid, like.gid)?;
        }
        upper.set_mode(like.mode)?;
        let record =
            SnapshotRecord { manifest: image.manifest_digest().clone(), chain: image.parts().chain.clone() };
        let record = serde_json::to_vec(&record).map_err(|error| Error::io("encode", &path)(error.into()))?;
        content.write(&temporary.join("snapshot.json"), &record)?;
        content.step("rename", &path)?;
        // Not while garbage is collected: the layers are held by the image now, and by the snapshot from here on.
        let images = self.0.images.lock();
        match content.root.rename_new(&temporary, &path) {
            Err(error) if error.is_exists() => {
                return Err(Error::SnapshotExists { key: key.to_owned() });
            }
            other => other?,
        }
        std::mem::forget(half);
        drop(images);
        let snapshot = self.snapshot_of(key, layers.lower.clone());
        if let Err(error) = content.sync_directory(Path::new(SNAPSHOTS)) {
            self.remove_snapshot(key)?;
            return Err(error);
        }
        Ok(snapshot)
    }

    /// The snapshot of this name, if there is one.
    ///
    /// # Errors
    /// The name is none, or the kernel refuses.
    pub fn snapshot(&self, key: &str) -> Result<Option<Snapshot>, Error> {
        let path = snapshot_path(key)?;
        // So that nobody removes it meanwhile.
        let _images = self.0.images.lock();
        if !self.0.content.root.exists(path)? {
            return Ok(None);
        }
        let lower = self.lower(&self.snapshot_record(key)?.chain)?;
        Ok(Some(self.snapshot_of(key, lower)))
    }

    /// The names of all snapshots, in order.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn snapshots(&self) -> Result<Vec<String>, Error> {
        let entries = self.0.content.root.read_dir(SNAPSHOTS, usize::MAX)?;
        Ok(entries.into_iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect())
    }

    /// Removes a snapshot; answers whether there was one. It must not be mounted any more.
    ///
    /// # Errors
    /// The name is none, or the kernel refuses.
    pub fn remove_snapshot(&self, key: &str) -> Result<bool, Error> {
        let (content, path) = (&self.0.content, snapshot_path(key)?);
        let temporary = content.temporary();
        {
            let _images = self.0.images.lock();
            match content.root.rename(&path, &temporary) {
                Err(error) if error.is_not_found() => return Ok(false),
                other => other?,
            }
        }
        content.sync_directory(Path::new(SNAPSHOTS))?;
        content.root.remove_all(&temporary)?;
        Ok(true)
    }

    fn snapshot_record(&self, key: &str) -> Result<SnapshotRecord, Error> {
        let path = snapshot_path(key)?.join("snapshot.json");
        let record = self.0.content.root.read(&path, 1 << 20)?;
        serde_json::from_slice(&record).map_err(|error| Error::io("read", &path)(error.into()))
    }

    fn snapshot_of(&self, key: &str, lower: Vec<PathBuf>) -> Snapshot {
        let path = self.0.path.join(SNAPSHOTS).join(key);
        Snapshot {
            key: key.to_owned(),
            lower,
            upper: path.join("fs"),
            work: path.join("work"),
            marks: self.0.unpack.marks,
        }
    }
}

/// What a garbage collection removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collected {
    /// Blobs.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Unpacked layers.
    pub layers: usize,
}

/// A layer that is unpacked under another name, and removed again if it stays so.
struct Half<'a> {
    root: &'a Root,
    number: usize,
    path: PathBuf,
    pending: Option<Pending>,
    done: bool,
}

impl Drop for Half<'_> {
    fn drop(&mut self) {
        if !self.done
            && let Err(error) = self.root.remove_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "left over");
        }
    }
}

fn layer_path(chain_id: &Digest) -> PathBuf {
    Path::new(LAYERS).join(format!("{}-{}", chain_id.algorithm().name(), chain_id.hex()))
}

fn record_path(name: &Reference) -> PathBuf {
    Path::new(IMAGES).join(file_name(&name.to_string()))
}

fn snapshot_path(key: &str) -> Result<PathBuf, Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if key.is_empty() || key.len() > 128 || key.starts_with('.') || !key.bytes().all(allowed) {
        return Err(Error::SnapshotName { key: key.to_owned() });
    }
    Ok(Path::new(SNAPSHOTS).join(key))
}

/// The names that are written down. One that cannot be read is passed over: the image has to be pulled again.
fn read_records(content: &Content) -> Result<BTreeMap<Reference, Record>, Error> {
    let mut records = BTreeMap::new();
    for entry in content.root.read_dir(IMAGES, usize::MAX)? {
        let path = Path::new(IMAGES).join(&entry.name);
        let text = content.root.read(&path, 1 << 16)?;
        match serde_json::from_slice::<Record>(&text) {
            Ok(record) if content.contains(&record.manifest)? => {
                records.insert(record.name.clone(), record);
            }
            Ok(record) => tracing::warn!(image = %record.name, "its manifest is gone"),
            Err(error) => tracing::warn!(path = %path.display(), %error, "no record of an image"),
        }
    }
    Ok(records)
}

/// What this process may do in the store's directory.
fn probe(content: &Content) -> Result<(Ownership, Marks), Error> {
    let path = content.temporary();
    let file = content.root.create_new(&path, 0o600)?;
    let probe = Removed { root: &content.root, path: &path };
    let (uid, gid) = (rustix::fs::Uid::from_raw(1), rustix::fs::Gid::from_raw(1));
    let ownership = match rustix::fs::fchown(&file, Some(uid), Some(gid)) {
        Ok(()) => Ownership::Keep,
        Err(_) => Ownership::Ignore,
    };
    let marks = match content.root.set_xattr(&path, Marks::Trusted.opaque(), b"y") {
        Ok(()) => Marks::Trusted,
        Err(_) => Marks::User,
    };
    drop(probe);
    Ok((ownership, marks))
}
