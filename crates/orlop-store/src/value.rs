use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::Revision;

/// How a value is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// JSON text.
    Json,
    /// Kubernetes' protobuf, with or without its envelope as the codec has it.
    Protobuf,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Json, Self::Protobuf];
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Protobuf => "protobuf",
        })
    }
}

/// The typed form of a value: a `T` that its users ask for by type.
pub type Typed = Arc<dyn Any + Send + Sync>;

/// Turns the typed form of values into encoded ones and back.
///
/// The store itself knows no types; whoever puts a typed value gives the codec along with it, one
/// for each kind, shared by all its values.
pub trait Codec: fmt::Debug + Send + Sync {
    /// Writes the value down.
    ///
    /// # Errors
    /// If `value` is not of this codec's type, or cannot be written in this format. The answer is
    /// kept: it must not depend on anything but the arguments.
    fn encode(&self, value: &(dyn Any + Send + Sync), format: Format) -> Result<Bytes, CodecError>;

    /// Reads a value.
    ///
    /// # Errors
    /// If the bytes are not such a value in this format.
    fn decode(&self, bytes: &Bytes, format: Format) -> Result<Typed, CodecError>;

    /// The same value carrying another revision, for types that have their own revision inside
    /// (as Kubernetes objects have their `resourceVersion`). It is asked when the store makes a
    /// revision of its own accord: for the last state in the event of a deletion.
    ///
    /// `None`, the default, means that the value knows no revision and can be shared as it is.
    fn stamp(&self, value: &Typed, revision: Revision) -> Option<Typed> {
        let _ = (value, revision);
        None
    }
}

/// A value could not be brought into the wanted form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The value is there in other formats only, and no codec came with it.
    #[error("the value has no {wanted} form and no codec to make it")]
    NoCodec {
        /// The format asked for.
        wanted: Format,
    },
    /// The typed form is of another type than the codec's or the caller's.
    #[error("the value is not a {expected}")]
    WrongType {
        /// The name of the type asked for.
        expected: &'static str,
    },
    /// The codec refused.
    #[error("{format}: {reason}")]
    Failed {
        /// The format that was to be written or read.
        format: Format,
        /// What the codec says.
        reason: Arc<str>,
    },
}

impl CodecError {
    /// The codec's refusal in its own words.
    pub fn failed(format: Format, reason: impl fmt::Display) -> Self {
        Self::Failed { format, reason: reason.to_string().into() }
    }
}

/// What a record holds: a typed form, encoded forms, or both.
///
/// Each form is made at most once, when it is first asked for, and shared from then on. A clone
/// shares the forms that exist already.
pub struct Value {
    codec: Option<Arc<dyn Codec>>,
    typed: OnceLock<Typed>,
    encoded: [OnceLock<Result<Bytes, CodecError>>; 2],
    decoding: Mutex<()>,
}

impl Value {
    /// A value that is there in its typed form; the encoded ones are made by the codec.
    pub fn typed<T: Any + Send + Sync>(value: Arc<T>, codec: Arc<dyn Codec>) -> Self {
        Self::from_typed(value, codec)
    }

    fn from_typed(value: Typed, codec: Arc<dyn Codec>) -> Self {
        Self { typed: value.into(), ..Self::empty(Some(codec)) }
    }

    /// A value that is there in one encoded form, and can be had in no other unless it is
    /// [decoded](Value::decode).
    pub fn bytes(format: Format, bytes: impl Into<Bytes>) -> Self {
        let value = Self::empty(None);
        let _ = value.encoded[format as usize].set(Ok(bytes.into()));
        value
    }

    /// A value that is there in one encoded form; the others are made by the codec.
    pub fn bytes_with(format: Format, bytes: impl Into<Bytes>, codec: Arc<dyn Codec>) -> Self {
        Self { codec: Some(codec), ..Self::bytes(format, bytes) }
    }

    fn empty(codec: Option<Arc<dyn Codec>>) -> Self {
        Self {
            codec,
            typed: OnceLock::new(),
            encoded: [const { OnceLock::new() }; 2],
            decoding: Mutex::new(()),
        }
    }

    /// The typed form, if it exists (nothing is decoded) and is a `T`.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.typed.get().cloned().and_then(|typed| typed.downcast().ok())
    }

    /// The typed form by reference, if it exists and is a `T`.
    pub fn get_ref<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.typed.get().and_then(|typed| typed.downcast_ref())
    }

    /// The typed form whatever its type, if it exists.
    pub fn any(&self) -> Option<&Typed> {
        self.typed.get()
    }

    /// The typed form; where there is none yet, it is decoded and kept.
    ///
    /// # Errors
    /// If the bytes cannot be read (this is not kept: another codec may be tried), or the typed
    /// form is not a `T`.
    pub fn decode<T: Any + Send + Sync>(&self, codec: &dyn Codec) -> Result<Arc<T>, CodecError> {
        let typed = self.typed_by(codec)?.clone();
        typed.downcast().map_err(|_| CodecError::WrongType { expected: std::any::type_name::<T>() })
    }

    fn typed_by(&self, codec: &dyn Codec) -> Result<&Typed, CodecError> {
        if let Some(typed) = self.typed.get() {
            return Ok(typed);
        }
        let _one_at_a_time = self.decoding.lock();
        if let Some(typed) = self.typed.get() {
            return Ok(typed);
        }
        // A value without a typed form was made from bytes, so one of the formats is there.
        let (format, bytes) = self.any_bytes().ok_or(CodecError::NoCodec { wanted: Format::Json })?;
        let typed = codec.decode(bytes, format)?;
        Ok(self.typed.get_or_init(|| typed))
    }

    fn any_bytes(&self) -> Option<(Format, &Bytes)> {
        Format::ALL.into_iter().find_map(|format| self.ready(format).map(|bytes| (format, bytes)))
    }

    /// The encoded form, if it exists; nothing is encoded.
    pub fn ready(&self, format: Format) -> Option<&Bytes> {
        self.encoded[format as usize].get().and_then(|bytes| bytes.as_ref().ok())
    }

    /// The encoded form. The bytes are shared, not copied.
    ///
    /// # Errors
    /// If the codec cannot write the value in this format, or there is no codec.
    pub fn encoded(&self, format: Format) -> Result<Bytes, CodecError> {
        self.encoded[format as usize]
            .get_or_init(|| {
                let codec = self.codec.as_deref().ok_or(CodecError::NoCodec { wanted: format })?;
                codec.encode(&**self.typed_by(codec)?, format)
            })
            .clone()
    }

    /// The codec that came with the value.
    pub fn codec(&self) -> Option<&Arc<dyn Codec>> {
        self.codec.as_ref()
    }

    /// The value as it is at another revision: stamped by its codec, or shared where it knows no
    /// revision.
    pub fn stamped(&self, revision: Revision) -> Self {
        let stamped = self.codec.as_ref().and_then(|codec| {
            let typed = self.typed_by(&**codec).ok()?;
            Some(Self::from_typed(codec.stamp(typed, revision)?, codec.clone()))
        });
        stamped.unwrap_or_else(|| self.clone())
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        Self {
            codec: self.codec.clone(),
            typed: self.typed.clone(),
            encoded: self.encoded.clone(),
            decoding: Mutex::new(()),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Value");
        if let Some(codec) = &self.codec {
            f.field("codec", codec);
        }
        f.field("typed", &self.typed.get().is_some());
        for format in Format::ALL {
            if let Some(bytes) = self.ready(format) {
                f.field(if format == Format::Json { "json" } else { "protobuf" }, bytes);
            }
        }
        f.finish()
    }
}
