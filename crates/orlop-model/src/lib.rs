//! Orlop's object model: the kinds of Kubernetes and your own, as Rust structs that speak
//! Kubernetes' wire format.
//!
//! - Kinds live in modules by group and version: [`core::v1::Pod`], [`apps::v1::Deployment`] …
//!   All fields are public; fields this version does not know are kept.
//! - [`Object`] is what every kind has; derive it for your own.
//! - [`Str`], [`List`], [`Map`], [`Time`], [`Quantity`] and [`IntOrString`] are what fields are made of.
//!
//! Everything here is pure: no input or output, no clock, no randomness.
//!
//! ```
//! use orlop_model::{Message, Object, ObjectMeta, Str};
//!
//! #[derive(Clone, Debug, Default, PartialEq, Object)]
//! #[object(group = "example.dev", version = "v1", status)]
//! struct Website {
//!     metadata: ObjectMeta,
//!     spec: WebsiteSpec,
//! }
//!
//! #[derive(Clone, Debug, Default, PartialEq, Message)]
//! struct WebsiteSpec {
//!     host: Str,
//!     replicas: i32,
//! }
//!
//! let site: Website = serde_json::from_str(
//!     r#"{"apiVersion": "example.dev/v1", "kind": "Website",
//!         "metadata": {"name": "home", "namespace": "default"},
//!         "spec": {"host": "example.dev", "replicas": 2}}"#,
//! )?;
//! assert_eq!(site.kind().plural, "websites");
//! assert_eq!(site.key().to_string(), "default/home");
//! # Ok::<(), serde_json::Error>(())
//! ```

// The derive macros name this crate by its name, in this crate too.
extern crate self as orlop_model;

#[cfg(feature = "admissionregistration")]
pub mod admissionregistration;
pub mod apidiscovery;
#[cfg(feature = "apiextensions")]
pub mod apiextensions;
#[cfg(feature = "apps")]
pub mod apps;
#[cfg(feature = "authentication")]
pub mod authentication;
#[cfg(feature = "authorization")]
pub mod authorization;
#[cfg(feature = "autoscaling")]
pub mod autoscaling;
#[cfg(feature = "batch")]
pub mod batch;
#[cfg(feature = "certificates")]
pub mod certificates;
#[cfg(feature = "coordination")]
pub mod coordination;
#[cfg(feature = "core")]
pub mod core;
#[cfg(feature = "discovery")]
pub mod discovery;
#[cfg(feature = "events")]
pub mod events;
pub mod meta;
#[cfg(feature = "networking")]
pub mod networking;
#[cfg(feature = "node")]
pub mod node;
#[cfg(feature = "policy")]
pub mod policy;
#[cfg(feature = "rbac")]
pub mod rbac;
#[cfg(feature = "scheduling")]
pub mod scheduling;
#[cfg(feature = "storage")]
pub mod storage;

mod any_object;
#[cfg(feature = "rules")]
pub mod apply;
mod byte_string;
pub mod conditions;
#[cfg(feature = "rules")]
pub mod defaults;
mod dynamic;
mod extra;
mod field_error;
mod fields_v1;
#[cfg(feature = "test-util")]
pub mod fuzzing;
mod int_or_string;
pub mod json;
mod kind;
mod known;
mod list;
mod list_of;
#[cfg(feature = "manifest")]
pub mod manifest;
mod map;
pub mod message;
#[cfg(feature = "rules")]
pub mod metadata;
pub mod names;
mod object;
mod open_enum;
#[cfg(feature = "documents")]
pub mod openapi;
#[cfg(feature = "rules")]
pub mod patch;
mod path;
#[cfg(feature = "core")]
pub mod pod_resources;
#[cfg(feature = "rules")]
pub mod prepare;
pub mod protobuf;
pub mod quantity;
pub mod quote;
mod rare;
mod raw_json;
mod schema;
pub mod scheme;
pub mod selector;
mod str;
mod strings;
#[cfg(all(feature = "apiextensions", feature = "rules"))]
pub mod structural;
#[cfg(feature = "rules")]
pub mod table;
mod time;
#[cfg(feature = "rules")]
pub mod tree;
#[cfg(feature = "rules")]
pub mod validate;
#[cfg(feature = "test-util")]
pub mod vectors;

pub use orlop_derive::{Message, Object};
#[doc(no_inline)]
pub use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::any_object::{AnyObject, downcast};
pub use self::byte_string::ByteString;
pub use self::dynamic::DynamicObject;
pub use self::extra::Extra;
pub use self::field_error::{FieldError, FieldErrorKind, FieldValue, aggregate};
pub use self::fields_v1::FieldsV1;
pub use self::int_or_string::{IntOrString, NotAPercentage};
pub use self::kind::{KindInfo, Scope};
pub use self::list::List;
pub use self::list_of::ListOf;
pub use self::map::{Iter, Map};
pub use self::message::{Field, Message};
pub use self::meta::v1::{LabelSelector, ObjectMeta, OwnerReference};
pub use self::object::{Object, ObjectKey, StaticKind};
pub use self::open_enum::OtherText;
pub use self::path::{Path, Step};
pub use self::quantity::{Quantity, QuantityError};
pub use self::rare::{Constant, Rare};
pub use self::raw_json::RawJson;
pub use self::schema::{EnumType, FieldSchema, FieldType, Key, ListType, Number, Schema};
pub use self::str::Str;
pub use self::strings::Strings;
pub use self::time::{MicroTime, Time, TimeError};
