//! [`Slots`]: numbers of slots, in the order of the keys of what is in them.

use std::cmp::Ordering;
use std::sync::Arc;

/// The most slots in a chunk, which is what an insertion moves and a shared list copies.
const CHUNK: usize = 512;

/// The slots of the objects of a namespace, or of those with a value of an index, sorted by the objects' keys. Clones
/// share their chunks.
///
/// What is added comes into its place by [`Slots::settle`]: a thousand at once are sorted once.
#[derive(Clone, Default)]
pub(crate) struct Slots {
    /// None of them is empty.
    chunks: Arc<Vec<Arc<Vec<u32>>>>,
    len: usize,
    added: Vec<u32>,
}

impl Slots {
    pub(crate) const fn len(&self) -> usize {
        self.len + self.added.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a slot that is not there. `true` if it is the first that waits to be [settled](Self::settle).
    pub(crate) fn add(&mut self, slot: u32) -> bool {
        self.added.push(slot);
        self.added.len() == 1
    }

    /// Puts what was added into its place. `key` answers the key of what is in a slot.
    pub(crate) fn settle<T: Ord>(&mut self, key: impl Fn(u32) -> T) {
        if self.added.len() <= 4 || self.added.len() * 8 < self.len {
            while let Some(slot) = self.added.pop() {
                self.insert(slot, &key);
            }
        } else {
            // Each key is looked up once, before any is compared: then what is not in the processor's cache comes there
            // together.
            let mut all: Vec<(T, u32)> = self.iter().map(|slot| (key(slot), slot)).collect();
            self.added.clear();
            // Runs that are in order already are found and merged.
            all.sort_by(|(a, _), (b, _)| a.cmp(b));
            self.len = all.len();
            let chunk = |keyed: &[(T, u32)]| Arc::new(keyed.iter().map(|(_, slot)| *slot).collect());
            self.chunks = Arc::new(all.chunks(CHUNK / 2).map(chunk).collect());
        }
        self.added = Vec::new();
    }

    fn insert<T: Ord>(&mut self, slot: u32, key: impl Fn(u32) -> T) {
        self.len += 1;
        let its = key(slot);
        let chunks = Arc::make_mut(&mut self.chunks);
        let before = |other: &u32| key(*other) < its;
        let at = chunks.partition_point(|chunk| chunk.last().is_some_and(before));
        let at = at.min(chunks.len().saturating_sub(1));
        let Some(chunk) = chunks.get_mut(at) else {
            chunks.push(Arc::new(vec![slot]));
            return;
        };
        let chunk = Arc::make_mut(chunk);
        chunk.insert(chunk.partition_point(before), slot);
        if chunk.len() > CHUNK {
            let rest = chunk.split_off(CHUNK / 2);
            chunks.insert(at + 1, Arc::new(rest));
        }
    }

    /// Takes out a slot, if it is there. `key` answers the key of what is in a slot.
    pub(crate) fn remove<T: Ord>(&mut self, slot: u32, key: impl Fn(u32) -> T) {
        if !self.added.is_empty() {
            self.settle(&key);
        }
        let its = key(slot);
        let Some((chunk, at)) = self.search(|other| key(other).cmp(&its)) else {
            return;
        };
        let chunks = Arc::make_mut(&mut self.chunks);
        let slots = Arc::make_mut(&mut chunks[chunk]);
        slots.remove(at);
        if slots.is_empty() {
            chunks.remove(chunk);
        }
        self.len -= 1;
    }

    /// The slot whose key compares equal.
    pub(crate) fn find(&self, order: impl Fn(u32) -> Ordering) -> Option<u32> {
        let (chunk, at) = self.search(order)?;
        Some(self.chunks[chunk][at])
    }

    fn search(&self, order: impl Fn(u32) -> Ordering) -> Option<(usize, usize)> {
        let chunk =
            self.chunks.partition_point(|chunk| chunk.last().is_some_and(|slot| order(*slot).is_lt()));
        let at = self.chunks.get(chunk)?.binary_search_by(|slot| order(*slot)).ok()?;
        Some((chunk, at))
    }

    /// All slots, in order if they are settled.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).chain(&self.added).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn like_a_sorted_set(ops in prop::collection::vec((0u32..3_000, 0u8..4), 0..4_000)) {
            let (mut slots, mut model) = (Slots::default(), std::collections::BTreeSet::new());
            for (slot, op) in ops {
                match op {
                    0 => {
                        slots.remove(slot, |slot| slot);
                        model.remove(&slot);
                    }
                    1 => {
                        slots.settle(|slot| slot);
                        let found = slots.find(|other| other.cmp(&slot));
                        prop_assert_eq!(found, model.get(&slot).copied());
                    }
                    _ if model.insert(slot) => drop(slots.add(slot)),
                    _ => {}
                }
                prop_assert_eq!(slots.len(), model.len());
            }
            slots.settle(|slot| slot);
            prop_assert_eq!(slots.iter().collect::<Vec<_>>(), model.into_iter().collect::<Vec<_>>());
        }
    }
}
