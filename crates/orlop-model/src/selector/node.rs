//! Which nodes a pod may or would rather run on.

use super::{Labels, Operator, Requirement, Selector, SelectorError};
use crate::core::v1::{
    Node, NodeSelector, NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm, PodSpec,
    PreferredSchedulingTerm,
};
use crate::{FieldError, FieldValue, Str};

/// A compiled term of a node selector, or what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Term(Result<Conditions, Vec<FieldError>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Conditions {
    labels: Selector,
    fields: Box<[FieldCondition]>,
}

/// A condition on `metadata.name`, or on a field that no node has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct FieldCondition {
    is_name: bool,
    equal: bool,
    value: Str,
}

impl Term {
    /// `None` for a term without conditions, which matches nothing.
    fn new(term: &NodeSelectorTerm, path: &str) -> Option<Self> {
        if term.match_expressions.is_empty() && term.match_fields.is_empty() {
            return None;
        }
        let mut errors = Vec::new();
        let mut requirements = Vec::with_capacity(term.match_expressions.len());
        for (index, expression) in term.match_expressions.iter().enumerate() {
            match label_condition(expression, &format!("{path}.matchExpressions[{index}]")) {
                Ok(requirement) => requirements.push(requirement),
                Err(found) => errors.extend(found),
            }
        }
        let mut fields = Vec::with_capacity(term.match_fields.len());
        for (index, expression) in term.match_fields.iter().enumerate() {
            match field_condition(expression, &format!("{path}.matchFields[{index}]")) {
                Ok(condition) => fields.push(condition),
                Err(error) => errors.push(error),
            }
        }
        Some(Self(if errors.is_empty() {
            Ok(Conditions { labels: Selector::new(requirements), fields: fields.into() })
        } else {
            Err(errors)
        }))
    }
}

impl Conditions {
    fn matches(&self, name: &str, labels: &(impl Labels + ?Sized)) -> bool {
        // Without a name there are no fields to look at.
        self.labels.matches(labels)
            && (name.is_empty()
                || self.fields.iter().all(|condition| {
                    let value = if condition.is_name { name } else { "" };
                    (value == condition.value) == condition.equal
                }))
    }
}

fn label_condition(expression: &NodeSelectorRequirement, path: &str) -> Result<Requirement, Vec<FieldError>> {
    let operator = match &expression.operator {
        NodeSelectorOperator::In => Operator::In,
        NodeSelectorOperator::NotIn => Operator::NotIn,
        NodeSelectorOperator::Exists => Operator::Exists,
        NodeSelectorOperator::DoesNotExist => Operator::DoesNotExist,
        NodeSelectorOperator::Gt => Operator::GreaterThan,
        NodeSelectorOperator::Lt => Operator::LessThan,
        NodeSelectorOperator::Other(other) => {
            let supported = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
            return Err(vec![FieldError::not_supported(format!("{path}.operator"), &**other, &supported)]);
        }
    };
    let values = expression.values.to_vec();
    Requirement::at(path, expression.key.clone(), operator, values, false)
}

fn field_condition(expression: &NodeSelectorRequirement, path: &str) -> Result<FieldCondition, FieldError> {
    let equal = match &expression.operator {
        NodeSelectorOperator::In => true,
        NodeSelectorOperator::NotIn => false,
        other => {
            let field = format!("{path}.operator");
            return Err(FieldError::not_supported(field, other.as_str(), &["In", "NotIn"]));
        }
    };
    match expression.values.as_slice() {
        [value] => {
            Ok(FieldCondition { is_name: expression.key == "metadata.name", equal, value: value.clone() })
        }
        values => {
            let shown = if values.is_empty() { FieldValue::null() } else { FieldValue::of(values) };
            Err(FieldError::invalid(format!("{path}.values"), shown, "must have one element"))
        }
    }
}

/// A compiled [`NodeSelector`]: a node matches if it fulfils one of the terms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeSelectorMatcher {
    terms: Box<[Term]>,
}

impl NodeSelectorMatcher {
    /// Compiles a selector.
    ///
    /// # Errors
    /// All that is wrong with its terms.
    pub fn new(selector: &NodeSelector) -> Result<Self, SelectorError> {
        let matcher = Self::lazy(selector);
        let errors = matcher.errors();
        if errors.is_empty() { Ok(matcher) } else { Err(SelectorError::Invalid(errors)) }
    }

    /// Compiles a selector as the scheduler does: a wrong term is kept with what is wrong with it
    /// and matches nothing, the others still count.
    #[must_use]
    pub fn lazy(selector: &NodeSelector) -> Self {
        let terms = selector.node_selector_terms.iter().enumerate();
        let terms = terms.filter_map(|(index, term)| Term::new(term, &format!("nodeSelectorTerms[{index}]")));
        Self { terms: terms.collect() }
    }

