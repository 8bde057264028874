//! The known defects of other caches, each as a test that would have caught it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt};
use orlop_cache::test_util::{Faults, Faulty};
use orlop_cache::{Budget, Change, Delta, Informer, Store};
use orlop_client::{Api, Client};
use orlop_clock::Random;
use orlop_model::core::v1::ConfigMap;
use tokio_util::sync::CancellationToken;

use crate::common::{View, informer, key, map, put, source, stored, told};

/// kube-rs, `ReflectHandle`: a lost wake-up when the object of a change that waits has left the store.
#[tokio::test(start_paused = true)]
async fn lost_wake_up() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    writer.replace(Vec::new(), "0");
    let mut changes = store.subscribe();
    assert!(matches!(changes.next().await, Some(Delta::Synced)));
    let waiting = tokio::spawn(async move {
        let mut names = Vec::new();
        while let Some(delta) = changes.next().await {
            names.push(format!("{delta:?}"));
            if names.len() == 3 {
                break;
            }
        }
        names
    });
    tokio::task::yield_now().await;
    writer.apply([put(&stored("ns", "a", 1))]);
    writer.apply([Change::Delete(stored("ns", "a", 2))]);
    writer.apply([put(&stored("ns", "b", 3))]);
    let told = tokio::time::timeout(Duration::from_millis(1), waiting).await.expect("told at once").unwrap();
    assert_eq!(told, ["Added(ns/a@1)", "Deleted(ns/a@2)", "Added(ns/b@3)"]);
}

/// kube-rs, shared streams: deletions are not sent, late subscribers are not told what there is.
#[test]
fn deletions_and_late_subscribers() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    writer.replace(vec![stored("ns", "a", 1)], "1");
    let mut early = store.subscribe();
    told(&mut early);
    writer.apply([put(&stored("ns", "b", 2)), Change::Delete(stored("ns", "a", 3))]);
    let mut late = store.subscribe();
    assert_eq!(told(&mut early), ["Added(ns/b@2)", "Deleted(ns/a@3)"]);
    assert_eq!(told(&mut late), ["Added(ns/b@2, initial)", "Synced"]);
}

/// kube-rs: deletions that were missed in a gap vanish without a word. Elsewhere they come as untyped tombstones.
#[tokio::test(start_paused = true)]
async fn deletions_in_a_gap() {
    let source = source();
    source.put(map("ns", "a", ""));
    let b = source.put(map("ns", "b", ""));
    let faulty = Faulty::new(source.clone(), Random::new(1));
    let client: Arc<dyn Client> = faulty.clone();
    let informer = Informer::builder(Api::<ConfigMap>::all(client)).build();
    let store = informer.store().clone();
    let mut changes = store.subscribe();
    let _running = informer.spawn(CancellationToken::new());
    assert!(store.wait_for("3").await);
    told(&mut changes);
    // The watch cannot be begun again until the history is gone.
    faulty.set(Faults { watch_fails: 1.0, list_fails: 1.0, ..Faults::default() });
    source.restart();
    tokio::time::sleep(Duration::from_millis(100)).await;
    source.delete(&key("ns", "a"));
    source.delete(&key("ns", "b"));
    let other = source.put(map("ns", "b", "")); // another object of the same name
    source.compact();
    faulty.set(Faults::default());
    assert!(store.wait_for(&source.revision().to_string()).await);
    assert_ne!(b.metadata.uid, other.metadata.uid);
    assert_eq!(told(&mut changes), ["Deleted(ns/a@2, missed)", "Deleted(ns/b@3, missed)", "Added(ns/b@6)"]);
}

