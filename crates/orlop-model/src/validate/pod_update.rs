//! What may be changed of a pod that exists.

use super::rules::Rules;
use crate::FieldValue;
use crate::core::v1::{Container, PodSpec, Toleration};

const ALLOWED: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// Images, the deadline (set once or lowered), tolerations (added, or their time changed) and, while there are
/// scheduling gates, the gates and what narrows the choice of a node.
pub(super) fn changes(rules: &mut Rules, new: &PodSpec, old: &PodSpec) {
    if new.containers.len() != old.containers.len() {
        return rules.forbidden("containers", "pod updates may not add or remove containers");
    }
    if new.init_containers.len() != old.init_containers.len() {
        return rules.forbidden("initContainers", "pod updates may not add or remove containers");
    }
    for (field, list) in [("containers", &new.containers), ("initContainers", &new.init_containers)] {
        rules.each(field, list, image);
    }
    deadline(rules, new, old);
    let kept_tolerations = tolerations(rules, new, old);
    for gate in &new.scheduling_gates {
        if !old.scheduling_gates.contains(gate) {
            let index = new.scheduling_gates.iter().position(|other| other == gate).unwrap_or_default();
            let detail = format!("only deletion is allowed, but found new scheduling gate '{}'", gate.name);
            rules.forbidden(&format!("schedulingGates[{index}].name"), detail);
        }
    }
    if !kept_tolerations {
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
        // Adding to a node selector only narrows the choice.
        if old.node_selector.iter().all(|(key, value)| new.node_selector.get(key) == Some(value)) {
            allowed.node_selector = old.node_selector.clone();
        }
        allowed.affinity = old.affinity.clone();
    }
    if allowed != *old {
        rules.forbidden("", ALLOWED);
    }
}

fn image(rules: &mut Rules, container: &Container) {
    if container.image.is_empty() {
        rules.required("image", "");
    }
    if container.image.trim() != &*container.image {
        rules.invalid("image", &container.image, "must not have leading or trailing whitespace");
    }
}

fn deadline(rules: &mut Rules, new: &PodSpec, old: &PodSpec) {
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            rules.in_range("activeDeadlineSeconds", new, 0, i32::MAX.into());
        }
        (Some(new), Some(old)) if new > old => {
            rules.invalid("activeDeadlineSeconds", new, "must be less than or equal to previous value");
        }
        (None, Some(_)) => {
            rules.invalid(
                "activeDeadlineSeconds",
                FieldValue::null(),
                "must not update from a positive integer to nil value",
            );
        }
        _ => {}
    }
}

fn tolerations(rules: &mut Rules, new: &PodSpec, old: &PodSpec) -> bool {
    let timeless = |toleration: &Toleration| Toleration { toleration_seconds: None, ..toleration.clone() };
    let kept = old
        .tolerations
        .iter()
        .map(timeless)
        .all(|old| new.tolerations.iter().map(timeless).any(|new| new == old));
    if !kept {
        rules
            .forbidden("tolerations", "existing toleration can not be modified except its tolerationSeconds");
    }
    kept
}
