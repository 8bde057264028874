//! Trees to YAML.

use serde_json::Value;

use super::scalar;
use super::tree::Content;

/// Writes a document as YAML, as people write manifests: keys in alphabetical order, lists not indented, texts without
/// quotes where they are read as texts in all versions of YAML, several lines as a block. [`documents`](super::documents)
/// reads it to the same value.
///
/// ```
/// use orlop_model::manifest::to_yaml;
///
/// let value = serde_json::json!({"kind": "ConfigMap", "data": {"on": "yes", "key": "a b"}, "list": [{"a": 1}, []]});
/// assert_eq!(to_yaml(&value), "data:\n  key: a b\n  \"on\": \"yes\"\nkind: ConfigMap\nlist:\n- a: 1\n- []\n");
/// ```
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(entries) if !entries.is_empty() => map(&mut out, entries, 0, false),
        Value::Array(items) if !items.is_empty() => list(&mut out, items, 0),
        other => inline(&mut out, other, 0),
    }
    out
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Writes entries, of which the first may stand on the line of its list item.
fn map(out: &mut String, entries: &serde_json::Map<String, Value>, depth: usize, is_begun: bool) {
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 || !is_begun {
            indent(out, depth);
        }
        // A key is never a block.
        if is_plain(key) {
            out.push_str(key)
        } else {
            quoted(out, key)
        }
        out.push(':');
        match value {
            Value::Object(entries) if !entries.is_empty() => {
                out.push('\n');
                map(out, entries, depth + 1, false);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                list(out, items, depth);
            }
            other => {
                out.push(' ');
                inline(out, other, depth + 1);
            }
        }
    }
}

fn list(out: &mut String, items: &[Value], depth: usize) {
    for item in items {
        indent(out, depth);
        out.push_str("- ");
        match item {
            Value::Object(entries) if !entries.is_empty() => map(out, entries, depth + 1, true),
            Value::Array(items) if !items.is_empty() => {
                // Below its mark, where nothing can be taken for something else.
                out.pop();
                out.push('\n');
                list(out, items, depth + 1);
            }
            other => inline(out, other, depth + 1),
        }
    }
}

/// Writes a value that has no lines of its own but those of a block, and the end of its line.
fn inline(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::String(text) if is_plain(text) => out.push_str(text),
        Value::String(text) => match block(text) {
            Some(mark) if depth > 0 => {
                out.push_str(mark);
                for line in text.lines() {
                    out.push('\n');
                    if !line.is_empty() {
                        indent(out, depth);
                        out.push_str(line);
                    }
                }
            }
            _ => quoted(out, text),
        },
        other => out.push_str(&other.to_string()),
    }
    out.push('\n');
}

/// Whether a text may stand without quotes: letters, digits and a few marks, and no reader takes it for something else.
fn is_plain(text: &str) -> bool {
    let may_begin = |first: char| first.is_ascii_alphanumeric() || "/._".contains(first);
    let may_follow = |other: char| other.is_ascii_alphanumeric() || " /._-+@=,:()".contains(other);
    text.starts_with(may_begin)
        && text.chars().all(may_follow)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        // Numbers in any notation, times and dates: what begins like one is quoted.
        && !text.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && matches!(scalar::plain(text), Ok(Content::Text(_)))
}

/// The mark of a block that keeps the text as it is, if there is one.
fn block(text: &str) -> Option<&'static str> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let is_simple = |line: &str| {
        !line.starts_with([' ', '\t'])
            && !line.ends_with(' ')
            && line.chars().all(|character| {
                matches!(character, ' '..='~' | '\u{a0}'..='\u{d7ff}')
                    && !matches!(character, '\u{2028}' | '\u{2029}')
            })
    };
    if !body.contains('\n')
        || body.starts_with('\n')
        || body.ends_with('\n')
        || !body.split('\n').all(is_simple)
    {
        return None;
    }
    Some(if text.ends_with('\n') { "|" } else { "|-" })
}

/// A text with the escapes of JSON, which are YAML's as well, and what YAML does not print by its number.
fn quoted(out: &mut String, text: &str) {
    let json = Value::from(text).to_string();
    for character in json.chars() {
        match character {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::documents;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_again() {
        let texts = [
            "",
            " ",
            "a",
            "a b",
            "yes",
            "null",
            "~",
            "0x10",
            "1e3",
            "1_000",
            ".5",
            "-",
            "- a",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "*a",
            "&a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a`",
            "'a'",
            "\"a\"",
            "{a}",
            "[a]",
            "a\nb",
            "a\nb\n",
            "a\n\nb",
            "a\n b\n",
            "\na",
            "a\n\n",
            "a\tb",
            "a\u{7f}\u{2028}\u{85}\u{feff}b",
            "é",
            "日本\n語",
            "2001-01-01",
            "12:30:45",
            "a\r\nb",
            "--- a",
            "... ",
            "=",
            "<<",
            "true",
            "0o7",
            "a, b",
            "x\\y",
            "\u{0}",
            "\u{1f600}",
            "\u{1f600}\nb",
        ];
        let mut object = serde_json::Map::new();
        for text in texts {
            object.insert(text.to_owned(), json!([text, {"k": text}, [[text], {}], null, 1.5, -3, true]));
        }
        let value =
            json!({"apiVersion": "v1", "kind": "K", "a": object, "b": texts.to_vec(), "c": {"d": {"e": []}}});
        let yaml = to_yaml(&value);
        let read = documents("w", &yaml).unwrap_or_else(|errors| panic!("{errors}\n{yaml}"));
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].to_value(), value, "{yaml}");
    }

    #[test]
    fn it_looks_as_people_write_it() {
        let value = json!({"kind": "Pod", "spec": {"containers": [{"name": "c", "args": ["a", "80"], "env": []}]}, "s": "x\ny\n"});
        let wanted = "kind: Pod\ns: |\n  x\n  y\nspec:\n  containers:\n  - args:\n    - a\n    - \"80\"\n    env: []\n    name: c\n";
        assert_eq!(to_yaml(&value), wanted);
    }
}
