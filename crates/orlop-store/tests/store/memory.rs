//! What the memory backend promises beyond the suite.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use orlop_store::{
    At, Codec, CodecError, Error, Format, KeyRange, MemoryStore, Page, Retention, Revision, Store, Txn,
    Typed, Update, Value, Watch,
};

fn put(key: &str) -> Txn {
    Txn::new().put(key, |revision| Value::bytes(Format::Json, revision.to_string()))
}

async fn put_now(store: &MemoryStore, key: &str) -> Revision {
    store.commit(put(key)).await.unwrap().revision
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn only_watches_that_are_concerned_wake_up() {
    let store = MemoryStore::new();
    let mut watches: Vec<(Watch, Arc<Woken>)> = (0..1000)
        .map(|number| (store.watch(&KeyRange::prefix(format!("/{number}/")), Revision::ZERO), Arc::default()))
        .collect();
    let poll = |(watch, woken): &mut (Watch, Arc<Woken>)| {
        let waker = Waker::from(woken.clone());
        watch.poll_next_unpin(&mut Context::from_waker(&waker))
    };
    assert!(watches.iter_mut().all(|watch| poll(watch).is_pending()));
    put_now(&store, "/77/a").await;
    put_now(&store, "/77/b").await;
    put_now(&store, "/1001/a").await;
    for (number, watch) in watches.iter_mut().enumerate() {
        // The second change found nobody waiting.
        assert_eq!(watch.1.0.load(Ordering::Relaxed), usize::from(number == 77));
        assert_eq!(poll(watch).is_ready(), number == 77);
    }
}

#[tokio::test]
async fn watches_share_their_batches() {
    let store = MemoryStore::new();
    let mut watches: Vec<_> =
        (0..10_000).map(|_| store.watch(&KeyRange::prefix("/pods/"), Revision::ZERO)).collect();
    let committed = store.commit(put("/pods/a")).await.unwrap();
    for watch in &mut watches {
        match watch.next().await {
            Some(Ok(Update::Batch(batch))) => assert!(Arc::ptr_eq(&batch.events, &committed.events)),
            other => panic!("{other:?}"),
        }
    }
    // And records are shared with readers.
    let record = store.get(&"/pods/a".into(), At::Latest).await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&record, &committed.events[0].record));
}

#[tokio::test]
async fn history_is_bounded() {
    let store = MemoryStore::with_retention(Retention { revisions: 100 });
    let mut slow = store.watch(&KeyRange::all(), Revision::ZERO);
    let mut elsewhere = store.watch(&KeyRange::prefix("/elsewhere/"), Revision::ZERO);
    let first = Arc::downgrade(&store.commit(put("/a")).await.unwrap().events[0].record);
    for _ in 0..500 {
        put_now(&store, "/a").await;
    }
    assert_eq!(store.compacted(), Revision(401));
    assert!(first.upgrade().is_none(), "what is compacted is freed, also if a watch has not taken it");
    assert!(matches!(
        slow.next().await,
        Some(Err(Error::Expired { requested: Revision(0), compacted: Revision(401) }))
    ));
    assert!(slow.next().await.is_none());
    // A watch that has lost nothing goes on, however old its last event is.
    assert!(elsewhere.next().now_or_never().is_none());
    let revision = put_now(&store, "/elsewhere/a").await;
    assert!(matches!(elsewhere.next().await, Some(Ok(Update::Batch(batch))) if batch.revision == revision));
}

#[tokio::test]
async fn deleted_keys_are_freed() {
    let store = MemoryStore::with_retention(Retention { revisions: 10 });
    for number in 0..1000 {
        let key = format!("/{number}");
        put_now(&store, &key).await;
        store.commit(Txn::new().delete(key)).await.unwrap();
    }
    let listing = store.list(&KeyRange::all(), At::Latest, Page::ALL).await.unwrap();
    assert!(listing.records.is_empty());
    let (record, revision) = {
        let committed = store.commit(put("/x")).await.unwrap();
        (Arc::downgrade(&committed.events[0].record), committed.revision)
    };
    store.commit(Txn::remove("/x", revision)).await.unwrap();
    assert!(record.upgrade().is_some(), "the past can still be read");
    let now = store.revision().await.unwrap();
    store.compact(now).await.unwrap();
    assert!(record.upgrade().is_none());
}

