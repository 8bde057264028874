use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Weak};

use orlop_model::selector::{Operator, Selector};
use orlop_model::{Object, ObjectKey, Str};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::hub::{Base, Hub};
use crate::index::{self, Indexed};
use crate::subscription::Origin;
use crate::table::{AHEAD, Table, View};
use crate::{Index, Lag, Snapshot, Subscription, Writer, revision};

/// Changes in the log that subscribers read from, unless the store is built with another number.
const LOG: usize = 4096;

/// The most objects that are gathered with the store locked: about what the writer does in one batch.
pub(crate) const AT_ONCE: usize = 512;

/// What a cache holds: the objects of one kind, as far as its source has told it. Clones are handles to the same store.
///
/// Reading takes a lock for a moment and never waits for a source, nor for other readers; a long list is read from a
/// [`Snapshot`], so that it holds up nobody. The objects are shared: nobody changes them.
pub struct Store<K> {
    pub(crate) inner: Arc<Inner<K>>,
}

pub(crate) struct Inner<K> {
    pub(crate) state: RwLock<State<K>>,
    /// Locked after the state.
    pub(crate) hub: Arc<Hub<K>>,
    /// Told after the revision has changed, the store has synced or is closed.
    pub(crate) progress: Notify,
    /// Hubs of indexes with subscribers that the writer waits for.
    pub(crate) blocking: Mutex<Vec<Blocking<K>>>,
    /// Of each log.
    pub(crate) capacity: usize,
}

pub(crate) type Blocking<K> = (Weak<Hub<K>>, Weak<dyn Origin<K>>);

pub(crate) struct State<K> {
    pub(crate) table: Table<K>,
    /// One for each writer.
    pub(crate) parts: Vec<Part>,
    /// The least of the parts' revisions.
    pub(crate) revision: Str,
    pub(crate) synced: bool,
    pub(crate) closed: bool,
    pub(crate) indexes: Vec<Weak<dyn Indexed<K>>>,
    labels: Vec<(Str, Weak<index::Data<K, Str>>)>,
}

/// What one writer feeds: everything, or a namespace.
pub(crate) struct Part {
    pub(crate) namespace: Option<Str>,
    pub(crate) revision: Str,
    /// The revision as a number; 0 if it is none.
    pub(crate) number: u64,
    pub(crate) synced: bool,
    pub(crate) closed: bool,
}

impl<K: Object> Store<K> {
    /// An empty store and its writer.
    #[must_use]
    pub fn new() -> (Self, Writer<K>) {
        Self::with_log(LOG)
    }

    /// An empty store that logs so many changes for its subscribers. Whoever is further behind is dealt with as its
    /// [`Lag`] says. Default: 4,096.
    #[must_use]
    pub fn with_log(changes: usize) -> (Self, Writer<K>) {
        let (store, mut writers) = Self::build(vec![None], Some(changes));
        let writer = writers.pop().unwrap_or_else(|| Writer::new(store.clone(), 0));
        (store, writer)
    }

    /// An empty store of the objects of some namespaces, and a writer for each of them. It is synced when all of them
    /// are, and its revision is the least of theirs.
    #[must_use]
    pub fn of_namespaces(namespaces: impl IntoIterator<Item = impl Into<Str>>) -> (Self, Vec<Writer<K>>) {
        Self::build(namespaces.into_iter().map(|namespace| Some(namespace.into())).collect(), None)
    }

    pub(crate) fn build(scopes: Vec<Option<Str>>, changes: Option<usize>) -> (Self, Vec<Writer<K>>) {
        let changes = changes.unwrap_or(LOG);
        let parts: Vec<_> = scopes
            .into_iter()
            .map(|namespace| Part {
                namespace,
                revision: Str::EMPTY,
                number: 0,
                synced: false,
                closed: false,
            })
            .collect();
        let count = parts.len();
        let state = State {
            table: Table::new(),
            parts,
            revision: Str::EMPTY,
            synced: false,
            closed: count == 0,
            indexes: Vec::new(),
            labels: Vec::new(),
        };
        let inner = Inner {
            state: RwLock::new(state),
            hub: Arc::new(Hub::new(changes, count == 0)),
            progress: Notify::new(),
            blocking: Mutex::default(),
            capacity: changes,
        };
        let store = Self { inner: Arc::new(inner) };
        let writers = (0..count).map(|part| Writer::new(store.clone(), part)).collect();
        (store, writers)
    }

