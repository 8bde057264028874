//! Cluster addresses and node ports of Services.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use orlop_client::{AnyObject, Result};
use orlop_model::core::v1::{
    IPFamily, IPFamilyPolicy, Service, ServiceExternalTrafficPolicy, ServicePort, ServiceSpec, ServiceType,
};
use orlop_model::{FieldError, ObjectKey, StaticKind, Str, list};
use orlop_store::{At, Expected, Format, Key, Page, Txn, Value};

use crate::resource::Resource;
use crate::server::{Server, own, refuse, store_error};

/// The addresses of Services: 10.96.0.0/12, as kubeadm sets it up.
const NETWORK: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 0);
const ADDRESSES: u64 = 1 << 20;
/// The first is the network itself, the second by custom the API server's.
const RESERVED: u64 = 2;
/// The ports of nodes that Services may have.
const NODE_PORTS: std::ops::RangeInclusive<i32> = 30_000..=32_767;

/// Written with every allocation, so that two of them cannot give away the same.
const GUARD: &str = "/registry/ranges/services";

/// What makes an allocation hold only if nobody else made one meanwhile.
#[derive(Default)]
pub(crate) struct Allocation {
    guard: Option<Expected>,
}

impl Allocation {
    pub(crate) fn guard(self, txn: Txn) -> Txn {
        match self.guard {
            None => txn,
            Some(expected) => txn.expect(GUARD, expected).put(GUARD, |_| Value::bytes(Format::Json, "{}")),
        }
    }
}

/// What other Services have.
#[derive(Default)]
struct Taken {
    addresses: BTreeSet<Str>,
    ports: BTreeSet<i32>,
}

impl Server {
    /// Gives a Service the address and node ports that it lacks, and refuses those that others have.
    pub(crate) async fn allocate(
        &self,
        resource: &dyn Resource,
        key: &ObjectKey,
        object: &mut Arc<dyn AnyObject>,
        old: Option<&dyn AnyObject>,
    ) -> Result<Allocation> {
        if !resource.kind().is(Service::KIND) {
            return Ok(Allocation::default());
        }
        let Some(service) = own(object)?.as_any_mut().downcast_mut::<Service>() else {
            return Ok(Allocation::default());
        };
        let old = old.and_then(|old| old.as_any().downcast_ref::<Service>());
        if old.is_some_and(|old| old.spec == service.spec) {
            return Ok(Allocation::default());
        }
        // The guard is read before the Services: who is not seen here is seen by the commit.
        let guard = self.store.get(&Key::from(GUARD), At::Latest).await.map_err(store_error)?;
        let guard = guard.map_or(Expected::Absent, |guard| Expected::At(guard.revision));
        let taken = self.taken(resource, key).await?;
        let spec = &mut service.spec;
        let mut errors = Vec::new();
        if has_address(spec) {
            self.give_address(spec, &taken, &mut errors);
        }
        if has_node_ports(spec) {
            self.give_ports(spec, &taken, &mut errors);
        }
        refuse(resource.kind(), key, errors)?;
        Ok(Allocation { guard: Some(guard) })
    }

    async fn taken(&self, resource: &dyn Resource, key: &ObjectKey) -> Result<Taken> {
        let listing =
            self.store.list(&resource.store_range(None), At::Latest, Page::ALL).await.map_err(store_error)?;
        let mut taken = Taken::default();
        for stored in &listing.records {
            let service = self.record(resource, stored)?.get::<Service>()?;
            if service.metadata.name == key.name && service.metadata.namespace == *key.namespace() {
                continue;
            }
            taken
                .addresses
                .extend(service.spec.cluster_ips.iter().filter(|address| **address != "None").cloned());
            taken
                .ports
                .extend(service.spec.ports.iter().map(|port| port.node_port).filter(|port| *port != 0));
            taken.ports.extend(Some(service.spec.health_check_node_port).filter(|port| *port != 0));
        }
        Ok(taken)
    }