#[tokio::test]
async fn closing_ends_watches() {
    let store = MemoryStore::new();
    let mut caught_up = store.watch(&KeyRange::all(), Revision::ZERO);
    let mut behind = store.watch(&KeyRange::all(), Revision::ZERO);
    let mut future = store.watch(&KeyRange::all(), Revision(100));
    future.request_bookmark();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let cx = &mut Context::from_waker(&waker);
    put_now(&store, "/a").await;
    assert!(caught_up.next().await.is_some());
    assert!(caught_up.poll_next_unpin(cx).is_pending());
    assert!(future.poll_next_unpin(cx).is_pending());
    let other_handle = store.clone();
    drop(store);
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    drop(other_handle);
    assert!(woken.0.load(Ordering::Relaxed) >= 2);
    assert!(matches!(caught_up.poll_next_unpin(cx), Poll::Ready(None)));
    assert!(matches!(future.poll_next_unpin(cx), Poll::Ready(None)));
    assert!(matches!(behind.next().await, Some(Ok(Update::Batch(_)))), "what is left is delivered");
    assert!(behind.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_lease_task_goes_with_the_store() {
    let store = MemoryStore::new();
    store.lease(Duration::from_secs(3600)).await.unwrap();
    let metrics = tokio::runtime::Handle::current().metrics();
    assert_eq!(metrics.num_alive_tasks(), 1);
    drop(store);
    tokio::task::yield_now().await;
    assert_eq!(metrics.num_alive_tasks(), 0);
}

#[test]
fn a_lease_needs_a_runtime() {
    let lease = MemoryStore::new().lease(Duration::from_secs(1)).now_or_never().unwrap();
    assert!(matches!(lease, Err(Error::Backend { uncertain: false, .. })), "{lease:?}");
}

/// Writers, readers and watches on real threads: every watch sees every revision once, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads() {
    const WRITERS: u64 = 4;
    const WRITES: u64 = 500;
    let store = MemoryStore::new();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20_u64 {
        let store = store.clone();
        tasks.spawn(async move {
            // Some begin at once, some in the middle, some at places of their own.
            if number % 3 == 1 {
                store.reached(Revision(number * 40)).await.unwrap();
            }
            let from = if number % 3 == 2 { store.revision().await.unwrap() } else { Revision::ZERO };
            let mut watch = store.watch(&KeyRange::prefix("/k"), from);
            let mut seen = from.0;
            while seen < WRITERS * WRITES {
                if number % 4 == 0 {
                    watch.request_bookmark();
                }
                match watch.next().await.unwrap().unwrap() {
                    Update::Batch(batch) => {
                        assert_eq!(batch.revision.0, seen + 1);
                        seen += 1;
                        assert!(store.revision().await.unwrap() >= batch.revision);
                    }
                    Update::Bookmark(revision) => {
                        assert_eq!(revision.0, seen);
                        tokio::task::yield_now().await;
                    }
                }
            }
        });
    }
    for writer in 0..WRITERS {
        let store = store.clone();
        tasks.spawn(async move {
            for number in 0..WRITES {
                let revision = put_now(&store, &format!("/k{writer}/{}", number % 10)).await;
                let listing =
                    store.list(&KeyRange::all(), At::NotOlderThan(revision), Page::ALL).await.unwrap();
                assert!(listing.revision >= revision);
                assert!(listing.records.iter().all(|record| record.revision <= listing.revision));
                if number % 50 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    let all = async {
        while let Some(done) = tasks.join_next().await {
            done.unwrap()
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("everybody is done before the deadline");
}

/// A codec that counts.
#[derive(Debug, Default)]
struct Counting {
    encoded: AtomicUsize,
    decoded: AtomicUsize,
}

impl Codec for Counting {
    fn encode(
        &self,
        value: &(dyn std::any::Any + Send + Sync),
        format: Format,
    ) -> Result<bytes::Bytes, CodecError> {
        self.encoded.fetch_add(1, Ordering::Relaxed);
        match (value.downcast_ref::<u32>(), format) {
            (Some(number), Format::Json) => Ok(number.to_string().into()),
            (Some(_), Format::Protobuf) => Err(CodecError::failed(format, "not in this one")),
            (None, _) => Err(CodecError::WrongType { expected: "u32" }),
        }
    }

    fn decode(&self, bytes: &bytes::Bytes, format: Format) -> Result<Typed, CodecError> {
        self.decoded.fetch_add(1, Ordering::Relaxed);
        let text = std::str::from_utf8(bytes).map_err(|error| CodecError::failed(format, error))?;
        Ok(Arc::new(text.parse::<u32>().map_err(|error| CodecError::failed(format, error))?))
    }
}

#[test]
fn forms_are_made_once() {
    let codec = Arc::new(Counting::default());
    let number = Arc::new(7_u32);
    let value = Value::typed(number.clone(), codec.clone());
    assert!(Arc::ptr_eq(&value.get::<u32>().unwrap(), &number));
    assert_eq!((value.get::<u64>(), value.ready(Format::Json)), (None, None));
    let first = value.encoded(Format::Json).unwrap();
    let second = value.encoded(Format::Json).unwrap();
    assert_eq!((&*first, first.as_ptr()), (&b"7"[..], second.as_ptr()));
    assert_eq!(codec.encoded.load(Ordering::Relaxed), 1);
    for _ in 0..2 {
        let refused = value.encoded(Format::Protobuf).unwrap_err();
        assert_eq!(refused, CodecError::failed(Format::Protobuf, "not in this one"));
    }
    assert_eq!(codec.encoded.load(Ordering::Relaxed), 2, "a refusal is kept too");
    // A clone shares what there is.
    assert_eq!(value.clone().ready(Format::Json).unwrap().as_ptr(), first.as_ptr());
    assert_eq!(codec.decoded.load(Ordering::Relaxed), 0);
}

#[test]
fn bytes_are_decoded_once() {
    let codec = Arc::new(Counting::default());
    let value = Value::bytes(Format::Json, "12");
    assert_eq!(value.get::<u32>(), None, "getting decodes nothing");
    let first = value.decode::<u32>(&*codec).unwrap();
    assert!(Arc::ptr_eq(&first, &value.decode::<u32>(&*codec).unwrap()));
    assert!(Arc::ptr_eq(&first, &value.get::<u32>().unwrap()));
    assert_eq!((*first, codec.decoded.load(Ordering::Relaxed)), (12, 1));
    assert!(matches!(value.decode::<u64>(&*codec), Err(CodecError::WrongType { .. })));
    assert_eq!(value.encoded(Format::Protobuf), Err(CodecError::NoCodec { wanted: Format::Protobuf }));
    assert!(Value::bytes(Format::Json, "x").decode::<u32>(&*codec).is_err());
    // With a codec along, the other format can be made from the bytes.
    let value = Value::bytes_with(Format::Protobuf, "5", codec);
    assert_eq!(value.encoded(Format::Json).unwrap(), "5");
}
