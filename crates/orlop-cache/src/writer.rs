use std::fmt;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use futures::future::select_all;
use orlop_model::{Object, ObjectKey, ObjectMeta, Str};
use parking_lot::MutexGuard;
use tokio::time::Instant;

use crate::hub::{Base, Hub, Log};
use crate::index::Indexed;
use crate::store::State;
use crate::subscription::Origin;
use crate::table::{AHEAD, Table, look_at};
use crate::{Delta, Store, revision};

/// The end by which a [`Store`] is fed; there is one, or one for each namespace of a store of
/// [some namespaces](Store::of_namespaces). When the last is dropped the store stops: what it holds can still be read,
/// but nothing changes any more.
pub struct Writer<K: Object> {
    store: Store<K>,
    part: usize,
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

/// A list of what there is, on its way into a store: see [`Writer::relist`].
///
/// Objects that the store holds in the same state are dropped as they come; so a list of what is mostly known takes
/// little memory beside the store's.
pub struct Relist<'a, K: Object> {
    writer: &'a mut Writer<K>,
    /// A bit for each slot whose object was listed in the state that is held.
    same: Vec<u64>,
    changes: Vec<Listed<K>>,
}

/// What a list tells, with what was found out about it when it came: by then nothing else is locked, and by the end of a
/// long list the object has left the processor's cache.
enum Listed<K> {
    Put {
        object: Arc<K>,
        /// Of its key.
        hash: u32,
        /// Its resourceVersion as a number.
        number: u64,
    },
    Delete {
        object: Arc<K>,
        /// Of its key.
        hash: u32,
    },
}

impl<K: Object> Writer<K> {
    pub(crate) const fn new(store: Store<K>, part: usize) -> Self {
        Self { store, part }
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &Store<K> {
        &self.store
    }

    /// The resourceVersion up to which this writer has fed the store; empty before the first list.
    #[must_use]
    pub fn revision(&self) -> Str {
        let state = self.store.inner.state.read();
        state.parts.get(self.part).map_or(Str::EMPTY, |part| part.revision.clone())
    }

    /// Begins to take in a list. Nothing changes before it is [committed](Relist::commit); dropped, it leaves no trace.
    #[must_use]
    pub const fn relist(&mut self) -> Relist<'_, K> {
        Relist { writer: self, same: Vec::new(), changes: Vec::new() }
    }

    /// Makes the store hold exactly these objects, as they were at `revision`: a [`Relist`] of one page.
    pub fn replace(&mut self, objects: Vec<Arc<K>>, revision: impl Into<Str>) {
        let mut relist = self.relist();
        relist.page(objects);
        relist.commit(revision);
    }

    /// Applies changes in order, all of them before anybody can look. What the store knows already is passed over, so
    /// that a source may repeat itself.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change<K>>) {
        let part = self.part;
        self.batch(|batch| batch.apply_all(part, changes.into_iter()));
    }

    /// Waits as long as subscribers want it who are behind: see [`Lag::Block`](crate::Lag::Block). To be awaited before
    /// each [`apply`](Self::apply); who does not, blocks for nobody.
    pub async fn room(&self) {
        let inner = &self.store.inner;
        if !inner.hub.log().may_block() && inner.blocking.lock().is_empty() {
            return;
        }
        let began = Instant::now();
        loop {
            let mut hubs = vec![(Arc::clone(&inner.hub), inner.clone() as Arc<dyn Origin<K>>)];
            inner.blocking.lock().retain(|(hub, origin)| {
                let hub = hub.upgrade().zip(origin.upgrade());
                hub.map(|hub| hubs.push(hub)).is_some()
            });
            let mut taken: Vec<_> = hubs.iter().map(|(hub, _)| Box::pin(hub.taken().notified())).collect();
            for taken in &mut taken {
                // Asked to be told before looking: nothing in between is missed.
                let _: bool = taken.as_mut().enable();
            }
            let waited = began.elapsed();
            let wait = hubs.iter().filter_map(|(hub, origin)| pressure(hub, &**origin, waited)).max();
            let Some(wait) = wait else { return };
            drop(tokio::time::timeout(wait, select_all(taken)).await);
        }
    }

    fn batch(&mut self, f: impl FnOnce(&mut Batch<'_, K>)) {
        let inner = &self.store.inner;
        let mut wakers = Vec::new();
        let dropped = {
            let mut state = inner.state.write();
            let state = &mut *state;
            let mut indexes = Vec::new();
            state.indexes.retain(|index| match index.upgrade() {
                Some(index) => {
                    indexes.push(index);
                    true
                }
                None => false,
            });
            let mut batch = Batch { log: inner.hub.log(), state, indexes, dropped: Vec::new() };
            f(&mut batch);
            batch.finish(&mut wakers)
        };
        inner.progress.notify_waiters();
        wakers.into_iter().for_each(Waker::wake);
        // Here nobody has to wait for it.
        drop(dropped);
    }
}

