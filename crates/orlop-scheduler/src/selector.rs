//! Selectors of nodes and pods as signatures: comparable, hashable, compiled for quick matching.

use orlop_model::core::v1::{NodeSelector, NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm};
use orlop_model::meta::v1::{LabelSelector, LabelSelectorOperator};
use orlop_model::{List, Map, Str};

/// One condition on labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Requirement {
    key: Str,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Test {
    In(List<Str>),
    NotIn(List<Str>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

impl Requirement {
    pub(crate) fn equal(key: &Str, value: &Str) -> Self {
        Self { key: key.clone(), test: Test::In(List::from_iter([value.clone()])) }
    }

    fn matches(&self, labels: &Map<Str>) -> bool {
        let value = labels.get(&self.key);
        match &self.test {
            Test::In(values) => value.is_some_and(|value| values.contains(value)),
            Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::Above(bound) => number(value).is_some_and(|number| number > *bound),
            Test::Below(bound) => number(value).is_some_and(|number| number < *bound),
        }
    }
}

fn number(value: Option<&Str>) -> Option<i64> {
    value?.parse().ok()
}

/// A label selector: all of its requirements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Labels(List<Requirement>);

impl Labels {
    /// Compiles a selector.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn compile(selector: &LabelSelector) -> Result<Self, String> {
        let mut requirements = List::new();
        for (key, value) in &selector.match_labels {
            check_key(key)?;
            check_value(key, value)?;
            requirements.push(Requirement::equal(key, value));
        }
        for expression in &selector.match_expressions {
            let key = &expression.key;
            check_key(key)?;
            for value in &expression.values {
                check_value(key, value)?;
            }
            let values = || {
                if expression.values.is_empty() {
                    Err(format!("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty ({key})"))
                } else {
                    Ok(expression.values.clone())
                }
            };
            let none = || {
                if expression.values.is_empty() {
                    Ok(())
                } else {
                    Err(format!("values: Invalid value: values set must be empty for exists and does not exist ({key})"))
                }
            };
            let test = match &expression.operator {
                LabelSelectorOperator::In => Test::In(values()?),
                LabelSelectorOperator::NotIn => Test::NotIn(values()?),
                LabelSelectorOperator::Exists => none().map(|()| Test::Exists)?,
                LabelSelectorOperator::DoesNotExist => none().map(|()| Test::Absent)?,
                LabelSelectorOperator::Other(other) => {
                    return Err(format!("\"{other}\" is not a valid label selector operator"));
                }
            };
            requirements.push(Requirement { key: key.clone(), test });
        }
        Ok(Self(requirements))
    }

    pub(crate) fn push(&mut self, requirement: Requirement) {
        self.0.push(requirement);
    }

    /// Requires what `other` requires as well.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn matches(&self, labels: &Map<Str>) -> bool {
        self.0.iter().all(|requirement| requirement.matches(labels))
    }
}

/// A term of a node selector: all of its requirements on labels and on the node's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NodeTerm {
    labels: List<Requirement>,
    names: List<NameTest>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct NameTest {
    /// Whether the field is `metadata.name`; any other reads as empty.
    is_name: bool,
    value: Str,
    equal: bool,
}

impl NodeTerm {
    /// Compiles a term; `None` for an empty one, which matches nothing. `path` starts error texts.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn compile(term: &NodeSelectorTerm, path: &str) -> Result<Option<Self>, String> {
        if term.match_expressions.is_empty() && term.match_fields.is_empty() {
            return Ok(None);
        }
        let mut errors = Vec::new();
        let mut labels = List::new();
        for (index, expression) in term.match_expressions.iter().enumerate() {
            match compile_labels(expression, &format!("{path}.matchExpressions[{index}]")) {
                Ok(requirement) => labels.push(requirement),
                Err(error) => errors.push(error),
            }
        }
        let mut names = List::new();
        for (index, field) in term.match_fields.iter().enumerate() {
            match compile_name(field, &format!("{path}.matchFields[{index}]")) {
                Ok(test) => names.push(test),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Some(Self { labels, names })) } else { Err(joined(&errors)) }
    }

    pub(crate) fn matches(&self, name: &Str, labels: &Map<Str>) -> bool {
        self.labels.iter().all(|requirement| requirement.matches(labels))
            && (name.is_empty()
                || self.names.iter().all(|test| {
                    let field: &str = if test.is_name { name } else { "" };
                    (field == test.value.as_str()) == test.equal
                }))
    }
}

