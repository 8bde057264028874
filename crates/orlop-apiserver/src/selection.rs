//! What a list or a watch is interested in.

use std::sync::Arc;

use orlop_client::{AnyObject, Error, Result};
use orlop_model::selector::{FieldSelector, Selector};

use crate::resource::Resource;

/// A label and a field selector over objects of one kind.
#[derive(Clone)]
pub(crate) struct Selection {
    resource: Arc<dyn Resource>,
    labels: Selector,
    fields: FieldSelector,
}

impl Selection {
    /// Reads both selectors; empty ones select everything.
    pub(crate) fn parse(resource: &Arc<dyn Resource>, labels: &str, fields: &str) -> Result<Self> {
        let labels = Selector::parse(labels)
            .map_err(|error| Error::bad_request(format!("unable to parse requirement: {error}")))?;
        let fields = FieldSelector::parse(fields)
            .map_err(|error| Error::bad_request(format!("invalid field selector: {error}")))?;
        for requirement in fields.requirements() {
            let field = &*requirement.field;
            if matches!(field, "metadata.name" | "metadata.namespace") || resource.fields().contains(&field) {
                continue;
            }
            return Err(Error::bad_request(if resource.fields().is_empty() {
                let known = "\"metadata.name\", \"metadata.namespace\"";
                format!("{field:?} is not a known field selector: only {known}")
            } else {
                format!("field label not supported: {field}")
            }));
        }
        Ok(Self { resource: Arc::clone(resource), labels, fields })
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    /// The only value that this field may have, if the selection demands one.
    pub(crate) fn only_value(&self, field: &str) -> Option<&str> {
        self.fields.only_value(field).map(|value| &**value)
    }

    pub(crate) fn selects(&self, object: &dyn AnyObject) -> bool {
        let meta = object.meta();
        self.labels.matches(&meta.labels)
            && self.fields.requirements().iter().all(|requirement| {
                let equal = match &*requirement.field {
                    "metadata.name" => meta.name == requirement.value,
                    "metadata.namespace" => meta.namespace == requirement.value,
                    field => self.resource.field(object, field) == *requirement.value,
                };
                equal == requirement.equal
            })
    }
}
