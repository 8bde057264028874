//! The kind `EndpointSlice`.

use super::AddressType;
use crate::{Extra, List, Map, Message, Object, Str};

/// Part of the endpoints of a `Service`, all with the same address family and ports.
///
/// The kind `EndpointSlice` of `discovery.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#endpointslice-v1-discovery).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "discovery.k8s.io", version = "v1")]
#[wire(debug)]
pub struct EndpointSlice {
    /// Object metadata; the label `kubernetes.io/service-name` links the slice to its `Service`.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Family of all addresses in the slice; immutable.
    #[wire(pb = 4, required)]
    pub address_type: AddressType,
    /// Endpoints of the slice, at most 1000.
    #[wire(pb = 2, required, needless)]
    pub endpoints: List<Endpoint>,
    /// Ports common to all endpoints; an empty list means that no ports are defined.
    #[wire(pb = 3, required, needless)]
    pub ports: List<EndpointPort>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One network endpoint behind a `Service`, most often a Pod.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Endpoint {
    /// Equivalent addresses of the endpoint, 1 to 100, of the slice's family; consumers use only the first.
    #[wire(pb = 1, required, list = "set")]
    pub addresses: List<Str>,
    /// Whether the endpoint is ready, serving and terminating.
    #[wire(pb = 2)]
    pub conditions: EndpointConditions,
    /// DNS label of the endpoint, lowercase, used for per-Pod names of headless Services.
    #[wire(pb = 3)]
    pub hostname: Option<Str>,
    /// Object behind the endpoint, usually the Pod.
    #[wire(pb = 4, map = "atomic")]
    pub target_ref: Option<Box<crate::core::v1::ObjectReference>>,
    /// Topology labels kept from `v1beta1` slices; cannot be written through the `v1` API.
    #[wire(pb = 5)]
    pub deprecated_topology: Map<Str>,
    /// Node that hosts the endpoint; basis for node-local traffic policies.
    #[wire(pb = 6)]
    pub node_name: Option<Str>,
    /// Topology zone in which the endpoint lives.
    #[wire(pb = 7)]
    pub zone: Option<Str>,
    /// Advice for proxies about which zones or nodes should use this endpoint.
    #[wire(pb = 8)]
    pub hints: Option<Box<EndpointHints>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// State of an endpoint; each flag may be unknown.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EndpointConditions {
    /// Whether new traffic should be sent here, never true for terminating endpoints unless unready ones are
    /// published; unset counts as true.
    #[wire(pb = 1)]
    pub ready: Option<bool>,
    /// Like `ready` but also kept during termination, following the Pod's readiness; unset falls back to
    /// `ready`.
    #[wire(pb = 2)]
    pub serving: Option<bool>,
    /// Whether the endpoint is shutting down; unset counts as false.
    #[wire(pb = 3)]
    pub terminating: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Consumers that should prefer an endpoint, for topology-aware routing.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EndpointHints {
    /// Zones whose clients should use the endpoint, at most 8.
    #[wire(pb = 1)]
    pub for_zones: List<ForZone>,
    /// Nodes whose clients should use the endpoint, at most 8.
    #[wire(pb = 2)]
    pub for_nodes: List<ForNode>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Port on which all endpoints of a slice listen.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct EndpointPort {
    /// Port name, unique within the slice and equal to the `Service` port name; empty string by default.
    #[wire(pb = 1)]
    pub name: Option<Str>,
    /// Transport protocol, `TCP`, `UDP` or `SCTP`; `TCP` by default.
    #[wire(pb = 2)]
    pub protocol: Option<crate::core::v1::Protocol>,
    /// Port number at the endpoint; how an unset one is read depends on the consumer.
    #[wire(pb = 3)]
    pub port: Option<i32>,
    /// Hint about the application protocol: an IANA service name, a `kubernetes.io/` name, or a
    /// domain-prefixed one.
    #[wire(pb = 4)]
    pub app_protocol: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// A node whose clients should prefer the endpoint.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ForNode {
    /// Name of the node, as in its `Node` object.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// A topology zone whose clients should prefer the endpoint.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ForZone {
    /// Name of the zone, as in the label `topology.kubernetes.io/zone`.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
