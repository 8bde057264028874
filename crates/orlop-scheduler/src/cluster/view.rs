//! [`ClusterView`]: the cluster as plugins see it.

use super::{Cluster, Images, Neighbours, NodeView, PodGroup};

/// The cluster as plugins see it. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct ClusterView<'a>(pub(super) &'a Cluster);

impl<'a> ClusterView<'a> {
    /// All nodes in the order in which they were added.
    pub fn nodes(self) -> impl ExactSizeIterator<Item = NodeView<'a>> {
        self.0.active.iter().map(move |&index| self.at(index))
    }

    /// How many nodes there are.
    #[must_use]
    pub fn node_count(self) -> usize {
        self.0.active.len()
    }

    /// The node of that name.
    #[must_use]
    pub fn node(self, name: &str) -> Option<NodeView<'a>> {
        self.0.node_view(*self.0.by_name.get(name)?)
    }

    /// A bound above every [`NodeView::index`].
    #[must_use]
    pub fn bound(self) -> usize {
        self.0.nodes.len()
    }

    /// The images of all nodes.
    #[must_use]
    pub fn images(self) -> &'a Images {
        &self.0.images
    }

    /// Asks about each group of pods that no selector can tell apart. The answers stand at the places
    /// that [`GroupCount::group`](super::GroupCount::group) gives; unused places hold the default.
    pub fn each_group<T: Default>(self, mut answer: impl FnMut(&PodGroup) -> T) -> Vec<T> {
        self.0
            .groups
            .slots()
            .iter()
            .map(|group| group.as_ref().map_or_else(T::default, &mut answer))
            .collect()
    }

    /// Nodes with a pod that has affinity to other pods.
    pub(crate) fn nodes_with_terms(self) -> impl Iterator<Item = NodeView<'a>> {
        self.0.nodes_with_terms.iter().filter_map(move |&index| self.0.node_view(index))
    }

    pub(crate) fn neighbours(self) -> &'a Neighbours {
        &self.0.neighbours
    }

    pub(crate) fn active(self) -> &'a [u32] {
        &self.0.active
    }

    /// The node at an index taken from [`active`](Self::active).
    #[inline]
    pub(crate) fn at(self, index: u32) -> NodeView<'a> {
        self.0.node_view(index).expect("active slots hold nodes")
    }
}