/// How long the writer has to wait for the subscribers of a hub.
fn pressure<K>(hub: &Hub<K>, origin: &dyn Origin<K>, waited: Duration) -> Option<Duration> {
    let first = hub.log().pressure(waited, None);
    if first.is_some_and(|wait| wait.is_zero()) {
        let mut wait = None;
        origin.look(&mut |now, _| wait = hub.log().pressure(waited, Some(&now)));
        return wait;
    }
    first
}

impl<K: Object> Drop for Writer<K> {
    fn drop(&mut self) {
        let part = self.part;
        self.batch(|batch| {
            if let Some(part) = batch.state.parts.get_mut(part) {
                part.closed = true;
            }
            if batch.state.parts.iter().all(|part| part.closed) {
                batch.state.closed = true;
                batch.log.close();
            }
        });
        if self.store.inner.state.read().closed {
            let indexes: Vec<_> = {
                let state = self.store.inner.state.read();
                state.indexes.iter().filter_map(|index| index.upgrade()).collect()
            };
            let mut wakers = Vec::new();
            indexes.iter().for_each(|index| index.close(&mut wakers));
            wakers.into_iter().for_each(Waker::wake);
        }
    }
}

/// Changes that become visible together.
struct Batch<'a, K: Object> {
    state: &'a mut State<K>,
    log: MutexGuard<'a, Log<K>>,
    indexes: Vec<Arc<dyn Indexed<K>>>,
    /// States that nobody needs any more, to be dropped when nothing is locked.
    dropped: Vec<Arc<K>>,
}

