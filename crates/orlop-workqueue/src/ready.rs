use hashbrown::HashMap;

use crate::Priority;
use crate::entry::{List, NONE, Place, Slab};

const LEVELS: usize = Priority::LEVELS as usize;

/// The keys that may be handed out: for each priority one lane, first in first out, or one for each group, which take
/// turns.
#[derive(Debug)]
pub(crate) struct Ready {
    /// The first ones belong to a level each; further ones to a level and a group.
    lanes: Vec<Lane>,
    levels: [Level; LEVELS],
    /// A bit for each level that has something.
    occupied: u16,
    len: usize,
    ageing: Option<u64>,
    groups: HashMap<(u8, u64), u32>,
    free: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Lane {
    slots: List,
    level: u8,
    group: Option<u64>,
    /// Neighbours among the level's lanes that have something.
    next: u32,
    prev: u32,
}

/// The lanes of one priority that have something, in the order of their turns.
#[derive(Clone, Copy, Debug)]
struct Level {
    front: u32,
    back: u32,
}

impl Ready {
    /// `ageing`: nanoseconds after which a key counts as one level more urgent, above 0.
    pub(crate) fn new(ageing: Option<u64>) -> Self {
        let lane = |level| Lane { slots: List::EMPTY, level, group: None, next: NONE, prev: NONE };
        Self {
            lanes: (0..Priority::LEVELS).map(lane).collect(),
            levels: [Level { front: NONE, back: NONE }; LEVELS],
            occupied: 0,
            len: 0,
            ageing,
            groups: HashMap::new(),
            free: Vec::new(),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are keys of this priority.
    pub(crate) const fn has(&self, priority: Priority) -> bool {
        self.occupied & (1 << priority.level()) != 0
    }

    pub(crate) const fn ages(&self) -> bool {
        self.ageing.is_some()
    }

    /// Whether the time decides which is next.
    pub(crate) const fn time_decides(&self) -> bool {
        self.ageing.is_some() && self.occupied & self.occupied.wrapping_sub(1) != 0
    }

    /// Puts an entry that is in no list at the end of its lane. `since` never goes back.
    pub(crate) fn push<K>(&mut self, slab: &mut Slab<K>, slot: u32, group: Option<u64>, since: u64) {
        let entry = slab.get_mut(slot);
        let lane = self.lane_of(entry.priority, group);
        entry.place = Place::Ready;
        entry.since = since;
        let slots = &mut self.lanes[lane as usize].slots;
        let began = slots.is_empty();
        slots.push(slab, slot);
        if began {
            self.line_up(lane);
        }
        self.len += 1;
    }

    /// Takes out an entry that is in, of the group with which it was put in.
    pub(crate) fn remove<K>(&mut self, slab: &mut Slab<K>, slot: u32, group: Option<u64>) {
        let lane = self.lane_of(slab.get(slot).priority, group);
        self.take_out(slab, slot, lane);
    }

    fn take_out<K>(&mut self, slab: &mut Slab<K>, slot: u32, lane: u32) {
        slab.get_mut(slot).place = Place::Nowhere;
        let slots = &mut self.lanes[lane as usize].slots;
        slots.remove(slab, slot);
        if slots.is_empty() {
            self.step_out(lane);
            self.close(lane);
        }
        self.len -= 1;
    }

    /// Takes out the key whose turn it is: the highest level, where a key counts as one level higher for each `ageing`
    /// that it has waited; among equals the one that has waited longest, then the higher priority. Within a level,
    /// groups take turns.
    ///
    /// Only the first key of each level is looked at. Nobody in its lane has waited longer; in another group's lane
    /// somebody may have, but that lane is at the front soon: its turn comes with each key that the level gives.
    pub(crate) fn pop<K>(&mut self, slab: &mut Slab<K>, now: u64) -> Option<u32> {
        let level = self.next_level(slab, now)?;
        let lane = self.levels[level].front;
        let slot = self.lanes[lane as usize].slots.head;
        self.take_out(slab, slot, lane);
        // Still the front lane: it has more. Now the others.
        if self.levels[level].front == lane && self.levels[level].back != lane {
            self.step_out(lane);
            self.line_up(lane);
        }
        Some(slot)
    }

    fn next_level<K>(&self, slab: &Slab<K>, now: u64) -> Option<usize> {
        let highest = LEVELS.checked_sub(1 + self.occupied.leading_zeros() as usize)?;
        let Some(step) = self.ageing.filter(|_| self.time_decides()) else { return Some(highest) };
        (0..=highest).filter(|level| self.occupied & (1 << level) != 0).max_by_key(|level| {
            let since = slab.get(self.first(*level)).since;
            (*level as u64 + now.saturating_sub(since) / step, std::cmp::Reverse(since), *level)
        })
    }

    /// The key whose turn it is within a level that has something.
    fn first(&self, level: usize) -> u32 {
        self.lanes[self.levels[level].front as usize].slots.head
    }

    /// The last key of the lowest level: the one to do without.
    pub(crate) fn lowest(&self) -> Option<u32> {
        (self.occupied != 0)
            .then(|| self.levels[self.occupied.trailing_zeros() as usize].back)
            .map(|lane| self.lanes[lane as usize].slots.tail)
    }

    /// The key that has waited longest; among equals, that of the lower level.
    pub(crate) fn oldest<K>(&self, slab: &Slab<K>) -> Option<u32> {
        self.levels
            .iter()
            .flat_map(|level| self.lanes_of(level))
            .map(|lane| self.lanes[lane as usize].slots.head)
            .min_by_key(|slot| slab.get(*slot).since)
    }

    /// All slots, highest level first, lane by lane.
    pub(crate) fn iter<'a, K>(&'a self, slab: &'a Slab<K>) -> impl Iterator<Item = u32> + 'a {
        let levels = self.levels.iter().rev();
        levels
            .flat_map(|level| self.lanes_of(level))
            .flat_map(move |lane| self.lanes[lane as usize].slots.iter(slab))
    }

    /// The next slots of the lane whose turn it is at the highest level.
    pub(crate) fn upcoming<'a, K>(&self, slab: &'a Slab<K>) -> impl Iterator<Item = u32> + use<'a, K> {
        let highest = LEVELS.checked_sub(1 + self.occupied.leading_zeros() as usize);
        let slots = highest.map_or(List::EMPTY, |level| self.lanes[self.levels[level].front as usize].slots);
        slots.iter(slab)
    }

