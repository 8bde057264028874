//! [`StrategicError`], and how Go prints the values in it.

use std::fmt::{self, Write as _};

use serde_json::Value;

/// A strategic merge patch that cannot be applied or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrategicError {
    /// The patch, or a document, is not a JSON object.
    #[error("invalid JSON document")]
    NotAnObject,
    /// The kind has no schema that says how lists are merged.
    #[error("strategic merge patch format is not supported")]
    Unsupported,
    /// A directive about a list of scalars has a malformed name.
    #[error("invalid patch format of primitive list")]
    PrimitiveList,
    /// `$retainKeys` is no list, or does not name a field of the patch.
    #[error("invalid patch format of retainKeys")]
    RetainKeys,
    /// `$setElementOrder` is malformed, or two patches have it differently.
    #[error("invalid patch format of setElementOrder list")]
    ElementOrder,
    /// A list that is to be merged has lists in it.
    #[error("lists of lists are not supported")]
    ListOfLists,
    /// `$patch` has a value that it cannot have there.
    #[error("unknown patch type: {directive} in map: {object}")]
    Directive {
        /// The value.
        directive: String,
        /// The object it stands in.
        object: String,
    },
    /// The directive `merge` stands in an element of a list.
    #[error("merging lists cannot yet be specified in the patch")]
    MergedList,
    /// An element of a list has no value for the key by which elements are found.
    #[error("map: {object} does not contain declared merge key: {key}")]
    NoMergeKey {
        /// The element.
        object: String,
        /// The key.
        key: &'static str,
    },
    /// A list of objects is to be merged for which the schema names no key.
    #[error("cannot merge lists without merge key for {field}")]
    NoKeyDeclared {
        /// The list.
        field: String,
    },
    /// A list that is to be merged has elements of different types.
    #[error("list element types are not identical: {elements}")]
    Elements {
        /// The elements.
        elements: String,
    },
    /// Lists that are to be merged have no elements that would tell what they are lists of.
    #[error("no elements in any of the given slices")]
    NoElements,
    /// A value is of another type than a directive needs.
    #[error("expected a {expected}, but received a {found}")]
    Type {
        /// What is needed.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A value cannot be compared, as where an element's key is an object.
    #[error("{field}: a list or an object cannot be a key: {value}")]
    Uncomparable {
        /// The list.
        field: String,
        /// The value.
        value: String,
    },
    /// The patch has elements that its order leaves out, or has them in another order.
    #[error("The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n")]
    Order {
        /// The elements.
        patch: String,
        /// The order.
        order: String,
    },
    /// The directive `$patch` of one of two documents is no text.
    #[error("invalid value for special key: $patch")]
    SpecialKey,
    /// The schema has no such field.
    #[error("unable to find api field in struct {message} for the json field {field:?}")]
    Field {
        /// The struct.
        message: &'static str,
        /// The field.
        field: String,
    },
    /// The schema has no fields there.
    #[error("merging an object in json but data type is not struct, instead is: {form}")]
    NotAStruct {
        /// What it has.
        form: &'static str,
    },
    /// A field with a list is none in the schema.
    #[error("expected slice or array type, but got: {form}")]
    NotAList {
        /// What it has.
        form: &'static str,
    },
    /// Two patches have different `$retainKeys` for one object.
    #[error("{left} and {right} are not deep equal: this may happen when calculating the 3-way diff patch")]
    RetainedKeys {
        /// Those of the one.
        left: String,
        /// Those of the other.
        right: String,
    },
    /// What was modified was changed by others too.
    #[error("patch:\n{patch}\nconflicts with changes made from original to current:\n{changes}\n")]
    Conflict {
        /// The patch.
        patch: String,
        /// What others changed.
        changes: String,
    },
}

/// A value as Go's `%v` prints it.
pub(super) struct Dump<'a>(pub(super) &'a Value);

impl fmt::Display for Dump<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => formatter.write_str("<nil>"),
            Value::String(text) => formatter.write_str(text),
            Value::Number(number) if number.is_f64() => {
                let number = number.as_f64().unwrap_or_default();
                // Shortest form, with an exponent of at least two digits outside [1e-4, 1e21).
                if number == 0.0 || (1e-4..1e21).contains(&number.abs()) {
                    write!(formatter, "{number}")
                } else {
                    let text = format!("{number:e}");
                    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                    let (sign, exponent) = match exponent.strip_prefix('-') {
                        Some(exponent) => ('-', exponent),
                        None => ('+', exponent),
                    };
                    write!(formatter, "{digits}e{sign}{exponent:0>2}")
                }
            }
            Value::Array(items) => {
                formatter.write_char('[')?;
                for (index, item) in items.iter().enumerate() {
                    let space = if index > 0 { " " } else { "" };
                    write!(formatter, "{space}{}", Dump(item))?;
                }
                formatter.write_char(']')
            }
            Value::Object(fields) => {
                formatter.write_str("map[")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    let space = if index > 0 { " " } else { "" };
                    write!(formatter, "{space}{name}:{}", Dump(value))?;
                }
                formatter.write_char(']')
            }
            other => write!(formatter, "{other}"),
        }
    }
}

pub(super) fn dump(value: &Value) -> String {
    Dump(value).to_string()
}

pub(super) fn dump_list(items: &[Value]) -> String {
    let items: Vec<String> = items.iter().map(dump).collect();
    format!("[{}]", items.join(" "))
}

/// What Go calls the type of a value.
pub(super) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
