//! Links: what can be made, changed and read.

use netlink_packet_route::link::{
    InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind, InfoVeth, LinkAttribute, LinkFlags,
    LinkInfo, LinkMessage,
};
use std::os::fd::{AsFd, AsRawFd};

use crate::{Error, Mac, Netns};

/// A link, as the kernel tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its number in its namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Free text that somebody gave it.
    pub alias: Option<String>,
    /// `veth`, `bridge` …; none for what is hardware or loopback.
    pub kind: Option<String>,
    /// Its hardware address, where it has one of six bytes.
    pub mac: Option<Mac>,
    /// Largest packet, in bytes.
    pub mtu: u32,
    /// Index of the bridge that it is a port of.
    pub master: Option<u32>,
    /// Whether it is switched on.
    pub up: bool,
    /// Whether it is the loopback link.
    pub loopback: bool,
    /// Whether it takes packets that are not for it.
    pub promiscuous: bool,
    /// Index of the peer or lower link, in the namespace of that.
    pub peer: Option<u32>,
    /// As a bridge port: whether a packet may leave where it came in.
    pub hairpin: Option<bool>,
}

/// A pair of virtual Ethernet links, the peer of which may lie in another namespace from the beginning.
#[derive(Clone, Debug)]
pub struct Veth<'a> {
    /// Name of the link here.
    pub name: &'a str,
    /// Name of the peer.
    pub peer: &'a str,
    /// Namespace of the peer; none for this one.
    pub peer_netns: Option<&'a Netns>,
    /// Hardware address here; the kernel chooses one where there is none.
    pub mac: Option<Mac>,
    /// Hardware address of the peer.
    pub peer_mac: Option<Mac>,
    /// Largest packet of both, in bytes.
    pub mtu: Option<u32>,
    /// Index of the bridge that the link here becomes a port of.
    pub master: Option<u32>,
    /// Whether the link here is switched on. The peer is always down at first: the kernel wants it so.
    pub up: bool,
}

impl<'a> Veth<'a> {
    /// A pair of these names, both here, both down.
    #[must_use]
    pub fn new(name: &'a str, peer: &'a str) -> Self {
        Self { name, peer, peer_netns: None, mac: None, peer_mac: None, mtu: None, master: None, up: false }
    }
}

/// A bridge.
#[derive(Clone, Debug)]
pub struct Bridge<'a> {
    /// Its name.
    pub name: &'a str,
    /// Hardware address. Without one it changes with the ports.
    pub mac: Option<Mac>,
    /// Largest packet, in bytes.
    pub mtu: Option<u32>,
    /// Whether it is switched on.
    pub up: bool,
}

impl<'a> Bridge<'a> {
    /// A bridge of this name that is down.
    #[must_use]
    pub fn new(name: &'a str) -> Self {
        Self { name, mac: None, mtu: None, up: false }
    }
}

/// What is to change about a link; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct LinkChange<'a> {
    /// Switch on or off.
    pub up: Option<bool>,
    /// Largest packet, in bytes.
    pub mtu: Option<u32>,
    /// Hardware address.
    pub mac: Option<Mac>,
    /// Index of the bridge to become a port of; 0 to leave.
    pub master: Option<u32>,
    /// Free text of up to 255 bytes; empty removes it.
    pub alias: Option<&'a str>,
    /// Take packets that are not for the link.
    pub promiscuous: Option<bool>,
    /// A new name; the link must be down.
    pub rename: Option<&'a str>,
    /// As a bridge port: may a packet leave where it came in?
    pub hairpin: Option<bool>,
    /// As a bridge port: keep it from talking to other isolated ports.
    pub isolated: Option<bool>,
    /// Number of a group that links can be deleted by.
    pub group: Option<u32>,
}

/// Longest name of a link, in bytes.
const NAME_MAX: usize = 15;
/// Longest alias, in bytes.
const ALIAS_MAX: usize = 255;

/// Refuses names that the kernel would refuse, or, worse, understand in another way (`%d` asks for a number).
pub(crate) fn checked_name(name: &str) -> Result<String, Error> {
    let reason = if name.is_empty() {
        "is empty"
    } else if name.len() > NAME_MAX {
        "is longer than 15 bytes"
    } else if name == "." || name == ".." {
        "is no name"
    } else if name.bytes().any(|b| b"/:%".contains(&b) || b.is_ascii_whitespace() || b.is_ascii_control()) {
        "has a character that names of links cannot have"
    } else {
        return Ok(name.to_owned());
    };
    Err(Error::Invalid { field: "link name", value: name.to_owned(), reason })
}

fn checked_alias(alias: &str) -> Result<String, Error> {
    if alias.len() > ALIAS_MAX || alias.contains('\0') {
        let reason = "is longer than 255 bytes or has a zero in it";
        return Err(Error::Invalid { field: "link alias", value: alias.to_owned(), reason });
    }
    Ok(alias.to_owned())
}

