//! [`JsonPath`], the paths of custom columns.

use serde_json::Value;

/// Deepest nesting of filters and unions.
const MAX_DEPTH: usize = 16;

/// Most values that a step may lead to.
const MAX_FOUND: usize = 10_000;

/// A path into a document, in the dialect of Kubernetes' `jsonpath` (client-go), of which columns use the simple part:
/// `.spec.replicas`, `.spec.ports[0].name`, `.status.conditions[?(@.type=="Ready")].status`, `.metadata.labels.a\.b`.
/// Slices (`[1:3]`), wildcards (`[*]`), unions (`['a','b']`) and descent (`..name`) are known too; `range` is not.
///
/// ```
/// use orlop_model::table::JsonPath;
///
/// let site = serde_json::json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
/// let path = JsonPath::parse(r#".status.conditions[?(@.type=="Ready")].status"#)?;
/// assert_eq!(path.find(&site)?, ["True"]);
/// # Ok::<(), orlop_model::table::JsonPathError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    nodes: Vec<Node>,
}

/// Why a path cannot be read or followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonPathError {
    /// Its text is no path.
    #[error("{text:?} is no path: {reason}")]
    Syntax {
        /// The text, or the part of it that is wrong.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The document has something else there than the path needs.
    #[error("the path cannot be followed: {0}")]
    Mismatch(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Field(String),
    Slice(Slice),
    Wildcard,
    Recursive,
    Union(Vec<Vec<Node>>),
    Filter { left: Vec<Node>, operator: Operator, right: Vec<Node> },
    Exists(Vec<Node>),
    Literal(Value),
}

/// `[start:end:step]`; an index is a slice of one item.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Slice {
    start: i64,
    end: Option<i64>,
    is_index: bool,
    step: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl JsonPath {
    /// Reads a path, with or without the braces around it.
    ///
    /// # Errors
    /// If the text is no path of the dialect.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        Ok(Self { nodes: parse(inner, 0)? })
    }

    /// What the path leads to; fields that are not there lead to nothing.
    ///
    /// # Errors
    /// If the document has something else there than the path needs: an index beyond the end, no list where one is
    /// filtered, values that cannot be compared.
    pub fn find<'a>(&'a self, document: &'a Value) -> Result<Vec<&'a Value>, JsonPathError> {
        walk(vec![document], &self.nodes)
    }

    /// The first field, if the path begins with one.
    pub(super) fn first_field(&self) -> Option<&str> {
        match self.nodes.first() {
            Some(Node::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// As [`find`](Self::find), of the value that the first step leads to.
    pub(super) fn find_rest<'a>(&'a self, value: &'a Value) -> Result<Vec<&'a Value>, JsonPathError> {
        walk(vec![value], self.nodes.get(1..).unwrap_or_default())
    }
}

fn syntax(text: &str, reason: &'static str) -> JsonPathError {
    JsonPathError::Syntax { text: text.chars().take(64).collect(), reason }
}

fn parse(text: &str, depth: usize) -> Result<Vec<Node>, JsonPathError> {
    if depth > MAX_DEPTH {
        return Err(syntax(text, "it is nested too deeply"));
    }
    let mut nodes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(filter) = rest.strip_prefix("[?(") {
            let (node, after) = parse_filter(filter, depth)?;
            nodes.push(node);
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix("..") {
            if nodes.last() == Some(&Node::Recursive) {
                return Err(syntax(rest, "two descents follow each other"));
            }
            nodes.push(Node::Recursive);
            rest = after;
            if after.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
                let (node, after) = parse_field(after);
                nodes.push(node);
                rest = after;
            }
            continue;
        }
        match first {
            ' ' | '@' | '$' => rest = &rest[1..],
            '[' => {
                let Some(end) = rest.find([']', '\n']).filter(|end| rest[*end..].starts_with(']')) else {
                    return Err(syntax(rest, "a bracket is not closed"));
                };
                parse_brackets(&rest[1..end], depth, &mut nodes)?;
                rest = &rest[end + 1..];
            }
            '"' | '\'' => {
                let (literal, after) = parse_quoted(rest, first)?;
                nodes.push(Node::Literal(literal.into()));
                rest = after;
            }
            '.' => {
                let (node, after) = parse_field(&rest[1..]);
                nodes.push(node);
                rest = after;
            }
            _ => {
                let end = rest.find(is_terminator_in_word).unwrap_or(rest.len());
                nodes.push(Node::Literal(parse_word(&rest[..end])?));
                rest = &rest[end..];
            }
        }
    }
    Ok(nodes)
}

fn is_terminator_in_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

/// A number, `true` or `false`.
fn parse_word(word: &str) -> Result<Value, JsonPathError> {
    if let Ok(number) = word.parse::<i64>() {
        return Ok(number.into());
    }
    let is_number = word.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-'));
    match word.parse::<f64>() {
        Ok(number) if is_number => Ok(number.into()),
        _ if word == "true" || word == "false" => Ok((word == "true").into()),
        _ => Err(syntax(word, "it is neither a field nor a number")),
    }
}

/// A name up to the next step; a backslash takes a character as it is.
fn parse_field(text: &str) -> (Node, &str) {
    let mut name = String::new();
    let mut characters = text.char_indices();
    let mut end = text.len();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
            '.' => {
                end = index;
                break;
            }
            _ if is_terminator_in_word(character) => {
                end = index;
                break;
            }
            _ => name.push(character),
        }
    }
    let node = if &text[..end] == "*" { Node::Wildcard } else { Node::Field(name) };
    (node, &text[end..])
}

