//! The specification: lists that are searched, no cleverness.
//!
//! The crate's own tests include this file once more, where a queue counts as long with two keys.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use orlop_workqueue::{Add, Exponential, Overflow, Priority, Queue, Ticket};
use proptest::prelude::*;
use tokio::time::advance;

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A runtime whose time stands still until nobody has anything to do.
pub(crate) fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

const AGEING: Duration = ms(40);
const KEYS: u8 = 7;

#[derive(Debug, Default)]
struct Model {
    setting: Setting,
    closed: bool,
    draining: bool,
    now: Duration,
    /// By level: the groups in the order of their turns, each with its keys in the order in which they came.
    ready: BTreeMap<Priority, Vec<(u8, Vec<Waiting>)>>,
    delayed: Vec<Waiting>,
    processing: BTreeMap<u8, Option<(Duration, Priority)>>,
    handed_out: BTreeMap<u8, Waiting>,
    failures: BTreeMap<u8, u32>,
    refused: u64,
    dropped: u64,
    waited: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Setting {
    timed: bool,
    fair: bool,
    bound: Option<(usize, Overflow)>,
}

impl Setting {
    fn group(self, key: u8) -> u8 {
        if self.fair { key % 3 } else { 0 }
    }
}

#[derive(Clone, Debug)]
struct Waiting {
    key: u8,
    priority: Priority,
    due: Duration,
    /// Since when it is ready.
    since: Duration,
}

impl Model {
    fn open(&self) -> bool {
        !self.closed && !self.draining
    }

    /// A time from now. What is more than 584 years away is all the same.
    fn after(&self, delay: Duration) -> Duration {
        self.now.saturating_add(delay).min(Duration::from_nanos(u64::MAX))
    }

    fn len(&self) -> usize {
        self.ready.values().flatten().map(|(_, keys)| keys.len()).sum()
    }

    fn find_ready(&self, key: u8) -> Option<&Waiting> {
        self.ready.values().flatten().flat_map(|(_, keys)| keys).find(|w| w.key == key)
    }

    fn push(&mut self, waiting: Waiting) {
        let group = self.setting.group(waiting.key);
        let waiting = Waiting { since: self.now, ..waiting };
        let groups = self.ready.entry(waiting.priority).or_default();
        match groups.iter_mut().find(|(other, _)| *other == group) {
            Some((_, keys)) => keys.push(waiting),
            None => groups.push((group, vec![waiting])),
        }
    }

    fn remove_ready(&mut self, key: u8) -> Waiting {
        let mut found = None;
        for groups in self.ready.values_mut() {
            for (_, keys) in groups.iter_mut() {
                if let Some(at) = keys.iter().position(|w| w.key == key) {
                    found = Some(keys.remove(at));
                }
            }
            groups.retain(|(_, keys)| !keys.is_empty());
        }
        self.ready.retain(|_, groups| !groups.is_empty());
        found.expect("is ready")
    }

    /// Whether there is room for one more key of this priority.
    fn make_room(&mut self, priority: Priority) -> bool {
        let Some((bound, overflow)) = self.setting.bound else { return true };
        if self.len() + self.delayed.len() < bound {
            return true;
        }
        let victim = match overflow {
            Overflow::Refuse => None,
            Overflow::DropLowest => {
                let lowest = self.ready.first_key_value();
                let last = lowest.and_then(|(_, groups)| groups.last()).and_then(|(_, keys)| keys.last());
                last.filter(|last| last.priority < priority).map(|last| last.key)
            }
            Overflow::DropOldest => {
                self.ready.values().flatten().map(|(_, keys)| &keys[0]).min_by_key(|w| w.since).map(|w| w.key)
            }
        };
        match victim {
            None => self.refused += 1,
            Some(key) => {
                self.remove_ready(key);
                self.failures.remove(&key);
                self.dropped += 1;
            }
        }
        victim.is_some()
    }

