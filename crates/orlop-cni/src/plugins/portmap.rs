//! The plugin `portmap`: ports of the host lead to ports of the container.

use std::net::IpAddr;

use ipnet::IpNet;
use orlop_netlink::nft::{Element, Nft};
use orlop_netlink::{Rtnl, conntrack, sysctl};
use serde::Deserialize;

use super::rules::{self, Additions, HAIRPIN, PORTS, PORTS_AT, bytes, ends, family};
use crate::capability::{PortMapping, Protocol};
use crate::error::code;
use crate::plugin::{Call, NetworkCall, Plugin};
use crate::{CniError, CniResult, Owned, OwnedKind, Owner};

/// Ports of the host lead to ports of the container: from outside, from other containers, and from the host itself,
/// also by 127.0.0.1 (not by ::1, which the kernel does not route). The ports come by the capability `portMappings`.
///
/// A port that another container has is refused with code 50.
#[derive(Clone, Copy, Debug, Default)]
pub struct PortMap;

/// Configuration of [`PortMap`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortMapConfig {
    /// Whether connections from the host's loopback address and from the container's own network get the host's
    /// address, without which their replies are lost.
    #[serde(default = "yes")]
    pub snat: bool,
    /// `nftables`, or nothing.
    #[serde(default)]
    pub backend: Option<String>,
    /// What the runtime says.
    #[serde(default)]
    pub runtime_config: PortMapRuntime,
}

/// What the runtime says to [`PortMap`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortMapRuntime {
    /// The ports.
    #[serde(default)]
    pub port_mappings: Vec<PortMapping>,
}

fn yes() -> bool {
    true
}

const SETS: [&str; 3] = [PORTS, PORTS_AT, HAIRPIN];

/// The first address of each family that the container has.
fn targets(result: &CniResult) -> Vec<IpNet> {
    let mut targets: Vec<IpNet> = Vec::new();
    for net in result.addresses().filter(|net| !net.addr().is_loopback()) {
        if targets.iter().all(|other| other.addr().is_ipv4() != net.addr().is_ipv4()) {
            targets.push(net);
        }
    }
    targets
}

/// The elements of one port, or none if its address is of another family than the target.
fn port(mapping: &PortMapping, target: IpAddr, comment: &str) -> Option<(&'static str, Element)> {
    let protocol = [mapping.protocol.number()];
    let host_port = mapping.host_port.to_be_bytes();
    let at = mapping.host_ip.filter(|ip| !ip.is_unspecified());
    if mapping.host_ip.is_some_and(|ip| ip.is_ipv4() != target.is_ipv4()) {
        return None;
    }
    let (set, key) = match at {
        Some(ip) => (PORTS_AT, Element::concat(&[&bytes(ip), &protocol, &host_port])),
        None => (PORTS, Element::concat(&[&protocol, &host_port])),
    };
    let data = Element::concat(&[&bytes(target), &mapping.container_port.to_be_bytes()]);
    Some((set, Element { key, data: Some(data), comment: Some(comment.to_owned()), ..Element::default() }))
}

fn elements(config: &PortMapConfig, owner: &Owner, targets: &[IpNet]) -> Result<Additions, CniError> {
    let comment = owner.tag()?;
    let mut elements = Additions::new();
    for net in targets {
        let ip = net.addr();
        let mut any = false;
        for mapping in config.runtime_config.port_mappings.iter().filter(|mapping| mapping.host_port != 0) {
            if let Some((set, element)) = port(mapping, ip, &comment) {
                elements.push((family(ip), set, element));
                any = true;
            }
        }
        if any && config.snat {
            let (first, last) = ends(*net);
            let hairpin = Element {
                key: Element::concat(&[&bytes(first), &bytes(ip)]),
                key_end: Some(Element::concat(&[&bytes(last), &bytes(ip)])),
                comment: Some(comment.clone()),
                ..Element::default()
            };
            elements.push((family(ip), HAIRPIN, hairpin));
        }
    }
    Ok(elements)
}

/// Lets packets from the host's loopback addresses go to the container.
fn route_loopback(target: IpAddr) -> Result<(), CniError> {
    let mut host = Rtnl::open()?;
    let route = host.route_to(target)?;
    let Some(index) = route.and_then(|route| route.link) else { return Ok(()) };
    if let Some(link) = host.link(index)? {
        sysctl::set(&["net", "ipv4", "conf", &link.name, "route_localnet"], "1")?;
    }
    Ok(())
}

