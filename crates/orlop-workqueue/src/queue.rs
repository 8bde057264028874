use std::fmt;
use std::hash::Hash;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use orlop_clock::{Clock, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::state::{State, Taken};
use crate::{Bucket, Exponential, Limit, Metrics, Priority, Ticket};

/// A queue of keys for a group of workers. Clones are handles to the same queue.
///
/// - A key is in it at most once, and is never handed to two workers at once. One that is added while it is worked on
///   is handed out again afterwards.
/// - A key waits for its time ([`Queue::add_after`]), or is ready; of two requests the earlier time and the higher
///   priority count.
/// - Time is tokio's ([`tokio::time`]), which tests and simulations can pause. There is no task behind the queue: the
///   waiting [`Queue::get`]s themselves sleep until the next key is due.
pub struct Queue<K: Hash + Eq + Clone + 'static> {
    shared: Arc<Shared<K>>,
}

/// How a key is added: see [`Queue::add_with`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Add {
    /// Not to be handed out before this time has gone by.
    pub after: Duration,
    /// How urgent it is.
    pub priority: Priority,
}

/// A key that was left in the queue: see [`Queue::take_rest`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending<K> {
    /// The key.
    pub key: K,
    /// How long it still had to wait; zero if it was ready.
    pub due_in: Duration,
    /// How urgent it is.
    pub priority: Priority,
    /// How often it has failed since it was last forgotten.
    pub failures: u32,
}

pub(crate) struct Shared<K> {
    locked: Mutex<Locked<K>>,
    clock: Arc<dyn Clock>,
    started: Instant,
    /// Wakes one `get` for each key that became ready.
    work: Notify,
    /// Wakes the `get` that sleeps until the next key is due, because an earlier one came.
    timer: Notify,
    /// Wakes those who wait for the end.
    end: Notify,
}

struct Locked<K> {
    state: State<K>,
    limit: Box<dyn Limit<K>>,
    phase: Phase,
    /// How many `get`s have found nothing and sleep.
    waiting: usize,
    /// Whether one of them sleeps until the next key is due.
    timekeeper: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Draining,
    Closed,
}

/// Settings of a queue that is to be built: see [`Queue::builder`].
pub struct Builder<K> {
    clock: Arc<dyn Clock>,
    limit: Box<dyn Limit<K>>,
    ageing: Option<Duration>,
}

impl<K> fmt::Debug for Builder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("ageing", &self.ageing).finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone + 'static> Builder<K> {
    /// The clock that [`Queue::add_at`]'s moments are on. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How long a key that failed has to wait. Default: the longer of [`Exponential`] and [`Bucket`], each with its
    /// default.
    #[must_use]
    pub fn limit(mut self, limit: impl Limit<K>) -> Self {
        self.limit = Box::new(limit);
        self
    }

    /// A ready key counts as one level more urgent for each `step` that it has waited. Default: 2 s. `None` switches
    /// ageing off: then lower levels starve as long as higher ones are busy.
    #[must_use]
    pub fn ageing(mut self, step: impl Into<Option<Duration>>) -> Self {
        self.ageing = step.into();
        self
    }

    /// Builds the queue.
    #[must_use]
    pub fn build(self) -> Queue<K> {
        let locked = Locked {
            state: State::new(self.ageing),
            limit: self.limit,
            phase: Phase::Open,
            waiting: 0,
            timekeeper: false,
        };
        Queue {
            shared: Arc::new(Shared {
                locked: Mutex::new(locked),
                clock: self.clock,
                started: Instant::now(),
                work: Notify::new(),
                timer: Notify::new(),
                end: Notify::new(),
            }),
        }
    }
}

