//! [`Score`], [`DomainScore`] and [`ClusterScore`]: how good is this node for the pod?

use std::fmt::Debug;
use std::hash::Hash;

use orlop_model::core::v1::Pod;

use super::{Counts, Feasibility, Plan, Plugin, PodTemplate, Reads, Status, Totals};
use crate::cluster::{ClusterView, NodeView};

/// The greatest normalised score.
pub const MAX_SCORE: i64 = 100;

/// What a scorer wants to happen for a pod, before it is asked about any node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreScore<S = ()> {
    /// Ask me about every feasible node.
    Run(S),
    /// Every node has this raw score.
    Even(i64),
    /// No node is better than another; the plugin adds 0 to each.
    Skip,
    /// The plugin failed, and with it the pod's scheduling.
    Fail(Status),
}

impl<S> PreScore<S> {
    /// The same with another state.
    pub fn map<T>(self, change: impl FnOnce(S) -> T) -> PreScore<T> {
        match self {
            Self::Run(state) => PreScore::Run(change(state)),
            Self::Even(raw) => PreScore::Even(raw),
            Self::Skip => PreScore::Skip,
            Self::Fail(status) => PreScore::Fail(status),
        }
    }
}

/// How raw scores become scores from 0 to [`MAX_SCORE`]. It is data, not code, so that an engine
/// can tell from the extreme values what a change does to the other nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Normalize {
    /// Raw scores are from 0 to 100 already.
    None,
    /// `100·s / max` (integer division; all unchanged where max is 0). `reverse`: 100 minus that
    /// (all 100 where max is 0). kube-scheduler's `DefaultNormalizeScore`.
    ToMax {
        /// Whether less is better.
        reverse: bool,
    },
    /// `trunc(100 · ((s − min) / (max − min)))` in floating point, the quotient first; all 0 where
    /// max = min. As in kube-scheduler's InterPodAffinity.
    MinMax,
    /// `100·(max + min − s) / max` (integer division; 100 where max is 0), over the nodes that have
    /// a raw score. As in kube-scheduler's PodTopologySpread.
    SpreadInverse,
}

impl Normalize {
    /// Normalises in place. A node without a raw score (`None`) takes no part and becomes 0.
    pub fn apply(self, scores: &mut [Option<i64>]) {
        if self == Self::None {
            return;
        }
        let mut min = i64::MAX;
        let mut max = i64::MIN;
        for &score in scores.iter().flatten() {
            min = min.min(score);
            max = max.max(score);
        }
        if min > max {
            return;
        }
        match self {
            Self::None => {}
            Self::ToMax { reverse } => {
                let max = max.max(0);
                each(scores, |score| match (max, reverse) {
                    (0, true) => MAX_SCORE,
                    (0, false) => score,
                    (_, true) => MAX_SCORE - MAX_SCORE.wrapping_mul(score) / max,
                    (_, false) => MAX_SCORE.wrapping_mul(score) / max,
                });
            }
            Self::MinMax => {
                let range = max.wrapping_sub(min);
                each(scores, |score| {
                    if range == 0 {
                        return 0;
                    }
                    // The quotient comes first: 29/100 gives 28, not 29.
                    (100.0 * (score.wrapping_sub(min) as f64 / range as f64)) as i64
                });
            }
            Self::SpreadInverse => each(scores, |score| {
                if max == 0 {
                    MAX_SCORE
                } else {
                    MAX_SCORE.wrapping_mul(max.wrapping_add(min).wrapping_sub(score)).wrapping_div(max)
                }
            }),
        }
    }
}

fn each(scores: &mut [Option<i64>], change: impl Fn(i64) -> i64) {
    for score in scores.iter_mut().flatten() {
        *score = change(*score);
    }
}

/// Rates a node for a pod, from the node alone.
///
/// As with a [`Filter`](super::Filter), the engine asks for signatures, and keeps answers until something
/// changes that the plugin [reads](Self::READS).
pub trait Score: Plugin {
    /// All of the pod that this plugin may look at.
    type Signature: Clone + Debug + Eq + Hash + Send + Sync + 'static;

    /// What [`score`](Self::score) looks at: [`Reads::Static`] or [`Reads::Local`].
    const READS: Reads;

    /// How raw scores become 0 to 100. A result outside that range fails the pod's scheduling.
    const NORMALIZE: Normalize;

