//! Defaults of Services.

use super::SetDefaults;
use crate::IntOrString;
use crate::core::v1::{
    LoadBalancerIPMode, Protocol, Service, ServiceAffinity, ServiceExternalTrafficPolicy,
    ServiceInternalTrafficPolicy, ServiceType,
};

/// How long a client stays with its endpoint: three hours, in seconds.
const CLIENT_IP_TIMEOUT: i32 = 10_800;

impl SetDefaults for Service {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        if spec.session_affinity.is_empty() {
            spec.session_affinity = ServiceAffinity::None;
        }
        match spec.session_affinity {
            ServiceAffinity::None => spec.session_affinity_config = None,
            ServiceAffinity::ClientIP => {
                let client = &mut spec.session_affinity_config.get_or_insert_default().client_ip;
                client.get_or_insert_default().timeout_seconds.get_or_insert(CLIENT_IP_TIMEOUT);
            }
            ServiceAffinity::Other(_) => {}
        }
        if spec.type_.is_empty() {
            spec.type_ = ServiceType::ClusterIP;
        }
        for port in &mut spec.ports {
            if port.protocol.is_empty() {
                port.protocol = Protocol::TCP;
            }
            if port.target_port == IntOrString::Int(0) || port.target_port == IntOrString::from("") {
                port.target_port = IntOrString::Int(port.port);
            }
        }
        let exposed = matches!(spec.type_, ServiceType::NodePort | ServiceType::LoadBalancer);
        let external = exposed || (spec.type_ == ServiceType::ClusterIP && !spec.external_ips.is_empty());
        if external && spec.external_traffic_policy.is_empty() {
            spec.external_traffic_policy = ServiceExternalTrafficPolicy::Cluster;
        }
        if exposed || spec.type_ == ServiceType::ClusterIP {
            spec.internal_traffic_policy.get_or_insert(ServiceInternalTrafficPolicy::Cluster);
        }
        if spec.type_ == ServiceType::LoadBalancer {
            spec.allocate_load_balancer_node_ports.get_or_insert(true);
            for ingress in &mut self.status.load_balancer.ingress {
                if !ingress.ip.is_empty() {
                    ingress.ip_mode.get_or_insert(LoadBalancerIPMode::VIP);
                }
            }
        }
    }
}
