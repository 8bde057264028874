//! The kind `StatefulSet`.

use super::{
    PersistentVolumeClaimRetentionPolicyType, PodManagementPolicyType, StatefulSetUpdateStrategyType,
};
use crate::{Extra, IntOrString, List, Message, Object, Str, Time};

/// Workload whose pods keep stable names, network identities and storage.
///
/// The kind `StatefulSet` of `apps/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#statefulset-v1-apps).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "apps", version = "v1", short = "sts", categories = "all", status, scale)]
#[wire(debug)]
pub struct StatefulSet {
    /// Identity, labels and ownership of the stateful set.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Desired pods, their identities and their volumes.
    #[wire(pb = 2)]
    pub spec: StatefulSetSpec,
    /// Observed counts and revisions; written by the controller and possibly slightly out of date.
    #[wire(pb = 3)]
    pub status: StatefulSetStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Limits for the ordered update of a stateful set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct RollingUpdateStatefulSetStrategy {
    /// Ordinal from which pods are updated; lower ordinals keep the old revision, default 0 updates all.
    #[wire(pb = 1)]
    pub partition: Option<i32>,
    /// Pods that may be down at once during the update, as a number or a percentage rounded up; default 1.
    #[wire(pb = 2)]
    pub max_unavailable: Option<IntOrString>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observation about a stateful set at some point in time.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct StatefulSetCondition {
    /// Name of the observation; Kubernetes itself defines none for stateful sets.
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

/// Numbering of the pods in a stateful set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct StatefulSetOrdinals {
    /// Index of the first pod, not negative; default 0.
    #[wire(pb = 1, required, needless)]
    pub start: i32,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Lifetime rules for claims made from a stateful set's `volumeClaimTemplates`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct StatefulSetPersistentVolumeClaimRetentionPolicy {
    /// Fate of the claims when the stateful set is deleted; `Retain` by default.
    #[wire(pb = 1)]
    pub when_deleted: PersistentVolumeClaimRetentionPolicyType,
    /// Fate of the claims of pods removed by scaling down; `Retain` by default.
    #[wire(pb = 2)]
    pub when_scaled: PersistentVolumeClaimRetentionPolicyType,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Desired state of a stateful set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct StatefulSetSpec {
    /// Number of pods wanted, each with its own identity; default 1.
    #[wire(pb = 1)]
    pub replicas: Option<i32>,
    /// Label query for the pods managed; required, must match the template's labels, and cannot be changed.
    #[wire(pb = 2, required, map = "atomic")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Pod to create for every ordinal, named after the set plus a hyphen and the index.
    #[wire(pb = 3, needed)]
    pub template: crate::core::v1::PodTemplateSpec,
    /// Claims made for each pod; an entry takes precedence over a template volume of the same name.
    #[wire(pb = 4)]
    pub volume_claim_templates: List<crate::core::v1::PersistentVolumeClaim>,
    /// Headless service that gives the pods their DNS names; should exist beforehand, cannot be changed.
    #[wire(pb = 5, required, needless)]
    pub service_name: Str,
    /// Order of scaling: `OrderedReady` (default) starts pods one by one and stops them in reverse,
    /// `Parallel` does not wait.
    #[wire(pb = 6)]
    pub pod_management_policy: PodManagementPolicyType,
    /// How pods are replaced after a template change; `RollingUpdate` by default.
    #[wire(pb = 7)]
    pub update_strategy: StatefulSetUpdateStrategy,
    /// Number of old revisions kept for rollback; default 10.
    #[wire(pb = 8)]
    pub revision_history_limit: Option<i32>,
    /// Seconds a new pod must be ready without a crash before it counts as available; default 0.
    #[wire(pb = 9)]
    pub min_ready_seconds: i32,
    /// Whether generated claims outlive scaling down and deletion; by default they are always retained.
    #[wire(pb = 10)]
    pub persistent_volume_claim_retention_policy:
        Option<Box<StatefulSetPersistentVolumeClaimRetentionPolicy>>,
    /// Changes the numbering of the pods, which otherwise starts at 0.
    #[wire(pb = 11)]
    pub ordinals: Option<Box<StatefulSetOrdinals>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a stateful set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct StatefulSetStatus {
    /// The `metadata.generation` the controller acted on most recently.
    #[wire(pb = 1)]
    pub observed_generation: i64,
    /// Pods created by the controller, of whatever revision.
    #[wire(pb = 2, required)]
    pub replicas: i32,
    /// Created pods whose `Ready` condition is true.
    #[wire(pb = 3)]
    pub ready_replicas: i32,
    /// Pods that are at the revision named by `currentRevision`.
    #[wire(pb = 4)]
    pub current_replicas: i32,
    /// Pods that are at the revision named by `updateRevision`.
    #[wire(pb = 5)]
    pub updated_replicas: i32,
    /// Name of the revision that pods not yet updated run.
    #[wire(pb = 6)]
    pub current_revision: Str,
    /// Name of the revision being rolled out; equals `currentRevision` once the rollout is done.
    #[wire(pb = 7)]
    pub update_revision: Str,
    /// Hash collisions met so far; the controller mixes it into names of new revisions.
    #[wire(pb = 9)]
    pub collision_count: Option<i32>,
    /// Current observations about the stateful set, at most one of each type.
    #[wire(pb = 10, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<StatefulSetCondition>,
    /// Pods that have been ready for at least `minReadySeconds`.
    #[wire(pb = 11, required, needless)]
    pub available_replicas: i32,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Way in which a stateful set replaces its pods when the template changes.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct StatefulSetUpdateStrategy {
    /// Mode: `RollingUpdate` replaces pods from the highest ordinal down (default), `OnDelete` waits for
    /// manual deletion.
    #[wire(pb = 1)]
    pub type_: StatefulSetUpdateStrategyType,
    /// Partition and limits of the automatic replacement; used only with type `RollingUpdate`.
    #[wire(pb = 2)]
    pub rolling_update: Option<Box<RollingUpdateStatefulSetStrategy>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
