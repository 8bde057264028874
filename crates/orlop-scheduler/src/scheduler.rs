//! [`Scheduler`]: engine and queue together, still without I/O.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::Pod;

use crate::cluster::{Change, RecordError, is_finished, pod_id, priority};
use crate::engine::{Decision, Engine, NO_NODES, ScheduleError, Unschedulable};
use crate::framework::{Code, PermitVerdict, QueueSort, Status, guarded, panic_message};
use crate::plugins::PrioritySort;
use crate::queue::{QueuedPod, Rejector, SchedulingQueue};
use crate::waiting::{Settled, WaitingPods};

/// The outcome of one pod's turn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// The pod is assumed to be on the node: bind it, then tell [`Scheduler::bound`] or
    /// [`Scheduler::bind_failed`].
    Bind {
        /// The pod.
        pod: Arc<Pod>,
        /// Name of the node.
        node: Str,
    },
    /// The pod is assumed to be on the node, but a plugin wants it to wait; a later step says what
    /// became of it.
    Wait {
        /// The pod.
        pod: Arc<Pod>,
        /// Name of the node.
        node: Str,
        /// When it is turned down if nothing happens.
        until: Timestamp,
    },
    /// The pod fits nowhere and waits for an event that may change that.
    Unschedulable {
        /// The pod.
        pod: Arc<Pod>,
        /// Why. If there is a [nomination](Unschedulable::nomination), it is to be written down, and the
        /// victims are to be evicted.
        why: Unschedulable,
        /// Pods whose nomination is of no use any more: less important ones on the node that is nominated
        /// now, or this one, if its nomination is written down.
        withdrawn: Vec<Arc<Pod>>,
    },
    /// A plugin took the decision back; the pod waits as if it fitted nowhere.
    Refused {
        /// The pod.
        pod: Arc<Pod>,
        /// The plugin.
        plugin: Str,
        /// The plugin's answer.
        status: Status,
    },
    /// The decision failed; it is repeated after a back-off.
    Failed {
        /// The pod.
        pod: Arc<Pod>,
        /// Why.
        error: ScheduleError,
    },
}

/// An [`Engine`] and a [`SchedulingQueue`]: told what happens in the cluster, it says what to bind.
///
/// Synchronous, and a pure function of the calls made to it: a driver connects it to the world, a
/// simulation to a simulated one. Whatever a plugin does, panic included, concerns the pod at hand
/// alone: what was assumed is forgotten, and the pod tried again later.
#[derive(Debug)]
pub struct Scheduler<S: QueueSort = PrioritySort> {
    engine: Engine,
    queue: SchedulingQueue<S>,
    waiting: WaitingPods,
}

impl<S: QueueSort> Scheduler<S> {
    /// A scheduler with an empty queue.
    #[must_use]
    pub fn new(engine: Engine, queue: SchedulingQueue<S>) -> Self {
        Self { engine, queue, waiting: WaitingPods::default() }
    }

    /// The engine, to explain decisions with.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The queue, to look at.
    #[must_use]
    pub fn queue(&self) -> &SchedulingQueue<S> {
        &self.queue
    }

    /// The pods that wait for a plugin's leave to be bound.
    #[must_use]
    pub fn waiting(&self) -> &WaitingPods {
        &self.waiting
    }

    /// The same, to allow some or turn them down: [`next`](Self::next) has the outcome.
    pub fn waiting_mut(&mut self) -> &mut WaitingPods {
        &mut self.waiting
    }

    /// Something other than a pod changed; pods that wait for that are tried again.
    ///
    /// # Errors
    /// [`RecordError`] where the change contradicts what is known; nothing has changed then.
    pub fn record(&mut self, change: Change, now: Timestamp) -> Result<(), RecordError> {
        if let Some(event) = self.engine.record(change)? {
            self.queue.on_event(&event, &self.engine, now);
        }
        Ok(())
    }

