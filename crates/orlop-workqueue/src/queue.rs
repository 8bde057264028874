use std::fmt;
use std::future::poll_fn;
use std::hash::Hash;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use orlop_clock::{Clock, Timestamp};
use tokio::time::Instant;

use crate::inbox::{Inbox, LONG, Offer};
use crate::index::KeyHasher;
use crate::state::{Room, State, Taken, nanos};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::ticket::Verdict;
use crate::wait::{End, Get, Put};
use crate::waiters::{By, Seat, Waiters, Wakes};
use crate::{Builder, Limit, Metrics, Priority, Ticket};

/// How many keys [`Queue::add_many`] puts in at a time.
const CHUNK: usize = 64;

/// A queue of keys for a group of workers. Clones are handles to the same queue.
///
/// - A key is in it at most once, and is never handed to two workers at once. One that is added while it is worked on
///   is handed out again afterwards.
/// - A key waits for its time ([`Queue::add_after`]), or is ready; of two requests the earlier time and the higher
///   priority count.
/// - Time is tokio's ([`tokio::time`]), which tests and simulations can pause. There is no task behind the queue: the
///   waiting [`Queue::get`]s themselves sleep until the next key is due.
pub struct Queue<K: Hash + Eq + Clone + 'static> {
    pub(crate) shared: Arc<Shared<K>>,
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
    inbox: Inbox<K>,
    hasher: KeyHasher,
    started: Instant,
    clock: Arc<dyn Clock>,
}

struct Locked<K> {
    state: State<K>,
    limit: Box<dyn Limit<K>>,
    phase: Phase,
    /// Who waits for a key, for room, and for the end.
    work: Waiters,
    room: Waiters,
    end: Waiters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Draining,
    Closed,
}

/// A key that is to be added: copied only if it has to be.
pub(crate) enum Given<'a, K> {
    Owned(K),
    Borrowed(&'a K),
}

impl<K: Clone> Given<'_, K> {
    const fn get(&self) -> &K {
        match self {
            Self::Owned(key) => key,
            Self::Borrowed(key) => key,
        }
    }

    fn into_owned(self) -> K {
        match self {
            Self::Owned(key) => key,
            Self::Borrowed(key) => key.clone(),
        }
    }
}

/// What looking for a key led to.
pub(crate) enum Look<K> {
    Taken(Taken<K>),
    /// There will be none any more.
    Over,
    /// It waits, and if there is a time, until then.
    Wait(Option<u64>),
}

