//! [`Str`], the string of every field.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use lean_string::LeanStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An immutable string of 16 bytes, cheap to clone: up to 16 bytes are kept inline, longer ones are shared, or borrowed
/// for good from the program's constants. The empty string stands for an absent field, as in Kubernetes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Str(LeanStr);

impl Str {
    /// The empty string.
    pub const EMPTY: Self = Self(LeanStr::new());

    /// Longest text that is kept inline, in bytes.
    pub const MAX_INLINE: usize = 16;

    /// A constant, which is borrowed instead of copied.
    #[must_use]
    #[inline]
    pub const fn from_static(text: &'static str) -> Self {
        Self(LeanStr::from_static_str(text))
    }

    /// The text.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, or `None` where it is empty.
    #[must_use]
    #[inline]
    pub fn non_empty(&self) -> Option<&Self> {
        (!self.is_empty()).then_some(self)
    }
}

/// A text of up to [`Str::MAX_INLINE`] bytes that has been copied to aligned words, where checking it is at its quickest.
#[repr(align(16))]
pub(crate) struct ShortText([u8; Str::MAX_INLINE], usize);

impl ShortText {
    /// The first bytes of a chunk, if there are as many.
    #[inline]
    pub(crate) fn new(chunk: &[u8; Str::MAX_INLINE], length: usize) -> Option<Self> {
        let mask = MASKS.get(length)?;
        Some(Self((u128::from_le_bytes(*chunk) & mask).to_le_bytes(), length))
    }

    /// The text, if it is UTF-8.
    #[inline]
    pub(crate) fn as_str(&self) -> Option<&str> {
        // Zeros are UTF-8 as well.
        std::str::from_utf8(&self.0).ok()?.get(..self.1)
    }
}

/// Masks of so many bytes.
static MASKS: [u128; Str::MAX_INLINE + 1] = {
    let mut masks = [0; Str::MAX_INLINE + 1];
    let mut length = 1;
    while length < masks.len() {
        masks[length] = u128::MAX >> (128 - 8 * length);
        length += 1;
    }
    masks
};

impl Deref for Str {
    type Target = str;
    #[inline]
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Str {
    #[inline]
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Str {
    #[inline]
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Str {
    #[inline]
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Str {
    #[inline]
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&String> for Str {
    #[inline]
    fn from(text: &String) -> Self {
        Self(text.into())
    }
}

impl From<&Self> for Str {
    #[inline]
    fn from(text: &Self) -> Self {
        text.clone()
    }
}

impl From<Str> for String {
    #[inline]
    fn from(text: Str) -> Self {
        text.as_str().to_owned()
    }
}

impl PartialEq<str> for Str {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Str {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl PartialEq<String> for Str {
    #[inline]
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

impl PartialEq<Str> for str {
    #[inline]
    fn eq(&self, other: &Str) -> bool {
        other == self
    }
}

impl PartialEq<Str> for &str {
    #[inline]
    fn eq(&self, other: &Str) -> bool {
        other == *self
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), formatter)
    }
}

impl Serialize for Str {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Str {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Str;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Str, E> {
                Ok(text.into())
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}
