//! The kind `ReplicaSet`.

use super::ReplicaSetConditionType;
use crate::{Extra, List, Message, Object, Str, Time};

/// Workload that keeps a fixed number of identical pods running, usually on behalf of a deployment.
///
/// The kind `ReplicaSet` of `apps/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#replicaset-v1-apps).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "apps", version = "v1", short = "rs", categories = "all", status, scale)]
#[wire(debug)]
pub struct ReplicaSet {
    /// Identity, labels and ownership; empty labels are filled in from the pod template.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Desired number of pods and their template.
    #[wire(pb = 2)]
    pub spec: ReplicaSetSpec,
    /// Observed pod counts; written by the controller and possibly slightly out of date.
    #[wire(pb = 3)]
    pub status: ReplicaSetStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observation about a replica set at some point in time.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ReplicaSetCondition {
    /// Observed aspect; `ReplicaFailure` is the only one defined.
    #[wire(pb = 1, required)]
    pub type_: ReplicaSetConditionType,
    /// Whether the aspect holds: `True`, `False` or `Unknown`.
    #[wire(pb = 2, required)]
    pub status: crate::core::v1::ConditionStatus,
    /// When `status` last switched to another value.
    #[wire(pb = 3, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// CamelCase word telling why the last transition took place, such as `FailedCreate`.
    #[wire(pb = 4)]
    pub reason: Str,
    /// Details of the last transition for people.
    #[wire(pb = 5)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Desired state of a replica set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ReplicaSetSpec {
    /// Number of pods wanted; defaults to 1, and an explicit 0 is respected.
    #[wire(pb = 1)]
    pub replicas: Option<i32>,
    /// Seconds a new pod must be ready without a crash before it counts as available; default 0.
    #[wire(pb = 4)]
    pub min_ready_seconds: i32,
    /// Label query for the pods counted and adopted; required, must match the template's labels, and cannot
    /// be changed.
    #[wire(pb = 2, required, map = "atomic")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Pod created when too few exist; changing it does not affect pods already running.
    #[wire(pb = 3)]
    pub template: crate::core::v1::PodTemplateSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a replica set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ReplicaSetStatus {
    /// Non-terminating pods seen most recently.
    #[wire(pb = 1, required)]
    pub replicas: i32,
    /// Non-terminating pods that carry all labels of the pod template.
    #[wire(pb = 2)]
    pub fully_labeled_replicas: i32,
    /// Non-terminating pods whose `Ready` condition is true.
    #[wire(pb = 4)]
    pub ready_replicas: i32,
    /// Non-terminating pods that have been ready for at least `minReadySeconds`.
    #[wire(pb = 5)]
    pub available_replicas: i32,
    /// Pods with a deletion timestamp that have not yet reached a final phase; null when not tracked.
    #[wire(pb = 7)]
    pub terminating_replicas: Option<i32>,
    /// The `metadata.generation` the controller acted on most recently.
    #[wire(pb = 3)]
    pub observed_generation: i64,
    /// Latest observations about the replica set, at most one of each type.
    #[wire(pb = 6, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<ReplicaSetCondition>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