    /// The lanes of a level that have something, in the order of their turns.
    fn lanes_of(&self, level: &Level) -> impl Iterator<Item = u32> {
        let some = |lane: u32| (lane != NONE).then_some(lane);
        std::iter::successors(some(level.front), move |lane| some(self.lanes[*lane as usize].next))
    }

    fn lane_of(&mut self, priority: Priority, group: Option<u64>) -> u32 {
        let level = priority.level();
        let Some(group) = group else { return u32::from(level) };
        *self.groups.entry((level, group)).or_insert_with(|| {
            let lane = Lane { slots: List::EMPTY, level, group: Some(group), next: NONE, prev: NONE };
            if let Some(free) = self.free.pop() {
                self.lanes[free as usize] = lane;
                return free;
            }
            self.lanes.push(lane);
            u32::try_from(self.lanes.len() - 1).expect("no more lanes than levels times keys")
        })
    }

    /// An empty lane of a group is kept no longer.
    fn close(&mut self, lane: u32) {
        let Lane { level, group, .. } = self.lanes[lane as usize];
        if let Some(group) = group {
            self.groups.remove(&(level, group));
            self.free.push(lane);
        }
    }

    /// The lane's turn comes after that of all others of its level.
    fn line_up(&mut self, lane: u32) {
        let number = usize::from(self.lanes[lane as usize].level);
        let level = &mut self.levels[number];
        let back = std::mem::replace(&mut level.back, lane);
        if back == NONE {
            level.front = lane;
            self.occupied |= 1 << number;
        } else {
            self.lanes[back as usize].next = lane;
        }
        self.lanes[lane as usize].prev = back;
        self.lanes[lane as usize].next = NONE;
    }

    fn step_out(&mut self, lane: u32) {
        let Lane { level, next, prev, .. } = self.lanes[lane as usize];
        let number = usize::from(level);
        if prev == NONE {
            self.levels[number].front = next;
        } else {
            self.lanes[prev as usize].next = next;
        }
        if next == NONE {
            self.levels[number].back = prev;
        } else {
            self.lanes[next as usize].prev = prev;
        }
        if self.levels[number].front == NONE {
            self.occupied &= !(1 << number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn slab(priorities: &[Priority]) -> Slab<usize> {
        let mut slab = Slab::new();
        for (key, priority) in priorities.iter().enumerate() {
            let slot = slab.insert(0, key);
            slab.get_mut(slot).priority = *priority;
        }
        slab
    }

    #[test]
    fn higher_levels_first_and_in_order_within_a_level() {
        let priorities = [Priority::LOW, Priority::NORMAL, Priority::HIGH, Priority::NORMAL, Priority::HIGH];
        let mut slab = slab(&priorities);
        let mut ready = Ready::new(None);
        for slot in 0..5 {
            ready.push(&mut slab, slot, None, 0);
        }
        assert_eq!((ready.lowest(), ready.len()), (Some(0), 5));
        ready.remove(&mut slab, 2, None);
        assert_eq!(ready.iter(&slab).collect::<Vec<_>>(), [4, 1, 3, 0]);
        let popped: Vec<_> = std::iter::from_fn(|| ready.pop(&mut slab, 100 * SECOND)).collect();
        assert_eq!(popped, [4, 1, 3, 0]);
        assert_eq!((ready.len(), ready.occupied, ready.lowest()), (0, 0, None));
    }

    #[test]
    fn a_waiting_key_climbs_one_level_per_step() {
        let mut slab = slab(&[Priority::LOW, Priority::NORMAL]);
        let mut ready = Ready::new(Some(SECOND));
        ready.push(&mut slab, 0, None, 0);
        for second in 0..4 {
            ready.push(&mut slab, 1, None, second * SECOND);
            assert_eq!(ready.pop(&mut slab, second * SECOND), Some(1), "at {second} s");
        }
        // Four levels apart, four steps waited: level with a fresh one, and it came first.
        ready.push(&mut slab, 1, None, 4 * SECOND);
        assert_eq!(ready.oldest(&slab), Some(0));
        assert_eq!(ready.pop(&mut slab, 4 * SECOND), Some(0));
    }

    #[test]
    fn groups_take_turns_and_are_forgotten_when_empty() {
        let mut slab = slab(&[Priority::NORMAL; 7]);
        let mut ready = Ready::new(None);
        for (slot, group) in [(0, 1), (1, 1), (2, 1), (3, 1), (4, 2), (5, 3), (6, 2)] {
            ready.push(&mut slab, slot, Some(group), 0);
        }
        let popped: Vec<_> = std::iter::from_fn(|| ready.pop(&mut slab, 0)).collect();
        assert_eq!(popped, [0, 4, 5, 1, 6, 2, 3]);
        assert!(ready.groups.is_empty());
        assert_eq!(ready.free.len(), 3);
    }
}
