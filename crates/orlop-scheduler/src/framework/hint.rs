//! [`ClusterEvent`], what may make a waiting pod schedulable, and [`Hint`], a plugin's opinion.

use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{Node, Pod};

use super::Reads;
use crate::cluster::{StorageEvent, pod_id};

/// Something happened that may let a waiting pod in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClusterEvent {
    /// A node appeared.
    NodeAdded(Arc<Node>),
    /// A node changed.
    NodeUpdated {
        /// Before.
        old: Arc<Node>,
        /// After.
        new: Arc<Node>,
    },
    /// A node disappeared.
    NodeRemoved(Arc<Node>),
    /// A pod was placed on a node (assumed ones too).
    PodPlaced(Arc<Pod>),
    /// A placed pod changed.
    PodUpdated {
        /// Before.
        old: Arc<Pod>,
        /// After.
        new: Arc<Pod>,
    },
    /// A placed pod is gone from its node: deleted, finished, or forgotten before it was bound.
    PodGone(Arc<Pod>),
    /// A waiting pod itself changed.
    PendingUpdated {
        /// Before.
        old: Arc<Pod>,
        /// After.
        new: Arc<Pod>,
    },
    /// An object of storage was added, changed or removed.
    Storage(StorageEvent),
    /// Another object that plugins read was added, changed or removed (a Namespace, a Service, …).
    Other {
        /// Kind of the object.
        kind: Str,
    },
}

/// Whether an event may let in a pod that a plugin turned down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hint {
    /// It cannot.
    Skip,
    /// It may: try again after the pod's back-off.
    Queue,
}

impl Hint {
    /// [`Hint::Queue`] where `queue`.
    #[must_use]
    pub fn queue_if(queue: bool) -> Self {
        if queue { Self::Queue } else { Self::Skip }
    }

    /// The opinion that follows from what a plugin reads: a change of the pod itself always counts;
    /// nodes that appear or change count for all plugins; pods that leave a node count from
    /// [`Reads::Local`] on; anything else from [`Reads::Domain`] on.
    #[must_use]
    pub fn from_reads(reads: Reads, pod: &Pod, event: &ClusterEvent) -> Self {
        Self::queue_if(match event {
            ClusterEvent::PendingUpdated { new, .. } => pod_id(new) == pod_id(pod),
            ClusterEvent::NodeAdded(_) | ClusterEvent::NodeUpdated { .. } => true,
            ClusterEvent::PodGone(_) | ClusterEvent::PodUpdated { .. } => reads >= Reads::Local,
            ClusterEvent::NodeRemoved(_) | ClusterEvent::PodPlaced(_) | ClusterEvent::Other { .. } => {
                reads >= Reads::Domain
            }
            ClusterEvent::Storage(_) => reads >= Reads::Anything,
        })
    }
}
