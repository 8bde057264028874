use std::net::IpAddr;

use crate::fixture::namespace;
use crate::{Address, Batch, Bridge, LinkChange, Neighbour, Netns, Route, Rtnl, Veth};

fn up() -> LinkChange<'static> {
    LinkChange { up: Some(true), ..LinkChange::default() }
}

fn rtnl(netns: &Netns) -> Rtnl {
    Rtnl::open_in(netns).unwrap()
}

#[test]
fn a_pair_of_links_across_namespaces() {
    let (Some(host), Some(pod)) = (namespace(), namespace()) else { return };
    let (mac, peer_mac) = ("0a:00:00:00:00:01".parse().unwrap(), "0a:00:00:00:00:02".parse().unwrap());
    let mut outside = rtnl(&host);
    let mut batch = Batch::new();
    batch.add_bridge(&Bridge { mtu: Some(1400), up: true, ..Bridge::new("br0") }).unwrap();
    outside.run(batch).unwrap();
    let bridge = outside.link("br0").unwrap().unwrap();
    assert_eq!((bridge.kind.as_deref(), bridge.mtu, bridge.up), (Some("bridge"), 1400, true));

    let mut batch = Batch::new();
    let veth = Veth {
        peer_netns: Some(&pod),
        mac: Some(mac),
        peer_mac: Some(peer_mac),
        mtu: Some(1400),
        master: Some(bridge.index),
        up: true,
        ..Veth::new("veth0", "eth0")
    };
    batch.add_veth(&veth).unwrap();
    let change = LinkChange {
        alias: Some("somebody's"),
        hairpin: Some(true),
        isolated: Some(true),
        ..LinkChange::default()
    };
    batch.change_link("veth0", &change).unwrap();
    batch.change_link("br0", &LinkChange { promiscuous: Some(true), ..LinkChange::default() }).unwrap();
    outside.run(batch).unwrap();

    let port = outside.link("veth0").unwrap().unwrap();
    assert_eq!(
        (port.alias.as_deref(), port.hairpin, port.master),
        (Some("somebody's"), Some(true), Some(bridge.index))
    );
    assert_eq!((port.mac, port.mtu, port.up, port.kind.as_deref()), (Some(mac), 1400, true, Some("veth")));
    assert!(outside.link("br0").unwrap().unwrap().promiscuous);
    assert_eq!(outside.link("eth0").unwrap(), None, "it is in the other namespace");
    let eth0 = rtnl(&pod).link("eth0").unwrap().unwrap();
    assert_eq!((eth0.mac, eth0.up, eth0.peer), (Some(peer_mac), false, Some(port.index)));

    let mut batch = Batch::new();
    batch.change_link(eth0.index, &LinkChange { rename: Some("net1"), ..up() }).unwrap();
    rtnl(&pod).run(batch).unwrap();
    assert!(rtnl(&pod).link("net1").unwrap().unwrap().up);

    let mut batch = Batch::new();
    batch.delete_link("veth0").unwrap();
    outside.run(batch).unwrap();
    assert_eq!(rtnl(&pod).links().unwrap().len(), 1, "the peer went with it");
}

#[test]
fn each_request_has_its_own_result() {
    let Some(netns) = namespace() else { return };
    let mut rtnl = rtnl(&netns);
    let mut batch = Batch::new();
    batch.add_bridge(&Bridge::new("a")).unwrap();
    batch.add_bridge(&Bridge::new("a")).unwrap();
    batch.delete_link("nonexistent").unwrap();
    batch.add_bridge(&Bridge::new("b")).unwrap();
    assert_eq!(batch.len(), 4);
    let results = rtnl.results(batch.clone()).unwrap();
    assert!(results[0].is_ok() && results[3].is_ok());
    let error = results[1].as_ref().unwrap_err();
    assert!(error.is_exists() && error.to_string().starts_with("create bridge a: "), "{error}");
    let error = results[2].as_ref().unwrap_err();
    assert!(error.is_not_found() && error.to_string().starts_with("delete nonexistent: "), "{error}");
    assert!(rtnl.run(batch).unwrap_err().to_string().starts_with("create bridge a"));
    assert!(Batch::new().add_bridge(&Bridge::new("much-too-long-a-name")).is_err());
}

#[test]
fn thousands_of_requests_in_one_batch() {
    let Some(netns) = namespace() else { return };
    let mut rtnl = rtnl(&netns);
    let mut batch = Batch::new();
    batch.change_link(1, &up()).unwrap();
    rtnl.run(batch).unwrap();
    let ip = |i: u32| IpAddr::from((0x0a00_0000 + i).to_be_bytes());
    let mut batch = Batch::new();
    for i in 0..3_000 {
        batch.add_address(&Address { link: 1, net: ip(i).into() });
    }
    // One in the middle that fails.
    batch.add_address(&Address { link: 999, net: ip(9_999).into() });
    let results = rtnl.results(batch).unwrap();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3_000);
    assert!(results[3_000].as_ref().unwrap_err().to_string().contains("10.0.39.15/32 on link 999"));
    // More than fits one answer.
    assert_eq!(rtnl.addresses().unwrap().len(), 3_002);
}

