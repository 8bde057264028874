//! The kind `Deployment`.

use super::{DeploymentConditionType, DeploymentStrategyType};
use crate::{Extra, IntOrString, List, Message, Object, Str, Time};

/// Workload that keeps a number of interchangeable pods running and rolls out changes through replica sets.
///
/// The kind `Deployment` of `apps/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#deployment-v1-apps).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "apps", version = "v1", short = "deploy", categories = "all", status, scale)]
#[wire(debug)]
pub struct Deployment {
    /// Identity, labels and ownership of the deployment.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Desired pods, their number and the rollout policy.
    #[wire(pb = 2)]
    pub spec: DeploymentSpec,
    /// Observed rollout state; written by the deployment controller.
    #[wire(pb = 3)]
    pub status: DeploymentStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observation about a deployment and the progress of its rollout.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DeploymentCondition {
    /// Observed aspect: `Available`, `Progressing` or `ReplicaFailure`.
    #[wire(pb = 1, required)]
    pub type_: DeploymentConditionType,
    /// Whether the aspect holds: `True`, `False` or `Unknown`.
    #[wire(pb = 2, required)]
    pub status: crate::core::v1::ConditionStatus,
    /// When the condition was last written, even if `status` stayed the same.
    #[wire(pb = 6, required, plain, needless)]
    pub last_update_time: Option<Time>,
    /// When `status` last switched to another value.
    #[wire(pb = 7, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// CamelCase word for the last change, such as `MinimumReplicasAvailable` or `ProgressDeadlineExceeded`.
    #[wire(pb = 4)]
    pub reason: Str,
    /// Details of the last change for people.
    #[wire(pb = 5)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Desired state of a deployment.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DeploymentSpec {
    /// Number of pods wanted; defaults to 1, and an explicit 0 is respected.
    #[wire(pb = 1)]
    pub replicas: Option<i32>,
    /// Label query for the pods managed; required, must match the template's labels, and cannot be changed.
    #[wire(pb = 2, required, map = "atomic")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Pod to create; any change starts a rollout, and its `restartPolicy` has to be `Always`.
    #[wire(pb = 3, needed)]
    pub template: crate::core::v1::PodTemplateSpec,
    /// How old pods give way to new ones; `RollingUpdate` by default.
    #[wire(pb = 4, patch = "retainKeys")]
    pub strategy: DeploymentStrategy,
    /// Seconds a new pod must be ready without a crash before it counts as available; default 0.
    #[wire(pb = 5)]
    pub min_ready_seconds: i32,
    /// Number of old replica sets kept for rollback; default 10.
    #[wire(pb = 6)]
    pub revision_history_limit: Option<i32>,
    /// Suspends rollouts of template changes while true; scaling still works, default false.
    #[wire(pb = 7)]
    pub paused: bool,
    /// Seconds without progress after which the rollout is reported as failed; default 600, not counted while
    /// paused.
    #[wire(pb = 9)]
    pub progress_deadline_seconds: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a deployment.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DeploymentStatus {
    /// The `metadata.generation` the controller acted on most recently.
    #[wire(pb = 1)]
    pub observed_generation: i64,
    /// Non-terminating pods that the selector matches, over all revisions.
    #[wire(pb = 2)]
    pub replicas: i32,
    /// Non-terminating pods created from the current template.
    #[wire(pb = 3)]
    pub updated_replicas: i32,
    /// Non-terminating pods whose `Ready` condition is true.
    #[wire(pb = 7)]
    pub ready_replicas: i32,
    /// Non-terminating pods that have been ready for at least `minReadySeconds`.
    #[wire(pb = 4)]
    pub available_replicas: i32,
    /// Pods still missing or not yet available for the full capacity to be reached.
    #[wire(pb = 5)]
    pub unavailable_replicas: i32,
    /// Pods with a deletion timestamp that have not yet reached a final phase; null when not tracked.
    #[wire(pb = 9)]
    pub terminating_replicas: Option<i32>,
    /// Latest observations about the deployment, at most one of each type.
    #[wire(pb = 6, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<DeploymentCondition>,
    /// Hash collisions met so far; the controller mixes it into names of new replica sets.
    #[wire(pb = 8)]
    pub collision_count: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Way in which a deployment replaces old pods by new ones.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DeploymentStrategy {
    /// Mode: `RollingUpdate` replaces pods gradually (default), `Recreate` removes all old ones first.
    #[wire(pb = 1)]
    pub type_: DeploymentStrategyType,
    /// Limits of the gradual replacement; only allowed with type `RollingUpdate`.
    #[wire(pb = 2)]
    pub rolling_update: Option<Box<RollingUpdateDeployment>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Limits for the gradual update of a deployment; not both may be 0.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct RollingUpdateDeployment {
    /// Pods that may be missing during the update, as a number or a percentage rounded down; default 25%.
    #[wire(pb = 1)]
    pub max_unavailable: Option<IntOrString>,
    /// Pods allowed beyond `replicas` during the update, as a number or a percentage rounded up; default 25%.
    #[wire(pb = 2)]
    pub max_surge: Option<IntOrString>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
