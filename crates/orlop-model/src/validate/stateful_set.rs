//! StatefulSets.

use super::options::Options;
use super::rules::Rules;
use super::workload::{
    amount_or_percentage, at_most_all, is_zero, matcher, pod_template, runs_for_ever, selected_labels,
    selector,
};
use super::{Validate, warnings};
use crate::apps::v1::{StatefulSet, StatefulSetSpec};
use crate::names::{self, NameRule};
use crate::{FieldError, FieldValue};

impl Validate for StatefulSet {
    const NAME_RULE: NameRule = NameRule::Label;

    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| {
            // Later it cannot be changed anyway.
            if !self.spec.service_name.is_empty() {
                let name = &self.spec.service_name;
                rules.complaints("serviceName", name, names::dns1123_label(name));
            }
            spec(rules, &self.spec, true, &Options::default());
        });
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        // Templates were not checked once: those that were wrong may stay so.
        let mut before = Rules::new("");
        let claims = claim_names(&old.spec);
        let options = Options::after_template(&old.spec.template);
        pod_template(&mut before, &old.spec.template, &claims, &options);
        let was_good = before.count() == 0;

        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("spec", |rules| spec(rules, &self.spec, was_good, &options));
        let mut allowed = self.spec.clone();
        allowed.replicas = old.spec.replicas;
        allowed.template = old.spec.template.clone();
        allowed.update_strategy = old.spec.update_strategy.clone();
        allowed.min_ready_seconds = old.spec.min_ready_seconds;
        allowed.ordinals = old.spec.ordinals.clone();
        allowed.revision_history_limit = old.spec.revision_history_limit;
        allowed.persistent_volume_claim_retention_policy =
            old.spec.persistent_volume_claim_retention_policy.clone();
        if allowed != old.spec {
            let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
            rules.forbidden("spec", detail);
        }
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        warnings::of_stateful_set(self)
    }

    fn warnings_on_update(&self, old: &Self) -> Vec<String> {
        if self.metadata.generation == old.metadata.generation {
            return Vec::new();
        }
        warnings::of_stateful_set(self)
    }
}

/// Names of the volumes that each pod gets a claim of its own for.
fn claim_names(spec: &StatefulSetSpec) -> Vec<&str> {
    spec.volume_claim_templates.iter().map(|claim| claim.metadata.name.as_str()).collect()
}

fn spec(rules: &mut Rules, spec: &StatefulSetSpec, checks_template: bool, options: &Options) {
    match spec.pod_management_policy.as_str() {
        "" => rules.required("podManagementPolicy", ""),
        "OrderedReady" | "Parallel" => {}
        other => rules.invalid("podManagementPolicy", other, "must be 'OrderedReady' or 'Parallel'"),
    }
    update_strategy(rules, spec);
    if let Some(policy) = spec.persistent_volume_claim_retention_policy.as_deref() {
        rules.within("persistentVolumeClaimRetentionPolicy", |rules| {
            for (field, what) in [("whenDeleted", &policy.when_deleted), ("whenScaled", &policy.when_scaled)]
            {
                rules.one_of(field, what.as_str(), &["Retain", "Delete"]);
            }
        });
    }
    rules.not_negative("replicas", spec.replicas.unwrap_or_default());
    rules.not_negative("minReadySeconds", spec.min_ready_seconds);
    if let Some(ordinals) = &spec.ordinals {
        rules.not_negative("ordinals.start", ordinals.start);
    }
    selector(rules, spec.selector.as_deref(), "statefulset");
    let matcher = matcher(spec.selector.as_deref()).ok();
    if matcher.is_none() {
        rules.invalid("selector", FieldValue::of(&spec.selector), "");
    }
    rules.within("template", |rules| {
        if let Some(matcher) = &matcher {
            if !matcher.is_everything() {
                selected_labels(rules, matcher, &spec.template);
            }
            rules.labels("labels", &spec.template.metadata.labels);
            rules.annotations("annotations", &spec.template.metadata.annotations);
            super::annotations::of_pod(
                rules,
                &spec.template.metadata.annotations,
                &spec.template.spec,
                options,
            );
            if checks_template {
                pod_template(rules, &spec.template, &claim_names(spec), options);
            }
        }
        runs_for_ever(rules, &spec.template, "StatefulSet");
    });
}

fn update_strategy(rules: &mut Rules, spec: &StatefulSetSpec) {
    let strategy = &spec.update_strategy;
    rules.within("updateStrategy", |rules| {
        match (strategy.type_.as_str(), strategy.rolling_update.as_deref()) {
            ("", _) => rules.required("", ""),
            ("OnDelete", Some(bounds)) => {
                let detail = "only allowed for updateStrategy 'RollingUpdate'";
                rules.invalid("rollingUpdate", FieldValue::of(bounds), detail);
            }
            ("RollingUpdate", Some(bounds)) => rules.within("rollingUpdate", |rules| {
                rules.not_negative("partition", bounds.partition.unwrap_or_default());
                if let Some(bound) = &bounds.max_unavailable {
                    amount_or_percentage(rules, "maxUnavailable", bound);
                    if is_zero(bound) {
                        rules.invalid("maxUnavailable", FieldValue::of(bound), "cannot be 0");
                    }
                    at_most_all(rules, "maxUnavailable", bound);
                }
            }),
            ("OnDelete" | "RollingUpdate", None) => {}
            _ => rules.invalid("", FieldValue::of(strategy), "must be 'RollingUpdate' or 'OnDelete'"),
        }
    });
}