impl<K: Object> Batch<'_, K> {
    fn apply_all(&mut self, part: usize, mut changes: impl Iterator<Item = Change<K>>) {
        let mut some = Vec::with_capacity(AHEAD.min(changes.size_hint().0.max(1)));
        loop {
            let table = &self.state.table;
            some.extend(changes.by_ref().take(AHEAD).map(|change| (change.hash(table), change)));
            match &*some {
                [] => return,
                [_] => {}
                several => table.look_up(several.iter().map(|(hash, _)| *hash)),
            }
            some.drain(..).for_each(|(hash, change)| self.apply(part, change, hash));
        }
    }

    /// Applies a change whose object's key has this hash.
    fn apply(&mut self, part: usize, change: Change<K>, hash: u32) {
        let version = match &change {
            Change::Put(object) | Change::Delete(object) => &object.meta().resource_version,
            Change::Bookmark(version) => version,
        };
        let number = revision::number(version);
        if self.state.parts.get(part).is_none_or(|part| number != 0 && number < part.number) {
            return;
        }
        let version = version.clone();
        match change {
            Change::Put(object) => self.put(object, hash, number, true),
            Change::Delete(object) => self.delete_exact(object, hash),
            Change::Bookmark(_) => {}
        }
        if !version.is_empty() {
            self.came_to(part, version, number);
        }
    }

    fn came_to(&mut self, part: usize, version: Str, number: u64) {
        if let [part] = &mut *self.state.parts {
            self.state.revision = version.clone();
            (part.revision, part.number) = (version, number);
            return;
        }
        if let Some(part) = self.state.parts.get_mut(part) {
            (part.revision, part.number) = (version, number);
        }
        let least = |a: &Str, b: &Str| a.is_empty() || (!b.is_empty() && revision::is_before(a, b));
        let revisions = self.state.parts.iter().map(|part| &part.revision);
        if let Some(revision) = revisions.reduce(|a, b| if least(a, b) { a } else { b }) {
            self.state.revision = revision.clone();
        }
    }

    /// Puts an object's state. If it is to be `later`, one that is no later than the one that is held is passed over.
    fn put(&mut self, object: Arc<K>, hash: u32, number: u64, later: bool) {
        let meta = object.meta();
        let table = &mut self.state.table;
        if let Some(slot) = table.find(hash, &meta.namespace, &meta.name)
            && let Some(entry) = table.view().entry(slot)
        {
            let held = entry.object.meta();
            if held.uid != meta.uid {
                // What became of the one that is held was missed.
                let last = Arc::clone(&entry.object);
                if later
                    && is_known((entry.revision, &held.resource_version), (number, &meta.resource_version))
                {
                    self.dropped.push(object);
                    return;
                }
                self.delete(slot, last, false);
            } else if later
                && is_known((entry.revision, &held.resource_version), (number, &meta.resource_version))
            {
                self.dropped.push(object);
                return;
            } else {
                self.replace(slot, object, number);
                return;
            }
        }
        if !self.log.is_followed() && self.indexes.is_empty() {
            self.state.table.insert(hash, object, number);
            return;
        }
        let slot = self.state.table.insert(hash, Arc::clone(&object), number);
        self.tell(slot, None, Delta::Added { object, initial: !self.state.synced });
    }

    fn replace(&mut self, slot: u32, object: Arc<K>, number: u64) {
        let table = &mut self.state.table;
        if !self.log.is_followed() && self.indexes.is_empty() {
            self.dropped.extend(table.replace(slot, object, number));
        } else if let Some(old) = table.replace(slot, Arc::clone(&object), number) {
            self.tell(slot, Some(&Arc::clone(&old)), Delta::Modified { old, new: object });
        }
    }

    /// A deletion that was not missed, of an object whose key has this hash.
    fn delete_exact(&mut self, object: Arc<K>, hash: u32) {
        let meta = object.meta();
        let Some(slot) = self.state.table.find(hash, &meta.namespace, &meta.name) else { return };
        if let Some(held) = self.state.table.view().object(slot) {
            // If it is another object of the same name, what became of the one that is held was missed.
            let exact = held.meta().uid == meta.uid;
            let last = if exact { object } else { Arc::clone(held) };
            self.delete(slot, last, exact);
        }
    }

    fn delete(&mut self, slot: u32, last: Arc<K>, exact: bool) {
        let delta = Delta::Deleted { last, exact };
        if let Some(held) = self.state.table.view().object(slot).cloned() {
            self.indexes(slot, Some(&held), &delta);
            self.dropped.push(held);
        }
        self.dropped.extend(self.state.table.remove(slot));
        self.log(delta);
    }

    fn tell(&mut self, slot: u32, held: Option<&K>, delta: Delta<K>) {
        self.indexes(slot, held, &delta);
        self.log(delta);
    }

    fn indexes(&self, slot: u32, held: Option<&K>, delta: &Delta<K>) {
        self.indexes.iter().for_each(|index| index.apply(self.state.table.view(), slot, held, delta));
    }

    fn log(&mut self, delta: Delta<K>) {
        if self.log.is_followed() {
            self.log.push(delta, || Base::All(self.state.table.view().clone()));
        } else if let Delta::Modified { old, .. } | Delta::Deleted { last: old, .. } = delta {
            self.dropped.push(old);
        }
    }

    fn synced(&mut self, part: usize) {
        if let Some(part) = self.state.parts.get_mut(part) {
            part.synced = true;
        }
        if !self.state.synced && self.state.parts.iter().all(|part| part.synced) {
            self.state.synced = true;
            self.indexes.iter().for_each(|index| index.synced(self.state.table.view()));
            self.log(Delta::Synced);
        }
    }

    fn finish(mut self, wakers: &mut Vec<Waker>) -> impl Sized + use<K> {
        self.state.table.settle();
        self.indexes.iter().for_each(|index| index.settle(self.state.table.view(), wakers));
        self.log.wake(wakers);
        // An index that was let go meanwhile is dropped where nothing is locked.
        (self.dropped, self.indexes)
    }
}

