//! [`Flight`]: what happens while pods are being decided about.

use std::collections::VecDeque;

use crate::framework::ClusterEvent;

/// Events kept at most. A pod that misses one for it counts as woken.
const KEPT: usize = 16_384;

/// The events since the oldest pod in flight was taken.
#[derive(Debug, Default)]
pub(super) struct Flight {
    events: VecDeque<ClusterEvent>,
    /// Number of the first event kept.
    first: u64,
    /// How many pods were taken before the event of a number, by number.
    taken: VecDeque<(u64, u32)>,
}

impl Flight {
    pub(super) fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// A pod is taken; the cursor is for [`land`](Self::land).
    pub(super) fn take(&mut self) -> u64 {
        let cursor = self.next();
        match self.taken.back_mut() {
            Some((last, count)) if *last == cursor => *count += 1,
            _ => self.taken.push_back((cursor, 1)),
        }
        cursor
    }

    pub(super) fn push(&mut self, event: ClusterEvent) {
        if self.taken.is_empty() {
            return;
        }
        self.events.push_back(event);
        if self.events.len() > KEPT {
            self.events.pop_front();
            self.first += 1;
        }
    }

    /// What happened since the pod was taken; `None` where that is not known any more.
    pub(super) fn since(&self, cursor: u64) -> Option<impl Iterator<Item = &ClusterEvent>> {
        let skip = usize::try_from(cursor.checked_sub(self.first)?).ok()?;
        Some(self.events.range(skip.min(self.events.len())..))
    }

    /// The pod is not in flight any more.
    pub(super) fn land(&mut self, cursor: u64) {
        if let Ok(index) = self.taken.binary_search_by_key(&cursor, |(cursor, _)| *cursor) {
            self.taken[index].1 -= 1;
        }
        while let Some((_, 0)) = self.taken.front() {
            self.taken.pop_front();
        }
        let Some((oldest, _)) = self.taken.front() else {
            self.first = self.next();
            self.events.clear();
            return;
        };
        while self.first < *oldest && self.events.pop_front().is_some() {
            self.first += 1;
        }
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.events.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> ClusterEvent {
        ClusterEvent::Other { kind: "Service".into() }
    }

    #[test]
    fn events_are_kept_for_those_in_flight() {
        let mut flight = Flight::default();
        flight.push(event());
        assert_eq!(flight.kept(), 0);
        let first = flight.take();
        flight.push(event());
        let (second, third) = (flight.take(), flight.take());
        flight.push(event());
        let count = |flight: &Flight, cursor| flight.since(cursor).unwrap().count();
        assert_eq!((count(&flight, first), count(&flight, second)), (2, 1));
        flight.land(second);
        assert_eq!(flight.kept(), 2);
        flight.land(first);
        assert_eq!((flight.kept(), count(&flight, third)), (1, 1));
        flight.land(third);
        assert_eq!(flight.kept(), 0);
        assert!(flight.is_empty());
    }

    #[test]
    fn who_is_too_long_in_flight_has_missed_something() {
        let mut flight = Flight::default();
        let cursor = flight.take();
        for _ in 0..=KEPT {
            flight.push(event());
        }
        assert!(flight.since(cursor).is_none());
        assert_eq!(flight.kept(), KEPT);
    }
}