    /// Takes from the pod what the plugin needs.
    fn sign(&self, pod: PodTemplate<'_>) -> Self::Signature;

    /// Says whether the nodes need to be rated at all. The default: all of them.
    fn pre_score(&self, signature: &Self::Signature) -> PreScore {
        let _ = signature;
        PreScore::Run(())
    }

    /// The raw score of `node`; more is better, unless [`NORMALIZE`](Self::NORMALIZE) reverses it.
    fn score(&self, signature: &Self::Signature, node: NodeView<'_>) -> i64;
}

/// Rates a node for a pod, from counts of pods by place, as a [`DomainFilter`](super::DomainFilter)
/// filters.
pub trait DomainScore: Plugin {
    /// As in [`Score`].
    type Signature: Clone + Debug + Eq + Hash + Send + Sync + 'static;

    /// What is counted.
    type Plan: Plan;

    /// What was computed for one pod, once the feasible nodes are known.
    type State: Debug + Send + Sync + 'static;

    /// As in [`Score`].
    const NORMALIZE: Normalize;

    /// Takes from the pod what the plugin needs.
    fn sign(&self, pod: PodTemplate<'_>) -> Self::Signature;

    /// Says what is to be counted for pods of this signature.
    ///
    /// # Errors
    /// The status that fails the pod's scheduling.
    fn plan(&self, signature: &Self::Signature, cluster: ClusterView<'_>) -> Result<Self::Plan, Status>;

    /// Computes the state. Of the cluster it may read the images that nodes have.
    fn pre_score(
        &self,
        plan: &Self::Plan,
        totals: Totals<'_>,
        feasible: &Feasibility,
        cluster: ClusterView<'_>,
    ) -> PreScore<Self::State>;

    /// The raw score of a node at a place with these counts; `None`: the node takes no part in
    /// normalisation and gets 0.
    fn score(&self, plan: &Self::Plan, state: &Self::State, counts: Counts<'_>) -> Option<i64>;
}

/// Rates a node for a pod, from anything. It sees the pod itself, and is asked anew for each pod.
pub trait ClusterScore: Plugin {
    /// What was computed for one pod.
    type State: Send + Sync + 'static;

    /// As in [`Score`].
    const NORMALIZE: Normalize;

    /// Computes the state over `cluster`, where `feasible` are the nodes that passed all filters.
    fn pre_score(&self, pod: &Pod, cluster: ClusterView<'_>, feasible: Feasible<'_>)
    -> PreScore<Self::State>;

    /// As in [`DomainScore`].
    fn score(&self, state: &Self::State, node: NodeView<'_>) -> Option<i64>;
}

/// The nodes that passed all filters, in the cluster's order.
#[derive(Clone, Copy, Debug)]
pub struct Feasible<'a> {
    pub(crate) cluster: ClusterView<'a>,
    pub(crate) nodes: &'a [u32],
}

impl<'a> Feasible<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The nodes.
    pub fn iter(&self) -> impl Iterator<Item = NodeView<'a>> + use<'a> {
        let cluster = self.cluster;
        self.nodes.iter().map(move |&index| cluster.at(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(rule: Normalize, raw: &[i64]) -> Vec<i64> {
        let mut scores: Vec<_> = raw.iter().map(|&score| Some(score)).collect();
        rule.apply(&mut scores);
        scores.into_iter().map(Option::unwrap_or_default).collect()
    }

    #[test]
    fn to_max_divides_before_it_reverses() {
        assert_eq!(normalized(Normalize::ToMax { reverse: false }, &[0, 1, 3]), [0, 33, 100]);
        assert_eq!(normalized(Normalize::ToMax { reverse: true }, &[0, 1, 3]), [100, 67, 0]);
        assert_eq!(normalized(Normalize::ToMax { reverse: true }, &[0, 0]), [100, 100]);
        assert_eq!(normalized(Normalize::ToMax { reverse: false }, &[0, 0]), [0, 0]);
    }

    #[test]
    fn min_max_takes_the_quotient_first() {
        assert_eq!(normalized(Normalize::MinMax, &[0, 29, 100]), [0, 28, 100]);
        assert_eq!(normalized(Normalize::MinMax, &[-50, 7, 50]), [0, 56, 100]);
        assert_eq!(normalized(Normalize::MinMax, &[4, 4]), [0, 0]);
    }

    #[test]
    fn spread_leaves_out_nodes_without_a_score() {
        let mut scores = [Some(8), None, Some(6), Some(4)];
        Normalize::SpreadInverse.apply(&mut scores);
        assert_eq!(scores, [Some(50), None, Some(75), Some(100)]);
        assert_eq!(normalized(Normalize::SpreadInverse, &[0, 0]), [100, 100]);
    }
}
