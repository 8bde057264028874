//! Webhook configurations, and what admission policies share with them.

use super::Validate;
use super::rules::{Rules, Seen};
use super::webhook_client;
use crate::admissionregistration::v1::{
    FailurePolicyType, MatchCondition, MatchPolicyType, MutatingWebhook, MutatingWebhookConfiguration,
    OperationType, RuleWithOperations, SideEffectClass, ValidatingWebhook, ValidatingWebhookConfiguration,
    WebhookClientConfig,
};
use crate::{FieldError, FieldValue, LabelSelector, Object, Str, names, selector};

const VERSIONS: [&str; 2] = ["v1", "v1beta1"];
const NO_EFFECTS: [&str; 2] = ["None", "NoneOnDryRun"];
const EFFECTS: [&str; 4] = ["None", "NoneOnDryRun", "Some", "Unknown"];
const MAX_CONDITIONS: usize = 64;

/// What both kinds of webhooks have.
struct Hook<'a> {
    name: &'a str,
    client: &'a WebhookClientConfig,
    rules: &'a [RuleWithOperations],
    failure_policy: Option<&'a FailurePolicyType>,
    match_policy: Option<&'a MatchPolicyType>,
    selectors: [(&'static str, Option<&'a LabelSelector>); 2],
    side_effects: Option<&'a SideEffectClass>,
    timeout: Option<i32>,
    versions: &'a [Str],
    reinvocation: Option<&'a str>,
    conditions: &'a [MatchCondition],
}

macro_rules! hook {
    ($hook:expr, $reinvocation:expr) => {{
        let hook = $hook;
        Hook {
            name: &hook.name,
            client: &hook.client_config,
            rules: &hook.rules,
            failure_policy: hook.failure_policy.as_ref(),
            match_policy: hook.match_policy.as_ref(),
            selectors: [
                ("namespaceSelector", hook.namespace_selector.as_deref()),
                ("objectSelector", hook.object_selector.as_deref()),
            ],
            side_effects: hook.side_effects.as_ref(),
            timeout: hook.timeout_seconds,
            versions: &hook.admission_review_versions,
            reinvocation: $reinvocation,
            conditions: &hook.match_conditions,
        }
    }};
}

fn validating(hook: &ValidatingWebhook) -> Hook<'_> {
    hook!(hook, None)
}

fn mutating(hook: &MutatingWebhook) -> Hook<'_> {
    hook!(hook, hook.reinvocation_policy.as_ref().map(|policy| policy.as_str()))
}

impl Validate for ValidatingWebhookConfiguration {
    fn validate_create(&self) -> Vec<FieldError> {
        hooks(self, &self.webhooks.iter().map(validating).collect::<Vec<_>>(), None)
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let before: Vec<Hook<'_>> = old.webhooks.iter().map(validating).collect();
        hooks(self, &self.webhooks.iter().map(validating).collect::<Vec<_>>(), Some(&before))
    }
}

impl Validate for MutatingWebhookConfiguration {
    fn validate_create(&self) -> Vec<FieldError> {
        hooks(self, &self.webhooks.iter().map(mutating).collect::<Vec<_>>(), None)
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let before: Vec<Hook<'_>> = old.webhooks.iter().map(mutating).collect();
        hooks(self, &self.webhooks.iter().map(mutating).collect::<Vec<_>>(), Some(&before))
    }
}

