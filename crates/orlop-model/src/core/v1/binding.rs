//! Bindings.

use super::ObjectReference;
use crate::{Extra, Object};

/// The kind `Binding` of `v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(version = "v1")]
pub struct Binding {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2, map = "atomic")]
    pub target: ObjectReference,
    #[wire(extra)]
    pub extra: Extra,
}
