//! The plugin `bridge`: containers of a network are ports of one bridge of the host.

use std::net::IpAddr;

use ipnet::IpNet;
use orlop_netlink::{
    Address, Batch, Bridge as NewBridge, Link, LinkChange, Mac, Netns, Route as NewRoute, Rtnl, Veth, sysctl,
};
use parking_lot::RwLock;
use serde::Deserialize;

use super::{Rollback, masquerade, removal, rules};
use crate::error::code;
use crate::owner::network_alias;
use crate::plugin::{Call, NetworkCall, Plugin};
use crate::result::{Dns, Interface, Route, cidr};
use crate::{CniError, CniResult, Owned, OwnedKind, Owner};

/// Makes a pair of links for each container: one is a port of a bridge, the other lies in the container with the
/// addresses and routes that the IPAM plugin handed out. The bridge is made for the first container and removed with the
/// network.
///
/// VLANs and the spoofing check are not supported and refused with code 2.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bridge;

/// Configuration of [`Bridge`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the specification of the plugin has them")]
pub struct BridgeConfig {
    /// Name of the bridge; `cni0` where this is not set.
    #[serde(default)]
    pub bridge: Option<String>,
    /// The bridge has the gateway's address.
    #[serde(default)]
    pub is_gateway: bool,
    /// So does it, and the container's default route leads there.
    #[serde(default)]
    pub is_default_gateway: bool,
    /// Takes other addresses of the gateway's network from the bridge.
    #[serde(default)]
    pub force_address: bool,
    /// Packets that leave the network get the host's address.
    #[serde(default)]
    pub ip_masq: bool,
    /// Packets may leave the bridge where they came in.
    #[serde(default)]
    pub hairpin_mode: bool,
    /// The bridge takes packets that are not for it.
    #[serde(default)]
    pub promisc_mode: bool,
    /// Largest packet, in bytes; 0 for the kernel's choice.
    #[serde(default)]
    pub mtu: u32,
    /// Not supported.
    #[serde(default)]
    pub vlan: u32,
    /// Not supported.
    #[serde(default)]
    pub macspoofchk: bool,
    /// Containers of the network cannot reach each other over the bridge.
    #[serde(default)]
    pub port_isolation: bool,
    /// How names are to be resolved, where the IPAM plugin says nothing.
    #[serde(default)]
    pub dns: DnsConfig,
    /// What the runtime says.
    #[serde(default)]
    pub runtime_config: BridgeRuntime,
    /// Arguments in the configuration itself.
    #[serde(default)]
    pub args: Option<BridgeArgs>,
}

/// Arguments in a configuration.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct BridgeArgs {
    /// Those of CNI.
    #[serde(default)]
    pub cni: BridgeRuntime,
}

/// What the runtime says to [`Bridge`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct BridgeRuntime {
    /// The container's hardware address: capability `mac`.
    #[serde(default)]
    pub mac: Option<String>,
}

/// How names are to be resolved.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct DnsConfig {
    /// Name servers.
    pub nameservers: Vec<String>,
    /// The local domain.
    pub domain: String,
    /// Domains to search.
    pub search: Vec<String>,
    /// Options.
    pub options: Vec<String>,
}

impl BridgeConfig {
    fn name(&self) -> &str {
        self.bridge.as_deref().filter(|name| !name.is_empty()).unwrap_or("cni0")
    }

    fn is_gateway(&self) -> bool {
        self.is_gateway || self.is_default_gateway
    }

    fn mtu(&self) -> Option<u32> {
        Some(self.mtu).filter(|mtu| *mtu != 0)
    }

    fn mac(&self, call: &Call<'_>) -> Result<Option<Mac>, CniError> {
        let from_args = call.args.split(';').find_map(|pair| pair.strip_prefix("MAC="));
        let from_config = self.args.as_ref().and_then(|args| args.cni.mac.as_deref());
        let mac =
            self.runtime_config.mac.as_deref().or(from_config).or(from_args).filter(|mac| !mac.is_empty());
        Ok(mac.map(str::parse).transpose()?)
    }

    fn supported(&self) -> Result<(), CniError> {
        let refuse =
            |field: &str| Err(CniError::new(code::UNSUPPORTED_FIELD, format!("{field} is not supported")));
        if self.vlan != 0 {
            return refuse("vlan");
        }
        if self.macspoofchk {
            return refuse("macspoofchk");
        }
        Ok(())
    }
}

