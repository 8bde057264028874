//! Services.

use super::{
    IPFamily, IPFamilyPolicy, LoadBalancerIPMode, Protocol, ServiceAffinity, ServiceExternalTrafficPolicy,
    ServiceInternalTrafficPolicy, ServiceType,
};
use crate::{Extra, IntOrString, List, Map, Message, Object, Str};

/// Stable name and virtual address for a set of Pods, reached over defined ports.
///
/// The kind `Service` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#service-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", short = "svc", categories = "all", status, subresources = "proxy")]
#[wire(debug)]
pub struct Service {
    /// Standard object metadata; the name becomes the DNS name within the namespace.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Ports, selector, addresses and manner of exposure wanted.
    #[wire(pb = 2)]
    pub spec: ServiceSpec,
    /// Load balancer addresses and conditions, filled in by the controllers in charge.
    #[wire(pb = 3)]
    pub status: ServiceStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Settings of session affinity by the address of the client.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ClientIPConfig {
    /// Seconds for which a client sticks to its backend; 1 to 86400, and 10800 (three hours) by default.
    #[wire(pb = 1)]
    pub timeout_seconds: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One entry point of a load balancer, given by address or by name.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct LoadBalancerIngress {
    /// Address of an entry point based on IP, as most clouds and bare metal balancers offer.
    #[wire(pb = 1)]
    pub ip: Str,
    /// DNS name of an entry point based on DNS, as AWS balancers offer.
    #[wire(pb = 2)]
    pub hostname: Str,
    /// Way of delivery, only along with `ip`; with `VIP`, the default, nodes short-circuit the address, with
    /// `Proxy` not.
    #[wire(pb = 3)]
    pub ip_mode: Option<LoadBalancerIPMode>,
    /// Per-port state as reported by the load balancer, with errors where a port failed.
    #[wire(pb = 4)]
    pub ports: List<PortStatus>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// What is known of a provisioned load balancer.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct LoadBalancerStatus {
    /// Entry points to which traffic for the service is to be sent; empty until provisioned.
    #[wire(pb = 1)]
    pub ingress: List<LoadBalancerIngress>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// State of one service port at a load balancer.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PortStatus {
    /// Number of the service port this entry is about, 1 to 65535.
    #[wire(pb = 1, required)]
    pub port: i32,
    /// Transport protocol of the port: `TCP`, `UDP` or `SCTP`.
    #[wire(pb = 2, required)]
    pub protocol: Protocol,
    /// Problem with the port as a CamelCase reason, domain-prefixed when specific to a cloud provider; at
    /// most 316 characters.
    #[wire(pb = 3)]
    pub error: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One port of a Service and where its traffic goes.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ServicePort {
    /// DNS label of the port, unique in the Service; may be empty only when there is a single port.
    #[wire(pb = 1)]
    pub name: Str,
    /// Transport protocol: `TCP` (default), `UDP` or `SCTP`.
    #[wire(pb = 2, default = "\"TCP\"")]
    pub protocol: Protocol,
    /// Hint at the application protocol: an IANA service name, `kubernetes.io/h2c`, `kubernetes.io/ws`,
    /// `kubernetes.io/wss` or a domain-prefixed name.
    #[wire(pb = 6)]
    pub app_protocol: Option<Str>,
    /// Port number clients use on the Service's address, 1 to 65535.
    #[wire(pb = 3, required)]
    pub port: i32,
    /// Number or container port name at the Pods; default is the value of `port`, ignored for headless
    /// Services.
    #[wire(pb = 4)]
    pub target_port: IntOrString,
    /// Port opened on every node, normally from 30000-32767; allocated by the API server if 0 and the type
    /// needs one.
    #[wire(pb = 5)]
    pub node_port: i32,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Wanted properties of a Service: what it selects, where it listens and how it is exposed.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ServiceSpec {
    /// Ports served; required, with headless and `ExternalName` Services excepted.
    #[wire(pb = 1, list = "map", keys = "port,protocol", patch = "merge", merge_key = "port")]
    pub ports: List<ServicePort>,
    /// Labels of the Pods to send traffic to; empty leaves the endpoints to someone else.
    #[wire(pb = 2, map = "atomic")]
    pub selector: Map<Str>,
    /// Virtual IP, allocated by the API server when empty; `None` makes the Service headless; immutable once
    /// set for most types.
    #[wire(name = "clusterIP", pb = 3)]
    pub cluster_ip: Str,
    /// All virtual IPs, at most one per family, in the order of `ipFamilies`; the first equals `clusterIP`.
    #[wire(name = "clusterIPs", pb = 18)]
    pub cluster_ips: List<Str>,
    /// How the Service is exposed: `ClusterIP` (default), `NodePort`, `LoadBalancer` or `ExternalName`.
    #[wire(pb = 4)]
    pub type_: ServiceType,
    /// Outside addresses, routed to nodes by the user, on which nodes also accept traffic; insecure,
    /// deprecated in Kubernetes 1.36.
    #[wire(name = "externalIPs", pb = 5)]
    pub external_ips: List<Str>,
    /// Whether a client sticks to one endpoint: `None` (default) or `ClientIP`.
    #[wire(pb = 7)]
    pub session_affinity: ServiceAffinity,
    /// Address asked of the load balancer; deprecated, as providers differ in support, and annotations are
    /// used instead.
    #[wire(name = "loadBalancerIP", pb = 8)]
    pub load_balancer_ip: Str,
    /// Client CIDRs let through by the load balancer, where the platform supports it; empty admits everyone.
    #[wire(pb = 9)]
    pub load_balancer_source_ranges: List<Str>,
    /// DNS name, a lower-case RFC 1123 host name, returned as CNAME; only for type `ExternalName`.
    #[wire(pb = 10)]
    pub external_name: Str,
    /// Whether outside traffic may cross nodes: `Cluster` (default) or `Local`, which preserves the client's
    /// address.
    #[wire(pb = 11)]
    pub external_traffic_policy: ServiceExternalTrafficPolicy,
    /// Node port for load balancer health checks; allocated for type `LoadBalancer` with policy `Local`,
    /// immutable.
    #[wire(pb = 12)]
    pub health_check_node_port: i32,
    /// Treats all endpoints as ready, e.g. for peer discovery of stateful sets; default `false`.
    #[wire(pb = 13)]
    pub publish_not_ready_addresses: bool,
    /// Settings of the session affinity, such as its timeout; only with `ClientIP`.
    #[wire(pb = 14)]
    pub session_affinity_config: Option<Box<SessionAffinityConfig>>,
    /// Address families of the Service, `IPv4` or `IPv6`, at most two; the first is fixed, default from the
    /// cluster.
    #[wire(pb = 19)]
    pub ip_families: List<IPFamily>,
    /// Single or dual stack: `SingleStack` (default), `PreferDualStack` or `RequireDualStack`.
    #[wire(pb = 17)]
    pub ip_family_policy: Option<IPFamilyPolicy>,
    /// Whether type `LoadBalancer` gets node ports too; default `true`, allowed for that type only.
    #[wire(pb = 20)]
    pub allocate_load_balancer_node_ports: Option<bool>,
    /// Name of the load balancer implementation in charge; unset leaves it to the cloud provider; immutable
    /// while set.
    #[wire(pb = 21)]
    pub load_balancer_class: Option<Str>,
    /// Whether cluster traffic may reach all endpoints, `Cluster` (default), or only those on the client's
    /// node, `Local`.
    #[wire(pb = 22)]
    pub internal_traffic_policy: Option<ServiceInternalTrafficPolicy>,
    /// Preference for near endpoints: `PreferSameZone`, its older alias `PreferClose`, or `PreferSameNode`;
    /// unset spreads evenly.
    #[wire(pb = 23)]
    pub traffic_distribution: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a Service.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ServiceStatus {
    /// Ingress points of the load balancer, once the provider has set it up.
    #[wire(pb = 1)]
    pub load_balancer: LoadBalancerStatus,
    /// State conditions of the Service, one per type, e.g. `LoadBalancerPortsError`.
    #[wire(pb = 2, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<crate::meta::v1::Condition>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Settings of a Service's session affinity.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SessionAffinityConfig {
    /// Timeout of affinity by client address; filled in with 10800 seconds when the affinity is `ClientIP`.
    #[wire(name = "clientIP", pb = 1)]
    pub client_ip: Option<Box<ClientIPConfig>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
