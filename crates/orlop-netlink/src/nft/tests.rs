use std::time::{Duration, Instant};

use super::expr::{self, Compare, Meta};
use super::{Chain, Element, Family, Hook, HookKind, Nft, Set, Transaction, Verdict};
use crate::fixture::namespace;

const TABLE: &str = "t";

fn table(nft: &mut Nft) {
    let mut rules = Transaction::new();
    rules.create_table(Family::Ip4, TABLE).unwrap();
    let hook = |kind, priority, chain_type| Some(Hook { kind, priority, chain_type });
    for chain in [
        Chain { name: "in", hook: hook(HookKind::Prerouting, -100, "nat") },
        Chain { name: "out", hook: hook(HookKind::Postrouting, 100, "nat") },
        Chain { name: "more", hook: None },
    ] {
        rules.add_chain(Family::Ip4, TABLE, &chain).unwrap();
    }
    for set in [
        Set::new("pods", &[Set::IP4]),
        Set::new("pairs", &[Set::IP4, Set::IP4]).of_ranges(),
        Set::new("ports", &[Set::PROTOCOL, Set::PORT]).to(&[Set::IP4, Set::PORT]),
        Set::new("jumps", &[Set::PORT]).to_verdicts(),
    ] {
        rules.add_set(Family::Ip4, TABLE, &set).unwrap();
    }
    let key = [expr::protocol(8), expr::port(9)].concat();
    let dnat =
        [&expr::to_this_host()[..], &key, &[expr::map("ports", 8, 8), expr::dnat(Family::Ip4, 8, Some(9))]];
    rules.add_rule(Family::Ip4, TABLE, "in", &dnat.concat(), "ports").unwrap();
    let pair = [expr::ip4_source(8), expr::ip4_destination(9)].concat();
    let hairpin = [&expr::was_dnat()[..], &pair, &[expr::lookup("pairs", 8), expr::masquerade()]].concat();
    rules.add_rule(Family::Ip4, TABLE, "out", &hairpin, "hairpin").unwrap();
    let lo =
        [&expr::link_name(Meta::OutLinkName, Compare::Equal, "lo")[..], &[expr::verdict(&Verdict::Return)]];
    rules.add_rule(Family::Ip4, TABLE, "out", &lo.concat(), "").unwrap();
    let jump =
        [&expr::ip4_source(8)[..], &[expr::lookup_not("pods", 8), expr::verdict(&Verdict::Jump("more"))]];
    rules.add_rule(Family::Ip4, TABLE, "out", &jump.concat(), "").unwrap();
    nft.commit(rules).unwrap();
}

#[test]
fn a_table_is_made_read_back_and_removed() {
    let Some(ns) = namespace() else { return };
    let mut nft = Nft::open_in(&ns).unwrap();
    table(&mut nft);
    assert_eq!(nft.tables(Family::Ip4).unwrap(), [TABLE]);
    assert_eq!(nft.chains(Family::Ip4, TABLE).unwrap(), ["in", "out", "more"]);
    let rules = nft.rules(Family::Ip4, TABLE).unwrap();
    assert_eq!(rules.len(), 4);
    assert!(rules.contains(&("out".into(), "hairpin".into())), "{rules:?}");

    let port = Element {
        key: Element::concat(&[&[6], &8080_u16.to_be_bytes()]),
        data: Some(Element::concat(&[&[10, 1, 0, 5], &80_u16.to_be_bytes()])),
        comment: Some("net/pod/eth0".into()),
        ..Element::default()
    };
    let pair = Element {
        key: Element::concat(&[&[10, 1, 0, 0], &[10, 1, 0, 5]]),
        key_end: Some(Element::concat(&[&[10, 1, 0, 255], &[10, 1, 0, 5]])),
        comment: Some("net/pod/eth0".into()),
        ..Element::default()
    };
    let mut change = Transaction::new();
    change.add_elements(Family::Ip4, TABLE, "ports", std::slice::from_ref(&port)).unwrap();
    change.add_elements(Family::Ip4, TABLE, "pairs", std::slice::from_ref(&pair)).unwrap();
    nft.commit(change).unwrap();
    assert_eq!(nft.elements(Family::Ip4, TABLE, "ports").unwrap(), std::slice::from_ref(&port));
    assert_eq!(nft.elements(Family::Ip4, TABLE, "pairs").unwrap(), std::slice::from_ref(&pair));

    // The second is taken, so neither is added.
    let mut change = Transaction::new();
    let other = Element { key: Element::concat(&[&[17], &53_u16.to_be_bytes()]), ..port.clone() };
    change.add_elements(Family::Ip4, TABLE, "ports", &[other, port.clone()]).unwrap();
    let refused = nft.commit(change).unwrap_err();
    assert!(refused.is_exists() && refused.to_string().contains("t ports"), "{refused}");
    assert_eq!(nft.elements(Family::Ip4, TABLE, "ports").unwrap().len(), 1);

    let mut change = Transaction::new();
    change.delete_elements(Family::Ip4, TABLE, "ports", &[port]).unwrap();
    change.delete_elements(Family::Ip4, TABLE, "pairs", &[pair]).unwrap();
    nft.commit(change).unwrap();
    assert!(nft.elements(Family::Ip4, TABLE, "ports").unwrap().is_empty());

    let mut change = Transaction::new();
    change.delete_table(Family::Ip4, TABLE).unwrap();
    nft.commit(change).unwrap();
    assert!(nft.tables(Family::Ip4).unwrap().is_empty());
    assert!(
        nft.elements(Family::Ip4, TABLE, "ports").unwrap().is_empty(),
        "what is not there has no elements"
    );
}

