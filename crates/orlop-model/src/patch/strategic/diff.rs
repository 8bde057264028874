//! The strategic merge patch between two documents.

use serde_json::Value;

use super::apply::Object;
use super::error::Dump;
use super::order::{Identity, Kind, by_order, deduplicate, key_of, kind_of, sort_as_printed};
use super::rules::{Place, Rules, Strategy};
use super::{DELETE_FROM, DIRECTIVE, ELEMENT_ORDER, RETAIN_KEYS, StrategicError};

type Result<T> = std::result::Result<T, StrategicError>;

/// What a patch is to have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// Changes and additions.
    pub(super) changes: bool,
    /// Deletions.
    pub(super) deletions: bool,
    /// The order of elements.
    pub(super) order: bool,
}

impl Scope {
    pub(super) const ALL: Self = Self { changes: true, deletions: true, order: true };
}

pub(super) fn difference(original: &Value, modified: &Value, rules: Rules) -> Result<Value> {
    match (original, modified) {
        (Value::Object(original), Value::Object(modified)) => {
            between(original, modified, rules, false, Scope::ALL).map(Value::Object)
        }
        _ => Err(StrategicError::NotAnObject),
    }
}

/// The patch between two objects; with `retains` it names the fields that the object keeps.
pub(super) fn between(
    original: &Object,
    modified: &Object,
    rules: Rules,
    retains: bool,
    scope: Scope,
) -> Result<Object> {
    let mut patch = Object::new();
    for (name, new) in modified {
        let Some(old) = original.get(name) else {
            if scope.changes {
                patch.insert(name.clone(), new.clone());
            }
            continue;
        };
        if name == DIRECTIVE {
            let (Value::String(old), Value::String(text)) = (old, new) else {
                return Err(StrategicError::SpecialKey);
            };
            if old != text {
                patch.insert(name.clone(), new.clone());
            }
            continue;
        }
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                objects(name, old, new, rules, scope, &mut patch)?;
            }
            (Value::Array(old), Value::Array(new)) => lists(name, old, new, rules, scope, &mut patch)?,
            (old, new) if scope.changes && old != new => {
                patch.insert(name.clone(), new.clone());
            }
            _ => {}
        }
    }
    if scope.deletions {
        let gone = original.keys().filter(|name| !modified.contains_key(*name));
        patch.extend(gone.map(|name| (name.clone(), Value::Null)));
    }
    if retains {
        let mut kept: Vec<&String> =
            modified.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name).collect();
        kept.sort();
        let loses = || original.iter().any(|(name, value)| !value.is_null() && !modified.contains_key(name));
        if !kept.is_empty() && (!patch.is_empty() || loses()) {
            patch.insert(RETAIN_KEYS.to_owned(), kept.into_iter().cloned().collect());
        }
    }
    Ok(patch)
}

fn objects(
    name: &str,
    old: &Object,
    new: &Object,
    rules: Rules,
    scope: Scope,
    patch: &mut Object,
) -> Result<()> {
    let place = match rules.object(name) {
        Err(_) if old == new => return Ok(()),
        place => place?,
    };
    if place.strategy == Strategy::Replace {
        if scope.changes {
            patch.insert(name.to_owned(), Value::Object(new.clone()));
        }
        return Ok(());
    }
    let changes = between(old, new, place.rules, place.retain_keys, scope)?;
    if !changes.is_empty() {
        patch.insert(name.to_owned(), Value::Object(changes));
    }
    Ok(())
}

fn lists(
    name: &str,
    old: &[Value],
    new: &[Value],
    rules: Rules,
    scope: Scope,
    patch: &mut Object,
) -> Result<()> {
    let place = match rules.list(name) {
        Err(_) if old == new => return Ok(()),
        place => place?,
    };
    if place.strategy != Strategy::Merge {
        if scope.changes && old != new {
            patch.insert(name.to_owned(), Value::Array(new.to_vec()));
        }
        return Ok(());
    }
    let changes = merged_list(name, old, new, place, scope)?;
    let mut put = |name: String, list: Vec<Value>| {
        if !list.is_empty() {
            patch.insert(name, Value::Array(list));
        }
    };
    put(name.to_owned(), changes.elements);
    put(format!("{DELETE_FROM}/{name}"), changes.deletions);
    put(format!("{ELEMENT_ORDER}/{name}"), changes.order);
    Ok(())
}

