//! The kind `CSIStorageCapacity`.

use crate::{Extra, Object, Quantity, Str};

/// Free storage that a CSI driver reports for one storage class in one topology segment.
///
/// The kind `CSIStorageCapacity` of `storage.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#csistoragecapacity-v1-storage).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "storage.k8s.io", version = "v1", plural = "csistoragecapacities")]
#[wire(debug)]
pub struct CSIStorageCapacity {
    /// Object metadata; the name carries no meaning and is usually generated.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Nodes that can reach this storage; unset means none, an empty selector means all.
    #[wire(pb = 2, map = "atomic")]
    pub node_topology: Option<Box<crate::meta::v1::LabelSelector>>,
    /// `StorageClass` to which the report applies; required and immutable.
    #[wire(pb = 3, required)]
    pub storage_class_name: Str,
    /// Free space in bytes by the driver's last `GetCapacity` answer; unset means unknown and counts as none.
    #[wire(pb = 4)]
    pub capacity: Option<Quantity>,
    /// Largest single volume, in bytes, that can be created in the segment; unset when the driver does not
    /// report it.
    #[wire(pb = 5)]
    pub maximum_volume_size: Option<Quantity>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
