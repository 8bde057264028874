//! Addresses and networks in fields that took lenient notations before they were checked strictly.

use std::net::IpAddr;

use super::rules::Rules;
use crate::Str;
use crate::names;
use crate::quote::quoted;

/// An address of a field that may keep what it has: what `old` held is passed over. Tells whether it is in order.
pub(super) fn address(rules: &mut Rules, field: &str, value: &str, old: &[Str]) -> bool {
    if old.iter().any(|other| *other == *value) {
        return true;
    }
    let before = rules.count();
    rules.check(field, |path| names::legacy_ip(path, value, true));
    rules.count() == before
}

/// A network of a field that may keep what it has, as for [`address`].
pub(super) fn network(rules: &mut Rules, field: &str, value: &str, old: &[Str]) -> bool {
    if old.iter().any(|other| *other == *value) {
        return true;
    }
    let before = rules.count();
    rules.check(field, |path| names::legacy_cidr(path, value, true));
    rules.count() == before
}

/// An address that traffic is sent to: none of those that mean the own machine or link.
pub(super) fn destination(rules: &mut Rules, field: &str, value: &str) {
    let Some(address) = names::lenient_ip(value).map(|address| address.to_canonical()) else {
        return;
    };
    if address.is_unspecified() {
        rules.invalid(field, value, format!("may not be unspecified ({value})"));
    }
    if address.is_loopback() {
        rules.invalid(field, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    }
    let (is_link, is_link_group) = match address {
        IpAddr::V4(address) => (address.is_link_local(), address.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            (first & 0xffc0 == 0xfe80, first & 0xff0f == 0xff02)
        }
    };
    if is_link {
        rules.invalid(field, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    }
    if is_link_group {
        rules.invalid(field, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
    }
}

/// What to say of an address that is not written as it should be.
pub(super) fn address_warnings(warnings: &mut Vec<String>, path: &str, value: &str) {
    let Some(address) = names::lenient_ip(value) else {
        return;
    };
    let written = quoted(value);
    let better = quoted(&address.to_canonical().to_string());
    let is_mapped = address.is_ipv6() && address.to_canonical().is_ipv4();
    if value.parse::<IpAddr>().is_err() || is_mapped {
        warnings.push(format!(
            "{path}: non-standard IP address {written} will be considered invalid in a future Kubernetes release: use {better}"
        ));
    } else if address.is_ipv6() && address.to_string() != value {
        warnings.push(format!(
            "{path}: IPv6 address {written} should be in RFC 5952 canonical format ({better})"
        ));
    }
}

/// What to say of a network that is not written as it should be.
pub(super) fn network_warnings(warnings: &mut Vec<String>, path: &str, value: &str) {
    let Some(network) = names::lenient_cidr(value) else {
        return;
    };
    let (written, before) = (quoted(value), warnings.len());
    let (address, prefix) = (network.address, network.prefix);
    let canonical = address.to_canonical();
    let is_mapped = address.is_ipv6() && canonical.is_ipv4();
    // An IPv4 address inside an IPv6 address is shown as the former.
    let shown = prefix.saturating_sub(if is_mapped { 96 } else { 0 });
    let better = quoted(&format!("{}/{shown}", network.masked(prefix).to_canonical()));
    if network.has_host_bits() {
        let bits = if canonical.is_ipv4() { 32 } else { 128 };
        let alone = quoted(&format!("{canonical}/{bits}"));
        warnings.push(format!(
            "{path}: CIDR value {written} is ambiguous in this context (should be {better} or {alone}?)"
        ));
    }
    if network.has_leading_zeros || is_mapped {
        warnings.push(format!(
            "{path}: non-standard CIDR value {written} will be considered invalid in a future Kubernetes release: use {better}"
        ));
    }
    if warnings.len() == before && address.is_ipv6() && format!("{address}/{prefix}") != value {
        let canonical = quoted(&format!("{address}/{prefix}"));
        warnings.push(format!(
            "{path}: IPv6 CIDR value {written} should be in RFC 5952 canonical format ({canonical})"
        ));
    }
}
