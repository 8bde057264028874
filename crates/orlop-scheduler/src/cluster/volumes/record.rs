//! [`Volumes`] as a fold over [`StorageChange`]s.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim};
use orlop_model::storage::v1::{CSINode, CSINodeDriver, CSIStorageCapacity, StorageClass, VolumeAttachment};

use super::assumption::{Decided, join, leave, name_of};
use super::plan::{
    SELECTED_NODE, assume_claim_again, assume_volume_again, is_for_another, settles_claim, settles_volume,
};
use super::store::{Seen, VolumeSlot};
use super::{BindPlan, CapacitySlot, Replaced, StorageChange, StorageEvent, Volumes, class_of_volume};
use crate::cluster::{Logged, RecordError};

/// What a change was, for the log and for waiting pods; nothing where no plugin can see it.
pub(in crate::cluster) type Recorded = Option<(Logged, Option<StorageEvent>)>;

fn object(
    kind: &'static str,
    namespace: &Str,
    name: &Str,
    event: StorageEvent,
) -> Option<(Logged, Option<StorageEvent>)> {
    let entry = Logged::ObjectChanged { kind: kind.into(), namespace: namespace.clone(), name: name.clone() };
    Some((entry, Some(event)))
}

fn put<K: Hash + Eq, V: Ord>(index: &mut HashMap<K, BTreeSet<V>>, key: K, value: V) {
    index.entry(key).or_default().insert(value);
}

fn take<V: Ord>(index: &mut HashMap<Str, BTreeSet<V>>, key: &str, value: &V) {
    if let Some(values) = index.get_mut(key) {
        values.remove(value);
        if values.is_empty() {
            index.remove(key);
        }
    }
}

/// Sets or removes an object; nothing where `same` says that no plugin sees the difference.
fn replace<K>(
    objects: &mut HashMap<Str, Arc<K>>,
    name: &Str,
    new: Option<Arc<K>>,
    same: impl FnOnce(&K, &K) -> bool,
) -> Option<Replaced<K>> {
    let old = match &new {
        Some(new) => objects.insert(name.clone(), Arc::clone(new)),
        None => objects.remove(name.as_str()),
    };
    let unchanged = match (&old, &new) {
        (None, None) => true,
        (Some(old), Some(new)) => Arc::ptr_eq(old, new) || same(old, new),
        _ => false,
    };
    (!unchanged).then_some(Replaced { old, new })
}

fn same_volume(old: &PersistentVolume, new: &PersistentVolume) -> bool {
    old.spec == new.spec
        && old.status.phase == new.status.phase
        && old.metadata.labels == new.metadata.labels
        && old.metadata.annotations == new.metadata.annotations
        && old.metadata.deletion_timestamp.is_some() == new.metadata.deletion_timestamp.is_some()
}

fn same_claim(old: &PersistentVolumeClaim, new: &PersistentVolumeClaim) -> bool {
    old.spec == new.spec
        && old.status.phase == new.status.phase
        && old.metadata.uid == new.metadata.uid
        && old.metadata.annotations == new.metadata.annotations
        && old.metadata.owner_references == new.metadata.owner_references
        && old.metadata.deletion_timestamp.is_some() == new.metadata.deletion_timestamp.is_some()
}

fn same_class(old: &StorageClass, new: &StorageClass) -> bool {
    old.provisioner == new.provisioner
        && old.volume_binding_mode == new.volume_binding_mode
        && old.allowed_topologies == new.allowed_topologies
}

fn same_csi_node(old: &CSINode, new: &CSINode) -> bool {
    old.spec == new.spec && old.metadata.annotations == new.metadata.annotations
}

fn has_limits(node: &CSINode) -> bool {
    let limit =
        |driver: &CSINodeDriver| driver.allocatable.as_ref().and_then(|allocatable| allocatable.count);
    node.spec.drivers.iter().any(|driver| limit(driver).is_some())
}

fn same_capacity(old: &CSIStorageCapacity, new: &CSIStorageCapacity) -> bool {
    old.storage_class_name == new.storage_class_name
        && old.node_topology == new.node_topology
        && old.capacity == new.capacity
        && old.maximum_volume_size == new.maximum_volume_size
}

