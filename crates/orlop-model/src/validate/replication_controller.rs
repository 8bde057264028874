//! ReplicationControllers and PodTemplates.

use super::options::Options;
use super::rules::Rules;
use super::workload::{pod_template, runs_for_ever};
use super::{Validate, warnings};
use crate::core::v1::{PodTemplate, ReplicationController, ReplicationControllerSpec};
use crate::{FieldError, FieldValue};

impl Validate for ReplicationController {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| spec(rules, &self.spec, &Options::default()));
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let options = old.spec.template.as_deref().map_or_else(Options::default, Options::after_template);
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| spec(rules, &self.spec, &options));
        rules.metadata_update(self, old);
        rules.within("spec", |rules| spec(rules, &self.spec, &options));
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        let mut warnings = warnings::host_name(&self.metadata.name);
        if let Some(template) = &self.spec.template {
            warnings.extend(warnings::of_template("spec.template", template));
        }
        warnings
    }

    fn warnings_on_update(&self, old: &Self) -> Vec<String> {
        match &self.spec.template {
            Some(template) if self.metadata.generation != old.metadata.generation => {
                warnings::of_template("spec.template", template)
            }
            _ => Vec::new(),
        }
    }
}

fn spec(rules: &mut Rules, spec: &ReplicationControllerSpec, options: &Options) {
    rules.not_negative("minReadySeconds", spec.min_ready_seconds);
    if spec.selector.is_empty() {
        rules.required("selector", "");
    }
    match spec.replicas {
        None => rules.required("replicas", ""),
        Some(count) => rules.not_negative("replicas", count),
    }
    let Some(template) = spec.template.as_deref() else {
        return rules.required("template", "");
    };
    rules.within("template", |rules| {
        let labels = &template.metadata.labels;
        if spec.selector.iter().any(|(key, value)| labels.get(key) != Some(value)) {
            let detail = "`selector` does not match template `labels`";
            rules.invalid("metadata.labels", FieldValue::of(labels), detail);
        }
        pod_template(rules, template, &[], options);
        runs_for_ever(rules, template, "ReplicationController");
    });
}

impl Validate for PodTemplate {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("template", |rules| pod_template(rules, &self.template, &[], &Options::default()));
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let options = Options::after_template(&old.template);
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("template", |rules| pod_template(rules, &self.template, &[], &options));
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        warnings::of_template("template", &self.template)
    }

    fn warnings_on_update(&self, old: &Self) -> Vec<String> {
        if self.metadata.generation == old.metadata.generation {
            return Vec::new();
        }
        warnings::of_template("template", &self.template)
    }
}
