//! JSON to trees.

use std::sync::Arc;

use serde_json::Number;

use super::tree::{Content, Entry, Fault, Node};
use super::{MAX_DEPTH, ManifestReason, Position};

/// The documents of a text, one after the other, and what ends the reading of them early.
pub(super) fn documents(text: &str) -> (Vec<Arc<Node>>, Option<Fault>) {
    let mut reader = Reader { text, position: 0, line: 1, line_start: 0, depth: 0 };
    let mut documents = Vec::new();
    loop {
        reader.skip_space();
        if reader.peek().is_none() {
            return (documents, None);
        }
        match reader.value() {
            Ok(node) => documents.push(node),
            Err(fault) => return (documents, Some(fault)),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
    line: usize,
    line_start: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// Columns are counted in bytes.
    fn here(&self) -> Position {
        Position { line: self.line, column: self.position - self.line_start + 1 }
    }

    fn unexpected(&self, expected: &str) -> Fault {
        let found = match self.text[self.position..].chars().next() {
            Some(character) => format!("{character:?}"),
            None => "the end".to_owned(),
        };
        Fault::syntax(self.here(), format!("expected {expected}, found {found}"))
    }

    fn skip_space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek() {
            self.position += 1;
            if byte == b'\n' {
                self.line += 1;
                self.line_start = self.position;
            }
        }
    }

    fn value(&mut self) -> Result<Arc<Node>, Fault> {
        let at = self.here();
        let content = match self.peek() {
            Some(b'{') => self.nested(Self::map)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Content::Text(self.string()?.into()),
            Some(b'-' | b'0'..=b'9') => Content::Number(self.number()?),
            _ => self.word()?,
        };
        Node::new(at, content)
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Content, Fault>) -> Result<Content, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault { at: self.here(), reason: ManifestReason::TooDeep });
        }
        // The bracket.
        self.position += 1;
        let content = read(self)?;
        self.depth -= 1;
        Ok(content)
    }

    /// Goes on after a comma; `false` at the closing bracket.
    fn goes_on(&mut self, close: u8, is_first: bool) -> Result<bool, Fault> {
        self.skip_space();
        match self.peek() {
            Some(byte) if byte == close => {
                self.position += 1;
                Ok(false)
            }
            Some(b',') if !is_first => {
                self.position += 1;
                self.skip_space();
                Ok(true)
            }
            _ if is_first => Ok(true),
            _ => Err(self.unexpected(if close == b'}' { "`,` or `}`" } else { "`,` or `]`" })),
        }
    }

    fn map(&mut self) -> Result<Content, Fault> {
        let mut entries = Vec::new();
        while self.goes_on(b'}', entries.is_empty())? {
            let at = self.here();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key"));
            }
            let key = self.string()?.into();
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("`:`"));
            }
            self.position += 1;
            self.skip_space();
            entries.push(Entry { key, at, value: self.value()? });
        }
        Ok(Content::Map(entries))
    }

    fn list(&mut self) -> Result<Content, Fault> {
        let mut items = Vec::new();
        while self.goes_on(b']', items.is_empty())? {
            items.push(self.value()?);
        }
        Ok(Content::List(items))
    }

    /// The part of the text that `accept` takes.
    fn run(&mut self, accept: fn(u8) -> bool) -> &'a str {
        let start = self.position;
        let rest = &self.text.as_bytes()[start..];
        self.position += rest.iter().take_while(|byte| accept(**byte)).count();
        &self.text[start..self.position]
    }

    fn string(&mut self) -> Result<String, Fault> {
        let (at, start) = (self.here(), self.position);
        self.position += 1;
        loop {
            self.run(|byte| byte != b'"' && byte != b'\\');
            match self.peek() {
                Some(b'"') => break,
                // Whatever is escaped does not end the string.
                Some(_) if self.position + 1 < self.text.len() => {
                    self.position += 1;
                    self.position += self.text[self.position..].chars().next().map_or(0, char::len_utf8);
                }
                _ => return Err(Fault::syntax(at, "a string does not end")),
            }
        }
        self.position += 1;
        serde_json::from_str(&self.text[start..self.position]).map_err(|_| {
            Fault::syntax(at, "a string has a control character or an escape that does not exist")
        })
    }

    fn number(&mut self) -> Result<Number, Fault> {
        let at = self.here();
        let text = self.run(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        serde_json::from_str(text).map_err(|_| Fault::syntax(at, format!("{text} is not a number")))
    }

    fn word(&mut self) -> Result<Content, Fault> {
        let (fault, start) = (self.unexpected("a value"), self.position);
        match self.run(|byte| byte.is_ascii_alphabetic()) {
            "null" => Ok(Content::Null),
            "true" => Ok(Content::Bool(true)),
            "false" => Ok(Content::Bool(false)),
            _ => {
                self.position = start;
                Err(fault)
            }
        }
    }
}