/// Whether a state is no later than the one that is held: their resourceVersions as numbers and as they are.
fn is_known(held: (u64, &str), state: (u64, &str)) -> bool {
    match (held.0, state.0) {
        (0, _) | (_, 0) => held.1 == state.1,
        (held, state) => state <= held,
    }
}

impl<K: Object> Relist<'_, K> {
    /// Begins anew.
    pub fn clear(&mut self) {
        self.same.clear();
        drop(std::mem::take(&mut self.changes));
    }

    /// Takes in an object of which no more than the metadata is at hand, if the store holds it in that state. If it does
    /// not, the answer is `false`, and the object has to come by [`Relist::page`].
    pub fn knows(&mut self, meta: &ObjectMeta) -> bool {
        let state = self.writer.store.inner.state.read();
        let hash = state.table.hash(&meta.namespace, &meta.name);
        let Some(slot) = state.table.find(hash, &meta.namespace, &meta.name) else { return false };
        let held = state.table.view().object(slot).map(|held| held.meta());
        let knows = held.is_some_and(|held| same(held, meta));
        if knows {
            mark(&mut self.same, slot);
        }
        knows
    }

    /// Takes in an object of which nothing but the key can be read: it stays as it is held, if it is.
    pub fn keep(&mut self, key: &ObjectKey) {
        let state = self.writer.store.inner.state.read();
        let hash = state.table.hash(key.namespace(), &key.name);
        if let Some(slot) = state.table.find(hash, key.namespace(), &key.name) {
            mark(&mut self.same, slot);
        }
    }

    /// Takes in some of the objects.
    pub fn page(&mut self, objects: impl IntoIterator<Item = Arc<K>>) {
        let mut objects = objects.into_iter();
        let mut dropped = Vec::new();
        {
            let state = self.writer.store.inner.state.read();
            let table = &state.table;
            let first = table.view().len() == 0;
            self.changes.reserve(if first { objects.size_hint().0 } else { 0 });
            let mut some = Vec::with_capacity(AHEAD.min(objects.size_hint().0));
            loop {
                some.extend(objects.by_ref().take(AHEAD));
                if some.is_empty() {
                    break;
                }
                look_at(some.iter());
                for object in some.drain(..) {
                    let meta = object.meta();
                    let hash = table.hash(&meta.namespace, &meta.name);
                    let slot = if first { None } else { table.find(hash, &meta.namespace, &meta.name) };
                    let held = slot.and_then(|slot| table.view().object(slot));
                    let same =
                        held.is_some_and(|held| Arc::ptr_eq(held, &object) || self::same(held.meta(), meta));
                    match slot.filter(|_| same) {
                        Some(slot) => {
                            mark(&mut self.same, slot);
                            dropped.push(object);
                        }
                        None => {
                            let number = revision::number(&meta.resource_version);
                            self.changes.push(Listed::Put { object, hash, number });
                        }
                    }
                }
            }
        }
        drop(dropped);
    }

    /// Takes in what a streaming list tells before its end: objects that are there, and what happens to them meanwhile.
    pub fn change(&mut self, change: Change<K>) {
        match change {
            Change::Put(object) => self.page([object]),
            change @ Change::Delete(_) => {
                let hash = change.hash(&self.writer.store.inner.state.read().table);
                if let Change::Delete(object) = change {
                    self.changes.push(Listed::Delete { object, hash });
                }
            }
            Change::Bookmark(_) => {}
        }
    }

    /// How many objects and changes were taken in that the store does not hold.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.changes.len()
    }

    /// Makes the store hold exactly what was taken in, as it was at `revision`, in one step. Only what differs is told:
    /// an object that is missing was deleted unseen. Deletions come first.
    pub fn commit(self, revision: impl Into<Str>) {
        let Self { writer, mut same, changes } = self;
        let part = writer.part;
        writer.batch(|batch| {
            let state = &mut *batch.state;
            let view = state.table.view();
            let known = if view.len() == 0 { &[] } else { &*changes };
            for change in known {
                let (Listed::Put { object, hash, .. } | Listed::Delete { object, hash }) = change;
                let meta = object.meta();
                if let Some(slot) = state.table.find(*hash, &meta.namespace, &meta.name) {
                    mark(&mut same, slot);
                }
            }
            let scope = state.parts.get(part).and_then(|part| part.namespace.clone());
            let there = scope.as_ref().map_or(view.len(), |namespace| view.len_in(namespace));
            let marked: usize = same.iter().map(|bits| bits.count_ones() as usize).sum();
            let missing: Vec<u32> = match &scope {
                _ if marked == there => Vec::new(),
                None => view.slots().filter(|slot| !is_marked(&same, *slot)).collect(),
                Some(namespace) => view.slots_in(namespace).filter(|slot| !is_marked(&same, *slot)).collect(),
            };
            if missing.len() + changes.len() > batch.log.capacity() {
                let now = Base::All(batch.state.table.view().clone());
                batch.log.skip(&now);
            }
            batch.state.table.reserve(changes.len());
            for slot in missing {
                if let Some(last) = batch.state.table.view().object(slot).cloned() {
                    batch.delete(slot, last, false);
                }
            }
            let mut changes = changes.into_iter();
            while changes.len() > 0 {
                look_at(changes.as_slice().iter().take(AHEAD).map(Listed::object));
                for change in changes.by_ref().take(AHEAD) {
                    match change {
                        // The list counts, whatever its resourceVersions say.
                        Listed::Put { object, hash, number } => batch.put(object, hash, number, false),
                        Listed::Delete { object, hash } => batch.delete_exact(object, hash),
                    }
                }
            }
            let revision = revision.into();
            let number = revision::number(&revision);
            batch.came_to(part, revision, number);
            batch.synced(part);
        });
    }
}

