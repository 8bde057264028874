//! Single promises, one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use orlop_clock::{Clock, ManualClock};
use orlop_workqueue::{Add, Fixed, Overflow, Priority, Queue};
use tokio::time::{Instant, advance, timeout};

use crate::{ms, paused};

#[tokio::test(start_paused = true)]
async fn a_delayed_key_comes_at_its_time_and_an_earlier_one_wakes_the_sleeper() {
    let queue = Queue::new();
    let start = Instant::now();
    queue.add_after("late", ms(1000));
    let worker = tokio::spawn({
        let queue = queue.clone();
        async move {
            let first = queue.get().await.map(|t| (*t.key(), start.elapsed()));
            let second = queue.get().await.map(|t| (*t.key(), start.elapsed()));
            (first, second)
        }
    });
    tokio::task::yield_now().await;
    queue.add_after("early", ms(100));
    assert_eq!(worker.await.unwrap(), (Some(("early", ms(100))), Some(("late", ms(1000)))));
}

#[tokio::test(start_paused = true)]
async fn when_the_timekeeper_is_dropped_another_keeps_the_time() {
    let queue = Queue::new();
    queue.add_after("key", ms(50));
    let mut workers: Vec<_> = (0..3)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.get().await.map(|t| *t.key()) })
        })
        .collect();
    tokio::task::yield_now().await;
    workers.remove(0).abort();
    tokio::task::yield_now().await;
    workers.remove(0).abort();
    let last = workers.remove(0);
    assert_eq!(timeout(ms(60), last).await.expect("woken in time").unwrap(), Some("key"));
}

#[tokio::test(start_paused = true)]
async fn many_due_at_once_wake_as_many_workers() {
    let queue = Queue::new();
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let ticket = queue.get().await.expect("open");
                tokio::time::sleep(ms(10)).await;
                (*ticket.key(), Instant::now())
            })
        })
        .collect();
    tokio::task::yield_now().await;
    let start = Instant::now();
    for key in 0..4 {
        queue.add_after(key, ms(20));
    }
    let mut keys = Vec::new();
    for worker in workers {
        let (key, at) = timeout(ms(1000), worker).await.expect("woken").unwrap();
        assert_eq!(at - start, ms(30), "all four worked at the same time");
        keys.push(key);
    }
    keys.sort_unstable();
    assert_eq!(keys, [0, 1, 2, 3]);
}

/// The one who keeps the time must not wake itself over and over while another is about to be woken.
#[test]
fn workers_that_wake_together_do_not_keep_each_other_awake() {
    let (done, finished) = std::sync::mpsc::channel();
    // In a thread of its own: a task that spins cannot be stopped from within its runtime.
    std::thread::spawn(move || {
        paused().block_on(async {
            let queue = Queue::new();
            let mut workers = tokio::task::JoinSet::new();
            for _ in 0..2 {
                let queue = queue.clone();
                workers.spawn(async move { while queue.get().await.is_some() {} });
            }
            queue.add_after("later", ms(1000));
            tokio::task::yield_now().await;
            // Wakes both, and the first takes both keys before the second can run.
            queue.add("one");
            queue.add("two");
            tokio::time::sleep(ms(2000)).await;
            assert_eq!(queue.metrics().adds, 3);
            queue.shut_down();
            while workers.join_next().await.is_some() {}
        });
        let _ = done.send(());
    });
    finished.recv_timeout(Duration::from_secs(30)).expect("spins");
}