#[test]
fn dumps_survive_changes() {
    let Some(netns) = namespace() else { return };
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut reader = rtnl(&netns);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = rtnl(&netns);
            let mut i = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let name = format!("br{}", i % 40);
                let mut batch = Batch::new();
                batch.add_bridge(&Bridge::new(&name)).unwrap();
                if writer.run(batch).is_err() {
                    let mut batch = Batch::new();
                    batch.delete_link(name.as_str()).unwrap();
                    writer.run(batch).unwrap();
                }
                i += 1;
            }
        });
        for _ in 0..200 {
            let links = reader.links().unwrap();
            assert!(links.iter().any(|link| link.loopback));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn addresses_routes_and_neighbours() {
    let (Some(a), Some(b)) = (namespace(), namespace()) else { return };
    let mut batch = Batch::new();
    batch.add_veth(&Veth { peer_netns: Some(&b), up: true, ..Veth::new("eth0", "eth0") }).unwrap();
    let mut here = rtnl(&a);
    here.run(batch).unwrap();
    let mut batch = Batch::new();
    batch.change_link("eth0", &up()).unwrap();
    rtnl(&b).run(batch).unwrap();
    let link = here.link("eth0").unwrap().unwrap().index;
    let (v4, v6) = ("10.1.0.5/24".parse().unwrap(), "fd00:1::5/64".parse().unwrap());
    let gateway: IpAddr = [10, 1, 0, 1].into();
    let default = Route {
        gateway: Some(gateway),
        mtu: Some(1300),
        priority: Some(7),
        ..Route::new("0.0.0.0/0".parse().unwrap(), link)
    };
    let special = Route {
        gateway: Some([10, 9, 9, 9].into()),
        onlink: true,
        table: Some(300),
        advmss: Some(1200),
        ..Route::new("192.0.2.0/24".parse().unwrap(), link)
    };
    let v6_route =
        Route { gateway: Some("fd00:1::1".parse().unwrap()), ..Route::new("::/0".parse().unwrap(), link) };
    let neighbour =
        Neighbour { link, ip: gateway, mac: Some("0a:00:00:00:00:09".parse().unwrap()), permanent: true };
    let mut batch = Batch::new();
    batch.add_address(&Address { link, net: v4 }).add_address(&Address { link, net: v6 });
    batch.add_route(&default).add_route(&special).add_route(&v6_route).set_neighbour(&neighbour);
    here.run(batch).unwrap();

    let addresses = here.addresses().unwrap();
    assert!(addresses.contains(&Address { link, net: v4 }) && addresses.contains(&Address { link, net: v6 }));
    let routes = here.routes().unwrap();
    let find =
        |destination: &str| routes.iter().find(|route| route.destination.to_string() == destination).unwrap();
    let got = find("0.0.0.0/0");
    assert_eq!((got.gateway, got.mtu, got.priority, got.protocol), (Some(gateway), Some(1300), Some(7), 4));
    let got = find("192.0.2.0/24");
    assert_eq!((got.onlink, got.table, got.advmss), (true, Some(300), Some(1200)));
    assert_eq!(find("::/0").gateway, v6_route.gateway);
    assert_eq!(here.route_to([8, 8, 8, 8].into()).unwrap().unwrap().gateway, Some(gateway));
    assert_eq!(rtnl(&b).route_to([8, 8, 8, 8].into()).unwrap(), None);
    assert!(here.neighbours().unwrap().contains(&neighbour));

    let mut batch = Batch::new();
    batch
        .delete_neighbour(&neighbour)
        .delete_route(&default)
        .delete_route(&special)
        .delete_address(&Address { link, net: v4 });
    here.run(batch).unwrap();
    assert!(!here.addresses().unwrap().contains(&Address { link, net: v4 }));
    assert_eq!(here.route_to([8, 8, 8, 8].into()).unwrap(), None);
    let mut batch = Batch::new();
    batch.replace_route(&v6_route);
    here.run(batch).unwrap();
}

#[test]
fn a_group_of_links_goes_at_once() {
    let Some(netns) = namespace() else { return };
    let mut rtnl = rtnl(&netns);
    let mut batch = Batch::new();
    for i in 0..20 {
        let name = format!("br{i}");
        batch.add_bridge(&Bridge::new(&name)).unwrap();
        batch.change_link(name.as_str(), &LinkChange { group: Some(77), ..LinkChange::default() }).unwrap();
    }
    batch.add_bridge(&Bridge::new("stays")).unwrap();
    rtnl.run(batch).unwrap();
    let mut batch = Batch::new();
    batch.delete_group(77);
    rtnl.run(batch).unwrap();
    let names: Vec<_> = rtnl.links().unwrap().into_iter().map(|link| link.name).collect();
    assert_eq!(names, ["lo", "stays"]);
}

#[test]
fn connections_are_forgotten() {
    let Some(netns) = namespace() else { return };
    // Without connection tracking in use there is nothing to forget.
    let forgotten = netns.run(|| crate::conntrack::forget_to_ports(17, &[53]));
    assert_eq!(forgotten.unwrap(), 0);
}
