//! Defaults of volumes.

use super::container::field_version;
use super::image::default_pull_policy;
use super::round_up_to_milli;
use crate::core::v1::{
    AzureDataDiskCachingMode, AzureDataDiskKind, DownwardAPIVolumeFile, HostPathType, PersistentVolumeMode,
    ProjectedVolumeSource, Volume, VolumeSource,
};

const FILE_MODE: i32 = 0o644;

pub(super) fn volume(volume: &mut Volume) {
    let source = &mut volume.source;
    if *source == VolumeSource::default() {
        source.empty_dir = Some(Box::default());
    }
    if let Some(host_path) = &mut source.host_path {
        host_path.type_.get_or_insert_with(HostPathType::default);
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
    if let Some(iscsi) = &mut source.iscsi
        && iscsi.iscsi_interface.is_empty()
    {
        iscsi.iscsi_interface = "default".into();
    }
    if let Some(rbd) = &mut source.rbd {
        for (field, default) in
            [(&mut rbd.pool, "rbd"), (&mut rbd.user, "admin"), (&mut rbd.keyring, "/etc/ceph/keyring")]
        {
            if field.is_empty() {
                *field = default.into();
            }
        }
    }
    if let Some(disk) = &mut source.azure_disk {
        disk.caching_mode.get_or_insert(AzureDataDiskCachingMode::ReadWrite);
        disk.kind.get_or_insert(AzureDataDiskKind::Shared);
        disk.fs_type.get_or_insert_with(|| "ext4".into());
        disk.read_only.get_or_insert(false);
    }
    if let Some(scale_io) = &mut source.scale_io {
        for (field, default) in
            [(&mut scale_io.storage_mode, "ThinProvisioned"), (&mut scale_io.fs_type, "xfs")]
        {
            if field.is_empty() {
                *field = default.into();
            }
        }
    }
    if let Some(image) = &mut source.image
        && image.pull_policy.is_empty()
    {
        image.pull_policy = default_pull_policy(&image.reference);
    }
    if let Some(template) =
        source.ephemeral.as_mut().and_then(|ephemeral| ephemeral.volume_claim_template.as_mut())
    {
        template.spec.volume_mode.get_or_insert(PersistentVolumeMode::Filesystem);
        round_up_to_milli(&mut template.spec.resources.limits);
        round_up_to_milli(&mut template.spec.resources.requests);
    }
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
