//! The packet rules of all networks: one table for each family, whose rules never change. What belongs to an attachment
//! are elements of sets and maps, each with its owner as comment, so that adding and removing takes the same time
//! however many there are.

use std::net::IpAddr;

use ipnet::IpNet;
use orlop_netlink::nft::expr::{self, Compare, Meta};
use orlop_netlink::nft::{Chain, Element, Expr, Family, Hook, HookKind, Nft, Set, Transaction, Verdict};

use crate::{CniError, Owner};

pub(super) const TABLE: &str = "orlop-cni";

/// Addresses whose packets leave with the host's address.
pub(super) const MASQUERADED: &str = "masqueraded";
/// Source and destination ranges between which addresses stay as they are.
pub(super) const LOCAL: &str = "local";
/// Ports of all of the host's addresses.
pub(super) const PORTS: &str = "ports";
/// Ports of one address of the host.
pub(super) const PORTS_AT: &str = "ports-at";
/// Source ranges and destinations whose replies would not come back through the host.
pub(super) const HAIRPIN: &str = "hairpin";

pub(super) const SETS: [&str; 5] = [MASQUERADED, LOCAL, PORTS, PORTS_AT, HAIRPIN];

pub(super) const FAMILIES: [Family; 2] = [Family::Ip4, Family::Ip6];

pub(super) fn family(ip: IpAddr) -> Family {
    if ip.is_ipv4() { Family::Ip4 } else { Family::Ip6 }
}

