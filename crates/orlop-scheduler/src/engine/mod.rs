//! [`Engine`]: the cluster, the profiles, and the decision.

mod decision;
mod evaluate;
mod explain;

use std::sync::Arc;

use orlop_model::core::v1::Pod;

pub use decision::{Decision, Placement, Rejection, ScheduleError, Unschedulable};
pub use explain::{Explanation, NodeExplanation, PluginOutcome, PluginScore};

use crate::cluster::{BindPlan, Change, Cluster, RecordError, StorageChange, pod_id};
use crate::framework::{ClusterEvent, Hint, Plugin as _, Profile, ProfileError, Status};
use crate::plugins::VolumeBinding;
use crate::queue::Requeue;

/// Stands for the plugin that turned a pod down, where there was no node at all.
pub(crate) const NO_NODES: &str = "no nodes";

/// Decides where pods go: every node is filtered and scored for every pod.
///
/// The engine is a value without I/O, clock or randomness: [`record`](Self::record) tells it what
/// happened, [`schedule`](Self::schedule) asks it where a pod should go, and the answer is a pure
/// function of the changes recorded, the profiles, the seed and the pod. A decision changes nothing
/// by itself: whoever acts on it records [`Change::PodAssumed`].
///
/// ```
/// use std::sync::Arc;
/// use orlop_model::core::v1::{Node, Pod};
/// use orlop_scheduler::{Change, Decision, Engine, Profile};
///
/// let node: Node = serde_json::from_value(serde_json::json!({
///     "metadata": {"name": "n1"},
///     "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
/// }))?;
/// let pod: Pod = serde_json::from_value(serde_json::json!({
///     "metadata": {"name": "web", "namespace": "default"},
///     "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "3"}}}]},
/// }))?;
/// let mut engine = Engine::new([Profile::kubernetes()], 7)?;
/// engine.record(Change::NodeAdded(Arc::new(node)))?;
///
/// let Decision::Place(place) = engine.schedule(&pod) else { panic!("it fits") };
/// assert_eq!(place.node(), "n1");
/// engine.record(Change::PodAssumed { pod: Arc::new(pod), node: place.node().clone() })?;
///
/// let second: Pod = serde_json::from_value(serde_json::json!({
///     "metadata": {"name": "web-2", "namespace": "default"},
///     "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "3"}}}]},
/// }))?;
/// let Decision::Unschedulable(why) = engine.schedule(&second) else { panic!("it is full") };
/// assert_eq!(why.to_string(), "0/1 nodes are available: 1 Insufficient cpu.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    cluster: Cluster,
    profiles: Arc<[Profile]>,
}

impl Engine {
    /// An engine over an empty cluster. Of several nodes with the greatest total, `seed` and the
    /// nodes' names decide.
    ///
    /// # Errors
    /// [`ProfileError::TwoOfAName`], or [`ProfileError::NoName`] where there is no profile at all.
    pub fn new(profiles: impl IntoIterator<Item = Profile>, seed: u64) -> Result<Self, ProfileError> {
        let profiles: Arc<[Profile]> = profiles.into_iter().collect();
        for (index, profile) in profiles.iter().enumerate() {
            if profiles[..index].iter().any(|other| other.name() == profile.name()) {
                return Err(ProfileError::TwoOfAName { profile: profile.name().clone() });
            }
        }
        if profiles.is_empty() {
            return Err(ProfileError::NoName);
        }
        Ok(Self { cluster: Cluster::new(seed), profiles })
    }

    /// The cluster as known now.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The profiles.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// The profile that decides for `pod`; a pod without `spec.schedulerName` means
    /// `default-scheduler`.
    #[must_use]
    pub fn profile(&self, pod: &Pod) -> Option<&Profile> {
        let name =
            pod.spec.scheduler_name.non_empty().map_or(crate::framework::DEFAULT_SCHEDULER, |name| name);
        self.profiles.iter().find(|profile| profile.name() == name)
    }

    /// Records what happened. A pod that is assumed to be on a node has its volumes assumed too, where
    /// its profile binds volumes. Returns what may have made waiting pods schedulable, or nothing where
    /// no plugin can see a difference.
    ///
    /// # Errors
    /// [`RecordError`] where the change contradicts what is known; nothing has changed then.
    pub fn record(&mut self, change: Change) -> Result<Option<ClusterEvent>, RecordError> {
        let Change::PodAssumed { pod, node } = &change else {
            return self.cluster.record(change);
        };
        let Some(plan) = self.volumes_for(pod, node).map(Arc::new) else {
            return self.cluster.record(change);
        };
        let id = pod_id(pod);
        self.cluster.record(StorageChange::Assumed { pod: id.clone(), plan }.into())?;
        let event = self.cluster.record(change);
        if event.is_err() {
            self.cluster.record(StorageChange::Forgot(id).into())?;
        }
        event
    }

    /// What the claims of the pod get on the node; nothing where they have all they need, or where
    /// the pod cannot go there.
    fn volumes_for(&self, pod: &Pod, node: &str) -> Option<BindPlan> {
        let plugin = VolumeBinding;
        if !VolumeBinding::concerns(pod) || self.profile(pod)?.filter_named(plugin.name()).is_none() {
            return None;
        }
        plugin.plan(pod, node, self.cluster.view()).ok().filter(|plan| !plan.is_empty())
    }
}

impl Requeue for Engine {
    fn admit(&self, pod: &Pod) -> Result<(), Status> {
        let Some(profile) = self.profile(pod) else {
            return Ok(());
        };
        profile.pre_enqueue.iter().try_for_each(|plugin| plugin.pre_enqueue(pod))
    }

    fn hint(&self, plugin: &str, pod: &Pod, event: &ClusterEvent) -> Hint {
        match self.profile(pod).and_then(|profile| profile.filter_named(plugin)) {
            Some(filter) => filter.hint(pod, event),
            None if plugin == NO_NODES => Hint::queue_if(matches!(event, ClusterEvent::NodeAdded(_))),
            // Not a filter of ours: better to try once too often.
            None => Hint::Queue,
        }
    }
}

#[cfg(test)]
mod tests;
