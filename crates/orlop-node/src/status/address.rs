//! Addresses of the pod and of its node.

use std::net::IpAddr;

use orlop_model::core::v1::{HostIP, Node, NodeAddressType, PodIP, PodStatus};

use super::StatusInput;

/// Reads an address; an IPv4 address in IPv6 form counts as IPv4.
fn parse(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// A node's addresses for its pods: internal ones before external ones, the first and the first of the other family.
/// Empty where the node's status names none.
pub fn host_ips(node: &Node) -> Vec<IpAddr> {
    let of = |kind: NodeAddressType| {
        node.status
            .addresses
            .iter()
            .filter(move |address| address.type_ == kind)
            .filter_map(|address| parse(&address.address))
    };
    let mut all = of(NodeAddressType::InternalIP).chain(of(NodeAddressType::ExternalIP));
    let Some(first) = all.next() else {
        return Vec::new();
    };
    let second = all.find(|ip| ip.is_ipv6() != first.is_ipv6());
    [first].into_iter().chain(second).collect()
}

/// A pod's addresses as its status and its containers are told of them: the first of each family, those of the node's
/// first family first (IPv4 if the node has none).
pub fn sorted_ips(ips: &[IpAddr], node_ips: &[IpAddr]) -> Vec<IpAddr> {
    let v6_first = node_ips.first().is_some_and(IpAddr::is_ipv6);
    [v6_first, !v6_first]
        .into_iter()
        .filter_map(|v6| ips.iter().find(|ip| ip.is_ipv6() == v6).copied())
        .collect()
}

/// One address of each family, the node's first family first.
pub(super) fn set_pod_ips(status: &mut PodStatus, input: &StatusInput<'_>) {
    let ips: Vec<IpAddr> = input.seen.ips.iter().filter_map(|ip| parse(ip)).collect();
    for ip in sorted_ips(&ips, input.node_ips) {
        status.pod_ips.push(PodIP { ip: ip.to_string().into(), ..PodIP::default() });
    }
    if let Some(first) = status.pod_ips.first() {
        status.pod_ip = first.ip.clone();
    }
}

/// The node's addresses, which are the pod's too if it shares the node's network.
pub(super) fn set_host_ips(status: &mut PodStatus, input: &StatusInput<'_>) {
    let Some(first) = input.host_ips.first() else {
        return;
    };
    status.host_ip = first.to_string().into();
    status.host_ips = input
        .host_ips
        .iter()
        .take(2)
        .map(|ip| HostIP { ip: ip.to_string().into(), ..HostIP::default() })
        .collect();
    if !input.pod.spec.host_network {
        return;
    }
    if status.pod_ip.is_empty() {
        status.pod_ip = status.host_ip.clone();
        status.pod_ips = [PodIP { ip: status.host_ip.clone(), ..PodIP::default() }].into_iter().collect();
    }
    if let ([_, second], [only]) = (input.host_ips, status.pod_ips.as_slice()) {
        let family = parse(&only.ip).map(|ip| ip.is_ipv6());
        if family != Some(second.is_ipv6()) {
            status.pod_ips.push(PodIP { ip: second.to_string().into(), ..PodIP::default() });
        }
    }
}
