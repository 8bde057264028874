//! Selectors of owners.

use orlop_model::selector::Selector;
use orlop_model::{LabelSelector, Object};

use crate::PlanError;

/// The selector of `owner`, compiled; an absent one selects nothing.
pub(crate) fn compile(owner: &impl Object, selector: Option<&LabelSelector>) -> Result<Selector, PlanError> {
    Selector::from_object(selector)
        .map_err(|error| PlanError::invalid(owner, "spec.selector", error.to_string()))
}
