use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::task::Waker;

use orlop_model::Object;
use parking_lot::RwLock;

use crate::hub::{Base, Hub};
use crate::slots::Slots;
use crate::store::{Inner, gather};
use crate::subscription::{Lag, Origin};
use crate::table::View;
use crate::{Delta, Subscription};

/// A secondary index of a cache: its objects by values that are taken from each of them.
///
/// Made by [`Store::index`](crate::Store::index) at any time, kept as long as a handle exists. Clones are handles to the
/// same index. Objects with one value are in the order of their keys.
pub struct Index<K, V> {
    pub(crate) data: Arc<Data<K, V>>,
}

type Values<K, V> = Box<dyn Fn(&K, &mut Vec<V>) + Send + Sync>;

// Locked after the store's state, and before a hub's log.
pub(crate) struct Data<K, V> {
    store: Arc<Inner<K>>,
    values: Values<K, V>,
    state: RwLock<State<K, V>>,
}

struct State<K, V> {
    entries: BTreeMap<V, Entry<K>>,
    /// Values with something to do at the end of the batch.
    touched: Vec<V>,
    /// Kept to be filled again.
    old: Vec<V>,
    new: Vec<V>,
}

struct Entry<K> {
    slots: Slots,
    hub: Option<Arc<Hub<K>>>,
    touched: bool,
}

/// What the store does with an index whose values' type it does not know.
pub(crate) trait Indexed<K>: Send + Sync {
    /// A change of the object in a slot, from which a deleted object has not been taken yet. `held` is the state that
    /// the index has of it. (A deletion's last state may be a later one.)
    fn apply(&self, view: &View<K>, slot: u32, held: Option<&K>, delta: &Delta<K>);
    fn synced(&self, view: &View<K>);
    /// The end of a batch.
    fn settle(&self, view: &View<K>, wakers: &mut Vec<Waker>);
    fn close(&self, wakers: &mut Vec<Waker>);
}

impl<K: Object, V: Ord + Clone + Send + Sync + 'static> Index<K, V> {
    /// Of a store whose state is locked.
    pub(crate) fn new(
        store: Arc<Inner<K>>,
        view: &View<K>,
        values: impl Fn(&K, &mut Vec<V>) + Send + Sync + 'static,
    ) -> Self {
        let mut state =
            State { entries: BTreeMap::new(), touched: Vec::new(), old: Vec::new(), new: Vec::new() };
        for slot in view.slots() {
            if let Some(object) = view.object(slot) {
                taken(&values, object, &mut state.new);
                for value in state.new.drain(..) {
                    state.entries.entry(value).or_default().slots.add(slot);
                }
            }
        }
        state.entries.values_mut().for_each(|entry| entry.slots.settle(|slot| view.key(slot)));
        Self { data: Arc::new(Data { store, values: Box::new(values), state: RwLock::new(state) }) }
    }

    pub(crate) fn register(&self) -> Weak<dyn Indexed<K>> {
        let data: Arc<dyn Indexed<K>> = self.data.clone();
        Arc::downgrade(&data)
    }

    /// The objects with this value.
    #[must_use]
    pub fn get(&self, value: &V) -> Vec<Arc<K>> {
        let store = self.data.store.state.read();
        let slots = match self.data.state.read().entries.get(value) {
            Some(entry) => entry.slots.clone(),
            None => return Vec::new(),
        };
        if slots.len() <= crate::store::AT_ONCE {
            return gather(store.table.view(), slots.iter(), slots.len());
        }
        // A long list must not hold up the writer.
        let view = store.table.view().clone();
        drop(store);
        gather(&view, slots.iter(), slots.len())
    }

    /// How many objects have this value.
    #[must_use]
    pub fn count(&self, value: &V) -> usize {
        self.data.count(value)
    }

    /// The values that objects have, in order.
    #[must_use]
    pub fn values(&self) -> Vec<V> {
        let state = self.data.state.read();
        let taken = state.entries.iter().filter(|(_, entry)| !entry.slots.is_empty());
        taken.map(|(value, _)| value.clone()).collect()
    }

    /// The changes of the objects with this value only, beginning with those there are now, as
    /// [`Store::subscribe`](crate::Store::subscribe) does. An object that comes to have the value is `Added`, one that
    /// no longer has it is `Deleted` with its new state as the last.
    ///
    /// A change costs only the subscribers of its values: a thousand of them, one for each node, can share a cache.
    pub fn subscribe(&self, value: &V) -> Subscription<K> {
        self.subscribe_with(value, Lag::default())
    }

    /// [`subscribe`](Self::subscribe) with a choice of what happens when the subscriber falls behind.
    pub fn subscribe_with(&self, value: &V, lag: Lag) -> Subscription<K> {
        let store = self.data.store.state.read();
        let mut state = self.data.state.write();
        let entry = state.entries.entry(value.clone()).or_default();
        let new = || Arc::new(Hub::new(self.data.store.capacity, store.closed));
        let hub = Arc::clone(entry.hub.get_or_insert_with(new));
        let origin: Arc<dyn Origin<K>> =
            Arc::new(OfValue { data: Arc::clone(&self.data), value: value.clone() });
        if matches!(lag, Lag::Block(_)) {
            self.data.store.blocking.lock().push((Arc::downgrade(&hub), Arc::downgrade(&origin)));
        }
        let subscription = Subscription::new(origin, hub, lag);
        drop((state, store));
        subscription.begun()
    }
}

