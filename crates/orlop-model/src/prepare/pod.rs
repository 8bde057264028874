//! Pods, and templates of pods.

use super::Prepare;
use crate::core::v1::{
    AppArmorProfile, AppArmorProfileType, ConditionStatus, Container, OSName, Pod, PodAffinityTerm,
    PodCondition, PodConditionType, PodPhase, PodSpec, PodStatus,
};
use crate::meta::v1::{LabelSelectorOperator, LabelSelectorRequirement};
use crate::validate::APP_ARMOR;
use crate::{LabelSelector, Map, Str, list, pod_resources};

impl Prepare for Pod {
    fn prepare_for_create(&mut self) {
        self.metadata.generation = 1;
        self.status = PodStatus {
            phase: PodPhase::Pending,
            qos_class: pod_resources::compute_qos_class(self),
            ..PodStatus::default()
        };
        drop_disabled(&mut self.spec, None);
        if !self.spec.scheduling_gates.is_empty() {
            self.status.conditions.push(PodCondition {
                type_: PodConditionType::PodScheduled,
                status: ConditionStatus::False,
                reason: "SchedulingGated".into(),
                message: "Scheduling is blocked due to non-empty scheduling gates".into(),
                ..PodCondition::default()
            });
        }
        select_own_labels(&mut self.spec, &self.metadata.labels);
        app_armor_of_annotations(&mut self.spec, &self.metadata.annotations);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        drop_disabled(&mut self.spec, Some(&old.spec));
        if self.spec != old.spec {
            self.metadata.generation = old.metadata.generation + 1;
        }
    }
}

fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    let ephemeral = spec.ephemeral_containers.iter().map(|container| &container.container);
    spec.init_containers.iter().chain(&spec.containers).chain(ephemeral)
}

fn containers_mut(spec: &mut PodSpec) -> impl Iterator<Item = &mut Container> {
    let ephemeral = spec.ephemeral_containers.iter_mut().map(|container| &mut container.container);
    spec.init_containers.iter_mut().chain(&mut spec.containers).chain(ephemeral)
}

/// Takes off fields whose feature Kubernetes 1.36 leaves switched off, unless the spec had them before: signals to
/// stop by.
pub(super) fn drop_disabled(spec: &mut PodSpec, old: Option<&PodSpec>) {
    let has_signal = |container: &Container| {
        container.lifecycle.as_ref().is_some_and(|lifecycle| lifecycle.stop_signal.is_some())
    };
    if old.is_some_and(|old| containers(old).any(has_signal)) || !containers(spec).any(has_signal) {
        return;
    }
    for container in containers_mut(spec) {
        if let Some(lifecycle) = &mut container.lifecycle {
            lifecycle.stop_signal = None;
            if lifecycle.post_start.is_none() && lifecycle.pre_stop.is_none() {
                container.lifecycle = None;
            }
        }
    }
}

/// Adds conditions on the pod's own labels to the selectors that ask for them by key.
fn select_own_labels(spec: &mut PodSpec, labels: &Map<Str>) {
    let add = |selector: &mut LabelSelector, keys: &[Str], operator: LabelSelectorOperator| {
        for key in keys {
            if let Some(value) = labels.get(key) {
                selector.match_expressions.push(LabelSelectorRequirement {
                    key: key.clone(),
                    operator: operator.clone(),
                    values: list![value.clone()],
                    ..LabelSelectorRequirement::default()
                });
            }
        }
    };
    let of_term = |term: &mut PodAffinityTerm| {
        if let Some(selector) = term.label_selector.as_deref_mut() {
            add(selector, &term.match_label_keys, LabelSelectorOperator::In);
            add(selector, &term.mismatch_label_keys, LabelSelectorOperator::NotIn);
        }
    };
    if let Some(affinity) = spec.affinity.as_deref_mut() {
        if let Some(affinity) = affinity.pod_affinity.as_deref_mut() {
            affinity.required_during_scheduling_ignored_during_execution.iter_mut().for_each(of_term);
            let preferred = &mut affinity.preferred_during_scheduling_ignored_during_execution;
            preferred.iter_mut().for_each(|term| of_term(&mut term.pod_affinity_term));
        }
        if let Some(affinity) = affinity.pod_anti_affinity.as_deref_mut() {
            affinity.required_during_scheduling_ignored_during_execution.iter_mut().for_each(of_term);
            let preferred = &mut affinity.preferred_during_scheduling_ignored_during_execution;
            preferred.iter_mut().for_each(|term| of_term(&mut term.pod_affinity_term));
        }
    }
    for constraint in &mut spec.topology_spread_constraints {
        if let Some(selector) = constraint.label_selector.as_deref_mut() {
            add(selector, &constraint.match_label_keys, LabelSelectorOperator::In);
        }
    }
}

/// Profiles given by annotations, as they were before there was a field.
fn app_armor_of_annotations(spec: &mut PodSpec, annotations: &Map<Str>) {
    if annotations.is_empty() || spec.os.as_ref().is_some_and(|os| os.name == OSName::Windows) {
        return;
    }
    let of_pod = spec.security_context.as_ref().and_then(|context| context.app_armor_profile.clone());
    for container in containers_mut(spec) {
        let has_field =
            container.security_context.as_ref().is_some_and(|context| context.app_armor_profile.is_some());
        let Some(annotation) = annotations.get(&format!("{APP_ARMOR}{}", container.name)) else {
            continue;
        };
        let Some(profile) = app_armor_profile(annotation).filter(|_| !has_field) else {
            continue;
        };
        if of_pod.as_deref() != Some(&profile) {
            let context = container.security_context.get_or_insert_default();
            context.app_armor_profile = Some(Box::new(profile));
        }
    }
}

fn app_armor_profile(annotation: &str) -> Option<AppArmorProfile> {
    let (type_, local) = match annotation {
        "unconfined" => (AppArmorProfileType::Unconfined, None),
        "runtime/default" => (AppArmorProfileType::RuntimeDefault, None),
        _ => {
            let name = annotation.strip_prefix("localhost/").filter(|name| !name.trim().is_empty())?;
            (AppArmorProfileType::Localhost, Some(name.into()))
        }
    };
    Some(AppArmorProfile { type_, localhost_profile: local, ..AppArmorProfile::default() })
}
