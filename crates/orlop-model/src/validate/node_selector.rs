//! Selectors of nodes: by labels and by name.

use super::rules::Rules;
use super::subdomain;
use crate::core::v1::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};
use crate::names;

/// A selector at the place of `rules`; a `loose` one may have values that are no label values.
pub(super) fn node_selector(rules: &mut Rules, selector: &NodeSelector, loose: bool) {
    if selector.node_selector_terms.is_empty() {
        rules.required("nodeSelectorTerms", "must have at least one node selector term");
    }
    rules.each("nodeSelectorTerms", &selector.node_selector_terms, |rules, term| {
        node_selector_term(rules, term, loose);
    });
}

/// A term of a selector at the place of `rules`.
pub(super) fn node_selector_term(rules: &mut Rules, term: &NodeSelectorTerm, loose: bool) {
    rules.each("matchExpressions", &term.match_expressions, |rules, requirement| {
        by_label(rules, requirement, loose);
    });
    rules.each("matchFields", &term.match_fields, by_field);
}

fn by_label(rules: &mut Rules, requirement: &NodeSelectorRequirement, loose: bool) {
    match requirement.operator.as_str() {
        "In" | "NotIn" => {
            if requirement.values.is_empty() {
                rules.required("values", "must be specified when `operator` is 'In' or 'NotIn'");
            }
        }
        "Exists" | "DoesNotExist" => {
            if !requirement.values.is_empty() {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                rules.forbidden("values", detail);
            }
        }
        "Gt" | "Lt" => {
            if requirement.values.len() != 1 {
                rules.required("values", "must be specified single value when `operator` is 'Lt' or 'Gt'");
            }
        }
        other => rules.invalid("operator", other, "not a valid selector operator"),
    }
    rules.complaints("key", &requirement.key, names::label_key(&requirement.key));
    if !loose {
        rules.each("values", &requirement.values, |rules, value| {
            rules.complaints("", value, names::label_value(value));
        });
    }
}

fn by_field(rules: &mut Rules, requirement: &NodeSelectorRequirement) {
    match requirement.operator.as_str() {
        "In" | "NotIn" => {
            if requirement.values.len() != 1 {
                let detail =
                    "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                rules.required("values", detail);
            }
        }
        other => rules.invalid("operator", other, "not a valid selector operator"),
    }
    if requirement.key == "metadata.name" {
        rules.each("values", &requirement.values, |rules, name| subdomain(rules, "", name));
    } else {
        rules.invalid("key", &requirement.key, "not a valid field selector key");
    }
}
