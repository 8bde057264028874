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
fn is_field_set(mut text: &[u8]) -> bool {
    // Nesting is limited as everywhere.
    let mut depth = 0..100;
    loop {
        text = match text {
            [b'{', b'"', rest @ ..] if depth.next().is_some() => rest,
            [b'{', b'}', rest @ ..] => {
                let mut rest = rest;
                loop {
                    match rest {
                        [b',', b'"', key @ ..] if depth.start > 0 => break key,
                        [b'}', after @ ..] if depth.start > 0 => {
                            depth.start -= 1;
                            rest = after;
                        }
                        _ => return depth.start == 0 && rest.is_empty(),
                    }
                }
            }
            _ => return false,
        };
        let Some(rest) = after_key(text) else { return false };
        text = rest;
    }
}

/// What follows a key and its colon; keys may have quotes that are escaped, as those of list items have.
fn after_key(mut key: &[u8]) -> Option<&[u8]> {
    loop {
        let end = match key.first_chunk::<8>().map(|chunk| ends(u64::from_le_bytes(*chunk))) {
            Some(0) => {
                key = &key[8..];
                continue;
            }
            Some(marks) => marks.trailing_zeros() as usize / 8,
            None => key.iter().position(|byte| matches!(byte, b'\\' | 0..=b'"'))?,
        };
        match &key[end..] {
            [b'"', b':', rest @ ..] => return Some(rest),
            [b'\\', b'"' | b'\\', rest @ ..] | [b' ' | b'!', rest @ ..] => key = rest,
            _ => return None,
        }
    }
}

/// The first byte of eight, in little-endian order, that may end a key or a part of it, by its highest bit; those after
/// it may be marked too. Quotes and control characters are found as what is not above a quote, which spaces and `!` are
/// not either. Bit tricks as in S. E. Anderson's collection ("determine if a word has a byte less than n").
fn ends(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let backslash = word ^ (ONES * b'\\' as u64);
    let small = word.wrapping_sub(ONES * (b'"' as u64 + 1)) & !word;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    (small | backslash) & (ONES << 7)
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
