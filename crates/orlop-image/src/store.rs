//! The store: images of one machine on disk.

mod collect;
mod layers;
mod snapshots;

use std::collections::BTreeMap;
use std::fs::File;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orlop_fs::Root;
use parking_lot::Mutex;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::content::{Content, Removed, file_name};
use crate::faults::Faults;
use crate::image::Parts;
use crate::lease::{InTurn, Lease, Leases};
use crate::manifest::Document;
pub use collect::Collected;

use crate::{
    Config, ConfigError, Descriptor, Devices, Digest, Error, Image, Limits, Manifest, Marks, Ownership,
    Platform, Reference, UnpackOptions, media,
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
}

fn record_path(name: &Reference) -> PathBuf {
    Path::new(IMAGES).join(file_name(&name.to_string()))
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
