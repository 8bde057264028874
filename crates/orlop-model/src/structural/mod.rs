//! [`Structural`], the schema of a custom kind at work: objects are defaulted by it, rid of what it does not know, and
//! validated.
//!
//! ```
//! use orlop_model::structural::Structural;
//! use serde_json::json;
//!
//! let schema = serde_json::from_value(json!({"type": "object", "properties": {"spec": {
//!     "type": "object", "required": ["host"], "properties": {
//!         "host": {"type": "string", "minLength": 1},
//!         "replicas": {"type": "integer", "default": 1, "minimum": 0},
//!     },
//! }}}))?;
//! let structural = Structural::new(schema);
//! let mut site = json!({"spec": {"replicas": -1, "color": "red"}});
//! assert_eq!(structural.prune(&mut site), ["spec.color"]);
//! let errors: Vec<String> = structural.validate(&site).iter().map(ToString::to_string).collect();
//! assert_eq!(
//!     errors,
//!     [
//!         "spec.host: Required value",
//!         "spec.replicas: Invalid value: -1: spec.replicas in body should be greater than or equal to 0",
//!     ],
//! );
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! Rules written in CEL (`x-kubernetes-validations`) are not evaluated. Of the formats those of times, addresses, UUIDs,
//! host names and bytes are checked, others pass, as unknown ones do in Kubernetes. Patterns are those of Rust's
//! `regex-lite`; one that it cannot read passes.

mod default;
mod format;
mod prune;
#[cfg(test)]
mod tests;
mod validate;

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value;

use crate::FieldError;
use crate::apiextensions::v1::{JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool};

/// Deepest nesting of schemas and objects that is followed; JSON that is read is no deeper.
const MAX_DEPTH: usize = 200;

/// The structural schema of a custom kind. The fields `apiVersion`, `kind` and `metadata` of objects, and of objects
/// that are embedded whole (`x-kubernetes-embedded-resource`), are left alone.
#[derive(Clone, Debug)]
pub struct Structural {
    schema: Box<JSONSchemaProps>,
    /// By their texts; those that cannot be read are missing.
    patterns: BTreeMap<String, Regex>,
}

impl Structural {
    /// A schema at work; patterns are compiled here.
    #[must_use]
    pub fn new(schema: JSONSchemaProps) -> Self {
        let mut patterns = BTreeMap::new();
        collect_patterns(&schema, &mut patterns, 0);
        Self { schema: Box::new(schema), patterns }
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &JSONSchemaProps {
        &self.schema
    }

    /// Sets the defaults of fields that are missing, or `null` where that is not allowed; takes off other such `null`s.
    /// Must change nothing when called twice.
    pub fn set_defaults(&self, object: &mut Value) {
        default::set(object, &self.schema, 0);
        default::drop_nulls(object, &self.schema, 0);
    }

    /// Takes off the fields that the schema does not declare, and tells their paths, the first hundred of them.
    pub fn prune(&self, object: &mut Value) -> Vec<String> {
        let mut pruned = Vec::new();
        prune::object(object, &self.schema, true, &mut String::new(), &mut pruned);
        pruned
    }

    /// What is wrong with an object, apart from its metadata.
    #[must_use]
    pub fn validate(&self, object: &Value) -> Vec<FieldError> {
        let mut checker = validate::Checker { patterns: &self.patterns, errors: Vec::new() };
        checker.root(object, &self.schema);
        checker.errors
    }
}

fn collect_patterns(schema: &JSONSchemaProps, patterns: &mut BTreeMap<String, Regex>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    if !schema.pattern.is_empty()
        && !patterns.contains_key(schema.pattern.as_str())
        && let Ok(pattern) = Regex::new(&schema.pattern)
    {
        patterns.insert(schema.pattern.to_string(), pattern);
    }
    let lists = schema.all_of.iter().chain(&schema.any_of).chain(&schema.one_of);
    let parts = lists.chain(schema.not.as_deref()).chain(items(schema)).chain(additional(schema));
    let properties = schema.properties.iter().map(|(_, property)| property);
    parts.chain(properties).for_each(|part| collect_patterns(part, patterns, depth + 1));
}

/// The schema of the items of a list.
fn items(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match schema.items.as_deref()? {
        JSONSchemaPropsOrArray::Schema(items) => Some(items),
        JSONSchemaPropsOrArray::Array(_) => None,
    }
}

/// The schema of values whose names are not declared.
fn additional(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match schema.additional_properties.as_deref()? {
        JSONSchemaPropsOrBool::Schema(additional) => Some(additional),
        JSONSchemaPropsOrBool::Allows(_) => None,
    }
}

/// The schema of a field of an object.
fn member<'a>(schema: &'a JSONSchemaProps, name: &str) -> Option<&'a JSONSchemaProps> {
    schema.properties.get(name).or_else(|| additional(schema))
}

/// Whether a field is part of every whole object, and none of the schema's business.
fn is_type_meta(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata")
}
