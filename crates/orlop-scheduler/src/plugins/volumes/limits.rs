//! [`NodeVolumeLimits`]: a CSI driver attaches so many volumes to a node.

use std::collections::BTreeSet;

use orlop_model::core::v1::{PersistentVolumeClaim, Pod};
use orlop_model::storage::v1::CSINode;
use orlop_model::{List, Str};

use super::PodVolumes;
use super::in_tree::InTree;
use super::pod_volumes::Use;
use crate::cluster::{ClusterView, NodeView, StorageEvent, Volumes, class_of_claim};
use crate::framework::{ClusterEvent, ClusterFilter, Hint, Plugin, PreFilter, Status, Verdict};

/// Turns down nodes whose CSI drivers could not attach all volumes: those of the node's pods, those
/// attached otherwise, and the pod's.
///
/// A volume that pods share counts once. One of the pod's that is attached already, though no pod on
/// the node uses it, counts twice, as in kube-scheduler. Where no node has a limit, pods are skipped.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeVolumeLimits;

impl Plugin for NodeVolumeLimits {
    fn name(&self) -> &str {
        "NodeVolumeLimits"
    }
}

/// A volume of a CSI driver: driver and handle.
type Unique = (Str, Str);

/// A volume that a driver may have to attach.
#[derive(Clone, Debug)]
pub struct Attachable {
    /// The in-tree plugin that the driver stands in for; elsewhere the volume does not count.
    migrated_from: Option<&'static InTree>,
    driver: Str,
    /// The handle, or why the volume cannot be handed to the driver.
    handle: Result<Str, Status>,
}

impl Attachable {
    /// The volume, if it counts on the node.
    fn on(&self, node: Option<&CSINode>) -> Result<Option<Unique>, Status> {
        if self.migrated_from.is_some_and(|plugin| !plugin.is_migrated(node)) {
            return Ok(None);
        }
        let handle = self.handle.clone()?;
        let counts = !self.driver.is_empty() && !handle.is_empty();
        Ok(counts.then(|| (self.driver.clone(), handle)))
    }
}

fn attachable(migrated_from: Option<&'static InTree>, driver: Str, handle: Str) -> Option<Attachable> {
    Some(Attachable { migrated_from, driver, handle: Ok(handle) })
}

/// The volume of a claim.
fn of_claim(volumes: &Volumes, claim: &PersistentVolumeClaim) -> Option<Attachable> {
    let Some(volume) = volumes.seen_volume(&claim.spec.volume_name) else {
        return of_class(volumes, claim);
    };
    if let Some(csi) = &volume.spec.source.csi {
        return attachable(None, csi.driver.clone(), csi.volume_handle.clone());
    }
    let plugin = InTree::of(&volume.spec.source)?;
    // A volume that the driver could not be told of does not count.
    attachable(Some(plugin), plugin.driver.into(), plugin.handle(volume).ok()?)
}

/// The volume that will be made for a claim.
fn of_class(volumes: &Volumes, claim: &PersistentVolumeClaim) -> Option<Attachable> {
    let class = volumes.class(&class_of_claim(claim))?;
    // No driver's handle begins so.
    let handle = format!("\0unbound-{}/{}", claim.metadata.namespace, claim.metadata.name).into();
    match InTree::named(&class.provisioner) {
        Some(plugin) => attachable(Some(plugin), plugin.driver.into(), handle),
        None => attachable(None, class.provisioner.clone(), handle),
    }
}

/// A volume of a pod, resolved. A claim that is not there is an error for a new pod alone.
fn resolve(volumes: &Volumes, pod: &PodVolumes, one: &Use, new: bool) -> Result<Option<Attachable>, Status> {
    match one {
        Use::Claim { name, ephemeral } => {
            if name.is_empty() {
                return Err(Status::error("PersistentVolumeClaim had no name"));
            }
            let claim = match pod.claim(volumes, name) {
                Ok(claim) => claim,
                Err(_) if !new => return Ok(None),
                Err(why) => {
                    return Err(Status::unresolvable(format!(
                        "looking up PVC {}/{name}: {why}",
                        pod.namespace
                    )));
                }
            };
            if *ephemeral {
                pod.check_owner(claim).map_err(Status::error)?;
            }
            Ok(of_claim(volumes, claim))
        }
        Use::Disk { volume, disk } => {
            let Some(plugin) = disk.in_tree() else {
                return Ok(None);
            };
            let handle = match InTree::disk_handle(disk) {
                Ok(None) => return Ok(None),
                Ok(Some(handle)) => Ok(handle),
                Err(why) => {
                    Err(Status::error(format!("converting volume({volume}) from inline to csi: {why}")))
                }
            };
            Ok(Some(Attachable { migrated_from: Some(plugin), driver: plugin.driver.into(), handle }))
        }
    }
}

fn limit(node: &CSINode, driver: &str) -> Option<i64> {
    let driver = node.spec.drivers.iter().find(|known| known.name == *driver)?;
    driver.allocatable.as_ref()?.count.map(i64::from)
}

