//! Protobuf as Kubernetes writes it: messages, and the envelope in which objects are stored and sent.
//!
//! Writing is byte for byte what Kubernetes' own encoder gives: fields in ascending order of their numbers; scalars and
//! structs without pointers always, even when they are empty. Reading accepts any order, missing fields and unknown ones,
//! which are kept and written again. Fields that JSON brought and the type does not know have no place in protobuf: an
//! object that has some ([`Extra::names`](crate::Extra::names)) is not whole in protobuf; store and send it as it came.
//!
//! ```
//! use orlop_model::core::v1::ConfigMap;
//! use orlop_model::{Map, Str, protobuf};
//!
//! let map = ConfigMap { data: Map::from([("key", Str::from("value"))]), ..ConfigMap::default() };
//! let bytes = protobuf::to_vec(&map);
//! assert!(bytes.starts_with(b"k8s\0"));
//! assert_eq!(protobuf::from_slice::<ConfigMap>(&bytes)?, map);
//! # Ok::<(), protobuf::Error>(())
//! ```
//!
//! Source: `k8s.io/apimachinery/pkg/runtime` (`Unknown`, `Serializer`) and the `generated.proto` files of Kubernetes 1.36.

mod envelope;
mod read;
mod wire;
mod write;

pub(crate) use self::envelope::around_json;
pub use self::envelope::{CONTENT_TYPE, Envelope};
pub use self::read::{Decoder, Outcome};
pub use self::wire::WireError;
use crate::message::Fields;
use crate::{Message, Str, Strings};

/// Deepest nesting that is read, as in JSON.
pub const MAX_DEPTH: usize = 128;

/// Why bytes cannot be read as protobuf of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason} at byte {offset}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct Error {
    /// The field, such as `spec.containers[0].name`; empty for the object itself.
    pub path: String,
    /// Byte of the message or envelope, from 0.
    pub offset: usize,
    /// What is wrong.
    pub reason: WireError,
}

impl Error {
    fn at(offset: usize, reason: WireError) -> Self {
        Self { path: String::new(), offset, reason }
    }
}

/// Reads an object from its envelope.
///
/// # Errors
/// If the envelope or the message is malformed or nested more than [`MAX_DEPTH`] levels deep, a text is not UTF-8, a
/// value is of another type than the field's, or the envelope is of another kind.
pub fn from_slice<M: Message>(bytes: &[u8]) -> Result<M, Error> {
    from_slice_with(bytes, None)
}

/// Reads an object as [`from_slice`] does, and shares its strings with those read before.
///
/// # Errors
/// As [`from_slice`].
pub fn from_slice_shared<M: Message>(bytes: &[u8], strings: &mut Strings) -> Result<M, Error> {
    from_slice_with(bytes, Some(strings))
}

fn from_slice_with<M: Message>(bytes: &[u8], strings: Option<&mut Strings>) -> Result<M, Error> {
    let envelope = Envelope::parse(bytes)?;
    let schema = M::SCHEMA;
    let of_kind = |found: &Str, wanted: &str| found.is_empty() || *found == *wanted;
    if !of_kind(&envelope.kind, schema.kind) || !of_kind(&envelope.api_version, schema.api_version) {
        let found = format!("{}, Kind={}", envelope.api_version, envelope.kind);
        let wanted = format!("{}, Kind={}", schema.api_version, schema.kind);
        return Err(Error::at(0, WireError::OtherKind { found, wanted }));
    }
    if envelope.is_json() {
        return Err(Error::at(0, WireError::OtherContentType(envelope.content_type.to_string())));
    }
    let mut message = M::default();
    read::message(envelope.raw, &mut message, strings).map_err(|mut error| {
        error.offset += envelope.offset;
        error
    })?;
    Ok(message)
}

/// Writes an object in its envelope.
#[must_use]
pub fn to_vec(message: &dyn Fields) -> Vec<u8> {
    let schema = message.schema();
    envelope::write(schema.api_version, schema.kind, "", |out| write::message(out, message))
}

/// Reads a message without an envelope.
///
/// # Errors
/// As [`from_slice`].
pub fn message_from_slice<M: Message>(bytes: &[u8]) -> Result<M, Error> {
    let mut message = M::default();
    read::message(bytes, &mut message, None)?;
    Ok(message)
}

/// Writes a message without an envelope.
#[must_use]
pub fn message_to_vec(message: &dyn Fields) -> Vec<u8> {
    let mut out = wire::Backward::default();
    write::message(&mut out, message);
    out.into_vec()
}

#[cfg(test)]
mod tests;
