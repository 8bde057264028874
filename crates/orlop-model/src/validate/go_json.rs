//! What Go's JSON reader says of a text, which messages of Kubernetes contain.

use crate::quote::quoted;

const END: &str = "unexpected end of JSON input";

/// Deeper than this Go does not go.
const MAX_DEPTH: usize = 10_000;

/// Checks a text that has to be an object, or `null`, and is read into the Go type `target`.
///
/// # Errors
/// The words of Go: of the first byte that is wrong, or of the type.
pub(super) fn object(text: &[u8], target: &str) -> Result<(), String> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.document()?;
    let found = match text.iter().find(|byte| !is_space(**byte)) {
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "bool",
        Some(b'-' | b'0'..=b'9') => "number",
        _ => return Ok(()),
    };
    Err(format!("json: cannot unmarshal {found} into Go value of type {target}"))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
}

/// Where the next value stands.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Object,
    Array,
}

impl Scanner<'_> {
    fn document(&mut self) -> Result<(), String> {
        let mut stack: Vec<Inside> = Vec::new();
        loop {
            // A value, and down into the first one inside of it.
            let byte = self.peek()?;
            match byte {
                b'{' | b'[' => {
                    self.at += 1;
                    if stack.len() == MAX_DEPTH {
                        return Err("exceeded max depth".to_owned());
                    }
                    let (inside, end) =
                        if byte == b'{' { (Inside::Object, b'}') } else { (Inside::Array, b']') };
                    if self.peek()? == end {
                        self.at += 1;
                    } else {
                        stack.push(inside);
                        if inside == Inside::Object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                _ => return Err(self.wrong("looking for beginning of value")),
            }
            // What comes after a value, and up out of what it ends.
            loop {
                self.skip_space();
                let (Some(inside), next) = (stack.last(), self.text.get(self.at)) else {
                    return if self.at < self.text.len() {
                        Err(self.wrong("after top-level value"))
                    } else {
                        Ok(())
                    };
                };
                match (inside, next) {
                    (_, None) => return Err(END.to_owned()),
                    (Inside::Object, Some(b',')) => {
                        self.at += 1;
                        self.key()?;
                        break;
                    }
                    (Inside::Array, Some(b',')) => {
                        self.at += 1;
                        break;
                    }
                    (Inside::Object, Some(b'}')) | (Inside::Array, Some(b']')) => {
                        self.at += 1;
                        stack.pop();
                    }
                    (Inside::Object, _) => return Err(self.wrong("after object key:value pair")),
                    (Inside::Array, _) => return Err(self.wrong("after array element")),
                }
            }
        }
    }

    fn key(&mut self) -> Result<(), String> {
        if self.peek()? != b'"' {
            return Err(self.wrong("looking for beginning of object key string"));
        }
        self.string()?;
        if self.peek()? != b':' {
            return Err(self.wrong("after object key"));
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), String> {
        self.at += 1;
        loop {
            match self.byte()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => {
                    self.at += 1;
                    match self.byte()? {
                        b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => {}
                        b'u' => {
                            for _ in 0..4 {
                                self.at += 1;
                                if !self.byte()?.is_ascii_hexdigit() {
                                    return Err(self.wrong("in \\u hexadecimal character escape"));
                                }
                            }
                        }
                        _ => return Err(self.wrong("in string escape code")),
                    }
                }
                0..0x20 => return Err(self.wrong("in string literal")),
                _ => {}
            }
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<(), String> {
        if self.byte()? == b'-' {
            self.at += 1;
        }
        match self.byte()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return Err(self.wrong("in numeric literal")),
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            if !self.byte()?.is_ascii_digit() {
                return Err(self.wrong("after decimal point in numeric literal"));
            }
            self.digits();
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte()?, b'+' | b'-') {
                self.at += 1;
            }
            if !self.byte()?.is_ascii_digit() {
                return Err(self.wrong("in exponent of numeric literal"));
            }
            self.digits();
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for letter in word.bytes() {
            if self.byte()? != letter {
                return Err(self.wrong(&format!("in literal {word} (expecting '{}')", char::from(letter))));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn skip_space(&mut self) {
        while self.text.get(self.at).is_some_and(|byte| is_space(*byte)) {
            self.at += 1;
        }
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Result<u8, String> {
        self.skip_space();
        self.byte()
    }

    fn byte(&self) -> Result<u8, String> {
        self.text.get(self.at).copied().ok_or_else(|| END.to_owned())
    }

    /// What is said of the byte that is looked at.
    fn wrong(&self, place: &str) -> String {
        let byte = self.text.get(self.at).copied().unwrap_or_default();
        let shown = match byte {
            b'\'' => "'\\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            _ => {
                let text = quoted(&char::from(byte).to_string());
                format!("'{}'", &text[1..text.len() - 1])
            }
        };
        format!("invalid character {shown} {place}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_go_says() {
        for (text, error) in [
            ("", END),
            ("  ", END),
            ("{", END),
            ("{\"a\"", END),
            ("{\"a\":1", END),
            ("[1,", END),
            ("tru", END),
            ("-", END),
            ("bad", "invalid character 'b' looking for beginning of value"),
            ("{a", "invalid character 'a' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("\"\n\"", "invalid character '\\n' in string literal"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"),
            ("-a", "invalid character 'a' in numeric literal"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            ("01", "invalid character '1' after top-level value"),
            ("trx", "invalid character 'x' in literal true (expecting 'u')"),
            ("'", "invalid character '\\'' looking for beginning of value"),
            ("\u{e9}", "invalid character 'Ã' looking for beginning of value"),
            ("[]", "json: cannot unmarshal array into Go value of type T"),
            (" -1.5e+3 ", "json: cannot unmarshal number into Go value of type T"),
            ("\"\\u00e9\\n\"", "json: cannot unmarshal string into Go value of type T"),
        ] {
            assert_eq!(object(text.as_bytes(), "T"), Err(error.to_owned()), "{text:?}");
        }
        for text in
            ["{}", "null", " {\"a\": [1, {\"b\": [[], {}, true, false, null, -0.5E-7]}], \"c\": \"\"} "]
        {
            assert_eq!(object(text.as_bytes(), "T"), Ok(()), "{text:?}");
        }
        let deep = "[".repeat(MAX_DEPTH + 1);
        assert_eq!(object(deep.as_bytes(), "T"), Err("exceeded max depth".to_owned()));
    }
}
