//! Strategic merge patch: like a merge patch (RFC 7396), with lists merged by the keys that a schema names.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::{FieldSchema, Schema};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ELEMENT_ORDER: &str = "$setElementOrder/";

/// A strategic merge patch that cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrategicError {
    /// The patch, or what it is applied to, is not a JSON object.
    #[error("a strategic merge patch and what it is applied to must be JSON objects")]
    NotAnObject,
    /// A directive has a value that it cannot have.
    #[error("{field}: invalid value {value} of the directive {directive}")]
    Directive {
        /// The field it stands in or is about.
        field: String,
        /// The directive.
        directive: &'static str,
        /// Its value.
        value: String,
    },
    /// An element of a list has no value for the key by which elements are found.
    #[error("{field}: an element does not contain declared merge key: {key}")]
    NoMergeKey {
        /// The list.
        field: String,
        /// The key.
        key: &'static str,
    },
    /// A list that is to be merged has elements of different types, or objects where the schema names no key.
    #[error("{field}: the elements of a merged list must be all scalars or all objects with a merge key")]
    Elements {
        /// The list.
        field: String,
    },
    /// The patch has elements that its order leaves out, or has them in another order.
    #[error("{field}: the order of the patch's elements is not that of $setElementOrder")]
    Order {
        /// The list.
        field: String,
    },
}

type Result<T> = std::result::Result<T, StrategicError>;
type Object = Map<String, Value>;

/// Applies `patch` to `original`, whose fields `schema` describes; without a schema, and for fields it does not know,
/// lists are replaced. All directives are understood: `$patch`, `$retainKeys`, `$deleteFromPrimitiveList`,
/// `$setElementOrder`.
///
/// ```
/// use orlop_model::{Message, core::v1::Pod, patch};
/// use serde_json::json;
///
/// let pod = json!({"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}});
/// let change = json!({"spec": {"containers": [{"name": "b", "image": "b:2"}]}});
/// let patched = patch::strategic(pod, change, Some(Pod::SCHEMA))?;
/// assert_eq!(patched["spec"]["containers"][0]["image"], "a:1");
/// assert_eq!(patched["spec"]["containers"][1]["image"], "b:2");
/// # Ok::<(), patch::StrategicError>(())
/// ```
///
/// # Errors
/// If one of both is no object, or the patch contradicts itself or the schema.
pub fn strategic(original: Value, patch: Value, schema: Option<&'static Schema>) -> Result<Value> {
    match (original, patch) {
        (Value::Object(original), Value::Object(patch)) => {
            merge_objects(original, patch, schema).map(Value::Object)
        }
        _ => Err(StrategicError::NotAnObject),
    }
}

fn merge_objects(mut original: Object, mut patch: Object, schema: Option<&'static Schema>) -> Result<Object> {
    if let Some(directive) = patch.remove(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => Ok(patch),
            Some("delete") => Ok(Object::new()),
            _ => Err(bad_directive("", DIRECTIVE, &directive)),
        };
    }
    retain_keys(&mut original, &mut patch)?;
    set_orders(&mut original, &mut patch, schema)?;
    for (key, value) in patch {
        let (name, deletes) = match key.strip_prefix(DELETE_FROM) {
            Some(name) => (name, true),
            None => (key.as_str(), false),
        };
        if value.is_null() {
            original.remove(name);
            continue;
        }
        let field = schema.and_then(|schema| schema.field(name));
        let Some(slot) = original.get_mut(name) else {
            if !deletes && let Some(value) = without_directives(value) {
                original.insert(name.to_owned(), value);
            }
            continue;
        };
        match (slot, value) {
            (slot @ Value::Object(_), Value::Object(patch)) => {
                let Value::Object(before) = slot.take() else {
                    continue;
                };
                // Maps of scalars have no schema of their own, and merge like any object.
                *slot = Value::Object(merge_objects(before, patch, field.and_then(|field| field.message()))?);
            }
            (slot @ Value::Array(_), Value::Array(patch)) => {
                let Value::Array(before) = slot.take() else {
                    continue;
                };
                *slot = Value::Array(merge_lists(before, patch, name, field, deletes)?);
            }
            (slot, value) if !deletes => {
                if let Some(value) = without_directives(value) {
                    *slot = value;
                }
            }
            _ => {}
        }
    }
    Ok(original)
}

fn bad_directive(field: &str, directive: &'static str, value: &Value) -> StrategicError {
    StrategicError::Directive { field: field.to_owned(), directive, value: value.to_string() }
}

