//! Plugins behind object-safe faces. Where a call covers all nodes, the loop over them is compiled for
//! each plugin and only its entry is dynamic.

use std::any::Any;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};

use orlop_model::core::v1::Pod;

use super::{
    ClusterEvent, ClusterFilter, ClusterScore, Counts, DomainFilter, DomainScore, Feasibility, Feasible,
    Filter, Hint, Normalize, Plan, PodTemplate, PreFilter, PreScore, Reads, Score, Status, Totals, Verdict,
};
use crate::cluster::{ClusterView, NodeView, PlacedPod};

/// Raw scores, aligned with the feasible nodes.
pub(crate) type Raw = Vec<Option<i64>>;

/// A signature of any plugin.
pub(crate) trait Signed: Any + Debug + Send + Sync {
    fn equals(&self, other: &dyn Signed) -> bool;
    fn feed(&self, hasher: &mut dyn Hasher);
}

impl<T: Any + Debug + Eq + Hash + Send + Sync> Signed for T {
    fn equals(&self, other: &dyn Signed) -> bool {
        (other as &dyn Any).downcast_ref::<T>() == Some(self)
    }

    fn feed(&self, mut hasher: &mut dyn Hasher) {
        self.hash(&mut hasher);
    }
}

/// What a plugin computed for one pod.
pub(crate) type Prepared = Box<dyn Any + Send + Sync>;

/// A plan of any plugin.
pub(crate) trait AnyPlan: Plan + Any {}

impl<P: Plan + Any> AnyPlan for P {}

fn signature<T: Any>(signed: &dyn Signed) -> &T {
    (signed as &dyn Any).downcast_ref().expect("a plugin is given the signature that it took itself")
}

fn plan<P: Any>(plan: &dyn AnyPlan) -> &P {
    (plan as &dyn Any).downcast_ref().expect("a plugin is given the plan that it made itself")
}

fn state<S: Any>(prepared: &Prepared) -> &S {
    prepared.downcast_ref().expect("a plugin is given what it prepared itself")
}

/// A filter of any kind.
#[derive(Debug)]
pub(crate) enum AnyFilter {
    Node(Box<dyn NodeFilter>),
    Domain(Box<dyn CountFilter>),
    Cluster(Box<dyn FreeFilter>),
}

impl AnyFilter {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Node(filter) => filter.name(),
            Self::Domain(filter) => filter.name(),
            Self::Cluster(filter) => filter.name(),
        }
    }

    pub(crate) fn reads(&self) -> Reads {
        match self {
            Self::Node(filter) => filter.reads(),
            Self::Domain(_) => Reads::Domain,
            Self::Cluster(_) => Reads::Anything,
        }
    }

    pub(crate) fn concerns(&self, event: &ClusterEvent) -> bool {
        match self {
            Self::Node(filter) => filter.concerns(event),
            Self::Domain(filter) => filter.concerns(event),
            Self::Cluster(filter) => filter.concerns(event),
        }
    }

    pub(crate) fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        match self {
            Self::Node(filter) => filter.hint(pod, event),
            Self::Domain(filter) => filter.hint(pod, event),
            Self::Cluster(filter) => filter.hint(pod, event),
        }
    }

    /// The part of a pod's signature; none where the plugin sees the pod itself.
    pub(crate) fn sign(&self, pod: PodTemplate<'_>) -> Option<Box<dyn Signed>> {
        match self {
            Self::Node(filter) => Some(filter.sign(pod)),
            Self::Domain(filter) => Some(filter.sign(pod)),
            Self::Cluster(_) => None,
        }
    }
}

/// A scorer of any kind.
#[derive(Debug)]
pub(crate) enum AnyScore {
    Node(Box<dyn NodeScore>),
    Domain(Box<dyn CountScore>),
    Cluster(Box<dyn FreeScore>),
}

