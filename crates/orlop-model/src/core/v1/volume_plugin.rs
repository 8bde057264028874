//! Volumes of storage systems.

use super::{AzureDataDiskCachingMode, AzureDataDiskKind, LocalObjectReference};
use crate::{Extra, List, Map, Message, Str};

/// Mounts an AWS EBS disk; deprecated, with every operation handed to the `ebs.csi.aws.com` CSI driver.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct AWSElasticBlockStoreVolumeSource {
    /// Identifier that AWS gave the EBS disk, such as `vol-0abc123`; required.
    #[wire(name = "volumeID", pb = 1, required)]
    pub volume_id: Str,
    /// Filesystem expected on the disk, for example `ext4`, `xfs` or `ntfs`; taken as `ext4` when empty.
    #[wire(pb = 2)]
    pub fs_type: Str,
    /// Number of the partition to mount; 0, the default, mounts the whole disk.
    #[wire(pb = 3)]
    pub partition: i32,
    /// Mounts the disk read-only in every container of the pod; false by default.
    #[wire(pb = 4)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Mounts an Azure data disk; deprecated, with every operation handed to the `disk.csi.azure.com` CSI driver.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct AzureDiskVolumeSource {
    /// Name of the data disk in the Azure blob storage or resource group.
    #[wire(pb = 1, required)]
    pub disk_name: Str,
    /// URI of the blob, or the resource identifier of a managed disk.
    #[wire(name = "diskURI", pb = 2, required)]
    pub disk_uri: Str,
    /// Host caching for the disk: `None`, `ReadOnly` or `ReadWrite`; the API server fills in `ReadWrite`.
    #[wire(pb = 3, default = "\"ReadWrite\"")]
    pub caching_mode: Option<AzureDataDiskCachingMode>,
    /// Filesystem to mount, for example `ext4`, `xfs` or `ntfs`; defaults to `ext4`.
    #[wire(pb = 4, default = "\"ext4\"")]
    pub fs_type: Option<Str>,
    /// Mounts the disk read-only for all containers; defaults to false.
    #[wire(pb = 5, default = "false")]
    pub read_only: Option<bool>,
    /// Disk kind: `Shared` for several blobs per storage account, `Dedicated` for one, `Managed` for a
    /// managed disk; defaults to `Shared`.
    #[wire(pb = 6, default = "\"Shared\"")]
    pub kind: Option<AzureDataDiskKind>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Azure Files share mounted straight into a pod; deprecated, served by the `file.csi.azure.com` CSI driver.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct AzureFileVolumeSource {
    /// Name of the secret, in the namespace of the pod, with storage account name and key.
    #[wire(pb = 1, required)]
    pub secret_name: Str,
    /// Name of the Azure Files share to mount.
    #[wire(pb = 2, required)]
    pub share_name: Str,
    /// Mounts the share read-only; false by default.
    #[wire(pb = 3)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// CephFS share mounted straight into a pod; deprecated, and the in-tree plugin was removed in Kubernetes
/// 1.31.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CephFSVolumeSource {
    /// Addresses of the Ceph monitors; at least one is required.
    #[wire(pb = 1, required)]
    pub monitors: List<Str>,
    /// Directory within the CephFS tree used as root of the mount; defaults to `/`.
    #[wire(pb = 2)]
    pub path: Str,
    /// RADOS user for authentication; defaults to `admin`.
    #[wire(pb = 3)]
    pub user: Str,
    /// Path on the node of the keyring of the user; defaults to `/etc/ceph/user.secret`.
    #[wire(pb = 4)]
    pub secret_file: Str,
    /// Secret in the namespace of the pod with the authentication key; takes precedence over `secretFile`.
    #[wire(pb = 5, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    /// Mounts the share read-only; false by default.
    #[wire(pb = 6)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// OpenStack Cinder disk mounted straight into a pod; deprecated, served by the `cinder.csi.openstack.org`
/// CSI driver.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CinderVolumeSource {
    /// Identifier of the volume in OpenStack Cinder; required.
    #[wire(name = "volumeID", pb = 1, required)]
    pub volume_id: Str,
    /// Filesystem on the disk, for example `ext4` or `xfs`; taken as `ext4` when empty.
    #[wire(pb = 2)]
    pub fs_type: Str,
    /// Mounts the disk read-only; false by default.
    #[wire(pb = 3)]
    pub read_only: bool,
    /// Secret in the namespace of the pod holding the parameters for connecting to OpenStack.
    #[wire(pb = 4, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Fibre Channel LUN mounted from the node, by target names or world wide identifiers.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct FCVolumeSource {
    /// World wide names of the targets; needs `lun` and excludes `wwids`.
    #[wire(name = "targetWWNs", pb = 1)]
    pub target_wwns: List<Str>,
    /// Logical unit number on the targets, 0 to 255; required with `targetWWNs`.
    #[wire(pb = 2)]
    pub lun: Option<i32>,
    /// Filesystem on the device, for example `ext4` or `xfs`; taken as `ext4` when empty.
    #[wire(pb = 3)]
    pub fs_type: Str,
    /// Mounts the device read-only; false by default.
    #[wire(pb = 4)]
    pub read_only: bool,
    /// World wide identifiers of the volume, in place of `targetWWNs` and `lun`.
    #[wire(pb = 5)]
    pub wwids: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Volume served by an executable driver installed on the nodes; deprecated in favour of CSI.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct FlexVolumeSource {
    /// Name of the driver as vendor and name, such as `example.com/nfs`; required.
    #[wire(pb = 1, required)]
    pub driver: Str,
    /// Filesystem to mount, for example `ext4` or `xfs`; when empty the driver decides.
    #[wire(pb = 2)]
    pub fs_type: Str,
    /// Secret in the namespace of the pod whose entries are all passed to the driver.
    #[wire(pb = 3, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    /// Mounts the volume read-only; false by default.
    #[wire(pb = 4)]
    pub read_only: bool,
    /// Additional parameters for the driver, by name.
    #[wire(pb = 5)]
    pub options: Map<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Dataset of the Flocker service; deprecated, and its plugin was removed in Kubernetes 1.25.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct FlockerVolumeSource {
    /// Dataset by its name, as found in the Flocker metadata; excludes `datasetUUID`.
    #[wire(pb = 1)]
    pub dataset_name: Str,
    /// Dataset by its unique identifier; excludes `datasetName`.
    #[wire(name = "datasetUUID", pb = 2)]
    pub dataset_uuid: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Mounts a Google Compute Engine disk; deprecated, served by the `pd.csi.storage.gke.io` CSI driver.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct GCEPersistentDiskVolumeSource {
    /// Name of the disk in Compute Engine; required.
    #[wire(pb = 1, required)]
    pub pd_name: Str,
    /// Filesystem on the disk, for example `ext4`, `xfs` or `ntfs`; taken as `ext4` when empty.
    #[wire(pb = 2)]
    pub fs_type: Str,
    /// Number of the partition to mount; 0, the default, mounts the whole disk.
    #[wire(pb = 3)]
    pub partition: i32,
    /// Mounts the disk read-only, as needed to attach it to several nodes at once; false by default.
    #[wire(pb = 4)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Directory filled by cloning a Git repository; deprecated, and turned off in current kubelets for its
/// security risks.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct GitRepoVolumeSource {
    /// URL of the repository to clone; required.
    #[wire(pb = 1, required)]
    pub repository: Str,
    /// Commit hash to check out; the head of the default branch when empty.
    #[wire(pb = 2)]
    pub revision: Str,
    /// Subdirectory receiving the clone, without `..`; `.` clones straight into the volume.
    #[wire(pb = 3)]
    pub directory: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// GlusterFS volume mounted straight into a pod; deprecated, and its plugin was removed in Kubernetes 1.26.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct GlusterfsVolumeSource {
    /// Name of the `Endpoints` object in the namespace of the pod listing the Gluster servers; required.
    #[wire(pb = 1, required)]
    pub endpoints: Str,
    /// Name of the Gluster volume; required.
    #[wire(pb = 2, required)]
    pub path: Str,
    /// Mounts the volume read-only; false by default.
    #[wire(pb = 3)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Disk on an iSCSI target mounted straight into a pod, attached by its node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ISCSIVolumeSource {
    /// Address of the target, as IP or IP with port; the port is 3260 unless given.
    #[wire(pb = 1, required)]
    pub target_portal: Str,
    /// Qualified name of the target, in `iqn`, `eui` or `naa` form; required.
    #[wire(pb = 2, required)]
    pub iqn: Str,
    /// Logical unit number on the target, 0 to 255.
    #[wire(pb = 3, required)]
    pub lun: i32,
    /// Interface of iSCSI used by the initiator; defaults to `default`, which is plain TCP.
    #[wire(pb = 4, default = "\"default\"")]
    pub iscsi_interface: Str,
    /// Filesystem on the disk, for example `ext4` or `xfs`; taken as `ext4` when empty.
    #[wire(pb = 5)]
    pub fs_type: Str,
    /// Mounts the disk read-only; false by default.
    #[wire(pb = 6)]
    pub read_only: bool,
    /// Further portals for multipath access, with port 3260 unless given.
    #[wire(pb = 7)]
    pub portals: List<Str>,
    /// Whether target discovery authenticates by CHAP; false by default.
    #[wire(pb = 8)]
    pub chap_auth_discovery: bool,
    /// Whether the session authenticates by CHAP; false by default.
    #[wire(pb = 11)]
    pub chap_auth_session: bool,
    /// Secret in the namespace of the pod holding the CHAP names and passwords of target and initiator.
    #[wire(pb = 10, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    /// Initiator name of its own in place of that of the node; a new interface is created for it.
    #[wire(pb = 12)]
    pub initiator_name: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Directory exported by an NFS server.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NFSVolumeSource {
    /// Host name or IP address of the NFS server; required.
    #[wire(pb = 1, required)]
    pub server: Str,
    /// Exported path on the server, absolute; required.
    #[wire(pb = 2, required)]
    pub path: Str,
    /// Mounts the export read-only; false by default.
    #[wire(pb = 3)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Reference to a disk of the VMware Photon Controller, a platform that is no longer supported.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PhotonPersistentDiskVolumeSource {
    /// Identifier of the Photon Controller disk.
    #[wire(name = "pdID", pb = 1, required)]
    pub pd_id: Str,
    /// Filesystem to mount, which the node must support, e.g. `ext4` (taken when empty) or `xfs`.
    #[wire(pb = 2)]
    pub fs_type: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Reference to a Portworx volume; in-tree access is redirected to the CSI driver.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PortworxVolumeSource {
    /// Identifier of the Portworx volume; required.
    #[wire(name = "volumeID", pb = 1, required)]
    pub volume_id: Str,
    /// Filesystem to mount, supported by the node, e.g. `xfs`; empty means `ext4`.
    #[wire(pb = 2)]
    pub fs_type: Str,
    /// Forces a read-only mount in all containers; default `false`.
    #[wire(pb = 3)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Reference to a Quobyte volume; deprecated, its in-tree plugin was removed in Kubernetes 1.25.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct QuobyteVolumeSource {
    /// Quobyte registry services as `host:port`, several separated by commas.
    #[wire(pb = 1, required)]
    pub registry: Str,
    /// Name of an existing Quobyte volume.
    #[wire(pb = 2, required)]
    pub volume: Str,
    /// Forces a read-only mount; default `false`.
    #[wire(pb = 3)]
    pub read_only: bool,
    /// Account to which access is mapped; default is the service account user.
    #[wire(pb = 4)]
    pub user: Str,
    /// Group to which access is mapped; default is no group.
    #[wire(pb = 5)]
    pub group: Str,
    /// Quobyte tenant owning the volume; set by the plugin for dynamically provisioned ones.
    #[wire(pb = 6)]
    pub tenant: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Ceph RBD image used directly in a Pod; deprecated, its in-tree plugin was removed in Kubernetes 1.31.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct RBDVolumeSource {
    /// Addresses of the Ceph monitors; at least one.
    #[wire(pb = 1, required)]
    pub monitors: List<Str>,
    /// Name of the RADOS block device image within the pool.
    #[wire(pb = 2, required)]
    pub image: Str,
    /// Filesystem on the image, supported by the node, e.g. `xfs`; empty means `ext4`.
    #[wire(pb = 3)]
    pub fs_type: Str,
    /// Ceph pool that holds the image; default `rbd`.
    #[wire(pb = 4, default = "\"rbd\"")]
    pub pool: Str,
    /// Ceph user name for authentication; default `admin`.
    #[wire(pb = 5, default = "\"admin\"")]
    pub user: Str,
    /// Path of the user's key ring on the node; default `/etc/ceph/keyring`.
    #[wire(pb = 6, default = "\"/etc/ceph/keyring\"")]
    pub keyring: Str,
    /// Secret in the Pod's namespace holding the user's key; replaces `keyring` when set.
    #[wire(pb = 7, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    /// Forces a read-only mount; default `false`.
    #[wire(pb = 8)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// ScaleIO volume used directly in a Pod; deprecated, its in-tree plugin has been removed.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ScaleIOVolumeSource {
    /// Address of the ScaleIO API gateway.
    #[wire(pb = 1, required)]
    pub gateway: Str,
    /// Name of the storage system as configured in ScaleIO.
    #[wire(pb = 2, required)]
    pub system: Str,
    /// Secret in the Pod's namespace holding the login user and password; required, else logging in fails.
    #[wire(pb = 3, required, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    /// Talks to the gateway over TLS; default `false`.
    #[wire(pb = 4)]
    pub ssl_enabled: bool,
    /// ScaleIO protection domain the storage belongs to.
    #[wire(pb = 5)]
    pub protection_domain: Str,
    /// ScaleIO pool, within the protection domain, that holds the volume.
    #[wire(pb = 6)]
    pub storage_pool: Str,
    /// Provisioning of the volume: `ThinProvisioned` (default) or `ThickProvisioned`.
    #[wire(pb = 7, default = "\"ThinProvisioned\"")]
    pub storage_mode: Str,
    /// Name of a volume that already exists in the ScaleIO system.
    #[wire(pb = 8)]
    pub volume_name: Str,
    /// Filesystem to mount, supported by the node, e.g. `ext4`; default `xfs`.
    #[wire(pb = 9, default = "\"xfs\"")]
    pub fs_type: Str,
    /// Forces a read-only mount; default `false`.
    #[wire(pb = 10)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// StorageOS volume used directly in a Pod; deprecated, its in-tree plugin was removed in Kubernetes 1.25.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct StorageOSVolumeSource {
    /// Name of the StorageOS volume, unique within its StorageOS namespace.
    #[wire(pb = 1)]
    pub volume_name: Str,
    /// StorageOS namespace of the volume; empty takes the Pod's namespace name, `default` when namespaces are
    /// not used.
    #[wire(pb = 2)]
    pub volume_namespace: Str,
    /// Filesystem to mount, supported by the node, e.g. `xfs`; empty means `ext4`.
    #[wire(pb = 3)]
    pub fs_type: Str,
    /// Forces a read-only mount; default `false`.
    #[wire(pb = 4)]
    pub read_only: bool,
    /// Secret in the Pod's namespace with the StorageOS API credentials; unset tries default values.
    #[wire(pb = 5, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Reference to a vSphere virtual disk (VMDK); in-tree access is redirected to the CSI driver.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VsphereVirtualDiskVolumeSource {
    /// Path of the disk in its datastore, e.g. `[datastore1] volumes/myDisk.vmdk`.
    #[wire(pb = 1, required)]
    pub volume_path: Str,
    /// Filesystem to mount, supported by the node, e.g. `xfs`; empty means `ext4`.
    #[wire(pb = 2)]
    pub fs_type: Str,
    /// Name of the storage policy profile (SPBM) the disk follows.
    #[wire(pb = 3)]
    pub storage_policy_name: Str,
    /// Identifier of the storage policy profile belonging to `storagePolicyName`.
    #[wire(name = "storagePolicyID", pb = 4)]
    pub storage_policy_id: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
