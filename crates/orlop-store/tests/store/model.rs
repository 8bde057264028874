//! The store against the plainest thing that has a history: a map from key and revision to value.

use std::collections::BTreeMap;
use std::task::Poll;
use std::time::Duration;

use futures::{StreamExt, poll};
use orlop_store::{
    At, Change, Committed, Error, Event, Expected, Format, Key, KeyRange, LeaseId, MemoryStore, Page, Record,
    Retention, Revision, Store, Txn, Update, Value, Watch,
};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::time::{Instant, sleep};

const KEYS: [&str; 6] = ["a", "a/1", "a/2", "b", "b/1", "c"];

/// A revision relative to what the model knows when it is used.
#[derive(Clone, Copy, Debug)]
enum Rev {
    Zero,
    Compacted(i64),
    Current(i64),
    /// A share of the way from zero to the present.
    Part(u8),
}

#[derive(Clone, Copy, Debug)]
enum Cond {
    Absent,
    Present,
    Unchanged,
    At(Rev),
}

#[derive(Clone, Debug)]
enum Op {
    Commit { conditions: Vec<(usize, Cond)>, writes: Vec<(usize, bool, Option<usize>)> },
    Get(usize, u8, Rev),
    List { range: usize, at: u8, revision: Rev, limit: Option<usize>, after: Option<usize> },
    Compact(Rev),
    Watch(usize, Rev),
    Poll(usize, usize),
    Bookmark(usize),
    Unwatch(usize),
    Lease(u64),
    KeepAlive(usize),
    Revoke(usize),
    Sleep(u64),
}