fn parse_quoted(text: &str, quote: char) -> Result<(String, &str), JsonPathError> {
    let mut literal = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => literal.extend(characters.next().map(|(_, escaped)| escaped)),
            '\n' => break,
            _ if character == quote => return Ok((literal, &text[index + 1..])),
            _ => literal.push(character),
        }
    }
    Err(syntax(text, "a quote is not closed"))
}

fn parse_brackets(text: &str, depth: usize, nodes: &mut Vec<Node>) -> Result<(), JsonPathError> {
    if text == "*" {
        nodes.push(Node::Slice(Slice { start: 0, end: None, is_index: false, step: 1 }));
        return Ok(());
    }
    if text.contains(',') {
        let parts = text.split(',').map(|part| parse(&format!("[{}]", part.trim_matches(' ')), depth + 1));
        nodes.push(Node::Union(parts.collect::<Result<_, _>>()?));
        return Ok(());
    }
    let key =
        text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).filter(|key| !key.contains('\''));
    if let Some(key) = key {
        // As if it had been written after a dot: dots in it are steps, too.
        nodes.extend(parse(&format!(".{key}"), depth + 1)?);
        return Ok(());
    }
    let number = |part: &str| {
        let digits = part.strip_prefix('-').unwrap_or(part);
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        match part {
            "" => Ok(None),
            _ if is_plain => part.parse().map(Some).map_err(|_| syntax(text, "it is no index")),
            _ => Err(syntax(text, "it is no index")),
        }
    };
    let mut parts = text.split(':');
    let start = number(parts.next().unwrap_or_default())?.unwrap_or(0);
    let second = parts.next();
    let end = second.map(number).transpose()?.flatten();
    let step = parts.next().map(number).transpose()?.flatten().unwrap_or(1);
    if parts.next().is_some() || step < 1 {
        return Err(syntax(text, "it is no slice"));
    }
    nodes.push(Node::Slice(Slice { start, end, is_index: second.is_none(), step }));
    Ok(())
}

