use std::fmt;
use std::sync::Arc;

use crate::{Event, Key, LeaseId, Record, Revision, Value};

/// What a transaction demands of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// The key does not exist.
    Absent,
    /// The key exists.
    Present,
    /// The key exists and was last changed at this revision.
    At(Revision),
}

impl Expected {
    /// Whether a key with this record, or none, is as demanded.
    pub fn holds(self, current: Option<&Record>) -> bool {
        match self {
            Self::Absent => current.is_none(),
            Self::Present => current.is_some(),
            Self::At(revision) => current.is_some_and(|record| record.revision == revision),
        }
    }
}

/// Makes the value of a put out of the revision that it is going to have.
pub type MakeValue = Box<dyn FnOnce(Revision) -> Value + Send>;

/// Makes the last state out of the revision of the deletion and the record that goes.
pub type MakeFinal = Box<dyn FnOnce(Revision, &Record) -> Value + Send>;

/// What a transaction does to one key.
pub enum Write {
    /// Creates or replaces.
    Put {
        /// The key.
        key: Key,
        /// Ends with this lease; a put without one takes the key out of the lease it was under.
        lease: Option<LeaseId>,
        /// Makes the value.
        value: MakeValue,
    },
    /// Deletes, if the key exists.
    Delete {
        /// The key.
        key: Key,
        /// Makes the last state that the event shows. Without it that is the present value,
        /// [stamped](crate::Codec::stamp) with the revision of the deletion.
        value: Option<MakeFinal>,
    },
}

impl Write {
    /// The key that is written.
    pub fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } => key,
        }
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { key, lease, .. } => {
                f.debug_struct("Put").field("key", key).field("lease", lease).finish_non_exhaustive()
            }
            Self::Delete { key, .. } => f.debug_struct("Delete").field("key", key).finish_non_exhaustive(),
        }
    }
}

/// Conditions and writes that hold or happen together.
///
/// If every condition holds, all writes are done in one new revision; otherwise nothing is done.
/// A transaction that has nothing to write (it has conditions only, or deletes what does not
/// exist) takes no revision.
///
/// The functions that make values are called while no other write can happen: they should be
/// quick, and must not call the store or drop one of its watches.
#[derive(Debug, Default)]
#[must_use = "a transaction does nothing until it is committed"]
pub struct Txn {
    /// The conditions.
    pub conditions: Vec<(Key, Expected)>,
    /// The writes, each to another key.
    pub writes: Vec<Write>,
}

impl Txn {
    /// No conditions, no writes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a key that must not exist yet.
    pub fn create(key: impl Into<Key>, value: impl FnOnce(Revision) -> Value + Send + 'static) -> Self {
        let key = key.into();
        Self::new().expect(key.clone(), Expected::Absent).put(key, value)
    }

    /// Replaces the value that a key got at `revision`.
    pub fn update(
        key: impl Into<Key>,
        revision: Revision,
        value: impl FnOnce(Revision) -> Value + Send + 'static,
    ) -> Self {
        let key = key.into();
        Self::new().expect(key.clone(), Expected::At(revision)).put(key, value)
    }

    /// Deletes a key that was last changed at `revision`.
    pub fn remove(key: impl Into<Key>, revision: Revision) -> Self {
        let key = key.into();
        Self::new().expect(key.clone(), Expected::At(revision)).delete(key)
    }

    /// Also demands this.
    pub fn expect(mut self, key: impl Into<Key>, expected: Expected) -> Self {
        self.conditions.push((key.into(), expected));
        self
    }

    /// Also writes this.
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// Also creates or replaces a key.
    pub fn put(self, key: impl Into<Key>, value: impl FnOnce(Revision) -> Value + Send + 'static) -> Self {
        self.write(Write::Put { key: key.into(), lease: None, value: Box::new(value) })
    }

    /// Also creates or replaces a key that goes when the lease ends.
    pub fn put_leased(
        self,
        key: impl Into<Key>,
        lease: LeaseId,
        value: impl FnOnce(Revision) -> Value + Send + 'static,
    ) -> Self {
        self.write(Write::Put { key: key.into(), lease: Some(lease), value: Box::new(value) })
    }

    /// Also deletes a key, if it exists.
    pub fn delete(self, key: impl Into<Key>) -> Self {
        self.write(Write::Delete { key: key.into(), value: None })
    }

    /// Also deletes a key, if it exists, and says what its last state is.
    pub fn delete_with(
        self,
        key: impl Into<Key>,
        value: impl FnOnce(Revision, &Record) -> Value + Send + 'static,
    ) -> Self {
        self.write(Write::Delete { key: key.into(), value: Some(Box::new(value)) })
    }
}

/// What a transaction did.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The new revision; the present one if nothing was written.
    pub revision: Revision,
    /// One event for each write that changed something, in the order of the writes; the same that
    /// watches show.
    pub events: Arc<[Event]>,
}

impl Committed {
    /// What became of this key: its new record, or its last state if it was deleted; `None` if the
    /// transaction did not change it.
    pub fn record(&self, key: &str) -> Option<&Arc<Record>> {
        self.events.iter().map(|event| &event.record).find(|record| record.key == *key)
    }
}

/// A transaction was not done because conditions do not hold.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.describe())]
pub struct Conflict {
    /// The revision at which the conditions were looked at.
    pub revision: Revision,
    /// The conditions that do not hold; at least one.
    pub failed: Vec<Failed>,
}

/// A condition that does not hold.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The key.
    pub key: Key,
    /// What was demanded of it.
    pub expected: Expected,
    /// What there is.
    pub current: Option<Arc<Record>>,
}

impl Conflict {
    /// What there is under a key whose condition does not hold.
    pub fn current(&self, key: &str) -> Option<&Arc<Record>> {
        self.failed.iter().find(|failed| failed.key == *key).and_then(|failed| failed.current.as_ref())
    }

    fn describe(&self) -> String {
        let one = |failed: &Failed| {
            let found = match &failed.current {
                Some(record) => format!("it was changed at revision {}", record.revision),
                None => "it does not exist".to_owned(),
            };
            match failed.expected {
                Expected::Absent => format!("{} exists already, {found}", failed.key),
                Expected::Present => format!("{} should exist, {found}", failed.key),
                Expected::At(revision) => format!("{} should be at revision {revision}, {found}", failed.key),
            }
        };
        self.failed.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}
