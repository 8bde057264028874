//! Informers on a source that does everything a source can do wrong, and the store's promises to its readers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt, stream};
use orlop_cache::{Change, Delta, Informer, Store, Subscription};
use orlop_client::{
    Api, Client, DeleteOptions, Deleted, Draft, Error, GetOptions, ListOptions, Patch, Record, RecordList,
    ResourceVersionMatch, Result, Subresource, WatchEvent, WatchOptions, WatchStream, WriteOptions,
};
use orlop_clock::Random;
use orlop_model::core::v1::ConfigMap;
use orlop_model::{KindInfo, Object, ObjectKey, Str};
use parking_lot::Mutex;
use proptest::prelude::*;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

// ── A source with faults ───────────────────────────────────────────────────────────────────────────────────────────

type Objects = BTreeMap<ObjectKey, Arc<ConfigMap>>;

struct Source {
    world: Mutex<World>,
    revision: watch::Sender<u64>,
    random: Random,
}

#[derive(Default)]
struct World {
    /// The state after each revision, from 0 on.
    states: Vec<Objects>,
    /// The event of each revision from 1 on.
    events: Vec<WatchEvent<ConfigMap>>,
    compacted: usize,
    faulty: bool,
    uids: u64,
    /// What was asked, for tests of the protocol.
    asked: Vec<String>,
}

impl Source {
    fn new(seed: u64) -> Arc<Self> {
        let world = World { states: vec![Objects::new()], ..World::default() };
        Arc::new(Self {
            world: Mutex::new(world),
            revision: watch::Sender::new(0),
            random: Random::new(seed),
        })
    }

    fn now(&self) -> usize {
        self.world.lock().events.len()
    }

    fn objects(&self) -> Objects {
        self.world.lock().states.last().cloned().unwrap_or_default()
    }

    fn put(&self, name: &str, group: &str) {
        let mut world = self.world.lock();
        let mut state = world.states.last().cloned().unwrap_or_default();
        let key = ObjectKey::namespaced(format!("ns-{}", name.len() % 2), name);
        let mut object = state.get(&key).map_or_else(ConfigMap::default, |old| ConfigMap::clone(old));
        let new = object.metadata.uid.is_empty();
        if new {
            world.uids += 1;
            object.metadata.uid = format!("uid-{}", world.uids).into();
            object.metadata.name = name.into();
            object.metadata.namespace = key.namespace().into();
        }
        let revision = world.events.len() + 1;
        object.metadata.resource_version = revision.to_string().into();
        object.data.insert("group", group.into());
        let object = Arc::new(object);
        state.insert(key, Arc::clone(&object));
        world.states.push(state);
        world.events.push(if new { WatchEvent::Added(object) } else { WatchEvent::Modified(object) });
        self.revision.send_replace(revision as u64);
    }

    fn delete(&self, name: &str) {
        let mut world = self.world.lock();
        let mut state = world.states.last().cloned().unwrap_or_default();
        let key = ObjectKey::namespaced(format!("ns-{}", name.len() % 2), name);
        let Some(object) = state.remove(&key) else { return };
        let revision = world.events.len() + 1;
        let mut object = ConfigMap::clone(&object);
        object.metadata.resource_version = revision.to_string().into();
        world.states.push(state);
        world.events.push(WatchEvent::Deleted(Arc::new(object)));
        self.revision.send_replace(revision as u64);
    }

    fn compact(&self) {
        let mut world = self.world.lock();
        world.compacted = world.events.len();
    }

    fn fault(&self, probability: f64) -> bool {
        self.world.lock().faulty && self.random.chance(probability)
    }

    fn any_error(&self) -> Error {
        match self.random.index(5) {
            0 => Error::Transport { message: "connection refused".into(), source: None },
            1 => Error::TooManyRequests { object: Box::default(), message: "busy".into(), retry_after: None },
            2 => Error::Timeout { message: "slow".into() },
            3 => Error::internal("broken"),
            _ => Error::expired("too old"),
        }
    }

