//! StorageClasses and VolumeAttributesClasses.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::Rules;
use super::volume_plugin::csi_driver;
use super::{Validate, node_labels};
use crate::core::v1::TopologySelectorTerm;
use crate::storage::v1::{StorageClass, VolumeAttributesClass};
use crate::{FieldError, Map, Str, names};

/// Most parameters.
const MAX_PARAMETERS: usize = 512;
/// Most bytes of all parameters, keys and values together.
const MAX_PARAMETER_BYTES: usize = 256 << 10;

impl Validate for StorageClass {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        if self.provisioner.is_empty() {
            rules.required("provisioner", "");
        } else {
            let name = self.provisioner.to_lowercase();
            rules.complaints("provisioner", &name, names::label_key(&name));
        }
        parameters(&mut rules, &self.parameters, false);
        if let Some(policy) = self.reclaim_policy.as_ref().filter(|policy| !policy.is_empty()) {
            rules.one_of("reclaimPolicy", policy.as_str(), &["Delete", "Retain"]);
        }
        match &self.volume_binding_mode {
            None => rules.required("volumeBindingMode", ""),
            Some(mode) => {
                rules.one_of("volumeBindingMode", mode.as_str(), &["Immediate", "WaitForFirstConsumer"]);
            }
        }
        topologies(&mut rules, &self.allowed_topologies);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.extend(self.validate_create());
        rules.metadata_update(self, old);
        rules.immutable("parameters", &self.parameters, &old.parameters);
        rules.immutable("provisioner", &self.provisioner, &old.provisioner);
        rules.immutable("reclaimPolicy", &self.reclaim_policy, &old.reclaim_policy);
        rules.immutable("volumeBindingMode", &self.volume_binding_mode, &old.volume_binding_mode);
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        warnings(self)
    }

    fn warnings_on_update(&self, _old: &Self) -> Vec<String> {
        warnings(self)
    }
}

fn parameters(rules: &mut Rules, parameters: &Map<Str>, needed: bool) {
    if parameters.len() > MAX_PARAMETERS {
        rules.too_long("parameters", MAX_PARAMETERS);
        return;
    }
    if parameters.contains_key("") {
        rules.invalid("parameters", "", "field can not be empty.");
    }
    let size: usize = parameters.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > MAX_PARAMETER_BYTES {
        rules.too_long("parameters", MAX_PARAMETER_BYTES);
    }
    if needed && parameters.is_empty() {
        rules.required("parameters", "must contain at least one key/value pair");
    }
}

/// Terms have to differ. Kubernetes compares each with as many empty ones as there are terms, too.
fn topologies(rules: &mut Rules, terms: &[TopologySelectorTerm]) {
    let mut seen: Vec<BTreeMap<&str, BTreeSet<&str>>> = vec![BTreeMap::new(); terms.len()];
    rules.each("allowedTopologies", terms, |rules, term| {
        let mut values_of = BTreeMap::new();
        rules.each("matchLabelExpressions", &term.match_label_expressions, |rules, requirement| {
            let mut values = BTreeSet::new();
            if requirement.values.is_empty() {
                rules.required("values", "");
            }
            rules.each("values", &requirement.values, |rules, value| {
                if !values.insert(value.as_str()) {
                    rules.duplicate("", value);
                }
            });
            rules.complaints("key", &requirement.key, names::label_key(&requirement.key));
            if values_of.insert(requirement.key.as_str(), values).is_some() {
                rules.duplicate("key", &requirement.key);
            }
        });
        for _ in seen.iter().filter(|other| **other == values_of) {
            rules.duplicate("matchLabelExpressions", "");
        }
        seen.push(values_of);
    });
}

fn warnings(class: &StorageClass) -> Vec<String> {
    let mut warnings = Vec::new();
    for (index, term) in class.allowed_topologies.iter().enumerate() {
        for (place, requirement) in term.match_label_expressions.iter().enumerate() {
            if let Some(text) = node_labels::deprecation(&requirement.key) {
                warnings.push(format!(
                    "allowedTopologies[{index}].matchLabelExpressions[{place}].key: {} is {text}",
                    requirement.key
                ));
            }
        }
    }
    warnings
}

impl Validate for VolumeAttributesClass {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        csi_driver(&mut rules, "driverName", &self.driver_name);
        parameters(&mut rules, &self.parameters, true);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.extend(self.validate_create());
        rules.metadata_update(self, old);
        rules.immutable("driverName", &self.driver_name, &old.driver_name);
        rules.immutable("parameters", &self.parameters, &old.parameters);
        rules.finish()
    }
}
