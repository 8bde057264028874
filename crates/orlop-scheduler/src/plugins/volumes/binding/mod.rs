//! [`VolumeBinding`]: each claim of a pod has a volume that the node can reach, or gets one.

mod candidates;
mod label_index;
mod progress;
mod provisioning;

use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimPhase, Pod};
use orlop_model::selector::NodeSelectorMatcher;
use orlop_model::storage::v1::VolumeBindingMode;

use self::candidates::Candidates;
pub use self::progress::BindProgress;
use self::provisioning::Provisioning;
use super::PodVolumes;
use super::in_tree::InTree;
use crate::cluster::{
    BindPlan, CapacitySlot, ClusterView, MIGRATED_PLUGINS, NodeView, SELECTED_NODE, StorageEvent, Volumes,
    class_of_claim,
};
use crate::framework::{ClusterEvent, ClusterFilter, Code, Hint, Plugin, PreFilter, Reason, Status, Verdict};

/// Turns down nodes that cannot reach the volumes of the pod's claims, or where claims that wait for
/// their first consumer can neither get one of the volumes there are nor a new one.
///
/// [`plan`](Self::plan) says which claims get what on a chosen node. It becomes true in three steps:
/// [`StorageChange::Assumed`](crate::StorageChange::Assumed) makes the plan count in decisions,
/// writing its objects lets the control plane bind them, and [`BindPlan::progress`] tells when that
/// is done.
///
/// A claim that two volumes of a pod name counts once; kube-scheduler looks for a volume for each.
/// Of volumes of equal size the first by name is taken, where kube-scheduler's choice is random. Pods
/// all of whose volumes can be reached from anywhere are skipped.
#[derive(Clone, Copy, Debug, Default)]
pub struct VolumeBinding;

const NODE_CONFLICT: &str = "node(s) didn't match PersistentVolume's node affinity";
const BIND_CONFLICT: &str = "node(s) didn't find available persistent volumes to bind";
const NOT_ENOUGH_SPACE: &str = "node(s) did not have enough free storage";
const NO_SUCH_VOLUME: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

/// Annotation of claims that the control plane has finished binding.
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";

impl Plugin for VolumeBinding {
    fn name(&self) -> &str {
        "VolumeBinding"
    }
}

/// Whether a claim has its volume for good.
fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    !claim.spec.volume_name.is_empty() && claim.metadata.annotations.contains_key(BIND_COMPLETED)
}

/// The nodes that can reach a volume; none: all.
type Affinity = Option<Arc<NodeSelectorMatcher>>;

/// The volume of a bound claim.
#[derive(Clone, Debug)]
enum Bound {
    Missing,
    There {
        affinity: Affinity,
        /// What holds instead on nodes where a CSI driver stands in for the volume's plugin.
        migrated: Option<(&'static InTree, Result<Affinity, Str>)>,
    },
}

impl Bound {
    fn of(volumes: &Volumes, name: &str) -> Self {
        let Some(slot) = volumes.known_volume(name) else {
            return Self::Missing;
        };
        let migrated = InTree::of(&slot.object().spec.source).map(|plugin| {
            let affinity = plugin.affinity(slot.object());
            (plugin, affinity.map(|affinity| affinity.map(Arc::new)).map_err(Str::from))
        });
        Self::There { affinity: slot.affinity().cloned(), migrated }
    }

    /// Whether the node can reach it; `None`: there is no such volume.
    fn is_reached(&self, volumes: &Volumes, node: NodeView<'_>) -> Result<Option<bool>, Status> {
        let Self::There { affinity, migrated } = self else {
            return Ok(None);
        };
        let mut affinity = affinity.as_deref();
        if let Some((plugin, instead)) = migrated
            && plugin.is_migrated(volumes.csi_node(node.name()).map(|node| &**node))
        {
            match instead {
                Ok(Some(instead)) => affinity = Some(instead),
                Ok(None) => {}
                Err(why) => return Err(Status::error(format!("could not translate pv: {why}"))),
            }
        }
        Ok(Some(reaches(affinity, node)))
    }
}

/// Whether a volume of this affinity can be reached from the node. Only labels count, not its name.
fn reaches(affinity: Option<&NodeSelectorMatcher>, node: NodeView<'_>) -> bool {
    affinity.is_none_or(|affinity| affinity.matches_labels("", node.labels()).unwrap_or(false))
}

/// A claim that waits for its first consumer.
#[derive(Clone, Debug)]
struct Waiting {
    claim: Arc<PersistentVolumeClaim>,
    /// The node that a volume is being made for already.
    selected_node: Option<Str>,
    /// The volumes that it could get.
    candidates: Candidates,
    provisioning: Provisioning,
}

/// The claims of a pod.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    bound: Vec<Bound>,
    /// In the pod's order.
    waiting: Vec<Waiting>,
    /// Indices of those without a selected node, by ascending request.
    by_request: Vec<usize>,
}

