//! The queue against a specification model, and its waiting side: nothing lost, nobody asleep while there is work.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use orlop_clock::{Clock, ManualClock};
use orlop_workqueue::{Add, Exponential, Fixed, Priority, Queue, Ticket};
use proptest::prelude::*;
use tokio::time::{Instant, advance, timeout};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

// ── The specification: lists that are searched, no cleverness ──────────────────────────────────────────────────────

const AGEING: Duration = ms(40);

#[derive(Debug, Default)]
struct Model {
    now: Duration,
    ready: Vec<Waiting>,
    delayed: Vec<Waiting>,
    processing: BTreeMap<u8, Option<(Duration, Priority)>>,
    handed_out: BTreeMap<u8, Priority>,
    failures: BTreeMap<u8, u32>,
}

#[derive(Clone, Debug)]
struct Waiting {
    key: u8,
    priority: Priority,
    /// When it became ready, or will.
    at: Duration,
}

impl Model {
    fn add(&mut self, key: u8, due: Duration, priority: Priority) {
        if let Some(again) = self.processing.get_mut(&key) {
            let (old_due, old_priority) = again.unwrap_or((due, priority));
            *again = Some((old_due.min(due), old_priority.max(priority)));
        } else if let Some(at) = self.ready.iter().position(|w| w.key == key) {
            if priority > self.ready[at].priority {
                self.ready.remove(at);
                self.ready.push(Waiting { key, priority, at: self.now });
            }
        } else if let Some(at) = self.delayed.iter().position(|w| w.key == key) {
            let priority = self.delayed[at].priority.max(priority);
            if due < self.delayed[at].at {
                self.delayed.remove(at);
                self.place(key, due, priority);
            } else {
                self.delayed[at].priority = priority;
            }
        } else {
            self.place(key, due, priority);
        }
    }

    fn place(&mut self, key: u8, due: Duration, priority: Priority) {
        if due <= self.now {
            self.ready.push(Waiting { key, priority, at: self.now });
        } else {
            self.delayed.push(Waiting { key, priority, at: due });
        }
    }

    fn advance(&mut self, by: Duration) {
        self.now += by;
        self.delayed.sort_by_key(|w| w.at); // stable: equal times in the order of adding
        let due = self.delayed.iter().take_while(|w| w.at <= self.now).count();
        for w in self.delayed.drain(..due) {
            self.ready.push(Waiting { at: self.now, ..w });
        }
    }

    fn get(&mut self) -> Option<u8> {
        let rank = |w: &Waiting| {
            let climbed = (self.now - w.at).as_nanos() / AGEING.as_nanos();
            (u128::from(w.priority.level()) + climbed, std::cmp::Reverse(w.at), w.priority)
        };
        let best = self.ready.iter().map(rank).max()?;
        let at = self.ready.iter().position(|w| rank(w) == best)?;
        let w = self.ready.remove(at);
        self.processing.insert(w.key, None);
        self.handed_out.insert(w.key, w.priority);
        Some(w.key)
    }

    fn finish(&mut self, key: u8) {
        if let Some((due, priority)) = self.processing.remove(&key).expect("handed out") {
            self.place(key, due, priority);
        }
    }

    fn fail(&mut self, key: u8) -> u32 {
        let failures = self.failures.entry(key).or_default();
        *failures += 1;
        *failures - 1
    }
}

#[derive(Clone, Debug)]
enum Op {
    Add { key: u8, after: u64, level: u8 },
    RateLimited { key: u8 },
    Get,
    Finish { which: usize, how: How },
    Forget { key: u8 },
    Advance { by: u64 },
    TakeRest,
}

