//! Jobs.

use super::options::Options;
use super::rules::{IMMUTABLE, Rules, Seen};
use super::{Validate, warnings, workload};
use crate::batch::v1::{
    CompletionMode, Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, SuccessPolicyRule,
};
use crate::core::v1::{Affinity, ConditionStatus, PodTemplateSpec, RestartPolicy};
use crate::quote::quoted;
use crate::{FieldError, FieldValue, Map, Str, names};

/// Most pods at a time of an indexed Job, and most of its indexes that may fail.
const MAX_INDEXED: i32 = 100_000;
/// With more completions than this, failures by index are bounded more tightly.
const MANY_COMPLETIONS: i32 = 100_000;
const MAX_WITH_MANY_COMPLETIONS: i32 = 10_000;
const MAX_FAILURE_RULES: usize = 20;
const MAX_EXIT_CODES: usize = 255;
const MAX_CONDITIONS: usize = 20;
const MAX_SUCCESS_RULES: usize = 20;
const MAX_INDEXES_TEXT: usize = 64 << 10;
const MAX_MANAGER: usize = 63;

pub(crate) const UID_LABEL: &str = "batch.kubernetes.io/controller-uid";
pub(crate) const NAME_LABEL: &str = "batch.kubernetes.io/job-name";
pub(crate) const OLD_UID_LABEL: &str = "controller-uid";
pub(crate) const OLD_NAME_LABEL: &str = "job-name";

impl Validate for Job {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        whole(&mut rules, self, true, false, &Options::default());
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let options = Options::after_template(&old.spec.template);
        // Jobs from before the labels with a domain do not have them.
        let labels = &old.spec.template.metadata.labels;
        let prefixed = labels.contains_key(UID_LABEL) && labels.contains_key(NAME_LABEL);
        let loose = options.broken_affinity_values
            || old.spec.selector.as_deref().is_some_and(|selector| {
                let values = selector.match_expressions.iter().flat_map(|expression| &expression.values);
                values.into_iter().any(|value| !names::label_value(value).is_empty())
            });
        let mut rules = Rules::new("");
        whole(&mut rules, self, prefixed, loose, &options);
        rules.metadata_update(self, old);
        rules.within("spec", |rules| {
            selected_spec(rules, &self.spec, loose, &options);
            changes(rules, self, old);
        });
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        let mut warnings = warnings::host_name(&self.metadata.name);
        warnings.extend(warnings::of_job("spec", &self.spec));
        warnings
    }

    fn warnings_on_update(&self, old: &Self) -> Vec<String> {
        if self.metadata.generation == old.metadata.generation {
            return Vec::new();
        }
        warnings::of_job("spec", &self.spec)
    }
}

/// What holds for new and for changed Jobs. `prefixed`: pods carry labels with a domain too; `loose`: values in the
/// selector are not checked.
fn whole(rules: &mut Rules, job: &Job, prefixed: bool, loose: bool, options: &Options) {
    rules.metadata(job, Job::NAME_RULE);
    generated_labels(rules, job, prefixed);
    rules.within("spec", |rules| selected_spec(rules, &job.spec, loose, options));
    if job.spec.completion_mode == Some(CompletionMode::Indexed)
        && let Some(count) = job.spec.completions
        && count > 0
    {
        let host = format!("{}-{}", job.metadata.name, count - 1);
        if !names::dns1123_label(&host).is_empty() {
            let detail = format!("will not able to create pod with invalid DNS label: {host}");
            rules.invalid("metadata.name", &job.metadata.name, detail);
        }
    }
}