/// What adding a key led to.
enum Added<K> {
    /// It is in, and another one may have had to go.
    In(Option<K>),
    Closed,
    Full,
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
        Builder::new()
    }

    pub(crate) fn with(builder: Builder<K>) -> Self {
        let Builder { clock, limit, settings } = builder;
        let hasher = KeyHasher::default();
        let locked = Locked {
            state: State::new(settings),
            limit,
            phase: Phase::Open,
            work: Waiters::default(),
            room: Waiters::default(),
            end: Waiters::default(),
        };
        Self {
            shared: Arc::new(Shared {
                locked: Mutex::new(locked),
                inbox: Inbox::new(),
                hasher,
                started: Instant::now(),
                clock,
            }),
        }
    }

    /// Adds a key that is to be handed out as soon as it is its turn. Returns whether it was taken: a queue that was
    /// shut down takes no more, and one that is [full](Builder::bound) may refuse it.
    pub fn add(&self, key: K) -> bool {
        self.shared.add(Given::Owned(key), Add::default())
    }

    /// The same; the key is copied only if it is not in already.
    pub fn add_ref(&self, key: &K) -> bool {
        self.shared.add(Given::Borrowed(key), Add::default())
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
        self.shared.add(Given::Owned(key), add)
    }

    /// Adds several keys, which is cheaper than one by one. Returns how many were taken.
    pub fn add_many(&self, keys: impl IntoIterator<Item = K>, add: Add) -> usize {
        let (mut keys, mut taken) = (keys.into_iter(), 0);
        loop {
            // The caller's iterator runs without the lock.
            let mut chunk: Vec<_> = keys.by_ref().take(CHUNK).map(|key| Some(Given::Owned(key))).collect();
            if chunk.is_empty() {
                return taken;
            }
            taken += self.shared.add_all(&mut chunk, add);
        }
    }

    /// Adds a key as soon as there is room for it, in a queue that is [bounded](Builder::bound): nothing is refused and
    /// nothing has to go for it. Returns whether it was taken, which it is unless the queue is shut down.
    ///
    /// Dropping the future before it is ready leaves the key out.
    pub async fn add_wait(&self, key: K, add: Add) -> bool {
        let mut put = Put::new(self, key, add);
        poll_fn(|cx| put.poll(cx.waker())).await
    }

    /// The same for a thread, which it blocks.
    pub fn add_wait_blocking(&self, key: K, add: Add) -> bool {
        Put::new(self, key, add).block()
    }

    /// Counts a failure of a key and adds it with the delay that the limits ask for, which is returned; `None` if the
    /// queue was shut down or has no room for it.
    pub fn add_rate_limited(&self, key: K) -> Option<Duration> {
        self.shared.add_rate_limited(key)
    }

    /// Forgets the failures of a key.
    pub fn forget(&self, key: &K) {
        self.shared.forget(key);
    }

    /// How often a key has failed since it was last forgotten; counted up to 65,535.
    #[must_use]
    pub fn failures(&self, key: &K) -> u32 {
        let hash = self.shared.hash(key);
        let locked = lock(&self.shared.locked);
        locked.state.find(hash, key).map_or(0, |slot| locked.state.failures(slot))
    }

    /// The number of keys that are ready to be handed out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.look_at(|locked, _| locked.state.ready())
    }

    /// Whether no key is ready to be handed out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the queue has done so far and holds now.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.shared.look_at(|locked, now| locked.state.metrics(now))
    }

    /// Waits for the next key. `None` once the queue has been shut down, or drained to the end.
    ///
    /// Cancel-safe: dropping the future loses no key, the next one to ask gets it. Needs a tokio runtime with time if
    /// there are delays.
    pub const fn get(&self) -> Get<'_, K> {
        Get::new(&self.shared)
    }

    /// The same for a thread, which it blocks. Time is the real one then: not for a paused runtime.
    #[must_use]
    pub fn get_blocking(&self) -> Option<Ticket<K>> {
        self.try_get().or_else(|| self.get().block())
    }

    /// Waits for a key, and takes up to `most` that are ready then, in their order. Nothing once the queue has been shut
    /// down, or drained to the end, or if `most` is 0.
    ///
    /// As cancel-safe as [`Queue::get`].
    pub async fn get_many(&self, most: usize) -> Vec<Ticket<K>> {
        if most == 0 {
            return Vec::new();
        }
        // Nothing is waited for once there is a key in hand.
        let Some(first) = self.get().await else { return Vec::new() };
        let mut tickets = self.try_get_many(most - 1);
        tickets.insert(0, first);
        tickets
    }

    /// The next key, if one is ready now.
    #[must_use]
    pub fn try_get(&self) -> Option<Ticket<K>> {
        self.shared.take().map(|taken| Ticket::new(Arc::clone(&self.shared), taken))
    }

    /// The next keys that are ready now, at most `most`.
    #[must_use]
    pub fn try_get_many(&self, most: usize) -> Vec<Ticket<K>> {
        let taken = self.shared.take_many(most);
        taken.into_iter().map(|taken| Ticket::new(Arc::clone(&self.shared), taken)).collect()
    }

    /// Shuts down now: no key is taken or handed out any more, and every [`Queue::get`] returns `None`. What is left can
    /// be had by [`Queue::take_rest`]; tickets that are out may still put their keys back.
    pub fn shut_down(&self) {
        self.shared.shut_down();
    }

    /// Takes no more keys from now on, has what is ready handed out and waits until all of it is finished; then every
    /// [`Queue::get`] returns `None`. Keys whose time has not come stay, for [`Queue::take_rest`].
    ///
    /// Returns whether everything was finished: `false` if [`Queue::shut_down`] cut it short. Dropping the future leaves
    /// the queue draining.
    pub async fn drain(&self) -> bool {
        self.shared.start_draining();
        let mut end = End::new(&self.shared);
        poll_fn(|cx| end.poll(cx.waker())).await
    }

    /// The same for a thread, which it blocks.
    pub fn drain_blocking(&self) -> bool {
        self.shared.start_draining();
        End::new(&self.shared).block()
    }

    /// Empties the queue and returns what was in it: what was ready, in order, then what was delayed, by time. What is
    /// being worked on stays. Also for a queue that was shut down.
    pub fn take_rest(&self) -> Vec<Pending<K>> {
        self.shared.look_at(|locked, now| locked.state.take_rest(now))
    }
}

