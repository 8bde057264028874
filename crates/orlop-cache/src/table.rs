//! [`Table`]: the objects of a store, by key, and by namespace in order.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::ops::Bound;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use orlop_model::{Object, Str};

use crate::radix::Radix;
use crate::slots::Slots;

/// An object in its slot.
pub(crate) struct Entry<K> {
    pub(crate) object: Arc<K>,
    /// Its resourceVersion as a number; 0 if it is none.
    pub(crate) revision: u64,
    hash: u32,
    space: u32,
}

/// The objects of a namespace.
#[derive(Clone)]
struct Space {
    namespace: Str,
    slots: Slots,
}

/// The objects at one moment. Cloned at once: see [`Radix`].
pub(crate) struct View<K> {
    entries: Radix<Entry<K>>,
    spaces: Radix<Space>,
    /// Numbers of spaces.
    namespaces: Arc<BTreeMap<Str, u32>>,
    len: usize,
    /// Above every slot that is taken.
    end: u32,
}

/// The objects now.
pub(crate) struct Table<K> {
    view: View<K>,
    /// Hash and slot by hash. Not part of the view: who looks at an old one searches its namespace by name.
    index: HashTable<(u32, u32)>,
    hasher: DefaultHashBuilder,
    free: Vec<u32>,
    free_spaces: Vec<u32>,
    /// Spaces with additions that are not yet in order.
    unsettled: Vec<u32>,
}

fn namespace_and_name<K: Object>(object: &K) -> (&str, &str) {
    let meta = object.meta();
    (&meta.namespace, &meta.name)
}

/// What the index hashes by: its low bits choose a bucket, its high bits tell those in it apart.
const fn spread(hash: u32) -> u64 {
    (hash as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl<K> Table<K> {
    pub(crate) fn new() -> Self {
        Self {
            view: View::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            free: Vec::new(),
            free_spaces: Vec::new(),
            unsettled: Vec::new(),
        }
    }

    pub(crate) const fn view(&self) -> &View<K> {
        &self.view
    }
}

impl<K: Object> Table<K> {
    #[expect(clippy::cast_possible_truncation, reason = "of a hash any half is as good")]
    fn hash(&self, namespace: &str, name: &str) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(namespace.as_bytes());
        hasher.write_u8(b'/');
        hasher.write(name.as_bytes());
        let hash = hasher.finish();
        (hash >> 32 ^ hash) as u32
    }

    fn find_hashed(&self, hash: u32, namespace: &str, name: &str) -> Option<u32> {
        let same = |&(other, slot): &(u32, u32)| {
            other == hash
                && self.view.entry(slot).is_some_and(|entry| {
                    let meta = entry.object.meta();
                    *meta.name == *name && *meta.namespace == *namespace
                })
        };
        self.index.find(spread(hash), same).map(|(_, slot)| *slot)
    }

    /// The slot of the object with this key.
    pub(crate) fn find(&self, namespace: &str, name: &str) -> Option<u32> {
        self.find_hashed(self.hash(namespace, name), namespace, name)
    }

    /// Makes room for so many more objects.
    pub(crate) fn reserve(&mut self, objects: usize) {
        self.index.reserve(objects, |(hash, _)| spread(*hash));
    }

    /// Adds an object whose key is not there, with its resourceVersion as a number. To be [settled](Self::settle).
    pub(crate) fn insert(&mut self, object: Arc<K>, revision: u64) -> u32 {
        let (namespace, name) = namespace_and_name(&*object);
        let hash = self.hash(namespace, name);
        let space = self.space(&object.meta().namespace);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.view.end += 1;
            self.view.end - 1
        });
        if let Some(space_of_object) = self.view.spaces.place(space)
            && space_of_object.slots.add(slot)
        {
            self.unsettled.push(space);
        }
        *self.view.entries.place(slot) = Some(Entry { object, revision, hash, space });
        self.index.insert_unique(spread(hash), (hash, slot), |(hash, _)| spread(*hash));
        self.view.len += 1;
        slot
    }

    fn space(&mut self, namespace: &Str) -> u32 {
        if let Some(space) = self.view.namespaces.get(namespace) {
            return *space;
        }
        let space = self.free_spaces.pop().unwrap_or(self.view.namespaces.len() as u32);
        *self.view.spaces.place(space) =
            Some(Space { namespace: namespace.clone(), slots: Slots::default() });
        Arc::make_mut(&mut self.view.namespaces).insert(namespace.clone(), space);
        space
    }

    /// Puts another state of the object, with the same key, into its slot. Answers the state that was there.
    pub(crate) fn replace(&mut self, slot: u32, object: Arc<K>, revision: u64) -> Option<Arc<K>> {
        let entry = self.view.entries.place(slot).as_mut()?;
        entry.revision = revision;
        Some(std::mem::replace(&mut entry.object, object))
    }

    /// Takes an object out.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<Arc<K>> {
        let Entry { hash, space, .. } = *self.view.entry(slot)?;
        if let Ok(found) = self.index.find_entry(spread(hash), |(_, other)| *other == slot) {
            found.remove();
        }
        // While the object is still there to be compared.
        let View { entries, spaces, .. } = &mut self.view;
        let place = spaces.place(space);
        let emptied = place.as_mut().is_some_and(|space| {
            space.slots.remove(slot, |a, b| by_name(entries, a, b));
            space.slots.is_empty()
        });
        if emptied && let Some(space_that_was) = place.take() {
            Arc::make_mut(&mut self.view.namespaces).remove(&space_that_was.namespace);
            self.free_spaces.push(space);
        }
        let entry = self.view.entries.place(slot).take()?;
        self.free.push(slot);
        self.view.len -= 1;
        Some(entry.object)
    }

    /// Brings what was added into its order. What looks at the view relies on that.
    pub(crate) fn settle(&mut self) {
        let View { entries, spaces, .. } = &mut self.view;
        for space in self.unsettled.drain(..) {
            if let Some(space) = spaces.place(space) {
                space.slots.settle(|a, b| by_name(entries, a, b));
            }
        }
    }
}

