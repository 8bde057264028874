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
        serde_json::from_str::<serde::de::IgnoredAny>(&text)?;
        Ok(Self::compacted(text))
    }

    /// Of a text that is JSON.
    pub(crate) fn compacted(text: Str) -> Self {
        if !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
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

impl Default for RawJson {
    fn default() -> Self {
        Self(Str::inline("null"))
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
    fn white_space_goes_and_strings_stay() {
        let raw = RawJson::parse("{ \"a b\" : [ 1 , \"c \\\" d\\\\\" , null ] }").unwrap();
        assert_eq!(raw.as_str(), "{\"a b\":[1,\"c \\\" d\\\\\",null]}");
        assert!(RawJson::parse("{\"a\":}").is_err());
    }
}
