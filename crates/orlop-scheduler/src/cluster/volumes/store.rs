//! [`Volumes`] itself: what is known, and how it is found.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim};
use orlop_model::selector::{NodeSelectorMatcher, Selector};
use orlop_model::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use orlop_model::{Map, Str};

use super::BindPlan;
use crate::cluster::{ClusterView, NodeView, PlacedPod};

/// The annotation that named the class before there was a field for it; it still comes first.
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// Annotation of a CSINode: in-tree plugins whose volumes a CSI driver attaches there.
pub(crate) const MIGRATED_PLUGINS: &str = "storage.alpha.kubernetes.io/migrated-plugins";

fn class(annotations: &Map<Str>, field: Option<&Str>) -> Str {
    annotations.get(BETA_CLASS).or(field).cloned().unwrap_or_default()
}

/// Name of the class that a claim asks for; empty: none.
pub(crate) fn class_of_claim(claim: &PersistentVolumeClaim) -> Str {
    class(&claim.metadata.annotations, claim.spec.storage_class_name.as_ref())
}

/// Name of the class that a volume belongs to; empty: none.
pub(super) fn class_of_volume(volume: &PersistentVolume) -> Str {
    class(&volume.metadata.annotations, Some(&volume.spec.storage_class_name))
}

/// What a decision that is not carried out yet makes of an object.
#[derive(Clone, Debug)]
pub(super) struct Assumption<K> {
    /// The pods that the decision was about: several may share a claim.
    pub(super) pods: BTreeSet<Str>,
    pub(super) object: Arc<K>,
}

impl<K> Assumption<K> {
    /// A pod more counts on it.
    pub(super) fn join(this: &mut Option<Self>, pod: &Str, object: &Arc<K>) {
        let assumption =
            this.get_or_insert_with(|| Self { pods: BTreeSet::new(), object: Arc::clone(object) });
        assumption.pods.insert(pod.clone());
    }

    /// A pod less counts on it. Returns the object if that was the last.
    pub(super) fn leave(this: &mut Option<Self>, pod: &str) -> Option<Arc<K>> {
        let assumption = this.as_mut()?;
        if !assumption.pods.remove(pod) || !assumption.pods.is_empty() {
            return None;
        }
        this.take().map(|assumption| assumption.object)
    }

    /// Whether the pod counts on it.
    pub(super) fn is_of(this: &Option<Self>, pod: &str) -> bool {
        this.as_ref().is_some_and(|assumption| assumption.pods.contains(pod))
    }
}

/// A volume with what decisions need of it.
#[derive(Clone, Debug)]
pub(crate) struct VolumeSlot {
    pub(super) seen: Arc<PersistentVolume>,
    pub(super) assumed: Option<Assumption<PersistentVolume>>,
    /// The nodes that can reach it; none: all.
    pub(super) affinity: Option<Arc<NodeSelectorMatcher>>,
}

impl VolumeSlot {
    pub(super) fn new(seen: Arc<PersistentVolume>) -> Self {
        let required = seen.spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_ref());
        let affinity = required.map(|selector| Arc::new(NodeSelectorMatcher::lazy(selector)));
        Self { seen, assumed: None, affinity }
    }

    /// As decisions see it.
    pub(crate) fn object(&self) -> &Arc<PersistentVolume> {
        self.assumed.as_ref().map_or(&self.seen, |assumption| &assumption.object)
    }

    /// The nodes that can reach it; none: all.
    pub(crate) fn affinity(&self) -> Option<&Arc<NodeSelectorMatcher>> {
        self.affinity.as_ref()
    }
}

#[derive(Clone, Debug)]
pub(super) struct ClaimSlot {
    pub(super) seen: Arc<PersistentVolumeClaim>,
    pub(super) assumed: Option<Assumption<PersistentVolumeClaim>>,
}

/// A CSIStorageCapacity, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct CapacitySlot {
    pub(super) object: Arc<CSIStorageCapacity>,
    /// Nodes with access; a selector that is absent or malformed selects none.
    topology: Arc<Selector>,
    /// The greatest volume that can be made, in bytes.
    limit: Option<i64>,
}