    /// A pod was added or changed. Pods on a node count there; pods without one are queued if a
    /// profile has their scheduler's name. Returns what keeps the pod out of the queue, if anything
    /// does.
    pub fn pod_seen(&mut self, pod: Arc<Pod>, now: Timestamp) -> Option<Status> {
        let id = pod_id(&pod);
        if is_finished(&pod) {
            self.pod_gone(&id, now);
            return None;
        }
        if !pod.spec.node_name.is_empty() {
            self.queue.remove(&id);
            self.no_longer_waits(&id, Some(&pod.spec.node_name));
            let known = self.engine.cluster().pod(&id);
            if known.is_some_and(|(known, on)| known.is_assumed() && *on != pod.spec.node_name) {
                // Somebody else has bound it elsewhere: there is room again where it was to go.
                self.apply(Change::PodForgot(id), now);
            }
            self.apply(Change::PodAdded(pod), now);
            return None;
        }
        let deleting = pod.metadata.deletion_timestamp.is_some();
        // Seen late: the decision is made, and the pod bound or about to be.
        if self.engine.cluster().pod(&id).is_some() {
            if deleting && self.waiting.get(&id).is_some() {
                self.pod_gone(&id, now);
            } else if self.queue.get(&id).is_some() {
                // For the next try, should the binding fail.
                self.queue.update(pod, &self.engine, now);
            }
            return None;
        }
        if deleting || self.engine.profile(&pod).is_none() {
            self.queue.remove(&id);
            self.apply(Change::NominationCleared(id), now);
            return None;
        }
        self.nomination_seen(&pod, &id, now);
        self.queue.add(pod, &self.engine, now)
    }

    /// The pod of this [id](pod_id) is gone, from the queue or from its node.
    pub fn pod_gone(&mut self, id: &Str, now: Timestamp) {
        self.queue.remove(id);
        self.no_longer_waits(id, None);
        self.apply(Change::PodRemoved(id.clone()), now);
    }

    /// Nothing becomes of a pod's waiting: it is bound already, or gone.
    fn no_longer_waits(&mut self, id: &Str, bound_to: Option<&Str>) {
        if let Some(waiting) = self.waiting.remove(id)
            && bound_to != Some(waiting.node())
        {
            self.unreserve(waiting.pod(), waiting.node());
        }
    }

    /// Decides about the next pod, or says what became of one that waited; none where there is nothing
    /// to be done now.
    pub fn next(&mut self, now: Timestamp) -> Option<Step> {
        if let Some((waiting, settled)) = self.waiting.settle(now) {
            let (pod, node) = (Arc::clone(waiting.pod()), waiting.node().clone());
            return Some(self.settled(pod, waiting.id(), node, settled, now));
        }
        let queued = self.queue.pop(&self.engine, now)?;
        let (pod, id) = (Arc::clone(queued.pod()), queued.id().clone());
        let decided = catch_unwind(AssertUnwindSafe(|| self.engine.schedule(&pod)));
        let decision = decided.unwrap_or_else(|panic| {
            // It may have learned half of something.
            self.engine.unlearn();
            Decision::Error(ScheduleError::Panicked { message: panic_message(&*panic) })
        });
        Some(match decision {
            Decision::Place(place) => self.place(pod, id, place.node().clone(), now),
            Decision::Unschedulable(why) => {
                let withdrawn = self.nominate(&pod, &id, &why, now);
                self.queue.reject(&id, why.rejectors(), &self.engine, now);
                Step::Unschedulable { pod, why, withdrawn }
            }
            Decision::Error(error) => {
                match error {
                    // Not an error to be tried again and again: the first node wakes the pod.
                    ScheduleError::NoNodes => self.queue.reject(&id, [NO_NODES], &self.engine, now),
                    _ => self.queue.fail(&id, &self.engine, now),
                }
                Step::Failed { pod, error }
            }
        })
    }

