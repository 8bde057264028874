//! Apply: by the server, or by a three-way merge of what was applied last, what is wanted and what is there.

use std::sync::Arc;

use orlop_model::{FieldSchema, KindInfo, ObjectKey, Schema};
use serde_json::{Map, Value};

use crate::{Client, Draft, Error, GetOptions, Patch, Record, Result, Subresource, WriteOptions};

/// The annotation in which a client that applies by itself keeps the applied configuration, as kubectl does.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How often a read-modify-write is tried again after a conflict before the conflict is answered. Each conflict means that
/// another writer got on.
pub(crate) const ATTEMPTS: usize = 100;

/// What an apply did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// There was no such object.
    Created,
    /// The object was changed.
    Configured,
    /// It was as wanted already; nothing was written.
    Unchanged,
}

/// An applied object.
#[derive(Clone, Debug)]
pub struct Applied<T = Record> {
    /// The object as stored now.
    pub object: Arc<T>,
    /// What was done.
    pub outcome: Outcome,
}

/// Makes the stored object what the document says; see [`Api::apply`](crate::Api::apply).
///
/// `schema` tells which fields of the document are there only because its type makes them be; without it all of them are
/// applied. Where the server cannot apply, the client does; lists are replaced as a whole then, unless the schema tells
/// which are merged by a key.
///
/// # Errors
/// Those of get, create, update and patch; [`Error::ApplyConflict`] if others own the fields and nothing is forced;
/// [`Error::Conflict`] only after many attempts, or at once if the document has a resourceVersion.
pub async fn apply(
    client: &dyn Client,
    kind: &KindInfo,
    key: &ObjectKey,
    mut wanted: Value,
    schema: Option<&'static Schema>,
    options: &WriteOptions,
) -> Result<Applied> {
    let pinned = prepare(&mut wanted)?;
    let mut config = wanted.clone();
    if let Some(schema) = schema {
        drop_zeros(&mut config, schema);
    }
    config["apiVersion"] = kind.api_version().as_ref().into();
    config["kind"] = kind.kind.as_ref().into();
    config["metadata"]["name"] = key.name.as_str().into();
    if let Some(version) = &pinned {
        config["metadata"]["resourceVersion"] = version.clone();
    }
    let before = match client.get(kind, key, &GetOptions::default()).await {
        Ok(live) => Some(live),
        Err(error) if error.is_not_found() && pinned.is_none() => None,
        Err(error) => return Err(error),
    };
    // An apply is by somebody.
    let named = WriteOptions {
        field_manager: if options.field_manager.is_empty() { "unknown" } else { &options.field_manager }
            .to_owned(),
        ..options.clone()
    };
    match client.patch(kind, key, Subresource::Main, Patch::Apply(config), &named).await {
        Ok(object) => {
            let outcome = match before {
                None => Outcome::Created,
                Some(before) if before.resource_version() == object.resource_version() => Outcome::Unchanged,
                Some(_) => Outcome::Configured,
            };
            Ok(Applied { object, outcome })
        }
        Err(Error::Unsupported { .. } | Error::UnsupportedMediaType { .. }) => {
            merge_and_write(client, kind, key, wanted, pinned, schema, options).await
        }
        Err(error) => Err(error),
    }
}

/// Takes out what an object has only because its type makes it: structs without any field.
fn drop_zeros(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(fields) => fields.retain(|name, value| {
            let Some(field) = schema.field(name) else { return true };
            if let Some(schema) = field.message() {
                drop_zeros(value, schema);
            }
            field.optional || !value.as_object().is_some_and(Map::is_empty)
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| drop_zeros(item, schema)),
        _ => {}
    }
}

/// Apply by the client alone.
async fn merge_and_write(
    client: &dyn Client,
    kind: &KindInfo,
    key: &ObjectKey,
    mut wanted: Value,
    pinned: Option<Value>,
    schema: Option<&'static Schema>,
    options: &WriteOptions,
) -> Result<Applied> {
    let applied = format!("{wanted}\n");
    annotate(&mut wanted, &applied);
    let options = &WriteOptions { force: false, ..options.clone() };
    let mut attempt = 1;
    loop {
        let outcome = match client.get(kind, key, &GetOptions::default()).await {
            Ok(live) => {
                let before = live.to_value()?;
                let last = last_applied(&live);
                let mut after = merge(last.as_ref(), &wanted, &before, schema);
                annotate(&mut after, &applied);
                if let Some(version) = &pinned {
                    after["metadata"]["resourceVersion"] = version.clone();
                }
                if after == before {
                    return Ok(Applied { object: live, outcome: Outcome::Unchanged });
                }
                let updated = client.update(kind, key, Subresource::Main, Draft::Json(after), options).await;
                updated.map(|object| {
                    let same = object.resource_version() == live.resource_version();
                    Applied { object, outcome: if same { Outcome::Unchanged } else { Outcome::Configured } }
                })
            }
            Err(error) if error.is_not_found() && pinned.is_none() => {
                let created =
                    client.create(kind, key.namespace.as_deref(), Draft::Json(wanted.clone()), options).await;
                created.map(|object| Applied { object, outcome: Outcome::Created })
            }
            Err(error) => return Err(error),
        };
        match outcome {
            // Somebody else wrote, created or deleted between our read and our write.
            Err(error)
                if (error.is_conflict() || error.is_already_exists())
                    && pinned.is_none()
                    && attempt < ATTEMPTS =>
            {
                attempt += 1
            }
            outcome => return outcome,
        }
    }
}

