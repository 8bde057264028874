use std::hash::Hash;

use indexmap::IndexMap;

/// How many entries each memory of a recorder has: client-go's `maxLruCacheEntries`.
const ENTRIES: usize = 4096;

/// A map that forgets what has not been used for longest. Forgetting costs as much as there is room, once for half of it.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    entries: IndexMap<K, (u64, V)>,
    used: u64,
}

impl<K: Hash + Eq, V> Bounded<K, V> {
    pub(super) fn new() -> Self {
        Self { entries: IndexMap::new(), used: 0 }
    }

    /// The entry of a key, made if there is none.
    pub(super) fn entry(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        self.used += 1;
        if self.entries.len() >= ENTRIES && !self.entries.contains_key(&key) {
            let mut times: Vec<u64> = self.entries.values().map(|(used, _)| *used).collect();
            let middle = times.len() / 2;
            let (_, middle, _) = times.select_nth_unstable(middle);
            let middle = *middle;
            self.entries.retain(|_, (used, _)| *used > middle);
        }
        let entry = self.entries.entry(key).or_insert_with(|| (0, new()));
        entry.0 = self.used;
        &mut entry.1
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut().map(|(_, value)| value)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.entries.retain(|key, (_, value)| keep(key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_go() {
        let mut map = Bounded::new();
        for n in 0..ENTRIES {
            map.entry(n, || n);
        }
        map.entry(0, || 7);
        map.entry(ENTRIES, || 7);
        assert!(map.values_mut().count() <= ENTRIES);
        // The values tell which were made anew.
        assert_eq!((*map.entry(0, || 8), *map.entry(1, || 8), *map.entry(ENTRIES, || 8)), (0, 8, 7));
    }
}
