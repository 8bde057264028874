//! Server-side apply: objects that several managers write, each its own fields, as Kubernetes does it.
//!
//! A manager *applies* a configuration with the fields that it has an opinion on: [`apply`](apply()). Which fields it owns
//! is kept with the object in `metadata.managedFields`, as a [`FieldSet`] each. Two managers may own a field as long as
//! they agree on its value; who wants another gets [`Conflicts`], or takes the field by force. A field that its last
//! owner gives up is removed. Who writes an object in any other way owns what it changed: [`update`].
//!
//! How lists and maps are merged, and so what can be owned, is a matter of the kind's schema
//! ([`Shape`](crate::tree::Shape)): items of lists with keys one by one, those of sets too, other lists as a whole.
//!
//! Unlike in Kubernetes, fields of stored typed objects that their type does not know are kept, and are owned as if
//! their schema were free. What a typed object holds as raw JSON is one value.

mod compare;
mod element;
mod error;
mod last_applied;
mod managed;
mod merge;
mod object;
mod remove;
mod set;
#[cfg(test)]
mod tests;
mod text;
mod updater;
mod walk;

pub use self::compare::Comparison;
pub use self::element::{Element, Scalar};
pub use self::error::{ApplyError, Conflict, Conflicts};
pub use self::managed::{ANCIENT_CHANGES, MAX_UPDATE_MANAGERS, ManagedError};
pub use self::object::{
    Options, Target, applied_by, apply, apply_to, apply_value, compare, configuration, fields_of, update,
    update_to, update_value,
};
pub use self::set::{FieldPath, FieldSet};
pub use self::text::FieldsError;
pub use self::walk::{KeyDefaults, Misfit};
