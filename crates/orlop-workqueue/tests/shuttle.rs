//! The concurrent core under many schedules: `RUSTFLAGS='--cfg shuttle' cargo test -p orlop-workqueue --test shuttle`.
//!
//! The lock and the parking are shuttle's then, which decides at each of them who goes on. A schedule in which everybody
//! waits is a deadlock and fails the test: so a lost wake-up cannot go unseen.
#![cfg(shuttle)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use orlop_workqueue::{Add, Overflow, Queue};
use shuttle::future::block_on;
use shuttle::thread;

/// Both ways of choosing: anything at random, and few changes at bad moments. As many schedules of each as
/// `ORLOP_SCHEDULES` says, or 1,000.
fn explore(test: impl Fn() + Send + Sync + Clone + 'static) {
    let schedules = std::env::var("ORLOP_SCHEDULES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    shuttle::check_random(test.clone(), schedules);
    shuttle::check_pct(test, schedules, 3);
}

/// No ageing: nothing may depend on the time.
fn queue() -> Queue<usize> {
    Queue::builder().ageing(None).build()
}

/// Counts what is worked on, and that nobody else works on the same key.
#[derive(Default)]
struct Seen {
    times: [AtomicUsize; 4],
    busy: [AtomicUsize; 4],
}

impl Seen {
    fn work(&self, key: usize) {
        assert_eq!(self.busy[key].fetch_add(1, Ordering::SeqCst), 0, "two workers have {key}");
        thread::yield_now();
        self.times[key].fetch_add(1, Ordering::SeqCst);
        self.busy[key].fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn every_key_is_worked_on_by_one_at_a_time_and_the_drain_ends() {
    explore(|| {
        let (queue, seen) = (queue(), Arc::new(Seen::default()));
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let (queue, seen) = (queue.clone(), seen.clone());
                thread::spawn(move || {
                    while let Some(ticket) = queue.get_blocking() {
                        seen.work(*ticket.key());
                    }
                })
            })
            .collect();
        let producers: Vec<_> = (0..2)
            .map(|first| {
                let queue = queue.clone();
                thread::spawn(move || [first, 2, first].into_iter().for_each(|key| assert!(queue.add(key))))
            })
            .collect();
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        assert!(queue.drain_blocking());
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        let times = [0, 1, 2].map(|key| seen.times[key].load(Ordering::SeqCst));
        assert!(times.iter().all(|times| (1..=2).contains(times)), "{times:?}");
    });
}

/// A version that was there when a key was added is seen by whoever works on it after.
#[test]
fn a_key_added_while_it_is_worked_on_is_worked_on_again() {
    explore(|| {
        let queue = queue();
        let (wanted, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let worker = thread::spawn({
            let (queue, wanted, seen) = (queue.clone(), wanted.clone(), seen.clone());
            move || {
                while let Some(ticket) = queue.get_blocking() {
                    seen.store(wanted.load(Ordering::SeqCst), Ordering::SeqCst);
                    thread::yield_now();
                    ticket.forget();
                }
            }
        });
        for version in 1..=3 {
            wanted.store(version, Ordering::SeqCst);
            queue.add(0);
            thread::yield_now();
        }
        assert!(queue.drain_blocking());
        worker.join().unwrap();
        assert_eq!(seen.load(Ordering::SeqCst), 3);
    });
}

/// A future that was woken for a key and is dropped instead of asking for it.
#[test]
fn a_get_that_is_dropped_passes_on_what_it_was_woken_for() {
    explore(|| {
        let queue = queue();
        let fickle = thread::spawn({
            let queue = queue.clone();
            move || {
                block_on(async {
                    let mut get = Box::pin(queue.get());
                    // Asks once, and goes away whether or not it has been woken since.
                    let ticket = std::future::poll_fn(|cx| Poll::Ready(get.as_mut().poll(cx))).await;
                    thread::yield_now();
                    drop(get);
                    matches!(ticket, Poll::Ready(Some(_)))
                })
            }
        });
        let faithful = thread::spawn({
            let queue = queue.clone();
            move || usize::from(block_on(queue.get()).is_some())
        });
        queue.add(0);
        if fickle.join().unwrap() {
            queue.add(1);
        }
        assert_eq!(faithful.join().unwrap(), 1);
        assert_eq!(queue.take_rest().len(), 0);
    });
}

#[test]
fn shutting_down_ends_workers_producers_and_drains() {
    explore(|| {
        let queue = Queue::<usize>::builder().ageing(None).bound(1, Overflow::Refuse).build();
        let worker = thread::spawn({
            let queue = queue.clone();
            move || while queue.get_blocking().is_some() {}
        });
        let producer = thread::spawn({
            let queue = queue.clone();
            move || (0..3).filter(|key| queue.add_wait_blocking(*key, Add::default())).count()
        });
        let drain = thread::spawn({
            let queue = queue.clone();
            move || queue.drain_blocking()
        });
        queue.shut_down();
        worker.join().unwrap();
        drain.join().unwrap();
        assert!(producer.join().unwrap() <= 3);
        assert!(queue.take_rest().len() <= 1);
    });
}

/// A producer that waits for room, and one that gives up.
#[test]
fn room_goes_to_somebody() {
    explore(|| {
        let queue = Queue::<usize>::builder().ageing(None).bound(1, Overflow::Refuse).build();
        queue.add(0);
        let fickle = thread::spawn({
            let queue = queue.clone();
            move || {
                block_on(async {
                    let mut add = Box::pin(queue.add_wait(1, Add::default()));
                    let added = std::future::poll_fn(|cx| Poll::Ready(add.as_mut().poll(cx))).await;
                    thread::yield_now();
                    drop(add);
                    matches!(added, Poll::Ready(true))
                })
            }
        });
        let faithful = thread::spawn({
            let queue = queue.clone();
            move || queue.add_wait_blocking(2, Add::default())
        });
        let mut taken = Vec::new();
        while !taken.contains(&2) {
            taken.push(*queue.get_blocking().expect("open").key());
        }
        assert!(faithful.join().unwrap());
        if fickle.join().unwrap() && !taken.contains(&1) {
            taken.push(*queue.try_get().expect("it was added").key());
        }
        assert!(queue.try_get().is_none());
        assert_eq!(taken[0], 0);
    });
}

/// Two threads wait and two keys come: both are worked on at the same time, though one thread wakes the other.
#[test]
fn as_many_threads_as_keys_get_to_work() {
    explore(|| {
        let (queue, both) = (queue(), Arc::new(shuttle::sync::Barrier::new(2)));
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let (queue, both) = (queue.clone(), both.clone());
                thread::spawn(move || {
                    let ticket = queue.get_blocking().expect("open");
                    // Nobody gets beyond this alone.
                    both.wait();
                    ticket.forget();
                })
            })
            .collect();
        queue.add(0);
        queue.add(1);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        assert!(queue.drain_blocking());
    });
}
