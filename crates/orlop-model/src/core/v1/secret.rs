//! Secrets.

use super::SecretType;
use crate::{ByteString, Extra, Map, Object, Str};

/// The kind `Secret` of `v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(version = "v1")]
pub struct Secret {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 5)]
    pub immutable: Option<bool>,
    #[wire(pb = 2)]
    pub data: Map<ByteString>,
    #[wire(pb = 4)]
    pub string_data: Map<Str>,
    #[wire(pb = 3)]
    pub type_: SecretType,
    #[wire(extra)]
    pub extra: Extra,
}