    fn give_address(&self, spec: &mut ServiceSpec, taken: &Taken, errors: &mut Vec<FieldError>) {
        if spec.ip_families.is_empty() {
            let is_v6 = spec.cluster_ip.contains(':');
            spec.ip_families = list![if is_v6 { IPFamily::IPv6 } else { IPFamily::IPv4 }];
        }
        spec.ip_family_policy.get_or_insert(IPFamilyPolicy::SingleStack);
        if spec.cluster_ip.is_empty() {
            let start = self.addresses.range(RESERVED..ADDRESSES);
            let free = (RESERVED..ADDRESSES - 1)
                .map(|step| RESERVED + (start - RESERVED + step - RESERVED) % (ADDRESSES - 1 - RESERVED))
                .map(|offset| Str::from(Ipv4Addr::from_bits(NETWORK.to_bits() + offset as u32).to_string()))
                .find(|address| !taken.addresses.contains(address));
            match free {
                Some(address) => spec.cluster_ip = address,
                None => errors.push(FieldError::invalid(
                    "spec.clusterIPs",
                    "",
                    "failed to allocate IP: range is full",
                )),
            }
        } else if taken.addresses.contains(&spec.cluster_ip) {
            let detail = "failed to allocate IP: provided IP is already allocated";
            errors.push(FieldError::invalid("spec.clusterIPs", spec.cluster_ip.as_str(), detail));
        }
        if spec.cluster_ips.is_empty() {
            spec.cluster_ips = list![spec.cluster_ip.clone()];
        }
    }

    fn give_ports(&self, spec: &mut ServiceSpec, taken: &Taken, errors: &mut Vec<FieldError>) {
        let wants_all =
            spec.type_ == ServiceType::NodePort || spec.allocate_load_balancer_node_ports != Some(false);
        let mut used = taken.ports.clone();
        for (index, port) in spec.ports.iter().enumerate().filter(|(_, port)| port.node_port != 0) {
            let field = format!("spec.ports[{index}].nodePort");
            if !NODE_PORTS.contains(&port.node_port) {
                let (low, high) = (NODE_PORTS.start(), NODE_PORTS.end());
                let detail = format!(
                    "provided port is not in the valid range. The range of valid ports is {low}-{high}"
                );
                errors.push(FieldError::invalid(field, port.node_port, detail));
            } else if taken.ports.contains(&port.node_port) {
                errors.push(FieldError::invalid(field, port.node_port, "provided port is already allocated"));
            }
            used.insert(port.node_port);
        }
        used.insert(spec.health_check_node_port);
        if needs_health_check(spec) && spec.health_check_node_port == 0 {
            spec.health_check_node_port = self.free_port(&used).unwrap_or_default();
            used.insert(spec.health_check_node_port);
        }
        if !wants_all {
            return;
        }
        for index in 0..spec.ports.len() {
            if spec.ports[index].node_port != 0 {
                continue;
            }
            // One number may serve both protocols of the same port.
            let twin = |other: &&ServicePort| {
                other.node_port != 0
                    && other.port == spec.ports[index].port
                    && other.protocol != spec.ports[index].protocol
            };
            let chosen =
                spec.ports.iter().find(twin).map(|other| other.node_port).or_else(|| self.free_port(&used));
            match chosen {
                Some(chosen) => {
                    used.insert(chosen);
                    spec.ports[index].node_port = chosen;
                }
                None => errors.push(FieldError::invalid(
                    format!("spec.ports[{index}].nodePort"),
                    0,
                    "failed to allocate a nodePort: range is full",
                )),
            }
        }
    }

    fn free_port(&self, used: &BTreeSet<i32>) -> Option<i32> {
        let (low, count) = (*NODE_PORTS.start(), NODE_PORTS.end() - NODE_PORTS.start() + 1);
        let start = self.addresses.range(0..count as u64) as i32;
        (0..count).map(|step| low + (start + step) % count).find(|port| !used.contains(port))
    }
}

fn has_address(spec: &ServiceSpec) -> bool {
    spec.type_ != ServiceType::ExternalName && spec.cluster_ip != "None"
}

fn has_node_ports(spec: &ServiceSpec) -> bool {
    matches!(spec.type_, ServiceType::NodePort | ServiceType::LoadBalancer)
}

