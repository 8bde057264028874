//! What can go wrong with a store of images.

use std::io;
use std::path::{Path, PathBuf};

use crate::{ConfigError, Digest, DocumentError, LayerError, Platform, ReferenceError, UserError};

/// An operation on images that failed. Whatever it is, nothing half-made stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name of an image is none.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// There is no such image here.
    #[error("image {image}: not present")]
    NotFound {
        /// The name or identifier.
        image: String,
    },
    /// No image in an index is for the platform.
    #[error("image {image}: nothing for {wanted} among {offered:?}")]
    Platform {
        /// The image.
        image: String,
        /// The platform asked for.
        wanted: Platform,
        /// The platforms there are.
        offered: Vec<String>,
    },
    /// What it leads to is an artifact of another sort.
    #[error("image {image}: its configuration is of type {media_type}, so it is none")]
    NotAnImage {
        /// The image.
        image: String,
        /// The media type of the configuration.
        media_type: String,
    },
    /// An index or a manifest is wrong.
    #[error("image {image}: {digest}: {error}")]
    Document {
        /// The image.
        image: String,
        /// The document.
        digest: Digest,
        /// What is wrong with it.
        #[source]
        error: DocumentError,
    },
    /// A configuration is wrong.
    #[error("image {image}: configuration {digest}: {error}")]
    Config {
        /// The image.
        image: String,
        /// The configuration.
        digest: Digest,
        /// What is wrong with it.
        #[source]
        error: ConfigError,
    },
    /// A layer cannot be unpacked.
    #[error("image {image}: layer {digest}: {error}")]
    Layer {
        /// The image.
        image: String,
        /// The layer, as it is stored.
        digest: Digest,
        /// Why not.
        #[source]
        error: Box<LayerError>,
    },
    /// The layer of an image is of a type that nobody knows how to unpack.
    #[error("image {image}: layer {digest} is of type {media_type}")]
    LayerType {
        /// The image.
        image: String,
        /// The layer.
        digest: Digest,
        /// Its media type.
        media_type: String,
    },
    /// Content is not what its name says.
    #[error("content {wanted} is {found}")]
    Digest {
        /// What it should be.
        wanted: Digest,
        /// What it is.
        found: Digest,
    },
    /// Content has another size than was said.
    #[error("content {digest}: {found} bytes, not {wanted}")]
    Size {
        /// The content.
        digest: Digest,
        /// What was said.
        wanted: u64,
        /// What there is, or one more than was said.
        found: u64,
    },
    /// Content that something refers to isn't there.
    #[error("image {image}: content {digest} is missing")]
    Missing {
        /// The image.
        image: String,
        /// What isn't there.
        digest: Digest,
    },
    /// There is more of something than is allowed.
    #[error("{object}: more than {limit} {what}")]
    Limit {
        /// Where.
        object: String,
        /// Of what.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// An archive or a layout has no images in it, or is cut off or broken.
    #[error("archive {archive}: {problem}")]
    Archive {
        /// The archive.
        archive: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Another process uses the store.
    #[error("store {}: another process uses it", path.display())]
    Busy {
        /// The store's directory.
        path: PathBuf,
    },
    /// The name of a snapshot is none: letters, digits, `.`, `_` and `-`, at most 128, not beginning with a dot.
    #[error("snapshot {key:?}: not a name")]
    SnapshotName {
        /// The name.
        key: String,
    },
    /// There is a snapshot of this name.
    #[error("snapshot {key}: there is one already")]
    SnapshotExists {
        /// The name.
        key: String,
    },
    /// There is no snapshot of this name.
    #[error("snapshot {key}: not present")]
    NoSnapshot {
        /// The name.
        key: String,
    },
    /// The image does not know the user.
    #[error(transparent)]
    User(#[from] UserError),
    /// A file for an image to be built cannot be used.
    #[error("{}: {problem}", path.display())]
    Build {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A registry does not give what was asked for.
    #[cfg(feature = "registry")]
    #[error("image {image}: {error}")]
    Registry {
        /// The image.
        image: String,
        /// What happened.
        #[source]
        error: crate::RegistryError,
    },
    /// The kernel refuses.
    #[error(transparent)]
    File(#[from] orlop_fs::Error),
    /// The kernel refuses.
    #[error("{operation} {}: {source}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// With which file.
        path: PathBuf,
        /// Its answer.
        #[source]
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(operation: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { operation, path, source }
    }
}
