use std::time::Duration;

use crate::Priority;

const NONE: u32 = u32::MAX;
const LEVELS: usize = Priority::LEVELS as usize;

/// The slots that may be handed out: one queue, first in first out, for each priority.
///
/// The queues are linked through a table indexed by slot, so that taking a slot out of the middle (its priority was
/// raised) costs no search.
#[derive(Debug)]
pub(crate) struct Ready {
    links: Vec<Link>,
    levels: [Level; LEVELS],
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
    level: u8,
    since: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    head: u32,
    tail: u32,
}

impl Default for Ready {
    fn default() -> Self {
        Self { links: Vec::new(), levels: [Level { head: NONE, tail: NONE }; LEVELS], len: 0 }
    }
}

impl Ready {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Puts `slot`, which must not be in already, at the end of its level. `since` never goes back.
    pub(crate) fn push(&mut self, slot: u32, priority: Priority, since: Duration) {
        let at = slot as usize;
        if at >= self.links.len() {
            self.links.resize(at + 1, Link { before: NONE, after: NONE, level: 0, since: Duration::ZERO });
        }
        let level = &mut self.levels[usize::from(priority.level())];
        self.links[at] = Link { before: level.tail, after: NONE, level: priority.level(), since };
        match std::mem::replace(&mut level.tail, slot) {
            NONE => level.head = slot,
            tail => self.links[tail as usize].after = slot,
        }
        self.len += 1;
    }

    /// Takes out `slot`, which must be in.
    pub(crate) fn remove(&mut self, slot: u32) {
        let Link { before, after, level, .. } = self.links[slot as usize];
        let level = &mut self.levels[usize::from(level)];
        match before {
            NONE => level.head = after,
            before => self.links[before as usize].after = after,
        }
        match after {
            NONE => level.tail = before,
            after => self.links[after as usize].before = before,
        }
        self.len -= 1;
    }

    /// Takes out the slot whose turn it is: the highest level, where a slot counts as one level higher for each
    /// `ageing` that it has waited; among equals the one that has waited longest, then the higher priority.
    ///
    /// Only the heads need to be compared: within a level nobody has waited longer than its head.
    pub(crate) fn pop(&mut self, now: Duration, ageing: Option<Duration>) -> Option<u32> {
        let climbed = |since: Duration| {
            let waited = now.saturating_sub(since).as_nanos();
            ageing.map_or(0, |step| waited / step.as_nanos().max(1))
        };
        let head = |level: &Level| (level.head != NONE).then_some(level.head);
        let slot = self.levels.iter().filter_map(head).max_by_key(|slot| {
            let link = &self.links[*slot as usize];
            (u128::from(link.level) + climbed(link.since), std::cmp::Reverse(link.since), link.level)
        })?;
        self.remove(slot);
        Some(slot)
    }

    /// All slots, highest level first, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let some = |slot: u32| (slot != NONE).then_some(slot);
        self.levels.iter().rev().flat_map(move |level| {
            std::iter::successors(some(level.head), move |slot| some(self.links[*slot as usize].after))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn higher_levels_first_and_in_order_within_a_level() {
        let mut ready = Ready::default();
        for (slot, priority) in [
            (0, Priority::LOW),
            (1, Priority::NORMAL),
            (2, Priority::HIGH),
            (3, Priority::NORMAL),
            (4, Priority::HIGH),
        ] {
            ready.push(slot, priority, secs(0));
        }
        ready.remove(2);
        assert_eq!(ready.iter().collect::<Vec<_>>(), [4, 1, 3, 0]);
        let popped: Vec<_> = std::iter::from_fn(|| ready.pop(secs(100), None)).collect();
        assert_eq!(popped, [4, 1, 3, 0]);
        assert_eq!(ready.len(), 0);
    }

    #[test]
    fn a_waiting_slot_climbs_one_level_per_step() {
        let mut ready = Ready::default();
        ready.push(0, Priority::LOW, secs(0));
        for second in 0..4 {
            ready.push(1, Priority::NORMAL, secs(second));
            assert_eq!(ready.pop(secs(second), Some(secs(1))), Some(1), "at {second} s");
        }
        // Four levels apart, four steps waited: level with a fresh one, and it came first.
        ready.push(1, Priority::NORMAL, secs(4));
        assert_eq!(ready.pop(secs(4), Some(secs(1))), Some(0));
    }
}
