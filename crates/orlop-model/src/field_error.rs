//! [`FieldError`]: what is wrong with one field of an object, in Kubernetes' words.

use std::fmt;

use serde::Serialize;

use crate::Str;
use crate::quote::quoted;

/// One thing that is wrong with one field.
///
/// ```
/// use orlop_model::FieldError;
///
/// let error = FieldError::invalid("spec.replicas", -1, "must be greater than or equal to 0");
/// assert_eq!(error.to_string(), "spec.replicas: Invalid value: -1: must be greater than or equal to 0");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldError {
    /// What sort of thing.
    pub kind: FieldErrorKind,
    /// The field, such as `spec.containers[0].name`.
    pub field: String,
    /// The value that was found; shown for some kinds only.
    pub value: FieldValue,
    /// What would be right; may be empty.
    pub detail: String,
}

/// A value as a [`FieldError`] shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldValue {
    /// A text, shown in quotation marks.
    Text(String),
    /// Anything else, as compact JSON.
    Json(String),
}

impl FieldValue {
    /// No value, shown as `null`.
    #[must_use]
    pub fn null() -> Self {
        Self::Json("null".to_owned())
    }

    /// A value as JSON, its fields in their own order; texts are [`Text`](Self::Text).
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
        serde_json::from_str(&json).map_or(Self::Json(json), Self::Text)
    }
}

impl fmt::Display for FieldValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(&quoted(text)),
            Self::Json(json) => formatter.write_str(json),
        }
    }
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&Str> for FieldValue {
    fn from(text: &Str) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<serde_json::Value> for FieldValue {
    fn from(value: serde_json::Value) -> Self {
        Self::of(&value)
    }
}

macro_rules! plain {
    ($($type:ty)*) => {$(
        impl From<$type> for FieldValue {
            fn from(value: $type) -> Self {
                Self::Json(value.to_string())
            }
        }
    )*};
}
plain!(i32 i64 u32 u64 usize bool);

/// What sort of thing is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldErrorKind {
    /// A value that something else needs is not there.
    NotFound,
    /// A value is missing.
    Required,
    /// A value that has to be unique is there twice.
    Duplicate,
    /// A value is malformed or out of range.
    Invalid,
    /// A value is not one of an enumeration.
    NotSupported,
    /// A well-formed value that is not allowed here.
    Forbidden,
    /// A text is too long.
    TooLong,
    /// A list is too long.
    TooMany,
    /// Something failed inside.
    InternalError,
    /// A value is of the wrong type.
    TypeInvalid,
}

impl FieldErrorKind {
    /// Short name (`Required`).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::Required => "Required",
            Self::Duplicate => "Duplicate",
            Self::Invalid => "Invalid",
            Self::NotSupported => "NotSupported",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "TooLong",
            Self::TooMany => "TooMany",
            Self::InternalError => "InternalError",
            Self::TypeInvalid => "TypeInvalid",
        }
    }

    /// Machine-readable reason in a `Status` (`FieldValueRequired`).
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::InternalError => "InternalError",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::InternalError => "Internal error",
        }
    }
}

impl FieldError {
    /// An error of any kind.
    pub fn new(
        kind: FieldErrorKind,
        field: impl Into<String>,
        value: impl Into<FieldValue>,
        detail: impl Into<String>,
    ) -> Self {
        Self { kind, field: field.into(), value: value.into(), detail: detail.into() }
    }

    /// A value is missing.
    pub fn required(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Required, field, FieldValue::null(), detail)
    }

    /// A value is malformed or out of range.
    pub fn invalid(
        field: impl Into<String>,
        value: impl Into<FieldValue>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(FieldErrorKind::Invalid, field, value, detail)
    }

    /// A well-formed value is not allowed here.
    pub fn forbidden(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Forbidden, field, FieldValue::null(), detail)
    }

    /// A value is there twice.
    pub fn duplicate(field: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        Self::new(FieldErrorKind::Duplicate, field, value, "")
    }

    /// Something that a value names is not there.
    pub fn not_found(field: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        Self::new(FieldErrorKind::NotFound, field, value, "")
    }

    /// A value is not one of `supported`, which are named in the order given.
    pub fn not_supported<S: AsRef<str>>(
        field: impl Into<String>,
        value: impl Into<FieldValue>,
        supported: &[S],
    ) -> Self {
        let detail = if supported.is_empty() {
            String::new()
        } else {
            let values: Vec<String> = supported.iter().map(|value| quoted(value.as_ref())).collect();
            format!("supported values: {}", values.join(", "))
        };
        Self::new(FieldErrorKind::NotSupported, field, value, detail)
    }

    /// A text has more than `limit` bytes.
    pub fn too_long(field: impl Into<String>, limit: usize) -> Self {
        let plural = if limit == 1 { "byte" } else { "bytes" };
        let detail = format!("may not be more than {limit} {plural}");
        Self::new(FieldErrorKind::TooLong, field, FieldValue::null(), detail)
    }

    /// A list has `count` elements, more than `limit`.
    pub fn too_many(field: impl Into<String>, count: usize, limit: usize) -> Self {
        let plural = if limit == 1 { "item" } else { "items" };
        let detail = format!("must have at most {limit} {plural}");
        Self::new(FieldErrorKind::TooMany, field, count, detail)
    }

    /// The message without the field.
    #[must_use]
    pub fn body(&self) -> String {
        let mut body = self.kind.words().to_owned();
        let shows_value = !matches!(
            self.kind,
            FieldErrorKind::Required
                | FieldErrorKind::Forbidden
                | FieldErrorKind::TooLong
                | FieldErrorKind::InternalError
        );
        if shows_value {
            body.push_str(": ");
            body.push_str(&self.value.to_string());
        }
        if !self.detail.is_empty() {
            body.push_str(": ");
            body.push_str(&self.detail);
        }
        body
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.body())
    }
}

impl std::error::Error for FieldError {}

/// Several messages as one: each once, in brackets if there is more than one.
#[must_use]
pub fn aggregate<E: fmt::Display>(errors: &[E]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for error in errors {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.as_slice() {
        [one] => one.clone(),
        all => format!("[{}]", all.join(", ")),
    }
}
