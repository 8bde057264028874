//! The kind `StorageClass`.

use super::VolumeBindingMode;
use crate::{Extra, List, Map, Object, Str};

/// Cluster-scoped template from which volumes are provisioned dynamically.
///
/// The kind `StorageClass` of `storage.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#storageclass-v1-storage).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "storage.k8s.io", version = "v1", plural = "storageclasses", short = "sc", cluster)]
#[wire(debug)]
pub struct StorageClass {
    /// Object metadata; the annotation `storageclass.kubernetes.io/is-default-class` marks the default class.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Driver or plugin that creates the volumes, such as a CSI driver name; immutable.
    #[wire(pb = 2, required)]
    pub provisioner: Str,
    /// Options for the provisioner, opaque to Kubernetes; immutable.
    #[wire(pb = 3)]
    pub parameters: Map<Str>,
    /// Reclaim policy given to the created volumes, `Delete` or `Retain`; `Delete` by default, immutable.
    #[wire(pb = 4)]
    pub reclaim_policy: Option<crate::core::v1::PersistentVolumeReclaimPolicy>,
    /// Mount options given to the created volumes; unchecked, an invalid one makes mounting fail.
    #[wire(pb = 5)]
    pub mount_options: List<Str>,
    /// Whether claims of the class may be enlarged; unset means no.
    #[wire(pb = 6)]
    pub allow_volume_expansion: Option<bool>,
    /// When claims are provisioned and bound; `Immediate` by default, immutable.
    #[wire(pb = 7)]
    pub volume_binding_mode: Option<VolumeBindingMode>,
    /// Topologies in which volumes may be created; empty means no restriction.
    #[wire(pb = 8)]
    pub allowed_topologies: List<crate::core::v1::TopologySelectorTerm>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
