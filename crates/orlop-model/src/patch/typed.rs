//! Patches of objects in place: nothing but what the patch names is touched.

use serde_json::{Map, Value};

use super::strategic::{
    DIRECTIVES, ELEMENT_ORDER, Identity, Place, Places, Rules, Scalar, Strategy, Target, added, check_order,
    in_order, merge_list, merge_object, overwritten_objects,
};
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
            Self::Strategic(_) => {
                added(value.clone(), Target::Document).map(|value| without_directives(&value))
            }
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
    let mut ordered = Vec::new();
    if let Way::Strategic(rules) = way
        && patch.keys().any(|name| is_directive(name))
    {
        ordered = ordered_lists(object.node(), patch, rules)?.unwrap_or_default();
        for list in &ordered {
            list.merge(&mut object, path)?;
        }
    }
    if let Way::Strategic(rules) = way
        && ordered.is_empty()
        && patch.keys().any(|name| is_directive(name))
    {
        // Other directives are carried out on JSON, by the one who knows all of them.
        let Value::Object(before) = object.node().to_value() else {
            return Err(mismatch(path, "", Mismatch::new("expected an object")));
        };
        let after = merge_object(before, patch.clone(), rules, Target::Document)?;
        let after = without_directives(&Value::Object(after));
        return object.set(&after).map_err(|error| mismatch(path, "", error));
    }
    let is_done = |name: &str| ordered.iter().any(|list| list.directive == name || list.name == name);
    for (name, new) in patch.iter().filter(|(name, _)| !is_done(name)) {
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
                Some(_) => put(&mut object, name, Some(without_directives(new)), path)?,
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

/// A list for which a patch names an order, and whose items can stay where they are until it is known.
struct OrderedList<'p> {
    directive: &'p str,
    name: &'p str,
    order: &'p [Value],
    changes: &'p [Value],
    place: Place,
}

/// All lists for which a patch names an order; `None` if it has other directives too, or one of the lists has to be seen
/// as JSON.
fn ordered_lists<'p>(
    object: Node<'_>,
    patch: &'p Map<String, Value>,
    rules: Rules,
) -> Result<Option<Vec<OrderedList<'p>>>, PatchError> {
    let mut lists = Vec::new();
    for (directive, order) in patch.iter().filter(|(name, _)| is_directive(name)) {
        let name = directive.strip_prefix(ELEMENT_ORDER).and_then(|name| name.strip_prefix('/'));
        let (Some(name), Value::Array(order)) = (name, order) else {
            return Ok(None);
        };
        let changes = match patch.get(name) {
            Some(Value::Array(changes)) => changes.as_slice(),
            None => &[],
            Some(_) => return Ok(None),
        };
        let place = rules.list(name)?;
        let is_list = object.get(name).is_some_and(|list| {
            list.form() == Form::List
                && !list.is_sealed()
                && keys(list, place.key).is_some_and(|keys| !keys.is_empty())
        });
        if !is_list || place.strategy != Strategy::Merge || place.key.is_empty() || !is_plain(changes) {
            return Ok(None);
        }
        lists.push(OrderedList { directive, name, order, changes, place });
    }
    Ok(Some(lists))
}

impl<'p> OrderedList<'p> {
    fn merge(&self, object: &mut NodeMut<'_>, path: &mut Vec<&'p str>) -> Result<(), PatchError> {
        let identity = Identity { field: self.name, key: self.place.key, objects: true };
        check_order(self.changes, self.order, self.name, self.place.key)?;
        let order = identity.all(self.order)?;
        let Some(mut list) = object.reborrow().into_field(self.name) else {
            return Ok(());
        };
        let before = keys(list.node(), self.place.key).unwrap_or_default();
        let stood = overwritten_objects(&before, self.changes, identity)?;
        path.push(self.name);
        let merged = merge_plain_items(&mut list, before, self.changes, self.place, path)?;
        let merged = in_order(merged, &order, &stood, |_| false);
        put_in_order(&mut list, &merged);
        path.pop();
        Ok(())
    }
}

