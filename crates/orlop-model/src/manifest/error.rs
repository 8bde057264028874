//! What is wrong with a manifest, and where.

use std::fmt;

use super::{MAX_BYTES, MAX_DEPTH};

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1: characters in YAML, bytes in JSON.
    pub column: usize,
}

/// One thing that is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// Name of the file, as it was given.
    pub file: String,
    /// Number of the document in the file, from 1.
    pub document: usize,
    /// The place, where there is one.
    pub position: Option<Position>,
    /// The object, such as `Deployment/web`, as far as it is known; else empty.
    pub object: String,
    /// The field, such as `spec.replicas`; empty if it is the document as a whole.
    pub field: String,
    /// What is wrong.
    pub reason: ManifestReason,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        match self.position {
            Some(Position { line, column }) => write!(formatter, ":{line}:{column}: ")?,
            None => formatter.write_str(": ")?,
        }
        if !self.object.is_empty() {
            write!(formatter, "{}: ", self.object)?;
        }
        if !self.field.is_empty() && matches!(self.reason, ManifestReason::WrongType(_)) {
            write!(formatter, "{}: ", self.field)?;
        }
        write!(formatter, "{}", self.reason)
    }
}

impl std::error::Error for ManifestError {}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestReason {
    /// The text is neither YAML nor JSON.
    #[error("syntax error: {0}")]
    Syntax(String),
    /// The text is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// The text, or what its aliases make of it, is too large.
    #[error("too large: at most {} MiB and a million values", MAX_BYTES >> 20)]
    TooLarge,
    /// Values are nested too deeply.
    #[error("nested too deeply: at most {MAX_DEPTH} levels")]
    TooDeep,
    /// The document is a list or a single value.
    #[error("not an object")]
    NotAnObject,
    /// A field is not there.
    #[error("missing field {0:?}")]
    Missing(String),
    /// Nobody has registered its kind.
    #[error("no matches for kind {kind:?} in version {api_version:?}")]
    UnknownKind {
        /// Its `apiVersion`.
        api_version: String,
        /// Its `kind`.
        kind: String,
    },
    /// A value is of another type than its field.
    #[error("{0}")]
    WrongType(String),
    /// Strictly read: the kind has no such field.
    #[error("unknown field {0:?}")]
    UnknownField(String),
    /// Strictly read: the field is there twice.
    #[error("duplicate field {0:?}")]
    DuplicateField(String),
}

/// All that is wrong with a manifest, in the order of the text; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestErrors(pub Vec<ManifestError>);

impl fmt::Display for ManifestErrors {
    /// One line each.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(formatter, "{end}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestErrors {}
