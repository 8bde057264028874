//! The runtime's rules: order, results, versions, arguments, refusals.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::thread;

use orlop_cni::capability::{PortMapping, Protocol};
use orlop_cni::{Attachment, Error, Executables, NetworkList, OwnedKind, code};
use orlop_netlink::{Netns, Rtnl};

use crate::fixture::{attachment, bridge, host, pod, pod_with, with_ports};

#[test]
fn what_add_answers_is_what_is_there() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), bridge(""));
    let mac = "0a:58:0a:01:00:63".parse().unwrap();
    let capable = list.clone();
    let mut capable = capable;
    capable.plugins[1].capabilities.insert("mac".into(), true);
    capable.plugins[1].capabilities.insert("ips".into(), true);
    let a = pod_with(&cni, &capable, "a", |a| a.mac(mac).ips(&["10.1.0.99".parse().unwrap()]));
    assert_eq!(a.ip().to_string(), "10.1.0.99");
    let names: Vec<_> = a.result.interfaces.iter().map(|i| (i.name.as_str(), i.sandbox.is_empty())).collect();
    assert_eq!((names[0], names[2]), (("pods0", true), ("eth0", false)));
    assert_eq!(a.result.interfaces[2].mac, mac.to_string());
    assert_eq!(a.result.routes.len(), 1);
    let eth0 = Rtnl::open_in(&a.netns).unwrap().link("eth0").unwrap().unwrap();
    assert_eq!((eth0.mac, eth0.up), (Some(mac), true));
    let bridge = Rtnl::open_in(&host.netns).unwrap().link("pods0").unwrap().unwrap();
    assert_eq!(bridge.mac.unwrap().to_string(), a.result.interfaces[0].mac, "does not change with ports");
    let port =
        Rtnl::open_in(&host.netns).unwrap().link(a.result.interfaces[1].name.as_str()).unwrap().unwrap();
    assert_eq!((port.master, port.hairpin), (Some(bridge.index), Some(true)));
    assert_eq!(port.alias.as_deref(), Some("orlop-cni:pods/a/eth0"));

    let refused = cni.add(&capable, &a.attachment).unwrap_err();
    assert!(matches!(refused, Error::AlreadyAttached { .. }), "{refused}");
    assert_eq!(cni.result(&cni.recorded().unwrap()[0]).unwrap().as_ref(), Some(&a.result));
    cni.del(&capable, &a.attachment).unwrap();
    cni.del(&capable, &a.attachment).unwrap();
    assert!(cni.recorded().unwrap().is_empty());
}

#[test]
fn check_notices_what_is_missing() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), with_ports());
    let port = PortMapping { host_port: 8080, container_port: 80, protocol: Protocol::Tcp, host_ip: None };
    let a = pod_with(&cni, &list, "a", |a| a.port_mappings(&[port]));
    cni.check(&list, &a.attachment).unwrap();
    let mut inside = Rtnl::open_in(&a.netns).unwrap();
    let address =
        inside.addresses().unwrap().into_iter().find(|address| address.net.addr() == a.ip()).unwrap();
    let mut batch = orlop_netlink::Batch::new();
    batch.delete_address(&address);
    inside.run(batch).unwrap();
    let missing = cni.check(&list, &a.attachment).unwrap_err().to_string();
    assert!(missing.contains("lacks the address 10.1.0.2/24"), "{missing}");
    let mut batch = orlop_netlink::Batch::new();
    batch.delete_link("eth0").unwrap();
    inside.run(batch).unwrap();
    assert!(cni.check(&list, &a.attachment).is_err());
    // And yet everything that is left can be removed.
    cni.del(&list, &a.attachment).unwrap();
    cni.remove_network(&list).unwrap();
    assert_eq!(cni.owned(&list).unwrap(), []);
    let old = NetworkList { cni_version: "0.3.1".into(), ..list };
    assert!(matches!(cni.check(&old, &a.attachment), Err(Error::CheckTooOld { .. })));
}

