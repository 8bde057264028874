//! Jobs.

use super::{
    CompletionMode, JobConditionType, PodFailurePolicyAction, PodFailurePolicyOnExitCodesOperator,
    PodReplacementPolicy,
};
use crate::{Extra, List, Message, Object, Str, Time};

/// The kind `Job` of `batch/v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(group = "batch", version = "v1", categories = "all", status)]
pub struct Job {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub spec: JobSpec,
    #[wire(pb = 3)]
    pub status: JobStatus,
    #[wire(extra)]
    pub extra: Extra,
}

/// `JobCondition` of `batch/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct JobCondition {
    #[wire(pb = 1, required)]
    pub type_: JobConditionType,
    #[wire(pb = 2, required)]
    pub status: crate::core::v1::ConditionStatus,
    #[wire(pb = 3, required)]
    pub last_probe_time: Option<Time>,
    #[wire(pb = 4, required)]
    pub last_transition_time: Option<Time>,
    #[wire(pb = 5)]
    pub reason: Str,
    #[wire(pb = 6)]
    pub message: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `JobSpec` of `batch/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct JobSpec {
    #[wire(pb = 1)]
    pub parallelism: Option<i32>,
    #[wire(pb = 2)]
    pub completions: Option<i32>,
    #[wire(pb = 3)]
    pub active_deadline_seconds: Option<i64>,
    #[wire(pb = 11)]
    pub pod_failure_policy: Option<Box<PodFailurePolicy>>,
    #[wire(pb = 16)]
    pub success_policy: Option<Box<SuccessPolicy>>,
    #[wire(pb = 7)]
    pub backoff_limit: Option<i32>,
    #[wire(pb = 12)]
    pub backoff_limit_per_index: Option<i32>,
    #[wire(pb = 13)]
    pub max_failed_indexes: Option<i32>,
    #[wire(pb = 4, map = "atomic")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    #[wire(pb = 5)]
    pub manual_selector: Option<bool>,
    #[wire(pb = 6)]
    pub template: crate::core::v1::PodTemplateSpec,
    #[wire(pb = 8)]
    pub ttl_seconds_after_finished: Option<i32>,
    #[wire(pb = 9)]
    pub completion_mode: Option<CompletionMode>,
    #[wire(pb = 10)]
    pub suspend: Option<bool>,
    #[wire(pb = 14)]
    pub pod_replacement_policy: Option<PodReplacementPolicy>,
    #[wire(pb = 15)]
    pub managed_by: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `JobStatus` of `batch/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct JobStatus {
    #[wire(pb = 1, patch = "merge", merge_key = "type")]
    pub conditions: List<JobCondition>,
    #[wire(pb = 2)]
    pub start_time: Option<Time>,
    #[wire(pb = 3)]
    pub completion_time: Option<Time>,
    #[wire(pb = 4)]
    pub active: i32,
    #[wire(pb = 5)]
    pub succeeded: i32,
    #[wire(pb = 6)]
    pub failed: i32,
    #[wire(pb = 11)]
    pub terminating: Option<i32>,
    #[wire(pb = 7)]
    pub completed_indexes: Str,
    #[wire(pb = 10)]
    pub failed_indexes: Option<Str>,
    #[wire(pb = 8)]
    pub uncounted_terminated_pods: Option<Box<UncountedTerminatedPods>>,
    #[wire(pb = 9)]
    pub ready: Option<i32>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodFailurePolicy` of `batch/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodFailurePolicy {
    #[wire(pb = 1, required)]
    pub rules: List<PodFailurePolicyRule>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodFailurePolicyOnExitCodesRequirement` of `batch/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodFailurePolicyOnExitCodesRequirement {
    #[wire(pb = 1)]
    pub container_name: Option<Str>,
    #[wire(pb = 2, required)]
    pub operator: PodFailurePolicyOnExitCodesOperator,
    #[wire(pb = 3, required, list = "set")]
    pub values: List<i32>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodFailurePolicyOnPodConditionsPattern` of `batch/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodFailurePolicyOnPodConditionsPattern {
    #[wire(pb = 1, required)]
    pub type_: crate::core::v1::PodConditionType,
    #[wire(pb = 2, required)]
    pub status: crate::core::v1::ConditionStatus,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodFailurePolicyRule` of `batch/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodFailurePolicyRule {
    #[wire(pb = 1, required)]
    pub action: PodFailurePolicyAction,
    #[wire(pb = 2)]
    pub on_exit_codes: Option<Box<PodFailurePolicyOnExitCodesRequirement>>,
    #[wire(pb = 3)]
    pub on_pod_conditions: List<PodFailurePolicyOnPodConditionsPattern>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `SuccessPolicy` of `batch/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SuccessPolicy {
    #[wire(pb = 1, required)]
    pub rules: List<SuccessPolicyRule>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `SuccessPolicyRule` of `batch/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SuccessPolicyRule {
    #[wire(pb = 1)]
    pub succeeded_indexes: Option<Str>,
    #[wire(pb = 2)]
    pub succeeded_count: Option<i32>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `UncountedTerminatedPods` of `batch/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct UncountedTerminatedPods {
    #[wire(pb = 1, list = "set")]
    pub succeeded: List<Str>,
    #[wire(pb = 2, list = "set")]
    pub failed: List<Str>,
    #[wire(extra)]
    pub extra: Extra,
}
