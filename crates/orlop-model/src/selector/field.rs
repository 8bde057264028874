//! [`FieldSelector`], conditions on fields of objects.

use std::fmt;
use std::str::FromStr;

use super::{Labels, SelectorError, parse};
use crate::Str;
use crate::map::sorted_by_text;

/// One condition of a [`FieldSelector`]: a field has a value, or has it not. A field that an object
/// does not have is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldRequirement {
    /// The field, such as `spec.nodeName`.
    pub field: Str,
    /// Whether it must have the value, or must not.
    pub equal: bool,
    /// The value.
    pub value: Str,
}

impl FieldRequirement {
    /// Whether fields fulfil the condition.
    #[must_use]
    pub fn matches(&self, fields: &(impl Labels + ?Sized)) -> bool {
        (fields.value(&self.field).unwrap_or_default() == self.value) == self.equal
    }
}

impl fmt::Display for FieldRequirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = if self.equal { "=" } else { "!=" };
        write!(formatter, "{}{operator}", self.field)?;
        for character in self.value.chars() {
            if matches!(character, '\\' | ',' | '=') {
                formatter.write_str("\\")?;
            }
            write!(formatter, "{character}")?;
        }
        Ok(())
    }
}

/// Conditions on fields that all have to hold. The default matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldSelector(Box<[FieldRequirement]>);

impl FieldSelector {
    /// Matches every object.
    #[must_use]
    pub fn everything() -> Self {
        Self::default()
    }

    /// All of these conditions.
    #[must_use]
    pub fn new(requirements: impl IntoIterator<Item = FieldRequirement>) -> Self {
        Self(requirements.into_iter().collect())
    }

    /// One field has a value.
    pub fn equals(field: impl Into<Str>, value: impl Into<Str>) -> Self {
        Self::new([FieldRequirement { field: field.into(), equal: true, value: value.into() }])
    }

    /// Reads a selector such as `status.phase!=Failed,spec.nodeName=n1`. Backslash, comma and
    /// equals sign in a value have a backslash before them.
    ///
    /// # Errors
    /// If the text does not follow the grammar.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if text.len() > parse::MAX_LENGTH {
            return Err(SelectorError::TooLong);
        }
        let terms = sorted_by_text(split(text), |term| term);
        let mut requirements = Vec::with_capacity(terms.len());
        for term in terms.into_iter().filter(|term| !term.is_empty()) {
            let position = term.find('=').ok_or_else(|| SelectorError::FieldTerm {
                selector: text.to_owned(),
                part: term.to_owned(),
            })?;
            let (field, value) = (&term[..position], &term[position + 1..]);
            let (field, equal, value) = match field.strip_suffix('!') {
                Some(field) => (field, false, value),
                None => (field, true, value.strip_prefix('=').unwrap_or(value)),
            };
            requirements.push(FieldRequirement {
                field: field.into(),
                equal,
                value: unescaped(value)?.into(),
            });
        }
        Ok(Self(requirements.into()))
    }

    /// Whether fields fulfil all conditions.
    #[must_use]
    pub fn matches(&self, fields: &(impl Labels + ?Sized)) -> bool {
        self.0.iter().all(|requirement| requirement.matches(fields))
    }

    /// Whether it matches everything because it has no condition.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// The conditions, sorted by their text as given.
    #[must_use]
    pub fn requirements(&self) -> &[FieldRequirement] {
        &self.0
    }

    /// The value that a field must have, if only one will do.
    #[must_use]
    pub fn only_value(&self, field: &str) -> Option<&Str> {
        self.0
            .iter()
            .find(|requirement| requirement.equal && requirement.field == *field)
            .map(|requirement| &requirement.value)
    }
}

impl FromStr for FieldSelector {
    type Err = SelectorError;
    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Self::parse(text)
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

/// Parts between commas that have no backslash before them.
fn split(text: &str) -> Vec<&str> {
    let mut escaped = false;
    text.split(|character| {
        let splits = character == ',' && !escaped;
        escaped = character == '\\' && !escaped;
        splits
    })
    .collect()
}

fn unescaped(value: &str) -> Result<String, SelectorError> {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => text.push(escaped),
                Some(other) => return Err(SelectorError::Escape(format!("\\{other}"))),
                None => return Err(SelectorError::Escape("\\".to_owned())),
            },
            ',' | '=' => return Err(SelectorError::Unescaped(character)),
            _ => text.push(character),
        }
    }
    Ok(text)
}
