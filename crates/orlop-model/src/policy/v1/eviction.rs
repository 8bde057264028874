//! The subresource `eviction`.

use crate::{Extra, Object};

/// Request to remove a pod while honouring disruption budgets, posted to its `eviction` subresource.
///
/// The kind `Eviction` of `policy/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#eviction-v1-policy).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "policy", version = "v1")]
#[wire(debug)]
pub struct Eviction {
    /// Name and namespace of the pod to evict.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Options for the deletion that follows, such as grace period or dry run.
    #[wire(pb = 2)]
    pub delete_options: Option<Box<crate::meta::v1::DeleteOptions>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
