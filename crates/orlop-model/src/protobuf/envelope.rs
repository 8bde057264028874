//! The envelope around every object: what Kubernetes calls `runtime.Unknown`.

use super::Error;
use super::wire::{BYTES, Backward, Reader, WireError};
use crate::Str;

/// Media type of objects in the envelope.
pub const CONTENT_TYPE: &str = "application/vnd.kubernetes.protobuf";

const MAGIC: &[u8] = b"k8s\0";
const JSON: &str = "application/json";

/// The tag of a length-delimited field.
const fn tag(number: u32) -> u32 {
    number << 3 | BYTES as u32
}

const TYPE: u32 = tag(1);
const API_VERSION: u32 = tag(1);
const KIND: u32 = tag(2);
const RAW: u32 = tag(2);
const CONTENT_ENCODING: u32 = tag(3);
const CONTENT_TYPE_TAG: u32 = tag(4);

/// An object in its envelope, not yet read: its kind is known and its content is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// `apiVersion` of the object.
    pub api_version: Str,
    /// `kind` of the object.
    pub kind: Str,
    /// The object in the format of `content_type`.
    pub raw: &'a [u8],
    /// How `raw` is compressed; empty: it is not.
    pub content_encoding: Str,
    /// Format of `raw`; empty: protobuf.
    pub content_type: Str,
    /// Where `raw` begins.
    pub(super) offset: usize,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope around an object.
    ///
    /// # Errors
    /// If there is none, or it is malformed.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let message = bytes.strip_prefix(MAGIC).ok_or(Error::at(0, WireError::NoEnvelope))?;
        let mut reader = Reader::new(message);
        let mut envelope = Self::default();
        if envelope.read(&mut reader).is_none() {
            // All that can be wrong with texts that can be read is their encoding.
            let reason = if reader.is_at_end() { WireError::NotUtf8 } else { reader.fault(reader.offset()) };
            return Err(Error::at(MAGIC.len() + reader.offset(), reason));
        }
        envelope.offset += MAGIC.len();
        Ok(envelope)
    }

    fn read(&mut self, reader: &mut Reader<'a>) -> Option<()> {
        while !reader.is_at_end() {
            match reader.tag()? {
                TYPE => {
                    let mut reader = Reader::new(reader.bytes()?);
                    while !reader.is_at_end() {
                        match reader.tag()? {
                            API_VERSION => self.api_version = text(reader.bytes()?)?,
                            KIND => self.kind = text(reader.bytes()?)?,
                            tag => reader.skip(tag)?,
                        }
                    }
                }
                RAW => {
                    self.raw = reader.bytes()?;
                    self.offset = reader.offset() - self.raw.len();
                }
                CONTENT_ENCODING => self.content_encoding = text(reader.bytes()?)?,
                CONTENT_TYPE_TAG => self.content_type = text(reader.bytes()?)?,
                tag => reader.skip(tag)?,
            }
        }
        Some(())
    }

    /// Whether the content is JSON, as it is for objects whose type has no protobuf.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.content_type == JSON
    }
}

fn text(bytes: &[u8]) -> Option<Str> {
    std::str::from_utf8(bytes).ok().map(Str::from)
}

/// Writes an envelope around what `content` writes.
pub(super) fn write(
    api_version: &str,
    kind: &str,
    content_type: &str,
    content: impl FnOnce(&mut Backward),
) -> Vec<u8> {
    let mut out = Backward::default();
    out.field(4, content_type.as_bytes());
    out.field(3, b"");
    out.nested(2, content);
    out.nested(1, |out| {
        out.field(2, kind.as_bytes());
        out.field(1, api_version.as_bytes());
    });
    out.bytes(MAGIC);
    out.into_vec()
}

/// Writes an envelope around JSON.
pub(crate) fn around_json(api_version: &str, kind: &str, json: &[u8]) -> Vec<u8> {
    write(api_version, kind, JSON, |out| out.bytes(json))
}
