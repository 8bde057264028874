use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use parking_lot::{Mutex, MutexGuard};

use crate::{Batch, Event, Key, KeyRange, Revision};

/// Finds the watches that a change concerns.
///
/// Watches of one range form a group, which is given each batch once however many they are. The
/// ends of all groups' ranges cut the key space into segments, each of which knows the groups that
/// cover it: a change looks up its key's segment and meets only groups that it concerns.
///
/// Ranges of a key hierarchy are nested a few levels deep, so that segments are about twice as many
/// as groups and each knows few. (Thousands of ranges that all overlap would cost that many entries
/// in that many segments.)
#[derive(Debug, Default)]
pub(crate) struct Dispatch {
    groups: BTreeMap<KeyRange, Membership>,
    segments: BTreeMap<Key, Segment>,
}

#[derive(Debug)]
struct Membership {
    group: Arc<Group>,
    members: usize,
}

/// The keys from one boundary up to the next.
#[derive(Debug, Default)]
struct Segment {
    groups: Vec<Arc<Group>>,
    /// How many groups begin or end at the boundary.
    ends: usize,
}

impl Dispatch {
    /// The group of this range, with one member more.
    pub(crate) fn join(&mut self, range: &KeyRange) -> Arc<Group> {
        if let Some(membership) = self.groups.get_mut(range) {
            membership.members += 1;
            return membership.group.clone();
        }
        let group = Arc::new(Group::new(range.clone()));
        if !range.is_empty() {
            self.cut(range.start());
            if let Some(end) = range.end() {
                self.cut(end);
            }
            for segment in self.covered(range) {
                segment.groups.push(group.clone());
            }
        }
        self.groups.insert(range.clone(), Membership { group: group.clone(), members: 1 });
        group
    }

    /// Takes a member out of the group of this range, and the group out of the dispatch if that was
    /// the last.
    pub(crate) fn leave(&mut self, range: &KeyRange) {
        let Some(membership) = self.groups.get_mut(range) else {
            return;
        };
        membership.members -= 1;
        if membership.members > 0 {
            return;
        }
        let Some(Membership { group, .. }) = self.groups.remove(range) else {
            return;
        };
        if range.is_empty() {
            return;
        }
        for segment in self.covered(range) {
            segment.groups.retain(|other| !Arc::ptr_eq(other, &group));
        }
        self.mend(range.start());
        if let Some(end) = range.end() {
            self.mend(end);
        }
    }

    /// Makes a boundary at this key.
    fn cut(&mut self, at: &Key) {
        if !self.segments.contains_key(at) {
            let groups =
                self.segments.range::<Key, _>(..at).next_back().map(|(_, segment)| segment.groups.clone());
            self.segments.insert(at.clone(), Segment { groups: groups.unwrap_or_default(), ends: 0 });
        }
        if let Some(segment) = self.segments.get_mut(at) {
            segment.ends += 1;
        }
    }

    /// Takes the boundary at this key away if nothing begins or ends there any more: the segments
    /// on both sides are covered by the same groups then.
    fn mend(&mut self, at: &Key) {
        if let Some(segment) = self.segments.get_mut(at) {
            segment.ends -= 1;
            if segment.ends == 0 {
                self.segments.remove(at);
            }
        }
    }

    fn covered(&mut self, range: &KeyRange) -> impl Iterator<Item = &mut Segment> {
        let from = range.start().clone();
        let to = range.end().map_or(std::ops::Bound::Unbounded, |end| std::ops::Bound::Excluded(end.clone()));
        self.segments.range_mut((std::ops::Bound::Included(from), to)).map(|(_, segment)| segment)
    }

    /// The groups whose range holds the key.
    fn concerned(&self, key: &str) -> &[Arc<Group>] {
        let up_to_key = (std::ops::Bound::Unbounded, std::ops::Bound::Included(key));
        self.segments.range::<str, _>(up_to_key).next_back().map_or(&[], |(_, segment)| &segment.groups)
    }

    /// Gives the batch to all whom it concerns, and collects whom to wake.
    pub(crate) fn publish(&self, batch: &Batch, wakers: &mut Vec<Waker>) {
        for event in &*batch.events {
            for group in self.concerned(event.key()) {
                group.push(batch, wakers);
            }
        }
    }

    /// Takes a compacted batch out of all groups that hold it.
    pub(crate) fn forget(&self, batch: &Batch) {
        for event in &*batch.events {
            for group in self.concerned(event.key()) {
                group.members.lock().forget(batch.revision);
            }
        }
    }

    /// Tells every member that nothing will come any more.
    pub(crate) fn close(&self, wakers: &mut Vec<Waker>) {
        for membership in self.groups.values() {
            let mut members = membership.group.members.lock();
            members.close();
            members.take_wakers(wakers);
        }
    }

    #[cfg(test)]
    fn sizes(&self) -> (usize, usize) {
        (self.groups.len(), self.segments.len())
    }
}

