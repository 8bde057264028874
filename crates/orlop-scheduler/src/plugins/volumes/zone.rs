//! [`VolumeZone`]: bound volumes are in zones.

use std::collections::BTreeSet;

use orlop_model::core::v1::{PersistentVolume, Pod};
use orlop_model::storage::v1::VolumeBindingMode;
use orlop_model::{List, Str};

use super::PodVolumes;
use super::in_tree::{BETA_REGION, BETA_ZONE, REGION, ZONE, ZONE_DELIMITER};
use crate::cluster::{ClusterView, NodeView, StorageEvent, class_of_claim};
use crate::framework::{ClusterEvent, ClusterFilter, Hint, Plugin, PreFilter, Status, Verdict};

/// Turns down nodes outside the zones and regions that the labels of the pod's bound volumes name.
/// Nodes without such labels are fine.
#[derive(Clone, Copy, Debug, Default)]
pub struct VolumeZone;

/// A label that nodes must have, with one of these values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    key: &'static str,
    values: BTreeSet<Str>,
}

/// The labels that count, on volumes and nodes, in kube-scheduler's order.
const LABELS: [&str; 4] = [BETA_ZONE, BETA_REGION, ZONE, REGION];

impl Plugin for VolumeZone {
    fn name(&self) -> &str {
        "VolumeZone"
    }
}

/// Where a volume is. A label with an empty part says nothing.
fn places(volume: &PersistentVolume) -> impl Iterator<Item = Place> {
    LABELS.into_iter().filter_map(|key| {
        let values = volume.metadata.labels.get(key)?.split(ZONE_DELIMITER).map(str::trim);
        let values: BTreeSet<Str> = values.map(Str::from).collect();
        (!values.iter().any(|value| value.is_empty())).then_some(Place { key, values })
    })
}

impl Place {
    fn has(&self, node: NodeView<'_>) -> bool {
        let now = match self.key {
            BETA_ZONE => ZONE,
            BETA_REGION => REGION,
            key => key,
        };
        let value = node.labels().get(self.key).or_else(|| node.labels().get(now));
        value.is_some_and(|value| self.values.contains(value))
    }
}

impl ClusterFilter for VolumeZone {
    type Signature = PodVolumes;
    type State = List<Place>;

    fn sign(&self, pod: &Pod) -> PodVolumes {
        PodVolumes::of(pod)
    }

    fn pre_filter(&self, pod: &PodVolumes, cluster: ClusterView<'_>) -> PreFilter<List<Place>> {
        let reject = |why: String| PreFilter::Reject(Status::unresolvable(why));
        let volumes = cluster.volumes();
        let mut all = Vec::new();
        for name in pod.named_claims() {
            if name.is_empty() {
                return reject("PersistentVolumeClaim had no name".to_owned());
            }
            let claim = match pod.claim(volumes, name) {
                Ok(claim) => claim,
                Err(why) => return reject(why),
            };
            let volume = &claim.spec.volume_name;
            if volume.is_empty() {
                let class = class_of_claim(claim);
                if class.is_empty() {
                    return reject("PersistentVolumeClaim had no pv name and storageClass name".to_owned());
                }
                let Some(object) = volumes.class(&class) else {
                    return reject(format!("storageclass.storage.k8s.io {class:?} not found"));
                };
                match object.volume_binding_mode {
                    // The volume will be where the pod is.
                    Some(VolumeBindingMode::WaitForFirstConsumer) => continue,
                    Some(_) => return reject("PersistentVolume had no name".to_owned()),
                    None => return reject(format!("VolumeBindingMode not set for StorageClass {class:?}")),
                }
            }
            let Some(object) = volumes.seen_volume(volume) else {
                return reject(format!("persistentvolume {volume:?} not found"));
            };
            all.extend(places(object));
        }
        if all.is_empty() { PreFilter::Skip } else { PreFilter::Run(all.into()) }
    }

    fn filter(&self, _: &PodVolumes, places: &List<Place>, node: NodeView<'_>) -> Verdict {
        if !LABELS.iter().any(|key| node.labels().contains_key(key)) {
            return Verdict::Pass;
        }
        if places.iter().all(|place| place.has(node)) {
            Verdict::Pass
        } else {
            Verdict::unresolvable("node(s) had no available volume zone")
        }
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        Hint::queue_if(match event {
            ClusterEvent::NodeAdded(_) => true,
            ClusterEvent::NodeUpdated { old, new } => old.metadata.labels != new.metadata.labels,
            ClusterEvent::Storage(StorageEvent::Class(change)) => change.added().is_some_and(|class| {
                class.volume_binding_mode == Some(VolumeBindingMode::WaitForFirstConsumer)
            }),
            ClusterEvent::Storage(StorageEvent::Claim(change)) => {
                change.new.as_ref().is_some_and(|claim| PodVolumes::of(pod).has_claim(claim, false))
            }
            ClusterEvent::Storage(StorageEvent::Volume(change)) => {
                change.added().is_some()
                    || change.updated().is_some_and(|(old, new)| !places(old).eq(places(new)))
            }
            _ => false,
        })
    }
}
