//! Leases: content that is used is not collected.

use std::collections::HashSet;
use std::sync::Arc;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::{Condvar, Mutex};

use crate::Digest;

/// How many hold each content.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leases(Arc<DashMap<Digest, usize>>);

impl Leases {
    pub(crate) fn lease(&self) -> Lease {
        Lease { leases: self.clone(), held: Vec::new() }
    }

    /// Removes content that nobody holds. While that happens, nobody gets hold of it.
    pub(crate) fn if_free<T>(&self, digest: &Digest, remove: impl FnOnce() -> T) -> Option<T> {
        match self.0.entry(digest.clone()) {
            Entry::Occupied(_) => None,
            // The vacant entry keeps its part of the map locked.
            Entry::Vacant(_vacant) => Some(remove()),
        }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Keeps content from being collected as long as it lives.
#[derive(Debug)]
pub(crate) struct Lease {
    leases: Leases,
    held: Vec<Digest>,
}

impl Lease {
    /// Holds this too. Only after that can it be told whether it is there.
    pub(crate) fn hold(&mut self, digest: &Digest) {
        *self.leases.0.entry(digest.clone()).or_insert(0) += 1;
        self.held.push(digest.clone());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        for digest in self.held.drain(..) {
            if let Entry::Occupied(mut entry) = self.leases.0.entry(digest) {
                *entry.get_mut() -= 1;
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        }
    }
}

/// One at a time works on each thing.
#[derive(Debug, Default)]
pub(crate) struct InTurn {
    busy: Mutex<HashSet<Digest>>,
    done: Condvar,
}

impl InTurn {
    /// Waits until nobody else works on it. Whoever takes several takes them in the order of a chain, base first.
    pub(crate) fn take(&self, digest: &Digest) -> Turn<'_> {
        let mut busy = self.busy.lock();
        while !busy.insert(digest.clone()) {
            self.done.wait(&mut busy);
        }
        Turn { all: self, digest: digest.clone() }
    }
}

/// See [`InTurn::take`].
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    all: &'a InTurn,
    digest: Digest,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.all.busy.lock().remove(&self.digest);
        self.all.done.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_not_free() {
        let leases = Leases::default();
        let digest = Digest::sha256("x");
        let (mut one, mut two) = (leases.lease(), leases.lease());
        one.hold(&digest);
        two.hold(&digest);
        drop(one);
        assert_eq!(leases.if_free(&digest, || ()), None);
        drop(two);
        assert_eq!(leases.if_free(&digest, || ()), Some(()));
        assert!(leases.is_empty());
    }
}