#[test]
fn thousands_of_elements_in_one_transaction() {
    let Some(ns) = namespace() else { return };
    let mut nft = Nft::open_in(&ns).unwrap();
    table(&mut nft);
    let comment = Some("x".repeat(100));
    let elements: Vec<_> = (0..5_000_u32)
        .map(|i| Element { comment: comment.clone(), ..Element::key((0x0a00_0000 + i).to_be_bytes()) })
        .collect();
    let mut change = Transaction::new();
    change.add_elements(Family::Ip4, TABLE, "pods", &elements).unwrap();
    nft.commit(change).unwrap();
    // The kernel enlarges the table of a set that grows in the background; meanwhile a reader may miss some.
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut read = Vec::new();
    while read != elements && Instant::now() < deadline {
        read = nft.elements(Family::Ip4, TABLE, "pods").unwrap();
    }
    assert!(read == elements, "{} of {} elements were read", read.len(), elements.len());
}

#[test]
fn a_change_behind_the_back_is_noticed() {
    let Some(ns) = namespace() else { return };
    let mut nft = Nft::open_in(&ns).unwrap();
    let generation = nft.generation().unwrap();
    table(&mut nft);
    let mut late = Transaction::at(generation);
    late.delete_table(Family::Ip4, TABLE).unwrap();
    assert_eq!(nft.commit(late).unwrap_err().errno(), Some(85));
    let mut now = Transaction::at(nft.generation().unwrap());
    now.delete_table(Family::Ip4, TABLE).unwrap();
    nft.commit(now).unwrap();
}

#[test]
fn values_that_no_register_holds_are_refused() {
    let mut rules = Transaction::new();
    for element in &[
        Element::key([0; 65]),
        Element::key(vec![0; 70_000]),
        Element { key_end: Some(vec![0; 65]), ..Element::key([1]) },
        Element { data: Some(vec![0; 65]), ..Element::key([1]) },
    ] {
        let invalid = |error| matches!(error, crate::Error::Invalid { field: "element", .. });
        assert!(
            rules.add_elements(Family::Ip4, TABLE, "x", std::slice::from_ref(element)).is_err_and(invalid)
        );
        assert!(
            rules.delete_elements(Family::Ip4, TABLE, "x", std::slice::from_ref(element)).is_err_and(invalid)
        );
    }
    assert!(rules.is_empty());
}

#[test]
fn errors_name_what_was_refused() {
    let Some(ns) = namespace() else { return };
    let mut nft = Nft::open_in(&ns).unwrap();
    let mut change = Transaction::new();
    change.add_table(Family::Ip6, "good").unwrap();
    change.add_elements(Family::Ip6, "good", "nowhere", &[Element::key([0; 16])]).unwrap();
    let refused = nft.commit(change).unwrap_err();
    assert!(refused.is_not_found() && refused.to_string().contains("good nowhere"), "{refused}");
    assert!(nft.tables(Family::Ip6).unwrap().is_empty());
    assert!(Transaction::new().add_table(Family::Ip4, &"x".repeat(128)).is_err());
    nft.commit(Transaction::new()).unwrap();
}
