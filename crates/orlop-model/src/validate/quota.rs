//! ResourceQuotas and LimitRanges.

use std::collections::BTreeSet;

use super::Validate;
use super::resource_name::{amount, is_standard_for_quota, may_overcommit, of_container, of_quota, resource};
use super::rules::{IMMUTABLE, Rules, Seen};
use crate::core::v1::{
    LimitRange, LimitRangeItem, LimitType, ResourceQuota, ResourceQuotaScope, ResourceQuotaSpec,
    ScopeSelector, ScopeSelectorOperator,
};
use crate::{FieldError, FieldValue, Map, Quantity, names};

impl Validate for ResourceQuota {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| spec(rules, &self.spec));
        rules.within("status", |rules| {
            amounts(rules, "hard", &self.status.hard);
            amounts(rules, "used", &self.status.used);
        });
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("spec", |rules| spec(rules, &self.spec));
        let set = |quota: &Self| quota.spec.scopes.iter().cloned().collect::<BTreeSet<_>>();
        if set(self) != set(old) {
            rules.invalid("spec.scopes", FieldValue::of(&self.spec.scopes), IMMUTABLE);
        }
        rules.finish()
    }
}

fn amounts(rules: &mut Rules, field: &str, amounts: &Map<Quantity>) {
    for (name, quantity) in amounts {
        let field = format!("{field}[{name}]");
        of_quota(rules, &field, name);
        amount(rules, &field, name, quantity);
    }
}

fn spec(rules: &mut Rules, spec: &ResourceQuotaSpec) {
    amounts(rules, "hard", &spec.hard);
    let value = || FieldValue::of(&spec.scopes);
    for scope in &spec.scopes {
        if !is_scope(scope) {
            rules.invalid("scopes", value(), "unsupported scope");
        }
        for _ in beyond(scope, spec) {
            rules.invalid("scopes", value(), "unsupported scope applied to resource");
        }
    }
    for _ in 0..conflicts(&spec.scopes.iter().collect()) {
        rules.invalid("scopes", value(), "conflicting scopes");
    }
    if let Some(selector) = &spec.scope_selector {
        scope_selector(rules, spec, selector);
    }
}

fn is_scope(scope: &ResourceQuotaScope) -> bool {
    !matches!(scope, ResourceQuotaScope::Other(_))
}

/// The resources of a quota that a scope does not go with.
fn beyond<'a>(scope: &'a ResourceQuotaScope, spec: &'a ResourceQuotaSpec) -> impl Iterator<Item = &'a str> {
    const COMPUTE: [&str; 6] =
        ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
    let goes_with = |resource: &str| match scope {
        ResourceQuotaScope::Other(_) => true,
        ResourceQuotaScope::BestEffort => resource == "pods",
        ResourceQuotaScope::VolumeAttributesClass => {
            matches!(resource, "persistentvolumeclaims" | "requests.storage")
        }
        _ => resource == "pods" || COMPUTE.contains(&resource),
    };
    let names = spec.hard.keys().map(|name| name.as_str());
    names.filter(move |name| is_standard_for_quota(name) && !goes_with(name))
}

/// How many pairs of scopes exclude each other.
fn conflicts(scopes: &BTreeSet<&ResourceQuotaScope>) -> usize {
    let pairs = [
        [ResourceQuotaScope::BestEffort, ResourceQuotaScope::NotBestEffort],
        [ResourceQuotaScope::Terminating, ResourceQuotaScope::NotTerminating],
    ];
    pairs.iter().filter(|pair| pair.iter().all(|scope| scopes.contains(scope))).count()
}

fn scope_selector(rules: &mut Rules, spec: &ResourceQuotaSpec, selector: &ScopeSelector) {
    let mut scopes = BTreeSet::new();
    // The requirements are not told apart by their index.
    rules.within("scopeSelector", |rules| {
        rules.within("matchExpressions", |rules| {
            for requirement in &selector.match_expressions {
                let (scope, operator) = (&requirement.scope_name, &requirement.operator);
                if !is_scope(scope) {
                    rules.invalid("scopeName", scope.as_str(), "unsupported scope");
                }
                for _ in beyond(scope, spec) {
                    let value = FieldValue::of(&spec.scope_selector);
                    rules.invalid("", value, "unsupported scope applied to resource");
                }
                let is_plain = is_scope(scope)
                    && !matches!(
                        scope,
                        ResourceQuotaScope::PriorityClass | ResourceQuotaScope::VolumeAttributesClass
                    );
                if is_plain && *operator != ScopeSelectorOperator::Exists {
                    rules.invalid(
                        "operator",
                        operator.as_str(),
                        "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
                    );
                }
                match operator.as_str() {
                    "In" | "NotIn" => {
                        if requirement.values.is_empty() {
                            let detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                            rules.required("values", detail);
                        }
                    }
                    "Exists" | "DoesNotExist" => {
                        if !requirement.values.is_empty() {
                            let detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                            rules.invalid("values", FieldValue::of(&requirement.values), detail);
                        }
                    }
                    other => rules.invalid("operator", other, "not a valid selector operator"),
                }
                scopes.insert(scope);
            }
            for _ in 0..conflicts(&scopes) {
                rules.invalid("", FieldValue::of(&spec.scopes), "conflicting scopes");
            }
        });
    });
}

