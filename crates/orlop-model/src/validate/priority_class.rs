//! PriorityClasses.

use super::Validate;
use super::rules::Rules;
use crate::FieldError;
use crate::scheduling::v1::PriorityClass;

/// Most that users may give.
const HIGHEST: i32 = 1_000_000_000;

/// The classes of the system.
const SYSTEM: [(&str, i32); 2] =
    [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];

impl Validate for PriorityClass {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        let name = self.metadata.name.as_str();
        if name.starts_with("system-") {
            let complaint = match SYSTEM.iter().find(|(other, _)| *other == name) {
                None => Some(format!("{name} is not a known system priority class")),
                Some((_, value)) if *value != self.value => {
                    Some(format!("value of {name} PriorityClass must be {value}"))
                }
                Some(_) if self.global_default => {
                    Some(format!("globalDefault of {name} PriorityClass must be false"))
                }
                Some(_) => None,
            };
            if let Some(complaint) = complaint {
                let detail = format!(
                    "priority class names with 'system-' prefix are reserved for system use only. error: {complaint}"
                );
                rules.forbidden("metadata.name", detail);
            }
        } else if self.value > HIGHEST {
            let detail = format!("maximum allowed value of a user defined priority is {HIGHEST}");
            rules.forbidden("value", detail);
        }
        if let Some(policy) = &self.preemption_policy {
            rules.required_one_of("preemptionPolicy", policy.as_str(), &["PreemptLowerPriority", "Never"]);
        }
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.immutable("value", &self.value, &old.value);
        rules.immutable("preemptionPolicy", &self.preemption_policy, &old.preemption_policy);
        rules.finish()
    }
}
