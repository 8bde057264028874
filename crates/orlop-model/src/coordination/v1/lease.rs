//! Leases.

use super::CoordinatedLeaseStrategy;
use crate::{Extra, Message, MicroTime, Object, Str};

/// The kind `Lease` of `coordination.k8s.io/v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(group = "coordination.k8s.io", version = "v1")]
pub struct Lease {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub spec: LeaseSpec,
    #[wire(extra)]
    pub extra: Extra,
}

/// `LeaseSpec` of `coordination/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LeaseSpec {
    #[wire(pb = 1)]
    pub holder_identity: Option<Str>,
    #[wire(pb = 2)]
    pub lease_duration_seconds: Option<i32>,
    #[wire(pb = 3)]
    pub acquire_time: Option<MicroTime>,
    #[wire(pb = 4)]
    pub renew_time: Option<MicroTime>,
    #[wire(pb = 5)]
    pub lease_transitions: Option<i32>,
    #[wire(pb = 6)]
    pub strategy: Option<CoordinatedLeaseStrategy>,
    #[wire(pb = 7)]
    pub preferred_holder: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}
