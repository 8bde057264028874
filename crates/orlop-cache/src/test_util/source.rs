use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use futures::{StreamExt, stream};
use orlop_client::{
    Client, DeleteOptions, Deleted, Draft, Error, GetOptions, ListOptions, Patch, Record, RecordList,
    ResourceVersionMatch, Result, Subresource, WatchEvent, WatchOptions, WatchStream, WriteOptions,
};
use orlop_clock::Random;
use orlop_model::selector::Selector;
use orlop_model::{KindInfo, Object, ObjectKey};
use parking_lot::Mutex;
use tokio::sync::watch;

/// An API server as far as informers are concerned, with the objects of one kind, whose whole history is known and
/// written by a test. As a [`Client`] it lists, watches (with initial events too) and gets; label selectors count, field
/// selectors do not.
///
/// ```
/// # use std::sync::{Arc, Weak};
/// # use orlop_cache::{Informer, test_util::Source};
/// # use orlop_client::{Api, Client};
/// # use orlop_clock::Random;
/// # use orlop_model::core::v1::ConfigMap;
/// # use tokio_util::sync::CancellationToken;
/// # async fn example() {
/// let source = Source::<ConfigMap>::new(Random::new(7));
/// let client: Arc<dyn Client> = source.clone();
/// let informer = Informer::builder(Api::<ConfigMap>::all(client)).build();
/// let maps = informer.store().clone();
/// let running = informer.spawn(CancellationToken::new());
///
/// let mut map = ConfigMap::default();
/// map.metadata.namespace = "default".into();
/// map.metadata.name = "settings".into();
/// let map = source.put(map);
/// source.compact(); // whoever has not seen it has to list
/// assert!(maps.wait_for(&map.metadata.resource_version).await);
/// running.stop().await;
/// # }
/// ```
pub struct Source<K> {
    this: Weak<Self>,
    world: Mutex<World<K>>,
    /// Revision and number of restarts, for the watches.
    now: watch::Sender<(usize, u64)>,
    random: Random,
}

/// The revision before anything has happened. ("0" would be any.)
const FIRST: usize = 1;

type Objects<K> = BTreeMap<ObjectKey, Arc<K>>;

struct World<K> {
    objects: Objects<K>,
    /// What happened at each revision from 2 on: the object as it was before, and the event.
    events: Vec<(Option<Arc<K>>, WatchEvent<K>)>,
    /// The oldest revision that can be watched from or listed.
    compacted: usize,
    uids: u64,
    /// The share of lists from the cache that are older than they could be.
    lagging: f64,
    asked: Vec<String>,
}

impl<K: Object> Source<K> {
    /// No objects, at revision 1.
    #[must_use]
    pub fn new(random: Random) -> Arc<Self> {
        let world = World {
            objects: Objects::new(),
            events: Vec::new(),
            compacted: FIRST,
            uids: 0,
            lagging: 0.0,
            asked: Vec::new(),
        };
        Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            world: Mutex::new(world),
            now: watch::Sender::new((FIRST, 0)),
            random,
        })
    }

    /// The latest revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.now.borrow().0 as u64
    }

    /// The objects there are, in the order of their keys.
    #[must_use]
    pub fn objects(&self) -> Vec<Arc<K>> {
        self.world.lock().objects.values().cloned().collect()
    }

    /// The object with this key.
    #[must_use]
    pub fn find(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.world.lock().objects.get(key).cloned()
    }

    /// Creates an object, or puts it in the place of the one with its key. Answers it with its uid and resourceVersion.
    pub fn put(&self, mut object: K) -> Arc<K> {
        let mut world = self.world.lock();
        let held = world.objects.get(&object.key()).cloned();
        match &held {
            Some(held) => object.meta_mut().uid = held.meta().uid.clone(),
            None => {
                world.uids += 1;
                object.meta_mut().uid = format!("uid-{}", world.uids).into();
            }
        }
        let revision = world.revision() + 1;
        object.meta_mut().resource_version = revision.to_string().into();
        let object = Arc::new(object);
        world.objects.insert(object.key(), Arc::clone(&object));
        let event = match held {
            Some(_) => WatchEvent::Modified(Arc::clone(&object)),
            None => WatchEvent::Added(Arc::clone(&object)),
        };
        world.events.push((held, event));
        drop(world);
        self.now.send_modify(|(now, _)| *now = revision);
        object
    }

    /// Deletes an object. Answers its last state, with the resourceVersion of the deletion.
    pub fn delete(&self, key: &ObjectKey) -> Option<Arc<K>> {
        let mut world = self.world.lock();
        let held = world.objects.remove(key)?;
        let revision = world.revision() + 1;
        let mut object = K::clone(&held);
        object.meta_mut().resource_version = revision.to_string().into();
        let object = Arc::new(object);
        world.events.push((Some(held), WatchEvent::Deleted(Arc::clone(&object))));
        drop(world);
        self.now.send_modify(|(now, _)| *now = revision);
        Some(object)
    }

    /// Forgets how the present came to be: who has not yet seen it gets [`Error::Expired`].
    pub fn compact(&self) {
        let mut world = self.world.lock();
        world.compacted = world.revision();
        // A watch that is open and has fallen behind may not go on either.
        self.now.send_modify(|_| {});
    }

    /// Ends all watches, as a server does that is started anew.
    pub fn restart(&self) {
        self.now.send_modify(|(_, restarts)| *restarts += 1);
    }

    /// The share of lists that come older than asked for, as from a server that lags behind. They are wrong: it was
    /// asked for a state that is not older.
    pub fn lag(&self, share: f64) {
        self.world.lock().lagging = share;
    }

    /// What was asked so far: `list "0" limit 500`, `watch "7"`, `stream ""`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.world.lock().asked.clone()
    }

    /// The next thing that a watch at `at` brings.
    async fn next(self: Arc<Self>, mut watch: Open<K>) -> Option<(Result<WatchEvent>, Open<K>)> {
        loop {
            if watch.over {
                return None;
            }
            if let Some(event) = watch.pending.pop() {
                return Some((Ok(event), watch));
            }
            if watch.now.borrow_and_update().1 != watch.restarts {
                return None;
            }
            {
                let world = self.world.lock();
                if watch.at < world.compacted {
                    watch.over = true;
                    return Some((Err(too_old(watch.at, world.compacted)), watch));
                }
                if let Some((before, event)) = world.events.get(watch.at.saturating_sub(FIRST)) {
                    watch.at += 1;
                    if let Some(event) = watch.scope.seen(before.as_ref(), event) {
                        return Some((Ok(record(event)), watch));
                    }
                    continue;
                }
            }
            watch.now.changed().await.ok()?;
        }
    }
}