/// What the claims of a pod get on a node: indices of claims that wait, and volumes.
#[derive(Debug, Default)]
struct Allotment<'a> {
    volumes: Vec<(usize, &'a Arc<PersistentVolume>)>,
    provisioned: Vec<usize>,
}

impl Claims {
    /// Sorts the claims of a pod.
    ///
    /// # Errors
    /// The status that turns the pod down before any node is looked at.
    fn of(pod: &PodVolumes, volumes: &Volumes) -> Result<Self, Status> {
        for (name, ephemeral) in pod.claims() {
            let claim = volumes.seen_claim(&pod.namespace, name).ok_or_else(|| {
                Status::unresolvable(if ephemeral {
                    format!(
                        "waiting for ephemeral volume controller to create the persistentvolumeclaim {name:?}"
                    )
                } else {
                    format!("persistentvolumeclaim {name:?} not found")
                })
            })?;
            if claim.status.phase == PersistentVolumeClaimPhase::Lost {
                let volume = &claim.spec.volume_name;
                return Err(Status::unresolvable(format!(
                    "persistentvolumeclaim {name:?} bound to non-existent persistentvolume {volume:?}"
                )));
            }
            if claim.metadata.deletion_timestamp.is_some() {
                return Err(Status::unresolvable(format!("persistentvolumeclaim {name:?} is being deleted")));
            }
            if ephemeral {
                pod.check_owner(claim).map_err(Status::unresolvable)?;
            }
        }
        let mut claims = Self::default();
        let mut immediate = false;
        for (name, _) in pod.claims() {
            let claim = pod.claim(volumes, name).map_err(Status::unresolvable)?;
            if is_bound(claim) {
                claims.bound.push(Bound::of(volumes, &claim.spec.volume_name));
                continue;
            }
            let class = class_of_claim(claim);
            match volumes.class(&class).filter(|_| !class.is_empty()) {
                Some(object) => match object.volume_binding_mode {
                    Some(VolumeBindingMode::WaitForFirstConsumer) if claim.spec.volume_name.is_empty() => {
                        let candidates = Candidates::of(claim, volumes.known_of_class(&class))?;
                        claims.waiting.push(Waiting {
                            claim: Arc::clone(claim),
                            selected_node: claim.metadata.annotations.get(SELECTED_NODE).cloned(),
                            candidates,
                            provisioning: Provisioning::of(claim, object, volumes),
                        });
                    }
                    Some(_) => immediate = true,
                    None => {
                        let why = format!("VolumeBindingMode not set for StorageClass {class:?}");
                        return Err(Status::error(why));
                    }
                },
                None => immediate = true,
            }
        }
        if immediate {
            return Err(Status::unresolvable("pod has unbound immediate PersistentVolumeClaims"));
        }
        claims.by_request = (0..claims.waiting.len())
            .filter(|&index| claims.waiting[index].selected_node.is_none())
            .collect();
        claims.by_request.sort_by_key(|&index| candidates::request(&claims.waiting[index].claim));
        Ok(claims)
    }

    /// Whether all have volumes that every node can reach.
    fn are_reached_from_anywhere(&self) -> bool {
        let anywhere = |bound: &Bound| {
            matches!(bound, Bound::There { affinity: None, migrated: None | Some((_, Ok(None))) })
        };
        self.waiting.is_empty() && self.bound.iter().all(anywhere)
    }

