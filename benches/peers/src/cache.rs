//! Caches of pods, Orlop's and kube-runtime's, on the same work in one run: W2 fill, W3 modify, W4 list and get, W5
//! fan-out (in the shape that kube-runtime was measured in). CPU time of the process, alternating, the best round of each.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml --bin cache`

use std::collections::HashMap;
use std::sync::Arc;

use futures::{StreamExt, stream};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::{self, ObjectRef};
use kube::runtime::watcher::Event;
use orlop_benches::{CpuClock, pods};
use orlop_cache::{Change, Delta, Store};
use orlop_model::ObjectKey;
use orlop_model::core::v1::Pod;

type Theirs = k8s_openapi::api::core::v1::Pod;

const ROUNDS: usize = 3;

/// Microseconds of CPU time for one of so many.
fn each(start: CpuClock, count: usize) -> f64 {
    start.elapsed().as_secs_f64() * 1e6 / count as f64
}

/// Figures by workload.
type Figures = HashMap<&'static str, f64>;

fn note(figures: &mut Figures, workload: &'static str, value: f64) {
    let best = figures.entry(workload).or_insert(f64::MAX);
    *best = best.min(value);
}

fn ours(count: usize, events: usize, figures: &mut Figures) {
    let keys: Vec<ObjectKey> = (0..count).map(pods::object_key).collect();
    let all: Vec<Arc<Pod>> = (0..count).map(|i| Arc::new(pods::pod(i))).collect();
    let start = CpuClock::now();
    let (store, mut writer) = Store::<Pod>::new();
    writer.replace(all, "100000");
    note(figures, "W2 fill, no handler", each(start, count));
    assert_eq!(store.len(), count);

    let new: Vec<Arc<Pod>> = (0..events)
        .map(|e| {
            let mut pod = pods::pod(pods::touched(e, count));
            pod.metadata.resource_version = (200_000 + e).to_string().into();
            Arc::new(pod)
        })
        .collect();
    let start = CpuClock::now();
    new.into_iter().for_each(|pod| writer.apply([Change::Put(pod)]));
    note(figures, "W3 modify, no handler, old dropped", each(start, events));

    let start = CpuClock::now();
    (0..1_000).for_each(|q| assert_eq!(store.list_in(&pods::namespace(37 * q)).len(), count / 1_000));
    note(figures, "W4 list of a namespace", each(start, 1_000));
    let start = CpuClock::now();
    (0..count).for_each(|q| drop(store.get(&keys[pods::touched(q, count)]).expect("there")));
    note(figures, "W4 get by key", each(start, count));
}

fn theirs(count: usize, events: usize, figures: &mut Figures) {
    let pod = |i, revision| serde_json::from_str::<Theirs>(&pods::json(i, revision)).expect("a pod");
    let all: Vec<Theirs> = (0..count).map(|i| pod(i, i + 1)).collect();
    let refs: Vec<ObjectRef<Theirs>> = all.iter().map(ObjectRef::from_obj).collect();
    let start = CpuClock::now();
    let (store, mut writer) = reflector::store::<Theirs>();
    writer.apply_watcher_event(&Event::Init);
    all.into_iter().for_each(|pod| writer.apply_watcher_event(&Event::InitApply(pod)));
    writer.apply_watcher_event(&Event::InitDone);
    note(figures, "W2 fill, no handler", each(start, count));
    assert_eq!(store.len(), count);

    let new: Vec<Theirs> = (0..events).map(|e| pod(pods::touched(e, count), 200_000 + e)).collect();
    let start = CpuClock::now();
    new.into_iter().for_each(|pod| writer.apply_watcher_event(&Event::Apply(pod)));
    note(figures, "W3 modify, no handler, old dropped", each(start, events));

    let start = CpuClock::now();
    for q in 0..5 {
        let namespace = pods::namespace(37 * q);
        let all = store.state();
        let found = all.iter().filter(|pod| pod.metadata.namespace.as_deref() == Some(&*namespace));
        assert_eq!(found.count(), count / 1_000);
    }
    note(figures, "W4 list of a namespace", each(start, 5));
    let start = CpuClock::now();
    (0..count).for_each(|q| drop(store.get(&refs[pods::touched(q, count)]).expect("there")));
    note(figures, "W4 get by key", each(start, count));
}

/// Subscribers of W5, and what it is called with each number of them.
const FAN_OUT: [(usize, &str); 3] =
    [(0, "W5 fan-out, no subscriber"), (1, "W5 fan-out, 1 subscriber"), (10, "W5 fan-out, 10 subscribers")];

