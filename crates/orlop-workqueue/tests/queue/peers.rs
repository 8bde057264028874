//! What others' queues got wrong, each as a test that would have found it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use orlop_workqueue::{Add, Exponential, Fixed, Overflow, Priority, Queue};
use tokio::time::{Instant, advance, timeout};

use crate::ms;

const LOW: Add = Add { after: Duration::ZERO, priority: Priority::LOW };

/// controller-runtime#3496, miroir#122: objects of the initial list, at low priority, were never reconciled while fresh
/// changes kept coming.
#[tokio::test(start_paused = true)]
async fn controller_runtime_3496_the_initial_list_does_not_starve() {
    let queue = Queue::new();
    queue.add_many(0..100_u32, LOW);
    let mut initial = 0;
    for fresh in 1_000_u32.. {
        // One change for each key that is worked on: the queue never gets shorter.
        queue.add(fresh);
        let ticket = queue.get().await.expect("open");
        initial += u32::from(*ticket.key() < 1_000);
        ticket.forget();
        if initial == 100 {
            break;
        }
        assert!(fresh < 20_000, "{initial} of 100 after {fresh}");
        advance(ms(10)).await;
    }
}

/// controller-runtime#3540: a hand-out over an unbuffered channel with the lock held, and a shutdown that wants the lock:
/// nobody went on.
#[test]
fn controller_runtime_3540_shutting_down_with_all_workers_parked_ends_them() {
    for drain in [false, true] {
        let queue = Queue::<u32>::new();
        let (ended, end) = std::sync::mpsc::channel();
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let (queue, ended) = (queue.clone(), ended.clone());
                std::thread::spawn(move || {
                    while let Some(ticket) = queue.get_blocking() {
                        ticket.forget();
                    }
                    let _ = ended.send(());
                })
            })
            .collect();
        let producer = std::thread::spawn({
            let queue = queue.clone();
            move || (0..).take_while(|key| queue.add(*key)).count()
        });
        while queue.metrics().adds < 100 {
            std::thread::yield_now();
        }
        if drain {
            assert!(queue.drain_blocking())
        } else {
            queue.shut_down()
        }
        for _ in &workers {
            end.recv_timeout(Duration::from_secs(30)).expect("every worker ends");
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        assert!(producer.join().unwrap() >= 100);
    }
}

/// controller-runtime PR 3415: adding waited 10 ms and more for a lock that was held while keys were handed out. Here
/// nothing waits with the lock held: keys are added while all workers are between two polls.
#[test]
fn controller_runtime_3415_adding_waits_for_no_worker() {
    let queue = Queue::new();
    let mut gets: Vec<_> = (0..4).map(|_| Box::pin(queue.get())).collect();
    let mut cx = Context::from_waker(Waker::noop());
    for get in &mut gets {
        assert!(get.as_mut().poll(&mut cx).is_pending());
    }
    // All four wait, and none of them does anything.
    assert!((0..1_000).all(|key| queue.add(key)));
    let tickets: Vec<_> = gets.iter_mut().map(|get| get.as_mut().poll(&mut cx)).collect();
    let keys: Vec<_> = tickets.iter().map(|ticket| matches!(ticket, Poll::Ready(Some(_)))).collect();
    assert_eq!(keys, [true; 4]);
}

/// controller-runtime#3363, PR 3416: a key that was added again with a lower priority, or put back after a failure, lost
/// its priority.
#[tokio::test(start_paused = true)]
async fn controller_runtime_3363_the_priority_is_kept() {
    let queue = Queue::builder().limit(Fixed(ms(5))).build();
    let high = Add { priority: Priority::HIGH, ..Add::default() };
    queue.add_with("key", high);
    queue.add_with("key", LOW);
    let ticket = queue.get().await.expect("open");
    assert_eq!(ticket.priority(), Priority::HIGH);
    ticket.retry();
    let ticket = queue.get().await.expect("open");
    assert_eq!(ticket.priority(), Priority::HIGH, "after a failure");
    queue.add_with("key", LOW);
    ticket.requeue_after(ms(1));
    let ticket = queue.get().await.expect("open");
    assert_eq!(ticket.priority(), Priority::HIGH, "added at a lower one while it was worked on");
}

/// kube#1772: a huge delay made tokio's `DelayQueue` panic.
#[tokio::test(start_paused = true)]
async fn kube_1772_huge_delays_neither_panic_nor_hold_up_others() {
    let queue = Queue::builder().limit(Fixed(Duration::MAX)).build();
    for (key, years) in [(0, 1_u64), (1, 3), (2, 100), (3, 584), (4, 600), (5, u64::MAX / 31_536_000)] {
        queue.add_after(key, Duration::from_secs(years * 31_536_000));
    }
    queue.add_rate_limited(6);
    queue.add_after(7, ms(5));
    let ticket = timeout(ms(10), queue.get()).await.expect("in time").expect("open");
    assert_eq!(*ticket.key(), 7);
    ticket.retry_after(Duration::MAX);
    let start = Instant::now();
    let ticket = queue.get().await.expect("open");
    assert_eq!((*ticket.key(), start.elapsed().as_secs() / 31_536_000), (0, 0), "a year, less what went by");
    drop(ticket);
    assert_eq!(queue.take_rest().len(), 7);
}

/// kube-runtime's scheduler: with a debounce each request restarts the wait, and a key that is asked for more often than
/// that never runs.
#[tokio::test(start_paused = true)]
async fn kube_debounce_a_key_that_is_asked_for_all_the_time_runs() {
    let queue = Queue::new();
    let start = Instant::now();
    let asking = tokio::spawn({
        let queue = queue.clone();
        async move {
            while queue.add_after("busy", ms(100)) {
                tokio::time::sleep(ms(10)).await;
            }
        }
    });
    let ticket = queue.get().await.expect("open");
    assert_eq!((*ticket.key(), start.elapsed()), ("busy", ms(100)));
    drop(ticket);
    queue.shut_down();
    asking.await.unwrap();
}

