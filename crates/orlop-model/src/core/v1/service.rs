//! Services.

use super::{
    IPFamily, IPFamilyPolicy, LoadBalancerIPMode, Protocol, ServiceAffinity, ServiceExternalTrafficPolicy,
    ServiceInternalTrafficPolicy, ServiceType,
};
use crate::{Extra, IntOrString, List, Map, Message, Object, Str};

/// The kind `Service` of `v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(version = "v1", short = "svc", categories = "all", status)]
pub struct Service {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub spec: ServiceSpec,
    #[wire(pb = 3)]
    pub status: ServiceStatus,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ClientIPConfig` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ClientIPConfig {
    #[wire(pb = 1)]
    pub timeout_seconds: Option<i32>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `LoadBalancerIngress` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LoadBalancerIngress {
    #[wire(pb = 1)]
    pub ip: Str,
    #[wire(pb = 2)]
    pub hostname: Str,
    #[wire(pb = 3)]
    pub ip_mode: Option<LoadBalancerIPMode>,
    #[wire(pb = 4)]
    pub ports: List<PortStatus>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `LoadBalancerStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LoadBalancerStatus {
    #[wire(pb = 1)]
    pub ingress: List<LoadBalancerIngress>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PortStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PortStatus {
    #[wire(pb = 1, required)]
    pub port: i32,
    #[wire(pb = 2, required)]
    pub protocol: Protocol,
    #[wire(pb = 3)]
    pub error: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ServicePort` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServicePort {
    #[wire(pb = 1)]
    pub name: Str,
    #[wire(pb = 2)]
    pub protocol: Protocol,
    #[wire(pb = 6)]
    pub app_protocol: Option<Str>,
    #[wire(pb = 3, required)]
    pub port: i32,
    #[wire(pb = 4)]
    pub target_port: IntOrString,
    #[wire(pb = 5)]
    pub node_port: i32,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ServiceSpec` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServiceSpec {
    #[wire(pb = 1, list = "map", keys = "port,protocol", patch = "merge", merge_key = "port")]
    pub ports: List<ServicePort>,
    #[wire(pb = 2, map = "atomic")]
    pub selector: Map<Str>,
    #[wire(name = "clusterIP", pb = 3)]
    pub cluster_ip: Str,
    #[wire(name = "clusterIPs", pb = 18)]
    pub cluster_ips: List<Str>,
    #[wire(pb = 4)]
    pub type_: ServiceType,
    #[wire(name = "externalIPs", pb = 5)]
    pub external_ips: List<Str>,
    #[wire(pb = 7)]
    pub session_affinity: ServiceAffinity,
    #[wire(name = "loadBalancerIP", pb = 8)]
    pub load_balancer_ip: Str,
    #[wire(pb = 9)]
    pub load_balancer_source_ranges: List<Str>,
    #[wire(pb = 10)]
    pub external_name: Str,
    #[wire(pb = 11)]
    pub external_traffic_policy: ServiceExternalTrafficPolicy,
    #[wire(pb = 12)]
    pub health_check_node_port: i32,
    #[wire(pb = 13)]
    pub publish_not_ready_addresses: bool,
    #[wire(pb = 14)]
    pub session_affinity_config: Option<Box<SessionAffinityConfig>>,
    #[wire(pb = 19)]
    pub ip_families: List<IPFamily>,
    #[wire(pb = 17)]
    pub ip_family_policy: Option<IPFamilyPolicy>,
    #[wire(pb = 20)]
    pub allocate_load_balancer_node_ports: Option<bool>,
    #[wire(pb = 21)]
    pub load_balancer_class: Option<Str>,
    #[wire(pb = 22)]
    pub internal_traffic_policy: Option<ServiceInternalTrafficPolicy>,
    #[wire(pb = 23)]
    pub traffic_distribution: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ServiceStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServiceStatus {
    #[wire(pb = 1)]
    pub load_balancer: LoadBalancerStatus,
    #[wire(pb = 2, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<crate::meta::v1::Condition>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `SessionAffinityConfig` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SessionAffinityConfig {
    #[wire(name = "clientIP", pb = 1)]
    pub client_ip: Option<Box<ClientIPConfig>>,
    #[wire(extra)]
    pub extra: Extra,
}
