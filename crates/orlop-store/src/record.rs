use std::sync::Arc;

use crate::{Key, LeaseId, Revision, Value};

/// One key's value at one revision.
///
/// Never changed once it exists; the store, caches and everybody else share it as `Arc<Record>`.
#[derive(Clone, Debug)]
pub struct Record {
    /// Whose value this is.
    pub key: Key,
    /// The revision at which the key came into being; it stays until the key is deleted.
    pub created: Revision,
    /// The revision of this value. In the event of a deletion: the deletion's.
    pub revision: Revision,
    /// The lease with whose end the key goes.
    pub lease: Option<LeaseId>,
    /// The value.
    pub value: Value,
}

impl Record {
    /// The typed form of the value, if it is there and a `T`.
    pub fn get<T: std::any::Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.value.get()
    }
}
