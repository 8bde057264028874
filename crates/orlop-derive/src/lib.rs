//! Derive macros of Orlop's object model: [`Message`] for the parts of an object and
//! [`Object`] for a kind of object.
//!
//! Use them through `orlop_model` (or the `orlop` facade), which has the traits they implement:
//!
//! ```ignore
//! use orlop_model::{Message, Object, ObjectMeta};
//!
//! #[derive(Clone, Debug, Default, PartialEq, Object)]
//! #[object(group = "example.dev", version = "v1", status)]
//! pub struct Website {
//!     pub metadata: ObjectMeta,
//!     pub spec: WebsiteSpec,
//! }
//!
//! #[derive(Clone, Debug, Default, PartialEq, Message)]
//! pub struct WebsiteSpec {
//!     pub host: String,
//!     pub replicas: i32,
//! }
//! ```

mod attributes;
mod message;
mod object;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `Message`, `Field`, `Serialize` and `Deserialize` for a struct with named fields.
///
/// Fields are written in camelCase and left out when they are absent (empty string, list or map,
/// zero, `false`, `None`), as Go's `omitempty` does.
///
/// | `#[wire(…)]` on a field | meaning |
/// | --- | --- |
/// | `name = "hostIP"` | the JSON name, where camelCase is not it |
/// | `required` | always written, even when empty |
/// | `inline` | the fields of this `Message` belong to the parent in JSON |
/// | `extra` | the field of type `Extra` that keeps JSON fields which the type does not know |
/// | `serde` | the type has serde's traits and not `Field`; always written |
/// | `needed`, `needless` | OpenAPI does, or does not, require it, where `required` says otherwise |
/// | `plain` | an `Option` that Go has no pointer for: `None` is its zero value |
/// | `default = "\"Always\""` | default of the API, as JSON |
/// | `secret` | `Debug` shows sizes instead of the content (with `debug`) |
/// | `wrapped` | protobuf wraps the list into a message of its own |
/// | `pb = 3` | number in protobuf; `pb = "1.2"`: field 2 of the message in field 1 |
/// | `list = "map"`, `keys = "name,protocol"` | list type and keys of server-side apply |
/// | `map = "atomic"` | map type of server-side apply |
/// | `patch = "merge"`, `merge_key = "name"` | strategy and key of strategic merge patch |
///
/// | `#[wire(…)]` on the struct | meaning |
/// | --- | --- |
/// | `api_version = "v1"` | it stands alone: `kind` (the name of the struct) and `apiVersion` are written and checked |
/// | `atomic` | server-side apply replaces it as a whole |
/// | `debug` | implements `Debug` as well, showing the fields that have a value |
/// | `crate = path` | path of `orlop_model` |
///
/// The first paragraph of the documentation of struct and fields goes into the schema.
#[proc_macro_derive(Message, attributes(wire))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    message::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Implements `Object`, `StaticKind`, `Serialize` and `Deserialize` for a kind: a struct with
/// named fields, of which `metadata` is its `ObjectMeta`.
///
/// | `#[object(…)]` | meaning | default |
/// | --- | --- | --- |
/// | `group = "apps"` | API group, empty for core | empty |
/// | `version = "v1"` | version of the group | obligatory |
/// | `kind = "Pod"` | kind | name of the struct |
/// | `plural = "pods"`, `singular = "pod"` | resource names | kind in lower case, with `s` |
/// | `short = "po,pods"` | short names, comma-separated | none |
/// | `categories = "all"` | categories, comma-separated | none |
/// | `cluster` | objects have no namespace | namespaced |
/// | `status`, `scale` | subresources | none |
/// | `subresources = "log,exec"` | further subresources, comma-separated | none |
/// | `verbs = "create"` | verbs of the API, comma-separated | all |
/// | `crate = path` | path of `orlop_model` | `::orlop_model` |
///
/// Fields take the same `#[wire(…)]` attributes as those of `Message`.
#[proc_macro_derive(Object, attributes(object, wire))]
pub fn derive_object(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    object::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
