//! Images from archives and layouts on disk.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use orlop_fs::Root;
use serde::Deserialize;

use crate::compression::Decoder;
use crate::lease::Lease;
use crate::manifest::Document;
use crate::store::Resolved;
use crate::tar::{Archive, Entry, Kind};
use crate::{Algorithm, Descriptor, Digest, Error, Image, Reference, Store, TarError, media};

/// The names of images in `index.json`.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// Links from link to link in an archive.
const HOPS: usize = 16;

/// One image of `manifest.json`, which `docker save` writes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

impl Store {
    /// Imports the images of an archive: a tar of an OCI layout, or what `docker save` writes (either may be compressed).
    ///
    /// Images get the names that the archive gives them; `name` is for an archive with one image, which then gets this
    /// one. An image without any name is kept as long as the answer is.
    ///
    /// # Errors
    /// It is no such archive, cut off, too large, or its content is not what its digests say; there is no image for this
    /// platform in it; the kernel refuses. What was imported by then are complete blobs without a name, which
    /// [`gc`](Self::gc) removes.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn import_archive(&self, archive: impl Read, name: Option<&Reference>) -> Result<Vec<Image>, Error> {
        let limits = &self.0.options.limits;
        let wrong =
            |error: TarError| Error::Archive { archive: "of images".to_owned(), problem: error.to_string() };
        let source = BufReader::with_capacity(128 << 10, archive);
        let decoder = Decoder::new(source, limits.window).map_err(|error| wrong(error.into()))?;
        let mut archive = Archive::new(BufReader::with_capacity(128 << 10, decoder), limits);
        let mut files =
            Files { lease: self.0.leases.lease(), files: BTreeMap::new(), links: BTreeMap::new() };
        let mut bytes: u64 = 0;
        while let Some(entry) = archive.next_entry().map_err(wrong)? {
            bytes = bytes.saturating_add(entry.size);
            if bytes > limits.blob {
                return Err(Error::Limit {
                    object: "archive of images".to_owned(),
                    what: "bytes",
                    limit: limits.blob,
                });
            }
            self.take(&entry, &mut archive, &mut files)?;
        }
        archive.drain().map_err(wrong)?;
        self.import(&files, name)
    }

    /// Imports the images of an OCI layout in a directory.
    ///
    /// # Errors
    /// As [`import_archive`](Self::import_archive).
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn import_layout(
        &self,
        path: impl AsRef<Path>,
        name: Option<&Reference>,
    ) -> Result<Vec<Image>, Error> {
        let layout = Root::open(path.as_ref())?;
        let limit = self.0.options.limits.document;
        let shown = path.as_ref().display().to_string();
        if !layout.exists("oci-layout")? {
            return Err(Error::Archive { archive: shown, problem: "there is no file oci-layout".to_owned() });
        }
        check_layout(&shown, &layout.read("oci-layout", limit)?)?;
        let index = layout.read("index.json", limit)?;
        let fetch = |digest: &Digest, size: u64, lease: &mut Lease| -> Result<bool, Error> {
            if self.has(digest, lease)? {
                return Ok(true);
            }
            let path = Path::new("blobs").join(digest.algorithm().name()).join(digest.hex());
            let mut file = match layout.open_file(&path) {
                Err(error) if error.is_not_found() => return Ok(false),
                other => other?,
            };
            self.0.content.copy(&mut file, digest, Some(size), self.0.options.limits.blob)?;
            Ok(true)
        };
        self.import_index(&shown, &index, name, &fetch)
    }

    /// Takes one file of an archive.
    fn take<R: Read>(&self, entry: &Entry, archive: &mut Archive<R>, files: &mut Files) -> Result<(), Error> {
        let Some(path) = inside(&entry.path) else { return Ok(()) };
        match entry.kind {
            Kind::File => {
                // By the hash that its name says, so that blobs need to be hashed once.
                let named = named_by_path(&path);
                let algorithm = named.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
                let mut ingest = self.0.content.ingest(algorithm, self.0.options.limits.blob)?;
                let mut content = archive.content();
                let mut buffer = vec![0; 128 << 10];
                loop {
                    match content.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(read) => ingest.write(&buffer[..read])?,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => {
                            let archive = path.display().to_string();
                            return Err(Error::Archive { archive, problem: error.to_string() });
                        }
                    }
                }
                let digest = ingest.digest();
                files.lease.hold(&digest);
                let size = ingest.bytes();
                ingest.commit(named.as_ref(), None)?;
                files.links.remove(&path);
                files.files.insert(path, (digest, size));
            }
            Kind::Symlink => {
                let above = path.parent().unwrap_or(Path::new(""));
                if let Some(target) =
                    inside(above.join(OsStr::from_bytes(&entry.link)).as_os_str().as_bytes())
                {
                    files.files.remove(&path);
                    files.links.insert(path, target);
                }
            }
            Kind::HardLink => {
                if let Some(target) = inside(&entry.link) {
                    files.files.remove(&path);
                    files.links.insert(path, target);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&self, files: &Files, name: Option<&Reference>) -> Result<Vec<Image>, Error> {
        let archive = "of images";
        let limit = self.0.options.limits.document;
        let read = |path: &str| -> Result<Option<Vec<u8>>, Error> {
            files.find(Path::new(path)).map(|(digest, _)| self.0.content.read(&digest, limit)).transpose()
        };
        if let Some(layout) = read("oci-layout")?
            && let Some(index) = read("index.json")?
        {
            check_layout(archive, &layout)?;
            let fetch = |digest: &Digest, _: u64, lease: &mut Lease| self.has(digest, lease);
            return self.import_index(archive, &index, name, &fetch);
        }
        let wrong = |problem: String| Error::Archive { archive: archive.to_owned(), problem };
        let Some(saved) = read("manifest.json")? else {
            return Err(wrong(
                "there is neither an index.json with oci-layout nor a manifest.json".to_owned(),
            ));
        };
        let saved: Vec<Saved> =
            serde_json::from_slice(&saved).map_err(|error| wrong(format!("manifest.json: {error}")))?;
        let mut images = Vec::new();
        for image in &saved {
            let tags = image.repo_tags.iter().flatten().map(|tag| Reference::parse(tag));
            let names = names(name, saved.len(), tags.collect::<Result<Vec<_>, _>>()?);
            images.extend(self.import_saved(archive, image, &names, files)?);
        }
        Ok(images)
    }

    /// Makes a manifest for an image that was saved without one.
    fn import_saved(
        &self,
        archive: &str,
        saved: &Saved,
        names: &[Reference],
        files: &Files,
    ) -> Result<Vec<Image>, Error> {
        let find = |path: &str| {
            inside(path.as_bytes()).and_then(|path| files.find(&path)).ok_or_else(|| Error::Archive {
                archive: archive.to_owned(),
                problem: format!("{path} is missing"),
            })
        };
        let (config, _) = find(&saved.config)?;
        let config = self.0.content.read(&config, self.0.options.limits.document)?;
        let mut lease = self.0.leases.lease();
        let mut layers = Vec::new();
        for layer in saved.layers.iter().flatten() {
            let (digest, size) = find(layer)?;
            lease.hold(&digest);
            layers.push(Descriptor::of(&digest, media::OCI_LAYER, size));
        }
        let first = self.assemble(names.first(), &config, media::OCI_CONFIG, &layers, lease)?;
        self.with_names(first, names)
    }

    /// The images of an `index.json`. `fetch` answers whether some content is here, or gets it.
    fn import_index(
        &self,
        archive: &str,
        index: &[u8],
        name: Option<&Reference>,
        fetch: &dyn Fn(&Digest, u64, &mut Lease) -> Result<bool, Error>,
    ) -> Result<Vec<Image>, Error> {
        let wrong = |error| Error::Document {
            image: format!("archive {archive}"),
            digest: Digest::sha256(index),
            error,
        };
        let Document::Index(entries) = Document::read(index, Some(media::OCI_INDEX)).map_err(wrong)? else {
            return Err(Error::Archive {
                archive: archive.to_owned(),
                problem: "index.json is none".to_owned(),
            });
        };
        // One image may stand there several times, under different names.
        let mut targets: Vec<(Descriptor, Vec<Reference>)> = Vec::new();
        for entry in entries {
            let usable = media::is_index(&entry.media_type) || media::is_manifest(&entry.media_type);
            if !usable || crate::manifest::is_attestation(&entry) {
                continue;
            }
            let name = name_of(&entry);
            match targets.iter_mut().find(|(known, _)| known.digest == entry.digest) {
                Some((_, names)) => names.extend(name),
                None => targets.push((entry, name.into_iter().collect())),
            }
        }
        // Entries without a name for other platforms are no images of their own.
        let several = targets.len() > 1;
        let count = targets.len();
        let mut images = Vec::new();
        let mut other_platforms = None;
        for (target, own) in targets {
            let names = names(name, count, own);
            match self.import_one(archive, target, &names, fetch) {
                Err(error @ Error::Platform { .. }) if several => other_platforms = Some(error),
                other => images.extend(other?),
            }
        }
        match other_platforms {
            Some(error) if images.is_empty() => Err(error),
            _ => Ok(images),
        }
    }

    fn import_one(
        &self,
        archive: &str,
        target: Descriptor,
        names: &[Reference],
        fetch: &dyn Fn(&Digest, u64, &mut Lease) -> Result<bool, Error>,
    ) -> Result<Vec<Image>, Error> {
        let shown = names.first().map_or_else(|| format!("in archive {archive}"), ToString::to_string);
        let mut lease = self.0.leases.lease();
        if let Some(platform) = &target.platform
            && media::is_manifest(&target.media_type)
            && !self.0.options.platform.accepts(platform)
        {
            let (wanted, offered) = (self.0.options.platform.clone(), vec![platform.to_string()]);
            return Err(Error::Platform { image: shown, wanted, offered });
        }
        loop {
            match self.resolve(&shown, &target, &mut lease)? {
                Resolved::Missing(missing) => {
                    if missing.size > self.0.options.limits.document
                        || !fetch(&missing.digest, missing.size, &mut lease)?
                    {
                        return Err(Error::Missing { image: shown, digest: missing.digest });
                    }
                }
                Resolved::Image(found) => {
                    for layer in &found.1.layers {
                        if !fetch(&layer.digest, layer.size, &mut lease)? {
                            return Err(Error::Missing { image: shown, digest: layer.digest.clone() });
                        }
                    }
                    let image = self.adopt(names.first(), target, lease)?;
                    return self.with_names(image, names);
                }
            }
        }
    }

    /// The image under all of its names.
    fn with_names(&self, image: Image, names: &[Reference]) -> Result<Vec<Image>, Error> {
        let mut images = vec![image];
        for name in names.iter().skip(1) {
            images.push(self.tag(&images[0], name)?);
        }
        Ok(images)
    }
}

/// The files of an archive, as far as they were read.
struct Files {
    /// What is here is held, whether it is needed or not.
    lease: Lease,
    files: BTreeMap<PathBuf, (Digest, u64)>,
    links: BTreeMap<PathBuf, PathBuf>,
}

impl Files {
    fn find(&self, path: &Path) -> Option<(Digest, u64)> {
        let mut path = path;
        for _ in 0..HOPS {
            if let Some(found) = self.files.get(path) {
                return Some(found.clone());
            }
            path = self.links.get(path)?;
        }
        None
    }
}

/// The path in an archive, if it is one inside.
fn inside(path: &[u8]) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(path)).components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::ParentDir if inside.pop() => {}
            Component::ParentDir => return None,
            _ => {}
        }
    }
    (!inside.as_os_str().is_empty()).then_some(inside)
}