    /// Keeps the room for the pod that is made for it. Returns the pods whose nomination has ended.
    fn nominate(&mut self, pod: &Arc<Pod>, id: &Str, why: &Unschedulable, now: Timestamp) -> Vec<Arc<Pod>> {
        let mut withdrawn = Vec::new();
        let Some(nomination) = why.nomination() else {
            if why.withdraws_nomination() {
                self.apply(Change::NominationCleared(id.clone()), now);
                if !pod.status.nominated_node_name.is_empty() {
                    withdrawn.push(Arc::clone(pod));
                }
            }
            return withdrawn;
        };
        let cluster = self.engine.cluster();
        if let Some(node) = cluster.view().node(&nomination.node) {
            let less = node.nominated().filter(|other| other.priority() < priority(pod));
            withdrawn.extend(less.map(|other| Arc::clone(other.object())));
        }
        for other in &mut withdrawn {
            let id = pod_id(other);
            self.apply(Change::NominationCleared(id.clone()), now);
            // As it was seen last.
            if let Some(queued) = self.queue.get(&id) {
                *other = Arc::clone(queued.pod());
            }
        }
        self.apply(Change::PodNominated { pod: Arc::clone(pod), node: nomination.node.clone() }, now);
        for victim in &nomination.victims {
            self.apply(Change::EvictionBegun(pod_id(victim)), now);
        }
        withdrawn
    }

    /// A pod without a node says by its status where it is to have room.
    fn nomination_seen(&mut self, pod: &Arc<Pod>, id: &Str, now: Timestamp) {
        let node = &pod.status.nominated_node_name;
        if node.is_empty() {
            // What is not written down yet still holds.
            let was_told = |known: &QueuedPod| !known.pod().status.nominated_node_name.is_empty();
            if self.queue.get(id).is_some_and(was_told) {
                self.apply(Change::NominationCleared(id.clone()), now);
            }
        } else if self.engine.cluster().nominated_to(id) != Some(node) {
            self.apply(Change::PodNominated { pod: Arc::clone(pod), node: node.clone() }, now);
        }
    }

    /// A pod was not evicted after all: whoever needs its room may look for another way.
    pub fn eviction_failed(&mut self, victim: &Pod, preemptor: &Str, now: Timestamp) {
        self.apply(Change::EvictionFailed(pod_id(victim)), now);
        self.activate(preemptor, now);
    }

    fn place(&mut self, pod: Arc<Pod>, id: Str, node: Str, now: Timestamp) -> Step {
        let has_hooks = self
            .engine
            .profile(&pod)
            .is_some_and(|profile| !profile.reserve.is_empty() || !profile.permit.is_empty());
        if !has_hooks {
            // Nobody can turn the pod down any more: what happens meanwhile need not be kept for it.
            self.queue.decided(&id);
        }
        let assumed = Change::PodAssumed { pod: Arc::clone(&pod), node: node.clone() };
        if let Err(error) = self.record(assumed, now) {
            self.queue.fail(&id, &self.engine, now);
            return Step::Failed { pod, error: error.into() };
        }
        if !has_hooks {
            return Step::Bind { pod, node };
        }
        match reserve_and_permit(&self.engine, &mut self.waiting, &pod, &node) {
            Ok(waits) if waits.is_empty() => {
                self.queue.decided(&id);
                Step::Bind { pod, node }
            }
            Ok(waits) => {
                let until = self.waiting.wait(Arc::clone(&pod), id, node.clone(), waits, now);
                Step::Wait { pod, node, until }
            }
            Err(refusal) => {
                self.undo(&pod, &id, &node, now);
                self.refuse(pod, &id, refusal, now)
            }
        }
    }

    fn settled(&mut self, pod: Arc<Pod>, id: &Str, node: Str, settled: Settled, now: Timestamp) -> Step {
        match settled {
            Settled::Allowed if self.engine.cluster().view().node(&node).is_none() => {
                self.undo(&pod, id, &node, now);
                self.queue.fail(id, &self.engine, now);
                Step::Failed { pod, error: ScheduleError::NodeGone { node } }
            }
            Settled::Allowed => {
                self.queue.decided(id);
                Step::Bind { pod, node }
            }
            Settled::Rejected(plugin, status) => {
                self.undo(&pod, id, &node, now);
                self.refuse(pod, id, Refusal { point: "Permit", plugin, status }, now)
            }
        }
    }