impl<K: Hash + Eq + Clone + 'static> Locked<K> {
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

    /// Learns the time if it is needed, and makes ready what is due.
    fn tell_time(&mut self, needed: bool, now: impl FnOnce() -> u64) -> u64 {
        if !needed {
            return self.state.seen();
        }
        let now = self.state.see(now());
        if self.phase == Phase::Open {
            self.state.promote(now);
        }
        now
    }

    /// Whether adding the key changes nothing.
    #[inline]
    fn has(&self, hash: u32, key: &K, add: Add) -> bool {
        self.phase == Phase::Open && self.is_settled(self.state.find(hash, key), add)
    }

    #[inline]
    fn is_settled(&self, found: Option<u32>, add: Add) -> bool {
        add.after.is_zero() && found.is_some_and(|slot| self.state.is_settled(slot, add.priority))
    }

    fn add(
        &mut self,
        hash: u32,
        key: &mut Option<Given<'_, K>>,
        add: Add,
        wait: bool,
        now: impl FnOnce() -> u64,
    ) -> Added<K> {
        if self.phase != Phase::Open {
            return Added::Closed;
        }
        let Some(given) = key.as_ref() else { return Added::In(None) };
        let found = self.state.find(hash, given.get());
        if self.is_settled(found, add) {
            return Added::In(None);
        }
        let now = self.tell_time(!add.after.is_zero() || self.state.add_needs_time(), now);
        let mut gone = None;
        if self.state.is_bounded() && self.state.is_new(found) {
            match if wait && !self.state.has_room() { Room::Full } else { self.state.make_room(add.priority) }
            {
                Room::Free => {}
                Room::Freed(key) => gone = Some(key),
                Room::Full => return Added::Full,
            }
        }
        let slot = match (found, key.take()) {
            (Some(slot), _) => slot,
            (None, Some(given)) => self.state.insert(hash, given.into_owned()),
            (None, None) => return Added::In(gone),
        };
        self.state.request(slot, now.saturating_add(nanos(add.after)), add.priority, now);
        Added::In(gone)
    }

    fn take(&mut self, now: impl FnOnce() -> u64) -> Option<Taken<K>> {
        let now = self.tell_time(self.state.take_needs_time(), now);
        if self.over() { None } else { self.state.take(now) }
    }

    /// Who is to be woken after something has changed, given how many keys were ready before.
    #[inline]
    fn settle(&mut self, ready: usize) -> Wakes {
        if self.phase == Phase::Open && self.work.is_empty() && self.room.is_empty() {
            return Wakes::default();
        }
        self.settle_waiting(ready)
    }

    fn settle_waiting(&mut self, ready: usize) -> Wakes {
        let mut wakes = Wakes::default();
        if self.phase != Phase::Open {
            self.room.wake_all(&mut wakes);
            if self.over() {
                self.work.wake_all(&mut wakes);
                self.end.wake_all(&mut wakes);
            }
        }
        // One for each key. But of threads one after the other: each wakes the next when it has come and there is more. To
        // wake a thread takes longer than to work on many a key, which those who are awake may do meanwhile.
        let more = self.state.ready().saturating_sub(ready).min(self.work.len());
        for _ in 0..more {
            if self.work.is_coming() {
                break;
            }
            self.work.wake_one(&mut wakes);
        }
        if self.phase == Phase::Open
            && !self.work.is_empty()
            && let Some(due) = self.state.next_due()
            && self.work.alarm().is_none_or(|alarm| due < alarm)
        {
            self.work.wake_timekeeper(&mut wakes);
        }
        if !self.room.is_empty() {
            let room = self.state.room().min(self.room.len());
            (0..room).for_each(|_| self.room.wake_one(&mut wakes));
        }
        wakes
    }
}

