//! Nodes.

use super::Validate;
use super::address::{network, network_warnings};
use super::go_json;
use super::resource_name::amount;
use super::rules::{Rules, Seen};
use crate::core::v1::{Node, NodeSpec, Taint};
use crate::names::NameRule;
use crate::{FieldError, FieldValue, List, Str, list, names};

const AVOID_PODS: &str = "scheduler.alpha.kubernetes.io/preferAvoidPods";

const TAINTS: &str = "taints must be unique by key and effect pair";

impl Validate for Node {
    const NAME_RULE: NameRule = NameRule::Subdomain;

    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        whole(&mut rules, self, &[]);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        let before = networks(&old.spec);
        whole(&mut rules, self, &before);
        rules.metadata_update(self, old);
        around(&mut rules, self);
        let addresses = &self.status.addresses;
        for (index, address) in addresses.iter().enumerate() {
            if addresses[..index].contains(address) {
                rules.duplicate(&format!("status.addresses[{index}]"), FieldValue::of(address));
            }
        }
        let now = networks(&self.spec);
        let changes = match (before.len(), now.len()) {
            (0, _) => 0,
            (count, other) if count != other => 1,
            _ => now.iter().zip(&before).filter(|(now, before)| now != before).count(),
        };
        for _ in 0..changes {
            rules.forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid");
        }
        if !old.spec.provider_id.is_empty() && self.spec.provider_id != old.spec.provider_id {
            rules.forbidden(
                "spec.providerID",
                "node updates may not change providerID except from \"\" to valid",
            );
        }
        if self.spec.external_id != old.spec.external_id {
            rules.forbidden("spec.externalID", "may not be updated");
        }
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        warnings(self)
    }

    fn warnings_on_update(&self, _old: &Self) -> Vec<String> {
        warnings(self)
    }
}

/// The networks of a node's pods: the older field counts where the two differ.
fn networks(spec: &NodeSpec) -> List<Str> {
    match spec.pod_cidrs.first() {
        Some(first) if spec.pod_cidr.is_empty() || spec.pod_cidr == *first => spec.pod_cidrs.clone(),
        _ if spec.pod_cidr.is_empty() => list![],
        _ => list![spec.pod_cidr.clone()],
    }
}

fn whole(rules: &mut Rules, node: &Node, kept: &[Str]) {
    rules.metadata(node, Node::NAME_RULE);
    around(rules, node);
    let networks = networks(&node.spec);
    for (index, one) in networks.iter().enumerate() {
        network(rules, &format!("spec.podCIDRs[{index}]"), one, kept);
    }
    if networks.len() > 1 {
        let families: Vec<Option<bool>> = networks
            .iter()
            .map(|one| names::lenient_cidr(one).map(|network| network.address.is_ipv4()))
            .collect();
        if let Some(position) = families.iter().position(Option::is_none) {
            let wrong = &networks[position];
            rules.push(FieldError::new(
                crate::FieldErrorKind::InternalError,
                "spec.podCIDRs",
                FieldValue::null(),
                format!(
                    "invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[{position}]: <nil> (invalid CIDR address: {wrong})"
                ),
            ));
        }
        let has_both = families.contains(&Some(true)) && families.contains(&Some(false));
        if networks.len() > 2 || !has_both || families.contains(&None) {
            let detail = "may specify no more than one CIDR for each IP family";
            rules.invalid("spec.podCIDRs", FieldValue::of(&networks), detail);
        }
    }
}

/// What is checked by the rules for whole nodes and again by those for updates.
fn around(rules: &mut Rules, node: &Node) {
    if let Some(text) = node.metadata.annotations.get(AVOID_PODS).and_then(Str::non_empty) {
        avoided_pods(rules, text);
    }
    // The path is Kubernetes' own, though the field is spec.taints.
    rules.within("metadata", |rules| taints(rules, &node.spec.taints));
    for (field, amounts) in [("capacity", &node.status.capacity), ("allocatable", &node.status.allocatable)] {
        for (name, quantity) in amounts {
            amount(rules, &format!("status.{field}.{name}"), name, quantity);
        }
    }
}

fn avoided_pods(rules: &mut Rules, text: &str) {
    if let Err(error) = go_json::object(text.as_bytes(), "v1.AvoidPods") {
        rules.invalid("metadata.annotations.AvoidPods", AVOID_PODS, error);
        return;
    }
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        return;
    };
    let entries = value["preferAvoidPods"].as_array().map_or(&[][..], Vec::as_slice);
    for (index, entry) in entries.iter().enumerate() {
        let field = format!("metadata.annotations.{AVOID_PODS}[{index}].PodSignature");
        match &entry["podSignature"]["podController"] {
            serde_json::Value::Null => rules.required(&field, ""),
            controller if controller["controller"] == false => {
                let field = format!("{field}.PodController.Controller");
                rules.invalid(&field, false, "must point to a controller");
            }
            _ => {}
        }
    }
}

fn taints(rules: &mut Rules, taints: &[Taint]) {
    let mut seen = Seen::new();
    rules.each("taints", taints, |rules, taint| {
        rules.complaints("key", &taint.key, names::label_key(&taint.key));
        let complaints = names::label_value(&taint.value);
        if !complaints.is_empty() {
            rules.invalid("value", &taint.value, complaints.join(";"));
        }
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        rules.required_one_of("effect", taint.effect.as_str(), &effects);
        if !seen.insert((taint.effect.as_str(), taint.key.as_str())) {
            let mut error = FieldError::duplicate(rules.path(""), FieldValue::of(taint));
            error.detail = TAINTS.to_owned();
            rules.push(error);
        }
    });
}

fn warnings(node: &Node) -> Vec<String> {
    let mut warnings = Vec::new();
    if node.spec.config_source.is_some() {
        warnings.push("spec.configSource: the feature is removed".to_owned());
    }
    if !node.spec.external_id.is_empty() {
        let text = "spec.externalID: this field is deprecated, and is unused by Kubernetes";
        warnings.push(text.to_owned());
    }
    for (index, one) in networks(&node.spec).iter().enumerate() {
        network_warnings(&mut warnings, &format!("spec.podCIDRs[{index}]"), one);
    }
    warnings
}
