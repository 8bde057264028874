//! Jobs.

use super::rules::{IMMUTABLE, Rules};
use super::{Validate, workload};
use crate::batch::v1::{CompletionMode, Job, JobSpec, PodFailurePolicy};
use crate::core::v1::RestartPolicy;
use crate::names::{self, NameRule};
use crate::selector::Selector;
use crate::{FieldError, FieldValue, Map, Str};

/// Most pods at a time of an indexed Job.
const MAX_INDEXED_PARALLELISM: i32 = 100_000;
const MAX_FAILURE_RULES: usize = 20;
const MAX_EXIT_CODES: usize = 255;

impl Validate for Job {
    const NAME_RULE: NameRule = NameRule::Subdomain;

    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("spec");
        rules.metadata(self, Self::NAME_RULE);
        spec(&mut rules, &self.spec);
        generated_labels(&mut rules, self);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("spec");
        rules.metadata_update(self, old);
        spec(&mut rules, &self.spec);
        generated_labels(&mut rules, self);
        let (new, old) = (&self.spec, &old.spec);
        let elastic = new.completion_mode == Some(CompletionMode::Indexed)
            && new.completions == new.parallelism
            && old.completion_mode == Some(CompletionMode::Indexed);
        if !elastic {
            rules.immutable("completions", &new.completions, &old.completions);
        }
        rules.immutable("selector", &new.selector, &old.selector);
        template_update(&mut rules, new, old);
        rules.immutable("completionMode", &new.completion_mode, &old.completion_mode);
        rules.immutable("podFailurePolicy", &new.pod_failure_policy, &old.pod_failure_policy);
        rules.immutable("backoffLimitPerIndex", &new.backoff_limit_per_index, &old.backoff_limit_per_index);
        rules.immutable("managedBy", &new.managed_by, &old.managed_by);
        rules.immutable("successPolicy", &new.success_policy, &old.success_policy);
        rules.finish()
    }
}

/// While a Job is suspended, where its pods may run can still be changed, and their labels and annotations.
fn template_update(rules: &mut Rules, new: &JobSpec, old: &JobSpec) {
    let mut allowed = new.template.clone();
    if old.suspend == Some(true) {
        allowed.metadata.labels = old.template.metadata.labels.clone();
        allowed.metadata.annotations = old.template.metadata.annotations.clone();
        let (to, from) = (&mut allowed.spec, &old.template.spec);
        to.node_selector = from.node_selector.clone();
        to.tolerations = from.tolerations.clone();
        to.scheduling_gates = from.scheduling_gates.clone();
        to.affinity = from.affinity.clone();
        for (to, from) in to.containers.iter_mut().zip(&from.containers) {
            to.resources = from.resources.clone();
        }
    }
    if allowed.metadata != old.template.metadata || (old.suspend != Some(true) && allowed != old.template) {
        rules.invalid("template", FieldValue::of(&new.template), IMMUTABLE);
    } else if allowed.spec != old.template.spec {
        rules.invalid("template.spec", FieldValue::of(&new.template.spec), IMMUTABLE);
    }
}

fn spec(rules: &mut Rules, spec: &JobSpec) {
    for (field, number) in [
        ("parallelism", spec.parallelism),
        ("completions", spec.completions),
        ("backoffLimit", spec.backoff_limit),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
    ] {
        rules.not_negative(field, number.unwrap_or_default());
    }
    rules.not_negative("activeDeadlineSeconds", spec.active_deadline_seconds.unwrap_or_default());
    let indexed = spec.completion_mode == Some(CompletionMode::Indexed);
    if let Some(mode) = &spec.completion_mode {
        rules.one_of("completionMode", mode.as_str(), &["Indexed", "NonIndexed"]);
    }
    if indexed && spec.completions.is_none() {
        rules.required("completions", "when completion mode is Indexed");
    }
    if indexed && spec.parallelism.is_some_and(|parallelism| parallelism > MAX_INDEXED_PARALLELISM) {
        let detail = format!(
            "must be less than or equal to {MAX_INDEXED_PARALLELISM} when completion mode is Indexed"
        );
        rules.invalid("parallelism", spec.parallelism.unwrap_or_default(), detail);
    }
    for (field, number) in [
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
    ] {
        if let Some(number) = number
            && !indexed
        {
            rules.invalid(field, number, "requires indexed completion mode");
        }
    }
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        rules.required("backoffLimitPerIndex", "when maxFailedIndexes is specified");
    }
    if let Some(manager) = &spec.managed_by {
        let path = rules.path("managedBy");
        rules.extend(names::domain_prefixed_path(&path, manager));
        if manager.len() > 63 {
            rules.push(FieldError::too_long(path, 63));
        }
    }
    if let Some(policy) = &spec.pod_replacement_policy {
        let supported: &[&str] =
            if spec.pod_failure_policy.is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        rules.one_of("podReplacementPolicy", policy.as_str(), supported);
    }
    rules.option("podFailurePolicy", spec.pod_failure_policy.as_deref(), |rules, policy| {
        failure_policy(rules, policy, spec)
    });
    rules.option("successPolicy", spec.success_policy.as_deref(), |rules, policy| {
        if !indexed {
            rules.invalid("", FieldValue::of(policy), "requires indexed completion mode");
        }
        if policy.rules.is_empty() {
            rules.required(
                "rules",
                "at least one rules must be specified when the successPolicy is specified",
            );
        }
        rules.each("rules", &policy.rules, |rules, rule| {
            if !indexed {
                return;
            }
            if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
                rules.required("", "at least one of succeededCount or succeededIndexes must be specified");
            }
            if let Some(count) = rule.succeeded_count
                && count <= 0
            {
                rules.invalid("succeededCount", count, "must be greater than 0");
            }
        });
    });
    rules.within("template", |rules| {
        workload::pod_template(rules, &spec.template);
        let policy = &spec.template.spec.restart_policy;
        if policy.is_empty() || *policy == RestartPolicy::Always {
            rules.required("spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
        } else {
            rules.one_of("spec.restartPolicy", policy.as_str(), &["Never", "OnFailure"]);
        }
        if spec.pod_failure_policy.is_some() && *policy != RestartPolicy::Never {
            let detail = "only \"Never\" is supported when podFailurePolicy is specified";
            rules.invalid("spec.restartPolicy", policy.as_str(), detail);
        }
    });
}

