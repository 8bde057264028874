//! ReplicaSets.

use super::ReplicaSetConditionType;
use crate::{Extra, List, Message, Object, Str, Time};

/// The kind `ReplicaSet` of `apps/v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(group = "apps", version = "v1", short = "rs", categories = "all", status, scale)]
pub struct ReplicaSet {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub spec: ReplicaSetSpec,
    #[wire(pb = 3)]
    pub status: ReplicaSetStatus,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ReplicaSetCondition` of `apps/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ReplicaSetCondition {
    #[wire(pb = 1, required)]
    pub type_: ReplicaSetConditionType,
    #[wire(pb = 2, required)]
    pub status: crate::core::v1::ConditionStatus,
    #[wire(pb = 3, required)]
    pub last_transition_time: Option<Time>,
    #[wire(pb = 4)]
    pub reason: Str,
    #[wire(pb = 5)]
    pub message: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ReplicaSetSpec` of `apps/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ReplicaSetSpec {
    #[wire(pb = 1)]
    pub replicas: Option<i32>,
    #[wire(pb = 4)]
    pub min_ready_seconds: i32,
    #[wire(pb = 2, required, map = "atomic")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    #[wire(pb = 3)]
    pub template: crate::core::v1::PodTemplateSpec,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ReplicaSetStatus` of `apps/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ReplicaSetStatus {
    #[wire(pb = 1, required)]
    pub replicas: i32,
    #[wire(pb = 2)]
    pub fully_labeled_replicas: i32,
    #[wire(pb = 4)]
    pub ready_replicas: i32,
    #[wire(pb = 5)]
    pub available_replicas: i32,
    #[wire(pb = 7)]
    pub terminating_replicas: Option<i32>,
    #[wire(pb = 3)]
    pub observed_generation: i64,
    #[wire(pb = 6, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<ReplicaSetCondition>,
    #[wire(extra)]
    pub extra: Extra,
}