impl Volumes {
    /// Applies a change.
    ///
    /// # Errors
    /// [`RecordError`] where a decision cannot be carried out any more; nothing has changed then.
    pub(in crate::cluster) fn record(&mut self, change: StorageChange) -> Result<Recorded, RecordError> {
        let none = &Str::EMPTY;
        Ok(match change {
            StorageChange::VolumeSet(volume) => {
                let name = volume.metadata.name.clone();
                self.set_volume(&name, Some(volume))
            }
            StorageChange::VolumeRemoved(name) => self.set_volume(&name, None),
            StorageChange::ClaimSet(claim) => {
                let (namespace, name) = (claim.metadata.namespace.clone(), claim.metadata.name.clone());
                self.set_claim(namespace, name, Some(claim))
            }
            StorageChange::ClaimRemoved { namespace, name } => self.set_claim(namespace, name, None),
            StorageChange::ClassSet(class) => {
                let name = class.metadata.name.clone();
                replace(&mut self.seen_mut().classes, &name, Some(class), same_class)
                    .and_then(|change| object("StorageClass", none, &name, StorageEvent::Class(change)))
            }
            StorageChange::ClassRemoved(name) => {
                replace(&mut self.seen_mut().classes, &name, None, same_class)
                    .and_then(|change| object("StorageClass", none, &name, StorageEvent::Class(change)))
            }
            StorageChange::CsiNodeSet(node) => {
                let name = node.metadata.name.clone();
                self.set_csi_node(&name, Some(node))
            }
            StorageChange::CsiNodeRemoved(name) => self.set_csi_node(&name, None),
            StorageChange::DriverSet(driver) => {
                let name = driver.metadata.name.clone();
                replace(&mut self.seen_mut().drivers, &name, Some(driver), |old, new| old.spec == new.spec)
                    .and_then(|change| object("CSIDriver", none, &name, StorageEvent::Driver(change)))
            }
            StorageChange::DriverRemoved(name) => {
                replace(&mut self.seen_mut().drivers, &name, None, |old, new| old.spec == new.spec)
                    .and_then(|change| object("CSIDriver", none, &name, StorageEvent::Driver(change)))
            }
            StorageChange::AttachmentSet(attachment) => {
                let name = attachment.metadata.name.clone();
                self.set_attachment(&name, Some(attachment))
            }
            StorageChange::AttachmentRemoved(name) => self.set_attachment(&name, None),
            StorageChange::CapacitySet(capacity) => {
                let name = (capacity.metadata.namespace.clone(), capacity.metadata.name.clone());
                self.set_capacity(name, Some(capacity))
            }
            StorageChange::CapacityRemoved { namespace, name } => self.set_capacity((namespace, name), None),
            StorageChange::Assumed { pod, plan } => {
                self.assume(&pod, plan)?;
                Some((Logged::VolumesAssumed { pod }, None))
            }
            StorageChange::Forgot(pod) => self.forget(&pod),
        })
    }

    fn seen_mut(&mut self) -> &mut Seen {
        Arc::make_mut(&mut self.seen)
    }

