//! [`TrialNode`]: a node as it would be with other pods.

use super::node::NodeSlot;
use super::{Cluster, NodeView, PlacedPod};

/// A copy of a node from which pods can be taken, and to which pods can be added. Made once, and loaded
/// for one node after the other.
#[derive(Debug)]
pub(crate) struct TrialNode {
    slot: NodeSlot,
    index: u32,
}

impl TrialNode {
    pub(crate) fn new() -> Self {
        Self { slot: NodeSlot::new(orlop_model::Str::EMPTY), index: u32::MAX }
    }

    /// Makes it the node at this index, as it is.
    pub(crate) fn load(&mut self, cluster: &Cluster, index: u32) {
        self.slot.copy_from(&cluster.nodes[index as usize]);
        self.index = index;
    }

    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// Takes a pod away, as kube-scheduler does. A pod that is being deleted counts as one that is not,
    /// and ports that another pod of the node has as well (which cannot be by right) are free.
    pub(crate) fn remove(&mut self, pod: &PlacedPod) {
        self.slot.give_back(&pod.load);
        self.slot.ports.vacate(&pod.load.ports);
        self.slot.count(pod.group, false, false);
        if let Some(position) = self.slot.pods.iter().rposition(|&other| other == pod.slot) {
            self.slot.pods.swap_remove(position);
        }
    }

    /// Adds a pod of the cluster's: one that was taken away, or a nominated one.
    pub(crate) fn add(&mut self, pod: &PlacedPod) {
        self.slot.take(&pod.load);
        self.slot.count(pod.group, false, true);
        self.slot.pods.push(pod.slot);
    }

    /// The node with its pods as they are now. `None` where no node is loaded.
    #[inline]
    pub(crate) fn view<'a>(&'a self, cluster: &'a Cluster) -> Option<NodeView<'a>> {
        Some(NodeView { cluster, slot: &self.slot, object: self.slot.object.as_ref()?, index: self.index })
    }
}
