//! OpenAPI documents, version 3, made from the types: what `kubectl explain`, validation on the client's side and
//! server-side apply read.
//!
//! ```
//! use orlop_model::scheme::Scheme;
//!
//! let components = Scheme::builtin().openapi("apps/v1").unwrap();
//! let schema = &components.schemas()["io.k8s.api.apps.v1.DeploymentSpec"];
//! assert_eq!(schema["properties"]["replicas"]["format"], "int32");
//! assert_eq!(schema["required"], serde_json::json!(["selector", "template"]));
//! let document = components.into_document("Kubernetes", "v1.36.0");
//! assert_eq!(document["openapi"], "3.0.0");
//! ```
//!
//! A document has the schemas of all types with their names, as Kubernetes has them: types and formats, what is required,
//! defaults, list and map types, patch strategies, unions, kinds. The descriptions are the words of this crate. It has no
//! paths: which operations there are is for whoever serves it to say.

#[cfg(feature = "apiextensions")]
mod custom;
mod field;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::field::{self as fields, name_of, prefix_of};
use crate::meta::v1::{APIResourceList, DeleteOptions, Status, WatchEvent};
use crate::{FieldSchema, Message as _, Schema};

/// A struct of which one field is to be set.
struct Union {
    name: &'static str,
    /// The field that says which one; empty: none.
    discriminator: &'static str,
    member: &'static str,
    /// What the discriminator says then.
    value: &'static str,
}

const UNIONS: [Union; 3] = [
    Union {
        name: "io.k8s.api.core.v1.AppArmorProfile",
        discriminator: "type",
        member: "localhostProfile",
        value: "LocalhostProfile",
    },
    Union {
        name: "io.k8s.api.core.v1.PodSchedulingGroup",
        discriminator: "",
        member: "podGroupName",
        value: "PodGroupName",
    },
    Union {
        name: "io.k8s.api.core.v1.SeccompProfile",
        discriminator: "type",
        member: "localhostProfile",
        value: "LocalhostProfile",
    },
];

/// The schemas of a document, by their names (`io.k8s.api.core.v1.Pod`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Components {
    schemas: BTreeMap<String, Value>,
}

impl Components {
    /// No schema.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The schemas.
    #[must_use]
    pub fn schemas(&self) -> &BTreeMap<String, Value> {
        &self.schemas
    }

    /// Adds a type and all types in it, and tells its name.
    ///
    /// Types of other crates are named after their kind's group, as custom kinds are (`dev.example.v1.Website`), and so
    /// are those that are in them.
    pub fn add(&mut self, schema: &'static Schema) -> String {
        let prefix = prefix_of(schema);
        let mut waiting = vec![schema];
        while let Some(schema) = waiting.pop() {
            let name = name_of(schema, &prefix);
            if !self.schemas.contains_key(&name) {
                let document = object(schema, &name, &prefix, &mut waiting, &mut self.schemas);
                self.schemas.insert(name, document);
            }
        }
        name_of(schema, &prefix)
    }

    /// Adds the types that are sent and answered with every kind.
    pub(crate) fn add_common(&mut self) {
        for schema in [APIResourceList::SCHEMA, DeleteOptions::SCHEMA, Status::SCHEMA, WatchEvent::SCHEMA] {
            self.add(schema);
        }
        let patch =
            json!({"type": "object", "description": "A patch of any of the types that the API knows."});
        self.schemas.insert(format!("{}.Patch", fields::META), patch);
    }

    /// The document, without paths.
    #[must_use]
    pub fn into_document(self, title: &str, version: &str) -> Value {
        json!({
            "openapi": "3.0.0",
            "info": {"title": title, "version": version},
            "paths": {},
            "components": {"schemas": self.schemas},
        })
    }
}

/// The schema of a struct; types that it names are put on `waiting`.
fn object(
    schema: &'static Schema,
    name: &str,
    prefix: &str,
    waiting: &mut Vec<&'static Schema>,
    schemas: &mut BTreeMap<String, Value>,
) -> Value {
    let mut document = Map::new();
    insert(&mut document, "description", schema.doc);
    if fields::is_any(schema) {
        return Value::Object(document);
    }
    insert(&mut document, "type", "object");
    let (mut properties, mut required) = (Map::new(), Vec::new());
    if !schema.kind.is_empty() && !fields::is_bare(schema) {
        let version = "Group and version of the kind, such as `apps/v1`.";
        properties.insert("apiVersion".to_owned(), json!({"type": "string", "description": version}));
        let kind = "Kind of the object, such as `Pod`.";
        properties.insert("kind".to_owned(), json!({"type": "string", "description": kind}));
    }
    let mut fields: Vec<&'static FieldSchema> = schema.fields.iter().rev().collect();
    while let Some(field) = fields.pop() {
        if field.inline {
            fields.extend(field.message().iter().flat_map(|inner| inner.fields.iter().rev()));
            continue;
        }
        if field.name.is_empty() {
            continue;
        }
        properties.insert(field.name.to_owned(), fields::property(schema, field, prefix, schemas));
        if field.needed {
            required.push(field.name);
        }
        waiting.extend(field.message());
    }
    if !properties.is_empty() {
        document.insert("properties".to_owned(), Value::Object(properties));
    }
    if !required.is_empty() {
        document.insert("required".to_owned(), json!(required));
    }
    if !schema.kind.is_empty() && !fields::is_bare(schema) {
        let (group, version) = schema.api_version.split_once('/').unwrap_or(("", schema.api_version));
        let kind = json!([{"group": group, "version": version, "kind": schema.kind}]);
        document.insert("x-kubernetes-group-version-kind".to_owned(), kind);
    }
    if schema.atomic {
        insert(&mut document, "x-kubernetes-map-type", "atomic");
    }
    if let Some(known) = UNIONS.iter().find(|union| union.name == name) {
        let mut union = json!({"fields-to-discriminateBy": {known.member: known.value}});
        if !known.discriminator.is_empty() {
            union["discriminator"] = known.discriminator.into();
        }
        document.insert("x-kubernetes-unions".to_owned(), json!([union]));
    }
    Value::Object(document)
}

fn insert(document: &mut Map<String, Value>, key: &str, text: &str) {
    document.insert(key.to_owned(), text.into());
}
