//! Bindings.

use super::ObjectReference;
use crate::{Extra, Object};

/// Request to place a pod on a node, written by schedulers through the `binding` subresource of the pod.
///
/// The kind `Binding` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#binding-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", verbs = "create")]
#[wire(debug)]
pub struct Binding {
    /// Name and namespace of the pod to bind, with optional annotations and labels.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The node that shall run the pod; its `kind` is `Node` or empty.
    #[wire(pb = 2, needed, map = "atomic")]
    pub target: ObjectReference,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
