//! Services.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::Validate;
use super::container::port_number_or_name;
use super::rules::Rules;
use crate::core::v1::{Service, ServicePort, ServiceSpec, ServiceType};
use crate::names::{self, NameRule};
use crate::{FieldError, FieldValue, metadata};

/// A session lasts a day at most, in seconds.
const MAX_SESSION: i64 = 86_400;

impl Validate for Service {
    const NAME_RULE: NameRule = NameRule::Label;

    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("spec");
        rules.metadata(self, Self::NAME_RULE);
        spec(&mut rules, &self.spec);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("spec");
        rules.metadata_update(self, old);
        let changes_kind = |service: &Self| service.spec.type_ == ServiceType::ExternalName;
        if !changes_kind(self) && !changes_kind(old) {
            primary_address(&mut rules, &self.spec, &old.spec);
        }
        let balances = |service: &Self| service.spec.type_ == ServiceType::LoadBalancer;
        if balances(self) && balances(old) && self.spec.load_balancer_class != old.spec.load_balancer_class {
            rules.invalid(
                "loadBalancerClass",
                FieldValue::of(&self.spec.load_balancer_class),
                "may not change once set",
            );
        }
        spec(&mut rules, &self.spec);
        rules.finish()
    }
}

fn primary_address(rules: &mut Rules, new: &ServiceSpec, old: &ServiceSpec) {
    let Some(before) = old.cluster_ips.first() else {
        return;
    };
    match new.cluster_ips.first() {
        None => rules.invalid(
            "clusterIPs[0]",
            FieldValue::of(&new.cluster_ips),
            "primary clusterIP can not be unset",
        ),
        Some(after) if after != before => {
            rules.invalid("clusterIPs[0]", FieldValue::of(&new.cluster_ips), "may not change once set");
        }
        Some(_) => {}
    }
}

fn spec(rules: &mut Rules, spec: &ServiceSpec) {
    let headless = matches!(spec.cluster_ips.as_slice(), [only] if only == "None");
    let external_name = spec.type_ == ServiceType::ExternalName;
    if spec.ports.is_empty() && !headless && !external_name {
        rules.required("ports", "");
    }
    rules.required_one_of(
        "type",
        spec.type_.as_str(),
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    );
    match spec.type_ {
        ServiceType::LoadBalancer if headless => {
            rules.invalid("clusterIPs[0]", "None", "may not be set to 'None' for LoadBalancer services");
        }
        ServiceType::NodePort if headless => {
            rules.invalid("clusterIPs[0]", "None", "may not be set to 'None' for NodePort services");
        }
        ServiceType::ExternalName => external(rules, spec),
        _ => {}
    }
    ports(rules, spec);
    let selector = rules.path("selector");
    rules.extend(metadata::validate_labels(&spec.selector, &selector));
    rules.required_one_of("sessionAffinity", spec.session_affinity.as_str(), &["ClientIP", "None"]);
    if let Some(config) = &spec.session_affinity_config
        && let Some(seconds) = config.client_ip.as_ref().and_then(|client| client.timeout_seconds)
        && !(1..=MAX_SESSION).contains(&i64::from(seconds))
    {
        let detail = format!("must be greater than 0 and less than {MAX_SESSION}");
        rules.invalid("sessionAffinityConfig.clientIP.timeoutSeconds", seconds, detail);
    }
    addresses(rules, spec);
    rules.each("externalIPs", &spec.external_ips, |rules, ip| {
        let path = rules.path("");
        rules.extend(names::legacy_ip(&path, ip, true));
    });
    traffic(rules, spec);
    if spec.type_ != ServiceType::LoadBalancer {
        let only = "may only be used when `type` is 'LoadBalancer'";
        if spec.allocate_load_balancer_node_ports.is_some() {
            rules.forbidden("allocateLoadBalancerNodePorts", only);
        }
        if spec.load_balancer_class.is_some() {
            rules.forbidden("loadBalancerClass", only);
        }
        if !spec.load_balancer_source_ranges.is_empty() {
            rules.forbidden("LoadBalancerSourceRanges", only);
        }
    }
    for (index, range) in spec.load_balancer_source_ranges.iter().enumerate() {
        let path = rules.path(&format!("LoadBalancerSourceRanges[{index}]"));
        rules.extend(names::legacy_cidr(&path, range.trim(), false));
    }
}

fn external(rules: &mut Rules, spec: &ServiceSpec) {
    let not_here = "may not be set for ExternalName services";
    if !spec.cluster_ips.is_empty() {
        rules.forbidden("clusterIPs", not_here);
    }
    if !spec.ip_families.is_empty() {
        rules.forbidden("ipFamilies", not_here);
    }
    if spec.ip_family_policy.is_some() {
        rules.forbidden("ipFamilyPolicy", not_here);
    }
    let name = spec.external_name.strip_suffix('.').unwrap_or(&spec.external_name);
    if name.is_empty() {
        rules.required("externalName", "");
    } else {
        rules.complaints("externalName", name, names::dns1123_subdomain(name));
    }
}