fn rev() -> impl Strategy<Value = Rev> {
    prop_oneof![
        Just(Rev::Zero),
        (-1..=1i64).prop_map(Rev::Compacted),
        (-3..=2i64).prop_map(Rev::Current),
        any::<u8>().prop_map(Rev::Part),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let key = 0..KEYS.len();
    let range = 0..RANGES;
    let condition = prop_oneof![1 => Just(Cond::Absent), 1 => Just(Cond::Present), 3 => Just(Cond::Unchanged), 1 => rev().prop_map(Cond::At)];
    let conditions = prop_oneof![4 => Just(Vec::new()), 2 => vec((key.clone(), condition), 1..3)];
    let lease = prop_oneof![4 => Just(None), 1 => (0..4usize).prop_map(Some)];
    let writes = vec((key.clone(), prop::bool::weighted(0.3), lease), 0..4);
    prop_oneof![
        8 => (conditions, writes).prop_map(|(conditions, writes)| Op::Commit { conditions, writes }),
        2 => (key.clone(), 0..3u8, rev()).prop_map(|(key, at, revision)| Op::Get(key, at, revision)),
        2 => (range.clone(), 0..3u8, rev(), prop::option::of(0..5usize), prop::option::of(key))
            .prop_map(|(range, at, revision, limit, after)| Op::List { range, at, revision, limit, after }),
        1 => rev().prop_map(Op::Compact),
        3 => (range, rev()).prop_map(|(range, from)| Op::Watch(range, from)),
        6 => (0..8usize, 1..6usize).prop_map(|(watch, times)| Op::Poll(watch, times)),
        2 => (0..8usize).prop_map(Op::Bookmark),
        1 => (0..8usize).prop_map(Op::Unwatch),
        1 => (1..5u64).prop_map(Op::Lease),
        1 => (0..4usize).prop_map(Op::KeepAlive),
        1 => (0..4usize).prop_map(Op::Revoke),
        1 => (1..3u64).prop_map(Op::Sleep),
    ]
}

const RANGES: usize = 8;

fn range(number: usize) -> KeyRange {
    match number {
        0 => KeyRange::all(),
        1 => KeyRange::prefix("a"),
        2 => KeyRange::prefix("a/"),
        3 => KeyRange::single("a"),
        4 => KeyRange::single("b/1"),
        5 => KeyRange::between("a/2", "b/1"),
        6 => KeyRange::from("b"),
        _ => KeyRange::between("c", "a"),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    text: String,
    created: u64,
    revision: u64,
    lease: Option<LeaseId>,
}

impl Entry {
    fn of(record: &Record) -> Self {
        Self {
            text: String::from_utf8(record.value.encoded(Format::Json).unwrap().into()).unwrap(),
            created: record.created.0,
            revision: record.revision.0,
            lease: record.lease,
        }
    }
}

/// One change: key, what it became (the last state if it was deleted), what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Happened {
    key: String,
    change: Change,
    record: Entry,
    previous: Option<Entry>,
}

impl Happened {
    fn of(event: &Event) -> Self {
        Self {
            key: event.key().to_string(),
            change: event.change,
            record: Entry::of(&event.record),
            previous: event.previous.as_deref().map(Entry::of),
        }
    }
}

/// Key, and the new text with its lease, or nothing for a deletion.
type Written = (String, Option<(String, Option<LeaseId>)>);

#[derive(Default)]
struct Model {
    versions: BTreeMap<(String, u64), Option<Entry>>,
    /// Never compacted, so that whatever a watch brings can be looked up.
    log: Vec<Vec<Happened>>,
    compacted: u64,
    retention: u64,
    leases: BTreeMap<LeaseId, (u64, Instant)>,
}

impl Model {
    fn revision(&self) -> u64 {
        self.log.len() as u64
    }

    fn resolve(&self, rev: Rev) -> u64 {
        let current = self.revision();
        match rev {
            Rev::Zero => 0,
            Rev::Compacted(by) => self.compacted.saturating_add_signed(by),
            Rev::Current(by) => current.saturating_add_signed(by),
            Rev::Part(part) => current * u64::from(part) / 255,
        }
    }

    fn at(&self, key: &str, revision: u64) -> Option<&Entry> {
        self.versions.range((key.to_owned(), 0)..=(key.to_owned(), revision)).next_back()?.1.as_ref()
    }

    fn state(&self, range: &KeyRange, revision: u64) -> Vec<(&'static str, Entry)> {
        let mut keys = KEYS;
        keys.sort_unstable();
        keys.into_iter()
            .filter(|key| range.contains(key))
            .filter_map(|key| Some((key, self.at(key, revision)?.clone())))
            .collect()
    }

    fn commit(&mut self, writes: Vec<Written>) -> Vec<Happened> {
        let revision = self.revision() + 1;
        let mut happened = Vec::new();
        for (key, put) in writes {
            let previous = self.at(&key, revision).cloned();
            let (change, record) = match (&previous, put) {
                (None, None) => continue,
                (Some(last), None) => (Change::Deleted, Entry { revision, ..last.clone() }),
                (None, Some((text, lease))) => {
                    (Change::Created, Entry { text, created: revision, revision, lease })
                }
                (Some(last), Some((text, lease))) => {
                    (Change::Updated, Entry { text, created: last.created, revision, lease })
                }
            };
            let now = (change != Change::Deleted).then(|| record.clone());
            happened.push(Happened { key: key.clone(), change, record, previous });
            self.versions.insert((key, revision), now);
        }
        if !happened.is_empty() {
            self.log.push(happened.clone());
            self.compacted = self.compacted.max(revision.saturating_sub(self.retention));
        }
        happened
    }

    fn end_lease(&mut self, lease: LeaseId) -> Vec<Happened> {
        self.leases.remove(&lease);
        let current = self.state(&KeyRange::all(), self.revision());
        let held = current.into_iter().filter(|(_, entry)| entry.lease == Some(lease));
        self.commit(held.map(|(key, _)| (key.to_owned(), None)).collect())
    }

    fn end_leases(&mut self, now: Instant) {
        loop {
            let next = self
                .leases
                .iter()
                .filter(|(_, (_, end))| *end <= now)
                .min_by_key(|(id, (_, end))| (*end, **id));
            let Some((&lease, _)) = next else { return };
            self.end_lease(lease);
        }
    }

    /// The changes of a range in the first revision above this one that has any.
    fn next_after(&self, range: &KeyRange, revision: u64) -> Option<(u64, Vec<Happened>)> {
        (revision + 1..=self.revision()).find_map(|revision| {
            let all = &self.log[revision as usize - 1];
            let inside: Vec<_> =
                all.iter().filter(|happened| range.contains(&happened.key)).cloned().collect();
            (!inside.is_empty()).then_some((revision, inside))
        })
    }
}

struct Watched {
    watch: Watch,
    range: KeyRange,
    from: u64,
    delivered: u64,
    /// Below what was kept when it began.
    too_old: bool,
    /// The store's revision when a bookmark was asked for.
    bookmark: Option<u64>,
}

impl Watched {
    /// Polls once and compares; answers whether the watch goes on.
    async fn poll(&mut self, model: &Model) -> bool {
        let due = model.next_after(&self.range, self.delivered);
        let lost = due.as_ref().is_some_and(|(revision, _)| *revision <= model.compacted);
        match poll!(self.watch.next()) {
            Poll::Ready(Some(Ok(Update::Batch(batch)))) => {
                assert!(!self.too_old, "a watch from a compacted revision brings nothing");
                let (revision, happened) = due.expect("nothing has happened that could be brought");
                assert_eq!(batch.revision.0, revision);
                assert_eq!(batch.events.iter().map(Happened::of).collect::<Vec<_>>(), happened);
                assert!(
                    self.bookmark.is_none_or(|asked| revision <= asked.max(self.from)),
                    "the bookmark was due before"
                );
                self.delivered = revision;
                true
            }
            Poll::Ready(Some(Ok(Update::Bookmark(bookmark)))) => {
                let asked = self.bookmark.take().expect("nobody asked for a bookmark");
                let bookmark = bookmark.0;
                assert!(bookmark >= asked && bookmark >= self.from && bookmark >= self.delivered);
                assert!(bookmark <= model.revision(), "a bookmark of the future");
                assert!(
                    due.is_none_or(|(revision, _)| bookmark < revision),
                    "the bookmark has overtaken an event"
                );
                self.delivered = bookmark;
                true
            }
            Poll::Ready(Some(Err(Error::Expired { requested, compacted }))) => {
                assert!(self.too_old || lost, "expired although nothing is lost");
                assert!(
                    requested.0 >= self.from && requested.0 < compacted.0 && compacted.0 <= model.compacted
                );
                assert!(matches!(poll!(self.watch.next()), Poll::Ready(None)));
                false
            }
            Poll::Ready(other) => panic!("{other:?}"),
            Poll::Pending => {
                assert!(!self.too_old, "expired was due");
                assert_eq!(due, None, "a batch was due");
                assert!(self.bookmark.is_none() || model.revision() < self.from, "a bookmark was due");
                true
            }
        }
    }
}

fn same(done: &Committed, model: &Model, happened: &[Happened]) {
    assert_eq!(done.revision.0, model.revision());
    assert_eq!(done.events.iter().map(Happened::of).collect::<Vec<_>>(), happened);
}

/// What a read of this state has to answer: a revision, or what kind of error.
fn read_at(model: &Model, at: u8, revision: Rev) -> (At, Result<u64, &'static str>) {
    let requested = model.resolve(revision);
    let future = requested > model.revision();
    match at {
        0 => (At::Latest, Ok(model.revision())),
        1 => {
            (At::NotOlderThan(Revision(requested)), if future { Err("future") } else { Ok(model.revision()) })
        }
        _ => {
            let answer = match requested {
                _ if future => Err("future"),
                _ if requested < model.compacted => Err("expired"),
                _ => Ok(requested),
            };
            (At::Exactly(Revision(requested)), answer)
        }
    }
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Future { .. } => "future",
        Error::Expired { .. } => "expired",
        Error::UnknownLease { .. } => "lease",
        Error::Conflict(_) => "conflict",
        Error::DuplicateKey { .. } => "duplicate",
        _ => "other",
    }
}

