//! NetworkPolicies.

use super::Validate;
use super::address::{network, network_warnings};
use super::rules::Rules;
use crate::names::{self, Network};
use crate::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use crate::{FieldError, FieldValue, IntOrString, LabelSelector, Str, selector};

impl Validate for NetworkPolicy {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| spec(rules, &self.spec, &Kept::default()));
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("spec", |rules| spec(rules, &self.spec, &Kept::of(&old.spec)));
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        warnings(&self.spec)
    }

    fn warnings_on_update(&self, _old: &Self) -> Vec<String> {
        warnings(&self.spec)
    }
}

/// What may stay as it is since it was there already.
#[derive(Default)]
struct Kept {
    /// Networks.
    networks: Vec<Str>,
    /// Values in selectors.
    values: bool,
}

impl Kept {
    fn of(old: &NetworkPolicySpec) -> Self {
        let is_wrong = |selector: &LabelSelector| {
            let values = selector.match_expressions.iter().flat_map(|expression| &expression.values);
            !selector::validate(selector, false, "").is_empty()
                && values.into_iter().any(|value| !names::label_value(value).is_empty())
        };
        let blocks = peers(old).filter_map(|(_, peer)| peer.ip_block.as_deref());
        let selectors = peers(old)
            .flat_map(|(_, peer)| [peer.pod_selector.as_deref(), peer.namespace_selector.as_deref()]);
        Self {
            networks: blocks
                .flat_map(|block| std::iter::once(&block.cidr).chain(&block.except))
                .cloned()
                .collect(),
            values: selectors.flatten().chain([&old.pod_selector]).any(is_wrong),
        }
    }
}

/// The peers, each with its path inside of the spec.
fn peers(spec: &NetworkPolicySpec) -> impl Iterator<Item = (String, &NetworkPolicyPeer)> {
    let ingress = spec.ingress.iter().enumerate().flat_map(|(rule, ingress)| {
        let peers = ingress.from.iter().enumerate();
        peers.map(move |(index, peer)| (format!("ingress[{rule}].from[{index}]"), peer))
    });
    let egress = spec.egress.iter().enumerate().flat_map(|(rule, egress)| {
        let peers = egress.to.iter().enumerate();
        peers.map(move |(index, peer)| (format!("egress[{rule}].to[{index}]"), peer))
    });
    ingress.chain(egress)
}

fn spec(rules: &mut Rules, spec: &NetworkPolicySpec, kept: &Kept) {
    rules.selector("podSelector", &spec.pod_selector, kept.values);
    rules.each("ingress", &spec.ingress, |rules, rule| {
        rules.each("ports", &rule.ports, port);
        rules.each("from", &rule.from, |rules, other| peer(rules, other, kept));
    });
    rules.each("egress", &spec.egress, |rules, rule| {
        rules.each("ports", &rule.ports, port);
        rules.each("to", &rule.to, |rules, other| peer(rules, other, kept));
    });
    if spec.policy_types.len() > 2 {
        let detail = "may not specify more than two policyTypes";
        rules.invalid("policyTypes", FieldValue::of(&spec.policy_types), detail);
        return;
    }
    rules.each("policyTypes", &spec.policy_types, |rules, type_| {
        rules.one_of("", type_.as_str(), &["Ingress", "Egress"]);
    });
}

fn port(rules: &mut Rules, port: &NetworkPolicyPort) {
    if let Some(protocol) = &port.protocol {
        rules.one_of("protocol", protocol.as_str(), &["TCP", "UDP", "SCTP"]);
    }
    match (&port.port, port.end_port) {
        (Some(IntOrString::Int(first)), last) => {
            rules.port("port", *first);
            if let Some(last) = last {
                if last < *first {
                    rules.invalid("endPort", *first, "must be greater than or equal to `port`");
                }
                rules.port("endPort", last);
            }
        }
        (Some(IntOrString::String(name)), last) => {
            if let Some(last) = last {
                rules.invalid("endPort", last, "may not be specified when `port` is non-numeric");
            }
            rules.complaints("port", name, names::port_name(name));
        }
        (None, Some(last)) => {
            rules.invalid("endPort", last, "may not be specified when `port` is not specified");
        }
        (None, None) => {}
    }
}

fn peer(rules: &mut Rules, peer: &NetworkPolicyPeer, kept: &Kept) {
    let selectors = [("podSelector", &peer.pod_selector), ("namespaceSelector", &peer.namespace_selector)];
    for (field, selector) in selectors {
        if let Some(selector) = selector {
            rules.selector(field, selector, kept.values);
        }
    }
    let selects = selectors.iter().any(|(_, selector)| selector.is_some());
    match &peer.ip_block {
        Some(block) => {
            rules.within("ipBlock", |rules| ip_block(rules, block, kept));
            if selects {
                rules.forbidden("", "may not specify both ipBlock and another peer");
            }
        }
        None if !selects => rules.required("", "must specify a peer"),
        None => {}
    }
}

fn ip_block(rules: &mut Rules, block: &IPBlock, kept: &Kept) {
    if block.cidr.is_empty() {
        rules.required("cidr", "");
        return;
    }
    network(rules, "cidr", &block.cidr, &kept.networks);
    let Some(whole) = names::lenient_cidr(&block.cidr) else {
        return;
    };
    rules.each("except", &block.except, |rules, except| {
        network(rules, "", except, &kept.networks);
        if names::lenient_cidr(except).is_some_and(|part| !contains(&whole, &part)) {
            rules.invalid("", except, "must be a strict subset of `cidr`");
        }
    });
}

/// Whether a network is a part of another and smaller.
fn contains(whole: &Network, part: &Network) -> bool {
    whole.prefix < part.prefix
        && whole.address.is_ipv4() == part.address.is_ipv4()
        && whole.masked(whole.prefix) == part.masked(whole.prefix)
}

fn warnings(spec: &NetworkPolicySpec) -> Vec<String> {
    let mut warnings = Vec::new();
    for (path, peer) in peers(spec) {
        let Some(block) = &peer.ip_block else {
            continue;
        };
        network_warnings(&mut warnings, &format!("spec.{path}.ipBlock.cidr"), &block.cidr);
        for (index, except) in block.except.iter().enumerate() {
            network_warnings(&mut warnings, &format!("spec.{path}.ipBlock.except[{index}]"), except);
        }
    }
    warnings
}
