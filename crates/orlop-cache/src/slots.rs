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

    /// Puts what was added into its place. `order` compares the keys of two slots.
    pub(crate) fn settle(&mut self, order: impl Fn(u32, u32) -> Ordering) {
        if self.added.len() <= 4 || self.added.len() * 8 < self.len {
            while let Some(slot) = self.added.pop() {
                self.insert(slot, &order);
            }
        } else {
            let mut all: Vec<u32> = self.iter().collect();
            self.added.clear();
            // Runs that are in order already are found and merged.
            all.sort_by(|a, b| order(*a, *b));
            self.len = all.len();
            self.chunks = Arc::new(all.chunks(CHUNK / 2).map(|chunk| Arc::new(chunk.to_vec())).collect());
        }
        self.added = Vec::new();
    }

    fn insert(&mut self, slot: u32, order: impl Fn(u32, u32) -> Ordering) {
        self.len += 1;
        let chunks = Arc::make_mut(&mut self.chunks);
        let before = |other: &u32| order(*other, slot).is_lt();
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

    /// Takes out a slot, if it is there. `order` compares the keys of two slots.
    pub(crate) fn remove(&mut self, slot: u32, order: impl Fn(u32, u32) -> Ordering) {
        if !self.added.is_empty() {
            self.settle(&order);
        }
        let Some((chunk, at)) = self.search(|other| order(other, slot)) else {
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
                        slots.remove(slot, |a, b| a.cmp(&b));
                        model.remove(&slot);
                    }
                    1 => {
                        slots.settle(|a, b| a.cmp(&b));
                        let found = slots.find(|other| other.cmp(&slot));
                        prop_assert_eq!(found, model.get(&slot).copied());
                    }
                    _ if model.insert(slot) => drop(slots.add(slot)),
                    _ => {}
                }
                prop_assert_eq!(slots.len(), model.len());
            }
            slots.settle(|a, b| a.cmp(&b));
            prop_assert_eq!(slots.iter().collect::<Vec<_>>(), model.into_iter().collect::<Vec<_>>());
        }
    }
}