impl AnyScore {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Node(score) => score.name(),
            Self::Domain(score) => score.name(),
            Self::Cluster(score) => score.name(),
        }
    }

    pub(crate) fn normalize(&self) -> Normalize {
        match self {
            Self::Node(score) => score.normalize(),
            Self::Domain(score) => score.normalize(),
            Self::Cluster(score) => score.normalize(),
        }
    }

    pub(crate) fn sign(&self, pod: PodTemplate<'_>) -> Option<Box<dyn Signed>> {
        match self {
            Self::Node(score) => Some(score.sign(pod)),
            Self::Domain(score) => Some(score.sign(pod)),
            Self::Cluster(_) => None,
        }
    }
}

/// A [`Filter`] of any type.
pub(crate) trait NodeFilter: Debug + Send + Sync {
    fn name(&self) -> &str;
    fn reads(&self) -> Reads;
    fn sign(&self, pod: PodTemplate<'_>) -> Box<dyn Signed>;
    fn pre_filter(&self, signed: &dyn Signed) -> PreFilter;
    fn verdict(&self, signed: &dyn Signed, node: NodeView<'_>) -> Verdict;
    /// Whether the pod may go to the node; `None` if the plugin failed.
    fn passes(&self, signed: &dyn Signed, node: NodeView<'_>) -> Option<bool>;
    /// Keeps in `alive` the nodes that pass, and reports each other one.
    fn retain(
        &self,
        signed: &dyn Signed,
        cluster: ClusterView<'_>,
        alive: &mut Vec<u32>,
        rejected: &mut dyn FnMut(u32, Status),
    );
    fn concerns(&self, event: &ClusterEvent) -> bool;
    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint;
}

impl<F: Filter> NodeFilter for F {
    fn name(&self) -> &str {
        super::Plugin::name(self)
    }

    fn reads(&self) -> Reads {
        F::READS
    }

    fn sign(&self, pod: PodTemplate<'_>) -> Box<dyn Signed> {
        Box::new(Filter::sign(self, pod))
    }

    fn pre_filter(&self, signed: &dyn Signed) -> PreFilter {
        Filter::pre_filter(self, signature(signed))
    }

    fn verdict(&self, signed: &dyn Signed, node: NodeView<'_>) -> Verdict {
        self.filter(signature(signed), node)
    }

    fn passes(&self, signed: &dyn Signed, node: NodeView<'_>) -> Option<bool> {
        passes(&self.filter(signature(signed), node))
    }

    fn retain(
        &self,
        signed: &dyn Signed,
        cluster: ClusterView<'_>,
        alive: &mut Vec<u32>,
        rejected: &mut dyn FnMut(u32, Status),
    ) {
        let signature = signature(signed);
        alive.retain(|&index| match self.filter(signature, cluster.at(index)) {
            Verdict::Pass => true,
            Verdict::Reject(status) => {
                rejected(index, status);
                false
            }
        });
    }

    fn concerns(&self, event: &ClusterEvent) -> bool {
        Filter::concerns(self, event)
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        Filter::hint(self, pod, event)
    }
}

/// `None` if the plugin failed.
pub(crate) fn passes(verdict: &Verdict) -> Option<bool> {
    match verdict {
        Verdict::Pass => Some(true),
        Verdict::Reject(status) => status.code().is_rejected().then_some(false),
    }
}

/// A [`DomainFilter`] of any type.
pub(crate) trait CountFilter: Debug + Send + Sync {
    fn name(&self) -> &str;
    fn sign(&self, pod: PodTemplate<'_>) -> Box<dyn Signed>;
    fn plan(&self, signed: &dyn Signed, cluster: ClusterView<'_>) -> Result<Box<dyn AnyPlan>, Status>;
    fn pre_filter(&self, plan: &dyn AnyPlan, totals: Totals<'_>) -> PreFilter;
    fn verdict(&self, plan: &dyn AnyPlan, totals: Totals<'_>, counts: Counts<'_>) -> Verdict;
    fn concerns(&self, event: &ClusterEvent) -> bool;
    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint;
}

impl<F: DomainFilter> CountFilter for F {
    fn name(&self) -> &str {
        super::Plugin::name(self)
    }

    fn sign(&self, pod: PodTemplate<'_>) -> Box<dyn Signed> {
        Box::new(DomainFilter::sign(self, pod))
    }

    fn plan(&self, signed: &dyn Signed, cluster: ClusterView<'_>) -> Result<Box<dyn AnyPlan>, Status> {
        Ok(Box::new(DomainFilter::plan(self, signature(signed), cluster)?))
    }

    fn pre_filter(&self, of: &dyn AnyPlan, totals: Totals<'_>) -> PreFilter {
        DomainFilter::pre_filter(self, plan(of), totals)
    }

    fn verdict(&self, of: &dyn AnyPlan, totals: Totals<'_>, counts: Counts<'_>) -> Verdict {
        self.filter(plan(of), totals, counts)
    }

    fn concerns(&self, event: &ClusterEvent) -> bool {
        DomainFilter::concerns(self, event)
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        DomainFilter::hint(self, pod, event)
    }
}

/// A [`ClusterFilter`] of any type.
pub(crate) trait FreeFilter: Debug + Send + Sync {
    fn name(&self) -> &str;
    fn pre_filter(&self, pod: &Pod, cluster: ClusterView<'_>) -> PreFilter<Prepared>;
    fn verdict(&self, prepared: &Prepared, node: NodeView<'_>) -> Verdict;
    fn copy(&self, prepared: &Prepared) -> Prepared;
    fn add_pod(&self, prepared: &mut Prepared, placed: &PlacedPod, node: NodeView<'_>);
    fn remove_pod(&self, prepared: &mut Prepared, placed: &PlacedPod, node: NodeView<'_>);
    fn concerns(&self, event: &ClusterEvent) -> bool;
    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint;
}

/// What a [`ClusterFilter`] works with for one pod.
struct Free<F: ClusterFilter> {
    signature: F::Signature,
    state: F::State,
}

impl<F: ClusterFilter> Free<F> {
    fn of(prepared: &mut Prepared) -> &mut Self {
        prepared.downcast_mut().expect("a plugin is given what it prepared itself")
    }
}

impl<F: ClusterFilter> FreeFilter for F {
    fn name(&self) -> &str {
        super::Plugin::name(self)
    }

    fn pre_filter(&self, pod: &Pod, cluster: ClusterView<'_>) -> PreFilter<Prepared> {
        let signature = ClusterFilter::sign(self, pod);
        ClusterFilter::pre_filter(self, &signature, cluster)
            .map(|state| Box::new(Free::<F> { signature, state }) as Prepared)
    }

    fn verdict(&self, prepared: &Prepared, node: NodeView<'_>) -> Verdict {
        let Free { signature, state } = state::<Free<F>>(prepared);
        self.filter(signature, state, node)
    }

    fn copy(&self, prepared: &Prepared) -> Prepared {
        let Free { signature, state } = state::<Free<F>>(prepared);
        Box::new(Free::<F> { signature: signature.clone(), state: state.clone() })
    }

    fn add_pod(&self, prepared: &mut Prepared, placed: &PlacedPod, node: NodeView<'_>) {
        let Free { signature, state } = Free::<F>::of(prepared);
        ClusterFilter::add_pod(self, signature, state, placed, node);
    }

    fn remove_pod(&self, prepared: &mut Prepared, placed: &PlacedPod, node: NodeView<'_>) {
        let Free { signature, state } = Free::<F>::of(prepared);
        ClusterFilter::remove_pod(self, signature, state, placed, node);
    }

    fn concerns(&self, event: &ClusterEvent) -> bool {
        ClusterFilter::concerns(self, event)
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        ClusterFilter::hint(self, pod, event)
    }
}

/// A [`Score`] of any type.
pub(crate) trait NodeScore: Debug + Send + Sync {
    fn name(&self) -> &str;
    fn reads(&self) -> Reads;
    fn normalize(&self) -> Normalize;
    fn sign(&self, pod: PodTemplate<'_>) -> Box<dyn Signed>;
    fn pre_score(&self, signed: &dyn Signed) -> PreScore;
    fn raw(&self, signed: &dyn Signed, node: NodeView<'_>) -> i64;
    /// Writes the raw score of each feasible node to `raw`.
    fn raw_all(&self, signed: &dyn Signed, feasible: Feasible<'_>, raw: &mut Raw);
}

impl<S: Score> NodeScore for S {
    fn name(&self) -> &str {
        super::Plugin::name(self)
    }

    fn reads(&self) -> Reads {
        S::READS
    }

    fn normalize(&self) -> Normalize {
        S::NORMALIZE
    }

    fn sign(&self, pod: PodTemplate<'_>) -> Box<dyn Signed> {
        Box::new(Score::sign(self, pod))
    }

    fn pre_score(&self, signed: &dyn Signed) -> PreScore {
        Score::pre_score(self, signature(signed))
    }

    fn raw(&self, signed: &dyn Signed, node: NodeView<'_>) -> i64 {
        self.score(signature(signed), node)
    }

    fn raw_all(&self, signed: &dyn Signed, feasible: Feasible<'_>, raw: &mut Raw) {
        let signature = signature(signed);
        raw.clear();
        raw.extend(feasible.iter().map(|node| Some(self.score(signature, node))));
    }
}

/// A [`DomainScore`] of any type.
pub(crate) trait CountScore: Debug + Send + Sync {
    fn name(&self) -> &str;
    fn normalize(&self) -> Normalize;
    fn sign(&self, pod: PodTemplate<'_>) -> Box<dyn Signed>;
    fn plan(&self, signed: &dyn Signed, cluster: ClusterView<'_>) -> Result<Box<dyn AnyPlan>, Status>;
    fn pre_score(
        &self,
        plan: &dyn AnyPlan,
        totals: Totals<'_>,
        feasible: &Feasibility,
        cluster: ClusterView<'_>,
    ) -> PreScore<Prepared>;
    fn raw(&self, plan: &dyn AnyPlan, prepared: &Prepared, counts: Counts<'_>) -> Option<i64>;
}

impl<S: DomainScore> CountScore for S {
    fn name(&self) -> &str {
        super::Plugin::name(self)
    }

    fn normalize(&self) -> Normalize {
        S::NORMALIZE
    }

    fn sign(&self, pod: PodTemplate<'_>) -> Box<dyn Signed> {
        Box::new(DomainScore::sign(self, pod))
    }

    fn plan(&self, signed: &dyn Signed, cluster: ClusterView<'_>) -> Result<Box<dyn AnyPlan>, Status> {
        Ok(Box::new(DomainScore::plan(self, signature(signed), cluster)?))
    }

    fn pre_score(
        &self,
        of: &dyn AnyPlan,
        totals: Totals<'_>,
        feasible: &Feasibility,
        cluster: ClusterView<'_>,
    ) -> PreScore<Prepared> {
        DomainScore::pre_score(self, plan(of), totals, feasible, cluster)
            .map(|state| Box::new(state) as Prepared)
    }

    fn raw(&self, of: &dyn AnyPlan, prepared: &Prepared, counts: Counts<'_>) -> Option<i64> {
        self.score(plan(of), state(prepared), counts)
    }
}

/// A [`ClusterScore`] of any type.
pub(crate) trait FreeScore: Debug + Send + Sync {
    fn name(&self) -> &str;
    fn normalize(&self) -> Normalize;
    /// Writes the raw score of each feasible node to `raw`; only `Run` does.
    fn raw_all(&self, pod: &Pod, feasible: Feasible<'_>, raw: &mut Raw) -> PreScore;
}

impl<S: ClusterScore> FreeScore for S {
    fn name(&self) -> &str {
        super::Plugin::name(self)
    }

    fn normalize(&self) -> Normalize {
        S::NORMALIZE
    }

    fn raw_all(&self, pod: &Pod, feasible: Feasible<'_>, raw: &mut Raw) -> PreScore {
        ClusterScore::pre_score(self, pod, feasible.cluster, feasible).map(|state| {
            raw.clear();
            raw.extend(feasible.iter().map(|node| ClusterScore::score(self, &state, node)));
        })
    }
}