/// The labels by which a Job finds its pods; the server makes them unless the user takes care of the selector.
fn generated_labels(rules: &mut Rules, job: &Job, prefixed: bool) {
    let Some(selector) = job.spec.selector.as_deref().filter(|_| job.spec.manual_selector != Some(true))
    else {
        return;
    };
    let (uid, name) = (&job.metadata.uid, &job.metadata.name);
    rules.present("metadata.uid", uid);
    let all = [(OLD_UID_LABEL, uid), (OLD_NAME_LABEL, name), (UID_LABEL, uid), (NAME_LABEL, name)];
    let wanted = if prefixed { &all[..] } else { &all[..2] };
    let labels = &job.spec.template.metadata.labels;
    for (label, wanted) in wanted {
        match labels.get(label) {
            Some(found) if found == *wanted => {}
            found => {
                let field = format!("spec.template.metadata.labels[{label}]");
                let detail = format!("must be '{wanted}'");
                match found {
                    None => rules.required(&field, detail),
                    Some(_) => rules.invalid(&field, FieldValue::of(labels), detail),
                }
            }
        }
    }
    let generated: Map<Str> = wanted.iter().map(|(label, value)| (*label, (*value).clone())).collect();
    if workload::matcher(Some(selector)).is_ok_and(|matcher| !matcher.matches(&generated)) {
        rules.invalid("spec.selector", FieldValue::of(selector), "`selector` not auto-generated");
    }
}

/// The spec of a Job itself, which has a selector.
fn selected_spec(rules: &mut Rules, job: &JobSpec, loose: bool, options: &Options) {
    spec(rules, job, options);
    match job.selector.as_deref() {
        None => rules.required("selector", ""),
        Some(selector) => rules.selector("selector", selector, loose),
    }
    if let Ok(matcher) = workload::matcher(job.selector.as_deref()) {
        rules.within("template", |rules| workload::selected_labels(rules, &matcher, &job.template));
    }
}

fn changes(rules: &mut Rules, job: &Job, old_job: &Job) {
    let (new, old) = (&job.spec, &old_job.spec);
    completions(rules, new, old);
    rules.immutable("selector", &new.selector, &old.selector);
    template_update(rules, new, old_job);
    rules.immutable("completionMode", &new.completion_mode, &old.completion_mode);
    rules.immutable("podFailurePolicy", &new.pod_failure_policy, &old.pod_failure_policy);
    rules.immutable("backoffLimitPerIndex", &new.backoff_limit_per_index, &old.backoff_limit_per_index);
    rules.immutable("managedBy", &new.managed_by, &old.managed_by);
    rules.immutable("successPolicy", &new.success_policy, &old.success_policy);
}

/// An indexed Job can be made larger or smaller as a whole.
fn completions(rules: &mut Rules, new: &JobSpec, old: &JobSpec) {
    if new.completion_mode != Some(CompletionMode::Indexed) {
        return rules.immutable("completions", &new.completions, &old.completions);
    }
    if let Some(count) = new.completions
        && new.completions != old.completions
        && new.completions != new.parallelism
    {
        rules.invalid("completions", count, "can only be modified in tandem with spec.parallelism");
    }
}

/// While a Job is suspended, where its pods may run can still be changed, and their labels and annotations.
fn template_update(rules: &mut Rules, new: &JobSpec, old_job: &Job) {
    let old = &old_job.spec;
    let is_suspended = old.suspend == Some(true);
    let not_started = old_job.status.start_time.is_none();
    let is_stopped = old_job.status.active == 0
        && old_job.status.conditions.iter().any(|condition| {
            condition.type_.as_str() == "Suspended" && condition.status == ConditionStatus::True
        });
    if new.template == old.template {
        return;
    }
    if !is_suspended || !(not_started || is_stopped) {
        return rules.invalid("template", FieldValue::of(&new.template), IMMUTABLE);
    }
    let allowed = with_placement(&new.template, &old.template);
    if allowed.metadata != old.template.metadata {
        rules.invalid("template", FieldValue::of(&new.template), IMMUTABLE);
    } else if allowed.spec != old.template.spec {
        rules.invalid("template.spec", FieldValue::of(&new.template.spec), IMMUTABLE);
    }
}

