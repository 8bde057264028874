//! PersistentVolumes and their claims.

use super::{
    ClaimResourceStatus, ConditionStatus, NodeSelector, ObjectReference, PersistentVolumeAccessMode,
    PersistentVolumeClaimConditionType, PersistentVolumeClaimModifyVolumeStatus, PersistentVolumeClaimPhase,
    PersistentVolumeMode, PersistentVolumePhase, PersistentVolumeReclaimPolicy, PersistentVolumeSource,
    TypedLocalObjectReference, TypedObjectReference,
};
use crate::{Extra, List, Map, Message, Object, Quantity, Str, Time};

/// A piece of storage in the cluster, provisioned by hand or on demand, that outlives the pods using it.
///
/// The kind `PersistentVolume` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#persistentvolume-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", short = "pv", cluster, status)]
#[wire(debug)]
pub struct PersistentVolume {
    /// Standard object metadata; persistent volumes belong to no namespace.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Capacity, access modes and backing storage of the volume, set by administrators or provisioners.
    #[wire(pb = 2)]
    pub spec: PersistentVolumeSpec,
    /// Phase of the volume, written by the system.
    #[wire(pb = 3)]
    pub status: PersistentVolumeStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Request of a user for storage, to be bound to a persistent volume.
///
/// The kind `PersistentVolumeClaim` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#persistentvolumeclaim-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", short = "pvc", status)]
#[wire(debug)]
pub struct PersistentVolumeClaim {
    /// Standard object metadata with name, namespace, labels and annotations.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Storage that is asked for: size, access modes and class.
    #[wire(pb = 2)]
    pub spec: PersistentVolumeClaimSpec,
    /// Binding phase and actual properties of the storage, written by controllers and the kubelet.
    #[wire(pb = 3)]
    pub status: PersistentVolumeClaimStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Progress of changing the attributes class of a volume.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ModifyVolumeStatus {
    /// Name of the `VolumeAttributesClass` being applied at the moment.
    #[wire(pb = 1)]
    pub target_volume_attributes_class_name: Str,
    /// Stage reached: `Pending`, `InProgress` or `Infeasible`; required.
    #[wire(pb = 2, required)]
    pub status: PersistentVolumeClaimModifyVolumeStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One observation on a claim, mostly on resizing or modification.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PersistentVolumeClaimCondition {
    /// What the condition is about, such as `Resizing` or `FileSystemResizePending`; required.
    #[wire(pb = 1, required)]
    pub type_: PersistentVolumeClaimConditionType,
    /// Truth value `True`, `False` or `Unknown`; required.
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    /// Time at which the condition was last checked.
    #[wire(pb = 3, required, plain, needless)]
    pub last_probe_time: Option<Time>,
    /// Time at which `status` last changed.
    #[wire(pb = 4, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// Brief cause of the last change in CamelCase.
    #[wire(pb = 5)]
    pub reason: Str,
    /// Human-readable details of the last change.
    #[wire(pb = 6)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Storage asked for by a claim; mostly immutable once bound.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PersistentVolumeClaimSpec {
    /// Ways in which the volume shall be mountable; at least one is required.
    #[wire(pb = 1)]
    pub access_modes: List<PersistentVolumeAccessMode>,
    /// Labels a volume must carry to be considered for binding; rules out dynamic provisioning.
    #[wire(pb = 4, map = "atomic")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Least amount of `storage` needed; may be raised later where the storage class allows expansion.
    #[wire(pb = 2)]
    pub resources: VolumeResourceRequirements,
    /// Persistent volume bound to the claim, set by the binder, or beforehand to demand a certain volume.
    #[wire(pb = 3)]
    pub volume_name: Str,
    /// Storage class to provision from; unset takes the default class, the empty string only volumes without
    /// class.
    #[wire(pb = 5)]
    pub storage_class_name: Option<Str>,
    /// Whether the volume carries a filesystem or is a raw block device; defaults to `Filesystem`.
    #[wire(pb = 6)]
    pub volume_mode: Option<PersistentVolumeMode>,
    /// Snapshot or claim of the same namespace to fill the volume from; kept equal to `dataSourceRef` where
    /// possible.
    #[wire(pb = 7, map = "atomic")]
    pub data_source: Option<Box<TypedLocalObjectReference>>,
    /// Object to fill the volume from, of any kind with a populator; may name another namespace behind an
    /// alpha gate.
    #[wire(pb = 8)]
    pub data_source_ref: Option<Box<TypedObjectReference>>,
    /// Class of mutable attributes applied by the CSI driver; unlike the storage class, may be changed later.
    #[wire(pb = 9)]
    pub volume_attributes_class_name: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Current state of a claim.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PersistentVolumeClaimStatus {
    /// Binding stage: `Pending` until bound, then `Bound`; `Lost` when the volume has vanished.
    #[wire(pb = 1)]
    pub phase: PersistentVolumeClaimPhase,
    /// Access modes the bound volume really has.
    #[wire(pb = 2)]
    pub access_modes: List<PersistentVolumeAccessMode>,
    /// Actual size of the bound volume, under `storage`.
    #[wire(pb = 3)]
    pub capacity: Map<Quantity>,
    /// Observations such as a resize under way; for resizing, `Resizing` marks an expansion in progress.
    #[wire(pb = 4, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<PersistentVolumeClaimCondition>,
    /// Size that an expansion is heading for, which may exceed `capacity` and counts for quota.
    #[wire(pb = 5)]
    pub allocated_resources: Map<Quantity>,
    /// Stage of resizing by resource name; no entry when no resize is under way.
    #[wire(pb = 7)]
    pub allocated_resource_statuses: Map<ClaimResourceStatus>,
    /// Attributes class in force on the volume; unset if none has been applied.
    #[wire(pb = 8)]
    pub current_volume_attributes_class_name: Option<Str>,
    /// Progress of the change to another attributes class; unset when none is under way.
    #[wire(pb = 9)]
    pub modify_volume_status: Option<Box<ModifyVolumeStatus>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Pattern from which the claim of an ephemeral volume is made.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PersistentVolumeClaimTemplate {
    /// Labels and annotations copied to the claim; other metadata fields are refused.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Specification copied unchanged to the claim; required.
    #[wire(pb = 2, needed)]
    pub spec: PersistentVolumeClaimSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Desired properties of a persistent volume: size, backing storage, access, reclaiming and binding.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PersistentVolumeSpec {
    /// Size of the volume, a quantity in bytes under the key `storage`.
    #[wire(pb = 1)]
    pub capacity: Map<Quantity>,
    /// Gives the backing storage; its single chosen member appears directly among the fields of the spec.
    #[wire(inline, pb = 2)]
    pub source: PersistentVolumeSource,
    /// All the ways the volume may be mounted, e.g. `ReadWriteOnce`; a claim must ask for a subset.
    #[wire(pb = 3)]
    pub access_modes: List<PersistentVolumeAccessMode>,
    /// The claim bound to this volume; the PV controller fills it in, or an administrator to reserve the
    /// volume.
    #[wire(pb = 4, map = "atomic")]
    pub claim_ref: Option<Box<ObjectReference>>,
    /// Fate of the volume after release; default `Retain` when made by hand, for provisioned volumes the
    /// class's policy (normally `Delete`).
    #[wire(pb = 5)]
    pub persistent_volume_reclaim_policy: PersistentVolumeReclaimPolicy,
    /// Name of the `StorageClass` the volume belongs to; empty means no class, so only classless claims
    /// match.
    #[wire(pb = 6)]
    pub storage_class_name: Str,
    /// Mount flags such as `ro` or `soft` passed on unchecked; a wrong one makes the mount fail.
    #[wire(pb = 7)]
    pub mount_options: List<Str>,
    /// Raw device or filesystem, matched against the claim; default `Filesystem`.
    #[wire(pb = 8)]
    pub volume_mode: Option<PersistentVolumeMode>,
    /// Limits the nodes that can reach the volume; the scheduler places Pods using it only there.
    #[wire(pb = 9)]
    pub node_affinity: Option<Box<VolumeNodeAffinity>>,
    /// Name of the `VolumeAttributesClass` currently applied to the volume; empty or unset when none is; for
    /// CSI volumes only.
    #[wire(pb = 10)]
    pub volume_attributes_class_name: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed binding state of a persistent volume, written by the system.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PersistentVolumeStatus {
    /// Whether the volume is free, bound to a claim, released by it or failed; API server default `Pending`.
    #[wire(pb = 1)]
    pub phase: PersistentVolumePhase,
    /// Human-readable detail on why the volume is in its present phase.
    #[wire(pb = 2)]
    pub message: Str,
    /// Short CamelCase word for a failure, meant for machines and command-line output.
    #[wire(pb = 3)]
    pub reason: Str,
    /// Moment `phase` last changed, set by the API server to the current time.
    #[wire(pb = 4)]
    pub last_phase_transition_time: Option<Time>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Nodes from which a persistent volume can be reached.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeNodeAffinity {
    /// Node selector that must match for a Pod using the volume to be placed there.
    #[wire(pb = 1, map = "atomic")]
    pub required: Option<Box<NodeSelector>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Storage size a volume claim asks for and may have at most.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeResourceRequirements {
    /// Most storage in bytes the claim may get, under the key `storage`.
    #[wire(pb = 1)]
    pub limits: Map<Quantity>,
    /// Least storage in bytes the claim needs, under the key `storage`; may grow where expansion is allowed.
    #[wire(pb = 2)]
    pub requests: Map<Quantity>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
