//! ControllerRevisions.

use super::Validate;
use super::rules::{IMMUTABLE, Rules};
use crate::apps::v1::ControllerRevision;
use crate::{FieldError, FieldValue};

impl Validate for ControllerRevision {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        if self.data.is_none() {
            rules.required("data", "data is mandatory");
        }
        rules.not_negative("revision", self.revision);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.extend(self.validate_create());
        if self.data != old.data {
            rules.invalid("data", FieldValue::of(&self.data), IMMUTABLE);
        }
        rules.finish()
    }
}
