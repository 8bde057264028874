//! Admission policies and their bindings. Expressions have to be there; they are not compiled.

use super::rules::{Rules, Seen};
use super::webhook::{conditions, rule};
use super::{Validate, subdomain};
use crate::admissionregistration::v1::{
    FailurePolicyType, MatchResources, MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, Mutation,
    NamedRuleWithOperations, ParamKind, ParamRef, PatchType, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding, Validation, ValidationAction, Variable,
};
use crate::{FieldError, FieldValue, names};

const MAX_ANNOTATIONS: usize = 20;
/// Longest expression of an audit annotation, in bytes.
const MAX_EXPRESSION: usize = 5 << 10;

const NEITHER: &str = "validations or auditAnnotations must be non-empty";

impl Validate for ValidatingAdmissionPolicy {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| {
            let spec = &self.spec;
            failure_policy(rules, spec.failure_policy.as_ref());
            rules.option("paramKind", spec.param_kind.as_deref(), param_kind);
            constraints(rules, spec.match_constraints.as_deref());
            conditions(rules, &spec.match_conditions);
            variables(rules, &spec.variables);
            if spec.validations.is_empty() && spec.audit_annotations.is_empty() {
                rules.required("validations", NEITHER);
                rules.required("auditAnnotations", NEITHER);
                return;
            }
            rules.each("validations", &spec.validations, validation);
            if spec.audit_annotations.len() > MAX_ANNOTATIONS {
                let detail = format!("must not have more than {MAX_ANNOTATIONS} auditAnnotations");
                rules.invalid("auditAnnotations", FieldValue::of(&spec.audit_annotations), detail);
            }
            let mut seen = Seen::new();
            rules.each("auditAnnotations", &spec.audit_annotations, |rules, annotation| {
                let key = &annotation.key;
                let name = &self.metadata.name;
                let whole = if name.is_empty() { key.to_string() } else { format!("{name}/{key}") };
                rules.complaints("key", key, names::label_key(&whole));
                if annotation.value_expression.trim().is_empty() {
                    rules.required("valueExpression", "valueExpression is not specified");
                } else if annotation.value_expression.trim().len() > MAX_EXPRESSION {
                    let detail = format!("must not exceed {}KB in size", MAX_EXPRESSION >> 10);
                    rules.required("valueExpression", detail);
                }
                if !seen.insert(key.as_str()) {
                    rules.duplicate("key", key);
                }
            });
        });
        rules.finish()
    }

    fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
        self.validate_create()
    }
}

impl Validate for MutatingAdmissionPolicy {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| {
            let spec = &self.spec;
            failure_policy(rules, spec.failure_policy.as_ref());
            rules.option("paramKind", spec.param_kind.as_deref(), param_kind);
            constraints(rules, spec.match_constraints.as_deref());
            conditions(rules, &spec.match_conditions);
            variables(rules, &spec.variables);
            if spec.mutations.is_empty() {
                rules.required("mutations", "mutations must contain at least one item");
            }
            rules.each("mutations", &spec.mutations, mutation);
            rules.required_one_of(
                "reinvocationPolicy",
                spec.reinvocation_policy.as_str(),
                &["IfNeeded", "Never"],
            );
        });
        rules.finish()
    }

    fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
        self.validate_create()
    }
}

fn mutation(rules: &mut Rules, mutation: &Mutation) {
    let configuration = mutation.apply_configuration.as_ref().map(|one| &one.expression);
    let patch = mutation.json_patch.as_ref().map(|one| &one.expression);
    let (field, wanted, other_field, other) = match &mutation.patch_type {
        PatchType::ApplyConfiguration => ("applyConfiguration", configuration, "jsonPatch", patch),
        PatchType::JSONPatch => ("jsonPatch", patch, "applyConfiguration", configuration),
        unknown => {
            rules.required_one_of("patchType", unknown.as_str(), &["ApplyConfiguration", "JSONPatch"]);
            return;
        }
    };
    match wanted {
        None => rules.required(field, format!("must be specified when patchType is {}", mutation.patch_type)),
        Some(expression) if expression.trim().is_empty() => {
            rules.required(&format!("{field}.expression"), "expression is not specified");
        }
        Some(_) => {}
    }
    if other.is_some() {
        let detail = format!("must not be specified when patchType is {}", mutation.patch_type);
        rules.invalid(other_field, "", detail);
    }
}

fn failure_policy(rules: &mut Rules, policy: Option<&FailurePolicyType>) {
    match policy {
        None => rules.required("failurePolicy", ""),
        Some(policy) => rules.one_of("failurePolicy", policy.as_str(), &["Fail", "Ignore"]),
    }
}

fn param_kind(rules: &mut Rules, kind: &ParamKind) {
    let version = kind.api_version.as_str();
    let parts: Vec<&str> = version.split('/').collect();
    match parts.as_slice() {
        [""] => rules.required("apiVersion", ""),
        ["", _] => rules.invalid("apiVersion", version, "group must not be empty"),
        [_, ""] => rules.invalid("apiVersion", version, "version must not be empty"),
        [group, version] => {
            rules.complaints("apiVersion", group, names::dns1123_subdomain(group));
            rules.complaints("apiVersion", version, names::dns1035_label(version));
        }
        [version] => rules.complaints("apiVersion", version, names::dns1035_label(version)),
        _ => rules.invalid("apiVersion", version, "must match group/version or version"),
    }
    if kind.kind.is_empty() {
        rules.required("kind", "");
        return;
    }
    let complaints = names::dns1035_label(&kind.kind.to_lowercase());
    if !complaints.is_empty() {
        let detail = format!("may have mixed case, but should otherwise match: {}", complaints.join(","));
        rules.invalid("kind", &kind.kind, detail);
    }
}