/// Takes out what an applied configuration has no say in; answers the resourceVersion it insists on.
fn prepare(wanted: &mut Value) -> Result<Option<Value>> {
    let Value::Object(object) = wanted else {
        return Err(Error::bad_request("an object to apply must be a JSON object"));
    };
    object.remove("status");
    prune_null(wanted);
    let Some(Value::Object(meta)) = wanted.get_mut("metadata") else {
        return Ok(None);
    };
    for server_set in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "managedFields",
        "selfLink",
    ] {
        meta.remove(server_set);
    }
    if let Some(Value::Object(annotations)) = meta.get_mut("annotations") {
        annotations.remove(LAST_APPLIED);
    }
    Ok(meta.remove("resourceVersion"))
}

/// Typed objects write absent required lists as `null`; here that means no opinion.
fn prune_null(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, value| !value.is_null());
            object.values_mut().for_each(prune_null);
        }
        Value::Array(items) => items.iter_mut().for_each(prune_null),
        _ => {}
    }
}

fn annotate(object: &mut Value, applied: &str) {
    let Value::Object(object) = object else { return };
    let meta = object.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(meta) = meta else { return };
    let annotations = meta.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(annotations) = annotations {
        annotations.insert(LAST_APPLIED.into(), Value::from(applied));
    }
}

/// What was applied last; an annotation that is no JSON counts as none.
fn last_applied(live: &Record) -> Option<Value> {
    serde_json::from_str(live.meta().annotations.get(LAST_APPLIED)?).ok()
}

/// `live` with what `wanted` says, without what `last` said and `wanted` no longer does.
fn merge(last: Option<&Value>, wanted: &Value, live: &Value, schema: Option<&'static Schema>) -> Value {
    let (Value::Object(wanted), Value::Object(live)) = (wanted, live) else {
        return wanted.clone();
    };
    let last = last.and_then(Value::as_object);
    let mut merged = live.clone();
    for name in last.into_iter().flat_map(Map::keys).filter(|name| !wanted.contains_key(*name)) {
        merged.remove(name);
    }
    for (name, wanted) in wanted {
        let last = last.and_then(|last| last.get(name));
        let value = match live.get(name) {
            Some(live) => merge_field(last, wanted, live, schema.and_then(|schema| schema.field(name))),
            None => wanted.clone(),
        };
        merged.insert(name.clone(), value);
    }
    Value::Object(merged)
}

fn merge_field(
    last: Option<&Value>,
    wanted: &Value,
    live: &Value,
    field: Option<&'static FieldSchema>,
) -> Value {
    match (wanted, live, field) {
        (Value::Array(wanted), Value::Array(live), Some(field)) if field.merge => {
            let last = last.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            if field.merge_key.is_empty() {
                Value::Array(merge_set(last, wanted, live))
            } else {
                merge_keyed(last, wanted, live, field)
                    .map_or_else(|| Value::Array(wanted.clone()), Value::Array)
            }
        }
        (Value::Object(named), Value::Object(_), field) => {
            let mut merged = merge(last, wanted, live, field.and_then(|field| field.message()));
            // One of several alternatives: a changed choice drops what belonged to the other.
            if field.is_some_and(|field| field.retain_keys)
                && merged != *live
                && let Value::Object(merged) = &mut merged
            {
                merged.retain(|name, _| named.contains_key(name));
            }
            merged
        }
        _ => wanted.clone(),
    }
}

fn merge_set(last: &[Value], wanted: &[Value], live: &[Value]) -> Vec<Value> {
    let kept = live.iter().filter(|item| wanted.contains(item) || !last.contains(item));
    let mut merged: Vec<Value> = kept.cloned().collect();
    for item in wanted {
        if !merged.contains(item) {
            merged.push(item.clone());
        }
    }
    merged
}