/// What was there already sets what may be there: unknown versions, side effects, names twice.
fn hooks<K: Validate + Object>(
    configuration: &K,
    hooks: &[Hook<'_>],
    old: Option<&[Hook<'_>]>,
) -> Vec<FieldError> {
    let is_known = |hook: &Hook<'_>| {
        hook.versions.is_empty() || hook.versions.iter().any(|version| VERSIONS.contains(&version.as_str()))
    };
    let all_known = old.is_none_or(|old| old.iter().all(is_known));
    let no_effects = old.is_none_or(|old| {
        old.iter().all(|hook| hook.side_effects.is_some_and(|effects| NO_EFFECTS.contains(&effects.as_str())))
    });
    let unique = old.is_none_or(|old| {
        let mut seen = Seen::new();
        old.iter().all(|hook| seen.insert(hook.name))
    });
    let loose = old.is_some_and(|old| {
        let selectors = old.iter().flat_map(|hook| hook.selectors.iter().filter_map(|(_, one)| *one));
        selectors.into_iter().any(|one| !selector::validate(one, false, "").is_empty())
    });
    let mut rules = Rules::new("");
    rules.metadata(configuration, K::NAME_RULE);
    let mut seen = Seen::new();
    rules.each("webhooks", hooks, |rules, hook| {
        one(rules, hook, no_effects, loose);
        versions(rules, hook.versions, all_known);
        if unique && !hook.name.is_empty() && !seen.insert(hook.name) {
            rules.duplicate("name", hook.name);
        }
    });
    rules.finish()
}

fn one(rules: &mut Rules, hook: &Hook<'_>, no_effects: bool, loose: bool) {
    rules.check("name", |path| names::fully_qualified_name(path, hook.name));
    rules.each("rules", hook.rules, rule);
    if let Some(policy) = hook.failure_policy {
        rules.one_of("failurePolicy", policy.as_str(), &["Fail", "Ignore"]);
    }
    if let Some(policy) = hook.match_policy {
        rules.one_of("matchPolicy", policy.as_str(), &["Equivalent", "Exact"]);
    }
    let effects: &[&str] = if no_effects { &NO_EFFECTS } else { &EFFECTS };
    match hook.side_effects {
        None => rules.required("sideEffects", format!("must specify one of {}", effects.join(", "))),
        Some(effect) => rules.one_of("sideEffects", effect.as_str(), effects),
    }
    if let Some(seconds) = hook.timeout
        && !(1..=30).contains(&seconds)
    {
        rules.invalid("timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds");
    }
    for (field, selector) in hook.selectors {
        if let Some(selector) = selector {
            rules.selector(field, selector, loose);
        }
    }
    rules.within("clientConfig", |rules| match (&hook.client.url, &hook.client.service) {
        (Some(url), None) => webhook_client::url(rules, "url", url),
        (None, Some(target)) => rules.within("service", |rules| {
            webhook_client::service(
                rules,
                &target.name,
                &target.namespace,
                target.path.as_deref(),
                target.port,
            );
        }),
        _ => rules.required("", "exactly one of url or service is required"),
    });
    conditions(rules, hook.conditions);
    if let Some(policy) = hook.reinvocation {
        rules.one_of("reinvocationPolicy", policy, &["IfNeeded", "Never"]);
    }
}

/// Versions of reviews that a webhook understands.
fn versions(rules: &mut Rules, versions: &[Str], needs_known: bool) {
    if versions.is_empty() {
        rules.required("admissionReviewVersions", format!("must specify one of {}", VERSIONS.join(", ")));
        return;
    }
    for (index, version) in versions.iter().enumerate() {
        let field = format!("admissionReviewVersions[{index}]");
        if versions[..index].contains(version) {
            rules.invalid(&field, version, "duplicate version");
            continue;
        }
        rules.complaints(&field, version, names::dns1035_label(version));
    }
    if needs_known && !versions.iter().any(|version| VERSIONS.contains(&version.as_str())) {
        let detail = format!("must include at least one of {}", VERSIONS.join(", "));
        rules.invalid("admissionReviewVersions", FieldValue::of(versions), detail);
    }
}

/// What requests are meant, at the place of `rules`.
pub(super) fn rule(rules: &mut Rules, rule: &RuleWithOperations) {
    if rule.operations.is_empty() {
        rules.required("operations", "");
    }
    let has_all = rule.operations.iter().any(|operation| *operation == "*");
    if rule.operations.len() > 1 && has_all {
        let detail = "if '*' is present, must not specify other operations";
        rules.invalid("operations", FieldValue::of(&rule.operations), detail);
    }
    rules.each("operations", &rule.operations, |rules, operation: &OperationType| {
        rules.one_of("", operation.as_str(), &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]);
    });
    for (field, list, what) in [
        ("apiGroups", &rule.rule.api_groups, "API groups"),
        ("apiVersions", &rule.rule.api_versions, "API versions"),
    ] {
        if list.is_empty() {
            rules.required(field, "");
        }
        if list.len() > 1 && list.iter().any(|item| item == "*") {
            let detail = format!("if '*' is present, must not specify other {what}");
            rules.invalid(field, FieldValue::of(list), detail);
        }
    }
    rules.each("apiVersions", &rule.rule.api_versions, |rules, version| rules.present("", version));
    resources(rules, &rule.rule.resources);
    if let Some(scope) = &rule.rule.scope {
        rules.one_of("scope", scope.as_str(), &["*", "Cluster", "Namespaced"]);
    }
}

fn resources(rules: &mut Rules, resources: &[Str]) {
    if resources.is_empty() {
        rules.required("resources", "");
    }
    let (mut of_any, mut any_of) = (Vec::new(), Vec::new());
    let mut has_plain = false;
    rules.each("resources", resources, |rules, resource| {
        if resource.is_empty() {
            rules.required("", "");
            return;
        }
        let Some((name, sub)) = resource.split_once('/') else {
            has_plain = resource != "*";
            return;
        };
        if any_of.contains(&name) {
            let detail = format!("if '{name}/*' is present, must not specify {resource}");
            rules.invalid("", resource, detail);
        }
        if of_any.contains(&sub) {
            let detail = format!("if '*/{sub}' is present, must not specify {resource}");
            rules.invalid("", resource, detail);
        }
        if sub == "*" {
            any_of.push(name);
        }
        if name == "*" {
            of_any.push(sub);
        }
    });
    let has = |text: &str| resources.iter().any(|resource| *resource == *text);
    if resources.len() > 1 && has("*/*") {
        let detail = "if '*/*' is present, must not specify other resources";
        rules.invalid("resources", FieldValue::of(resources), detail);
    }
    if has("*") && has_plain {
        let detail = "if '*' is present, must not specify other resources without subresources";
        rules.invalid("resources", FieldValue::of(resources), detail);
    }
}

/// Conditions of which the expressions are not compiled here.
pub(super) fn conditions(rules: &mut Rules, conditions: &[MatchCondition]) {
    if conditions.len() > MAX_CONDITIONS {
        rules.too_many("matchConditions", conditions.len(), MAX_CONDITIONS);
    }
    let mut seen = Seen::new();
    rules.each("matchConditions", conditions, |rules, condition| {
        rules.present("expression", condition.expression.trim());
        if condition.name.is_empty() {
            rules.required("name", "");
        } else {
            rules.complaints("name", &condition.name, names::label_key(&condition.name));
            if !seen.insert(condition.name.as_str()) {
                rules.duplicate("name", &condition.name);
            }
        }
    });
}
