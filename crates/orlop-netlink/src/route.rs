//! [`Route`].

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteProtocol, RouteScope, RouteType,
};

use crate::address::{any, family};

/// Where packets for a network go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The network; `0.0.0.0/0` or `::/0` for all others.
    pub destination: IpNet,
    /// The next host; none if the network is on the link itself.
    pub gateway: Option<IpAddr>,
    /// Index of the link.
    pub link: Option<u32>,
    /// Of several routes to one network the one with the smallest number counts.
    pub priority: Option<u32>,
    /// The table; none for the main one, 254.
    pub table: Option<u32>,
    /// Scope as in `rtnetlink(7)`: 0 everywhere, 253 on the link, 254 on this host.
    pub scope: Option<u8>,
    /// Largest packet, in bytes.
    pub mtu: Option<u32>,
    /// Largest TCP segment to tell the other side, in bytes.
    pub advmss: Option<u32>,
    /// Address to send from.
    pub source: Option<IpAddr>,
    /// The gateway is on the link, whatever the addresses say.
    pub onlink: bool,
    /// Who made it, as in `rtnetlink(7)`: 2 the kernel, 4 an administrator.
    pub protocol: u8,
}

impl Route {
    /// A route to a network over a link, made by an administrator.
    #[must_use]
    pub fn new(destination: IpNet, link: u32) -> Self {
        Self {
            destination,
            gateway: None,
            link: Some(link),
            priority: None,
            table: None,
            scope: None,
            mtu: None,
            advmss: None,
            source: None,
            onlink: false,
            protocol: 4,
        }
    }

    pub(crate) fn message(&self) -> RouteMessage {
        let mut message = RouteMessage::default();
        let destination = self.destination.trunc();
        message.header.address_family = family(destination.addr());
        message.header.destination_prefix_length = destination.prefix_len();
        message.header.protocol = self.protocol.into();
        message.header.kind = RouteType::Unicast;
        message.header.scope = match (self.scope, destination, self.gateway) {
            (Some(scope), ..) => scope.into(),
            (None, IpNet::V4(_), None) => RouteScope::Link,
            _ => RouteScope::Universe,
        };
        if self.onlink {
            message.header.flags |= RouteFlags::Onlink;
        }
        let attributes = &mut message.attributes;
        let table = self.table.unwrap_or(254);
        message.header.table = u8::try_from(table).unwrap_or(0);
        attributes.push(RouteAttribute::Table(table));
        if destination.prefix_len() > 0 {
            attributes.push(RouteAttribute::Destination(destination.addr().into()));
        }
        attributes.extend(self.gateway.map(|ip| RouteAttribute::Gateway(ip.into())));
        attributes.extend(self.link.map(RouteAttribute::Oif));
        attributes.extend(self.priority.map(RouteAttribute::Priority));
        attributes.extend(self.source.map(|ip| RouteAttribute::PrefSource(ip.into())));
        let metrics: Vec<_> = [self.mtu.map(RouteMetric::Mtu), self.advmss.map(RouteMetric::Advmss)]
            .into_iter()
            .flatten()
            .collect();
        if !metrics.is_empty() {
            attributes.push(RouteAttribute::Metrics(metrics));
        }
        message
    }

    pub(crate) fn from_message(message: RouteMessage) -> Option<Self> {
        let header = message.header;
        let nowhere: IpAddr = match header.address_family {
            AddressFamily::Inet => [0; 4].into(),
            AddressFamily::Inet6 => [0; 16].into(),
            _ => return None,
        };
        let mut destination = any(nowhere);
        let mut route = Self::new(IpNet::from(nowhere), 0);
        route.link = None;
        route.table = Some(header.table.into());
        route.scope = Some(header.scope.into());
        route.protocol = RouteProtocol::into(header.protocol);
        route.onlink = header.flags.contains(RouteFlags::Onlink);
        for attribute in message.attributes {
            match attribute {
                RouteAttribute::Destination(address) => destination = ip(&address)?,
                RouteAttribute::Gateway(address) => route.gateway = ip(&address),
                RouteAttribute::PrefSource(address) => route.source = ip(&address),
                RouteAttribute::Oif(link) => route.link = Some(link),
                RouteAttribute::Priority(priority) => route.priority = Some(priority),
                RouteAttribute::Table(table) => route.table = Some(table),
                RouteAttribute::Metrics(metrics) => {
                    for metric in metrics {
                        match metric {
                            RouteMetric::Mtu(mtu) => route.mtu = Some(mtu),
                            RouteMetric::Advmss(advmss) => route.advmss = Some(advmss),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        route.destination = IpNet::new(destination, header.destination_prefix_length).ok()?;
        Some(route)
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(ip) => Some((*ip).into()),
        RouteAddress::Inet6(ip) => Some((*ip).into()),
        _ => None,
    }
}
