use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use crate::bound::{Bound, Overflow};
use crate::entry::{List, Place, Slab};
use crate::index::Index;
use crate::metrics::{Histogram, Metrics};
use crate::ready::Ready;
use crate::timers::Timers;
use crate::{Pending, Priority};

/// Tells the group of a key, as a number.
pub(crate) type Group<K> = Box<dyn Fn(&K) -> u64 + Send>;

/// So many ready keys are more than a processor's cache holds.
const COLD: usize = 4096;
/// So many keys are fetched together.
const AHEAD: usize = 16;

/// The queue as a state machine: no lock, no waiting, and the time (nanoseconds since the queue was built) is an
/// argument.
///
/// A key has one entry, and an entry is in one place: that is what makes it impossible for a key to be queued twice,
/// delayed and queued at once, or handed to two workers.
pub(crate) struct State<K> {
    index: Index,
    slab: Slab<K>,
    ready: Ready,
    timers: Timers,
    /// Keys that are remembered for their failures alone, those that failed last at the end.
    idle: List,
    idle_len: usize,
    remember: usize,
    group: Option<Group<K>>,
    bound: Option<Bound>,
    timed: bool,
    processing: usize,
    /// So many of the next keys have been looked at.
    seen_ahead: usize,
    /// The latest time that was told.
    seen: u64,
    adds: u64,
    retries: u64,
    refused: u64,
    dropped: u64,
    queue_duration: Histogram,
    work_duration: Histogram,
}

/// What a queue is built with.
pub(crate) struct Settings<K> {
    pub(crate) ageing: Option<Duration>,
    pub(crate) group: Option<Group<K>>,
    pub(crate) bound: Option<Bound>,
    pub(crate) remember: usize,
    pub(crate) timed: bool,
}

impl<K> fmt::Debug for Settings<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("ageing", &self.ageing)
            .field("fair", &self.group.is_some())
            .field("bound", &self.bound)
            .field("remember", &self.remember)
            .field("timed", &self.timed)
            .finish()
    }
}

/// A key handed out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken<K> {
    pub(crate) slot: u32,
    pub(crate) key: K,
    pub(crate) failures: u32,
    pub(crate) priority: Priority,
    pub(crate) waited: Duration,
}

/// What became of a new key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Room<K> {
    /// There is room for it.
    Free,
    /// There is now: another one had to go.
    Freed(K),
    /// There is none.
    Full,
}

impl<K: Hash + Eq + Clone> State<K> {
    pub(crate) fn new(settings: Settings<K>) -> Self {
        Self {
            index: Index::new(),
            slab: Slab::new(),
            ready: Ready::new(settings.ageing.map(|step| nanos(step).max(1))),
            timers: Timers::new(),
            idle: List::EMPTY,
            idle_len: 0,
            remember: settings.remember,
            group: settings.group,
            bound: settings.bound,
            timed: settings.timed,
            processing: 0,
            seen_ahead: 0,
            seen: 0,
            adds: 0,
            retries: 0,
            refused: 0,
            dropped: 0,
            queue_duration: Histogram::default(),
            work_duration: Histogram::default(),
        }
    }

    pub(crate) const fn ready(&self) -> usize {
        self.ready.len()
    }

    pub(crate) const fn delayed(&self) -> usize {
        self.timers.len()
    }

    pub(crate) const fn processing(&self) -> usize {
        self.processing
    }

    // ── What needs to know the time ────────────────────────────────────────────────────────────────────────────────

    /// Whether an addition needs the time.
    pub(crate) const fn add_needs_time(&self) -> bool {
        self.timers.len() > 0 || self.timed || self.ready.ages()
    }

    /// Whether taking a key needs the time.
    pub(crate) const fn take_needs_time(&self) -> bool {
        self.timers.len() > 0 || self.timed || self.ready.time_decides()
    }

    /// Whether finishing a key needs the time.
    pub(crate) fn finish_needs_time(&self, slot: u32) -> bool {
        self.timed || matches!(self.slab.get(slot).place, Place::Processing(Some(_)))
    }

    /// The time for those who need none.
    pub(crate) const fn seen(&self) -> u64 {
        self.seen
    }

    /// The time, which does not go back even if who tells it does.
    pub(crate) fn see(&mut self, now: u64) -> u64 {
        self.seen = self.seen.max(now);
        self.seen
    }

