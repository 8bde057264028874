//! Defaults of StorageClasses, CSIDrivers and VolumeAttachments.

use super::{SetDefaults, persistent_volume};
use crate::core::v1::PersistentVolumeReclaimPolicy;
use crate::storage::v1::{
    CSIDriver, FSGroupPolicy, StorageClass, VolumeAttachment, VolumeBindingMode, VolumeLifecycleMode,
};

impl SetDefaults for StorageClass {
    fn set_defaults(&mut self) {
        self.reclaim_policy.get_or_insert(PersistentVolumeReclaimPolicy::Delete);
        self.volume_binding_mode.get_or_insert(VolumeBindingMode::Immediate);
    }
}

impl SetDefaults for CSIDriver {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        spec.attach_required.get_or_insert(true);
        for flag in [
            &mut spec.pod_info_on_mount,
            &mut spec.storage_capacity,
            &mut spec.requires_republish,
            &mut spec.se_linux_mount,
        ] {
            flag.get_or_insert(false);
        }
        spec.fs_group_policy.get_or_insert(FSGroupPolicy::ReadWriteOnceWithFSType);
        if spec.volume_lifecycle_modes.is_empty() {
            spec.volume_lifecycle_modes.push(VolumeLifecycleMode::Persistent);
        }
    }
}

impl SetDefaults for VolumeAttachment {
    fn set_defaults(&mut self) {
        if let Some(spec) = &mut self.spec.source.inline_volume_spec {
            persistent_volume::spec(spec);
        }
    }
}
