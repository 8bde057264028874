//! W1 to W5: decoding pods, and a cache of them: filling it, changing it, asking it, telling of it. For its memory see
//! `cache_memory.rs`.

use std::sync::Arc;
use std::time::Duration;

use orlop_benches::{Bench, CpuClock, Peer, pods};
use orlop_cache::{Change, Delta, Store, Subscription, Writer};
use orlop_model::ObjectKey;
use orlop_model::core::v1::Pod;
use orlop_model::selector::Selector;

/// Events that are under way between the source and the cache: as many as the queue between the peer's holds.
const QUEUE: usize = 100;

/// Takes all that a handler has not seen yet; counts how many objects that were. A single handler is given the changes one
/// by one; several read the same batches, as client-go's read the same objects.
fn drain(handlers: &mut [Subscription<Pod>], seen: &mut [usize]) {
    let counts = |delta: &Delta<Pod>| usize::from(!matches!(delta, Delta::Synced));
    if let [handler] = handlers {
        while let Some(delta) = handler.try_next() {
            seen[0] += counts(&delta);
        }
        return;
    }
    for (handler, seen) in handlers.iter_mut().zip(seen) {
        while let Some(batch) = handler.try_next_batch() {
            *seen += batch.iter().map(counts).sum::<usize>();
        }
    }
}

/// A cache that these pods have been put into, with its handlers, and the time that took.
fn fill(pods: Vec<Arc<Pod>>, handlers: usize) -> (Writer<Pod>, Vec<Subscription<Pod>>, Duration) {
    let count = pods.len();
    let (store, mut writer) = Store::new();
    let mut seen = vec![0; handlers];
    let start = CpuClock::now();
    let mut handlers: Vec<_> = (0..handlers).map(|_| store.subscribe()).collect();
    writer.replace(pods, "100000");
    drain(&mut handlers, &mut seen);
    let spent = start.elapsed();
    assert!(store.is_synced() && store.len() == count);
    assert!(seen.iter().all(|seen| *seen == count), "each handler has seen each pod once: {seen:?}");
    (writer, handlers, spent)
}

/// What becomes of the old states.
#[derive(Clone, Copy, PartialEq)]
enum Old {
    /// Kept for later, so that only the cache's own work counts.
    Kept,
    /// Dropped by the last handler, within the timing, as kube's.
    Dropped,
}

/// `events` modifications of a full cache; answers the time of one in microseconds. The new object is a clone of the one
/// that is held, made outside of the timing, as the peers' were (client-go's is a shallow copy), `ahead` events before the
/// cache has it: client-go's were made by the producer at the other end of the [`QUEUE`], kube's were all in a pool. What
/// is in the queue is applied at once, as by the informer.
///
/// That distance decides what the drop of the old object costs. It is 33 blocks of memory, and what a clone has read a
/// hundred events ago is still in the processor's second cache, while that of a pool comes from memory block by block.
/// The cache adds next to nothing to that: the same drops without a cache take as long. Of them a fifth to a half is
/// spent in glibc's `free`, which looks at a block's neighbours to join them (with `glibc.malloc.tcache_count=1000` in
/// `GLIBC_TUNABLES`, or with huge pages, `glibc.malloc.hugetlb=1`, a drop takes a third less, with both half).
fn modify(
    writer: &mut Writer<Pod>,
    handlers: &mut [Subscription<Pod>],
    keys: &[ObjectKey],
    events: usize,
    ahead: usize,
    old: Old,
) -> f64 {
    let store = writer.store().clone();
    let mut seen = vec![0; handlers.len()];
    let mut spent = Duration::ZERO;
    let mut last = vec![None; keys.len()];
    let base = store.revision().parse::<usize>().expect("a number").max(200_000);
    for first in (0..events).step_by(ahead) {
        let numbers = first..(first + ahead).min(events);
        let mut kept = Vec::new();
        let new: Vec<Arc<Pod>> = numbers
            .map(|e| {
                let which = pods::touched(e, keys.len());
                last[which] = Some(base + e);
                let held = store.get(&keys[which]).expect("there");
                let mut pod = Pod::clone(&held);
                if old == Old::Kept {
                    kept.push(held);
                }
                pod.metadata.resource_version = (base + e).to_string().into();
                Arc::new(pod)
            })
            .collect();
        let start = CpuClock::now();
        let mut new = new.into_iter();
        while new.len() > 0 {
            writer.apply(new.by_ref().take(QUEUE).map(Change::Put));
            drain(handlers, &mut seen);
        }
        spent += start.elapsed();
        drop(kept);
    }
    assert!(seen.iter().all(|seen| *seen == events), "each handler has seen each change: {seen:?}");
    for (key, last) in keys.iter().zip(last) {
        if let Some(last) = last {
            assert_eq!(store.get(key).expect("there").metadata.resource_version, last.to_string().as_str());
        }
    }
    spent.as_secs_f64() * 1e6 / events as f64
}

