//! Volumes of a pod.

use super::{
    AzureDataDiskCachingMode, AzureDataDiskKind, HostPathType, LocalObjectReference, ObjectFieldSelector,
    PersistentVolumeAccessMode, PersistentVolumeMode, PullPolicy, ResourceFieldSelector, StorageMedium,
};
use crate::{Extra, List, Map, Message, Quantity, Str};

/// `AWSElasticBlockStoreVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct AWSElasticBlockStoreVolumeSource {
    #[wire(name = "volumeID", pb = 1, required)]
    pub volume_id: Str,
    #[wire(pb = 2)]
    pub fs_type: Str,
    #[wire(pb = 3)]
    pub partition: i32,
    #[wire(pb = 4)]
    pub read_only: bool,
    #[wire(extra)]
    pub extra: Extra,
}

/// `AzureDiskVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct AzureDiskVolumeSource {
    #[wire(pb = 1, required)]
    pub disk_name: Str,
    #[wire(name = "diskURI", pb = 2, required)]
    pub disk_uri: Str,
    #[wire(pb = 3)]
    pub caching_mode: Option<AzureDataDiskCachingMode>,
    #[wire(pb = 4)]
    pub fs_type: Option<Str>,
    #[wire(pb = 5)]
    pub read_only: Option<bool>,
    #[wire(pb = 6)]
    pub kind: Option<AzureDataDiskKind>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `AzureFileVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct AzureFileVolumeSource {
    #[wire(pb = 1, required)]
    pub secret_name: Str,
    #[wire(pb = 2, required)]
    pub share_name: Str,
    #[wire(pb = 3)]
    pub read_only: bool,
    #[wire(extra)]
    pub extra: Extra,
}

/// `CSIVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct CSIVolumeSource {
    #[wire(pb = 1, required)]
    pub driver: Str,
    #[wire(pb = 2)]
    pub read_only: Option<bool>,
    #[wire(pb = 3)]
    pub fs_type: Option<Str>,
    #[wire(pb = 4)]
    pub volume_attributes: Map<Str>,
    #[wire(pb = 5, map = "atomic")]
    pub node_publish_secret_ref: Option<Box<LocalObjectReference>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `CephFSVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct CephFSVolumeSource {
    #[wire(pb = 1, required)]
    pub monitors: List<Str>,
    #[wire(pb = 2)]
    pub path: Str,
    #[wire(pb = 3)]
    pub user: Str,
    #[wire(pb = 4)]
    pub secret_file: Str,
    #[wire(pb = 5, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    #[wire(pb = 6)]
    pub read_only: bool,
    #[wire(extra)]
    pub extra: Extra,
}

/// `CinderVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct CinderVolumeSource {
    #[wire(name = "volumeID", pb = 1, required)]
    pub volume_id: Str,
    #[wire(pb = 2)]
    pub fs_type: Str,
    #[wire(pb = 3)]
    pub read_only: bool,
    #[wire(pb = 4, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ClusterTrustBundleProjection` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ClusterTrustBundleProjection {
    #[wire(pb = 1)]
    pub name: Option<Str>,
    #[wire(pb = 2)]
    pub signer_name: Option<Str>,
    #[wire(pb = 3, map = "atomic")]
    pub label_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    #[wire(pb = 5)]
    pub optional: Option<bool>,
    #[wire(pb = 4, required)]
    pub path: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ConfigMapProjection` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ConfigMapProjection {
    #[wire(pb = "1.1")]
    pub name: Str,
    #[wire(pb = 2)]
    pub items: List<KeyToPath>,
    #[wire(pb = 4)]
    pub optional: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ConfigMapVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ConfigMapVolumeSource {
    #[wire(pb = "1.1")]
    pub name: Str,
    #[wire(pb = 2)]
    pub items: List<KeyToPath>,
    #[wire(pb = 3)]
    pub default_mode: Option<i32>,
    #[wire(pb = 4)]
    pub optional: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `DownwardAPIProjection` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DownwardAPIProjection {
    #[wire(pb = 1)]
    pub items: List<DownwardAPIVolumeFile>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `DownwardAPIVolumeFile` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DownwardAPIVolumeFile {
    #[wire(pb = 1, required)]
    pub path: Str,
    #[wire(pb = 2, map = "atomic")]
    pub field_ref: Option<Box<ObjectFieldSelector>>,
    #[wire(pb = 3, map = "atomic")]
    pub resource_field_ref: Option<Box<ResourceFieldSelector>>,
    #[wire(pb = 4)]
    pub mode: Option<i32>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `DownwardAPIVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DownwardAPIVolumeSource {
    #[wire(pb = 1)]
    pub items: List<DownwardAPIVolumeFile>,
    #[wire(pb = 2)]
    pub default_mode: Option<i32>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `EmptyDirVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EmptyDirVolumeSource {
    #[wire(pb = 1)]
    pub medium: StorageMedium,
    #[wire(pb = 2)]
    pub size_limit: Option<Quantity>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `EphemeralVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EphemeralVolumeSource {
    #[wire(pb = 1)]
    pub volume_claim_template: Option<Box<PersistentVolumeClaimTemplate>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `FCVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct FCVolumeSource {
    #[wire(name = "targetWWNs", pb = 1)]
    pub target_wwns: List<Str>,
    #[wire(pb = 2)]
    pub lun: Option<i32>,
    #[wire(pb = 3)]
    pub fs_type: Str,
    #[wire(pb = 4)]
    pub read_only: bool,
    #[wire(pb = 5)]
    pub wwids: List<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `FlexVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct FlexVolumeSource {
    #[wire(pb = 1, required)]
    pub driver: Str,
    #[wire(pb = 2)]
    pub fs_type: Str,
    #[wire(pb = 3, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    #[wire(pb = 4)]
    pub read_only: bool,
    #[wire(pb = 5)]
    pub options: Map<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `FlockerVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct FlockerVolumeSource {
    #[wire(pb = 1)]
    pub dataset_name: Str,
    #[wire(name = "datasetUUID", pb = 2)]
    pub dataset_uuid: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `GCEPersistentDiskVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct GCEPersistentDiskVolumeSource {
    #[wire(pb = 1, required)]
    pub pd_name: Str,
    #[wire(pb = 2)]
    pub fs_type: Str,
    #[wire(pb = 3)]
    pub partition: i32,
    #[wire(pb = 4)]
    pub read_only: bool,
    #[wire(extra)]
    pub extra: Extra,
}

/// `GitRepoVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct GitRepoVolumeSource {
    #[wire(pb = 1, required)]
    pub repository: Str,
    #[wire(pb = 2)]
    pub revision: Str,
    #[wire(pb = 3)]
    pub directory: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `GlusterfsVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct GlusterfsVolumeSource {
    #[wire(pb = 1, required)]
    pub endpoints: Str,
    #[wire(pb = 2, required)]
    pub path: Str,
    #[wire(pb = 3)]
    pub read_only: bool,
    #[wire(extra)]
    pub extra: Extra,
}

/// `HostPathVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HostPathVolumeSource {
    #[wire(pb = 1, required)]
    pub path: Str,
    #[wire(pb = 2)]
    pub type_: Option<HostPathType>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ISCSIVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ISCSIVolumeSource {
    #[wire(pb = 1, required)]
    pub target_portal: Str,
    #[wire(pb = 2, required)]
    pub iqn: Str,
    #[wire(pb = 3, required)]
    pub lun: i32,
    #[wire(pb = 4)]
    pub iscsi_interface: Str,
    #[wire(pb = 5)]
    pub fs_type: Str,
    #[wire(pb = 6)]
    pub read_only: bool,
    #[wire(pb = 7)]
    pub portals: List<Str>,
    #[wire(pb = 8)]
    pub chap_auth_discovery: bool,
    #[wire(pb = 11)]
    pub chap_auth_session: bool,
    #[wire(pb = 10, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    #[wire(pb = 12)]
    pub initiator_name: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ImageVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ImageVolumeSource {
    #[wire(pb = 1)]
    pub reference: Str,
    #[wire(pb = 2)]
    pub pull_policy: PullPolicy,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ImageVolumeStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ImageVolumeStatus {
    #[wire(pb = 1)]
    pub image_ref: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `KeyToPath` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct KeyToPath {
    #[wire(pb = 1, required)]
    pub key: Str,
    #[wire(pb = 2, required)]
    pub path: Str,
    #[wire(pb = 3)]
    pub mode: Option<i32>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NFSVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NFSVolumeSource {
    #[wire(pb = 1, required)]
    pub server: Str,
    #[wire(pb = 2, required)]
    pub path: Str,
    #[wire(pb = 3)]
    pub read_only: bool,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PersistentVolumeClaimSpec` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PersistentVolumeClaimSpec {
    #[wire(pb = 1)]
    pub access_modes: List<PersistentVolumeAccessMode>,
    #[wire(pb = 4, map = "atomic")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    #[wire(pb = 2)]
    pub resources: VolumeResourceRequirements,
    #[wire(pb = 3)]
    pub volume_name: Str,
    #[wire(pb = 5)]
    pub storage_class_name: Option<Str>,
    #[wire(pb = 6)]
    pub volume_mode: Option<PersistentVolumeMode>,
    #[wire(pb = 7, map = "atomic")]
    pub data_source: Option<Box<TypedLocalObjectReference>>,
    #[wire(pb = 8)]
    pub data_source_ref: Option<Box<TypedObjectReference>>,
    #[wire(pb = 9)]
    pub volume_attributes_class_name: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PersistentVolumeClaimTemplate` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PersistentVolumeClaimTemplate {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub spec: PersistentVolumeClaimSpec,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PersistentVolumeClaimVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PersistentVolumeClaimVolumeSource {
    #[wire(pb = 1, required)]
    pub claim_name: Str,
    #[wire(pb = 2)]
    pub read_only: bool,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PhotonPersistentDiskVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PhotonPersistentDiskVolumeSource {
    #[wire(name = "pdID", pb = 1, required)]
    pub pd_id: Str,
    #[wire(pb = 2)]
    pub fs_type: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodCertificateProjection` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodCertificateProjection {
    #[wire(pb = 1)]
    pub signer_name: Str,
    #[wire(pb = 2)]
    pub key_type: Str,
    #[wire(pb = 3)]
    pub max_expiration_seconds: Option<i32>,
    #[wire(pb = 4)]
    pub credential_bundle_path: Str,
    #[wire(pb = 5)]
    pub key_path: Str,
    #[wire(pb = 6)]
    pub certificate_chain_path: Str,
    #[wire(pb = 7)]
    pub user_annotations: Map<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PortworxVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PortworxVolumeSource {
    #[wire(name = "volumeID", pb = 1, required)]
    pub volume_id: Str,
    #[wire(pb = 2)]
    pub fs_type: Str,
    #[wire(pb = 3)]
    pub read_only: bool,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ProjectedVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProjectedVolumeSource {
    #[wire(pb = 1, required)]
    pub sources: List<VolumeProjection>,
    #[wire(pb = 2)]
    pub default_mode: Option<i32>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `QuobyteVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct QuobyteVolumeSource {
    #[wire(pb = 1, required)]
    pub registry: Str,
    #[wire(pb = 2, required)]
    pub volume: Str,
    #[wire(pb = 3)]
    pub read_only: bool,
    #[wire(pb = 4)]
    pub user: Str,
    #[wire(pb = 5)]
    pub group: Str,
    #[wire(pb = 6)]
    pub tenant: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `RBDVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RBDVolumeSource {
    #[wire(pb = 1, required)]
    pub monitors: List<Str>,
    #[wire(pb = 2, required)]
    pub image: Str,
    #[wire(pb = 3)]
    pub fs_type: Str,
    #[wire(pb = 4)]
    pub pool: Str,
    #[wire(pb = 5)]
    pub user: Str,
    #[wire(pb = 6)]
    pub keyring: Str,
    #[wire(pb = 7, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    #[wire(pb = 8)]
    pub read_only: bool,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ScaleIOVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ScaleIOVolumeSource {
    #[wire(pb = 1, required)]
    pub gateway: Str,
    #[wire(pb = 2, required)]
    pub system: Str,
    #[wire(pb = 3, required, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    #[wire(pb = 4)]
    pub ssl_enabled: bool,
    #[wire(pb = 5)]
    pub protection_domain: Str,
    #[wire(pb = 6)]
    pub storage_pool: Str,
    #[wire(pb = 7)]
    pub storage_mode: Str,
    #[wire(pb = 8)]
    pub volume_name: Str,
    #[wire(pb = 9)]
    pub fs_type: Str,
    #[wire(pb = 10)]
    pub read_only: bool,
    #[wire(extra)]
    pub extra: Extra,
}

/// `SecretProjection` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SecretProjection {
    #[wire(pb = "1.1")]
    pub name: Str,
    #[wire(pb = 2)]
    pub items: List<KeyToPath>,
    #[wire(pb = 4)]
    pub optional: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `SecretVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SecretVolumeSource {
    #[wire(pb = 1)]
    pub secret_name: Str,
    #[wire(pb = 2)]
    pub items: List<KeyToPath>,
    #[wire(pb = 3)]
    pub default_mode: Option<i32>,
    #[wire(pb = 4)]
    pub optional: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ServiceAccountTokenProjection` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServiceAccountTokenProjection {
    #[wire(pb = 1)]
    pub audience: Str,
    #[wire(pb = 2)]
    pub expiration_seconds: Option<i64>,
    #[wire(pb = 3, required)]
    pub path: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `StorageOSVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct StorageOSVolumeSource {
    #[wire(pb = 1)]
    pub volume_name: Str,
    #[wire(pb = 2)]
    pub volume_namespace: Str,
    #[wire(pb = 3)]
    pub fs_type: Str,
    #[wire(pb = 4)]
    pub read_only: bool,
    #[wire(pb = 5, map = "atomic")]
    pub secret_ref: Option<Box<LocalObjectReference>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `TypedLocalObjectReference` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TypedLocalObjectReference {
    #[wire(pb = 1, required)]
    pub api_group: Option<Str>,
    #[wire(pb = 2, required)]
    pub kind: Str,
    #[wire(pb = 3, required)]
    pub name: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `TypedObjectReference` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TypedObjectReference {
    #[wire(pb = 1, required)]
    pub api_group: Option<Str>,
    #[wire(pb = 2, required)]
    pub kind: Str,
    #[wire(pb = 3, required)]
    pub name: Str,
    #[wire(pb = 4)]
    pub namespace: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `Volume` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Volume {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(inline, pb = 2)]
    pub source: VolumeSource,
    #[wire(extra)]
    pub extra: Extra,
}

/// `VolumeProjection` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VolumeProjection {
    #[wire(pb = 1)]
    pub secret: Option<Box<SecretProjection>>,
    #[wire(name = "downwardAPI", pb = 2)]
    pub downward_api: Option<Box<DownwardAPIProjection>>,
    #[wire(pb = 3)]
    pub config_map: Option<Box<ConfigMapProjection>>,
    #[wire(pb = 4)]
    pub service_account_token: Option<Box<ServiceAccountTokenProjection>>,
    #[wire(pb = 5)]
    pub cluster_trust_bundle: Option<Box<ClusterTrustBundleProjection>>,
    #[wire(pb = 6)]
    pub pod_certificate: Option<Box<PodCertificateProjection>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `VolumeResourceRequirements` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VolumeResourceRequirements {
    #[wire(pb = 1)]
    pub limits: Map<Quantity>,
    #[wire(pb = 2)]
    pub requests: Map<Quantity>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `VolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VolumeSource {
    #[wire(pb = 1)]
    pub host_path: Option<Box<HostPathVolumeSource>>,
    #[wire(pb = 2)]
    pub empty_dir: Option<Box<EmptyDirVolumeSource>>,
    #[wire(pb = 3)]
    pub gce_persistent_disk: Option<Box<GCEPersistentDiskVolumeSource>>,
    #[wire(pb = 4)]
    pub aws_elastic_block_store: Option<Box<AWSElasticBlockStoreVolumeSource>>,
    #[wire(pb = 5)]
    pub git_repo: Option<Box<GitRepoVolumeSource>>,
    #[wire(pb = 6)]
    pub secret: Option<Box<SecretVolumeSource>>,
    #[wire(pb = 7)]
    pub nfs: Option<Box<NFSVolumeSource>>,
    #[wire(pb = 8)]
    pub iscsi: Option<Box<ISCSIVolumeSource>>,
    #[wire(pb = 9)]
    pub glusterfs: Option<Box<GlusterfsVolumeSource>>,
    #[wire(pb = 10)]
    pub persistent_volume_claim: Option<Box<PersistentVolumeClaimVolumeSource>>,
    #[wire(pb = 11)]
    pub rbd: Option<Box<RBDVolumeSource>>,
    #[wire(pb = 12)]
    pub flex_volume: Option<Box<FlexVolumeSource>>,
    #[wire(pb = 13)]
    pub cinder: Option<Box<CinderVolumeSource>>,
    #[wire(pb = 14)]
    pub cephfs: Option<Box<CephFSVolumeSource>>,
    #[wire(pb = 15)]
    pub flocker: Option<Box<FlockerVolumeSource>>,
    #[wire(name = "downwardAPI", pb = 16)]
    pub downward_api: Option<Box<DownwardAPIVolumeSource>>,
    #[wire(pb = 17)]
    pub fc: Option<Box<FCVolumeSource>>,
    #[wire(pb = 18)]
    pub azure_file: Option<Box<AzureFileVolumeSource>>,
    #[wire(pb = 19)]
    pub config_map: Option<Box<ConfigMapVolumeSource>>,
    #[wire(pb = 20)]
    pub vsphere_volume: Option<Box<VsphereVirtualDiskVolumeSource>>,
    #[wire(pb = 21)]
    pub quobyte: Option<Box<QuobyteVolumeSource>>,
    #[wire(pb = 22)]
    pub azure_disk: Option<Box<AzureDiskVolumeSource>>,
    #[wire(pb = 23)]
    pub photon_persistent_disk: Option<Box<PhotonPersistentDiskVolumeSource>>,
    #[wire(pb = 26)]
    pub projected: Option<Box<ProjectedVolumeSource>>,
    #[wire(pb = 24)]
    pub portworx_volume: Option<Box<PortworxVolumeSource>>,
    #[wire(name = "scaleIO", pb = 25)]
    pub scale_io: Option<Box<ScaleIOVolumeSource>>,
    #[wire(pb = 27)]
    pub storageos: Option<Box<StorageOSVolumeSource>>,
    #[wire(pb = 28)]
    pub csi: Option<Box<CSIVolumeSource>>,
    #[wire(pb = 29)]
    pub ephemeral: Option<Box<EphemeralVolumeSource>>,
    #[wire(pb = 30)]
    pub image: Option<Box<ImageVolumeSource>>,
}

/// `VolumeStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VolumeStatus {
    #[wire(pb = 1)]
    pub image: Option<Box<ImageVolumeStatus>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `VsphereVirtualDiskVolumeSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VsphereVirtualDiskVolumeSource {
    #[wire(pb = 1, required)]
    pub volume_path: Str,
    #[wire(pb = 2)]
    pub fs_type: Str,
    #[wire(pb = 3)]
    pub storage_policy_name: Str,
    #[wire(name = "storagePolicyID", pb = 4)]
    pub storage_policy_id: Str,
    #[wire(extra)]
    pub extra: Extra,
}
