//! [`Patch`], a change of an object, and the one that makes an object of another.

use serde_json::{Map, Value, json};

use super::strategic::{strategic_diff_leniently, strategic_leniently};
use super::{Dialect, Document, Limits, PatchError, merge, merge_diff, operations};
use crate::{Object, Schema};

/// A change of an object by document.
#[derive(Clone, Debug, PartialEq)]
pub enum Patch {
    /// A JSON merge patch (RFC 7396).
    Merge(Value),
    /// A JSON patch (RFC 6902).
    Json(Value),
    /// A strategic merge patch.
    Strategic(Value),
}

impl Patch {
    /// The document.
    #[must_use]
    pub fn document(&self) -> &Value {
        match self {
            Self::Merge(document) | Self::Json(document) | Self::Strategic(document) => document,
        }
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self.document() {
            Value::Object(fields) => fields.is_empty(),
            Value::Array(operations) => operations.is_empty(),
            _ => false,
        }
    }

    /// Applies the patch to a document; fields that the schema does not know are merged as a JSON merge patch does it.
    ///
    /// # Errors
    /// If the patch does not apply.
    pub fn apply(&self, original: Value, schema: Option<&'static Schema>) -> Result<Value, PatchError> {
        let patched = match self {
            Self::Strategic(patch) => {
                return match schema {
                    Some(schema) => Ok(strategic_leniently(original, patch.clone(), schema)?),
                    None => Ok(super::strategic(original, patch.clone(), None)?),
                };
            }
            Self::Merge(patch) => merge(Document::from(&original), Document::from(patch))?,
            Self::Json(patch) => {
                let patch = Document::from(patch);
                operations(Document::from(&original), &patch, Dialect::Kubernetes, Limits::default())?
            }
        };
        let unreadable = |error: serde_json::Error| PatchError::Mismatch {
            path: String::new(),
            message: error.to_string(),
        };
        patched.to_value().map_err(unreadable)
    }
}

/// A patch that makes `modified` of `original` and says no more than what differs. It leaves alone what others change
/// elsewhere, and what a document does not have because its type does not know it.
///
/// It is the kind of patch that leaves most to others: a strategic merge patch where there is a schema and such a patch is
/// able to, a JSON merge patch otherwise. Neither of them can say that a field is to be `null`, and the first not every
/// order of elements: then it is a JSON patch, which can say everything about documents that are objects or lists.
///
/// ```
/// use orlop_model::patch::{Patch, diff};
/// use serde_json::json;
///
/// let (old, new) = (json!({"a": 1, "b": {"c": 2, "d": [1]}}), json!({"a": 1, "b": {"d": [2]}}));
/// assert_eq!(diff(&old, &new, None), Patch::Merge(json!({"b": {"c": null, "d": [2]}})));
/// let new = json!({"a": null, "b": {"c": 2, "d": [1]}});
/// let operations = json!([{"op": "replace", "path": "/a", "value": null}]);
/// assert_eq!(diff(&old, &new, None), Patch::Json(operations));
/// ```
#[must_use]
pub fn diff(original: &Value, modified: &Value, schema: Option<&'static Schema>) -> Patch {
    let makes = |patch: &Patch| {
        let applied = patch.apply(original.clone(), schema);
        applied.is_ok_and(|applied| applied == *modified)
    };
    if let Some(schema) = schema
        && let Ok(patch) = strategic_diff_leniently(original, modified, schema)
    {
        let patch = Patch::Strategic(patch);
        if makes(&patch) {
            return patch;
        }
    }
    if original.is_object()
        && modified.is_object()
        && let Ok(patch) = merge_diff(&Document::from(original), &Document::from(modified))
        && let Ok(patch) = patch.to_value()
    {
        let patch = Patch::Merge(patch);
        if makes(&patch) {
            return patch;
        }
    }
    let mut operations = Vec::new();
    compare(original, modified, &mut String::new(), &mut operations);
    Patch::Json(Value::Array(operations))
}

/// The patch that makes `new` of `old`, to be sent instead of an update: fields that the type does not know, on a server
/// that is newer than it, stay as they are. Absent and `null` are the same here.
///
/// ```
/// use orlop_model::core::v1::ConfigMap;
/// use orlop_model::patch::{self, Patch};
/// use serde_json::json;
///
/// let mut map = ConfigMap::default();
/// map.data.insert("a", "1".into());
/// let old = map.clone();
/// map.data.insert("b", "2".into());
/// assert_eq!(patch::between(&old, &map)?, Patch::Strategic(json!({"data": {"b": "2"}})));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// If the type's own `Serialize` refuses.
pub fn between<K: Object>(old: &K, new: &K) -> serde_json::Result<Patch> {
    let [mut original, mut modified] = [old.to_value()?, new.to_value()?];
    remove_nulls(&mut original);
    remove_nulls(&mut modified);
    Ok(diff(&original, &modified, new.schema()))
}

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

/// The operations that make `new` of `old`, which are at `path`.
fn compare(old: &Value, new: &Value, path: &mut String, operations: &mut Vec<Value>) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(old), Value::Object(new)) => compare_objects(old, new, path, operations),
        (Value::Array(old), Value::Array(new)) => {
            let common = old.len().min(new.len());
            for index in 0..common {
                below(path, &index.to_string(), |path| compare(&old[index], &new[index], path, operations));
            }
            for index in (common..old.len()).rev() {
                below(path, &index.to_string(), |path| {
                    operations.push(json!({"op": "remove", "path": path}))
                });
            }
            for item in &new[common..] {
                below(path, "-", |path| operations.push(json!({"op": "add", "path": path, "value": item})));
            }
        }
        _ => operations.push(json!({"op": "replace", "path": path, "value": new})),
    }
}

fn compare_objects(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    path: &mut String,
    operations: &mut Vec<Value>,
) {
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        below(path, name, |path| operations.push(json!({"op": "remove", "path": path})));
    }
    for (name, value) in new {
        below(path, name, |path| match old.get(name) {
            Some(old) => compare(old, value, path, operations),
            None => operations.push(json!({"op": "add", "path": path, "value": value})),
        });
    }
}

fn below(path: &mut String, name: &str, each: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push('/');
    path.push_str(&name.replace('~', "~0").replace('/', "~1"));
    each(path);
    path.truncate(length);
}
