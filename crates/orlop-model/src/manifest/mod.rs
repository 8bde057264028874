//! Manifests: YAML and JSON as people write them, read to objects, with errors that name file, line,
//! column and field.
//!
//! - A text has any number of documents. Empty ones are passed over, lists (`kind: List`) count as
//!   their items.
//! - YAML is read as Kubernetes' tools do, by the scalars of YAML 1.1: `yes` and `on` are true.
//! - Size, depth and what aliases expand to are limited, so that no text exhausts memory or stack.
//!
//! ```
//! use orlop_model::manifest::{Fields, read};
//! use orlop_model::scheme::Scheme;
//!
//! let text = "
//! apiVersion: apps/v1
//! kind: Deployment
//! metadata: {name: web}
//! spec:
//!   replicas: three
//! ";
//! let errors = read("web.yaml", text, &Scheme::builtin(), Fields::Strict).unwrap_err();
//! assert_eq!(
//!     errors.to_string(),
//!     "web.yaml:6:13: Deployment/web: spec.replicas: invalid type: string \"three\", expected i32",
//! );
//! ```

mod error;
mod json;
mod scalar;
mod tree;
mod write;
mod yaml;

use std::sync::Arc;

use serde_json::Value;

pub use self::error::{ManifestError, ManifestErrors, ManifestReason, Position};
use self::tree::{Content, Fault, Node};
pub use self::write::to_yaml;
use crate::scheme::{self, DecodeError, DecodeErrorKind, Scheme};
use crate::{AnyObject, Path, StaticKind, Step};

/// Longest text that is read, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 100;

/// Most values in a document, those that aliases repeat included.
const MAX_NODES: usize = 1_000_000;

/// Most fields of one document that strict reading complains of, as in Kubernetes.
const MAX_COMPLAINTS: usize = 100;

/// Most bytes of all texts in a document, those that aliases repeat included.
const MAX_TEXT: usize = MAX_BYTES;

/// Whether fields have to be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fields {
    /// Fields that a kind does not have, and fields that are there twice, are errors.
    #[default]
    Strict,
    /// Fields that a kind does not have are kept; of duplicates the last one counts.
    Lenient,
}

/// Reads all objects of a text, to the types that the scheme knows.
///
/// # Errors
/// All that is wrong, with any of the documents; a syntax error ends the reading.
pub fn read(
    file: &str,
    text: impl AsRef<[u8]>,
    scheme: &Scheme,
    fields: Fields,
) -> Result<Vec<Arc<dyn AnyObject>>, ManifestErrors> {
    let (documents, fault) = split(file, text.as_ref());
    let mut objects = Vec::with_capacity(documents.len());
    let mut errors = Vec::new();
    for document in documents {
        match document.decode(scheme, fields) {
            Ok(object) => objects.push(object),
            Err(found) => errors.extend(found.0),
        }
    }
    errors.extend(fault);
    if errors.is_empty() { Ok(objects) } else { Err(ManifestErrors(errors)) }
}

/// Reads all documents of a text, without looking at what they are.
///
/// # Errors
/// If the text cannot be read to its end.
pub fn documents(file: &str, text: impl AsRef<[u8]>) -> Result<Vec<Document>, ManifestErrors> {
    match split(file, text.as_ref()) {
        (documents, None) => Ok(documents),
        (_, Some(error)) => Err(ManifestErrors(vec![error])),
    }
}

/// Reports the fields of an object that its type does not know.
type UnknownFields<'a> = dyn Fn(&mut Path, &mut dyn FnMut(&Path, &str)) + 'a;

/// One object of a manifest, as it was written.
#[derive(Clone, Debug)]
pub struct Document {
    file: Arc<str>,
    number: usize,
    /// Where in its document it is, if that is a list.
    place: Vec<Step>,
    /// What the items of a typed list are, where they do not say it.
    of_list: Option<(String, String)>,
    root: Arc<Node>,
}

