//! Defaults of PersistentVolumes.

use super::volume::{azure_disk, host_path};
use super::{SetDefaults, fill, round_up_to_milli};
use crate::core::v1::{
    PersistentVolume, PersistentVolumeMode, PersistentVolumePhase, PersistentVolumeReclaimPolicy,
    PersistentVolumeSpec,
};

impl SetDefaults for PersistentVolume {
    fn set_defaults(&mut self) {
        if self.status.phase.is_empty() {
            self.status.phase = PersistentVolumePhase::Pending;
        }
        if self.spec.persistent_volume_reclaim_policy.is_empty() {
            self.spec.persistent_volume_reclaim_policy = PersistentVolumeReclaimPolicy::Retain;
        }
        self.spec.volume_mode.get_or_insert(PersistentVolumeMode::Filesystem);
        spec(&mut self.spec);
    }
}

/// What holds for the spec of a volume of any phase, also inside of an attachment.
pub(super) fn spec(spec: &mut PersistentVolumeSpec) {
    round_up_to_milli(&mut spec.capacity);
    let source = &mut spec.source;
    if let Some(source) = &mut source.host_path {
        host_path(source);
    }
    if let Some(rbd) = &mut source.rbd {
        fill([(&mut rbd.pool, "rbd"), (&mut rbd.user, "admin"), (&mut rbd.keyring, "/etc/ceph/keyring")]);
    }
    if let Some(iscsi) = &mut source.iscsi {
        fill([(&mut iscsi.iscsi_interface, "default")]);
    }
    if let Some(disk) = &mut source.azure_disk {
        azure_disk(disk);
    }
    if let Some(scale_io) = &mut source.scale_io {
        fill([(&mut scale_io.storage_mode, "ThinProvisioned"), (&mut scale_io.fs_type, "xfs")]);
    }
}