    fn set_volume(&mut self, name: &Str, new: Option<Arc<PersistentVolume>>) -> Recorded {
        let known = Arc::make_mut(&mut self.seen);
        let old = known.volumes.remove(name.as_str()).map(|slot| slot.seen);
        if let Some(old) = &old {
            take(&mut known.volumes_by_class, &class_of_volume(old), name);
        }
        if let Some(new) = &new {
            put(&mut known.volumes_by_class, class_of_volume(new), name.clone());
            known.volumes.insert(name.clone(), VolumeSlot::new(Arc::clone(new)));
        }
        if let Some(assumed) = self.assumptions.volumes.get_mut(name) {
            match &new {
                Some(new) if !settles_volume(new, &assumed.object) => {
                    assumed.object = Arc::new(assume_volume_again(new, &assumed.object));
                }
                _ => {
                    let settled = self.assumptions.volumes.remove(name);
                    for pod in settled.into_iter().flat_map(|settled| settled.pods) {
                        self.assumptions.settle(&pod);
                    }
                }
            }
        }
        let change = Replaced { old, new };
        match (&change.old, &change.new) {
            (None, None) => None,
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) || same_volume(old, new) => None,
            _ => object("PersistentVolume", &Str::EMPTY, name, StorageEvent::Volume(change)),
        }
    }

    fn set_claim(&mut self, namespace: Str, name: Str, new: Option<Arc<PersistentVolumeClaim>>) -> Recorded {
        let known = Arc::make_mut(&mut self.seen);
        let claims = known.claims.entry(namespace.clone()).or_default();
        let old = match &new {
            Some(new) => claims.insert(name.clone(), Arc::clone(new)),
            None => claims.remove(name.as_str()),
        };
        if claims.is_empty() {
            known.claims.remove(namespace.as_str());
        }
        let full_name = (namespace, name);
        if let Some(assumed) = self.assumptions.claims.get_mut(&full_name) {
            match &new {
                Some(new) if !settles_claim(new, &assumed.object) => {
                    assumed.object = Arc::new(assume_claim_again(new, &assumed.object));
                }
                _ => {
                    let settled = self.assumptions.claims.remove(&full_name);
                    for pod in settled.into_iter().flat_map(|settled| settled.pods) {
                        self.assumptions.settle(&pod);
                    }
                }
            }
        }
        let change = Replaced { old, new };
        match (&change.old, &change.new) {
            (None, None) => None,
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) || same_claim(old, new) => None,
            _ => {
                let event = StorageEvent::Claim(change);
                object("PersistentVolumeClaim", &full_name.0, &full_name.1, event)
            }
        }
    }

    fn set_csi_node(&mut self, name: &Str, new: Option<Arc<CSINode>>) -> Recorded {
        let seen = self.seen_mut();
        let change = replace(&mut seen.csi_nodes, name, new, same_csi_node)?;
        seen.limited_nodes += usize::from(change.new.as_deref().is_some_and(has_limits));
        seen.limited_nodes -= usize::from(change.old.as_deref().is_some_and(has_limits));
        object("CSINode", &Str::EMPTY, name, StorageEvent::CsiNode(change))
    }

    fn set_attachment(&mut self, name: &Str, new: Option<Arc<VolumeAttachment>>) -> Recorded {
        let seen = self.seen_mut();
        let change = replace(&mut seen.attachments, name, new, |old, new| old.spec == new.spec)?;
        if let Some(old) = &change.old {
            take(&mut seen.attachments_by_node, &old.spec.node_name, name);
        }
        if let Some(new) = &change.new {
            put(&mut seen.attachments_by_node, new.spec.node_name.clone(), name.clone());
        }
        object("VolumeAttachment", &Str::EMPTY, name, StorageEvent::Attachment(change))
    }

    fn set_capacity(&mut self, name: (Str, Str), new: Option<Arc<CSIStorageCapacity>>) -> Recorded {
        let seen = self.seen_mut();
        let before = seen.capacities.remove(&name);
        if let Some(slot) = &before {
            take(&mut seen.capacities_by_class, &slot.object.storage_class_name, &name);
        }
        if let Some(new) = &new {
            put(&mut seen.capacities_by_class, new.storage_class_name.clone(), name.clone());
            seen.capacities.insert(name.clone(), CapacitySlot::new(Arc::clone(new)));
        }
        let change = Replaced { old: before.map(|slot| slot.object), new };
        match (&change.old, &change.new) {
            (None, None) => None,
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) || same_capacity(old, new) => None,
            _ => object("CSIStorageCapacity", &name.0, &name.1, StorageEvent::Capacity(change)),
        }
    }

    fn assume(&mut self, pod: &Str, plan: Arc<BindPlan>) -> Result<(), RecordError> {
        if self.assumptions.pods.contains_key(pod) {
            return Err(RecordError::VolumesAssumed { pod: pod.clone() });
        }
        let mut names = BTreeSet::new();
        for volume in &plan.volumes {
            let name = &volume.metadata.name;
            let known =
                self.volume(name).ok_or_else(|| RecordError::UnknownVolume { volume: name.clone() })?;
            if !names.insert(name.clone()) || is_for_another(known, volume) {
                return Err(RecordError::VolumeTaken { volume: name.clone() });
            }
        }
        for claim in &plan.claims {
            let (namespace, name) = name_of(claim);
            let Some(known) = self.claim(&namespace, &name) else {
                return Err(RecordError::UnknownClaim { namespace, claim: name });
            };
            let node = known.metadata.annotations.get(SELECTED_NODE);
            if node.is_some_and(|node| claim.metadata.annotations.get(SELECTED_NODE) != Some(node)) {
                return Err(RecordError::ClaimTaken { namespace, claim: name });
            }
        }
        let Self { seen, assumptions } = self;
        for volume in &plan.volumes {
            let name = &volume.metadata.name;
            if seen.volumes.get(name.as_str()).is_some_and(|slot| !settles_volume(&slot.seen, volume)) {
                join(&mut assumptions.volumes, name.clone(), pod, volume);
            }
        }
        for claim in &plan.claims {
            let (namespace, name) = name_of(claim);
            let known = seen.claims.get(&namespace).and_then(|claims| claims.get(&name));
            if known.is_some_and(|known| !settles_claim(known, claim)) {
                join(&mut assumptions.claims, (namespace, name), pod, claim);
            }
        }
        assumptions.pods.insert(pod.clone(), Decided { plan, confirmed: false });
        Ok(())
    }

    /// Undoes what was assumed for a pod.
    pub(in crate::cluster) fn forget(&mut self, pod: &Str) -> Recorded {
        let Decided { plan, .. } = self.assumptions.pods.remove(pod)?;
        let mut freed = None;
        for volume in &plan.volumes {
            let name = &volume.metadata.name;
            if let old @ Some(_) = leave(&mut self.assumptions.volumes, name, pod) {
                let change = Replaced { old, new: self.seen_volume(name).cloned() };
                freed.get_or_insert(StorageEvent::Volume(change));
            }
        }
        for claim in &plan.claims {
            let name = name_of(claim);
            if let old @ Some(_) = leave(&mut self.assumptions.claims, &name, pod) {
                let change = Replaced { old, new: self.seen_claim(&name.0, &name.1).cloned() };
                freed.get_or_insert(StorageEvent::Claim(change));
            }
        }
        Some((Logged::VolumesForgot { pod: pod.clone() }, freed))
    }

    /// The pod is seen to be bound: so are its volumes, and they will be seen to be.
    pub(in crate::cluster) fn confirm(&mut self, pod: &str) {
        self.assumptions.confirm(pod);
    }
}
