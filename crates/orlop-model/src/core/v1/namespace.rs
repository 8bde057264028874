//! Namespaces.

use super::{ConditionStatus, FinalizerName, NamespaceConditionType, NamespacePhase};
use crate::{Extra, List, Message, Object, Str, Time};

/// Scope for names, within which most objects live and access and quotas can be set.
///
/// The kind `Namespace` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#namespace-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(
    version = "v1",
    short = "ns",
    cluster,
    status,
    subresources = "finalize",
    verbs = "create,delete,get,list,patch,update,watch"
)]
#[wire(debug)]
pub struct Namespace {
    /// Standard object metadata; the name is a DNS label of at most 63 characters.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Finalizers of the namespace, which delay its removal.
    #[wire(pb = 2)]
    pub spec: NamespaceSpec,
    /// Phase and deletion problems, set by the system.
    #[wire(pb = 3)]
    pub status: NamespaceStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One observation on the deletion of a namespace.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NamespaceCondition {
    /// What the condition is about, such as `NamespaceContentRemaining`; required.
    #[wire(pb = 1, required)]
    pub type_: NamespaceConditionType,
    /// Truth value `True`, `False` or `Unknown`; for these types, `True` means deletion is being held up.
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    /// Time at which `status` last changed.
    #[wire(pb = 4, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// Brief cause in CamelCase, such as `ContentHasNoFinalizers`.
    #[wire(pb = 5)]
    pub reason: Str,
    /// Human-readable details, for instance which kinds still have objects.
    #[wire(pb = 6)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Settings of a namespace, so far only its finalizers.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NamespaceSpec {
    /// Names that must all be removed before the namespace vanishes; the API server puts in `kubernetes`.
    #[wire(pb = 1)]
    pub finalizers: List<FinalizerName>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Current state of a namespace.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NamespaceStatus {
    /// Life stage: `Active` in normal use, `Terminating` while its contents are deleted.
    #[wire(pb = 1)]
    pub phase: NamespacePhase,
    /// What stands in the way of deletion, as found by the namespace controller.
    #[wire(pb = 2, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<NamespaceCondition>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
