//! The store in memory: get, list of 5,000, transactions, watches. The peer is etcd over gRPC on
//! loopback with its log on disk, so the figures say what being in process saves, no more.

use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use orlop_benches::{Bench, CpuClock, Peer};
use orlop_store::{
    At, Change, Expected, Format, Key, KeyRange, MemoryStore, Page, Record, Revision, Store, Txn, Update,
    Value, Watch,
};

const OBJECTS: usize = 5_000;
const WATCHERS: usize = 100;
const PUTS: usize = 500;
const PREFIX: &str = "/registry/pods/";

/// What the store in memory answers at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

fn key(i: usize) -> Key {
    Key::from(format!("{PREFIX}ns-{:03}/web-{i:05}", i % 50))
}

/// 1,000 bytes that begin with the number.
fn value(i: usize) -> Value {
    Value::bytes(Format::Json, format!("{i:<1000}"))
}

fn number(record: &Record) -> usize {
    let bytes = record.value.encoded(Format::Json).expect("it was put as JSON");
    assert_eq!(bytes.len(), 1_000);
    std::str::from_utf8(&bytes).expect("text").trim_end().parse().expect("a number")
}

fn filled() -> MemoryStore {
    let store = MemoryStore::new();
    for i in 0..OBJECTS {
        now(store.commit(Txn::create(key(i), move |_| value(i)))).expect("a new key");
    }
    store
}

fn batch(watch: &mut Watch) -> (Revision, Change) {
    match watch.next().now_or_never() {
        Some(Some(Ok(Update::Batch(batch)))) => (batch.revision, batch.events[0].change),
        other => panic!("a batch was due, not {other:?}"),
    }
}

fn main() -> std::io::Result<()> {
    let mut bench = Bench::new("store");
    let store = filled();
    let keys: Vec<Key> = (0..OBJECTS).map(key).collect();

    let mut i = 0;
    bench.each(
        "get, 5,000 keys of 1 KB",
        "ns",
        1,
        &[Peer::recorded("etcd 3.6 get, wall", 1e9 / 3_632.0)],
        || {
            i = (i + 2_741) % OBJECTS;
            now(store.get(&keys[i], At::Latest)).expect("readable").expect("there")
        },
    );
    for (i, key) in keys.iter().enumerate() {
        assert_eq!(number(&now(store.get(key, At::Latest)).unwrap().unwrap()), i);
    }

    let range = KeyRange::prefix(PREFIX);
    let list = || now(store.list(&range, At::Latest, Page::ALL)).expect("readable");
    bench.each("list of 5,000", "µs", 1, &[Peer::recorded("etcd 3.6 range, wall p50", 16_500.0)], list);
    let listing = list();
    assert_eq!((listing.records.len(), listing.remaining), (OBJECTS, 0));
    assert!(listing.records.is_sorted_by_key(|record| &record.key), "in the order of keys");

    let page =
        || now(store.list(&range, At::Latest, Page::first(500).after(keys[0].clone()))).expect("readable");
    bench.each("page of 500 within 5,000", "µs", 1, &[], page);
    assert_eq!(page().records.len(), 500);

    // Compare and swap: each put expects the revision that the one before gave the key.
    let mut revisions: Vec<Revision> = {
        let listing = list();
        let of =
            |key: &Key| listing.records.iter().find(|record| record.key == **key).expect("listed").revision;
        keys.iter().map(of).collect()
    };
    let mut i = 0;
    let peer = Peer::recorded("etcd 3.6 put, wall p50", 494.0);
    bench.each("commit, compare and swap, 1 KB", "µs", 1, &[peer], || {
        i = (i + 2_741) % OBJECTS;
        let done = now(store.commit(Txn::update(keys[i].clone(), revisions[i], move |_| value(i))))
            .expect("unchanged");
        revisions[i] = done.revision;
    });
    for (key, revision) in keys.iter().zip(&revisions) {
        assert_eq!(now(store.get(key, At::Latest)).unwrap().unwrap().revision, *revision);
    }
    let stale = Txn::update(keys[0].clone(), Revision::ZERO, |_| value(0));
    assert!(
        now(store.commit(stale)).is_err_and(|error| error.conflict().is_some()),
        "a stale put is refused"
    );

    let mut created = 0;
    let peer = Peer::recorded("etcd 3.6 create-if-absent, wall p50", 543.0);
    bench.each("commit, create if absent, 1 KB", "µs", 1, &[peer], || {
        let key = Key::from(format!("/registry/events/{created:08}"));
        created += 1;
        let txn = Txn::new().expect(key.clone(), Expected::Absent).put(key, move |_| value(created));
        now(store.commit(txn)).expect("a new key")
    });
    assert_eq!(
        now(store.list(&KeyRange::prefix("/registry/events/"), At::Latest, Page::first(0)))
            .unwrap()
            .remaining,
        created as u64
    );

    let mut watch = store.watch(&range, now(store.revision()).expect("a revision"));
    let peer = Peer::recorded("etcd 3.6 put to event, wall p50", 480.0);
    bench.each("commit to event", "µs", 1, &[peer], || {
        let done = now(store.commit(Txn::new().put(keys[7].clone(), |_| value(7)))).expect("done");
        assert_eq!(batch(&mut watch), (done.revision, Change::Updated));
    });

    fan_out(&mut bench);
    bench.finish()
}

/// 500 puts to 100 watchers, one after the other, and all at once to watchers that lag behind.
fn fan_out(bench: &mut Bench) {
    for (workload, every) in
        [("500 puts to 100 watchers, each at once", 1), ("500 puts to 100 watchers, 500 behind", PUTS)]
    {
        let peer = Peer::recorded("etcd 3.6, wall", 130_000.0);
        bench.whole(workload, "events/s", &[peer], || {
            let store: Arc<dyn Store> = Arc::new(filled());
            let from = now(store.revision()).expect("a revision");
            let range = KeyRange::prefix(PREFIX);
            let mut watches: Vec<(Watch, u64)> =
                (0..WATCHERS).map(|_| (store.watch(&range, from), from.0)).collect();
            let mut spent = Duration::ZERO;
            for first in (0..PUTS).step_by(every) {
                let start = CpuClock::now();
                for i in first..first + every {
                    now(store.commit(Txn::new().put(key(i), move |_| value(i)))).expect("done");
                }
                for (watch, seen) in &mut watches {
                    for _ in 0..every {
                        let (revision, _) = batch(watch);
                        *seen += 1;
                        assert_eq!(revision.0, *seen, "every change once, in order");
                    }
                }
                spent += start.elapsed();
            }
            assert!(
                watches.iter_mut().all(|(watch, _)| watch.next().now_or_never().is_none()),
                "nothing is left over"
            );
            (WATCHERS * PUTS) as f64 / spent.as_secs_f64()
        });
    }
}