#[derive(Clone, Debug)]
enum How {
    Drop,
    Forget,
    Retry,
    RetryAfter(u64),
    RequeueAfter(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0u8..6;
    let delay = || prop_oneof![Just(0), 1..50u64];
    let how = prop_oneof![
        3 => Just(How::Drop),
        2 => Just(How::Forget),
        2 => Just(How::Retry),
        1 => delay().prop_map(How::RetryAfter),
        1 => delay().prop_map(How::RequeueAfter),
    ];
    prop_oneof![
        8 => (key(), delay(), 0u8..16).prop_map(|(key, after, level)| Op::Add { key, after, level }),
        2 => key().prop_map(|key| Op::RateLimited { key }),
        6 => Just(Op::Get),
        5 => (any::<usize>(), how).prop_map(|(which, how)| Op::Finish { which, how }),
        1 => key().prop_map(|key| Op::Forget { key }),
        4 => (0..60u64).prop_map(|by| Op::Advance { by }),
        1 => Just(Op::TakeRest),
    ]
}

async fn compare_with_model(ops: Vec<Op>) -> Result<(), TestCaseError> {
    let limit = || Exponential::try_new(ms(5), ms(70)).expect("valid");
    let limited = |failures: u32| ms(70.min(5 << failures.min(20)));
    let queue = Queue::<u8>::builder().timed().ageing(AGEING).limit(limit()).build();
    let mut model = Model::default();
    let mut tickets: Vec<Ticket<u8>> = Vec::new();
    for op in ops {
        match op {
            Op::Add { key, after, level } => {
                let priority = Priority::try_new(level).expect("a level");
                let added = queue.add_with(key, Add { after: ms(after), priority });
                prop_assert!(added);
                model.add(key, model.now + ms(after), priority);
            }
            Op::RateLimited { key } => {
                let delay = limited(model.fail(key));
                prop_assert_eq!(queue.add_rate_limited(key), Some(delay));
                model.add(key, model.now + delay, Priority::NORMAL);
            }
            Op::Get => {
                let ticket = queue.try_get();
                let expected = model.get();
                prop_assert_eq!(ticket.as_ref().map(|t| *t.key()), expected);
                if let (Some(ticket), Some(key)) = (ticket, expected) {
                    prop_assert_eq!(ticket.failures(), model.failures.get(&key).copied().unwrap_or(0));
                    prop_assert_eq!(ticket.priority(), model.handed_out[&key]);
                    tickets.push(ticket);
                }
            }
            Op::Finish { which, how } if !tickets.is_empty() => {
                let ticket = tickets.swap_remove(which % tickets.len());
                let key = *ticket.key();
                let kept = model.handed_out[&key];
                match how {
                    How::Drop => drop(ticket),
                    How::Forget => {
                        ticket.forget();
                        model.failures.remove(&key);
                    }
                    How::Retry => {
                        let delay = limited(model.fail(key));
                        prop_assert_eq!(ticket.retry(), delay);
                        model.add(key, model.now + delay, kept);
                    }
                    How::RetryAfter(delay) => {
                        ticket.retry_after(ms(delay));
                        model.fail(key);
                        model.add(key, model.now + ms(delay), kept);
                    }
                    How::RequeueAfter(delay) => {
                        ticket.requeue_after(ms(delay));
                        model.failures.remove(&key);
                        model.add(key, model.now + ms(delay), kept);
                    }
                }
                model.finish(key);
            }
            Op::Finish { .. } => {}
            Op::Forget { key } => {
                queue.forget(&key);
                model.failures.remove(&key);
            }
            Op::Advance { by } => {
                advance(ms(by)).await;
                model.advance(ms(by));
            }
            Op::TakeRest => {
                let rest: Vec<_> =
                    queue.take_rest().into_iter().map(|p| (p.key, p.due_in, p.failures)).collect();
                model.ready.sort_by_key(|w| std::cmp::Reverse(w.priority));
                model.delayed.sort_by_key(|w| w.at);
                let (now, failures) = (model.now, &mut model.failures);
                let expected: Vec<_> = (model.ready.drain(..).map(|w| (w.key, ms(0))))
                    .chain(model.delayed.drain(..).map(|w| (w.key, w.at - now)))
                    .map(|(key, due_in)| (key, due_in, failures.remove(&key).unwrap_or(0)))
                    .collect();
                prop_assert_eq!(rest, expected);
            }
        }
        // Makes the queue look at the time after each step, as the model does.
        let metrics = queue.metrics();
        prop_assert_eq!(metrics.depth, model.ready.len());
        prop_assert_eq!(metrics.delayed, model.delayed.len());
        prop_assert_eq!(metrics.processing, model.processing.len());
        for key in 0..6 {
            prop_assert_eq!(
                queue.failures(&key),
                model.failures.get(&key).copied().unwrap_or(0),
                "failures of {}",
                key
            );
        }
    }
    Ok(())
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn does_what_the_specification_says(ops in prop::collection::vec(op(), 0..80)) {
        paused().block_on(compare_with_model(ops))?;
    }

    /// Workers come, wait and are dropped at any moment. No key is lost or held twice, and at no time does a worker
    /// sleep while a key is ready.
    #[test]
    fn waiting_loses_no_key_and_no_wake_up(steps in prop::collection::vec((0u8..8, 0u8..5, 0u64..30), 0..60)) {
        paused().block_on(async move {
            let queue = Queue::<u8>::new();
            let mut waiting = Vec::new();
            let mut held: Vec<Ticket<u8>> = Vec::new();
            let mut wanted = BTreeMap::new();
            let mut got: BTreeMap<u8, u32> = BTreeMap::new();
            for (what, key, delay) in steps {
                match what {
                    0 | 1 => waiting.push(tokio::spawn({ let queue = queue.clone(); async move { queue.get().await } })),
                    2 | 3 => { queue.add(key); *wanted.entry(key).or_insert(0u32) += 1; }
                    4 => { queue.add_after(key, ms(delay)); *wanted.entry(key).or_insert(0) += 1; }
                    5 => { drop(held.pop()); }
                    6 if !waiting.is_empty() => { waiting.remove(usize::from(key) % waiting.len()).abort(); }
                    _ => advance(ms(delay)).await,
                }
                // One task may have to wake the next: let all of them run (a timer needs a moment of its own).
                for _ in 0..8 { tokio::task::yield_now().await; }
                advance(ms(1)).await;
                for _ in 0..8 { tokio::task::yield_now().await; }
                let (done, still): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|task| task.is_finished());
                waiting = still;
                for task in done {
                    if let Ok(Some(ticket)) = task.await {
                        prop_assert!(held.iter().all(|other| other.key() != ticket.key()), "held twice");
                        *got.entry(*ticket.key()).or_default() += 1;
                        held.push(ticket);
                    }
                }
                prop_assert!(waiting.is_empty() || queue.is_empty(), "a worker sleeps while a key is ready");
            }
            drop(held);
            for task in waiting { task.abort(); let _ = task.await; }
            for pending in queue.take_rest() { *got.entry(pending.key).or_default() += 1; }
            prop_assert!(wanted.keys().eq(got.keys()), "wanted {:?}, got {:?}", wanted, got);
            prop_assert!(got.iter().all(|(key, n)| *n <= wanted[key]), "wanted {:?}, got {:?}", wanted, got);
            Ok(())
        })?;
    }
}

// ── Single promises ────────────────────────────────────────────────────────────────────────────────────────────────

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
