//! [`SchedulingQueue`] itself.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::Pod;

use super::{Backoff, QueuedPod};
use crate::cluster::pod_id;
use crate::framework::{ClusterEvent, Hint, QueueSort, Status};
use crate::plugins::PrioritySort;

/// What the queue asks about pods; an [`Engine`](crate::Engine) knows.
pub trait Requeue {
    /// Whether the pod may be queued at all.
    ///
    /// # Errors
    /// The status that keeps it out.
    fn admit(&self, pod: &Pod) -> Result<(), Status>;

    /// Whether `event` may let in `pod`, which `plugin` turned down.
    fn hint(&self, plugin: &str, pod: &Pod, event: &ClusterEvent) -> Hint;
}

/// Settings of a [`SchedulingQueue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueOptions {
    /// How long pods wait after a try in vain, once an event gives them another chance.
    pub backoff: Backoff,
    /// After this time a pod is tried again even though no event gave it a chance.
    pub max_unschedulable: Duration,
    /// Whether an idle scheduler tries pods whose back-off (but for errors) has not passed yet.
    pub pop_from_backoff: bool,
}

impl Default for QueueOptions {
    /// kube-scheduler's: 1 s to 10 s, 5 minutes, yes.
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            max_unschedulable: Duration::from_secs(300),
            pop_from_backoff: true,
        }
    }
}

/// How many pods are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Ready to be tried.
    pub active: usize,
    /// Waiting for their back-off to pass.
    pub backoff: usize,
    /// Waiting for an event that may let them in.
    pub unschedulable: usize,
    /// Kept out.
    pub gated: usize,
    /// Taken, the outcome not yet told.
    pub in_flight: usize,
}

/// Pods on their way to a decision.
///
/// A pod is in one of five places: *active* (ready), *back-off*, *unschedulable* (until an event that
/// the plugins which turned it down wait for, or five minutes), *gated*, or *in flight* (taken). Every
/// pod taken is to be reported back by [`done`](Self::done), [`reject`](Self::reject) or
/// [`fail`](Self::fail); events that arrive in between are not missed. Time is an argument: the
/// caller looks again at [`next_wake`](Self::next_wake). The same calls give the same order.
#[derive(Debug)]
pub struct SchedulingQueue<S: QueueSort = PrioritySort> {
    sort: S,
    options: QueueOptions,
    entries: HashMap<Str, Entry<S::Key>>,
    active: BTreeMap<(S::Key, u64), Str>,
    backoff: BTreeMap<(Timestamp, S::Key, u64), Str>,
    /// Apart from `backoff`: an idle scheduler must not hammer on what fails.
    failed: BTreeMap<(Timestamp, S::Key, u64), Str>,
    /// By the time at which they are tried again whatever happens.
    unschedulable: BTreeMap<(Timestamp, u64), Str>,
    gated: BTreeSet<(u64, Str)>,
    in_flight: BTreeSet<(u64, Str)>,
    /// Events since the oldest pod in flight was taken.
    events: VecDeque<ClusterEvent>,
    first_event: u64,
    next_number: u64,
}

#[derive(Debug)]
struct Entry<K> {
    queued: QueuedPod,
    place: Place<K>,
    /// Order of arrival, the last word where keys are equal.
    number: u64,
}