#[test]
fn a_port_that_is_taken_is_refused_and_nothing_is_left() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), with_ports());
    let port = PortMapping { host_port: 8080, container_port: 80, protocol: Protocol::Tcp, host_ip: None };
    let _first = pod_with(&cni, &list, "a", |a| a.port_mappings(std::slice::from_ref(&port)));
    let before = cni.owned(&list).unwrap();
    let (_netns, second) = attachment("b");
    let refused = cni.add(&list, &second.port_mappings(&[port])).unwrap_err();
    let Error::Plugin { plugin, source, left, .. } = &refused else { panic!("{refused}") };
    assert_eq!((plugin.as_str(), source.code, left.len()), ("portmap", code::NOT_AVAILABLE, 0));
    assert!(refused.to_string().contains("8080/tcp"), "{refused}");
    assert_eq!(cni.owned(&list).unwrap(), before);
}

#[test]
fn del_works_without_the_namespace_and_the_present_configuration() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), bridge(""));
    let a = pod(&cni, &list, "a");
    drop(a.netns);
    drop(a.attachment);
    // Somebody has changed the configuration meanwhile.
    let other =
        NetworkList::parse(r#"{"cniVersion": "1.1.0", "name": "pods", "plugins": [{"type": "loopback"}]}"#);
    cni.del(&other.unwrap(), &Attachment::new("a", "eth0")).unwrap();
    let left = cni.owned(&list).unwrap();
    assert!(left.iter().all(|owned| owned.owner.is_none()), "{left:?}");
}

#[test]
fn gc_removes_what_is_not_valid_with_and_without_records() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), with_ports());
    let port =
        |host_port| PortMapping { host_port, container_port: 80, protocol: Protocol::Tcp, host_ip: None };
    let pods: Vec<_> = (0..4)
        .map(|i| pod_with(&cni, &list, &format!("p{i}"), |a| a.port_mappings(&[port(8000 + i)])))
        .collect();
    let owners = |kind| {
        let owned = cni.owned(&list).unwrap().into_iter().filter(|owned| owned.kind == kind);
        owned.filter_map(|owned| owned.owner).map(|owner| owner.container_id).collect::<BTreeSet<_>>()
    };
    // Of one the record is lost.
    fs::remove_file(host.folder.path().join("state/results/pods:p2:eth0")).unwrap();
    cni.gc(&list, &[("p0", "eth0"), ("p3", "eth0")]).unwrap();
    let valid = BTreeSet::from(["p0".to_owned(), "p3".to_owned()]);
    for kind in [
        OwnedKind::Link,
        OwnedKind::Reservation,
        OwnedKind::Masquerade,
        OwnedKind::HostPort,
        OwnedKind::Record,
    ] {
        assert_eq!(owners(kind), valid, "{kind:?}");
    }
    cni.check(&list, &pods[0].attachment).unwrap();
    let without = NetworkList { disable_gc: true, ..list.clone() };
    cni.gc(&without, &[]).unwrap();
    cni.check(&list, &pods[3].attachment).unwrap();
}

#[test]
fn addresses_run_out_and_status_says_so() {
    let Some(host) = host() else { return };
    let cni = host.cni();
    let list = NetworkList::parse(
        r#"{"cniVersion": "1.1.0", "name": "tiny", "plugins": [
            {"type": "bridge", "bridge": "tiny0", "isGateway": true,
             "ipam": {"type": "host-local", "subnet": "10.3.0.0/29", "routes": [{"dst": "0.0.0.0/0"}]}}]}"#,
    )
    .unwrap();
    let pods: Vec<_> = (0..5)
        .map(|i| {
            cni.status(&list).unwrap();
            pod(&cni, &list, &format!("p{i}"))
        })
        .collect();
    let ips: BTreeSet<_> = pods.iter().map(|pod| pod.ip().to_string()).collect();
    assert_eq!(ips, ["10.3.0.2", "10.3.0.3", "10.3.0.4", "10.3.0.5", "10.3.0.6"].map(str::to_owned).into());
    assert!(cni.status(&list).unwrap_err().to_string().contains("(code 50)"));
    let (_netns, one_more) = attachment("p5");
    assert!(cni.add(&list, &one_more).unwrap_err().to_string().contains("no free address in 10.3.0.0/29"));
    // The one that is released is not the next one that would be handed out, but the only one there is.
    cni.del(&list, &pods[1].attachment).unwrap();
    cni.status(&list).unwrap();
    assert_eq!(pod(&cni, &list, "p6").ip().to_string(), "10.3.0.3");
    let (_netns, asked) = attachment("p7");
    let mut list = list;
    list.plugins[0].capabilities.insert("ips".into(), true);
    let taken = cni.add(&list, &asked.ips(&["10.3.0.4".parse().unwrap()])).unwrap_err();
    assert!(taken.to_string().contains("10.3.0.4 is taken"), "{taken}");
    cni.remove_network(&list).unwrap();
}

