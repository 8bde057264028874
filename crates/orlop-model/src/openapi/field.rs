//! Schemas of fields, and names of types.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{FieldSchema, FieldType, ListType, Schema};

/// What the names of the types of `meta/v1` begin with.
pub(super) const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
const APIEXTENSIONS: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const RAW_EXTENSION: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";

/// Fields whose maps or structs are merged key by key although their type says otherwise, or nothing.
const GRANULAR: [(&str, &str); 2] =
    [("PersistentVolumeClaimStatus", "allocatedResourceStatuses"), ("PersistentVolumeSpec", "claimRef")];

/// Fields of enumerations whose empty text is a value too.
const EMPTY_TOO: [(&str, &str); 2] = [("HostPathVolumeSource", "type"), ("ServiceSpec", "ipFamilies")];

/// Group and version of a type of this crate, by its module.
fn group(schema: &Schema) -> Option<(&'static str, &'static str)> {
    let mut parts = schema.module.split("::");
    (parts.next() == Some("orlop_model")).then(|| parts.next().zip(parts.next())).flatten()
}

/// What the names of types of other crates begin with that are in this kind: its group, backwards, and version.
pub(super) fn prefix_of(schema: &Schema) -> String {
    match schema.api_version.split_once('/') {
        Some((group, version)) => {
            let mut parts: Vec<&str> = group.split('.').collect();
            parts.reverse();
            format!("{}.{version}", parts.join("."))
        }
        None => schema.api_version.to_owned(),
    }
}

/// Name of a type; `prefix` is for types of other crates.
pub(super) fn name_of(schema: &Schema, prefix: &str) -> String {
    let name = schema.name;
    match group(schema) {
        Some(("meta", "v1")) => format!("{META}.{name}"),
        Some(("apiextensions", "v1")) => format!("{APIEXTENSIONS}.{name}"),
        Some((group, version)) => format!("io.k8s.api.{group}.{version}.{name}"),
        None => format!("{prefix}.{name}"),
    }
}

/// Whether the type takes JSON of several forms, about which its schema says nothing.
pub(super) fn is_any(schema: &Schema) -> bool {
    group(schema) == Some(("apiextensions", "v1")) && schema.name.starts_with("JSONSchemaPropsOr")
}

/// Whether the type is sent without `apiVersion` and `kind`, although it stands alone.
pub(super) fn is_bare(schema: &Schema) -> bool {
    group(schema) == Some(("meta", "v1")) && schema.name == "WatchEvent"
}

/// The schema of a field of a struct.
pub(super) fn property(
    owner: &Schema,
    field: &FieldSchema,
    prefix: &str,
    schemas: &mut BTreeMap<String, Value>,
) -> Value {
    let mut document = of_type(owner, field, &field.ty, prefix, schemas);
    if let Some(default) = default(field) {
        document.insert("default".to_owned(), default);
    }
    document.insert("description".to_owned(), field.doc.into());
    // Lists of objects have no list type: they are not part of any object.
    let is_items = !owner.kind.is_empty() && field.name == "items" && owner.name.ends_with("List");
    // Nor have lists that are types of their own.
    if matches!(field.ty, FieldType::List(_)) && !is_items && !field.wrapped {
        match field.list {
            ListType::Atomic => insert(&mut document, "x-kubernetes-list-type", "atomic"),
            ListType::Set => insert(&mut document, "x-kubernetes-list-type", "set"),
            ListType::Map(keys) => {
                insert(&mut document, "x-kubernetes-list-type", "map");
                document.insert("x-kubernetes-list-map-keys".to_owned(), json!(keys));
            }
        }
    }
    // Of structs it is the type that says it.
    if field.atomic_map && matches!(field.ty, FieldType::Map(_)) {
        insert(&mut document, "x-kubernetes-map-type", "atomic");
    } else if GRANULAR.contains(&(owner.name, field.name)) {
        insert(&mut document, "x-kubernetes-map-type", "granular");
    }
    let strategy = match (field.merge, field.retain_keys) {
        (true, true) => "merge,retainKeys",
        (true, false) => "merge",
        (false, true) => "retainKeys",
        // The one field that says so; others are replaced without saying it.
        (false, false) if owner.name == "PodDisruptionBudgetSpec" && field.name == "selector" => "replace",
        (false, false) => "",
    };
    if !strategy.is_empty() {
        insert(&mut document, "x-kubernetes-patch-strategy", strategy);
    }
    if !field.merge_key.is_empty() {
        insert(&mut document, "x-kubernetes-patch-merge-key", field.merge_key);
    }
    Value::Object(document)
}

/// The default that the API documents, else what an absent field has where absence is no information.
fn default(field: &FieldSchema) -> Option<Value> {
    if !field.default.is_empty() {
        return serde_json::from_str(field.default).ok();
    }
    if field.optional {
        return None;
    }
    match field.ty {
        FieldType::Message(_) => Some(json!({})),
        _ if !field.required => None,
        _ => zero(&field.ty),
    }
}