    /// The object with this key.
    #[must_use]
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.find(key.namespace(), &key.name)
    }

    /// The object with this namespace (empty for an object of the cluster) and name.
    #[must_use]
    pub fn find(&self, namespace: &str, name: &str) -> Option<Arc<K>> {
        let state = self.inner.state.read();
        let table = &state.table;
        table.view().object(table.find(table.hash(namespace, name), namespace, name)?).cloned()
    }

    fn view(&self) -> View<K> {
        self.inner.state.read().table.view().clone()
    }

    /// All objects, in the order of their keys.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<K>> {
        let view = self.view();
        gather(&view, view.slots(), view.len())
    }

    /// The objects of a namespace, by name.
    #[must_use]
    pub fn list_in(&self, namespace: &str) -> Vec<Arc<K>> {
        let (view, slots) = {
            let state = self.inner.state.read();
            let view = state.table.view();
            let Some(slots) = state.table.slots_in(namespace) else { return Vec::new() };
            if slots.len() <= AT_ONCE {
                return gather(view, slots.iter(), slots.len());
            }
            (view.clone(), slots.clone())
        };
        gather(&view, slots.iter(), slots.len())
    }

    /// The objects, of a namespace or of all, that a label selector selects, in the order of their keys.
    ///
    /// Where the selector asks for values of a label that has an [index](Self::label_index), only the objects with those
    /// values are looked at.
    #[must_use]
    pub fn select(&self, namespace: Option<&str>, selector: &Selector) -> Vec<Arc<K>> {
        if selector.is_nothing() {
            return Vec::new();
        }
        let selected = |object: &Arc<K>| {
            let meta = object.meta();
            namespace.is_none_or(|namespace| meta.namespace == *namespace) && selector.matches(&meta.labels)
        };
        let (view, slots) = {
            let state = self.inner.state.read();
            let view = state.table.view();
            let all = namespace.map_or(view.len(), |namespace| view.len_in(namespace));
            let slots = state.candidates(selector, all);
            match (&slots, namespace) {
                (Some(slots), _) if slots.len() <= AT_ONCE => {
                    return those(view.objects(slots.iter().copied()), selected);
                }
                (None, Some(namespace)) if all <= AT_ONCE => {
                    return those(view.iter_in(namespace), selected);
                }
                _ => {}
            }
            (view.clone(), slots)
        };
        match (slots, namespace) {
            (Some(slots), _) => those(view.objects(slots.iter().copied()), selected),
            (None, Some(namespace)) => those(view.iter_in(namespace), selected),
            (None, None) => those(view.iter(), selected),
        }
    }

    /// The objects, of a namespace or of all, for which a condition holds, in the order of their keys.
    #[must_use]
    pub fn filter(&self, namespace: Option<&str>, condition: impl Fn(&K) -> bool) -> Vec<Arc<K>> {
        // Nothing is locked while the condition is asked.
        let view = self.view();
        match namespace {
            Some(namespace) => view.iter_in(namespace).filter(|object| condition(object)).cloned().collect(),
            None => view.iter().filter(|object| condition(object)).cloned().collect(),
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
        self.inner.state.read().table.view().len()
    }

    /// Whether there are no objects.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All objects at this moment. Copies nothing, and blocks nobody; the store copies the few entries around each
    /// object that changes while the snapshot is held (not the objects).
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<K> {
        let state = self.inner.state.read();
        Snapshot::new(state.table.view().clone(), state.revision.clone())
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
        self.index_with(move |object, values| values.push(value(object)))
    }

    /// An index by any number of values of each object. See [`Store::index`].
    #[must_use]
    pub fn index_many<V, I, F>(&self, values: F) -> Index<K, V>
    where
        V: Ord + Clone + Send + Sync + 'static,
        I: IntoIterator<Item = V>,
        F: Fn(&K) -> I + Send + Sync + 'static,
    {
        self.index_with(move |object, taken| taken.extend(values(object)))
    }

    fn index_with<V>(&self, values: impl Fn(&K, &mut Vec<V>) + Send + Sync + 'static) -> Index<K, V>
    where
        V: Ord + Clone + Send + Sync + 'static,
    {
        let mut state = self.inner.state.write();
        let index = Index::new(Arc::clone(&self.inner), state.table.view(), values);
        state.indexes.push(index.register());
        index
    }

    /// An index by the value of a label, for those objects that have it. As long as it exists, [`Store::select`] uses it
    /// for selectors that ask for values of that label.
    #[must_use]
    pub fn label_index(&self, label: impl Into<Str>) -> Index<K, Str> {
        let label = label.into();
        let of = label.clone();
        let index = self.index_many(move |object: &K| object.meta().labels.get(&of).cloned());
        let mut state = self.inner.state.write();
        state.labels.retain(|(_, index)| index.strong_count() > 0);
        state.labels.push((label, Arc::downgrade(&index.data)));
        index
    }

    /// The changes from now on, beginning with the objects there are now as `Added { initial: true }`. Once the objects
    /// that were there at the cache's start have all been told comes `Synced`.
    ///
    /// The objects there are now are looked at when they are told, and not copied for that.
    pub fn subscribe(&self) -> Subscription<K> {
        self.subscribe_with(Lag::default())
    }

    /// [`subscribe`](Self::subscribe) with a choice of what happens when the subscriber falls behind.
    pub fn subscribe_with(&self, lag: Lag) -> Subscription<K> {
        Subscription::new(self.inner.clone(), Arc::clone(&self.inner.hub), lag).begun()
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
        self.wait(|state| state.synced.then_some(true)).await
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
        let arrived = |state: &State<K>| match reached(&state.revision, revision) {
            Some(true) => Some(true),
            None => Some(false),
            Some(false) => None,
        };
        self.wait(arrived).await
    }

    /// Dropping the future is of no consequence.
    async fn wait(&self, answer: impl Fn(&State<K>) -> Option<bool>) -> bool {
        loop {
            // Asked to be woken before looking: no change in between is missed.
            let mut changed = std::pin::pin!(self.inner.progress.notified());
            changed.as_mut().enable();
            {
                let state = self.inner.state.read();
                if let Some(answer) = answer(&state) {
                    return answer;
                }
                if state.closed {
                    return false;
                }
            }
            changed.await;
        }
    }
}

/// `None` if that cannot be told.
fn reached(now: &str, wanted: &str) -> Option<bool> {
    if now.is_empty() {
        return Some(wanted.is_empty());
    }
    revision::compare(now, wanted).map(Ordering::is_ge)
}

/// The objects in some slots.
pub(crate) fn gather<K: Object>(view: &View<K>, slots: impl Iterator<Item = u32>, len: usize) -> Vec<Arc<K>> {
    let mut found = Vec::with_capacity(len);
    found.extend(view.objects(slots));
    // A clone waits for the object's count to come from memory, and the next clone for that; reads do not wait for each
    // other, so all counts are on their way before the first clone.
    let counts = found.iter().fold(0_usize, |sum, object| sum.wrapping_add(Arc::strong_count(object)));
    std::hint::black_box(counts);
    found.into_iter().cloned().collect()
}

/// Those objects that are selected by their labels.
fn those<'a, K: Object>(
    objects: impl Iterator<Item = &'a Arc<K>>,
    selected: impl Fn(&Arc<K>) -> bool,
) -> Vec<Arc<K>> {
    let (mut objects, mut found) = (objects.fuse(), Vec::new());
    let mut some = Vec::with_capacity(AHEAD.min(objects.size_hint().0.max(1)));
    loop {
        some.extend(objects.by_ref().take(AHEAD));
        if some.is_empty() {
            return found;
        }
        // As in `gather`: first the labels of some come from memory, then the first is looked at.
        let labels = some.iter().fold(0_usize, |sum, object| sum.wrapping_add(object.meta().labels.len()));
        std::hint::black_box(labels);
        found.extend(some.drain(..).filter(|object| selected(object)).cloned());
    }
}