/// The watches of one range.
#[derive(Debug)]
pub(crate) struct Group {
    range: KeyRange,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
pub(crate) struct Members {
    /// The batches of the range since the group was formed, less what was compacted. Members have
    /// places in it, not copies.
    ring: VecDeque<Batch>,
    /// The place of the ring's first batch.
    base: u64,
    /// The revision of the last batch that was compacted.
    forgotten: Revision,
    slots: Vec<Option<Waker>>,
    free: Vec<usize>,
    waiting: usize,
    closed: bool,
}

impl Group {
    fn new(range: KeyRange) -> Self {
        Self { range, members: Mutex::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock()
    }

    fn push(&self, batch: &Batch, wakers: &mut Vec<Waker>) {
        let mut members = self.members.lock();
        // A batch with several events in the range comes once for each.
        if members.ring.back().is_some_and(|last| last.revision == batch.revision) {
            return;
        }
        let Some(batch) = batch.within(&self.range) else {
            return;
        };
        members.ring.push_back(batch);
        members.take_wakers(wakers);
    }
}

impl Members {
    /// Takes a slot for a waker; answers it and the place behind the last batch.
    pub(crate) fn enter(&mut self) -> (usize, u64) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        (slot, self.base + self.ring.len() as u64)
    }

    /// Gives a slot back. What was in it is to be dropped after the lock.
    pub(crate) fn exit(&mut self, slot: usize) -> Option<Waker> {
        self.free.push(slot);
        let waker = self.slots[slot].take();
        self.waiting -= usize::from(waker.is_some());
        waker
    }

    /// Leaves a waker in a slot. The answer is to be dropped after the lock: with a waker may go a
    /// task, and with that its watches.
    pub(crate) fn wait(&mut self, slot: usize, waker: &Waker) -> Option<Waker> {
        match &mut self.slots[slot] {
            Some(there) if there.will_wake(waker) => None,
            Some(there) => Some(std::mem::replace(there, waker.clone())),
            empty => {
                *empty = Some(waker.clone());
                self.waiting += 1;
                None
            }
        }
    }

    /// The batch at a place; `Err` with the revision of the last lost batch if it was compacted.
    pub(crate) fn at(&self, place: u64) -> Result<Option<&Batch>, Revision> {
        match place.checked_sub(self.base) {
            Some(distance) => Ok(usize::try_from(distance).ok().and_then(|distance| self.ring.get(distance))),
            None => Err(self.forgotten),
        }
    }

    /// The place of the oldest batch that is kept.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn closed(&self) -> bool {
        self.closed
    }

    fn forget(&mut self, revision: Revision) {
        if self.ring.front().is_some_and(|first| first.revision == revision) {
            self.ring.pop_front();
            self.base += 1;
            self.forgotten = revision;
        }
    }

    fn take_wakers(&mut self, wakers: &mut Vec<Waker>) {
        if self.waiting > 0 {
            wakers.extend(self.slots.iter_mut().filter_map(Option::take));
            self.waiting = 0;
        }
    }
}

impl Batch {
    /// The part of the batch that lies in a range, if any. Shares the events where it is the whole.
    pub(crate) fn within(&self, range: &KeyRange) -> Option<Batch> {
        let inside = self.events.iter().filter(|event| range.contains(event.key())).count();
        if inside == 0 {
            return None;
        }
        if inside == self.events.len() {
            return Some(self.clone());
        }
        let events: Vec<Event> =
            self.events.iter().filter(|event| range.contains(event.key())).cloned().collect();
        Some(Batch { revision: self.revision, events: events.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_tell_who_is_concerned() {
        let mut dispatch = Dispatch::default();
        let ranges = [
            KeyRange::all(),
            KeyRange::prefix("/pods/"),
            KeyRange::prefix("/pods/a/"),
            KeyRange::single("/pods/a/1"),
            KeyRange::between("/pods/a/1", "/pods/b/1"),
            KeyRange::from("/pods/b/"),
            KeyRange::between("x", "a"),
        ];
        let keys = [
            "",
            "/a",
            "/pods/",
            "/pods/a/",
            "/pods/a/0",
            "/pods/a/1",
            "/pods/a/1\0",
            "/pods/b/0",
            "/pods/b/1",
            "/q",
        ];
        let check = |dispatch: &Dispatch, joined: &[&KeyRange]| {
            for key in keys {
                let mut found: Vec<_> =
                    dispatch.concerned(key).iter().map(|group| group.range.clone()).collect();
                let mut expected: Vec<_> =
                    joined.iter().copied().filter(|range| range.contains(key)).cloned().collect();
                found.sort();
                expected.sort();
                assert_eq!(found, expected, "{key:?}");
            }
        };
        for first in 0..ranges.len() {
            // In, one after the other, then out in another order; each range twice.
            let order: Vec<_> = (0..ranges.len()).map(|i| &ranges[(first + i * 3) % ranges.len()]).collect();
            for (count, range) in order.iter().enumerate() {
                dispatch.join(range);
                dispatch.join(range);
                check(&dispatch, &order[..=count]);
            }
            for (count, range) in ranges.iter().enumerate() {
                dispatch.leave(range);
                check(&dispatch, &ranges[count..].iter().collect::<Vec<_>>());
                dispatch.leave(range);
                check(&dispatch, &ranges[count + 1..].iter().collect::<Vec<_>>());
            }
            assert_eq!(dispatch.sizes(), (0, 0));
        }
    }
}
