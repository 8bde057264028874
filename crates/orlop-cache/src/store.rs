use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::task::Waker;

use orlop_model::selector::Selector;
use orlop_model::{Object, ObjectKey, Str};
use parking_lot::RwLock;

use crate::index::{Indexed, tell};
use crate::subscription::Queue;
use crate::{Delta, Index, Signal, Subscription, revision};

/// What a cache holds: the objects of one kind, as far as its source has told it. Clones are handles to the same store.
///
/// Reading takes a lock for a moment and never waits for a source. The objects are shared: nobody changes them.
pub struct Store<K> {
    inner: Arc<Inner<K>>,
}

struct Inner<K> {
    state: RwLock<State<K>>,
    /// How far the store has come, for those who wait. Told after the state has changed.
    progress: Signal<Progress>,
}

struct State<K> {
    /// Copied only if it has to change while a snapshot of it is held.
    objects: Arc<BTreeMap<ObjectKey, Arc<K>>>,
    revision: Str,
    synced: bool,
    closed: bool,
    indexes: Vec<Weak<dyn Indexed<K>>>,
    subscribers: Vec<Weak<Queue<K>>>,
}

#[derive(Clone, Debug, Default)]
struct Progress {
    revision: Str,
    synced: bool,
    closed: bool,
}

/// The end by which a [`Store`] is fed; there is one. Dropping it stops the store: what it holds can still be read, but
/// nothing changes any more.
pub struct Writer<K: Object> {
    store: Store<K>,
}

/// Something that a source tells, in the order in which it happened.
pub enum Change<K> {
    /// The object is there, in this state.
    Put(Arc<K>),
    /// The object is gone; its last state, with the resourceVersion of the deletion.
    Delete(Arc<K>),
    /// Everything up to this resourceVersion has been told.
    Bookmark(Str),
}

/// The objects of a store at one moment.
pub struct Snapshot<K> {
    objects: Arc<BTreeMap<ObjectKey, Arc<K>>>,
    revision: Str,
}

impl<K: Object> Store<K> {
    /// An empty store and its writer.
    #[must_use]
    pub fn new() -> (Self, Writer<K>) {
        let state = State {
            objects: Arc::default(),
            revision: Str::EMPTY,
            synced: false,
            closed: false,
            indexes: Vec::new(),
            subscribers: Vec::new(),
        };
        let store = Self {
            inner: Arc::new(Inner { state: RwLock::new(state), progress: Signal::new(Progress::default()) }),
        };
        (store.clone(), Writer { store })
    }

