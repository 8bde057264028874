//! [`Change`]: what may happen to a cluster, and [`RecordError`], why it cannot have happened.

use std::sync::Arc;

use orlop_model::core::v1::{Namespace, Node, Pod, Service};
use orlop_model::policy::v1::PodDisruptionBudget;
use orlop_model::{LabelSelector, Str};
use thiserror::Error;

use super::{StorageChange, Workload};

/// A change of the cluster, recorded by [`Engine::record`](crate::Engine::record).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// A node appeared (of a known name: it changed).
    NodeAdded(Arc<Node>),
    /// A node changed (of an unknown name: it appeared).
    NodeUpdated(Arc<Node>),
    /// The node of this name disappeared. Pods on it stay accounted for under its name until they
    /// are removed themselves.
    NodeRemoved(Str),
    /// A pod was decided to go to a node; it counts there from now on.
    PodAssumed {
        /// The pod; its own `spec.nodeName` plays no part.
        pod: Arc<Pod>,
        /// The node's name.
        node: Str,
    },
    /// The assumption of the pod with this [id](crate::pod_id) is undone.
    PodForgot(Str),
    /// A pod with `spec.nodeName` was seen; confirms an assumption. A finished pod counts as gone.
    PodAdded(Arc<Pod>),
    /// A pod with `spec.nodeName` changed (unknown: it was added). A finished pod counts as gone.
    PodUpdated(Arc<Pod>),
    /// The pod with this [id](crate::pod_id) is gone.
    PodRemoved(Str),
    /// A namespace was added or changed; affinity terms select by its labels.
    NamespaceSet(Arc<Namespace>),
    /// The namespace of this name is gone.
    NamespaceRemoved(Str),
    /// A service was added or changed; its pods are spread by default.
    ServiceSet(Arc<Service>),
    /// A service is gone.
    ServiceRemoved {
        /// Its namespace.
        namespace: Str,
        /// Its name.
        name: Str,
    },
    /// A workload was added or changed; its pods are spread by default.
    WorkloadSet {
        /// Which.
        workload: Workload,
        /// Its `spec.selector`.
        selector: Option<LabelSelector>,
    },
    /// A workload is gone.
    WorkloadRemoved(Workload),
    /// A PodDisruptionBudget was added or changed; what it protects is evicted last.
    BudgetSet(Arc<PodDisruptionBudget>),
    /// A PodDisruptionBudget is gone.
    BudgetRemoved {
        /// Its namespace.
        namespace: Str,
        /// Its name.
        name: Str,
    },
    /// A pod without a node is to have room on this one soon; less important pods make way for it from
    /// now on. Replaces an earlier nomination. It ends when the pod is assumed, seen on a node, or gone.
    PodNominated {
        /// The pod.
        pod: Arc<Pod>,
        /// The node's name; it need not be known.
        node: Str,
    },
    /// The pod with this [id](crate::pod_id) is nominated no more.
    NominationCleared(Str),
    /// The pod with this [id](crate::pod_id) is being evicted, though that is not to be seen of it yet.
    EvictionBegun(Str),
    /// The pod with this [id](crate::pod_id) could not be evicted.
    EvictionFailed(Str),
    /// An object of storage was added, changed, removed or given away.
    Storage(StorageChange),
}

impl From<StorageChange> for Change {
    fn from(change: StorageChange) -> Self {
        Self::Storage(change)
    }
}

/// A change that contradicts what is known. The cluster is as it was before.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// The node to be removed, or to assume a pod on, is not there.
    #[error("node {node:?} is not known")]
    UnknownNode {
        /// Name of the node.
        node: Str,
    },
    /// The pod is on a node already.
    #[error("pod {pod:?} is on node {node:?} already")]
    AlreadyPlaced {
        /// Identity of the pod.
        pod: Str,
        /// Name of the node that it is on.
        node: Str,
    },
    /// The pod to be forgotten is not assumed to be anywhere.
    #[error("pod {pod:?} is not assumed to be on any node")]
    NotAssumed {
        /// Identity of the pod.
        pod: Str,
    },
    /// A volume to be bound is not there.
    #[error("volume {volume:?} is not known")]
    UnknownVolume {
        /// Name of the volume.
        volume: Str,
    },
    /// A claim to make a volume for is not there.
    #[error("claim {claim:?} in namespace {namespace:?} is not known")]
    UnknownClaim {
        /// Namespace of the claim.
        namespace: Str,
        /// Name of the claim.
        claim: Str,
    },
    /// A volume to be bound belongs to another claim.
    #[error("volume {volume:?} belongs to another claim already")]
    VolumeTaken {
        /// Name of the volume.
        volume: Str,
    },
    /// A volume is being made for the claim already, for another node.
    #[error("claim {claim:?} in namespace {namespace:?} is given to another node already")]
    ClaimTaken {
        /// Namespace of the claim.
        namespace: Str,
        /// Name of the claim.
        claim: Str,
    },
    /// The volumes of the pod are decided about already.
    #[error("the volumes of pod {pod:?} are assumed already")]
    VolumesAssumed {
        /// Identity of the pod.
        pod: Str,
    },
    /// A pod was said to be on a node, but has no `spec.nodeName`.
    #[error("pod {pod:?} has no spec.nodeName")]
    NotBound {
        /// Identity of the pod.
        pod: Str,
    },
}
