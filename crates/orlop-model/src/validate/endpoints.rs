//! Endpoints.

use super::Validate;
use super::address::{address, address_warnings, destination};
use super::rules::Rules;
use super::subdomain;
use crate::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints};
use crate::{FieldError, names};

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";

impl Validate for Endpoints {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.each("subsets", &self.subsets, subset);
        rules.finish()
    }

    /// What was wrong already may stay as it is.
    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.metadata(self, Self::NAME_RULE);
        if self.subsets != old.subsets {
            rules.each("subsets", &self.subsets, subset);
        }
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.metadata.labels.get(MANAGED_BY).is_some_and(|name| *name == "endpoint-controller") {
            return warnings;
        }
        for (index, subset) in self.subsets.iter().enumerate() {
            let lists =
                [("addresses", &subset.addresses), ("notReadyAddresses", &subset.not_ready_addresses)];
            for (field, list) in lists {
                for (place, one) in list.iter().enumerate() {
                    let path = format!("subsets[{index}].{field}[{place}].ip");
                    address_warnings(&mut warnings, &path, &one.ip);
                }
            }
        }
        warnings
    }

    fn warnings_on_update(&self, _old: &Self) -> Vec<String> {
        self.warnings_on_create()
    }
}

fn subset(rules: &mut Rules, subset: &EndpointSubset) {
    if subset.addresses.is_empty() && subset.not_ready_addresses.is_empty() {
        rules.required("", "must specify `addresses` or `notReadyAddresses`");
    }
    rules.each("addresses", &subset.addresses, one_address);
    rules.each("notReadyAddresses", &subset.not_ready_addresses, one_address);
    let needs_name = subset.ports.len() > 1;
    rules.each("ports", &subset.ports, |rules, port: &EndpointPort| {
        if !port.name.is_empty() {
            rules.complaints("name", &port.name, names::dns1123_label(&port.name));
        } else if needs_name {
            rules.required("name", "");
        }
        rules.port("port", port.port);
        rules.required_one_of("protocol", port.protocol.as_str(), &["SCTP", "TCP", "UDP"]);
        if let Some(protocol) = &port.app_protocol {
            rules.complaints("appProtocol", protocol, names::label_key(protocol));
        }
    });
}

fn one_address(rules: &mut Rules, one: &EndpointAddress) {
    if address(rules, "ip", &one.ip, &[]) {
        destination(rules, "ip", &one.ip);
    }
    if !one.hostname.is_empty() {
        rules.complaints("hostname", &one.hostname, names::dns1123_label(&one.hostname));
    }
    if let Some(node) = &one.node_name {
        subdomain(rules, "nodeName", node);
    }
}
