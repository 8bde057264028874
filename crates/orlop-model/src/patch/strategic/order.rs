//! The order of elements, and by what they are told apart.

use std::collections::HashMap;

use serde_json::Value;

use super::StrategicError;
use super::error::{dump, go_type};

type Result<T> = std::result::Result<T, StrategicError>;

/// A scalar as Go compares it: integers and floating-point numbers are never equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::patch) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Float(u64),
    Text(String),
}

impl Scalar {
    /// `field` is the list that the value is about.
    pub(super) fn new(value: &Value, field: &str) -> Result<Self> {
        Ok(match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Self::Int(number),
                // Zero is zero, whatever its sign.
                None => Self::Float((number.as_f64().unwrap_or_default() + 0.0).to_bits()),
            },
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(_) | Value::Object(_) => {
                return Err(StrategicError::Uncomparable { field: field.to_owned(), value: dump(value) });
            }
        })
    }
}

/// What the elements of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    Float,
    Text,
    Object,
}

/// What the elements of all of these lists are.
pub(super) fn kind_of(lists: &[&[Value]]) -> Result<Kind> {
    let elements = || {
        let lists: Vec<String> = lists.iter().map(|list| super::error::dump_list(list)).collect();
        StrategicError::Elements { elements: format!("[{}]", lists.join(" ")) }
    };
    let mut found = None;
    for element in lists.iter().copied().flatten() {
        let kind = match element {
            Value::Null => None,
            Value::Bool(_) => Some(Kind::Bool),
            Value::Number(number) if number.is_i64() => Some(Kind::Int),
            Value::Number(_) => Some(Kind::Float),
            Value::String(_) => Some(Kind::Text),
            Value::Object(_) => Some(Kind::Object),
            Value::Array(_) if found.is_none() => return Err(StrategicError::ListOfLists),
            Value::Array(_) => None,
        };
        if kind.is_none() || found.is_some() && found != kind {
            return Err(elements());
        }
        found = kind;
    }
    found.ok_or(StrategicError::NoElements)
}

/// The value of an element's key.
pub(super) fn key_of<'a>(element: &'a Value, key: &'static str) -> Result<&'a Value> {
    let Value::Object(fields) = element else {
        return Err(StrategicError::Type { expected: "map[string]interface {}", found: go_type(element) });
    };
    fields.get(key).ok_or_else(|| StrategicError::NoMergeKey { object: dump(element), key })
}

/// How the elements of a list are told apart.
#[derive(Clone, Copy, Debug)]
pub(in crate::patch) struct Identity<'a> {
    /// The list, for errors.
    pub(in crate::patch) field: &'a str,
    /// The field of the elements; empty if they are scalars.
    pub(in crate::patch) key: &'static str,
    /// Whether they are objects.
    pub(in crate::patch) objects: bool,
}

impl Identity<'_> {
    /// What the element is told apart by.
    pub(in crate::patch) fn of(self, element: &Value) -> Result<Scalar> {
        Scalar::new(if self.objects { key_of(element, self.key)? } else { element }, self.field)
    }

    pub(in crate::patch) fn all(self, list: &[Value]) -> Result<Vec<Scalar>> {
        list.iter().map(|element| self.of(element)).collect()
    }

    /// The elements with what they are told apart by.
    pub(super) fn pairs(self, list: Vec<Value>) -> Result<Vec<(Scalar, Value)>> {
        list.into_iter().map(|element| Ok((self.of(&element)?, element))).collect()
    }

    /// Whether an element is a directive to delete another one.
    pub(super) fn is_deletion(self, element: &Value) -> bool {
        self.objects && super::is_deletion(element)
    }
}

/// Where the first of each of some scalars stands.
#[derive(Debug)]
pub(in crate::patch) struct Places(HashMap<Scalar, usize>);

impl Places {
    pub(in crate::patch) fn new(scalars: impl IntoIterator<Item = Scalar>) -> Self {
        let mut places = HashMap::new();
        for (place, scalar) in scalars.into_iter().enumerate() {
            places.entry(scalar).or_insert(place);
        }
        Self(places)
    }

    pub(in crate::patch) fn get(&self, scalar: &Scalar) -> Option<usize> {
        self.0.get(scalar).copied()
    }

    /// Adds a scalar at a place behind all others.
    pub(in crate::patch) fn add(&mut self, scalar: Scalar, place: usize) {
        self.0.entry(scalar).or_insert(place);
    }
}

