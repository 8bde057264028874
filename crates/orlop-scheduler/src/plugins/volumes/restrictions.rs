//! [`VolumeRestrictions`]: disks that a node takes once, and claims for one pod alone.

use std::collections::BTreeMap;

use orlop_model::Str;
use orlop_model::core::v1::{PersistentVolumeAccessMode, Pod};

use super::PodVolumes;
use super::pod_volumes::Use;
use crate::cluster::{ClusterView, NodeView, PlacedPod, StorageEvent};
use crate::framework::{ClusterEvent, ClusterFilter, Hint, Plugin, PreFilter, Status, Verdict};

/// Turns down nodes where another pod uses a disk that the pod names itself (GCE, AWS, iSCSI, RBD),
/// and all nodes while another pod uses a claim with access mode `ReadWriteOncePod`.
///
/// Evicting the other pod helps. What counts is how many pods use each claim, so that evicting one
/// of several, or one that uses a claim of the same name in another namespace, does not; in
/// kube-scheduler it may.
#[derive(Clone, Copy, Debug, Default)]
pub struct VolumeRestrictions;

/// The pod's `ReadWriteOncePod` claims, with the number of pods that use them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InUse(BTreeMap<Str, usize>);

impl Plugin for VolumeRestrictions {
    fn name(&self) -> &str {
        "VolumeRestrictions"
    }
}

/// Whether a pod uses a disk that cannot be on the node twice.
fn has_conflict(volumes: &PodVolumes, pod: &Pod) -> bool {
    volumes.disks().filter(|(_, disk)| disk.is_restricted()).any(|(_, disk)| {
        pod.spec.volumes.iter().any(|volume| {
            matches!(Use::of(pod, volume), Some(Use::Disk { disk: theirs, .. }) if disk.conflicts_with(&theirs))
        })
    })
}

fn names(pod: &Pod, claim: &str) -> bool {
    let mut claims =
        pod.spec.volumes.iter().filter_map(|volume| volume.source.persistent_volume_claim.as_ref());
    claims.any(|named| named.claim_name == *claim)
}

impl InUse {
    fn change(&mut self, volumes: &PodVolumes, pod: &PlacedPod, change: impl Fn(usize) -> usize) {
        if pod.object().metadata.namespace == volumes.namespace {
            for (claim, users) in &mut self.0 {
                if names(pod.object(), claim) {
                    *users = change(*users);
                }
            }
        }
    }
}

impl ClusterFilter for VolumeRestrictions {
    type Signature = PodVolumes;
    type State = InUse;

    fn sign(&self, pod: &Pod) -> PodVolumes {
        PodVolumes::of(pod)
    }

    fn pre_filter(&self, volumes: &PodVolumes, cluster: ClusterView<'_>) -> PreFilter<InUse> {
        let mut in_use = InUse::default();
        for name in volumes.named_claims() {
            let claim = match volumes.claim(cluster.volumes(), name) {
                Ok(claim) => claim,
                Err(why) => return PreFilter::Reject(Status::unresolvable(why)),
            };
            if claim.spec.access_modes.contains(&PersistentVolumeAccessMode::ReadWriteOncePod) {
                in_use.0.insert(name.clone(), cluster.claim_users(&volumes.namespace, name).count());
            }
        }
        let is_free = in_use.0.values().all(|users| *users == 0);
        if is_free && !volumes.disks().any(|(_, disk)| disk.is_restricted()) {
            return PreFilter::Skip;
        }
        PreFilter::Run(in_use)
    }

    fn add_pod(&self, volumes: &PodVolumes, in_use: &mut InUse, pod: &PlacedPod, _: NodeView<'_>) {
        in_use.change(volumes, pod, |users| users + 1);
    }

    fn remove_pod(&self, volumes: &PodVolumes, in_use: &mut InUse, pod: &PlacedPod, _: NodeView<'_>) {
        in_use.change(volumes, pod, |users| users.saturating_sub(1));
    }

    fn filter(&self, volumes: &PodVolumes, in_use: &InUse, node: NodeView<'_>) -> Verdict {
        if node.pods().any(|pod| has_conflict(volumes, pod.object())) {
            return Verdict::unschedulable("node(s) had no available disk");
        }
        if in_use.0.values().any(|users| *users > 0) {
            return Verdict::unschedulable(
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already \
                 in-use by another pod",
            );
        }
        Verdict::Pass
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        let volumes = PodVolumes::of(pod);
        Hint::queue_if(match event {
            ClusterEvent::NodeAdded(_) => true,
            ClusterEvent::PodGone(gone) => {
                gone.metadata.namespace == volumes.namespace
                    && (has_conflict(&volumes, gone)
                        || volumes.named_claims().any(|claim| names(gone, claim)))
            }
            ClusterEvent::Storage(StorageEvent::Claim(change)) => {
                change.added().is_some_and(|claim| volumes.has_claim(claim, false))
            }
            _ => false,
        })
    }
}