fn zero(ty: &FieldType) -> Option<Value> {
    match ty {
        FieldType::Bool => Some(false.into()),
        FieldType::Int32 | FieldType::Uint32 | FieldType::Int64 | FieldType::Uint64 | FieldType::Double => {
            Some(0.into())
        }
        FieldType::String | FieldType::Enum(_) => Some("".into()),
        _ => None,
    }
}

/// What a type says of itself; special types are added to the schemas.
fn of_type(
    owner: &Schema,
    field: &FieldSchema,
    ty: &FieldType,
    prefix: &str,
    schemas: &mut BTreeMap<String, Value>,
) -> Map<String, Value> {
    let document = match ty {
        FieldType::Bool => json!({"type": "boolean"}),
        FieldType::Int32 => json!({"type": "integer", "format": "int32"}),
        FieldType::Int64 => json!({"type": "integer", "format": "int64"}),
        FieldType::Uint32 => json!({"type": "integer", "format": "int64", "minimum": 0}),
        FieldType::Uint64 => json!({"type": "integer", "minimum": 0}),
        FieldType::Double => json!({"type": "number", "format": "double"}),
        FieldType::String => json!({"type": "string"}),
        FieldType::Enum(values) if values.closed => {
            let mut values = values.values.to_vec();
            if EMPTY_TOO.contains(&(owner.name, field.name)) {
                values.push("");
            }
            values.sort_unstable();
            json!({"type": "string", "enum": values})
        }
        FieldType::Enum(_) => json!({"type": "string"}),
        FieldType::Bytes => json!({"type": "string", "format": "byte"}),
        FieldType::Message(schema) => reference(&name_of(schema(), prefix)),
        FieldType::List(item) => {
            json!({"type": "array", "items": item_of(owner, field, item, prefix, schemas)})
        }
        FieldType::Map(item) => {
            json!({"type": "object", "additionalProperties": item_of(owner, field, item, prefix, schemas)})
        }
        FieldType::Time
        | FieldType::MicroTime
        | FieldType::Quantity
        | FieldType::IntOrString
        | FieldType::Any => {
            let (name, document) = special(owner, field, ty);
            schemas.entry(name.clone()).or_insert(document);
            reference(&name)
        }
    };
    match document {
        Value::Object(document) => document,
        _ => Map::new(),
    }
}

/// The schema of the elements of a list or the values of a map.
fn item_of(
    owner: &Schema,
    field: &FieldSchema,
    item: &FieldType,
    prefix: &str,
    schemas: &mut BTreeMap<String, Value>,
) -> Value {
    let mut document = of_type(owner, field, item, prefix, schemas);
    let default = match item {
        FieldType::Message(schema) if !is_any(schema()) => Some(json!({})),
        item => zero(item),
    };
    if let Some(default) = default {
        document.insert("default".to_owned(), default);
    } else if let Some([reference]) = document.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        // Alone it needs no wrapping.
        return reference.clone();
    }
    Value::Object(document)
}

/// A type by its name, so that other keys can be put beside it.
fn reference(name: &str) -> Value {
    json!({"allOf": [{"$ref": path(name)}]})
}

/// Where in a document a schema is.
pub(super) fn path(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

/// Name and schema of a type with a form of its own.
fn special(owner: &Schema, field: &FieldSchema, ty: &FieldType) -> (String, Value) {
    let meta = |name: &str| format!("{META}.{name}");
    match ty {
        FieldType::Time => {
            let doc = "A time in whole seconds, in UTC, such as `2026-03-01T12:00:00Z`.";
            (meta("Time"), json!({"type": "string", "format": "date-time", "description": doc}))
        }
        FieldType::MicroTime => {
            let doc = "A time with six decimals of a second, in UTC, such as `2026-03-01T12:00:00.000000Z`.";
            (meta("MicroTime"), json!({"type": "string", "format": "date-time", "description": doc}))
        }
        FieldType::Quantity => {
            let doc = "An amount with a suffix: `100m`, `1.5`, `2Gi`, `1e3`.";
            (
                QUANTITY.to_owned(),
                json!({"oneOf": [{"type": "string"}, {"type": "number"}], "description": doc}),
            )
        }
        FieldType::IntOrString => {
            let one_of = json!([{"type": "integer"}, {"type": "string"}]);
            let doc = "A number, or a text such as a percentage or the name of a port.";
            let document = json!({"format": "int-or-string", "oneOf": one_of, "description": doc});
            (INT_OR_STRING.to_owned(), document)
        }
        _ if group(owner) == Some(("apiextensions", "v1")) => {
            (format!("{APIEXTENSIONS}.JSON"), json!({"description": "Any JSON."}))
        }
        _ if field.name == "fieldsV1" => {
            let doc = "A set of fields, as server-side apply keeps it.";
            (meta("FieldsV1"), json!({"type": "object", "description": doc}))
        }
        _ => {
            let doc = "An object of any kind.";
            (RAW_EXTENSION.to_owned(), json!({"type": "object", "description": doc}))
        }
    }
}

fn insert(document: &mut Map<String, Value>, key: &str, text: &str) {
    document.insert(key.to_owned(), text.into());
}
