//! Label selectors.

use super::{ResourceQuotaScope, ScopeSelectorOperator};
use crate::{Extra, List, Message, Str};

/// Expressions over quota scopes that select the objects a quota counts.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct ScopeSelector {
    /// Requirements that an object must all meet to be counted.
    #[wire(pb = 1)]
    pub match_expressions: List<ScopedResourceSelectorRequirement>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One requirement of a scope selector: a scope, an operator and perhaps values.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ScopedResourceSelectorRequirement {
    /// Scope tested, e.g. `PriorityClass`; some scopes allow the operator `Exists` only.
    #[wire(pb = 1, required)]
    pub scope_name: ResourceQuotaScope,
    /// Relation of the scope to `values`: `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[wire(pb = 2, required)]
    pub operator: ScopeSelectorOperator,
    /// Names to compare with, e.g. of priority classes; needed for `In` and `NotIn`, otherwise empty.
    #[wire(pb = 3)]
    pub values: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Requirement that a topology label has one of several values.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TopologySelectorLabelRequirement {
    /// Topology label concerned, e.g. `topology.kubernetes.io/zone`.
    #[wire(pb = 1, required)]
    pub key: Str,
    /// Allowed values of the label; any one of them is enough.
    #[wire(pb = 2, required)]
    pub values: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Set of topology label requirements, used by storage classes to limit where volumes are made.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct TopologySelectorTerm {
    /// Requirements that must all hold; an empty term matches nothing.
    #[wire(pb = 1)]
    pub match_label_expressions: List<TopologySelectorLabelRequirement>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