#[test]
fn reservations_are_in_the_layout_of_the_other_plugin() {
    let Some(host) = host() else { return };
    let (cni, mut list) = (host.cni(), bridge(""));
    let folder = host.folder.path().join("networks");
    list.plugins[1].json["ipam"]["dataDir"] = folder.display().to_string().into();
    fs::create_dir_all(folder.join("pods")).unwrap();
    // What others have left: an address that is taken, and one that a crash left half-made.
    fs::write(folder.join("pods/10.1.0.2"), "theirs\r\neth0").unwrap();
    fs::write(folder.join("pods/10.1.0.3"), "").unwrap();
    let a = pod(&cni, &list, "a");
    assert_eq!(a.ip().to_string(), "10.1.0.3");
    assert_eq!(fs::read_to_string(folder.join("pods/10.1.0.3")).unwrap(), "a\r\neth0");
    assert_eq!(fs::read_to_string(folder.join("pods/last_reserved_ip.0")).unwrap(), "10.1.0.3");
    assert_eq!(pod(&cni, &list, "b").ip().to_string(), "10.1.0.4");
    cni.del(&list, &a.attachment).unwrap();
    assert!(!folder.join("pods/10.1.0.3").exists() && folder.join("pods/10.1.0.2").exists());
    assert_eq!(pod(&cni, &list, "c").ip().to_string(), "10.1.0.5", "not the one that was just released");

    // An old reservation tells the container alone; it is released with the others of that container.
    fs::write(folder.join("pods/10.1.0.77"), "b").unwrap();
    fs::write(folder.join("pods/10.1.0.78"), "").unwrap();
    cni.gc(&list, &[("b", "eth0")]).unwrap();
    let mut left: Vec<_> =
        fs::read_dir(folder.join("pods")).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["10.1.0.4", "10.1.0.77", "10.1.0.78", "last_reserved_ip.0", "lock"]);
    cni.remove_network(&list).unwrap();
    assert!(!folder.join("pods").exists());
}

