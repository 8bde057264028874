//! Where pods may and should run.

use std::collections::BTreeSet;

use super::node_selector::{node_selector, node_selector_term};
use super::options::Options;
use super::rules::{Rules, Seen};
use crate::core::v1::{
    Affinity, PodAffinityTerm, TaintEffect, Toleration, TolerationOperator, TopologySpreadConstraint,
    WeightedPodAffinityTerm,
};
use crate::{LabelSelector, List, Str, names};

pub(super) fn affinity(rules: &mut Rules, affinity: &Affinity, options: &Options) {
    rules.option("nodeAffinity", affinity.node_affinity.as_deref(), |rules, node| {
        let required = node.required_during_scheduling_ignored_during_execution.as_deref();
        rules.option("requiredDuringSchedulingIgnoredDuringExecution", required, |rules, selector| {
            node_selector(rules, selector, options.broken_node_values);
        });
        let preferred = &node.preferred_during_scheduling_ignored_during_execution;
        rules.each("preferredDuringSchedulingIgnoredDuringExecution", preferred, |rules, term| {
            weight(rules, term.weight);
            // Values were never checked here.
            rules.within("preference", |rules| node_selector_term(rules, &term.preference, true));
        });
    });
    let loose = options.broken_affinity_values;
    rules.option("podAffinity", affinity.pod_affinity.as_deref(), |rules, affinity| {
        let required = &affinity.required_during_scheduling_ignored_during_execution;
        let preferred = &affinity.preferred_during_scheduling_ignored_during_execution;
        pod_terms(rules, required, preferred, loose);
    });
    rules.option("podAntiAffinity", affinity.pod_anti_affinity.as_deref(), |rules, affinity| {
        let required = &affinity.required_during_scheduling_ignored_during_execution;
        let preferred = &affinity.preferred_during_scheduling_ignored_during_execution;
        pod_terms(rules, required, preferred, loose);
    });
}

fn weight(rules: &mut Rules, weight: i32) {
    if !(1..=100).contains(&weight) {
        rules.invalid("weight", weight, "must be in the range 1-100");
    }
}

fn pod_terms(
    rules: &mut Rules,
    required: &List<PodAffinityTerm>,
    preferred: &List<WeightedPodAffinityTerm>,
    loose: bool,
) {
    rules.each("requiredDuringSchedulingIgnoredDuringExecution", required, |rules, term| {
        pod_term(rules, term, loose);
    });
    rules.each("preferredDuringSchedulingIgnoredDuringExecution", preferred, |rules, term| {
        weight(rules, term.weight);
        rules.within("podAffinityTerm", |rules| pod_term(rules, &term.pod_affinity_term, loose));
    });
}

fn pod_term(rules: &mut Rules, term: &PodAffinityTerm, loose: bool) {
    for (field, labels) in
        [("labelSelector", &term.label_selector), ("namespaceSelector", &term.namespace_selector)]
    {
        if let Some(labels) = labels {
            rules.selector(field, labels, loose);
        }
    }
    for name in &term.namespaces {
        rules.complaints("namespace", name, names::dns1123_label(name));
    }
    match_label_keys(
        rules,
        &term.match_label_keys,
        &term.mismatch_label_keys,
        term.label_selector.as_deref(),
    );
    if term.topology_key.is_empty() {
        rules.required("topologyKey", "can not be empty");
    }
    rules.complaints("topologyKey", &term.topology_key, names::label_key(&term.topology_key));
}

/// Keys whose values are taken from the pod's own labels. A server has added them to the selector by now: a key that
/// is there twice was there before.
pub(super) fn match_label_keys(
    rules: &mut Rules,
    matching: &[Str],
    mismatching: &[Str],
    selector: Option<&LabelSelector>,
) {
    for (field, keys) in [("matchLabelKeys", matching), ("mismatchLabelKeys", mismatching)] {
        if keys.is_empty() {
            continue;
        }
        if selector.is_none() {
            rules.forbidden(field, "must not be specified when labelSelector is not set");
            continue;
        }
        rules.each(field, keys, |rules, key| rules.complaints("", key, names::label_key(key)));
    }
    if matching.is_empty() {
        return;
    }
    if let Some(selector) = selector {
        let mut seen: BTreeSet<&str> = selector.match_labels.keys().map(Str::as_str).collect();
        for expression in &selector.match_expressions {
            let is_repeated = !seen.insert(&expression.key);
            if let Some(index) = matching.iter().rposition(|key| *key == expression.key)
                && is_repeated
            {
                // The path is Kubernetes' own: it lacks the field.
                let detail = "exists in both matchLabelKeys and labelSelector";
                rules.invalid(&format!("[{index}]"), &expression.key, detail);
            }
        }
    }
    let other: BTreeSet<&str> = mismatching.iter().map(Str::as_str).collect();
    rules.each("matchLabelKeys", matching, |rules, key| {
        if other.contains(key.as_str()) {
            rules.invalid("", key, "exists in both matchLabelKeys and mismatchLabelKeys");
        }
    });
}