impl Validate for LimitRange {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| {
            let mut seen = Seen::new();
            rules.each("limits", &self.spec.limits, |rules, item| {
                let type_ = item.type_.as_str();
                let complaints = names::label_key(type_);
                if !complaints.is_empty() {
                    rules.complaints("type", type_, complaints);
                } else if !type_.contains('/') && matches!(item.type_, LimitType::Other(_)) {
                    rules.invalid("type", type_, "must be a standard limit type or fully qualified");
                }
                if !seen.insert(type_) {
                    rules.duplicate("type", type_);
                }
                limits(rules, item);
            });
        });
        rules.finish()
    }

    fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
        self.validate_create()
    }
}

fn limits(rules: &mut Rules, item: &LimitRangeItem) {
    let is_pod = item.type_ == LimitType::Pod;
    let of_parts = is_pod || item.type_ == LimitType::Container;
    let none = Map::new();
    let [default, default_request] = if is_pod {
        for (field, amounts) in [("default", &item.default), ("defaultRequest", &item.default_request)] {
            if !amounts.is_empty() {
                rules.forbidden(field, "may not be specified when `type` is 'Pod'");
            }
        }
        [&none, &none]
    } else {
        [&item.default, &item.default_request]
    };
    let mut keys = BTreeSet::new();
    for (field, amounts) in [
        ("max", &item.max),
        ("min", &item.min),
        ("default", default),
        ("defaultRequest", default_request),
        ("maxLimitRequestRatio", &item.max_limit_request_ratio),
    ] {
        for name in amounts.keys() {
            let field = format!("{field}[{name}]");
            if of_parts {
                of_container(rules, &field, name);
            } else {
                resource(rules, &field, name);
            }
            keys.insert(name.as_str());
        }
    }
    if item.type_ == LimitType::PersistentVolumeClaim
        && !item.min.contains_key("storage")
        && !item.max.contains_key("storage")
    {
        rules.required(
            "limits",
            "either minimum or maximum storage value is required, but neither was provided",
        );
    }
    for key in keys {
        let (max, min) = (item.max.get(key), item.min.get(key));
        let (default, request) = (default.get(key), default_request.get(key));
        let mut above = |field: &str, value, (low_name, low), (high_name, high)| {
            let (Some(low), Some(high), Some(value)) = (low, high, value) else {
                return;
            };
            let (low, high, value): (&Quantity, &Quantity, &Quantity) = (low, high, value);
            if low > high {
                let detail = format!("{low_name} value {low} is greater than {high_name} value {high}");
                rules.invalid(&format!("{field}[{key}]"), value.to_string(), detail);
            }
        };
        above("min", min, ("min", min), ("max", max));
        above("defaultRequest", request, ("min", min), ("default request", request));
        above("defaultRequest", request, ("default request", request), ("max", max));
        above("defaultRequest", request, ("default request", request), ("default limit", default));
        above("default", min, ("min", min), ("default", default));
        above("default", max, ("default", default), ("max", max));
        if let Some(ratio) = item.max_limit_request_ratio.get(key) {
            ratio_of(rules, key, ratio, min, max);
        }
        if let (Some(default), Some(request)) = (default, request)
            && !may_overcommit(key)
            && default != request
        {
            let detail =
                format!("default value {default} must equal to defaultRequest value {request} in {key}");
            rules.invalid(&format!("defaultRequest[{key}]"), request.to_string(), detail);
        }
    }
}

fn ratio_of(rules: &mut Rules, key: &str, ratio: &Quantity, min: Option<&Quantity>, max: Option<&Quantity>) {
    let field = format!("maxLimitRequestRatio[{key}]");
    if *ratio < Quantity::from_units(1) {
        rules.invalid(&field, ratio.to_string(), format!("ratio {ratio} is less than 1"));
    }
    let (Some(min), Some(max)) = (min, max) else {
        return;
    };
    // Thousandths, unless that would be too much.
    const MOST: i64 = i64::MAX / 1000;
    let (allowed, limit) = if [ratio, min, max].iter().all(|quantity| quantity.value() < MOST) {
        (ratio.milli_value() as f64 / 1000.0, max.milli_value() as f64 / min.milli_value() as f64)
    } else {
        (ratio.value() as f64, max.value() as f64 / min.value() as f64)
    };
    if allowed > limit {
        let text = if limit.is_infinite() { "-Inf".to_owned() } else { format!("{limit:.6}") };
        let detail = format!("ratio {ratio} is greater than max/min = {text}");
        rules.invalid(&field, ratio.to_string(), detail);
    }
}
