//! Rows of PersistentVolumes and PersistentVolumeClaims.

use jiff::Timestamp;

use super::{Column, Row, Tabular, age, joined, or_unset};
use crate::core::v1::{PersistentVolume, PersistentVolumeAccessMode, PersistentVolumeClaim, resource_name};
use crate::{Map, ObjectMeta, Quantity};

/// The annotation that named the class before there was a field.
const CLASS: &str = "volume.beta.kubernetes.io/storage-class";

const CAPACITY: Column = Column::text("Capacity", "Size of the volume.");
const ACCESS_MODES: Column =
    Column::text("Access Modes", "How many nodes or pods may use it, and whether they may write.");
const STORAGE_CLASS: Column = Column::text("StorageClass", "Class of storage.");
const ATTRIBUTES_CLASS: Column = Column::text("VolumeAttributesClass", "Class of the volume's attributes.");
const VOLUME_MODE: Column =
    Column::text("VolumeMode", "Whether it is a file system or a block device.").wide();

impl Tabular for PersistentVolumeClaim {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Status", "Whether there is a volume for it."),
        Column::text("Volume", "The volume."),
        CAPACITY,
        ACCESS_MODES,
        STORAGE_CLASS,
        ATTRIBUTES_CLASS,
        Column::AGE,
        VOLUME_MODE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let (spec, status) = (&self.spec, &self.status);
        let (capacity, modes) = match spec.volume_name.is_empty() {
            true => (String::new(), String::new()),
            false => (storage(&status.capacity), access_modes(&status.access_modes)),
        };
        Row::new([
            (&self.metadata.name).into(),
            phase(&self.metadata, status.phase.as_str()).into(),
            (&spec.volume_name).into(),
            capacity.into(),
            modes.into(),
            class(&self.metadata, spec.storage_class_name.as_deref()).into(),
            or_unset(spec.volume_attributes_class_name.as_deref()),
            age(self, now),
            or_unset(spec.volume_mode.as_ref().map(|mode| mode.as_str())),
        ])
    }
}

impl Tabular for PersistentVolume {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        CAPACITY,
        ACCESS_MODES,
        Column::text("Reclaim Policy", "What becomes of the volume when its claim is gone."),
        Column::text("Status", "Whether a claim has it."),
        Column::text("Claim", "Namespace and name of the claim."),
        STORAGE_CLASS,
        ATTRIBUTES_CLASS,
        Column::text("Reason", "Why the volume failed, in a word."),
        Column::AGE,
        VOLUME_MODE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let spec = &self.spec;
        let claim = spec.claim_ref.as_ref().map(|claim| format!("{}/{}", claim.namespace, claim.name));
        Row::new([
            (&self.metadata.name).into(),
            storage(&spec.capacity).into(),
            access_modes(&spec.access_modes).into(),
            spec.persistent_volume_reclaim_policy.as_str().into(),
            phase(&self.metadata, self.status.phase.as_str()).into(),
            claim.unwrap_or_default().into(),
            class(&self.metadata, Some(&spec.storage_class_name)).into(),
            or_unset(spec.volume_attributes_class_name.as_deref()),
            (&self.status.reason).into(),
            age(self, now),
            or_unset(spec.volume_mode.as_ref().map(|mode| mode.as_str())),
        ])
    }
}

fn phase<'a>(meta: &ObjectMeta, phase: &'a str) -> &'a str {
    if meta.is_deleting() { "Terminating" } else { phase }
}

fn storage(amounts: &Map<Quantity>) -> String {
    amounts.get(resource_name::STORAGE).map_or_else(|| "0".to_owned(), ToString::to_string)
}

fn class<'a>(meta: &'a ObjectMeta, field: Option<&'a str>) -> &'a str {
    meta.annotations.get(CLASS).map(|class| class.as_str()).or(field).unwrap_or_default()
}

/// Short names of the known modes, always in the same order.
fn access_modes(modes: &[PersistentVolumeAccessMode]) -> String {
    let known = [
        (PersistentVolumeAccessMode::ReadWriteOnce, "RWO"),
        (PersistentVolumeAccessMode::ReadOnlyMany, "ROX"),
        (PersistentVolumeAccessMode::ReadWriteMany, "RWX"),
        (PersistentVolumeAccessMode::ReadWriteOncePod, "RWOP"),
    ];
    joined(known.iter().filter(|(mode, _)| modes.contains(mode)).map(|(_, short)| short), ",")
}
