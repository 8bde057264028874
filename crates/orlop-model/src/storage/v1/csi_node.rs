//! The kind `CSINode`.

use crate::{Extra, List, Message, Object, Str};

/// Cluster-scoped record, kept by the kubelet, of the CSI drivers registered on one node.
///
/// The kind `CSINode` of `storage.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#csinode-v1-storage).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "storage.k8s.io", version = "v1", cluster)]
#[wire(debug)]
pub struct CSINode {
    /// Object metadata; `name` equals the node name and the `Node` is the owner.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The drivers found on the node.
    #[wire(pb = 2, needed)]
    pub spec: CSINodeSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Registration data of one CSI driver on one node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CSINodeDriver {
    /// CSI driver name, the same as that of its `CSIDriver` object.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Identifier of the node in the storage system of the driver.
    #[wire(name = "nodeID", pb = 2, required)]
    pub node_id: Str,
    /// Node label keys that the driver uses for topology; empty without topology support.
    #[wire(pb = 3, required, needless)]
    pub topology_keys: List<Str>,
    /// Volume limits of the driver on this node, for the scheduler.
    #[wire(pb = 4)]
    pub allocatable: Option<Box<VolumeNodeResources>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// CSI drivers of one node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CSINodeSpec {
    /// Registered drivers, keyed by name; empty once all are uninstalled.
    #[wire(pb = 1, required, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub drivers: List<CSINodeDriver>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Limits for the volumes of one driver on one node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeNodeResources {
    /// Highest number of distinct volumes usable on the node; unset means no limit.
    #[wire(pb = 1)]
    pub count: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
