//! [`NodeName`]: a pod that names its node goes there or nowhere.

use orlop_model::Str;
use orlop_model::core::v1::Pod;

use crate::cluster::NodeView;
use crate::framework::{ClusterEvent, Filter, Hint, Plugin, PodTemplate, Reads, Verdict};

/// Turns down every node but the one that the pod's `spec.nodeName` names, if it names one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeName;

impl Plugin for NodeName {
    fn name(&self) -> &str {
        "NodeName"
    }
}

impl Filter for NodeName {
    /// The name wanted; empty: any.
    type Signature = Str;
    const READS: Reads = Reads::Static;

    fn sign(&self, pod: PodTemplate<'_>) -> Str {
        pod.spec().node_name.clone()
    }

    fn filter(&self, wanted: &Str, node: NodeView<'_>) -> Verdict {
        Verdict::pass_if(
            wanted.is_empty() || wanted == node.name(),
            "node(s) didn't match the requested node name",
        )
    }

    fn concerns(&self, event: &ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded(_))
    }

    fn hint(&self, _: &Pod, event: &ClusterEvent) -> Hint {
        Hint::queue_if(matches!(event, ClusterEvent::NodeAdded(_)))
    }
}
