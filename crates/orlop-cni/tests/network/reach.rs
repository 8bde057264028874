//! Who reaches whom.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use orlop_cni::NetworkList;
use orlop_cni::capability::{PortMapping, Protocol};
use orlop_netlink::Rtnl;

use crate::fixture::{Server, ask, ask_within, bridge, get_sysctl, host, pod, pod_with, udp, with_ports};

fn mapping(host_port: u16, container_port: u16) -> PortMapping {
    PortMapping { host_port, container_port, protocol: Protocol::Tcp, host_ip: None }
}

const GATEWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 0, 1));

#[test]
fn containers_reach_each_other_the_host_and_the_outside() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), bridge(""));
    let (a, b) = (pod(&cni, &list, "a"), pod(&cni, &list, "b"));
    assert_ne!(a.ip(), b.ip());

    let server = Server::tcp(&b.netns, (b.ip(), 80).into());
    assert_eq!(ask(&a.netns, (b.ip(), 80).into()).unwrap(), a.ip().to_string());
    assert_eq!(server.seen(), Some(a.ip()), "with its own address");

    let server = Server::tcp(&host.netns, (GATEWAY, 80).into());
    ask(&a.netns, (GATEWAY, 80).into()).unwrap();
    assert_eq!(server.seen(), Some(a.ip()));
    let server = Server::tcp(&a.netns, (a.ip(), 81).into());
    ask(&host.netns, (a.ip(), 81).into()).unwrap();
    assert_eq!(server.seen(), Some(GATEWAY));

    let server = Server::tcp(&a.netns, (Ipv4Addr::LOCALHOST, 82).into());
    ask(&a.netns, (Ipv4Addr::LOCALHOST, 82).into()).unwrap();
    assert!(server.seen().is_some(), "by loopback");

    // The outside has no route to containers, so it sees the host.
    let outside = host.outside("192.0.2.1/24", "192.0.2.2/24");
    let server = Server::tcp(&outside, "192.0.2.2:80".parse().unwrap());
    ask(&a.netns, "192.0.2.2:80".parse().unwrap()).unwrap();
    assert_eq!(server.seen(), Some("192.0.2.1".parse().unwrap()));

    cni.check(&list, &a.attachment).unwrap();
    cni.remove_network(&list).unwrap();
}

#[test]
fn without_masquerading_the_outside_is_not_reached() {
    let Some(host) = host() else { return };
    let cni = host.cni();
    let list = NetworkList::parse(
        r#"{"cniVersion": "1.1.0", "name": "pods", "plugins": [
            {"type": "bridge", "bridge": "pods0", "isDefaultGateway": true,
             "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}}]}"#,
    )
    .unwrap();
    let a = pod(&cni, &list, "a");
    let outside = host.outside("192.0.2.1/24", "192.0.2.2/24");
    let _server = Server::tcp(&outside, "192.0.2.2:80".parse().unwrap());
    assert!(ask_within(&a.netns, "192.0.2.2:80".parse().unwrap(), Duration::from_millis(300)).is_err());
    cni.del(&list, &a.attachment).unwrap();
}

#[test]
fn host_ports_lead_to_the_container() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), with_ports());
    let a = pod_with(&cni, &list, "a", |a| a.port_mappings(&[mapping(8080, 80)]));
    let b = pod(&cni, &list, "b");
    let outside = host.outside("192.0.2.1/24", "192.0.2.2/24");
    let serve = || Server::tcp(&a.netns, (a.ip(), 80).into());

    let server = serve();
    ask(&outside, "192.0.2.1:8080".parse().unwrap()).unwrap();
    assert_eq!(server.seen(), Some("192.0.2.2".parse().unwrap()), "the outside keeps its address");

    let server = serve();
    ask(&host.netns, (Ipv4Addr::LOCALHOST, 8080).into()).unwrap();
    assert_eq!(server.seen(), Some(GATEWAY), "from the host's loopback address");

    let server = serve();
    ask(&host.netns, "192.0.2.1:8080".parse().unwrap()).unwrap();
    assert!(server.seen().is_some(), "from the host by its own address");

    for (who, netns) in [("another container", &b.netns), ("the container itself", &a.netns)] {
        for at in [SocketAddr::from((GATEWAY, 8080)), "192.0.2.1:8080".parse().unwrap()] {
            let server = serve();
            ask(netns, at).unwrap_or_else(|error| panic!("{who} at {at}: {error}"));
            assert!(server.seen().is_some());
        }
    }

    // Nobody else may come in by loopback addresses, which are routed now.
    assert_eq!(get_sysctl(&host.netns, &["net", "ipv4", "conf", "pods0", "route_localnet"]), "1");
    let own = Server::tcp(&host.netns, (Ipv4Addr::LOCALHOST, 9999).into());
    b.netns
        .run(|| {
            let mut rtnl = Rtnl::open()?;
            orlop_netlink::sysctl::set(&["net", "ipv4", "conf", "eth0", "route_localnet"], "1")?;
            let eth0 = rtnl.link("eth0")?.unwrap().index;
            let mut batch = orlop_netlink::Batch::new();
            let lo = orlop_netlink::Address { link: 1, net: "127.0.0.1/8".parse().unwrap() };
            batch.delete_address(&lo);
            let by_gateway = orlop_netlink::Route {
                gateway: Some(GATEWAY),
                ..orlop_netlink::Route::new("127.0.0.0/8".parse().unwrap(), eth0)
            };
            batch.add_route(&by_gateway);
            rtnl.run(batch)
        })
        .unwrap();
    assert!(ask_within(&b.netns, (Ipv4Addr::LOCALHOST, 9999).into(), Duration::from_millis(300)).is_err());
    // And yet it is there.
    ask(&host.netns, (Ipv4Addr::LOCALHOST, 9999).into()).unwrap();
    assert!(own.seen().is_some());

    cni.check(&list, &a.attachment).unwrap();
    cni.del(&list, &a.attachment).unwrap();
    let gone = ask_within(&host.netns, (Ipv4Addr::LOCALHOST, 8080).into(), Duration::from_millis(300));
    assert!(gone.is_err(), "nothing listens there any more");
    cni.remove_network(&list).unwrap();
}

