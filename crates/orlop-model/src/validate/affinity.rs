//! Where pods may and should run.

use std::collections::BTreeSet;

use super::rules::Rules;
use crate::core::v1::{
    Affinity, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm, TaintEffect, Toleration,
    TolerationOperator, TopologySpreadConstraint, WeightedPodAffinityTerm,
};
use crate::{FieldValue, List, metadata, names, selector};

pub(super) fn affinity(rules: &mut Rules, affinity: &Affinity) {
    rules.option("nodeAffinity", affinity.node_affinity.as_deref(), |rules, node| {
        let required = node.required_during_scheduling_ignored_during_execution.as_deref();
        rules.option("requiredDuringSchedulingIgnoredDuringExecution", required, |rules, selector| {
            if selector.node_selector_terms.is_empty() {
                rules.required("nodeSelectorTerms", "must have at least one node selector term");
            }
            rules.each("nodeSelectorTerms", &selector.node_selector_terms, node_term);
        });
        let preferred = &node.preferred_during_scheduling_ignored_during_execution;
        rules.each("preferredDuringSchedulingIgnoredDuringExecution", preferred, |rules, term| {
            weight(rules, term.weight);
            rules.within("preference", |rules| node_term(rules, &term.preference));
        });
    });
    let both = [
        (
            "podAffinity",
            affinity.pod_affinity.as_deref().map(|affinity| {
                (
                    &affinity.required_during_scheduling_ignored_during_execution,
                    &affinity.preferred_during_scheduling_ignored_during_execution,
                )
            }),
        ),
        (
            "podAntiAffinity",
            affinity.pod_anti_affinity.as_deref().map(|affinity| {
                (
                    &affinity.required_during_scheduling_ignored_during_execution,
                    &affinity.preferred_during_scheduling_ignored_during_execution,
                )
            }),
        ),
    ];
    for (field, terms) in both {
        let Some((required, preferred)) = terms else {
            continue;
        };
        rules.within(field, |rules| pod_terms(rules, required, preferred));
    }
}

fn weight(rules: &mut Rules, weight: i32) {
    if !(1..=100).contains(&weight) {
        rules.invalid("weight", weight, "must be in the range 1-100");
    }
}

fn node_term(rules: &mut Rules, term: &NodeSelectorTerm) {
    rules.each("matchExpressions", &term.match_expressions, |rules, requirement| {
        node_requirement(rules, requirement);
        rules.complaints("key", &requirement.key, names::label_key(&requirement.key));
    });
    rules.each("matchFields", &term.match_fields, |rules, requirement| {
        match requirement.operator.as_str() {
            "In" | "NotIn" if requirement.values.len() != 1 => {
                let detail =
                    "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                rules.required("values", detail);
            }
            "In" | "NotIn" => {}
            other => rules.invalid("operator", other, "not a valid selector operator"),
        }
        if requirement.key != "metadata.name" {
            rules.invalid("key", &requirement.key, "not a valid field selector key");
        } else {
            rules.each("values", &requirement.values, |rules, name| {
                rules.complaints("", name, names::dns1123_subdomain(name));
            });
        }
    });
}

