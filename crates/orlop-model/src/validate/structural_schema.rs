//! Structural schemas of custom resources: every value has a type, and validation adds to it without changing it.
//!
//! Patterns, defaults and expressions are not looked into.

use super::rules::Rules;
use crate::FieldValue;
use crate::apiextensions::v1::{JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool};

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Deeper schemas than this are not looked into.
const MAX_DEPTH: usize = 128;

/// The schema of a version, at the place of `rules`.
pub(super) fn root(rules: &mut Rules, schema: &JSONSchemaProps) {
    match schema.type_.as_str() {
        "" => rules.required("type", "must not be empty at the root"),
        "object" => {}
        other => rules.invalid("type", other, "must be object at the root"),
    }
    for (field, is_set) in [
        ("x-kubernetes-int-or-string", schema.x_kubernetes_int_or_string),
        ("x-kubernetes-embedded-resource", schema.x_kubernetes_embedded_resource),
        ("nullable", schema.nullable),
    ] {
        if is_set {
            rules.forbidden(field, format!("{field} cannot be true at the root"));
        }
    }
    if let Some(metadata) = schema.properties.get("metadata") {
        let only_names = metadata.properties.keys().all(|name| *name == "name" || *name == "generateName");
        if !only_names || metadata.additional_properties.is_some() {
            rules.forbidden(
                "properties[metadata]",
                "must not specify anything other than name and generateName, but metadata is implicitly specified",
            );
        }
    }
    value(rules, schema, 0);
}

/// The schema of a value. It may be anything only where integers and texts are, or unknown fields.
fn value(rules: &mut Rules, schema: &JSONSchemaProps, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let type_ = schema.type_.as_str();
    if !type_.is_empty() {
        rules.one_of("type", type_, &TYPES);
    }
    for (field, is_set) in [
        ("definitions", !schema.definitions.is_empty()),
        ("dependencies", !schema.dependencies.is_empty()),
        ("patternProperties", !schema.pattern_properties.is_empty()),
        ("additionalItems", schema.additional_items.is_some()),
        ("id", !schema.id.is_empty()),
        ("$ref", schema.ref_.is_some()),
        ("$schema", !schema.schema.is_empty()),
    ] {
        if is_set {
            rules.forbidden(field, format!("{field} is not supported"));
        }
    }
    if schema.unique_items {
        rules.forbidden(
            "uniqueItems",
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        );
    }
    extensions(rules, schema);
    for (name, property) in &schema.properties {
        rules.within_key(format!("properties[{name}]"), |rules| {
            typed(rules, property, "must not be empty for specified object fields");
            value(rules, property, depth + 1);
        });
    }
    match schema.additional_properties.as_deref() {
        Some(JSONSchemaPropsOrBool::Allows(false)) => {
            rules.forbidden("additionalProperties", "additionalProperties cannot be set to false");
        }
        Some(additional) => {
            if !schema.properties.is_empty() {
                let detail = "additionalProperties and properties are mutual exclusive";
                rules.forbidden("additionalProperties", detail);
            }
            if let JSONSchemaPropsOrBool::Schema(property) = additional {
                rules.within("additionalProperties", |rules| {
                    typed(rules, property, "must not be empty for specified object fields");
                    value(rules, property, depth + 1);
                });
            }
        }
        None => {}
    }
    match schema.items.as_deref() {
        Some(JSONSchemaPropsOrArray::Array(_)) => {
            rules.forbidden("items", "items must be a schema object and not an array");
        }
        Some(JSONSchemaPropsOrArray::Schema(items)) => rules.within("items", |rules| {
            typed(rules, items, "must not be empty for specified array items");
            value(rules, items, depth + 1);
        }),
        None if type_ == "array" => rules.required("items", "must be specified"),
        None => {}
    }
    for (field, list) in [("allOf", &schema.all_of), ("anyOf", &schema.any_of), ("oneOf", &schema.one_of)] {
        rules.each(field, list, |rules, part| {
            added(rules, part, schema.x_kubernetes_int_or_string, depth + 1);
        });
    }
    rules.option("not", schema.not.as_deref(), |rules, part| added(rules, part, false, depth + 1));
}

fn typed(rules: &mut Rules, schema: &JSONSchemaProps, missing: &str) {
    let may_be_any =
        schema.x_kubernetes_int_or_string || schema.x_kubernetes_preserve_unknown_fields == Some(true);
    if schema.type_.is_empty() && !may_be_any {
        rules.required("type", missing);
    }
    if !schema.type_.is_empty() && schema.x_kubernetes_int_or_string {
        let detail = "must be empty if x-kubernetes-int-or-string is true";
        rules.invalid("type", &schema.type_, detail);
    }
}

