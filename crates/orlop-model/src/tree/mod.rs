//! Values of objects by one way in, whether they are typed or JSON: what patches and server-side apply walk.
//!
//! - [`Node`] looks at a value: at a field of a typed object, at a [`Value`](serde_json::Value), at a
//!   [`DynamicObject`](crate::DynamicObject). A typed value is seen as the JSON it is written as: what `omitempty`
//!   leaves out is not there, an embedded struct's fields are its parent's, fields that the type does not know stand
//!   beside the others.
//! - [`NodeMut`] changes one in place, so that nothing else of the object is copied or converted.
//! - [`Shape`] tells what is known of a place: from the tables of the derive macros, from the structural schema of a
//!   custom kind, or nothing.
//!
//! `kind` and `apiVersion` of a typed object are part of its type and no fields here.

mod node;
mod node_mut;
mod shape;
#[cfg(test)]
mod tests;

pub(crate) use self::node::written;
pub use self::node::{Form, Node};
pub use self::node_mut::{Mismatch, NodeMut};
pub use self::shape::{Forms, Keys, Listing, Member, ScalarType, Shape};