    /// The next thing that a watch at `at` brings.
    async fn next(self: Arc<Self>, at: usize) -> Option<(Result<WatchEvent>, usize)> {
        let mut revision = self.revision.subscribe();
        loop {
            if self.fault(0.05) {
                return None;
            }
            if self.fault(0.03) {
                return Some((Err(self.any_error()), usize::MAX));
            }
            if at == usize::MAX {
                return None;
            }
            if self.fault(0.1) {
                // Repeats something that it brought before.
                let world = self.world.lock();
                if at > 0 && at <= world.events.len() {
                    let again = world.events[self.random.index(at)].clone();
                    return Some((again.try_map(|object| Ok(Arc::new(Record::new(object)))), at));
                }
            }
            {
                let world = self.world.lock();
                if at < world.compacted {
                    return Some((Err(Error::expired("too old resource version")), usize::MAX));
                }
                if let Some(event) = world.events.get(at) {
                    let event = event.clone().try_map(|object| Ok(Arc::new(Record::new(object))));
                    return Some((event, at + 1));
                }
            }
            if self.fault(0.2) {
                let bookmark = WatchEvent::Bookmark {
                    resource_version: at.to_string().into(),
                    initial_events_end: false,
                };
                return Some((Ok(bookmark), at));
            }
            revision.wait_for(|now| *now as usize > at).await.ok()?;
        }
    }
}

struct Faulty(Arc<Source>);

#[async_trait]
impl Client for Faulty {
    async fn list(&self, _: &KindInfo, _: Option<&str>, options: &ListOptions) -> Result<RecordList> {
        let source = &self.0;
        source
            .world
            .lock()
            .asked
            .push(format!("list {:?} limit {}", options.resource_version, options.limit));
        if source.fault(0.3) {
            return Err(source.any_error());
        }
        let world = source.world.lock();
        let latest = world.events.len();
        let (at, offset) = match options.continue_.split_once(':') {
            Some((at, offset)) => (at.parse().unwrap_or(0), offset.parse().unwrap_or(0)),
            None => {
                let oldest = match (options.resource_version.as_str(), options.match_) {
                    ("", _) => latest,
                    ("0", _) => world.compacted,
                    (version, Some(ResourceVersionMatch::NotOlderThan)) => version.parse().unwrap_or(0),
                    (version, match_) => panic!("asked for {version:?} with {match_:?}"),
                };
                if oldest > latest {
                    let (wanted, current) = (oldest.to_string().into(), latest.to_string().into());
                    return Err(Error::TooLargeResourceVersion { wanted, current });
                }
                // Lags behind at will, and in its faulty times even behind what was asked for.
                let stale = world.faulty && !options.resource_version.is_empty() && source.random.chance(0.2);
                let oldest = if stale { oldest.saturating_sub(3) } else { oldest };
                (source.random.range(oldest as u64..=latest as u64) as usize, 0)
            }
        };
        if at < world.compacted && !options.continue_.is_empty() {
            return Err(Error::expired("the provided continue parameter is too old"));
        }
        let limit = if options.limit == 0 { usize::MAX } else { options.limit };
        let all = &world.states[at];
        let items =
            all.values().skip(offset).take(limit).map(|object| Arc::new(Record::new(object))).collect();
        let end = offset.saturating_add(limit);
        let continue_ = if end < all.len() { format!("{at}:{end}") } else { String::new() };
        Ok(RecordList { items, resource_version: at.to_string().into(), continue_, remaining: None })
    }

    async fn watch(&self, _: &KindInfo, _: Option<&str>, options: &WatchOptions) -> Result<WatchStream> {
        let source = Arc::clone(&self.0);
        source.world.lock().asked.push(format!("watch {:?}", options.resource_version));
        if source.fault(0.2) {
            return Err(source.any_error());
        }
        let at = options.resource_version.parse().expect("a revision that was given out");
        let next = move |at| Arc::clone(&source).next(at);
        Ok(stream::unfold(at, next).boxed())
    }

    async fn get(&self, _: &KindInfo, _: &ObjectKey, _: &GetOptions) -> Result<Arc<Record>> {
        Err(Error::unsupported("get"))
    }