fn extensions(rules: &mut Rules, schema: &JSONSchemaProps) {
    let type_ = schema.type_.as_str();
    if schema.x_kubernetes_preserve_unknown_fields == Some(false) {
        rules.invalid("x-kubernetes-preserve-unknown-fields", false, "must be true or undefined");
    }
    if let Some(map) = &schema.x_kubernetes_map_type {
        if type_ != "object" {
            let detail = "must be object if x-kubernetes-map-type is specified";
            if type_.is_empty() {
                rules.required("type", detail);
            } else {
                rules.invalid("type", type_, detail);
            }
        }
        rules.one_of("x-kubernetes-map-type", map, &["atomic", "granular"]);
    }
    let keys = &schema.x_kubernetes_list_map_keys;
    if let Some(list) = &schema.x_kubernetes_list_type {
        if type_ != "array" {
            let detail = "must be array if x-kubernetes-list-type is specified";
            if type_.is_empty() {
                rules.required("type", detail);
            } else {
                rules.invalid("type", type_, detail);
            }
        }
        rules.one_of("x-kubernetes-list-type", list, &["atomic", "map", "set"]);
        if list == "map" && keys.is_empty() {
            let detail = "must not be empty if x-kubernetes-list-type is map";
            rules.required("x-kubernetes-list-map-keys", detail);
        }
    }
    if !keys.is_empty() {
        if schema.x_kubernetes_list_type.as_ref().is_none_or(|list| *list != "map") {
            let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
            rules.invalid("x-kubernetes-list-type", FieldValue::of(&schema.x_kubernetes_list_type), detail);
        } else {
            map_keys(rules, schema);
        }
    }
    if schema.x_kubernetes_embedded_resource {
        if type_ != "object" {
            let detail = "must be object if x-kubernetes-embedded-resource is true";
            if type_.is_empty() {
                rules.required("type", detail);
            } else {
                rules.invalid("type", type_, detail);
            }
        }
        if schema.properties.is_empty() && schema.x_kubernetes_preserve_unknown_fields != Some(true) {
            rules.required(
                "properties",
                "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
            );
        }
    }
    rules.each("x-kubernetes-validations", &schema.x_kubernetes_validations, |rules, rule| {
        if rule.rule.trim().is_empty() {
            rules.required("rule", "rule is not specified");
        }
        if !rule.message.is_empty() && rule.message.trim().is_empty() {
            rules.invalid("message", &rule.message, "message must be non-empty if specified");
        } else if rule.message.trim().contains(['\n', '\r']) {
            rules.invalid("message", &rule.message, "message must not contain line breaks");
        } else if rule.rule.trim().contains(['\n', '\r']) && rule.message.trim().is_empty() {
            rules.required("message", "message must be specified if rule contains line breaks");
        }
    });
}

/// The keys of a list have to be simple values that every element has.
fn map_keys(rules: &mut Rules, schema: &JSONSchemaProps) {
    let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_deref() else {
        return;
    };
    let keys = &schema.x_kubernetes_list_map_keys;
    if items.type_ != "object" {
        let detail = "must be object if parent array's x-kubernetes-list-type is map";
        rules.invalid("items.type", &items.type_, detail);
    }
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].contains(key) {
            rules.duplicate(&format!("x-kubernetes-list-map-keys[{index}]"), key);
        }
        match items.properties.get(key) {
            None => rules.invalid(
                &format!("x-kubernetes-list-map-keys[{index}]"),
                key,
                "entries must all be names of item properties",
            ),
            Some(property) => {
                if matches!(property.type_.as_str(), "array" | "object") {
                    rules.invalid(
                        &format!("items.properties[{key}].type"),
                        &property.type_,
                        "must be a scalar type if parent array's x-kubernetes-list-type is map",
                    );
                }
                if property.default.is_none() && !items.required.contains(key) {
                    rules.required(
                        &format!("items.properties[{key}].default"),
                        "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
                    );
                }
            }
        }
    }
}

/// A part of a combination adds conditions and nothing that says what the value is.
fn added(rules: &mut Rules, schema: &JSONSchemaProps, may_have_type: bool, depth: usize) {
    const EMPTY: &str = "must be empty to be structural";
    if depth > MAX_DEPTH {
        return;
    }
    for (field, is_set) in [
        ("description", !schema.description.is_empty()),
        ("type", !schema.type_.is_empty() && !may_have_type),
        ("title", !schema.title.is_empty()),
        ("default", schema.default.is_some()),
        ("additionalProperties", schema.additional_properties.is_some()),
        ("nullable", schema.nullable),
        ("x-kubernetes-preserve-unknown-fields", schema.x_kubernetes_preserve_unknown_fields == Some(true)),
        ("x-kubernetes-embedded-resource", schema.x_kubernetes_embedded_resource),
        ("x-kubernetes-int-or-string", schema.x_kubernetes_int_or_string),
        ("x-kubernetes-list-map-keys", !schema.x_kubernetes_list_map_keys.is_empty()),
        ("x-kubernetes-list-type", schema.x_kubernetes_list_type.is_some()),
        ("x-kubernetes-map-type", schema.x_kubernetes_map_type.is_some()),
        ("x-kubernetes-validations", !schema.x_kubernetes_validations.is_empty()),
    ] {
        if is_set {
            rules.forbidden(field, EMPTY);
        }
    }
    for (name, property) in &schema.properties {
        rules.within_key(format!("properties[{name}]"), |rules| added(rules, property, false, depth + 1));
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_deref() {
        rules.within("items", |rules| added(rules, items, false, depth + 1));
    }
    for (field, list) in [("allOf", &schema.all_of), ("anyOf", &schema.any_of), ("oneOf", &schema.one_of)] {
        rules.each(field, list, |rules, part| added(rules, part, may_have_type, depth + 1));
    }
    rules.option("not", schema.not.as_deref(), |rules, part| added(rules, part, false, depth + 1));
}
