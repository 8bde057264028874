//! [`Table`]: the objects of a store, by key, and by namespace in order.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::hint::black_box;
use std::ops::Bound;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use orlop_model::{Object, Str};

use crate::free::Free;
use crate::radix::{LEAF, Radix};
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
    /// Hash of the key and slot, by the hash. Not part of the view: who looks at an old one searches its namespace by name.
    index: HashTable<(u32, u32)>,
    hasher: DefaultHashBuilder,
    /// Spaces by hash.
    by_namespace: HashTable<u32>,
    free: Free,
    /// Slots that a space has taken and not filled, by its number. The next is the last.
    spare: Vec<Vec<u32>>,
    free_spaces: Vec<u32>,
    /// Spaces with additions that are not yet in order.
    unsettled: Vec<u32>,
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
            by_namespace: HashTable::new(),
            free: Free::default(),
            spare: Vec::new(),
            free_spaces: Vec::new(),
            unsettled: Vec::new(),
        }
    }

    pub(crate) const fn view(&self) -> &View<K> {
        &self.view
    }
}

impl<K: Object> Table<K> {
    /// The hash of a key.
    #[expect(clippy::cast_possible_truncation, reason = "of a hash any half is as good")]
    pub(crate) fn hash(&self, namespace: &str, name: &str) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(namespace.as_bytes());
        hasher.write_u8(b'/');
        hasher.write(name.as_bytes());
        let hash = hasher.finish();
        (hash >> 32 ^ hash) as u32
    }

    /// The slot of the object with this key, whose hash is known.
    pub(crate) fn find(&self, hash: u32, namespace: &str, name: &str) -> Option<u32> {
        let same = |&(other, slot): &(u32, u32)| {
            other == hash
                && self.view.entry(slot).is_some_and(|entry| {
                    let meta = entry.object.meta();
                    *meta.name == *name && *meta.namespace == *namespace
                })
        };
        self.index.find(spread(hash), same).map(|(_, slot)| *slot)
    }

    /// Looks at the keys and uids of what is there under some hashes, as [`look_at`] does: to be done before each is
    /// [found](Self::find).
    pub(crate) fn look_up(&self, hashes: impl Iterator<Item = u32>) {
        let slot = |hash| self.index.find(spread(hash), |(other, _)| *other == hash).map(|(_, slot)| *slot);
        let slots: Vec<Option<u32>> = hashes.map(slot).collect();
        let held = slots.into_iter().flatten().filter_map(|slot| self.view.object(slot));
        let looked = held.fold(0, |sum, object| {
            let meta = object.meta();
            sum ^ first(&meta.name) ^ first(&meta.uid)
        });
        black_box(looked);
    }

    /// Makes room for so many more objects.
    pub(crate) fn reserve(&mut self, objects: usize) {
        self.index.reserve(objects, |(hash, _)| spread(*hash));
    }

    /// Adds an object whose key is not there, with the key's hash and its resourceVersion as a number. To be
    /// [settled](Self::settle).
    pub(crate) fn insert(&mut self, hash: u32, object: Arc<K>, revision: u64) -> u32 {
        let space = self.space(&object.meta().namespace);
        let Self { view, free, spare, .. } = self;
        let mut of_space = view.spaces.place(space).as_mut();
        let spare = &mut spare[space as usize];
        let slot = spare.pop().unwrap_or_else(|| {
            // Half as many again as it has.
            let mut block = free.take(of_space.as_ref().map_or(0, |space| space.slots.len() / 2));
            let first = block.next().unwrap_or_default();
            spare.extend(block.rev());
            first
        });
        if of_space.as_mut().is_some_and(|space| space.slots.add(slot)) {
            self.unsettled.push(space);
        }
        *view.entries.place(slot) = Some(Entry { object, revision, hash, space });
        view.len += 1;
        view.end = view.end.max(slot + 1);
        self.index.insert_unique(spread(hash), (hash, slot), |(hash, _)| spread(*hash));
        slot
    }

    fn find_space(&self, namespace: &str) -> Option<u32> {
        let same =
            |space: &u32| self.view.spaces.get(*space).is_some_and(|space| space.namespace == *namespace);
        self.by_namespace.find(self.hasher.hash_one(namespace), same).copied()
    }

    /// The slots of the objects of a namespace.
    pub(crate) fn slots_in(&self, namespace: &str) -> Option<&Slots> {
        self.view.spaces.get(self.find_space(namespace)?).map(|space| &space.slots)
    }

    /// The number of a namespace, which is there from then on.
    fn space(&mut self, namespace: &Str) -> u32 {
        if let Some(space) = self.find_space(namespace) {
            return space;
        }
        let space = self.free_spaces.pop().unwrap_or(self.spare.len() as u32);
        let Self { view, hasher, by_namespace, .. } = self;
        let hash_of = |namespace: &str| hasher.hash_one(namespace);
        by_namespace.insert_unique(hash_of(namespace), space, |space| {
            view.spaces.get(*space).map_or(0, |space| hash_of(&space.namespace))
        });
        if self.spare.len() <= space as usize {
            self.spare.push(Vec::new());
        }
        *view.spaces.place(space) = Some(Space { namespace: namespace.clone(), slots: Slots::default() });
        Arc::make_mut(&mut view.namespaces).insert(namespace.clone(), space);
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
        let left = place.as_mut().map_or(0, |space| {
            space.slots.remove(slot, |slot| name(entries, slot));
            space.slots.len()
        });
        let spare = &mut self.spare[space as usize];
        if left > 0 {
            // It keeps no more than it has.
            if spare.len() < left.max(LEAF) {
                spare.push(slot);
            } else {
                self.free.give(vec![slot]);
            }
        } else if let Some(space_that_was) = place.take() {
            spare.push(slot);
            self.free.give(std::mem::take(spare));
            let hash = self.hasher.hash_one(space_that_was.namespace.as_str());
            if let Ok(found) = self.by_namespace.find_entry(hash, |other| *other == space) {
                found.remove();
            }
            Arc::make_mut(&mut self.view.namespaces).remove(&space_that_was.namespace);
            self.free_spaces.push(space);
        }
        let entry = self.view.entries.place(slot).take()?;
        self.view.len -= 1;
        Some(entry.object)
    }

    /// Brings what was added into its order. What looks at the view relies on that.
    pub(crate) fn settle(&mut self) {
        let View { entries, spaces, .. } = &mut self.view;
        for space in self.unsettled.drain(..) {
            if let Some(space) = spaces.place(space) {
                space.slots.settle(|slot| name(entries, slot));
            }
        }
    }
}

