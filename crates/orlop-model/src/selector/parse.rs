//! The grammar of label selectors.
//!
//! ```text
//! selector    = [ requirement { "," requirement } ]
//! requirement = [ "!" ] KEY | KEY ( "=" | "==" | "!=" | ">" | "<" ) [ VALUE ] | KEY ( "in" | "notin" ) "(" set ")"
//! set         = [ VALUE ] { "," [ VALUE ] }
//! ```

use super::{Operator, Requirement, SelectorError};
use crate::Str;

/// Longest text that is read, in bytes.
pub(super) const MAX_LENGTH: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    End,
    /// A key, a value, or one of the words that are operators in their place.
    Word(&'a str),
    Symbol(&'a str),
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Token::End => "",
            Token::Word(text) | Token::Symbol(text) => text,
        }
    }
}

/// The tokens of a text. A zero byte ends a word, and the text where a token would begin, as in
/// Kubernetes.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let is_space = |byte: u8| b" \t\r\n".contains(&byte);
    let is_symbol = |byte: u8| b"=!(),><".contains(&byte);
    let mut tokens = Vec::new();
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        let start = position;
        position += 1;
        if byte == 0 {
            break;
        } else if is_symbol(byte) {
            if matches!(byte, b'=' | b'!') && bytes.get(position) == Some(&b'=') {
                position += 1;
            }
            tokens.push(Token::Symbol(&text[start..position]));
        } else if !is_space(byte) {
            let inside = |byte: &&u8| **byte != 0 && !is_symbol(**byte) && !is_space(**byte);
            position += bytes[position..].iter().take_while(inside).count();
            tokens.push(Token::Word(&text[start..position]));
            position += usize::from(bytes.get(position) == Some(&0));
        }
    }
    tokens.push(Token::End);
    tokens
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    position: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens.get(self.position).copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.position += 1;
        token
    }
}

fn unexpected(found: Token<'_>, expected: &'static str) -> SelectorError {
    SelectorError::Unexpected { found: found.text().to_owned(), expected, comma: true }
}

pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    if text.len() > MAX_LENGTH {
        return Err(SelectorError::TooLong);
    }
    let mut parser = Parser { tokens: tokens(text), position: 0 };
    let mut requirements = Vec::new();
    loop {
        match parser.peek() {
            Token::Word(_) | Token::Symbol("!") => {}
            Token::End => return Ok(requirements),
            found => return Err(unexpected(found, "!, identifier, or 'end of string'")),
        }
        let requirement =
            parser.requirement().map_err(|error| SelectorError::Requirement(Box::new(error)))?;
        requirements.push(requirement);
        match parser.next() {
            Token::End => return Ok(requirements),
            Token::Symbol(",") => match parser.peek() {
                Token::Word(_) | Token::Symbol("!") => {}
                found => {
                    return Err(SelectorError::AfterComma { found: found.text().to_owned() });
                }
            },
            found => return Err(unexpected(found, "',' or 'end of string'")),
        }
    }
}

impl Parser<'_> {
    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let negated = self.peek() == Token::Symbol("!");
        if negated {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key,
            found => return Err(unexpected(found, "identifier")),
        };
        // Kubernetes has no path for a key here and prints its nil.
        Requirement::check_key(key, "<nil>".to_owned())
            .map_err(|error| SelectorError::Invalid(vec![error]))?;
        let (operator, values) = if negated {
            (Operator::DoesNotExist, Vec::new())
        } else if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            (Operator::Exists, Vec::new())
        } else {
            let operator = self.operator()?;
            let values = match operator {
                Operator::In | Operator::NotIn => self.set()?,
                _ => vec![Str::from(self.value()?)],
            };
            (operator, values)
        };
        Requirement::at("", key.into(), operator, values, true).map_err(SelectorError::Invalid)
    }

    fn operator(&mut self) -> Result<Operator, SelectorError> {
        Ok(match self.next() {
            Token::Word("in") => Operator::In,
            Token::Word("notin") => Operator::NotIn,
            Token::Symbol("=") => Operator::Equals,
            Token::Symbol("==") => Operator::DoubleEquals,
            Token::Symbol("!=") => Operator::NotEquals,
            Token::Symbol(">") => Operator::GreaterThan,
            Token::Symbol("<") => Operator::LessThan,
            found => return Err(unexpected(found, "in, notin, =, ==, !=, gt, lt")),
        })
    }

    fn value(&mut self) -> Result<&str, SelectorError> {
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok("");
        }
        match self.next() {
            Token::Word(value) => Ok(value),
            found => Err(unexpected(found, "identifier")),
        }
    }

    fn set(&mut self) -> Result<Vec<Str>, SelectorError> {
        match self.next() {
            Token::Symbol("(") => {}
            found => {
                let found = found.text().to_owned();
                return Err(SelectorError::Unexpected { found, expected: "'('", comma: false });
            }
        }
        let mut values: Vec<Str> = Vec::new();
        match self.peek() {
            Token::Word(_) | Token::Symbol(",") => {}
            // An empty set holds the empty value.
            Token::Symbol(")") => {
                self.next();
                return Ok(vec![Str::EMPTY]);
            }
            found => return Err(unexpected(found, "',', ')' or identifier")),
        }
        loop {
            match self.next() {
                Token::Word(value) => {
                    values.push(value.into());
                    match self.peek() {
                        Token::Symbol(",") => {}
                        Token::Symbol(")") => break,
                        found => return Err(unexpected(found, "',' or ')'")),
                    }
                }
                // A comma at an end, or two together, have an empty value between.
                Token::Symbol(",") => {
                    if values.is_empty() {
                        values.push(Str::EMPTY);
                    }
                    match self.peek() {
                        Token::Symbol(")") => {
                            values.push(Str::EMPTY);
                            break;
                        }
                        Token::Symbol(",") => {
                            self.next();
                            values.push(Str::EMPTY);
                        }
                        _ => {}
                    }
                }
                found => return Err(unexpected(found, "',', or identifier")),
            }
        }
        self.next();
        Ok(super::distinct(values))
    }
}
