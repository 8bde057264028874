//! [`NodeUnschedulable`]: cordoned nodes take no new pods.

use orlop_model::Str;
use orlop_model::core::v1::{Pod, Taint, TaintEffect};

use super::taint_toleration::Tolerations;
use crate::cluster::NodeView;
use crate::framework::{ClusterEvent, Filter, Hint, Plugin, PodTemplate, Reads, Verdict};

/// Turns down nodes with `spec.unschedulable`, unless the pod tolerates the taint
/// `node.kubernetes.io/unschedulable:NoSchedule`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeUnschedulable;

impl NodeUnschedulable {
    fn tolerated(pod: &Pod) -> bool {
        let taint = Taint {
            key: Str::from("node.kubernetes.io/unschedulable"),
            effect: TaintEffect::NoSchedule,
            ..Taint::default()
        };
        Tolerations::of(pod, |_| true).tolerate(&taint)
    }
}

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &str {
        "NodeUnschedulable"
    }
}

impl Filter for NodeUnschedulable {
    /// Whether the pod tolerates it.
    type Signature = bool;
    const READS: Reads = Reads::Static;

    fn sign(&self, pod: PodTemplate<'_>) -> bool {
        !pod.spec().tolerations.is_empty() && Self::tolerated(pod.pod())
    }

    fn filter(&self, tolerated: &bool, node: NodeView<'_>) -> Verdict {
        Verdict::pass_if(*tolerated || !node.is_unschedulable(), "node(s) were unschedulable")
    }

    fn concerns(&self, event: &ClusterEvent) -> bool {
        matches!(
            event,
            ClusterEvent::NodeAdded(_)
                | ClusterEvent::NodeUpdated { .. }
                | ClusterEvent::PendingUpdated { .. }
        )
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        Hint::queue_if(match event {
            ClusterEvent::NodeAdded(node) => !node.spec.unschedulable,
            ClusterEvent::NodeUpdated { old, new } => old.spec.unschedulable && !new.spec.unschedulable,
            ClusterEvent::PendingUpdated { old, new } => {
                new.metadata.uid == pod.metadata.uid && !Self::tolerated(old) && Self::tolerated(new)
            }
            _ => false,
        })
    }
}
