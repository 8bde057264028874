//! Volumes of a pod.

use super::{
    AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, AzureFileVolumeSource, CephFSVolumeSource,
    CinderVolumeSource, FCVolumeSource, FlexVolumeSource, FlockerVolumeSource, GCEPersistentDiskVolumeSource,
    GitRepoVolumeSource, GlusterfsVolumeSource, HostPathType, ISCSIVolumeSource, LocalObjectReference,
    NFSVolumeSource, ObjectFieldSelector, PersistentVolumeClaimTemplate, PhotonPersistentDiskVolumeSource,
    PortworxVolumeSource, PullPolicy, QuobyteVolumeSource, RBDVolumeSource, ResourceFieldSelector,
    ScaleIOVolumeSource, StorageMedium, StorageOSVolumeSource, VsphereVirtualDiskVolumeSource,
};
use crate::{Extra, List, Map, Message, Quantity, Str};

/// Ephemeral volume that a CSI driver creates together with the pod and removes with it.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CSIVolumeSource {
    /// Name of the CSI driver, which must be registered on the node and support ephemeral volumes; required.
    #[wire(pb = 1, required)]
    pub driver: Str,
    /// Mounts the volume read-only; false when unset.
    #[wire(pb = 2)]
    pub read_only: Option<bool>,
    /// Filesystem to mount, for example `ext4` or `xfs`; when empty the driver picks its own default.
    #[wire(pb = 3)]
    pub fs_type: Option<Str>,
    /// Driver-specific properties handed to the driver; the documentation of the driver lists its keys.
    #[wire(pb = 4)]
    pub volume_attributes: Map<Str>,
    /// Secret in the namespace of the pod, passed to the driver when publishing and unpublishing the volume.
    #[wire(pb = 5, map = "atomic")]
    pub node_publish_secret_ref: Option<Box<LocalObjectReference>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Projects the trust anchors of matching `ClusterTrustBundle` objects into a volume as one PEM file.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ClusterTrustBundleProjection {
    /// Picks a single bundle by object name; excludes `signerName` and `labelSelector`.
    #[wire(pb = 1)]
    pub name: Option<Str>,
    /// Picks all bundles linked to this signer, their contents merged and deduplicated; excludes `name`.
    #[wire(pb = 2)]
    pub signer_name: Option<Str>,
    /// Narrows the bundles of `signerName`; unset matches none, while an empty selector matches all.
    #[wire(pb = 3, map = "atomic")]
    pub label_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// When true, the pod starts without the file if no bundle matches; otherwise its start is held up.
    #[wire(pb = 5)]
    pub optional: Option<bool>,
    /// Path of the PEM file relative to the root of the volume; required.
    #[wire(pb = 4, required)]
    pub path: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Places entries of a config map as files into a projected volume.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ConfigMapProjection {
    /// Name of the object, effectively required; defaults to the empty string only for old clients.
    #[wire(pb = "1.1", default = "\"\"")]
    pub name: Str,
    /// Keys to project and the paths of their files; when empty, every key becomes a file of its name.
    #[wire(pb = 2)]
    pub items: List<KeyToPath>,
    /// When true, a missing config map or missing listed keys do not hold up the mount.
    #[wire(pb = 4)]
    pub optional: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Volume whose files are the entries of a config map, refreshed when the config map changes.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ConfigMapVolumeSource {
    /// Name of the object, effectively required; defaults to the empty string only for old clients.
    #[wire(pb = "1.1", default = "\"\"")]
    pub name: Str,
    /// Keys to project and the paths of their files; when empty, every key becomes a file of its name.
    #[wire(pb = 2)]
    pub items: List<KeyToPath>,
    /// Permission bits of the created files, 0 to 0777 octal; the API server fills in 0644.
    #[wire(pb = 3)]
    pub default_mode: Option<i32>,
    /// When true, a missing config map or missing listed keys do not hold up the mount.
    #[wire(pb = 4)]
    pub optional: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Places fields of the pod and its containers as files into a projected volume.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DownwardAPIProjection {
    /// Files to create, one for each projected field.
    #[wire(pb = 1)]
    pub items: List<DownwardAPIVolumeFile>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// A file whose content is a field of the pod or a resource amount of a container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DownwardAPIVolumeFile {
    /// Path of the file relative to the root of the volume, without `..`; required.
    #[wire(pb = 1, required)]
    pub path: Str,
    /// Field of the pod to write: name, namespace, UID, labels or annotations; excludes `resourceFieldRef`.
    #[wire(pb = 2, map = "atomic")]
    pub field_ref: Option<Box<ObjectFieldSelector>>,
    /// Limit or request of a container to write, for CPU, memory, huge pages or ephemeral storage.
    #[wire(pb = 3, map = "atomic")]
    pub resource_field_ref: Option<Box<ResourceFieldSelector>>,
    /// Permission bits of this file, 0 to 0777 octal; when unset, the `defaultMode` of the volume.
    #[wire(pb = 4)]
    pub mode: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Volume whose files hold fields of the pod, refreshed when labels or annotations change.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DownwardAPIVolumeSource {
    /// Files to create, one for each exposed field.
    #[wire(pb = 1)]
    pub items: List<DownwardAPIVolumeFile>,
    /// Permission bits of the created files, 0 to 0777 octal; the API server fills in 0644.
    #[wire(pb = 2)]
    pub default_mode: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Scratch directory that starts empty and lives exactly as long as the pod on its node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EmptyDirVolumeSource {
    /// Backing storage: empty for the disk of the node, `Memory` for tmpfs, or `HugePages` variants.
    #[wire(pb = 1)]
    pub medium: StorageMedium,
    /// Upper bound of the contents, in bytes; exceeding it evicts the pod, and unset means no bound.
    #[wire(pb = 2)]
    pub size_limit: Option<Quantity>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Volume backed by a claim that is created for the pod and deleted with it.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EphemeralVolumeSource {
    /// Template of the claim, which is created as pod name, hyphen and volume name, and owned by the pod.
    #[wire(pb = 1)]
    pub volume_claim_template: Option<Box<PersistentVolumeClaimTemplate>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Exposes a file or directory of the node to the pod, which is powerful and risky.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HostPathVolumeSource {
    /// Absolute path on the node, without `..`; symbolic links are followed; required.
    #[wire(pb = 1, required)]
    pub path: Str,
    /// Check or creation done ahead of the mount; defaults to the empty string, meaning none.
    #[wire(pb = 2)]
    pub type_: Option<HostPathType>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Read-only volume with the contents of an OCI image or artifact, pulled onto the node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ImageVolumeSource {
    /// Image or artifact to pull, written like a container image; may be empty only where controllers supply
    /// it.
    #[wire(pb = 1)]
    pub reference: Str,
    /// When to pull the artifact; defaults to `Always` for the tag `latest` or no tag, else `IfNotPresent`.
    #[wire(pb = 2)]
    pub pull_policy: PullPolicy,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Maps one key of a config map or secret to a file of the volume.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct KeyToPath {
    /// Key to project; it must exist unless the source is optional.
    #[wire(pb = 1, required)]
    pub key: Str,
    /// Path of the file relative to the root of the volume; must not begin with or contain `..`.
    #[wire(pb = 2, required)]
    pub path: Str,
    /// Permission bits of this file, 0 to 0777 octal; when unset, the `defaultMode` of the volume.
    #[wire(pb = 3)]
    pub mode: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Disk or directory of one particular node, for persistent volumes with node affinity.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct LocalVolumeSource {
    /// Full path on the node of a directory, or of a block device; required.
    #[wire(pb = 1, required)]
    pub path: Str,
    /// Filesystem to put on a block device, such as `ext4`; picked automatically when unset.
    #[wire(pb = 2)]
    pub fs_type: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Mounts the volume bound to a claim of the namespace of the pod.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PersistentVolumeClaimVolumeSource {
    /// Name of the claim, in the namespace of the pod; required.
    #[wire(pb = 1, required)]
    pub claim_name: Str,
    /// Makes all mounts of the volume read-only; false by default.
    #[wire(pb = 2)]
    pub read_only: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Volume source for which the kubelet makes a private key and obtains an X.509 certificate by a
/// `PodCertificateRequest`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodCertificateProjection {
    /// Signer that is to issue the certificate, e.g. `example.com/my-signer`; required.
    #[wire(pb = 1, needed)]
    pub signer_name: Str,
    /// Kind of key pair the kubelet generates: `RSA3072`, `RSA4096`, `ECDSAP256`, `ECDSAP384`, `ECDSAP521` or
    /// `ED25519`.
    #[wire(pb = 2, needed)]
    pub key_type: Str,
    /// Longest accepted certificate lifetime in seconds, from 3600 to 7862400 (91 days); default 86400; the
    /// signer may shorten it.
    #[wire(pb = 3)]
    pub max_expiration_seconds: Option<i32>,
    /// Relative path of one PEM file holding the private key followed by the certificate chain; preferred
    /// over separate files.
    #[wire(pb = 4)]
    pub credential_bundle_path: Str,
    /// Relative path of a PEM file with only the private key; rotation together with the chain is not atomic
    /// for readers.
    #[wire(pb = 5)]
    pub key_path: Str,
    /// Relative path of a PEM file with only the certificate chain, leaf first.
    #[wire(pb = 6)]
    pub certificate_chain_path: Str,
    /// Extra data for the signer, copied into `spec.unverifiedUserAnnotations` of the request; keys need a
    /// domain prefix.
    #[wire(pb = 7)]
    pub user_annotations: Map<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Volume that puts files from several sources into one directory.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ProjectedVolumeSource {
    /// What to project, each entry with exactly one kind of source; paths must not collide.
    #[wire(pb = 1, required, needless)]
    pub sources: List<VolumeProjection>,
    /// Permission bits, 0 to 0777 octal, of files without their own mode; default 0644.
    #[wire(pb = 2)]
    pub default_mode: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Puts the keys of a Secret as files into a projected volume.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SecretProjection {
    /// Name of the object, effectively required; defaults to the empty string only for old clients.
    #[wire(pb = "1.1", default = "\"\"")]
    pub name: Str,
    /// Keys to project and their paths; empty projects every key under its own name.
    #[wire(pb = 2)]
    pub items: List<KeyToPath>,
    /// If `true`, a missing Secret or listed key is tolerated; by default the volume setup fails.
    #[wire(pb = 4)]
    pub optional: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Volume with one file per key of a Secret, kept in memory on the node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SecretVolumeSource {
    /// Name of the Secret in the Pod's namespace.
    #[wire(pb = 1)]
    pub secret_name: Str,
    /// Keys to show and their paths; empty shows every key under its own name.
    #[wire(pb = 2)]
    pub items: List<KeyToPath>,
    /// Permission bits, 0 to 0777 octal, of files without their own mode; default 0644.
    #[wire(pb = 3)]
    pub default_mode: Option<i32>,
    /// If `true`, a missing Secret or listed key is tolerated; by default the volume setup fails.
    #[wire(pb = 4)]
    pub optional: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Puts a bound, rotating service account token as a file into a projected volume.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ServiceAccountTokenProjection {
    /// Intended recipient that has to find itself in the token; empty means the API server.
    #[wire(pb = 1)]
    pub audience: Str,
    /// Wanted lifetime of the token in seconds, at least 600; default 3600; the kubelet renews it after 80
    /// percent.
    #[wire(pb = 2)]
    pub expiration_seconds: Option<i64>,
    /// File of the token, relative to the mount point of the volume; required.
    #[wire(pb = 3, required)]
    pub path: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Named storage of a Pod that its containers can mount.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Volume {
    /// DNS label, unique in the Pod, by which mounts and devices refer to the volume.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Gives the kind of storage; its single chosen member appears directly among the volume's fields,
    /// `emptyDir` by default.
    #[wire(inline, pb = 2)]
    pub source: VolumeSource,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One source of a projected volume; exactly one member is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeProjection {
    /// Keys of a Secret, written as files.
    #[wire(pb = 1)]
    pub secret: Option<Box<SecretProjection>>,
    /// Fields of the Pod and container resources, written as files.
    #[wire(name = "downwardAPI", pb = 2)]
    pub downward_api: Option<Box<DownwardAPIProjection>>,
    /// Keys of a ConfigMap, written as files.
    #[wire(pb = 3)]
    pub config_map: Option<Box<ConfigMapProjection>>,
    /// Time-limited token of the Pod's service account, renewed by the kubelet.
    #[wire(pb = 4)]
    pub service_account_token: Option<Box<ServiceAccountTokenProjection>>,
    /// Trust anchors from `ClusterTrustBundle` objects, combined into one PEM file.
    #[wire(pb = 5)]
    pub cluster_trust_bundle: Option<Box<ClusterTrustBundleProjection>>,
    /// Private key and certificate issued to the Pod, renewed by the kubelet.
    #[wire(pb = 6)]
    pub pod_certificate: Option<Box<PodCertificateProjection>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// The kind of storage behind a Pod's volume; exactly one member is set, `emptyDir` when none is.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeSource {
    /// Existing file or directory of the node; powerful and a security risk.
    #[wire(pb = 1)]
    pub host_path: Option<Box<HostPathVolumeSource>>,
    /// Initially empty directory that lives as long as the Pod stays on its node.
    #[wire(pb = 2)]
    pub empty_dir: Option<Box<EmptyDirVolumeSource>>,
    /// Google Compute Engine disk; deprecated, calls are redirected to the CSI driver
    /// `pd.csi.storage.gke.io`.
    #[wire(pb = 3)]
    pub gce_persistent_disk: Option<Box<GCEPersistentDiskVolumeSource>>,
    /// AWS EBS disk; deprecated, calls are redirected to the CSI driver `ebs.csi.aws.com`.
    #[wire(pb = 4)]
    pub aws_elastic_block_store: Option<Box<AWSElasticBlockStoreVolumeSource>>,
    /// Clone of a Git repository; deprecated and disabled, use an init container with an `emptyDir`.
    #[wire(pb = 5)]
    pub git_repo: Option<Box<GitRepoVolumeSource>>,
    /// Files filled from a Secret, one per key.
    #[wire(pb = 6)]
    pub secret: Option<Box<SecretVolumeSource>>,
    /// Export of an NFS server, mounted for the Pod's lifetime.
    #[wire(pb = 7)]
    pub nfs: Option<Box<NFSVolumeSource>>,
    /// Disk on an iSCSI target to which the node's initiator logs in.
    #[wire(pb = 8)]
    pub iscsi: Option<Box<ISCSIVolumeSource>>,
    /// Gluster volume; deprecated, its in-tree plugin was removed in Kubernetes 1.26.
    #[wire(pb = 9)]
    pub glusterfs: Option<Box<GlusterfsVolumeSource>>,
    /// Storage bound to a claim in the Pod's namespace.
    #[wire(pb = 10)]
    pub persistent_volume_claim: Option<Box<PersistentVolumeClaimVolumeSource>>,
    /// Ceph RADOS block device; deprecated, its in-tree plugin was removed in Kubernetes 1.31.
    #[wire(pb = 11)]
    pub rbd: Option<Box<RBDVolumeSource>>,
    /// Volume handled by an executable FlexVolume driver on the node; deprecated in favour of CSI.
    #[wire(pb = 12)]
    pub flex_volume: Option<Box<FlexVolumeSource>>,
    /// OpenStack Cinder disk; deprecated, calls are redirected to the CSI driver `cinder.csi.openstack.org`.
    #[wire(pb = 13)]
    pub cinder: Option<Box<CinderVolumeSource>>,
    /// CephFS share; deprecated, its in-tree plugin was removed in Kubernetes 1.31.
    #[wire(pb = 14)]
    pub cephfs: Option<Box<CephFSVolumeSource>>,
    /// Flocker dataset; deprecated, its in-tree plugin was removed in Kubernetes 1.25.
    #[wire(pb = 15)]
    pub flocker: Option<Box<FlockerVolumeSource>>,
    /// Files with fields of the Pod and resources of its containers.
    #[wire(name = "downwardAPI", pb = 16)]
    pub downward_api: Option<Box<DownwardAPIVolumeSource>>,
    /// Fibre Channel disk connected to the node.
    #[wire(pb = 17)]
    pub fc: Option<Box<FCVolumeSource>>,
    /// Azure Files share; deprecated, calls are redirected to the CSI driver `file.csi.azure.com`.
    #[wire(pb = 18)]
    pub azure_file: Option<Box<AzureFileVolumeSource>>,
    /// Files filled from a ConfigMap, one per key.
    #[wire(pb = 19)]
    pub config_map: Option<Box<ConfigMapVolumeSource>>,
    /// Virtual disk of vSphere; deprecated, calls are redirected to the CSI driver `csi.vsphere.vmware.com`.
    #[wire(pb = 20)]
    pub vsphere_volume: Option<Box<VsphereVirtualDiskVolumeSource>>,
    /// Quobyte volume; deprecated, its in-tree plugin was removed in Kubernetes 1.25.
    #[wire(pb = 21)]
    pub quobyte: Option<Box<QuobyteVolumeSource>>,
    /// Azure data disk; deprecated, calls are redirected to the CSI driver `disk.csi.azure.com`.
    #[wire(pb = 22)]
    pub azure_disk: Option<Box<AzureDiskVolumeSource>>,
    /// Disk of the VMware Photon Controller; deprecated, no plugin supports it any more.
    #[wire(pb = 23)]
    pub photon_persistent_disk: Option<Box<PhotonPersistentDiskVolumeSource>>,
    /// Files from several sources, such as Secrets and tokens, in a single directory.
    #[wire(pb = 26)]
    pub projected: Option<Box<ProjectedVolumeSource>>,
    /// Portworx volume; deprecated, calls are redirected to the CSI driver `pxd.portworx.com`.
    #[wire(pb = 24)]
    pub portworx_volume: Option<Box<PortworxVolumeSource>>,
    /// ScaleIO volume; deprecated, its in-tree plugin has been removed.
    #[wire(name = "scaleIO", pb = 25)]
    pub scale_io: Option<Box<ScaleIOVolumeSource>>,
    /// StorageOS volume; deprecated, its in-tree plugin was removed in Kubernetes 1.25.
    #[wire(pb = 27)]
    pub storageos: Option<Box<StorageOSVolumeSource>>,
    /// Inline ephemeral volume from a CSI driver that supports such use.
    #[wire(pb = 28)]
    pub csi: Option<Box<CSIVolumeSource>>,
    /// Volume claim created for the Pod from a template and deleted together with it.
    #[wire(pb = 29)]
    pub ephemeral: Option<Box<EphemeralVolumeSource>>,
    /// Content of an OCI image or artifact, mounted read-only.
    #[wire(pb = 30)]
    pub image: Option<Box<ImageVolumeSource>>,
}