/// A template with what may be changed taken from `old`.
fn with_placement(new: &PodTemplateSpec, old: &PodTemplateSpec) -> PodTemplateSpec {
    let mut allowed = new.clone();
    allowed.metadata.labels = old.metadata.labels.clone();
    allowed.metadata.annotations = old.metadata.annotations.clone();
    let (to, from) = (&mut allowed.spec, &old.spec);
    to.node_selector = from.node_selector.clone();
    to.tolerations = from.tolerations.clone();
    to.scheduling_gates = from.scheduling_gates.clone();
    let nodes = from.affinity.as_ref().and_then(|affinity| affinity.node_affinity.clone());
    if to.affinity.is_some() || nodes.is_some() {
        let affinity = to.affinity.get_or_insert_default();
        affinity.node_affinity = nodes;
        if from.affinity.is_none() && **affinity == Affinity::default() {
            to.affinity = None;
        }
    }
    for (to, from) in to.containers.iter_mut().zip(&from.containers) {
        to.resources = from.resources.clone();
    }
    for (to, from) in to.init_containers.iter_mut().zip(&from.init_containers) {
        to.resources = from.resources.clone();
    }
    allowed
}

/// What holds for the spec of a Job and of a template of Jobs.
pub(super) fn spec(rules: &mut Rules, spec: &JobSpec, options: &Options) {
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
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        rules.required("backoffLimitPerIndex", "when maxFailedIndexes is specified");
    }
    if let Some(manager) = &spec.managed_by {
        rules.check("managedBy", |path| names::domain_prefixed_path(path, manager));
        if manager.len() > MAX_MANAGER {
            rules.too_long("managedBy", MAX_MANAGER);
        }
    }
    match spec.completion_mode.as_ref().map(|mode| mode.as_str()) {
        None | Some("NonIndexed") => {
            for (field, number) in [
                ("backoffLimitPerIndex", spec.backoff_limit_per_index),
                ("maxFailedIndexes", spec.max_failed_indexes),
            ] {
                if let Some(number) = number {
                    rules.invalid(field, number, "requires indexed completion mode");
                }
            }
        }
        Some("Indexed") => indexed(rules, spec),
        Some(other) => rules.not_supported("completionMode", other, &["NonIndexed", "Indexed"]),
    }
    rules.option("podFailurePolicy", spec.pod_failure_policy.as_deref(), |rules, policy| {
        failure_policy(rules, policy, spec);
    });
    success_policy(rules, spec);
    if let Some(policy) = &spec.pod_replacement_policy {
        let supported: &[&str] =
            if spec.pod_failure_policy.is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        rules.one_of("podReplacementPolicy", policy.as_str(), supported);
    }
    rules.within("template", |rules| {
        workload::pod_template(rules, &spec.template, &[], options);
        let policy = &spec.template.spec.restart_policy;
        if policy.is_empty() || *policy == RestartPolicy::Always {
            rules.required("spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
        } else if !matches!(policy, RestartPolicy::OnFailure | RestartPolicy::Never) {
            rules.not_supported("spec.restartPolicy", policy.as_str(), &["OnFailure", "Never"]);
        } else if spec.pod_failure_policy.is_some() && *policy != RestartPolicy::Never {
            let detail = "only \"Never\" is supported when podFailurePolicy is specified";
            rules.invalid("spec.restartPolicy", policy.as_str(), detail);
        }
    });
}

