//! [`Map`], the small sorted map of labels, annotations, resources and the like.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::{List, Str};

/// A map from strings, kept as a sorted list: one pointer in the struct that holds it, no
/// allocation while empty, binary search.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Map<V>(List<(Str, V)>);

impl<V> Map<V> {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self(List::new())
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A map of entries in any order; the last of equal keys wins.
    fn settled(entries: List<(Str, V)>) -> Self {
        let mut map = Self(entries);
        map.sort();
        map
    }

    /// Puts entries in order; the last of equal keys wins.
    pub(crate) fn sort(&mut self) {
        if self.0.is_sorted_by(|left, right| left.0 < right.0) {
            return;
        }
        let mut from = order(self.0.iter().map(|(key, _)| key.as_str()).collect());
        // Each place takes the entry that belongs there, along the cycles of the permutation.
        for first in 0..from.len() {
            let mut place = first;
            while from[place] != first {
                let next = std::mem::replace(&mut from[place], place);
                self.0.swap(place, next);
                place = next;
            }
            from[place] = place;
        }
        self.0.dedup_by(|later, first| {
            let is_same = later.0 == first.0;
            if is_same {
                std::mem::swap(later, first);
            }
            is_same
        });
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(key))
    }

    /// The value at `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&V> {
        self.position(key).ok().map(|index| &self.0[index].1)
    }

    /// The value at `key`, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.position(key).ok().map(|index| &mut self.0[index].1)
    }

    /// Whether `key` has a value.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_ok()
    }

    /// Sets the value at `key` and returns the one it had.
    pub fn insert(&mut self, key: impl Into<Str>, value: V) -> Option<V> {
        let key = key.into();
        match self.position(&key) {
            Ok(index) => Some(std::mem::replace(&mut self.0[index].1, value)),
            Err(index) => {
                self.0.insert(index, (key, value));
                None
            }
        }
    }

    /// The value at `key`, which is set to `default()` where there is none.
    pub fn get_or_insert_with(&mut self, key: impl Into<Str>, default: impl FnOnce() -> V) -> &mut V {
        let key = key.into();
        // Keys mostly come in their order.
        let index = match self.0.last() {
            Some((last, _)) if *last >= key => self.position(&key),
            _ => Err(self.0.len()),
        };
        let index = index.unwrap_or_else(|index| {
            self.0.insert(index, (key, default()));
            index
        });
        &mut self.0[index].1
    }

    pub(crate) fn entries(&self) -> &List<(Str, V)> {
        &self.0
    }

    pub(crate) fn entries_mut(&mut self) -> &mut List<(Str, V)> {
        &mut self.0
    }

    /// Removes `key` and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        self.position(key).ok().map(|index| self.0.remove(index).1)
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps the entries that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &V) -> bool) {
        self.0.retain(|(key, value)| keep(key, value));
    }

    /// Entries in order of their keys.
    pub fn iter(&self) -> Iter<'_, V> {
        Iter(self.0.iter())
    }

    /// Entries in order of their keys, values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Str, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &Str> {
        self.0.iter().map(|(key, _)| key)
    }

    /// Values in order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }
}

/// For each place of the sorted keys, where its key is; equal ones as they came. Whatever is sorted by a text is sorted by
/// this, since sorting is much to compile.
fn order(keys: Vec<&str>) -> Vec<usize> {
    let mut keys: Vec<(&str, usize)> = keys.into_iter().zip(0..).collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, place)| place).collect()
}

/// Items in the order of their texts, those of equal texts as they came.
pub(crate) fn sorted_by_text<T>(items: Vec<T>, text: impl Fn(&T) -> &str) -> Vec<T> {
    let order = order(items.iter().map(text).collect());
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| items[place].take()).collect()
}

impl<V> Default for Map<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: fmt::Debug> fmt::Debug for Map<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self).finish()
    }
}

impl<V> Index<&str> for Map<V> {
    type Output = V;
    /// # Panics
    /// If `key` has no value.
    fn index(&self, key: &str) -> &V {
        match self.get(key) {
            Some(value) => value,
            None => panic!("no entry {key:?} in the map"),
        }
    }
}

/// Entries of a [`Map`] in order of their keys.
#[derive(Clone, Debug)]
pub struct Iter<'a, V>(std::slice::Iter<'a, (Str, V)>);

impl<'a, V> Iterator for Iter<'a, V> {
    type Item = (&'a Str, &'a V);
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key, value))
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<V> DoubleEndedIterator for Iter<'_, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, value)| (key, value))
    }
}

impl<V> ExactSizeIterator for Iter<'_, V> {}

impl<'a, V> IntoIterator for &'a Map<V> {
    type Item = (&'a Str, &'a V);
    type IntoIter = Iter<'a, V>;
    fn into_iter(self) -> Iter<'a, V> {
        self.iter()
    }
}

impl<V> IntoIterator for Map<V> {
    type Item = (Str, V);
    type IntoIter = thin_vec::IntoIter<(Str, V)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Into<Str>, V> FromIterator<(K, V)> for Map<V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::settled(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

impl<K: Into<Str>, V> Extend<(K, V)> for Map<V> {
    /// The last of equal keys wins.
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            let key = key.into();
            match self.0.last() {
                Some((last, _)) if *last >= key => {
                    self.insert(key, value);
                }
                _ => self.0.push((key, value)),
            }
        }
    }
}

impl<K: Into<Str>, V, const N: usize> From<[(K, V); N]> for Map<V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<V: Serialize> Serialize for Map<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, V: Deserialize<'de> + Default> Deserialize<'de> for Map<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de> + Default> Visitor<'de> for Entries<V> {
            type Value = Map<V>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Map<V>, A::Error> {
                let mut list = List::new();
                while let Some(key) = entries.next_key::<Str>()? {
                    list.push((key, entries.next_value::<Option<V>>()?.unwrap_or_default()));
                }
                Ok(Map::settled(list))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_in_any_order_and_the_last_of_equal_keys_wins() {
        let read: Map<Str> =
            serde_json::from_str(r#"{"c": "1", "a": "2", "c": "3", "b": null, "a": "4"}"#).unwrap();
        let collected: Map<Str> = [("c", "1"), ("a", "2"), ("c", "3"), ("b", ""), ("a", "4")]
            .map(|(key, value)| (key, Str::from(value)))
            .into_iter()
            .collect();
        assert_eq!(read, collected);
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"a":"4","b":"","c":"3"}"#);
    }
}
