//! [`FieldSet`] in the format `FieldsV1`: an object of objects, whose names are path elements.

use serde_json::Value;

use super::{Element, FieldSet, Scalar};
use crate::{FieldsV1, RawJson, Str, json, known};

/// Deepest nesting of a set.
const MAX_DEPTH: usize = 120;

/// A text that is no set of fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fieldsV1: {message}")]
pub struct FieldsError {
    /// What is wrong.
    pub message: String,
}

impl FieldsError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl FieldSet {
    /// Reads a set. Elements of a kind that is not known are passed over.
    ///
    /// # Errors
    /// If it is no object of objects, a name is no path element, or it is nested more than 120 levels deep.
    pub fn parse(fields: &FieldsV1) -> Result<Self, FieldsError> {
        let mut reader = Reader { text: fields.as_json().as_bytes(), at: 0, scratch: String::new() };
        let (set, _) = match reader.object(0) {
            Ok(read) => read,
            // Any JSON may have escapes and spaces that sets are not written with.
            Err(None) => {
                let value = serde_json::from_str(fields.as_json())
                    .map_err(|error| FieldsError::new(error.to_string()))?;
                from_value(&value, 0)?
            }
            Err(Some(error)) => return Err(error),
        };
        Ok(set)
    }

    /// The set as it is kept in managed fields.
    #[must_use]
    pub fn to_fields(&self) -> FieldsV1 {
        let mut out = Vec::with_capacity(256);
        self.write(&mut out, false, &mut Vec::new());
        // What is written is UTF-8.
        FieldsV1::from(RawJson::compacted(String::from_utf8(out).unwrap_or_default().into()))
    }

    /// Whether a set that is only written may have members in common with this one, or above or below members of it. Most
    /// of the text is skipped.
    pub(super) fn touches(&self, fields: &FieldsV1) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut reader = Reader { text: fields.as_json().as_bytes(), at: 0, scratch: String::new() };
        // What cannot be read so fast has to be read.
        reader.finds(self, 0).unwrap_or(true)
    }

    fn write(&self, out: &mut Vec<u8>, is_member: bool, scratch: &mut Vec<u8>) {
        out.push(b'{');
        if is_member && !self.is_empty() {
            out.extend_from_slice(b"\".\":{},");
        }
        for (index, entry) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            scratch.clear();
            write_element(scratch, &entry.element);
            json::text(out, &String::from_utf8_lossy(scratch));
            out.push(b':');
            entry.below.write(out, entry.is_member, scratch);
        }
        out.push(b'}');
    }
}

fn write_element(out: &mut Vec<u8>, element: &Element) {
    match element {
        Element::Field(name) => {
            out.extend_from_slice(b"f:");
            out.extend_from_slice(name.as_bytes());
        }
        Element::Key(fields) => {
            out.extend_from_slice(b"k:{");
            for (index, (name, value)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                json::text(out, name);
                out.push(b':');
                value.write(out);
            }
            out.push(b'}');
        }
        Element::Value(value) => {
            out.extend_from_slice(b"v:");
            value.write(out);
        }
        Element::Index(index) => {
            out.extend_from_slice(b"i:");
            out.extend_from_slice(index.to_string().as_bytes());
        }
    }
}

/// A path element from its text; `None`: it is of a kind that is not known.
fn element(text: &str) -> Result<Option<Element>, FieldsError> {
    let wrong = |what: &str| FieldsError::new(format!("{what}: {text}"));
    let [kind, b':', ..] = text.as_bytes() else {
        return Err(wrong("no path element"));
    };
    let rest = &text[2..];
    Ok(Some(match kind {
        b'f' => Element::Field(name(rest)),
        b'k' => Element::Key(match simple_key(rest) {
            Some(fields) => fields,
            None => match serde_json::from_str(rest) {
                Ok(Value::Object(fields)) => {
                    let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into()));
                    let mut fields: Vec<(Str, Scalar)> = fields.collect();
                    fields.sort_by(|left, right| left.0.cmp(&right.0));
                    fields.into()
                }
                _ => return Err(wrong("no JSON object")),
            },
        }),
        b'v' => {
            let value: Value = serde_json::from_str(rest).map_err(|_| wrong("no JSON"))?;
            Element::Value(value.into())
        }
        b'i' => Element::Index(rest.parse().map_err(|_| wrong("no index"))?),
        _ => return Ok(None),
    }))
}

/// A name; those of Kubernetes' fields are not copied.
fn name(text: &str) -> Str {
    if text.len() > Str::MAX_INLINE
        && let Some(known) = known::find(text.as_bytes(), known::hash(text.as_bytes()))
    {
        return known;
    }
    text.into()
}

/// A key of one text without escapes, which nearly all are: `{"name":"web"}`.
fn simple_key(text: &str) -> Option<Box<[(Str, Scalar)]>> {
    let (field, value) = text.strip_prefix("{\"")?.strip_suffix("\"}")?.split_once("\":\"")?;
    let is_plain = |text: &str| !text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    (is_plain(field) && is_plain(value)).then(|| Box::from([(name(field), Scalar::Text(value.into()))]))
}

