//! [`NodePorts`]: a port of the node can be taken once.

use orlop_model::List;
use orlop_model::core::v1::Pod;

use crate::cluster::{HostPort, NodeView};
use crate::framework::{ClusterEvent, Filter, Hint, Plugin, PodTemplate, PreFilter, Reads, Verdict};

/// Turns down nodes where a host port of the pod is in use.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodePorts;

impl Plugin for NodePorts {
    fn name(&self) -> &str {
        "NodePorts"
    }
}

impl Filter for NodePorts {
    type Signature = List<HostPort>;
    const READS: Reads = Reads::Local;

    fn sign(&self, pod: PodTemplate<'_>) -> List<HostPort> {
        HostPort::of(pod.pod())
    }

    fn pre_filter(&self, ports: &List<HostPort>) -> PreFilter {
        if ports.is_empty() { PreFilter::Skip } else { PreFilter::Run(()) }
    }

    fn filter(&self, ports: &List<HostPort>, node: NodeView<'_>) -> Verdict {
        if node.host_ports().conflict(ports) {
            Verdict::unschedulable("node(s) didn't have free ports for the requested pod ports")
        } else {
            Verdict::Pass
        }
    }

    fn concerns(&self, event: &ClusterEvent) -> bool {
        matches!(event, ClusterEvent::NodeAdded(_) | ClusterEvent::PodGone(_))
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        Hint::queue_if(match event {
            ClusterEvent::NodeAdded(_) => true,
            ClusterEvent::PodGone(gone) => {
                let freed = HostPort::of(gone);
                HostPort::of(pod).iter().any(|port| freed.iter().any(|other| other.conflicts_with(port)))
            }
            _ => false,
        })
    }
}
