//! [`Scheduler`]: engine and queue together, still without I/O.

use std::sync::Arc;

use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::Pod;

use crate::cluster::{Change, RecordError, is_finished, pod_id};
use crate::engine::{Decision, Engine, NO_NODES, ScheduleError, Unschedulable};
use crate::framework::{QueueSort, Status};
use crate::plugins::PrioritySort;
use crate::queue::SchedulingQueue;

/// The outcome of one pod's turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The pod is assumed to be on the node: bind it, then tell [`Scheduler::bound`] or
    /// [`Scheduler::bind_failed`].
    Bind {
        /// The pod.
        pod: Arc<Pod>,
        /// Name of the node.
        node: Str,
    },
    /// The pod fits nowhere and waits for an event that may change that.
    Unschedulable {
        /// The pod.
        pod: Arc<Pod>,
        /// Why.
        why: Unschedulable,
    },
    /// A plugin took the decision back; the pod waits as if it fitted nowhere.
    Refused {
        /// The pod.
        pod: Arc<Pod>,
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
/// simulation to a simulated one.
#[derive(Debug)]
pub struct Scheduler<S: QueueSort = PrioritySort> {
    engine: Engine,
    queue: SchedulingQueue<S>,
}

impl<S: QueueSort> Scheduler<S> {
    /// A scheduler with an empty queue.
    #[must_use]
    pub fn new(engine: Engine, queue: SchedulingQueue<S>) -> Self {
        Self { engine, queue }
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
            self.apply(Change::PodAdded(pod), now);
            return None;
        }
        // Seen late: the decision is made, and the pod bound or about to be.
        if self.engine.cluster().pod(&id).is_some() {
            return None;
        }
        if pod.metadata.deletion_timestamp.is_some() || self.engine.profile(&pod).is_none() {
            self.queue.remove(&id);
            return None;
        }
        self.queue.add(pod, &self.engine, now)
    }

    /// The pod of this [id](pod_id) is gone, from the queue or from its node.
    pub fn pod_gone(&mut self, id: &Str, now: Timestamp) {
        self.queue.remove(id);
        self.apply(Change::PodRemoved(id.clone()), now);
    }

    /// Decides about the next pod; none where no pod is ready.
    pub fn next(&mut self, now: Timestamp) -> Option<Step> {
        let queued = self.queue.pop(now)?;
        let (pod, id) = (Arc::clone(queued.pod()), queued.id().clone());
        Some(match self.engine.schedule(&pod) {
            Decision::Place(place) => {
                let node = place.node().clone();
                self.apply(Change::PodAssumed { pod: Arc::clone(&pod), node: node.clone() }, now);
                match self.reserve_and_permit(&pod, &node) {
                    Ok(()) => Step::Bind { pod, node },
                    Err((plugin, status)) => {
                        self.undo(&pod, &id, &node, now);
                        self.queue.reject(&id, [plugin].into(), &self.engine, now);
                        Step::Refused { pod, status }
                    }
                }
            }
            Decision::Unschedulable(why) => {
                self.queue.reject(&id, why.rejected_by(), &self.engine, now);
                Step::Unschedulable { pod, why }
            }
            Decision::Error(error) => {
                match error {
                    // Not an error to be tried again and again: the first node wakes the pod.
                    ScheduleError::NoNodes => {
                        self.queue.reject(&id, [Str::from(NO_NODES)].into(), &self.engine, now);
                    }
                    _ => self.queue.fail(&id, now),
                }
                Step::Failed { pod, error }
            }
        })
    }

    /// The pod of this [id](pod_id) was bound as decided.
    pub fn bound(&mut self, id: &Str) {
        self.queue.done(id);
    }

    /// The pod could not be bound: the decision is undone, and repeated after a back-off.
    pub fn bind_failed(&mut self, pod: &Pod, node: &Str, now: Timestamp) {
        let id = pod_id(pod);
        self.undo(pod, &id, node, now);
        self.queue.fail(&id, now);
    }

    /// When [`next`](Self::next) may have something that it has not now; `None`: not before
    /// something happens.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.queue.next_wake()
    }

    fn reserve_and_permit(&self, pod: &Pod, node: &str) -> Result<(), (Str, Status)> {
        let Some(profile) = self.engine.profile(pod) else {
            return Ok(());
        };
        for plugin in &profile.reserve {
            plugin.reserve(pod, node).map_err(|status| (plugin.name().into(), status))?;
        }
        for plugin in &profile.permit {
            plugin.permit(pod, node).map_err(|status| (plugin.name().into(), status))?;
        }
        Ok(())
    }

    fn undo(&mut self, pod: &Pod, id: &Str, node: &str, now: Timestamp) {
        if let Some(profile) = self.engine.profile(pod) {
            for plugin in profile.reserve.iter().rev() {
                plugin.unreserve(pod, node);
            }
        }
        self.apply(Change::PodForgot(id.clone()), now);
    }

    /// Records a change of which a contradiction says no more than that it is known already: a pod
    /// to be forgotten that was deleted meanwhile, say.
    fn apply(&mut self, change: Change, now: Timestamp) {
        let _ = self.record(change, now);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::framework::Profile;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_772_366_400 + seconds).unwrap()
    }

    fn scheduler() -> Scheduler {
        let mut scheduler =
            Scheduler::new(Engine::new([Profile::kubernetes()], 3).unwrap(), SchedulingQueue::default());
        let node = serde_json::from_value(json!({
            "metadata": {"name": "n"},
            "status": {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "10"}},
        }));
        scheduler.record(Change::NodeAdded(Arc::new(node.unwrap())), at(0)).unwrap();
        scheduler
    }

    fn pod(name: &str, cpu: &str, node: &str) -> Arc<Pod> {
        Arc::new(
            serde_json::from_value(json!({
                "metadata": {"name": name, "namespace": "default", "uid": name},
                "spec": {"nodeName": node, "containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]},
            }))
            .unwrap(),
        )
    }

    #[test]
    fn a_pod_that_leaves_lets_the_next_one_in() {
        let mut scheduler = scheduler();
        scheduler.pod_seen(pod("a", "800m", ""), at(0));
        scheduler.pod_seen(pod("b", "800m", ""), at(0));
        let Some(Step::Bind { pod: first, node }) = scheduler.next(at(0)) else { panic!("a fits") };
        assert_eq!((first.metadata.name.as_str(), node.as_str()), ("a", "n"));
        scheduler.bound(&pod_id(&first));
        scheduler.pod_seen(pod("a", "800m", "n"), at(0));
        let Some(Step::Unschedulable { why, .. }) = scheduler.next(at(0)) else { panic!("b does not fit") };
        assert_eq!(why.to_string(), "0/1 nodes are available: 1 Insufficient cpu.");
        assert_eq!(scheduler.next(at(60)), None);
        scheduler.pod_gone(&"a".into(), at(60));
        assert!(matches!(scheduler.next(at(60)), Some(Step::Bind { pod, .. }) if pod.metadata.name == "b"));
    }

    #[test]
    fn a_failed_binding_is_undone_and_repeated() {
        let mut scheduler = scheduler();
        let before = scheduler.engine().cluster().fingerprint();
        scheduler.pod_seen(pod("a", "800m", ""), at(0));
        let Some(Step::Bind { pod: first, node }) = scheduler.next(at(0)) else { panic!("a fits") };
        // An update of the pod that was under way changes nothing.
        scheduler.pod_seen(pod("a", "800m", ""), at(0));
        assert_eq!(scheduler.next(at(0)), None);
        scheduler.bind_failed(&first, &node, at(0));
        assert_eq!(scheduler.engine().cluster().fingerprint(), before);
        assert_eq!(scheduler.next(at(0)), None);
        assert_eq!(scheduler.next_wake(), Some(at(1)));
        assert!(matches!(scheduler.next(at(1)), Some(Step::Bind { .. })));
    }

    #[test]
    fn pods_of_other_schedulers_are_left_alone_but_counted() {
        let mut scheduler = scheduler();
        let mut other = Pod::clone(&pod("a", "800m", ""));
        other.spec.scheduler_name = "somebody".into();
        scheduler.pod_seen(Arc::new(other.clone()), at(0));
        assert_eq!(scheduler.next(at(0)), None);
        other.spec.node_name = "n".into();
        scheduler.pod_seen(Arc::new(other), at(0));
        scheduler.pod_seen(pod("b", "800m", ""), at(0));
        assert!(matches!(scheduler.next(at(0)), Some(Step::Unschedulable { .. })));
    }
}
