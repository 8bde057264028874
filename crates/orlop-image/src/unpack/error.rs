//! Why a layer cannot be unpacked.

use std::io;
use std::path::PathBuf;

use crate::{Digest, TarError};

/// Why a layer cannot be unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// The archive is wrong as such.
    #[error(transparent)]
    Archive(#[from] TarError),
    /// An entry is wrong, or cannot be made.
    #[error("{}: {problem}", path.display())]
    Entry {
        /// Its path, as it stands in the archive.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: EntryError,
    },
    /// It became too large for what it was.
    #[error("grows to more than {ratio} times its size")]
    Ratio {
        /// How many times as large it may become.
        ratio: u64,
    },
    /// It is not the layer that the configuration of the image names.
    #[error("is {found} when decompressed, not {wanted}")]
    DiffId {
        /// The digest in the configuration.
        wanted: Digest,
        /// The digest of what was decompressed.
        found: Digest,
    },
}

/// What is wrong with an entry of a layer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Its path leads out of the image.
    #[error("leads out of the image")]
    Escape,
    /// Its path is empty or has a NUL in it, a name in it is too long, or it is the root and no directory.
    #[error("is no path for a {0}")]
    Path(&'static str),
    /// The name after `.wh.` is none.
    #[error("takes away nothing that has a name")]
    Whiteout,
    /// Something in front of its last name is no directory.
    #[error("{} is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// Symbolic links in front of its last name lead round in a circle.
    #[error("too many symbolic links")]
    Loop,
    /// What a hard link is to be a second name of isn't in the image, or is a directory.
    #[error("hard link to {}, which is {problem}", target.display())]
    HardLink {
        /// Where it points to.
        target: PathBuf,
        /// What is wrong there.
        problem: &'static str,
    },
    /// It is a device, and these are refused.
    #[error("device {0}:{1}")]
    Device(u32, u32),
    /// The kernel refuses.
    #[error(transparent)]
    File(#[from] orlop_fs::Error),
    /// The kernel refuses.
    #[error("{operation}: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Its answer.
        #[source]
        source: io::Error,
    },
}
