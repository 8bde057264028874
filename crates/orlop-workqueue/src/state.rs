use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hash};
use std::time::Duration;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::metrics::{Histogram, Metrics};
use crate::ready::Ready;
use crate::{Pending, Priority};

/// The queue as a state machine: no lock, no waiting, and the time (since the queue was built) is an argument.
///
/// A key has one entry, and an entry is in one place: that is what makes it impossible for a key to be queued twice,
/// delayed and queued at once, or handed to two workers.
#[derive(Debug)]
pub(crate) struct State<K> {
    /// Looked up only, never walked: its order may depend on a random seed.
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    slots: Vec<Option<Entry<K>>>,
    free: Vec<u32>,
    ready: Ready,
    /// By due time, then in the order of adding.
    delayed: BTreeSet<(Duration, u64, u32)>,
    sequence: u64,
    processing: usize,
    ageing: Option<Duration>,
    adds: u64,
    retries: u64,
    queue_latency: Histogram,
    work_duration: Histogram,
}

#[derive(Debug)]
struct Entry<K> {
    key: K,
    hash: u64,
    priority: Priority,
    /// Since the last `forget`.
    failures: u32,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Only remembered for its failures.
    Idle,
    Ready {
        due: Duration,
    },
    Delayed {
        due: Duration,
        sequence: u64,
    },
    Processing {
        since: Duration,
        again: Option<Again>,
    },
}

/// What to do with a key that was added while it is worked on.
#[derive(Clone, Copy, Debug)]
struct Again {
    due: Duration,
    priority: Priority,
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

impl<K: Hash + Eq + Clone> State<K> {
    pub(crate) fn new(ageing: Option<Duration>) -> Self {
        Self {
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            slots: Vec::new(),
            free: Vec::new(),
            ready: Ready::default(),
            delayed: BTreeSet::new(),
            sequence: 0,
            processing: 0,
            ageing,
            adds: 0,
            retries: 0,
            queue_latency: Histogram::default(),
            work_duration: Histogram::default(),
        }
    }

    /// Adds a key that is to be handed out at `due` or later. Of two requests for a key the earlier time and the higher
    /// priority count. A key that is being worked on comes back when it is finished.
    pub(crate) fn add(&mut self, key: K, due: Duration, priority: Priority, now: Duration) {
        let slot = self.slot_of(key);
        self.request(slot, due, priority, now);
    }

    /// Counts a failure of a key and returns how many it had before.
    pub(crate) fn fail(&mut self, key: K) -> u32 {
        let slot = self.slot_of(key);
        self.fail_slot(slot)
    }

    /// The same for a key in progress.
    pub(crate) fn fail_slot(&mut self, slot: u32) -> u32 {
        self.retries += 1;
        let failures = &mut self.entry(slot).failures;
        let before = *failures;
        *failures = failures.saturating_add(1);
        before
    }

    pub(crate) fn failures(&self, key: &K) -> u32 {
        self.find(key).and_then(|slot| self.slots[slot as usize].as_ref()).map_or(0, |entry| entry.failures)
    }

    pub(crate) fn forget(&mut self, key: &K) {
        if let Some(slot) = self.find(key) {
            self.forget_slot(slot);
            self.release(slot);
        }
    }

    /// The same for a key in progress.
    pub(crate) fn forget_slot(&mut self, slot: u32) {
        self.entry(slot).failures = 0;
    }

    /// Asks for a key in progress to come back once it is finished.
    pub(crate) fn again(&mut self, slot: u32, due: Duration, priority: Priority, now: Duration) {
        self.request(slot, due, priority, now);
    }

    /// Moves the keys whose time has come to the ready ones and returns how many they were.
    pub(crate) fn promote(&mut self, now: Duration) -> usize {
        let mut promoted = 0;
        while let Some(&(due, _, slot)) = self.delayed.first()
            && due <= now
        {
            self.delayed.pop_first();
            self.make_ready(slot, due, now);
            promoted += 1;
        }
        promoted
    }

    /// Hands out the next ready key. Due ones have to be promoted before.
    pub(crate) fn take(&mut self, now: Duration) -> Option<Taken<K>> {
        let slot = self.ready.pop(now, self.ageing)?;
        let entry = self.entry(slot);
        let Place::Ready { due } = entry.place else { unreachable!("a slot among the ready ones is ready") };
        entry.place = Place::Processing { since: now, again: None };
        let (key, failures, priority) = (entry.key.clone(), entry.failures, entry.priority);
        let waited = now.saturating_sub(due);
        self.processing += 1;
        self.queue_latency.observe(waited);
        Some(Taken { slot, key, failures, priority, waited })
    }

    /// Ends the work on a slot that [`State::take`] handed out. If it was added meanwhile it goes back in.
    pub(crate) fn finish(&mut self, slot: u32, now: Duration) {
        let entry = self.entry(slot);
        let Place::Processing { since, again } = entry.place else {
            unreachable!("a ticket's slot is in progress")
        };
        entry.place = Place::Idle;
        self.processing -= 1;
        self.work_duration.observe(now.saturating_sub(since));
        match again {
            Some(Again { due, priority }) => self.request(slot, due, priority, now),
            None => self.release(slot),
        }
    }