/// client-go: one handler that stalls makes memory grow without bounds. kube-rs: it stops the store.
#[test]
fn a_slow_subscriber_stops_nobody_and_keeps_little() {
    const LOG: usize = 256;
    let (store, mut writer) = Store::<ConfigMap>::with_log(LOG);
    writer.replace((0..10).map(|i| stored("ns", &i.to_string(), i + 1)).collect(), "10");
    let (mut stalled, mut other) = (store.subscribe(), store.subscribe());
    let (mut view, mut seen) = (View::default(), 0);
    view.hear_all(&mut stalled).unwrap();
    told(&mut other);
    let mut held = Vec::new();
    for revision in 100..20_000_u64 {
        let object = stored("ns", &(revision % 10).to_string(), revision);
        held.push(Arc::downgrade(&object));
        writer.apply([Change::Put(object)]);
        while other.try_next().is_some() {
            seen += 1;
        }
        assert!(stalled.behind() <= LOG);
    }
    assert_eq!(seen, 19_900, "the others hear everything");
    let alive = held.iter().filter(|object| object.strong_count() > 0).count();
    assert!(alive <= LOG + 2 * 10 + 1, "{alive} states are kept");
    view.hear_all(&mut stalled).unwrap();
    assert!(view.objects.into_values().eq(store.list()));
    drop(stalled);
    let alive = held.iter().filter(|object| object.strong_count() > 0).count();
    assert_eq!(alive, 10);
}

/// client-go (kubernetes#130767): whoever lists everything in a loop starves the writer.
#[test]
fn long_lists_beside_a_writer() {
    const OBJECTS: u64 = 50_000;
    let (store, mut writer) = Store::<ConfigMap>::new();
    let objects = (0..OBJECTS).map(|i| stored(&format!("ns-{}", i % 3), &i.to_string(), i + 1));
    writer.replace(objects.collect(), OBJECTS.to_string());
    let mut revision = OBJECTS;
    let mut slowest = |writes: u64| {
        let mut took: Vec<_> = (0..writes)
            .map(|_| {
                revision += 1;
                let object = stored(
                    &format!("ns-{}", revision % OBJECTS % 3),
                    &(revision % OBJECTS).to_string(),
                    revision,
                );
                let start = Instant::now();
                writer.apply([Change::Put(object)]);
                took_at_least(start)
            })
            .collect();
        took.sort_unstable();
        took[took.len() * 99 / 100]
    };
    let list_takes = {
        let start = Instant::now();
        assert_eq!(store.list().len() as u64, OBJECTS);
        start.elapsed()
    };
    let stop = std::sync::atomic::AtomicBool::new(false);
    let beside = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut lists = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                assert_eq!(store.list().len() as u64, OBJECTS);
                assert!(store.list_in("ns-1").len() as u64 >= OBJECTS / 3);
                lists += 1;
            }
            lists
        });
        let beside = slowest(3_000);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.join().expect("it listed") > 0);
        beside
    });
    // With a lock held while a list is made, a write would wait for as long as one takes.
    assert!(beside < list_takes / 4, "a write took {beside:?} beside lists of {list_takes:?}");
}

fn took_at_least(start: Instant) -> Duration {
    start.elapsed()
}

