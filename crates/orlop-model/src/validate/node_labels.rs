//! Labels of nodes that have other names now.

#[cfg(feature = "storage")]
use crate::LabelSelector;
use crate::core::v1::NodeSelectorTerm;

/// The name that a label has now, and since when.
const OLD: [(&str, &str, &str); 5] = [
    ("beta.kubernetes.io/arch", "kubernetes.io/arch", "1.14"),
    ("beta.kubernetes.io/os", "kubernetes.io/os", "1.14"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region", "1.17"),
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone", "1.17"),
    ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type", "1.17"),
];

/// The present name of an old label.
pub(crate) fn successor(key: &str) -> Option<&'static str> {
    OLD.iter().find(|(old, ..)| *old == key).map(|(_, new, _)| *new)
}

/// What is to be said of an old label.
pub(crate) fn deprecation(key: &str) -> Option<String> {
    OLD.iter()
        .find(|(old, ..)| *old == key)
        .map(|(_, new, since)| format!("deprecated since v{since}; use \"{new}\" instead"))
}

/// What is to be said of a term of a node selector at `path`.
pub(crate) fn term_warnings(warnings: &mut Vec<String>, path: &str, term: &NodeSelectorTerm) {
    for (index, requirement) in term.match_expressions.iter().enumerate() {
        if let Some(text) = deprecation(&requirement.key) {
            warnings.push(format!("{path}.matchExpressions[{index}].key: {} is {text}", requirement.key));
        }
    }
}

/// What is to be said of a label selector for nodes at `path`.
#[cfg(feature = "storage")]
pub(crate) fn selector_warnings(warnings: &mut Vec<String>, path: &str, selector: &LabelSelector) {
    for (index, requirement) in selector.match_expressions.iter().enumerate() {
        if let Some(text) = deprecation(&requirement.key) {
            warnings.push(format!("{path}.matchExpressions[{index}].key: {} is {text}", requirement.key));
        }
    }
    for label in selector.match_labels.keys() {
        if let Some(text) = deprecation(label) {
            warnings.push(format!("{path}.matchLabels.{label}: {text}"));
        }
    }
}
