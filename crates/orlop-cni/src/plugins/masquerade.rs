//! Packets of a container that leave its network get the host's address.

use ipnet::IpNet;
use orlop_netlink::nft::{Element, Nft};

use super::rules::{self, Additions, LOCAL, MASQUERADED, bytes, ends, family};
use crate::{CniError, Owned, OwnedKind, Owner};

const SETS: [&str; 2] = [MASQUERADED, LOCAL];

/// For the addresses of a container, each with its network.
pub(super) fn add(owner: &Owner, addresses: &[IpNet]) -> Result<(), CniError> {
    let comment = Some(owner.tag()?);
    let mut elements = Additions::new();
    for net in addresses {
        let ip = net.addr();
        elements.push((
            family(ip),
            MASQUERADED,
            Element { comment: comment.clone(), ..Element::key(bytes(ip)) },
        ));
        let (first, last) = ends(*net);
        let local = Element {
            key: Element::concat(&[&bytes(ip), &bytes(first)]),
            key_end: Some(Element::concat(&[&bytes(ip), &bytes(last)])),
            comment: comment.clone(),
            ..Element::default()
        };
        elements.push((family(ip), LOCAL, local));
    }
    Ok(rules::add(&mut Nft::open()?, &elements)?)
}

pub(super) fn release(owner: &Owner) -> Result<(), CniError> {
    rules::release(&mut Nft::open()?, &SETS, owner)
}

pub(super) fn check(owner: &Owner, addresses: &[IpNet]) -> Result<(), CniError> {
    let found = rules::find(&mut Nft::open()?, &[MASQUERADED])?;
    for net in addresses {
        let ip = bytes(net.addr());
        if !found.iter().any(|found| found.owner == *owner && found.element.key == ip) {
            return Err(CniError::internal(format!("{} is not masqueraded", net.addr())));
        }
    }
    Ok(())
}

/// What attachments of a network have.
pub(super) fn owned(network: &str) -> Result<Vec<Owned>, CniError> {
    let found = rules::find(&mut Nft::open()?, &SETS)?;
    Ok(found
        .into_iter()
        .filter(|found| found.owner.network == network)
        .map(|found| Owned {
            name: format!("{} {}", found.set, text(&found.element.key)),
            owner: Some(found.owner),
            kind: OwnedKind::Masquerade,
        })
        .collect())
}

/// The first address in a key.
fn text(key: &[u8]) -> String {
    match (key.first_chunk::<16>(), key.first_chunk::<4>()) {
        (Some(ip), _) => std::net::Ipv6Addr::from(*ip).to_string(),
        (None, Some(ip)) => std::net::Ipv4Addr::from(*ip).to_string(),
        _ => String::new(),
    }
}
