//! The kind `VolumeAttachment`.

use crate::{Extra, Map, Message, Object, Str, Time};

/// Cluster-scoped order to attach a volume to a node; deleting it asks for the detach.
///
/// The kind `VolumeAttachment` of `storage.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#volumeattachment-v1-storage).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "storage.k8s.io", version = "v1", cluster, status)]
#[wire(debug)]
pub struct VolumeAttachment {
    /// Object metadata; the finalizer of the attacher delays removal until the volume is detached.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Volume, node and responsible driver; immutable.
    #[wire(pb = 2, needed)]
    pub spec: VolumeAttachmentSpec,
    /// Outcome of the attach or detach, written by the `external-attacher`.
    #[wire(pb = 3)]
    pub status: VolumeAttachmentStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// The volume to attach; exactly one member is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeAttachmentSource {
    /// Name of the `PersistentVolume` to attach; excludes `inlineVolumeSpec`.
    #[wire(pb = 1)]
    pub persistent_volume_name: Option<Str>,
    /// Volume specification translated from an inline volume of a Pod, used only by CSI migration.
    #[wire(pb = 2)]
    pub inline_volume_spec: Option<Box<crate::core::v1::PersistentVolumeSpec>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// What is to be attached where, and by whom.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeAttachmentSpec {
    /// CSI driver name responsible for carrying out the request.
    #[wire(pb = 1, required)]
    pub attacher: Str,
    /// The volume to attach, persistent or migrated from an inline one.
    #[wire(pb = 2, needed)]
    pub source: VolumeAttachmentSource,
    /// Node to which the volume is attached.
    #[wire(pb = 3, required)]
    pub node_name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Progress of an attach or detach, reported by the attacher.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeAttachmentStatus {
    /// True once the volume is attached to the node.
    #[wire(pb = 1, required)]
    pub attached: bool,
    /// Publish context returned by a successful attach, handed on to the later mount calls.
    #[wire(pb = 2)]
    pub attachment_metadata: Map<Str>,
    /// Latest failure of the attach, cleared on success.
    #[wire(pb = 3)]
    pub attach_error: Option<Box<VolumeError>>,
    /// Latest failure of the detach, if any.
    #[wire(pb = 4)]
    pub detach_error: Option<Box<VolumeError>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Failure of an attach or detach operation.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeError {
    /// When the failure was met.
    #[wire(pb = 1, required, plain, needless)]
    pub time: Option<Time>,
    /// Description of the failure; may be logged and so must hold no secrets.
    #[wire(pb = 2)]
    pub message: Str,
    /// Numeric status of the failed gRPC call, such as 8 for exhausted resources.
    #[wire(pb = 3)]
    pub error_code: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
