//! Who waits for whom: calls for one attachment for each other, garbage collection for all calls of its network.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, RwLock};

use crate::Owner;

#[derive(Debug, Default)]
pub(super) struct Locks {
    busy: Mutex<HashSet<Owner>>,
    free: Condvar,
    networks: Mutex<HashMap<String, Arc<RwLock<()>>>>,
}

/// An attachment that nobody else works on.
#[derive(Debug)]
pub(super) struct Busy<'a> {
    locks: &'a Locks,
    owner: Owner,
}

impl Locks {
    /// Waits until nobody works on the attachment.
    pub(super) fn attachment(&self, owner: &Owner) -> Busy<'_> {
        let mut busy = self.busy.lock();
        while !busy.insert(owner.clone()) {
            self.free.wait(&mut busy);
        }
        Busy { locks: self, owner: owner.clone() }
    }

    /// The lock of a network: shared for calls, exclusive for garbage collection.
    pub(super) fn network(&self, name: &str) -> Arc<RwLock<()>> {
        Arc::clone(self.networks.lock().entry(name.to_owned()).or_default())
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.locks.busy.lock().remove(&self.owner);
        self.locks.free.notify_all();
    }
}