fn failure_policy(rules: &mut Rules, policy: &PodFailurePolicy, spec: &JobSpec) {
    if policy.rules.len() > MAX_FAILURE_RULES {
        let path = rules.path("rules");
        rules.push(FieldError::too_many(path, policy.rules.len(), MAX_FAILURE_RULES));
    }
    rules.each("rules", &policy.rules, |rules, rule| {
        let action = rule.action.as_str();
        rules.required_one_of("action", action, &["Count", "FailIndex", "FailJob", "Ignore"]);
        if action == "FailIndex" && spec.backoff_limit_per_index.is_none() {
            rules.invalid("action", action, "requires the backoffLimitPerIndex to be set");
        }
        match (&rule.on_exit_codes, rule.on_pod_conditions.is_empty()) {
            (Some(_), false) => {
                let detail = "specifying both OnExitCodes and OnPodConditions is not supported";
                rules.invalid("", FieldValue::null(), detail);
            }
            (None, true) => rules.invalid(
                "",
                FieldValue::null(),
                "specifying one of OnExitCodes and OnPodConditions is required",
            ),
            _ => {}
        }
        rules.option("onExitCodes", rule.on_exit_codes.as_deref(), |rules, codes| {
            let operator = codes.operator.as_str();
            rules.required_one_of("operator", operator, &["In", "NotIn"]);
            if let Some(name) = codes.container_name.as_ref()
                && !spec
                    .template
                    .spec
                    .containers
                    .iter()
                    .chain(&spec.template.spec.init_containers)
                    .any(|container| container.name == *name)
            {
                rules.invalid(
                    "containerName",
                    name,
                    "must be one of the container or initContainer names in the pod template",
                );
            }
            if codes.values.is_empty() {
                rules.invalid("values", FieldValue::of(&codes.values), "at least one value is required");
            } else if codes.values.len() > MAX_EXIT_CODES {
                let path = rules.path("values");
                rules.push(FieldError::too_many(path, codes.values.len(), MAX_EXIT_CODES));
            }
            let mut seen = std::collections::BTreeSet::new();
            rules.each("values", &codes.values, |rules, code| {
                if operator == "In" && *code == 0 {
                    rules.invalid("", *code, "must not be 0 for the In operator");
                }
                if !seen.insert(*code) {
                    rules.duplicate("", *code);
                }
            });
            if !codes.values.is_sorted() {
                rules.invalid("values", FieldValue::of(&codes.values), "must be ordered");
            }
        });
    });
}

/// The labels by which a Job finds its pods; the server makes them unless the user takes care of the selector.
fn generated_labels(rules: &mut Rules, job: &Job) {
    let labels = &job.spec.template.metadata.labels;
    let selector = job.spec.selector.as_deref();
    if selector.is_none() {
        rules.required("selector", "");
    }
    let matcher = Selector::from_object(selector).unwrap_or_else(|_| Selector::nothing());
    if !matcher.matches(labels) {
        rules.invalid(
            "template.metadata.labels",
            FieldValue::of(labels),
            "`selector` does not match template `labels`",
        );
    }
    if job.spec.manual_selector == Some(true) {
        return;
    }
    let wanted = [
        ("batch.kubernetes.io/controller-uid", &job.metadata.uid),
        ("controller-uid", &job.metadata.uid),
        ("batch.kubernetes.io/job-name", &job.metadata.name),
        ("job-name", &job.metadata.name),
    ];
    rules.within("template", |rules| {
        for (label, wanted) in wanted {
            let field = format!("metadata.labels[{label}]");
            match labels.get(label) {
                None => rules.required(&field, format!("must be '{wanted}'")),
                Some(found) if found != wanted => {
                    rules.invalid(&field, FieldValue::of(labels), format!("must be '{wanted}'"));
                }
                Some(_) => {}
            }
        }
    });
    let generated: Map<Str> = wanted.into_iter().map(|(label, value)| (label, value.clone())).collect();
    if !matcher.matches(&generated) {
        rules.invalid("selector", FieldValue::of(&selector), "`selector` not auto-generated");
    }
}