    async fn create(&self, _: &KindInfo, _: Option<&str>, _: Draft, _: &WriteOptions) -> Result<Arc<Record>> {
        Err(Error::unsupported("create"))
    }

    async fn update(
        &self,
        _: &KindInfo,
        _: &ObjectKey,
        _: Subresource,
        _: Draft,
        _: &WriteOptions,
    ) -> Result<Arc<Record>> {
        Err(Error::unsupported("update"))
    }

    async fn patch(
        &self,
        _: &KindInfo,
        _: &ObjectKey,
        _: Subresource,
        _: Patch,
        _: &WriteOptions,
    ) -> Result<Arc<Record>> {
        Err(Error::unsupported("patch"))
    }

    async fn post(
        &self,
        _: &KindInfo,
        _: &ObjectKey,
        _: Subresource,
        _: Draft,
        _: &WriteOptions,
    ) -> Result<Option<Arc<Record>>> {
        Err(Error::unsupported("post"))
    }

    async fn delete(&self, _: &KindInfo, _: &ObjectKey, _: &DeleteOptions) -> Result<Deleted> {
        Err(Error::unsupported("delete"))
    }
}

fn informer(source: &Arc<Source>, page: usize) -> Informer<ConfigMap> {
    let client: Arc<dyn Client> = Arc::new(Faulty(Arc::clone(source)));
    Informer::builder(Api::<ConfigMap>::all(client))
        .page(page)
        .random(Random::new(source.random.seed()))
        .build()
}

// ── What a subscriber makes of the changes ─────────────────────────────────────────────────────────────────────────

/// Sums up what it is told, and complains where that makes no sense.
#[derive(Default)]
struct View {
    objects: Objects,
    synced: bool,
    /// Last heard of, by uid: is it there?
    told: BTreeMap<Str, bool>,
}

impl View {
    fn hear(&mut self, delta: Delta<ConfigMap>) -> Result<(), TestCaseError> {
        match delta {
            Delta::Added { object, initial } => {
                prop_assert!(!(initial && self.synced), "initial after the end of the initial ones");
                self.told.insert(object.metadata.uid.clone(), true);
                prop_assert!(self.objects.insert(object.key(), object).is_none(), "added twice");
            }
            Delta::Modified { old, new } => {
                prop_assert_eq!(&old.metadata.uid, &new.metadata.uid);
                let number =
                    |object: &ConfigMap| object.metadata.resource_version.parse::<u64>().unwrap_or(0);
                prop_assert!(number(&old) < number(&new), "went back in time");
                let known = self.objects.insert(new.key(), new);
                prop_assert_eq!(known, Some(old), "not the state that was told before");
            }
            Delta::Deleted { last, exact } => {
                let known = self.objects.remove(&last.key());
                prop_assert!(known.is_some(), "deleted, but never added");
                let known = known.expect("checked");
                prop_assert_eq!(&known.metadata.uid, &last.metadata.uid);
                prop_assert!(exact || known == last, "a missed deletion tells the last known state");
                self.told.insert(last.metadata.uid.clone(), false);
            }
            Delta::Synced => {
                prop_assert!(!self.synced, "synced twice");
                self.synced = true;
            }
            Delta::Reset => *self = Self::default(),
        }
        Ok(())
    }

