//! Services.

use std::net::IpAddr;

use super::address::{address, address_warnings, destination, network, network_warnings};
use super::probe::port_number_or_name;
use super::rules::{Rules, Seen};
use super::{Validate, subdomain};
use crate::core::v1::{
    Service, ServiceAffinity, ServiceExternalTrafficPolicy, ServicePort, ServiceSpec, ServiceType,
};
use crate::names::{self, NameRule};
use crate::{FieldError, FieldValue, List, Str};

/// A session lasts a day at most, in seconds.
const MAX_SESSION: i64 = 86_400;

/// No load balancer may take the port of the kubelet.
const KUBELET_PORT: i32 = 10_250;

const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
const TOPOLOGY_MODE: &str = "service.kubernetes.io/topology-mode";

const FOR_BALANCERS: &str = "may only be used when `type` is 'LoadBalancer'";
const NOT_FOR_NAMES: &str = "may not be set for ExternalName services";
const FIXED: &str = "may not change once set";

impl Validate for Service {
    const NAME_RULE: NameRule = NameRule::Label;

    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        whole(&mut rules, self, None);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("spec", |rules| {
            let (new, old) = (&self.spec, &old.spec);
            if new.type_ != ServiceType::ExternalName && old.type_ != ServiceType::ExternalName {
                let (is_headless, was_headless) = (is_headless(new), is_headless(old));
                if !(is_headless && was_headless) {
                    changed_addresses(rules, new, old);
                }
                if !is_headless && !was_headless {
                    changed_families(rules, new, old);
                }
            }
            let balances = |spec: &ServiceSpec| spec.type_ == ServiceType::LoadBalancer;
            if balances(new) && balances(old) && new.load_balancer_class != old.load_balancer_class {
                rules.invalid("loadBalancerClass", FieldValue::of(&new.load_balancer_class), FIXED);
            }
            balancer_class(rules, new);
        });
        whole(&mut rules, self, Some(old));
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        warnings(self)
    }

    fn warnings_on_update(&self, _old: &Self) -> Vec<String> {
        warnings(self)
    }
}

fn is_headless(spec: &ServiceSpec) -> bool {
    matches!(spec.cluster_ips.as_slice(), [only] if only == "None")
}

/// Whether the family policy of a Service that gives something up says that one family is enough.
fn single(rules: &mut Rules, spec: &ServiceSpec, what: &str) {
    if spec.ip_family_policy.as_ref().is_none_or(|policy| *policy != "SingleStack") {
        rules.invalid(
            "ipFamilyPolicy",
            FieldValue::of(&spec.ip_family_policy),
            format!("must be set to 'SingleStack' when releasing the secondary {what}"),
        );
    }
}

fn changed_addresses(rules: &mut Rules, new: &ServiceSpec, old: &ServiceSpec) {
    let (now, before) = (&new.cluster_ips, &old.cluster_ips);
    let value = || FieldValue::of(now);
    if now.len() == before.len() {
        for index in (0..now.len()).filter(|index| now[*index] != before[*index]) {
            rules.invalid(&format!("clusterIPs[{index}]"), value(), FIXED);
        }
        return;
    }
    if now.is_empty() {
        rules.invalid("clusterIPs[0]", value(), "primary clusterIP can not be unset");
    } else if before.first().is_some_and(|primary| *primary != now[0]) {
        rules.invalid("clusterIPs[0]", value(), FIXED);
    }
    if before.len() > now.len() && now.len() == 1 {
        single(rules, new, "clusterIP");
    }
}

fn changed_families(rules: &mut Rules, new: &ServiceSpec, old: &ServiceSpec) {
    let (now, before) = (&new.ip_families, &old.ip_families);
    if now.len() == before.len() {
        for _ in (0..now.len()).filter(|index| now[*index] != before[*index]) {
            rules.invalid("ipFamilies[0]", FieldValue::of(now), FIXED);
        }
        return;
    }
    let gives_up = before.len() > now.len();
    // Kubernetes looks at the addresses here.
    if gives_up && new.cluster_ips.is_empty() {
        rules.invalid("ipFamilies[0]", FieldValue::of(now), "primary ipFamily can not be unset");
    }
    if let (Some(after), Some(primary)) = (now.first(), before.first())
        && after != primary
    {
        rules.invalid("ipFamilies[0]", FieldValue::of(now), FIXED);
    }
    if gives_up && now.len() == 1 {
        single(rules, new, "ipFamily");
    }
}

