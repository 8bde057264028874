//! [`StorageSources`]: where the driver hears of volumes.

use std::sync::Arc;

use orlop_cache::{Delta, Store, Subscription};
use orlop_controller::Informers;
use orlop_model::Object;
use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim};
use orlop_model::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};

use super::run::next;
use crate::cluster::StorageChange;

/// The caches of the objects that decisions about volumes depend on.
#[derive(Clone, Debug)]
pub struct StorageSources {
    /// PersistentVolumes.
    pub volumes: Store<PersistentVolume>,
    /// PersistentVolumeClaims of all namespaces.
    pub claims: Store<PersistentVolumeClaim>,
    /// StorageClasses.
    pub classes: Store<StorageClass>,
    /// CSINodes.
    pub csi_nodes: Store<CSINode>,
    /// CSIDrivers.
    pub drivers: Store<CSIDriver>,
    /// VolumeAttachments.
    pub attachments: Store<VolumeAttachment>,
    /// CSIStorageCapacities of all namespaces.
    pub capacities: Store<CSIStorageCapacity>,
}

impl StorageSources {
    /// The caches that controllers share.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn shared(informers: &Informers) -> Self {
        Self {
            volumes: informers.of(),
            claims: informers.of(),
            classes: informers.of(),
            csi_nodes: informers.of(),
            drivers: informers.of(),
            attachments: informers.of(),
            capacities: informers.of(),
        }
    }
}

/// What a cache of storage said.
pub(super) enum Heard {
    Change(StorageChange),
    /// It has told all that was there at the start.
    Synced,
    Nothing,
}

/// The subscriptions to the caches.
pub(super) struct StorageInputs {
    volumes: Option<Subscription<PersistentVolume>>,
    claims: Option<Subscription<PersistentVolumeClaim>>,
    classes: Option<Subscription<StorageClass>>,
    csi_nodes: Option<Subscription<CSINode>>,
    drivers: Option<Subscription<CSIDriver>>,
    attachments: Option<Subscription<VolumeAttachment>>,
    capacities: Option<Subscription<CSIStorageCapacity>>,
}

fn heard<K: Object>(
    delta: Delta<K>,
    set: impl FnOnce(Arc<K>) -> StorageChange,
    removed: impl FnOnce(&K) -> StorageChange,
) -> Heard {
    match delta {
        Delta::Added { object, .. } | Delta::Modified { new: object, .. } => Heard::Change(set(object)),
        Delta::Deleted { last, .. } => Heard::Change(removed(&last)),
        Delta::Synced => Heard::Synced,
        // Only for those who ask for it.
        Delta::Reset => Heard::Nothing,
    }
}

fn volume(delta: Delta<PersistentVolume>) -> Heard {
    heard(delta, StorageChange::VolumeSet, |last| StorageChange::VolumeRemoved(last.metadata.name.clone()))
}

fn claim(delta: Delta<PersistentVolumeClaim>) -> Heard {
    heard(delta, StorageChange::ClaimSet, |last| StorageChange::ClaimRemoved {
        namespace: last.metadata.namespace.clone(),
        name: last.metadata.name.clone(),
    })
}

fn class(delta: Delta<StorageClass>) -> Heard {
    heard(delta, StorageChange::ClassSet, |last| StorageChange::ClassRemoved(last.metadata.name.clone()))
}

fn csi_node(delta: Delta<CSINode>) -> Heard {
    heard(delta, StorageChange::CsiNodeSet, |last| StorageChange::CsiNodeRemoved(last.metadata.name.clone()))
}

fn driver(delta: Delta<CSIDriver>) -> Heard {
    heard(delta, StorageChange::DriverSet, |last| StorageChange::DriverRemoved(last.metadata.name.clone()))
}

fn attachment(delta: Delta<VolumeAttachment>) -> Heard {
    heard(delta, StorageChange::AttachmentSet, |last| {
        StorageChange::AttachmentRemoved(last.metadata.name.clone())
    })
}

fn capacity(delta: Delta<CSIStorageCapacity>) -> Heard {
    heard(delta, StorageChange::CapacitySet, |last| StorageChange::CapacityRemoved {
        namespace: last.metadata.namespace.clone(),
        name: last.metadata.name.clone(),
    })
}

impl StorageInputs {
    /// How many of them each say once that they are [`Synced`](Heard::Synced).
    pub(super) const COUNT: usize = 7;

    pub(super) fn new(sources: &StorageSources) -> Self {
        Self {
            volumes: Some(sources.volumes.subscribe()),
            claims: Some(sources.claims.subscribe()),
            classes: Some(sources.classes.subscribe()),
            csi_nodes: Some(sources.csi_nodes.subscribe()),
            drivers: Some(sources.drivers.subscribe()),
            attachments: Some(sources.attachments.subscribe()),
            capacities: Some(sources.capacities.subscribe()),
        }
    }

    /// What comes next; never, once all caches have stopped.
    pub(super) async fn next(this: &mut Option<Self>) -> Heard {
        let Some(this) = this else {
            return std::future::pending().await;
        };
        tokio::select! {
            biased;
            delta = next(&mut this.classes) => class(delta),
            delta = next(&mut this.csi_nodes) => csi_node(delta),
            delta = next(&mut this.drivers) => driver(delta),
            delta = next(&mut this.capacities) => capacity(delta),
            delta = next(&mut this.attachments) => attachment(delta),
            delta = next(&mut this.volumes) => volume(delta),
            delta = next(&mut this.claims) => claim(delta),
        }
    }

    /// What is there already.
    pub(super) fn try_next(&mut self) -> Option<Heard> {
        fn there<K: Object>(input: &mut Option<Subscription<K>>) -> Option<Delta<K>> {
            input.as_mut().and_then(Subscription::try_next)
        }
        None.or_else(|| there(&mut self.classes).map(class))
            .or_else(|| there(&mut self.csi_nodes).map(csi_node))
            .or_else(|| there(&mut self.drivers).map(driver))
            .or_else(|| there(&mut self.capacities).map(capacity))
            .or_else(|| there(&mut self.attachments).map(attachment))
            .or_else(|| there(&mut self.volumes).map(volume))
            .or_else(|| there(&mut self.claims).map(claim))
    }
}