/// Splits the elements of `merged` into those that `wanted` names, in its order, and the others, in the order of `server`,
/// and merges both by the order that they have in common there. Deletions stand behind the others of their part.
pub(in crate::patch) fn in_order<T>(
    merged: Vec<(Scalar, T)>,
    wanted: &[Scalar],
    server: &[Scalar],
    is_deletion: impl Fn(&T) -> bool,
) -> Vec<(Scalar, T)> {
    let (wanted, server) = (Places::new(wanted.iter().cloned()), Places::new(server.iter().cloned()));
    let (named, others): (Vec<_>, Vec<_>) =
        merged.into_iter().partition(|(scalar, _)| wanted.get(scalar).is_some());
    let mut named = sorted(named, &wanted, &is_deletion).into_iter().peekable();
    let mut others = sorted(others, &server, &is_deletion).into_iter().peekable();
    let mut all = Vec::with_capacity(named.len() + others.len());
    loop {
        let other_is_first = match (others.peek(), named.peek()) {
            (Some((other, _)), Some((named, _))) => {
                server.get(other).zip(server.get(named)).is_some_and(|(other, named)| other < named)
            }
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return all,
        };
        all.extend(if other_is_first { others.next() } else { named.next() });
    }
}

/// A list in the order of `wanted`.
pub(super) fn by_order(list: Vec<Value>, wanted: &[Scalar], identity: Identity<'_>) -> Result<Vec<Value>> {
    let places = Places::new(wanted.iter().cloned());
    let sorted = sorted(identity.pairs(list)?, &places, &|element| identity.is_deletion(element));
    Ok(elements(sorted))
}

/// The elements alone.
pub(super) fn elements(pairs: Vec<(Scalar, Value)>) -> Vec<Value> {
    pairs.into_iter().map(|(_, element)| element).collect()
}

fn sorted<T>(
    elements: Vec<(Scalar, T)>,
    order: &Places,
    is_deletion: &impl Fn(&T) -> bool,
) -> Vec<(Scalar, T)> {
    let (deletions, elements): (Vec<_>, Vec<_>) =
        elements.into_iter().partition(|(_, element)| is_deletion(element));
    let mut elements: Vec<_> =
        elements.into_iter().map(|(scalar, element)| (order.get(&scalar), (scalar, element))).collect();
    if elements.iter().all(|(place, _)| place.is_some()) || elements.len() > 20 {
        elements.sort_by_key(|(place, _)| *place);
    } else {
        // Go's comparison says that an element without a place is less than any other, and so does any other: up to 20
        // elements it sorts by insertion.
        for end in 1..elements.len() {
            for at in (1..=end).rev() {
                let is_less = elements[at].0.zip(elements[at - 1].0).is_none_or(|(left, right)| left < right);
                if !is_less {
                    break;
                }
                elements.swap(at, at - 1);
            }
        }
    }
    elements.into_iter().map(|(_, element)| element).chain(deletions).collect()
}

/// Removes all but the first of equal scalars, each of the others replaced by the last element, as Go's code does it.
/// Gives the number of elements that are left; those behind are what stays in the list's memory.
pub(super) fn deduplicate(list: &mut [Value], field: &str) -> Result<usize> {
    let mut scalars: Vec<Scalar> =
        list.iter().map(|element| Scalar::new(element, field)).collect::<Result<_>>()?;
    let places = Places::new(scalars.iter().cloned());
    let mut length = list.len();
    if places.0.len() == length {
        return Ok(length);
    }
    if length > 4096 {
        // What Go's code does takes the square of the length.
        let mut seen = std::collections::HashSet::new();
        let mut kept = 0;
        for (at, scalar) in scalars.iter().enumerate() {
            if seen.insert(scalar) {
                list.swap(kept, at);
                kept += 1;
            }
        }
        return Ok(kept);
    }
    // The first of equal elements is never moved before its others are gone, and what replaces them stood behind.
    let mut at = 0;
    while at < length {
        let mut other = at + 1;
        while other < length {
            if scalars[other] == scalars[at] {
                length -= 1;
                scalars[other] = scalars[length].clone();
                list[other] = list[length].clone();
            } else {
                other += 1;
            }
        }
        at += 1;
    }
    Ok(length)
}

/// Compares as Go sorts elements: by their printed form, equal ones in reverse.
pub(super) fn sort_as_printed<T>(list: &mut [T], text: impl Fn(&T) -> String) {
    list.reverse();
    list.sort_by_cached_key(|element| text(element));
}
