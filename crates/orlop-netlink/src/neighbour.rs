//! [`Neighbour`].

use std::net::IpAddr;

use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};

use crate::Mac;
use crate::address::family;

/// Which hardware address an address on a link has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Index of the link.
    pub link: u32,
    /// The address.
    pub ip: IpAddr,
    /// Its hardware address; none while it is being asked for.
    pub mac: Option<Mac>,
    /// Whether it was told rather than learnt.
    pub permanent: bool,
}

impl Neighbour {
    pub(crate) fn message(&self) -> NeighbourMessage {
        let mut message = NeighbourMessage::default();
        message.header.family = family(self.ip);
        message.header.ifindex = self.link;
        message.header.state =
            if self.permanent { NeighbourState::Permanent } else { NeighbourState::Reachable };
        message.attributes.push(NeighbourAttribute::Destination(self.ip.into()));
        message.attributes.extend(self.mac.map(|mac| NeighbourAttribute::LinkLayerAddress(mac.0.to_vec())));
        message
    }

    pub(crate) fn from_message(message: NeighbourMessage) -> Option<Self> {
        let (mut ip, mut mac) = (None, None);
        for attribute in message.attributes {
            match attribute {
                NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => ip = Some(address.into()),
                NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => {
                    ip = Some(address.into())
                }
                NeighbourAttribute::LinkLayerAddress(bytes) => mac = bytes.try_into().ok().map(Mac),
                _ => {}
            }
        }
        let permanent = message.header.state == NeighbourState::Permanent;
        Some(Self { link: message.header.ifindex, ip: ip?, mac, permanent })
    }
}