/// Some values of the index of a label.
type Values<'a, K> = (Arc<index::Data<K, Str>>, &'a [Str]);

impl<K: Object> State<K> {
    /// The slots of the objects that can be selected, in the order of keys, if an index tells and they are fewer than
    /// `all`.
    fn candidates(&self, selector: &Selector, all: usize) -> Option<Vec<u32>> {
        let mut best: Option<(usize, Values<'_, K>)> = None;
        for requirement in selector.requirements() {
            if !matches!(requirement.operator(), Operator::Equals | Operator::DoubleEquals | Operator::In) {
                continue;
            }
            let index = self.labels.iter().find(|(label, _)| label == requirement.key());
            if let Some(index) = index.and_then(|(_, index)| index.upgrade()) {
                let count = requirement.values().iter().map(|value| index.count(value)).sum();
                if best.as_ref().map_or(all, |(best, _)| *best) > count {
                    best = Some((count, (index, requirement.values())));
                }
            }
        }
        let (count, (index, values)) = best?;
        let mut slots = Vec::with_capacity(count);
        values.iter().for_each(|value| index.slots(value, &mut slots));
        if values.len() > 1 {
            slots.sort_by_key(|slot| self.table.view().key(*slot));
            slots.dedup();
        }
        Some(slots)
    }
}

impl<K: Object> Origin<K> for Inner<K> {
    fn look(&self, at: &mut dyn FnMut(Base<K>, bool)) {
        let state = self.state.read();
        at(Base::All(state.table.view().clone()), state.synced);
    }
}

impl<K> Clone for Store<K> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<K> fmt::Debug for Store<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.inner.state.read();
        f.debug_struct("Store")
            .field("objects", &state.table.view().len())
            .field("revision", &state.revision)
            .field("synced", &state.synced)
            .finish_non_exhaustive()
    }
}
