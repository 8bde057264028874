//! The kind `ReplicationController`.

use super::{ConditionStatus, PodTemplateSpec, ReplicationControllerConditionType};
use crate::{Extra, List, Map, Message, Object, Str, Time};

/// Keeps a number of identical Pods running; predecessor of `ReplicaSet` and `Deployment`.
///
/// The kind `ReplicationController` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#replicationcontroller-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", short = "rc", categories = "all", status, scale)]
#[wire(debug)]
pub struct ReplicationController {
    /// Standard object metadata; without labels it receives those of the Pod template.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Wanted number of Pods and the template to make them from.
    #[wire(pb = 2)]
    pub spec: ReplicationControllerSpec,
    /// Observed Pod counts, written by the controller and possibly a little stale.
    #[wire(pb = 3)]
    pub status: ReplicationControllerStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One aspect of a replication controller's state, with truth value and time.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ReplicationControllerCondition {
    /// The aspect meant; only `ReplicaFailure` is defined.
    #[wire(pb = 1, required)]
    pub type_: ReplicationControllerConditionType,
    /// Whether the condition holds: `True`, `False` or `Unknown`.
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    /// When `status` last switched from one value to another.
    #[wire(pb = 3, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// CamelCase word for the cause of the last transition, e.g. `FailedCreate`.
    #[wire(pb = 4)]
    pub reason: Str,
    /// Details of the last transition for humans.
    #[wire(pb = 5)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// How many Pods a replication controller keeps, and how it makes and recognises them.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ReplicationControllerSpec {
    /// Wanted number of Pods; default 1, while 0 stops them all.
    #[wire(pb = 1, default = "1")]
    pub replicas: Option<i32>,
    /// Seconds a new Pod must be ready without a crash before it counts as available; default 0.
    #[wire(pb = 4, default = "0")]
    pub min_ready_seconds: i32,
    /// Exact labels of the Pods to manage; default is the template's labels.
    #[wire(pb = 2, map = "atomic")]
    pub selector: Map<Str>,
    /// Blueprint for missing Pods; its `restartPolicy` must be `Always`.
    #[wire(pb = 3)]
    pub template: Option<Box<PodTemplateSpec>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Counts observed by the replication controller at its last synchronisation.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ReplicationControllerStatus {
    /// Number of matching Pods that exist and are not finished.
    #[wire(pb = 1, required)]
    pub replicas: i32,
    /// Number of matching Pods that carry all labels of the template.
    #[wire(pb = 2)]
    pub fully_labeled_replicas: i32,
    /// Number of matching Pods whose `Ready` condition is true.
    #[wire(pb = 4)]
    pub ready_replicas: i32,
    /// Number of matching Pods that have been ready for at least `minReadySeconds`.
    #[wire(pb = 5)]
    pub available_replicas: i32,
    /// The `metadata.generation` of the controller that these counts reflect.
    #[wire(pb = 3)]
    pub observed_generation: i64,
    /// Problems currently observed, one entry per type.
    #[wire(pb = 6, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<ReplicationControllerCondition>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
