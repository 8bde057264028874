use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::entry::{Place, Slab};

/// Nanoseconds of a tick, as a power of two: about a millisecond.
const TICK: u32 = 20;
/// Buckets of a level, as a power of two.
const BITS: u32 = 6;
const BUCKETS: usize = 1 << BITS;
/// Enough for all of 64 bits of nanoseconds.
const LEVELS: usize = (64 - TICK).div_ceil(BITS) as usize;
/// The levels whose buckets span no more than 32 bits of nanoseconds.
const EXACT: usize = ((32 - TICK) / BITS) as usize;
/// So many timers that were taken out before their time may always stay in their buckets.
const STALE: usize = 256;

/// The keys that wait for their time: a hierarchical timer wheel (Varghese and Lauck, 1987).
///
/// A bucket of level *n* spans 64ⁿ ticks; when its time comes its timers move to lower levels. Those of the present tick
/// are in a heap, so that they come by the nanosecond, and of equal times in the order of adding.
///
/// In a bucket a timer is its slot and the lower half of its due time. The upper half is that of the bucket, up to
/// buckets of 4.3 s; so on its last way down no entry has to be looked at, each of which would be a wait for the memory.
/// What is taken out before its time is only marked so in its entry.
#[derive(Debug)]
pub(crate) struct Timers {
    /// The tick that all has been moved up to.
    tick: u64,
    /// Bucket by bucket, level by level. Empty until there is a first timer.
    buckets: Vec<Vec<Timer>>,
    occupied: [u64; LEVELS],
    /// `(due, number, slot)`.
    near: BinaryHeap<Reverse<(u64, u64, u32)>>,
    number: u64,
    len: usize,
    /// At most so many in buckets and heap are there no more.
    stale: usize,
}

#[derive(Clone, Copy, Debug)]
struct Timer {
    due: u32,
    slot: u32,
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self {
            tick: 0,
            buckets: Vec::new(),
            occupied: [0; LEVELS],
            near: BinaryHeap::new(),
            number: 0,
            len: 0,
            stale: 0,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Puts in an entry that is in no list, with its due time.
    pub(crate) fn push<K>(&mut self, slab: &mut Slab<K>, slot: u32, due: u64) {
        self.number += 1;
        let entry = slab.get_mut(slot);
        entry.due = due;
        entry.since = self.number;
        entry.place = Place::Delayed;
        self.len += 1;
        self.place(due, self.number, slot);
    }

    /// Takes out an entry that is in.
    pub(crate) fn remove<K>(&mut self, slab: &mut Slab<K>, slot: u32) {
        slab.get_mut(slot).place = Place::Nowhere;
        self.len -= 1;
        self.stale += 1;
        if self.stale > self.len + STALE {
            self.rebuild(slab);
        }
    }

    /// Takes out the entry that is due first, if it is due by now.
    pub(crate) fn pop<K>(&mut self, slab: &mut Slab<K>, now: u64) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        self.advance(slab, now >> TICK);
        self.forget_removed(slab);
        let Reverse((due, _, slot)) = *self.near.peek()?;
        if due > now {
            return None;
        }
        self.near.pop();
        slab.get_mut(slot).place = Place::Nowhere;
        self.len -= 1;
        Some(slot)
    }

    /// When to look again: nothing is due before, and the first may be due then or a little later.
    pub(crate) fn next<K>(&mut self, slab: &Slab<K>) -> Option<u64> {
        if self.len == 0 {
            return None;
        }
        self.forget_removed(slab);
        match self.near.peek() {
            Some(Reverse((due, ..))) => Some(*due),
            None => self.first_bucket().map(|(.., tick)| tick << TICK),
        }
    }

