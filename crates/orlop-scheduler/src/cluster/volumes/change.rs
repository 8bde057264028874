//! [`StorageChange`]: what may happen to the objects of storage, and [`StorageEvent`], what that may
//! mean to waiting pods.

use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim};
use orlop_model::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};

use super::BindPlan;

/// A change of the objects of storage, recorded as [`Change::Storage`](crate::Change::Storage).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StorageChange {
    /// A PersistentVolume was added or changed.
    VolumeSet(Arc<PersistentVolume>),
    /// The PersistentVolume of this name is gone.
    VolumeRemoved(Str),
    /// A PersistentVolumeClaim was added or changed.
    ClaimSet(Arc<PersistentVolumeClaim>),
    /// A PersistentVolumeClaim is gone.
    ClaimRemoved {
        /// Its namespace.
        namespace: Str,
        /// Its name.
        name: Str,
    },
    /// A StorageClass was added or changed.
    ClassSet(Arc<StorageClass>),
    /// The StorageClass of this name is gone.
    ClassRemoved(Str),
    /// A CSINode was added or changed; its name is that of the node.
    CsiNodeSet(Arc<CSINode>),
    /// The CSINode of this name is gone.
    CsiNodeRemoved(Str),
    /// A CSIDriver was added or changed.
    DriverSet(Arc<CSIDriver>),
    /// The CSIDriver of this name is gone.
    DriverRemoved(Str),
    /// A VolumeAttachment was added or changed.
    AttachmentSet(Arc<VolumeAttachment>),
    /// The VolumeAttachment of this name is gone.
    AttachmentRemoved(Str),
    /// A CSIStorageCapacity was added or changed.
    CapacitySet(Arc<CSIStorageCapacity>),
    /// A CSIStorageCapacity is gone.
    CapacityRemoved {
        /// Its namespace.
        namespace: Str,
        /// Its name.
        name: Str,
    },
    /// It was decided which volumes the claims of a pod get; volumes and claims count as written
    /// already. What is seen of them later replaces that. Undone when the pod is forgotten or
    /// removed.
    Assumed {
        /// The pod's [id](crate::pod_id).
        pod: Str,
        /// The decision.
        plan: Arc<BindPlan>,
    },
    /// The decision about the volumes of the pod with this [id](crate::pod_id) is undone.
    Forgot(Str),
}

/// An object before and after a change.
#[derive(Clone, Debug)]
pub struct Replaced<K> {
    /// Before; none if it was added.
    pub old: Option<Arc<K>>,
    /// After; none if it was removed.
    pub new: Option<Arc<K>>,
}

impl<K> Replaced<K> {
    /// The object that was added.
    #[must_use]
    pub fn added(&self) -> Option<&Arc<K>> {
        if self.old.is_none() { self.new.as_ref() } else { None }
    }

    /// Both sides of an update.
    #[must_use]
    pub fn updated(&self) -> Option<(&Arc<K>, &Arc<K>)> {
        self.old.as_ref().zip(self.new.as_ref())
    }

    /// The object that was removed.
    #[must_use]
    pub fn removed(&self) -> Option<&Arc<K>> {
        if self.new.is_none() { self.old.as_ref() } else { None }
    }
}

/// An object of storage was added, changed or removed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StorageEvent {
    /// A PersistentVolume.
    Volume(Replaced<PersistentVolume>),
    /// A PersistentVolumeClaim.
    Claim(Replaced<PersistentVolumeClaim>),
    /// A StorageClass.
    Class(Replaced<StorageClass>),
    /// A CSINode.
    CsiNode(Replaced<CSINode>),
    /// A CSIDriver.
    Driver(Replaced<CSIDriver>),
    /// A VolumeAttachment.
    Attachment(Replaced<VolumeAttachment>),
    /// A CSIStorageCapacity.
    Capacity(Replaced<CSIStorageCapacity>),
}