/// Shared while a bridge gets a port, exclusive while one without ports is removed: in between nobody may have found it.
static BRIDGES: RwLock<()> = RwLock::new(());

/// The bridge, and whether it was made now.
fn ensure(host: &mut Rtnl, call: &Call<'_>, config: &BridgeConfig) -> Result<(Link, bool), CniError> {
    let name = config.name();
    let mut made = false;
    let link = match host.link(name)? {
        Some(link) => link,
        None => {
            call.network.faults.step("create bridge")?;
            let mut batch = Batch::new();
            batch.add_bridge(&NewBridge { mtu: config.mtu(), up: true, ..NewBridge::new(name) })?;
            let alias = network_alias(call.network.network);
            batch.change_link(name, &LinkChange { alias: Some(&alias), ..LinkChange::default() })?;
            let mut results = host.results(batch)?.into_iter();
            match results.next() {
                Some(Err(error)) if !error.is_exists() => return Err(error.into()),
                Some(Err(_)) => {}
                _ => made = true,
            }
            let missing = || CniError::internal(format!("bridge {name} vanished"));
            let link = host.link(name)?.ok_or_else(missing)?;
            if made {
                // One that was never set changes with the ports, and neighbours would not find it any more.
                let pin = LinkChange { mac: link.mac, ..LinkChange::default() };
                let mut batch = Batch::new();
                batch.change_link(link.index, &pin)?;
                if let Err(error) = host.run(batch) {
                    remove_if_unused(host, name)?;
                    return Err(error.into());
                }
            }
            link
        }
    };
    if link.kind.as_deref() != Some("bridge") {
        return Err(CniError::config(format!("link {name} exists and is not a bridge")));
    }
    let promiscuous = (config.promisc_mode && !link.promiscuous).then_some(true);
    let up = (!link.up).then_some(true);
    if promiscuous.is_some() || up.is_some() {
        let mut batch = Batch::new();
        batch.change_link(link.index, &LinkChange { up, promiscuous, ..LinkChange::default() })?;
        host.run(batch)?;
    }
    Ok((link, made))
}

/// Removes a bridge that nothing is a port of.
fn remove_if_unused(host: &mut Rtnl, name: &str) -> Result<(), CniError> {
    let Some(bridge) = host.link(name)? else { return Ok(()) };
    if host.links()?.iter().any(|link| link.master == Some(bridge.index)) {
        return Ok(());
    }
    let mut batch = Batch::new();
    batch.delete_link(bridge.index)?;
    match host.run(batch) {
        Err(error) if !error.is_not_found() => Err(error.into()),
        _ => Ok(()),
    }
}