impl<K: Object> Change<K> {
    /// The hash of the object's key in this table, if there is an object.
    fn hash(&self, table: &Table<K>) -> u32 {
        match self {
            Self::Put(object) | Self::Delete(object) => {
                let meta = object.meta();
                table.hash(&meta.namespace, &meta.name)
            }
            Self::Bookmark(_) => 0,
        }
    }
}

impl<K> Listed<K> {
    const fn object(&self) -> &Arc<K> {
        match self {
            Self::Put { object, .. } | Self::Delete { object, .. } => object,
        }
    }
}

/// Whether they are of one state of one object.
fn same(a: &ObjectMeta, b: &ObjectMeta) -> bool {
    a.uid == b.uid && a.resource_version == b.resource_version
}

fn mark(bits: &mut Vec<u64>, slot: u32) {
    let word = slot as usize / 64;
    if bits.len() <= word {
        bits.resize(word + 1, 0);
    }
    bits[word] |= 1 << (slot % 64);
}

fn is_marked(bits: &[u64], slot: u32) -> bool {
    bits.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
}

impl<K: Object> fmt::Debug for Writer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("store", &self.store).field("part", &self.part).finish()
    }
}

impl<K: Object> fmt::Debug for Relist<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relist").field("changes", &self.changes.len()).finish_non_exhaustive()
    }
}

impl<K: Object> fmt::Debug for Change<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |object: &K| -> (ObjectKey, Str) { (object.key(), object.meta().resource_version.clone()) };
        match self {
            Self::Put(object) => write!(f, "Put({}@{})", of(object).0, of(object).1),
            Self::Delete(object) => write!(f, "Delete({}@{})", of(object).0, of(object).1),
            Self::Bookmark(version) => write!(f, "Bookmark({version})"),
        }
    }
}