fn node_requirement(rules: &mut Rules, requirement: &NodeSelectorRequirement) {
    match requirement.operator.as_str() {
        "In" | "NotIn" if requirement.values.is_empty() => {
            rules.required("values", "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "Exists" | "DoesNotExist" if !requirement.values.is_empty() => {
            rules.forbidden("values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        "Gt" | "Lt" if requirement.values.len() != 1 => {
            rules.required("values", "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => rules.invalid("operator", other, "not a valid selector operator"),
    }
}

fn pod_terms(rules: &mut Rules, required: &List<PodAffinityTerm>, preferred: &List<WeightedPodAffinityTerm>) {
    rules.each("requiredDuringSchedulingIgnoredDuringExecution", required, pod_term);
    rules.each("preferredDuringSchedulingIgnoredDuringExecution", preferred, |rules, term| {
        weight(rules, term.weight);
        rules.within("podAffinityTerm", |rules| pod_term(rules, &term.pod_affinity_term));
    });
}

fn pod_term(rules: &mut Rules, term: &PodAffinityTerm) {
    for (field, labels) in
        [("labelSelector", &term.label_selector), ("namespaceSelector", &term.namespace_selector)]
    {
        let path = rules.path(field);
        if let Some(labels) = labels {
            rules.extend(selector::validate(labels, false, &path));
        }
    }
    for name in &term.namespaces {
        rules.complaints("namespace", name, names::dns1123_label(name));
    }
    topology_key(rules, &term.topology_key);
}

fn topology_key(rules: &mut Rules, key: &str) {
    if key.is_empty() {
        rules.required("topologyKey", "can not be empty");
    }
    rules.complaints("topologyKey", key, names::label_key(key));
}

pub(super) fn tolerations(rules: &mut Rules, tolerations: &[Toleration]) {
    rules.each("tolerations", tolerations, |rules, toleration| {
        if !toleration.key.is_empty() {
            let path = rules.path("key");
            rules.extend(metadata::validate_labels(&[(&toleration.key, "".into())].into(), &path));
        } else if toleration.operator != TolerationOperator::Exists {
            let detail =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            rules.invalid("operator", toleration.operator.as_str(), detail);
        }
        if toleration.toleration_seconds.is_some() && toleration.effect != TaintEffect::NoExecute {
            rules.invalid(
                "effect",
                toleration.effect.as_str(),
                "effect must be 'NoExecute' when `tolerationSeconds` is set",
            );
        }
        match toleration.operator.as_str() {
            "Equal" | "" => {
                rules.complaints("operator", &toleration.value, names::label_value(&toleration.value))
            }
            "Exists" if !toleration.value.is_empty() => {
                rules.invalid(
                    "operator",
                    FieldValue::of(toleration),
                    "value must be empty when `operator` is 'Exists'",
                );
            }
            other => rules.one_of("operator", other, &["Equal", "Exists"]),
        }
        if !toleration.effect.is_empty() {
            rules.one_of(
                "effect",
                toleration.effect.as_str(),
                &["NoExecute", "NoSchedule", "PreferNoSchedule"],
            );
        }
    });
}

pub(super) fn spread(rules: &mut Rules, constraints: &[TopologySpreadConstraint]) {
    let mut seen = BTreeSet::new();
    rules.each("topologySpreadConstraints", constraints, |rules, constraint| {
        let when = constraint.when_unsatisfiable.as_str();
        if constraint.max_skew <= 0 {
            rules.invalid("maxSkew", constraint.max_skew, "must be greater than zero");
        }
        if constraint.topology_key.is_empty() {
            rules.required("topologyKey", "can not be empty");
        } else {
            rules.complaints(
                "topologyKey",
                &constraint.topology_key,
                names::label_key(&constraint.topology_key),
            );
        }
        rules.one_of("whenUnsatisfiable", when, &["DoNotSchedule", "ScheduleAnyway"]);
        let pair = format!("{{{}, {when}}}", constraint.topology_key);
        if !seen.insert(pair.clone()) {
            rules.duplicate("{topologyKey, whenUnsatisfiable}", pair);
        }
        if let Some(domains) = constraint.min_domains {
            if domains <= 0 {
                rules.invalid("minDomains", domains, "must be greater than zero");
            }
            if when != "DoNotSchedule" {
                let detail =
                    format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}");
                rules.invalid("minDomains", domains, detail);
            }
        }
        for (field, policy) in [
            ("nodeAffinityPolicy", &constraint.node_affinity_policy),
            ("nodeTaintsPolicy", &constraint.node_taints_policy),
        ] {
            if let Some(policy) = policy {
                rules.one_of(field, policy.as_str(), &["Honor", "Ignore"]);
            }
        }
        let path = rules.path("labelSelector");
        if let Some(labels) = &constraint.label_selector {
            rules.extend(selector::validate(labels, false, &path));
        }
    });
}