/// The documents that can be read, and what ends the reading early.
fn split(file: &str, text: &[u8]) -> (Vec<Document>, Option<ManifestError>) {
    let file: Arc<str> = file.into();
    let error = |number: usize, position: Option<Position>, reason: ManifestReason| ManifestError {
        file: file.to_string(),
        document: number,
        position,
        object: String::new(),
        field: String::new(),
        reason,
    };
    if text.len() > MAX_BYTES {
        return (Vec::new(), Some(error(1, None, ManifestReason::TooLarge)));
    }
    let text = match std::str::from_utf8(text) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(invalid) => {
            let before = &text[..invalid.valid_up_to()];
            let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let position = Position { line, column: before.len() - line_start + 1 };
            return (Vec::new(), Some(error(1, Some(position), ManifestReason::NotUtf8)));
        }
    };
    let (roots, fault) = trees(text);
    let mut documents = Vec::with_capacity(roots.len());
    let count = roots.len();
    for (index, root) in roots.into_iter().enumerate().filter(|(_, root)| !root.is_null()) {
        let document =
            Document { file: Arc::clone(&file), number: index + 1, place: Vec::new(), of_list: None, root };
        document.flatten_into(&mut documents);
    }
    (documents, fault.map(|fault| error(count + 1, Some(fault.at), fault.reason)))
}

/// What looks like JSON is read as JSON, and as YAML only if that fails.
fn trees(text: &str) -> (Vec<Arc<Node>>, Option<Fault>) {
    if !text.trim_start().starts_with('{') {
        return yaml::documents(text);
    }
    match json::documents(text) {
        (roots, Some(fault)) if matches!(fault.reason, ManifestReason::Syntax(_)) => {
            match yaml::documents(text) {
                (roots, None) => (roots, None),
                (_, Some(limit)) if !matches!(limit.reason, ManifestReason::Syntax(_)) => {
                    (roots, Some(limit))
                }
                _ => (roots, Some(fault)),
            }
        }
        outcome => outcome,
    }
}

impl Document {
    fn flatten_into(self, documents: &mut Vec<Self>) {
        let kind = self.root.text("kind").unwrap_or_default();
        let items = match self.root.entry("items").map(|entry| &entry.value.content) {
            Some(Content::List(items)) => items.as_slice(),
            Some(Content::Null) => &[],
            None if kind == "List" => &[],
            _ => return documents.push(self),
        };
        let Some(item_kind) = kind.strip_suffix("List") else {
            return documents.push(self);
        };
        // The items of a list of one kind need not say what they are.
        let api_version = self.root.text("apiVersion").unwrap_or_default();
        let of_list = (!item_kind.is_empty()).then(|| (api_version.to_owned(), item_kind.to_owned()));
        for (index, item) in items.iter().enumerate() {
            let mut place = self.place.clone();
            place.extend([Step::Key("items".to_owned()), Step::Index(index)]);
            let item = Self {
                file: Arc::clone(&self.file),
                number: self.number,
                place,
                of_list: of_list.clone(),
                root: Arc::clone(item),
            };
            item.flatten_into(documents);
        }
    }

    /// Number of its document in the file, from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Where it begins.
    #[must_use]
    pub fn position(&self) -> Position {
        self.root.at
    }

    /// Its `apiVersion`; empty if there is none.
    #[must_use]
    pub fn api_version(&self) -> &str {
        let implied = self.of_list.as_ref().map(|(api_version, _)| api_version.as_str());
        self.root.text("apiVersion").or(implied).unwrap_or_default()
    }

    /// Its `kind`; empty if there is none.
    #[must_use]
    pub fn kind(&self) -> &str {
        let implied = self.of_list.as_ref().map(|(_, kind)| kind.as_str());
        self.root.text("kind").or(implied).unwrap_or_default()
    }