/// Merges items into a list of theirs.
fn merge_items<'p>(
    mut list: NodeMut<'_>,
    patch: &'p [Value],
    place: Place,
    path: &mut Vec<&'p str>,
) -> Result<(), PatchError> {
    // Most patches name items that are there, in their order.
    if let Some(places) = places(list.node(), patch, place.key) {
        for (index, item) in places.into_iter().zip(patch) {
            if let (Some(node), Value::Object(item)) = (list.reborrow().into_item(index), item) {
                merge_into(node, item, Way::Strategic(place.rules), path)?;
            }
        }
        return Ok(());
    }
    if !place.key.is_empty()
        && is_plain(patch)
        && let Some(keys) = keys(list.node(), place.key)
    {
        let merged = merge_plain_items(&mut list, keys, patch, place, path)?;
        put_in_order(&mut list, &merged);
        return Ok(());
    }
    let before = match list.node().to_value() {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    let field = path.last().copied().unwrap_or_default();
    let after = merge_list(before, patch.to_vec(), field, place, false, Target::Document)?;
    let after = without_directives(&Value::Array(after));
    list.set(&after).map_err(|error| mismatch(path, "", error))
}

/// Where the items of a patch are in a list, if each is there once and the list keeps its order when they are merged.
fn places(list: Node<'_>, patch: &[Value], key: &str) -> Option<Vec<usize>> {
    // Beyond that looking for all of them one by one costs more than a table.
    if list.len().saturating_mul(patch.len()) > 256 {
        return None;
    }
    let wanted: Vec<&Value> = patch
        .iter()
        .map(|item| item.as_object().filter(|item| !item.contains_key("$patch"))?.get(key))
        .collect::<Option<_>>()?;
    let mut places: Vec<Option<usize>> = vec![None; wanted.len()];
    for index in 0..list.len() {
        let found = list.at(index)?.get(key)?;
        let mut alike = wanted.iter().zip(&mut places).filter(|(wanted, _)| is_same_key(found, wanted));
        if let Some((_, place)) = alike.next() {
            // Two items with one key, in the list or in the patch, change its order.
            if place.is_some() || alike.next().is_some() {
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
            found.form() == Form::Text && found.as_str().is_some_and(|found| found == wanted.as_str())
        }
        Value::Number(_) => found.form() == Form::Number && found.same(Node::Json(wanted)),
        _ => false,
    }
}

/// Whether the items are objects without other directives than to delete one.
fn is_plain(patch: &[Value]) -> bool {
    patch
        .iter()
        .all(|item| item.is_object() && item.get("$patch").is_none_or(|directive| directive == "delete"))
}

/// The keys of the items of a list; `None` if one of them has none.
fn keys(list: Node<'_>, key: &str) -> Option<Vec<Scalar>> {
    (0..list.len())
        .map(|index| {
            let found = list.at(index)?.get(key)?;
            match found.form() {
                Form::Text => Some(Scalar::Text(found.as_str()?.into_owned())),
                Form::Number => found.to_value().as_i64().map(Scalar::Int),
                _ => None,
            }
        })
        .collect()
}

/// Merges plain items into a list whose items have these keys; new ones go to its end. Gives the keys and places of the
/// items that remain, in the order in which they are to be.
fn merge_plain_items<'p>(
    list: &mut NodeMut<'_>,
    keys: Vec<Scalar>,
    patch: &'p [Value],
    place: Place,
    path: &mut Vec<&'p str>,
) -> Result<Vec<(Scalar, usize)>, PatchError> {
    let field = path.last().copied().unwrap_or_default();
    let identity = Identity { field, key: place.key, objects: true };
    let scalars = identity.all(patch)?;
    let is_deletion = |item: &Value| item.get("$patch").is_some();
    let deleted = patch.iter().zip(&scalars).filter(|(item, _)| is_deletion(item));
    let deleted = Places::new(deleted.map(|(_, scalar)| scalar.clone()));
    let mut merged: Vec<(Scalar, usize)> = keys.into_iter().zip(0..).collect();
    merged.retain(|(scalar, _)| deleted.get(scalar).is_none());
    let server: Vec<Scalar> = merged.iter().map(|(scalar, _)| scalar.clone()).collect();
    let mut places = Places::new(server.iter().cloned());
    let mut wanted = Vec::with_capacity(patch.len());
    for (item, scalar) in patch.iter().zip(scalars) {
        let Value::Object(fields) = item else { continue };
        if is_deletion(item) {
            continue;
        }
        match places.get(&scalar).and_then(|place| merged.get(place)) {
            Some((_, index)) => {
                if let Some(node) = list.reborrow().into_item(*index) {
                    merge_into(node, fields, Way::Strategic(place.rules), path)?;
                }
            }
            None => {
                places.add(scalar.clone(), merged.len());
                merged.push((scalar.clone(), list.len()));
                let mut added = list.reborrow().into_pushed().map_err(|error| mismatch(path, "", error))?;
                added.set(&without_directives(item)).map_err(|error| mismatch(path, "", error))?;
            }
        }
        wanted.push(scalar);
    }
    Ok(in_order(merged, &wanted, &server, |_| false))
}

fn put_in_order(list: &mut NodeMut<'_>, items: &[(Scalar, usize)]) {
    if items.len() < list.len() || !items.iter().map(|(_, index)| *index).eq(0..items.len()) {
        let order: Vec<usize> = items.iter().map(|(_, index)| *index).collect();
        list.permute(&order);
    }
}

/// A value that is taken over as it is: a type has no fields for directives, and Kubernetes drops them with all others that
/// it does not know.
pub(super) fn without_directives(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !is_directive(name));
            Value::Object(kept.map(|(name, value)| (name.clone(), without_directives(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_directives).collect()),
        scalar => scalar.clone(),
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
