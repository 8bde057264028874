use std::sync::Arc;

use crate::{Key, Record, Revision};

/// Which state of the store a read wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum At {
    /// The present state: it holds everything that was committed before the read began.
    #[default]
    Latest,
    /// Any state not older than this revision. A revision that the store has not reached is an
    /// error ([`Future`](crate::Error::Future)); [`reached`](crate::Store::reached) waits for it.
    NotOlderThan(Revision),
    /// The state at this very revision, as long as it has not been
    /// [compacted](crate::Store::compact).
    Exactly(Revision),
}

/// Which part of a range a list wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// How many records at most. 0 only counts.
    pub limit: Option<usize>,
    /// Go on behind this key, which need not exist.
    pub after: Option<Key>,
}

impl Page {
    /// The whole range.
    pub const ALL: Self = Self { limit: None, after: None };

    /// The first `limit` records.
    pub fn first(limit: usize) -> Self {
        Self { limit: Some(limit), after: None }
    }

    /// The same number of records, but behind this key.
    pub fn after(self, key: impl Into<Key>) -> Self {
        Self { after: Some(key.into()), ..self }
    }
}

/// Records of one revision, in the order of their keys.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The page.
    pub records: Vec<Arc<Record>>,
    /// The revision of all that is said here. To go on at the same state, list
    /// [`At::Exactly`] this; to follow the changes, watch from this.
    pub revision: Revision,
    /// How many records of the range lie behind the page.
    pub remaining: u64,
}

impl Listing {
    /// The key behind which the next page begins, if there is more.
    pub fn next(&self) -> Option<&Key> {
        if self.remaining == 0 { None } else { self.records.last().map(|record| &record.key) }
    }
}
