//! Writing as Go's encoder writes.

use std::io::Write;

use serde_json::Value;

use crate::message::{Fields, View};
use crate::{Extra, IntOrString};

/// Writes a message that stands alone.
pub(super) fn root(out: &mut Vec<u8>, message: &dyn Fields) {
    let schema = message.schema();
    if schema.kind.is_empty() {
        return nested(out, message);
    }
    object(out, schema.kind, schema.api_version);
    fields(out, message, &mut false);
    out.push(b'}');
}

/// Opens an object with its kind.
pub(crate) fn object(out: &mut Vec<u8>, kind: &str, api_version: &str) {
    out.extend_from_slice(b"{\"kind\":");
    text(out, kind);
    out.extend_from_slice(b",\"apiVersion\":");
    text(out, api_version);
}

fn nested(out: &mut Vec<u8>, message: &dyn Fields) {
    if let Some(union) = message.as_union() {
        return value(out, union.active());
    }
    out.push(b'{');
    fields(out, message, &mut true);
    out.push(b'}');
}

fn fields(out: &mut Vec<u8>, message: &dyn Fields, is_first: &mut bool) {
    for (index, key) in message.schema().keys.iter().enumerate() {
        let view = message.view(index);
        if let (true, View::Message(inner)) = (key.inline, view) {
            fields(out, inner, is_first);
            continue;
        }
        if !key.writes(&view) {
            continue;
        }
        // Names of fields need no escapes; before the first there is no comma.
        out.extend_from_slice(&key.text.as_bytes()[usize::from(std::mem::take(is_first))..]);
        if key.required && view.is_nil() { out.extend_from_slice(b"null") } else { value(out, view) }
    }
    if let Some(extra) = message.extra() {
        unknown(out, extra, is_first);
    }
}

fn unknown(out: &mut Vec<u8>, extra: &Extra, is_first: &mut bool) {
    for (key, field) in extra.iter() {
        if !std::mem::take(is_first) {
            out.push(b',');
        }
        text(out, key);
        out.push(b':');
        any(out, field);
    }
}

fn value(out: &mut Vec<u8>, view: View<'_>) {
    match view {
        View::Absent => out.extend_from_slice(b"null"),
        View::Bool(true) => out.extend_from_slice(b"true"),
        View::Bool(false) => out.extend_from_slice(b"false"),
        View::Int(number) => integer(out, number),
        View::Float(number) => float(out, number),
        View::Text(string) => text(out, string),
        View::Bytes(bytes) if bytes.is_nil() => out.extend_from_slice(b"null"),
        View::Bytes(bytes) => plain(out, format_args!("{}", bytes.to_base64())),
        View::Time(time) => {
            out.push(b'"');
            time.write(out);
            out.push(b'"');
        }
        View::MicroTime(time) => {
            out.push(b'"');
            time.write(out);
            out.push(b'"');
        }
        // What a quantity keeps of the text it came from needs no escapes.
        View::Quantity(quantity) => {
            out.push(b'"');
            quantity.write(out);
            out.push(b'"');
        }
        View::IntOrString(IntOrString::Int(number)) => integer(out, i64::from(*number)),
        View::IntOrString(IntOrString::String(string)) => text(out, string),
        View::Raw(raw) => escaped(out, raw.as_str()),
        View::Message(message) => nested(out, message),
        View::List(list) => {
            for index in 0..list.len() {
                out.push(if index == 0 { b'[' } else { b',' });
                value(out, list.item(index));
            }
            out.extend_from_slice(if list.is_empty() { b"[]" } else { b"]" });
        }
        View::Map(map) => {
            out.push(b'{');
            let mut is_first = true;
            map.each(&mut |key, entry| {
                if !std::mem::take(&mut is_first) {
                    out.push(b',');
                }
                text(out, key);
                out.push(b':');
                value(out, entry);
                true
            });
            out.push(b'}');
        }
        View::Opaque(opaque) => match opaque.to_value() {
            Ok(json) => any(out, &json),
            Err(_) => out.extend_from_slice(b"null"),
        },
    }
}

/// Writes any JSON.
pub(crate) fn any(out: &mut Vec<u8>, json: &Value) {
    match json {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => match number.as_i64() {
            Some(number) => integer(out, number),
            None if number.is_u64() => plain_number(out, format_args!("{number}")),
            None => float(out, number.as_f64().unwrap_or_default()),
        },
        Value::String(string) => text(out, string),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                any(out, item);
            }
            out.push(b']');
        }
        Value::Object(entries) => {
            out.push(b'{');
            for (index, (key, entry)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                text(out, key);
                out.push(b':');
                any(out, entry);
            }
            out.push(b'}');
        }
    }
}

fn plain(out: &mut Vec<u8>, string: std::fmt::Arguments<'_>) {
    out.push(b'"');
    plain_number(out, string);
    out.push(b'"');
}