/// Elements in the wanted order; those of others stay behind the element that they follow now. `None` if an element has
/// no key, or two have the same: then there is no telling which is which.
fn merge_keyed(
    last: &[Value],
    wanted: &[Value],
    live: &[Value],
    field: &'static FieldSchema,
) -> Option<Vec<Value>> {
    let key_of = |item: &Value| item.get(field.merge_key).filter(|key| !key.is_null()).cloned();
    let keys = |items: &[Value]| -> Option<Vec<Value>> {
        let keys: Vec<Value> = items.iter().map(key_of).collect::<Option<_>>()?;
        let unique = keys.iter().enumerate().all(|(index, key)| !keys[..index].contains(key));
        unique.then_some(keys)
    };
    let (wanted_keys, live_keys) = (keys(wanted)?, keys(live)?);
    let last_keys = keys(last).unwrap_or_default();
    let schema = field.message();
    let mut merged: Vec<(&Value, Value)> = Vec::with_capacity(wanted.len().max(live.len()));
    for (key, item) in wanted_keys.iter().zip(wanted) {
        let there = live_keys.iter().position(|other| other == key);
        let before = last_keys.iter().position(|other| other == key);
        let value = match there {
            Some(index) => merge(before.map(|index| &last[index]), item, &live[index], schema),
            None => item.clone(),
        };
        merged.push((key, value));
    }
    for (index, key) in live_keys.iter().enumerate() {
        if wanted_keys.contains(key) || last_keys.contains(key) {
            continue;
        }
        let after = index
            .checked_sub(1)
            .and_then(|index| merged.iter().position(|(other, _)| **other == live_keys[index]));
        let place = match (index, after) {
            (0, _) => 0,
            (_, Some(after)) => after + 1,
            (_, None) => merged.len(),
        };
        merged.insert(place, (key, live[index].clone()));
    }
    Some(merged.into_iter().map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use orlop_model::Message;
    use orlop_model::apps::v1::Deployment;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(last: Value, wanted: Value, live: Value, expected: Value) {
        assert_eq!(merge(Some(&last), &wanted, &live, Some(Deployment::SCHEMA)), expected);
    }

    #[test]
    fn what_others_added_stays_and_what_is_no_longer_wanted_goes() {
        check(
            json!({"metadata": {"labels": {"old": "1", "kept": "1"}}, "spec": {"replicas": 2, "paused": true}}),
            json!({"metadata": {"labels": {"kept": "2"}}, "spec": {"replicas": 3}}),
            json!({"metadata": {"labels": {"old": "1", "kept": "1", "theirs": "x"}}, "spec": {"replicas": 9, "paused": true, "minReadySeconds": 4}}),
            json!({"metadata": {"labels": {"kept": "2", "theirs": "x"}}, "spec": {"replicas": 3, "minReadySeconds": 4}}),
        );
    }

    fn containers(containers: Value) -> Value {
        json!({"spec": {"template": {"spec": {"containers": containers}}}})
    }

    #[test]
    fn lists_are_merged_by_their_key() {
        check(
            containers(json!([{"name": "a", "image": "1"}, {"name": "gone"}])),
            containers(json!([{"name": "new"}, {"name": "a", "image": "2"}])),
            containers(
                json!([{"name": "a", "image": "1", "imagePullPolicy": "Always"}, {"name": "sidecar"}, {"name": "gone"}]),
            ),
            containers(
                json!([{"name": "new"}, {"name": "a", "image": "2", "imagePullPolicy": "Always"}, {"name": "sidecar"}]),
            ),
        );
    }

    #[test]
    fn lists_without_clear_keys_are_replaced() {
        let twice = json!([{"name": "a"}, {"name": "a"}]);
        check(json!({}), containers(twice.clone()), containers(json!([{"name": "b"}])), containers(twice));
        // Arguments have no key at all.
        let args = |args: Value| containers(json!([{"name": "a", "args": args}]));
        check(json!({}), args(json!(["x"])), args(json!(["y", "z"])), args(json!(["x"])));
    }

    #[test]
    fn sets_keep_the_items_of_others() {
        let finalizers = |items: Value| json!({"metadata": {"finalizers": items}});
        check(
            finalizers(json!(["a", "b"])),
            finalizers(json!(["b", "c"])),
            finalizers(json!(["theirs", "a", "b"])),
            finalizers(json!(["theirs", "b", "c"])),
        );
    }

    #[test]
    fn a_changed_choice_drops_the_other_alternative() {
        let live =
            json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}}});
        let recreate = json!({"spec": {"strategy": {"type": "Recreate"}}});
        check(json!({}), recreate.clone(), live.clone(), recreate);
        check(json!({}), json!({"spec": {"strategy": {"type": "RollingUpdate"}}}), live.clone(), live);
    }
}