/// The name of the object in a slot.
fn name<K: Object>(entries: &Radix<Entry<K>>, slot: u32) -> Option<&str> {
    let name = entries.get(slot)?.object.meta().name.as_str();
    // Who asks for several names, and then looks at them, waits for all of them to come from memory at once.
    black_box(name.as_bytes().first());
    Some(name)
}

/// How many objects are looked at before something is done with the first: so many as come from memory together.
pub(crate) const AHEAD: usize = 32;

/// Looks at the key and the resourceVersion of each object. A read that waits for memory holds up what has to be done
/// with it, but no other read: whoever does this first, for some objects, waits for all of them at once.
pub(crate) fn look_at<'a, K: Object>(objects: impl Iterator<Item = &'a Arc<K>>) {
    let looked = objects.fold(0, |sum, object| {
        let meta = object.meta();
        sum ^ first(&meta.name) ^ first(&meta.resource_version)
    });
    black_box(looked);
}

fn first(text: &str) -> u8 {
    text.as_bytes().first().copied().unwrap_or_default()
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

    /// The key of the object in a slot: namespace and name.
    pub(crate) fn key(&self, slot: u32) -> Option<(&str, &str)> {
        let meta = self.object(slot)?.meta();
        // See `name`.
        black_box(meta.name.as_bytes().first());
        Some((&meta.namespace, &meta.name))
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

    /// The objects in some slots.
    pub(crate) fn objects<'a, I>(&'a self, slots: I) -> impl Iterator<Item = &'a Arc<K>> + use<'a, K, I>
    where
        I: Iterator<Item = u32>,
    {
        let mut near = self.entries.near();
        slots.filter_map(move |slot| near.get(slot).map(|entry| &entry.object))
    }

    /// The objects of a namespace, by name.
    pub(crate) fn iter_in(&self, namespace: &str) -> impl Iterator<Item = &Arc<K>> + use<'_, K> {
        let slots = self.space(namespace).map(|space| &space.slots);
        let objects = self.objects(slots.into_iter().flat_map(Slots::iter));
        Counted { objects, left: slots.map_or(0, Slots::len) }
    }

    /// Slots of all objects, in the order of their keys.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> + use<'_, K> {
        let spaces = self.namespaces.values().filter_map(|space| self.spaces.get(*space));
        spaces.flat_map(|space| space.slots.iter())
    }

    /// All objects, in the order of their keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<K>> + use<'_, K> {
        Counted { objects: self.objects(self.slots()), left: self.len }
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

/// Objects of which it is known how many are to come, so that who collects them makes room once.
struct Counted<I> {
    objects: I,
    left: usize,
}

impl<I: Iterator> Iterator for Counted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.left = self.left.saturating_sub(1);
        self.objects.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, None)
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
