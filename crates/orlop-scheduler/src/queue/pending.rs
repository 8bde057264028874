//! [`SchedulingQueue`] itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::Pod;

use super::flight::Flight;
use super::groups::Groups;
use super::pool::Pool;
use super::slots::{self, Slots};
use super::virtual_time::{VirtualTime, later};
use super::{Cause, Moves, QueueCounts, QueueOptions, QueuePlace, QueuedPod, Rejector, Requeue};
use crate::cluster::pod_id;
use crate::engine::ScheduleError;
use crate::framework::{ClusterEvent, Hint, QueueSort, Status, guarded};
use crate::plugins::PrioritySort;

/// Pods on their way to a decision.
///
/// A pod is in one of five places: *active* (ready), *back-off*, *unschedulable* (until an event that
/// the plugins which turned it down wait for, or five minutes), *gated*, or *in flight* (taken). Every
/// pod taken is to be reported back by [`done`](Self::done), [`reject`](Self::reject) or
/// [`fail`](Self::fail); events that arrive in between are not missed. Time is an argument, and may
/// jump either way: the caller looks again at [`next_wake`](Self::next_wake). The same calls give the
/// same order.
///
/// ```
/// use std::sync::Arc;
/// use orlop_clock::Timestamp;
/// use orlop_model::core::v1::Pod;
/// use orlop_scheduler::{Engine, Profile, SchedulingQueue};
///
/// let rules = Engine::new([Profile::kubernetes()], 1)?;
/// let mut queue: SchedulingQueue = SchedulingQueue::default();
/// let now = Timestamp::UNIX_EPOCH;
/// for (name, priority) in [("usual", 0), ("urgent", 10)] {
///     let mut pod = Pod::default();
///     pod.metadata.name = name.into();
///     pod.spec.priority = Some(priority);
///     queue.add(Arc::new(pod), &rules, now);
/// }
/// assert_eq!(queue.pop(&rules, now).unwrap().pod().metadata.name, "urgent");
/// # Ok::<(), orlop_scheduler::ProfileError>(())
/// ```
#[derive(Debug)]
pub struct SchedulingQueue<S: QueueSort = PrioritySort> {
    sort: S,
    options: QueueOptions,
    time: VirtualTime,
    slots: Slots<Place<S::Key>>,
    active: BTreeSet<(Order<S::Key>, u32)>,
    backoff: BTreeSet<(Timestamp, Order<S::Key>, u32)>,
    /// Apart from `backoff`: an idle scheduler must not hammer on what fails.
    failed: BTreeSet<(Timestamp, Order<S::Key>, u32)>,
    pool: Pool,
    /// The pods in the pool, and those that are kept out, by the time at which they are tried, or asked
    /// about, again whatever happens.
    deadlines: BTreeSet<(Timestamp, u64, u32)>,
    /// Pods that are kept out, by the plugin that does so.
    gated: BTreeMap<Str, BTreeSet<(u64, u32)>>,
    flight: Flight,
    in_flight: usize,
    groups: Groups,
    /// Pods that were turned down before, by first arrival; only if others are to stand back for them.
    turned_down: BTreeSet<(Timestamp, u64, u32)>,
    next_number: u64,
    moves: Moves,
}

type Entry<K> = slots::Entry<Place<K>>;

/// The order in which ready pods are taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Order<K> {
    /// Importance with ageing, or for groups that take turns; the smaller the more important.
    level: i64,
    turn: u64,
    key: K,
    number: u64,
}

#[derive(Clone, Debug)]
enum Place<K> {
    /// In none of the sets, on its way between two.
    Nowhere,
    Active(Order<K>),
    Backoff(Timestamp, Order<K>),
    Failed(Timestamp, Order<K>),
    /// Deadline, and index in the pool.
    Unschedulable(Timestamp, u32),
    /// Until it is asked about again even though nothing happened.
    Gated(Timestamp),
    InFlight {
        /// `None` once the pod is decided about: events do not matter any more.
        cursor: Option<u64>,
        /// Somebody asked for the pod meanwhile.
        again: bool,
    },
}

impl<S: QueueSort + Default> Default for SchedulingQueue<S> {
    fn default() -> Self {
        Self::new(S::default(), QueueOptions::default())
    }
}