    /// The object with this key.
    #[must_use]
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.inner.state.read().objects.get(key).cloned()
    }

    /// All objects, in the order of their keys.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<K>> {
        self.inner.state.read().objects.values().cloned().collect()
    }

    /// The objects of a namespace, by name.
    #[must_use]
    pub fn list_in(&self, namespace: &str) -> Vec<Arc<K>> {
        in_namespace(&self.inner.state.read().objects, namespace).cloned().collect()
    }

    /// The objects, of a namespace or of all, that a label selector selects.
    #[must_use]
    pub fn select(&self, namespace: Option<&str>, selector: &Selector) -> Vec<Arc<K>> {
        self.filter(namespace, |object| selector.matches(&object.meta().labels))
    }

    /// The objects, of a namespace or of all, for which a condition holds. It is called with the store's lock held: it
    /// must not use the store.
    #[must_use]
    pub fn filter(&self, namespace: Option<&str>, condition: impl Fn(&K) -> bool) -> Vec<Arc<K>> {
        let state = self.inner.state.read();
        match namespace {
            Some(namespace) => {
                in_namespace(&state.objects, namespace).filter(|object| condition(object)).cloned().collect()
            }
            None => state.objects.values().filter(|object| condition(object)).cloned().collect(),
        }
    }

    /// The objects that have a value in an index of this store.
    #[must_use]
    pub fn by<V: Ord + Clone + Send + Sync + 'static>(&self, index: &Index<K, V>, value: &V) -> Vec<Arc<K>> {
        index.get(value)
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.state.read().objects.len()
    }

    /// Whether there are no objects.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All objects at this moment. Copies nothing; the store copies its table (not the objects) if it changes while the
    /// snapshot is held.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<K> {
        let state = self.inner.state.read();
        Snapshot { objects: Arc::clone(&state.objects), revision: state.revision.clone() }
    }

    /// An index by one value of each object.
    ///
    /// The function must depend on nothing but the object. It is called with the store's lock held: it must not use
    /// the store.
    ///
    /// ```
    /// # use orlop_cache::{Index, Store};
    /// # use orlop_model::{Str, core::v1::Pod};
    /// # let (pods, _writer) = Store::<Pod>::new();
    /// let by_node: Index<Pod, Str> = pods.index(|pod| pod.spec.node_name.clone());
    /// assert!(pods.by(&by_node, &"node-1".into()).is_empty());
    /// ```
    #[must_use]
    pub fn index<V, F>(&self, value: F) -> Index<K, V>
    where
        V: Ord + Clone + Send + Sync + 'static,
        F: Fn(&K) -> V + Send + Sync + 'static,
    {
        self.index_many(move |object| [value(object)])
    }

    /// An index by any number of values of each object. See [`Store::index`].
    #[must_use]
    pub fn index_many<V, I, F>(&self, values: F) -> Index<K, V>
    where
        V: Ord + Clone + Send + Sync + 'static,
        I: IntoIterator<Item = V>,
        F: Fn(&K) -> I + Send + Sync + 'static,
    {
        let mut state = self.inner.state.write();
        let values = move |object: &K| values(object).into_iter().collect();
        let index = Index::new(values, &state.objects, state.synced, state.closed);
        state.indexes.push(index.register());
        index
    }

    /// The changes from now on, beginning with the objects there are now as `Added { initial: true }`. Once the objects
    /// that were there at the cache's start have all been told comes `Synced`.
    pub fn subscribe(&self) -> Subscription<K> {
        let mut state = self.inner.state.write();
        let objects =
            state.objects.values().map(|object| Delta::Added { object: Arc::clone(object), initial: true });
        let (subscription, feed) =
            Subscription::new(objects.chain(state.synced.then_some(Delta::Synced)), state.closed);
        state.subscribers.push(feed);
        subscription
    }

    /// The resourceVersion up to which the store has come; empty before the first list.
    #[must_use]
    pub fn revision(&self) -> Str {
        self.inner.state.read().revision.clone()
    }

    /// Whether the objects that there were at the start have all come in.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.inner.state.read().synced
    }

    /// Waits until the objects that there were at the start have all come in. `false` if the cache stopped before.
    pub async fn synced(&self) -> bool {
        self.wait(|progress| progress.synced).await
    }

    /// Whether the store has come at least as far as `revision`: then what was written with that resourceVersion can be
    /// seen here, unless it was changed again. `None` if resourceVersions of the source cannot be compared.
    #[must_use]
    pub fn has(&self, revision: &str) -> Option<bool> {
        reached(&self.inner.state.read().revision, revision)
    }

    /// Waits until the store has come at least as far as `revision`. `false` if it never will: the cache stopped, or the
    /// source's resourceVersions cannot be compared.
    ///
    /// A cache that sees only a part of its kind's objects learns of revisions elsewhere from its source's bookmarks
    /// alone: put a time limit on the wait.
    pub async fn wait_for(&self, revision: &str) -> bool {
        self.wait(|progress| reached(&progress.revision, revision) != Some(false)).await
            && self.has(revision) == Some(true)
    }

    async fn wait(&self, mut until: impl FnMut(&Progress) -> bool) -> bool {
        let done = |progress: &Progress| match until(progress) {
            true => Some(true),
            false => progress.closed.then_some(false),
        };
        self.inner.progress.wait_for(done).await
    }
}

/// `None` if that cannot be told.
fn reached(now: &str, wanted: &str) -> Option<bool> {
    if now.is_empty() {
        return Some(wanted.is_empty());
    }
    revision::compare(now, wanted).map(Ordering::is_ge)
}

fn in_namespace<'a, K>(
    objects: &'a BTreeMap<ObjectKey, Arc<K>>,
    namespace: &'a str,
) -> impl Iterator<Item = &'a Arc<K>> + use<'a, K> {
    let first = ObjectKey { namespace: (!namespace.is_empty()).then(|| namespace.into()), name: Str::EMPTY };
    objects.range(first..).take_while(move |(key, _)| key.namespace() == namespace).map(|(_, object)| object)
}

impl<K: Object> Writer<K> {
    /// The store.
    #[must_use]
    pub const fn store(&self) -> &Store<K> {
        &self.store
    }

    /// Makes the store hold exactly these objects, as they were at `revision`. Only what differs is told: an object that
    /// is missing here was deleted unseen.
    pub fn replace(&mut self, objects: Vec<Arc<K>>, revision: impl Into<Str>) {
        let objects: BTreeMap<ObjectKey, Arc<K>> =
            objects.into_iter().map(|object| (object.key(), object)).collect();
        self.change(|state, wakers| {
            let missing: Vec<_> =
                state.objects.keys().filter(|key| !objects.contains_key(*key)).cloned().collect();
            for key in missing {
                if let Some(last) = state.objects.get(&key).cloned() {
                    state.delete(&key, last, false, wakers);
                }
            }
            for (key, object) in objects {
                let version = &object.meta().resource_version;
                let same = |held: &Arc<K>| {
                    held.meta().uid == object.meta().uid && held.meta().resource_version == *version
                };
                if !state.objects.get(&key).is_some_and(same) {
                    state.put(key, object, wakers);
                }
            }
            state.revision = revision.into();
            if !state.synced {
                state.synced = true;
                state.tell(&Delta::Synced, wakers);
            }
        });
    }