/// Forgets UDP connections to the ports: the kernel would send their packets where they went before.
fn forget_connections(config: &PortMapConfig) {
    let udp = config.runtime_config.port_mappings.iter().filter(|mapping| mapping.protocol == Protocol::Udp);
    let ports: Vec<u16> = udp.map(|mapping| mapping.host_port).filter(|port| *port != 0).collect();
    if ports.is_empty() {
        return;
    }
    // Without it old connections last until they time out.
    if let Err(error) = conntrack::forget_to_ports(Protocol::Udp.number(), &ports) {
        tracing::debug!(%error, "connections are not forgotten");
    }
}

impl Plugin for PortMap {
    type Config = PortMapConfig;

    fn plugin_type(&self) -> &'static str {
        "portmap"
    }

    fn add(&self, call: &Call<'_>, config: &PortMapConfig) -> Result<CniResult, CniError> {
        if let Some(backend) = config.backend.as_deref().filter(|backend| *backend != "nftables") {
            let msg = format!("backend {backend:?} is not supported");
            return Err(CniError::new(code::UNSUPPORTED_FIELD, msg));
        }
        let previous = call
            .previous
            .ok_or_else(|| CniError::config("portmap needs the result of a plugin before it"))?;
        let targets = targets(previous);
        let elements = elements(config, call.owner, &targets)?;
        if elements.is_empty() {
            return Ok(previous.clone());
        }
        if let Some(target) = targets.iter().find(|net| net.addr().is_ipv4()).filter(|_| config.snat) {
            call.network.faults.step("route loopback addresses")?;
            route_loopback(target.addr())?;
        }
        call.network.faults.step("add ports")?;
        rules::add(&mut Nft::open()?, &elements).map_err(|error| {
            if error.is_exists() {
                let ports: Vec<_> =
                    config.runtime_config.port_mappings.iter().map(ToString::to_string).collect();
                CniError::new(code::NOT_AVAILABLE, "a host port is taken").with_details(ports.join(", "))
            } else {
                error.into()
            }
        })?;
        forget_connections(config);
        Ok(previous.clone())
    }

    fn del(&self, call: &Call<'_>, config: &PortMapConfig) -> Result<(), CniError> {
        rules::release(&mut Nft::open()?, &SETS, call.owner)?;
        forget_connections(config);
        Ok(())
    }

    fn check(&self, call: &Call<'_>, config: &PortMapConfig) -> Result<(), CniError> {
        let Some(previous) = call.previous else { return Ok(()) };
        let found = rules::find(&mut Nft::open()?, &SETS)?;
        for (family, set, element) in elements(config, call.owner, &targets(previous))? {
            let there = found.iter().any(|found| {
                (found.family, found.set, &found.element.key, &found.element.data)
                    == (family, set, &element.key, &element.data)
            });
            if !there {
                return Err(CniError::internal(format!("packet rules lack an element of {set}")));
            }
        }
        Ok(())
    }

    fn owned(&self, network: &NetworkCall<'_>, _: &PortMapConfig) -> Result<Vec<Owned>, CniError> {
        let mut nft = Nft::open()?;
        let found = rules::find(&mut nft, &SETS)?;
        let of_network = found.into_iter().filter(|found| found.owner.network == network.network);
        let mut owned: Vec<Owned> = of_network
            .map(|found| Owned {
                name: format!("{} {:02x?}", found.set, found.element.key),
                owner: Some(found.owner),
                kind: OwnedKind::HostPort,
            })
            .collect();
        for family in rules::FAMILIES {
            if rules::is_set_up(&mut nft, family)? {
                let name = format!("{family:?} {}", rules::TABLE);
                owned.push(Owned { owner: None, kind: OwnedKind::Table, name });
            }
        }
        Ok(owned)
    }

    fn release(&self, _: &NetworkCall<'_>, _: &PortMapConfig, owner: &Owner) -> Result<(), CniError> {
        rules::release(&mut Nft::open()?, &SETS, owner)
    }

    fn remove(&self, _: &NetworkCall<'_>, _: &PortMapConfig) -> Result<(), CniError> {
        rules::remove_unused()
    }
}
