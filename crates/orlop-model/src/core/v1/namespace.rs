//! Namespaces.

use super::{ConditionStatus, FinalizerName, NamespaceConditionType, NamespacePhase};
use crate::{Extra, List, Message, Object, Str, Time};

/// The kind `Namespace` of `v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(version = "v1", short = "ns", cluster, status)]
pub struct Namespace {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub spec: NamespaceSpec,
    #[wire(pb = 3)]
    pub status: NamespaceStatus,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NamespaceCondition` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NamespaceCondition {
    #[wire(pb = 1, required)]
    pub type_: NamespaceConditionType,
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    #[wire(pb = 4, required)]
    pub last_transition_time: Option<Time>,
    #[wire(pb = 5)]
    pub reason: Str,
    #[wire(pb = 6)]
    pub message: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NamespaceSpec` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NamespaceSpec {
    #[wire(pb = 1)]
    pub finalizers: List<FinalizerName>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NamespaceStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NamespaceStatus {
    #[wire(pb = 1)]
    pub phase: NamespacePhase,
    #[wire(pb = 2, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<NamespaceCondition>,
    #[wire(extra)]
    pub extra: Extra,
}
