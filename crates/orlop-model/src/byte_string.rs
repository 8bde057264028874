//! [`ByteString`]: bytes that are base64 in JSON.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes, written as standard base64 with padding in JSON. Cheap to clone. `Debug` shows only how many there are: they
/// may be secret.
///
/// The default is no bytes, Go's nil, which is `null` where an empty one is `""`; the two are equal.
#[derive(Clone, Default)]
pub struct ByteString(Option<Arc<[u8]>>);

impl ByteString {
    /// Whether it is Go's nil.
    pub(crate) fn is_nil(&self) -> bool {
        self.0.is_none()
    }

    /// Reads standard base64 with padding; line breaks are passed over.
    ///
    /// # Errors
    /// If the text is anything else.
    pub fn from_base64(text: &str) -> Result<Self, String> {
        let decoded = if text.contains(['\n', '\r']) {
            STANDARD.decode(text.replace(['\n', '\r'], ""))
        } else {
            STANDARD.decode(text)
        };
        decoded.map(Self::from).map_err(|error| format!("illegal base64 data: {error}"))
    }

    /// Standard base64 with padding.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&**self)
    }
}

impl Deref for ByteString {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl PartialEq for ByteString {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for ByteString {}

impl<T: AsRef<[u8]>> From<T> for ByteString {
    fn from(bytes: T) -> Self {
        Self(Some(bytes.as_ref().into()))
    }
}

impl fmt::Debug for ByteString {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<{} bytes>", self.len())
    }
}