    /// Whether keys of the usual priority may be kept back for a while: there are many ready before them, none of which
    /// they could overtake, no groups take turns, and nobody measures how long they wait.
    pub(crate) const fn is_long(&self, keys: usize) -> bool {
        self.ready.len() >= keys
            && self.ready.has(Priority::NORMAL)
            && !self.ready.time_decides()
            && self.group.is_none()
            && self.bound.is_none()
            && !self.timed
    }

    /// Has the memory fetched where these hashes will be looked up.
    pub(crate) fn fetch(&self, hashes: impl Iterator<Item = u32>) {
        self.index.fetch(hashes);
    }

    // ── Keys ───────────────────────────────────────────────────────────────────────────────────────────────────────

    #[inline]
    pub(crate) fn find(&self, hash: u32, key: &K) -> Option<u32> {
        self.index.find(hash, |slot| self.slab.get(slot).key.as_ref() == Some(key))
    }

    /// An entry for a key that has none. It is to be [requested](State::request) next.
    pub(crate) fn insert(&mut self, hash: u32, key: K) -> u32 {
        let slot = self.slab.insert(hash, key);
        self.index.insert(hash, slot);
        slot
    }

    /// Whether adding the key to be handed out at once changes nothing.
    #[inline]
    pub(crate) fn is_settled(&self, slot: u32, priority: Priority) -> bool {
        let entry = self.slab.get(slot);
        match entry.place {
            Place::Ready => entry.priority >= priority,
            Place::Processing(again) => {
                entry.due <= self.seen && again.is_some_and(|again| again >= priority)
            }
            _ => false,
        }
    }

    /// Whether adding the key would make the queue longer.
    pub(crate) fn is_new(&self, slot: Option<u32>) -> bool {
        slot.is_none_or(|slot| self.slab.get(slot).place == Place::Idle)
    }

    /// For how many more keys there is room, without anything having to go.
    pub(crate) fn room(&self) -> usize {
        self.bound.map_or(usize::MAX, |bound| bound.keys.saturating_sub(self.ready.len() + self.timers.len()))
    }

    pub(crate) fn has_room(&self) -> bool {
        self.room() > 0
    }

    pub(crate) const fn is_bounded(&self) -> bool {
        self.bound.is_some()
    }

    /// Makes room for one more key of this priority, as the bound says.
    pub(crate) fn make_room(&mut self, priority: Priority) -> Room<K> {
        if self.has_room() {
            return Room::Free;
        }
        let victim = match self.bound.map_or(Overflow::Refuse, |bound| bound.overflow) {
            Overflow::Refuse => None,
            Overflow::DropLowest => {
                self.ready.lowest().filter(|slot| self.slab.get(*slot).priority < priority)
            }
            Overflow::DropOldest => self.ready.oldest(&self.slab),
        };
        let Some(slot) = victim else {
            self.refused += 1;
            return Room::Full;
        };
        self.unready(slot);
        self.dropped += 1;
        Room::Freed(self.vacate(slot))
    }

    /// Adds a key that is to be handed out at `due` or later. Of two requests for a key the earlier time and the higher
    /// priority count. A key that is being worked on comes back when it is finished.
    pub(crate) fn request(&mut self, slot: u32, due: u64, priority: Priority, now: u64) {
        let entry = self.slab.get_mut(slot);
        match entry.place {
            Place::Nowhere | Place::Idle => {
                entry.priority = priority;
                if entry.place == Place::Idle {
                    self.recall(slot);
                }
                self.put(slot, due, now);
            }
            Place::Ready => {
                if priority > entry.priority {
                    // To the end of its new level; it has been due for as long as before.
                    self.unready(slot);
                    self.slab.get_mut(slot).priority = priority;
                    self.push_ready(slot, now);
                }
            }
            Place::Delayed => {
                entry.priority = entry.priority.max(priority);
                if due < entry.due {
                    self.timers.remove(&mut self.slab, slot);
                    self.put(slot, due, now);
                }
            }
            Place::Processing(old) => {
                let old_due = entry.due;
                entry.due = old.map_or(due, |_| old_due.min(due));
                entry.place = Place::Processing(Some(old.map_or(priority, |old| old.max(priority))));
            }
        }
    }

