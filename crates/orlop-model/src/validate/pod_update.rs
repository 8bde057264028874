//! What may be changed of a pod that exists.

use super::options::Options;
use super::rules::Rules;
use super::{affinity, container};
use crate::FieldValue;
use crate::core::v1::{Affinity, Container, NodeAffinity, NodeSelectorTerm, PodSpec, Toleration};

const ALLOWED: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// Images, the deadline (set once or lowered), tolerations (added, or their time changed) and, while there are
/// scheduling gates, the gates and what narrows the choice of a node.
pub(super) fn changes(rules: &mut Rules, new: &PodSpec, old: &PodSpec, options: &Options) {
    for (field, new, old) in [
        ("containers", &new.containers, &old.containers),
        ("initContainers", &new.init_containers, &old.init_containers),
    ] {
        if new.len() != old.len() {
            return rules.forbidden(field, "pod updates may not add or remove containers");
        }
        rules.each(field, new, image);
    }
    if !deadline(rules, new, old) {
        return;
    }
    tolerations(rules, new, old, options);
    gates(rules, new, old);
    if new == old {
        return;
    }
    let mut allowed = new.clone();
    for (to, from) in allowed.containers.iter_mut().zip(&old.containers) {
        to.image = from.image.clone();
    }
    for (to, from) in allowed.init_containers.iter_mut().zip(&old.init_containers) {
        to.image = from.image.clone();
    }
    allowed.active_deadline_seconds = old.active_deadline_seconds;
    allowed.tolerations = old.tolerations.clone();
    allowed.scheduling_gates = old.scheduling_gates.clone();
    if old.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0)
        && new.termination_grace_period_seconds == Some(1)
    {
        allowed.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    if !old.scheduling_gates.is_empty() {
        narrowing(rules, &mut allowed, old);
    }
    if allowed != *old {
        rules.forbidden("", ALLOWED);
    }
}

fn image(rules: &mut Rules, container: &Container) {
    rules.present("image", &container.image);
    container::padded_image(rules, container);
}

/// False if nothing else is looked at.
fn deadline(rules: &mut Rules, new: &PodSpec, old: &PodSpec) -> bool {
    let field = "activeDeadlineSeconds";
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            rules.in_range(field, new, 0, i32::MAX.into());
            false
        }
        (Some(new), Some(old)) if new > old => {
            rules.invalid(field, new, "must be less than or equal to previous value");
            false
        }
        (None, Some(_)) => {
            let detail = "must not update from a positive integer to nil value";
            rules.invalid(field, FieldValue::null(), detail);
            true
        }
        _ => true,
    }
}

fn tolerations(rules: &mut Rules, new: &PodSpec, old: &PodSpec, options: &Options) {
    let is_same = |new: &Toleration, old: &Toleration| {
        (&new.key, &new.operator, &new.value, &new.effect)
            == (&old.key, &old.operator, &old.value, &old.effect)
    };
    let are_kept = old.tolerations.iter().all(|old| new.tolerations.iter().any(|new| is_same(new, old)));
    if are_kept {
        affinity::tolerations(rules, "tolerations", &new.tolerations, options.comparing_tolerations);
    } else {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        rules.forbidden("tolerations", detail);
    }
}

fn gates(rules: &mut Rules, new: &PodSpec, old: &PodSpec) {
    let gates = &new.scheduling_gates;
    rules.each_indexed("schedulingGates", gates, |rules, index, gate| {
        let is_last = gates[index + 1..].iter().all(|other| other.name != gate.name);
        if is_last && old.scheduling_gates.iter().all(|other| other.name != gate.name) {
            let detail = format!("only deletion is allowed, but found new scheduling gate '{}'", gate.name);
            rules.forbidden("name", detail);
        }
    });
}

/// While a pod may not be scheduled, the choice of its node can be narrowed; what is fine is taken from `old`.
fn narrowing(rules: &mut Rules, new: &mut PodSpec, old: &PodSpec) {
    if new.node_selector != old.node_selector {
        if old.node_selector.iter().any(|(key, value)| new.node_selector.get(key) != Some(value)) {
            let detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
            rules.invalid("nodeSelector", FieldValue::of(&new.node_selector), detail);
        }
        new.node_selector = old.node_selector.clone();
    }
    let of = |spec: &PodSpec| spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.clone());
    let (after, before) = (of(new), of(old));
    if after == before {
        return;
    }
    rules.within("affinity", |rules| {
        rules.within("nodeAffinity", |rules| node_affinity(rules, after.as_deref(), before.as_deref()));
    });
    let affinity = new.affinity.get_or_insert_default();
    affinity.node_affinity = before;
    if old.affinity.is_none() && **affinity == Affinity::default() {
        new.affinity = None;
    }
}

fn node_affinity(rules: &mut Rules, new: Option<&NodeAffinity>, old: Option<&NodeAffinity>) {
    let terms = |affinity: Option<&NodeAffinity>| {
        affinity
            .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref())
            .map(|selector| selector.node_selector_terms.clone())
            .unwrap_or_default()
    };
    let (new, old) = (terms(new), terms(old));
    if old.is_empty() {
        return;
    }
    rules.within("requiredDuringSchedulingIgnoredDuringExecution", |rules| {
        if new.len() != old.len() {
            let detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
            return rules.invalid("nodeSelectorTerms", FieldValue::of(&new), detail);
        }
        rules.each_indexed("nodeSelectorTerms", &new, |rules, index, term| {
            if !only_adds(term, &old[index]) {
                let detail = "only additions are allowed (no mutations or deletions)";
                rules.invalid("", FieldValue::of(term), detail);
            }
        });
    });
}

/// Whether a term selects no more than before: an empty one selected nothing.
fn only_adds(new: &NodeSelectorTerm, old: &NodeSelectorTerm) -> bool {
    let was_empty = old.match_expressions.is_empty() && old.match_fields.is_empty();
    let is_empty = new.match_expressions.is_empty() && new.match_fields.is_empty();
    (!was_empty || is_empty)
        && new.match_expressions.starts_with(&old.match_expressions)
        && new.match_fields.starts_with(&old.match_fields)
}
