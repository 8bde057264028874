//! Namespaces.

use super::Validate;
use super::rules::Rules;
use crate::FieldError;
use crate::core::v1::Namespace;
use crate::names::{self, NameRule};

impl Validate for Namespace {
    const NAME_RULE: NameRule = NameRule::Label;

    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        for name in &self.spec.finalizers {
            let name = name.as_str();
            rules.complaints("spec.finalizers", name, names::label_key(name));
            if !name.contains('/') && !matches!(name, "kubernetes" | "orphan" | "foregroundDeletion") {
                let detail = "name is neither a standard finalizer name nor is it fully qualified";
                rules.invalid("spec.finalizers", name, detail);
            }
        }
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.extend(self.validate_create());
        rules.metadata_update(self, old);
        rules.finish()
    }
}
