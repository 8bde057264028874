//! A document as it was written: values with their places, keys in order, duplicates kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Number, Value};

use super::{MAX_DEPTH, MAX_NODES, MAX_TEXT, ManifestReason, Position};
use crate::Step;

/// A value and where it begins. Aliases share their value, so that a document can be far larger
/// than what it takes in memory: `weight`, `bytes` and `height` are those of the whole document.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) content: Content,
    weight: usize,
    bytes: usize,
    height: usize,
}

#[derive(Debug)]
pub(super) enum Content {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Vec<Arc<Node>>),
    Map(Vec<Entry>),
}

/// A key and its value; `at` is the place of the key.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Box<str>,
    pub(super) at: Position,
    pub(super) value: Arc<Node>,
}

/// What is wrong with a text, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: Position,
    pub(super) reason: ManifestReason,
}

impl Fault {
    pub(super) fn syntax(at: Position, text: impl Into<String>) -> Self {
        Self { at, reason: ManifestReason::Syntax(text.into()) }
    }
}

impl Node {
    /// Refused if the document would be too deep or too large.
    pub(super) fn new(at: Position, content: Content) -> Result<Arc<Self>, Fault> {
        let (mut weight, mut bytes, mut height) = (1_usize, 0_usize, 0);
        let mut add = |child: &Self, key: usize| {
            weight = weight.saturating_add(child.weight);
            bytes = bytes.saturating_add(child.bytes).saturating_add(key);
            height = height.max(child.height + 1);
        };
        match &content {
            Content::List(items) => items.iter().for_each(|item| add(item, 0)),
            Content::Map(entries) => entries.iter().for_each(|entry| add(&entry.value, entry.key.len())),
            Content::Text(text) => bytes = text.len(),
            Content::Null | Content::Bool(_) | Content::Number(_) => {}
        }
        if height > MAX_DEPTH {
            return Err(Fault { at, reason: ManifestReason::TooDeep });
        }
        if weight > MAX_NODES || bytes > MAX_TEXT {
            return Err(Fault { at, reason: ManifestReason::TooLarge });
        }
        Ok(Arc::new(Self { at, content, weight, bytes, height }))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.content, Content::Null)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The last entry of a key, which is the one that counts.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().rev().find(|entry| *entry.key == *key)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match &self.entry(key)?.value.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.to_string()),
            Content::List(items) => Value::Array(items.iter().map(|item| item.to_value()).collect()),
            Content::Map(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.to_string(), entry.value.to_value())).collect(),
            ),
        }
    }

    /// The place of the value at `path`, or of the innermost one on the way that is there.
    pub(super) fn locate(&self, path: &[Step]) -> Position {
        let mut node = self;
        for step in path {
            let child = match (step, &node.content) {
                (Step::Key(key), Content::Map(_)) => node.entry(key).map(|entry| &entry.value),
                (Step::Index(index), Content::List(items)) => items.get(*index),
                _ => None,
            };
            match child {
                Some(child) => node = child,
                None => break,
            }
        }
        node.at
    }

    /// The place of the key at a path in words, whose keys may have dots in them.
    pub(super) fn locate_key(&self, path: &str) -> Option<Position> {
        match &self.content {
            Content::Map(entries) => entries.iter().rev().find_map(|entry| {
                let rest = path.strip_prefix(&*entry.key)?;
                if rest.is_empty() {
                    return Some(entry.at);
                }
                match rest.strip_prefix('.') {
                    Some(rest) => entry.value.locate_key(rest),
                    None if rest.starts_with('[') => entry.value.locate_key(rest),
                    None => None,
                }
            }),
            Content::List(items) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                let item = items.get(index.parse::<usize>().ok()?)?;
                item.locate_key(rest.strip_prefix('.').unwrap_or(rest))
            }
            _ => None,
        }
    }

    /// Shows every entry whose key was there before, with the path of the map that it is in.
    pub(super) fn duplicates(&self, path: &mut Vec<Step>, found: &mut dyn FnMut(&[Step], &Entry)) {
        match &self.content {
            Content::Map(entries) => {
                let mut keys = BTreeSet::new();
                for entry in entries {
                    if !keys.insert(&entry.key) {
                        found(path, entry);
                    }
                    path.push(Step::Key(entry.key.to_string()));
                    entry.value.duplicates(path, found);
                    path.pop();
                }
            }
            Content::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(Step::Index(index));
                    item.duplicates(path, found);
                    path.pop();
                }
            }
            _ => {}
        }
    }
}