/// Gives the bridge the gateways' addresses.
fn add_gateways(
    host: &mut Rtnl,
    call: &Call<'_>,
    config: &BridgeConfig,
    bridge: u32,
    gateways: &[IpNet],
) -> Result<(), CniError> {
    let have = host.addresses()?;
    for net in gateways {
        let address = Address { link: bridge, net: *net };
        let on_bridge = || have.iter().filter(|address| address.link == bridge);
        if on_bridge().any(|address| address.net == *net) {
            continue;
        }
        let link_local =
            |net: &IpNet| matches!(net, IpNet::V6(net) if net.addr().segments()[0] & 0xffc0 == 0xfe80);
        for other in on_bridge().filter(|other| other.net.addr().is_ipv4() == net.addr().is_ipv4()) {
            let overlaps = other.net.contains(&net.network()) || net.contains(&other.net.network());
            if !overlaps || link_local(&other.net) {
                continue;
            }
            if !config.force_address {
                let msg = format!("bridge {} has the address {} already", config.name(), other.net);
                return Err(CniError::config(msg));
            }
            let mut batch = Batch::new();
            batch.delete_address(other);
            match host.run(batch) {
                Err(error) if !error.is_not_found() => return Err(error.into()),
                _ => {}
            }
        }
        call.network.faults.step("add gateway address")?;
        let mut batch = Batch::new();
        batch.add_address(&address);
        match host.run(batch) {
            Err(error) if !error.is_exists() => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Lets the host pass packets on.
fn forward(gateways: &[IpNet]) -> Result<(), CniError> {
    if gateways.iter().any(|net| net.addr().is_ipv4()) {
        sysctl::set(&["net", "ipv4", "ip_forward"], "1")?;
    }
    if gateways.iter().any(|net| net.addr().is_ipv6()) {
        sysctl::set(&["net", "ipv6", "conf", "all", "forwarding"], "1")?;
    }
    Ok(())
}

/// Switches the container's end on, with its addresses and routes. Answers the link.
fn configure(netns: &Netns, call: &Call<'_>, result: &CniResult) -> Result<Link, CniError> {
    let ifname = &call.owner.ifname;
    netns.run(|| {
        let mut inside = Rtnl::open()?;
        let missing = || CniError::internal(format!("interface {ifname} vanished"));
        let link = inside.link(ifname.as_str())?.ok_or_else(missing)?;
        let v6 = result.ips.iter().any(|ip| matches!(ip.address, Some(IpNet::V6(_))));
        if v6 {
            // Nobody else can have the link-local address, and it takes a second to make sure.
            sysctl::set(&["net", "ipv6", "conf", ifname, "disable_ipv6"], "0")?;
            sysctl::set(&["net", "ipv6", "conf", ifname, "accept_dad"], "0")?;
        }
        call.network.faults.step("add addresses and routes")?;
        let mut batch = Batch::new();
        batch.change_link(link.index, &LinkChange { up: Some(true), ..LinkChange::default() })?;
        for net in result.ips.iter().filter_map(|ip| ip.address) {
            batch.add_address(&Address { link: link.index, net });
        }
        for route in &result.routes {
            batch.add_route(&new_route(route, link.index, result));
        }
        inside.run(batch)?;
        Ok(link)
    })
}

/// A route without a gateway of its own goes to that of the first address of its family.
fn new_route(route: &Route, link: u32, result: &CniResult) -> NewRoute {
    let destination = route.dst.unwrap_or_else(|| cidr::everything(IpAddr::from([0, 0, 0, 0])));
    let like = |ip: &IpAddr| ip.is_ipv4() == destination.addr().is_ipv4();
    let set = |number: u32| Some(number).filter(|number| *number != 0);
    // On the link itself, or on the host: no gateway.
    let near = route.scope.is_some_and(|scope| scope == 253 || scope == 254);
    let gateway =
        route.gw.or_else(|| result.ips.iter().filter_map(|ip| ip.gateway).find(like)).filter(|_| !near);
    NewRoute {
        gateway,
        priority: set(route.priority),
        table: route.table,
        scope: route.scope.and_then(|scope| u8::try_from(scope).ok()),
        mtu: set(route.mtu),
        advmss: set(route.advmss),
        ..NewRoute::new(destination, link)
    }
}

/// The gateway of each address that has one, with the address's network.
fn gateways(result: &CniResult) -> Vec<IpNet> {
    let mut gateways: Vec<IpNet> = Vec::new();
    for ip in &result.ips {
        let net = ip.gateway.zip(ip.address).and_then(|(ip, net)| IpNet::new(ip, net.prefix_len()).ok());
        gateways.extend(net.filter(|net| !gateways.contains(net)));
    }
    gateways
}

/// Addresses without a gateway get the first of their network; with a default gateway there is a route to it.
fn complete(result: &mut CniResult, config: &BridgeConfig) {
    if !config.is_gateway() {
        return;
    }
    for ip in &mut result.ips {
        if let (None, Some(net)) = (ip.gateway, ip.address) {
            ip.gateway = net.hosts().next();
        }
    }
    if config.is_default_gateway {
        for gateway in result.ips.iter().filter_map(|ip| ip.gateway).collect::<Vec<_>>() {
            let everything = cidr::everything(gateway);
            if !result.routes.iter().any(|route| route.dst == Some(everything)) {
                result.routes.push(Route { dst: Some(everything), gw: Some(gateway), ..Route::default() });
            }
        }
    }
}

/// Removes the link on the host if it is the owner's.
fn delete_link(owner: &Owner) -> Result<(), CniError> {
    let mut host = Rtnl::open()?;
    let name = owner.link_name();
    let Some(link) = host.link(name.as_str())? else { return Ok(()) };
    if link.alias.as_deref().and_then(Owner::from_alias).as_ref() != Some(owner) {
        return Ok(());
    }
    removal::remove(&mut host, link.index)
}

/// The container's addresses, where they may need masquerading.
fn masqueraded(result: &CniResult) -> Vec<IpNet> {
    result.addresses().filter(|net| !net.addr().is_loopback()).collect()
}

fn attach(call: &Call<'_>, config: &BridgeConfig, netns: &Netns) -> Result<CniResult, CniError> {
    let owner = call.owner;
    let mac = config.mac(call)?;
    let mut rollback = Rollback::default();
    let mut result = CniResult::new();
    if let Some(ipam) = call.network.ipam() {
        result = ipam.add(call)?;
        rollback.push(|| ipam.del(call));
        if result.ips.is_empty() {
            return Err(CniError::internal("the IPAM plugin handed out no address"));
        }
    }
    complete(&mut result, config);

    let shared = BRIDGES.read();
    let mut host = Rtnl::open()?;
    let (bridge, made) = ensure(&mut host, call, config)?;
    if made {
        // Last to be undone, after the port is gone.
        rollback.push(|| {
            let _exclusive = BRIDGES.write();
            remove_if_unused(&mut Rtnl::open()?, config.name())
        });
    }
    let gateway_addresses = if config.is_gateway() { gateways(&result) } else { Vec::new() };
    // Undoing needs the lock, which is released before.
    let port = add_port(&mut host, call, config, netns, &bridge, mac)?;
    drop(shared);
    rollback.push(|| delete_link(owner));

    let inside = configure(netns, call, &result)?;
    if !gateway_addresses.is_empty() {
        add_gateways(&mut host, call, config, bridge.index, &gateway_addresses)?;
        call.network.faults.step("forward packets")?;
        forward(&gateway_addresses)?;
    }
    let text = |mac: Option<Mac>| mac.map(|mac| mac.to_string()).unwrap_or_default();
    let interface = |link: &Link, sandbox: &str| Interface {
        name: link.name.clone(),
        mac: text(link.mac),
        mtu: link.mtu,
        sandbox: sandbox.to_owned(),
        ..Interface::default()
    };
    result.interfaces =
        vec![interface(&bridge, ""), interface(&port, ""), interface(&inside, call.netns_path)];
    result.interfaces[2].name.clone_from(&owner.ifname);
    for ip in &mut result.ips {
        ip.interface = Some(2);
    }
    if config.ip_masq {
        call.network.faults.step("masquerade")?;
        masquerade::add(owner, &masqueraded(&result))?;
        rollback.push(|| masquerade::release(owner));
    }
    if result.dns == Dns::default() {
        let DnsConfig { nameservers, domain, search, options } = config.dns.clone();
        result.dns = Dns { nameservers, domain, search, options };
    }
    call.network.faults.step("answer")?;
    rollback.disarm();
    Ok(result)
}

/// Makes the pair of links. Answers that on the host; the other is down as yet.
fn add_port(
    host: &mut Rtnl,
    call: &Call<'_>,
    config: &BridgeConfig,
    netns: &Netns,
    bridge: &Link,
    mac: Option<Mac>,
) -> Result<Link, CniError> {
    let owner = call.owner;
    let (name, alias) = (owner.link_name(), owner.alias()?);
    call.network.faults.step("create veth")?;
    let mut batch = Batch::new();
    batch.add_veth(&Veth {
        peer_netns: Some(netns),
        peer_mac: mac,
        mtu: config.mtu(),
        master: Some(bridge.index),
        up: true,
        ..Veth::new(&name, &owner.ifname)
    })?;
    let port = LinkChange {
        alias: Some(&alias),
        hairpin: config.hairpin_mode.then_some(true),
        isolated: config.port_isolation.then_some(true),
        ..LinkChange::default()
    };
    batch.change_link(name.as_str(), &port)?;
    let mut results = host.results(batch)?.into_iter();
    if let Some(Err(error)) = results.next() {
        return Err(error.into());
    }
    // From here on the link is there and ours, with its alias or not.
    let found = results.collect::<Result<(), _>>().and_then(|()| host.link(name.as_str()));
    let failed = match found {
        Ok(Some(link)) => return Ok(link),
        Ok(None) => CniError::internal(format!("link {name} vanished")),
        Err(error) => error.into(),
    };
    let mut batch = Batch::new();
    batch.delete_link(name.as_str())?;
    let _ = host.run(batch);
    Err(failed)
}

impl Plugin for Bridge {
    type Config = BridgeConfig;

    fn plugin_type(&self) -> &'static str {
        "bridge"
    }

    fn add(&self, call: &Call<'_>, config: &BridgeConfig) -> Result<CniResult, CniError> {
        config.supported()?;
        attach(call, config, call.netns()?)
    }

    fn del(&self, call: &Call<'_>, config: &BridgeConfig) -> Result<(), CniError> {
        let link = delete_link(call.owner);
        let masquerade = if config.ip_masq { masquerade::release(call.owner) } else { Ok(()) };
        // The address last: nobody else may get it while it is still in use.
        let address = call.network.ipam().map_or(Ok(()), |ipam| ipam.del(call));
        link.and(masquerade).and(address)
    }

    fn check(&self, call: &Call<'_>, config: &BridgeConfig) -> Result<(), CniError> {
        let missing = |what: String| Err(CniError::internal(what));
        if let Some(ipam) = call.network.ipam() {
            ipam.check(call)?;
        }
        let mut host = Rtnl::open()?;
        let Some(bridge) = host.link(config.name())?.filter(|link| link.kind.as_deref() == Some("bridge"))
        else {
            return missing(format!("bridge {} is missing", config.name()));
        };
        let name = call.owner.link_name();
        match host.link(name.as_str())? {
            None => return missing(format!("link {name} is missing")),
            Some(link) if link.master != Some(bridge.index) => {
                return missing(format!("link {name} is no port of {}", config.name()));
            }
            Some(link) if !link.up => return missing(format!("link {name} is down")),
            Some(_) => {}
        }
        let Some(result) = call.previous else { return Ok(()) };
        let ifname = &call.owner.ifname;
        call.netns()?.run(|| {
            let mut inside = Rtnl::open()?;
            let Some(link) = inside.link(ifname.as_str())? else {
                return missing(format!("interface {ifname} is missing"));
            };
            if !link.up {
                return missing(format!("interface {ifname} is down"));
            }
            let have = inside.addresses()?;
            for net in result.addresses().filter(|net| !net.addr().is_loopback()) {
                if !have.contains(&Address { link: link.index, net }) {
                    return missing(format!("interface {ifname} lacks the address {net}"));
                }
            }
            let have = inside.routes()?;
            for route in result.routes.iter().filter_map(|route| route.dst) {
                if !have.iter().any(|other| other.destination == route.trunc()) {
                    return missing(format!("the route to {route} is missing"));
                }
            }
            Ok(())
        })?;
        if config.ip_masq {
            masquerade::check(call.owner, &masqueraded(result))?;
        }
        Ok(())
    }

    fn owned(&self, network: &NetworkCall<'_>, config: &BridgeConfig) -> Result<Vec<Owned>, CniError> {
        let shared = network_alias(network.network);
        let mut owned = Vec::new();
        for link in Rtnl::open()?.links()? {
            let alias = link.alias.as_deref().unwrap_or_default();
            let owner = Owner::from_alias(alias).filter(|owner| owner.network == network.network);
            if owner.is_some() || (alias == shared && link.name == config.name()) {
                owned.push(Owned { owner, kind: OwnedKind::Link, name: link.name });
            }
        }
        owned.extend(masquerade::owned(network.network)?);
        Ok(owned)
    }

    fn release(&self, network: &NetworkCall<'_>, _: &BridgeConfig, owner: &Owner) -> Result<(), CniError> {
        let link = delete_link(owner);
        let masquerade = masquerade::release(owner);
        let address = network.ipam().map_or(Ok(()), |ipam| ipam.release(network, owner));
        link.and(masquerade).and(address)
    }

    fn remove(&self, network: &NetworkCall<'_>, config: &BridgeConfig) -> Result<(), CniError> {
        let _exclusive = BRIDGES.write();
        let mut host = Rtnl::open()?;
        let ours = |link: &Link| link.alias.as_deref() == Some(network_alias(network.network).as_str());
        if host.link(config.name())?.is_some_and(|link| ours(&link)) {
            remove_if_unused(&mut host, config.name())?;
        }
        rules::remove_unused()
    }
}