/// The distinct volumes of all pods on a node, and those attached to it otherwise.
fn existing(
    volumes: &Volumes,
    node: NodeView<'_>,
    csi_node: &CSINode,
) -> Result<(BTreeSet<Unique>, BTreeSet<Unique>), Status> {
    let mut used = BTreeSet::new();
    for pod in node.pods() {
        let pod = PodVolumes::of(pod.object());
        for one in &pod.uses {
            if let Some(volume) = resolve(volumes, &pod, one, false)? {
                used.extend(volume.on(Some(csi_node))?);
            }
        }
    }
    let attached = volumes.attachments(node.name()).filter_map(|attachment| {
        let attacher = attachment.spec.attacher.non_empty()?;
        let volume = volumes.seen_volume(attachment.spec.source.persistent_volume_name.as_ref()?)?;
        let handle = &volume.spec.source.csi.as_ref()?.volume_handle;
        Some((attacher.clone(), handle.clone()))
    });
    let attached = attached.filter(|volume| !used.contains(volume)).collect();
    Ok((used, attached))
}

impl ClusterFilter for NodeVolumeLimits {
    type Signature = PodVolumes;
    /// The pod's volumes, in its order.
    type State = List<Result<Attachable, Status>>;

    fn sign(&self, pod: &Pod) -> PodVolumes {
        PodVolumes::of(pod)
    }

    fn pre_filter(&self, pod: &PodVolumes, cluster: ClusterView<'_>) -> PreFilter<Self::State> {
        let counts = |one: &Use| match one {
            Use::Claim { .. } => true,
            Use::Disk { disk, .. } => disk.in_tree().is_some(),
        };
        if !pod.uses.iter().any(counts) {
            return PreFilter::Skip;
        }
        let resolved = pod.uses.iter().map(|one| resolve(cluster.volumes(), pod, one, true));
        let wanted: Self::State = resolved.filter_map(Result::transpose).collect();
        let fails = |one: &Result<Attachable, Status>| !matches!(one, Ok(Attachable { handle: Ok(_), .. }));
        if !cluster.volumes().has_limits() && !wanted.iter().any(fails) {
            return PreFilter::Skip;
        }
        PreFilter::Run(wanted)
    }

    fn filter(&self, _: &PodVolumes, wanted: &Self::State, node: NodeView<'_>) -> Verdict {
        let volumes = node.cluster_view().volumes();
        let csi_node = volumes.csi_node(node.name()).map(|node| &**node);
        let mut new = BTreeSet::new();
        for volume in wanted {
            match volume.as_ref().map_err(Status::clone).and_then(|volume| volume.on(csi_node)) {
                Ok(volume) => new.extend(volume),
                Err(status) => return Verdict::Reject(status),
            }
        }
        let Some(csi_node) = csi_node else {
            return Verdict::Pass;
        };
        if !new.iter().any(|(driver, _)| limit(csi_node, driver).is_some()) {
            // Nothing is looked at that could fail, either, where the node has no limit at all.
            let has_limits =
                csi_node.spec.drivers.iter().any(|driver| limit(csi_node, &driver.name).is_some());
            if new.is_empty() || !has_limits {
                return Verdict::Pass;
            }
        }
        let (used, attached) = match existing(volumes, node, csi_node) {
            Ok(existing) => existing,
            Err(status) => return Verdict::Reject(status),
        };
        new.retain(|volume| !used.contains(volume));
        let count = |all: &BTreeSet<Unique>, driver: &Str| {
            all.iter().filter(|(other, _)| other == driver).count() as i64
        };
        let drivers: BTreeSet<&Str> = new.iter().map(|(driver, _)| driver).collect();
        let full = drivers.into_iter().any(|driver| {
            limit(csi_node, driver).is_some_and(|limit| {
                count(&used, driver) + count(&attached, driver) + count(&new, driver) > limit
            })
        });
        if full { Verdict::unschedulable("node(s) exceed max volume count") } else { Verdict::Pass }
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        let attaches = |pod: &PodVolumes| {
            pod.claims().next().is_some() || pod.disks().any(|(_, disk)| disk.in_tree().is_some())
        };
        Hint::queue_if(match event {
            ClusterEvent::PodGone(gone) => attaches(&PodVolumes::of(gone)),
            ClusterEvent::Storage(StorageEvent::CsiNode(change)) => {
                change.added().is_some() || change.updated().is_some_and(|(old, new)| has_more_room(old, new))
            }
            ClusterEvent::Storage(StorageEvent::Claim(change)) => {
                change.added().is_some_and(|claim| PodVolumes::of(pod).has_claim(claim, true))
            }
            ClusterEvent::Storage(StorageEvent::Attachment(change)) => {
                change.removed().is_some_and(|attachment| {
                    let pod = PodVolumes::of(pod);
                    pod.claims().next().is_some()
                        || pod
                            .disks()
                            .filter_map(|(_, disk)| disk.in_tree())
                            .any(|plugin| attachment.spec.attacher == *plugin.driver)
                })
            }
            _ => false,
        })
    }
}

/// Whether a driver's limit rose or fell away.
fn has_more_room(old: &CSINode, new: &CSINode) -> bool {
    let rose = new
        .spec
        .drivers
        .iter()
        .any(|driver| limit(new, &driver.name).unwrap_or(0) > limit(old, &driver.name).unwrap_or(0));
    let fell_away = old
        .spec
        .drivers
        .iter()
        .any(|driver| limit(old, &driver.name).is_some() && limit(new, &driver.name).is_none());
    rose || fell_away
}