/// Everything but the metadata that all kinds have.
fn whole(rules: &mut Rules, service: &Service, old: Option<&Service>) {
    let annotations = &service.metadata.annotations;
    if let (Some(mode), Some(hints)) = (annotations.get(TOPOLOGY_MODE), annotations.get(HINTS))
        && mode != hints
    {
        let detail = format!("must match annotations[{HINTS}] when both are specified");
        rules.invalid(&format!("metadata.annotations[{TOPOLOGY_MODE}]"), mode, detail);
    }
    let spec = &service.spec;
    if spec.load_balancer_source_ranges.is_empty()
        && let Some(ranges) = annotations.get(SOURCE_RANGES)
    {
        let field = format!("metadata.annotations[{SOURCE_RANGES}]");
        if spec.type_ != ServiceType::LoadBalancer {
            rules.forbidden(&field, FOR_BALANCERS);
        }
        let before = old.and_then(|old| old.metadata.annotations.get(SOURCE_RANGES));
        if before != Some(ranges) && !ranges.trim().is_empty() {
            for range in ranges.split(',') {
                network(rules, &field, range.trim(), &[]);
            }
        }
    }
    rules.within("spec", |rules| body(rules, spec, old.map(|old| &old.spec)));
}

fn body(rules: &mut Rules, spec: &ServiceSpec, old: Option<&ServiceSpec>) {
    if spec.ports.is_empty() && !is_headless(spec) && spec.type_ != ServiceType::ExternalName {
        rules.required("ports", "");
    }
    by_type(rules, spec);
    ports(rules, spec);
    rules.labels("selector", &spec.selector);
    session(rules, spec);
    addresses(rules, spec, old);
    let kept = old.map_or(&[][..], |old| &old.external_ips);
    rules.each("externalIPs", &spec.external_ips, |rules, ip| {
        if address(rules, "", ip, kept) {
            destination(rules, "", ip);
        }
    });
    rules.required_one_of(
        "type",
        spec.type_.as_str(),
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    );
    let balances = spec.type_ == ServiceType::LoadBalancer;
    // The name with a capital is Kubernetes' own.
    if !spec.load_balancer_source_ranges.is_empty() && !balances {
        rules.forbidden("LoadBalancerSourceRanges", FOR_BALANCERS);
    }
    let kept = old.map_or(&[][..], |old| &old.load_balancer_source_ranges);
    rules.each("LoadBalancerSourceRanges", &spec.load_balancer_source_ranges, |rules, range| {
        network(rules, "", range.trim(), kept);
    });
    match spec.allocate_load_balancer_node_ports {
        Some(_) if !balances => rules.forbidden("allocateLoadBalancerNodePorts", FOR_BALANCERS),
        None if balances => rules.required("allocateLoadBalancerNodePorts", ""),
        _ => {}
    }
    balancer_class(rules, spec);
    traffic(rules, spec);
}

fn by_type(rules: &mut Rules, spec: &ServiceSpec) {
    match spec.type_ {
        ServiceType::LoadBalancer | ServiceType::NodePort => {
            if spec.type_ == ServiceType::LoadBalancer {
                rules.each("ports", &spec.ports, |rules, port| {
                    if port.port == KUBELET_PORT {
                        let detail = format!(
                            "may not expose port {KUBELET_PORT} externally since it is used by kubelet"
                        );
                        rules.invalid("", port.port, detail);
                    }
                });
            }
            if is_headless(spec) {
                let detail = format!("may not be set to 'None' for {} services", spec.type_);
                rules.invalid("clusterIPs[0]", "None", detail);
            }
        }
        ServiceType::ExternalName => {
            for (field, is_set) in [
                ("clusterIPs", !spec.cluster_ips.is_empty()),
                ("ipFamilies", !spec.ip_families.is_empty()),
                ("ipFamilyPolicy", spec.ip_family_policy.is_some()),
            ] {
                if is_set {
                    rules.forbidden(field, NOT_FOR_NAMES);
                }
            }
            let name = spec.external_name.strip_suffix('.').unwrap_or(&spec.external_name);
            if name.is_empty() {
                rules.required("externalName", "");
            } else {
                subdomain(rules, "externalName", name);
            }
        }
        _ => {}
    }
}

fn ports(rules: &mut Rules, spec: &ServiceSpec) {
    let (mut seen_names, mut seen_ports, mut seen_node_ports) = (Seen::new(), Seen::new(), Seen::new());
    let needs_name = spec.ports.len() > 1;
    rules.each("ports", &spec.ports, |rules, port: &ServicePort| {
        if port.name.is_empty() {
            if needs_name {
                rules.required("name", "");
            }
        } else {
            rules.complaints("name", &port.name, names::dns1123_label(&port.name));
            if !seen_names.insert(&*port.name) {
                rules.duplicate("name", &port.name);
            }
        }
        rules.port("port", port.port);
        rules.required_one_of("protocol", port.protocol.as_str(), &["SCTP", "TCP", "UDP"]);
        port_number_or_name(rules, "targetPort", &port.target_port);
        if let Some(protocol) = &port.app_protocol {
            rules.complaints("appProtocol", protocol, names::label_key(protocol));
        }
        if port.node_port != 0 {
            if spec.type_ == ServiceType::ClusterIP {
                rules.forbidden("nodePort", "may not be used when `type` is 'ClusterIP'");
            }
            if !seen_node_ports.insert((port.protocol.as_str(), port.node_port)) {
                rules.duplicate("nodePort", port.node_port);
            }
        }
        if !seen_ports.insert((port.protocol.as_str(), port.port)) {
            rules.duplicate("", FieldValue::of(port));
        }
    });
}

