//! [`Element`], one step of the way to a field.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

use crate::quote::quoted;
use crate::tree::{Form, Node};
use crate::{Str, json};

/// One step inwards: a field, or an item of a list by what tells it apart.
///
/// Ordered as sets of fields are written: fields, items by keys, items by value, items by index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// A field of an object, or an entry of a map.
    Field(Str),
    /// An item of a list by some of its fields, sorted by their names.
    Key(Box<[(Str, Scalar)]>),
    /// An item of a set.
    Value(Scalar),
    /// An item of a list by its place.
    Index(i64),
}

/// A scalar by which an item is told apart.
#[derive(Clone, Debug)]
pub enum Scalar {
    /// An integer.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A text.
    Text(Str),
    /// A boolean.
    Bool(bool),
    /// What else JSON has.
    Other(Box<Value>),
}

impl Scalar {
    /// The scalar that a value is.
    #[must_use]
    pub fn of(node: Node<'_>) -> Self {
        match node.form() {
            Form::Text => Self::Text(node.as_str().map_or(Str::EMPTY, |text| Str::from(&*text))),
            _ => Self::from(node.to_value()),
        }
    }

    /// The value as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Int(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Bool(value) => (*value).into(),
            Self::Other(value) => (**value).clone(),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Int(_) | Self::Float(_) => 0,
            Self::Text(_) => 1,
            Self::Bool(_) => 2,
            Self::Other(value) if value.is_array() => 3,
            Self::Other(value) if value.is_object() => 4,
            Self::Other(_) => 5,
        }
    }

    /// Writes the value as JSON.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => json::text(out, text),
            other => json::any(out, &other.to_value()),
        }
    }
}

impl From<Value> for Scalar {
    fn from(value: Value) -> Self {
        match value {
            Value::Number(number) => match number.as_i64() {
                Some(value) => Self::Int(value),
                None => Self::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Self::Text(text.into()),
            Value::Bool(value) => Self::Bool(value),
            other => Self::Other(Box::new(other)),
        }
    }
}

impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => left.cmp(right),
            (Self::Int(left), Self::Float(right)) => (*left as f64).total_cmp(right),
            (Self::Float(left), Self::Int(right)) => left.total_cmp(&(*right as f64)),
            (Self::Float(left), Self::Float(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Other(left), Self::Other(right)) if self.rank() == other.rank() => {
                left.to_string().cmp(&right.to_string())
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scalar {}

/// As messages show it.
impl fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(&quoted(text)),
            other => write!(formatter, "{}", other.to_value()),
        }
    }
}

/// As messages show it: `.spec`, `[name="a"]`, `[="a"]`, `[0]`.
impl fmt::Display for Element {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(formatter, ".{name}"),
            Self::Key(fields) => {
                formatter.write_str("[")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(formatter, "{comma}{name}={value}")?;
                }
                formatter.write_str("]")
            }
            Self::Value(value) => write!(formatter, "[={value}]"),
            Self::Index(index) => write!(formatter, "[{index}]"),
        }
    }
}
