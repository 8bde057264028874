//! An image in the store, and what containers need of it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orlop_fs::{Flags, Mount, Overlay, Root};

use crate::lease::Lease;
use crate::unpack::find_below;
use crate::user::FILE_LIMIT;
use crate::{Config, Descriptor, Digest, Error, Manifest, Marks, Reference, Store, User};

/// An image in a [`Store`]. As long as it lives, nothing of it is collected. A clone is the same image.
#[derive(Clone)]
pub struct Image(Arc<Leased>);

struct Leased {
    parts: Parts,
    _lease: Lease,
}

/// What an image consists of.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) name: Option<Reference>,
    /// What the name leads to: an index or the manifest.
    pub(crate) target: Descriptor,
    pub(crate) manifest_digest: Digest,
    pub(crate) manifest: Manifest,
    pub(crate) config: Config,
    pub(crate) chain: Vec<Digest>,
}

impl Parts {
    /// Together with the lease that holds all of them.
    pub(crate) fn leased(self, mut lease: Lease) -> Image {
        let documents = [&self.target.digest, &self.manifest_digest, &self.manifest.config.digest];
        let layers = self.manifest.layers.iter().map(|layer| &layer.digest);
        for digest in documents.into_iter().chain(layers).chain(&self.chain) {
            lease.hold(digest);
        }
        Image(Arc::new(Leased { parts: self, _lease: lease }))
    }
}

impl Image {
    pub(crate) fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// The name it was found by; nothing for one that was imported without a name.
    #[must_use]
    pub fn name(&self) -> Option<&Reference> {
        self.parts().name.as_ref()
    }

    /// Its identifier: the digest of its configuration. Kubernetes shows it as `imageID` where an image has no
    /// repository digest.
    #[must_use]
    pub fn id(&self) -> &Digest {
        &self.parts().manifest.config.digest
    }

    /// The digest of its manifest.
    #[must_use]
    pub fn manifest_digest(&self) -> &Digest {
        &self.parts().manifest_digest
    }

    /// The digest of what the name leads to: of the index if there is one, else of the manifest.
    #[must_use]
    pub fn target(&self) -> &Digest {
        &self.parts().target.digest
    }

    /// Repository and digest, by which exactly this can be pulled again: `docker.io/library/nginx@sha256:…`. Kubernetes
    /// shows it as `imageID`.
    #[must_use]
    pub fn repo_digest(&self) -> Option<String> {
        self.name().map(|name| format!("{}@{}", name.repository(), self.target()))
    }

    /// Its manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.parts().manifest
    }

    /// Its configuration: what to run, as whom, where.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.parts().config
    }

    /// Bytes of configuration and layers as they are stored.
    #[must_use]
    pub fn size(&self) -> u64 {
        let manifest = self.manifest();
        manifest.config.size + manifest.layers.iter().map(|layer| layer.size).sum::<u64>()
    }

    /// How messages call it.
    pub(crate) fn display_name(&self) -> String {
        self.name().map_or_else(|| self.id().to_string(), ToString::to_string)
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Image").field("name", &self.name()).field("id", self.id()).finish_non_exhaustive()
    }
}

/// The unpacked layers of an image. As long as they live, they are not collected.
#[derive(Clone, Debug)]
pub struct Layers {
    pub(crate) image: Image,
    pub(crate) lower: Vec<PathBuf>,
}

impl Layers {
    /// The image.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Their directories in the order that overlayfs takes them: the top first. There is always one.
    #[must_use]
    pub fn lower(&self) -> &[PathBuf] {
        &self.lower
    }

    /// Mounts them over each other, only to be read, attached nowhere.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn mount(&self, flags: Flags) -> Result<Mount, Error> {
        let store = &self.image.parts().store;
        let roots = open_all(&self.lower)?;
        // An overlay that cannot be written to needs two.
        let empty = Root::open(store.empty_layer())?;
        let mut overlay = Overlay::new().flags(flags).in_user_namespace(store.marks() == Marks::User);
        for root in roots.iter().chain([&empty]) {
            overlay = overlay.lower(root);
        }
        Ok(overlay.mount()?)
    }

    /// Who `text` is in this image; see [`User::resolve`].
    ///
    /// # Errors
    /// The image doesn't know them, or its files cannot be read.
    pub fn user(&self, text: &str) -> Result<User, Error> {
        let roots = open_all(&self.lower)?;
        let roots: Vec<&Root> = roots.iter().collect();
        let file = |path: &str| -> Result<Vec<u8>, Error> {
            let found = find_below(&roots, Path::new(path), self.image.parts().store.unpack_options());
            let found = found.map_err(|problem| Error::io("find", path)(std::io::Error::other(problem)))?;
            found.map_or(Ok(Vec::new()), |(layer, _)| read_or_empty(layer, path))
        };
        Ok(User::resolve(text, &file("etc/passwd")?, &file("etc/group")?)?)
    }
}

impl User {
    /// Who `text` is by `/etc/passwd` and `/etc/group` in `root`, the file system of a container; see
    /// [`resolve`](Self::resolve). Nothing outside of it is looked at.
    ///
    /// # Errors
    /// They aren't known there, or the files cannot be read.
    pub fn in_root(root: &Root, text: &str) -> Result<Self, Error> {
        let (passwd, group) = (read_or_empty(root, "etc/passwd")?, read_or_empty(root, "etc/group")?);
        Ok(Self::resolve(text, &passwd, &group)?)
    }
}

fn read_or_empty(root: &Root, path: &str) -> Result<Vec<u8>, Error> {
    match root.read(path, FILE_LIMIT) {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        other => Ok(other?),
    }
}

fn open_all(paths: &[PathBuf]) -> Result<Vec<Root>, Error> {
    paths.iter().map(|path| Root::open(path).map_err(Error::from)).collect()
}

/// The file system of a container: the layers of its image, and a directory that takes what it writes.
///
/// It is on disk and stays until it is removed by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub(crate) key: String,
    pub(crate) lower: Vec<PathBuf>,
    pub(crate) upper: PathBuf,
    pub(crate) work: PathBuf,
    pub(crate) marks: Marks,
}

impl Snapshot {
    /// Its name.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The directories of the layers, the top first.
    #[must_use]
    pub fn lower(&self) -> &[PathBuf] {
        &self.lower
    }

    /// Where writes go.
    #[must_use]
    pub fn upper(&self) -> &Path {
        &self.upper
    }

    /// The kernel's own directory beside it.
    #[must_use]
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// Whether overlayfs has to be mounted with `userxattr`.
    #[must_use]
    pub fn userxattr(&self) -> bool {
        self.marks == Marks::User
    }

    /// Mounts it, attached nowhere. This can be done once: nothing of what is written is synced to disk, since it does not
    /// outlive its container, and the kernel refuses to use it again.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn mount(&self, flags: Flags) -> Result<Mount, Error> {
        let roots = open_all(&self.lower)?;
        let (upper, work) = (Root::open(&self.upper)?, Root::open(&self.work)?);
        let mut overlay = Overlay::new()
            .upper(&upper, &work)
            .flags(flags)
            .in_user_namespace(self.userxattr())
            .volatile(true);
        for root in &roots {
            overlay = overlay.lower(root);
        }
        Ok(overlay.mount()?)
    }
}