impl<K: Object, V: Ord> Data<K, V> {
    pub(crate) fn count(&self, value: &V) -> usize {
        self.state.read().entries.get(value).map_or(0, |entry| entry.slots.len())
    }

    /// Adds the slots of the objects with this value, in the order of their keys.
    pub(crate) fn slots(&self, value: &V, slots: &mut Vec<u32>) {
        if let Some(entry) = self.state.read().entries.get(value) {
            slots.extend(entry.slots.iter());
        }
    }
}

/// What the subscribers of a value look at.
struct OfValue<K, V> {
    data: Arc<Data<K, V>>,
    value: V,
}

impl<K: Object, V: Ord + Send + Sync> Origin<K> for OfValue<K, V> {
    fn look(&self, at: &mut dyn FnMut(Base<K>, bool)) {
        let store = self.data.store.state.read();
        let state = self.data.state.read();
        let objects = state
            .entries
            .get(&self.value)
            .map_or_else(Vec::new, |entry| gather(store.table.view(), entry.slots.iter(), entry.slots.len()));
        at(Base::Some(objects), store.synced);
    }
}

/// The values of an object, sorted and each once.
fn taken<K, V: Ord>(values: &(impl Fn(&K, &mut Vec<V>) + ?Sized), object: &K, taken: &mut Vec<V>) {
    taken.clear();
    values(object, taken);
    if taken.len() > 1 {
        taken.sort_unstable();
        taken.dedup();
    }
}

impl<K: Object, V: Ord + Clone + Send + Sync + 'static> Indexed<K> for Data<K, V> {
    fn apply(&self, view: &View<K>, slot: u32, held: Option<&K>, delta: &Delta<K>) {
        let mut state = self.state.write();
        let State { entries, touched, old, new } = &mut *state;
        old.clear();
        new.clear();
        if let Some(held) = held {
            taken(&*self.values, held, old);
        }
        if !matches!(delta, Delta::Deleted { .. })
            && let Some(object) = delta.object()
        {
            taken(&*self.values, object, new);
        }
        if old == new && new.iter().all(|value| entries.get(value).is_some_and(|entry| entry.hub.is_none())) {
            return;
        }
        let key = |slot| view.key(slot);
        for value in old.iter().filter(|value| new.binary_search(value).is_err()) {
            let Some(entry) = entries.get_mut(value) else { continue };
            entry.slots.remove(slot, key);
            match delta {
                Delta::Modified { new, .. } => {
                    entry.tell(&Delta::Deleted { last: Arc::clone(new), exact: true }, view);
                }
                delta => entry.tell(delta, view),
            }
            entry.touch(value, touched);
        }
        for value in new.drain(..) {
            let had = old.binary_search(&value).is_ok();
            let entry = match entries.get_mut(&value) {
                Some(entry) => entry,
                None => entries.entry(value.clone()).or_default(),
            };
            if !had {
                entry.slots.add(slot);
            }
            match delta {
                Delta::Modified { new, .. } if !had => {
                    entry.tell(&Delta::Added { object: Arc::clone(new), initial: false }, view);
                }
                delta => entry.tell(delta, view),
            }
            entry.touch(&value, touched);
        }
    }

    fn synced(&self, view: &View<K>) {
        let mut state = self.state.write();
        let State { entries, touched, .. } = &mut *state;
        for (value, entry) in entries.iter_mut().filter(|(_, entry)| entry.hub.is_some()) {
            entry.tell(&Delta::Synced, view);
            entry.touch(value, touched);
        }
    }

    fn settle(&self, view: &View<K>, wakers: &mut Vec<Waker>) {
        let mut state = self.state.write();
        let State { entries, touched, .. } = &mut *state;
        for value in touched.drain(..) {
            let Some(entry) = entries.get_mut(&value) else { continue };
            entry.touched = false;
            entry.slots.settle(|slot| view.key(slot));
            let unused = entry.hub.as_ref().is_none_or(|hub| {
                let mut log = hub.log();
                log.wake(wakers);
                log.is_unused()
            });
            if unused {
                entry.hub = None;
                if entry.slots.is_empty() {
                    entries.remove(&value);
                }
            }
        }
    }

    fn close(&self, wakers: &mut Vec<Waker>) {
        for hub in self.state.write().entries.values().filter_map(|entry| entry.hub.as_ref()) {
            let mut log = hub.log();
            log.close();
            log.wake(wakers);
        }
    }
}

impl<K: Object> Entry<K> {
    fn tell(&mut self, delta: &Delta<K>, view: &View<K>) {
        let Self { slots, hub, .. } = self;
        if let Some(hub) = hub {
            let mut log = hub.log();
            if log.is_followed() {
                log.push(delta.clone(), || {
                    slots.settle(|slot| view.key(slot));
                    Base::Some(gather(view, slots.iter(), slots.len()))
                });
            }
        }
    }

    fn touch<V: Clone>(&mut self, value: &V, touched: &mut Vec<V>) {
        if !std::mem::replace(&mut self.touched, true) {
            touched.push(value.clone());
        }
    }
}

impl<K> Default for Entry<K> {
    fn default() -> Self {
        Self { slots: Slots::default(), hub: None, touched: false }
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
        f.debug_map().entries(state.entries.iter().map(|(value, entry)| (value, entry.slots.len()))).finish()
    }
}