impl<K: Hash + Eq + Clone + 'static> Shared<K> {
    /// Nanoseconds since the queue was built.
    pub(crate) fn now(&self) -> u64 {
        nanos(self.started.elapsed())
    }

    pub(crate) fn moment(&self, due: u64) -> Option<Instant> {
        self.started.checked_add(Duration::from_nanos(due))
    }

    fn hash(&self, key: &K) -> u32 {
        self.hasher.hash(key)
    }

    /// Locks the queue with all in it that was added.
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Locked<K>> {
        let mut locked = lock(&self.locked);
        if self.inbox.is_open() {
            self.put_in(&mut locked);
        }
        locked
    }

    /// The same, for taking keys. What was added before comes in first: a key that was added again while it waited is
    /// not to be handed out once more for that.
    #[inline]
    fn lock_to_take(&self) -> MutexGuard<'_, Locked<K>> {
        let mut locked = lock(&self.locked);
        if self.inbox.is_open() {
            self.put_in(&mut locked);
        }
        locked
    }

    /// Puts in what is in the inbox, and closes that when the queue is long no more.
    #[cold]
    fn put_in(&self, locked: &mut Locked<K>) {
        let stays_open = locked.state.is_long(LONG / 2);
        self.put_in_and(locked, stays_open);
    }

    fn put_in_and(&self, locked: &mut Locked<K>, stays_open: bool) {
        let keys = self.inbox.take(stays_open);
        locked.state.fetch(keys.iter().map(|(hash, _)| *hash));
        let mut now = None;
        for (hash, key) in keys {
            let mut key = Some(Given::Owned(key));
            // It is taken: a queue that has an inbox has no bound, and one that ends closes it first.
            locked.add(hash, &mut key, Add::default(), false, || *now.get_or_insert_with(|| self.now()));
        }
    }

    /// Ends the time in which keys are taken.
    fn enter(&self, locked: &mut Locked<K>, phase: Phase) {
        self.put_in_and(locked, false);
        locked.phase = phase;
    }

    fn add(&self, key: Given<'_, K>, add: Add) -> bool {
        let hash = self.hash(key.get());
        let mut key = key;
        if self.inbox.is_open() && add == Add::default() {
            match self.inbox.offer(hash, key.into_owned()) {
                Offer::Kept => return true,
                Offer::Enough => {
                    let mut locked = lock(&self.locked);
                    let ready = locked.state.ready();
                    self.put_in(&mut locked);
                    let wakes = locked.settle(ready);
                    drop(locked);
                    wakes.wake();
                    return true;
                }
                Offer::Closed(back) => key = Given::Owned(back),
            }
        }
        let mut locked = self.lock();
        // Most often it is in already.
        if locked.has(hash, key.get(), add) {
            return true;
        }
        let mut key = Some(key);
        let ready = locked.state.ready();
        let added = locked.add(hash, &mut key, add, false, || self.now());
        // While it is open nobody begins to wait: who finds nothing closes it. So nobody waits while keys are in it.
        if locked.state.is_long(LONG) && locked.phase == Phase::Open && locked.work.is_empty() {
            self.put_in_and(&mut locked, true);
        }
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
        // What was not used, or had to go, is dropped without the lock.
        if let Added::In(Some(_)) = &added {
            tracing::debug!("the work queue is full: a key was dropped");
        }
        matches!(added, Added::In(_))
    }

    fn add_all(&self, keys: &mut [Option<Given<'_, K>>], add: Add) -> usize {
        let hashes: Vec<_> = keys.iter().flatten().map(|key| self.hash(key.get())).collect();
        let mut gone = Vec::new();
        let mut locked = self.lock();
        let ready = locked.state.ready();
        let mut taken = 0;
        for (key, hash) in keys.iter_mut().zip(hashes) {
            if let Added::In(dropped) = locked.add(hash, key, add, false, || self.now()) {
                gone.extend(dropped);
                taken += 1;
            }
        }
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
        taken
    }

    pub(crate) fn add_or_wait(
        &self,
        key: &mut Option<Given<'_, K>>,
        add: Add,
        seat: &mut Option<Seat>,
        waker: &Waker,
    ) -> Poll<bool> {
        let Some(given) = key.as_ref() else { return Poll::Ready(true) };
        let hash = self.hash(given.get());
        let mut locked = self.lock();
        let ready = locked.state.ready();
        let added = match locked.add(hash, key, add, true, || self.now()) {
            Added::In(_) => true,
            Added::Closed => false,
            Added::Full => {
                locked.room.sit(seat, waker, By::Task);
                return Poll::Pending;
            }
        };
        if let Some(seat) = seat.take() {
            locked.room.leave(seat);
        }
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
        Poll::Ready(added)
    }

    fn add_rate_limited(&self, key: K) -> Option<Duration> {
        let hash = self.hash(&key);
        let mut locked = self.lock();
        if locked.phase != Phase::Open {
            return None;
        }
        let ready = locked.state.ready();
        let now = locked.tell_time(true, || self.now());
        let Locked { state, limit, .. } = &mut *locked;
        let found = state.find(hash, &key);
        if state.is_bounded() && state.is_new(found) && state.make_room(Priority::default()) == Room::Full {
            return None;
        }
        // Making room may have dropped what was found among the ready ones: never this key, which was not.
        let failures = found.map_or(0, |slot| state.failures(slot));
        let delay = limit.delay(&key, failures, Duration::from_nanos(now));
        let slot = found.unwrap_or_else(|| state.insert(hash, key));
        state.fail(slot);
        state.request(slot, now.saturating_add(nanos(delay)), Priority::default(), now);
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
        Some(delay)
    }

    fn forget(&self, key: &K) {
        let hash = self.hash(key);
        let mut locked = lock(&self.locked);
        let gone = locked.state.find(hash, key).and_then(|slot| locked.state.forget(slot));
        drop(locked);
        drop(gone);
    }

    /// Does something with the state as it is now.
    fn look_at<T>(&self, f: impl FnOnce(&mut Locked<K>, u64) -> T) -> T {
        let mut locked = self.lock();
        let ready = locked.state.ready();
        let now = locked.tell_time(true, || self.now());
        let result = f(&mut locked, now);
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
        result
    }

    fn take(&self) -> Option<Taken<K>> {
        let mut locked = self.lock_to_take();
        let ready = locked.state.ready();
        let taken = locked.take(|| self.now());
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
        taken
    }

    fn take_many(&self, most: usize) -> Vec<Taken<K>> {
        let mut locked = self.lock_to_take();
        let ready = locked.state.ready();
        let taken = std::iter::from_fn(|| locked.take(|| self.now())).take(most).collect();
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
        taken
    }

    /// Takes a key or waits for one.
    pub(crate) fn look(&self, seat: &mut Option<Seat>, waker: &Waker, by: By) -> Look<K> {
        let mut locked = self.lock_to_take();
        // One that was woken answers for all that is ready.
        let ready = if locked.work.come(*seat, by) { 0 } else { locked.state.ready() };
        let look = match locked.take(|| self.now()) {
            Some(taken) => Look::Taken(taken),
            None if locked.over() => Look::Over,
            None => {
                let due = if locked.phase == Phase::Open { locked.state.next_due() } else { None };
                let work = &mut locked.work;
                let seat = work.sit(seat, waker, by);
                match due {
                    Some(due) => Look::Wait(work.keep_time(seat, due).then_some(due)),
                    None => {
                        work.keeps_time_no_more(seat);
                        Look::Wait(None)
                    }
                }
            }
        };
        if !matches!(look, Look::Wait(_))
            && let Some(seat) = seat.take()
        {
            locked.work.leave(seat);
        }
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
        look
    }

    /// One who waited for a key does so no more. If it was woken, what for is passed on.
    pub(crate) fn leave_work(&self, seat: Seat, by: By) {
        let mut locked = lock(&self.locked);
        let ready = if locked.work.come(Some(seat), by) { 0 } else { locked.state.ready() };
        locked.work.leave(seat);
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
    }

    pub(crate) fn leave_room(&self, seat: Seat) {
        let mut locked = lock(&self.locked);
        locked.room.leave(seat);
        let ready = locked.state.ready();
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
    }

    pub(crate) fn leave_end(&self, seat: Seat) {
        lock(&self.locked).end.leave(seat);
    }

    pub(crate) fn finish(&self, taken: &Taken<K>, verdict: Verdict) -> Duration {
        let mut locked = lock(&self.locked);
        // One that comes back comes after what was added before.
        if self.inbox.is_open() && locked.comes_back(taken.slot, verdict) {
            self.put_in(&mut locked);
        }
        let ready = locked.state.ready();
        let (delay, gone) = locked.finish(taken, verdict, || self.now());
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
        drop(gone);
        delay
    }

    fn shut_down(&self) {
        let mut locked = lock(&self.locked);
        self.enter(&mut locked, Phase::Closed);
        let ready = locked.state.ready();
        let (delayed, processing) = (locked.state.delayed(), locked.state.processing());
        let wakes = locked.settle(ready);
        drop(locked);
        wakes.wake();
        tracing::debug!(ready, delayed, processing, "the work queue is shut down");
    }

    fn start_draining(&self) {
        let mut locked = self.lock();
        let before = locked.state.ready();
        locked.tell_time(true, || self.now());
        if locked.phase == Phase::Open {
            self.enter(&mut locked, Phase::Draining);
        }
        let ready = locked.state.ready();
        let (delayed, processing) = (locked.state.delayed(), locked.state.processing());
        let wakes = locked.settle(before);
        drop(locked);
        wakes.wake();
        tracing::debug!(ready, delayed, processing, "the work queue is drained");
    }

    pub(crate) fn ended_or_wait(&self, seat: &mut Option<Seat>, waker: &Waker) -> Poll<bool> {
        let mut locked = lock(&self.locked);
        if locked.over() {
            if let Some(seat) = seat.take() {
                locked.end.leave(seat);
            }
            return Poll::Ready(locked.drained());
        }
        locked.end.sit(seat, waker, By::Task);
        Poll::Pending
    }
}