    /// Decides which claims get what on the node.
    ///
    /// # Errors
    /// The status that turns the node down.
    fn allot(&self, node: NodeView<'_>) -> Result<Allotment<'_>, Status> {
        let volumes = node.cluster_view().volumes();
        let mut reasons: [Option<&'static str>; 4] = [None; 4];
        for bound in &self.bound {
            match bound.is_reached(volumes, node)? {
                Some(true) => continue,
                Some(false) => reasons[0] = Some(NODE_CONFLICT),
                None => reasons[3] = Some(NO_SUCH_VOLUME),
            }
            // The first that is wrong is enough.
            break;
        }
        let mut allotment = Allotment::default();
        if self.waiting.iter().any(|waiting| waiting.selected_node.as_ref().is_some_and(|n| n != node.name()))
        {
            reasons[1] = Some(BIND_CONFLICT);
        } else {
            self.allot_waiting(node, &mut allotment, &mut reasons);
        }
        if reasons.iter().all(Option::is_none) {
            return Ok(allotment);
        }
        Err(Status::new(Code::UnschedulableAndUnresolvable, reasons.into_iter().flatten().map(Reason::Fixed)))
    }

    fn allot_waiting<'a>(
        &'a self,
        node: NodeView<'_>,
        allotment: &mut Allotment<'a>,
        reasons: &mut [Option<&'static str>; 4],
    ) {
        allotment
            .provisioned
            .extend((0..self.waiting.len()).filter(|&index| self.waiting[index].selected_node.is_some()));
        for &index in &self.by_request {
            match self.waiting[index].candidates.best(node, &allotment.volumes) {
                Some(volume) => allotment.volumes.push((index, volume)),
                None => allotment.provisioned.push(index),
            }
        }
        for &index in &allotment.provisioned {
            let provisioning = &self.waiting[index].provisioning;
            if !provisioning.is_possible(node) {
                reasons[1] = Some(BIND_CONFLICT);
            } else if !provisioning.has_room(node) {
                reasons[2] = Some(NOT_ENOUGH_SPACE);
            } else {
                continue;
            }
            break;
        }
    }
}

impl VolumeBinding {
    /// Whether the pod has claims at all.
    pub(crate) fn concerns(pod: &Pod) -> bool {
        pod.spec.volumes.iter().any(|volume| {
            volume.source.persistent_volume_claim.is_some() || volume.source.ephemeral.is_some()
        })
    }

    /// Which volumes the pod's claims get on the node of that name, as the cluster is now; empty
    /// where all have theirs.
    ///
    /// # Errors
    /// Why the pod cannot go there.
    pub fn plan(&self, pod: &Pod, node: &str, cluster: ClusterView<'_>) -> Result<BindPlan, Status> {
        let mut plan = BindPlan::default();
        if !Self::concerns(pod) {
            return Ok(plan);
        }
        let claims = Claims::of(&PodVolumes::of(pod), cluster.volumes())?;
        let node = cluster.node(node).ok_or_else(|| Status::error(format!("node {node:?} not found")))?;
        let allotment = claims.allot(node)?;
        for (index, volume) in allotment.volumes {
            plan.bind(volume, &claims.waiting[index].claim);
        }
        for index in allotment.provisioned {
            plan.provision(&claims.waiting[index].claim, node.name());
        }
        Ok(plan)
    }
}

impl ClusterFilter for VolumeBinding {
    type Signature = PodVolumes;
    type State = Claims;

    fn sign(&self, pod: &Pod) -> PodVolumes {
        PodVolumes::of(pod)
    }

    fn pre_filter(&self, pod: &PodVolumes, cluster: ClusterView<'_>) -> PreFilter<Claims> {
        if pod.claims().next().is_none() {
            return PreFilter::Skip;
        }
        match Claims::of(pod, cluster.volumes()) {
            Ok(claims) if claims.are_reached_from_anywhere() => PreFilter::Skip,
            Ok(claims) => PreFilter::Run(claims),
            Err(status) => PreFilter::Reject(status),
        }
    }

    fn filter(&self, _: &PodVolumes, claims: &Claims, node: NodeView<'_>) -> Verdict {
        claims.allot(node).map_or_else(Verdict::Reject, |_| Verdict::Pass)
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        Hint::queue_if(match event {
            ClusterEvent::NodeAdded(_) => true,
            ClusterEvent::NodeUpdated { old, new } => old.metadata.labels != new.metadata.labels,
            // Decided but not bound: what it was to get is free again.
            ClusterEvent::PodGone(gone) => gone.spec.node_name.is_empty() && VolumeBinding::concerns(gone),
            ClusterEvent::Storage(event) => helps(pod, event),
            _ => false,
        })
    }
}

fn helps(pod: &Pod, event: &StorageEvent) -> bool {
    match event {
        StorageEvent::Class(change) => {
            change.added().is_some()
                || change.updated().is_some_and(|(old, new)| old.allowed_topologies != new.allowed_topologies)
        }
        StorageEvent::Claim(change) => {
            change.new.as_ref().is_some_and(|claim| PodVolumes::of(pod).has_claim(claim, true))
        }
        StorageEvent::Volume(change) => change.new.is_some(),
        StorageEvent::CsiNode(change) => {
            change.added().is_some()
                || change.updated().is_some_and(|(old, new)| {
                    old.metadata.annotations.get(MIGRATED_PLUGINS)
                        != new.metadata.annotations.get(MIGRATED_PLUGINS)
                })
        }
        // kube-scheduler asks whether the pod has an inline volume of the driver, though it is claims
        // that wait for room.
        StorageEvent::Driver(change) => change.updated().is_some_and(|(old, new)| {
            old.spec.storage_capacity == Some(true) && new.spec.storage_capacity != Some(true)
        }),
        StorageEvent::Capacity(change) => {
            change.added().is_some()
                || change
                    .updated()
                    .is_some_and(|(old, new)| CapacitySlot::limit(new) > CapacitySlot::limit(old))
        }
        StorageEvent::Attachment(_) => false,
    }
}
