//! Application of a strategic merge patch, to a document or to another patch.

use serde_json::{Map, Value};

use super::error::{dump, dump_list, go_type};
use super::order::{Identity, Kind, Places, Scalar, deduplicate, elements, in_order, key_of, kind_of};
use super::rules::{Place, Rules, Strategy};
use super::{DELETE_FROM, DIRECTIVE, ELEMENT_ORDER, RETAIN_KEYS, StrategicError, is_deletion};

pub(in crate::patch) type Object = Map<String, Value>;
type Result<T> = std::result::Result<T, StrategicError>;

/// What a patch is merged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::patch) enum Target {
    /// A document: directives are carried out, nulls delete.
    Document,
    /// Another patch: directives and nulls are kept for the document that it is meant for.
    Patch,
}

pub(in crate::patch) fn merge_object(
    mut original: Object,
    mut patch: Object,
    rules: Rules,
    target: Target,
) -> Result<Object> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => {
                patch.remove(DIRECTIVE);
                Ok(patch)
            }
            Some("delete") => Ok(Object::new()),
            _ => Err(bad_directive(directive, &patch)),
        };
    }
    retain_keys(&mut original, &mut patch, target)?;
    set_orders(&mut original, &mut patch, rules, target)?;
    for (key, value) in patch {
        let (name, deletes) = match key.strip_prefix(DELETE_FROM) {
            Some(_) if target == Target::Patch => {
                original.insert(key, value);
                continue;
            }
            Some(name) => (name.strip_prefix('/').ok_or(StrategicError::PrimitiveList)?, true),
            None => (key.as_str(), false),
        };
        if value.is_null() {
            original.remove(name);
            if target == Target::Document {
                continue;
            }
        }
        match (original.get_mut(name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let place = rules.object(name)?;
                *old = match place.strategy {
                    Strategy::Replace => new,
                    _ => merge_object(std::mem::take(old), new, place.rules, target)?,
                };
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let place = rules.list(name)?;
                *old = merge_list(std::mem::take(old), new, name, place, deletes, target)?;
            }
            (Some(old), new) if is_same_scalar(old, &new) => *old = new,
            (_, new) if !deletes => match added(new, target) {
                Some(new) => {
                    original.insert(name.to_owned(), new);
                }
                None => {
                    original.remove(name);
                }
            },
            _ => {}
        }
    }
    Ok(original)
}

fn bad_directive(directive: &Value, object: &Object) -> StrategicError {
    StrategicError::Directive { directive: dump(directive), object: dump(&Value::Object(object.clone())) }
}

fn is_same_scalar(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Bool(_), Value::Bool(_)) | (Value::String(_), Value::String(_)) => true,
        (Value::Number(left), Value::Number(right)) => left.is_i64() == right.is_i64(),
        _ => false,
    }
}

/// A value where there was none, or one of another type. `None`: there is nothing to add.
pub(in crate::patch) fn added(mut value: Value, target: Target) -> Option<Value> {
    if target == Target::Document {
        remove_nulls(&mut value);
    }
    without_directives(value)
}

/// Removes fields that are null; elements of lists stay.
fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(remove_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}

