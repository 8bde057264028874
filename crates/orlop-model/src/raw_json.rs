//! [`RawJson`]: JSON that nobody looks into.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Str;

/// Any JSON, kept as its text without white space between the values. The default is `null`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawJson(Str);

impl RawJson {
    /// JSON from its text.
    ///
    /// # Errors
    /// If the text is no JSON.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        Self::parse_shared(text.into())
    }

    /// JSON from its text, which is kept.
    pub(crate) fn parse_shared(text: Str) -> serde_json::Result<Self> {
        if !is_field_set(text.as_bytes()) {
            serde_json::from_str::<serde::de::IgnoredAny>(&text)?;
            return Ok(Self::compacted(text));
        }
        Ok(Self(text))
    }

    /// Of a text that is JSON.
    pub(crate) fn compacted(text: Str) -> Self {
        if is_field_set(text.as_bytes()) {
            return Self(text);
        }
        // White space within strings is rare as well.
        let is_space =
            |any, byte: &u8| any | (*byte == b' ') | (*byte == b'\n') | (*byte == b'\r') | (*byte == b'\t');
        if !text.as_bytes().iter().fold(false, is_space) {
            return Self(text);
        }
        let (mut out, mut in_string, mut escaped) = (String::with_capacity(text.len()), false, false);
        for character in text.chars() {
            if in_string || !character.is_ascii_whitespace() {
                out.push(character);
            }
            in_string ^= character == '"' && !escaped;
            escaped = in_string && character == '\\' && !escaped;
        }
        Self(out.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value.
    ///
    /// # Errors
    /// If it is nested too deeply.
    pub fn to_value(&self) -> serde_json::Result<Value> {
        serde_json::from_str(&self.0)
    }
}

/// Whether a text is JSON of nothing but objects, without white space between: what sets of fields are, which are a third
/// of what there is of an object. Any other text has to be looked at closely.
fn is_field_set(text: &[u8]) -> bool {
    if !text.starts_with(b"{\"") {
        return text == b"{}";
    }
    let mut marks = Marks { text, block: 0, left: marks(text) };
    // The quote that begins the first key.
    let (_, mut depth) = (marks.next(), 1);
    loop {
        // Keys may have quotes that are escaped, as those of list items have.
        let end = loop {
            let Some(at) = marks.next() else { return false };
            match text.get(at) {
                Some(b'"') => break at,
                // What is escaped is marked as well.
                Some(b'\\') if matches!(text.get(at + 1), Some(b'"' | b'\\')) => _ = marks.next(),
                Some(b' ' | b'!') => {}
                _ => return false,
            }
        };
        let Some(next) = marks.next() else {
            // Nothing but the ends of all objects may follow.
            let ends = text.get(end + 1..).unwrap_or_default().strip_prefix(b":{").unwrap_or_default();
            return ends.len() == depth + 1 && ends.iter().all(|byte| *byte == b'}');
        };
        match text.get(end + 1..=next).unwrap_or_default() {
            // Nesting is limited as everywhere.
            b":{\"" if depth < 100 => depth += 1,
            b":{},\"" => {}
            [b':', b'{', b'}', ends @ .., b',', b'"']
                if ends.len() < depth && ends.iter().all(|byte| *byte == b'}') =>
            {
                depth -= ends.len();
            }
            _ => return false,
        }
    }
}

/// Goes from one marked byte to the next.
struct Marks<'a> {
    text: &'a [u8],
    /// Where the block begins that is looked at.
    block: usize,
    /// The marks in it that are left.
    left: u64,
}

impl Marks<'_> {
    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.block += BLOCK;
            self.left = marks(self.text.get(self.block..).filter(|rest| !rest.is_empty())?);
        }
        let at = self.block + self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(at)
    }
}

/// Bytes of a block.
const BLOCK: usize = 64;

/// Of the first block of a text, the bytes that are not above a quote, and the backslashes: what ends a key or a part of it,
/// and what must not be in one, besides spaces and `!`.
fn marks(text: &[u8]) -> u64 {
    // Without branches, so that it becomes a few steps on vectors.
    let mark = |byte: u8| u8::from((byte <= b'"') | (byte == b'\\'));
    let bytes = match text.first_chunk::<BLOCK>() {
        Some(bytes) => bytes.map(mark),
        None => std::array::from_fn(|index| text.get(index).map_or(0, |byte| mark(*byte))),
    };
    // Multiplying gathers the lowest bits of eight bytes in the highest byte.
    let gather = |word: &[u8; 8]| u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    let (words, _) = bytes.as_chunks();
    words.iter().rev().fold(0, |marks, word| marks << 8 | gather(word))
}

impl Default for RawJson {
    fn default() -> Self {
        Self(Str::from_static("null"))
    }
}

impl From<&Value> for RawJson {
    fn from(value: &Value) -> Self {
        let mut out = Vec::new();
        crate::json::any(&mut out, value);
        // What is written is UTF-8.
        Self(String::from_utf8(out).unwrap_or_default().into())
    }
}

impl From<Value> for RawJson {
    fn from(value: Value) -> Self {
        Self::from(&value)
    }
}

impl fmt::Display for RawJson {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::compacted(Box::<RawValue>::deserialize(deserializer)?.get().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_sets_are_seen_at_once() {
        for text in [
            "{}",
            r#"{"f:a":{}}"#,
            r#"{"f:a !b":{},"! a longer key":{}}"#,
            r#"{"f:a":{".":{},"k:{\"b\":\"\\\"}":{}},"f:c":{"f:d":{"f:e":{}}}}"#,
        ] {
            assert!(is_field_set(text.as_bytes()), "{text}");
            assert!(RawJson::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "{",
            "}",
            "{}}",
            "{},{}",
            r#"{"a":{},}"#,
            r#"{,"a":{}}"#,
            r#"{"a"}"#,
            r#"{"a":{}"b":{}}"#,
            "{}{",
        ] {
            assert!(!is_field_set(text.as_bytes()), "{text}");
            assert!(RawJson::parse(text).is_err(), "{text}");
        }
        for text in [r#"{"a":1}"#, r#"{"a":[]}"#, r#"{"\u0061":{}}"#, r#"{ }"#, "null"] {
            assert!(!is_field_set(text.as_bytes()), "{text}");
            assert!(RawJson::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn white_space_goes_and_strings_stay() {
        let raw = RawJson::parse("{ \"a b\" : [ 1 , \"c \\\" d\\\\\" , null ] }").unwrap();
        assert_eq!(raw.as_str(), "{\"a b\":[1,\"c \\\" d\\\\\",null]}");
        assert!(RawJson::parse("{\"a\":}").is_err());
    }
}
