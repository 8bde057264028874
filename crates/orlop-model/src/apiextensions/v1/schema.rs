//! JSON schemas of custom resources.

use super::{
    FieldValueErrorReason, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool, JSONSchemaPropsOrStringArray,
};
use crate::{Extra, List, Map, Message, RawJson, Str};

/// Link to documentation outside the schema.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ExternalDocumentation {
    /// Short text about the linked documentation.
    #[wire(pb = 1)]
    pub description: Str,
    /// Web address of the linked documentation.
    #[wire(pb = 2)]
    pub url: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Subset of an OpenAPI v3 / JSON schema, with Kubernetes extensions, describing custom resource values.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct JSONSchemaProps {
    /// Schema identifier of JSON Schema; not allowed in structural schemas.
    #[wire(pb = 1)]
    pub id: Str,
    /// URI of the JSON Schema dialect; not allowed in structural schemas.
    #[wire(name = "$schema", pb = 2)]
    pub schema: Str,
    /// Reference to another schema; not allowed in structural schemas.
    #[wire(name = "$ref", pb = 3)]
    pub ref_: Option<Str>,
    /// Explanation of the value, shown for instance by `kubectl explain`.
    #[wire(pb = 4)]
    pub description: Str,
    /// JSON type: `object`, `array`, `string`, `integer`, `number` or `boolean`; mandatory at most structural
    /// levels.
    #[wire(pb = 5)]
    pub type_: Str,
    /// Refinement of the type, such as `date-time`, `ipv4` or `int64`; formats the server does not know are
    /// ignored.
    #[wire(pb = 6)]
    pub format: Str,
    /// Short heading of the schema.
    #[wire(pb = 7)]
    pub title: Str,
    /// Value that the API server fills in for a missing field, on requests and on reads from etcd.
    #[wire(pb = 8)]
    pub default: Option<RawJson>,
    /// Upper bound of a number, inclusive unless `exclusiveMaximum` is true.
    #[wire(pb = 9)]
    pub maximum: Option<f64>,
    /// Whether `maximum` itself is forbidden; false by default.
    #[wire(pb = 10)]
    pub exclusive_maximum: bool,
    /// Lower bound of a number, inclusive unless `exclusiveMinimum` is true.
    #[wire(pb = 11)]
    pub minimum: Option<f64>,
    /// Whether `minimum` itself is forbidden; false by default.
    #[wire(pb = 12)]
    pub exclusive_minimum: bool,
    /// Greatest allowed length of a string, in characters.
    #[wire(pb = 13)]
    pub max_length: Option<i64>,
    /// Smallest allowed length of a string, in characters.
    #[wire(pb = 14)]
    pub min_length: Option<i64>,
    /// Regular expression (Go RE2 syntax) that must match somewhere in the string; anchor it to cover all.
    #[wire(pb = 15)]
    pub pattern: Str,
    /// Greatest allowed number of array elements.
    #[wire(pb = 16)]
    pub max_items: Option<i64>,
    /// Smallest allowed number of array elements.
    #[wire(pb = 17)]
    pub min_items: Option<i64>,
    /// Demands distinct array elements; `true` is refused in definitions, `x-kubernetes-list-type: set`
    /// replaces it.
    #[wire(pb = 18)]
    pub unique_items: bool,
    /// Number of which the value must be an integral multiple.
    #[wire(pb = 19)]
    pub multiple_of: Option<f64>,
    /// Complete list of allowed values.
    #[wire(pb = 20)]
    pub enum_: List<RawJson>,
    /// Greatest allowed number of keys of an object.
    #[wire(pb = 21)]
    pub max_properties: Option<i64>,
    /// Smallest allowed number of keys of an object.
    #[wire(pb = 22)]
    pub min_properties: Option<i64>,
    /// Keys that must be present in the object.
    #[wire(pb = 23)]
    pub required: List<Str>,
    /// Schema of the array elements; an array of schemas is refused in structural schemas.
    #[wire(pb = 24)]
    pub items: Option<Box<JSONSchemaPropsOrArray>>,
    /// Schemas all of which must accept the value; inside, only validations may be given.
    #[wire(pb = 25)]
    pub all_of: List<JSONSchemaProps>,
    /// Schemas exactly one of which must accept the value; inside, only validations may be given.
    #[wire(pb = 26)]
    pub one_of: List<JSONSchemaProps>,
    /// Schemas at least one of which must accept the value; inside, only validations may be given.
    #[wire(pb = 27)]
    pub any_of: List<JSONSchemaProps>,
    /// Schema that must reject the value.
    #[wire(pb = 28)]
    pub not: Option<Box<JSONSchemaProps>>,
    /// Schemas of the known keys of an object; other keys are pruned by default.
    #[wire(pb = 29)]
    pub properties: Map<JSONSchemaProps>,
    /// Schema, or permission, for arbitrary keys of a map; excludes `properties` at the same level.
    #[wire(pb = 30)]
    pub additional_properties: Option<Box<JSONSchemaPropsOrBool>>,
    /// Schemas for keys by regular expression; not allowed in structural schemas.
    #[wire(pb = 31)]
    pub pattern_properties: Map<JSONSchemaProps>,
    /// Schemas or keys demanded when a given key is present; not allowed in structural schemas.
    #[wire(pb = 32)]
    pub dependencies: Map<JSONSchemaPropsOrStringArray>,
    /// Treatment of array elements beyond a tuple schema; not allowed in structural schemas.
    #[wire(pb = 33)]
    pub additional_items: Option<Box<JSONSchemaPropsOrBool>>,
    /// Named schemas for reuse; not allowed in structural schemas.
    #[wire(pb = 34)]
    pub definitions: Map<JSONSchemaProps>,
    /// Link to further documentation; no influence on validation.
    #[wire(pb = 35)]
    pub external_docs: Option<Box<ExternalDocumentation>>,
    /// Sample value for readers; no influence on validation.
    #[wire(pb = 36)]
    pub example: Option<RawJson>,
    /// Whether `null` is accepted as the value, false by default; a refused null on a field with `default` is
    /// replaced.
    #[wire(pb = 37)]
    pub nullable: bool,
    /// With `true`, stops pruning of keys that the schema does not name; `false` is not allowed.
    #[wire(name = "x-kubernetes-preserve-unknown-fields", pb = 38)]
    pub x_kubernetes_preserve_unknown_fields: Option<bool>,
    /// Marks a whole Kubernetes object with `apiVersion`, `kind` and validated `metadata`; the type must be
    /// `object`.
    #[wire(name = "x-kubernetes-embedded-resource", pb = 39)]
    pub x_kubernetes_embedded_resource: bool,
    /// Allows an integer or a string in this place, where `type` must be left out.
    #[wire(name = "x-kubernetes-int-or-string", pb = 40)]
    pub x_kubernetes_int_or_string: bool,
    /// Element fields that together identify an entry of a list of type `map`.
    #[wire(name = "x-kubernetes-list-map-keys", pb = 41)]
    pub x_kubernetes_list_map_keys: List<Str>,
    /// Merge behaviour of an array: `atomic` (the default), `set` or `map`.
    #[wire(name = "x-kubernetes-list-type", pb = 42)]
    pub x_kubernetes_list_type: Option<Str>,
    /// Merge behaviour of an object: `granular` (the default) or `atomic`.
    #[wire(name = "x-kubernetes-map-type", pb = 43)]
    pub x_kubernetes_map_type: Option<Str>,
    /// CEL rules that the value must satisfy in addition to the schema.
    #[wire(
        name = "x-kubernetes-validations",
        pb = 44,
        list = "map",
        keys = "rule",
        patch = "merge",
        merge_key = "rule"
    )]
    pub x_kubernetes_validations: List<ValidationRule>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One CEL rule on a value of a custom resource.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ValidationRule {
    /// CEL expression over `self`, and `oldSelf` for transitions, that must be true for valid values.
    #[wire(pb = 1, required)]
    pub rule: Str,
    /// Text of the error when the rule fails; required if the rule contains line breaks.
    #[wire(pb = 2)]
    pub message: Str,
    /// CEL expression that yields the error text and wins over `message`; on failure `message` is used.
    #[wire(pb = 3)]
    pub message_expression: Str,
    /// Machine-readable cause returned to the client; `FieldValueInvalid` by default.
    #[wire(pb = 4)]
    pub reason: Option<FieldValueErrorReason>,
    /// Relative path of the field to blame in the error; the level of the rule when empty.
    #[wire(pb = 5)]
    pub field_path: Str,
    /// With true, transition rules also run on creation and `oldSelf` is a CEL optional; false when unset.
    #[wire(pb = 6)]
    pub optional_old_self: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
