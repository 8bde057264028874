//! Defaults of volumes.

use super::container::field_version;
use super::image::default_pull_policy;
use super::{claim, fill};
use crate::core::v1::{
    AzureDataDiskCachingMode, AzureDataDiskKind, AzureDiskVolumeSource, DownwardAPIVolumeFile, HostPathType,
    HostPathVolumeSource, ProjectedVolumeSource, Volume, VolumeSource,
};

const FILE_MODE: i32 = 0o644;

pub(super) fn volume(volume: &mut Volume) {
    let source = &mut volume.source;
    if *source == VolumeSource::default() {
        source.empty_dir = Some(Box::default());
    }
    if let Some(source) = &mut source.host_path {
        host_path(source);
    }
    if let Some(secret) = &mut source.secret {
        secret.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(config_map) = &mut source.config_map {
        config_map.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(downward) = &mut source.downward_api {
        downward.default_mode.get_or_insert(FILE_MODE);
        downward.items.iter_mut().for_each(downward_file);
    }
    if let Some(source) = &mut source.projected {
        projected(source);
    }
    if let Some(iscsi) = &mut source.iscsi {
        fill([(&mut iscsi.iscsi_interface, "default")]);
    }
    if let Some(rbd) = &mut source.rbd {
        fill([(&mut rbd.pool, "rbd"), (&mut rbd.user, "admin"), (&mut rbd.keyring, "/etc/ceph/keyring")]);
    }
    if let Some(disk) = &mut source.azure_disk {
        azure_disk(disk);
    }
    if let Some(scale_io) = &mut source.scale_io {
        fill([(&mut scale_io.storage_mode, "ThinProvisioned"), (&mut scale_io.fs_type, "xfs")]);
    }
    if let Some(image) = &mut source.image
        && image.pull_policy.is_empty()
    {
        image.pull_policy = default_pull_policy(&image.reference);
    }
    if let Some(template) =
        source.ephemeral.as_mut().and_then(|ephemeral| ephemeral.volume_claim_template.as_mut())
    {
        claim::spec(&mut template.spec);
    }
}

pub(super) fn host_path(source: &mut HostPathVolumeSource) {
    source.type_.get_or_insert_with(HostPathType::default);
}

pub(super) fn azure_disk(disk: &mut AzureDiskVolumeSource) {
    disk.caching_mode.get_or_insert(AzureDataDiskCachingMode::ReadWrite);
    disk.kind.get_or_insert(AzureDataDiskKind::Shared);
    disk.fs_type.get_or_insert_with(|| "ext4".into());
    disk.read_only.get_or_insert(false);
}

fn projected(projected: &mut ProjectedVolumeSource) {
    projected.default_mode.get_or_insert(FILE_MODE);
    for source in &mut projected.sources {
        if let Some(token) = &mut source.service_account_token {
            token.expiration_seconds.get_or_insert(3600);
        }
        if let Some(downward) = &mut source.downward_api {
            downward.items.iter_mut().for_each(downward_file);
        }
        if let Some(certificate) = &mut source.pod_certificate {
            certificate.max_expiration_seconds.get_or_insert(86_400);
        }
    }
}

fn downward_file(file: &mut DownwardAPIVolumeFile) {
    if let Some(field) = &mut file.field_ref {
        field_version(&mut field.api_version);
    }
}
