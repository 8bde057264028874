//! The kind `ServiceCIDR`.

use crate::{Extra, List, Message, Object, Str};

/// Cluster-scoped address range from which cluster IPs of Services are allocated.
///
/// The kind `ServiceCIDR` of `networking.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#servicecidr-v1-networking).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "networking.k8s.io", version = "v1", cluster, status)]
#[wire(debug)]
pub struct ServiceCIDR {
    /// Object metadata; the range of the API server flags is the object named `kubernetes`.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The address ranges that the object adds for Services.
    #[wire(pb = 2)]
    pub spec: ServiceCIDRSpec,
    /// Conditions that tell whether the range can be used.
    #[wire(pb = 3)]
    pub status: ServiceCIDRStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Address ranges that a `ServiceCIDR` adds for Services.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ServiceCIDRSpec {
    /// One or two ranges in CIDR notation, one per IP family; a second family may be added later, entries
    /// never changed.
    #[wire(pb = 1)]
    pub cidrs: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a `ServiceCIDR`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ServiceCIDRStatus {
    /// Conditions by type; `Ready` tells whether addresses may be allocated from the range.
    #[wire(pb = 1, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<crate::meta::v1::Condition>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
