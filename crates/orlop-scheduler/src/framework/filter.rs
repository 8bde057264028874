//! [`Filter`] and [`DomainFilter`]: may the pod go to this node?

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

use orlop_model::Str;
use orlop_model::core::v1::Pod;

use super::{ClusterEvent, Hint, Plugin, Reads, Status, Verdict};
use crate::cluster::{ClusterView, NodeView, PlacedPod};

/// What a filter wants to happen for a pod, before it is asked about any node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreFilter<S = ()> {
    /// Ask me about every node.
    Run(S),
    /// Every node is fine; do not ask.
    Skip,
    /// Only these nodes can do; ask me about them.
    Only(BTreeSet<Str>, S),
    /// No node can do.
    Reject(Status),
}

impl<S> PreFilter<S> {
    /// The same with another state.
    pub fn map<T>(self, change: impl FnOnce(S) -> T) -> PreFilter<T> {
        match self {
            Self::Run(state) => PreFilter::Run(change(state)),
            Self::Skip => PreFilter::Skip,
            Self::Only(nodes, state) => PreFilter::Only(nodes, change(state)),
            Self::Reject(status) => PreFilter::Reject(status),
        }
    }
}

/// Decides whether a pod may go to a node, from the node alone.
///
/// For each pod the engine calls [`sign`](Self::sign) once, then [`pre_filter`](Self::pre_filter)
/// once, then [`filter`](Self::filter) for each node that the filters before it left over. Only the
/// signature reaches the last two, so that pods with equal signatures have equal answers by
/// construction.
pub trait Filter: Plugin {
    /// All of the pod that this plugin may look at, prepared for quick use per node.
    type Signature: Clone + Debug + Eq + Hash + Send + Sync + 'static;

    /// What [`filter`](Self::filter) looks at; [`Reads::Static`], [`Reads::Local`] or
    /// [`Reads::Anything`].
    const READS: Reads;

    /// Takes from the pod what the plugin needs.
    fn sign(&self, pod: &Pod) -> Self::Signature;

    /// Says whether the nodes need to be looked at at all. The default: all of them.
    fn pre_filter(&self, signature: &Self::Signature) -> PreFilter {
        let _ = signature;
        PreFilter::Run(())
    }

    /// Says whether the pod may go to `node`.
    fn filter(&self, signature: &Self::Signature, node: NodeView<'_>) -> Verdict;

    /// Says whether `event` may let a pod in that this plugin has turned down. The default follows
    /// from [`READS`](Self::READS) ([`Hint::from_reads`]). A hint that says [`Hint::Skip`] wrongly
    /// leaves the pod waiting for up to five minutes.
    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        Hint::from_reads(Self::READS, pod, event)
    }
}

/// Decides whether a pod may go to a node, from aggregates over the cluster.
///
/// [`pre_filter`](Self::pre_filter) computes the state over the whole cluster;
/// [`add_pod`](Self::add_pod) and [`remove_pod`](Self::remove_pod) keep it true while pods come and
/// go (for nominated pods, for trying out evictions, and for engines that keep the state from pod to
/// pod). Every [`Filter`] is one, without state.
pub trait DomainFilter: Plugin {
    /// As in [`Filter`].
    type Signature: Clone + Debug + Eq + Hash + Send + Sync + 'static;

    /// What was computed over the cluster for one signature.
    type State: Clone + Debug + Send + Sync + 'static;

    /// What the plugin looks at.
    const READS: Reads = Reads::Domain;

    /// Takes from the pod what the plugin needs.
    fn sign(&self, pod: &Pod) -> Self::Signature;

    /// Computes the state, or says that nodes need not be looked at.
    fn pre_filter(&self, signature: &Self::Signature, cluster: ClusterView<'_>) -> PreFilter<Self::State>;

    /// Makes the state what it would be with `pod` on `node` as well.
    fn add_pod(
        &self,
        signature: &Self::Signature,
        state: &mut Self::State,
        pod: &PlacedPod,
        node: NodeView<'_>,
    );

    /// Undoes [`add_pod`](Self::add_pod).
    fn remove_pod(
        &self,
        signature: &Self::Signature,
        state: &mut Self::State,
        pod: &PlacedPod,
        node: NodeView<'_>,
    );

    /// Says whether the pod may go to `node`.
    fn filter(&self, signature: &Self::Signature, state: &Self::State, node: NodeView<'_>) -> Verdict;

    /// As in [`Filter`].
    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        Hint::from_reads(Self::READS, pod, event)
    }
}

impl<F: Filter> DomainFilter for F {
    type Signature = F::Signature;
    type State = ();
    const READS: Reads = F::READS;

    fn sign(&self, pod: &Pod) -> Self::Signature {
        Filter::sign(self, pod)
    }

    fn pre_filter(&self, signature: &Self::Signature, _: ClusterView<'_>) -> PreFilter {
        Filter::pre_filter(self, signature)
    }

    fn add_pod(&self, _: &Self::Signature, (): &mut (), _: &PlacedPod, _: NodeView<'_>) {}

    fn remove_pod(&self, _: &Self::Signature, (): &mut (), _: &PlacedPod, _: NodeView<'_>) {}

    #[inline]
    fn filter(&self, signature: &Self::Signature, (): &(), node: NodeView<'_>) -> Verdict {
        Filter::filter(self, signature, node)
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        Filter::hint(self, pod, event)
    }
}
