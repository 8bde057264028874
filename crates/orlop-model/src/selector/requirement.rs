//! [`Requirement`], one condition on labels.

use std::fmt;

use super::{Labels, SelectorError};
use crate::{FieldError, FieldValue, Str, names};

/// How a [`Requirement`] compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `=`: the one value.
    Equals,
    /// `==`: the same, kept as it was written.
    DoubleEquals,
    /// `!=`: not the one value, or no such label.
    NotEquals,
    /// One of the values.
    In,
    /// None of the values, or no such label.
    NotIn,
    /// There is such a label.
    Exists,
    /// There is no such label.
    DoesNotExist,
    /// An integer greater than the one value.
    GreaterThan,
    /// An integer less than the one value.
    LessThan,
}

impl Operator {
    /// All of them, in the order in which Kubernetes names them.
    const NAMES: [&str; 9] = ["in", "notin", "=", "==", "!=", "gt", "lt", "exists", "!"];

    /// Kubernetes' name: `=`, `==`, `!=`, `in`, `notin`, `exists`, `!`, `gt`, `lt`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => Self::NAMES[0],
            Self::NotIn => Self::NAMES[1],
            Self::Equals => Self::NAMES[2],
            Self::DoubleEquals => Self::NAMES[3],
            Self::NotEquals => Self::NAMES[4],
            Self::GreaterThan => Self::NAMES[5],
            Self::LessThan => Self::NAMES[6],
            Self::Exists => Self::NAMES[7],
            Self::DoesNotExist => Self::NAMES[8],
        }
    }
}

/// One condition on labels: key, operator, values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    key: Str,
    operator: Operator,
    values: Box<[Str]>,
    /// The value as a number, for operators that compare numbers.
    number: i64,
}

impl Requirement {
    /// A condition, checked.
    ///
    /// # Errors
    /// If the key or a value breaks the rules of labels, or the operator takes another number of
    /// values.
    pub fn new(
        key: impl Into<Str>,
        operator: Operator,
        values: impl IntoIterator<Item = Str>,
    ) -> Result<Self, SelectorError> {
        Self::at("", key.into(), operator, values.into_iter().collect(), false)
            .map_err(SelectorError::Invalid)
    }

    /// Unchecked: the key has the one value.
    pub(super) fn equals(key: &Str, value: &Str) -> Self {
        Self { key: key.clone(), operator: Operator::Equals, values: [value.clone()].into(), number: 0 }
    }

    /// Checked, with errors at `path`; `is_list` tells Go's empty list from none at all.
    pub(super) fn at(
        path: &str,
        key: Str,
        operator: Operator,
        values: Vec<Str>,
        is_list: bool,
    ) -> Result<Self, Vec<FieldError>> {
        let field = |name: &str| {
            if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
        };
        let mut errors: Vec<FieldError> = Self::check_key(&key, field("key")).err().into_iter().collect();
        let complaint = match (operator, values.len()) {
            (Operator::In | Operator::NotIn, 0) => "for 'in', 'notin' operators, values set can't be empty",
            (Operator::Equals | Operator::DoubleEquals | Operator::NotEquals, 0 | 2..) => {
                "exact-match compatibility requires one single value"
            }
            (Operator::Exists | Operator::DoesNotExist, 1..) => {
                "values set must be empty for exists and does not exist"
            }
            (Operator::GreaterThan | Operator::LessThan, 0 | 2..) => {
                "for 'Gt', 'Lt' operators, exactly one value is required"
            }
            _ => "",
        };
        if !complaint.is_empty() {
            let shown =
                if values.is_empty() && !is_list { FieldValue::null() } else { FieldValue::of(&values) };
            errors.push(FieldError::invalid(field("values"), shown, complaint));
        }
        let mut number = 0;
        if matches!(operator, Operator::GreaterThan | Operator::LessThan) {
            for (index, value) in values.iter().enumerate() {
                match value.parse() {
                    Ok(value) => number = value,
                    Err(_) => errors.push(FieldError::invalid(
                        field(&format!("values[{index}]")),
                        value,
                        "for 'Gt', 'Lt' operators, the value must be an integer",
                    )),
                }
            }
        }
        for (index, value) in values.iter().enumerate() {
            let complaints = names::label_value(value);
            if !complaints.is_empty() {
                let field = field(&format!("values[{index}][{key}]"));
                errors.push(FieldError::invalid(field, value, complaints.join("; ")));
            }
        }
        if errors.is_empty() {
            Ok(Self { key, operator, values: values.into(), number })
        } else {
            Err(errors)
        }
    }

    pub(super) fn check_key(key: &str, field: String) -> Result<(), FieldError> {
        match names::label_key(key) {
            complaints if complaints.is_empty() => Ok(()),
            complaints => Err(FieldError::invalid(field, key, complaints.join("; "))),
        }
    }

    /// The label's key.
    #[must_use]
    pub fn key(&self) -> &Str {
        &self.key
    }

    /// How it compares.
    #[must_use]
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// What it compares with.
    #[must_use]
    pub fn values(&self) -> &[Str] {
        &self.values
    }

    /// The value that a label must have, if only one will do.
    #[must_use]
    pub fn only_value(&self) -> Option<&Str> {
        match (self.operator, &*self.values) {
            (Operator::Equals | Operator::DoubleEquals | Operator::In, [value]) => Some(value),
            _ => None,
        }
    }

    /// Whether labels fulfil the condition.
    #[must_use]
    pub fn matches(&self, labels: &(impl Labels + ?Sized)) -> bool {
        let value = labels.value(&self.key);
        match self.operator {
            Operator::Equals | Operator::DoubleEquals | Operator::In => {
                value.is_some_and(|value| self.has(value))
            }
            Operator::NotEquals | Operator::NotIn => value.is_none_or(|value| !self.has(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => value.and_then(integer).is_some_and(|value| value > self.number),
            Operator::LessThan => value.and_then(integer).is_some_and(|value| value < self.number),
        }
    }

    fn has(&self, value: &str) -> bool {
        self.values.iter().any(|other| *other == *value)
    }
}

fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

impl fmt::Display for Requirement {
    /// As in a selector; several values are sorted.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match self.operator {
            Operator::Exists => return formatter.write_str(key),
            Operator::DoesNotExist => return write!(formatter, "!{key}"),
            Operator::GreaterThan => write!(formatter, "{key}>")?,
            Operator::LessThan => write!(formatter, "{key}<")?,
            Operator::In | Operator::NotIn => write!(formatter, "{key} {} (", self.operator.as_str())?,
            _ => write!(formatter, "{key}{}", self.operator.as_str())?,
        }
        for (index, value) in super::sorted(self.values.to_vec()).iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{value}")?;
        }
        match self.operator {
            Operator::In | Operator::NotIn => formatter.write_str(")"),
            _ => Ok(()),
        }
    }
}
