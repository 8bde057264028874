//! The kind `Lease`.

use super::CoordinatedLeaseStrategy;
use crate::{Extra, Message, MicroTime, Object, Str};

/// Lightweight lock with expiry, used for leader election and node heartbeats.
///
/// The kind `Lease` of `coordination.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#lease-v1-coordination).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "coordination.k8s.io", version = "v1")]
#[wire(debug)]
pub struct Lease {
    /// Identity of the lease; node heartbeats use the node name in namespace `kube-node-lease`.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Holder and timing of the lease.
    #[wire(pb = 2)]
    pub spec: LeaseSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Holder and timing data of a lease, written by the clients that compete for it.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct LeaseSpec {
    /// Identity of the current holder; empty or unset while nobody holds the lease.
    #[wire(pb = 1)]
    pub holder_identity: Option<Str>,
    /// Seconds after `renewTime` that other candidates must wait before taking over; greater than 0.
    #[wire(pb = 2)]
    pub lease_duration_seconds: Option<i32>,
    /// When the current holder obtained the lease, with microsecond precision.
    #[wire(pb = 3)]
    pub acquire_time: Option<MicroTime>,
    /// When the current holder last renewed the lease, with microsecond precision.
    #[wire(pb = 4)]
    pub renew_time: Option<MicroTime>,
    /// Number of times the lease has passed from one holder to another.
    #[wire(pb = 5)]
    pub lease_transitions: Option<i32>,
    /// How coordinated leader election chooses the leader; unset means the lease is not coordinated.
    #[wire(pb = 6)]
    pub strategy: Option<CoordinatedLeaseStrategy>,
    /// Better candidate to which the holder should yield; only allowed together with `strategy`.
    #[wire(pb = 7)]
    pub preferred_holder: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