impl<K: Hash + Eq + Clone + 'static> Queue<K> {
    /// A queue with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts the settings of a queue.
    #[must_use]
    pub fn builder() -> Builder<K> {
        Builder {
            clock: Arc::new(orlop_clock::SystemClock),
            limit: Box::new((Exponential::default(), Bucket::default())),
            ageing: Some(Duration::from_secs(2)),
        }
    }

    /// Adds a key that is to be handed out as soon as it is its turn. Returns whether it was taken: a queue that was
    /// shut down takes no more.
    pub fn add(&self, key: K) -> bool {
        self.add_with(key, Add::default())
    }

    /// Adds a key that is not to be handed out before `delay` has gone by.
    pub fn add_after(&self, key: K, delay: Duration) -> bool {
        self.add_with(key, Add { after: delay, ..Add::default() })
    }

    /// Adds a key that is not to be handed out before `moment` on the queue's clock.
    pub fn add_at(&self, key: K, moment: Timestamp) -> bool {
        let delay = moment.duration_since(self.shared.clock.now());
        self.add_after(key, Duration::try_from(delay).unwrap_or(Duration::ZERO))
    }

    /// Adds a key.
    pub fn add_with(&self, key: K, add: Add) -> bool {
        self.shared.change(|locked, now| {
            if locked.phase != Phase::Open {
                return false;
            }
            locked.state.add(key, now.saturating_add(add.after), add.priority, now);
            true
        })
    }

    /// Counts a failure of a key and adds it with the delay that the limits ask for, which is returned; `None` if the
    /// queue was shut down.
    pub fn add_rate_limited(&self, key: K) -> Option<Duration> {
        self.shared.change(|locked, now| {
            if locked.phase != Phase::Open {
                return None;
            }
            let failures = locked.state.fail(key.clone());
            let delay = locked.limit.delay(&key, failures, now);
            locked.state.add(key, now.saturating_add(delay), Priority::default(), now);
            Some(delay)
        })
    }

    /// Forgets the failures of a key.
    pub fn forget(&self, key: &K) {
        self.shared.forget(key);
    }

    /// How often a key has failed since it was last forgotten.
    #[must_use]
    pub fn failures(&self, key: &K) -> u32 {
        self.shared.locked.lock().state.failures(key)
    }

    /// The number of keys that are ready to be handed out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.change(|locked, _| locked.state.ready())
    }

    /// Whether no key is ready to be handed out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the queue has done so far and holds now.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.shared.change(|locked, now| locked.state.metrics(now))
    }

    /// Waits for the next key. `None` once the queue has been shut down, or drained to the end.
    ///
    /// Cancel-safe: dropping the future loses no key, the next one to ask gets it. Needs a tokio runtime with time.
    pub async fn get(&self) -> Option<Ticket<K>> {
        let shared = &self.shared;
        // Kept until this returns or is dropped, and dropped after `work`: what it then hands on must not come back.
        let mut waiting = None;
        loop {
            if let Poll::Ready(taken) = shared.take() {
                return taken.map(|taken| Ticket::new(Arc::clone(shared), taken));
            }
            let mut work = pin!(shared.work.notified());
            // Registered before looking again: a key added from now on wakes this future.
            work.as_mut().enable();
            if let Poll::Ready(taken) = shared.take_or_wait(&mut waiting) {
                return taken.map(|taken| Ticket::new(Arc::clone(shared), taken));
            }
            match waiting.as_ref().and_then(|waiting| waiting.until) {
                None => work.await,
                Some(due) => {
                    tokio::select! {
                        biased;
                        () = work => {}
                        () = shared.timer.notified() => {}
                        () = sleep_until(shared.started, due) => {}
                    }
                }
            }
        }
    }

    /// The next key, if one is ready now.
    #[must_use]
    pub fn try_get(&self) -> Option<Ticket<K>> {
        match self.shared.take() {
            Poll::Ready(taken) => taken.map(|taken| Ticket::new(Arc::clone(&self.shared), taken)),
            Poll::Pending => None,
        }
    }

    /// Shuts down now: no key is taken or handed out any more, and every [`Queue::get`] returns `None`. What is left can
    /// be had by [`Queue::take_rest`]; tickets that are out may still put their keys back.
    pub fn shut_down(&self) {
        self.shared.locked.lock().phase = Phase::Closed;
        self.shared.work.notify_waiters();
        self.shared.end.notify_waiters();
    }

    /// Takes no more keys from now on, has what is ready handed out and waits until all of it is finished; then every
    /// [`Queue::get`] returns `None`. Keys whose time has not come stay, for [`Queue::take_rest`].
    ///
    /// Returns whether everything was finished: `false` if [`Queue::shut_down`] cut it short. Dropping the future leaves
    /// the queue draining.
    pub async fn drain(&self) -> bool {
        self.shared.change(|locked, _| {
            if locked.phase == Phase::Open {
                locked.phase = Phase::Draining;
            }
        });
        self.shared.work.notify_waiters();
        loop {
            let mut end = pin!(self.shared.end.notified());
            end.as_mut().enable();
            {
                let locked = self.shared.locked.lock();
                if locked.drained() || locked.phase == Phase::Closed {
                    return locked.drained();
                }
            }
            end.await;
        }
    }

    /// Empties the queue and returns what was in it: what was ready, in order, then what was delayed, by time. What is
    /// being worked on stays. Also for a queue that was shut down.
    pub fn take_rest(&self) -> Vec<Pending<K>> {
        self.shared.change(|locked, now| locked.state.take_rest(now))
    }
}

/// What looking for a key led to.
enum Poll<T> {
    /// A key, or the end.
    Ready(Option<T>),
    Pending,
}

/// A `get` that has to sleep. Dropping it (it has got a key, or its future was dropped) hands on the duty of keeping
/// the time.
struct Waiting<'a, K: Hash + Eq + Clone + 'static> {
    shared: &'a Shared<K>,
    /// Until when it sleeps, if it is the one that keeps the time.
    until: Option<Duration>,
}