fn main() -> std::io::Result<()> {
    let mut bench = Bench::new("cache");
    let count = bench.size(10_000, 100_000);
    let named = |workload: &str| format!("{workload}, {count} pods");

    let bodies: Vec<String> = (0..count.min(10_000)).map(|i| pods::json(i, i + 1)).collect();
    let peers = [Peer::recorded("client-go 1.36", 64.5), Peer::recorded("kube 5.0", 13.7)];
    bench.whole("W1 decode single JSON, 10,000 pods", "µs", &peers, || {
        let start = CpuClock::now();
        for body in &bodies {
            drop(std::hint::black_box(orlop_model::json::from_slice::<Pod>(body.as_bytes()).expect("a pod")));
        }
        start.elapsed().as_secs_f64() * 1e6 / bodies.len() as f64
    });
    drop(bodies);

    let keys: Vec<ObjectKey> = (0..count).map(pods::object_key).collect();
    let decoded = || (0..count).map(|i| Arc::new(pods::pod(i))).collect::<Vec<_>>();
    let all = decoded();

    for (handlers, peers) in [
        (1, vec![Peer::recorded("client-go 1.36", 3.8), Peer::recorded("kube 5.0, no handler", 10.9)]),
        (10, vec![Peer::recorded("client-go 1.36", 7.0)]),
    ] {
        bench.whole(&format!("{}, handlers: {handlers}", named("W2 fill")), "µs", &peers, || {
            let (_writer, _handlers, spent) = fill(all.clone(), handlers);
            spent.as_secs_f64() * 1e6 / count as f64
        });
    }
    drop(all);

    // A million in three runs, of which the median counts.
    let events = bench.size(20_000, 334_000);
    {
        let (mut writer, mut handlers, _) = fill(decoded(), 1);
        let own = [Peer::recorded("client-go 1.36", 6.3)];
        let with_drop = [own[0], Peer::recorded("kube 5.0, store only", 16.0)];
        let raw = [Peer::recorded("client-go 1.36, raw store", 3.8)];
        let pool = events.min(200_000);
        for (what, events, ahead, old, peers) in [
            ("handlers: 1, without the drop of the old", events, QUEUE, Old::Kept, &own[..]),
            ("handlers: 1, with the drop", events, QUEUE, Old::Dropped, &with_drop),
            ("handlers: 1, with the drop, from a pool", pool, pool, Old::Dropped, &with_drop),
        ] {
            bench.whole(&format!("{}, {what}", named("W3 modify")), "µs", peers, || {
                modify(&mut writer, &mut handlers, &keys, events, ahead, old)
            });
        }
        let workload = format!("{}, handlers: 0, without the drop", named("W3 modify"));
        bench.whole(&workload, "µs", &raw, || modify(&mut writer, &mut [], &keys, events, QUEUE, Old::Kept));
        lookups(&mut bench, writer.store(), &keys);
    }
    {
        let (mut writer, mut handlers, _) = fill(decoded(), 10);
        let peers = [Peer::recorded("client-go 1.36", 10.7), Peer::recorded("kube 5.0, with a clone", 26.8)];
        let workload = format!("{}, handlers: 10", named("W5 fan-out"));
        bench.whole(&workload, "µs", &peers, || {
            modify(&mut writer, &mut handlers, &keys, events, QUEUE, Old::Dropped)
        });
        // One more, who never takes anything.
        let stalled = writer.store().subscribe();
        let workload = format!("{}, handlers: 10, and one that is stalled", named("W5 fan-out"));
        bench.whole(&workload, "µs", &peers, || {
            modify(&mut writer, &mut handlers, &keys, events, QUEUE, Old::Dropped)
        });
        assert!(stalled.behind() <= 4_096, "{} changes wait for it", stalled.behind());
    }
    bench.finish()
}

/// W4: questions to a full cache.
fn lookups(bench: &mut Bench, store: &Store<Pod>, keys: &[ObjectKey]) {
    let namespaces: Vec<String> = (0..1_000).map(pods::namespace).collect();
    let in_namespace = keys.len() / 1_000;
    let mut q = 0;
    // The peers' figures are for 100 pods in a namespace; a quick run has fewer.
    let peers = [Peer::recorded("client-go 1.36", 15.6), Peer::recorded("kube 5.0", 7_960.0)];
    let peers = if in_namespace == 100 { &peers[..] } else { &[] };
    let named = format!("W4 list of a namespace of {in_namespace}, among {}", keys.len());
    bench.each(&named, "µs", 1, peers, || {
        q = (q + 1) % 1_000;
        let found = store.list_in(&namespaces[q]);
        assert_eq!(found.len(), in_namespace);
        found
    });
    // As client-go's: references, from which nobody has looked at an object yet. (The list above counts itself among the
    // holders of each object, and so has to look at each.)
    let mut q = 0;
    bench.each(&format!("{named}, as references"), "µs", 1, peers, || {
        q = (q + 1) % 1_000;
        let snapshot = store.snapshot();
        let found: Vec<&Arc<Pod>> = snapshot.iter_in(&namespaces[q]).collect();
        assert_eq!(found.len(), in_namespace);
        std::hint::black_box(found).len()
    });
    let mut q = 0;
    let peers = [Peer::recorded("client-go 1.36", 100.0), Peer::recorded("kube 5.0", 477.0)];
    bench.each(&format!("W4 get by key, among {}", keys.len()), "ns", 1, &peers, || {
        q += 1;
        store.get(&keys[pods::touched(q, keys.len())]).expect("there")
    });
    for (i, key) in keys.iter().enumerate().step_by(97) {
        assert_eq!(store.get(key).expect("there").metadata.name, pods::name(i).as_str());
    }
    let web: Selector = Selector::parse("app=web-77").expect("a selector");
    let peers = [Peer::recorded("client-go 1.36, 100,000", 40_000.0 * keys.len() as f64 / 100_000.0)];
    let select = |found: Vec<Arc<Pod>>| {
        assert_eq!(found.len(), 10);
        found
    };
    bench.each(&format!("W4 list by label, among {}", keys.len()), "µs", 1, &peers, || {
        select(store.select(None, &web))
    });
    let by_app = store.label_index("app");
    bench.each(&format!("W4 list by an indexed label, among {}", keys.len()), "µs", 1, &peers, || {
        select(store.select(None, &web))
    });
    drop(by_app);
}
