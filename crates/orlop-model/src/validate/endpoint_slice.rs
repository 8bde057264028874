//! EndpointSlices.

use std::net::IpAddr;

use super::Validate;
use super::address::{address, address_warnings, destination};
use super::rules::{Rules, Seen};
use super::subdomain;
use crate::discovery::v1::{Endpoint, EndpointHints, EndpointPort, EndpointSlice};
use crate::{FieldError, Str, names};

const MAX_ENDPOINTS: usize = 1000;
const MAX_ADDRESSES: usize = 100;
const MAX_PORTS: usize = 20_000;
const MAX_TOPOLOGY: usize = 16;
const MAX_HINTS: usize = 8;

impl Validate for EndpointSlice {
    fn validate_create(&self) -> Vec<FieldError> {
        whole(self, None)
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.extend(whole(self, Some(old)));
        rules.immutable("addressType", &self.address_type, &old.address_type);
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        let mut warnings = warnings(self);
        if self.address_type == "FQDN" {
            // The place is Kubernetes' own.
            warnings.insert(0, "spec.addressType: FQDN endpoints are deprecated".to_owned());
        }
        warnings
    }

    fn warnings_on_update(&self, _old: &Self) -> Vec<String> {
        warnings(self)
    }
}

fn whole(slice: &EndpointSlice, old: Option<&EndpointSlice>) -> Vec<FieldError> {
    let mut rules = Rules::new("");
    rules.metadata(slice, EndpointSlice::NAME_RULE);
    let type_ = slice.address_type.as_str();
    rules.required_one_of("addressType", type_, &["FQDN", "IPv4", "IPv6"]);
    ports(&mut rules, &slice.ports);
    let kept: Vec<Str> = old
        .into_iter()
        .flat_map(|old| &old.endpoints)
        .flat_map(|endpoint| &endpoint.addresses)
        .cloned()
        .collect();
    if slice.endpoints.len() > MAX_ENDPOINTS {
        rules.too_many("endpoints", slice.endpoints.len(), MAX_ENDPOINTS);
    } else {
        rules.each("endpoints", &slice.endpoints, |rules, one| endpoint(rules, one, type_, &kept));
    }
    rules.finish()
}

fn ports(rules: &mut Rules, ports: &[EndpointPort]) {
    if ports.len() > MAX_PORTS {
        rules.too_many("ports", ports.len(), MAX_PORTS);
        return;
    }
    let mut seen = Seen::new();
    rules.each("ports", ports, |rules, port| {
        let name = port.name.as_deref().unwrap_or_default();
        if !name.is_empty() {
            rules.complaints("name", name, names::dns1123_label(name));
        }
        if !seen.insert(name) {
            rules.duplicate("name", name);
        }
        match &port.protocol {
            None => rules.required("protocol", ""),
            Some(protocol) => rules.one_of("protocol", protocol.as_str(), &["SCTP", "TCP", "UDP"]),
        }
        if let Some(protocol) = &port.app_protocol {
            rules.complaints("appProtocol", protocol, names::label_key(protocol));
        }
    });
}

fn endpoint(rules: &mut Rules, endpoint: &Endpoint, type_: &str, kept: &[Str]) {
    if endpoint.addresses.is_empty() {
        rules.required("addresses", "must contain at least 1 address");
    } else if endpoint.addresses.len() > MAX_ADDRESSES {
        rules.too_many("addresses", endpoint.addresses.len(), MAX_ADDRESSES);
    }
    for (index, one) in endpoint.addresses.iter().enumerate() {
        let field = format!("addresses[{index}]");
        match type_ {
            "IPv4" | "IPv6" => {
                if kept.contains(one) || !address(rules, &field, one, &[]) {
                    continue;
                }
                let is_v4 = names::lenient_ip(one)
                    .is_some_and(|address| matches!(address.to_canonical(), IpAddr::V4(_)));
                if is_v4 != (type_ == "IPv4") {
                    // The place without an index is Kubernetes' own.
                    rules.invalid("addresses", one, format!("must be an {type_} address"));
                }
                destination(rules, &field, one);
            }
            "FQDN" => rules.check(&field, |path| names::fqdn(path, one)),
            _ => {}
        }
    }
    if let Some(node) = &endpoint.node_name {
        subdomain(rules, "nodeName", node);
    }
    if endpoint.deprecated_topology.len() > MAX_TOPOLOGY {
        rules.too_many("deprecatedTopology", endpoint.deprecated_topology.len(), MAX_TOPOLOGY);
    }
    rules.labels("deprecatedTopology", &endpoint.deprecated_topology);
    if let Some(name) = &endpoint.hostname {
        rules.complaints("hostname", name, names::dns1123_label(name));
    }
    rules.option("hints", endpoint.hints.as_deref(), hints);
}

fn hints(rules: &mut Rules, hints: &EndpointHints) {
    let zones: Vec<&str> = hints.for_zones.iter().map(|zone| zone.name.as_str()).collect();
    let nodes: Vec<&str> = hints.for_nodes.iter().map(|node| node.name.as_str()).collect();
    for (field, list, check) in [
        ("forZones", zones, names::label_value as fn(&str) -> names::Complaints),
        ("forNodes", nodes, names::dns1123_subdomain),
    ] {
        if list.len() > MAX_HINTS {
            rules.too_many(field, list.len(), MAX_HINTS);
            continue;
        }
        for (index, name) in list.iter().enumerate() {
            let place = format!("{field}[{index}].name");
            if list[..index].contains(name) {
                rules.duplicate(&place, *name);
            }
            rules.complaints(&place, name, check(name));
        }
    }
}

fn warnings(slice: &EndpointSlice) -> Vec<String> {
    let mut warnings = Vec::new();
    if slice.address_type != "FQDN" {
        for (index, endpoint) in slice.endpoints.iter().enumerate() {
            for (place, one) in endpoint.addresses.iter().enumerate() {
                let path = format!("endpoints[{index}].addresses[{place}]");
                address_warnings(&mut warnings, &path, one);
            }
        }
    }
    warnings
}
