//! Label and field selectors of lists and watches.

use std::sync::Arc;

use orlop_client::{AnyObject, Error, Result};
use orlop_model::{Str, names};

use crate::resource::Resource;

/// What a list or a watch is interested in.
#[derive(Clone)]
pub(crate) struct Selection {
    resource: Arc<dyn Resource>,
    labels: Vec<LabelTerm>,
    fields: Vec<FieldTerm>,
}

#[derive(Clone, Debug, PartialEq)]
struct LabelTerm {
    key: Str,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    In(Vec<Str>),
    // As in Kubernetes, an absent label is not in any set.
    NotIn(Vec<Str>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

#[derive(Clone, Debug, PartialEq)]
struct FieldTerm {
    field: String,
    value: String,
    equal: bool,
}

impl Selection {
    /// Reads both selectors; empty ones select everything.
    pub(crate) fn parse(resource: &Arc<dyn Resource>, labels: &str, fields: &str) -> Result<Self> {
        let labels = parse_labels(labels).map_err(|reason| Error::bad_request(format!("unable to parse requirement: {reason}")))?;
        let fields = parse_fields(fields).map_err(|reason| Error::bad_request(format!("invalid field selector {fields:?}: {reason}")))?;
        for term in &fields {
            let known = matches!(&*term.field, "metadata.name" | "metadata.namespace") || resource.fields().contains(&&*term.field);
            if !known {
                return Err(Error::bad_request(match resource.fields() {
                    [] => format!("{:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"", term.field),
                    _ => format!("field label not supported: {}", term.field),
                }));
            }
        }
        Ok(Self { resource: Arc::clone(resource), labels, fields })
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// The only value that this field may have, if the selection demands one.
    pub(crate) fn demanded(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|term| term.equal && term.field == field).map(|term| &*term.value)
    }

    pub(crate) fn selects(&self, object: &dyn AnyObject) -> bool {
        let meta = object.meta();
        self.labels.iter().all(|term| term.holds(meta.labels.get(&term.key)))
            && self.fields.iter().all(|term| {
                let equal = match &*term.field {
                    "metadata.name" => meta.name == *term.value,
                    "metadata.namespace" => meta.namespace == *term.value,
                    field => self.resource.field(object, field) == term.value,
                };
                equal == term.equal
            })
    }
}

impl LabelTerm {
    fn holds(&self, value: Option<&Str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            Test::In(values) => value.is_some_and(|value| values.contains(value)),
            Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::Above(bound) => number().is_some_and(|number| number > *bound),
            Test::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// `a=b, c!=d, e in (f, g), h notin (i), j, !k, l>1, m<2`.
fn parse_labels(text: &str) -> Result<Vec<LabelTerm>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    split_terms(text).into_iter().map(parse_label).collect()
}

/// Splits at commas outside of parentheses.
fn split_terms(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    })
    .map(str::trim)
    .collect()
}

fn parse_label(term: &str) -> Result<LabelTerm, String> {
    let (key, test) = if let Some(key) = term.strip_prefix('!') {
        (key.trim(), Test::Absent)
    } else if let Some((key, rest)) = split_word(term) {
        match rest.strip_prefix("notin") {
            Some(values) => (key, Test::NotIn(parse_set(values)?)),
            None => (key, Test::In(parse_set(rest.strip_prefix("in").unwrap_or(rest))?)),
        }
    } else if let Some((key, value)) = term.split_once("!=") {
        (key.trim(), Test::NotIn(vec![parse_value(value)?]))
    } else if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        (key.trim(), Test::In(vec![parse_value(value)?]))
    } else if let Some((key, value)) = term.split_once('>') {
        (key.trim(), Test::Above(parse_number(value)?))
    } else if let Some((key, value)) = term.split_once('<') {
        (key.trim(), Test::Below(parse_number(value)?))
    } else {
        (term, Test::Exists)
    };
    match names::label_key(key).first() {
        None => Ok(LabelTerm { key: key.into(), test }),
        Some(complaint) => Err(format!("key {key:?}: {complaint}")),
    }
}

/// `key in (…)` and `key notin (…)`: the key and the rest from the operator on.
fn split_word(term: &str) -> Option<(&str, &str)> {
    let (key, rest) = term.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let is_set = |operator: &str| rest.strip_prefix(operator).is_some_and(|rest| rest.trim_start().starts_with('('));
    (is_set("in") || is_set("notin")).then_some((key, rest))
}

fn parse_set(text: &str) -> Result<Vec<Str>, String> {
    let inner = text.trim().strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let inner = inner.ok_or_else(|| format!("expected values in parentheses, found {text:?}"))?;
    inner.split(',').map(parse_value).collect()
}

fn parse_value(text: &str) -> Result<Str, String> {
    let value = text.trim();
    match names::label_value(value).first() {
        None => Ok(value.into()),
        Some(complaint) => Err(format!("value {value:?}: {complaint}")),
    }
}

fn parse_number(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| format!("for 'Gt', 'Lt' operators, the value must be an integer, found {:?}", text.trim()))
}