impl<K: Hash + Eq + Clone + 'static> Drop for Waiting<'_, K> {
    fn drop(&mut self) {
        let mut locked = self.shared.locked.lock();
        locked.waiting -= 1;
        if self.until.is_some() {
            locked.timekeeper = false;
            if locked.waiting > 0 && locked.state.next_due().is_some() {
                self.shared.work.notify_one();
            }
        }
    }
}

impl<K> Locked<K>
where
    K: Hash + Eq + Clone + 'static,
{
    fn drained(&self) -> bool {
        self.state.ready() == 0 && self.state.processing() == 0
    }

    fn over(&self) -> bool {
        match self.phase {
            Phase::Open => false,
            Phase::Draining => self.drained(),
            Phase::Closed => true,
        }
    }
}

impl<K: Hash + Eq + Clone + 'static> Shared<K> {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Does something with the state and wakes those whom it concerns.
    fn change<T>(&self, f: impl FnOnce(&mut Locked<K>, Duration) -> T) -> T {
        let mut locked = self.locked.lock();
        let now = self.now();
        let (ready, due) = (locked.state.ready(), locked.state.next_due());
        if locked.phase == Phase::Open {
            locked.state.promote(now);
        }
        let result = f(&mut locked, now);
        let wake = locked.state.ready().saturating_sub(ready).min(locked.waiting);
        let earlier = match (locked.state.next_due(), due) {
            (Some(next), Some(before)) => next < before,
            (next, before) => next.is_some() && before.is_none(),
        };
        let (waiting, timekeeper) = (locked.waiting > 0, locked.timekeeper);
        let drained = locked.phase != Phase::Open && locked.drained();
        drop(locked);
        for _ in 0..wake {
            self.work.notify_one();
        }
        if earlier && waiting {
            if timekeeper { self.timer.notify_one() } else { self.work.notify_one() }
        }
        if drained {
            self.work.notify_waiters();
            self.end.notify_waiters();
        }
        result
    }

    fn take(&self) -> Poll<Taken<K>> {
        self.change(|locked, now| self.take_locked(locked, now))
    }

    fn take_locked(&self, locked: &mut Locked<K>, now: Duration) -> Poll<Taken<K>> {
        if locked.over() {
            return Poll::Ready(None);
        }
        locked.state.take(now).map_or(Poll::Pending, |taken| Poll::Ready(Some(taken)))
    }

    fn take_or_wait<'a>(&'a self, waiting: &mut Option<Waiting<'a, K>>) -> Poll<Taken<K>> {
        self.change(|locked, now| {
            let taken = self.take_locked(locked, now);
            if matches!(taken, Poll::Pending) {
                let waiting = waiting.get_or_insert_with(|| {
                    locked.waiting += 1;
                    Waiting { shared: self, until: None }
                });
                if waiting.until.is_some() || !locked.timekeeper {
                    waiting.until = locked.state.next_due().filter(|_| locked.phase == Phase::Open);
                    locked.timekeeper = waiting.until.is_some();
                }
            }
            taken
        })
    }

    pub(crate) fn finish(&self, slot: u32) {
        self.change(|locked, now| locked.state.finish(slot, now));
    }

    pub(crate) fn forget(&self, key: &K) {
        self.locked.lock().state.forget(key);
    }

    /// Asks for a key in progress to come back: its ticket's end puts it in.
    pub(crate) fn retry(&self, taken: &Taken<K>, delay: Option<Duration>) -> Duration {
        let mut locked = self.locked.lock();
        let now = self.now();
        let Locked { state, limit, .. } = &mut *locked;
        let failures = state.fail_slot(taken.slot);
        let delay = delay.unwrap_or_else(|| limit.delay(&taken.key, failures, now));
        state.again(taken.slot, now.saturating_add(delay), taken.priority, now);
        delay
    }

    pub(crate) fn requeue(&self, taken: &Taken<K>, delay: Duration) {
        let mut locked = self.locked.lock();
        let now = self.now();
        locked.state.forget_slot(taken.slot);
        locked.state.again(taken.slot, now.saturating_add(delay), taken.priority, now);
    }

    pub(crate) fn forget_taken(&self, taken: &Taken<K>) {
        self.locked.lock().state.forget_slot(taken.slot);
    }
}

/// Sleeps until `due` after `started`; for ever if that is beyond what an instant can hold.
async fn sleep_until(started: Instant, due: Duration) {
    match started.checked_add(due) {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl<K: Hash + Eq + Clone + 'static> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K: Hash + Eq + Clone + 'static> Default for Queue<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Hash + Eq + Clone + 'static> fmt::Debug for Queue<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let locked = self.shared.locked.lock();
        f.debug_struct("Queue")
            .field("phase", &locked.phase)
            .field("ready", &locked.state.ready())
            .field("processing", &locked.state.processing())
            .finish_non_exhaustive()
    }
}