    /// When the first delayed key is due.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.delayed.first().map(|(due, ..)| *due)
    }

    pub(crate) const fn ready(&self) -> usize {
        self.ready.len()
    }

    pub(crate) const fn processing(&self) -> usize {
        self.processing
    }

    /// Empties the queue: what was ready, in order, then what was delayed, by due time. What is being worked on stays.
    pub(crate) fn take_rest(&mut self, now: Duration) -> Vec<Pending<K>> {
        let ready: Vec<u32> = self.ready.iter().collect();
        let delayed: Vec<u32> = self.delayed.iter().map(|(.., slot)| *slot).collect();
        self.ready = Ready::default();
        self.delayed.clear();
        ready.into_iter().chain(delayed).map(|slot| self.remove(slot, now)).collect()
    }

    pub(crate) fn metrics(&self, now: Duration) -> Metrics {
        let running = || {
            self.slots.iter().flatten().filter_map(|entry| match entry.place {
                Place::Processing { since, .. } => Some(now.saturating_sub(since)),
                _ => None,
            })
        };
        Metrics {
            depth: self.ready.len(),
            delayed: self.delayed.len(),
            processing: self.processing,
            adds: self.adds,
            retries: self.retries,
            queue_latency: self.queue_latency.clone(),
            work_duration: self.work_duration.clone(),
            unfinished: running().sum(),
            longest_running: running().max().unwrap_or_default(),
        }
    }

    fn request(&mut self, slot: u32, due: Duration, priority: Priority, now: Duration) {
        let entry = self.entry(slot);
        match &mut entry.place {
            Place::Idle => {
                entry.priority = priority;
                self.put(slot, due, now);
            }
            Place::Ready { due } => {
                if priority > entry.priority {
                    entry.priority = priority;
                    let due = *due;
                    self.ready.remove(slot);
                    self.ready.push(slot, priority, now);
                    self.entry(slot).place = Place::Ready { due };
                }
            }
            Place::Delayed { due: old, sequence } => {
                entry.priority = entry.priority.max(priority);
                if due < *old {
                    let old = (*old, *sequence, slot);
                    self.delayed.remove(&old);
                    self.put(slot, due, now);
                }
            }
            Place::Processing { again, .. } => {
                *again = Some(again.map_or(Again { due, priority }, |old| Again {
                    due: old.due.min(due),
                    priority: old.priority.max(priority),
                }));
            }
        }
    }

    fn put(&mut self, slot: u32, due: Duration, now: Duration) {
        if due <= now {
            self.make_ready(slot, due, now);
        } else {
            self.sequence += 1;
            let sequence = self.sequence;
            self.delayed.insert((due, sequence, slot));
            self.entry(slot).place = Place::Delayed { due, sequence };
        }
    }

    fn make_ready(&mut self, slot: u32, due: Duration, now: Duration) {
        let entry = self.entry(slot);
        entry.place = Place::Ready { due };
        let priority = entry.priority;
        self.ready.push(slot, priority, now);
        self.adds += 1;
    }

    fn entry(&mut self, slot: u32) -> &mut Entry<K> {
        self.slots[slot as usize].as_mut().expect("a slot in use has an entry")
    }

    fn find(&self, key: &K) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.index.find(hash, |slot| holds(&self.slots, *slot, hash, key)).copied()
    }

    fn slot_of(&mut self, key: K) -> u32 {
        let hash = self.hasher.hash_one(&key);
        if let Some(slot) = self.index.find(hash, |slot| holds(&self.slots, *slot, hash, &key)) {
            return *slot;
        }
        let entry = Some(Entry { key, hash, priority: Priority::default(), failures: 0, place: Place::Idle });
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = entry;
                slot
            }
            None => {
                let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 keys");
                self.slots.push(entry);
                slot
            }
        };
        let slots = &self.slots;
        self.index
            .insert_unique(hash, slot, |slot| slots[*slot as usize].as_ref().map_or(0, |entry| entry.hash));
        slot
    }

    /// Drops an idle entry that nothing has to be remembered about.
    fn release(&mut self, slot: u32) {
        let entry = self.entry(slot);
        if entry.failures == 0 && matches!(entry.place, Place::Idle) {
            let _ = self.vacate(slot);
        }
    }

    fn vacate(&mut self, slot: u32) -> Entry<K> {
        let entry = self.slots[slot as usize].take().expect("a slot in use has an entry");
        if let Ok(found) = self.index.find_entry(entry.hash, |other| *other == slot) {
            found.remove();
        }
        self.free.push(slot);
        entry
    }

    fn remove(&mut self, slot: u32, now: Duration) -> Pending<K> {
        let Entry { key, priority, failures, place, .. } = self.vacate(slot);
        let due_in = match place {
            Place::Delayed { due, .. } => due.saturating_sub(now),
            _ => Duration::ZERO,
        };
        Pending { key, due_in, priority, failures }
    }
}

fn holds<K: Eq>(slots: &[Option<Entry<K>>], slot: u32, hash: u64, key: &K) -> bool {
    slots[slot as usize].as_ref().is_some_and(|entry| entry.hash == hash && entry.key == *key)
}
