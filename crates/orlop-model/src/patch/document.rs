//! [`Document`], JSON whose numbers are kept as they are written.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::json;

/// Levels of nesting that are read.
pub(super) const MAX_DEPTH: usize = 128;

/// A JSON document whose numbers are texts: none is too large, and none is changed by being read and written. JSON patch
/// and JSON merge patch work on it, as Kubernetes' do on JSON texts.
///
/// ```
/// use orlop_model::patch::Document;
///
/// let text = r#"{"a":[1.0,100000000000000000000,1e400]}"#;
/// assert_eq!(text.parse::<Document>()?.to_string(), text);
/// # Ok::<(), orlop_model::patch::DocumentError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Document {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(Box<str>),
    /// A string.
    String(String),
    /// A list.
    Array(Vec<Document>),
    /// An object; of equal names the last one counts.
    Object(BTreeMap<String, Document>),
}

/// A text that is no JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSON: {what} at byte {at}")]
pub struct DocumentError {
    /// What is wrong.
    pub what: &'static str,
    /// Where, in bytes from the beginning.
    pub at: usize,
}

impl Document {
    /// The entries, if it is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// The text, if it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The entry of this name, if it is an object that has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// As a [`Value`]: integers that fit into 64 bits stay exact, other numbers become floating-point ones.
    ///
    /// # Errors
    /// If a number is too large even for that.
    pub fn to_value(&self) -> serde_json::Result<Value> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(text) => serde_json::from_str(text)?,
            Self::String(text) => Value::String(text.clone()),
            Self::Array(items) => items.iter().map(Self::to_value).collect::<Result<_, _>>()?,
            Self::Object(entries) => {
                let entries = entries.iter().map(|(name, value)| Ok((name.clone(), value.to_value()?)));
                Value::Object(entries.collect::<serde_json::Result<_>>()?)
            }
        })
    }

    /// The document as JSON text, with strings escaped as Go does it.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// Bytes of the document as JSON, but for characters that are escaped.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Null => 4,
            Self::Bool(value) => 5 - usize::from(*value),
            Self::Number(text) => text.len(),
            Self::String(text) => text.len() + 2,
            Self::Array(items) => {
                2 + items.len().saturating_sub(1) + items.iter().map(Self::size).sum::<usize>()
            }
            Self::Object(entries) => {
                let size = entries.iter().map(|(name, value)| name.len() + 3 + value.size()).sum::<usize>();
                2 + entries.len().saturating_sub(1) + size
            }
        }
    }

    /// Levels of nesting, 1 for a scalar.
    pub(super) fn depth(&self) -> usize {
        let below = match self {
            Self::Array(items) => items.iter().map(Self::depth).max(),
            Self::Object(entries) => entries.values().map(Self::depth).max(),
            _ => None,
        };
        1 + below.unwrap_or(0)
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Number(text) => out.extend_from_slice(text.as_bytes()),
            Self::String(text) => json::text(out, text),
            Self::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Object(entries) => {
                out.push(b'{');
                for (index, (name, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    json::text(out, name);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

impl From<&Value> for Document {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(_) => {
                let mut out = Vec::new();
                json::any(&mut out, value);
                Self::Number(String::from_utf8(out).unwrap_or_default().into())
            }
            Value::String(text) => Self::String(text.clone()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            Value::Object(entries) => {
                Self::Object(entries.iter().map(|(name, value)| (name.clone(), Self::from(value))).collect())
            }
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&self.to_json()))
    }
}

impl FromStr for Document {
    type Err = DocumentError;
    fn from_str(text: &str) -> Result<Self, DocumentError> {
        let mut reader = Reader { text, at: 0 };
        let document = reader.value(MAX_DEPTH)?;
        reader.space();
        if reader.at < text.len() { Err(reader.error("text after the document")) } else { Ok(document) }
    }
}

/// Reads a text from a place on.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn error(&self, what: &'static str) -> DocumentError {
        DocumentError { what, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Document, DocumentError> {
        self.space();
        let below = depth.checked_sub(1).ok_or_else(|| self.error("too many levels"))?;
        match self.peek() {
            Some(b'{') => self.object(below),
            Some(b'[') => self.array(below),
            Some(b'"') => self.string().map(Document::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let words = [
                    ("null", Document::Null),
                    ("true", Document::Bool(true)),
                    ("false", Document::Bool(false)),
                ];
                let found = words.into_iter().find(|(word, _)| self.text[self.at..].starts_with(word));
                let (word, document) = found.ok_or_else(|| self.error("no value"))?;
                self.at += word.len();
                Ok(document)
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Document, DocumentError> {
        self.at += 1;
        let mut entries = BTreeMap::new();
        if self.takes(b'}') {
            return Ok(Document::Object(entries));
        }
        loop {
            self.space();
            let name = self.string()?;
            if !self.takes(b':') {
                return Err(self.error("no colon"));
            }
            entries.insert(name, self.value(depth)?);
            if self.takes(b'}') {
                return Ok(Document::Object(entries));
            }
            if !self.takes(b',') {
                return Err(self.error("no end of the object"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Document, DocumentError> {
        self.at += 1;
        let mut items = Vec::new();
        if self.takes(b']') {
            return Ok(Document::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.takes(b']') {
                return Ok(Document::Array(items));
            }
            if !self.takes(b',') {
                return Err(self.error("no end of the list"));
            }
        }
    }

    fn string(&mut self) -> Result<String, DocumentError> {
        if self.peek() != Some(b'"') {
            return Err(self.error("no string"));
        }
        let bytes = self.text.as_bytes();
        let (mut end, mut is_plain) = (self.at + 1, true);
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_plain = false;
                    end += 2;
                }
                Some(byte) => {
                    is_plain &= *byte >= 0x20;
                    end += 1;
                }
                None => return Err(self.error("no end of the string")),
            }
        }
        let text = if is_plain {
            self.text[self.at + 1..end].to_owned()
        } else {
            serde_json::from_str(&self.text[self.at..=end]).map_err(|_| self.error("a bad string"))?
        };
        self.at = end + 1;
        Ok(text)
    }

    fn number(&mut self) -> Result<Document, DocumentError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Document::Number(self.text[start..self.at].into()))
    }

    fn digits(&mut self) -> Result<(), DocumentError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("no digit")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_refused_as_serde_does() {
        for text in [
            "",
            " ",
            "{",
            "[",
            "[1,]",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            "01",
            "-",
            "1.",
            "1e",
            ".5",
            "+1",
            "tru",
            "nul",
            "\"",
            "\"\\x\"",
            "\"\\",
            "\"\u{1}\"",
            "1 2",
            "[1 2]",
            r#"{"a":1 "b":2}"#,
            "é",
        ] {
            assert!(text.parse::<Document>().is_err(), "{text}");
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
        for text in ["0", "-0", "1.50", "1e400", r#"{"a":{"b":[null,true,false,"é\"<"]}}"#, " [ 1 , 2 ] "] {
            assert!(text.parse::<Document>().is_ok(), "{text}");
        }
        let deep = "[".repeat(129) + &"]".repeat(129);
        assert!(deep.parse::<Document>().is_err());
        let text = r#"{"a":[1,2.5,"x"],"b":{}}"#;
        let document: Document = text.parse().unwrap();
        assert_eq!(document.size(), text.len());
        assert_eq!(Document::from(&document.to_value().unwrap()), document);
    }
}
