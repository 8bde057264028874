use std::sync::Arc;
use std::time::Duration;

use crate::{CodecError, Conflict, Key, LeaseId, Revision};

/// Why the store did not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Conditions of the transaction do not hold; nothing was written.
    #[error(transparent)]
    Conflict(#[from] Box<Conflict>),
    /// The history from this revision on is no longer there.
    #[error("revision {requested} has been compacted, the history begins with {compacted}")]
    Expired {
        /// The revision that was asked for, or after which the next event would have come.
        requested: Revision,
        /// The oldest revision whose state can still be read and from which can still be watched.
        compacted: Revision,
    },
    /// The store has not reached this revision.
    #[error("revision {requested} lies in the future, the store is at {current}")]
    Future {
        /// The revision that was asked for.
        requested: Revision,
        /// The store's revision.
        current: Revision,
    },
    /// A transaction has several writes to one key.
    #[error("the transaction writes {key} more than once")]
    DuplicateKey {
        /// The key.
        key: Key,
    },
    /// There is no such lease, or it has ended.
    #[error("there is no lease {lease}")]
    UnknownLease {
        /// The lease.
        lease: LeaseId,
    },
    /// A lease of no duration, or one too long to be told.
    #[error("a lease cannot last {ttl:?}")]
    InvalidTtl {
        /// The duration.
        ttl: Duration,
    },
    /// A value could not be written down or read.
    #[error("value of {key}: {source}")]
    Codec {
        /// Whose value.
        key: Key,
        /// Why.
        source: CodecError,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The backend failed: its disk, or the server it talks to.
    #[error("the store's backend failed: {source}")]
    Backend {
        /// What the backend says.
        source: Arc<dyn std::error::Error + Send + Sync>,
        /// Whether the transaction may have been done all the same.
        uncertain: bool,
    },
}

impl Error {
    /// The conflict, if it is one.
    pub fn conflict(&self) -> Option<&Conflict> {
        match self {
            Self::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }
}

/// What a store's operation answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;
