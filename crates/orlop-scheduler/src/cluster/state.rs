//! [`Cluster`]: nodes, their pods, and the sums over them.

use std::sync::Arc;

use hashbrown::HashMap;
use orlop_model::Str;
use orlop_model::core::v1::{Node, Pod};

use super::journal::{Journal, Undo};
use super::node::NodeSlot;
use super::nominations::Nominations;
use super::pod_groups::PodGroups;
use super::volumes::ClaimUsers;
use super::{
    Budgets, Change, ChangeLog, ClusterView, Images, Load, Logged, Neighbours, NodeView, PlacedPod, PodGroup,
    RecordError, StorageChange, Topology, Touched, Volumes, is_finished, pod_id, priority,
};
use crate::framework::ClusterEvent;

/// Kind of the objects that say how many pods may be evicted.
const BUDGET: &str = "PodDisruptionBudget";

/// Entries that the change log keeps.
const LOG_CAPACITY: usize = 1 << 16;

/// The cluster as the scheduler knows it.
///
/// A fold over [`Change`]s: the same changes give the same cluster. Hash maps here are for look-ups
/// alone; whatever is iterated has an order of its own.
#[derive(Clone, Debug)]
pub struct Cluster {
    seed: u64,
    pub(super) nodes: Vec<NodeSlot>,
    /// By index of the node: what breaks ties, the greater first.
    ranks: Vec<u32>,
    /// Slots without a node and without pods.
    free: Vec<u32>,
    /// Slots with a node, in the order of addition.
    pub(super) active: Vec<u32>,
    pub(super) by_name: HashMap<Str, u32>,
    pods: Vec<Option<PlacedPod>>,
    free_pods: Vec<u32>,
    by_id: HashMap<Str, u32>,
    pub(super) groups: PodGroups,
    pub(super) images: Images,
    /// Copied when written to while shared with a fork.
    pub(super) neighbours: Arc<Neighbours>,
    /// Copied when written to while shared with a clone.
    pub(super) volumes: Arc<Volumes>,
    pub(super) claim_users: ClaimUsers,
    /// Grows with each change of `neighbours`.
    pub(super) neighbours_version: u64,
    pub(super) budgets: Arc<Budgets>,
    nominations: Nominations,
    /// Of the labels that signatures count pods by.
    topologies: Vec<Topology>,
    pub(super) log: ChangeLog,
    pub(super) journal: Journal,
}