/// What follows `[?(`, up to the closing `)]`.
fn parse_filter(text: &str, depth: usize) -> Result<(Node, &str), JsonPathError> {
    let (mut quote, mut closed, mut previous) = (None, false, ' ');
    let mut end = None;
    for (index, character) in text.char_indices() {
        match character {
            '\n' => break,
            '"' | '\'' if quote.is_none() => quote = Some(character),
            '"' | '\'' if quote == Some(character) && previous != '\\' => closed = true,
            ')' if quote.is_some() == closed => {
                end = Some(index);
                break;
            }
            _ => {}
        }
        previous = character;
    }
    let end = end.ok_or_else(|| syntax(text, "a filter is not closed"))?;
    let after = text[end + 1..].strip_prefix(']').ok_or_else(|| syntax(text, "a filter is not closed"))?;
    let condition = &text[..end];
    let is_operator = |character: char| matches!(character, '!' | '<' | '>' | '=');
    let node = match condition.find(is_operator).filter(|start| *start > 0) {
        None => Node::Exists(parse(condition, depth + 1)?),
        Some(start) => {
            let length = condition[start..].find(|character| !is_operator(character));
            let Some(length) = length else {
                return Err(syntax(condition, "a comparison has no right side"));
            };
            let operator = match &condition[start..start + length] {
                "==" => Operator::Equal,
                "!=" => Operator::NotEqual,
                "<" => Operator::Less,
                "<=" => Operator::LessOrEqual,
                ">" => Operator::Greater,
                ">=" => Operator::GreaterOrEqual,
                _ => return Err(syntax(condition, "it has no operator that is known")),
            };
            let left = parse(&condition[..start], depth + 1)?;
            Node::Filter { left, operator, right: parse(&condition[start + length..], depth + 1)? }
        }
    };
    Ok((node, after))
}

type Found<'a> = Result<Vec<&'a Value>, JsonPathError>;

fn walk<'a>(mut values: Vec<&'a Value>, nodes: &'a [Node]) -> Found<'a> {
    for node in nodes {
        values = step(&values, node)?;
        if values.len() > MAX_FOUND {
            return Err(JsonPathError::Mismatch("it leads to too many values"));
        }
    }
    Ok(values)
}

fn step<'a>(values: &[&'a Value], node: &'a Node) -> Found<'a> {
    let mut found = Vec::new();
    match node {
        Node::Field(name) => found.extend(values.iter().filter_map(|value| value.get(name))),
        Node::Literal(literal) => found.extend(values.iter().map(|_| literal)),
        Node::Wildcard => values.iter().for_each(|value| children(value, &mut found)),
        Node::Recursive => values.iter().try_for_each(|value| descendants(value, &mut found))?,
        Node::Union(paths) => {
            for path in paths {
                found.extend(walk(values.to_vec(), path)?);
            }
        }
        Node::Slice(slice) => {
            for value in values.iter().filter(|value| !value.is_null()) {
                found.extend(slice.of(list(value)?)?);
            }
        }
        Node::Exists(path) => {
            for value in values {
                let items = list(value)?.iter();
                found.extend(
                    items.filter(|item| walk(vec![*item], path).is_ok_and(|found| !found.is_empty())),
                );
            }
        }
        Node::Filter { left, operator, right } => {
            for item in
                values.iter().map(|value| list(value)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten()
            {
                let (left, right) = (walk(vec![item], left)?, walk(vec![item], right)?);
                match (left.as_slice(), right.as_slice()) {
                    ([], _) | (_, []) => {}
                    ([left], [right]) if operator.holds(left, right)? => found.push(item),
                    ([_], [_]) => {}
                    _ => return Err(JsonPathError::Mismatch("only single values can be compared")),
                }
            }
        }
    }
    Ok(found)
}

fn list(value: &Value) -> Result<&[Value], JsonPathError> {
    let list = value.as_array().ok_or(JsonPathError::Mismatch("it needs a list where there is none"))?;
    Ok(list)
}

fn children<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => found.extend(items),
        Value::Object(fields) => found.extend(fields.values()),
        _ => {}
    }
}

/// The value and what is in it, but for what has nothing in it.
fn descendants<'a>(value: &'a Value, found: &mut Vec<&'a Value>) -> Result<(), JsonPathError> {
    let mut within = Vec::new();
    children(value, &mut within);
    if within.is_empty() {
        return Ok(());
    }
    if found.len() > MAX_FOUND {
        return Err(JsonPathError::Mismatch("it leads to too many values"));
    }
    found.push(value);
    within.into_iter().try_for_each(|value| descendants(value, found))
}

impl Slice {
    fn of(self, items: &[Value]) -> Found<'_> {
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
        let start = from_end(self.start);
        let end = if self.is_index { start.saturating_add(1) } else { self.end.map_or(length, from_end) };
        if start == end {
            return Ok(Vec::new());
        }
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let items =
            range.filter(|(start, _)| *start < items.len()).and_then(|(start, end)| items.get(start..end));
        let items = items.ok_or(JsonPathError::Mismatch("an index is beyond the list"))?;
        Ok(items.iter().step_by(usize::try_from(self.step).unwrap_or(usize::MAX)).collect())
    }
}