/// The digest that `blobs/ALGORITHM/HASH` promises.
fn named_by_path(path: &Path) -> Option<Digest> {
    let rest = path.strip_prefix("blobs").ok()?.to_str()?;
    Digest::parse(&rest.replacen('/', ":", 1)).ok()
}

/// A name given from outside is for a single image; names inside have no say then.
fn names(given: Option<&Reference>, images: usize, own: Vec<Reference>) -> Vec<Reference> {
    match given {
        Some(given) if images == 1 => vec![given.clone()],
        _ => own,
    }
}

/// The full name of an entry of `index.json`. What is only a tag is none.
fn name_of(entry: &Descriptor) -> Option<Reference> {
    let annotation = |name: &str| entry.annotations.get(name);
    let text = annotation(CONTAINERD_NAME)
        .or_else(|| annotation(REF_NAME).filter(|name| name.contains(['/', ':', '@'])))?;
    Reference::parse(text).ok()
}

fn check_layout(archive: &str, text: &[u8]) -> Result<(), Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Layout {
        image_layout_version: String,
    }
    let wrong = |problem: String| Error::Archive { archive: archive.to_owned(), problem };
    let layout: Layout =
        serde_json::from_slice(text).map_err(|error| wrong(format!("oci-layout: {error}")))?;
    if layout.image_layout_version.starts_with("1.") {
        Ok(())
    } else {
        Err(wrong(format!("a layout of version {:?}", layout.image_layout_version)))
    }
}