#[test]
fn adds_in_parallel_get_different_addresses() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), bridge(""));
    let ips: BTreeSet<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|i| {
                let (cni, list) = (&cni, &list);
                scope.spawn(move || {
                    let pods: Vec<_> = (0..4).map(|j| pod(cni, list, &format!("p{i}-{j}"))).collect();
                    pods.iter().map(|pod| pod.ip().to_string()).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ips.len(), 32);
    assert_eq!(cni.recorded().unwrap().len(), 32);
    cni.remove_network(&list).unwrap();
    assert_eq!(cni.owned(&list).unwrap(), []);
}

#[test]
fn bad_input_is_refused_with_its_reason() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), bridge(""));
    let (netns, good) = attachment("a");
    let refusal =
        |list: &NetworkList, attachment: &Attachment| cni.add(list, attachment).unwrap_err().to_string();
    let named = |id: &str, ifname: &str| Attachment::new(id, ifname).in_namespace(Arc::clone(&netns));
    for (attachment, why) in [
        (named("", "eth0"), "missing containerID"),
        (named("../x", "eth0"), "invalid characters in containerID"),
        (named("a", "eth/0"), "contains /"),
        (named("a", "sixteen-bytes-xx"), "too long"),
        (named(&"x".repeat(300), "eth0"), "longer than 240 bytes"),
        (Attachment::new("a", "eth0"), "no network namespace"),
        (Attachment::new("a", "eth0").in_netns("/nonexistent"), "No such file"),
        (Attachment::new("a", "eth0").in_netns("/dev/null"), "is not a namespace"),
    ] {
        let refusal = refusal(&list, &attachment);
        assert!(refusal.contains(why), "{attachment:?}: {refusal}");
    }
    for (plugin, why) in [
        (r#"{"type": "nonexistent"}"#, r#"no plugin "nonexistent""#),
        (r#"{"type": "bridge", "bridge": "a/b"}"#, "has a character"),
        (r#"{"type": "bridge", "bridge": "lo"}"#, "is not a bridge"),
        (r#"{"type": "bridge", "mtu": "large"}"#, "invalid type"),
        (r#"{"type": "bridge", "vlan": 7}"#, "vlan is not supported (code 2)"),
        (r#"{"type": "bridge", "mtu": 5}"#, "create bridge cni0"),
        (r#"{"type": "bridge", "ipam": {"type": "host-local"}}"#, "no IP ranges specified (code 7)"),
        (
            r#"{"type": "bridge", "ipam": {"type": "host-local", "subnet": "10.1.0.0"}}"#,
            "invalid IP address syntax",
        ),
        (r#"{"type": "portmap"}"#, "needs the result of a plugin before it"),
    ] {
        let text = format!(r#"{{"cniVersion": "1.1.0", "name": "n", "plugins": [{plugin}]}}"#);
        let refusal = refusal(&NetworkList::parse(&text).unwrap(), &good);
        assert!(refusal.contains(why), "{plugin}: {refusal}");
        assert!(cni.recorded().unwrap().is_empty(), "{plugin}");
    }
    let nameless = NetworkList { name: "a/b".into(), ..list };
    assert!(refusal(&nameless, &good).contains("invalid characters found in network name"));
    assert!(cni.recorded().unwrap().is_empty());
}

const SCRIPT: &str = r#"#!/bin/sh
read -r config || true
echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME $config" >> "$0.log"
case "$CNI_COMMAND $CNI_CONTAINERID" in
VERSION*) echo '{"cniVersion": "1.0.0", "supportedVersions": ["0.4.0", "1.0.0"]}' ;;
"ADD bad") echo '{"code": 11, "msg": "not now", "details": "d"}'; exit 1 ;;
"ADD worse") echo "oh no" >&2; exit 3 ;;
ADD*) echo '{"cniVersion": "0.4.0", "ips": [{"version": "4", "address": "10.9.0.5/24"}], "dns": {}}' ;;
esac
"#;

#[test]
fn executables_are_run_only_when_asked_for() {
    let Some(host) = host() else { return };
    let folder = host.folder.path().join("bin");
    fs::create_dir_all(&folder).unwrap();
    let script = folder.join("other");
    fs::write(&script, SCRIPT).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let list = NetworkList::parse(
        r#"{"cniVersion": "0.4.0", "name": "n", "plugins": [{"type": "loopback"},
            {"type": "other", "key": "value", "capabilities": {"mac": true}}]}"#,
    )
    .unwrap();
    let (_netns, a) = attachment("a");
    let unknown = host.cni().add(&list, &a).unwrap_err();
    assert!(matches!(unknown, Error::UnknownPlugin { .. }), "{unknown}");

    let cni = host.builder().invoker(Executables::new([&folder])).build().unwrap();
    let a = a.mac("0a:00:00:00:00:01".parse().unwrap());
    let result = cni.add(&list, &a).unwrap();
    assert_eq!(result.addresses().map(|net| net.to_string()).collect::<Vec<_>>(), ["10.9.0.5/24"]);
    cni.check(&list, &a).unwrap();
    cni.del(&list, &a).unwrap();
    let log = fs::read_to_string(folder.join("other.log")).unwrap();
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    for (line, command) in lines.iter().zip(["ADD", "CHECK", "DEL"]) {
        let config: serde_json::Value = serde_json::from_str(line.splitn(4, ' ').nth(3).unwrap()).unwrap();
        assert!(line.starts_with(&format!("{command} a eth0 ")), "{line}");
        assert_eq!(
            (&config["name"], &config["cniVersion"], &config["key"]),
            (&"n".into(), &"0.4.0".into(), &"value".into())
        );
        assert_eq!(config["runtimeConfig"]["mac"], "0a:00:00:00:00:01");
        assert_eq!(config["prevResult"]["cniVersion"], "0.4.0", "{line}");
    }
    assert_eq!(cni.versions("other").unwrap(), ["0.4.0", "1.0.0"]);
    assert_eq!(cni.versions("bridge").unwrap().len(), 7);

    for (id, why) in [("bad", "not now (code 11); d"), ("worse", "oh no")] {
        let (_netns, attachment) = attachment(id);
        let error = cni.add(&list, &attachment).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let missing =
        NetworkList::parse(r#"{"cniVersion": "0.4.0", "name": "n", "plugins": [{"type": "../other"}]}"#);
    let error = cni.add(&missing.unwrap(), &a).unwrap_err().to_string();
    assert!(error.contains("find plugin"), "{error}");
    assert!(cni.recorded().unwrap().is_empty());
}

#[test]
fn what_takes_too_long_is_killed() {
    let Some(host) = host() else { return };
    let folder = host.folder.path().join("bin");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("slow"), "#!/bin/sh\n[ \"$CNI_COMMAND\" = ADD ] && exec sleep 60\nexit 0\n")
        .unwrap();
    fs::set_permissions(folder.join("slow"), fs::Permissions::from_mode(0o755)).unwrap();
    let limit = std::time::Duration::from_millis(100);
    let cni = host.builder().invoker(Executables::new([&folder]).limit(limit)).build().unwrap();
    let list =
        NetworkList::parse(r#"{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "slow"}]}"#).unwrap();
    let (_netns, a) = attachment("a");
    let started = std::time::Instant::now();
    let error = cni.add(&list, &a).unwrap_err().to_string();
    assert!(error.contains("took longer than 100ms"), "{error}");
    assert!(started.elapsed() < std::time::Duration::from_secs(30));
    // With what it started, which has its pipes.
    fs::write(folder.join("slow"), "#!/bin/sh\n[ \"$CNI_COMMAND\" = ADD ] && sleep 60\nexit 0\n").unwrap();
    let error = cni.add(&list, &a).unwrap_err().to_string();
    assert!(error.contains("took longer than 100ms"), "{error}");
    assert!(started.elapsed() < std::time::Duration::from_secs(30));
}

#[test]
fn what_a_plugin_leaves_running_is_not_waited_for() {
    let Some(host) = host() else { return };
    let folder = host.folder.path().join("bin");
    fs::create_dir_all(&folder).unwrap();
    let script = "#!/bin/sh
        cat > /dev/null
        [ \"$CNI_COMMAND\" = ADD ] || exit 0
        sleep 60 &
        echo $! > \"$0.pid\"
        echo '{\"cniVersion\": \"1.0.0\", \"ips\": [{\"address\": \"10.9.0.5/24\"}]}'";
    fs::write(folder.join("server"), script).unwrap();
    fs::set_permissions(folder.join("server"), fs::Permissions::from_mode(0o755)).unwrap();
    let cni = host.builder().invoker(Executables::new([&folder])).build().unwrap();
    let list = NetworkList::parse(r#"{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "server"}]}"#);
    let (_netns, a) = attachment("a");
    let started = std::time::Instant::now();
    let added = cni.add(&list.unwrap(), &a);
    let took = started.elapsed();
    let left: i32 = fs::read_to_string(folder.join("server.pid")).unwrap().trim().parse().unwrap();
    let left = rustix::process::Pid::from_raw(left).unwrap();
    let running = rustix::process::test_kill_process(left);
    let _ = rustix::process::kill_process(left, rustix::process::Signal::KILL);
    assert_eq!(added.unwrap().addresses().count(), 1);
    assert!(took < std::time::Duration::from_secs(30), "{took:?}");
    running.unwrap();
}

#[test]
fn the_host_is_no_container() {
    let Some(host) = host() else { return };
    let (cni, list) = (host.cni(), with_ports());
    let host_itself = Attachment::new("a", "eth0").in_namespace(Arc::clone(&host.netns));
    let error = cni.add(&list, &host_itself).unwrap_err();
    assert!(matches!(&error, Error::Invalid { source } if source.code == code::INVALID_NETNS), "{error}");
    assert!(cni.recorded().unwrap().is_empty());
    // As when the path of a container that is gone leads to another process.
    let (_netns, a) = attachment("a");
    cni.add(&list, &a).unwrap();
    cni.del(&list, &host_itself).unwrap();
    let loopback = Rtnl::open_in(&host.netns).unwrap().link("lo").unwrap().unwrap();
    assert!(loopback.up, "loopback of the host is switched off");
    assert!(cni.recorded().unwrap().is_empty());
    cni.remove_network(&list).unwrap();
}

#[test]
fn the_callers_threads_stay_where_they_are() {
    let Some(host) = host() else { return };
    let own = Netns::current().unwrap().id();
    let (cni, list) = (host.cni(), bridge(""));
    let a = pod(&cni, &list, "a");
    assert_eq!(Netns::current().unwrap().id(), own);
    cni.del(&list, &a.attachment).unwrap();
    assert_eq!(Netns::current().unwrap().id(), own);
    assert!(Rtnl::open().unwrap().link("pods0").unwrap().is_none_or(|link| link.alias.is_none()));
}