    fn refuse(&mut self, pod: Arc<Pod>, id: &Str, refusal: Refusal, now: Timestamp) -> Step {
        let Refusal { point, plugin, status } = refusal;
        if status.code().is_rejected() {
            let rejector = Rejector { plugin: plugin.clone(), pending: status.code() == Code::Pending };
            self.queue.reject(id, [rejector], &self.engine, now);
            Step::Refused { pod, plugin, status }
        } else {
            self.queue.fail(id, &self.engine, now);
            Step::Failed { pod, error: ScheduleError::Plugin { point, plugin, message: status.message() } }
        }
    }

    /// The pod of this [id](pod_id) was bound as decided.
    pub fn bound(&mut self, id: &Str) {
        self.queue.done(id);
    }

    /// The pod could not be bound: the decision is undone, and repeated after a back-off.
    pub fn bind_failed(&mut self, pod: &Pod, node: &Str, now: Timestamp) {
        let id = pod_id(pod);
        self.undo(pod, &id, node, now);
        self.queue.fail(&id, &self.engine, now);
    }

    /// Makes the pod of this [id](pod_id) ready at once, unless something keeps it out of the queue.
    pub fn activate(&mut self, id: &Str, now: Timestamp) -> bool {
        self.queue.activate(id, &self.engine, now)
    }

    /// When [`next`](Self::next) may have something that it has not now; `None`: not before
    /// something happens.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        [self.queue.next_wake(), self.waiting.next_wake()].into_iter().flatten().min()
    }

    /// Tells the plugins and the cluster that the pod will not go to the node after all.
    fn undo(&mut self, pod: &Pod, id: &Str, node: &Str, now: Timestamp) {
        self.unreserve(pod, node);
        // Somebody else may have bound the pod meanwhile, or deleted it: then there is nothing to forget.
        if self.engine.cluster().pod(id).is_some_and(|(placed, on)| placed.is_assumed() && on == node) {
            self.apply(Change::PodForgot(id.clone()), now);
            if let Some(queued) = self.queue.get(id)
                && let Some(node) = queued.pod().status.nominated_node_name.non_empty().cloned()
            {
                let pod = Arc::clone(queued.pod());
                self.apply(Change::PodNominated { pod, node }, now);
            }
        }
    }

    fn unreserve(&self, pod: &Pod, node: &str) {
        let Some(profile) = self.engine.profile(pod) else {
            return;
        };
        for plugin in profile.reserve.iter().rev() {
            // The others are to be told in any case.
            let _ = guarded("Unreserve", plugin.name(), || plugin.unreserve(pod, node));
        }
    }

    /// Records a change of which a contradiction says no more than that it is known already: a pod
    /// to be forgotten that was deleted meanwhile, say.
    fn apply(&mut self, change: Change, now: Timestamp) {
        let _ = self.record(change, now);
    }
}

/// The answer of a plugin that took a decision back.
struct Refusal {
    point: &'static str,
    plugin: Str,
    status: Status,
}

/// The plugins that the pod has to wait for, and how long at most.
fn reserve_and_permit(
    engine: &Engine,
    waiting: &mut WaitingPods,
    pod: &Pod,
    node: &str,
) -> Result<Vec<(Str, Duration)>, Refusal> {
    let Some(profile) = engine.profile(pod) else {
        return Ok(Vec::new());
    };
    let failed = |error: ScheduleError| match error {
        ScheduleError::Plugin { message, .. } => Status::error(message),
        other => Status::error(other.to_string()),
    };
    for plugin in &profile.reserve {
        let answer = guarded("Reserve", plugin.name(), || plugin.reserve(pod, node));
        if let Err(status) = answer.unwrap_or_else(|panic| Err(failed(panic))) {
            return Err(Refusal { point: "Reserve", plugin: plugin.name().into(), status });
        }
    }
    let mut waits = Vec::new();
    for plugin in &profile.permit {
        let answer = guarded("Permit", plugin.name(), || plugin.permit(pod, node, waiting));
        match answer.unwrap_or_else(|panic| PermitVerdict::Reject(failed(panic))) {
            PermitVerdict::Allow => {}
            PermitVerdict::Wait(wait) => waits.push((plugin.name().into(), wait)),
            PermitVerdict::Reject(status) => {
                return Err(Refusal { point: "Permit", plugin: plugin.name().into(), status });
            }
        }
    }
    Ok(waits)
}

#[cfg(test)]
mod tests;
