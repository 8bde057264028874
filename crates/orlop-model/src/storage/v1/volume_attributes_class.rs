//! The kind `VolumeAttributesClass`.

use crate::{Extra, Map, Object, Str};

/// Cluster-scoped set of changeable volume properties, such as IOPS, offered by a CSI driver.
///
/// The kind `VolumeAttributesClass` of `storage.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#volumeattributesclass-v1-storage).
#[derive(Clone, Default, PartialEq, Object)]
#[object(
    group = "storage.k8s.io",
    version = "v1",
    plural = "volumeattributesclasses",
    short = "vac",
    cluster
)]
#[wire(debug)]
pub struct VolumeAttributesClass {
    /// Object metadata; claims refer to the class by its name.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// CSI driver to which the parameters belong; immutable.
    #[wire(pb = 2, required)]
    pub driver_name: Str,
    /// Driver-specific volume properties; at least one, 512 at most and 256 KiB in total, immutable.
    #[wire(pb = 3)]
    pub parameters: Map<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