fn session(rules: &mut Rules, spec: &ServiceSpec) {
    rules.required_one_of("sessionAffinity", spec.session_affinity.as_str(), &["ClientIP", "None"]);
    match (&spec.session_affinity, &spec.session_affinity_config) {
        (ServiceAffinity::ClientIP, config) => rules.within("sessionAffinityConfig", |rules| {
            let missing = "when session affinity type is ClientIP";
            let client = config.as_ref().map(|config| config.client_ip.as_deref());
            match client.map(|client| client.map(|client| client.timeout_seconds)) {
                None => rules.required("", missing),
                Some(None) => rules.required("clientIP", missing),
                Some(Some(None)) => rules.required("clientIP.timeoutSeconds", missing),
                Some(Some(Some(seconds))) => {
                    if !(1..=MAX_SESSION).contains(&i64::from(seconds)) {
                        let detail = format!("must be greater than 0 and less than {MAX_SESSION}");
                        rules.invalid("clientIP.timeoutSeconds", seconds, detail);
                    }
                }
            }
        }),
        (ServiceAffinity::None, Some(_)) => {
            rules.forbidden("sessionAffinityConfig", "must not be set when session affinity is None");
        }
        _ => {}
    }
}

fn addresses(rules: &mut Rules, spec: &ServiceSpec, old: Option<&ServiceSpec>) {
    if spec.type_ == ServiceType::ExternalName {
        return;
    }
    let list = &spec.cluster_ips;
    let wrong = |rules: &mut Rules, detail: &str| rules.invalid("clusterIPs", FieldValue::of(list), detail);
    match list.first() {
        None if !spec.cluster_ip.is_empty() => rules.required("clusterIPs", ""),
        Some(_) if spec.cluster_ip.is_empty() => {
            wrong(rules, "must be empty when `clusterIP` is not specified");
        }
        Some(first) if *first != spec.cluster_ip => wrong(rules, "first value must match `clusterIP`"),
        _ => {}
    }
    rules.each_indexed("ipFamilies", &spec.ip_families, |rules, index, family| {
        rules.one_of("", family.as_str(), &["IPv4", "IPv6"]);
        if spec.ip_families[..index].contains(family) {
            rules.duplicate("", family.as_str());
        }
    });
    if let Some(policy) = &spec.ip_family_policy {
        rules.one_of(
            "ipFamilyPolicy",
            policy.as_str(),
            &["PreferDualStack", "RequireDualStack", "SingleStack"],
        );
    }
    let kept = old.map_or(&[][..], |old| &old.cluster_ips);
    let mut in_order = true;
    for (index, ip) in list.iter().enumerate() {
        if index == 0 && ip == "None" {
            if list.len() > 1 {
                in_order = false;
                wrong(rules, "'None' must be the first and only value");
            }
        } else if !address_at(rules, index, ip, kept) {
            in_order = false;
        }
    }
    if list.len() > 2 {
        wrong(rules, "may only hold up to 2 values");
    }
    if in_order {
        families_of(rules, spec);
    }
}

fn address_at(rules: &mut Rules, index: usize, ip: &str, kept: &[Str]) -> bool {
    let mut is_right = true;
    rules.within("clusterIPs", |rules| {
        rules.within_index(index, |rules| is_right = address(rules, "", ip, kept));
    });
    is_right
}

/// Well-formed addresses against each other and the families.
fn families_of(rules: &mut Rules, spec: &ServiceSpec) {
    let list: &List<Str> = &spec.cluster_ips;
    let is_v6 = |ip: &Str| names::lenient_ip(ip).is_some_and(|ip| matches!(ip.to_canonical(), IpAddr::V6(_)));
    if list.len() > 1 && list.iter().all(is_v6) != list.iter().any(is_v6) {
        // One of each.
    } else if list.len() > 1 {
        let detail = "may specify no more than one IP for each IP family";
        rules.invalid("clusterIPs", FieldValue::of(list), detail);
    }
    if is_headless(spec) {
        return;
    }
    for (index, (ip, family)) in list.iter().zip(&spec.ip_families).enumerate() {
        let expected = family.as_str();
        if matches!(expected, "IPv4" | "IPv6") && (expected == "IPv6") != is_v6(ip) {
            let detail = format!("expected an {expected} value as indicated by `ipFamilies[{index}]`");
            rules.invalid(&format!("clusterIPs[{index}]"), ip, detail);
        }
    }
}

