//! Validation by a schema, with the words of Kubernetes' validator (kube-openapi).

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::{Map, Number, Value};

use super::{MAX_DEPTH, format, is_type_meta, items, member};
use crate::apiextensions::v1::JSONSchemaProps;
use crate::{FieldError, FieldErrorKind, FieldValue};

/// Collects what is wrong.
pub(super) struct Checker<'a> {
    pub(super) patterns: &'a BTreeMap<String, Regex>,
    pub(super) errors: Vec<FieldError>,
}

impl Checker<'_> {
    pub(super) fn root(&mut self, object: &Value, schema: &JSONSchemaProps) {
        self.value(object, schema, "", true, 0);
    }

    fn invalid(&mut self, path: &str, value: &Value, what: &str) {
        let path = if path.is_empty() { "<nil>" } else { path };
        self.errors.push(FieldError::invalid(path, FieldValue::of(value), format!("{path} in body {what}")));
    }

    fn value(&mut self, value: &Value, schema: &JSONSchemaProps, path: &str, whole: bool, depth: usize) {
        if depth > MAX_DEPTH || (value.is_null() && schema.nullable) {
            return;
        }
        let whole = whole || schema.x_kubernetes_embedded_resource;
        if !self.has_type(value, schema, path) {
            return;
        }
        self.is_listed(value, schema, path);
        match value {
            Value::String(text) => self.text(value, text, schema, path),
            Value::Number(number) => self.number(value, number, schema, path),
            Value::Array(list) => self.list(value, list, schema, path, depth),
            Value::Object(fields) => self.object(value, fields, schema, path, whole, depth),
            Value::Null | Value::Bool(_) => {}
        }
        self.composed(value, schema, path, whole, depth);
    }

    fn has_type(&mut self, value: &Value, schema: &JSONSchemaProps, path: &str) -> bool {
        let is_integer = |number: &Number| {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|number| number.fract() == 0.0)
        };
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if is_integer(number) => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let wanted = if schema.x_kubernetes_int_or_string { "integer,string" } else { schema.type_.as_str() };
        let holds = match wanted {
            "" => {
                !value.is_null()
                    || schema.nullable
                    || schema.x_kubernetes_preserve_unknown_fields == Some(true)
            }
            "number" => matches!(found, "integer" | "number"),
            wanted => wanted.split(',').any(|wanted| wanted == found),
        };
        if !holds {
            let name = if path.is_empty() { "<nil>" } else { path };
            let detail = format!("{path} in body must be of type {wanted}: {found:?}");
            self.errors.push(FieldError::new(FieldErrorKind::TypeInvalid, name, found, detail));
        }
        holds
    }

    fn is_listed(&mut self, value: &Value, schema: &JSONSchemaProps, path: &str) {
        if schema.enum_.is_empty() {
            return;
        }
        let allowed: Vec<Value> =
            schema.enum_.iter().filter_map(|json| serde_json::from_str(json.as_str()).ok()).collect();
        if !allowed.contains(value) {
            let texts: Vec<String> = allowed
                .iter()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .collect();
            self.errors.push(FieldError::not_supported(path, FieldValue::of(value), &texts));
        }
    }

    fn text(&mut self, value: &Value, text: &str, schema: &JSONSchemaProps, path: &str) {
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        if let Some(limit) = schema.max_length.filter(|limit| length > *limit) {
            self.errors.push(FieldError::too_long(path, usize::try_from(limit).unwrap_or(0)));
        }
        if let Some(limit) = schema.min_length.filter(|limit| length < *limit) {
            self.invalid(path, value, &format!("should be at least {limit} chars long"));
        }
        let pattern = schema.pattern.as_str();
        if self.patterns.get(pattern).is_some_and(|compiled| !compiled.is_match(text)) {
            self.invalid(path, value, &format!("should match '{pattern}'"));
        }
        if !format::holds(&schema.format, text) {
            self.invalid(path, value, &format!("must be of type {}: {text:?}", schema.format));
        }
    }

    fn number(&mut self, value: &Value, number: &Number, schema: &JSONSchemaProps, path: &str) {
        let Some(number) = number.as_f64() else {
            return;
        };
        if let Some(limit) = schema.maximum {
            if schema.exclusive_maximum && number >= limit {
                self.invalid(path, value, &format!("should be less than {limit}"));
            } else if number > limit {
                self.invalid(path, value, &format!("should be less than or equal to {limit}"));
            }
        }
        if let Some(limit) = schema.minimum {
            if schema.exclusive_minimum && number <= limit {
                self.invalid(path, value, &format!("should be greater than {limit}"));
            } else if number < limit {
                self.invalid(path, value, &format!("should be greater than or equal to {limit}"));
            }
        }
        if let Some(factor) = schema.multiple_of.filter(|factor| *factor > 0.0)
            && (number / factor).fract() != 0.0
        {
            self.invalid(path, value, &format!("should be a multiple of {factor}"));
        }
    }

    fn list(&mut self, value: &Value, list: &[Value], schema: &JSONSchemaProps, path: &str, depth: usize) {
        let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
        if let Some(limit) = schema.max_items.filter(|limit| length > *limit) {
            self.errors.push(FieldError::too_many(path, list.len(), usize::try_from(limit).unwrap_or(0)));
        }
        if let Some(limit) = schema.min_items.filter(|limit| length < *limit) {
            self.invalid(path, value, &format!("should have at least {limit} items"));
        }
        if schema.unique_items && has_duplicates(list) {
            self.invalid(path, value, "shouldn't contain duplicates");
        }
        self.keys_are_unique(list, schema, path);
        if let Some(schema) = items(schema) {
            for (index, value) in list.iter().enumerate() {
                self.value(value, schema, &format!("{path}[{index}]"), false, depth + 1);
            }
        }
    }

    /// Sets have no element twice, and lists of objects with keys no two with the same.
    fn keys_are_unique(&mut self, list: &[Value], schema: &JSONSchemaProps, path: &str) {
        let key: fn(&Value, &JSONSchemaProps) -> Value = match schema.x_kubernetes_list_type.as_deref() {
            Some("set") => |value, _| value.clone(),
            Some("map") => |value, schema| {
                let keys = schema.x_kubernetes_list_map_keys.iter();
                let fields = keys.filter_map(|key| Some((key.to_string(), value.get(key.as_str())?.clone())));
                Value::Object(fields.collect())
            },
            _ => return,
        };
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (index, value) in list.iter().enumerate() {
            let key = key(value, schema);
            let count = seen.entry(key.to_string()).or_default();
            *count += 1;
            if *count == 2 {
                self.errors.push(FieldError::duplicate(format!("{path}[{index}]"), FieldValue::of(&key)));
            }
        }
    }

    fn object(
        &mut self,
        value: &Value,
        fields: &Map<String, Value>,
        schema: &JSONSchemaProps,
        path: &str,
        whole: bool,
        depth: usize,
    ) {
        let count = i64::try_from(fields.len()).unwrap_or(i64::MAX);
        if let Some(limit) = schema.min_properties.filter(|limit| count < *limit) {
            self.invalid(path, value, &format!("should have at least {limit} properties"));
        }
        if let Some(limit) = schema.max_properties.filter(|limit| count > *limit) {
            self.invalid(path, value, &format!("should have at most {limit} properties"));
        }
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let is_own = |name: &str| !(whole && is_type_meta(name));
        for name in schema.required.iter().filter(|name| is_own(name) && !fields.contains_key(name.as_str()))
        {
            self.errors.push(FieldError::required(below(name), ""));
        }
        for (name, value) in fields.iter().filter(|(name, _)| is_own(name)) {
            if let Some(schema) = member(schema, name) {
                self.value(value, schema, &below(name), false, depth + 1);
            }
        }
    }

    fn composed(&mut self, value: &Value, schema: &JSONSchemaProps, path: &str, whole: bool, depth: usize) {
        let holds = |schema: &JSONSchemaProps| {
            let mut other = Checker { patterns: self.patterns, errors: Vec::new() };
            other.value_of_part(value, schema, path, whole, depth + 1);
            other.errors.is_empty()
        };
        let mut wrong = Vec::new();
        if !schema.all_of.iter().all(holds) {
            wrong.push("must validate all the schemas (allOf)".to_owned());
        }
        if !schema.any_of.is_empty() && !schema.any_of.iter().any(holds) {
            wrong.push("must validate at least one schema (anyOf)".to_owned());
        }
        let valid = schema.one_of.iter().filter(|schema| holds(schema)).count();
        if !schema.one_of.is_empty() && valid != 1 {
            let found =
                if valid == 0 { "none valid".to_owned() } else { format!("{valid} valid alternatives") };
            wrong.push(format!("must validate one and only one schema (oneOf). Found {found}"));
        }
        if schema.not.as_deref().is_some_and(holds) {
            wrong.push("must not validate the schema (not)".to_owned());
        }
        for what in wrong {
            self.errors.push(FieldError::invalid("<nil>", "", format!("{path:?} {what}")));
        }
    }

    /// Parts of a composition repeat neither types nor nullability.
    fn value_of_part(
        &mut self,
        value: &Value,
        schema: &JSONSchemaProps,
        path: &str,
        whole: bool,
        depth: usize,
    ) {
        if value.is_null() && schema.type_.is_empty() {
            return;
        }
        self.value(value, schema, path, whole, depth);
    }
}

fn has_duplicates(list: &[Value]) -> bool {
    let mut texts: Vec<String> = list.iter().map(ToString::to_string).collect();
    texts.sort_unstable();
    texts.windows(2).any(|pair| pair[0] == pair[1])
}
