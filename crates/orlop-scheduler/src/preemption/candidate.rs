//! [`Candidate`]: a node on which evictions would make room.

use std::cmp::Reverse;
use std::sync::Arc;

use super::Nomination;
use super::victims::began;
use crate::cluster::{NodeView, PlacedPod};

/// A node on which the pod would fit without these pods.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    pub(super) node: NodeView<'a>,
    pub(super) victims: Vec<&'a PlacedPod>,
    pub(super) violations: usize,
}

impl<'a> Candidate<'a> {
    /// The node.
    #[must_use]
    pub fn node(&self) -> NodeView<'a> {
        self.node
    }

    /// The pods to be evicted, the most important first.
    #[must_use]
    pub fn victims(&self) -> &[&'a PlacedPod] {
        &self.victims
    }

    /// How many of them are protected by a PodDisruptionBudget that does not allow it.
    #[must_use]
    pub fn violations(&self) -> usize {
        self.violations
    }

    /// The smallest is chosen. kube-scheduler's five criteria: the fewest violations of budgets, the
    /// least important first victim, the smallest sum of priorities (each raised above 0, so that fewer
    /// is less), the fewest victims, the latest start of the first of the most important victims; and
    /// then the node's rank.
    pub(super) fn cost(&self) -> impl Ord + use<> {
        let highest = self.victims.first().map_or(0, |pod| pod.priority());
        let raised = |pod: &&PlacedPod| i64::from(pod.priority()) + (1_i64 << 31);
        let sum: i64 = self.victims.iter().map(raised).sum();
        // They are in order of importance.
        let earliest = self.victims.first().map(|pod| began(pod));
        (self.violations, highest, sum, self.victims.len(), Reverse(earliest), Reverse(self.node.rank()))
    }

    /// What is to be done.
    #[must_use]
    pub fn nomination(&self) -> Nomination {
        Nomination {
            node: self.node.name().clone(),
            victims: self.victims.iter().map(|pod| Arc::clone(pod.object())).collect(),
            violations: self.violations,
        }
    }
}