/// Objects and events of W5.
const POOL: usize = 10_000;
const APPLIED: usize = 100_000;
/// Room in kube-runtime's channel: when that is full, its subscribers have their turn.
const BUFFER: usize = 1_024;
/// Events after which Orlop's have theirs, as with an informer.
const BATCH: usize = 256;

/// Runs tasks on one thread until they have ended: who tells, and all who listen.
fn alone(run: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(run);
}

fn fan_out_ours(figures: &mut Figures) {
    let pool: Vec<Pod> = (0..POOL).map(pods::pod).collect();
    for (subscribers, workload) in FAN_OUT {
        let (store, mut writer) = Store::<Pod>::new();
        writer.replace(pool.iter().map(|pod| Arc::new(pod.clone())).collect(), "100000");
        let changes: Vec<_> = (0..subscribers).map(|_| store.subscribe()).collect();
        let pool = &pool;
        let start = CpuClock::now();
        alone(async move {
            let listen = |mut changes: orlop_cache::Subscription<Pod>| async move {
                let mut seen = 0;
                while let Some(delta) = changes.next().await {
                    seen += usize::from(matches!(delta, Delta::Modified { .. }));
                }
                assert_eq!(seen, APPLIED);
            };
            let listeners: Vec<_> =
                changes.into_iter().map(|changes| tokio::spawn(listen(changes))).collect();
            tokio::task::yield_now().await;
            for event in 0..APPLIED {
                let mut pod = pool[pods::touched(event, POOL)].clone();
                pod.metadata.resource_version = (200_000 + event).to_string().into();
                writer.apply([Change::Put(Arc::new(pod))]);
                if event % BATCH == BATCH - 1 {
                    tokio::task::yield_now().await;
                }
            }
            drop(writer);
            for listener in listeners {
                listener.await.expect("it has seen all");
            }
        });
        note(figures, workload, each(start, APPLIED));
    }
}

fn fan_out_theirs(figures: &mut Figures) {
    let pod = |i| serde_json::from_str::<Theirs>(&pods::json(i, i + 1)).expect("a pod");
    let pool: Vec<Theirs> = (0..POOL).map(pod).collect();
    for (subscribers, workload) in FAN_OUT {
        let (_store, mut writer) = reflector::store_shared::<Theirs>(BUFFER);
        writer.apply_watcher_event(&Event::Init);
        pool.iter().for_each(|pod| writer.apply_watcher_event(&Event::InitApply(pod.clone())));
        writer.apply_watcher_event(&Event::InitDone);
        let handles: Vec<_> = (0..subscribers).filter_map(|_| writer.subscribe()).collect();
        assert_eq!(handles.len(), subscribers);
        let pool = &pool;
        let start = CpuClock::now();
        alone(async move {
            let listen = |handle: reflector::ReflectHandle<Theirs>| handle.count();
            let listeners: Vec<_> = handles.into_iter().map(|handle| tokio::spawn(listen(handle))).collect();
            let events = stream::iter(0..APPLIED).map(|event| {
                let mut pod = pool[pods::touched(event, POOL)].clone();
                pod.metadata.resource_version = Some((200_000 + event).to_string());
                Ok(Event::Apply(pod))
            });
            assert_eq!(events.reflect_shared(writer).count().await, APPLIED);
            for listener in listeners {
                assert_eq!(listener.await.expect("it has seen all"), APPLIED);
            }
        });
        note(figures, workload, each(start, APPLIED));
    }
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (count, events) = if quick { (10_000, 5_000) } else { (100_000, 50_000) };
    let (mut of_ours, mut of_theirs) = (Figures::new(), Figures::new());
    for _ in 0..ROUNDS {
        ours(count, events, &mut of_ours);
        theirs(count, events, &mut of_theirs);
        fan_out_ours(&mut of_ours);
        fan_out_theirs(&mut of_theirs);
    }
    println!("{:<38} {:>10} {:>14} {:>9}", format!("µs, {count} pods"), "orlop", "kube-runtime", "ratio");
    let mut names: Vec<_> = of_ours.keys().copied().collect();
    names.sort_unstable();
    for name in names {
        let (ours, theirs) = (of_ours[name], of_theirs[name]);
        println!("{name:<38} {ours:>10.3} {theirs:>14.3} {:>8.1}x", theirs / ours);
    }
}
