//! Texts in quotation marks as Go's `%q` writes them, which messages of Kubernetes contain.

use std::fmt::Write as _;

/// `text` in double quotes; what cannot be printed is escaped.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            _ if is_printable(character) => out.push(character),
            _ => {
                let code = u32::from(character);
                // Writing into a string does not fail.
                let _ = match code {
                    0..0x80 => write!(out, "\\x{code:02x}"),
                    0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// Whether Go takes a character for printable: letters, marks, numbers, punctuation, symbols and
/// the ASCII space.
#[must_use]
pub fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        _ if character.is_ascii() => false,
        // The standard library knows the same classes, and tells by escaping; a mark that extends
        // the character before it is printable, but not alone.
        _ => {
            let text: String = ['a', character].iter().collect();
            text.escape_debug().eq(text.chars())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_those_of_go() {
        for (text, want) in [
            ("a\"b\\", r#""a\"b\\""#),
            ("\0\u{7f}\n", r#""\x00\x7f\n""#),
            ("é e\u{301} 漢", "\"é e\u{301} 漢\""),
            ("\u{a0}\u{200b}\u{10ffff}", r#""\u00a0\u200b\U0010ffff""#),
            ("'", "\"'\""),
        ] {
            assert_eq!(quoted(text), want);
        }
    }
}