impl CapacitySlot {
    pub(super) fn new(object: Arc<CSIStorageCapacity>) -> Self {
        let topology =
            Selector::from_object(object.node_topology.as_deref()).unwrap_or_else(|_| Selector::nothing());
        let limit = Self::limit(&object);
        Self { object, topology: Arc::new(topology), limit }
    }

    /// The greatest volume that can be made, in bytes.
    pub(crate) fn limit(capacity: &CSIStorageCapacity) -> Option<i64> {
        let limit = capacity.maximum_volume_size.as_ref().or(capacity.capacity.as_ref());
        limit.map(|limit| limit.value())
    }

    /// The nodes that a volume of `size` bytes can be made for.
    pub(crate) fn room_for(&self, size: i64) -> Option<&Arc<Selector>> {
        (self.limit? >= size).then_some(&self.topology)
    }
}

/// The objects of storage that decisions about pods depend on: PersistentVolumes and their claims,
/// StorageClasses, and what CSI drivers say about nodes.
///
/// Volumes and claims that a decision has given away count as written, though they are not yet.
#[derive(Clone, Debug, Default)]
pub struct Volumes {
    pub(super) volumes: HashMap<Str, VolumeSlot>,
    pub(super) volumes_by_class: HashMap<Str, BTreeSet<Str>>,
    /// By namespace and name.
    pub(super) claims: HashMap<Str, HashMap<Str, ClaimSlot>>,
    pub(super) classes: HashMap<Str, Arc<StorageClass>>,
    pub(super) csi_nodes: HashMap<Str, Arc<CSINode>>,
    /// Number of CSINodes with a driver that limits the volumes it attaches.
    pub(super) limited_nodes: usize,
    pub(super) drivers: HashMap<Str, Arc<CSIDriver>>,
    pub(super) attachments: HashMap<Str, Arc<VolumeAttachment>>,
    pub(super) attachments_by_node: HashMap<Str, BTreeSet<Str>>,
    /// By namespace and name.
    pub(super) capacities: BTreeMap<(Str, Str), CapacitySlot>,
    pub(super) capacities_by_class: HashMap<Str, BTreeSet<(Str, Str)>>,
    /// Ids of the placed pods that name a claim, by namespace and name of the claim.
    pub(super) users: HashMap<Str, HashMap<Str, BTreeSet<Str>>>,
    /// Decisions about volumes of pods that are not bound yet, or not all of whose volumes are seen as
    /// decided, by id of the pod.
    pub(super) assumed: BTreeMap<Str, Decided>,
}

/// A decision about the volumes of a pod.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    pub(super) plan: Arc<BindPlan>,
    /// Whether the pod is bound. What is left to be seen of its volumes is under way then.
    pub(super) confirmed: bool,
}