/// Removes the fields that `$retainKeys` does not name.
fn retain_keys(original: &mut Object, patch: &mut Object) -> Result<()> {
    let Some(keys) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    let Value::Array(keys) = &keys else {
        return Err(bad_directive("", RETAIN_KEYS, &keys));
    };
    let kept = |name: &str| keys.iter().any(|key| key == name);
    if let Some(name) = patch.keys().find(|name| !name.starts_with('$') && !kept(name)) {
        return Err(bad_directive(name, RETAIN_KEYS, &Value::Array(keys.clone())));
    }
    original.retain(|name, _| kept(name));
    Ok(())
}

/// Merges the lists for which the patch names an order, and puts them in it.
fn set_orders(original: &mut Object, patch: &mut Object, schema: Option<&'static Schema>) -> Result<()> {
    let directives: Vec<String> =
        patch.keys().filter(|key| key.starts_with(ELEMENT_ORDER)).cloned().collect();
    for directive in directives {
        let name = &directive[ELEMENT_ORDER.len()..];
        let order = match patch.remove(&directive) {
            Some(Value::Array(order)) => order,
            other => return Err(bad_directive(name, ELEMENT_ORDER, &other.unwrap_or_default())),
        };
        let field = schema.and_then(|schema| schema.field(name));
        let key = field.map_or("", |field| field.merge_key);
        let patched = match patch.get(name) {
            Some(Value::Array(elements)) => Some(elements.clone()),
            _ => None,
        };
        let kept = patched.iter().flatten().filter(|element| !is_deletion(element));
        let places: Option<Vec<usize>> = kept.map(|element| position(&order, element, key)).collect();
        if !places.is_some_and(|places| places.is_sorted()) {
            return Err(StrategicError::Order { field: name.to_owned() });
        }
        let before = match original.get(name) {
            Some(Value::Array(elements)) => Some(elements.clone()),
            _ => None,
        };
        let stood = match (&before, &patched) {
            (Some(before), Some(patched)) => overwritten(before, patched, key),
            _ => before.clone().unwrap_or_default(),
        };
        let merged = match (&before, patched) {
            (Some(before), None) => before.clone(),
            (None, Some(patched)) => patched.into_iter().filter_map(without_directives).collect(),
            (Some(before), Some(patched)) => merge_lists(before.clone(), patched, name, field, false)?,
            (None, None) => continue,
        };
        patch.remove(name);
        let merged = in_order(merged, &order, &stood, key);
        original.insert(name.to_owned(), Value::Array(merged));
    }
    Ok(())
}

/// The original order as Kubernetes' code sees it after the merge: there deleted elements make room in the same memory,
/// and new elements fill it.
fn overwritten(before: &[Value], patch: &[Value], key: &str) -> Vec<Value> {
    let mut list = before.to_vec();
    let mut length = list.len();
    for element in patch.iter().filter(|element| is_deletion(element)) {
        while let Some(place) = position(&list[..length], element, key) {
            list[place..length].rotate_left(1);
            length -= 1;
            if length > 0 {
                list[length] = list[length - 1].clone();
            }
        }
    }
    for element in patch.iter().filter(|element| !is_deletion(element)) {
        if length < list.len() && position(&list[..length], element, key).is_none() {
            list[length] = element.clone();
            length += 1;
        }
    }
    list
}

fn merge_lists(
    original: Vec<Value>,
    patch: Vec<Value>,
    name: &str,
    field: Option<&'static FieldSchema>,
    deletes: bool,
) -> Result<Vec<Value>> {
    let Some(field) = field.filter(|field| field.merge) else {
        return Ok(patch.into_iter().filter_map(without_directives).collect());
    };
    let mut elements = original.iter().chain(&patch);
    let objects = elements.clone().any(Value::is_object);
    if objects != elements.all(Value::is_object) && !(original.is_empty() && patch.is_empty()) {
        return Err(StrategicError::Elements { field: name.to_owned() });
    }
    if !objects {
        if deletes {
            return Ok(original.into_iter().filter(|element| !patch.contains(element)).collect());
        }
        let mut merged = Vec::with_capacity(original.len() + patch.len());
        for element in original.iter().chain(&patch) {
            if !merged.contains(element) {
                merged.push(element.clone());
            }
        }
        return Ok(in_order(merged, &patch, &original, ""));
    }
    let key = field.merge_key;
    if key.is_empty() {
        return Err(StrategicError::Elements { field: name.to_owned() });
    }
    let before = original.clone();
    let (mut merged, patch) = special_elements(original, patch, name, key)?;
    for element in &patch {
        let missing = || StrategicError::NoMergeKey { field: name.to_owned(), key };
        let wanted = element.get(key).ok_or_else(missing)?;
        match merged.iter_mut().find(|found| found.get(key) == Some(wanted)) {
            Some(found) => *found = strategic(found.take(), element.clone(), field.message())?,
            None => merged.extend(without_directives(element.clone())),
        }
    }
    Ok(in_order(merged, &patch, &before, key))
}