fn constraints(rules: &mut Rules, resources: Option<&MatchResources>) {
    match resources {
        None => rules.required("matchConstraints", ""),
        Some(resources) => rules.within("matchConstraints", |rules| {
            match_resources(rules, resources);
            if resources.resource_rules.is_empty() {
                rules.required("resourceRules", "");
            }
        }),
    }
}

fn match_resources(rules: &mut Rules, resources: &MatchResources) {
    match &resources.match_policy {
        None => rules.required("matchPolicy", ""),
        Some(policy) => rules.one_of("matchPolicy", policy.as_str(), &["Equivalent", "Exact"]),
    }
    for (field, selector) in
        [("namespaceSelector", &resources.namespace_selector), ("objectSelector", &resources.object_selector)]
    {
        match selector {
            None => rules.required(field, ""),
            Some(selector) => rules.selector(field, selector, false),
        }
    }
    rules.each("resourceRules", &resources.resource_rules, named_rule);
    rules.each("excludeResourceRules", &resources.exclude_resource_rules, named_rule);
}

fn named_rule(rules: &mut Rules, named: &NamedRuleWithOperations) {
    let mut seen = Seen::new();
    rules.each("resourceNames", &named.resource_names, |rules, name| {
        rules.complaints("", name, names::path_segment_name(name));
        if !seen.insert(name.as_str()) {
            rules.duplicate("", name);
        }
    });
    rule(rules, &named.rule_with_operations);
}

fn variables(rules: &mut Rules, variables: &[Variable]) {
    rules.each("variables", variables, |rules, variable| {
        if variable.name.trim().is_empty() {
            rules.required("name", "name is not specified");
        } else if !is_identifier(&variable.name) {
            rules.invalid("name", &variable.name, "name is not a valid CEL identifier");
        }
        if variable.expression.trim().is_empty() {
            rules.required("expression", "expression is not specified");
        }
    });
}

/// Whether a name can stand in an expression: an identifier that is no word of the language.
fn is_identifier(name: &str) -> bool {
    const WORDS: [&str; 23] = [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "try",
        "typeof",
        "var",
        "void",
        "while",
    ];
    names::c_identifier(name).is_empty() && !WORDS.contains(&name)
}

fn validation(rules: &mut Rules, validation: &Validation) {
    let has_lines = |text: &str| text.contains(['\n', '\r']);
    let expression = validation.expression.trim();
    let message = validation.message.trim();
    if expression.is_empty() {
        rules.required("expression", "expression is not specified");
    }
    if !validation.message_expression.is_empty() && validation.message_expression.trim().is_empty() {
        let value = &validation.message_expression;
        rules.invalid("messageExpression", value, "must be non-empty if specified");
    }
    if !validation.message.is_empty() && message.is_empty() {
        rules.invalid("message", &validation.message, "message must be non-empty if specified");
    } else if has_lines(message) {
        rules.invalid("message", &validation.message, "message must not contain line breaks");
    } else if has_lines(expression) && message.is_empty() {
        rules.required("message", "message must be specified if expression contains line breaks");
    }
    if let Some(reason) = &validation.reason {
        let supported = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];
        rules.one_of("reason", reason.as_str(), &supported);
    }
}

impl Validate for ValidatingAdmissionPolicyBinding {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| {
            let spec = &self.spec;
            bound(rules, &spec.policy_name, spec.param_ref.as_deref(), spec.match_resources.as_deref());
            actions(rules, &spec.validation_actions);
        });
        rules.finish()
    }

    fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
        self.validate_create()
    }
}

impl Validate for MutatingAdmissionPolicyBinding {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| {
            let spec = &self.spec;
            bound(rules, &spec.policy_name, spec.param_ref.as_deref(), spec.match_resources.as_deref());
        });
        rules.finish()
    }

    fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
        self.validate_create()
    }
}

fn bound(rules: &mut Rules, policy: &str, parameter: Option<&ParamRef>, resources: Option<&MatchResources>) {
    if policy.is_empty() {
        rules.required("policyName", "");
    } else {
        subdomain(rules, "policyName", policy);
    }
    rules.option("paramRef", parameter, |rules, parameter| {
        const BOTH: &str = "name and selector are mutually exclusive";
        if !parameter.name.is_empty() {
            rules.complaints("name", &parameter.name, names::path_segment_name(&parameter.name));
        }
        match (parameter.name.is_empty(), &parameter.selector) {
            (true, None) => rules.required("", "one of name or selector must be specified"),
            (false, Some(_)) => {
                rules.forbidden("name", BOTH);
                rules.forbidden("selector", BOTH);
            }
            _ => {}
        }
        if let Some(selector) = &parameter.selector {
            rules.selector("selector", selector, false);
        }
        let action = parameter.parameter_not_found_action.as_ref();
        rules.required_one_of(
            "parameterNotFoundAction",
            action.map_or("", |action| action.as_str()),
            &["Allow", "Deny"],
        );
    });
    rules.option("matchResources", resources, match_resources);
}

fn actions(rules: &mut Rules, actions: &[ValidationAction]) {
    if actions.is_empty() {
        rules.required("validationActions", "");
    }
    rules.each_indexed("validationActions", actions, |rules, index, action| {
        rules.one_of("", action.as_str(), &["Audit", "Deny", "Warn"]);
        if actions[..index].contains(action) {
            rules.duplicate("", action.as_str());
        }
    });
    if actions.contains(&ValidationAction::Deny) && actions.contains(&ValidationAction::Warn) {
        let detail = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
        rules.invalid("validationActions", FieldValue::of(actions), detail);
    }
}
