//! The kind `ComponentStatus`.

use super::{ComponentConditionType, ConditionStatus};
use crate::{Extra, List, Message, Object, Str};

/// Health of a control plane component as seen by the API server; deprecated since Kubernetes 1.19.
///
/// The kind `ComponentStatus` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#componentstatus-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", plural = "componentstatuses", short = "cs", cluster, verbs = "get,list")]
#[wire(debug)]
pub struct ComponentStatus {
    /// Standard object metadata; the name is the component, such as `scheduler` or `etcd-0`.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Outcomes of the health checks of this component.
    #[wire(pb = 2, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<ComponentCondition>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Result of one health check of a control plane component.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ComponentCondition {
    /// Kind of check; `Healthy` is the only one.
    #[wire(pb = 1, required)]
    pub type_: ComponentConditionType,
    /// Outcome: `True` when the component is healthy, `False` when not, `Unknown` when it could not be told.
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    /// Body that the health endpoint returned, such as `ok`.
    #[wire(pb = 3)]
    pub message: Str,
    /// Error met while checking the component, empty when there was none.
    #[wire(pb = 4)]
    pub error: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