fn joined(errors: &[String]) -> String {
    match errors {
        [error] => error.clone(),
        _ => format!("[{}]", errors.join(", ")),
    }
}

fn compile_labels(expression: &NodeSelectorRequirement, path: &str) -> Result<Requirement, String> {
    let NodeSelectorRequirement { key, operator, values, .. } = expression;
    check_key(key).map_err(|error| format!("{path}.{error}"))?;
    let in_set = || {
        if values.is_empty() {
            Err(format!("{path}.values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"))
        } else {
            Ok(values.clone())
        }
    };
    let no_values = || {
        if values.is_empty() {
            Ok(())
        } else {
            Err(format!("{path}.values: Invalid value: values set must be empty for exists and does not exist"))
        }
    };
    let bound = || match values.as_slice() {
        [value] => value.parse().map_err(|_| {
            format!("{path}.values[0]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer")
        }),
        _ => Err(format!("{path}.values: Invalid value: for 'Gt', 'Lt' operators, exactly one value is required")),
    };
    let test = match operator {
        NodeSelectorOperator::In => Test::In(in_set()?),
        NodeSelectorOperator::NotIn => Test::NotIn(in_set()?),
        NodeSelectorOperator::Exists => no_values().map(|()| Test::Exists)?,
        NodeSelectorOperator::DoesNotExist => no_values().map(|()| Test::Absent)?,
        NodeSelectorOperator::Gt => Test::Above(bound()?),
        NodeSelectorOperator::Lt => Test::Below(bound()?),
        NodeSelectorOperator::Other(other) => {
            return Err(format!("{path}.operator: Unsupported value: \"{other}\""));
        }
    };
    for (index, value) in values.iter().enumerate() {
        check_value(key, value).map_err(|error| format!("{path}.values[{index}][{key}]: {error}"))?;
    }
    Ok(Requirement { key: key.clone(), test })
}

fn compile_name(field: &NodeSelectorRequirement, path: &str) -> Result<NameTest, String> {
    let equal = match &field.operator {
        NodeSelectorOperator::In => true,
        NodeSelectorOperator::NotIn => false,
        other => return Err(format!("{path}.operator: Unsupported value: \"{other}\"")),
    };
    match field.values.as_slice() {
        [value] => Ok(NameTest { is_name: field.key == "metadata.name", value: value.clone(), equal }),
        _ => Err(format!("{path}.values: Invalid value: must have one element")),
    }
}

/// The required node affinity of a pod or profile: one term that matches is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct NodeTerms(List<NodeTerm>);

impl NodeTerms {
    /// Compiles a selector. Terms that are empty or cannot be compiled match nothing, and do not
    /// keep others from matching.
    pub(crate) fn compile(selector: &NodeSelector) -> Self {
        let terms = &selector.node_selector_terms;
        Self(terms.iter().filter_map(|term| NodeTerm::compile(term, "").ok().flatten()).collect())
    }

    pub(crate) fn matches(&self, name: &Str, labels: &Map<Str>) -> bool {
        self.0.iter().any(|term| term.matches(name, labels))
    }
}

fn check_key(key: &Str) -> Result<(), String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key.as_str()),
    };
    let is_prefix = |prefix: &str| {
        prefix.len() <= 253
            && prefix.split('.').all(|part| {
                is_framed(part, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit(), |byte| byte == b'-')
            })
    };
    if !name.is_empty() && is_label_value(name) && prefix.is_none_or(is_prefix) {
        Ok(())
    } else {
        Err(format!("key: Invalid value: \"{key}\": not a label key"))
    }
}

fn check_value(_: &Str, value: &Str) -> Result<(), String> {
    if is_label_value(value) {
        return Ok(());
    }
    Err(format!(
        "Invalid value: \"{value}\": a valid label must be an empty string or consist of alphanumeric characters, \
         '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or \
         '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
    ))
}

fn is_label_value(value: &str) -> bool {
    value.is_empty()
        || (value.len() <= 63
            && is_framed(value, |byte| byte.is_ascii_alphanumeric(), |byte| matches!(byte, b'-' | b'_' | b'.')))
}

/// Whether the text is of `ends` and `middle` bytes, with `ends` at both ends.
fn is_framed(text: &str, ends: impl Fn(u8) -> bool, middle: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|byte| ends(*byte))
        && bytes.last().is_some_and(|byte| ends(*byte))
        && bytes.iter().all(|byte| ends(*byte) || middle(*byte))
}