impl<K: Object> World<K> {
    fn revision(&self) -> usize {
        FIRST + self.events.len()
    }

    /// The objects at a revision.
    fn at(&self, revision: usize) -> Objects<K> {
        if revision >= self.revision() {
            return self.objects.clone();
        }
        let mut objects = Objects::new();
        for (_, event) in self.events.iter().take(revision.saturating_sub(FIRST)) {
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    objects.insert(object.key(), Arc::clone(object));
                }
                WatchEvent::Deleted(object) => drop(objects.remove(&object.key())),
                WatchEvent::Bookmark { .. } => {}
            }
        }
        objects
    }
}

/// A watch that is open.
struct Open<K> {
    scope: Scope<K>,
    at: usize,
    /// In the opposite order.
    pending: Vec<WatchEvent>,
    now: watch::Receiver<(usize, u64)>,
    restarts: u64,
    over: bool,
}

struct Scope<K> {
    namespace: Option<String>,
    labels: Selector,
    object: std::marker::PhantomData<fn() -> K>,
}

impl<K: Object> Scope<K> {
    fn new(namespace: Option<&str>, labels: &str) -> Result<Self> {
        let labels = Selector::parse(labels).map_err(|error| Error::bad_request(error.to_string()))?;
        Ok(Self { namespace: namespace.map(str::to_owned), labels, object: std::marker::PhantomData })
    }

    fn covers(&self, object: &K) -> bool {
        let meta = object.meta();
        self.namespace.as_deref().is_none_or(|namespace| meta.namespace == *namespace)
            && self.labels.matches(&meta.labels)
    }

    /// The event as a watch with this scope sees it.
    fn seen(&self, before: Option<&Arc<K>>, event: &WatchEvent<K>) -> Option<WatchEvent<K>> {
        let was = before.is_some_and(|before| self.covers(before));
        let object = event.object()?;
        let is = !matches!(event, WatchEvent::Deleted(_)) && self.covers(object);
        match (was, is) {
            (false, false) => None,
            (false, true) => Some(WatchEvent::Added(Arc::clone(object))),
            (true, true) => Some(WatchEvent::Modified(Arc::clone(object))),
            (true, false) => {
                // Its last state in the scope, with the revision of the change.
                let mut last = before.map_or_else(|| K::clone(object), |before| K::clone(before));
                last.meta_mut().resource_version = object.meta().resource_version.clone();
                Some(WatchEvent::Deleted(Arc::new(last)))
            }
        }
    }
}

fn record<K: Object>(event: WatchEvent<K>) -> WatchEvent {
    match event {
        WatchEvent::Added(object) => WatchEvent::Added(Arc::new(Record::new(object))),
        WatchEvent::Modified(object) => WatchEvent::Modified(Arc::new(Record::new(object))),
        WatchEvent::Deleted(object) => WatchEvent::Deleted(Arc::new(Record::new(object))),
        WatchEvent::Bookmark { resource_version, initial_events_end } => {
            WatchEvent::Bookmark { resource_version, initial_events_end }
        }
    }
}

fn too_old(wanted: usize, oldest: usize) -> Error {
    Error::expired(format!("too old resource version: {wanted} ({oldest})"))
}

fn parsed(version: &str) -> Result<usize> {
    version.parse().map_err(|_| Error::bad_request(format!("invalid resource version {version:?}")))
}

