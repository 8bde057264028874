//! [`Selector`], conditions on labels.

use std::fmt;
use std::str::FromStr;

use super::{Labels, Operator, Requirement, SelectorError, parse};
use crate::map::sorted_by_text;
use crate::meta::v1::{LabelSelector, LabelSelectorOperator};
#[cfg(feature = "rules")]
use crate::{FieldError, metadata, names};
use crate::{Map, Str};

/// Conditions on labels that all have to hold, or one that nothing fulfils. The default matches
/// everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(Option<Box<[Requirement]>>);

impl Selector {
    /// Matches every object.
    #[must_use]
    pub fn everything() -> Self {
        Self(Some(Box::default()))
    }

    /// Matches no object.
    #[must_use]
    pub fn nothing() -> Self {
        Self(None)
    }

    /// All of these conditions.
    #[must_use]
    pub fn new(requirements: impl IntoIterator<Item = Requirement>) -> Self {
        Self(Some(sorted(requirements.into_iter().collect())))
    }

    /// Reads a selector such as `app=web,tier in (a,b),!canary,weight>5`.
    ///
    /// # Errors
    /// If the text does not follow the grammar, or a key or value the rules of labels.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        parse::parse(text).map(Self::new)
    }

    /// Exactly these labels. They are not checked.
    #[must_use]
    pub fn from_labels(labels: &Map<Str>) -> Self {
        Self::new(labels.iter().map(|(key, value)| Requirement::equals(key, value)))
    }

    /// Compiles the selector of an object; an absent one matches nothing, an empty one everything.
    ///
    /// # Errors
    /// The first part that is wrong: an unknown operator, or a key or values that break its rules.
    pub fn from_object(selector: Option<&LabelSelector>) -> Result<Self, SelectorError> {
        let Some(selector) = selector else {
            return Ok(Self::nothing());
        };
        let mut requirements =
            Vec::with_capacity(selector.match_labels.len() + selector.match_expressions.len());
        for (key, value) in &selector.match_labels {
            requirements.push(Requirement::new(key.clone(), Operator::Equals, [value.clone()])?);
        }
        for expression in &selector.match_expressions {
            let operator = match &expression.operator {
                LabelSelectorOperator::In => Operator::In,
                LabelSelectorOperator::NotIn => Operator::NotIn,
                LabelSelectorOperator::Exists => Operator::Exists,
                LabelSelectorOperator::DoesNotExist => Operator::DoesNotExist,
                other => return Err(SelectorError::Operator(other.as_str().to_owned())),
            };
            let values = expression.values.iter().cloned();
            requirements.push(Requirement::new(expression.key.clone(), operator, values)?);
        }
        Ok(Self::new(requirements))
    }

    /// Whether labels fulfil all conditions.
    #[must_use]
    pub fn matches(&self, labels: &(impl Labels + ?Sized)) -> bool {
        self.0
            .as_ref()
            .is_some_and(|requirements| requirements.iter().all(|requirement| requirement.matches(labels)))
    }

    /// Whether it matches everything because it has no condition.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.as_ref().is_some_and(|requirements| requirements.is_empty())
    }

    /// Whether it matches nothing, not even objects without labels.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.0.is_none()
    }

    /// The conditions, sorted by key.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        self.0.as_deref().unwrap_or_default()
    }

    /// This and more conditions. A selector that matches nothing still does.
    #[must_use]
    pub fn and(self, more: impl IntoIterator<Item = Requirement>) -> Self {
        match self.0 {
            Some(requirements) => Self::new(requirements.into_iter().chain(more)),
            None => self,
        }
    }

    /// The value that the label `key` must have, if only one will do: a lookup by it is enough.
    #[must_use]
    pub fn only_value(&self, key: &str) -> Option<&Str> {
        self.requirements()
            .iter()
            .filter(|requirement| *requirement.key() == *key)
            .find_map(Requirement::only_value)
    }
}

impl Default for Selector {
    fn default() -> Self {
        Self::everything()
    }
}

impl FromStr for Selector {
    type Err = SelectorError;
    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Self::parse(text)
    }
}

impl TryFrom<&LabelSelector> for Selector {
    type Error = SelectorError;
    fn try_from(selector: &LabelSelector) -> Result<Self, SelectorError> {
        Self::from_object(Some(selector))
    }
}

impl fmt::Display for Selector {
    /// The canonical text: conditions sorted by key. Everything and nothing are both empty.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements().iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

impl LabelSelector {
    /// The selector as it is shown to people: `<none>` where it has no text, `<error>` where it
    /// cannot be compiled.
    #[must_use]
    pub fn display(selector: Option<&Self>) -> String {
        match Selector::from_object(selector).map(|selector| selector.to_string()) {
            Err(_) => "<error>".to_owned(),
            Ok(text) if text.is_empty() => "<none>".to_owned(),
            Ok(text) => text,
        }
    }
}

fn sorted(requirements: Vec<Requirement>) -> Box<[Requirement]> {
    sorted_by_text(requirements, |requirement| requirement.key()).into()
}

/// What is wrong with the selector of an object at `path`.
///
/// `allow_invalid_values` passes over values that are no label values, which an object that is
/// stored already may have.
#[cfg(feature = "rules")]
#[must_use]
pub fn validate(selector: &LabelSelector, allow_invalid_values: bool, path: &str) -> Vec<FieldError> {
    let mut errors = metadata::validate_labels(&selector.match_labels, &format!("{path}.matchLabels"));
    for (index, expression) in selector.match_expressions.iter().enumerate() {
        let field = |name: &str| format!("{path}.matchExpressions[{index}].{name}");
        match &expression.operator {
            LabelSelectorOperator::In | LabelSelectorOperator::NotIn => {
                if expression.values.is_empty() {
                    let detail = "must be specified when `operator` is 'In' or 'NotIn'";
                    errors.push(FieldError::required(field("values"), detail));
                }
            }
            LabelSelectorOperator::Exists | LabelSelectorOperator::DoesNotExist => {
                if !expression.values.is_empty() {
                    let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                    errors.push(FieldError::forbidden(field("values"), detail));
                }
            }
            LabelSelectorOperator::Other(other) => {
                let detail = "not a valid selector operator";
                errors.push(FieldError::invalid(field("operator"), &**other, detail));
            }
        }
        for complaint in names::label_key(&expression.key) {
            errors.push(FieldError::invalid(field("key"), &expression.key, complaint));
        }
        if allow_invalid_values {
            continue;
        }
        for (position, value) in expression.values.iter().enumerate() {
            for complaint in names::label_value(value) {
                errors.push(FieldError::invalid(field(&format!("values[{position}]")), value, complaint));
            }
        }
    }
    errors
}
