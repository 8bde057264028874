//! Volumes, claims and what else belongs to storage.

use super::Prepare;
use crate::core::v1::{
    PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimPhase, PersistentVolumeClaimSpec,
    PersistentVolumeClaimStatus, PersistentVolumePhase, PersistentVolumeStatus, TypedLocalObjectReference,
    TypedObjectReference,
};

impl Prepare for PersistentVolume {
    fn prepare_for_create(&mut self) {
        self.status = PersistentVolumeStatus {
            phase: PersistentVolumePhase::Pending,
            ..PersistentVolumeStatus::default()
        };
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
    }
}

impl Prepare for PersistentVolumeClaim {
    fn prepare_for_create(&mut self) {
        self.status = PersistentVolumeClaimStatus {
            phase: PersistentVolumeClaimPhase::Pending,
            ..PersistentVolumeClaimStatus::default()
        };
        data_sources(&mut self.spec, None);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        data_sources(&mut self.spec, Some(&old.spec));
    }
}

/// The old and the new field for a data source say the same, unless the new one reaches into another namespace.
///
/// A source in another namespace needs a gate that is off by default and is dropped; in the old field only claims and
/// snapshots can stand. What was there already may stay.
fn data_sources(spec: &mut PersistentVolumeClaimSpec, old: Option<&PersistentVolumeClaimSpec>) {
    let crosses = |spec: &PersistentVolumeClaimSpec| {
        let reference = spec.data_source_ref.as_deref();
        reference.is_some_and(|source| source.namespace.as_ref().is_some_and(|name| !name.is_empty()))
    };
    if crosses(spec) && old.is_none_or(|old| old.data_source_ref.is_none()) {
        spec.data_source_ref = None;
    }
    let is_classic = |source: &TypedLocalObjectReference| {
        let group = source.api_group.as_deref().unwrap_or_default();
        matches!(
            (group, source.kind.as_str()),
            ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
        )
    };
    if old.is_none_or(|old| old.data_source.is_none())
        && spec.data_source.as_deref().is_some_and(|source| !is_classic(source))
    {
        spec.data_source = None;
    }
    match (&spec.data_source, &spec.data_source_ref) {
        (Some(source), None) => {
            spec.data_source_ref = Some(Box::new(TypedObjectReference {
                api_group: source.api_group.clone(),
                kind: source.kind.clone(),
                name: source.name.clone(),
                ..TypedObjectReference::default()
            }));
        }
        (None, Some(reference)) if reference.namespace.as_ref().is_none_or(|name| name.is_empty()) => {
            spec.data_source = Some(Box::new(TypedLocalObjectReference {
                api_group: reference.api_group.clone(),
                kind: reference.kind.clone(),
                name: reference.name.clone(),
                ..TypedLocalObjectReference::default()
            }));
        }
        _ => {}
    }
}