    /// Applies changes in order, all of them before anybody can look. What the store knows already is passed over, so
    /// that a source may repeat itself.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change<K>>) {
        self.change(|state, wakers| changes.into_iter().for_each(|change| state.apply(change, wakers)));
    }

    fn change(&mut self, f: impl FnOnce(&mut State<K>, &mut Vec<Waker>)) {
        let mut wakers = Vec::new();
        let inner = &self.store.inner;
        let progress = {
            let mut state = inner.state.write();
            f(&mut state, &mut wakers);
            Progress { revision: state.revision.clone(), synced: state.synced, closed: state.closed }
        };
        inner.progress.modify(|now| *now = progress);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<K: Object> Drop for Writer<K> {
    fn drop(&mut self) {
        self.change(|state, wakers| {
            state.closed = true;
            state.subscribers.iter().filter_map(Weak::upgrade).for_each(|queue| queue.close(wakers));
            state.indexes.iter().filter_map(Weak::upgrade).for_each(|index| index.close(wakers));
        });
    }
}

impl<K: Object> State<K> {
    fn apply(&mut self, change: Change<K>, wakers: &mut Vec<Waker>) {
        let version = match &change {
            Change::Put(object) | Change::Delete(object) => object.meta().resource_version.clone(),
            Change::Bookmark(version) => version.clone(),
        };
        if revision::is_before(&version, &self.revision) {
            return;
        }
        match change {
            Change::Put(object) => {
                let key = object.key();
                let known = |held: &Arc<K>| {
                    let held = &held.meta().resource_version;
                    revision::compare(&version, held).is_some_and(Ordering::is_le)
                };
                if !self.objects.get(&key).is_some_and(known) {
                    self.put(key, object, wakers);
                }
            }
            Change::Delete(object) => {
                let key = object.key();
                if let Some(held) = self.objects.get(&key).cloned() {
                    // Another object of the same name: what became of the one that is held was missed.
                    let exact = held.meta().uid == object.meta().uid;
                    self.delete(&key, if exact { object } else { held }, exact, wakers);
                }
            }
            Change::Bookmark(_) => {}
        }
        if !version.is_empty() {
            self.revision = version;
        }
    }

    fn put(&mut self, key: ObjectKey, object: Arc<K>, wakers: &mut Vec<Waker>) {
        let held = self.objects.get(&key).cloned();
        let held = match held {
            Some(held) if held.meta().uid != object.meta().uid => {
                self.delete(&key, held, false, wakers);
                None
            }
            held => held,
        };
        Arc::make_mut(&mut self.objects).insert(key.clone(), Arc::clone(&object));
        let delta = match &held {
            Some(old) => Delta::Modified { old: Arc::clone(old), new: object },
            None => Delta::Added { object, initial: !self.synced },
        };
        self.update_indexes(&key, held.as_ref(), &delta, wakers);
        tell(&mut self.subscribers, &delta, wakers);
    }

    fn delete(&mut self, key: &ObjectKey, last: Arc<K>, exact: bool, wakers: &mut Vec<Waker>) {
        let held = Arc::make_mut(&mut self.objects).remove(key);
        let delta = Delta::Deleted { last, exact };
        self.update_indexes(key, held.as_ref(), &delta, wakers);
        tell(&mut self.subscribers, &delta, wakers);
    }

    fn tell(&mut self, delta: &Delta<K>, wakers: &mut Vec<Waker>) {
        self.update_indexes(&ObjectKey::default(), None, delta, wakers);
        tell(&mut self.subscribers, delta, wakers);
    }

    fn update_indexes(
        &mut self,
        key: &ObjectKey,
        held: Option<&Arc<K>>,
        delta: &Delta<K>,
        wakers: &mut Vec<Waker>,
    ) {
        self.indexes.retain(|index| match index.upgrade() {
            Some(index) => {
                index.apply(key, held, delta, wakers);
                true
            }
            None => false,
        });
    }
}

impl<K: Object> Snapshot<K> {
    /// The resourceVersion up to which the store had come.
    #[must_use]
    pub const fn revision(&self) -> &Str {
        &self.revision
    }

    /// The object with this key.
    #[must_use]
    pub fn get(&self, key: &ObjectKey) -> Option<&Arc<K>> {
        self.objects.get(key)
    }

    /// All objects, in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<K>> {
        self.objects.values()
    }

    /// The objects of a namespace, by name.
    pub fn iter_in<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Arc<K>> {
        in_namespace(&self.objects, namespace)
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there are no objects.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

impl<K> Clone for Store<K> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<K> Clone for Snapshot<K> {
    fn clone(&self) -> Self {
        Self { objects: Arc::clone(&self.objects), revision: self.revision.clone() }
    }
}

impl<K> fmt::Debug for Store<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.inner.state.read();
        f.debug_struct("Store")
            .field("objects", &state.objects.len())
            .field("revision", &state.revision)
            .field("synced", &state.synced)
            .finish_non_exhaustive()
    }
}

impl<K> fmt::Debug for Snapshot<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("objects", &self.objects.len())
            .field("revision", &self.revision)
            .finish()
    }
}

impl<K: Object> fmt::Debug for Writer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Writer").field(&self.store).finish()
    }
}

impl<K: Object> fmt::Debug for Change<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put(object) => write!(f, "Put({}@{})", object.key(), object.meta().resource_version),
            Self::Delete(object) => write!(f, "Delete({}@{})", object.key(), object.meta().resource_version),
            Self::Bookmark(version) => write!(f, "Bookmark({version})"),
        }
    }
}
