//! W6 and W7: a work queue under producers and workers on threads, and a queue full of delays.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use orlop_benches::{Bench, CpuClock, Peer, pods};
use orlop_workqueue::Queue;
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime")
}

/// `adds` adds by `threads` producers of as many keys as there are, to as many workers. Answers CPU
/// time per add in nanoseconds, and how many keys were handed out.
fn producers_and_workers(keys: &[String], adds: usize, threads: usize) -> (f64, usize) {
    let runtime = runtime();
    let queue: Queue<String> = Queue::new();
    let processed = AtomicUsize::new(0);
    let start = CpuClock::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                runtime.block_on(async {
                    let mut done = 0;
                    while let Some(ticket) = queue.get().await {
                        done += 1;
                        drop(ticket);
                    }
                    processed.fetch_add(done, Ordering::Relaxed);
                });
            });
        }
        let producers: Vec<_> = (0..threads)
            .map(|first| {
                let queue = &queue;
                scope.spawn(move || {
                    for number in (first..adds).step_by(threads) {
                        assert!(queue.add(keys[number % keys.len()].clone()));
                    }
                })
            })
            .collect();
        for producer in producers {
            producer.join().expect("the producer ends");
        }
        assert!(runtime.block_on(queue.drain()), "everything is finished");
    });
    let spent = start.elapsed();
    let processed = processed.into_inner();
    assert!((keys.len()..=adds).contains(&processed), "{processed} keys were handed out");
    assert!(queue.is_empty() && queue.take_rest().is_empty());
    (spent.as_secs_f64() * 1e9 / adds as f64, processed)
}

/// Many delays that fall due within a short time. Answers CPU seconds, and how late keys were handed
/// out, sorted.
fn delays(count: usize, first: Duration, spread: u64) -> (f64, Vec<Duration>) {
    let keys: Vec<String> = (0..count).map(|i| i.to_string()).collect();
    let mut state = 88_172_645_463_325_252_u64;
    let delays: Vec<Duration> = (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            first + Duration::from_nanos(state % 2_000_000_000 * spread / 2_000_000_000)
        })
        .collect();
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let queue: Queue<String> = Queue::new();
        let mut due = vec![None; count];
        let start = CpuClock::now();
        for (i, key) in keys.iter().enumerate() {
            due[i] = Some(Instant::now() + delays[i]);
            assert!(queue.add_after(key.clone(), delays[i]));
        }
        let mut late = Vec::with_capacity(count);
        while late.len() < count {
            let ticket = queue.get().await.expect("not shut down");
            let number: usize = ticket.key().parse().expect("a number");
            let due = due[number].take().expect("each key once");
            // The queue's own moment of the add is a little later than ours.
            late.push(Instant::now().checked_duration_since(due).expect("not before its time"));
        }
        let spent = start.elapsed();
        late.sort_unstable();
        (spent.as_secs_f64(), late)
    })
}

fn main() -> std::io::Result<()> {
    let mut bench = Bench::new("workqueue");
    let adds = bench.size(100_000, 1_000_000);
    let all: Vec<String> = (0..adds).map(pods::key).collect();
    let (go, runtime, kube) = ("client-go 1.36", "controller-runtime", "kube 5.0, wall");
    for (threads, peers) in [
        (1, vec![(go, 490.0), (runtime, 2_290.0), (kube, 1_080.0)]),
        (4, vec![(go, 570.0), (runtime, 2_420.0)]),
        (16, vec![(go, 780.0), (runtime, 2_690.0)]),
    ] {
        let peers: Vec<Peer> = peers.into_iter().map(|(name, value)| Peer::recorded(name, value)).collect();
        bench.whole(&format!("W6 {adds} distinct keys, {threads} + {threads} threads"), "ns", &peers, || {
            let (cost, processed) = producers_and_workers(&all, adds, threads);
            assert_eq!(processed, adds, "each key once");
            cost
        });
    }
    let hot = &all[..1_000];
    for (threads, peers) in [
        (1, vec![(go, 49.0), (runtime, 423.0)]),
        (4, vec![(go, 96.0), (runtime, 425.0), (kube, 209.0)]),
        (16, vec![(go, 146.0), (runtime, 448.0)]),
    ] {
        let peers: Vec<Peer> = peers.into_iter().map(|(name, value)| Peer::recorded(name, value)).collect();
        let workload = format!("W6 {adds} adds of 1,000 hot keys, {threads} + {threads} threads");
        let handed_out = Arc::new(AtomicU64::new(0));
        bench.whole(&workload, "ns", &peers, || {
            let (cost, processed) = producers_and_workers(hot, adds, threads);
            handed_out.store(processed as u64, Ordering::Relaxed);
            cost
        });
        bench.row(&format!("{workload}: handed out"), handed_out.load(Ordering::Relaxed) as f64, "keys", &[]);
    }

    let (first, spread) = if bench.quick() { (500, 400_000_000) } else { (3_000, 2_000_000_000) };
    let workload = format!("W7 {adds} delays of {first} to {} ms", first + spread / 1_000_000);
    let scale = adds as f64 / 1e6;
    let peers = [(kube, 2.21), (go, 3.79), (runtime, 6.16)];
    let peers = peers.map(|(name, value)| Peer::recorded(name, value * scale));
    let mut late = Vec::new();
    bench.whole(&workload, "CPU-s", &peers, || {
        let (spent, lateness) = delays(adds, Duration::from_millis(first), spread);
        late = lateness;
        spent
    });
    for (name, part) in [("p50", 50), ("p99", 99)] {
        let late = late[late.len() * part / 100].as_secs_f64() * 1e3;
        bench.row(&format!("{workload}: lateness {name}, wall"), late, "ms", &[]);
    }
    bench.finish()
}
