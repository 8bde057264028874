//! [`PlacedPod`]: a pod on a node, with what it takes there.

use std::sync::Arc;

use orlop_model::core::v1::{Pod, PodPhase};
use orlop_model::{List, Str, Time};

use super::{HostPort, Resources, requests};

/// The identity that pods are told apart by: the uid, or `namespace/name` for a pod that has none.
#[must_use]
pub fn pod_id(pod: &Pod) -> Str {
    match pod.metadata.uid.non_empty() {
        Some(uid) => uid.clone(),
        None => format!("{}/{}", pod.metadata.namespace, pod.metadata.name).into(),
    }
}

/// The pod's priority; 0 for a pod that has none.
pub(crate) fn priority(pod: &Pod) -> i32 {
    pod.spec.priority.unwrap_or(0)
}

/// Whether a pod takes nothing from its node any more, because it has ended.
#[must_use]
pub fn is_finished(pod: &Pod) -> bool {
    matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed)
}

/// A pod on a node (assumed or seen there), or nominated to one, with what it takes from the node.
#[derive(Clone, Debug)]
pub struct PlacedPod {
    pub(super) pod: Arc<Pod>,
    pub(super) id: Str,
    pub(super) node: u32,
    pub(super) assumed: bool,
    /// Its eviction has begun, which need not be seen of the object yet.
    pub(super) leaving: bool,
    /// Number of its [group](super::PodGroup).
    pub(super) group: u32,
    /// Its place in the cluster's table.
    pub(super) slot: u32,
    pub(super) priority: i32,
    pub(super) started: Option<Time>,
    pub(super) load: Arc<Load>,
}

impl PlacedPod {
    /// The object.
    #[must_use]
    pub fn object(&self) -> &Arc<Pod> {
        &self.pod
    }

    /// Its identity, as [`pod_id`] gives it.
    #[must_use]
    pub fn id(&self) -> &Str {
        &self.id
    }

    /// Whether the scheduler has decided the place, and has not yet seen the pod there.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.assumed
    }

    /// Whether its eviction has begun, as far as that is not to be seen of it yet.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Number of its group, for [`ClusterView::group`](super::ClusterView::group).
    #[must_use]
    pub fn group(&self) -> usize {
        self.group as usize
    }

    /// Its priority; 0 for a pod that has none.
    #[must_use]
    pub fn priority(&self) -> i32 {
        self.priority
    }

    /// When its node began with it.
    #[must_use]
    pub fn started(&self) -> Option<Time> {
        self.started
    }

    pub(super) fn is_terminating(&self) -> bool {
        self.pod.metadata.deletion_timestamp.is_some()
    }

    /// What it requests, resizes in progress counted at their greater end.
    #[must_use]
    pub fn requests(&self) -> &Resources {
        &self.load.requests
    }

    /// The node ports it takes.
    #[must_use]
    pub fn host_ports(&self) -> &[HostPort] {
        &self.load.ports
    }
}

/// What a pod takes from a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(super) requests: Resources,
    /// Millicores, with 100 for each container that says nothing.
    pub(super) non_zero_milli_cpu: i64,
    /// Bytes, with 200 MiB for each container that says nothing.
    pub(super) non_zero_memory: i64,
    pub(super) ports: List<HostPort>,
}

impl Load {
    pub(crate) fn of(pod: &Pod) -> Self {
        let (requests, non_zero) = requests::on_node(pod);
        Self {
            requests,
            non_zero_milli_cpu: non_zero.milli_cpu,
            non_zero_memory: non_zero.memory,
            ports: HostPort::of(pod),
        }
    }
}
