//! [`Slots`]: the pods of the queue, by identity and by number.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::QueuedPod;

/// Pods in places of a small number each, found by identity. Only look-ups depend on the hash.
#[derive(Debug)]
pub(super) struct Slots<P> {
    entries: Vec<Option<Entry<P>>>,
    free: Vec<u32>,
    by_id: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
pub(super) struct Entry<P> {
    pub(super) queued: QueuedPod,
    pub(super) place: P,
    /// Order of arrival, the last word where keys are equal.
    pub(super) number: u64,
}

impl<P> Default for Slots<P> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            by_id: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<P> Slots<P> {
    pub(super) fn find(&self, id: &str) -> Option<u32> {
        let is_it = |&slot: &u32| self.get(slot).is_some_and(|entry| entry.queued.id == *id);
        self.by_id.find(self.hasher.hash_one(id), is_it).copied()
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Entry<P>> {
        self.entries.get(slot as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Entry<P>> {
        self.entries.get_mut(slot as usize)?.as_mut()
    }

    /// The identity must not be there yet.
    pub(super) fn insert(&mut self, entry: Entry<P>) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            u32::try_from(self.entries.len() - 1).expect("fewer than 2^32 pods")
        });
        let hash = self.hasher.hash_one(entry.queued.id.as_str());
        self.entries[slot as usize] = Some(entry);
        let (entries, hasher) = (&self.entries, &self.hasher);
        let rehash = |&slot: &u32| {
            hasher.hash_one(entries[slot as usize].as_ref().map_or("", |entry| entry.queued.id.as_str()))
        };
        self.by_id.insert_unique(hash, slot, rehash);
        slot
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Entry<P>> {
        let entry = self.entries.get_mut(slot as usize)?.take()?;
        let hash = self.hasher.hash_one(entry.queued.id.as_str());
        if let Ok(found) = self.by_id.find_entry(hash, |&other| other == slot) {
            found.remove();
        }
        self.free.push(slot);
        Some(entry)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry<P>)> {
        (0..).zip(&self.entries).filter_map(|(slot, entry)| Some((slot, entry.as_ref()?)))
    }
}