impl Operator {
    /// Whether it holds. Integers and numbers with a fraction are of different types, as in Go.
    fn holds(self, left: &Value, right: &Value) -> Result<bool, JsonPathError> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let ordering = match (left, right) {
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                (None, None) => left.as_f64().partial_cmp(&right.as_f64()),
                _ => return Err(JsonPathError::Mismatch("values of different types are compared")),
            },
            (Value::Bool(left), Value::Bool(right)) if matches!(self, Self::Equal | Self::NotEqual) => {
                Some(left.cmp(right))
            }
            _ => return Err(JsonPathError::Mismatch("values of different types are compared")),
        };
        Ok(match self {
            Self::Equal => ordering == Some(Equal),
            Self::NotEqual => ordering != Some(Equal),
            Self::Less => ordering == Some(Less),
            Self::LessOrEqual => matches!(ordering, Some(Less | Equal)),
            Self::Greater => ordering == Some(Greater),
            Self::GreaterOrEqual => matches!(ordering, Some(Greater | Equal)),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(path: &str) -> Result<Value, JsonPathError> {
        let document = json!({
            "metadata": {"labels": {"a.b/c": "x"}},
            "spec": {"replicas": 3, "share": 0.5, "on": true, "none": null},
            "list": [{"type": "A", "n": 1}, {"type": "B", "n": 2}, {"type": "C)", "n": 3, "odd": true}],
        });
        Ok(Value::Array(JsonPath::parse(path)?.find(&document)?.into_iter().cloned().collect()))
    }

    #[test]
    fn paths_lead_where_they_lead_in_kubernetes() {
        for (path, wanted) in [
            (".spec.replicas", json!([3])),
            ("{.spec.replicas}", json!([3])),
            ("$.spec.replicas", json!([3])),
            (".spec['replicas']", json!([3])),
            (".spec.none", json!([null])),
            (".spec.absent.deeper", json!([])),
            (r".metadata.labels.a\.b/c", json!(["x"])),
            (r".metadata.labels['a\.b/c']", json!(["x"])),
            (".metadata.labels['a.b/c']", json!([])),
            (".list[0].type", json!(["A"])),
            (".list[-1].n", json!([3])),
            (".list[1:].n", json!([2, 3])),
            (".list[:-1].n", json!([1, 2])),
            (".list[::2].n", json!([1, 3])),
            (".list[*].n", json!([1, 2, 3])),
            (".list[0,2].n", json!([1, 3])),
            (".list[1:1]", json!([])),
            (".spec['replicas','on']", json!([3, true])),
            (".metadata.labels.*", json!(["x"])),
            ("..type", json!(["A", "B", "C)"])),
            (r#".list[?(@.type=="B")].n"#, json!([2])),
            (".list[?(@.type=='C)')].n", json!([3])),
            (".list[?(@.n>=2)].n", json!([2, 3])),
            (".list[?(@.n!=2)].n", json!([1, 3])),
            (".list[?(@.odd)].n", json!([3])),
            (".list[?(@.odd==true)].n", json!([3])),
            (".", json!([])),
        ] {
            assert_eq!(found(path), Ok(wanted), "{path}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_an_error() {
        for path in [
            ".list[3]",
            ".list[-4]",
            ".spec[0]",
            ".spec[?(@.a==1)]",
            ".list[?(@.n=='1')]",
            ".list[?(@.n<0.5)]",
        ] {
            assert!(matches!(found(path), Err(JsonPathError::Mismatch(_))), "{path}");
        }
        let nested = "[?(".repeat(1000);
        for path in [
            ".a[",
            ".a[x]",
            ".a[1:2:0]",
            ".a[?(@.b",
            ".a[?(@.b==1]",
            "'a",
            "spec",
            "....",
            ".a[?(@.b=1)]",
            &nested,
        ] {
            assert!(matches!(found(path), Err(JsonPathError::Syntax { .. })), "{path}");
        }
    }
}
