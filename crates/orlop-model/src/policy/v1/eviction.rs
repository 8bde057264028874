//! The subresource `eviction`.

use crate::{Extra, Object};

/// The kind `Eviction` of `policy/v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(group = "policy", version = "v1")]
pub struct Eviction {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub delete_options: Option<Box<crate::meta::v1::DeleteOptions>>,
    #[wire(extra)]
    pub extra: Extra,
}