fn by_name<K: Object>(entries: &Radix<Entry<K>>, a: u32, b: u32) -> Ordering {
    match (entries.get(a), entries.get(b)) {
        (Some(a), Some(b)) => a.object.meta().name.as_str().cmp(&b.object.meta().name),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

impl<K> View<K> {
    pub(crate) fn new() -> Self {
        Self { entries: Radix::new(), spaces: Radix::new(), namespaces: Arc::default(), len: 0, end: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Above every slot that is taken.
    pub(crate) const fn end(&self) -> u32 {
        self.end
    }
}

impl<K: Object> View<K> {
    pub(crate) fn entry(&self, slot: u32) -> Option<&Entry<K>> {
        self.entries.get(slot)
    }

    pub(crate) fn object(&self, slot: u32) -> Option<&Arc<K>> {
        self.entries.get(slot).map(|entry| &entry.object)
    }

    /// The order of the keys of two slots.
    pub(crate) fn order(&self, a: u32, b: u32) -> Ordering {
        match (self.object(a), self.object(b)) {
            (Some(a), Some(b)) => namespace_and_name(&**a).cmp(&namespace_and_name(&**b)),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }

    fn space(&self, namespace: &str) -> Option<&Space> {
        self.spaces.get(*self.namespaces.get(namespace)?)
    }

    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<&Arc<K>> {
        let order = |slot| self.object(slot).map_or(Ordering::Less, |object| (*object.meta().name).cmp(name));
        self.object(self.space(namespace)?.slots.find(order)?)
    }

    /// Slots of the objects of a namespace, by name.
    pub(crate) fn slots_in(&self, namespace: &str) -> impl Iterator<Item = u32> + use<'_, K> {
        self.space(namespace).into_iter().flat_map(|space| space.slots.iter())
    }

    pub(crate) fn len_in(&self, namespace: &str) -> usize {
        self.space(namespace).map_or(0, |space| space.slots.len())
    }

    /// The objects of a namespace, by name.
    pub(crate) fn iter_in(&self, namespace: &str) -> impl Iterator<Item = &Arc<K>> + use<'_, K> {
        self.slots_in(namespace).filter_map(|slot| self.object(slot))
    }

    /// Slots of all objects, in the order of their keys.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> + use<'_, K> {
        let spaces = self.namespaces.values().filter_map(|space| self.spaces.get(*space));
        spaces.flat_map(|space| space.slots.iter())
    }

    /// All objects, in the order of their keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<K>> + use<'_, K> {
        self.slots().filter_map(|slot| self.object(slot))
    }

    /// The namespace after this one, of those that have objects; the first after `None`.
    pub(crate) fn namespace_after(&self, namespace: Option<&Str>) -> Option<&Str> {
        let from = namespace.map_or(Bound::Unbounded, Bound::Excluded);
        self.namespaces.range::<Str, _>((from, Bound::Unbounded)).next().map(|(namespace, _)| namespace)
    }

    /// The next slot from `from` on in which this view may have another object or state than `other`.
    pub(crate) fn next_difference(&self, other: &Self, from: u32) -> Option<u32> {
        self.entries.next_difference(&other.entries, from, self.end.max(other.end))
    }
}

impl<K> Clone for View<K> {
    fn clone(&self) -> Self {
        Self {
            entries: Radix::clone(&self.entries),
            spaces: self.spaces.clone(),
            namespaces: Arc::clone(&self.namespaces),
            len: self.len,
            end: self.end,
        }
    }
}

impl<K> Clone for Entry<K> {
    fn clone(&self) -> Self {
        Self { object: Arc::clone(&self.object), ..*self }
    }
}
