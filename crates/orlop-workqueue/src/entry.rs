use crate::Priority;

/// No slot.
pub(crate) const NONE: u32 = u32::MAX;

/// All that is known about one key. 32 bytes besides the key.
#[derive(Debug)]
pub(crate) struct Entry<K> {
    /// Absent in a free slot only.
    pub(crate) key: Option<K>,
    /// Ready: when it was due. Delayed: when it will be. Processing: when it is to come back, if it is.
    pub(crate) due: u64,
    /// Ready: since when. Processing: since when. Delayed: its number, in the order of adding.
    pub(crate) since: u64,
    /// Neighbours in the one list that the entry is in: free slots, a lane, or idle ones.
    pub(crate) next: u32,
    pub(crate) prev: u32,
    /// The key's, for the index.
    pub(crate) hash: u32,
    /// Since the last `forget`.
    pub(crate) failures: u16,
    pub(crate) place: Place,
    pub(crate) priority: Priority,
}

/// Where an entry is: one place at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In no list: on the way from one to another.
    Nowhere,
    /// Only remembered for its failures.
    Idle,
    Ready,
    Delayed,
    /// With the priority to come back with, if it was added meanwhile.
    Processing(Option<Priority>),
}

/// The entries, each in a slot that stays its own as long as anything has to be known about the key.
#[derive(Debug)]
pub(crate) struct Slab<K> {
    entries: Vec<Entry<K>>,
    free: u32,
}

impl<K> Slab<K> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new(), free: NONE }
    }

    /// Puts in a key that is nowhere yet.
    ///
    /// # Panics
    /// With 2³² − 1 keys.
    pub(crate) fn insert(&mut self, hash: u32, key: K) -> u32 {
        let entry = Entry {
            key: Some(key),
            due: 0,
            since: 0,
            next: NONE,
            prev: NONE,
            hash,
            failures: 0,
            place: Place::Nowhere,
            priority: Priority::NORMAL,
        };
        if self.free == NONE {
            let slot = u32::try_from(self.entries.len()).ok().filter(|slot| *slot != NONE);
            self.entries.push(entry);
            slot.expect("fewer than 2^32 - 1 keys")
        } else {
            let slot = self.free;
            self.free = std::mem::replace(self.get_mut(slot), entry).next;
            slot
        }
    }

    /// Frees a slot and gives back its key.
    pub(crate) fn remove(&mut self, slot: u32) -> K {
        let free = std::mem::replace(&mut self.free, slot);
        let entry = self.get_mut(slot);
        entry.next = free;
        entry.key.take().expect("a slot in use has a key")
    }

    #[inline]
    pub(crate) fn get(&self, slot: u32) -> &Entry<K> {
        &self.entries[slot as usize]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> &mut Entry<K> {
        &mut self.entries[slot as usize]
    }

    /// All slots in use.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Entry<K>)> {
        (0..).zip(&self.entries).filter(|(_, entry)| entry.key.is_some())
    }
}

/// A list of entries that are linked through themselves: first in first out, and one taken out of the middle costs no
/// search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub(crate) head: u32,
    pub(crate) tail: u32,
}

impl List {
    pub(crate) const EMPTY: Self = Self { head: NONE, tail: NONE };

    pub(crate) const fn is_empty(&self) -> bool {
        self.head == NONE
    }

    #[inline]
    pub(crate) fn push<K>(&mut self, slab: &mut Slab<K>, slot: u32) {
        let tail = std::mem::replace(&mut self.tail, slot);
        let entry = slab.get_mut(slot);
        entry.prev = tail;
        entry.next = NONE;
        if tail == NONE {
            self.head = slot;
        } else {
            slab.get_mut(tail).next = slot;
        }
    }

    #[inline]
    pub(crate) fn remove<K>(&mut self, slab: &mut Slab<K>, slot: u32) {
        let &Entry { prev, next, .. } = slab.get(slot);
        if prev == NONE {
            self.head = next;
        } else {
            slab.get_mut(prev).next = next;
        }
        if next == NONE {
            self.tail = prev;
        } else {
            slab.get_mut(next).prev = prev;
        }
    }

    #[inline]
    pub(crate) fn pop<K>(&mut self, slab: &mut Slab<K>) -> Option<u32> {
        let slot = self.head;
        if slot == NONE {
            return None;
        }
        self.remove(slab, slot);
        Some(slot)
    }

    pub(crate) fn iter<K>(self, slab: &Slab<K>) -> impl Iterator<Item = u32> {
        let some = |slot: u32| (slot != NONE).then_some(slot);
        std::iter::successors(some(self.head), move |slot| some(slab.get(*slot).next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<Entry<std::sync::Arc<str>>>(), 32 + size_of::<std::sync::Arc<str>>());
        assert_eq!(size_of::<Entry<String>>(), 32 + size_of::<String>());
    }

    #[test]
    fn slots_are_used_again_and_lists_keep_their_order() {
        let mut slab = Slab::new();
        let slots: Vec<_> = "abcd".chars().map(|key| slab.insert(0, key)).collect();
        assert_eq!((slab.remove(slots[1]), slab.insert(0, 'e')), ('b', slots[1]));
        let mut list = List::EMPTY;
        for slot in [2, 0, 3, 1] {
            list.push(&mut slab, slot);
        }
        list.remove(&mut slab, 0);
        list.remove(&mut slab, 1);
        assert_eq!(list.iter(&slab).collect::<Vec<_>>(), [2, 3]);
        assert_eq!([list.pop(&mut slab), list.pop(&mut slab), list.pop(&mut slab)], [Some(2), Some(3), None]);
        assert!(list.is_empty());
    }
}
