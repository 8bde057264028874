//! [`Filter`], [`DomainFilter`] and [`ClusterFilter`]: may the pod go to this node?

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

use orlop_model::Str;
use orlop_model::core::v1::Pod;

use super::{ClusterEvent, Counts, Hint, Plan, Plugin, PodTemplate, Reads, Status, Totals, Verdict};
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
/// The engine takes a [signature](Self::sign) of each pod, and asks [`pre_filter`](Self::pre_filter) and
/// [`filter`](Self::filter) for signatures, not for pods: pods with equal signatures have equal answers by
/// construction, and an answer is kept until something changes that the plugin [reads](Self::READS).
pub trait Filter: Plugin {
    /// All of the pod that this plugin may look at, prepared for quick use per node.
    type Signature: Clone + Debug + Eq + Hash + Send + Sync + 'static;

    /// What [`filter`](Self::filter) looks at: [`Reads::Static`] or [`Reads::Local`].
    const READS: Reads;

    /// Takes from the pod what the plugin needs.
    fn sign(&self, pod: PodTemplate<'_>) -> Self::Signature;

    /// Says whether the nodes need to be looked at at all. The default: all of them.
    fn pre_filter(&self, signature: &Self::Signature) -> PreFilter {
        let _ = signature;
        PreFilter::Run(())
    }

    /// Says whether the pod may go to `node`.
    fn filter(&self, signature: &Self::Signature, node: NodeView<'_>) -> Verdict;

    /// Whether `event` may matter to any pod at all that this plugin has turned down: a quick no spares
    /// the [hint](Self::hint) for each of them. The default: it may.
    fn concerns(&self, event: &ClusterEvent) -> bool {
        let _ = event;
        true
    }

    /// Says whether `event` may let a pod in that this plugin has turned down. The default follows
    /// from [`READS`](Self::READS) ([`Hint::from_reads`]). A hint that says [`Hint::Skip`] wrongly
    /// leaves the pod waiting for up to five minutes.
    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        Hint::from_reads(Self::READS, pod, event)
    }
}

/// Decides whether a pod may go to a node, from counts of pods by place.
///
/// The [plan](Self::plan) of a signature says what is counted; the engine keeps the counts. All that
/// [`filter`](Self::filter) sees of a node are the counts at its place, so nodes of the same counts have
/// the same answer.
pub trait DomainFilter: Plugin {
    /// As in [`Filter`].
    type Signature: Clone + Debug + Eq + Hash + Send + Sync + 'static;

    /// What is counted.
    type Plan: Plan;

    /// Takes from the pod what the plugin needs.
    fn sign(&self, pod: PodTemplate<'_>) -> Self::Signature;

    /// Says what is to be counted for pods of this signature. Of the cluster it may read groups of pods,
    /// namespaces, services and workloads.
    ///
    /// # Errors
    /// The status that turns the pod down on every node, or the error that fails its scheduling.
    fn plan(&self, signature: &Self::Signature, cluster: ClusterView<'_>) -> Result<Self::Plan, Status>;

    /// Says whether nodes need to be looked at at all. The default: all of them.
    fn pre_filter(&self, plan: &Self::Plan, totals: Totals<'_>) -> PreFilter {
        let _ = (plan, totals);
        PreFilter::Run(())
    }

    /// Says whether the pod may go to a node at a place with these counts.
    fn filter(&self, plan: &Self::Plan, totals: Totals<'_>, counts: Counts<'_>) -> Verdict;

    /// As in [`Filter`].
    fn concerns(&self, event: &ClusterEvent) -> bool {
        let _ = event;
        true
    }

    /// As in [`Filter`].
    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        Hint::from_reads(Reads::Domain, pod, event)
    }
}

/// Decides whether a pod may go to a node, from anything: [`Reads::Anything`].
///
/// It sees the pod itself, and is asked anew for each pod; a pod that it [skips](PreFilter::Skip) costs
/// nothing more.
pub trait ClusterFilter: Plugin {
    /// What the plugin needs of the pod, prepared for quick use per node.
    type Signature: Clone + Debug + Send + Sync + 'static;

    /// What was computed over the cluster for one pod.
    type State: Clone + Debug + Send + Sync + 'static;

    /// Takes from the pod what the plugin needs.
    fn sign(&self, pod: &Pod) -> Self::Signature;

    /// Computes the state, or says that nodes need not be looked at.
    fn pre_filter(&self, signature: &Self::Signature, cluster: ClusterView<'_>) -> PreFilter<Self::State>;

    /// Makes the state what it would be with `placed` on `node` as well: for nominated pods, and for
    /// trying out evictions.
    fn add_pod(
        &self,
        signature: &Self::Signature,
        state: &mut Self::State,
        placed: &PlacedPod,
        node: NodeView<'_>,
    ) {
        let _ = (signature, state, placed, node);
    }

    /// Undoes [`add_pod`](Self::add_pod).
    fn remove_pod(
        &self,
        signature: &Self::Signature,
        state: &mut Self::State,
        placed: &PlacedPod,
        node: NodeView<'_>,
    ) {
        let _ = (signature, state, placed, node);
    }

    /// Says whether the pod may go to `node`.
    fn filter(&self, signature: &Self::Signature, state: &Self::State, node: NodeView<'_>) -> Verdict;

    /// As in [`Filter`].
    fn concerns(&self, event: &ClusterEvent) -> bool {
        let _ = event;
        true
    }

    /// As in [`Filter`].
    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        Hint::from_reads(Reads::Anything, pod, event)
    }
}