/// client-go: a key could be waiting and queued at once, and was handed out twice.
#[tokio::test(start_paused = true)]
async fn client_go_a_key_is_not_delayed_and_queued_at_once() {
    let queue = Queue::new();
    queue.add_after("key", ms(50));
    queue.add("key");
    queue.get().await.expect("open").forget();
    advance(ms(100)).await;
    assert!(queue.try_get().is_none(), "once is enough: the earlier request has covered the later");
    assert_eq!((queue.metrics().delayed, queue.metrics().adds), (0, 1));
}

/// client-go: delays that had not run out at shutdown were lost.
#[tokio::test(start_paused = true)]
async fn client_go_delays_outlive_the_shutdown() {
    for drain in [false, true] {
        let queue = Queue::new();
        queue.add_after("later", ms(500));
        queue.add("failing");
        let failing = queue.get().await.expect("open");
        if drain {
            let (drained, ()) = tokio::join!(queue.drain(), async { failing.retry_after(ms(70)) });
            assert!(drained);
        } else {
            queue.shut_down();
            failing.retry_after(ms(70));
        }
        advance(ms(20)).await;
        let rest: Vec<_> = queue.take_rest().into_iter().map(|p| (p.key, p.due_in)).collect();
        assert_eq!(rest, [("failing", ms(50)), ("later", ms(480))]);
    }
}

/// client-go: the map of failures grows with every key that ever failed and was not forgotten.
#[test]
fn client_go_failures_of_keys_that_are_gone_do_not_pile_up() {
    let queue = Queue::builder().limit(Fixed(Duration::ZERO)).remember(100).build();
    for key in 0..10_000_u32 {
        queue.add_rate_limited(key);
        queue.try_get().expect("ready").done();
    }
    let remembered = (0..10_000).filter(|key| queue.failures(key) > 0).count();
    assert_eq!((remembered, queue.failures(&9_999)), (100, 1));
}

/// client-go, `ShutDownWithDrain`: for ever if a worker forgets `Done`. A ticket cannot be forgotten: a worker that
/// panics, or whose future is dropped, finishes its key.
#[tokio::test(start_paused = true)]
async fn client_go_a_lost_worker_does_not_hold_up_the_drain() {
    let queue = Queue::new();
    queue.add_many([1, 2], Add::default());
    let stuck = tokio::spawn({
        let queue = queue.clone();
        async move {
            let _ticket = queue.get().await;
            std::future::pending::<()>().await;
        }
    });
    let panics = tokio::spawn({
        let queue = queue.clone();
        async move {
            let _ticket = queue.get().await;
            panic!("a worker's bug");
        }
    });
    assert!(panics.await.unwrap_err().is_panic());
    let drain = tokio::spawn({
        let queue = queue.clone();
        async move { queue.drain().await }
    });
    tokio::task::yield_now().await;
    assert!(!drain.is_finished());
    stuck.abort();
    assert!(timeout(ms(10), drain).await.expect("ends").unwrap());
}

/// kube-runtime: ready keys that may not run yet are in a set without order; the first may be the last.
#[tokio::test(start_paused = true)]
async fn kube_keys_come_in_the_order_in_which_they_became_ready() {
    let queue = Queue::new();
    for key in 0..100_u64 {
        if key % 2 == 0 {
            queue.add(key);
        } else {
            queue.add_after(key, ms(1 + key));
        }
    }
    advance(ms(200)).await;
    let order: Vec<_> = queue.try_get_many(100).iter().map(|ticket| *ticket.key()).collect();
    let expected: Vec<_> = (0..100).step_by(2).chain((1..100).step_by(2)).collect();
    assert_eq!(order, expected);
}

/// Limits that wait for tokens for hours still hold back only the keys that failed.
#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_empty_holds_up_no_fresh_key() {
    let limit = (Exponential::default(), orlop_workqueue::Bucket::try_new(0.001, 1).expect("valid"));
    let queue = Queue::builder().limit(limit).build();
    for key in 0..10 {
        queue.add_rate_limited(key);
    }
    queue.add(10);
    assert_eq!(queue.try_get().map(|ticket| *ticket.key()), Some(10));
}

/// A limit of the user's own, composed with another one.
#[tokio::test(start_paused = true)]
async fn a_limit_may_be_ones_own() {
    struct Counting(Arc<AtomicUsize>);
    impl orlop_workqueue::Limit<&'static str> for Counting {
        fn delay(&mut self, key: &&'static str, failures: u32, _: Duration) -> Duration {
            self.0.fetch_add(1, Ordering::Relaxed);
            if *key == "slow" { ms(1000) } else { ms(1) * failures }
        }
    }
    let asked = Arc::new(AtomicUsize::new(0));
    let queue = Queue::builder().limit((Fixed(ms(10)), Counting(asked.clone()))).build();
    let delays = ["slow", "fast", "fast"].map(|key| queue.add_rate_limited(key));
    assert_eq!(delays, [Some(ms(1000)), Some(ms(10)), Some(ms(10))]);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

/// A queue that is full drops as it was told, and counts it.
#[test]
fn what_is_dropped_is_counted() {
    let queue = Queue::builder().bound(2, Overflow::DropLowest).build();
    queue.add_with(1, LOW);
    queue.add(2);
    assert!(queue.add(3), "in the place of 1");
    assert!(!queue.add(4), "nothing is lower");
    let metrics = queue.metrics();
    assert_eq!((metrics.dropped, metrics.refused, metrics.depth), (1, 1, 2));
}
