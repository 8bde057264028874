use std::fmt;
use std::sync::Arc;

use orlop_model::{Object, ObjectKey};

/// A change of the cache, as its subscribers see it.
pub enum Delta<K> {
    /// The object is new.
    Added {
        /// The object.
        object: Arc<K>,
        /// Whether it was there at the start of the cache, or of the subscription, rather than created now.
        initial: bool,
    },
    /// The object changed.
    Modified {
        /// What the subscriber was told last.
        old: Arc<K>,
        /// What it is now. The uid is the same: an object that was replaced by another of the same name comes as
        /// `Deleted` and `Added`. The same state as the old one if the subscriber asked to be told again
        /// ([`Subscription::resync`](crate::Subscription::resync)).
        new: Arc<K>,
    },
    /// The object is gone.
    Deleted {
        /// Its last state, as far as it is known.
        last: Arc<K>,
        /// Whether that is the very last state, with the deletion's resourceVersion. `false` if the deletion itself was
        /// missed and only shows in a later list: the object may have changed before it was deleted.
        exact: bool,
    },
    /// The objects that were there at the start have all been told. Comes once, and once more after each `Reset`.
    Synced,
    /// The subscriber fell behind, and asked to begin anew when that happens ([`Lag::Resync`](crate::Lag::Resync)): what
    /// it knows is void. What there is follows, as at the start.
    Reset,
}

impl<K> Delta<K> {
    /// The object as it is now, or was last.
    pub const fn object(&self) -> Option<&Arc<K>> {
        match self {
            Self::Added { object, .. } => Some(object),
            Self::Modified { new, .. } => Some(new),
            Self::Deleted { last, .. } => Some(last),
            Self::Synced | Self::Reset => None,
        }
    }

    /// The states that the change is about: the old one, if any, then the new one, if any. What maps objects to keys
    /// looks at both.
    pub fn states(&self) -> impl Iterator<Item = &Arc<K>> {
        let (old, new) = match self {
            Self::Added { object, .. } => (None, Some(object)),
            Self::Modified { old, new } => (Some(old), Some(new)),
            Self::Deleted { last, .. } => (Some(last), None),
            Self::Synced | Self::Reset => (None, None),
        };
        old.into_iter().chain(new)
    }
}

impl<K: Object> Delta<K> {
    /// Namespace and name of the object.
    pub fn key(&self) -> Option<ObjectKey> {
        self.object().map(|object| object.key())
    }
}

impl<K> Clone for Delta<K> {
    fn clone(&self) -> Self {
        match self {
            Self::Added { object, initial } => Self::Added { object: Arc::clone(object), initial: *initial },
            Self::Modified { old, new } => Self::Modified { old: Arc::clone(old), new: Arc::clone(new) },
            Self::Deleted { last, exact } => Self::Deleted { last: Arc::clone(last), exact: *exact },
            Self::Synced => Self::Synced,
            Self::Reset => Self::Reset,
        }
    }
}

impl<K: Object> fmt::Debug for Delta<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |object: &Arc<K>| format!("{}@{}", object.key(), object.meta().resource_version);
        match self {
            Self::Added { object, initial } => {
                write!(f, "Added({}{})", name(object), if *initial { ", initial" } else { "" })
            }
            Self::Modified { old, new } => {
                write!(f, "Modified({} -> {})", name(old), new.meta().resource_version)
            }
            Self::Deleted { last, exact } => {
                write!(f, "Deleted({}{})", name(last), if *exact { "" } else { ", missed" })
            }
            Self::Synced => f.write_str("Synced"),
            Self::Reset => f.write_str("Reset"),
        }
    }
}