fn plain_number(out: &mut Vec<u8>, number: std::fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = out.write_fmt(number);
}

fn integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// The shortest digits that are read to the same number; with an exponent outside 1e-6 … 1e21.
fn float(out: &mut Vec<u8>, number: f64) {
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return plain_number(out, format_args!("{number}"));
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    plain_number(out, format_args!("{digits}e{sign}{exponent}"));
}

/// Writes a string with its quotes and escapes.
#[inline]
pub(crate) fn text(out: &mut Vec<u8>, string: &str) {
    out.push(b'"');
    write_escaped(out, string.as_bytes(), |byte| {
        (byte < 0x20) | (byte == b'"') | (byte == b'\\') | is_special(byte)
    });
    out.push(b'"');
}

/// Writes JSON that is complete, with the escapes of Go where it has none.
fn escaped(out: &mut Vec<u8>, json: &str) {
    write_escaped(out, json.as_bytes(), is_special);
}

/// What is dangerous within HTML; 0xe2 begins, among others, the line ends of JavaScript.
#[inline]
fn is_special(byte: u8) -> bool {
    // Without branches, so that many bytes can be looked at together.
    (byte == b'<') | (byte == b'>') | (byte == b'&') | (byte == 0xe2)
}

#[inline]
fn write_escaped(out: &mut Vec<u8>, bytes: &[u8], needs: impl Fn(u8) -> bool + Copy) {
    if has_none(bytes, needs) { out.extend_from_slice(bytes) } else { write_escapes(out, bytes, needs) }
}

/// Whether no byte needs an escape: without a branch for each, and the last ones together with some before them.
#[inline]
fn has_none(bytes: &[u8], needs: impl Fn(u8) -> bool + Copy) -> bool {
    #[inline(always)]
    fn none<const N: usize>(chunk: &[u8; N], needs: impl Fn(u8) -> bool) -> bool {
        !chunk.iter().fold(false, |any, byte| any | needs(*byte))
    }
    if let Some(last) = bytes.last_chunk::<16>() {
        return bytes.as_chunks::<16>().0.iter().all(|chunk| none(chunk, needs)) && none(last, needs);
    }
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => none(first, needs) && none(last, needs),
        _ => !bytes.iter().any(|byte| needs(*byte)),
    }
}

fn write_escapes(out: &mut Vec<u8>, bytes: &[u8], needs: impl Fn(u8) -> bool) {
    let (mut start, mut index) = (0, 0);
    while index < bytes.len() {
        let escape = if needs(bytes[index]) { escape(bytes, index) } else { None };
        let Some(escape) = escape else {
            index += 1;
            continue;
        };
        out.extend_from_slice(&bytes[start..index]);
        out.extend_from_slice(escape.as_bytes());
        index += escape.consumed;
        start = index;
    }
    out.extend_from_slice(&bytes[start..]);
}

struct Escape {
    text: [u8; 6],
    length: usize,
    /// Bytes of the string that it stands for.
    consumed: usize,
}

impl Escape {
    fn short(letter: u8) -> Self {
        Self { text: [b'\\', letter, 0, 0, 0, 0], length: 2, consumed: 1 }
    }

    fn unicode(code: u16, consumed: usize) -> Self {
        let digit = |shift: u32| b"0123456789abcdef"[usize::from(code >> shift & 15)];
        Self { text: [b'\\', b'u', digit(12), digit(8), digit(4), digit(0)], length: 6, consumed }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }
}

fn escape(bytes: &[u8], index: usize) -> Option<Escape> {
    Some(match bytes[index] {
        byte @ (b'"' | b'\\') => Escape::short(byte),
        b'\n' => Escape::short(b'n'),
        b'\r' => Escape::short(b'r'),
        b'\t' => Escape::short(b't'),
        0x08 => Escape::short(b'b'),
        0x0c => Escape::short(b'f'),
        // U+2028 and U+2029, which JavaScript takes for the end of a line.
        0xe2 => match bytes.get(index + 1..index + 3) {
            Some([0x80, last @ (0xa8 | 0xa9)]) => Escape::unicode(0x2000 | u16::from(last - 0x80), 3),
            _ => return None,
        },
        byte => Escape::unicode(u16::from(byte), 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_in_go() {
        let mut out = Vec::new();
        text(&mut out, "a<b>&\"\\/\u{1}\n\r\t\u{8}\u{c}\u{7f}é\u{2028}\u{2029}\u{2027}");
        let wanted =
            "\"a\\u003cb\\u003e\\u0026\\\"\\\\/\\u0001\\n\\r\\t\\b\\f\u{7f}é\\u2028\\u2029\u{2027}\"";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }

    #[test]
    fn floats_are_written_as_in_go() {
        for (number, wanted) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.5, "0.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (-2.5e-9, "-2.5e-9"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
        ] {
            let mut out = Vec::new();
            float(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}
