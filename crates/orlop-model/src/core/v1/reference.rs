//! References to objects.

use crate::{Extra, Message, Str};

/// `LocalObjectReference` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LocalObjectReference {
    #[wire(pb = 1)]
    pub name: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ObjectReference` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ObjectReference {
    #[wire(pb = 1)]
    pub kind: Str,
    #[wire(pb = 2)]
    pub namespace: Str,
    #[wire(pb = 3)]
    pub name: Str,
    #[wire(pb = 4)]
    pub uid: Str,
    #[wire(pb = 5)]
    pub api_version: Str,
    #[wire(pb = 6)]
    pub resource_version: Str,
    #[wire(pb = 7)]
    pub field_path: Str,
    #[wire(extra)]
    pub extra: Extra,
}
