//! Defaults by a schema.

use serde_json::Value;

use super::{MAX_DEPTH, items, member};
use crate::RawJson;
use crate::apiextensions::v1::JSONSchemaProps;

fn default(schema: &JSONSchemaProps) -> Option<Value> {
    schema.default.as_ref().and_then(parsed).filter(|default| !default.is_null())
}

fn parsed(json: &RawJson) -> Option<Value> {
    serde_json::from_str(json.as_str()).ok()
}

/// Whether the value is a `null` where the schema allows none.
fn is_wrong_null(value: &Value, schema: Option<&JSONSchemaProps>) -> bool {
    value.is_null() && schema.is_some_and(|schema| !schema.nullable)
}

/// Sets what is missing; what is set is defaulted itself.
pub(super) fn set(value: &mut Value, schema: &JSONSchemaProps, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, property) in schema.properties.iter() {
                let is_missing =
                    fields.get(name.as_str()).is_none_or(|value| is_wrong_null(value, Some(property)));
                if is_missing && let Some(default) = default(property) {
                    fields.insert(name.to_string(), default);
                }
            }
            for (name, value) in fields.iter_mut() {
                if let Some(schema) = member(schema, name) {
                    fill(value, schema);
                    set(value, schema, depth + 1);
                }
            }
        }
        Value::Array(list) => {
            let Some(schema) = items(schema) else {
                return;
            };
            for value in list {
                fill(value, schema);
                set(value, schema, depth + 1);
            }
        }
        _ => {}
    }
}

fn fill(value: &mut Value, schema: &JSONSchemaProps) {
    if is_wrong_null(value, Some(schema))
        && let Some(default) = default(schema)
    {
        *value = default;
    }
}

/// Takes off fields that are `null` where the schema allows none.
pub(super) fn drop_nulls(value: &mut Value, schema: &JSONSchemaProps, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| !is_wrong_null(value, member(schema, name)));
            for (name, value) in fields.iter_mut() {
                if let Some(schema) = member(schema, name) {
                    drop_nulls(value, schema, depth + 1);
                }
            }
        }
        Value::Array(list) => {
            if let Some(schema) = items(schema) {
                list.iter_mut().for_each(|value| drop_nulls(value, schema, depth + 1));
            }
        }
        _ => {}
    }
}
