//! Taking off what a schema does not declare.

use std::fmt::Write as _;

use serde_json::Value;

use super::{is_type_meta, items};
use crate::apiextensions::v1::{JSONSchemaProps, JSONSchemaPropsOrBool};

/// How many paths are told.
const MAX_TOLD: usize = 100;

/// Prunes a value; `whole`: it is an object with metadata.
pub(super) fn object(
    value: &mut Value,
    schema: &JSONSchemaProps,
    whole: bool,
    path: &mut String,
    pruned: &mut Vec<String>,
) {
    let length = path.len();
    let preserves = schema.x_kubernetes_preserve_unknown_fields == Some(true);
    let whole = whole || schema.x_kubernetes_embedded_resource;
    match value {
        Value::Object(fields) => {
            let any =
                matches!(schema.additional_properties.as_deref(), Some(JSONSchemaPropsOrBool::Allows(true)));
            fields.retain(|name, value| {
                if whole && is_type_meta(name) {
                    return true;
                }
                if length > 0 {
                    path.push('.');
                }
                path.push_str(name);
                let known = super::member(schema, name);
                if let Some(schema) = known {
                    object(value, schema, false, path, pruned);
                }
                let is_kept = known.is_some() || any || preserves;
                if !is_kept && pruned.len() < MAX_TOLD {
                    pruned.push(path.clone());
                }
                path.truncate(length);
                is_kept
            });
        }
        Value::Array(list) => {
            let Some(schema) = items(schema) else {
                return;
            };
            for (index, value) in list.iter_mut().enumerate() {
                let _ = write!(path, "[{index}]");
                object(value, schema, false, path, pruned);
                path.truncate(length);
            }
        }
        _ => {}
    }
}
