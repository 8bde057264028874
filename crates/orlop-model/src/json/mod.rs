//! JSON of messages: what serde does for them, faster, with the place of an error, strict if asked to, and byte for byte
//! as Go writes it.
//!
//! ```
//! use orlop_model::core::v1::Pod;
//! use orlop_model::json;
//!
//! let pod: Pod = json::from_slice(br#"{"kind":"Pod","apiVersion":"v1","spec":{"nodeName":"a&b"}}"#)?;
//! let text = r#"{"kind":"Pod","apiVersion":"v1","metadata":{},"spec":{"containers":null,"nodeName":"a\u0026b"},"status":{}}"#;
//! assert_eq!(String::from_utf8(json::to_vec(&pod)).unwrap(), text);
//!
//! let error = json::from_slice::<Pod>(br#"{"spec": {"containers": [{"name": 1}]}}"#).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "spec.containers[0].name: invalid type: integer `1`, expected a string at line 1 column 35",
//! );
//!
//! let (_, problems) = json::from_slice_strict::<Pod>(br#"{"spec": {"nodename": ""}}"#)?;
//! assert_eq!(problems[0].to_string(), r#"unknown field "spec.nodename""#);
//! # Ok::<(), json::Error>(())
//! ```

mod context;
mod write;

use serde::de::DeserializeSeed;
use serde_json::Value;

pub(crate) use self::context::{Context, Seen};
pub use self::context::{MAX_PROBLEMS, Problem};
pub(crate) use self::write::{any, object, text};
use crate::message::{Fields, RootVisitor};
use crate::{Message, Path, Step, Strings};

/// Why a text cannot be read as JSON of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message} at line {line} column {column}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct Error {
    /// The field, such as `spec.containers[0].name`; empty for the object itself and for errors of syntax outside fields.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1; 0 before the first.
    pub column: usize,
}

/// Reads a message. Unknown fields are kept; of duplicate fields the last one counts.
///
/// # Errors
/// If the text is no JSON, is nested more than 128 levels deep, has a value of another type than the field's, or names
/// another kind.
pub fn from_slice<M: Message>(json: &[u8]) -> Result<M, Error> {
    let mut message = M::default();
    read(json, &mut message, Context::default())?;
    Ok(message)
}

/// Reads a message as [`from_slice`] does, and shares its strings with those read before.
///
/// # Errors
/// As [`from_slice`].
pub fn from_slice_shared<M: Message>(json: &[u8], strings: &mut Strings) -> Result<M, Error> {
    let mut message = M::default();
    read(json, &mut message, Context::sharing(strings))?;
    Ok(message)
}

/// Reads a message as [`from_slice`] does, and tells which fields are unknown and which are there twice: the first
/// [`MAX_PROBLEMS`] of them.
///
/// # Errors
/// As [`from_slice`].
pub fn from_slice_strict<M: Message>(json: &[u8]) -> Result<(M, Vec<Problem>), Error> {
    let mut message = M::default();
    let problems = read(json, &mut message, Context::strict())?;
    Ok((message, problems))
}

fn read(json: &[u8], message: &mut dyn Fields, mut context: Context<'_>) -> Result<Vec<Problem>, Error> {
    // One check of the whole text instead of one for each string.
    let text = std::str::from_utf8(json).map_err(|error| not_utf8(json, error))?;
    match read_text(text, message, &mut context) {
        Ok(()) => Ok(context.problems()),
        Err(error) => Err(Error {
            path: context.place().iter().collect::<Path>().to_string(),
            message: without_place(&error),
            line: error.line(),
            column: error.column(),
        }),
    }
}

fn read_text(text: &str, message: &mut dyn Fields, context: &mut Context<'_>) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    RootVisitor { message, context }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Reads a message from a document; an error is the way to its place and what is wrong.
pub(crate) fn read_value(value: &Value, message: &mut dyn Fields) -> Result<(), (Vec<Step>, String)> {
    // By its text, so that there is one reader in a program.
    let mut context = Context::default();
    read_text(&value.to_string(), message, &mut context)
        .map_err(|error| (context.place(), without_place(&error)))
}

pub(crate) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map_or(text.clone(), str::to_owned)
}

fn not_utf8(json: &[u8], error: std::str::Utf8Error) -> Error {
    let before = &json[..error.valid_up_to()];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    Error {
        path: String::new(),
        message: "the text is not UTF-8".to_owned(),
        line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
        column: before.len() - line_start + 1,
    }
}

/// Writes a message byte for byte as Go does, without the line break at the end of a response.
#[must_use]
pub fn to_vec(message: &dyn Fields) -> Vec<u8> {
    let mut out = Vec::with_capacity(4096);
    write::root(&mut out, message);
    out.shrink_to_fit();
    out
}