    fn errors(&self) -> Vec<FieldError> {
        self.terms.iter().filter_map(|term| term.0.as_ref().err()).flatten().cloned().collect()
    }

    /// Whether a node matches.
    ///
    /// # Errors
    /// No term matches, and some are wrong: what is wrong with them.
    pub fn matches(&self, node: &Node) -> Result<bool, SelectorError> {
        self.matches_labels(&node.metadata.name, &node.metadata.labels)
    }

    /// Like [`matches`](Self::matches), by the node's name and labels.
    ///
    /// # Errors
    /// No term matches, and some are wrong: what is wrong with them.
    pub fn matches_labels(&self, name: &str, labels: &(impl Labels + ?Sized)) -> Result<bool, SelectorError> {
        let mut wrong = false;
        for term in &self.terms {
            match &term.0 {
                Ok(conditions) if conditions.matches(name, labels) => return Ok(true),
                Ok(_) => {}
                Err(_) => wrong = true,
            }
        }
        if wrong { Err(SelectorError::Invalid(self.errors())) } else { Ok(false) }
    }

    /// The names of the only nodes that can match, sorted, where every term names some by
    /// `metadata.name`.
    #[must_use]
    pub fn only_names(&self) -> Option<Vec<Str>> {
        let mut names = Vec::new();
        for term in &self.terms {
            let Ok(conditions) = &term.0 else { continue };
            let mut wanted = conditions.fields.iter().filter(|field| field.is_name && field.equal);
            let name = &wanted.next()?.value;
            // Two different names in one term: no node.
            if wanted.all(|other| other.value == *name) {
                names.push(name.clone());
            }
        }
        Some(super::distinct(names))
    }
}

/// What a pod requires of its node: `spec.nodeSelector` and the required part of the node affinity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RequiredNodeAffinity {
    labels: Selector,
    affinity: Option<NodeSelectorMatcher>,
}

impl RequiredNodeAffinity {
    /// Compiles the requirements of a pod, wrong terms as in [`NodeSelectorMatcher::lazy`].
    #[must_use]
    pub fn new(pod: &PodSpec) -> Self {
        let affinity = pod.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
        let required = affinity
            .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
        Self {
            labels: Selector::from_labels(&pod.node_selector),
            affinity: required.map(|selector| NodeSelectorMatcher::lazy(selector)),
        }
    }

    /// Whether a node fulfils the requirements.
    ///
    /// # Errors
    /// As in [`NodeSelectorMatcher::matches`].
    pub fn matches(&self, node: &Node) -> Result<bool, SelectorError> {
        self.matches_labels(&node.metadata.name, &node.metadata.labels)
    }

    /// Like [`matches`](Self::matches), by the node's name and labels.
    ///
    /// # Errors
    /// As in [`NodeSelectorMatcher::matches`].
    pub fn matches_labels(&self, name: &str, labels: &(impl Labels + ?Sized)) -> Result<bool, SelectorError> {
        if !self.labels.matches(labels) {
            return Ok(false);
        }
        self.affinity.as_ref().map_or(Ok(true), |affinity| affinity.matches_labels(name, labels))
    }

    /// The compiled node affinity.
    #[must_use]
    pub fn affinity(&self) -> Option<&NodeSelectorMatcher> {
        self.affinity.as_ref()
    }
}

/// Compiled preferences for nodes: each term that matches adds its weight.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodePreferences {
    terms: Box<[(i64, Conditions)]>,
}

impl NodePreferences {
    /// Compiles terms; those of weight 0 and those without conditions count for nothing.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn new(terms: &[PreferredSchedulingTerm]) -> Result<Self, SelectorError> {
        let mut compiled = Vec::with_capacity(terms.len());
        let mut errors = Vec::new();
        for (index, term) in terms.iter().enumerate().filter(|(_, term)| term.weight != 0) {
            match Term::new(&term.preference, &format!("[{index}]")) {
                Some(Term(Ok(conditions))) => compiled.push((i64::from(term.weight), conditions)),
                Some(Term(Err(found))) => errors.extend(found),
                None => {}
            }
        }
        if errors.is_empty() {
            Ok(Self { terms: compiled.into() })
        } else {
            Err(SelectorError::Invalid(errors))
        }
    }

    /// Whether there is no term that could count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The sum of the weights of the terms that a node matches.
    #[must_use]
    pub fn score(&self, node: &Node) -> i64 {
        self.score_labels(&node.metadata.name, &node.metadata.labels)
    }

    /// Like [`score`](Self::score), by the node's name and labels.
    #[must_use]
    pub fn score_labels(&self, name: &str, labels: &(impl Labels + ?Sized)) -> i64 {
        self.terms
            .iter()
            .filter(|(_, conditions)| conditions.matches(name, labels))
            .map(|(weight, _)| weight)
            .sum()
    }
}