impl<K: Hash + Eq + Clone + 'static> Locked<K> {
    /// Whether the end of the work on a key puts it back in.
    fn comes_back(&self, slot: u32, verdict: Verdict) -> bool {
        matches!(verdict, Verdict::Requeue(_) | Verdict::Failed(_)) || self.state.finish_needs_time(slot)
    }

    /// Ends the work on a key. Returns the delay with which it comes back if it was told to, and its entry's key if
    /// nothing has to be known about it any more.
    fn finish(
        &mut self,
        taken: &Taken<K>,
        verdict: Verdict,
        now: impl FnOnce() -> u64,
    ) -> (Duration, Option<K>) {
        let slot = taken.slot;
        let returns = matches!(verdict, Verdict::Requeue(_) | Verdict::Failed(_));
        let now = self.tell_time(returns || self.state.finish_needs_time(slot), now);
        let mut delay = Duration::ZERO;
        match verdict {
            Verdict::Done => {}
            Verdict::Succeeded => drop(self.state.forget(slot)),
            Verdict::Requeue(after) => {
                drop(self.state.forget(slot));
                delay = after;
            }
            Verdict::Failed(after) => {
                let failures = self.state.fail(slot);
                delay = after
                    .unwrap_or_else(|| self.limit.delay(&taken.key, failures, Duration::from_nanos(now)));
            }
        }
        if returns {
            self.state.request(slot, now.saturating_add(nanos(delay)), taken.priority, now);
        }
        (delay, self.state.finish(slot, now))
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
        let locked = lock(&self.shared.locked);
        f.debug_struct("Queue")
            .field("phase", &locked.phase)
            .field("ready", &locked.state.ready())
            .field("delayed", &locked.state.delayed())
            .field("processing", &locked.state.processing())
            .finish_non_exhaustive()
    }
}
