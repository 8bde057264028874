//! Parts of core/v1.

use super::{
    AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, FCVolumeSource, FlockerVolumeSource,
    GCEPersistentDiskVolumeSource, HostPathVolumeSource, LocalVolumeSource, NFSVolumeSource, ObjectReference,
    PhotonPersistentDiskVolumeSource, PortworxVolumeSource, QuobyteVolumeSource, SecretReference,
    VsphereVirtualDiskVolumeSource,
};
use crate::{Extra, List, Map, Message, Str};

/// Azure Files share behind a persistent volume; deprecated, served by the `file.csi.azure.com` CSI driver.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct AzureFilePersistentVolumeSource {
    /// Name of the secret holding the name and the key of the Azure storage account.
    #[wire(pb = 1, required)]
    pub secret_name: Str,
    /// Name of the Azure Files share to mount.
    #[wire(pb = 2, required)]
    pub share_name: Str,
    /// Mounts the share read-only; false by default.
    #[wire(pb = 3)]
    pub read_only: bool,
    /// Namespace of the credentials secret; when unset, the namespace of the claim bound to the volume.
    #[wire(pb = 4, required, needless)]
    pub secret_namespace: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Persistent storage that an external driver serves through the Container Storage Interface.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CSIPersistentVolumeSource {
    /// Name of the CSI driver responsible for the volume, as the driver reports it; required, at most 63
    /// characters.
    #[wire(pb = 1, required)]
    pub driver: Str,
    /// Identifier the driver returned when the volume was created; passed in every later call and never
    /// changed.
    #[wire(pb = 2, required)]
    pub volume_handle: Str,
    /// Asks the driver to publish the volume to nodes read-only; false by default.
    #[wire(pb = 3)]
    pub read_only: bool,
    /// Filesystem to format and mount, for example `ext4` or `xfs`; when empty the driver decides.
    #[wire(pb = 4)]
    pub fs_type: Str,
    /// Opaque static properties of the volume, handed to the driver as its volume context.
    #[wire(pb = 5)]
    pub volume_attributes: Map<Str>,
    /// Secret passed to the driver when the volume is attached to or detached from a node.
    #[wire(pb = 6, map = "atomic")]
    pub controller_publish_secret_ref: Option<Box<SecretReference>>,
    /// Secret passed to the driver when a node stages the volume, ahead of mounting it for pods.
    #[wire(pb = 7, map = "atomic")]
    pub node_stage_secret_ref: Option<Box<SecretReference>>,
    /// Secret passed to the driver when a node mounts the volume for a pod.
    #[wire(pb = 8, map = "atomic")]
    pub node_publish_secret_ref: Option<Box<SecretReference>>,
    /// Secret passed to the driver when its controller part enlarges the volume.
    #[wire(pb = 9, map = "atomic")]
    pub controller_expand_secret_ref: Option<Box<SecretReference>>,
    /// Secret passed to the driver when the node enlarges the volume or its filesystem.
    #[wire(pb = 10, map = "atomic")]
    pub node_expand_secret_ref: Option<Box<SecretReference>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// CephFS share behind a persistent volume; deprecated, and the in-tree plugin was removed in Kubernetes
/// 1.31.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CephFSPersistentVolumeSource {
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
    /// Secret with the authentication key of the user; takes precedence over `secretFile`.
    #[wire(pb = 5, map = "atomic")]
    pub secret_ref: Option<Box<SecretReference>>,
    /// Mounts the share read-only; false by default.
    #[wire(pb = 6)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// OpenStack Cinder disk behind a persistent volume; deprecated, served by the `cinder.csi.openstack.org` CSI
/// driver.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CinderPersistentVolumeSource {
    /// Identifier of the volume in OpenStack Cinder; required.
    #[wire(name = "volumeID", pb = 1, required)]
    pub volume_id: Str,
    /// Filesystem on the disk, for example `ext4` or `xfs`; taken as `ext4` when empty.
    #[wire(pb = 2)]
    pub fs_type: Str,
    /// Mounts the disk read-only; false by default.
    #[wire(pb = 3)]
    pub read_only: bool,
    /// Secret, with its namespace, holding the parameters for connecting to OpenStack.
    #[wire(pb = 4, map = "atomic")]
    pub secret_ref: Option<Box<SecretReference>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Persistent volume served by an executable driver installed on the nodes; deprecated in favour of CSI.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct FlexPersistentVolumeSource {
    /// Name of the driver as vendor and name, such as `example.com/nfs`; required.
    #[wire(pb = 1, required)]
    pub driver: Str,
    /// Filesystem to mount, for example `ext4` or `xfs`; when empty the driver decides.
    #[wire(pb = 2)]
    pub fs_type: Str,
    /// Secret, with its namespace, whose entries are all passed to the driver.
    #[wire(pb = 3, map = "atomic")]
    pub secret_ref: Option<Box<SecretReference>>,
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

/// GlusterFS volume behind a persistent volume; deprecated, and its plugin was removed in Kubernetes 1.26.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct GlusterfsPersistentVolumeSource {
    /// Name of the `Endpoints` object listing the Gluster servers; required.
    #[wire(pb = 1, required)]
    pub endpoints: Str,
    /// Name of the Gluster volume; required.
    #[wire(pb = 2, required)]
    pub path: Str,
    /// Mounts the volume read-only; false by default.
    #[wire(pb = 3)]
    pub read_only: bool,
    /// Namespace of the `Endpoints` object; when unset, that of the bound claim.
    #[wire(pb = 4)]
    pub endpoints_namespace: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Disk on an iSCSI target behind a persistent volume, attached and mounted by the node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ISCSIPersistentVolumeSource {
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
    /// Secret, with its namespace, holding the CHAP names and passwords of target and initiator.
    #[wire(pb = 10, map = "atomic")]
    pub secret_ref: Option<Box<SecretReference>>,
    /// Initiator name of its own in place of that of the node; a new interface is created for it.
    #[wire(pb = 12)]
    pub initiator_name: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// The storage backing a persistent volume; exactly one member is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PersistentVolumeSource {
    /// Google Compute Engine disk attached to the node; deprecated, calls are redirected to the CSI driver
    /// `pd.csi.storage.gke.io`.
    #[wire(pb = 1)]
    pub gce_persistent_disk: Option<Box<GCEPersistentDiskVolumeSource>>,
    /// AWS EBS disk attached to the node; deprecated, calls are redirected to the CSI driver
    /// `ebs.csi.aws.com`.
    #[wire(pb = 2)]
    pub aws_elastic_block_store: Option<Box<AWSElasticBlockStoreVolumeSource>>,
    /// Directory or file of a node's own filesystem, meant for single-node development and tests only.
    #[wire(pb = 3)]
    pub host_path: Option<Box<HostPathVolumeSource>>,
    /// Gluster volume; deprecated, its in-tree plugin was removed in Kubernetes 1.26.
    #[wire(pb = 4)]
    pub glusterfs: Option<Box<GlusterfsPersistentVolumeSource>>,
    /// Export of an NFS server that is mounted on the node.
    #[wire(pb = 5)]
    pub nfs: Option<Box<NFSVolumeSource>>,
    /// Ceph RADOS block device; deprecated, its in-tree plugin was removed in Kubernetes 1.31.
    #[wire(pb = 6)]
    pub rbd: Option<Box<RBDPersistentVolumeSource>>,
    /// Disk on an iSCSI target to which the node's initiator logs in, set up by an administrator.
    #[wire(pb = 7)]
    pub iscsi: Option<Box<ISCSIPersistentVolumeSource>>,
    /// OpenStack Cinder disk; deprecated, calls are redirected to the CSI driver `cinder.csi.openstack.org`.
    #[wire(pb = 8)]
    pub cinder: Option<Box<CinderPersistentVolumeSource>>,
    /// CephFS share; deprecated, its in-tree plugin was removed in Kubernetes 1.31.
    #[wire(pb = 9)]
    pub cephfs: Option<Box<CephFSPersistentVolumeSource>>,
    /// Fibre Channel disk connected to the node and then made available to the Pod.
    #[wire(pb = 10)]
    pub fc: Option<Box<FCVolumeSource>>,
    /// Dataset of a Flocker control service; deprecated, its in-tree plugin was removed in Kubernetes 1.25.
    #[wire(pb = 11)]
    pub flocker: Option<Box<FlockerVolumeSource>>,
    /// Volume handled by an executable FlexVolume driver on the node; deprecated in favour of CSI.
    #[wire(pb = 12)]
    pub flex_volume: Option<Box<FlexPersistentVolumeSource>>,
    /// Azure Files share; deprecated, calls are redirected to the CSI driver `file.csi.azure.com`.
    #[wire(pb = 13)]
    pub azure_file: Option<Box<AzureFilePersistentVolumeSource>>,
    /// Virtual disk of vSphere; deprecated, calls are redirected to the CSI driver `csi.vsphere.vmware.com`.
    #[wire(pb = 14)]
    pub vsphere_volume: Option<Box<VsphereVirtualDiskVolumeSource>>,
    /// Quobyte volume; deprecated, its in-tree plugin was removed in Kubernetes 1.25.
    #[wire(pb = 15)]
    pub quobyte: Option<Box<QuobyteVolumeSource>>,
    /// Azure data disk; deprecated, calls are redirected to the CSI driver `disk.csi.azure.com`.
    #[wire(pb = 16)]
    pub azure_disk: Option<Box<AzureDiskVolumeSource>>,
    /// Disk of the VMware Photon Controller; deprecated, no plugin supports it any more.
    #[wire(pb = 17)]
    pub photon_persistent_disk: Option<Box<PhotonPersistentDiskVolumeSource>>,
    /// Portworx volume; deprecated, calls are redirected to the CSI driver `pxd.portworx.com`.
    #[wire(pb = 18)]
    pub portworx_volume: Option<Box<PortworxVolumeSource>>,
    /// Dell EMC ScaleIO volume; deprecated, its in-tree plugin has been removed.
    #[wire(name = "scaleIO", pb = 19)]
    pub scale_io: Option<Box<ScaleIOPersistentVolumeSource>>,
    /// Disk, partition or directory attached to one particular node; the volume's `nodeAffinity` must name
    /// that node.
    #[wire(pb = 20)]
    pub local: Option<Box<LocalVolumeSource>>,
    /// StorageOS volume; deprecated, its in-tree plugin was removed in Kubernetes 1.25.
    #[wire(pb = 21)]
    pub storageos: Option<Box<StorageOSPersistentVolumeSource>>,
    /// Volume served by an external CSI driver, the normal choice for new volumes.
    #[wire(pb = 22)]
    pub csi: Option<Box<CSIPersistentVolumeSource>>,
}

/// Ceph RBD image as a persistent volume; deprecated, its in-tree plugin was removed in Kubernetes 1.31.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct RBDPersistentVolumeSource {
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
    /// Secret, with its namespace, holding the user's key; replaces `keyring` when set.
    #[wire(pb = 7, map = "atomic")]
    pub secret_ref: Option<Box<SecretReference>>,
    /// Forces a read-only mount; default `false`.
    #[wire(pb = 8)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// ScaleIO volume as a persistent volume; deprecated, its in-tree plugin has been removed.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ScaleIOPersistentVolumeSource {
    /// Address of the ScaleIO API gateway.
    #[wire(pb = 1, required)]
    pub gateway: Str,
    /// Name of the storage system as configured in ScaleIO.
    #[wire(pb = 2, required)]
    pub system: Str,
    /// Secret, with its namespace, holding the login user and password; required, else logging in fails.
    #[wire(pb = 3, required, map = "atomic")]
    pub secret_ref: Option<Box<SecretReference>>,
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

/// StorageOS volume as a persistent volume; deprecated, its in-tree plugin was removed in Kubernetes 1.25.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct StorageOSPersistentVolumeSource {
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
    /// Secret with the StorageOS API credentials; unset tries default values.
    #[wire(pb = 5, map = "atomic")]
    pub secret_ref: Option<Box<ObjectReference>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