    /// Counts a failure and returns how many there were before.
    pub(crate) fn fail(&mut self, slot: u32) -> u32 {
        self.retries += 1;
        let failures = &mut self.slab.get_mut(slot).failures;
        let before = *failures;
        *failures = failures.saturating_add(1);
        u32::from(before)
    }

    pub(crate) fn failures(&self, slot: u32) -> u32 {
        u32::from(self.slab.get(slot).failures)
    }

    /// Forgets the failures, and the key itself if nothing else is to be known about it: then it is returned.
    pub(crate) fn forget(&mut self, slot: u32) -> Option<K> {
        let entry = self.slab.get_mut(slot);
        entry.failures = 0;
        (entry.place == Place::Idle).then(|| {
            self.recall(slot);
            self.vacate(slot)
        })
    }

    // ── Handing out ────────────────────────────────────────────────────────────────────────────────────────────────

    /// Moves the keys whose time has come to the ready ones.
    #[inline]
    pub(crate) fn promote(&mut self, now: u64) {
        while let Some(slot) = self.timers.pop(&mut self.slab, now) {
            self.adds += 1;
            self.push_ready(slot, now);
        }
    }

    /// Hands out the next ready key. Due ones have to be promoted before.
    pub(crate) fn take(&mut self, now: u64) -> Option<Taken<K>> {
        self.look_ahead();
        let slot = self.ready.pop(&mut self.slab, now)?;
        let entry = self.slab.get_mut(slot);
        let waited =
            if self.timed { Duration::from_nanos(now.saturating_sub(entry.due)) } else { Duration::ZERO };
        entry.place = Place::Processing(None);
        entry.since = now;
        self.processing += 1;
        if self.timed {
            self.queue_duration.observe(waited);
        }
        let key = entry.key.clone().expect("a slot in use has a key");
        Some(Taken { slot, key, failures: u32::from(entry.failures), priority: entry.priority, waited })
    }

    /// Has the memory of the next keys of a long queue fetched together.
    ///
    /// To copy a key is often to count one more owner, and a counter is changed only when all that was read before has
    /// come: one key after the other would be waited for.
    #[inline]
    fn look_ahead(&mut self) {
        if let Some(left) = self.seen_ahead.checked_sub(1) {
            self.seen_ahead = left;
        } else if self.ready.len() >= COLD {
            let slots = self.ready.upcoming(&self.slab).take(AHEAD);
            let mut keys = slots.filter_map(|slot| self.slab.get(slot).key.as_ref());
            let Some(mut last) = keys.next() else { return };
            let equal = keys.filter(|key| *key == std::mem::replace(&mut last, key)).count();
            self.seen_ahead = AHEAD + std::hint::black_box(equal);
        }
    }

    /// Ends the work on a slot that [`State::take`] handed out. If it was added meanwhile it goes back in. A key that
    /// nothing is to be known about any more is returned.
    pub(crate) fn finish(&mut self, slot: u32, now: u64) -> Option<K> {
        let timed = self.timed;
        let entry = self.slab.get_mut(slot);
        let place = std::mem::replace(&mut entry.place, Place::Nowhere);
        debug_assert!(matches!(place, Place::Processing(_)), "a ticket's slot is in progress");
        let again = if let Place::Processing(again) = place { again } else { None };
        let (since, due, failures) = (entry.since, entry.due, entry.failures);
        self.processing -= 1;
        if timed {
            self.work_duration.observe(Duration::from_nanos(now.saturating_sub(since)));
        }
        if let Some(priority) = again {
            self.slab.get_mut(slot).priority = priority;
            self.put(slot, due, now);
        } else if failures == 0 {
            return Some(self.vacate(slot));
        } else {
            self.remember(slot);
            return self.forget_excess();
        }
        None
    }

    /// When to look for due keys again, if there are delayed ones.
    pub(crate) fn next_due(&mut self) -> Option<u64> {
        self.timers.next(&self.slab)
    }

