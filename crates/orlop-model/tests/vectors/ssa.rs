//! Family `ssa`: stories of one object that several managers apply and update.

use orlop_model::apply::{self, ApplyError, FieldSet, KeyDefaults, Options, Target};
use orlop_model::apps::v1::Deployment;
use orlop_model::core::v1::{ConfigMap, Pod};
use orlop_model::meta::v1::ManagedFieldsEntry;
use orlop_model::tree::Shape;
use orlop_model::vectors::{Case, Check};
use orlop_model::{Message, Schema};
use serde_json::{Value, json};

fn schema(kind: &str) -> Result<&'static Schema, String> {
    Ok(match kind {
        "Deployment" => Deployment::SCHEMA,
        "Pod" => Pod::SCHEMA,
        "ConfigMap" => ConfigMap::SCHEMA,
        _ => return Err(format!("no schema of {kind}")),
    })
}

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let mut check = Check::new();
    let (kind, version) = (case.text("kind"), case.text("apiVersion"));
    let target = Target::new(version, kind, Shape::Message(schema(kind)?));
    let empty = json!({"apiVersion": version, "kind": kind});
    let mut live = case.value.get("initial").cloned().unwrap_or(empty);
    for (index, operation) in case.value["ops"].as_array().into_iter().flatten().enumerate() {
        let options = Options {
            force: operation["force"] == true,
            // The schema that the answers were made with has no defaults of keys.
            key_defaults: KeyDefaults::Ignore,
            ..Options::by(operation["manager"].as_str().unwrap_or_default())
        };
        let object = &operation["object"];
        let result = match operation["op"].as_str() {
            Some("apply") => apply::apply_value(&live, object, &target, &options)
                .map(|applied| applied.unwrap_or_else(|| live.clone())),
            _ => apply::update_value(&live, object, &target, &options),
        };
        if let Ok(after) = &result {
            live.clone_from(after);
        }
        let message = result.as_ref().err().map(ToString::to_string);
        let place = format!("operation {index} ({}), {message:?}", operation["op"]);
        check.json(&place, &wanted(operation), &outcome(result));
    }
    check.finish()
}

/// What came of an operation, as cases say it.
fn outcome(result: Result<Value, ApplyError>) -> Value {
    match result {
        Ok(mut live) => {
            let meta = live.get_mut("metadata").and_then(Value::as_object_mut);
            let entries = meta.and_then(|meta| meta.remove("managedFields")).unwrap_or_default();
            let mut entries = entries.as_array().cloned().unwrap_or_default();
            for entry in &mut entries {
                // What a set is read as is written as it was.
                let parsed: ManagedFieldsEntry = serde_json::from_value(entry.clone()).unwrap_or_default();
                let fields = parsed.fields_v1.unwrap_or_default();
                let again = FieldSet::parse(&fields).map(|set| set.to_fields());
                assert_eq!(again.as_ref(), Ok(&fields));
                if let Some(entry) = entry.as_object_mut() {
                    entry.remove("time");
                }
            }
            entries.sort_by_key(|entry| {
                ["operation", "manager", "apiVersion", "subresource"]
                    .map(|name| entry[name].as_str().unwrap_or_default().to_owned())
            });
            json!({"live": live, "managedFields": entries})
        }
        Err(ApplyError::Conflicts(conflicts)) => {
            let mut conflicts: Vec<Value> = conflicts
                .iter()
                .map(|conflict| {
                    json!({
                        "manager": conflict.manager().as_str(),
                        "field": conflict.field(),
                        "message": conflict.message(),
                    })
                })
                .collect();
            conflicts.sort_by_key(|conflict| {
                ["manager", "field"].map(|name| conflict[name].as_str().unwrap_or_default().to_owned())
            });
            json!({"conflicts": conflicts})
        }
        Err(_) => json!({"error": true}),
    }
}

fn wanted(operation: &Value) -> Value {
    if operation["ok"] == true {
        return json!({"live": operation["live"], "managedFields": operation["managedFields"]});
    }
    match operation.get("conflicts") {
        Some(conflicts) => json!({"conflicts": conflicts}),
        None => json!({"error": true}),
    }
}