/// Reads what sets are made of: objects and names, no space between.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    scratch: String,
}

/// `None`: something that only a reader of JSON understands.
type Read<T> = Result<T, Option<FieldsError>>;

impl Reader<'_> {
    fn take(&mut self, byte: u8) -> bool {
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Read<()> {
        if self.take(byte) { Ok(()) } else { Err(None) }
    }

    /// An object, and whether it belongs to the set itself.
    fn object(&mut self, depth: usize) -> Read<(FieldSet, bool)> {
        if depth > MAX_DEPTH {
            return Err(Some(FieldsError::new("nested too deeply")));
        }
        self.expect(b'{')?;
        let (mut set, mut is_member) = (FieldSet::new(), false);
        if !self.take(b'}') {
            loop {
                match self.key()? {
                    Key::Itself => {
                        self.object(depth + 1)?;
                        is_member = true;
                    }
                    Key::Unknown => drop(self.object(depth + 1)?),
                    Key::Element(element) => {
                        let (below, is_below) = self.object(depth + 1)?;
                        set.put(element, is_below, below);
                    }
                }
                if self.take(b'}') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        if depth == 0 && self.at != self.text.len() {
            return Err(None);
        }
        let is_member = is_member || set.is_empty();
        Ok((set, is_member))
    }

    /// Whether an object has a step to a member of `set`, or is one itself.
    fn finds(&mut self, set: &FieldSet, depth: usize) -> Read<bool> {
        if depth > MAX_DEPTH {
            return Err(None);
        }
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(false);
        }
        loop {
            let found = match self.key()? {
                Key::Element(element) => set.find(&element),
                Key::Itself | Key::Unknown => None,
            };
            match found {
                Some(entry) if entry.is_member => return Ok(true),
                Some(entry) => {
                    if self.finds(&entry.below, depth + 1)? {
                        return Ok(true);
                    }
                }
                None => self.skip()?,
            }
            if self.take(b'}') {
                return Ok(false);
            }
            self.expect(b',')?;
        }
    }

    /// Passes over an object.
    fn skip(&mut self) -> Read<()> {
        let (mut depth, mut is_quoted) = (0_usize, false);
        loop {
            let byte = *self.text.get(self.at).ok_or(None)?;
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'"' => is_quoted = !is_quoted,
                _ if is_quoted => {}
                b'{' => depth += 1,
                b'}' if depth > 1 => depth -= 1,
                b'}' if depth == 1 => return Ok(()),
                b':' | b',' if depth > 0 => {}
                _ => return Err(None),
            }
        }
    }

    fn key(&mut self) -> Read<Key> {
        self.expect(b'"')?;
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).ok_or(None)?;
        let key = if rest[end] == b'"' {
            self.at += end + 1;
            // It is a part of a text between two quotes.
            let text = std::str::from_utf8(&rest[..end]).map_err(|_| None)?;
            key_of(text)?
        } else {
            self.scratch.clear();
            let mut place = 0;
            loop {
                let part = &rest[place..];
                let end = part.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).ok_or(None)?;
                self.scratch.push_str(std::str::from_utf8(&part[..end]).map_err(|_| None)?);
                place += end;
                match &rest[place..] {
                    [b'"', ..] => break,
                    [b'\\', escaped @ (b'"' | b'\\'), ..] => {
                        self.scratch.push(char::from(*escaped));
                        place += 2;
                    }
                    _ => return Err(None),
                }
            }
            self.at += place + 1;
            key_of(&self.scratch)?
        };
        self.expect(b':')?;
        Ok(key)
    }
}

enum Key {
    Itself,
    Element(Element),
    Unknown,
}

fn key_of(text: &str) -> Result<Key, FieldsError> {
    if text == "." {
        return Ok(Key::Itself);
    }
    Ok(element(text)?.map_or(Key::Unknown, Key::Element))
}

fn from_value(value: &Value, depth: usize) -> Result<(FieldSet, bool), FieldsError> {
    let fields = match value {
        Value::Object(fields) => fields,
        // As nothing: a set that is not there.
        Value::Null if depth == 0 => return Ok((FieldSet::new(), false)),
        _ => return Err(FieldsError::new("expected an object")),
    };
    if depth > MAX_DEPTH {
        return Err(FieldsError::new("nested too deeply"));
    }
    let (mut set, mut is_member) = (FieldSet::new(), false);
    for (key, value) in fields {
        match key_of(key)? {
            Key::Itself => is_member = true,
            Key::Unknown => {}
            Key::Element(element) => {
                let (below, is_below) = from_value(value, depth + 1)?;
                set.put(element, is_below, below);
            }
        }
    }
    let is_member = is_member || set.is_empty();
    Ok((set, is_member))
}
