//! The kind `RuntimeClass`.

use crate::{Extra, List, Map, Message, Object, Quantity, Str};

/// Names a container runtime configuration that pods can choose; cluster-scoped.
///
/// The kind `RuntimeClass` of `node.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#runtimeclass-v1-node).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "node.k8s.io", version = "v1", plural = "runtimeclasses", cluster)]
#[wire(debug)]
pub struct RuntimeClass {
    /// Name that pods use in `runtimeClassName`.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Name of the runtime configuration in the node's CRI implementation; a lower-case DNS label, required
    /// and immutable.
    #[wire(pb = 2, required)]
    pub handler: Str,
    /// Extra resources that pods of this class consume; copied into them at admission.
    #[wire(pb = 3)]
    pub overhead: Option<Box<Overhead>>,
    /// Nodes on which the runtime is available; unset assumes all nodes.
    #[wire(pb = 4)]
    pub scheduling: Option<Box<Scheduling>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Resources that running a pod costs beyond those of its containers.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Overhead {
    /// Fixed amounts per pod, added to the requests for scheduling and quota.
    #[wire(pb = 1)]
    pub pod_fixed: Map<Quantity>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Placement constraints that a runtime class adds to its pods.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Scheduling {
    /// Node labels required by the runtime; merged with the pod's own, and a conflict rejects the pod.
    #[wire(pb = 1, map = "atomic")]
    pub node_selector: Map<Str>,
    /// Tolerations added to the pod at admission, leaving out duplicates.
    #[wire(pb = 2)]
    pub tolerations: List<crate::core::v1::Toleration>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
