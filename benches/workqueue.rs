//! W6 and W7: a work queue under producers and workers on threads, and a queue full of delays.
//!
//! Keys are the strings that controllers have: a copy shares the text, as in Go. A worker is a thread that gets a key,
//! finishes it, counts it, and gets the next.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use orlop_benches::{Bench, CpuClock, Peer, pods};
use orlop_model::Str;
use orlop_workqueue::Queue;
use tokio::runtime::Builder;

/// What a key that is taken and finished may cost, where what a duplicate costs is wanted.
const TAKEN: f64 = 250.0;

/// `adds` adds by `threads` producers of as many keys as there are, to as many workers. Answers CPU
/// time per add in nanoseconds, and how many keys were handed out.
fn producers_and_workers(keys: &[Str], adds: usize, threads: usize) -> (f64, usize) {
    let queue: Queue<Str> = Queue::new();
    let processed = AtomicUsize::new(0);
    let start = CpuClock::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut done = 0;
                while let Some(ticket) = queue.get_blocking() {
                    ticket.done();
                    done += 1;
                }
                processed.fetch_add(done, Ordering::Relaxed);
            });
        }
        let producers: Vec<_> = (0..threads)
            .map(|first| {
                let queue = &queue;
                scope.spawn(move || {
                    for number in (first..adds).step_by(threads) {
                        assert!(queue.add_ref(&keys[number % keys.len()]));
                    }
                })
            })
            .collect();
        for producer in producers {
            producer.join().expect("the producer ends");
        }
        assert!(queue.drain_blocking(), "everything is finished");
    });
    let spent = start.elapsed();
    let processed = processed.into_inner();
    assert!((keys.len()..=adds).contains(&processed), "{processed} keys were handed out");
    assert!(queue.is_empty() && queue.take_rest().is_empty());
    (spent.as_secs_f64() * 1e9 / adds as f64, processed)
}

/// Keys with delays that fall due within a short time.
fn delays(count: usize, first: Duration, spread: u64) -> Vec<(Str, Duration)> {
    let mut state = 88_172_645_463_325_252_u64;
    (0..count)
        .map(|i| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (
                i.to_string().into(),
                first + Duration::from_nanos(state % 2_000_000_000 * spread / 2_000_000_000),
            )
        })
        .collect()
}

/// Adds them all, then takes and finishes them as they fall due. Answers CPU seconds, and how late keys
/// were handed out, sorted.
fn fire(delays: &[(Str, Duration)]) -> (f64, Vec<Duration>) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let queue: Queue<Str> = Queue::new();
        let begin = Instant::now();
        // In the order in which they come: to write all over the memory would be work that is not the queue's.
        let mut taken = vec![(usize::MAX, Duration::MAX); delays.len()];
        let start = CpuClock::now();
        for (key, delay) in delays {
            assert!(queue.add_after(key.clone(), *delay));
        }
        let added = begin.elapsed();
        for taken in &mut taken {
            let ticket = queue.get().await.expect("not shut down");
            let number: usize = ticket.key().parse().expect("a number");
            *taken = (number, begin.elapsed());
            ticket.done();
        }
        let spent = start.elapsed();
        // Added one after the other, evenly enough.
        let due = |i: usize| delays[i].1 + added.mul_f64(i as f64 / delays.len() as f64);
        let mut late: Vec<_> = taken.iter().map(|(i, taken)| taken.saturating_sub(due(*i))).collect();
        late.sort_unstable();
        (spent.as_secs_f64(), late)
    })
}

/// Bytes that each timer takes besides its key, which is 16 bytes and has no text elsewhere.
fn memory(delays: &[(Str, Duration)]) -> f64 {
    let mut queue = None;
    let allocated = allocation_counter::measure(|| {
        let queue = queue.insert(Queue::new());
        for (key, delay) in delays {
            queue.add_after(key.clone(), *delay);
        }
    });
    assert_eq!(queue.map(|queue| queue.metrics().delayed), Some(delays.len()));
    allocated.bytes_current as f64 / delays.len() as f64 - size_of::<Str>() as f64
}

fn main() -> std::io::Result<()> {
    let mut bench = Bench::new("workqueue");
    let adds = bench.size(100_000, 1_000_000);
    let all: Vec<Str> = (0..adds).map(|i| pods::key(i).into()).collect();
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
        let mut runs = Vec::new();
        bench.whole(&workload, "ns", &peers, || {
            runs.push(producers_and_workers(hot, adds, threads));
            runs.last().map_or(f64::NAN, |(cost, _)| *cost)
        });
        // Of the run that counts.
        runs.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (cost, handed_out) = runs[runs.len() / 2];
        let taken = handed_out as f64;
        bench.row(&format!("{workload}: handed out"), taken, "keys", &[]);
        let duplicate = (cost * adds as f64 - TAKEN * taken) / (adds as f64 - taken);
        bench.row(
            &format!("{workload}: per duplicate, with {TAKEN} ns for each taken"),
            duplicate,
            "ns",
            &[],
        );
    }

    let (first, spread) = if bench.quick() { (500, 400_000_000) } else { (3_000, 2_000_000_000) };
    let workload = format!("W7 {adds} delays of {first} to {} ms", first + spread / 1_000_000);
    let scale = adds as f64 / 1e6;
    let peers = [(kube, 2.21), (go, 3.79), (runtime, 6.16)];
    let peers = peers.map(|(name, value)| Peer::recorded(name, value * scale));
    let timers = delays(adds, Duration::from_millis(first), spread);
    let mut late = Vec::new();
    bench.whole(&workload, "CPU-s", &peers, || {
        let (spent, lateness) = fire(&timers);
        late = lateness;
        spent
    });
    for (name, part) in [("p50", 50), ("p99", 99)] {
        let late = late[late.len() * part / 100].as_secs_f64() * 1e3;
        bench.row(&format!("{workload}: lateness {name}, wall"), late, "ms", &[]);
    }
    let peers = [Peer::recorded("kube 5.0, with the key", 266.0)];
    bench.row(&format!("{workload}: memory of each besides its key"), memory(&timers), "B", &peers);
    bench.finish()
}
