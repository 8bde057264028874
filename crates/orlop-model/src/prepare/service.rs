//! Services.

use super::Prepare;
use crate::core::v1::{Service, ServiceExternalTrafficPolicy, ServiceSpec, ServiceStatus, ServiceType};
use crate::list;

impl Prepare for Service {
    fn prepare_for_create(&mut self) {
        self.status = ServiceStatus::default();
    }

    /// Values that a server gave and that the new type has no use for are dropped, unless the user changed them too.
    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        drop_what_the_type_lacks(&mut self.spec, &old.spec);
        if self.spec.type_ != ServiceType::LoadBalancer {
            self.status.load_balancer = Default::default();
        }
    }
}

fn needs_address(spec: &ServiceSpec) -> bool {
    spec.type_ != ServiceType::ExternalName
}

fn needs_node_ports(spec: &ServiceSpec) -> bool {
    spec.type_ == ServiceType::NodePort
        || (spec.type_ == ServiceType::LoadBalancer && spec.allocate_load_balancer_node_ports != Some(false))
}

fn needs_health_check(spec: &ServiceSpec) -> bool {
    spec.type_ == ServiceType::LoadBalancer
        && spec.external_traffic_policy == ServiceExternalTrafficPolicy::Local
}

fn is_exposed(spec: &ServiceSpec) -> bool {
    matches!(spec.type_, ServiceType::LoadBalancer | ServiceType::NodePort)
        || (spec.type_ == ServiceType::ClusterIP && !spec.external_ips.is_empty())
}

fn drop_what_the_type_lacks(new: &mut ServiceSpec, old: &ServiceSpec) {
    if needs_address(old) && !needs_address(new) {
        if new.cluster_ip == old.cluster_ip && new.cluster_ips == old.cluster_ips {
            new.cluster_ip = Default::default();
            new.cluster_ips.clear();
        }
        if new.ip_families == old.ip_families {
            new.ip_families.clear();
        }
        if new.ip_family_policy == old.ip_family_policy {
            new.ip_family_policy = None;
        }
    }
    let has_port = |number| number == 0 || old.ports.iter().any(|port| port.node_port == number);
    if needs_node_ports(old)
        && !needs_node_ports(new)
        && new.ports.iter().all(|port| has_port(port.node_port))
    {
        new.ports.iter_mut().for_each(|port| port.node_port = 0);
    }
    if needs_health_check(old)
        && !needs_health_check(new)
        && new.health_check_node_port == old.health_check_node_port
    {
        new.health_check_node_port = 0;
    }
    if old.type_ == ServiceType::LoadBalancer && new.type_ != ServiceType::LoadBalancer {
        if new.allocate_load_balancer_node_ports == old.allocate_load_balancer_node_ports {
            new.allocate_load_balancer_node_ports = None;
        }
        if new.load_balancer_class == old.load_balancer_class {
            new.load_balancer_class = None;
        }
    }
    if is_exposed(old) && !is_exposed(new) && new.external_traffic_policy == old.external_traffic_policy {
        new.external_traffic_policy = Default::default();
    }
}

/// Completes the addresses and ports of a Service that are allocated, before it is prepared: `clusterIPs` follows
/// `clusterIP` where a client knows only one of them, and what an update leaves out is kept from `old`.
///
/// A server with allocators does this before it validates; whatever is missing afterwards is to be allocated.
pub fn complete_addresses(service: &mut Service, old: Option<&Service>) {
    let new = &mut service.spec;
    let Some(old) = old.map(|old| &old.spec) else {
        if needs_address(new) && !new.cluster_ip.is_empty() && new.cluster_ips.is_empty() {
            new.cluster_ips = list![new.cluster_ip.clone()];
        }
        return;
    };
    if new.cluster_ips.is_empty() && new.cluster_ip == old.cluster_ip {
        new.cluster_ips = old.cluster_ips.clone();
    }
    if new.cluster_ip != old.cluster_ip && new.cluster_ips == old.cluster_ips {
        new.cluster_ips = if new.cluster_ip.is_empty() { list![] } else { list![new.cluster_ip.clone()] };
    }
    if needs_address(old) && needs_address(new) {
        if new.cluster_ip.is_empty() {
            new.cluster_ip = old.cluster_ip.clone();
        }
        if new.cluster_ips.is_empty() && new.cluster_ip == old.cluster_ip {
            new.cluster_ips = old.cluster_ips.clone();
        }
    }
    if needs_node_ports(old) && needs_node_ports(new) {
        let used: Vec<i32> = new.ports.iter().map(|port| port.node_port).collect();
        for port in new.ports.iter_mut().filter(|port| port.node_port == 0) {
            let before = old.ports.iter().rfind(|other| other.name == port.name);
            port.node_port =
                before.map(|other| other.node_port).filter(|number| !used.contains(number)).unwrap_or(0);
        }
    }
    if needs_health_check(old) && needs_health_check(new) && new.health_check_node_port == 0 {
        new.health_check_node_port = old.health_check_node_port;
    }
}

#[cfg(feature = "discovery")]
mod slice {
    use super::Prepare;
    use crate::discovery::v1::EndpointSlice;
    use crate::names;

    const HOST_NAME: &str = "kubernetes.io/hostname";

    /// The older field for the topology cannot be written; the name of a node that it held goes where it belongs.
    impl Prepare for EndpointSlice {
        fn prepare_for_create(&mut self) {
            topology(self, &[]);
        }

        fn prepare_for_update(&mut self, old: &Self) {
            if self.endpoints != old.endpoints {
                let nodes =
                    old.endpoints.iter().filter_map(|endpoint| endpoint.deprecated_topology.get(HOST_NAME));
                let nodes: Vec<_> = nodes.cloned().collect();
                topology(self, &nodes);
            }
        }
    }

    fn topology(slice: &mut EndpointSlice, nodes: &[crate::Str]) {
        for endpoint in &mut slice.endpoints {
            if let Some(node) = endpoint.deprecated_topology.get(HOST_NAME)
                && endpoint.node_name.is_none()
                && nodes.contains(node)
                && names::dns1123_subdomain(node).is_empty()
            {
                endpoint.node_name = Some(node.clone());
            }
            endpoint.deprecated_topology.clear();
        }
    }
}
