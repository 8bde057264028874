//! What the collector asks of the API, and what it wants to hear back.

use orlop_model::Str;
use orlop_model::meta::v1::ObjectMeta;
use serde_json::Value;

use super::Identity;

/// How a deletion treats the dependents of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// The object goes at once, its dependents are collected afterwards.
    Background,
    /// The object goes after its blocking dependents.
    Foreground,
    /// The dependents stay and lose their reference.
    Orphan,
}

impl Propagation {
    /// The word of the API, as in `DeleteOptions.propagationPolicy`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
            Self::Orphan => "Orphan",
        }
    }
}

/// The document of a [`Call::Patch`], by the way it is to be merged.
#[derive(Clone, Debug, PartialEq)]
pub enum PatchBody {
    /// A strategic merge patch; kinds without a schema refuse it ([`Answer::Unsupported`]).
    Strategic(Value),
    /// A JSON merge patch (RFC 7396).
    Merge(Value),
}

/// One API request. `object` is the address; its namespace is empty for cluster-scoped kinds.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Reads the object's metadata from the API, not from a cache.
    Get {
        /// Address of the object.
        object: Identity,
    },
    /// Patches the object.
    Patch {
        /// Address of the object.
        object: Identity,
        /// What to merge in.
        patch: PatchBody,
    },
    /// Deletes the object under preconditions.
    Delete {
        /// Address of the object; its UID is a precondition.
        object: Identity,
        /// Resource version that must still hold, if any.
        resource_version: Option<Str>,
        /// What happens to its dependents.
        propagation: Propagation,
    },
}

/// The answer to a [`Call`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// To a get: the object's metadata. To a patch: done, and the object's metadata now.
    Found(Box<ObjectMeta>),
    /// To a patch or delete: done.
    Done,
    /// The object does not exist.
    NotFound,
    /// A precondition does not hold (HTTP 409).
    Conflict,
    /// The kind of patch is not supported for this object (HTTP 415).
    Unsupported,
    /// Any other failure.
    Failed,
}

/// What to do after a step of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Make this call, then hand its answer to the same attempt.
    Call(Call),
    /// The attempt is over.
    Finished(Outcome),
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to do for this item until something changes.
    Settled,
    /// The item must be tried again after a back-off: [`Collector::retry`](super::Collector::retry).
    Retry,
}