#[test]
fn a_port_of_one_address_is_a_port_of_no_other() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), with_ports());
    let outside = host.outside("192.0.2.1/24", "192.0.2.2/24");
    let at = PortMapping { host_ip: Some("192.0.2.1".parse().unwrap()), ..mapping(8080, 80) };
    let a = pod_with(&cni, &list, "a", |a| a.port_mappings(&[at]));
    let server = Server::tcp(&a.netns, (a.ip(), 80).into());
    assert!(ask_within(&host.netns, (Ipv4Addr::LOCALHOST, 8080).into(), Duration::from_millis(300)).is_err());
    ask(&outside, "192.0.2.1:8080".parse().unwrap()).unwrap();
    assert!(server.seen().is_some());
    // Another container can have the port of all addresses; the more particular one wins.
    let b = pod_with(&cni, &list, "b", |b| b.port_mappings(&[mapping(8080, 80)]));
    let server = Server::tcp(&a.netns, (a.ip(), 80).into());
    ask(&outside, "192.0.2.1:8080".parse().unwrap()).unwrap();
    assert!(server.seen().is_some());
    let server = Server::tcp(&b.netns, (b.ip(), 80).into());
    ask(&host.netns, (Ipv4Addr::LOCALHOST, 8080).into()).unwrap();
    assert!(server.seen().is_some());
}

#[test]
fn datagrams_go_to_the_new_container_at_once() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), with_ports());
    let outside = host.outside("192.0.2.1/24", "192.0.2.2/24");
    let dns = PortMapping { protocol: Protocol::Udp, ..mapping(5353, 53) };
    let client = udp(&outside, "192.0.2.2:4000".parse().unwrap());
    for id in ["a", "b"] {
        let pod = pod_with(&cni, &list, id, |a| a.port_mappings(std::slice::from_ref(&dns)));
        let server = udp(&pod.netns, (pod.ip(), 53).into());
        client.send_to(id.as_bytes(), "192.0.2.1:5353").unwrap();
        let mut question = [0; 8];
        let (len, from) = server.recv_from(&mut question).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!((&question[..len], from.port()), (id.as_bytes(), 4000));
        server.send_to(b"yes", from).unwrap();
        let mut answer = [0; 8];
        let (len, from) = client.recv_from(&mut answer).unwrap();
        assert_eq!((&answer[..len], from), (&b"yes"[..], "192.0.2.1:5353".parse().unwrap()));
        // The connection stays in the kernel's memory for half a minute unless it is forgotten.
        cni.del(&list, &pod.attachment).unwrap();
    }
}

#[test]
fn both_families() {
    let Some(host) = host() else { return };
    let cni = host.cni();
    let list = NetworkList::parse(
        r#"{"cniVersion": "1.1.0", "name": "both", "plugins": [
            {"type": "bridge", "bridge": "both0", "isDefaultGateway": true, "ipMasq": true, "mtu": 1400,
             "ipam": {"type": "host-local",
                      "ranges": [[{"subnet": "10.2.0.0/24"}], [{"subnet": "fd00:2::/64"}]]}},
            {"type": "portmap", "capabilities": {"portMappings": true}}]}"#,
    )
    .unwrap();
    let a = pod_with(&cni, &list, "a", |a| a.port_mappings(&[mapping(8080, 80)]));
    let b = pod(&cni, &list, "b");
    let v6 = |pod: &crate::fixture::Pod| {
        pod.result.addresses().map(|net| net.addr()).find(IpAddr::is_ipv6).unwrap()
    };
    assert_eq!(a.result.addresses().count(), 2);
    assert_eq!(a.result.interfaces[2].mtu, 1400);

    let server = Server::tcp(&b.netns, (v6(&b), 80).into());
    ask(&a.netns, (v6(&b), 80).into()).unwrap();
    assert_eq!(server.seen(), Some(v6(&a)));

    let outside = host.outside("2001:db8::1/64", "2001:db8::2/64");
    let server = Server::tcp(&outside, "[2001:db8::2]:80".parse().unwrap());
    ask(&a.netns, "[2001:db8::2]:80".parse().unwrap()).unwrap();
    assert_eq!(server.seen(), Some("2001:db8::1".parse().unwrap()));
    let server = Server::tcp(&a.netns, (v6(&a), 80).into());
    ask(&outside, "[2001:db8::1]:8080".parse().unwrap()).unwrap();
    assert_eq!(server.seen(), Some("2001:db8::2".parse().unwrap()));
    cni.check(&list, &a.attachment).unwrap();
    cni.remove_network(&list).unwrap();
}
