//! DaemonSets.

use super::options::Options;
use super::rules::Rules;
use super::workload::{
    amount_or_percentage, at_most_all, is_zero, matcher, not_everything, or_zero, pod_template,
    runs_for_ever, selected_labels,
};
use super::{Validate, warnings};
use crate::apps::v1::{DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy};
use crate::{FieldError, FieldValue};

impl Validate for DaemonSet {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| spec(rules, &self.spec, false, &Options::default()));
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let options = Options::after_template(&old.spec.template);
        // What was wrong with the selector may stay wrong.
        let loose = options.broken_affinity_values
            || old.spec.selector.as_deref().is_some_and(|selector| {
                selector
                    .match_expressions
                    .iter()
                    .flat_map(|expression| &expression.values)
                    .any(|value| !crate::names::label_value(value).is_empty())
            });
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("spec", |rules| {
            spec(rules, &self.spec, loose, &options);
            rules.immutable("selector", &self.spec.selector, &old.spec.selector);
        });
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        warnings::of_template("spec.template", &self.spec.template)
    }

    fn warnings_on_update(&self, old: &Self) -> Vec<String> {
        if self.metadata.generation == old.metadata.generation {
            return Vec::new();
        }
        warnings::of_template("spec.template", &self.spec.template)
    }
}

fn spec(rules: &mut Rules, spec: &DaemonSetSpec, loose: bool, options: &Options) {
    if let Some(selector) = spec.selector.as_deref() {
        rules.selector("selector", selector, loose);
        not_everything(rules, selector, "daemonset");
    }
    let matcher = matcher(spec.selector.as_deref()).ok();
    rules.within("template", |rules| {
        if let Some(matcher) = &matcher {
            selected_labels(rules, matcher, &spec.template);
        }
        pod_template(rules, &spec.template, &[], options);
        runs_for_ever(rules, &spec.template, "DaemonSet");
    });
    rules.not_negative("minReadySeconds", spec.min_ready_seconds);
    rules.within("updateStrategy", |rules| strategy(rules, &spec.update_strategy));
    rules.not_negative("revisionHistoryLimit", spec.revision_history_limit.unwrap_or_default());
}

fn strategy(rules: &mut Rules, strategy: &DaemonSetUpdateStrategy) {
    match (strategy.type_.as_str(), strategy.rolling_update.as_deref()) {
        ("OnDelete", _) => {}
        ("RollingUpdate", None) => rules.required("rollingUpdate", ""),
        ("RollingUpdate", Some(bounds)) => rules.within("rollingUpdate", |rules| {
            let [unavailable, surge] =
                [&bounds.max_unavailable, &bounds.max_surge].map(|bound| or_zero(bound.as_ref()));
            amount_or_percentage(rules, "maxUnavailable", &unavailable);
            amount_or_percentage(rules, "maxSurge", &surge);
            at_most_all(rules, "maxUnavailable", &unavailable);
            at_most_all(rules, "maxSurge", &surge);
            match (is_zero(&unavailable), is_zero(&surge)) {
                (false, false) => {
                    let detail = "may not be set when maxUnavailable is non-zero";
                    rules.invalid("maxSurge", FieldValue::of(&surge), detail);
                }
                (true, true) => rules.required("maxUnavailable", "cannot be 0 when maxSurge is 0"),
                _ => {}
            }
        }),
        _ => rules.not_supported("", FieldValue::of(strategy), &["RollingUpdate", "OnDelete"]),
    }
}
