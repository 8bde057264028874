//! Deployments and ReplicaSets, and what templates of pods have in common.

use super::rules::Rules;
use super::{Validate, pod};
use crate::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategyType, ReplicaSet, ReplicaSetSpec};
use crate::core::v1::PodTemplateSpec;
use crate::selector::Selector;
use crate::{FieldError, FieldValue, IntOrString, LabelSelector, metadata, names, selector};

impl Validate for Deployment {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("spec");
        rules.metadata(self, Self::NAME_RULE);
        deployment(&mut rules, &self.spec);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("spec");
        rules.metadata_update(self, old);
        deployment(&mut rules, &self.spec);
        rules.immutable("selector", &self.spec.selector, &old.spec.selector);
        rules.finish()
    }
}

fn deployment(rules: &mut Rules, spec: &DeploymentSpec) {
    rules.not_negative("replicas", spec.replicas.unwrap_or_default());
    selector_of(rules, spec.selector.as_deref(), "deployment");
    template(rules, spec.selector.as_deref(), &spec.template, &["Always"], "Deployment");
    strategy(rules, spec);
    rules.not_negative("minReadySeconds", spec.min_ready_seconds);
    rules.not_negative("revisionHistoryLimit", spec.revision_history_limit.unwrap_or_default());
    if let Some(deadline) = spec.progress_deadline_seconds {
        rules.not_negative("progressDeadlineSeconds", deadline);
        if deadline <= spec.min_ready_seconds {
            rules.invalid("progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
        }
    }
}

fn strategy(rules: &mut Rules, spec: &DeploymentSpec) {
    rules.within("strategy", |rules| {
        let strategy = &spec.strategy;
        rules.required_one_of("type", strategy.type_.as_str(), &["Recreate", "RollingUpdate"]);
        let Some(bounds) = strategy.rolling_update.as_deref() else {
            return;
        };
        if strategy.type_ == DeploymentStrategyType::Recreate {
            return rules
                .forbidden("rollingUpdate", "may not be specified when strategy `type` is 'Recreate'");
        }
        rules.within("rollingUpdate", |rules| {
            for (field, bound) in
                [("maxUnavailable", &bounds.max_unavailable), ("maxSurge", &bounds.max_surge)]
            {
                if let Some(bound) = bound {
                    amount_or_percentage(rules, field, bound);
                }
            }
            let is_zero = |bound: &Option<IntOrString>| match bound {
                None => true,
                Some(IntOrString::Int(number)) => *number == 0,
                Some(text) => text.scaled(100, true) == Ok(0),
            };
            if is_zero(&bounds.max_unavailable) && is_zero(&bounds.max_surge) {
                let value = FieldValue::of(&bounds.max_unavailable);
                rules.invalid("maxUnavailable", value, "may not be 0 when `maxSurge` is 0");
            }
            if let Some(unavailable @ IntOrString::String(_)) = &bounds.max_unavailable
                && unavailable.scaled(100, false).is_ok_and(|percent| percent > 100)
            {
                rules.invalid("maxUnavailable", FieldValue::of(unavailable), "must not be greater than 100%");
            }
        });
    });
}

fn amount_or_percentage(rules: &mut Rules, field: &str, bound: &IntOrString) {
    match bound {
        IntOrString::Int(number) => rules.not_negative(field, *number),
        IntOrString::String(text) => rules.complaints(field, text, names::percent(text)),
    }
}

impl Validate for ReplicaSet {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("spec");
        rules.metadata(self, Self::NAME_RULE);
        replica_set(&mut rules, &self.spec);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("spec");
        rules.metadata_update(self, old);
        replica_set(&mut rules, &self.spec);
        rules.immutable("selector", &self.spec.selector, &old.spec.selector);
        rules.finish()
    }
}

fn replica_set(rules: &mut Rules, spec: &ReplicaSetSpec) {
    rules.not_negative("replicas", spec.replicas.unwrap_or_default());
    rules.not_negative("minReadySeconds", spec.min_ready_seconds);
    selector_of(rules, spec.selector.as_deref(), "deployment");
    template(rules, spec.selector.as_deref(), &spec.template, &["Always"], "ReplicaSet");
}

/// A selector that must be there, be well-formed and not select everything.
fn selector_of(rules: &mut Rules, selector: Option<&LabelSelector>, owner: &str) {
    let Some(selector) = selector else {
        return rules.required("selector", "");
    };
    let path = rules.path("selector");
    rules.extend(selector::validate(selector, false, &path));
    if selector.match_labels.is_empty() && selector.match_expressions.is_empty() {
        rules.invalid("selector", FieldValue::of(selector), format!("empty selector is invalid for {owner}"));
    }
}

/// A template whose pods the selector must select.
fn template(
    rules: &mut Rules,
    selector: Option<&LabelSelector>,
    template: &PodTemplateSpec,
    policies: &[&str],
    owner: &str,
) {
    let matcher = Selector::from_object(selector).ok();
    if matcher.is_none() {
        rules.invalid("selector", FieldValue::of(&selector), "invalid label selector");
    }
    rules.within("template", |rules| {
        if let Some(matcher) = matcher
            && !matcher.is_everything()
            && !matcher.matches(&template.metadata.labels)
        {
            let labels = FieldValue::of(&template.metadata.labels);
            rules.invalid("metadata.labels", labels, "`selector` does not match template `labels`");
        }
        pod_template(rules, template);
        if !template.spec.restart_policy.is_empty() {
            rules.one_of("spec.restartPolicy", template.spec.restart_policy.as_str(), policies);
        }
        if template.spec.active_deadline_seconds.is_some() {
            let detail = format!("activeDeadlineSeconds in {owner} is not Supported");
            rules.forbidden("spec.activeDeadlineSeconds", detail);
        }
    });
}

pub(super) fn pod_template(rules: &mut Rules, template: &PodTemplateSpec) {
    let (labels, annotations) = (rules.path("labels"), rules.path("annotations"));
    rules.extend(metadata::validate_labels(&template.metadata.labels, &labels));
    rules.extend(metadata::validate_annotations(&template.metadata.annotations, &annotations));
    rules.within("spec", |rules| pod::spec(rules, &template.spec));
    if !template.spec.ephemeral_containers.is_empty() {
        rules.forbidden("spec.ephemeralContainers", "ephemeral containers not allowed in pod template");
    }
}