    fn is_new(&self, key: u8) -> bool {
        !self.processing.contains_key(&key)
            && self.find_ready(key).is_none()
            && self.delayed.iter().all(|w| w.key != key)
    }

    fn add(&mut self, key: u8, due: Duration, priority: Priority) -> bool {
        if !self.open() || self.is_new(key) && !self.make_room(priority) {
            return false;
        }
        self.request(key, due, priority);
        true
    }

    fn request(&mut self, key: u8, due: Duration, priority: Priority) {
        if let Some(again) = self.processing.get_mut(&key) {
            let (old_due, old_priority) = again.unwrap_or((due, priority));
            *again = Some((old_due.min(due), old_priority.max(priority)));
        } else if let Some(old) = self.find_ready(key) {
            if priority > old.priority {
                let old = self.remove_ready(key);
                self.push(Waiting { priority, ..old });
            }
        } else if let Some(at) = self.delayed.iter().position(|w| w.key == key) {
            let priority = self.delayed[at].priority.max(priority);
            if due < self.delayed[at].due {
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
        let waiting = Waiting { key, priority, due, since: self.now };
        if due <= self.now { self.push(waiting) } else { self.delayed.push(waiting) }
    }

    fn advance(&mut self, by: Duration) {
        self.now += by;
        if self.open() {
            self.delayed.sort_by_key(|w| w.due); // stable: equal times in the order of adding
            let due = self.delayed.iter().take_while(|w| w.due <= self.now).count();
            for waiting in self.delayed.drain(..due).collect::<Vec<_>>() {
                self.push(waiting);
            }
        }
    }

    fn get(&mut self) -> Option<Waiting> {
        if self.closed {
            return None;
        }
        let rank = |w: &Waiting| {
            let climbed = (self.now - w.since).as_nanos() / AGEING.as_nanos();
            (u128::from(w.priority.level()) + climbed, Reverse(w.since), w.priority)
        };
        let fronts = self.ready.iter().map(|(level, groups)| (*level, &groups[0].1[0]));
        let (level, front) = fronts.max_by_key(|(_, front)| rank(front))?;
        let front = front.clone();
        self.remove_ready(front.key);
        // The group whose turn it was is the last now.
        if let Some(groups) = self.ready.get_mut(&level)
            && groups[0].0 == self.setting.group(front.key)
        {
            groups.rotate_left(1);
        }
        self.processing.insert(front.key, None);
        self.handed_out.insert(front.key, front.clone());
        self.waited += self.now - front.due;
        Some(front)
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

    fn take_rest(&mut self) -> Vec<(u8, Duration, u32)> {
        let ready = std::mem::take(&mut self.ready).into_values().rev().flatten().flat_map(|(_, keys)| keys);
        self.delayed.sort_by_key(|w| w.due);
        ready
            .map(|w| (w.key, Duration::ZERO))
            .chain(self.delayed.drain(..).map(|w| (w.key, w.due.saturating_sub(self.now))))
            .map(|(key, due_in)| (key, due_in, self.failures.remove(&key).unwrap_or(0)))
            .collect()
    }
}

#[derive(Clone, Debug)]
enum Op {
    Add { key: u8, after: u64, level: u8, by: By },
    AddMany { keys: Vec<u8> },
    RateLimited { key: u8 },
    Get { most: usize },
    Finish { which: usize, how: How },
    Forget { key: u8 },
    Advance { by: u64 },
    TakeRest,
    ShutDown,
    Drain,
}

#[derive(Clone, Copy, Debug)]
enum By {
    Value,
    Reference,
    Waiting,
}

#[derive(Clone, Debug)]
enum How {
    Drop,
    Forget,
    Retry,
    RetryAfter(u64),
    Requeue,
    RequeueAfter(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0..KEYS;
    // Near, and far enough to go through all of the wheel.
    let delay = || prop_oneof![4 => Just(0), 8 => 1..50u64, 1 => 1..100_000u64, 1 => any::<u64>()];
    let how = prop_oneof![
        3 => Just(How::Drop),
        2 => Just(How::Forget),
        2 => Just(How::Retry),
        1 => delay().prop_map(How::RetryAfter),
        1 => Just(How::Requeue),
        1 => delay().prop_map(How::RequeueAfter),
    ];
    let by = || prop_oneof![2 => Just(By::Value), 1 => Just(By::Reference), 1 => Just(By::Waiting)];
    prop_oneof![
        40 => (key(), delay(), 0u8..16, by()).prop_map(|(key, after, level, by)| Op::Add { key, after, level, by }),
        5 => prop::collection::vec(key(), 0..6).prop_map(|keys| Op::AddMany { keys }),
        10 => key().prop_map(|key| Op::RateLimited { key }),
        30 => prop_oneof![4 => Just(1), 1 => 0..5usize].prop_map(|most| Op::Get { most }),
        25 => (any::<usize>(), how).prop_map(|(which, how)| Op::Finish { which, how }),
        5 => key().prop_map(|key| Op::Forget { key }),
        20 => prop_oneof![8 => 0..60u64, 1 => 0..200_000u64].prop_map(|by| Op::Advance { by }),
        3 => Just(Op::TakeRest),
        1 => Just(Op::ShutDown),
        1 => Just(Op::Drain),
    ]
}

fn setting() -> impl Strategy<Value = Setting> {
    let overflow =
        prop_oneof![Just(Overflow::Refuse), Just(Overflow::DropLowest), Just(Overflow::DropOldest)];
    (any::<bool>(), any::<bool>(), prop::option::of((1..5usize, overflow)))
        .prop_map(|(timed, fair, bound)| Setting { timed, fair, bound })
}

/// Polls a future once: what is ready is ready at once.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

async fn compare_with_model(setting: Setting, ops: Vec<Op>) -> Result<(), TestCaseError> {
    let limit = || Exponential::try_new(ms(5), ms(70)).expect("valid");
    let limited = |failures: u32| ms(70.min(5 << failures.min(20)));
    let mut builder = Queue::<u8>::builder().ageing(AGEING).limit(limit());
    if setting.timed {
        builder = builder.timed();
    }
    if setting.fair {
        builder = builder.fair_by(move |key| setting.group(*key));
    }
    if let Some((keys, overflow)) = setting.bound {
        builder = builder.bound(keys, overflow);
    }
    let queue = builder.build();
    let mut model = Model { setting, ..Model::default() };
    let mut tickets: Vec<Ticket<u8>> = Vec::new();
    let mut finished = 0;
    for (step, op) in ops.into_iter().enumerate() {
        if matches!(op, Op::Advance { .. } | Op::Finish { .. }) {
            // A long queue looks when it has to, and no earlier.
            prop_assert_eq!(queue.len(), model.len());
        }
        match op {
            Op::Add { key, after, level, by } => {
                let priority = Priority::try_new(level).expect("a level");
                let add = Add { after: ms(after), priority };
                let due = model.after(ms(after));
                match by {
                    By::Value => prop_assert_eq!(queue.add_with(key, add), model.add(key, due, priority)),
                    By::Reference => {
                        prop_assert_eq!(queue.add_ref(&key), model.add(key, model.now, Priority::NORMAL));
                    }
                    By::Waiting => {
                        // Waits where another way of adding would refuse or drop; given up at once.
                        let full = setting.bound.is_some_and(|(n, _)| model.len() + model.delayed.len() >= n);
                        let waits = model.open() && full && model.is_new(key);
                        let added = at_once(queue.add_wait(key, add));
                        prop_assert_eq!(added, (!waits).then(|| model.add(key, due, priority)));
                    }
                }
            }
            Op::AddMany { keys } => {
                let taken = keys.iter().filter(|key| model.add(**key, model.now, Priority::LOW)).count();
                prop_assert_eq!(
                    queue.add_many(keys, Add { priority: Priority::LOW, ..Add::default() }),
                    taken
                );
            }
            Op::RateLimited { key } => {
                let expected = if model.open() && (!model.is_new(key) || model.make_room(Priority::NORMAL)) {
                    let delay = limited(model.fail(key));
                    model.request(key, model.now + delay, Priority::NORMAL);
                    Some(delay)
                } else {
                    None
                };
                prop_assert_eq!(queue.add_rate_limited(key), expected);
            }
            Op::Get { most } => {
                let taken =
                    if most == 1 { queue.try_get().into_iter().collect() } else { queue.try_get_many(most) };
                let expected: Vec<_> = std::iter::from_fn(|| model.get()).take(most).collect();
                let told = |t: &Ticket<u8>| (*t.key(), t.priority(), t.failures(), t.waited());
                let asked = |w: &Waiting| {
                    let failures = model.failures.get(&w.key).copied().unwrap_or(0);
                    let waited = if setting.timed { model.now - w.due } else { Duration::ZERO };
                    (w.key, w.priority, failures, waited)
                };
                prop_assert_eq!(
                    taken.iter().map(told).collect::<Vec<_>>(),
                    expected.iter().map(asked).collect::<Vec<_>>()
                );
                tickets.extend(taken);
            }
            Op::Finish { which, how } if !tickets.is_empty() => {
                let ticket = tickets.swap_remove(which % tickets.len());
                let key = *ticket.key();
                let kept = model.handed_out[&key].priority;
                finished += 1;
                let again = |model: &mut Model, after: Duration| {
                    model.request(key, model.after(after), kept);
                };
                match how {
                    How::Drop => drop(ticket),
                    How::Forget => {
                        ticket.forget();
                        model.failures.remove(&key);
                    }
                    How::Retry => {
                        let delay = limited(model.fail(key));
                        prop_assert_eq!(ticket.retry(), delay);
                        again(&mut model, delay);
                    }
                    How::RetryAfter(delay) => {
                        ticket.retry_after(ms(delay));
                        model.fail(key);
                        again(&mut model, ms(delay));
                    }
                    How::Requeue => {
                        ticket.requeue();
                        model.failures.remove(&key);
                        again(&mut model, Duration::ZERO);
                    }
                    How::RequeueAfter(delay) => {
                        ticket.requeue_after(ms(delay));
                        model.failures.remove(&key);
                        again(&mut model, ms(delay));
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
                // What is due becomes ready when the queue looks, and the model looks at once.
                prop_assert_eq!(queue.len(), model.len());
            }
            Op::TakeRest => {
                let rest: Vec<_> =
                    queue.take_rest().into_iter().map(|p| (p.key, p.due_in, p.failures)).collect();
                let expected = model.take_rest();
                prop_assert_eq!(rest, expected);
            }
            Op::ShutDown => {
                queue.shut_down();
                model.closed = true;
            }
            Op::Drain => {
                let drained = model.len() == 0 && model.processing.is_empty();
                let over = model.closed || drained;
                prop_assert_eq!(at_once(queue.drain()), over.then_some(drained));
                model.draining = true;
            }
        }
        if setting.timed || step % 7 == 0 {
            let metrics = queue.metrics();
            prop_assert_eq!(metrics.depth, model.len());
            prop_assert_eq!(metrics.delayed, model.delayed.len());
            prop_assert_eq!(metrics.processing, model.processing.len());
            prop_assert_eq!((metrics.refused, metrics.dropped), (model.refused, model.dropped));
            if setting.timed {
                prop_assert_eq!(metrics.queue_duration.sum(), model.waited);
                prop_assert_eq!(metrics.work_duration.count(), finished);
            }
        }
        for key in 0..KEYS {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn does_what_the_specification_says(setting in setting(), ops in prop::collection::vec(op(), 0..100)) {
        paused().block_on(compare_with_model(setting, ops))?;
    }
}