#[derive(Clone, Debug)]
enum Place<K> {
    Active(K),
    Backoff(Timestamp, K),
    Failed(Timestamp, K),
    Unschedulable(Timestamp),
    Gated,
    /// With the number of the next event at the time it was taken.
    InFlight(u64),
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
            entries: HashMap::new(),
            active: BTreeMap::new(),
            backoff: BTreeMap::new(),
            failed: BTreeMap::new(),
            unschedulable: BTreeMap::new(),
            gated: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            events: VecDeque::new(),
            first_event: 0,
            next_number: 0,
        }
    }

    /// Adds a pod, or updates one that is there. Returns what keeps it out, if anything does.
    pub fn add(&mut self, pod: Arc<Pod>, rules: &impl Requeue, now: Timestamp) -> Option<Status> {
        let id = pod_id(&pod);
        if self.entries.contains_key(&id) {
            return self.update(pod, rules, now);
        }
        let gate = rules.admit(&pod).err();
        let number = self.next_number;
        self.next_number += 1;
        let queued = QueuedPod {
            pod,
            id: id.clone(),
            since: now,
            first_added: now,
            attempts: 0,
            unschedulable: 0,
            errors: 0,
            rejected_by: BTreeSet::new(),
        };
        let place = if gate.is_some() { Place::Gated } else { Place::Active(self.sort.key(&queued)) };
        self.insert(Entry { queued, place, number });
        gate
    }

    /// A pod in the queue has changed (an unknown one is added). Returns what keeps it out, if
    /// anything does.
    pub fn update(&mut self, pod: Arc<Pod>, rules: &impl Requeue, now: Timestamp) -> Option<Status> {
        let id = pod_id(&pod);
        let Some(mut entry) = self.take(&id) else {
            return self.add(pod, rules, now);
        };
        let old = std::mem::replace(&mut entry.queued.pod, Arc::clone(&pod));
        // The scheduler's own notes in the status must not wake the pod.
        let is_event = old.spec != pod.spec
            || old.metadata.labels != pod.metadata.labels
            || old.metadata.annotations != pod.metadata.annotations;
        let event = ClusterEvent::PendingUpdated { old, new: pod };
        let mut gate = None;
        entry.place = match entry.place {
            Place::Active(_) => Place::Active(self.sort.key(&entry.queued)),
            Place::Gated => match rules.admit(&entry.queued.pod) {
                Err(status) => {
                    gate = Some(status);
                    Place::Gated
                }
                Ok(()) => {
                    entry.queued.since = now;
                    Place::Active(self.sort.key(&entry.queued))
                }
            },
            Place::Unschedulable(_) if is_event && wakes(&entry.queued, &event, rules) => {
                self.after_backoff(&entry.queued, now)
            }
            Place::InFlight(cursor) => {
                if is_event {
                    // All in flight see it; hints know their own pod.
                    self.events.push_back(event);
                }
                Place::InFlight(cursor)
            }
            place => place,
        };
        self.insert(entry);
        gate
    }

    /// A pod is gone: deleted, or placed by somebody.
    pub fn remove(&mut self, id: &str) -> Option<Arc<Pod>> {
        let entry = self.take(id)?;
        self.forget_events();
        Some(entry.queued.pod)
    }

    /// The next pod to decide about; none where nothing is ready.
    pub fn pop(&mut self, now: Timestamp) -> Option<QueuedPod> {
        self.flush(now);
        let id = match self.active.first_key_value() {
            Some((_, id)) => id.clone(),
            None if self.options.pop_from_backoff => self.backoff.first_key_value()?.1.clone(),
            None => return None,
        };
        let mut entry = self.take(&id)?;
        entry.queued.attempts = entry.queued.attempts.saturating_add(1);
        let queued = entry.queued.clone();
        entry.place = Place::InFlight(self.next_event());
        self.insert(entry);
        Some(queued)
    }

    /// The pod taken needs no more tries.
    pub fn done(&mut self, id: &str) {
        if matches!(self.entries.get(id), Some(Entry { place: Place::InFlight(_), .. })) {
            self.remove(id);
        }
    }

    /// The pod taken fits nowhere, because of these plugins. It waits for an event that may change
    /// that; if one has come since it was taken, for its back-off alone.
    pub fn reject(&mut self, id: &str, by: BTreeSet<Str>, rules: &impl Requeue, now: Timestamp) {
        let Some((mut entry, cursor)) = self.landed(id) else {
            return;
        };
        entry.queued.unschedulable = entry.queued.unschedulable.saturating_add(1);
        entry.queued.errors = 0;
        entry.queued.since = now;
        entry.queued.rejected_by = by;
        let missed = usize::try_from(cursor.saturating_sub(self.first_event)).unwrap_or(usize::MAX);
        let woken = entry.queued.rejected_by.is_empty()
            || self.events.iter().skip(missed).any(|event| wakes(&entry.queued, event, rules));
        entry.place = if woken {
            self.after_backoff(&entry.queued, now)
        } else {
            Place::Unschedulable(later(now, self.options.max_unschedulable))
        };
        self.insert(entry);
        self.forget_events();
    }

    /// The try failed by an error, of deciding or of binding; it is repeated after a back-off.
    pub fn fail(&mut self, id: &str, now: Timestamp) {
        let Some((mut entry, _)) = self.landed(id) else {
            return;
        };
        entry.queued.errors = entry.queued.errors.saturating_add(1);
        entry.queued.since = now;
        entry.queued.rejected_by.clear();
        let wait = self.options.backoff.after(entry.queued.tries());
        entry.place = if wait.is_zero() {
            Place::Active(self.sort.key(&entry.queued))
        } else {
            Place::Failed(later(now, wait), self.sort.key(&entry.queued))
        };
        self.insert(entry);
        self.forget_events();
    }

    /// Something happened in the cluster: pods that it may let in are tried again after their
    /// back-off. Returns how many.
    pub fn on_event(&mut self, event: &ClusterEvent, rules: &impl Requeue, now: Timestamp) -> usize {
        if !self.in_flight.is_empty() {
            self.events.push_back(event.clone());
        }
        let woken: Vec<Str> = self
            .unschedulable
            .values()
            .filter(|id| {
                self.entries.get(id.as_str()).is_some_and(|entry| wakes(&entry.queued, event, rules))
            })
            .cloned()
            .collect();
        for id in &woken {
            if let Some(mut entry) = self.take(id) {
                entry.place = self.after_backoff(&entry.queued, now);
                self.insert(entry);
            }
        }
        woken.len()
    }

    /// Makes pods ready whose back-off, or whose time of waiting for an event, is over. Returns how
    /// many. [`pop`](Self::pop) does it too.
    pub fn flush(&mut self, now: Timestamp) -> usize {
        let mut moved = 0;
        while let Some(id) = self.first_due(now) {
            let Some(mut entry) = self.take(&id) else { break };
            entry.place = match entry.place {
                Place::Unschedulable(_) => self.after_backoff(&entry.queued, now),
                _ => Place::Active(self.sort.key(&entry.queued)),
            };
            self.insert(entry);
            moved += 1;
        }
        moved
    }

    fn first_due(&self, now: Timestamp) -> Option<Str> {
        let due = |map: &BTreeMap<(Timestamp, S::Key, u64), Str>| {
            map.first_key_value().filter(|((ready, ..), _)| *ready <= now).map(|(_, id)| id.clone())
        };
        due(&self.backoff).or_else(|| due(&self.failed)).or_else(|| {
            self.unschedulable
                .first_key_value()
                .filter(|((ready, _), _)| *ready <= now)
                .map(|(_, id)| id.clone())
        })
    }

    /// When [`pop`](Self::pop) may have something that it has not now; `None`: not before something
    /// happens. Say nothing while pods are active.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        [
            self.backoff.first_key_value().map(|((ready, ..), _)| *ready),
            self.failed.first_key_value().map(|((ready, ..), _)| *ready),
            self.unschedulable.first_key_value().map(|((ready, _), _)| *ready),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The pod of this id, wherever in the queue it is.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&QueuedPod> {
        self.entries.get(id).map(|entry| &entry.queued)
    }

    /// How many pods are where.
    #[must_use]
    pub fn counts(&self) -> QueueCounts {
        QueueCounts {
            active: self.active.len(),
            backoff: self.backoff.len() + self.failed.len(),
            unschedulable: self.unschedulable.len(),
            gated: self.gated.len(),
            in_flight: self.in_flight.len(),
        }
    }

    fn after_backoff(&self, queued: &QueuedPod, now: Timestamp) -> Place<S::Key> {
        let ready = later(queued.since, self.options.backoff.after(queued.tries()));
        let key = self.sort.key(queued);
        if ready <= now { Place::Active(key) } else { Place::Backoff(ready, key) }
    }

    fn landed(&mut self, id: &str) -> Option<(Entry<S::Key>, u64)> {
        let Place::InFlight(cursor) = self.entries.get(id)?.place else {
            return None;
        };
        Some((self.take(id)?, cursor))
    }

    fn next_event(&self) -> u64 {
        self.first_event + self.events.len() as u64
    }

    /// Drops events that every pod in flight has been taken after.
    fn forget_events(&mut self) {
        let keep_from = self.in_flight.first().map_or_else(|| self.next_event(), |(cursor, _)| *cursor);
        while self.first_event < keep_from && self.events.pop_front().is_some() {
            self.first_event += 1;
        }
    }

    fn take(&mut self, id: &str) -> Option<Entry<S::Key>> {
        let entry = self.entries.remove(id)?;
        let number = entry.number;
        match &entry.place {
            Place::Active(key) => {
                self.active.remove(&(key.clone(), number));
            }
            Place::Backoff(ready, key) => {
                self.backoff.remove(&(*ready, key.clone(), number));
            }
            Place::Failed(ready, key) => {
                self.failed.remove(&(*ready, key.clone(), number));
            }
            Place::Unschedulable(ready) => {
                self.unschedulable.remove(&(*ready, number));
            }
            Place::Gated => {
                self.gated.remove(&(number, entry.queued.id.clone()));
            }
            Place::InFlight(cursor) => {
                self.in_flight.remove(&(*cursor, entry.queued.id.clone()));
            }
        }
        Some(entry)
    }

    fn insert(&mut self, entry: Entry<S::Key>) {
        let (id, number) = (entry.queued.id.clone(), entry.number);
        match &entry.place {
            Place::Active(key) => {
                self.active.insert((key.clone(), number), id.clone());
            }
            Place::Backoff(ready, key) => {
                self.backoff.insert((*ready, key.clone(), number), id.clone());
            }
            Place::Failed(ready, key) => {
                self.failed.insert((*ready, key.clone(), number), id.clone());
            }
            Place::Unschedulable(ready) => {
                self.unschedulable.insert((*ready, number), id.clone());
            }
            Place::Gated => {
                self.gated.insert((number, id.clone()));
            }
            Place::InFlight(cursor) => {
                self.in_flight.insert((*cursor, id.clone()));
            }
        }
        self.entries.insert(id, entry);
    }
}

/// Whether one of the plugins that turned the pod down says that the event may let it in.
fn wakes(queued: &QueuedPod, event: &ClusterEvent, rules: &impl Requeue) -> bool {
    queued.rejected_by.iter().any(|plugin| rules.hint(plugin, &queued.pod, event) == Hint::Queue)
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
