//! Patches of objects in place: nothing but what the patch names is touched.

use serde_json::{Map, Value};

use super::strategic::{DIRECTIVES, Place, Rules, Strategy, Target, added, merge_list, merge_object};
use super::{Dialect, Document, DocumentError, Limits, MergeError, OperationError, StrategicError};
use crate::message::Fields;
use crate::tree::{Form, Mismatch, Node, NodeMut};
use crate::{Object, Schema};

/// A patch that cannot be applied to an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// A strategic merge patch does not apply.
    #[error(transparent)]
    Strategic(#[from] StrategicError),
    /// A JSON merge patch does not apply.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// A JSON patch does not apply.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// A value does not fit the type of the object.
    #[error("{}{message}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
    Mismatch {
        /// The field.
        path: String,
        /// What is wrong.
        message: String,
    },
}

impl From<DocumentError> for PatchError {
    fn from(error: DocumentError) -> Self {
        Self::Mismatch { path: String::new(), message: error.to_string() }
    }
}

/// Applies a strategic merge patch to a typed object, in place. Fields that the type does not know are merged as a JSON
/// merge patch does it. After an error the object is partly changed.
///
/// ```
/// use orlop_model::{core::v1::Pod, patch};
/// use serde_json::json;
///
/// let mut pod = Pod::default();
/// patch::apply_strategic(&mut pod, &json!({"metadata": {"labels": {"app": "web"}}}))?;
/// assert_eq!(pod.metadata.labels["app"], "web");
/// # Ok::<(), patch::PatchError>(())
/// ```
///
/// # Errors
/// If the patch is no object, contradicts itself or the schema, or has a value that does not fit.
pub fn apply_strategic(object: &mut dyn Fields, patch: &Value) -> Result<(), PatchError> {
    let schema = object.schema();
    let Value::Object(patch) = patch else {
        return Err(StrategicError::NotAnObject.into());
    };
    let way = Way::Strategic(Rules::new(Some(schema), true));
    root(NodeMut::from(object), patch, way, Some(schema))
}

/// Applies a JSON merge patch to an object in place: typed, or a [`DynamicObject`](crate::DynamicObject), or JSON. After an
/// error it is partly changed.
///
/// # Errors
/// If the patch is no object, or has a value that does not fit.
pub fn apply_merge<'a>(object: impl Into<NodeMut<'a>>, patch: &Value) -> Result<(), PatchError> {
    let Value::Object(patch) = patch else {
        return Err(MergeError::Patch.into());
    };
    let object = object.into();
    let schema = match object.node() {
        Node::Typed(crate::message::View::Message(message)) => Some(message.schema()),
        _ => None,
    };
    root(object, patch, Way::Merge, schema)
}

/// The object that a JSON patch makes of another one.
///
/// # Errors
/// If the patch does not apply, or what it makes is no such object.
pub fn apply_operations<K: Object>(object: &K, patch: &Value, limits: Limits) -> Result<K, PatchError> {
    let document: Document = String::from_utf8_lossy(&object.to_json()).parse()?;
    let patched = super::operations(document, &Document::from(patch), Dialect::Kubernetes, limits)?;
    serde_json::from_slice(&patched.to_json())
        .map_err(|error| PatchError::Mismatch { path: String::new(), message: error.to_string() })
}

/// How an object of a patch is merged.
#[derive(Clone, Copy)]
enum Way {
    Strategic(Rules),
    Merge,
}

impl Way {
    fn object(self, name: &str) -> Result<(Self, Strategy), StrategicError> {
        match self {
            Self::Strategic(rules) => {
                let place = rules.object(name)?;
                Ok((Self::Strategic(place.rules), place.strategy))
            }
            Self::Merge => Ok((Self::Merge, Strategy::Default)),
        }
    }

    fn list(self, name: &str) -> Result<Option<Place>, StrategicError> {
        match self {
            Self::Strategic(rules) => rules.list(name).map(Some),
            Self::Merge => Ok(None),
        }
    }

    fn new_value(self, value: &Value) -> Option<Value> {
        match self {
            Self::Strategic(_) => added(value.clone(), Target::Document),
            Self::Merge => Some(without_nulls(value)),
        }
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        scalar => scalar.clone(),
    }
}

/// A typed object has its kind in its type: a patch may name it, and no other.
fn root(
    object: NodeMut<'_>,
    patch: &Map<String, Value>,
    way: Way,
    schema: Option<&'static Schema>,
) -> Result<(), PatchError> {
    let mut path = Vec::new();
    let Some(schema) = schema.filter(|schema| !schema.kind.is_empty()) else {
        return merge_into(object, patch, way, &mut path);
    };
    let mut others = None;
    for (name, own) in [("apiVersion", schema.api_version), ("kind", schema.kind)] {
        let Some(value) = patch.get(name) else {
            continue;
        };
        if !value.is_null() && value != own {
            let message = format!("an object of the kind {own:?} cannot become {value}");
            return Err(PatchError::Mismatch { path: name.to_owned(), message });
        }
        others.get_or_insert_with(|| patch.clone()).remove(name);
    }
    merge_into(object, others.as_ref().unwrap_or(patch), way, &mut path)
}