    /// Empties the queue: what was ready, in order, then what was delayed, by due time. What is being worked on stays.
    pub(crate) fn take_rest(&mut self, now: u64) -> Vec<Pending<K>> {
        let ready: Vec<_> = self.ready.iter(&self.slab).collect();
        let delayed = self.timers.in_order(&self.slab);
        let mut rest = Vec::with_capacity(ready.len() + delayed.len());
        for slot in ready {
            self.unready(slot);
            rest.push(self.leave(slot, Duration::ZERO));
        }
        for slot in delayed {
            self.timers.remove(&mut self.slab, slot);
            let due_in = self.slab.get(slot).due.saturating_sub(now);
            rest.push(self.leave(slot, Duration::from_nanos(due_in)));
        }
        rest
    }

    pub(crate) fn metrics(&self, now: u64) -> Metrics {
        let running = || {
            let since = self.slab.iter().filter(|(_, entry)| matches!(entry.place, Place::Processing(_)));
            since.map(|(_, entry)| Duration::from_nanos(now.saturating_sub(entry.since)))
        };
        let (unfinished, longest) = if self.timed && self.processing > 0 {
            (running().sum(), running().max().unwrap_or_default())
        } else {
            Default::default()
        };
        Metrics {
            depth: self.ready.len(),
            delayed: self.timers.len(),
            processing: self.processing,
            adds: self.adds,
            retries: self.retries,
            refused: self.refused,
            dropped: self.dropped,
            queue_duration: self.queue_duration.clone(),
            work_duration: self.work_duration.clone(),
            unfinished_work: unfinished,
            longest_running: longest,
        }
    }

    // ── Places ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Puts an entry that is nowhere where its time says.
    fn put(&mut self, slot: u32, due: u64, now: u64) {
        if due <= now {
            self.slab.get_mut(slot).due = due;
            self.adds += 1;
            self.push_ready(slot, now);
        } else {
            self.timers.push(&mut self.slab, slot, due);
        }
    }

    fn push_ready(&mut self, slot: u32, now: u64) {
        let group = self.group_of(slot);
        self.ready.push(&mut self.slab, slot, group, now);
    }

    fn unready(&mut self, slot: u32) {
        let group = self.group_of(slot);
        self.ready.remove(&mut self.slab, slot, group);
    }

    #[inline]
    fn group_of(&self, slot: u32) -> Option<u64> {
        self.group.as_ref().and_then(|group| self.slab.get(slot).key.as_ref().map(group))
    }

    /// Keeps an entry that is nowhere for what it has to remember.
    fn remember(&mut self, slot: u32) {
        self.slab.get_mut(slot).place = Place::Idle;
        self.idle.push(&mut self.slab, slot);
        self.idle_len += 1;
    }

    fn recall(&mut self, slot: u32) {
        self.idle.remove(&mut self.slab, slot);
        self.idle_len -= 1;
    }

    /// The failures that lie back longest are forgotten when there are too many.
    fn forget_excess(&mut self) -> Option<K> {
        if self.idle_len <= self.remember {
            return None;
        }
        self.idle_len -= 1;
        let slot = self.idle.pop(&mut self.slab)?;
        Some(self.vacate(slot))
    }

    /// Frees the slot of an entry that is nowhere.
    fn vacate(&mut self, slot: u32) -> K {
        self.index.remove(self.slab.get(slot).hash, slot);
        self.slab.remove(slot)
    }

    fn leave(&mut self, slot: u32, due_in: Duration) -> Pending<K> {
        let (priority, failures) = (self.slab.get(slot).priority, self.failures(slot));
        Pending { key: self.vacate(slot), due_in, priority, failures }
    }
}

/// A duration in nanoseconds, at most what 64 bits hold (584 years).
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::KeyHasher;

    #[test]
    fn what_failed_long_ago_is_forgotten_when_there_is_too_much() {
        let settings = Settings { ageing: None, group: None, bound: None, remember: 2, timed: false };
        let hasher = KeyHasher::default();
        let mut state = State::new(settings);
        for key in 0..5_u32 {
            let slot = state.insert(hasher.hash(&key), key);
            state.request(slot, 0, Priority::NORMAL, 0);
            let slot = state.take(0).expect("ready").slot;
            state.fail(slot);
            assert_eq!(state.finish(slot, 0), key.checked_sub(2));
        }
        let known: Vec<_> = (0..5).filter(|key| state.find(hasher.hash(key), key).is_some()).collect();
        assert_eq!((known, state.idle_len), (vec![3, 4], 2));
    }
}