pub(super) fn bytes(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// First and last address of a network.
pub(super) fn ends(net: IpNet) -> (IpAddr, IpAddr) {
    (net.network(), net.broadcast())
}

fn hook(kind: HookKind, priority: i32, chain_type: &'static str) -> Option<Hook> {
    Some(Hook { kind, priority, chain_type })
}

/// Everything of a family but elements. Refused with `EEXIST` if the table is there.
fn set_up(family: Family) -> Result<Transaction, CniError> {
    let v4 = family == Family::Ip4;
    let address = if v4 { Set::IP4 } else { Set::IP6 };
    // Registers that an address takes.
    let width = if v4 { 1 } else { 4 };
    let source = |to| if v4 { expr::ip4_source(to) } else { expr::ip6_source(to) };
    let destination = |to| if v4 { expr::ip4_destination(to) } else { expr::ip6_destination(to) };

    let mut rules = Transaction::new();
    rules.create_table(family, TABLE)?;
    for chain in [
        Chain { name: "prerouting", hook: hook(HookKind::Prerouting, -100, "nat") },
        Chain { name: "output", hook: hook(HookKind::Output, -100, "nat") },
        Chain { name: "postrouting", hook: hook(HookKind::Postrouting, 100, "nat") },
        Chain { name: "guard", hook: hook(HookKind::Prerouting, -300, "filter") },
    ] {
        rules.add_chain(family, TABLE, &chain)?;
    }
    for set in [
        Set::new(MASQUERADED, &[address]),
        Set::new(LOCAL, &[address, address]).of_ranges(),
        Set::new(PORTS, &[Set::PROTOCOL, Set::PORT]).to(&[address, Set::PORT]),
        Set::new(PORTS_AT, &[address, Set::PROTOCOL, Set::PORT]).to(&[address, Set::PORT]),
        Set::new(HAIRPIN, &[address, address]).of_ranges(),
    ] {
        rules.add_set(family, TABLE, &set)?;
    }

    let dnat = expr::dnat(family, 8, Some(8 + width));
    let at = [
        &expr::to_this_host()[..],
        &destination(8),
        &expr::protocol(8 + width),
        &expr::port(9 + width),
        &[expr::map(PORTS_AT, 8, 8), dnat.clone()],
    ]
    .concat();
    let anywhere =
        [&expr::to_this_host()[..], &expr::protocol(8), &expr::port(9), &[expr::map(PORTS, 8, 8), dnat]]
            .concat();
    for chain in ["prerouting", "output"] {
        rules.add_rule(family, TABLE, chain, &at, "ports of one address")?;
        rules.add_rule(family, TABLE, chain, &anywhere, "ports of all addresses")?;
    }

    let pair = [&source(8)[..], &destination(8 + width)].concat();
    let mut out = |rule: &[&[Expr]], comment| {
        rules.add_rule(family, TABLE, "postrouting", &rule.concat(), comment).map(drop)
    };
    out(
        &[&expr::was_dnat(), &pair, &[expr::lookup(HAIRPIN, 8), expr::masquerade()]],
        "ports used from the container's own network come back through the host",
    )?;
    if v4 {
        let loopback =
            [expr::bits(8, 8, &[255, 0, 0, 0], &[0; 4]), expr::compare(8, Compare::Equal, &[127, 0, 0, 0])];
        let away = expr::link_name(Meta::OutLinkName, Compare::Unequal, "lo");
        out(
            &[&expr::was_dnat(), &away, &source(8), &loopback, &[expr::masquerade()]],
            "ports used from the host's loopback address",
        )?;
    }
    out(&[&pair, &[expr::lookup(LOCAL, 8), expr::verdict(&Verdict::Return)]], "within a network")?;
    let multicast = if v4 {
        [expr::bits(8, 8, &[240, 0, 0, 0], &[0; 4]), expr::compare(8, Compare::Equal, &[224, 0, 0, 0])]
    } else {
        let (mut mask, flip, mut prefix) = ([0; 16], [0; 16], [0; 16]);
        (mask[0], prefix[0]) = (255, 255);
        [expr::bits(8, 8, &mask, &flip), expr::compare(8, Compare::Equal, &prefix)]
    };
    out(&[&destination(8), &multicast, &[expr::verdict(&Verdict::Return)]], "multicast")?;
    out(&[&source(8), &[expr::lookup(MASQUERADED, 8), expr::masquerade()]], "out of a network")?;

    if v4 {
        // Loopback addresses are routed for the sake of ports; nobody else may reach them that way.
        let loopback =
            [expr::bits(8, 8, &[255, 0, 0, 0], &[0; 4]), expr::compare(8, Compare::Equal, &[127, 0, 0, 0])];
        let from_outside = expr::link_name(Meta::InLinkName, Compare::Unequal, "lo");
        let guard =
            [&from_outside[..], &destination(8), &loopback, &[expr::verdict(&Verdict::Drop)]].concat();
        rules.add_rule(family, TABLE, "guard", &guard, "loopback addresses from elsewhere")?;
    }
    Ok(rules)
}

/// Elements to add: to which set of which family.
pub(super) type Additions = Vec<(Family, &'static str, Element)>;

/// Adds elements, all or none, and the tables first where they are missing.
pub(super) fn add(nft: &mut Nft, elements: &Additions) -> Result<(), orlop_netlink::Error> {
    let transaction = || {
        let mut add = Transaction::new();
        for (family, set, element) in elements {
            add.add_elements(*family, TABLE, set, std::slice::from_ref(element))?;
        }
        Ok::<_, orlop_netlink::Error>(add)
    };
    if elements.is_empty() {
        return Ok(());
    }
    // Once more when a table vanished between being made and being used.
    for _ in 0..8 {
        match nft.commit(transaction()?) {
            Err(error) if error.is_not_found() => {}
            other => return other,
        }
        for family in FAMILIES {
            if !elements.iter().any(|(of, ..)| *of == family) {
                continue;
            }
            let rules = set_up(family).map_err(|error| orlop_netlink::Error::Invalid {
                field: "packet rules",
                value: error.to_string(),
                reason: "cannot be written",
            })?;
            match nft.commit(rules) {
                Err(error) if !error.is_exists() => return Err(error),
                _ => {}
            }
        }
    }
    nft.commit(transaction()?)
}

/// An element, its owner, and where it is.
pub(super) struct Found {
    pub(super) owner: Owner,
    pub(super) family: Family,
    pub(super) set: &'static str,
    pub(super) element: Element,
}

/// All elements of some sets that have an owner.
pub(super) fn find(nft: &mut Nft, sets: &[&'static str]) -> Result<Vec<Found>, CniError> {
    let mut found = Vec::new();
    for family in FAMILIES {
        for set in sets {
            for element in nft.elements(family, TABLE, set)? {
                if let Some(owner) = element.comment.as_deref().and_then(Owner::from_tag) {
                    found.push(Found { owner, family, set, element });
                }
            }
        }
    }
    Ok(found)
}

/// Removes an owner's elements of some sets.
pub(super) fn release(nft: &mut Nft, sets: &[&'static str], owner: &Owner) -> Result<(), CniError> {
    // Somebody else may remove one between looking and removing.
    for _ in 0..8 {
        let mut remove = Transaction::new();
        for found in find(nft, sets)? {
            if found.owner == *owner {
                remove.delete_elements(
                    found.family,
                    TABLE,
                    found.set,
                    std::slice::from_ref(&found.element),
                )?;
            }
        }
        match nft.commit(remove) {
            Err(error) if error.is_not_found() => {}
            other => return Ok(other?),
        }
    }
    Err(CniError::internal(format!("packet rules of {owner} change all the time")))
}

/// Removes the tables of families in which no elements are left.
pub(super) fn remove_unused() -> Result<(), CniError> {
    let mut nft = Nft::open()?;
    for family in FAMILIES {
        for _ in 0..32 {
            let generation = nft.generation()?;
            if !nft.tables(family)?.iter().any(|table| table == TABLE) {
                break;
            }
            let mut used = false;
            for set in SETS {
                used |= !nft.elements(family, TABLE, set)?.is_empty();
            }
            if used {
                break;
            }
            // Only if nobody has added anything since.
            let mut remove = Transaction::at(generation);
            remove.delete_table(family, TABLE)?;
            match nft.commit(remove) {
                Ok(()) => break,
                // ERESTART
                Err(error) if error.errno() == Some(85) || error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Whether the table of a family is there.
pub(super) fn is_set_up(nft: &mut Nft, family: Family) -> Result<bool, CniError> {
    Ok(nft.tables(family)?.iter().any(|table| table == TABLE))
}
