use std::hash::{BuildHasher, Hash};

use hashbrown::DefaultHashBuilder;

/// Buckets of the smallest table.
const SMALLEST: usize = 16;
/// So many removals are done together.
const BATCH: usize = 64;
/// A bucket with nothing in it: there is no slot of this number.
const EMPTY: u64 = u64::MAX;

/// Makes 32 bits of a key. Seeded at random: who chooses keys cannot choose buckets.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyHasher(DefaultHashBuilder);

impl KeyHasher {
    #[expect(clippy::cast_possible_truncation, reason = "the upper half is folded into the lower")]
    pub(crate) fn hash<K: Hash>(&self, key: &K) -> u32 {
        let hash = self.0.hash_one(key);
        (hash ^ (hash >> 32)) as u32
    }
}

/// From hashes to slots: an open-addressed table with linear probing, in which a bucket holds both.
///
/// With a million keys it is the memory that decides: each operation touches one place of the table and nothing else,
/// where a table of slots alone would have to look up their hashes, and one with its control bytes apart touches two.
/// Buckets are in the order of hashes, so that growing goes through both tables from front to back.
#[derive(Debug)]
pub(crate) struct Index {
    /// A power of two of them: hash in the upper half, slot in the lower.
    buckets: Vec<u64>,
    /// Buckets in use.
    len: usize,
    /// Buckets that are to be emptied.
    removed: Vec<u64>,
}

impl Index {
    pub(crate) const fn new() -> Self {
        Self { buckets: Vec::new(), len: 0, removed: Vec::new() }
    }

    /// The slot of this hash for which `is` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = self.home(hash)?;
        loop {
            let bucket = *self.buckets.get(at)?;
            if bucket == EMPTY {
                return None;
            }
            if (bucket >> 32) as u32 == hash && is(slot(bucket)) {
                return Some(slot(bucket));
            }
            at = self.after(at);
        }
    }

    /// Puts in what is not in yet.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u32, slot: u32) {
        if self.len >= self.buckets.len() / 4 * 3 {
            self.grow();
        }
        self.len += 1;
        self.put(u64::from(hash) << 32 | u64::from(slot));
    }

    /// Takes out what is in, by and by: it may still be found for a while, so the slot must hold the key no more.
    ///
    /// Several at once wait for the memory at the same time.
    #[inline]
    pub(crate) fn remove(&mut self, hash: u32, slot: u32) {
        self.removed.push(u64::from(hash) << 32 | u64::from(slot));
        if self.removed.len() >= BATCH {
            self.clean();
        }
    }

    /// Has the processor fetch what will be looked up, none of it waiting for the one before.
    pub(crate) fn fetch(&self, hashes: impl Iterator<Item = u32>) {
        let homes = hashes.filter_map(|hash| self.home(hash));
        std::hint::black_box(homes.fold(0, |all, home| all ^ self.buckets[home]));
    }

    fn clean(&mut self) {
        let mut removed = std::mem::take(&mut self.removed);
        self.fetch(removed.iter().map(|bucket| (bucket >> 32) as u32));
        removed.drain(..).for_each(|bucket| self.empty(bucket));
        self.removed = removed;
    }

    fn empty(&mut self, wanted: u64) {
        let Some(mut hole) = self.home((wanted >> 32) as u32) else { return };
        while self.buckets[hole] != wanted {
            if self.buckets[hole] == EMPTY {
                return;
            }
            hole = self.after(hole);
        }
        self.len -= 1;
        // What follows without a gap moves up as far as its home lets it, and leaves no tombstone.
        let mask = self.buckets.len() - 1;
        let mut at = hole;
        loop {
            at = self.after(at);
            let bucket = self.buckets[at];
            if bucket == EMPTY {
                break;
            }
            let home = self.home((bucket >> 32) as u32).unwrap_or(0);
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.buckets[hole] = bucket;
                hole = at;
            }
        }
        self.buckets[hole] = EMPTY;
    }

    /// Where the search for a hash begins: its uppermost bits. None in a table without buckets.
    #[inline]
    fn home(&self, hash: u32) -> Option<usize> {
        let bits = self.buckets.len().checked_ilog2()?;
        Some(((u64::from(hash) << bits) >> 32) as usize)
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.buckets.len() - 1)
    }

    fn put(&mut self, bucket: u64) {
        let mut at = self.home((bucket >> 32) as u32).unwrap_or(0);
        while self.buckets[at] != EMPTY {
            at = self.after(at);
        }
        self.buckets[at] = bucket;
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.buckets.len() * 2).max(SMALLEST);
        let old = std::mem::replace(&mut self.buckets, vec![EMPTY; size]);
        old.into_iter().filter(|bucket| *bucket != EMPTY).for_each(|bucket| self.put(bucket));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
const fn slot(bucket: u64) -> u32 {
    bucket as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use orlop_clock::Random;

    use super::*;

    #[test]
    fn finds_what_is_in_and_nothing_else() {
        let random = Random::new(3);
        let mut index = Index::new();
        let mut model = BTreeMap::new();
        assert_eq!(index.find(7, |_| true), None);
        for slot in 0..20_000_u32 {
            // Few hashes, at the ends of the range and close together: long runs, also around the end.
            let hash = [0, 1, u32::MAX, u32::MAX - 1, u32::MAX / 2, random.u64() as u32][random.index(6)];
            if random.chance(0.55) || model.is_empty() {
                index.insert(hash, slot);
                model.insert(slot, hash);
            } else {
                let (&slot, &hash) = model.iter().nth(random.index(model.len().min(50))).expect("not empty");
                model.remove(&slot);
                index.remove(hash, slot);
                assert!(index.removed.len() < BATCH);
            }
            if slot % 97 == 0 {
                for (slot, hash) in &model {
                    assert_eq!(index.find(*hash, |other| other == *slot), Some(*slot));
                }
            }
            if model.len() > 300 {
                model.iter().for_each(|(slot, hash)| index.remove(*hash, *slot));
                model.clear();
                index.clean();
                assert_eq!(index.buckets.iter().filter(|bucket| **bucket != EMPTY).count(), 0);
            }
            assert_eq!(index.len - index.removed.len(), model.len());
        }
    }
}