/// The rule for keys of spread constraints before they were added to the selector.
fn match_label_keys_of_old(rules: &mut Rules, keys: &[Str], selector: Option<&LabelSelector>) {
    if keys.is_empty() {
        return;
    }
    if selector.is_none() {
        rules.forbidden("matchLabelKeys", "must not be specified when labelSelector is not set");
    }
    rules.each("matchLabelKeys", keys, |rules, key| {
        rules.complaints("", key, names::label_key(key));
        let is_selected = selector.is_some_and(|selector| {
            selector.match_labels.contains_key(key)
                || selector.match_expressions.iter().any(|expression| expression.key == *key)
        });
        if is_selected {
            rules.invalid("", key, "exists in both matchLabelKeys and labelSelector");
        }
    });
}

/// The tolerations at this place; unless they may be `comparing`, they have the operators `Equal` and `Exists`.
pub(super) fn tolerations(
    rules: &mut Rules,
    field: &'static str,
    tolerations: &[Toleration],
    comparing: bool,
) {
    rules.each(field, tolerations, |rules, toleration| {
        if !toleration.key.is_empty() {
            rules.complaints("key", &toleration.key, names::label_key(&toleration.key));
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
        operator(rules, toleration, comparing);
        if !toleration.effect.is_empty() {
            taint_effect(rules, toleration.effect.as_str());
        }
    });
}

fn operator(rules: &mut Rules, toleration: &Toleration, comparing: bool) {
    let value = &toleration.value;
    match toleration.operator.as_str() {
        "Equal" | "" => {
            let complaints = names::label_value(value);
            if !complaints.is_empty() {
                rules.invalid("operator", value, complaints.join(";"));
            }
        }
        "Exists" => {
            if !value.is_empty() {
                rules.invalid("operator", value, "value must be empty when `operator` is 'Exists'");
            }
        }
        "Lt" | "Gt" if comparing => {
            rules.complaints("value", value, names::decimal_integer(value));
            if value.parse::<i64>().is_err() {
                let text = crate::quote::quoted(value);
                let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
                let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                let reason = if is_number { "value out of range" } else { "invalid syntax" };
                rules.invalid("value", value, format!("strconv.ParseInt: parsing {text}: {reason}"));
            }
        }
        other @ ("Lt" | "Gt") => rules.not_supported("operator", other, &["Equal", "Exists", "Lt", "Gt"]),
        other => rules.not_supported("operator", other, &["Equal", "Exists"]),
    }
}

/// The effect of a taint that is there.
pub(super) fn taint_effect(rules: &mut Rules, effect: &str) {
    rules.one_of("effect", effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
}

pub(super) fn spread(rules: &mut Rules, constraints: &[TopologySpreadConstraint], options: &Options) {
    // Of several with the same key and action all but the last are one too many.
    let mut seen = Seen::new();
    let repeated: Vec<bool> = constraints
        .iter()
        .rev()
        .map(|constraint| !seen.insert((&*constraint.topology_key, constraint.when_unsatisfiable.as_str())))
        .collect();
    rules.each_indexed("topologySpreadConstraints", constraints, |rules, index, constraint| {
        let when = constraint.when_unsatisfiable.as_str();
        if constraint.max_skew <= 0 {
            rules.invalid("maxSkew", constraint.max_skew, "must be greater than zero");
        }
        if constraint.topology_key.is_empty() {
            rules.required("topologyKey", "can not be empty");
        }
        rules.one_of("whenUnsatisfiable", when, &["DoNotSchedule", "ScheduleAnyway"]);
        if repeated[constraints.len() - 1 - index] {
            let pair = format!("{{{}, {when}}}", constraint.topology_key);
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
        let selector = constraint.label_selector.as_deref();
        if options.broken_spread_keys {
            match_label_keys_of_old(rules, &constraint.match_label_keys, selector);
        } else {
            match_label_keys(rules, &constraint.match_label_keys, &[], selector);
        }
        if let Some(selector) = selector.filter(|_| !options.broken_spread_selectors) {
            rules.selector("labelSelector", selector, false);
        }
    });
}