#[async_trait]
impl<K: Object> Client for Source<K> {
    async fn list(&self, _: &KindInfo, namespace: Option<&str>, options: &ListOptions) -> Result<RecordList> {
        let ListOptions { resource_version, limit, continue_, match_, labels, .. } = options;
        let scope = Scope::<K>::new(namespace, labels)?;
        let mut world = self.world.lock();
        world.asked.push(format!("list {resource_version:?} limit {limit}"));
        let latest = world.revision();
        let (at, offset) = match continue_.split_once(':') {
            Some((at, offset)) => (parsed(at)?, parsed(offset)?),
            None => {
                let oldest = match (resource_version.as_str(), match_) {
                    ("", _) => latest,
                    ("0", _) => world.compacted,
                    (version, Some(ResourceVersionMatch::NotOlderThan)) => parsed(version)?,
                    (version, match_) => {
                        return Err(Error::bad_request(format!("{version:?} with {match_:?}")));
                    }
                };
                if oldest > latest {
                    let (wanted, current) = (oldest.to_string().into(), latest.to_string().into());
                    return Err(Error::TooLargeResourceVersion { wanted, current });
                }
                let lags = !resource_version.is_empty() && self.random.chance(world.lagging);
                let oldest = if lags { oldest.saturating_sub(3).max(FIRST) } else { oldest };
                (self.random.range(oldest as u64..=latest as u64) as usize, 0)
            }
        };
        if !continue_.is_empty() && at < world.compacted {
            return Err(Error::expired("the provided continue parameter is too old"));
        }
        let all: Vec<_> = world.at(at).into_values().filter(|object| scope.covers(object)).collect();
        let limit = if *limit == 0 { usize::MAX } else { *limit };
        let page = all.iter().skip(offset).take(limit);
        let items = page.map(|object| Arc::new(Record::new(object))).collect();
        let end = offset.saturating_add(limit);
        let continue_ = if end < all.len() { format!("{at}:{end}") } else { String::new() };
        Ok(RecordList { items, resource_version: at.to_string().into(), continue_, remaining: None })
    }

    async fn watch(
        &self,
        _: &KindInfo,
        namespace: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream> {
        let WatchOptions { resource_version, initial_events, bookmarks, labels, .. } = options;
        let scope = Scope::<K>::new(namespace, labels)?;
        let mut world = self.world.lock();
        let what = if *initial_events { "stream" } else { "watch" };
        world.asked.push(format!("{what} {resource_version:?}"));
        let latest = world.revision();
        let from = if resource_version.is_empty() { 0 } else { parsed(resource_version)? };
        let mut pending = Vec::new();
        let mut at = from;
        if from > latest {
            let (wanted, current) = (from.to_string().into(), latest.to_string().into());
            return Err(Error::TooLargeResourceVersion { wanted, current });
        }
        if *initial_events || from == 0 {
            at = latest;
            pending.extend(world.at(at).into_values().filter(|object| scope.covers(object)));
            // They are in no order.
            self.random.shuffle(&mut pending);
        }
        let mut pending: Vec<_> =
            pending.into_iter().map(|object| record(WatchEvent::Added(object))).collect();
        if *initial_events && *bookmarks {
            let resource_version = at.to_string().into();
            pending.insert(0, WatchEvent::Bookmark { resource_version, initial_events_end: true });
        }
        drop(world);
        let mut now = self.now.subscribe();
        let restarts = now.borrow_and_update().1;
        let open = Open { scope, at, pending, now, restarts, over: false };
        let source = Weak::clone(&self.this);
        let next = move |open| {
            let source = source.upgrade();
            async move { source?.next(open).await }
        };
        Ok(stream::unfold(open, next).boxed())
    }

    async fn get(&self, kind: &KindInfo, key: &ObjectKey, _: &GetOptions) -> Result<Arc<Record>> {
        let found = self.find(key).ok_or_else(|| Error::not_found(kind, key))?;
        Ok(Arc::new(Record::new(found)))
    }

    async fn create(&self, _: &KindInfo, _: Option<&str>, _: Draft, _: &WriteOptions) -> Result<Arc<Record>> {
        Err(Error::unsupported("a source is written by Source::put"))
    }

    async fn update(
        &self,
        _: &KindInfo,
        _: &ObjectKey,
        _: Subresource,
        _: Draft,
        _: &WriteOptions,
    ) -> Result<Arc<Record>> {
        Err(Error::unsupported("a source is written by Source::put"))
    }

    async fn patch(
        &self,
        _: &KindInfo,
        _: &ObjectKey,
        _: Subresource,
        _: Patch,
        _: &WriteOptions,
    ) -> Result<Arc<Record>> {
        Err(Error::unsupported("a source is written by Source::put"))
    }

    async fn post(
        &self,
        _: &KindInfo,
        _: &ObjectKey,
        _: Subresource,
        _: Draft,
        _: &WriteOptions,
    ) -> Result<Option<Arc<Record>>> {
        Err(Error::unsupported("a source is written by Source::put"))
    }

    async fn delete(&self, _: &KindInfo, _: &ObjectKey, _: &DeleteOptions) -> Result<Deleted> {
        Err(Error::unsupported("a source is written by Source::delete"))
    }
}

impl<K: Object> fmt::Debug for Source<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("revision", &self.revision()).finish_non_exhaustive()
    }
}
