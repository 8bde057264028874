//! Deployments and ReplicaSets, and what workloads have in common: selectors, templates, bounds of rollouts.

use super::options::Options;
use super::rules::Rules;
use super::{Validate, annotations, pod, warnings};
use crate::apps::v1::{Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec, RollingUpdateDeployment};
use crate::core::v1::PodTemplateSpec;
use crate::selector::{Selector, SelectorError};
use crate::{FieldError, FieldValue, IntOrString, LabelSelector, names};

impl Validate for Deployment {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| deployment(rules, &self.spec, &Options::default()));
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("spec", |rules| {
            deployment(rules, &self.spec, &Options::after_template(&old.spec.template));
            rules.immutable("selector", &self.spec.selector, &old.spec.selector);
        });
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        let mut warnings = warnings::host_name(&self.metadata.name);
        warnings.extend(warnings::of_template("spec.template", &self.spec.template));
        warnings
    }

    fn warnings_on_update(&self, old: &Self) -> Vec<String> {
        if self.metadata.generation == old.metadata.generation {
            return Vec::new();
        }
        warnings::of_template("spec.template", &self.spec.template)
    }
}

fn deployment(rules: &mut Rules, spec: &DeploymentSpec, options: &Options) {
    rules.not_negative("replicas", spec.replicas.unwrap_or_default());
    selector(rules, spec.selector.as_deref(), "deployment");
    match Selector::from_object(spec.selector.as_deref()) {
        Err(_) => rules.invalid("selector", FieldValue::of(&spec.selector), "invalid label selector"),
        Ok(matcher) => rules.within("template", |rules| {
            selected_template(rules, &matcher, &spec.template, "ReplicaSet", options);
        }),
    }
    rules.within("strategy", |rules| strategy(rules, spec));
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
    let bounds = spec.strategy.rolling_update.as_deref();
    match spec.strategy.type_.as_str() {
        "Recreate" => {
            if bounds.is_some() {
                rules.forbidden("rollingUpdate", "may not be specified when strategy `type` is 'Recreate'");
            }
        }
        "RollingUpdate" => match bounds {
            None => rules.required("rollingUpdate", "this should be defaulted and never be nil"),
            Some(bounds) => rules.within("rollingUpdate", |rules| rolling_update(rules, bounds)),
        },
        _ => rules.not_supported("", FieldValue::of(&spec.strategy), &["Recreate", "RollingUpdate"]),
    }
}

fn rolling_update(rules: &mut Rules, bounds: &RollingUpdateDeployment) {
    let [unavailable, surge] =
        [&bounds.max_unavailable, &bounds.max_surge].map(|bound| or_zero(bound.as_ref()));
    amount_or_percentage(rules, "maxUnavailable", &unavailable);
    amount_or_percentage(rules, "maxSurge", &surge);
    if is_zero(&unavailable) && is_zero(&surge) {
        let detail = "may not be 0 when `maxSurge` is 0";
        rules.invalid("maxUnavailable", FieldValue::of(&unavailable), detail);
    }
    at_most_all(rules, "maxUnavailable", &unavailable);
}

/// A bound; an absent one is zero.
pub(super) fn or_zero(bound: Option<&IntOrString>) -> IntOrString {
    bound.cloned().unwrap_or_else(|| IntOrString::Int(0))
}

/// A count or a percentage, neither of them negative.
pub(super) fn amount_or_percentage(rules: &mut Rules, field: &str, bound: &IntOrString) {
    match bound {
        IntOrString::Int(number) => rules.not_negative(field, *number),
        IntOrString::String(text) => rules.complaints(field, text, names::percent(text)),
    }
}

/// The number before the percent sign.
fn percentage(bound: &IntOrString) -> Option<i64> {
    match bound {
        IntOrString::String(text) if names::percent(text).is_empty() => {
            Some(text.trim_end_matches('%').parse().unwrap_or(i64::MAX))
        }
        _ => None,
    }
}

/// Whether a bound is zero, be it a count or a percentage; a text that is neither counts as the number that it is, or
/// as zero.
pub(super) fn is_zero(bound: &IntOrString) -> bool {
    match bound {
        IntOrString::Int(number) => *number == 0,
        IntOrString::String(text) => {
            percentage(bound).unwrap_or_else(|| text.parse::<i64>().unwrap_or_default()) == 0
        }
    }
}

