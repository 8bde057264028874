//! Rows of StorageClasses, VolumeAttributesClasses, VolumeAttachments and what CSI drivers tell.

use jiff::Timestamp;

use super::{Cell, Column, NONE, Row, Tabular, age, joined, or_unset};
use crate::message::Sequence as _;
use crate::storage::v1::{
    CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment, VolumeAttributesClass,
};
use crate::{ObjectMeta, Quantity};

impl Tabular for StorageClass {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Provisioner", "Who makes the volumes."),
        Column::text("ReclaimPolicy", "What becomes of a volume when its claim is gone."),
        Column::text("VolumeBindingMode", "Whether claims wait for their first pod."),
        Column::text("AllowVolumeExpansion", "Whether volumes can grow."),
        Column::AGE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let default = [
            "storageclass.kubernetes.io/is-default-class",
            "storageclass.beta.kubernetes.io/is-default-class",
        ];
        Row::new([
            name(&self.metadata, &default),
            (&self.provisioner).into(),
            self.reclaim_policy.as_ref().map_or("Delete", |policy| policy.as_str()).into(),
            self.volume_binding_mode.as_ref().map_or("Immediate", |mode| mode.as_str()).into(),
            Cell::Boolean(self.allow_volume_expansion.unwrap_or(false)),
            age(self, now),
        ])
    }
}

impl Tabular for VolumeAttributesClass {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::text("DriverName", "The driver that knows the attributes."), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        let default = ["volumeattributesclass.alpha.kubernetes.io/is-default-class"];
        Row::new([name(&self.metadata, &default), (&self.driver_name).into(), age(self, now)])
    }
}

/// The name, marked if one of the annotations says that it is the default.
fn name(meta: &ObjectMeta, annotations: &[&str]) -> Cell {
    match annotations.iter().any(|key| meta.annotations.get(key).is_some_and(|value| *value == "true")) {
        true => format!("{} (default)", meta.name).into(),
        false => (&meta.name).into(),
    }
}

impl Tabular for CSIDriver {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::boolean("AttachRequired", "Whether volumes have to be attached before they are mounted."),
        Column::boolean("PodInfoOnMount", "Whether the driver is told of the pod."),
        Column::boolean("StorageCapacity", "Whether pods are put where there is room for their volumes."),
        Column::text("TokenRequests", "For whom the driver gets tokens of the pod's service account."),
        Column::boolean("RequiresRepublish", "Whether mounting is repeated from time to time."),
        Column::text("Modes", "Whether volumes outlive their pods."),
        Column::AGE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let spec = &self.spec;
        let audiences = || joined(spec.token_requests.iter().map(|request| &request.audience), ",");
        let tokens = (!spec.token_requests.is_nil()).then(audiences);
        let modes = joined(spec.volume_lifecycle_modes.iter().map(|mode| mode.as_str()), ",");
        Row::new([
            (&self.metadata.name).into(),
            Cell::Boolean(spec.attach_required.unwrap_or(true)),
            Cell::Boolean(spec.pod_info_on_mount.unwrap_or(false)),
            Cell::Boolean(spec.storage_capacity.unwrap_or(false)),
            or_unset(tokens.as_deref()),
            Cell::Boolean(spec.requires_republish.unwrap_or(false)),
            if modes.is_empty() { NONE.into() } else { modes.into() },
            age(self, now),
        ])
    }
}

impl Tabular for CSINode {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::integer("Drivers", "How many drivers the node has."), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        Row::new([(&self.metadata.name).into(), Cell::count(self.spec.drivers.len()), age(self, now)])
    }
}

impl Tabular for CSIStorageCapacity {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("StorageClassName", "Class of the volumes there is room for."),
        Column::text("Capacity", "How much room there is."),
    ];

    fn row(&self, _: Timestamp) -> Row {
        let capacity = self.capacity.as_ref().filter(|capacity| !Quantity::is_zero(capacity));
        Row::new([
            (&self.metadata.name).into(),
            (&self.storage_class_name).into(),
            capacity.map_or_else(|| "0".to_owned(), ToString::to_string).into(),
        ])
    }
}

impl Tabular for VolumeAttachment {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column { format: "name", ..Column::text("Attacher", "The driver that attaches the volume.") },
        Column::text("PV", "The volume."),
        Column::text("Node", "The node that it is attached to."),
        Column::boolean("Attached", "Whether it is."),
        Column::AGE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        Row::new([
            (&self.metadata.name).into(),
            (&self.spec.attacher).into(),
            self.spec.source.persistent_volume_name.clone().unwrap_or_default().into(),
            (&self.spec.node_name).into(),
            Cell::Boolean(self.status.attached),
            age(self, now),
        ])
    }
}
