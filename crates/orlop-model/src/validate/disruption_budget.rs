//! PodDisruptionBudgets. Their metadata is left to the common rules.

use super::Validate;
use super::rules::Rules;
use crate::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use crate::{FieldError, FieldValue, IntOrString, json, names, selector};

impl Validate for PodDisruptionBudget {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("spec");
        spec(&mut rules, &self.spec, false);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let was_wrong = old.spec.selector.as_deref().is_some_and(|selector| {
            let values = selector.match_expressions.iter().flat_map(|expression| &expression.values);
            !selector::validate(selector, false, "").is_empty()
                && values.into_iter().any(|value| !names::label_value(value).is_empty())
        });
        let mut rules = Rules::new("spec");
        spec(&mut rules, &self.spec, was_wrong);
        rules.finish()
    }
}

fn spec(rules: &mut Rules, spec: &PodDisruptionBudgetSpec, loose: bool) {
    if spec.min_available.is_some() && spec.max_unavailable.is_some() {
        let detail = "minAvailable and maxUnavailable cannot be both set";
        let value = String::from_utf8_lossy(&json::to_vec(spec)).into_owned();
        rules.invalid("", FieldValue::Json(value), detail);
    }
    for (field, amount) in [("minAvailable", &spec.min_available), ("maxUnavailable", &spec.max_unavailable)]
    {
        if let Some(amount) = amount {
            share(rules, field, amount);
        }
    }
    if let Some(selector) = &spec.selector {
        rules.selector("selector", selector, loose);
    }
    if let Some(policy) = &spec.unhealthy_pod_eviction_policy {
        rules.one_of("unhealthyPodEvictionPolicy", policy.as_str(), &["AlwaysAllow", "IfHealthyBudget"]);
    }
}

/// A number of pods, or a share of them that is no more than all.
fn share(rules: &mut Rules, field: &str, amount: &IntOrString) {
    match amount {
        IntOrString::Int(count) => rules.not_negative(field, *count),
        IntOrString::String(text) => {
            let complaints = names::percent(text);
            if complaints.is_empty() {
                let digits = text.trim_end_matches('%').trim_start_matches('0');
                if digits.len() > 3 || digits.parse().is_ok_and(|percent: u32| percent > 100) {
                    rules.invalid(field, text, "must not be greater than 100%");
                }
            } else {
                rules.complaints(field, text, complaints);
            }
        }
    }
}