    /// All timers' slots, in the order in which they are due.
    pub(crate) fn in_order<K>(&self, slab: &Slab<K>) -> Vec<u32> {
        let mut all: Vec<_> = slab
            .iter()
            .filter(|(_, entry)| entry.place == Place::Delayed)
            .map(|(slot, entry)| (entry.due, entry.since, slot))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(.., slot)| slot).collect()
    }

    fn place(&mut self, due: u64, number: u64, slot: u32) {
        let tick = due >> TICK;
        if tick <= self.tick {
            self.near.push(Reverse((due, number, slot)));
        } else {
            self.put(due, slot);
        }
    }

    /// Puts what is due in a later tick into a bucket.
    fn put(&mut self, due: u64, slot: u32) {
        if self.buckets.is_empty() {
            self.buckets.resize(LEVELS * BUCKETS, Vec::new());
        }
        // The highest digit in which the two differ says how far away it is.
        let tick = due >> TICK;
        let level = (tick ^ self.tick).ilog2() / BITS;
        let digit = (tick >> (level * BITS)) as usize % BUCKETS;
        let bucket = &mut self.buckets[level as usize * BUCKETS + digit];
        if bucket.len() == bucket.capacity() {
            // By a quarter, not by half: there may be millions.
            bucket.reserve_exact(bucket.len() / 4 + 4);
        }
        bucket.push(Timer { due: lower(due), slot });
        self.occupied[level as usize] |= 1 << digit;
    }

    /// The bucket whose time comes first, by level and digit, and the tick when it does.
    fn first_bucket(&self) -> Option<(usize, usize, u64)> {
        // Whatever is in a lower level shares more digits with the present tick, and so is nearer.
        let level = self.occupied.iter().position(|bits| *bits != 0)?;
        let digit = self.occupied[level].trailing_zeros() as usize;
        let shift = level as u32 * BITS;
        let above = self.tick >> (shift + BITS) << (shift + BITS);
        Some((level, digit, above | (digit as u64) << shift))
    }

    fn advance<K>(&mut self, slab: &Slab<K>, to: u64) {
        while let Some((level, digit, tick)) = self.first_bucket()
            && tick <= to
        {
            self.tick = tick;
            self.occupied[level] &= !(1 << digit);
            let timers = std::mem::take(&mut self.buckets[level * BUCKETS + digit]);
            let upper = tick << TICK >> 32 << 32;
            for timer in timers {
                let due = upper | u64::from(timer.due);
                if level <= EXACT && due >> TICK > tick {
                    self.put(due, timer.slot);
                    continue;
                }
                let entry = slab.get(timer.slot);
                if entry.place == Place::Delayed && lower(entry.due) == timer.due {
                    self.place(entry.due, entry.since, timer.slot);
                } else {
                    self.stale = self.stale.saturating_sub(1);
                }
            }
        }
        self.tick = self.tick.max(to);
    }

    fn forget_removed<K>(&mut self, slab: &Slab<K>) {
        while let Some(Reverse((_, number, slot))) = self.near.peek() {
            let entry = slab.get(*slot);
            if entry.place == Place::Delayed && entry.since == *number {
                return;
            }
            self.near.pop();
            self.stale = self.stale.saturating_sub(1);
        }
    }

    /// Leaves out all that is there no more.
    fn rebuild<K>(&mut self, slab: &Slab<K>) {
        self.buckets.clear();
        self.occupied = [0; LEVELS];
        self.near.clear();
        self.stale = 0;
        for (slot, entry) in slab.iter().filter(|(_, entry)| entry.place == Place::Delayed) {
            self.place(entry.due, entry.since, slot);
        }
    }
}

/// The lower half of a time.
#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
const fn lower(time: u64) -> u32 {
    time as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use orlop_clock::Random;

    use super::*;

    #[test]
    fn comes_in_order_by_the_nanosecond_whatever_the_distances() {
        let random = Random::new(7);
        let mut slab = Slab::new();
        let mut timers = Timers::new();
        let mut model = BTreeSet::new();
        let mut now = 0;
        for step in 0..20_000_u64 {
            let distance = random.range(0..64) as u32;
            let due = now + 1 + (random.u64() >> distance).min(u64::MAX - now - 1);
            match random.range(0..4) {
                0 | 1 => {
                    let slot = slab.insert(0, step);
                    timers.push(&mut slab, slot, due);
                    model.insert((due, step, slot));
                }
                2 => {
                    // Taken out before its time.
                    if let Some(gone) = model.iter().nth(random.index(model.len().max(1))).copied() {
                        model.remove(&gone);
                        timers.remove(&mut slab, gone.2);
                        slab.remove(gone.2);
                    }
                }
                _ => {
                    let jump = random.u64() >> (20 + random.range(0..44));
                    now = now.saturating_add(jump).min(u64::MAX / 2);
                }
            }
            let next = timers.next(&slab);
            assert!(next <= model.first().map(|first| first.0) && next.is_some() != model.is_empty());
            while let Some(slot) = timers.pop(&mut slab, now) {
                let first = model.pop_first().expect("something is due");
                assert_eq!((slab.get(slot).due, slot), (first.0, first.2));
                assert!(first.0 <= now);
                slab.remove(slot);
            }
            assert!(model.first().is_none_or(|first| first.0 > now), "late");
            assert_eq!(timers.len(), model.len());
        }
        let rest: Vec<_> = model.iter().map(|(.., slot)| *slot).collect();
        assert_eq!(timers.in_order(&slab), rest);
        assert!(!rest.is_empty());
    }

    /// Looking again when told to comes to the end in a few steps, however far away the time is.
    #[test]
    fn the_time_to_look_again_comes_near_quickly() {
        let mut slab = Slab::new();
        for due in [1, 1 << 20, (1 << 20) + 1, 3_600_000_000_000, 86_400_000_000_123, u64::MAX] {
            let mut timers = Timers::new();
            let slot = slab.insert(0, due);
            timers.push(&mut slab, slot, due);
            let mut looked = 0;
            while timers.next(&slab) != Some(due) {
                let next = timers.next(&slab).expect("one timer");
                assert_eq!(timers.pop(&mut slab, next), None);
                looked += 1;
            }
            assert!(looked <= LEVELS, "{due}: {looked} times");
            assert_eq!(timers.pop(&mut slab, due), Some(slot));
        }
    }
}
