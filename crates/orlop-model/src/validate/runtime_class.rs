//! RuntimeClasses.

use super::resource_name::{amount, of_container};
use super::rules::Rules;
use super::{Validate, affinity, node_labels};
use crate::node::v1::RuntimeClass;
use crate::{FieldError, FieldValue, names};

impl Validate for RuntimeClass {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.complaints("handler", &self.handler, names::dns1123_label(&self.handler));
        rules.option("overhead", self.overhead.as_deref(), |rules, overhead| {
            for (name, quantity) in &overhead.pod_fixed {
                // The place is that of a container's limits.
                let field = format!("limits[{name}]");
                of_container(rules, &field, name);
                amount(rules, &field, name, quantity);
            }
        });
        rules.option("scheduling", self.scheduling.as_deref(), |rules, scheduling| {
            rules.labels("nodeSelector", &scheduling.node_selector);
            affinity::tolerations(rules, "tolerations", &scheduling.tolerations, false);
            for (index, toleration) in scheduling.tolerations.iter().enumerate() {
                if scheduling.tolerations[..index].contains(toleration) {
                    rules.duplicate(&format!("tolerations[{index}]"), FieldValue::of(toleration));
                }
            }
        });
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.immutable("handler", &self.handler, &old.handler);
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        let selector = self.scheduling.iter().flat_map(|scheduling| scheduling.node_selector.keys());
        selector
            .filter_map(|label| node_labels::deprecation(label))
            .map(|text| format!("scheduling.nodeSelector: {text}"))
            .collect()
    }

    fn warnings_on_update(&self, _old: &Self) -> Vec<String> {
        self.warnings_on_create()
    }
}
