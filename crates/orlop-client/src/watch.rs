//! What a watch gives.

use std::fmt;
use std::sync::Arc;

use futures::stream::BoxStream;
use orlop_model::{Object, Str};

use crate::{Record, Result};

/// The items of a watch, in the order of revisions. It ends after an `Err`, or when the server ends it; then go on from
/// the last resourceVersion seen, or list again after [`Error::Expired`](crate::Error::Expired).
pub type WatchStream<T = Record> = BoxStream<'static, Result<WatchEvent<T>>>;

/// One change, as a watch with its selectors sees it: of records, or of objects of one type.
pub enum WatchEvent<T = Record> {
    /// The object was created, or has come to match the selectors.
    Added(Arc<T>),
    /// The object changed; it matched before and does now.
    Modified(Arc<T>),
    /// The object was removed, or no longer matches: its last matching state, with the resourceVersion of the change.
    Deleted(Arc<T>),
    /// Every change up to here has been delivered.
    Bookmark {
        /// The revision up to which nothing is missing.
        resource_version: Str,
        /// The objects there were at the start have all been delivered
        /// ([`WatchOptions::initial_events`](crate::WatchOptions::initial_events)).
        initial_events_end: bool,
    },
}

impl<T> WatchEvent<T> {
    /// The object, unless this is a bookmark.
    pub fn object(&self) -> Option<&Arc<T>> {
        match self {
            Self::Added(object) | Self::Modified(object) | Self::Deleted(object) => Some(object),
            Self::Bookmark { .. } => None,
        }
    }

    /// The type as on the wire: `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK`.
    pub fn type_(&self) -> &'static str {
        match self {
            Self::Added(_) => "ADDED",
            Self::Modified(_) => "MODIFIED",
            Self::Deleted(_) => "DELETED",
            Self::Bookmark { .. } => "BOOKMARK",
        }
    }

    /// The same event of another form of the object.
    ///
    /// # Errors
    /// That of `form`.
    pub fn try_map<U>(self, form: impl FnOnce(Arc<T>) -> Result<Arc<U>>) -> Result<WatchEvent<U>> {
        Ok(match self {
            Self::Added(object) => WatchEvent::Added(form(object)?),
            Self::Modified(object) => WatchEvent::Modified(form(object)?),
            Self::Deleted(object) => WatchEvent::Deleted(form(object)?),
            Self::Bookmark { resource_version, initial_events_end } => {
                WatchEvent::Bookmark { resource_version, initial_events_end }
            }
        })
    }
}

impl WatchEvent<Record> {
    /// The revision to go on from after this event.
    pub fn resource_version(&self) -> Str {
        match self {
            Self::Added(record) | Self::Modified(record) | Self::Deleted(record) => record.resource_version(),
            Self::Bookmark { resource_version, .. } => resource_version.clone(),
        }
    }
}

impl<K: Object> WatchEvent<K> {
    /// The revision to go on from after this event.
    pub fn resource_version(&self) -> Str {
        match self {
            Self::Added(object) | Self::Modified(object) | Self::Deleted(object) => {
                object.meta().resource_version.clone()
            }
            Self::Bookmark { resource_version, .. } => resource_version.clone(),
        }
    }
}

impl<T> Clone for WatchEvent<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Added(object) => Self::Added(Arc::clone(object)),
            Self::Modified(object) => Self::Modified(Arc::clone(object)),
            Self::Deleted(object) => Self::Deleted(Arc::clone(object)),
            Self::Bookmark { resource_version, initial_events_end } => Self::Bookmark {
                resource_version: resource_version.clone(),
                initial_events_end: *initial_events_end,
            },
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for WatchEvent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(object) | Self::Modified(object) | Self::Deleted(object) => {
                write!(f, "{} {object:?}", self.type_())
            }
            Self::Bookmark { resource_version, initial_events_end: false } => {
                write!(f, "BOOKMARK @{resource_version}")
            }
            Self::Bookmark { resource_version, initial_events_end: true } => {
                write!(f, "BOOKMARK @{resource_version} (initial events end)")
            }
        }
    }
}