/// What a patch says of a list that is merged.
#[derive(Default)]
struct ListPatch {
    elements: Vec<Value>,
    /// Scalars that go.
    deletions: Vec<Value>,
    order: Vec<Value>,
}

fn merged_list(field: &str, old: &[Value], new: &[Value], place: Place, scope: Scope) -> Result<ListPatch> {
    if old.is_empty() {
        let elements = if scope.changes { new.to_vec() } else { Vec::new() };
        return Ok(ListPatch { elements, ..ListPatch::default() });
    }
    if kind_of(&[old, new])? == Kind::Object {
        return list_of_objects(field, old, new, place, scope);
    }
    let identity = Identity { field, key: "", objects: false };
    let print = |value: &Value| Dump(value).to_string();
    let (mut before, mut after) = (old.to_vec(), new.to_vec());
    sort_as_printed(&mut before, print);
    sort_as_printed(&mut after, print);
    let (mut added, mut deletions) = (Vec::new(), Vec::new());
    each_pair(&before, &after, print, |old, new| {
        match (old, new) {
            (Some(old), None) if scope.deletions => deletions.push(old.clone()),
            (None, Some(new)) if scope.changes => added.push(new.clone()),
            _ => {}
        }
        Ok(())
    })?;
    let length = deduplicate(&mut deletions, field)?;
    deletions.truncate(length);
    let elements = by_order(added, &identity.all(new)?, identity)?;
    // Kubernetes compares with the original list after it sorted that for itself.
    let differs = scope.deletions && !deletions.is_empty() || scope.changes && before != new;
    let order = if scope.order && differs { new.to_vec() } else { Vec::new() };
    Ok(ListPatch { elements, deletions, order })
}

fn list_of_objects(
    field: &str,
    old: &[Value],
    new: &[Value],
    place: Place,
    scope: Scope,
) -> Result<ListPatch> {
    let key = place.key;
    let identity = Identity { field, key, objects: true };
    let wanted = identity.all(new)?;
    let same_order = identity.all(old)? == wanted;
    let print = |element: &&Value| {
        element.get(key).map_or_else(|| Dump(&Value::Null).to_string(), |key| Dump(key).to_string())
    };
    let (mut before, mut after): (Vec<&Value>, Vec<&Value>) = (old.iter().collect(), new.iter().collect());
    sort_as_printed(&mut before, print);
    sort_as_printed(&mut after, print);
    let (mut changes, mut deletions) = (Vec::new(), Vec::new());
    each_pair(&before, &after, print, |old, new| {
        match (old.copied(), new.copied()) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                let mut change = between(old, new, place.rules, place.retain_keys, scope)?;
                if !change.is_empty() {
                    change.insert(key.to_owned(), new.get(key).cloned().unwrap_or_default());
                    changes.push(Value::Object(change));
                }
            }
            (None, Some(new)) if scope.changes => changes.push(new.clone()),
            (Some(old), None) if scope.deletions => {
                let entries =
                    [(key.to_owned(), key_of(old, key)?.clone()), (DIRECTIVE.to_owned(), "delete".into())];
                deletions.push(Value::Object(entries.into_iter().collect()));
            }
            _ => {}
        }
        Ok(())
    })?;
    let mut elements = by_order(changes, &wanted, identity)?;
    elements.append(&mut deletions);
    let differs =
        scope.changes && (!elements.is_empty() || !same_order) || scope.deletions && !elements.is_empty();
    let order = if scope.order && differs {
        let keys = new.iter().map(|element| {
            let entries = [(key.to_owned(), key_of(element, key)?.clone())];
            Ok(Value::Object(entries.into_iter().collect()))
        });
        keys.collect::<Result<_>>()?
    } else {
        Vec::new()
    };
    Ok(ListPatch { elements, deletions, order })
}

/// Goes through two sorted lists side by side; elements that are printed alike come together.
fn each_pair<T>(
    before: &[T],
    after: &[T],
    print: impl Fn(&T) -> String,
    mut each: impl FnMut(Option<&T>, Option<&T>) -> Result<()>,
) -> Result<()> {
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let (takes_old, takes_new) = match (before.peek(), after.peek()) {
            (None, None) => return Ok(()),
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(old), Some(new)) => {
                let order = print(old).cmp(&print(new));
                (order.is_le(), order.is_ge())
            }
        };
        let old = if takes_old { before.next() } else { None };
        let new = if takes_new { after.next() } else { None };
        each(old, new)?;
    }
}