/// kube-rs: a streaming list begins at "0" again after 410, and may show an older state than was seen.
#[tokio::test(start_paused = true)]
async fn time_travel_at_a_relist() {
    for streaming in [true, false] {
        let source = source();
        let client: Arc<dyn Client> = source.clone();
        let informer = Informer::builder(Api::<ConfigMap>::all(client)).streaming(streaming).build();
        let store = informer.store().clone();
        let _running = informer.spawn(CancellationToken::new());
        let mut revision = 0;
        for round in 1..40_u64 {
            source.put(map("ns", "a", &round.to_string()));
            assert!(store.wait_for(&source.revision().to_string()).await);
            source.lag(0.7);
            source.put(map("ns", "b", &round.to_string()));
            source.compact();
            source.restart();
            for _ in 0..50 {
                let now = store.revision().parse().expect("a number");
                assert!(revision <= now, "back from {revision} to {now}");
                revision = now;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            source.lag(0.0);
        }
        let asked = source.asked();
        assert!(!asked.iter().skip(1).any(|asked| asked.contains("\"0\"")), "{asked:?}");
    }
}

/// All informers of a process list at once when a server comes back.
#[tokio::test(start_paused = true)]
async fn herd_of_relists() {
    let budget = Budget::new(3);
    let source = source();
    (0..20).for_each(|i| drop(source.put(map("ns", &i.to_string(), ""))));
    let faulty = Faulty::new(source.clone(), Random::new(1));
    // Each list takes a while.
    faulty.set(Faults { delays: 1.0, delay: Duration::from_secs(2), ..Faults::default() });
    let client: Arc<dyn Client> = faulty.clone();
    let stores: Vec<_> = (0..30)
        .map(|i| {
            let api = Api::<ConfigMap>::all(client.clone());
            let informer = Informer::builder(api).budget(&budget).random(Random::new(i)).build();
            (informer.store().clone(), informer.spawn(CancellationToken::new()))
        })
        .collect();
    let mut seen_full = false;
    while !stores.iter().all(|(store, _)| store.is_synced()) {
        seen_full |= budget.free() == 0;
        let asked = source.asked().len();
        let synced = stores.iter().filter(|(store, _)| store.is_synced()).count();
        assert!(asked <= synced + 3, "{asked} lists were begun, {synced} are done");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(seen_full);
    assert_eq!(budget.free(), 3);
}

/// A watch that hangs, or a list that is never answered, is noticed.
#[tokio::test(start_paused = true)]
async fn a_source_that_falls_silent() {
    let source = source();
    let faulty = Faulty::new(source.clone(), Random::new(1));
    faulty.set(Faults { hangs: 1.0, list_hangs: 1.0, ..Faults::default() });
    let client: Arc<dyn Client> = faulty.clone();
    let informer = Informer::builder(Api::<ConfigMap>::all(client)).build();
    let store = informer.store().clone();
    let _running = informer.spawn(CancellationToken::new());
    tokio::time::sleep(Duration::from_secs(30)).await;
    faulty.set(Faults::default());
    let began = tokio::time::Instant::now();
    assert!(store.synced().await);
    assert!(began.elapsed() <= Duration::from_secs(120), "{:?}", began.elapsed());

    faulty.set(Faults { hangs: 1.0, ..Faults::default() });
    source.put(map("ns", "a", "")); // still comes: the watch waits for it already
    assert!(store.wait_for("2").await);
    source.put(map("ns", "b", ""));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(store.len(), 1, "now it hangs");
    faulty.set(Faults::default());
    let began = tokio::time::Instant::now();
    assert!(store.wait_for("3").await);
    assert!(began.elapsed() <= Duration::from_secs(600), "{:?}", began.elapsed());
}

/// A relist of what is known keeps the objects that are held, and no second copy.
#[test]
fn memory_at_a_relist() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let page =
        |from: u64| (from..from + 100).map(|i| stored("ns", &i.to_string(), i + 1)).collect::<Vec<_>>();
    let mut relist = writer.relist();
    (0..10).for_each(|n| relist.page(page(n * 100)));
    relist.commit("1000");
    let held: Vec<_> = store.list().iter().map(Arc::as_ptr).collect();
    let mut relist = writer.relist();
    for n in 0..10 {
        let page = page(n * 100);
        let copies: Vec<_> = page.iter().map(Arc::downgrade).collect();
        relist.page(page);
        assert!(copies.iter().all(|copy| copy.strong_count() == 0), "dropped as they come");
    }
    relist.commit("1000");
    assert!(store.list().iter().map(Arc::as_ptr).eq(held));
}

/// Read-your-writes: the base of it is that bookmarks move the store's revision, too.
#[tokio::test(start_paused = true)]
async fn stale_reads() {
    let source = source();
    source.put(map("ns", "a", ""));
    let informer = informer(&source);
    let store = informer.store().clone();
    let _running = informer.spawn(CancellationToken::new());
    let mine = source.put(map("ns", "a", "mine"));
    assert_eq!(store.has(&mine.metadata.resource_version), Some(false));
    assert!(store.wait_for(&mine.metadata.resource_version).await);
    assert_eq!(store.get(&key("ns", "a")), Some(mine));
    assert!(store.wait_for("4").now_or_never().is_none(), "what is not there yet is waited for");
}

/// fake clientsets: a deletion that carries an old resourceVersion would hide what comes after it, or be hidden.
#[test]
fn deletions_carry_their_own_revision() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    writer.replace(vec![stored("ns", "a", 1), stored("ns", "b", 2)], "2");
    writer.apply([Change::Delete(stored("ns", "a", 3))]);
    assert_eq!(store.revision(), "3");
    // Repeated, and late: passed over.
    writer.apply([put(&stored("ns", "a", 1)), Change::Delete(stored("ns", "b", 1))]);
    assert_eq!((store.len(), store.revision()), (1, "3".into()));
}