#[tokio::test(start_paused = true)]
async fn low_priority_does_not_starve() {
    let queue = Queue::builder().timed().ageing(ms(100)).build();
    queue.add_with(0u32, Add { priority: Priority::LOWEST, ..Add::default() });
    for fresh in 1.. {
        queue.add_with(fresh, Add { priority: Priority::HIGHEST, ..Add::default() });
        let ticket = queue.get().await.expect("open");
        if *ticket.key() == 0 {
            break;
        }
        assert!(fresh < 2000, "starved");
        advance(ms(1)).await;
    }
    // Fifteen levels of 100 ms; without ageing it would never have come.
    let longest = queue.metrics().queue_duration.longest();
    assert!(longest >= ms(1500) && longest < ms(1600), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_panics_gives_its_key_back() {
    let queue = Queue::new();
    queue.add("key");
    let worker = tokio::spawn({
        let queue = queue.clone();
        async move {
            let _ticket = queue.get().await;
            queue.add("key");
            panic!("a worker's bug");
        }
    });
    assert!(worker.await.unwrap_err().is_panic());
    assert_eq!(timeout(ms(10), queue.get()).await.unwrap().map(|t| *t.key()), Some("key"));
}

#[tokio::test(start_paused = true)]
async fn shutting_down_ends_every_get_and_leaves_the_rest() {
    let queue = Queue::builder().limit(Fixed(ms(7))).build();
    let held = {
        queue.add("held");
        queue.get().await.expect("open")
    };
    let idle = tokio::spawn({
        let queue = queue.clone();
        async move { queue.get().await.is_none() }
    });
    tokio::task::yield_now().await;
    queue.shut_down();
    assert!(timeout(ms(1), idle).await.expect("ended at once").unwrap());
    assert!(!queue.add("new"));
    assert_eq!(queue.add_rate_limited("new"), None);
    assert!(queue.get().await.is_none());
    held.retry();
    let rest: Vec<_> = queue.take_rest().into_iter().map(|p| (p.key, p.due_in, p.failures)).collect();
    assert_eq!(rest, [("held", ms(7), 1)]);
}

#[tokio::test(start_paused = true)]
async fn draining_finishes_what_is_ready_and_keeps_what_is_delayed() {
    let queue = Queue::new();
    queue.add(1);
    queue.add_after(2, ms(5));
    queue.add(3);
    let worker = tokio::spawn({
        let queue = queue.clone();
        async move {
            let mut seen = Vec::new();
            while let Some(ticket) = queue.get().await {
                tokio::time::sleep(ms(10)).await;
                seen.push(*ticket.key());
            }
            seen
        }
    });
    tokio::task::yield_now().await;
    queue.add(1); // while it is worked on: still has to be worked on again
    assert!(queue.drain().await);
    assert!(!queue.add(4));
    assert_eq!(worker.await.unwrap(), [1, 3, 1]);
    assert_eq!(queue.take_rest().into_iter().map(|p| p.key).collect::<Vec<_>>(), [2]);
}

#[tokio::test(start_paused = true)]
async fn draining_is_cut_short_by_shutting_down() {
    let queue = Queue::new();
    queue.add(1);
    let ticket = queue.get().await;
    let drain = tokio::spawn({
        let queue = queue.clone();
        async move { queue.drain().await }
    });
    tokio::task::yield_now().await;
    assert!(!drain.is_finished(), "a key is still being worked on");
    queue.shut_down();
    assert!(!drain.await.unwrap());
    drop(ticket);
    assert!(queue.drain().await, "nothing is left");
}

#[tokio::test(start_paused = true)]
async fn a_moment_is_on_the_clock_that_was_passed_in() {
    let clock = Arc::new(ManualClock::default());
    let queue = Queue::builder().clock(clock.clone()).build();
    let start = Instant::now();
    queue.add_at("later", clock.now() + ms(30));
    queue.add_at("past", clock.now() - ms(30));
    assert_eq!(queue.get().await.map(|t| (*t.key(), start.elapsed())), Some(("past", ms(0))));
    assert_eq!(queue.get().await.map(|t| (*t.key(), start.elapsed())), Some(("later", ms(30))));
}

#[tokio::test(start_paused = true)]
async fn an_endless_delay_neither_panics_nor_fires() {
    let queue = Queue::new();
    queue.add_after("never", Duration::MAX);
    assert!(timeout(Duration::from_secs(1 << 30), queue.get()).await.is_err());
    assert_eq!(queue.take_rest().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn metrics_tell_what_happens() {
    let queue = Queue::builder().timed().build();
    queue.add(1);
    queue.add(1);
    queue.add_after(2, ms(500));
    advance(ms(100)).await;
    let ticket = queue.get().await.expect("open");
    advance(ms(40)).await;
    let during = queue.metrics();
    assert_eq!((during.depth, during.delayed, during.processing, during.adds), (0, 1, 1, 1));
    assert_eq!((during.unfinished_work, during.longest_running), (ms(40), ms(40)));
    ticket.retry();
    let after = queue.metrics();
    assert_eq!((after.retries, after.delayed, after.processing), (1, 2, 0));
    assert_eq!((after.queue_duration.sum(), after.work_duration.sum()), (ms(100), ms(40)));
}

/// Real threads: each key's last version is worked on, and by one worker at a time, though gets are dropped all along.
#[test]
fn threads_lose_nothing() {
    const KEYS: usize = 64;
    const VERSIONS: u64 = 300;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    runtime.block_on(async {
        let queue = Queue::<usize>::builder().limit(Fixed(Duration::from_micros(50))).build();
        let wanted: Arc<Vec<AtomicU64>> = Arc::new((0..KEYS).map(|_| AtomicU64::new(0)).collect());
        let seen: Arc<Vec<AtomicU64>> = Arc::new((0..KEYS).map(|_| AtomicU64::new(0)).collect());
        let busy: Arc<Vec<AtomicBool>> = Arc::new((0..KEYS).map(|_| AtomicBool::new(false)).collect());
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..4u64 {
            let (queue, wanted, seen, busy) = (queue.clone(), wanted.clone(), seen.clone(), busy.clone());
            workers.spawn(async move {
                for round in worker.. {
                    // Every few rounds with no patience: the get is dropped wherever it may be.
                    let patience = if round % 3 == 0 { Duration::ZERO } else { Duration::from_secs(30) };
                    let Ok(ticket) = timeout(patience, queue.get()).await else {
                        continue;
                    };
                    let Some(ticket) = ticket else { return };
                    let key = *ticket.key();
                    assert!(!busy[key].swap(true, Ordering::SeqCst), "two workers have {key}");
                    seen[key].store(wanted[key].load(Ordering::SeqCst), Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    busy[key].store(false, Ordering::SeqCst);
                    if round % 7 == 0 {
                        ticket.retry();
                    } else {
                        ticket.forget();
                    }
                }
            });
        }
        let mut producers = tokio::task::JoinSet::new();
        for producer in 0..4 {
            let (queue, wanted) = (queue.clone(), wanted.clone());
            producers.spawn(async move {
                for version in 0..VERSIONS {
                    for key in (producer..KEYS).step_by(4) {
                        wanted[key].fetch_add(1, Ordering::SeqCst);
                        if version % 5 == 0 {
                            queue.add_after(key, Duration::from_micros(version));
                        } else {
                            queue.add(key);
                        }
                    }
                    tokio::task::yield_now().await;
                }
            });
        }
        while let Some(done) = producers.join_next().await {
            done.unwrap();
        }
        let settled = async {
            while seen
                .iter()
                .zip(wanted.iter())
                .any(|(seen, wanted)| seen.load(Ordering::SeqCst) != wanted.load(Ordering::SeqCst))
            {
                tokio::time::sleep(ms(1)).await;
            }
        };
        timeout(Duration::from_secs(60), settled).await.expect("every key's last version is worked on");
        assert!(queue.drain().await);
        while let Some(done) = workers.join_next().await {
            done.unwrap();
        }
    });
}

/// Threads that block, and futures that are dropped, side by side.
#[test]
fn blocking_threads_and_futures_share_a_queue() {
    const KEYS: u32 = 2_000;
    let queue = Queue::<u32>::builder().bound(16, Overflow::Refuse).build();
    let seen: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let work = |ticket: orlop_workqueue::Ticket<u32>| {
        seen[*ticket.key() as usize].fetch_add(1, Ordering::Relaxed);
        ticket.forget();
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(ticket) = queue.get_blocking() {
                    work(ticket);
                }
            });
            scope.spawn(|| {
                runtime.block_on(async {
                    for round in 0_u32.. {
                        // Given up again and again.
                        let patience =
                            if round % 2 == 0 { Duration::ZERO } else { Duration::from_micros(200) };
                        match timeout(patience, queue.get_many(3)).await {
                            Ok(tickets) if tickets.is_empty() => return,
                            Ok(tickets) => tickets.into_iter().for_each(&work),
                            Err(_) => {}
                        }
                    }
                });
            });
        }
        let producers: Vec<_> = (0..2)
            .map(|part| {
                let queue = &queue;
                scope.spawn(move || {
                    for key in (part..KEYS).step_by(2) {
                        let after = if key % 5 == 0 { Duration::from_micros(50) } else { Duration::ZERO };
                        assert!(queue.add_wait_blocking(key, Add { after, ..Add::default() }));
                    }
                })
            })
            .collect();
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        while queue.metrics().delayed > 0 {
            std::thread::yield_now();
        }
        assert!(queue.drain_blocking());
    });
    assert!(seen.iter().all(|times| times.load(Ordering::Relaxed) == 1), "each key once");
}

#[tokio::test(start_paused = true)]
async fn a_few_are_taken_together_once_there_is_one() {
    let queue = Queue::new();
    assert!(queue.get_many(0).await.is_empty());
    let worker = tokio::spawn({
        let queue = queue.clone();
        async move { queue.get_many(3).await.iter().map(|ticket| *ticket.key()).collect::<Vec<_>>() }
    });
    tokio::task::yield_now().await;
    assert_eq!(queue.add_many(0..5, Add::default()), 5);
    assert_eq!(worker.await.unwrap(), [0, 1, 2]);
    assert_eq!(queue.len(), 2);
    queue.shut_down();
    assert!(queue.get_many(3).await.is_empty());
}

/// A group with a thousand keys and one with three: the three come within the first six.
#[test]
fn a_large_group_does_not_keep_a_small_one_waiting() {
    let queue = Queue::builder().fair_by(|key: &(u8, u32)| key.0).build();
    queue.add_many((0..1_000).map(|n| (0, n)), Add::default());
    queue.add_many((0..3).map(|n| (1, n)), Add::default());
    let first: Vec<_> = queue.try_get_many(6).iter().map(|ticket| *ticket.key()).collect();
    assert_eq!(first, [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]);
}

/// A long queue does things in another way, and to the same end: keys in their order, each once, higher priorities first,
/// and what comes back comes at the end.
#[test]
fn a_long_queue_keeps_the_order() {
    const LONG: u32 = 20_000;
    let queue = Queue::<u32>::new();
    for key in 0..LONG {
        assert!(queue.add(key) && queue.add_ref(&(key / 2)), "the second is in already");
        if key % 1_000 == 999 {
            assert_eq!(queue.len(), key as usize + 1);
        }
    }
    let first = queue.try_get().expect("ready");
    queue.add(LONG);
    queue.add(*first.key());
    queue.add(LONG + 1);
    queue.add_with(LONG + 2, Add { priority: Priority::HIGH, ..Add::default() });
    assert_eq!(queue.try_get().map(|ticket| *ticket.key()), Some(LONG + 2));
    queue.add(LONG + 3);
    first.forget();
    let order: Vec<_> = std::iter::from_fn(|| queue.try_get()).map(|ticket| *ticket.key()).collect();
    let expected: Vec<_> = (1..=LONG).chain([LONG + 1, LONG + 3, 0]).collect();
    assert_eq!(order, expected);
    assert_eq!(queue.metrics().adds, u64::from(LONG) + 5);
    // What was added last is there at the end too.
    queue.add_many(0..LONG, Add::default());
    queue.add(LONG);
    queue.add(LONG + 1);
    queue.shut_down();
    assert!(!queue.add(LONG + 2));
    assert_eq!(queue.take_rest().len(), LONG as usize + 2);
}