/// Carries out the directives that stand in elements of a list, and gives the list with the other elements.
fn special_elements(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    name: &str,
    key: &'static str,
) -> Result<(Vec<Value>, Vec<Value>)> {
    let mut plain = Vec::with_capacity(patch.len());
    let mut replaces = false;
    for element in patch {
        let Some(directive) = element.get(DIRECTIVE) else {
            plain.push(element);
            continue;
        };
        match directive.as_str() {
            Some("delete") => {
                let missing = || StrategicError::NoMergeKey { field: name.to_owned(), key };
                let deleted = element.get(key).ok_or_else(missing)?;
                original.retain(|found| found.get(key) != Some(deleted));
            }
            Some("replace") => replaces = true,
            _ => return Err(bad_directive(name, DIRECTIVE, directive)),
        }
    }
    Ok(if replaces { (plain, Vec::new()) } else { (original, plain) })
}

fn is_deletion(element: &Value) -> bool {
    element.get(DIRECTIVE).is_some_and(|directive| directive == "delete")
}

/// A value that is new to the object: nulls and values with the directive `$patch` are for merging only. `None`: there
/// is nothing to add. (The other directives stay, as in Kubernetes.)
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.contains_key(DIRECTIVE) => None,
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Some(Value::Object(
                kept.filter_map(|(name, value)| Some((name, without_directives(value)?))).collect(),
            ))
        }
        Value::Array(elements) => {
            Some(Value::Array(elements.into_iter().filter_map(without_directives).collect()))
        }
        scalar => Some(scalar),
    }
}

/// Where an element stands in a list; objects are found by their key.
fn position(list: &[Value], element: &Value, key: &str) -> Option<usize> {
    list.iter().position(|other| match (key.is_empty(), other.get(key), element.get(key)) {
        (false, Some(other), Some(element)) => other == element,
        (false, ..) => false,
        (true, ..) => other == element,
    })
}

/// Puts the elements that `wanted` names in its order, the others in the order they had, and merges both by the order
/// they had in common.
fn in_order(merged: Vec<Value>, wanted: &[Value], before: &[Value], key: &str) -> Vec<Value> {
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|element| position(wanted, element, key).is_some());
    let by = |order: &[Value]| {
        let order = order.to_vec();
        move |left: &Value, right: &Value| match (position(&order, left, key), position(&order, right, key)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => Ordering::Equal,
        }
    };
    named.sort_by(by(wanted));
    others.sort_by(by(before));
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    let mut all = Vec::with_capacity(named.len() + others.len());
    loop {
        let first_other = match (others.peek(), named.peek()) {
            (Some(other), Some(named)) => {
                let places = position(before, other, key).zip(position(before, named, key));
                places.is_some_and(|(other, named)| other < named)
            }
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return all,
        };
        all.extend(if first_other { others.next() } else { named.next() });
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::Message;
    use crate::apps::v1::Deployment;
    use crate::core::v1::{Pod, Service};

    /// The cases `strategic` of the family `patch`.
    #[test]
    fn as_kubernetes_does() {
        let bytes = include_bytes!("../../tests/cases/patch.jsonl.gz");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        let mut misses = Vec::new();
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let schema = match case["kind"].as_str().unwrap() {
                "Pod" => Pod::SCHEMA,
                "Deployment" => Deployment::SCHEMA,
                "Service" => Service::SCHEMA,
                kind => panic!("no schema of {kind}"),
            };
            let got = strategic(case["original"].clone(), case["patch"].clone(), Some(schema));
            let same = match &got {
                Ok(value) => case["ok"] == true && *value == case["result"],
                Err(_) => case["ok"] == false,
            };
            if !same {
                misses.push(format!(
                    "{}: patch {}\n original {}\n wanted {} {}\n got    {got:?}",
                    case["id"], case["patch"], case["original"], case["result"], case["error"]
                ));
            }
        }
        assert!(misses.is_empty(), "{} misses\n{}", misses.len(), misses.join("\n"));
    }
}