impl Volumes {
    /// The PersistentVolume of that name.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<&Arc<PersistentVolume>> {
        self.volume_slot(name).map(VolumeSlot::object)
    }

    /// The PersistentVolume of that name as it was seen last, decisions left aside.
    #[must_use]
    pub fn seen_volume(&self, name: &str) -> Option<&Arc<PersistentVolume>> {
        self.volume_slot(name).map(|slot| &slot.seen)
    }

    pub(crate) fn volume_slot(&self, name: &str) -> Option<&VolumeSlot> {
        self.volumes.get(name)
    }

    /// The PersistentVolumes of a class (empty: of none), by name.
    pub fn volumes_of_class(&self, class: &str) -> impl Iterator<Item = &Arc<PersistentVolume>> {
        self.slots_of_class(class).map(VolumeSlot::object)
    }

    pub(crate) fn slots_of_class(&self, class: &str) -> impl Iterator<Item = &VolumeSlot> {
        let names = self.volumes_by_class.get(class).into_iter().flatten();
        names.filter_map(|name| self.volumes.get(name.as_str()))
    }

    /// The PersistentVolumeClaim of that name.
    #[must_use]
    pub fn claim(&self, namespace: &str, name: &str) -> Option<&Arc<PersistentVolumeClaim>> {
        let slot = self.claims.get(namespace)?.get(name)?;
        Some(slot.assumed.as_ref().map_or(&slot.seen, |assumption| &assumption.object))
    }

    /// The PersistentVolumeClaim of that name as it was seen last, decisions left aside.
    #[must_use]
    pub fn seen_claim(&self, namespace: &str, name: &str) -> Option<&Arc<PersistentVolumeClaim>> {
        Some(&self.claims.get(namespace)?.get(name)?.seen)
    }

    /// The StorageClass of that name.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&Arc<StorageClass>> {
        self.classes.get(name)
    }

    /// The CSINode of the node of that name.
    #[must_use]
    pub fn csi_node(&self, node: &str) -> Option<&Arc<CSINode>> {
        self.csi_nodes.get(node)
    }

    /// Whether a driver limits the volumes that it attaches to some node.
    pub(crate) fn has_limits(&self) -> bool {
        self.limited_nodes > 0
    }

    /// The CSIDriver of that name.
    #[must_use]
    pub fn driver(&self, name: &str) -> Option<&Arc<CSIDriver>> {
        self.drivers.get(name)
    }

    /// The VolumeAttachments to the node of that name, by name.
    pub fn attachments(&self, node: &str) -> impl Iterator<Item = &Arc<VolumeAttachment>> {
        let names = self.attachments_by_node.get(node).into_iter().flatten();
        names.filter_map(|name| self.attachments.get(name.as_str()))
    }

    /// The CSIStorageCapacities of a class, by namespace and name.
    pub fn capacities(&self, class: &str) -> impl Iterator<Item = &Arc<CSIStorageCapacity>> {
        self.capacity_slots(class).map(|slot| &slot.object)
    }

    pub(crate) fn capacity_slots(&self, class: &str) -> impl Iterator<Item = &CapacitySlot> {
        let names = self.capacities_by_class.get(class).into_iter().flatten();
        names.filter_map(|name| self.capacities.get(name))
    }

    /// The decision about the volumes of the pod with this [id](crate::pod_id), until the pod is seen
    /// to be bound and its volumes are seen as decided.
    #[must_use]
    pub fn assumed(&self, pod: &str) -> Option<&Arc<BindPlan>> {
        self.assumed.get(pod).map(|decided| &decided.plan)
    }

    /// Ids of the placed pods that name a claim.
    fn users(&self, namespace: &str, claim: &str) -> impl Iterator<Item = &Str> {
        self.users.get(namespace).and_then(|claims| claims.get(claim)).into_iter().flatten()
    }

    /// A text of everything that is not an object as seen: assumptions and uses.
    pub(in crate::cluster) fn fingerprint(&self) -> String {
        let mut users: Vec<_> = self
            .users
            .iter()
            .flat_map(|(namespace, claims)| {
                claims.iter().map(move |(claim, pods)| format!("{namespace}/{claim} {pods:?}"))
            })
            .collect();
        users.sort_unstable();
        let mut volumes: Vec<_> = self
            .volumes
            .iter()
            .filter_map(|(name, slot)| slot.assumed.as_ref().map(|assumed| (name, &assumed.pods)))
            .collect();
        volumes.sort_unstable();
        let mut claims: Vec<_> = self
            .claims
            .values()
            .flatten()
            .filter_map(|(name, slot)| slot.assumed.as_ref().map(|assumed| (name, &assumed.pods)))
            .collect();
        claims.sort_unstable();
        let plans: Vec<_> = self.assumed.iter().map(|(pod, decided)| (pod, decided.confirmed)).collect();
        format!("{users:?} {volumes:?} {claims:?} {plans:?}")
    }
}

impl<'a> ClusterView<'a> {
    /// The objects of storage.
    #[must_use]
    pub fn volumes(self) -> &'a Volumes {
        &self.0.volumes
    }

    /// Whether a pod of this id is on a node, or decided to go to one.
    pub(crate) fn has_pod(self, id: &str) -> bool {
        self.0.pod(id).is_some()
    }

    /// The pods on nodes of the cluster that name a claim.
    pub(crate) fn claim_users(self, namespace: &str, claim: &str) -> impl Iterator<Item = &'a PlacedPod> {
        self.0.volumes.users(namespace, claim).filter_map(move |id| {
            let (pod, node) = self.0.pod(id)?;
            self.node(node).map(|_| pod)
        })
    }
}

impl<'a> NodeView<'a> {
    /// The cluster that the node is in.
    pub(crate) fn cluster_view(self) -> ClusterView<'a> {
        self.cluster.view()
    }
}
