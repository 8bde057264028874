//! ResourceQuotas and LimitRanges.

use super::{LimitType, ResourceQuotaScope, ScopeSelector};
use crate::{Extra, List, Map, Message, Object, Quantity};

/// Bounds and defaults for the resources of pods, containers and claims of one namespace.
///
/// The kind `LimitRange` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#limitrange-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", short = "limits")]
#[wire(debug)]
pub struct LimitRange {
    /// Standard object metadata; the bounds hold in the namespace given here.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The limits to enforce upon creation and update of objects.
    #[wire(pb = 2)]
    pub spec: LimitRangeSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Caps the total resource use and object counts within a namespace.
///
/// The kind `ResourceQuota` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#resourcequota-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", short = "quota", status)]
#[wire(debug)]
pub struct ResourceQuota {
    /// Standard object metadata, with the namespace the quota applies to.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The limits, and which objects count against them.
    #[wire(pb = 2)]
    pub spec: ResourceQuotaSpec,
    /// Limits in force and the use measured so far, written by the quota controller and admission.
    #[wire(pb = 3)]
    pub status: ResourceQuotaStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Bounds and defaults for one kind of object.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct LimitRangeItem {
    /// Kind of object the entry concerns: `Pod`, `Container` or `PersistentVolumeClaim`; required.
    #[wire(pb = 1, required)]
    pub type_: LimitType,
    /// Highest amount allowed per object, by resource name.
    #[wire(pb = 2)]
    pub max: Map<Quantity>,
    /// Lowest amount allowed per object, by resource name.
    #[wire(pb = 3)]
    pub min: Map<Quantity>,
    /// Limits given to containers that set none, by resource name; defaults to `max` for containers.
    #[wire(pb = 4)]
    pub default: Map<Quantity>,
    /// Requests given to containers that set none; defaults to `default`, then to `min`, for containers.
    #[wire(pb = 5)]
    pub default_request: Map<Quantity>,
    /// Highest quotient of limit over request, by resource name; both must be set and non-zero.
    #[wire(pb = 6)]
    pub max_limit_request_ratio: Map<Quantity>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Limits to enforce in a namespace.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct LimitRangeSpec {
    /// One entry for each kind of object that is bounded; required.
    #[wire(pb = 1, required)]
    pub limits: List<LimitRangeItem>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Limits of a quota and the selection of objects they cover.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ResourceQuotaSpec {
    /// Greatest total allowed per resource, e.g. `requests.cpu`, `pods` or `count/secrets`.
    #[wire(pb = 1)]
    pub hard: Map<Quantity>,
    /// Filters an object must all match to be counted; empty counts everything; immutable.
    #[wire(pb = 2)]
    pub scopes: List<ResourceQuotaScope>,
    /// Filters written as expressions, which allow values such as priority class names; joined with `scopes`
    /// by AND.
    #[wire(pb = 3, map = "atomic")]
    pub scope_selector: Option<Box<ScopeSelector>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Enforced limits and measured consumption of a quota.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ResourceQuotaStatus {
    /// Limits currently enforced, copied from the spec by the controller.
    #[wire(pb = 1)]
    pub hard: Map<Quantity>,
    /// Total measured in the namespace for each limited resource.
    #[wire(pb = 2)]
    pub used: Map<Quantity>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
