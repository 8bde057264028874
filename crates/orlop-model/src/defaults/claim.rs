//! Defaults of PersistentVolumeClaims.

use super::{SetDefaults, round_up_to_milli};
use crate::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimPhase, PersistentVolumeClaimSpec, PersistentVolumeMode,
};

impl SetDefaults for PersistentVolumeClaim {
    fn set_defaults(&mut self) {
        spec(&mut self.spec);
        let status = &mut self.status;
        if status.phase.is_empty() {
            status.phase = PersistentVolumeClaimPhase::Pending;
        }
        round_up_to_milli(&mut status.capacity);
        round_up_to_milli(&mut status.allocated_resources);
    }
}

/// Of claims and of the templates of ephemeral volumes.
pub(super) fn spec(spec: &mut PersistentVolumeClaimSpec) {
    spec.volume_mode.get_or_insert(PersistentVolumeMode::Filesystem);
    round_up_to_milli(&mut spec.resources.limits);
    round_up_to_milli(&mut spec.resources.requests);
}
