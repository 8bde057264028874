//! Matching of label selectors.

use orlop_model::meta::v1::LabelSelectorOperator;
use orlop_model::{LabelSelector, Map, Str};

/// Whether labels are selected. `None` selects nothing, an empty selector everything; a requirement that is not well
/// formed selects nothing.
pub(crate) fn selects(selector: Option<&LabelSelector>, labels: &Map<Str>) -> bool {
    let Some(selector) = selector else { return false };
    selector.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
        && selector.match_expressions.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            let listed = value.is_some_and(|value| requirement.values.contains(value));
            match requirement.operator {
                LabelSelectorOperator::In => listed,
                LabelSelectorOperator::NotIn => !requirement.values.is_empty() && !listed,
                LabelSelectorOperator::Exists => value.is_some(),
                LabelSelectorOperator::DoesNotExist => value.is_none(),
                LabelSelectorOperator::Other(_) => false,
            }
        })
}
