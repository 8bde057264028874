//! Where pods may and should run.

use super::{
    NodeInclusionPolicy, NodeSelectorOperator, TaintEffect, TolerationOperator, UnsatisfiableConstraintAction,
};
use crate::{Extra, List, Message, Str, Time};

/// Scheduling rules of a pod that attract it to, or keep it from, nodes and other pods.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Affinity {
    /// Rules on the labels and fields of the candidate nodes.
    #[wire(pb = 1)]
    pub node_affinity: Option<Box<NodeAffinity>>,
    /// Rules that draw the pod into the same topology domain as matching pods.
    #[wire(pb = 2)]
    pub pod_affinity: Option<Box<PodAffinity>>,
    /// Rules that keep the pod out of topology domains that already hold matching pods.
    #[wire(pb = 3)]
    pub pod_anti_affinity: Option<Box<PodAntiAffinity>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Rules by which a pod picks nodes; what changes after scheduling is ignored.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeAffinity {
    /// Nodes must match this selector for the pod to be scheduled there.
    #[wire(pb = 1, map = "atomic")]
    pub required_during_scheduling_ignored_during_execution: Option<Box<NodeSelector>>,
    /// Weighted wishes; the scheduler favours nodes with the highest sum of weights of matching terms.
    #[wire(pb = 2)]
    pub preferred_during_scheduling_ignored_during_execution: List<PreferredSchedulingTerm>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Selects nodes that match at least one of several terms.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct NodeSelector {
    /// Alternatives joined by OR; at least one is required.
    #[wire(pb = 1, required)]
    pub node_selector_terms: List<NodeSelectorTerm>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One test of a label or field of a node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeSelectorRequirement {
    /// Label key, or field name, that is tested; required.
    #[wire(pb = 1, required)]
    pub key: Str,
    /// Relation of the node value to `values`: `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
    #[wire(pb = 2, required)]
    pub operator: NodeSelectorOperator,
    /// Operands: one or more for `In` and `NotIn`, none for existence, one integer for `Gt` and `Lt`.
    #[wire(pb = 3)]
    pub values: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Requirements joined by AND; a term without any matches no node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct NodeSelectorTerm {
    /// Requirements on the labels of the node.
    #[wire(pb = 1)]
    pub match_expressions: List<NodeSelectorRequirement>,
    /// Requirements on fields of the node, of which only `metadata.name` is supported.
    #[wire(pb = 2)]
    pub match_fields: List<NodeSelectorRequirement>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Rules that draw a Pod towards topology domains where certain other Pods run.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodAffinity {
    /// Terms that must all hold at scheduling time; later changes of labels do not evict the Pod.
    #[wire(pb = 1)]
    pub required_during_scheduling_ignored_during_execution: List<PodAffinityTerm>,
    /// Weighted wishes; the scheduler favours nodes with the highest sum of weights but may place the Pod
    /// elsewhere.
    #[wire(pb = 2)]
    pub preferred_during_scheduling_ignored_during_execution: List<WeightedPodAffinityTerm>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Selects a set of Pods and the topology domain in which to be together with or apart from them.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodAffinityTerm {
    /// Labels of the Pods to compare with; unset matches no Pod, an empty selector every Pod.
    #[wire(pb = 1, map = "atomic")]
    pub label_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Names of namespaces to look in, in addition to those of `namespaceSelector`; both unset mean the Pod's
    /// own namespace.
    #[wire(pb = 2)]
    pub namespaces: List<Str>,
    /// Node label whose equal values form one domain, e.g. `topology.kubernetes.io/zone`; required and not
    /// empty.
    #[wire(pb = 3, required)]
    pub topology_key: Str,
    /// Picks namespaces by label, joined with `namespaces`; an empty selector means all namespaces.
    #[wire(pb = 4, map = "atomic")]
    pub namespace_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Label keys whose values in the incoming Pod are added to `labelSelector` as `key in (value)`; must not
    /// repeat its keys.
    #[wire(pb = 5)]
    pub match_label_keys: List<Str>,
    /// Label keys whose values in the incoming Pod are added to `labelSelector` as `key notin (value)`.
    #[wire(pb = 6)]
    pub mismatch_label_keys: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Rules that keep a Pod away from topology domains where certain other Pods run.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodAntiAffinity {
    /// Terms that must not match in a node's domains at scheduling time; Pods already running stay.
    #[wire(pb = 1)]
    pub required_during_scheduling_ignored_during_execution: List<PodAffinityTerm>,
    /// Weighted wishes for separation; nodes matching heavier terms are less favoured but not excluded.
    #[wire(pb = 2)]
    pub preferred_during_scheduling_ignored_during_execution: List<WeightedPodAffinityTerm>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Weighted wish for nodes with certain labels or fields; an empty term matches every node without effect.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PreferredSchedulingTerm {
    /// Score, 1 to 100, added to every node that matches the term.
    #[wire(pb = 1, required)]
    pub weight: i32,
    /// Node selector term that earns a node the weight.
    #[wire(pb = 2, needed, map = "atomic")]
    pub preference: NodeSelectorTerm,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Mark on a node that repels Pods not tolerating it.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Taint {
    /// Label-like key of the taint, e.g. `node.kubernetes.io/not-ready`; required.
    #[wire(pb = 1, required)]
    pub key: Str,
    /// Value belonging to the key; may be empty.
    #[wire(pb = 2)]
    pub value: Str,
    /// What happens to intolerant Pods: `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    #[wire(pb = 3, required)]
    pub effect: TaintEffect,
    /// When the taint was put on the node, from which eviction delays are counted.
    #[wire(pb = 4)]
    pub time_added: Option<Time>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Lets a Pod onto nodes whose taints match key, value and effect.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Toleration {
    /// Taint key to match; empty, with operator `Exists`, matches every taint.
    #[wire(pb = 1)]
    pub key: Str,
    /// How `value` is compared: `Equal` (default), `Exists`, or the numeric `Lt` and `Gt`, which are
    /// feature-gated.
    #[wire(pb = 2)]
    pub operator: TolerationOperator,
    /// Taint value to match; must be empty with `Exists` and an integer with `Lt` or `Gt`.
    #[wire(pb = 3)]
    pub value: Str,
    /// Taint effect to match; empty matches all effects.
    #[wire(pb = 4)]
    pub effect: TaintEffect,
    /// Seconds a `NoExecute` taint is endured before eviction; unset means for ever, 0 or less means evict at
    /// once.
    #[wire(pb = 5)]
    pub toleration_seconds: Option<i64>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Rule for spreading matching Pods evenly among topology domains.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TopologySpreadConstraint {
    /// Largest allowed surplus of a domain over the emptiest one; at least 1, required.
    #[wire(pb = 1, required)]
    pub max_skew: i32,
    /// Node label whose equal values form one domain, e.g. `kubernetes.io/hostname`; required.
    #[wire(pb = 2, required)]
    pub topology_key: Str,
    /// Whether a Pod that would break the rule waits, `DoNotSchedule`, or merely prefers lower skew,
    /// `ScheduleAnyway`.
    #[wire(pb = 3, required)]
    pub when_unsatisfiable: UnsatisfiableConstraintAction,
    /// Picks the Pods of the same namespace that are counted in each domain.
    #[wire(pb = 4, map = "atomic")]
    pub label_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Eligible domains below which the minimum counts as 0; at least 1, acts as 1 when unset, needs
    /// `DoNotSchedule`.
    #[wire(pb = 5)]
    pub min_domains: Option<i32>,
    /// Whether nodes excluded by the Pod's node affinity and selector are left out of the count: `Honor`
    /// (default) or `Ignore`.
    #[wire(pb = 6)]
    pub node_affinity_policy: Option<NodeInclusionPolicy>,
    /// Whether nodes with taints the Pod does not tolerate are left out of the count: `Honor` or `Ignore`
    /// (default).
    #[wire(pb = 7)]
    pub node_taints_policy: Option<NodeInclusionPolicy>,
    /// Label keys whose values in the incoming Pod narrow `labelSelector`, e.g. `pod-template-hash`; must not
    /// repeat its keys.
    #[wire(pb = 8)]
    pub match_label_keys: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Pod affinity term with a weight, for preferences.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct WeightedPodAffinityTerm {
    /// Score, 1 to 100, added to the nodes that satisfy the term.
    #[wire(pb = 1, required)]
    pub weight: i32,
    /// The term to satisfy: which Pods, within which topology domain.
    #[wire(pb = 2, needed)]
    pub pod_affinity_term: PodAffinityTerm,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