    fn hear_all(&mut self, changes: &mut Subscription<ConfigMap>) -> Result<(), TestCaseError> {
        while let Some(Some(delta)) = changes.next().now_or_never() {
            self.hear(delta)?;
        }
        Ok(())
    }
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

fn group_of(object: &ConfigMap) -> Str {
    object.data.get("group").cloned().unwrap_or_default()
}

#[derive(Clone, Debug)]
enum Op {
    Put(u8, u8),
    Delete(u8),
    Compact,
    Sleep(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (0u8..8, 0u8..3).prop_map(|(name, group)| Op::Put(name, group)),
        3 => (0u8..8).prop_map(Op::Delete),
        1 => Just(Op::Compact),
        4 => prop_oneof![Just(0), 1..2_000u64, Just(20_000)].prop_map(Op::Sleep),
    ]
}

fn name(number: u8) -> String {
    "x".repeat(1 + usize::from(number))
}

async fn survive(seed: u64, page: usize, ops: Vec<Op>) -> Result<(), TestCaseError> {
    let source = Source::new(seed);
    source.world.lock().faulty = true;
    let informer = informer(&source, page);
    let store = informer.store().clone();
    let groups = store.index(group_of);
    let mut changes = store.subscribe();
    let mut group_changes = groups.subscribe(&"1".into());
    let (mut view, mut group_view, mut late_view) = (View::default(), View::default(), View::default());
    let mut late = None;
    let running = informer.spawn(CancellationToken::new());
    let mut revision = 0;
    for (step, op) in ops.into_iter().enumerate() {
        match op {
            Op::Put(number, group) => source.put(&name(number), &group.to_string()),
            Op::Delete(number) => source.delete(&name(number)),
            Op::Compact => source.compact(),
            Op::Sleep(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
        if step == 20 {
            late = Some(store.subscribe());
        }
        view.hear_all(&mut changes)?;
        let now = store.revision().parse().unwrap_or(0);
        prop_assert!(now >= revision, "the cache went back from {} to {}", revision, now);
        revision = now;
    }
    source.world.lock().faulty = false;
    // Longer than any wait between attempts.
    source.put("last", "1");
    let latest = source.now().to_string();
    let wait = tokio::time::timeout(Duration::from_secs(300), store.wait_for(&latest));
    prop_assert!(wait.await.unwrap_or(false), "came to {} of {}", store.revision(), source.now());

    let truth = source.objects();
    prop_assert_eq!(store.list(), truth.values().cloned().collect::<Vec<_>>());
    for namespace in ["ns-0", "ns-1", "none"] {
        let expected: Vec<_> =
            truth.values().filter(|object| object.metadata.namespace == namespace).cloned().collect();
        prop_assert_eq!(store.list_in(namespace), expected);
    }
    let in_group =
        |group: &str| truth.values().filter(|object| group_of(object) == group).cloned().collect::<Vec<_>>();
    for group in ["0", "1", "2", "3"] {
        prop_assert_eq!(store.by(&groups, &group.into()), in_group(group));
    }
    prop_assert_eq!(store.index(group_of).values(), groups.values(), "made late and kept from the start");

    view.hear_all(&mut changes)?;
    prop_assert_eq!(&view.objects, &truth);
    prop_assert!(view.synced);
    for (uid, there) in &view.told {
        let really = truth.values().any(|object| object.metadata.uid == *uid);
        prop_assert_eq!(*there, really, "a deletion of {} was missed", uid);
    }
    group_view.hear_all(&mut group_changes)?;
    prop_assert_eq!(group_view.objects.into_values().collect::<Vec<_>>(), in_group("1"));
    prop_assert!(group_view.synced);
    if let Some(mut late) = late {
        late_view.hear_all(&mut late)?;
        prop_assert_eq!(late_view.objects, truth);
    }
    running.stop().await;
    prop_assert!(matches!(changes.next().now_or_never(), Some(None)), "the stream ends with the cache");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the source does wrong: in the end every view equals it, no deletion is missed, nothing went back.
    #[test]
    fn every_view_equals_the_source(seed: u64, page in prop_oneof![Just(0usize), 1..4usize], ops in prop::collection::vec(op(), 0..60)) {
        paused().block_on(survive(seed, page, ops))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    /// However far a subscriber is behind, what it is told sums up to what there is, within bounds.
    #[test]
    fn coalesced_changes_sum_up(seed: u64, read_at in 0usize..4000) {
        let random = Random::new(seed);
        let (store, mut writer) = Store::<ConfigMap>::new();
        let mut changes = store.subscribe();
        let mut view = View::default();
        writer.replace(Vec::new(), "0");
        let source = Source::new(seed);
        for step in 0..4000 {
            let name = name(random.range(0..20) as u8);
            if random.chance(0.6) { source.put(&name, "") } else { source.delete(&name) }
            if let Some(event) = source.world.lock().events.last() {
                writer.apply([match event.clone() {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => Change::Put(object),
                    WatchEvent::Deleted(object) => Change::Delete(object),
                    WatchEvent::Bookmark { resource_version, .. } => Change::Bookmark(resource_version),
                }]);
            }
            // History is not needed here.
            {
                let states = &mut source.world.lock().states;
                states.drain(..states.len() - 1);
            }
            prop_assert!(changes.behind() <= 4096, "{} changes kept", changes.behind());
            if step == read_at { view.hear_all(&mut changes)?; }
        }
        view.hear_all(&mut changes)?;
        prop_assert_eq!(view.objects, source.objects());
    }
}

// ── Single promises ────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(start_paused = true)]
async fn what_is_asked_is_what_client_go_asks() {
    let source = Source::new(1);
    source.put("a", "");
    let informer = informer(&source, 500);
    let store = informer.store().clone();
    let running = informer.spawn(CancellationToken::new());
    store.synced().await;
    source.put("b", "");
    assert!(store.wait_for("2").await);
    running.stop().await;
    let asked = source.world.lock().asked.clone();
    assert_eq!(asked[0], "list \"0\" limit 500");
    assert!(asked[1].starts_with("watch \""), "{asked:?}");
    assert_eq!(asked.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn objects_are_shared_not_copied() {
    let source = Source::new(1);
    source.put("a", "");
    let informer = informer(&source, 500);
    let store = informer.store().clone();
    let _running = informer.spawn(CancellationToken::new());
    assert!(store.wait_for("1").await);
    let there = source.objects().into_values().next().unwrap();
    assert!(Arc::ptr_eq(&store.list()[0], &there));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_missed_in_a_gap_is_told_with_the_last_known_state() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let source = Source::new(1);
    source.put("a", "");
    source.put("bb", "");
    writer.replace(source.objects().into_values().collect(), "2");
    let changes = store.subscribe();
    source.delete("a");
    source.delete("bb");
    source.put("bb", "");
    writer.replace(source.objects().into_values().collect(), "5");
    drop(writer);
    let told: Vec<_> = changes.collect::<Vec<_>>().await.iter().map(|delta| format!("{delta:?}")).collect();
    assert_eq!(
        told,
        [
            "Added(ns-0/bb@2, initial)",
            "Added(ns-1/a@1, initial)",
            "Synced",
            "Deleted(ns-1/a@1, missed)",
            "Deleted(ns-0/bb@2, missed)", // another object of the same name
            "Added(ns-0/bb@5)",
        ]
    );
}

/// The peers' lost wake-up: the object of the first change has left the store when the subscriber comes to wait.
#[tokio::test(start_paused = true)]
async fn a_subscriber_is_woken_though_the_object_is_gone() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let source = Source::new(1);
    writer.replace(Vec::new(), "0");
    let mut changes = store.subscribe();
    source.put("a", "");
    let a = source.objects().into_values().next().unwrap();
    source.delete("a");
    writer.apply([Change::Put(a.clone()), Change::Bookmark("1".into())]);
    writer.apply([Change::Delete(a)]);
    source.put("b", "");
    writer.apply(source.objects().into_values().map(Change::Put));
    let mut last = None;
    while last
        .as_ref()
        .is_none_or(|delta: &Delta<ConfigMap>| delta.key() != Some(ObjectKey::namespaced("ns-1", "b")))
    {
        let next = tokio::time::timeout(Duration::from_millis(1), changes.next());
        last = next.await.expect("told at once");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_revision_is_there_or_never_will_be() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let wait = |revision: &'static str| {
        let store = store.clone();
        tokio::spawn(async move { store.wait_for(revision).await })
    };
    let (soon, opaque, never) = (wait("7"), wait("abc"), wait("99"));
    tokio::task::yield_now().await;
    writer.replace(Vec::new(), "5");
    assert!(!opaque.await.unwrap(), "cannot be compared");
    assert!(!soon.is_finished());
    writer.apply([Change::Bookmark("8".into())]);
    assert!(soon.await.unwrap());
    assert_eq!((store.has("8"), store.has("9")), (Some(true), Some(false)));
    drop(writer);
    assert!(!never.await.unwrap(), "the cache stopped");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_stays_as_it_is() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let source = Source::new(1);
    source.put("a", "");
    writer.replace(source.objects().into_values().collect(), "1");
    let before = store.snapshot();
    source.put("a", "changed");
    source.put("b", "");
    writer.replace(source.objects().into_values().collect(), "3");
    assert_eq!((before.len(), before.revision().as_str()), (1, "1"));
    assert_eq!(
        before.get(&ObjectKey::namespaced("ns-1", "a")).map(|object| group_of(object)),
        Some("".into())
    );
    assert_eq!((store.len(), store.snapshot().iter_in("ns-1").count()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn labels_select() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let object = |name: &str, labels: &[(&str, &str)]| {
        let mut object = ConfigMap::default();
        object.metadata.name = name.into();
        object.metadata.namespace = name[..1].into();
        object.metadata.labels = labels.iter().map(|(key, value)| (*key, Str::from(*value))).collect();
        Arc::new(object)
    };
    let objects =
        [object("a1", &[("app", "web")]), object("a2", &[]), object("b1", &[("app", "web"), ("tier", "x")])];
    writer.replace(objects.to_vec(), "1");
    let names = |namespace, selector: &str| {
        let selected = store.select(namespace, &selector.parse().expect("a selector"));
        selected.iter().map(|object| object.metadata.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(None, "app=web"), ["a1", "b1"]);
    assert_eq!(names(Some("a"), "app=web"), ["a1"]);
    assert_eq!(names(None, "app=web,!tier"), ["a1"]);
    assert_eq!(names(None, ""), ["a1", "a2", "b1"]);
}

/// Only the subscribers of an object's node hear of it: what makes one informer do for a thousand nodes.
#[tokio::test(start_paused = true)]
async fn a_subscriber_of_a_value_hears_of_that_value_alone() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let groups = store.index(group_of);
    let mut subscriptions: Vec<_> =
        (0..1000).map(|group: u32| groups.subscribe(&group.to_string().into())).collect();
    let source = Source::new(1);
    let mut feed = |source: &Source| {
        let event = source.world.lock().events.last().cloned().expect("an event");
        writer.apply([match event {
            WatchEvent::Deleted(object) => Change::Delete(object),
            event => Change::Put(event.object().expect("no bookmark").clone()),
        }]);
    };
    source.put("a", "7");
    feed(&source);
    source.put("a", "8"); // moves
    feed(&source);
    source.delete("a");
    feed(&source);
    let told: Vec<Vec<String>> = subscriptions
        .iter_mut()
        .map(|changes| std::iter::from_fn(|| changes.try_next()).map(|delta| format!("{delta:?}")).collect())
        .collect();
    assert_eq!(told[7], ["Added(ns-1/a@1, initial)", "Deleted(ns-1/a@2)"]);
    assert_eq!(told[8], ["Added(ns-1/a@2)", "Deleted(ns-1/a@3)"]);
    assert_eq!(told.iter().filter(|told| !told.is_empty()).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_transform_is_applied_before_anybody_sees_the_object() {
    let source = Source::new(1);
    source.put("a", "secret");
    let client: Arc<dyn Client> = Arc::new(Faulty(Arc::clone(&source)));
    let informer = Informer::builder(Api::<ConfigMap>::all(client))
        .transform(|object| {
            let mut object = ConfigMap::clone(&object);
            object.data.clear();
            Arc::new(object)
        })
        .build();
    let store = informer.store().clone();
    let _running = informer.spawn(CancellationToken::new());
    source.put("b", "secret");
    assert!(store.wait_for("2").await);
    assert!(store.list().iter().all(|object| object.data.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_handle_ends_the_informer() {
    let source = Source::new(1);
    let informer = informer(&source, 500);
    let (store, mut changes) = (informer.store().clone(), informer.subscribe());
    let running = informer.spawn(CancellationToken::new());
    store.synced().await;
    drop(running);
    assert!(matches!(changes.next().await, Some(Delta::Synced)));
    assert!(changes.next().await.is_none());
}