fn balancer_class(rules: &mut Rules, spec: &ServiceSpec) {
    if let Some(class) = &spec.load_balancer_class {
        if spec.type_ == ServiceType::LoadBalancer {
            rules.complaints("loadBalancerClass", class, names::label_key(class));
        } else {
            rules.forbidden("loadBalancerClass", FOR_BALANCERS);
        }
    }
}

fn traffic(rules: &mut Rules, spec: &ServiceSpec) {
    let exposed = matches!(spec.type_, ServiceType::NodePort | ServiceType::LoadBalancer)
        || (spec.type_ == ServiceType::ClusterIP && !spec.external_ips.is_empty());
    let external = spec.external_traffic_policy.as_str();
    if exposed {
        rules.required_one_of("externalTrafficPolicy", external, &["Cluster", "Local"]);
    } else if !external.is_empty() {
        let detail = "may only be set for externally-accessible services";
        rules.invalid("externalTrafficPolicy", external, detail);
    }
    let needs_check = spec.type_ == ServiceType::LoadBalancer
        && spec.external_traffic_policy == ServiceExternalTrafficPolicy::Local;
    match (needs_check, spec.health_check_node_port) {
        (false, 0) => {}
        (false, port) => {
            let detail =
                "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            rules.invalid("healthCheckNodePort", port, detail);
        }
        (true, 0) => rules.required("healthCheckNodePort", ""),
        (true, port) => rules.port("healthCheckNodePort", port),
    }
    match &spec.internal_traffic_policy {
        Some(policy) => rules.one_of("internalTrafficPolicy", policy.as_str(), &["Cluster", "Local"]),
        None if matches!(
            spec.type_,
            ServiceType::NodePort | ServiceType::LoadBalancer | ServiceType::ClusterIP
        ) =>
        {
            rules.required("internalTrafficPolicy", "");
        }
        None => {}
    }
    if let Some(distribution) = &spec.traffic_distribution {
        let supported = ["PreferClose", "PreferSameNode", "PreferSameZone"];
        rules.one_of("trafficDistribution", distribution, &supported);
    }
}

fn warnings(service: &Service) -> Vec<String> {
    let spec = &service.spec;
    let mut warnings = Vec::new();
    if service.metadata.annotations.contains_key(HINTS) {
        warnings.push(format!("annotation {HINTS} is deprecated, please use {TOPOLOGY_MODE} instead"));
    }
    if !spec.cluster_ip.is_empty() && spec.cluster_ip != "None" {
        for (index, ip) in spec.cluster_ips.iter().enumerate() {
            address_warnings(&mut warnings, &format!("spec.clusterIPs[{index}]"), ip);
        }
    }
    let is_headless = spec.type_ == ServiceType::ClusterIP && spec.cluster_ip == "None";
    if is_headless {
        for (field, is_set) in [
            ("loadBalancerIP", !spec.load_balancer_ip.is_empty()),
            ("externalIPs", !spec.external_ips.is_empty()),
            ("SessionAffinity", spec.session_affinity != ServiceAffinity::None),
        ] {
            if is_set {
                warnings.push(format!("spec.{field} is ignored for headless services"));
            }
        }
    }
    for (index, ip) in spec.external_ips.iter().enumerate() {
        address_warnings(&mut warnings, &format!("spec.externalIPs[{index}]"), ip);
    }
    let is_name = spec.type_ == ServiceType::ExternalName;
    if !spec.external_ips.is_empty() && !is_headless && !is_name {
        let text = "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
        warnings.push(text.to_owned());
    }
    if !spec.load_balancer_ip.is_empty() {
        address_warnings(&mut warnings, "spec.loadBalancerIP", &spec.load_balancer_ip);
    }
    for (index, range) in spec.load_balancer_source_ranges.iter().enumerate() {
        network_warnings(&mut warnings, &format!("spec.loadBalancerSourceRanges[{index}]"), range);
    }
    if is_name && !spec.external_ips.is_empty() {
        warnings.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".to_owned());
    }
    if !is_name && !spec.external_name.is_empty() {
        warnings.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".to_owned());
    }
    if spec.traffic_distribution.as_ref().is_some_and(|distribution| distribution == "PreferClose") {
        let text = "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"";
        warnings.push(text.to_owned());
    }
    warnings
}