pub(super) fn at_most_all(rules: &mut Rules, field: &str, bound: &IntOrString) {
    if percentage(bound).is_some_and(|percent| percent > 100) {
        rules.invalid(field, FieldValue::of(bound), "must not be greater than 100%");
    }
}

impl Validate for ReplicaSet {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| replica_set(rules, &self.spec, &Options::default()));
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("spec", |rules| {
            replica_set(rules, &self.spec, &Options::after_template(&old.spec.template));
            rules.immutable("selector", &self.spec.selector, &old.spec.selector);
        });
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        let mut warnings = warnings::host_name(&self.metadata.name);
        warnings.extend(warnings::of_template("spec.template", &self.spec.template));
        warnings
    }

    fn warnings_on_update(&self, old: &Self) -> Vec<String> {
        if self.metadata.generation == old.metadata.generation {
            return Vec::new();
        }
        warnings::of_template("spec.template", &self.spec.template)
    }
}

fn replica_set(rules: &mut Rules, spec: &ReplicaSetSpec, options: &Options) {
    rules.not_negative("replicas", spec.replicas.unwrap_or_default());
    rules.not_negative("minReadySeconds", spec.min_ready_seconds);
    // The word is Kubernetes' own.
    selector(rules, spec.selector.as_deref(), "deployment");
    match Selector::from_object(spec.selector.as_deref()) {
        Err(_) => rules.invalid("selector", FieldValue::of(&spec.selector), "invalid label selector"),
        Ok(matcher) => rules.within("template", |rules| {
            selected_template(rules, &matcher, &spec.template, "ReplicaSet", options);
        }),
    }
}

/// A selector that must be there, be well-formed and not select everything.
pub(super) fn selector(rules: &mut Rules, selector: Option<&LabelSelector>, owner: &str) {
    let Some(selector) = selector else {
        return rules.required("selector", "");
    };
    rules.selector("selector", selector, false);
    not_everything(rules, selector, owner);
}

pub(super) fn not_everything(rules: &mut Rules, selector: &LabelSelector, owner: &str) {
    if selector.match_labels.is_empty() && selector.match_expressions.is_empty() {
        rules.invalid("selector", FieldValue::of(selector), format!("empty selector is invalid for {owner}"));
    }
}

/// What is selected by a selector that may be absent.
pub(super) fn matcher(selector: Option<&LabelSelector>) -> Result<Selector, SelectorError> {
    Selector::from_object(selector)
}

/// The template at this place, whose pods the selector has to match and which run for ever.
pub(super) fn selected_template(
    rules: &mut Rules,
    matcher: &Selector,
    template: &PodTemplateSpec,
    owner: &str,
    options: &Options,
) {
    if !matcher.is_everything() {
        selected_labels(rules, matcher, template);
    }
    pod_template(rules, template, &[], options);
    runs_for_ever(rules, template, owner);
}

pub(super) fn selected_labels(rules: &mut Rules, matcher: &Selector, template: &PodTemplateSpec) {
    let labels = &template.metadata.labels;
    if !matcher.matches(labels) {
        let detail = "`selector` does not match template `labels`";
        rules.invalid("metadata.labels", FieldValue::of(labels), detail);
    }
}

/// A template of pods that are restarted whatever happens.
pub(super) fn runs_for_ever(rules: &mut Rules, template: &PodTemplateSpec, owner: &str) {
    rules.one_of("spec.restartPolicy", template.spec.restart_policy.as_str(), &["Always"]);
    if template.spec.active_deadline_seconds.is_some() {
        let detail = format!("activeDeadlineSeconds in {owner} is not Supported");
        rules.forbidden("spec.activeDeadlineSeconds", detail);
    }
}

/// The template at this place. `claims` are names of volumes that its owner adds to the pods.
pub(super) fn pod_template(
    rules: &mut Rules,
    template: &PodTemplateSpec,
    claims: &[&str],
    options: &Options,
) {
    // The paths of these are Kubernetes' own: they lack `metadata`.
    rules.labels("labels", &template.metadata.labels);
    rules.annotations("annotations", &template.metadata.annotations);
    annotations::of_pod(rules, &template.metadata.annotations, &template.spec, options);
    rules.within("spec", |rules| {
        pod::spec(rules, &template.spec, None, claims, options);
        annotations::profiles(rules, &template.metadata, &template.spec);
        if !template.spec.ephemeral_containers.is_empty() {
            rules.forbidden("ephemeralContainers", "ephemeral containers not allowed in pod template");
        }
    });
}
