//! The kind `DaemonSet`.

use super::DaemonSetUpdateStrategyType;
use crate::{Extra, IntOrString, List, Message, Object, Str, Time};

/// Workload that runs one copy of a pod on every matching node.
///
/// The kind `DaemonSet` of `apps/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#daemonset-v1-apps).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "apps", version = "v1", short = "ds", categories = "all", status)]
#[wire(debug)]
pub struct DaemonSet {
    /// Identity, labels and ownership of the daemon set.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Desired pods and how to update them.
    #[wire(pb = 2)]
    pub spec: DaemonSetSpec,
    /// Observed counts over the nodes; written by the controller and possibly slightly out of date.
    #[wire(pb = 3)]
    pub status: DaemonSetStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observation about a daemon set at some point in time.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DaemonSetCondition {
    /// Name of the observation; Kubernetes itself defines none for daemon sets.
    #[wire(pb = 1, required)]
    pub type_: Str,
    /// Whether the observation holds: `True`, `False` or `Unknown`.
    #[wire(pb = 2, required)]
    pub status: crate::core::v1::ConditionStatus,
    /// When `status` last switched to another value.
    #[wire(pb = 3, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// CamelCase word telling why the last transition took place.
    #[wire(pb = 4)]
    pub reason: Str,
    /// Details of the last transition for people.
    #[wire(pb = 5)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Desired state of a daemon set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DaemonSetSpec {
    /// Label query for the pods managed; required, must match the template's labels, and cannot be changed.
    #[wire(pb = 1, required, map = "atomic")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Pod to create on each eligible node; its `restartPolicy` has to be `Always`.
    #[wire(pb = 2, needed)]
    pub template: crate::core::v1::PodTemplateSpec,
    /// How existing pods are replaced after a template change; `RollingUpdate` by default.
    #[wire(pb = 3)]
    pub update_strategy: DaemonSetUpdateStrategy,
    /// Seconds a new pod must be ready without a crash before it counts as available; default 0.
    #[wire(pb = 4)]
    pub min_ready_seconds: i32,
    /// Number of old revisions kept for rollback; default 10.
    #[wire(pb = 6)]
    pub revision_history_limit: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a daemon set, counted in nodes.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DaemonSetStatus {
    /// Nodes that run at least one daemon pod and are supposed to.
    #[wire(pb = 1, required)]
    pub current_number_scheduled: i32,
    /// Nodes that run a daemon pod although they should not.
    #[wire(pb = 2, required)]
    pub number_misscheduled: i32,
    /// Nodes that ought to run the daemon pod, whether they do or not.
    #[wire(pb = 3, required)]
    pub desired_number_scheduled: i32,
    /// Nodes that should run the daemon pod and have at least one that is ready.
    #[wire(pb = 4, required)]
    pub number_ready: i32,
    /// The `metadata.generation` the controller acted on most recently.
    #[wire(pb = 5)]
    pub observed_generation: i64,
    /// Nodes that run a daemon pod of the current template revision.
    #[wire(pb = 6)]
    pub updated_number_scheduled: i32,
    /// Nodes that should run the daemon pod and have one ready for at least `minReadySeconds`.
    #[wire(pb = 7)]
    pub number_available: i32,
    /// Nodes that should run the daemon pod but have none available.
    #[wire(pb = 8)]
    pub number_unavailable: i32,
    /// Hash collisions met so far; the controller mixes it into names of new revisions to avoid further ones.
    #[wire(pb = 9)]
    pub collision_count: Option<i32>,
    /// Current observations about the daemon set, at most one of each type.
    #[wire(pb = 10, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<DaemonSetCondition>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Way in which a daemon set replaces its pods when the template changes.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DaemonSetUpdateStrategy {
    /// Mode: `RollingUpdate` replaces pods automatically (default), `OnDelete` waits until they are deleted
    /// by hand.
    #[wire(pb = 1)]
    pub type_: DaemonSetUpdateStrategyType,
    /// Limits of the automatic replacement; used only with type `RollingUpdate`.
    #[wire(pb = 2)]
    pub rolling_update: Option<Box<RollingUpdateDaemonSet>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Limits for the step-by-step update of a daemon set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct RollingUpdateDaemonSet {
    /// Nodes, as a number or a percentage rounded up, that may lack an available pod during the update;
    /// default 1.
    #[wire(pb = 1)]
    pub max_unavailable: Option<IntOrString>,
    /// Nodes, as a number or a percentage rounded up, that may run old and new pod side by side; default 0.
    #[wire(pb = 2)]
    pub max_surge: Option<IntOrString>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