fn indexed(rules: &mut Rules, spec: &JobSpec) {
    if spec.completions.is_none() {
        rules.required("completions", "when completion mode is Indexed");
    }
    let parallelism = spec.parallelism.unwrap_or_default();
    if parallelism > MAX_INDEXED {
        let detail = format!("must be less than or equal to {MAX_INDEXED} when completion mode is Indexed");
        rules.invalid("parallelism", parallelism, detail);
    }
    if let Some(most) = spec.max_failed_indexes {
        if spec.completions.is_some_and(|count| most > count) {
            rules.invalid("maxFailedIndexes", most, "must be less than or equal to completions");
        }
        if most > MAX_INDEXED {
            rules.invalid("maxFailedIndexes", most, format!("must be less than or equal to {MAX_INDEXED}"));
        }
    }
    if spec.backoff_limit_per_index.is_none()
        || spec.completions.is_none_or(|count| count <= MANY_COMPLETIONS)
    {
        return;
    }
    let detail = format!(
        "must be less than or equal to {MAX_WITH_MANY_COMPLETIONS} when completions are above {MANY_COMPLETIONS} and used with backoff limit per index"
    );
    match spec.max_failed_indexes {
        None => {
            let detail = format!("must be specified when completions is above {MANY_COMPLETIONS}");
            rules.required("maxFailedIndexes", detail);
        }
        Some(most) if most > MAX_WITH_MANY_COMPLETIONS => {
            rules.invalid("maxFailedIndexes", most, detail.as_str());
        }
        Some(_) => {}
    }
    if parallelism > MAX_WITH_MANY_COMPLETIONS {
        rules.invalid("parallelism", parallelism, detail);
    }
}

fn failure_policy(rules: &mut Rules, policy: &PodFailurePolicy, spec: &JobSpec) {
    if policy.rules.len() > MAX_FAILURE_RULES {
        rules.too_many("rules", policy.rules.len(), MAX_FAILURE_RULES);
    }
    rules.each("rules", &policy.rules, |rules, rule| {
        match rule.action.as_str() {
            "" => required_one_of(rules, "action", &["Count", "FailIndex", "FailJob", "Ignore"]),
            "FailIndex" => {
                if spec.backoff_limit_per_index.is_none() {
                    let detail = "requires the backoffLimitPerIndex to be set";
                    rules.invalid("action", "FailIndex", detail);
                }
            }
            other => rules.one_of("action", other, &["Count", "FailIndex", "FailJob", "Ignore"]),
        }
        rules.option("onExitCodes", rule.on_exit_codes.as_deref(), |rules, codes| {
            exit_codes(rules, codes, spec);
        });
        if rule.on_pod_conditions.len() > MAX_CONDITIONS {
            rules.too_many("onPodConditions", rule.on_pod_conditions.len(), MAX_CONDITIONS);
        }
        rules.each("onPodConditions", &rule.on_pod_conditions, |rules, pattern| {
            let kind = pattern.type_.as_str();
            rules.complaints("type", kind, names::label_key(kind));
            let supported = &["False", "True", "Unknown"];
            match pattern.status.as_str() {
                "" => required_one_of(rules, "status", supported),
                status => rules.one_of("status", status, supported),
            }
        });
        match (&rule.on_exit_codes, rule.on_pod_conditions.is_empty()) {
            (Some(_), false) => {
                let detail = "specifying both OnExitCodes and OnPodConditions is not supported";
                rules.invalid("", FieldValue::null(), detail);
            }
            (None, true) => {
                let detail = "specifying one of OnExitCodes and OnPodConditions is required";
                rules.invalid("", FieldValue::null(), detail);
            }
            _ => {}
        }
    });
}

/// A text is missing that has to be one of these.
fn required_one_of(rules: &mut Rules, field: &str, supported: &[&str]) {
    let all: Vec<String> = supported.iter().map(|value| quoted(value)).collect();
    rules.required(field, format!("valid values: [{}]", all.join(" ")));
}

fn exit_codes(rules: &mut Rules, codes: &PodFailurePolicyOnExitCodesRequirement, spec: &JobSpec) {
    let operator = codes.operator.as_str();
    match operator {
        "" => required_one_of(rules, "operator", &["In", "NotIn"]),
        operator => rules.one_of("operator", operator, &["In", "NotIn"]),
    }
    let pod = &spec.template.spec;
    if let Some(name) = codes.container_name.as_ref()
        && !pod.containers.iter().chain(&pod.init_containers).any(|container| container.name == *name)
    {
        let detail = "must be one of the container or initContainer names in the pod template";
        rules.invalid("containerName", name, detail);
    }
    if codes.values.is_empty() {
        rules.invalid("values", FieldValue::of(&codes.values), "at least one value is required");
    } else if codes.values.len() > MAX_EXIT_CODES {
        rules.too_many("values", codes.values.len(), MAX_EXIT_CODES);
    }
    let mut seen = Seen::new();
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
}