fn merge_into<'p>(
    mut object: NodeMut<'_>,
    patch: &'p Map<String, Value>,
    way: Way,
    path: &mut Vec<&'p str>,
) -> Result<(), PatchError> {
    if let Way::Strategic(rules) = way
        && patch.keys().any(|name| is_directive(name))
    {
        // Directives are carried out on JSON, by the one who knows all of them.
        let Value::Object(before) = object.node().to_value() else {
            return Err(mismatch(path, "", Mismatch::new("expected an object")));
        };
        let after = merge_object(before, patch.clone(), rules, Target::Document)?;
        return object.set(&Value::Object(after)).map_err(|error| mismatch(path, "", error));
    }
    for (name, new) in patch {
        let old = object.get(name).map(|old| (old.form(), old.is_sealed()));
        match (old, new) {
            (_, Value::Null) => {
                object.remove(name);
            }
            (Some((Form::Object, false)), Value::Object(new)) => {
                let (below, strategy) = way.object(name)?;
                let Some(mut field) = object.reborrow().into_field(name) else {
                    continue;
                };
                path.push(name);
                match strategy {
                    Strategy::Replace => {
                        field.set(&Value::Object(new.clone())).map_err(|error| mismatch(path, "", error))?;
                    }
                    _ => merge_into(field, new, below, path)?,
                }
                path.pop();
            }
            (Some((Form::Object | Form::List, true)), _) => {
                let before = object.get(name).map(Node::to_value).unwrap_or_default();
                let after = merged_json(before, new, way, name)?;
                put(&mut object, name, after, path)?;
            }
            (Some((Form::List, false)), Value::Array(items)) => match way.list(name)? {
                Some(place) if place.strategy == Strategy::Merge => {
                    let Some(list) = object.reborrow().into_field(name) else {
                        continue;
                    };
                    path.push(name);
                    merge_items(list, items, place, path)?;
                    path.pop();
                }
                Some(_) => put(&mut object, name, Some(new.clone()), path)?,
                None => put(&mut object, name, Some(without_nulls(new)), path)?,
            },
            // A list that replaces an object keeps the nulls in it.
            (Some((Form::Object, false)), Value::Array(_)) if matches!(way, Way::Merge) => {
                put(&mut object, name, Some(new.clone()), path)?;
            }
            _ => put(&mut object, name, way.new_value(new), path)?,
        }
    }
    Ok(())
}

fn put(object: &mut NodeMut<'_>, name: &str, value: Option<Value>, path: &[&str]) -> Result<(), PatchError> {
    match value {
        Some(value) => {
            let mut field =
                object.reborrow().into_entry(name).map_err(|error| mismatch(path, name, error))?;
            field.set(&value).map_err(|error| mismatch(path, name, error))
        }
        None => {
            object.remove(name);
            Ok(())
        }
    }
}

/// What becomes of a value that a type keeps as JSON.
fn merged_json(before: Value, new: &Value, way: Way, name: &str) -> Result<Option<Value>, PatchError> {
    let mut holder = Value::Object([(name.to_owned(), before)].into_iter().collect());
    let patch = [(name.to_owned(), new.clone())].into_iter().collect();
    // It has no schema.
    let below = match way {
        Way::Strategic(_) => Way::Strategic(Rules::new(None, true)),
        Way::Merge => Way::Merge,
    };
    merge_into(NodeMut::from(&mut holder), &patch, below, &mut Vec::new())?;
    Ok(holder.get_mut(name).map(Value::take))
}

/// Merges items into a list of theirs. As long as each of them is there once and in order, the list keeps its form.
fn merge_items<'p>(
    mut list: NodeMut<'_>,
    patch: &'p [Value],
    place: Place,
    path: &mut Vec<&'p str>,
) -> Result<(), PatchError> {
    let Some(places) = places(list.node(), patch, place.key) else {
        let before = match list.node().to_value() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        let field = path.last().copied().unwrap_or_default();
        let after = merge_list(before, patch.to_vec(), field, place, false, Target::Document)?;
        return list.set(&Value::Array(after)).map_err(|error| mismatch(path, "", error));
    };
    for (index, item) in places.into_iter().zip(patch) {
        if let (Some(node), Value::Object(item)) = (list.reborrow().into_item(index), item) {
            merge_into(node, item, Way::Strategic(place.rules), path)?;
        }
    }
    Ok(())
}

/// Where the items of a patch are in a list, if the list keeps its order when they are merged.
fn places(list: Node<'_>, patch: &[Value], key: &str) -> Option<Vec<usize>> {
    let mut places: Vec<Option<usize>> = vec![None; patch.len()];
    for item in patch {
        let key = item.as_object()?.get(key)?;
        if !(key.is_string() || key.is_i64()) || item.get("$patch").is_some() {
            return None;
        }
    }
    for index in 0..list.len() {
        let found = list.at(index)?.get(key)?;
        let mut wanted = patch.iter().zip(&mut places).filter(|(item, _)| is_same_key(found, &item[key]));
        if let Some((_, place)) = wanted.next() {
            // Two items with one key, in the list or in the patch, change its order.
            if place.is_some() || wanted.next().is_some() {
                return None;
            }
            *place = Some(index);
        }
    }
    let places: Vec<usize> = places.into_iter().collect::<Option<_>>()?;
    places.is_sorted().then_some(places)
}

fn is_same_key(found: Node<'_>, wanted: &Value) -> bool {
    match wanted {
        Value::String(wanted) => {
            found.form() == Form::Text && found.as_str().is_some_and(|found| found == *wanted)
        }
        wanted => found.form() == Form::Number && found.same(Node::Json(wanted)),
    }
}

fn is_directive(name: &str) -> bool {
    name.starts_with('$') && DIRECTIVES.iter().any(|directive| name.starts_with(directive))
}

fn mismatch(path: &[&str], name: &str, error: Mismatch) -> PatchError {
    let mut path = path.join(".");
    if !name.is_empty() {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
    }
    PatchError::Mismatch { path, message: error.message }
}
