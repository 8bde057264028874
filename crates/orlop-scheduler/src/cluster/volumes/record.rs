//! [`Volumes`] as a fold over [`StorageChange`]s.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use orlop_model::storage::v1::{CSINode, CSINodeDriver, CSIStorageCapacity, StorageClass, VolumeAttachment};

use super::plan::{
    SELECTED_NODE, assume_claim_again, assume_volume_again, is_for_another, settles_claim, settles_volume,
};
use super::store::{Assumption, ClaimSlot, Decided};
use super::{
    BindPlan, CapacitySlot, Replaced, StorageChange, StorageEvent, VolumeSlot, Volumes, class_of_volume,
};
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

/// Names of the claims in a pod's volumes, those of ephemeral volumes left out.
fn named_claims(pod: &Pod) -> impl Iterator<Item = &Str> {
    let claims = pod.spec.volumes.iter().filter_map(|volume| volume.source.persistent_volume_claim.as_ref());
    claims.map(|claim| &claim.claim_name)
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
                self.set_claim(&namespace, &name, Some(claim))
            }
            StorageChange::ClaimRemoved { namespace, name } => self.set_claim(&namespace, &name, None),
            StorageChange::ClassSet(class) => {
                let name = class.metadata.name.clone();
                replace(&mut self.classes, &name, Some(class), same_class)
                    .and_then(|change| object("StorageClass", none, &name, StorageEvent::Class(change)))
            }
            StorageChange::ClassRemoved(name) => replace(&mut self.classes, &name, None, same_class)
                .and_then(|change| object("StorageClass", none, &name, StorageEvent::Class(change))),
            StorageChange::CsiNodeSet(node) => {
                let name = node.metadata.name.clone();
                self.set_csi_node(&name, Some(node))
            }
            StorageChange::CsiNodeRemoved(name) => self.set_csi_node(&name, None),
            StorageChange::DriverSet(driver) => {
                let name = driver.metadata.name.clone();
                replace(&mut self.drivers, &name, Some(driver), |old, new| old.spec == new.spec)
                    .and_then(|change| object("CSIDriver", none, &name, StorageEvent::Driver(change)))
            }
            StorageChange::DriverRemoved(name) => {
                replace(&mut self.drivers, &name, None, |old, new| old.spec == new.spec)
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

    fn set_volume(&mut self, name: &Str, new: Option<Arc<PersistentVolume>>) -> Recorded {
        let before = self.volumes.remove(name.as_str());
        if let Some(slot) = &before {
            take(&mut self.volumes_by_class, &class_of_volume(&slot.seen), name);
        }
        let mut settled = BTreeSet::new();
        if let Some(seen) = &new {
            put(&mut self.volumes_by_class, class_of_volume(seen), name.clone());
            let mut slot = VolumeSlot::new(Arc::clone(seen));
            match before.as_ref().and_then(|before| before.assumed.clone()) {
                Some(assumed) if settles_volume(seen, &assumed.object) => settled = assumed.pods,
                Some(assumed) => {
                    let object = Arc::new(assume_volume_again(seen, &assumed.object));
                    slot.assumed = Some(Assumption { object, ..assumed });
                }
                None => {}
            }
            self.volumes.insert(name.clone(), slot);
        } else {
            let assumed = before.as_ref().and_then(|slot| slot.assumed.as_ref());
            settled.extend(assumed.into_iter().flat_map(|assumed| assumed.pods.iter().cloned()));
        }
        for pod in settled {
            self.settle(&pod);
        }
        let change = Replaced { old: before.map(|slot| slot.seen), new };
        match (&change.old, &change.new) {
            (None, None) => None,
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) || same_volume(old, new) => None,
            _ => object("PersistentVolume", &Str::EMPTY, name, StorageEvent::Volume(change)),
        }
    }

    fn set_claim(
        &mut self,
        namespace: &Str,
        name: &Str,
        new: Option<Arc<PersistentVolumeClaim>>,
    ) -> Recorded {
        let claims = self.claims.entry(namespace.clone()).or_default();
        let before = claims.remove(name.as_str());
        let mut settled = BTreeSet::new();
        if let Some(seen) = &new {
            let mut slot = ClaimSlot { seen: Arc::clone(seen), assumed: None };
            match before.as_ref().and_then(|before| before.assumed.clone()) {
                Some(assumed) if settles_claim(seen, &assumed.object) => settled = assumed.pods,
                Some(assumed) => {
                    let object = Arc::new(assume_claim_again(seen, &assumed.object));
                    slot.assumed = Some(Assumption { object, ..assumed });
                }
                None => {}
            }
            claims.insert(name.clone(), slot);
        } else {
            let assumed = before.as_ref().and_then(|slot| slot.assumed.as_ref());
            settled.extend(assumed.into_iter().flat_map(|assumed| assumed.pods.iter().cloned()));
            if claims.is_empty() {
                self.claims.remove(namespace.as_str());
            }
        }
        for pod in settled {
            self.settle(&pod);
        }
        let change = Replaced { old: before.map(|slot| slot.seen), new };
        match (&change.old, &change.new) {
            (None, None) => None,
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) || same_claim(old, new) => None,
            _ => object("PersistentVolumeClaim", namespace, name, StorageEvent::Claim(change)),
        }
    }

    fn set_csi_node(&mut self, name: &Str, new: Option<Arc<CSINode>>) -> Recorded {
        let change = replace(&mut self.csi_nodes, name, new, same_csi_node)?;
        self.limited_nodes += usize::from(change.new.as_deref().is_some_and(has_limits));
        self.limited_nodes -= usize::from(change.old.as_deref().is_some_and(has_limits));
        object("CSINode", &Str::EMPTY, name, StorageEvent::CsiNode(change))
    }

    fn set_attachment(&mut self, name: &Str, new: Option<Arc<VolumeAttachment>>) -> Recorded {
        let change = replace(&mut self.attachments, name, new, |old, new| old.spec == new.spec)?;
        if let Some(old) = &change.old {
            take(&mut self.attachments_by_node, &old.spec.node_name, name);
        }
        if let Some(new) = &change.new {
            put(&mut self.attachments_by_node, new.spec.node_name.clone(), name.clone());
        }
        object("VolumeAttachment", &Str::EMPTY, name, StorageEvent::Attachment(change))
    }

    fn set_capacity(&mut self, name: (Str, Str), new: Option<Arc<CSIStorageCapacity>>) -> Recorded {
        let before = self.capacities.remove(&name);
        if let Some(slot) = &before {
            take(&mut self.capacities_by_class, &slot.object.storage_class_name, &name);
        }
        if let Some(new) = &new {
            put(&mut self.capacities_by_class, new.storage_class_name.clone(), name.clone());
            self.capacities.insert(name.clone(), CapacitySlot::new(Arc::clone(new)));
        }
        let change = Replaced { old: before.map(|slot| slot.object), new };
        match (&change.old, &change.new) {
            (None, None) => None,
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) || same_capacity(old, new) => None,
            _ => object("CSIStorageCapacity", &name.0, &name.1, StorageEvent::Capacity(change)),
        }
    }

    fn assume(&mut self, pod: &Str, plan: Arc<BindPlan>) -> Result<(), RecordError> {
        if self.assumed.contains_key(pod.as_str()) {
            return Err(RecordError::VolumesAssumed { pod: pod.clone() });
        }
        let mut names = BTreeSet::new();
        for volume in &plan.volumes {
            let name = &volume.metadata.name;
            let slot = self.volumes.get(name.as_str());
            let slot = slot.ok_or_else(|| RecordError::UnknownVolume { volume: name.clone() })?;
            if !names.insert(name.clone()) || is_for_another(slot.object(), volume) {
                return Err(RecordError::VolumeTaken { volume: name.clone() });
            }
        }
        for claim in &plan.claims {
            let meta = &claim.metadata;
            let (namespace, name) = (meta.namespace.clone(), meta.name.clone());
            let Some(known) = self.claim(&namespace, &name) else {
                return Err(RecordError::UnknownClaim { namespace, claim: name });
            };
            let node = known.metadata.annotations.get(SELECTED_NODE);
            if node.is_some_and(|node| meta.annotations.get(SELECTED_NODE) != Some(node)) {
                return Err(RecordError::ClaimTaken { namespace, claim: name });
            }
        }
        for volume in &plan.volumes {
            if let Some(slot) = self.volumes.get_mut(volume.metadata.name.as_str())
                && !settles_volume(&slot.seen, volume)
            {
                Assumption::join(&mut slot.assumed, pod, volume);
            }
        }
        for claim in &plan.claims {
            let meta = &claim.metadata;
            let claims = self.claims.get_mut(meta.namespace.as_str());
            if let Some(slot) = claims.and_then(|claims| claims.get_mut(meta.name.as_str()))
                && !settles_claim(&slot.seen, claim)
            {
                Assumption::join(&mut slot.assumed, pod, claim);
            }
        }
        self.assumed.insert(pod.clone(), Decided { plan, confirmed: false });
        Ok(())
    }

    /// Undoes what was assumed for a pod.
    pub(in crate::cluster) fn forget(&mut self, pod: &Str) -> Recorded {
        let Decided { plan, .. } = self.assumed.remove(pod.as_str())?;
        let mut freed = None;
        for volume in &plan.volumes {
            if let Some(slot) = self.volumes.get_mut(volume.metadata.name.as_str())
                && let Some(old) = Assumption::leave(&mut slot.assumed, pod)
            {
                let change = Replaced { old: Some(old), new: Some(Arc::clone(&slot.seen)) };
                freed.get_or_insert(StorageEvent::Volume(change));
            }
        }
        for claim in &plan.claims {
            let meta = &claim.metadata;
            let claims = self.claims.get_mut(meta.namespace.as_str());
            if let Some(slot) = claims.and_then(|claims| claims.get_mut(meta.name.as_str()))
                && let Some(old) = Assumption::leave(&mut slot.assumed, pod)
            {
                let change = Replaced { old: Some(old), new: Some(Arc::clone(&slot.seen)) };
                freed.get_or_insert(StorageEvent::Claim(change));
            }
        }
        Some((Logged::VolumesForgot { pod: pod.clone() }, freed))
    }

    /// The pod is seen to be bound: so are its volumes, and they will be seen to be.
    pub(in crate::cluster) fn confirm(&mut self, pod: &Str) {
        if let Some(decided) = self.assumed.get_mut(pod.as_str()) {
            decided.confirmed = true;
        }
        self.settle(pod);
    }

    /// Drops the decision about a bound pod once nothing of it is assumed any more.
    fn settle(&mut self, pod: &Str) {
        let Some(Decided { plan, confirmed: true }) = self.assumed.get(pod.as_str()) else {
            return;
        };
        let volume = |volume: &Arc<PersistentVolume>| {
            let slot = self.volumes.get(volume.metadata.name.as_str());
            slot.is_some_and(|slot| Assumption::is_of(&slot.assumed, pod))
        };
        let claim = |claim: &Arc<PersistentVolumeClaim>| {
            let claims = self.claims.get(claim.metadata.namespace.as_str());
            let slot = claims.and_then(|claims| claims.get(claim.metadata.name.as_str()));
            slot.is_some_and(|slot| Assumption::is_of(&slot.assumed, pod))
        };
        if !plan.volumes.iter().any(volume) && !plan.claims.iter().any(claim) {
            self.assumed.remove(pod.as_str());
        }
    }

    /// Whether [`placed`](Self::placed) and [`left`](Self::left) need to hear of the pod.
    pub(in crate::cluster) fn concern(pod: &Pod) -> bool {
        named_claims(pod).next().is_some()
    }

    /// A pod is on a node from now on.
    pub(in crate::cluster) fn placed(&mut self, pod: &Pod, id: &Str) {
        for claim in named_claims(pod) {
            let claims = self.users.entry(pod.metadata.namespace.clone()).or_default();
            put(claims, claim.clone(), id.clone());
        }
    }

    /// A pod is on no node any more.
    pub(in crate::cluster) fn left(&mut self, pod: &Pod, id: &Str) {
        for claim in named_claims(pod) {
            if let Some(claims) = self.users.get_mut(pod.metadata.namespace.as_str()) {
                take(claims, claim, id);
                if claims.is_empty() {
                    self.users.remove(pod.metadata.namespace.as_str());
                }
            }
        }
    }
}
