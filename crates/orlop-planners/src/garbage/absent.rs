//! Owners that are known not to exist.

use std::collections::{BTreeMap, BTreeSet};

use super::Identity;

/// How many absent owners are remembered.
pub(crate) const CAPACITY: usize = 500;

/// The absent owners found last, so that a thousand dependents of one dead owner cost one lookup.
///
/// UIDs are never used twice, so an entry stays true for ever; the bound only limits memory. The
/// least recently used entry goes first.
#[derive(Clone, Debug, Default)]
pub(crate) struct AbsentOwners {
    used: BTreeMap<Identity, u64>,
    order: BTreeSet<(u64, Identity)>,
    clock: u64,
}

impl AbsentOwners {
    /// Remembers that `owner` does not exist.
    pub(crate) fn add(&mut self, owner: Identity) {
        self.touch(owner);
        if self.used.len() > CAPACITY
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.used.remove(&oldest);
        }
    }

    /// Whether `owner` is remembered; asking counts as use.
    pub(crate) fn has(&mut self, owner: &Identity) -> bool {
        let known = self.used.contains_key(owner);
        if known {
            self.touch(owner.clone());
        }
        known
    }

    fn touch(&mut self, owner: Identity) {
        self.clock += 1;
        if let Some(before) = self.used.insert(owner.clone(), self.clock) {
            self.order.remove(&(before, owner.clone()));
        }
        self.order.insert((self.clock, owner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(number: usize) -> Identity {
        Identity { uid: number.to_string().into(), ..Identity::default() }
    }

    #[test]
    fn forgets_the_least_recently_used() {
        let mut absent = AbsentOwners::default();
        for number in 0..CAPACITY {
            absent.add(owner(number));
        }
        assert!(absent.has(&owner(0)));
        absent.add(owner(CAPACITY));
        assert!(absent.has(&owner(0)), "used last, so kept");
        assert!(!absent.has(&owner(1)));
        assert!(absent.has(&owner(CAPACITY)));
        assert_eq!(absent.used.len(), CAPACITY);
        assert_eq!(absent.order.len(), CAPACITY);
    }
}