fn ports(rules: &mut Rules, spec: &ServiceSpec) {
    let (mut seen_names, mut seen_ports, mut seen_node_ports) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let needs_name = spec.ports.len() > 1;
    let exposed = matches!(spec.type_, ServiceType::NodePort | ServiceType::LoadBalancer);
    rules.each("ports", &spec.ports, |rules, port: &ServicePort| {
        if port.name.is_empty() {
            if needs_name {
                rules.required("name", "");
            }
        } else {
            rules.complaints("name", &port.name, names::dns1123_label(&port.name));
            if !seen_names.insert(port.name.clone()) {
                rules.duplicate("name", &port.name);
            }
        }
        rules.port("port", port.port);
        rules.required_one_of("protocol", port.protocol.as_str(), &["SCTP", "TCP", "UDP"]);
        port_number_or_name(rules, "targetPort", &port.target_port);
        if !exposed && port.node_port != 0 {
            let detail = format!("may not be used when `type` is '{}'", spec.type_);
            rules.forbidden("nodePort", detail);
        }
        if port.node_port != 0 && !seen_node_ports.insert((port.protocol.clone(), port.node_port)) {
            rules.duplicate("nodePort", port.node_port);
        }
        if !seen_ports.insert((port.protocol.clone(), port.port)) {
            rules.duplicate("", FieldValue::of(port));
        }
    });
}

fn addresses(rules: &mut Rules, spec: &ServiceSpec) {
    if spec.type_ == ServiceType::ExternalName {
        return;
    }
    if let Some(policy) = &spec.ip_family_policy {
        rules.one_of(
            "ipFamilyPolicy",
            policy.as_str(),
            &["PreferDualStack", "RequireDualStack", "SingleStack"],
        );
    }
    for (index, family) in spec.ip_families.iter().enumerate() {
        rules.one_of(&format!("ipFamilies[{index}]"), family.as_str(), &["IPv4", "IPv6"]);
    }
    let list = &spec.cluster_ips;
    if !spec.cluster_ip.is_empty() && list.is_empty() {
        rules.required("clusterIPs", "");
    } else if let Some(first) = list.first()
        && *first != spec.cluster_ip
    {
        rules.invalid("clusterIPs", FieldValue::of(list), "first value must match `clusterIP`");
    }
    if list.len() > 1 && list.iter().any(|ip| ip == "None") {
        rules.invalid("clusterIPs", FieldValue::of(list), "'None' must be the first and only value");
    }
    for (index, ip) in list.iter().enumerate().filter(|(_, ip)| *ip != "None") {
        let field = format!("clusterIPs[{index}]");
        let path = rules.path(&field);
        rules.extend(names::legacy_ip(&path, ip, true));
        let Ok(address) = ip.parse::<IpAddr>() else {
            continue;
        };
        if let Some(family) = spec.ip_families.get(index) {
            let is_v6 = family.as_str() == "IPv6";
            if is_v6 != address.is_ipv6() {
                let words = if is_v6 { "IPv6" } else { "IPv4" };
                let detail = format!("expected an {words} value as indicated by `ipFamilies[{index}]`");
                rules.invalid(&field, ip, detail);
            }
        }
    }
}

fn traffic(rules: &mut Rules, spec: &ServiceSpec) {
    let exposed = matches!(spec.type_, ServiceType::NodePort | ServiceType::LoadBalancer)
        || (spec.type_ == ServiceType::ClusterIP && !spec.external_ips.is_empty());
    let external = spec.external_traffic_policy.as_str();
    if !exposed {
        if !external.is_empty() {
            let detail = "may only be set for externally-accessible services";
            rules.invalid("externalTrafficPolicy", external, detail);
        }
    } else {
        rules.required_one_of("externalTrafficPolicy", external, &["Cluster", "Local"]);
    }
    if spec.health_check_node_port < 0 {
        rules.invalid(
            "healthCheckNodePort",
            spec.health_check_node_port,
            "must be between 0 and 65535, inclusive",
        );
    }
    let needs_check = spec.type_ == ServiceType::LoadBalancer && external == "Local";
    if spec.health_check_node_port != 0 && !needs_check {
        let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        rules.invalid("healthCheckNodePort", spec.health_check_node_port, detail);
    }
    if let Some(policy) = &spec.internal_traffic_policy {
        rules.one_of("internalTrafficPolicy", policy.as_str(), &["Cluster", "Local"]);
    }
}