async fn run(retention: u64, ops: Vec<Op>) {
    let store = MemoryStore::with_retention(Retention { revisions: retention as usize });
    let mut model = Model { retention, ..Model::default() };
    let mut watches: Vec<Watched> = Vec::new();
    let mut leases: Vec<LeaseId> = Vec::new();
    let unknown = LeaseId(u64::MAX);
    let lease_of = |leases: &[LeaseId], number: usize| leases.get(number).copied().unwrap_or(unknown);
    for (step, op) in ops.into_iter().enumerate() {
        match op {
            Op::Commit { conditions, writes } => {
                let mut txn = Txn::new();
                let mut holds = true;
                for (key, condition) in conditions {
                    let current = model.at(KEYS[key], model.revision());
                    let expected = match condition {
                        Cond::Absent => Expected::Absent,
                        Cond::Present => Expected::Present,
                        Cond::Unchanged => {
                            current.map_or(Expected::Absent, |entry| Expected::At(Revision(entry.revision)))
                        }
                        Cond::At(rev) => Expected::At(Revision(model.resolve(rev))),
                    };
                    holds &= match expected {
                        Expected::Absent => current.is_none(),
                        Expected::Present => current.is_some(),
                        Expected::At(revision) => current.is_some_and(|entry| entry.revision == revision.0),
                    };
                    txn = txn.expect(KEYS[key], expected);
                }
                let mut keys: Vec<_> = writes.iter().map(|(key, ..)| key).collect();
                keys.sort_unstable();
                let distinct = keys.windows(2).all(|pair| pair[0] != pair[1]);
                let mut modelled = Vec::new();
                let mut leased = true;
                for (key, delete, lease) in &writes {
                    let key = KEYS[*key];
                    let text = format!("{step}");
                    let lease = lease.map(|number| lease_of(&leases, number));
                    if *delete {
                        txn = txn.delete(key);
                        modelled.push((key.to_owned(), None));
                        continue;
                    }
                    let value = {
                        let text = text.clone();
                        move |revision: Revision| Value::bytes(Format::Json, format!("{text}@{revision}"))
                    };
                    txn = match lease {
                        Some(lease) => txn.put_leased(key, lease, value),
                        None => txn.put(key, value),
                    };
                    leased &= lease.is_none_or(|lease| model.leases.contains_key(&lease));
                    modelled
                        .push((key.to_owned(), Some((format!("{text}@{}", model.revision() + 1), lease))));
                }
                match store.commit(txn).await {
                    Ok(done) => {
                        assert!(holds && distinct && leased);
                        let happened = model.commit(modelled);
                        same(&done, &model, &happened);
                    }
                    Err(error) => match kind(&error) {
                        "conflict" => assert!(!holds),
                        "duplicate" => assert!(!distinct),
                        "lease" => assert!(!leased),
                        _ => panic!("{error}"),
                    },
                }
            }
            Op::Get(key, at, revision) => {
                let (at, due) = read_at(&model, at, revision);
                let found = store.get(&Key::from(KEYS[key]), at).await;
                match due {
                    Ok(revision) => assert_eq!(
                        found.unwrap().as_deref().map(Entry::of).as_ref(),
                        model.at(KEYS[key], revision)
                    ),
                    Err(due) => assert_eq!(kind(&found.unwrap_err()), due),
                }
            }
            Op::List { range: number, at, revision, limit, after } => {
                let (at, due) = read_at(&model, at, revision);
                let page = Page { limit, after: after.map(|key| Key::from(KEYS[key])) };
                let found = store.list(&range(number), at, page.clone()).await;
                match due {
                    Ok(revision) => {
                        let mut state = model.state(&range(number), revision);
                        state.retain(|(key, _)| page.after.as_ref().is_none_or(|after| *key > &**after));
                        let rest = state.split_off(limit.unwrap_or(usize::MAX).min(state.len()));
                        let found = found.unwrap();
                        let records: Vec<_> = found
                            .records
                            .iter()
                            .map(|record| (record.key.to_string(), Entry::of(record)))
                            .collect();
                        assert_eq!(
                            records,
                            state.into_iter().map(|(key, entry)| (key.to_owned(), entry)).collect::<Vec<_>>()
                        );
                        assert_eq!((found.revision.0, found.remaining), (revision, rest.len() as u64));
                    }
                    Err(due) => assert_eq!(kind(&found.unwrap_err()), due),
                }
            }
            Op::Compact(revision) => {
                let up_to = model.resolve(revision);
                match store.compact(Revision(up_to)).await {
                    Ok(()) => {
                        assert!(up_to <= model.revision());
                        model.compacted = model.compacted.max(up_to);
                    }
                    Err(error) => assert!(kind(&error) == "future" && up_to > model.revision()),
                }
            }
            Op::Watch(number, from) => {
                let from = model.resolve(from);
                let range = range(number);
                let watch = store.watch(&range, Revision(from));
                watches.push(Watched {
                    watch,
                    range,
                    from,
                    delivered: from,
                    too_old: from < model.compacted,
                    bookmark: None,
                });
            }
            Op::Poll(number, times) => {
                for _ in 0..times {
                    if let Some(watched) = watches.get_mut(number)
                        && !watched.poll(&model).await
                    {
                        watches.remove(number);
                        break;
                    }
                }
            }
            Op::Bookmark(number) => {
                if let Some(watched) = watches.get_mut(number) {
                    watched.watch.request_bookmark();
                    watched.bookmark.get_or_insert(model.revision());
                }
            }
            Op::Unwatch(number) => {
                if number < watches.len() {
                    watches.remove(number);
                }
            }
            // Leases end between the seconds, all else happens at full ones.
            Op::Lease(seconds) => {
                let ttl = Duration::from_millis(seconds * 1000 + 500);
                let lease = store.lease(ttl).await.unwrap();
                assert!(!leases.contains(&lease), "a lease's name is used again");
                leases.push(lease);
                model.leases.insert(lease, (seconds, Instant::now() + ttl));
            }
            Op::KeepAlive(number) => {
                let lease = lease_of(&leases, number);
                let kept = store.keep_alive(lease).await;
                assert_eq!(kept.is_ok(), model.leases.contains_key(&lease));
                if let Some((seconds, end)) = model.leases.get_mut(&lease) {
                    *end = Instant::now() + Duration::from_millis(*seconds * 1000 + 500);
                }
            }
            Op::Revoke(number) => {
                let lease = lease_of(&leases, number);
                let revoked = store.revoke(lease).await;
                assert_eq!(revoked.is_ok(), model.leases.contains_key(&lease));
                if let Ok(done) = revoked {
                    let happened = model.end_lease(lease);
                    same(&done, &model, &happened);
                }
            }
            Op::Sleep(seconds) => {
                sleep(Duration::from_secs(seconds)).await;
                model.end_leases(Instant::now());
            }
        }
        assert_eq!(store.revision().await.unwrap().0, model.revision());
        assert_eq!(store.compacted().0, model.compacted);
    }
    // Everything that is left is delivered, and then there is nothing.
    for watched in &mut watches {
        watched.watch.request_bookmark();
        watched.bookmark.get_or_insert(model.revision());
        while watched.bookmark.is_some() && model.revision() >= watched.from && watched.poll(&model).await {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn behaves_as_the_model(retention in prop_oneof![1..6u64, 10..40u64, Just(10_000u64)], ops in vec(op(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(retention, ops));
    }
}