/// What was allocated stays with an updated Service, as long as its type has use for it.
pub(crate) fn keep_allocations(new: &mut ServiceSpec, old: &ServiceSpec) {
    if new.type_ == ServiceType::ExternalName {
        if new.cluster_ips == old.cluster_ips {
            new.cluster_ip = Str::EMPTY;
            new.cluster_ips.clear();
            new.ip_families.clear();
            new.ip_family_policy = None;
        }
    } else if new.cluster_ip.is_empty()
        && new.cluster_ips.is_empty()
        && old.type_ != ServiceType::ExternalName
    {
        new.cluster_ip.clone_from(&old.cluster_ip);
        new.cluster_ips.clone_from(&old.cluster_ips);
    }
    if new.cluster_ips.is_empty() && !new.cluster_ip.is_empty() {
        new.cluster_ips = list![new.cluster_ip.clone()];
    }
    drop_left_over(new, old);
    let same = |port: &ServicePort| {
        old.ports
            .iter()
            .find(|other| other.port == port.port && other.protocol == port.protocol)
            .map(|other| other.node_port)
    };
    if has_node_ports(new) {
        let mut taken: BTreeSet<i32> = new.ports.iter().map(|port| port.node_port).collect();
        for port in new.ports.iter_mut().filter(|port| port.node_port == 0) {
            if let Some(number) = same(port)
                && taken.insert(number)
            {
                port.node_port = number;
            }
        }
    } else if has_node_ports(old) {
        // Left over from the former type, unless the writer insists on another one, which is then refused.
        for port in new.ports.iter_mut() {
            if same(port) == Some(port.node_port) {
                port.node_port = 0;
            }
        }
    }
}

/// Fields that only the former type has use for go with it, unless the writer changed them.
fn drop_left_over(new: &mut ServiceSpec, old: &ServiceSpec) {
    let is_balanced = |spec: &ServiceSpec| spec.type_ == ServiceType::LoadBalancer;
    if is_balanced(old) && !is_balanced(new) {
        if new.allocate_load_balancer_node_ports == old.allocate_load_balancer_node_ports {
            new.allocate_load_balancer_node_ports = None;
        }
        if new.load_balancer_class == old.load_balancer_class {
            new.load_balancer_class = None;
        }
    }
    if is_exposed(old) && !is_exposed(new) && new.external_traffic_policy == old.external_traffic_policy {
        new.external_traffic_policy = ServiceExternalTrafficPolicy::default();
    }
    if needs_health_check(old)
        && !needs_health_check(new)
        && new.health_check_node_port == old.health_check_node_port
    {
        new.health_check_node_port = 0;
    } else if needs_health_check(new) && new.health_check_node_port == 0 {
        new.health_check_node_port = old.health_check_node_port;
    }
}

fn is_exposed(spec: &ServiceSpec) -> bool {
    has_node_ports(spec) || (spec.type_ == ServiceType::ClusterIP && !spec.external_ips.is_empty())
}

fn needs_health_check(spec: &ServiceSpec) -> bool {
    spec.type_ == ServiceType::LoadBalancer
        && spec.external_traffic_policy == ServiceExternalTrafficPolicy::Local
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(type_: ServiceType, ports: &[(i32, i32)]) -> ServiceSpec {
        let ports = ports.iter().map(|(port, node_port)| ServicePort {
            port: *port,
            node_port: *node_port,
            ..ServicePort::default()
        });
        ServiceSpec { type_, ports: ports.collect(), ..ServiceSpec::default() }
    }

    #[test]
    fn allocations_stay_while_the_type_has_use_for_them() {
        let mut old = spec(ServiceType::NodePort, &[(80, 30_080), (443, 30_443)]);
        old.cluster_ip = "10.96.0.9".into();
        old.cluster_ips = list![Str::from("10.96.0.9")];

        let mut same = spec(ServiceType::LoadBalancer, &[(443, 0), (81, 30_080), (80, 0)]);
        keep_allocations(&mut same, &old);
        let ports: Vec<_> = same.ports.iter().map(|port| port.node_port).collect();
        assert_eq!((ports, &*same.cluster_ip), (vec![30_443, 30_080, 0], "10.96.0.9"));

        let mut inner = spec(ServiceType::ClusterIP, &[(80, 30_080), (443, 1)]);
        keep_allocations(&mut inner, &old);
        assert_eq!(inner.ports.iter().map(|port| port.node_port).collect::<Vec<_>>(), [0, 1]);

        let mut outer = ServiceSpec { type_: ServiceType::ExternalName, ..old.clone() };
        keep_allocations(&mut outer, &old);
        assert!(outer.cluster_ip.is_empty() && outer.cluster_ips.is_empty());
    }
}
