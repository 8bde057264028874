//! The kind `Endpoints`.

use super::{ObjectReference, Protocol};
use crate::{Extra, List, Message, Object, Str};

/// Backends of the service of the same name; deprecated since 1.33 in favour of `EndpointSlice`, cut off at
/// 1000 addresses.
///
/// The kind `Endpoints` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#endpoints-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", plural = "endpoints", short = "ep")]
#[wire(debug)]
pub struct Endpoints {
    /// Standard object metadata; the name equals that of the service.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Groups of addresses with common ports; their union forms all backends.
    #[wire(pb = 2)]
    pub subsets: List<EndpointSubset>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Address of one backend of a service.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct EndpointAddress {
    /// IPv4 or IPv6 address of the backend; loopback, link-local and link-local multicast ranges are refused.
    #[wire(pb = 1, required)]
    pub ip: Str,
    /// Host name of the backend, from which a DNS record of a headless service is made.
    #[wire(pb = 3)]
    pub hostname: Str,
    /// Node on which the backend runs, for consumers that prefer local backends.
    #[wire(pb = 4)]
    pub node_name: Option<Str>,
    /// Object behind the address, normally a pod.
    #[wire(pb = 2, map = "atomic")]
    pub target_ref: Option<Box<ObjectReference>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// A port on which every address of the subset serves.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct EndpointPort {
    /// Name of the matching service port, a DNS label; may be empty only for a single port.
    #[wire(pb = 1)]
    pub name: Str,
    /// Port number on the backends, 1 to 65535.
    #[wire(pb = 2, required)]
    pub port: i32,
    /// Transport protocol, `TCP`, `UDP` or `SCTP`; defaults to `TCP`.
    #[wire(pb = 3)]
    pub protocol: Protocol,
    /// Hint on the application protocol, such as `http`, `kubernetes.io/h2c` or a domain-prefixed name.
    #[wire(pb = 4)]
    pub app_protocol: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Group of addresses sharing the same ports; the endpoints are all pairs of address and port.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EndpointSubset {
    /// Backends that are ready and shall receive traffic.
    #[wire(pb = 1)]
    pub addresses: List<EndpointAddress>,
    /// Backends that are starting, failing their readiness check or terminating, and get no traffic.
    #[wire(pb = 2)]
    pub not_ready_addresses: List<EndpointAddress>,
    /// Ports served by each of the addresses.
    #[wire(pb = 3)]
    pub ports: List<EndpointPort>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
