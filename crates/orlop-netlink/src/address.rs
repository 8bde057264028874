//! [`Address`].

use ipnet::IpNet;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, AddressScope};
use std::net::{IpAddr, Ipv4Addr};

/// An address of a link, with the network that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Index of the link.
    pub link: u32,
    /// The address and how many bits of it name the network.
    pub net: IpNet,
}

pub(crate) fn family(ip: IpAddr) -> AddressFamily {
    match ip {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

impl Address {
    pub(crate) fn message(&self) -> AddressMessage {
        let mut message = AddressMessage::default();
        let ip = self.net.addr();
        message.header.family = family(ip);
        message.header.prefix_len = self.net.prefix_len();
        message.header.index = self.link;
        if ip.is_loopback() {
            message.header.scope = AddressScope::Host;
        }
        message.attributes.push(AddressAttribute::Local(ip));
        message.attributes.push(AddressAttribute::Address(ip));
        match self.net {
            IpNet::V4(net) if net.prefix_len() < 31 && !ip.is_loopback() => {
                message.attributes.push(AddressAttribute::Broadcast(net.broadcast()));
            }
            IpNet::V4(_) => {}
            // Nobody else can have it, so nobody is asked, which would take seconds.
            IpNet::V6(_) => message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad)),
        }
        message
    }

    pub(crate) fn from_message(message: AddressMessage) -> Option<Self> {
        let (mut local, mut address) = (None, None);
        for attribute in message.attributes {
            match attribute {
                AddressAttribute::Local(ip) => local = Some(ip),
                AddressAttribute::Address(ip) => address = Some(ip),
                _ => {}
            }
        }
        let net = IpNet::new(local.or(address)?, message.header.prefix_len).ok()?;
        Some(Self { link: message.header.index, net })
    }
}

/// The unspecified address of a family.
pub(crate) fn any(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}
