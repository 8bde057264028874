//! The kind `CSIDriver`.

use super::{FSGroupPolicy, VolumeLifecycleMode};
use crate::{Extra, List, Message, Object, Str};

/// Cluster-scoped registration of a CSI driver that tells Kubernetes how to treat its volumes.
///
/// The kind `CSIDriver` of `storage.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#csidriver-v1-storage).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "storage.k8s.io", version = "v1", cluster)]
#[wire(debug)]
pub struct CSIDriver {
    /// Object metadata; `name` is the CSI driver name, at most 63 characters.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Capabilities and needs of the driver.
    #[wire(pb = 2, needed)]
    pub spec: CSIDriverSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// How Kubernetes has to work with a CSI driver.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CSIDriverSpec {
    /// Whether volumes need an attach step and so a `VolumeAttachment` before mounting; true by default,
    /// immutable.
    #[wire(pb = 1)]
    pub attach_required: Option<bool>,
    /// Whether the kubelet passes Pod name, namespace, UID and service account in the volume context; false
    /// by default.
    #[wire(pb = 2)]
    pub pod_info_on_mount: Option<bool>,
    /// Kinds of volumes that the driver supports; `Persistent` alone by default, immutable.
    #[wire(pb = 3, list = "set")]
    pub volume_lifecycle_modes: List<VolumeLifecycleMode>,
    /// Whether the scheduler must consult the driver's `CSIStorageCapacity` objects; false by default.
    #[wire(pb = 4)]
    pub storage_capacity: Option<bool>,
    /// When the kubelet applies the Pod's `fsGroup` to volume contents; `ReadWriteOnceWithFSType` by default.
    #[wire(pb = 5)]
    pub fs_group_policy: Option<FSGroupPolicy>,
    /// Service account tokens of the Pod that the kubelet hands over on mount, each with a distinct audience.
    #[wire(pb = 6)]
    pub token_requests: List<TokenRequest>,
    /// Whether `NodePublishVolume` is called again periodically to refresh a mounted volume; false by
    /// default.
    #[wire(pb = 7)]
    pub requires_republish: Option<bool>,
    /// Whether volumes may be mounted with the `-o context` option, one SELinux label per volume; false by
    /// default.
    #[wire(pb = 8)]
    pub se_linux_mount: Option<bool>,
    /// Seconds between refreshes of the driver's volume limit in `CSINode`, at least 10; unset keeps the
    /// limit static.
    #[wire(pb = 9)]
    pub node_allocatable_update_period_seconds: Option<i64>,
    /// Whether the requested tokens travel in the secrets of `NodePublishVolume`, not in the volume context;
    /// needs `tokenRequests`, false by default.
    #[wire(pb = 10)]
    pub service_account_token_in_secrets: Option<bool>,
    /// Whether the scheduler avoids nodes without this driver for Pods that need its volumes; alpha, false by
    /// default.
    #[wire(pb = 11)]
    pub prevent_pod_scheduling_if_missing: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Properties of a service account token that a CSI driver wants to receive on mount.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TokenRequest {
    /// Intended recipient of the token; empty means the audience of the API server.
    #[wire(pb = 1, required)]
    pub audience: Str,
    /// Wanted lifetime of the token in seconds, at least 600; 3600 when unset.
    #[wire(pb = 2)]
    pub expiration_seconds: Option<i64>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
