//! [`Volumes`] itself: what is known, and how it is found.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim};
use orlop_model::selector::{NodeSelectorMatcher, Selector};
use orlop_model::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use orlop_model::{Map, Str};

use super::BindPlan;
use super::assumption::{Assumptions, name_of};
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

/// A volume with what decisions need of it.
#[derive(Clone, Debug)]
pub(super) struct VolumeSlot {
    pub(super) seen: Arc<PersistentVolume>,
    /// The nodes that can reach it; none: all.
    affinity: Option<Arc<NodeSelectorMatcher>>,
}

impl VolumeSlot {
    pub(super) fn new(seen: Arc<PersistentVolume>) -> Self {
        let required = seen.spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_ref());
        let affinity = required.map(|selector| Arc::new(NodeSelectorMatcher::lazy(selector)));
        Self { seen, affinity }
    }
}

/// A volume as decisions see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownVolume<'a> {
    object: &'a Arc<PersistentVolume>,
    affinity: Option<&'a Arc<NodeSelectorMatcher>>,
}

impl<'a> KnownVolume<'a> {
    /// The object.
    pub(crate) fn object(self) -> &'a Arc<PersistentVolume> {
        self.object
    }

    /// The nodes that can reach it; none: all.
    pub(crate) fn affinity(self) -> Option<&'a Arc<NodeSelectorMatcher>> {
        self.affinity
    }
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

/// The objects of storage as they were seen last.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) volumes: HashMap<Str, VolumeSlot>,
    pub(super) volumes_by_class: HashMap<Str, BTreeSet<Str>>,
    /// By namespace and name.
    pub(super) claims: HashMap<Str, HashMap<Str, Arc<PersistentVolumeClaim>>>,
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
}

/// The objects of storage that decisions about pods depend on: PersistentVolumes and their claims,
/// StorageClasses, and what CSI drivers say about nodes.
///
/// Volumes and claims that a decision has given away count as written, though they are not yet.
#[derive(Clone, Debug, Default)]
pub struct Volumes {
    /// Copied when written to while shared with a fork, which mostly writes to the other.
    pub(super) seen: Arc<Seen>,
    pub(super) assumptions: Assumptions,
}

impl Volumes {
    /// The PersistentVolume of that name.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<&Arc<PersistentVolume>> {
        self.known_volume(name).map(KnownVolume::object)
    }

    /// The PersistentVolume of that name as it was seen last, decisions left aside.
    #[must_use]
    pub fn seen_volume(&self, name: &str) -> Option<&Arc<PersistentVolume>> {
        self.seen.volumes.get(name).map(|slot| &slot.seen)
    }

    pub(crate) fn known_volume(&self, name: &str) -> Option<KnownVolume<'_>> {
        let slot = self.seen.volumes.get(name)?;
        let assumed = self.assumptions.volumes.get(name);
        let object = assumed.map_or(&slot.seen, |assumption| &assumption.object);
        Some(KnownVolume { object, affinity: slot.affinity.as_ref() })
    }

    /// The PersistentVolumes of a class (empty: of none), by name.
    pub fn volumes_of_class(&self, class: &str) -> impl Iterator<Item = &Arc<PersistentVolume>> {
        self.known_of_class(class).map(KnownVolume::object)
    }

    pub(crate) fn known_of_class(&self, class: &str) -> impl Iterator<Item = KnownVolume<'_>> {
        let names = self.seen.volumes_by_class.get(class).into_iter().flatten();
        names.filter_map(|name| self.known_volume(name))
    }

    /// The PersistentVolumeClaim of that name.
    #[must_use]
    pub fn claim(&self, namespace: &str, name: &str) -> Option<&Arc<PersistentVolumeClaim>> {
        let seen = self.seen_claim(namespace, name)?;
        if self.assumptions.claims.is_empty() {
            return Some(seen);
        }
        let assumed = self.assumptions.claims.get(&name_of(seen));
        Some(assumed.map_or(seen, |assumption| &assumption.object))
    }

    /// The PersistentVolumeClaim of that name as it was seen last, decisions left aside.
    #[must_use]
    pub fn seen_claim(&self, namespace: &str, name: &str) -> Option<&Arc<PersistentVolumeClaim>> {
        self.seen.claims.get(namespace)?.get(name)
    }

    /// The StorageClass of that name.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&Arc<StorageClass>> {
        self.seen.classes.get(name)
    }

    /// The CSINode of the node of that name.
    #[must_use]
    pub fn csi_node(&self, node: &str) -> Option<&Arc<CSINode>> {
        self.seen.csi_nodes.get(node)
    }

    /// Whether a driver limits the volumes that it attaches to some node.
    pub(crate) fn has_limits(&self) -> bool {
        self.seen.limited_nodes > 0
    }

    /// The CSIDriver of that name.
    #[must_use]
    pub fn driver(&self, name: &str) -> Option<&Arc<CSIDriver>> {
        self.seen.drivers.get(name)
    }

    /// The VolumeAttachments to the node of that name, by name.
    pub fn attachments(&self, node: &str) -> impl Iterator<Item = &Arc<VolumeAttachment>> {
        let names = self.seen.attachments_by_node.get(node).into_iter().flatten();
        names.filter_map(|name| self.seen.attachments.get(name.as_str()))
    }

    /// The CSIStorageCapacities of a class, by namespace and name.
    pub fn capacities(&self, class: &str) -> impl Iterator<Item = &Arc<CSIStorageCapacity>> {
        self.capacity_slots(class).map(|slot| &slot.object)
    }

    pub(crate) fn capacity_slots(&self, class: &str) -> impl Iterator<Item = &CapacitySlot> {
        let names = self.seen.capacities_by_class.get(class).into_iter().flatten();
        names.filter_map(|name| self.seen.capacities.get(name))
    }

    /// The decision about the volumes of the pod with this [id](crate::pod_id), until the pod is seen
    /// to be bound and its volumes are seen as decided.
    #[must_use]
    pub fn assumed(&self, pod: &str) -> Option<&Arc<BindPlan>> {
        self.assumptions.pods.get(pod).map(|decided| &decided.plan)
    }

    /// What is assumed, as text.
    pub(in crate::cluster) fn fingerprint(&self) -> String {
        let Assumptions { volumes, claims, pods } = &self.assumptions;
        let volumes: Vec<_> = volumes.iter().map(|(name, assumed)| (name, &assumed.pods)).collect();
        let claims: Vec<_> = claims.iter().map(|(name, assumed)| (name, &assumed.pods)).collect();
        let pods: Vec<_> = pods.iter().map(|(pod, decided)| (pod, decided.confirmed)).collect();
        format!("{volumes:?} {claims:?} {pods:?}")
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
        self.0.claim_users.of(namespace, claim).filter_map(move |id| {
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
