//! [`ClusterView`]: the cluster as plugins see it.

use super::{Budgets, Cluster, Images, Neighbours, NodeView, PodGroup};

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

    /// The group of this number, if it has a pod.
    #[must_use]
    pub fn group(self, number: usize) -> Option<&'a PodGroup> {
        self.0.groups.slots().get(number)?.as_deref()
    }

    /// All groups of pods that no plugin can tell apart, with their numbers.
    pub fn groups(self) -> impl Iterator<Item = (usize, &'a PodGroup)> {
        self.0
            .groups
            .slots()
            .iter()
            .enumerate()
            .filter_map(|(number, group)| Some((number, group.as_deref()?)))
    }

    /// A bound above the numbers of all groups.
    #[must_use]
    pub fn groups_bound(self) -> usize {
        self.0.groups.slots().len()
    }

    pub(crate) fn budgets(self) -> &'a Budgets {
        &self.0.budgets
    }

    pub(crate) fn neighbours(self) -> &'a Neighbours {
        &self.0.neighbours
    }

    /// The node of a slot, if one is there.
    #[inline]
    pub(crate) fn slot(self, index: u32) -> Option<NodeView<'a>> {
        self.0.node_view(index)
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
