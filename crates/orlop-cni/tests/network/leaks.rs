//! Nothing is left: after an error at any step, after many cycles, after a kill.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use orlop_cni::capability::{PortMapping, Protocol};
use orlop_cni::{Attachment, Faults, NetworkList, OwnedKind};
use orlop_netlink::Netns;

use crate::audit::{descriptors, everything};
use crate::fixture::{attachment, host, pod_with, with_ports};

fn port(host_port: u16) -> PortMapping {
    PortMapping { host_port, container_port: 80, protocol: Protocol::Tcp, host_ip: None }
}

#[test]
fn an_error_at_any_step_leaves_nothing() {
    let Some(host) = host() else { return };
    let list = with_ports();
    let mut steps = BTreeSet::new();
    for step in 0.. {
        assert!(step < 100, "it never ends");
        let before = everything(&host);
        let faults = Faults::after(step);
        let cni = host.builder().faults(faults.clone()).build().unwrap();
        let (netns, attachment) = attachment("a");
        let attachment = attachment.port_mappings(&[port(8080)]);
        match cni.add(&list, &attachment) {
            Ok(_) => {
                assert!(!faults.fired());
                cni.remove_network(&list).unwrap();
                assert_eq!(everything(&host), before);
                break;
            }
            Err(error) => {
                let text = error.to_string();
                assert!(faults.fired() && text.contains("injected"), "{text}");
                assert!(!text.contains("; "), "something could not be undone: {text}");
                steps.insert(text.split("injected: ").nth(1).unwrap().to_owned());
                assert_eq!(everything(&host), before, "after {text}");
                let inside = orlop_netlink::Rtnl::open_in(&netns).unwrap().links().unwrap();
                assert!(inside.iter().all(|link| link.loopback), "after {text}: {inside:?}");
                // And it can be tried again at once.
                let cni = host.cni();
                cni.add(&list, &attachment).unwrap_or_else(|error| panic!("after {text}: {error}"));
                cni.remove_network(&list).unwrap();
                assert_eq!(everything(&host), before, "after {text}");
            }
        }
    }
    assert!(steps.len() >= 10, "{steps:?}");
}

#[test]
fn an_error_while_others_use_the_bridge_leaves_them_alone() {
    let Some(host) = host() else { return };
    let list = with_ports();
    let cni = host.cni();
    let b = pod_with(&cni, &list, "b", |b| b.port_mappings(&[port(9090)]));
    let before = everything(&host);
    for step in 0..100 {
        let faults = Faults::after(step);
        let cni = host.builder().faults(faults.clone()).build().unwrap();
        let (_netns, attachment) = attachment("a");
        let added = cni.add(&list, &attachment.clone().port_mappings(&[port(8080)]));
        assert_eq!(added.is_err(), faults.fired());
        if added.is_ok() {
            cni.del(&list, &attachment).unwrap();
            break;
        }
        assert_eq!(everything(&host), before, "after {}", added.unwrap_err());
        cni.check(&list, &b.attachment).unwrap();
    }
}

#[test]
fn five_hundred_cycles_from_eight_threads_leave_nothing() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), with_ports());
    let before = everything(&host);
    let open = descriptors();
    let cycles = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..8_u16 {
            let (cni, list, cycles) = (&cni, &list, &cycles);
            scope.spawn(move || {
                let netns = Arc::new(Netns::create().unwrap());
                while cycles.fetch_add(1, Ordering::Relaxed) < 500 {
                    let attachment = Attachment::new(format!("pod-{thread}"), "eth0")
                        .in_namespace(Arc::clone(&netns))
                        .port_mappings(&[port(8000 + thread)]);
                    cni.add(list, &attachment).unwrap();
                    cni.del(list, &attachment).unwrap();
                }
            });
        }
    });
    // Tests beside this one have some open as well, but fewer than one for each cycle.
    let now = descriptors();
    assert!(now < open + 400, "{open} descriptors before, {now} after");
    let left: BTreeSet<_> =
        cni.owned(&list).unwrap().into_iter().filter(|owned| owned.owner.is_some()).collect();
    assert!(left.is_empty(), "{left:?}");
    cni.remove_network(&list).unwrap();
    assert_eq!(everything(&host), before);
    assert_eq!(cni.owned(&list).unwrap(), []);
}

#[test]
fn what_a_killed_process_left_is_found_and_removed() {
    let Some(host) = host() else { return };
    let list = with_ports();
    let empty = everything(&host);
    let cni = host.cni();
    let a = pod_with(&cni, &list, "a", |a| a.port_mappings(&[port(8080)]));
    // As if it had been killed just before the result was recorded.
    let record = host.folder.path().join("state/results/pods:a:eth0");
    let mut text: serde_json::Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    text.as_object_mut().unwrap().remove("result");
    std::fs::write(&record, text.to_string()).unwrap();
    let again = host.cni();
    assert_eq!(again.recorded().unwrap().len(), 1);
    // The same container can be attached again…
    let result = again.add(&list, &a.attachment).unwrap();
    assert_eq!(result.addresses().count(), 1);
    let links = again.owned(&list).unwrap();
    assert_eq!(
        links.iter().filter(|owned| owned.owner.is_some() && owned.name.starts_with("veth")).count(),
        1
    );
    // …also by another configuration: what it had by the old one is gone with that…
    std::fs::write(&record, text.to_string()).unwrap();
    let plain =
        NetworkList::parse(&list.to_json().to_string().replace(r#""ipMasq":true"#, r#""ipMasq":false"#));
    again.add(&plain.unwrap(), &a.attachment).unwrap();
    let owned = again.owned(&list).unwrap();
    assert!(owned.iter().all(|owned| owned.kind != OwnedKind::Masquerade), "{owned:?}");
    // …or be forgotten, even if the record is broken.
    std::fs::write(&record, "{\"kind\": \"cniCa").unwrap();
    again.gc(&list, &[]).unwrap();
    again.remove_network(&list).unwrap();
    assert_eq!(everything(&host), empty);
}
