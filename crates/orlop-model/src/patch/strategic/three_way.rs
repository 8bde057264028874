//! The strategic merge patch that keeps what others changed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::apply::{Object, Target, merge_object};
use super::diff::{Scope, between};
use super::error::Dump;
use super::order::{Kind, deduplicate, kind_of, sort_as_printed};
use super::rules::{Place, Rules, Strategy};
use super::{DIRECTIVE, RETAIN_KEYS, StrategicError};
use crate::Schema;

type Result<T> = std::result::Result<T, StrategicError>;

/// The strategic merge patch that brings `current` to `modified` without undoing what others changed, as Kubernetes makes
/// it: changes and additions from `current` to `modified`, and deletions from `original`, what was applied last, to
/// `modified`. Without `overwrite` it is an error if the patch and the changes made by others, from `original` to
/// `current`, say different things of one field.
///
/// # Errors
/// As [`strategic_diff`](super::strategic_diff), and [`StrategicError::Conflict`].
pub fn strategic_three_way(
    original: &Value,
    modified: &Value,
    current: &Value,
    schema: Option<&'static Schema>,
    overwrite: bool,
) -> Result<Value> {
    let rules = Rules::new(schema, false);
    let (Value::Object(original), Value::Object(modified), Value::Object(current)) =
        (original, modified, current)
    else {
        return Err(StrategicError::NotAnObject);
    };
    let delta = between(current, modified, rules, false, Scope { deletions: false, ..Scope::ALL })?;
    let deletions = between(original, modified, rules, false, Scope { changes: false, ..Scope::ALL })?;
    let patch = merge_object(deletions, delta, rules, Target::Patch)?;
    if !overwrite {
        let changed = between(original, current, rules, false, Scope { order: false, ..Scope::ALL })?;
        if objects_conflict(&patch, &changed, rules)? {
            let [patch, changes] = [patch, changed].map(|patch| Dump(&Value::Object(patch)).to_string());
            return Err(StrategicError::Conflict { patch, changes });
        }
    }
    Ok(Value::Object(patch))
}

/// Whether two patches say different things of one field.
fn objects_conflict(left: &Object, right: &Object, rules: Rules) -> Result<bool> {
    // Directives about lists are no fields of the schema, so that they make an error; a conflict is found before.
    let (directives, fields): (Vec<_>, Vec<_>) = left
        .iter()
        .filter(|(name, _)| *name != DIRECTIVE && *name != RETAIN_KEYS)
        .partition(|(name, _)| name.starts_with('$'));
    for (name, left) in fields.into_iter().chain(directives) {
        let Some(right) = right.get(name) else {
            continue;
        };
        let place = match left {
            Value::Object(_) => Some(rules.object(name)?),
            Value::Array(_) => Some(rules.list(name)?),
            _ => None,
        };
        if values_conflict(left, right, place)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn values_conflict(left: &Value, right: &Value, place: Option<Place>) -> Result<bool> {
    let rules = place.map_or(Rules::Free, |place| place.rules);
    let strategy = place.map_or(Strategy::Default, |place| place.strategy);
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            if left.get(DIRECTIVE) != right.get(DIRECTIVE) {
                return Ok(true);
            }
            if strategy == Strategy::Replace {
                return Ok(false);
            }
            objects_conflict(left, right, rules)
        }
        (Value::Array(left), Value::Array(right)) => {
            let key = place.map_or("", |place| place.key);
            lists_conflict(left, right, rules, strategy, key)
        }
        _ => Ok(left != right),
    }
}

fn lists_conflict(
    left: &[Value],
    right: &[Value],
    rules: Rules,
    strategy: Strategy,
    key: &'static str,
) -> Result<bool> {
    let kind = kind_of(&[left, right])?;
    let elements = Place { rules, strategy: Strategy::Default, retain_keys: false, key: "" };
    if strategy == Strategy::Merge {
        if kind != Kind::Object {
            return Ok(false);
        }
        let (left, right) = (by_key(left, key)?, by_key(right, key)?);
        for (key, left) in left {
            if let Some(right) = right.get(&key)
                && values_conflict(left, right, Some(elements))?
            {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if left.len() != right.len() {
        return Ok(true);
    }
    if kind != Kind::Object {
        let sorted = |list: &[Value]| {
            let mut list = list.to_vec();
            let length = deduplicate(&mut list, "")?;
            list.truncate(length);
            sort_as_printed(&mut list, |value| Dump(value).to_string());
            Ok(list)
        };
        return Ok(sorted(left)? != sorted(right)?);
    }
    for (left, right) in left.iter().zip(right) {
        if values_conflict(left, right, Some(elements))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn by_key<'a>(list: &'a [Value], key: &'static str) -> Result<BTreeMap<String, &'a Value>> {
    let entries = list.iter().map(|element| {
        let missing = || StrategicError::NoMergeKey { object: Dump(element).to_string(), key };
        Ok((Dump(element.get(key).ok_or_else(missing)?).to_string(), element))
    });
    entries.collect()
}