impl<S: QueueSort> SchedulingQueue<S> {
    /// An empty queue.
    #[must_use]
    pub fn new(sort: S, options: QueueOptions) -> Self {
        Self {
            sort,
            options,
            time: VirtualTime::default(),
            slots: Slots::default(),
            active: BTreeSet::new(),
            backoff: BTreeSet::new(),
            failed: BTreeSet::new(),
            pool: Pool::default(),
            deadlines: BTreeSet::new(),
            gated: BTreeMap::new(),
            flight: Flight::default(),
            in_flight: 0,
            groups: Groups::default(),
            turned_down: BTreeSet::new(),
            next_number: 0,
            moves: Moves::default(),
        }
    }

    /// Puts pods into groups: `group` is asked once for each pod, when it is added. With `fair`, groups
    /// take turns among pods of equal priority, so that one with many pods does not keep the others
    /// waiting; pods without a group count as one group.
    ///
    /// For an empty queue: pods that are there already belong to none.
    #[must_use]
    pub fn grouped(
        mut self,
        group: impl Fn(&Pod) -> Option<Str> + Send + Sync + 'static,
        fair: bool,
    ) -> Self {
        if self.slots.len() == 0 {
            self.groups = Groups::new(Box::new(group), fair);
        }
        self
    }

    /// Adds a pod, or updates one that is there. Returns what keeps it out, if anything does.
    pub fn add(&mut self, pod: Arc<Pod>, rules: &impl Requeue, now: Timestamp) -> Option<Status> {
        let id = pod_id(&pod);
        match self.slots.find(&id) {
            Some(slot) => self.change(slot, pod, rules, now),
            None => self.join(id, pod, rules, now),
        }
    }

    /// A pod in the queue has changed (an unknown one is added). Returns what keeps it out, if
    /// anything does.
    pub fn update(&mut self, pod: Arc<Pod>, rules: &impl Requeue, now: Timestamp) -> Option<Status> {
        self.add(pod, rules, now)
    }

    fn join(&mut self, id: Str, pod: Arc<Pod>, rules: &impl Requeue, now: Timestamp) -> Option<Status> {
        let now = self.time.at(now);
        let number = self.next_number;
        self.next_number += 1;
        let group = self.groups.join(&pod);
        let queued = QueuedPod {
            pod,
            id,
            since: now,
            first_added: now,
            attempts: 0,
            unschedulable: 0,
            errors: 0,
            rejected_by: None,
            gated_by: None,
            group,
        };
        let slot = self.slots.insert(Entry { queued, place: Place::Nowhere, number });
        self.admit(slot, Aim::Active, rules, now, Cause::PodAdd)
    }

    fn change(&mut self, slot: u32, pod: Arc<Pod>, rules: &impl Requeue, now: Timestamp) -> Option<Status> {
        let now = self.time.at(now);
        let old = {
            let entry = self.slots.get_mut(slot)?;
            if Arc::ptr_eq(&entry.queued.pod, &pod) {
                return None;
            }
            std::mem::replace(&mut entry.queued.pod, Arc::clone(&pod))
        };
        // The scheduler's own notes in the status must not wake the pod.
        let is_event = old.spec != pod.spec
            || old.metadata.labels != pod.metadata.labels
            || old.metadata.annotations != pod.metadata.annotations;
        if !is_event {
            return None;
        }
        let event = ClusterEvent::PendingUpdated { old, new: pod };
        if let Place::InFlight { cursor, .. } = self.slots.get(slot)?.place {
            if cursor.is_some() {
                // All in flight see it; hints know their own pod.
                self.flight.push(event);
            }
            return None;
        }
        match self.leave(slot)? {
            Place::Nowhere | Place::InFlight { .. } => None,
            Place::Active(order) => {
                let place = Place::Active(self.reordered(slot, order));
                self.put(slot, place);
                None
            }
            Place::Backoff(ready, order) => {
                let place = Place::Backoff(ready, self.reordered(slot, order));
                self.put(slot, place);
                None
            }
            Place::Failed(ready, order) => {
                let place = Place::Failed(ready, self.reordered(slot, order));
                self.put(slot, place);
                None
            }
            Place::Gated(_) => {
                if let Some(entry) = self.slots.get_mut(slot)
                    && entry.queued.attempts == 0
                {
                    entry.queued.since = now;
                }
                self.admit(slot, Aim::AfterBackoff, rules, now, Cause::PodUpdate)
            }
            place @ Place::Unschedulable(..) => {
                let queued = &self.slots.get(slot)?.queued;
                match wakes(queued, queued.rejected_by().iter(), &event, rules) {
                    Some(aim) => self.admit(slot, aim, rules, now, Cause::PodUpdate),
                    None => {
                        self.put(slot, place);
                        None
                    }
                }
            }
        }
    }

