//! Nodes.

use std::collections::BTreeSet;

use super::Validate;
use super::rules::Rules;
use crate::core::v1::{Node, Taint};
use crate::{FieldError, metadata, names};

impl Validate for Node {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        // The path is Kubernetes' own, though the field is spec.taints.
        rules.within("metadata", |rules| taints(rules, &self.spec.taints));
        if let Some(text) = self.metadata.annotations.get("scheduler.alpha.kubernetes.io/preferAvoidPods")
            && let Err(error) = serde_json::from_str::<serde_json::Value>(text)
        {
            rules.invalid("metadata.annotations.AvoidPods", "", error.to_string());
        }
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        if !old.spec.pod_cidrs.is_empty() && self.spec.pod_cidrs != old.spec.pod_cidrs {
            rules.forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid");
        }
        if !old.spec.provider_id.is_empty() && self.spec.provider_id != old.spec.provider_id {
            rules.forbidden(
                "spec.providerID",
                "node updates may not change providerID except from \"\" to valid",
            );
        }
        rules.extend(self.validate_create());
        rules.finish()
    }
}

fn taints(rules: &mut Rules, taints: &[Taint]) {
    let mut seen = BTreeSet::new();
    rules.each("taints", taints, |rules, taint| {
        let path = rules.path("key");
        rules.extend(metadata::validate_labels(
            &[(taint.key.clone(), "")].map(|(key, _)| (key, "".into())).into(),
            &path,
        ));
        rules.complaints("value", &taint.value, names::label_value(&taint.value));
        rules.required_one_of(
            "effect",
            taint.effect.as_str(),
            &["NoExecute", "NoSchedule", "PreferNoSchedule"],
        );
        if !seen.insert((taint.effect.clone(), taint.key.clone())) {
            rules.duplicate("", crate::FieldValue::of(taint));
        }
    });
}