impl Veth<'_> {
    pub(crate) fn message(&self) -> Result<LinkMessage, Error> {
        let mut peer = LinkMessage::default();
        peer.attributes.push(LinkAttribute::IfName(checked_name(self.peer)?));
        peer.attributes.extend(self.mtu.map(LinkAttribute::Mtu));
        peer.attributes.extend(self.peer_mac.map(|mac| LinkAttribute::Address(mac.0.to_vec())));
        if let Some(netns) = self.peer_netns {
            peer.attributes.push(LinkAttribute::NetNsFd(netns.as_fd().as_raw_fd()));
        }
        let mut message = LinkMessage::default();
        switch(&mut message, LinkFlags::Up, self.up.then_some(true));
        message.attributes.push(LinkAttribute::IfName(checked_name(self.name)?));
        message.attributes.extend(self.mtu.map(LinkAttribute::Mtu));
        message.attributes.extend(self.mac.map(|mac| LinkAttribute::Address(mac.0.to_vec())));
        message.attributes.extend(self.master.map(LinkAttribute::Controller));
        message.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]));
        Ok(message)
    }
}

impl Bridge<'_> {
    pub(crate) fn message(&self) -> Result<LinkMessage, Error> {
        let mut message = LinkMessage::default();
        switch(&mut message, LinkFlags::Up, self.up.then_some(true));
        message.attributes.push(LinkAttribute::IfName(checked_name(self.name)?));
        message.attributes.extend(self.mtu.map(LinkAttribute::Mtu));
        message.attributes.extend(self.mac.map(|mac| LinkAttribute::Address(mac.0.to_vec())));
        message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]));
        Ok(message)
    }
}

impl LinkChange<'_> {
    /// The message, without which link it is about.
    pub(crate) fn message(&self) -> Result<LinkMessage, Error> {
        let mut message = LinkMessage::default();
        switch(&mut message, LinkFlags::Up, self.up);
        switch(&mut message, LinkFlags::Promisc, self.promiscuous);
        let attributes = &mut message.attributes;
        attributes.extend(self.mtu.map(LinkAttribute::Mtu));
        attributes.extend(self.mac.map(|mac| LinkAttribute::Address(mac.0.to_vec())));
        attributes.extend(self.master.map(LinkAttribute::Controller));
        attributes.extend(self.group.map(LinkAttribute::Group));
        if let Some(alias) = self.alias {
            attributes.push(LinkAttribute::IfAlias(checked_alias(alias)?));
        }
        let port: Vec<_> =
            [self.hairpin.map(InfoBridgePort::HairpinMode), self.isolated.map(InfoBridgePort::Isolated)]
                .into_iter()
                .flatten()
                .collect();
        if !port.is_empty() {
            attributes.push(LinkAttribute::LinkInfo(vec![
                LinkInfo::PortKind(InfoPortKind::Bridge),
                LinkInfo::PortData(InfoPortData::BridgePort(port)),
            ]));
        }
        Ok(message)
    }
}

fn switch(message: &mut LinkMessage, flag: LinkFlags, on: Option<bool>) {
    if let Some(on) = on {
        message.header.flags.set(flag, on);
        message.header.change_mask |= flag;
    }
}

impl Link {
    pub(crate) fn from_message(message: LinkMessage) -> Self {
        let flags = message.header.flags;
        let mut link = Self {
            index: message.header.index,
            up: flags.contains(LinkFlags::Up),
            loopback: flags.contains(LinkFlags::Loopback),
            promiscuous: flags.contains(LinkFlags::Promisc),
            ..Self::default()
        };
        for attribute in message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name = name,
                LinkAttribute::IfAlias(alias) => link.alias = Some(alias).filter(|alias| !alias.is_empty()),
                LinkAttribute::Mtu(mtu) => link.mtu = mtu,
                LinkAttribute::Address(address) => link.mac = address.try_into().ok().map(Mac),
                LinkAttribute::Controller(index) => link.master = Some(index).filter(|index| *index != 0),
                LinkAttribute::Link(index) => link.peer = Some(index).filter(|index| *index != 0),
                LinkAttribute::LinkInfo(info) => {
                    for info in info {
                        match info {
                            LinkInfo::Kind(kind) => link.kind = Some(kind.to_string()),
                            LinkInfo::PortData(InfoPortData::BridgePort(port)) => {
                                link.hairpin = port.iter().find_map(|attribute| match attribute {
                                    InfoBridgePort::HairpinMode(on) => Some(*on),
                                    _ => None,
                                });
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        link
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_kernel_would_take_otherwise_are_refused() {
        for wrong in ["", "sixteen-bytes-xx", "veth%d", "a/b", "a:b", "a b", ".", "..", "a\n"] {
            assert!(checked_name(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(checked_name("fifteen-bytes-x").unwrap().len(), 15);
        assert!(checked_alias(&"x".repeat(256)).is_err());
    }
}
