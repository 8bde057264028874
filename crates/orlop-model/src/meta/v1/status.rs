//! Statuses and conditions.

use super::{CauseType, ConditionStatus, DeletionPropagation, StatusReason};
use crate::{Extra, List, Message, Str, Time};

/// `Condition` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Condition {
    #[wire(pb = 1, required)]
    pub type_: Str,
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    #[wire(pb = 3)]
    pub observed_generation: i64,
    #[wire(pb = 4, required)]
    pub last_transition_time: Option<Time>,
    #[wire(pb = 5, required)]
    pub reason: Str,
    #[wire(pb = 6, required)]
    pub message: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `DeleteOptions` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DeleteOptions {
    #[wire(pb = 1)]
    pub grace_period_seconds: Option<i64>,
    #[wire(pb = 2)]
    pub preconditions: Option<Box<Preconditions>>,
    #[wire(pb = 3)]
    pub orphan_dependents: Option<bool>,
    #[wire(pb = 4)]
    pub propagation_policy: Option<DeletionPropagation>,
    #[wire(pb = 5)]
    pub dry_run: List<Str>,
    #[wire(pb = 6)]
    pub ignore_store_read_error_with_cluster_breaking_potential: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ListMeta` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ListMeta {
    #[wire(pb = 1)]
    pub self_link: Str,
    #[wire(pb = 2)]
    pub resource_version: Str,
    #[wire(pb = 3)]
    pub continue_: Str,
    #[wire(pb = 4)]
    pub remaining_item_count: Option<i64>,
    #[wire(pb = 5)]
    pub shard_info: Option<Box<ShardInfo>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `Preconditions` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Preconditions {
    #[wire(pb = 1)]
    pub uid: Option<Str>,
    #[wire(pb = 2)]
    pub resource_version: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ShardInfo` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ShardInfo {
    #[wire(pb = 1, required)]
    pub selector: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `Status` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Status {
    #[wire(pb = 1)]
    pub metadata: ListMeta,
    #[wire(pb = 2)]
    pub status: Str,
    #[wire(pb = 3)]
    pub message: Str,
    #[wire(pb = 4)]
    pub reason: StatusReason,
    #[wire(pb = 5)]
    pub details: Option<Box<StatusDetails>>,
    #[wire(pb = 6)]
    pub code: i32,
    #[wire(extra)]
    pub extra: Extra,
}

/// `StatusCause` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct StatusCause {
    #[wire(pb = 1)]
    pub reason: CauseType,
    #[wire(pb = 2)]
    pub message: Str,
    #[wire(pb = 3)]
    pub field: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `StatusDetails` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct StatusDetails {
    #[wire(pb = 1)]
    pub name: Str,
    #[wire(pb = 2)]
    pub group: Str,
    #[wire(pb = 3)]
    pub kind: Str,
    #[wire(pb = 6)]
    pub uid: Str,
    #[wire(pb = 4)]
    pub causes: List<StatusCause>,
    #[wire(pb = 5)]
    pub retry_after_seconds: i32,
    #[wire(extra)]
    pub extra: Extra,
}

/// `TypeMeta` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TypeMeta {
    #[wire(pb = 1)]
    pub kind: Str,
    #[wire(pb = 2)]
    pub api_version: Str,
}
