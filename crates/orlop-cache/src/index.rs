use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::task::Waker;

use orlop_model::{Object, ObjectKey};
use parking_lot::RwLock;

use crate::subscription::Queue;
use crate::{Delta, Subscription};

/// A secondary index of a cache: its objects by a value that is taken from each of them.
///
/// Made by [`Store::index`](crate::Store::index) at any time, kept as long as a handle exists. Clones are handles to the
/// same index. Objects with one value are in the order of their keys.
pub struct Index<K, V> {
    data: Arc<Data<K, V>>,
}

type Values<K, V> = Box<dyn Fn(&K) -> Vec<V> + Send + Sync>;

struct Data<K, V> {
    values: Values<K, V>,
    state: RwLock<State<K, V>>,
}

struct State<K, V> {
    slots: BTreeMap<V, Slot<K>>,
    synced: bool,
    closed: bool,
}

struct Slot<K> {
    objects: BTreeMap<ObjectKey, Arc<K>>,
    subscribers: Vec<Weak<Queue<K>>>,
}

/// What the store does with an index whose values' type it does not know.
pub(crate) trait Indexed<K>: Send + Sync {
    /// `held` is the state that the index has of the object. (A deletion's last state may be a later one.)
    fn apply(&self, key: &ObjectKey, held: Option<&Arc<K>>, delta: &Delta<K>, wakers: &mut Vec<Waker>);
    fn close(&self, wakers: &mut Vec<Waker>);
}

impl<K: Object, V: Ord + Clone + Send + Sync + 'static> Index<K, V> {
    pub(crate) fn new(
        values: impl Fn(&K) -> Vec<V> + Send + Sync + 'static,
        objects: &BTreeMap<ObjectKey, Arc<K>>,
        synced: bool,
        closed: bool,
    ) -> Self {
        let mut slots = BTreeMap::new();
        for (key, object) in objects {
            for value in values(object) {
                slots
                    .entry(value)
                    .or_insert_with(Slot::default)
                    .objects
                    .insert(key.clone(), Arc::clone(object));
            }
        }
        let state = RwLock::new(State { slots, synced, closed });
        Self { data: Arc::new(Data { values: Box::new(values), state }) }
    }

    pub(crate) fn register(&self) -> Weak<dyn Indexed<K>> {
        let data: Arc<dyn Indexed<K>> = self.data.clone();
        Arc::downgrade(&data)
    }

    /// The objects with this value.
    #[must_use]
    pub fn get(&self, value: &V) -> Vec<Arc<K>> {
        let state = self.data.state.read();
        state.slots.get(value).map_or_else(Vec::new, |slot| slot.objects.values().cloned().collect())
    }

    /// How many objects have this value.
    #[must_use]
    pub fn count(&self, value: &V) -> usize {
        self.data.state.read().slots.get(value).map_or(0, |slot| slot.objects.len())
    }

    /// The values that objects have, in order.
    #[must_use]
    pub fn values(&self) -> Vec<V> {
        let state = self.data.state.read();
        state
            .slots
            .iter()
            .filter(|(_, slot)| !slot.objects.is_empty())
            .map(|(value, _)| value.clone())
            .collect()
    }

    /// The changes of the objects with this value only, beginning with those there are now, as
    /// [`Store::subscribe`](crate::Store::subscribe) does. An object that comes to have the value is `Added`, one that
    /// no longer has it is `Deleted` with its new state as the last.
    ///
    /// A change costs only the subscribers of its values: a thousand of them, one for each node, can share a cache.
    pub fn subscribe(&self, value: &V) -> Subscription<K> {
        let mut state = self.data.state.write();
        let (synced, closed) = (state.synced, state.closed);
        let slot = state.slots.entry(value.clone()).or_default();
        let objects =
            slot.objects.values().map(|object| Delta::Added { object: Arc::clone(object), initial: true });
        let (subscription, feed) = Subscription::new(objects.chain(synced.then_some(Delta::Synced)), closed);
        slot.subscribers.push(feed);
        subscription
    }
}

impl<K: Object, V: Ord + Clone + Send + Sync + 'static> Indexed<K> for Data<K, V> {
    fn apply(&self, key: &ObjectKey, held: Option<&Arc<K>>, delta: &Delta<K>, wakers: &mut Vec<Waker>) {
        if matches!(delta, Delta::Synced) {
            let mut state = self.state.write();
            state.synced = true;
            state.slots.values_mut().for_each(|slot| tell(&mut slot.subscribers, delta, wakers));
            return;
        }
        let sorted = |object: Option<&Arc<K>>| {
            let mut values = object.map_or_else(Vec::new, |object| (self.values)(object));
            values.sort_unstable();
            values.dedup();
            values
        };
        let now = if matches!(delta, Delta::Deleted { .. }) { None } else { delta.object() };
        let (old, new) = (sorted(held), sorted(now));
        let mut state = self.state.write();
        for value in old.iter().filter(|value| new.binary_search(value).is_err()) {
            let Some(slot) = state.slots.get_mut(value) else {
                continue;
            };
            slot.objects.remove(key);
            let gone = match delta {
                Delta::Modified { new, .. } => &Delta::Deleted { last: Arc::clone(new), exact: true },
                delta => delta,
            };
            tell(&mut slot.subscribers, gone, wakers);
            if slot.objects.is_empty() && slot.subscribers.is_empty() {
                state.slots.remove(value);
            }
        }
        for value in new {
            let Some(object) = now else { continue };
            let had = old.binary_search(&value).is_ok();
            let slot = state.slots.entry(value).or_default();
            slot.objects.insert(key.clone(), Arc::clone(object));
            match delta {
                Delta::Modified { new, .. } if !had => {
                    let added = Delta::Added { object: Arc::clone(new), initial: false };
                    tell(&mut slot.subscribers, &added, wakers);
                }
                delta => tell(&mut slot.subscribers, delta, wakers),
            }
        }
    }

    fn close(&self, wakers: &mut Vec<Waker>) {
        let mut state = self.state.write();
        state.closed = true;
        for slot in state.slots.values_mut() {
            slot.subscribers.iter().filter_map(Weak::upgrade).for_each(|queue| queue.close(wakers));
        }
    }
}

/// Tells those subscribers who are still there.
pub(crate) fn tell<K: Object>(
    subscribers: &mut Vec<Weak<Queue<K>>>,
    delta: &Delta<K>,
    wakers: &mut Vec<Waker>,
) {
    subscribers.retain(|subscriber| match subscriber.upgrade() {
        Some(queue) => {
            queue.push(delta.clone(), wakers);
            true
        }
        None => false,
    });
}

impl<K> Default for Slot<K> {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), subscribers: Vec::new() }
    }
}

impl<K, V> Clone for Index<K, V> {
    fn clone(&self) -> Self {
        Self { data: Arc::clone(&self.data) }
    }
}

impl<K, V: fmt::Debug> fmt::Debug for Index<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.data.state.read();
        f.debug_map().entries(state.slots.iter().map(|(value, slot)| (value, slot.objects.len()))).finish()
    }
}