/// The value without the objects that have the directive `$patch`. (Other directives stay, as in Kubernetes.)
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.contains_key(DIRECTIVE) => None,
        Value::Object(fields) => {
            let kept =
                fields.into_iter().filter_map(|(name, value)| Some((name, without_directives(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(without_directives).collect())),
        scalar => Some(scalar),
    }
}

/// Removes the fields that `$retainKeys` does not name; in a patch the directive is kept.
fn retain_keys(original: &mut Object, patch: &mut Object, target: Target) -> Result<()> {
    let Some(keys) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    if target == Target::Patch {
        if let Some(others) = original.get(RETAIN_KEYS)
            && *others != keys
        {
            return Err(StrategicError::RetainedKeys { left: dump(others), right: dump(&keys) });
        }
        original.insert(RETAIN_KEYS.to_owned(), keys);
        return Ok(());
    }
    let Value::Array(keys) = &keys else {
        return Err(StrategicError::RetainKeys);
    };
    let keys: Vec<Scalar> = keys.iter().map(|key| Scalar::new(key, RETAIN_KEYS)).collect::<Result<_>>()?;
    let names: std::collections::HashSet<&str> = keys
        .iter()
        .filter_map(|key| if let Scalar::Text(name) = key { Some(name.as_str()) } else { None })
        .collect();
    let is_named = |name: &str, value: &Value| {
        value.is_null()
            || name.starts_with(DELETE_FROM)
            || name.starts_with(ELEMENT_ORDER)
            || names.contains(name)
    };
    if !patch.iter().all(|(name, value)| is_named(name, value)) {
        return Err(StrategicError::RetainKeys);
    }
    original.retain(|name, _| names.contains(name.as_str()));
    Ok(())
}

/// Merges the lists for which the patch names an order, and puts them in it.
fn set_orders(original: &mut Object, patch: &mut Object, rules: Rules, target: Target) -> Result<()> {
    let directives: Vec<String> =
        patch.keys().filter(|key| key.starts_with(ELEMENT_ORDER)).cloned().collect();
    for directive in directives {
        let Some(order) = patch.remove(&directive) else {
            continue;
        };
        if target == Target::Patch {
            match original.get(&directive) {
                Some(other) if *other != order => return Err(StrategicError::ElementOrder),
                Some(_) => {}
                None => {
                    original.insert(directive.clone(), order.clone());
                }
            }
        }
        let order = into_list(order)?;
        let name = directive[ELEMENT_ORDER.len()..].strip_prefix('/').ok_or(StrategicError::ElementOrder)?;
        let before = original.get(name).map(as_list).transpose()?;
        let changes = patch.get(name).map(as_list).transpose()?;
        let place = rules.list(name)?;
        check_order(changes.unwrap_or_default(), &order, name, place.key)?;
        if before.is_none() && changes.is_none() {
            continue;
        }
        let kind = kind_of(&[before.unwrap_or_default(), changes.unwrap_or_default()]);
        let stood = match (before, changes) {
            (Some(before), Some(changes)) if place.strategy == Strategy::Merge => {
                overwritten(before, changes, name, place.key)?
            }
            (before, _) => identity(name, place.key, &kind).all(before.unwrap_or_default())?,
        };
        let before = original.get_mut(name).map(|list| into_list(list.take())).transpose()?;
        let changes = patch.remove(name).map(into_list).transpose()?;
        let merged = match (before, changes) {
            (Some(before), Some(changes)) => merge_list(before, changes, name, place, false, target)?,
            (before, changes) => before
                .unwrap_or_else(|| changes.into_iter().flatten().filter_map(without_directives).collect()),
        };
        let identity = identity(name, place.key, &kind);
        if !place.key.is_empty() && !identity.objects && kind.is_ok() {
            return Err(not_an_object(&merged));
        }
        kind?;
        let order = identity.all(&order)?;
        let merged =
            in_order(identity.pairs(merged)?, &order, &stood, |element| identity.is_deletion(element));
        original.insert(name.to_owned(), Value::Array(elements(merged)));
    }
    Ok(())
}

fn identity<'a>(field: &'a str, key: &'static str, kind: &Result<Kind>) -> Identity<'a> {
    Identity { field, key, objects: matches!(kind, Ok(Kind::Object)) && !key.is_empty() }
}

fn not_an_object(list: &[Value]) -> StrategicError {
    let found = list.first().map_or("nil", go_type);
    StrategicError::Type { expected: "map[string]interface {}", found }
}

fn as_list(value: &Value) -> Result<&[Value]> {
    match value {
        Value::Array(list) => Ok(list),
        other => Err(StrategicError::Type { expected: "[]interface {}", found: go_type(other) }),
    }
}

fn into_list(value: Value) -> Result<Vec<Value>> {
    match value {
        Value::Array(list) => Ok(list),
        other => Err(StrategicError::Type { expected: "[]interface {}", found: go_type(&other) }),
    }
}

/// Whether the elements of a patch stand in the order that it names, and are all named.
pub(in crate::patch) fn check_order(
    changes: &[Value],
    order: &[Value],
    field: &str,
    key: &'static str,
) -> Result<()> {
    if changes.is_empty() || order.is_empty() {
        return Ok(());
    }
    let identity = Identity { field, key, objects: !key.is_empty() };
    if let Some(scalar) = changes.iter().find(|change| identity.objects && !change.is_object()) {
        return Err(StrategicError::Type { expected: "map[string]interface {}", found: go_type(scalar) });
    }
    let plain: Vec<&Value> = changes.iter().filter(|change| !is_deletion(change)).collect();
    let (mut left, mut order_left) = (plain.as_slice(), order);
    while let (Some((change, others)), Some((next, later))) = (left.split_first(), order_left.split_first()) {
        if change.get(DIRECTIVE).is_some() {
            left = others;
            continue;
        }
        if identity.of(change)? == identity.of(next)? {
            left = others;
        }
        order_left = later;
    }
    if left.is_empty() {
        return Ok(());
    }
    Err(StrategicError::Order { patch: dump_list(changes), order: dump_list(order) })
}

/// What Go's code finds in the memory of a list after the merge.
fn overwritten(before: &[Value], changes: &[Value], field: &str, key: &'static str) -> Result<Vec<Scalar>> {
    let kind = kind_of(&[before, changes]);
    let identity = identity(field, key, &kind);
    if !identity.objects {
        return identity.all(&appended(before, changes, field)?.1);
    }
    overwritten_objects(&identity.all(before)?, changes, identity)
}

/// By what the objects are told apart that Go's code finds in a list's memory after the merge: there deleted elements make
/// room, which new elements fill.
pub(in crate::patch) fn overwritten_objects(
    stood: &[Scalar],
    changes: &[Value],
    identity: Identity<'_>,
) -> Result<Vec<Scalar>> {
    let mut remaining = vec![true; stood.len()];
    let mut at: std::collections::HashMap<&Scalar, Vec<usize>> = std::collections::HashMap::new();
    for (place, scalar) in stood.iter().enumerate() {
        at.entry(scalar).or_default().push(place);
    }
    // Each deletion leaves at the end what was last before it.
    let (mut length, mut left_behind) = (stood.len(), Vec::new());
    for deletion in changes.iter().filter(|change| is_deletion(change)) {
        for place in at.remove(&identity.of(deletion)?).into_iter().flatten() {
            while length > 0 && !remaining[length - 1] {
                length -= 1;
            }
            left_behind.extend(length.checked_sub(1).map(|last| stood[last].clone()));
            remaining[place] = false;
        }
    }
    let kept = stood.iter().zip(&remaining).filter(|(_, remains)| **remains);
    let mut list: Vec<Scalar> = kept.map(|(scalar, _)| scalar.clone()).collect();
    let mut places = Places::new(list.iter().cloned());
    let replaces =
        changes.iter().any(|change| change.get(DIRECTIVE).is_some_and(|directive| directive == "replace"));
    let additions = changes.iter().filter(|change| !replaces && change.get(DIRECTIVE).is_none());
    for addition in additions {
        let scalar = identity.of(addition)?;
        if list.len() < stood.len() && places.get(&scalar).is_none() {
            places.add(scalar.clone(), list.len());
            list.push(scalar);
        }
    }
    let room = stood.len() - list.len();
    list.extend(left_behind.into_iter().take(room).rev());
    Ok(list)
}

/// Two lists of scalars as one without duplicates, and what Go's code then finds in the first one's memory.
fn appended(original: &[Value], patch: &[Value], field: &str) -> Result<(Vec<Value>, Vec<Value>)> {
    let mut both = [original, patch].concat();
    let length = deduplicate(&mut both, field)?;
    // A list that was decoded has room for as many elements as the next power of two.
    let has_room = original.len() + patch.len() <= original.len().next_power_of_two();
    let stood = if has_room { &both[..original.len()] } else { original }.to_vec();
    both.truncate(length);
    Ok((both, stood))
}

pub(in crate::patch) fn merge_list(
    original: Vec<Value>,
    patch: Vec<Value>,
    field: &str,
    place: Place,
    deletes: bool,
    target: Target,
) -> Result<Vec<Value>> {
    if place.strategy != Strategy::Merge && !deletes {
        return Ok(patch);
    }
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    let key = place.key;
    let kind = kind_of(&[&original, &patch])?;
    if kind != Kind::Object {
        let scalars = Identity { field, key: "", objects: false };
        if deletes {
            let deleted = Places::new(scalars.all(&patch)?);
            let kept = original.into_iter().map(|element| Ok((scalars.of(&element)?, element)));
            let kept =
                kept.filter(|element| !matches!(element, Ok((scalar, _)) if deleted.get(scalar).is_some()));
            return kept.map(|element| element.map(|(_, element)| element)).collect();
        }
        let (merged, stood) = appended(&original, &patch, field)?;
        if !key.is_empty() {
            return Err(not_an_object(&merged));
        }
        let (wanted, stood) = (scalars.all(&patch)?, scalars.all(&stood)?);
        return Ok(elements(in_order(scalars.pairs(merged)?, &wanted, &stood, |_| false)));
    }
    if key.is_empty() {
        return Err(StrategicError::NoKeyDeclared { field: field.to_owned() });
    }
    let identity = Identity { field, key, objects: true };
    let (mut merged, patch) = special_elements(original, patch, identity)?;
    let server = merged.len();
    let wanted = identity.all(&patch)?;
    let mut places = Places::new(identity.all(&merged)?);
    for (element, scalar) in patch.into_iter().zip(&wanted) {
        match (places.get(scalar).and_then(|place| merged.get_mut(place)), element) {
            (Some(Value::Object(found)), Value::Object(element)) => {
                *found = merge_object(std::mem::take(found), element, place.rules, target)?;
            }
            (_, element) => {
                places.add(scalar.clone(), merged.len());
                merged.push(element);
            }
        }
    }
    let server = identity.all(&merged[..server])?;
    let merged = in_order(identity.pairs(merged)?, &wanted, &server, |element| identity.is_deletion(element));
    Ok(elements(merged))
}

/// Carries out the directives that stand in elements of a list; gives the list and the other elements.
fn special_elements(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    identity: Identity<'_>,
) -> Result<(Vec<Value>, Vec<Value>)> {
    let (mut plain, mut deleted, mut replaces) = (Vec::with_capacity(patch.len()), Vec::new(), false);
    for element in patch {
        let Some(directive) = element.get(DIRECTIVE) else {
            plain.push(element);
            continue;
        };
        match directive.as_str() {
            Some("delete") => deleted.push(Scalar::new(key_of(&element, identity.key)?, identity.field)?),
            Some("replace") => replaces = true,
            Some("merge") => return Err(StrategicError::MergedList),
            _ => {
                let (directive, object) = (dump(directive), dump(&element));
                return Err(StrategicError::Directive { directive, object });
            }
        }
    }
    if replaces {
        return Ok((plain, Vec::new()));
    }
    if !deleted.is_empty() {
        let deleted = Places::new(deleted);
        let mut kept = Vec::with_capacity(original.len());
        for element in original {
            let is_deleted = match element.get(identity.key) {
                Some(key) => deleted.get(&Scalar::new(key, identity.field)?).is_some(),
                None => false,
            };
            if !is_deleted {
                kept.push(element);
            }
        }
        original = kept;
    }
    Ok((original, plain))
}