fn success_policy(rules: &mut Rules, spec: &JobSpec) {
    let Some(policy) = spec.success_policy.as_deref() else {
        return;
    };
    if spec.completion_mode != Some(CompletionMode::Indexed) {
        return rules.invalid("successPolicy", FieldValue::of(policy), "requires indexed completion mode");
    }
    rules.within("successPolicy", |rules| {
        if policy.rules.is_empty() {
            let detail = "at least one rules must be specified when the successPolicy is specified";
            rules.required("rules", detail);
        }
        if policy.rules.len() > MAX_SUCCESS_RULES {
            rules.too_many("rules", policy.rules.len(), MAX_SUCCESS_RULES);
        }
        rules.each("rules", &policy.rules, |rules, rule| {
            success_rule(rules, rule, spec.completions.unwrap_or_default());
        });
    });
}

fn success_rule(rules: &mut Rules, rule: &SuccessPolicyRule, completions: i32) {
    if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
        rules.required("", "at least one of succeededCount or succeededIndexes must be specified");
    }
    let mut total = 0;
    if let Some(text) = &rule.succeeded_indexes {
        if text.len() > MAX_INDEXES_TEXT {
            rules.too_long("succeededIndexes", MAX_INDEXES_TEXT);
        }
        match count_indexes(text, completions) {
            Ok(count) => total = count,
            Err(reason) => {
                let detail = format!("error parsing succeededIndexes: {reason}");
                rules.invalid("succeededIndexes", text, detail);
            }
        }
    }
    let Some(count) = rule.succeeded_count else {
        return;
    };
    rules.not_negative("succeededCount", count);
    if count > completions {
        let detail =
            format!("must be less than or equal to {completions} (the number of specified completions)");
        rules.invalid("succeededCount", count, detail);
    }
    if rule.succeeded_indexes.is_some() && i64::from(count) > total {
        let detail = format!(
            "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        );
        rules.invalid("succeededCount", count, detail);
    }
}

/// How many indexes a text such as `1,3-5` names: in order, each below the number of completions.
fn count_indexes(text: &str, completions: i32) -> Result<i64, String> {
    let mut total = 0;
    let mut previous = None::<i64>;
    if text.is_empty() {
        return Ok(0);
    }
    for interval in text.split(',') {
        let (first, last) = interval_of(interval, completions)?;
        if let Some(previous) = previous
            && previous >= first
        {
            return Err(format!("non-increasing order, previous: {previous}, current: {first}"));
        }
        total += last - first + 1;
        previous = Some(last);
    }
    Ok(total)
}

fn interval_of(text: &str, completions: i32) -> Result<(i64, i64), String> {
    let number = |text: &str| {
        text.parse::<i64>()
            .map_err(|_| format!("cannot convert string to integer for index: {}", quoted(text)))
    };
    let most = i64::from(completions);
    let mut parts = text.split('-');
    let (first, last) = (parts.next().unwrap_or_default(), parts.next());
    if parts.next().is_some() {
        return Err(format!(
            "the fragment {} violates the requirement that an index interval can have at most two parts separated by '-'",
            quoted(text)
        ));
    }
    let first_index = number(first)?;
    if first_index >= most {
        return Err(format!("too large index: {}", quoted(first)));
    }
    let Some(last) = last else {
        return Ok((first_index, first_index));
    };
    let last_index = number(last)?;
    if last_index >= most {
        return Err(format!("too large index: {}", quoted(last)));
    }
    if first_index >= last_index {
        return Err(format!("non-increasing order, previous: {first_index}, current: {last_index}"));
    }
    Ok((first_index, last_index))
}