/// `a=b,c!=d,e==f`, where `\\`, `\,` and `\=` stand for themselves in values.
fn parse_fields(text: &str) -> Result<Vec<FieldTerm>, String> {
    let mut terms = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = unescaped(rest, ',').unwrap_or(rest.len());
        let (term, tail) = rest.split_at(end);
        rest = tail.strip_prefix(',').unwrap_or_default();
        if term.is_empty() {
            continue;
        }
        let (field, value, equal) = if let Some((field, value)) = term.split_once("!=") {
            (field, value, false)
        } else if let Some((field, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
            (field, value, true)
        } else {
            return Err(format!("invalid selector: {term:?}; can't understand it"));
        };
        terms.push(FieldTerm { field: field.to_owned(), value: unescape(value)?, equal });
    }
    Ok(terms)
}

fn unescaped(text: &str, wanted: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(index, character)| {
        let found = !escaped && character == wanted;
        escaped = !escaped && character == '\\';
        found.then_some(index)
    })
}

fn unescape(value: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                _ => return Err(format!("invalid escape sequence in {value:?}")),
            },
            '=' => return Err(format!("unescaped '=' in {value:?}")),
            _ => plain.push(character),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use orlop_model::Map;

    use super::*;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels: Map<Str> = labels.iter().map(|(key, value)| (Str::from(*key), Str::from(*value))).collect();
        parse_labels(selector).unwrap().iter().all(|term| term.holds(labels.get(&term.key)))
    }

    #[test]
    fn labels() {
        let web = [("app", "web"), ("tier", "front"), ("n", "5")];
        for (selector, expected) in [
            ("", true),
            ("app=web", true),
            ("app == web , tier != back", true),
            ("tier in (back, front),!gone", true),
            ("tier notin (front)", false),
            ("gone notin (front)", true),
            ("gone!=x", true),
            ("app", true),
            ("gone", false),
            ("n>4,n<6", true),
            ("n>5", false),
            ("app>1", false),
            ("app=", false),
        ] {
            assert_eq!(selects(selector, &web), expected, "{selector}");
        }
        for wrong in ["a b", "=x", "a in b", "a=b=c", "a>x", "a in (b", ",", "-a"] {
            assert!(parse_labels(wrong).is_err(), "{wrong}: {:?}", parse_labels(wrong));
        }
    }

    #[test]
    fn fields() {
        let term = |field: &str, value: &str, equal| FieldTerm { field: field.into(), value: value.into(), equal };
        assert_eq!(parse_fields("").unwrap(), []);
        assert_eq!(parse_fields("a.b=c,d!=e,f==,").unwrap(), [term("a.b", "c", true), term("d", "e", false), term("f", "", true)]);
        assert_eq!(parse_fields(r"a=b\,c\=\\").unwrap(), [term("a", r"b,c=\", true)]);
        for wrong in ["a", "a=b=c", r"a=\x"] {
            assert!(parse_fields(wrong).is_err(), "{wrong}");
        }
    }
}