    /// Takes a pod out for good, wherever it is. Says whether it was there.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(slot) = self.slots.find(id) else {
            return false;
        };
        self.forget(slot);
        true
    }

    /// The next pod to be decided about.
    pub fn pop(&mut self, rules: &impl Requeue, now: Timestamp) -> Option<&QueuedPod> {
        let now = self.time.at(now);
        self.flush_until(now, rules);
        let slot = self.next_slot(now)?;
        let left = self.leave(slot)?;
        let cursor = Some(self.flight.take());
        self.in_flight += 1;
        let entry = self.slots.get_mut(slot)?;
        if self.groups.is_fair() {
            let turn = match left {
                Place::Active(order) => order.turn,
                _ => self.groups.turn(&entry.queued),
            };
            self.groups.taken(&entry.queued, turn);
        }
        entry.place = Place::InFlight { cursor, again: false };
        entry.queued.attempts = entry.queued.attempts.saturating_add(1);
        Some(&entry.queued)
    }

    fn next_slot(&self, now: Timestamp) -> Option<u32> {
        let first = self.active.first().map(|(order, slot)| (order, *slot)).or_else(|| {
            let (_, order, slot) = self.backoff.first().filter(|_| self.options.pop_from_backoff)?;
            Some((order, *slot))
        });
        let (order, slot) = first?;
        match self.holder(now) {
            Some((holder, held)) if holder != slot && *order > held => {
                let ready = matches!(self.slots.get(holder)?.place, Place::Active(_));
                ready.then_some(holder)
            }
            _ => Some(slot),
        }
    }

    /// The pod that others stand back for, and the place in the order that it keeps.
    fn holder(&self, now: Timestamp) -> Option<(u32, Order<S::Key>)> {
        let (_, _, slot) = self.holding(now)?;
        let entry = self.slots.get(slot)?;
        // As it would be had it never been tried.
        let mut queued = entry.queued.clone();
        queued.since = queued.first_added;
        Some((slot, self.order_of(&queued, entry.number, 0).ok()?))
    }

    fn holding(&self, now: Timestamp) -> Option<(Timestamp, u64, u32)> {
        let hold = self.options.hold?;
        let too_long = hold.after.saturating_add(hold.at_most);
        let longest = now.checked_sub(too_long).unwrap_or(Timestamp::MIN);
        let shortest = now.checked_sub(hold.after).ok()?;
        // Those in flight are being helped already.
        let waits =
            |slot| self.slots.get(slot).is_some_and(|entry| !matches!(entry.place, Place::InFlight { .. }));
        let longest_first = self.turned_down.range((longest, u64::MAX, u32::MAX)..);
        longest_first.take_while(|(since, ..)| *since <= shortest).find(|(.., slot)| waits(*slot)).copied()
    }

    /// The pod is decided about: from now on no event can change that, and it either succeeds or
    /// [fails](Self::fail).
    pub fn decided(&mut self, id: &str) {
        if let Some(slot) = self.slots.find(id)
            && let Some(entry) = self.slots.get_mut(slot)
            && let Place::InFlight { cursor, .. } = &mut entry.place
            && let Some(cursor) = cursor.take()
        {
            self.flight.land(cursor);
        }
    }

    /// The pod taken is placed, or need not be any more.
    pub fn done(&mut self, id: &str) {
        if let Some(slot) = self.flying(id) {
            self.forget(slot);
        }
    }

    /// The pod taken was turned down by these plugins. It waits for an event that one of them waits
    /// for; if one came meanwhile, only for its back-off. Without a plugin the try has
    /// [failed](Self::fail).
    pub fn reject(
        &mut self,
        id: &str,
        by: impl IntoIterator<Item = impl Into<Rejector>>,
        rules: &impl Requeue,
        now: Timestamp,
    ) {
        let Some(slot) = self.flying(id) else {
            return;
        };
        let by = self.pool.intern(by);
        if by.is_empty() {
            return self.fail(id, rules, now);
        }
        let now = self.time.at(now);
        let Some(entry) = self.slots.get_mut(slot) else { return };
        let queued = &mut entry.queued;
        queued.unschedulable = queued.unschedulable.saturating_add(1);
        queued.errors = 0;
        queued.since = now;
        queued.rejected_by = Some(by);
        if self.options.hold.is_some() {
            self.turned_down.insert((queued.first_added, entry.number, slot));
        }
        let aim = self.missed(slot, rules);
        self.leave(slot);
        match aim {
            Some(aim) => {
                self.admit(slot, aim, rules, now, Cause::AttemptFailure);
            }
            None => {
                self.moves.count(QueuePlace::Unschedulable, Cause::AttemptFailure);
                self.put(slot, Place::Unschedulable(later(now, self.options.max_unschedulable), 0));
            }
        }
    }

    /// Whether something has happened since the pod was taken that may let it in.
    fn missed(&self, slot: u32, rules: &impl Requeue) -> Option<Aim> {
        let entry = self.slots.get(slot)?;
        let queued = &entry.queued;
        let Place::InFlight { cursor, again } = entry.place else { return None };
        if again {
            return Some(Aim::Active);
        }
        let Some(events) = cursor.and_then(|cursor| self.flight.since(cursor)) else {
            // What happened is not known any more.
            return Some(Aim::AfterBackoff);
        };
        let mut aim = None;
        for event in events.filter(|event| !is_own(event, &queued.id)) {
            aim = aim.max(wakes(queued, queued.rejected_by().iter(), event, rules));
            if aim == Some(Aim::Active) {
                break;
            }
        }
        aim
    }

    /// The try failed by an error, of deciding or of binding; it is repeated after a back-off.
    pub fn fail(&mut self, id: &str, rules: &impl Requeue, now: Timestamp) {
        let Some(slot) = self.flying(id) else {
            return;
        };
        let now = self.time.at(now);
        let left = self.leave(slot);
        let Some(entry) = self.slots.get_mut(slot) else { return };
        let queued = &mut entry.queued;
        queued.errors = queued.errors.saturating_add(1);
        queued.since = now;
        queued.rejected_by = None;
        let again = matches!(left, Some(Place::InFlight { again: true, .. }));
        let aim = if again { Aim::Active } else { Aim::AfterBackoff };
        self.admit(slot, aim, rules, now, Cause::AttemptFailure);
    }

    /// Something happened in the cluster: pods that it may let in are tried again after their
    /// back-off. Returns how many.
    pub fn on_event(&mut self, event: &ClusterEvent, rules: &impl Requeue, now: Timestamp) -> usize {
        if !self.flight.is_empty() {
            self.flight.push(event.clone());
        }
        if self.pool.is_empty() && self.gated.is_empty() {
            return 0;
        }
        let now = self.time.at(now);
        let mut woken: Vec<(u64, u32, Aim)> = Vec::new();
        for (slot, plugins) in self.pool.concerned(event, rules) {
            if let Some(entry) = self.slots.get(slot)
                && let Some(aim) = wakes(&entry.queued, plugins.into_iter(), event, rules)
            {
                woken.push((entry.number, slot, aim));
            }
        }
        for (plugin, gated) in &self.gated {
            if rules.reopens(plugin, event) {
                woken.extend(gated.iter().map(|&(number, slot)| (number, slot, Aim::AfterBackoff)));
            }
        }
        // In the order of arrival, whichever plugin they wait for.
        woken.sort_unstable();
        let mut count = 0;
        for (_, slot, aim) in woken {
            self.leave(slot);
            if self.admit(slot, aim, rules, now, Cause::of(event)).is_none() {
                count += 1;
            }
        }
        count
    }

    /// Makes a pod that waits ready at once, whatever it waits for but for a gate; one in flight, if it
    /// comes back. Says whether there is such a pod.
    pub fn activate(&mut self, id: &str, rules: &impl Requeue, now: Timestamp) -> bool {
        let Some(slot) = self.slots.find(id) else {
            return false;
        };
        let now = self.time.at(now);
        match self.slots.get_mut(slot).map(|entry| &mut entry.place) {
            Some(Place::Active(_)) => true,
            Some(Place::InFlight { again, .. }) => {
                *again = true;
                true
            }
            Some(_) => {
                self.leave(slot);
                self.admit(slot, Aim::Active, rules, now, Cause::Activate).is_none()
            }
            None => false,
        }
    }

    /// Makes pods ready whose back-off, or whose time of waiting for an event, is over. Returns how
    /// many. [`pop`](Self::pop) does it too.
    pub fn flush(&mut self, rules: &impl Requeue, now: Timestamp) -> usize {
        let now = self.time.at(now);
        self.flush_until(now, rules)
    }

    fn flush_until(&mut self, now: Timestamp, rules: &impl Requeue) -> usize {
        let mut moved = 0;
        while let Some(slot) = self.first_due(now) {
            match self.leave(slot) {
                // Admitted when its back-off began.
                Some(Place::Backoff(_, mut order) | Place::Failed(_, mut order)) => {
                    order.turn = self.slots.get(slot).map_or(0, |entry| self.groups.turn(&entry.queued));
                    self.moves.count(QueuePlace::Active, Cause::BackoffComplete);
                    self.put(slot, Place::Active(order));
                }
                _ => {
                    self.admit(slot, Aim::AfterBackoff, rules, now, Cause::UnschedulableTimeout);
                }
            }
            moved += 1;
        }
        moved
    }

    fn first_due(&self, now: Timestamp) -> Option<u32> {
        let due = |set: &BTreeSet<(Timestamp, Order<S::Key>, u32)>| {
            set.first().filter(|(ready, ..)| *ready <= now).map(|(.., slot)| *slot)
        };
        due(&self.backoff)
            .or_else(|| due(&self.failed))
            .or_else(|| self.deadlines.first().filter(|(ready, ..)| *ready <= now).map(|(.., slot)| *slot))
    }

    /// When [`pop`](Self::pop) may have something that it has not now; `None`: not before something
    /// happens. While pods are ready this says when others will be too.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let hold = self.options.hold.filter(|_| !self.active.is_empty() || !self.backoff.is_empty());
        let released = hold.and_then(|hold| {
            let (first_added, ..) = self.holding(self.time.now())?;
            // Strictly after: at the very moment others still stand back.
            let end = later(first_added, hold.after.saturating_add(hold.at_most));
            Some(later(end, Duration::from_nanos(1)))
        });
        let times = [
            self.backoff.first().map(|(ready, ..)| *ready),
            self.failed.first().map(|(ready, ..)| *ready),
            self.deadlines.first().map(|(ready, ..)| *ready),
            released,
        ];
        times.into_iter().flatten().min().map(|moment| self.time.outside(moment))
    }

    /// The pod of this id, wherever in the queue it is.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&QueuedPod> {
        self.slots.get(self.slots.find(id)?).map(|entry| &entry.queued)
    }

    /// All pods in the queue, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &QueuedPod> {
        self.slots.iter().map(|(_, entry)| &entry.queued)
    }

    /// Where the pod of this id waits; `None` if it is in flight, or not there at all.
    #[must_use]
    pub fn place(&self, id: &str) -> Option<QueuePlace> {
        match self.slots.get(self.slots.find(id)?)?.place {
            Place::Active(_) => Some(QueuePlace::Active),
            Place::Backoff(..) | Place::Failed(..) => Some(QueuePlace::Backoff),
            Place::Unschedulable(..) => Some(QueuePlace::Unschedulable),
            Place::Gated(_) => Some(QueuePlace::Gated),
            Place::InFlight { .. } | Place::Nowhere => None,
        }
    }

    /// How many pods are where.
    #[must_use]
    pub fn counts(&self) -> QueueCounts {
        let gated: usize = self.gated.values().map(BTreeSet::len).sum();
        QueueCounts {
            active: self.active.len(),
            backoff: self.backoff.len() + self.failed.len(),
            unschedulable: self.deadlines.len() - gated,
            gated,
            in_flight: self.in_flight,
        }
    }

    /// How many pods of a [group](Self::grouped) the queue knows, wherever they are.
    #[must_use]
    pub fn group_size(&self, group: &str) -> usize {
        self.groups.members(group)
    }

    /// How often pods came to which place, and why.
    #[must_use]
    pub fn moves(&self) -> &Moves {
        &self.moves
    }

    /// Puts a pod that is in none of the sets where it belongs: behind a gate, if one says so.
    fn admit(
        &mut self,
        slot: u32,
        aim: Aim,
        rules: &impl Requeue,
        now: Timestamp,
        cause: Cause,
    ) -> Option<Status> {
        let entry = self.slots.get_mut(slot)?;
        let queued = &mut entry.queued;
        if let Err(gate) = rules.admit(&queued.pod, queued.gated_by.as_deref()) {
            queued.gated_by = Some(gate.plugin);
            self.shut_out(slot, now, cause);
            return Some(gate.status);
        }
        queued.gated_by = None;
        let (since, tries, failed) = (queued.since, queued.tries(), queued.errors > 0);
        let ready = match aim {
            Aim::Active => now,
            Aim::AfterBackoff => self.options.backoff.until(since, tries),
        };
        let is_ready = ready <= now;
        let turn = if is_ready { self.groups.turn(queued) } else { 0 };
        let place = match self.order(slot, turn)? {
            Ok(order) if is_ready => Place::Active(order),
            Ok(order) if failed => Place::Failed(ready, order),
            Ok(order) => Place::Backoff(ready, order),
            Err(panic) => return self.unsorted(slot, panic, now, cause),
        };
        self.moves.count(if is_ready { QueuePlace::Active } else { QueuePlace::Backoff }, cause);
        self.put(slot, place);
        None
    }

    /// A pod that the sorting plugin fails for is kept out, and asked about again later.
    fn unsorted(&mut self, slot: u32, panic: ScheduleError, now: Timestamp, cause: Cause) -> Option<Status> {
        let status = Status::error(panic.to_string());
        self.slots.get_mut(slot)?.queued.gated_by = Some(self.sort.name().into());
        self.shut_out(slot, now, cause);
        Some(status)
    }

    fn shut_out(&mut self, slot: u32, now: Timestamp, cause: Cause) {
        self.moves.count(QueuePlace::Gated, cause);
        // Not at this very moment again, whatever the options say.
        let again = self.options.max_unschedulable.max(Duration::from_secs(1));
        self.put(slot, Place::Gated(later(now, again)));
    }

    fn order(&self, slot: u32, turn: u64) -> Option<Result<Order<S::Key>, ScheduleError>> {
        let entry = self.slots.get(slot)?;
        Some(self.order_of(&entry.queued, entry.number, turn))
    }

    fn order_of(&self, queued: &QueuedPod, number: u64, turn: u64) -> Result<Order<S::Key>, ScheduleError> {
        let key = guarded("QueueSort", self.sort.name(), || self.sort.key(queued))?;
        Ok(Order { level: self.level(queued), turn, key, number })
    }

    fn reordered(&self, slot: u32, old: Order<S::Key>) -> Order<S::Key> {
        match self.order(slot, old.turn) {
            Some(Ok(order)) => order,
            _ => old,
        }
    }

    fn level(&self, queued: &QueuedPod) -> i64 {
        let priority = || i64::from(queued.pod.spec.priority.unwrap_or(0));
        match self.options.ageing {
            // All age alike, so that it only matters who came first, and by how much.
            Some(step) => {
                let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
                queued.first_added.as_millisecond().div_euclid(step).saturating_sub(priority())
            }
            None if self.groups.is_fair() => -priority(),
            None => 0,
        }
    }

    /// The slot of the pod of this id, if it is in flight.
    fn flying(&self, id: &str) -> Option<u32> {
        let slot = self.slots.find(id)?;
        matches!(self.slots.get(slot)?.place, Place::InFlight { .. }).then_some(slot)
    }

    fn forget(&mut self, slot: u32) {
        self.leave(slot);
        if let Some(entry) = self.slots.remove(slot) {
            self.groups.leave(entry.queued.group.as_ref());
            if self.options.hold.is_some() {
                self.turned_down.remove(&(entry.queued.first_added, entry.number, slot));
            }
        }
    }

    /// Takes the pod out of the set that it is in, and says which that was.
    fn leave(&mut self, slot: u32) -> Option<Place<S::Key>> {
        let entry = self.slots.get_mut(slot)?;
        let number = entry.number;
        let place = std::mem::replace(&mut entry.place, Place::Nowhere);
        match place {
            Place::Nowhere => Some(Place::Nowhere),
            Place::Active(order) => {
                let key = (order, slot);
                // Mostly it is the first that goes.
                if self.active.first() == Some(&key) {
                    self.active.pop_first();
                } else {
                    self.active.remove(&key);
                }
                Some(Place::Active(key.0))
            }
            Place::Backoff(ready, order) => {
                let key = (ready, order, slot);
                self.backoff.remove(&key);
                Some(Place::Backoff(ready, key.1))
            }
            Place::Failed(ready, order) => {
                let key = (ready, order, slot);
                self.failed.remove(&key);
                Some(Place::Failed(ready, key.1))
            }
            Place::Unschedulable(deadline, index) => {
                self.deadlines.remove(&(deadline, number, slot));
                let by = entry.queued.rejected_by.clone().unwrap_or_default();
                if let Some(moved) = self.pool.remove(&by, index)
                    && let Some(moved) = self.slots.get_mut(moved)
                    && let Place::Unschedulable(_, at) = &mut moved.place
                {
                    *at = index;
                }
                Some(Place::Unschedulable(deadline, index))
            }
            Place::Gated(deadline) => {
                self.deadlines.remove(&(deadline, number, slot));
                let plugin = entry.queued.gated_by.as_ref().map_or("", Str::as_str);
                if let Some(gated) = self.gated.get_mut(plugin) {
                    gated.remove(&(number, slot));
                    if gated.is_empty() {
                        self.gated.remove(plugin);
                    }
                }
                Some(Place::Gated(deadline))
            }
            Place::InFlight { cursor, again } => {
                self.in_flight -= 1;
                if let Some(cursor) = cursor {
                    self.flight.land(cursor);
                }
                Some(Place::InFlight { cursor, again })
            }
        }
    }

    /// Puts the pod, which is in no set, into that of its place. In flight go only those taken.
    fn put(&mut self, slot: u32, place: Place<S::Key>) {
        let Some(entry) = self.slots.get_mut(slot) else { return };
        entry.place = match place {
            Place::Nowhere => Place::Nowhere,
            Place::Active(order) => {
                self.active.insert((order.clone(), slot));
                Place::Active(order)
            }
            Place::Backoff(ready, order) => {
                self.backoff.insert((ready, order.clone(), slot));
                Place::Backoff(ready, order)
            }
            Place::Failed(ready, order) => {
                self.failed.insert((ready, order.clone(), slot));
                Place::Failed(ready, order)
            }
            Place::Unschedulable(deadline, _) => {
                self.deadlines.insert((deadline, entry.number, slot));
                let by = entry.queued.rejected_by.clone().unwrap_or_default();
                Place::Unschedulable(deadline, self.pool.insert(by, slot))
            }
            Place::Gated(deadline) => {
                self.deadlines.insert((deadline, entry.number, slot));
                let plugin = entry.queued.gated_by.clone().unwrap_or_default();
                self.gated.entry(plugin).or_default().insert((entry.number, slot));
                Place::Gated(deadline)
            }
            Place::InFlight { cursor, again } => Place::InFlight { cursor, again },
        };
    }
}

/// Where a pod that is woken goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Aim {
    AfterBackoff,
    Active,
}

/// Whether the event is that of the pod's own coming and going.
fn is_own(event: &ClusterEvent, id: &str) -> bool {
    matches!(event, ClusterEvent::PodPlaced(pod) | ClusterEvent::PodGone(pod) if *pod_id(pod) == *id)
}

/// Whether one of the plugins says that the event may let the pod in, and how soon.
fn wakes<'a>(
    queued: &QueuedPod,
    plugins: impl Iterator<Item = &'a Rejector>,
    event: &ClusterEvent,
    rules: &impl Requeue,
) -> Option<Aim> {
    let mut aim = None;
    for rejector in plugins {
        if (aim.is_some() && !rejector.pending)
            || rules.hint(&rejector.plugin, &queued.pod, event) == Hint::Skip
        {
            continue;
        }
        if rejector.pending {
            return Some(Aim::Active);
        }
        aim = Some(Aim::AfterBackoff);
    }
    aim
}

#[cfg(test)]
mod tests;
