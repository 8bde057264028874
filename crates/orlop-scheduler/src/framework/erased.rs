//! Plugins behind one object-safe face. A call covers all nodes, so that the loop over nodes is
//! compiled for each plugin and only its entry is dynamic.

use std::any::Any;
use std::fmt::Debug;

use orlop_model::core::v1::Pod;

use super::{
    ClusterEvent, DomainFilter, DomainScore, Feasible, Hint, Normalize, PreFilter, PreScore, Reads, Status,
    Verdict,
};
use crate::cluster::{ClusterView, NodeView};

/// A plugin's signature and state for one pod.
pub(crate) type Prepared = Box<dyn Any + Send + Sync>;

/// Raw scores, aligned with the feasible nodes.
pub(crate) type Raw = Vec<Option<i64>>;

/// A [`DomainFilter`] (so also a [`Filter`](super::Filter)) of any type.
pub(crate) trait ErasedFilter: Debug + Send + Sync {
    fn name(&self) -> &str;
    fn reads(&self) -> Reads;
    fn prepare(&self, pod: &Pod, cluster: ClusterView<'_>) -> PreFilter<Prepared>;
    /// Keeps in `alive` the nodes that pass, and reports each other one.
    fn retain(
        &self,
        prepared: &Prepared,
        cluster: ClusterView<'_>,
        alive: &mut Vec<u32>,
        rejected: &mut dyn FnMut(u32, Status),
    );
    fn verdict(&self, prepared: &Prepared, node: NodeView<'_>) -> Verdict;
    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint;
}

/// A [`DomainScore`] (so also a [`Score`](super::Score)) of any type.
pub(crate) trait ErasedScore: Debug + Send + Sync {
    fn name(&self) -> &str;
    fn normalize(&self) -> Normalize;
    /// Writes the raw score of each feasible node to `raw`; `Skip` leaves `raw` alone.
    fn score(&self, pod: &Pod, feasible: Feasible<'_>, raw: &mut Raw) -> PreScore;
}

#[derive(Debug)]
pub(super) struct ErasedFilterOf<F>(pub(super) F);

struct FilterCall<F: DomainFilter> {
    signature: F::Signature,
    state: F::State,
}

fn call<F: DomainFilter>(prepared: &Prepared) -> &FilterCall<F> {
    prepared.downcast_ref().expect("a filter is given what it prepared itself")
}

impl<F: DomainFilter> ErasedFilter for ErasedFilterOf<F> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn reads(&self) -> Reads {
        F::READS
    }

    fn prepare(&self, pod: &Pod, cluster: ClusterView<'_>) -> PreFilter<Prepared> {
        let signature = self.0.sign(pod);
        let outcome = self.0.pre_filter(&signature, cluster);
        outcome.map(|state| Box::new(FilterCall::<F> { signature, state }) as Prepared)
    }

    fn retain(
        &self,
        prepared: &Prepared,
        cluster: ClusterView<'_>,
        alive: &mut Vec<u32>,
        rejected: &mut dyn FnMut(u32, Status),
    ) {
        let FilterCall { signature, state } = call::<F>(prepared);
        alive.retain(|&index| match self.0.filter(signature, state, cluster.at(index)) {
            Verdict::Pass => true,
            Verdict::Reject(status) => {
                rejected(index, status);
                false
            }
        });
    }

    fn verdict(&self, prepared: &Prepared, node: NodeView<'_>) -> Verdict {
        let FilterCall { signature, state } = call::<F>(prepared);
        self.0.filter(signature, state, node)
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        self.0.hint(pod, event)
    }
}

#[derive(Debug)]
pub(super) struct ErasedScoreOf<S>(pub(super) S);

impl<S: DomainScore> ErasedScore for ErasedScoreOf<S> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn normalize(&self) -> Normalize {
        S::NORMALIZE
    }

    fn score(&self, pod: &Pod, feasible: Feasible<'_>, raw: &mut Raw) -> PreScore {
        let signature = self.0.sign(pod);
        match self.0.pre_score(&signature, feasible.cluster, feasible) {
            PreScore::Run(state) => {
                raw.clear();
                raw.extend(feasible.iter().map(|node| self.0.score(&signature, &state, node)));
                PreScore::Run(())
            }
            PreScore::Skip => PreScore::Skip,
            PreScore::Fail(status) => PreScore::Fail(status),
        }
    }
}