    /// Its `metadata.name`; empty if there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.root.entry("metadata").and_then(|entry| entry.value.text("name")).unwrap_or_default()
    }

    /// The document as JSON; of duplicates the last one counts.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = self.root.to_value();
        if let (Some((api_version, kind)), Value::Object(fields)) = (&self.of_list, &mut value) {
            fields.entry("apiVersion").or_insert_with(|| api_version.as_str().into());
            fields.entry("kind").or_insert_with(|| kind.as_str().into());
        }
        value
    }

    /// Reads it to the type that the scheme knows.
    ///
    /// # Errors
    /// It is no object, `apiVersion`, `kind` or the name is missing, nobody knows the kind, a field is of another
    /// type, or, strictly read, unknown or there twice: all of these.
    pub fn decode(&self, scheme: &Scheme, fields: Fields) -> Result<Arc<dyn AnyObject>, ManifestErrors> {
        let object =
            scheme.decode(self.to_value()).map_err(|error| ManifestErrors(vec![self.decode_error(error)]))?;
        let (name, generate_name) = (&object.meta().name, &object.meta().generate_name);
        let named = !name.is_empty() || !generate_name.is_empty();
        self.check(named, fields, &|path, found| object.unknown_fields(path, found))?;
        Ok(object)
    }

    /// Reads it to a type, whatever its kind says, as far as the type allows that. A name is not required.
    ///
    /// # Errors
    /// As in [`decode`](Self::decode).
    pub fn decode_as<K: StaticKind>(&self, fields: Fields) -> Result<K, ManifestErrors> {
        let object: K = match &self.root.content {
            Content::Map(_) => scheme::decode(&self.to_value()),
            _ => Err(DecodeError { path: Vec::new(), kind: DecodeErrorKind::NotAnObject }),
        }
        .map_err(|error| ManifestErrors(vec![self.decode_error(error)]))?;
        self.check(true, fields, &|path, found| object.unknown_fields(path, found))?;
        Ok(object)
    }

    fn check(
        &self,
        named: bool,
        fields: Fields,
        unknown_fields: &UnknownFields<'_>,
    ) -> Result<(), ManifestErrors> {
        let mut errors = Vec::new();
        if !named {
            let path = [Step::Key("metadata".to_owned())];
            let reason = ManifestReason::Missing("metadata.name".to_owned());
            errors.push(self.error(Some(self.root.locate(&path)), "metadata.name", reason));
        }
        if fields == Fields::Strict {
            let mut complain = |field: String, position: &dyn Fn() -> Option<Position>, unknown: bool| {
                if errors.len() < MAX_COMPLAINTS {
                    let reason =
                        if unknown { ManifestReason::UnknownField } else { ManifestReason::DuplicateField };
                    errors.push(self.error(position(), &field, reason(field.clone())));
                }
            };
            self.root.duplicates(&mut Vec::new(), &mut |path, entry| {
                complain(join(&path_text(path), &entry.key), &|| Some(entry.at), false);
            });
            unknown_fields(&mut Path::new(), &mut |path, name| {
                let field = path.child(name);
                complain(field.clone(), &|| self.root.locate_key(&field), true);
            });
            errors.sort_by_key(|error| error.position);
        }
        if errors.is_empty() { Ok(()) } else { Err(ManifestErrors(errors)) }
    }

    fn decode_error(&self, error: DecodeError) -> ManifestError {
        let position = self.root.locate(&error.path);
        let field = path_text(&error.path);
        let reason = match error.kind {
            DecodeErrorKind::NotAnObject => ManifestReason::NotAnObject,
            DecodeErrorKind::Missing(name) => ManifestReason::Missing(name.to_owned()),
            DecodeErrorKind::UnknownKind { api_version, kind } => {
                let position = self.root.locate(&[Step::Key("kind".to_owned())]);
                return self.error(Some(position), "kind", ManifestReason::UnknownKind { api_version, kind });
            }
            DecodeErrorKind::WrongType(text) => ManifestReason::WrongType(text),
            DecodeErrorKind::Protobuf(error) => ManifestReason::WrongType(error.to_string()),
        };
        self.error(Some(position), &field, reason)
    }

    fn error(&self, position: Option<Position>, field: &str, reason: ManifestReason) -> ManifestError {
        let object = match (self.kind(), self.name()) {
            ("", _) => String::new(),
            (kind, "") => kind.to_owned(),
            (kind, name) => format!("{kind}/{name}"),
        };
        ManifestError {
            file: self.file.to_string(),
            document: self.number,
            position,
            object,
            field: join(&path_text(&self.place), field),
            reason,
        }
    }
}

fn path_text(path: &[Step]) -> String {
    path.iter().collect::<Path>().to_string()
}

fn join(path: &str, field: &str) -> String {
    match (path, field) {
        ("", field) => field.to_owned(),
        (path, "") => path.to_owned(),
        _ => format!("{path}.{field}"),
    }
}

#[cfg(test)]
mod tests;
