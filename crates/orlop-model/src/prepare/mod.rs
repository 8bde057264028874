//! What a server does to an object before it stores it, besides defaulting.

mod cluster;
mod other;
mod pod;
mod service;
mod storage;
mod workload;

pub use self::service::complete_addresses;

use crate::Object;

/// A kind that is prepared before it is stored: what users may not set is reset, what follows from the rest is filled
/// in. The objects are defaulted.
pub trait Prepare: Object {
    /// Before the object is created. It has its namespace, its name and its uid.
    fn prepare_for_create(&mut self) {}

    /// Before the object replaces `old`. Its generation is that of `old`.
    fn prepare_for_update(&mut self, old: &Self) {
        let _ = old;
    }
}

/// Makes an object ready to replace `old`: the kind's own preparation, and what nobody can change of the metadata.
///
/// A uid that is missing is taken from `old`; one that differs stays, for validation to refuse.
pub fn update<K: Prepare>(object: &mut K, old: &K) {
    object.meta_mut().generation = old.meta().generation;
    object.prepare_for_update(old);
    let (meta, old) = (object.meta_mut(), old.meta());
    if meta.uid.is_empty() {
        meta.uid = old.uid.clone();
    }
    if old.creation_timestamp.is_some() {
        meta.creation_timestamp = old.creation_timestamp;
    }
    if old.deletion_timestamp.is_some() {
        meta.deletion_timestamp = old.deletion_timestamp;
    }
    if old.deletion_grace_period_seconds.is_some() && meta.deletion_grace_period_seconds.is_none() {
        meta.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    }
}
