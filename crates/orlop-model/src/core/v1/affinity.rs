//! Where pods may and should run.

use super::{
    NodeInclusionPolicy, NodeSelectorOperator, TaintEffect, TolerationOperator, UnsatisfiableConstraintAction,
};
use crate::{Extra, List, Message, Str, Time};

/// `Affinity` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Affinity {
    #[wire(pb = 1)]
    pub node_affinity: Option<Box<NodeAffinity>>,
    #[wire(pb = 2)]
    pub pod_affinity: Option<Box<PodAffinity>>,
    #[wire(pb = 3)]
    pub pod_anti_affinity: Option<Box<PodAntiAffinity>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeAffinity` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeAffinity {
    #[wire(pb = 1, map = "atomic")]
    pub required_during_scheduling_ignored_during_execution: Option<Box<NodeSelector>>,
    #[wire(pb = 2)]
    pub preferred_during_scheduling_ignored_during_execution: List<PreferredSchedulingTerm>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeSelector` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeSelector {
    #[wire(pb = 1, required)]
    pub node_selector_terms: List<NodeSelectorTerm>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeSelectorRequirement` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeSelectorRequirement {
    #[wire(pb = 1, required)]
    pub key: Str,
    #[wire(pb = 2, required)]
    pub operator: NodeSelectorOperator,
    #[wire(pb = 3)]
    pub values: List<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeSelectorTerm` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeSelectorTerm {
    #[wire(pb = 1)]
    pub match_expressions: List<NodeSelectorRequirement>,
    #[wire(pb = 2)]
    pub match_fields: List<NodeSelectorRequirement>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodAffinity` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodAffinity {
    #[wire(pb = 1)]
    pub required_during_scheduling_ignored_during_execution: List<PodAffinityTerm>,
    #[wire(pb = 2)]
    pub preferred_during_scheduling_ignored_during_execution: List<WeightedPodAffinityTerm>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodAffinityTerm` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodAffinityTerm {
    #[wire(pb = 1, map = "atomic")]
    pub label_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    #[wire(pb = 2)]
    pub namespaces: List<Str>,
    #[wire(pb = 3, required)]
    pub topology_key: Str,
    #[wire(pb = 4, map = "atomic")]
    pub namespace_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    #[wire(pb = 5)]
    pub match_label_keys: List<Str>,
    #[wire(pb = 6)]
    pub mismatch_label_keys: List<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodAntiAffinity` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodAntiAffinity {
    #[wire(pb = 1)]
    pub required_during_scheduling_ignored_during_execution: List<PodAffinityTerm>,
    #[wire(pb = 2)]
    pub preferred_during_scheduling_ignored_during_execution: List<WeightedPodAffinityTerm>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PreferredSchedulingTerm` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PreferredSchedulingTerm {
    #[wire(pb = 1, required)]
    pub weight: i32,
    #[wire(pb = 2, map = "atomic")]
    pub preference: NodeSelectorTerm,
    #[wire(extra)]
    pub extra: Extra,
}

/// `Taint` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Taint {
    #[wire(pb = 1, required)]
    pub key: Str,
    #[wire(pb = 2)]
    pub value: Str,
    #[wire(pb = 3, required)]
    pub effect: TaintEffect,
    #[wire(pb = 4)]
    pub time_added: Option<Time>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `Toleration` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Toleration {
    #[wire(pb = 1)]
    pub key: Str,
    #[wire(pb = 2)]
    pub operator: TolerationOperator,
    #[wire(pb = 3)]
    pub value: Str,
    #[wire(pb = 4)]
    pub effect: TaintEffect,
    #[wire(pb = 5)]
    pub toleration_seconds: Option<i64>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `TopologySpreadConstraint` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TopologySpreadConstraint {
    #[wire(pb = 1, required)]
    pub max_skew: i32,
    #[wire(pb = 2, required)]
    pub topology_key: Str,
    #[wire(pb = 3, required)]
    pub when_unsatisfiable: UnsatisfiableConstraintAction,
    #[wire(pb = 4, map = "atomic")]
    pub label_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    #[wire(pb = 5)]
    pub min_domains: Option<i32>,
    #[wire(pb = 6)]
    pub node_affinity_policy: Option<NodeInclusionPolicy>,
    #[wire(pb = 7)]
    pub node_taints_policy: Option<NodeInclusionPolicy>,
    #[wire(pb = 8)]
    pub match_label_keys: List<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `WeightedPodAffinityTerm` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WeightedPodAffinityTerm {
    #[wire(pb = 1, required)]
    pub weight: i32,
    #[wire(pb = 2)]
    pub pod_affinity_term: PodAffinityTerm,
    #[wire(extra)]
    pub extra: Extra,
}
