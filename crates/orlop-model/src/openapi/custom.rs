//! Schemas of custom kinds.

use serde_json::{Map, Value, json};

use super::{Components, fields};
use crate::apiextensions::v1::JSONSchemaProps;
use crate::meta::v1::{ListMeta, ObjectMeta};
use crate::{KindInfo, Message as _, json as go};

/// What is added to every object.
const TYPE_META: [(&str, &str); 2] =
    [("apiVersion", "Group and version of the kind."), ("kind", "Kind of the object.")];

impl Components {
    /// Adds a custom kind by the schema of its definition, with `apiVersion`, `kind` and `metadata`, and its list.
    /// `list_kind` is the kind of lists (`WebsiteList`). Embedded objects
    /// (`x-kubernetes-embedded-resource`) get them, too.
    ///
    /// # Errors
    /// If the schema has a default or an example that is no JSON.
    pub fn add_custom(
        &mut self,
        kind: &KindInfo,
        list_kind: &str,
        schema: Option<&JSONSchemaProps>,
    ) -> serde_json::Result<String> {
        let metadata = self.add(ObjectMeta::SCHEMA);
        let list_metadata = self.add(ListMeta::SCHEMA);
        let mut object = match schema {
            Some(schema) => serde_json::from_slice(&go::to_vec(schema))?,
            None => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        };
        embedded(&mut object, &metadata);
        add_type_meta(&mut object, &metadata);
        let named =
            |kind_name: &str| json!([{"group": kind.group, "version": kind.version, "kind": kind_name}]);
        object["x-kubernetes-group-version-kind"] = named(&kind.kind);

        let mut parts: Vec<&str> = kind.group.split('.').collect();
        parts.reverse();
        let prefix = format!("{}.{}", parts.join("."), kind.version);
        let name = format!("{prefix}.{}", kind.kind);
        let mut list = json!({
            "type": "object",
            "description": format!("A list of {}.", kind.kind),
            "required": ["items"],
            "properties": {"items": {
                "type": "array",
                "description": "The objects.",
                "items": {"$ref": fields::path(&name)},
            }},
            "x-kubernetes-group-version-kind": named(list_kind),
        });
        add_type_meta(&mut list, &list_metadata);
        self.schemas.insert(name.clone(), object);
        self.schemas.insert(format!("{prefix}.{list_kind}"), list);
        Ok(name)
    }
}

/// Adds `apiVersion`, `kind` and `metadata` to the properties of an object.
fn add_type_meta(object: &mut Value, metadata: &str) {
    let Some(object) = object.as_object_mut() else {
        return;
    };
    let properties = object.entry("properties").or_insert_with(|| Map::new().into());
    let Some(properties) = properties.as_object_mut() else {
        return;
    };
    for (name, doc) in TYPE_META {
        properties.insert(name.to_owned(), json!({"type": "string", "description": doc}));
    }
    let reference = json!({
        "allOf": [{"$ref": fields::path(metadata)}],
        "description": "Name, labels and what else the server keeps of every object.",
    });
    properties.insert("metadata".to_owned(), reference);
}

/// Does the same to the objects in it that are whole objects.
fn embedded(schema: &mut Value, metadata: &str) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    for (key, value) in fields.iter_mut() {
        match (key.as_str(), value) {
            ("properties" | "patternProperties" | "definitions", Value::Object(inner)) => {
                inner.values_mut().for_each(|schema| embedded(schema, metadata));
            }
            ("items" | "additionalProperties" | "not", inner) => embedded(inner, metadata),
            _ => {}
        }
    }
    if schema["x-kubernetes-embedded-resource"] == true {
        add_type_meta(schema, metadata);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_kinds_have_what_every_kind_has() {
        let schema: JSONSchemaProps = serde_json::from_value(json!({
            "type": "object",
            "properties": {
                "metadata": {"type": "object"},
                "spec": {"type": "object", "properties": {
                    "replicas": {"type": "integer", "default": 1},
                    "object": {"type": "object", "x-kubernetes-embedded-resource": true},
                }},
            },
        }))
        .unwrap();
        let kind = KindInfo::guess("example.dev/v1", "Website");
        let mut components = Components::new();
        let name = components.add_custom(&kind, "WebsiteList", Some(&schema)).unwrap();
        assert_eq!(name, "dev.example.v1.Website");
        let object = &components.schemas()[&name];
        assert_eq!(object["properties"]["spec"]["properties"]["replicas"]["default"], 1);
        assert_eq!(
            object["properties"]["spec"]["properties"]["object"]["properties"]["kind"]["type"],
            "string"
        );
        let metadata = &object["properties"]["metadata"]["allOf"][0]["$ref"];
        assert_eq!(metadata, "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
        assert!(components.schemas().contains_key("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"));
        assert_eq!(
            object["x-kubernetes-group-version-kind"],
            json!([{"group": "example.dev", "version": "v1", "kind": "Website"}])
        );
        assert!(components.schemas().contains_key("dev.example.v1.WebsiteList"));
    }
}