impl Cluster {
    /// An empty cluster; `seed` decides the rank by which ties between nodes are broken.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            nodes: Vec::new(),
            ranks: Vec::new(),
            free: Vec::new(),
            active: Vec::new(),
            by_name: HashMap::new(),
            pods: Vec::new(),
            free_pods: Vec::new(),
            by_id: HashMap::new(),
            groups: PodGroups::default(),
            images: Images::default(),
            neighbours: Arc::default(),
            volumes: Arc::default(),
            claim_users: ClaimUsers::default(),
            neighbours_version: 0,
            budgets: Arc::default(),
            nominations: Nominations::default(),
            topologies: Vec::new(),
            log: ChangeLog::new(LOG_CAPACITY),
            journal: Journal::default(),
        }
    }

    /// What plugins see.
    #[must_use]
    pub fn view(&self) -> ClusterView<'_> {
        ClusterView(self)
    }

    /// What happened, in order.
    #[must_use]
    pub fn log(&self) -> &ChangeLog {
        &self.log
    }

    /// How many pods are on nodes, assumed ones and those on unknown nodes included.
    #[must_use]
    pub fn pod_count(&self) -> usize {
        self.by_id.len()
    }

    /// The placed pod with this [id](pod_id), and the name of its node.
    #[must_use]
    pub fn pod(&self, id: &str) -> Option<(&PlacedPod, &Str)> {
        let pod = self.pod_at(*self.by_id.get(id)?)?;
        Some((pod, &self.nodes[pod.node as usize].name))
    }

    /// The node that the pod with this [id](pod_id) is nominated to.
    #[must_use]
    pub fn nominated_to(&self, id: &str) -> Option<&Str> {
        let pod = self.pod_at(self.nominations.slot(id)?)?;
        Some(&self.nodes[pod.node as usize].name)
    }

    /// The pods nominated to a node, in the order of nomination.
    pub(crate) fn nominated(&self, node: u32) -> impl Iterator<Item = &PlacedPod> {
        self.nominations.on(node).iter().filter_map(|&slot| self.pod_at(slot))
    }

    /// Whether any pod is nominated to any node.
    pub(crate) fn has_nominations(&self) -> bool {
        !self.nominations.is_empty()
    }

    /// The nodes that are there and to which pods are nominated which a pod of this id and priority
    /// makes way for.
    pub(crate) fn nodes_given_away(&self, id: &str, priority: i32) -> Vec<u32> {
        let wins =
            |&slot: &u32| self.pod_at(slot).is_some_and(|other| other.priority >= priority && other.id != id);
        let nodes = self.nominations.nodes();
        nodes
            .filter(|(node, slots)| slots.iter().any(wins) && self.node_view(*node).is_some())
            .map(|(node, _)| node)
            .collect()
    }

    /// Changes whenever a nomination, or a budget, does.
    pub(crate) fn claims_version(&self) -> (u64, u64) {
        (self.nominations.version(), self.budgets.version())
    }

    pub(super) fn pod_at(&self, slot: u32) -> Option<&PlacedPod> {
        self.pods.get(slot as usize)?.as_ref()
    }

    #[inline]
    pub(super) fn node_view(&self, index: u32) -> Option<NodeView<'_>> {
        let slot = self.nodes.get(index as usize)?;
        Some(NodeView { cluster: self, slot, object: slot.object.as_ref()?, index })
    }

    /// Applies a change and appends it to the log. Returns what may have made waiting pods
    /// schedulable; nothing where nothing changed that a plugin can read.
    ///
    /// # Errors
    /// [`RecordError`] where the change contradicts what is known; the cluster stays as it was.
    pub fn record(&mut self, change: Change) -> Result<Option<ClusterEvent>, RecordError> {
        match change {
            Change::NodeAdded(node) | Change::NodeUpdated(node) => Ok(self.set_node(node)),
            Change::NodeRemoved(name) => self.remove_node(&name).map(Some),
            Change::PodAssumed { pod, node } => self.assume(pod, &node).map(Some),
            Change::PodForgot(id) => self.forget(&id).map(Some),
            Change::PodAdded(pod) | Change::PodUpdated(pod) => self.set_pod(pod),
            Change::PodRemoved(id) => Ok(self.remove_pod(&id)),
            Change::Storage(change) => self.set_storage(change),
            Change::PodNominated { pod, node } => self.nominate(pod, &node).map(|()| None),
            Change::EvictionBegun(id) => {
                self.set_leaving(&id, true);
                Ok(None)
            }
            Change::EvictionFailed(id) => {
                self.set_leaving(&id, false);
                Ok(None)
            }
            Change::NominationCleared(id) => {
                Ok(self.denominate(&id).map(|pod| ClusterEvent::PodGone(pod.pod)))
            }
            other => Ok(self.set_neighbour(other)),
        }
    }

    fn set_storage(&mut self, change: StorageChange) -> Result<Option<ClusterEvent>, RecordError> {
        let Some((entry, event)) = Arc::make_mut(&mut self.volumes).record(change)? else {
            return Ok(None);
        };
        self.log.push(entry);
        Ok(event.map(ClusterEvent::Storage))
    }

    /// Undoes what was assumed about the volumes of a pod.
    fn forget_volumes(&mut self, id: &Str) {
        if self.volumes.assumed(id).is_some()
            && let Some((entry, _)) = Arc::make_mut(&mut self.volumes).forget(id)
        {
            self.log.push(entry);
        }
    }

    fn set_neighbour(&mut self, change: Change) -> Option<ClusterEvent> {
        let neighbours = Arc::make_mut(&mut self.neighbours);
        let (changed, kind, namespace, name) = match change {
            Change::NamespaceSet(object) => {
                (neighbours.set_namespace(&object), "Namespace", Str::EMPTY, object.metadata.name.clone())
            }
            Change::NamespaceRemoved(name) => {
                (neighbours.remove_namespace(&name), "Namespace", Str::EMPTY, name)
            }
            Change::ServiceSet(object) => {
                let (namespace, name) = (object.metadata.namespace.clone(), object.metadata.name.clone());
                (neighbours.set_service(&object), "Service", namespace, name)
            }
            Change::ServiceRemoved { namespace, name } => {
                (neighbours.remove_service(&namespace, &name), "Service", namespace, name)
            }
            Change::WorkloadSet { workload, selector } => {
                let changed = neighbours.set_workload(workload.clone(), selector.as_ref());
                (changed, workload.kind.as_str(), workload.namespace, workload.name)
            }
            Change::WorkloadRemoved(workload) => (
                neighbours.remove_workload(&workload),
                workload.kind.as_str(),
                workload.namespace,
                workload.name,
            ),
            Change::BudgetSet(object) => {
                let (namespace, name) = (object.metadata.namespace.clone(), object.metadata.name.clone());
                (Arc::make_mut(&mut self.budgets).set(&object), BUDGET, namespace, name)
            }
            Change::BudgetRemoved { namespace, name } => {
                (Arc::make_mut(&mut self.budgets).remove(&namespace, &name), BUDGET, namespace, name)
            }
            _ => return None,
        };
        if !changed {
            return None;
        }
        // Only who is evicted follows from a budget, not where a pod fits.
        let is_read = kind != BUDGET;
        self.neighbours_version += u64::from(is_read);
        self.log.push(Logged::ObjectChanged { kind: kind.into(), namespace, name });
        is_read.then(|| ClusterEvent::Other { kind: kind.into() })
    }

    pub(super) fn set_node(&mut self, node: Arc<Node>) -> Option<ClusterEvent> {
        let index = self.slot(&node.metadata.name);
        let old = self.nodes[index as usize].object.clone();
        if let Some(old) = old {
            // Status updates come often and mostly touch nothing that a plugin reads.
            if !Arc::ptr_eq(&old, &node) && old.status.images != node.status.images {
                self.images.remove(index, &old);
                self.images.add(index, &node);
            }
            let same = unchanged(&old, &node);
            self.journal.note(|| Undo::Node(Arc::clone(&old)));
            self.nodes[index as usize].set_object(Arc::clone(&node));
            if same {
                return None;
            }
            self.touch_object(index);
            self.log.push(Logged::NodeUpdated { node: node.metadata.name.clone() });
            Some(ClusterEvent::NodeUpdated { old, new: node })
        } else {
            self.journal.note(|| Undo::NodeAdded(node.metadata.name.clone()));
            self.images.add(index, &node);
            self.active.push(index);
            self.nodes[index as usize].set_object(Arc::clone(&node));
            self.touch_object(index);
            self.log.push(Logged::NodeAdded { node: node.metadata.name.clone() });
            Some(ClusterEvent::NodeAdded(node))
        }
    }

    pub(super) fn remove_node(&mut self, name: &Str) -> Result<ClusterEvent, RecordError> {
        let unknown = || RecordError::UnknownNode { node: name.clone() };
        let index = *self.by_name.get(name.as_str()).ok_or_else(unknown)?;
        let old = self.nodes[index as usize].object.clone().ok_or_else(unknown)?;
        self.images.remove(index, &old);
        self.nodes[index as usize].clear_object();
        if let Some(place) = self.active.iter().position(|&active| active == index) {
            self.active.remove(place);
            self.journal.note(|| Undo::NodeRemoved(Arc::clone(&old), place));
        }
        self.touch_object(index);
        self.release(index);
        self.log.push(Logged::NodeRemoved { node: name.clone() });
        Ok(ClusterEvent::NodeRemoved(old))
    }

    fn assume(&mut self, pod: Arc<Pod>, node: &Str) -> Result<ClusterEvent, RecordError> {
        let (group, load) = (Arc::new(PodGroup::of(&pod)), Arc::new(Load::of(&pod)));
        self.assume_as(pod, node, &group, load)
    }

    /// [`Change::PodAssumed`] of a pod whose group and load are known.
    pub(crate) fn assume_as(
        &mut self,
        pod: Arc<Pod>,
        node: &Str,
        group: &Arc<PodGroup>,
        load: Arc<Load>,
    ) -> Result<ClusterEvent, RecordError> {
        let id = pod_id(&pod);
        if let Some((_, on)) = self.pod(&id) {
            return Err(RecordError::AlreadyPlaced { pod: id, node: on.clone() });
        }
        if self.view().node(node).is_none() {
            return Err(RecordError::UnknownNode { node: node.clone() });
        }
        self.denominate(&id);
        self.place(Arc::clone(&pod), id.clone(), node, true, group, load);
        self.log.push(Logged::PodAssumed { pod: id, node: node.clone() });
        Ok(ClusterEvent::PodPlaced(pod))
    }

    fn forget(&mut self, id: &Str) -> Result<ClusterEvent, RecordError> {
        match self.pod(id) {
            Some((pod, _)) if pod.assumed => {}
            _ => return Err(RecordError::NotAssumed { pod: id.clone() }),
        }
        let (pod, node) = self.take_away(id).ok_or_else(|| RecordError::NotAssumed { pod: id.clone() })?;
        self.forget_volumes(id);
        self.log.push(Logged::PodForgot { pod: id.clone(), node });
        Ok(ClusterEvent::PodGone(pod.pod))
    }

    fn set_pod(&mut self, pod: Arc<Pod>) -> Result<Option<ClusterEvent>, RecordError> {
        let id = pod_id(&pod);
        if is_finished(&pod) {
            return Ok(self.remove_pod(&id));
        }
        let Some(node) = pod.spec.node_name.non_empty().cloned() else {
            return Err(RecordError::NotBound { pod: id });
        };
        let load = Load::of(&pod);
        let Some(&slot) = self.by_id.get(id.as_str()) else {
            let group = Arc::new(PodGroup::of(&pod));
            self.denominate(&id);
            self.place(Arc::clone(&pod), id.clone(), &node, false, &group, Arc::new(load));
            self.log.push(Logged::PodAdded { pod: id, node });
            return Ok(Some(ClusterEvent::PodPlaced(pod)));
        };
        let Some(known) = self.pods[slot as usize].as_mut() else {
            return Ok(None);
        };
        let was_assumed = known.assumed;
        if was_assumed && self.volumes.assumed(&id).is_some() {
            Arc::make_mut(&mut self.volumes).confirm(&id);
        }
        let same_node = self.nodes[known.node as usize].name == node;
        // Most updates touch the status alone; terms of affinity cannot change.
        if same_node
            && *known.load == load
            && known.pod.metadata.labels == pod.metadata.labels
            && known.is_terminating() == pod.metadata.deletion_timestamp.is_some()
        {
            self.journal.note(|| Undo::Pod { was: Arc::clone(&known.pod), assumed: was_assumed });
            known.assumed = false;
            known.started = pod.status.start_time;
            known.pod = pod;
            // The event came with the assumption.
            if was_assumed {
                self.log.push(Logged::PodAdded { pod: id, node });
            }
            return Ok(None);
        }
        let Some((before, from)) = self.take_away(&id) else {
            return Ok(None);
        };
        if !same_node {
            // Assumed on one node, bound to another by somebody else: the pod is where it is.
            self.forget_volumes(&id);
            self.log.push(Logged::PodRemoved { pod: id.clone(), node: from });
        }
        let group = Arc::new(PodGroup::of(&pod));
        self.place(Arc::clone(&pod), id.clone(), &node, false, &group, Arc::new(load));
        self.log.push(if same_node && !was_assumed {
            Logged::PodUpdated { pod: id, node }
        } else {
            Logged::PodAdded { pod: id, node }
        });
        Ok(Some(ClusterEvent::PodUpdated { old: before.pod, new: pod }))
    }

    fn remove_pod(&mut self, id: &Str) -> Option<ClusterEvent> {
        let Some((pod, node)) = self.take_away(id) else {
            return self.denominate(id).map(|pod| ClusterEvent::PodGone(pod.pod));
        };
        self.forget_volumes(id);
        self.log.push(Logged::PodRemoved { pod: id.clone(), node });
        Some(ClusterEvent::PodGone(pod.pod))
    }

    fn nominate(&mut self, pod: Arc<Pod>, node: &Str) -> Result<(), RecordError> {
        let id = pod_id(&pod);
        if let Some((_, on)) = self.pod(&id) {
            return Err(RecordError::AlreadyPlaced { pod: id, node: on.clone() });
        }
        self.denominate(&id);
        self.nominate_at(pod, node, usize::MAX);
        Ok(())
    }

    /// Nominates a pod that is not, at this place in the order of the node's nominations.
    pub(super) fn nominate_at(&mut self, pod: Arc<Pod>, node: &Str, place: usize) {
        let (id, index) = (pod_id(&pod), self.slot(node));
        let (group, load) = (Arc::new(PodGroup::of(&pod)), Arc::new(Load::of(&pod)));
        let group = self.join(&group, index);
        let slot = self.store(pod, id.clone(), index, false, group, load);
        self.nominations.add(id.clone(), slot, index, place);
        self.journal.note(|| Undo::Nominated(id.clone()));
        self.log.push(Logged::PodNominated { pod: id, node: node.clone() });
    }

    /// Ends the nomination of the pod, if it has one.
    pub(super) fn denominate(&mut self, id: &Str) -> Option<PlacedPod> {
        let slot = self.nominations.slot(id)?;
        let pod = self.pods[slot as usize].take()?;
        let place = self.nominations.remove(id, pod.node);
        self.free_pods.push(slot);
        self.groups.leave(pod.group);
        let node = self.nodes[pod.node as usize].name.clone();
        self.release(pod.node);
        let object = &pod.pod;
        self.journal.note(|| Undo::Denominated { pod: Arc::clone(object), node: node.clone(), place });
        self.log.push(Logged::NominationCleared { pod: id.clone(), node });
        Some(pod)
    }

    pub(super) fn set_leaving(&mut self, id: &str, leaving: bool) {
        if let Some(&slot) = self.by_id.get(id)
            && let Some(pod) = &mut self.pods[slot as usize]
        {
            let was = std::mem::replace(&mut pod.leaving, leaving);
            self.journal.note(|| Undo::Leaving(id.into(), was));
        }
    }

    /// The number of a group that has one member more.
    fn join(&mut self, group: &Arc<PodGroup>, node: u32) -> u32 {
        let (group, is_new) = self.groups.join(group);
        if is_new {
            self.log.touch(node, Touched::Group(group));
        }
        group
    }

    /// Puts a pod into the table.
    fn store(
        &mut self,
        pod: Arc<Pod>,
        id: Str,
        node: u32,
        assumed: bool,
        group: u32,
        load: Arc<Load>,
    ) -> u32 {
        let slot = self.free_pods.pop().unwrap_or_else(|| {
            self.pods.push(None);
            index_of(self.pods.len() - 1)
        });
        let (priority, started) = (priority(&pod), pod.status.start_time);
        let load = self.groups.share(group, load);
        let pod = PlacedPod { pod, id, node, assumed, leaving: false, group, slot, priority, started, load };
        self.pods[slot as usize] = Some(pod);
        slot
    }

    pub(super) fn place(
        &mut self,
        pod: Arc<Pod>,
        id: Str,
        node: &Str,
        assumed: bool,
        group: &Arc<PodGroup>,
        load: Arc<Load>,
    ) {
        let index = self.slot(node);
        let group = self.join(group, index);
        let is_terminating = pod.metadata.deletion_timestamp.is_some();
        self.claim_users.placed(&pod, &id);
        self.log.touch(index, Touched::Pods(group));
        let node = &mut self.nodes[index as usize];
        node.take(&load);
        node.count(group, is_terminating, true);
        let slot = self.store(pod, id.clone(), index, assumed, group, load);
        self.nodes[index as usize].pods.push(slot);
        self.journal.note(|| Undo::Placed(id.clone()));
        self.by_id.insert(id, slot);
    }

    pub(super) fn take_away(&mut self, id: &Str) -> Option<(PlacedPod, Str)> {
        let slot = self.by_id.remove(id.as_str())?;
        let pod = self.pods[slot as usize].take()?;
        self.free_pods.push(slot);
        self.claim_users.left(&pod.pod, id);
        let group = self.groups.slots()[pod.group as usize].clone();
        self.groups.leave(pod.group);
        let node = &mut self.nodes[pod.node as usize];
        node.give_back(&pod.load);
        node.count(pod.group, pod.is_terminating(), false);
        if let Some(position) = node.pods.iter().rposition(|&other| other == slot) {
            node.pods.swap_remove(position);
        }
        let name = node.name.clone();
        self.log.touch(pod.node, Touched::Pods(pod.group));
        self.release(pod.node);
        if let Some(group) = group {
            self.journal.note(|| Undo::Taken { pod: Box::new(pod.clone()), group, node: name.clone() });
        }
        Some((pod, name))
    }

    /// Gives a placed pod another object, with nothing else changed.
    pub(super) fn set_object(&mut self, id: &str, object: Arc<Pod>, assumed: bool) {
        let slot = self.by_id.get(id).copied();
        if let Some(known) = slot.and_then(|slot| self.pods[slot as usize].as_mut()) {
            known.started = object.status.start_time;
            known.pod = object;
            known.assumed = assumed;
        }
    }

    /// A node's object came, changed or went.
    fn touch_object(&mut self, index: u32) {
        let mut topologies = std::mem::take(&mut self.topologies);
        for topology in &mut topologies {
            topology.update(index, self.label(index, topology.key()).cloned());
        }
        self.topologies = topologies;
        self.log.touch(index, Touched::Object);
    }

    /// The value of a label of a node that is there.
    pub(super) fn label(&self, index: u32, key: &str) -> Option<&Str> {
        self.nodes.get(index as usize)?.object.as_ref()?.metadata.labels.get(key)
    }

    /// The place among [`topologies`](Self::topologies) of the nodes by a label, kept from now on.
    pub(crate) fn topology(&mut self, key: &Str) -> usize {
        if let Some(place) = self.topologies.iter().position(|topology| topology.key() == key) {
            return place;
        }
        let topology = Topology::new(key.clone(), self);
        self.topologies.push(topology);
        self.topologies.len() - 1
    }

    /// Breaks ties between nodes of equal totals, the greater wins: a hash of the name, then the index, which
    /// is there as well.
    #[inline]
    pub(crate) fn rank(&self, index: u32) -> (u32, u32) {
        (self.ranks[index as usize], index)
    }

    pub(crate) fn topologies(&self) -> &[Topology] {
        &self.topologies
    }

    /// Changes whenever a namespace, service or workload does.
    pub(crate) fn neighbours_version(&self) -> u64 {
        self.neighbours_version
    }

    /// The slot of the node of this name, made if there is none.
    fn slot(&mut self, name: &Str) -> u32 {
        if let Some(&index) = self.by_name.get(name.as_str()) {
            return index;
        }
        let (slot, rank) = (NodeSlot::new(name.clone()), rank(self.seed, name));
        let index = match self.free.pop() {
            Some(index) => {
                self.nodes[index as usize] = slot;
                self.ranks[index as usize] = rank;
                index
            }
            None => {
                self.nodes.push(slot);
                self.ranks.push(rank);
                index_of(self.nodes.len() - 1)
            }
        };
        self.by_name.insert(name.clone(), index);
        index
    }

    /// Gives a slot back that has neither a node nor pods.
    fn release(&mut self, index: u32) {
        let slot = &self.nodes[index as usize];
        if slot.object.is_none() && slot.pods.is_empty() && self.nominations.on(index).is_empty() {
            self.by_name.remove(slot.name.as_str());
            self.free.push(index);
        }
    }

    /// A text of everything that decisions depend on, equal for clusters that decide equally.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        let mut known: Vec<_> = self.by_name.iter().collect();
        known.sort_unstable();
        for (name, &index) in known {
            let node = &self.nodes[index as usize];
            let mut pods: Vec<_> = node.pods.iter().filter_map(|&slot| self.pod_at(slot)).collect();
            pods.sort_unstable_by(|a, b| a.id.cmp(&b.id));
            let place = self.active.iter().position(|&active| active == index);
            let _ = writeln!(
                text,
                "{name} {place:?} {} {:?}/{} of {:?}/{} non-zero {} {} ports {:?}",
                self.ranks[index as usize],
                node.requested,
                pods.len(),
                node.allocatable,
                node.allocatable_pods,
                node.non_zero_milli_cpu,
                node.non_zero_memory,
                node.ports
            );
            for pod in pods {
                let _ = writeln!(text, "  {} {} {} {:?}", pod.id, pod.assumed, pod.leaving, pod.load);
            }
            let mut groups: Vec<_> = node
                .groups
                .iter()
                .map(|count| {
                    (format!("{:?}", self.groups.slots()[count.group()]), count.running, count.terminating)
                })
                .collect();
            groups.sort();
            let _ = writeln!(text, "  {groups:?}");
        }
        for (node, slots) in self.nominations.nodes() {
            let pods: Vec<_> =
                slots.iter().filter_map(|&slot| self.pod_at(slot)).map(|pod| &pod.id).collect();
            let _ = writeln!(text, "for {}: {pods:?}", self.nodes[node as usize].name);
        }
        let _ = writeln!(text, "{}", self.budgets.fingerprint());
        let _ = writeln!(text, "{} {}", self.volumes.fingerprint(), self.claim_users.fingerprint());
        text
    }
}

/// Whether nothing differs that a plugin can read.
fn unchanged(old: &Arc<Node>, new: &Arc<Node>) -> bool {
    Arc::ptr_eq(old, new)
        || (old.spec.unschedulable == new.spec.unschedulable
            && old.spec.taints == new.spec.taints
            && old.metadata.labels == new.metadata.labels
            && old.metadata.annotations == new.metadata.annotations
            && old.status.allocatable == new.status.allocatable
            && old.status.images == new.status.images)
}

fn index_of(length: usize) -> u32 {
    u32::try_from(length).expect("fewer than 2^32 nodes and pods")
}

/// FNV-1a over the name, then the finalizer of SplitMix64 with the seed: a constant of name and seed
/// that does not change with the standard library's hasher.
fn rank(seed: u64, name: &str) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let mut mixed =
        hash.wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 32) as u32
}
