//! [`BindProgress`]: how far the control plane has got with a plan.

use orlop_model::core::v1::PersistentVolume;

use super::{Bound, is_bound};
use crate::cluster::{BindPlan, ClusterView, NodeView, SELECTED_NODE};

/// How far the control plane has got with the volumes of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindProgress {
    /// All claims have their volumes: the pod can be bound.
    Done,
    /// Not yet.
    Wait,
    /// It will come to nothing, and the pod has to be decided about again: why.
    Failed(String),
}

impl BindPlan {
    /// How far the control plane has got, as the cluster is seen now. The plan's objects must be
    /// those that were written, with the resource versions that they got; what is older than these
    /// says nothing yet.
    ///
    /// `pod` is the pod's [id](crate::pod_id), `node` the name of the node that it was decided to go
    /// to.
    #[must_use]
    pub fn progress(&self, pod: &str, node: &str, cluster: ClusterView<'_>) -> BindProgress {
        match self.check(pod, node, cluster) {
            Ok(true) => BindProgress::Done,
            Ok(false) => BindProgress::Wait,
            Err(why) => BindProgress::Failed(why),
        }
    }

    fn check(&self, pod: &str, node: &str, cluster: ClusterView<'_>) -> Result<bool, String> {
        let volumes = cluster.volumes();
        let node = cluster
            .node(node)
            .ok_or_else(|| format!("failed to get node {node:?}: node {node:?} not found"))?;
        if !cluster.has_pod(pod) {
            return Err(format!("pod does not exist any more: pod {pod:?} not found"));
        }
        for written in &self.volumes {
            let name = &written.metadata.name;
            let Some(seen) = volumes.seen_volume(name) else {
                return Err(format!("failed to check binding: could not find v1.PersistentVolume {name:?}"));
            };
            let Some(reference) = written.spec.claim_ref.as_deref() else {
                return Err(format!("ClaimRef got reset for pv {name:?}"));
            };
            let claim = volumes.seen_claim(&reference.namespace, &reference.name).ok_or_else(|| {
                let key = format!("{}/{}", reference.namespace, reference.name);
                format!("failed to check binding: could not find v1.PersistentVolumeClaim {key:?}")
            })?;
            if is_older(&seen.metadata.resource_version, &written.metadata.resource_version) {
                return Ok(false);
            }
            check_affinity(seen, node, cluster)?;
            if seen.spec.claim_ref.as_deref().is_none_or(|reference| reference.uid.is_empty()) {
                return Err(format!("ClaimRef got reset for pv {name:?}"));
            }
            if !is_bound(claim) {
                return Ok(false);
            }
        }
        for written in &self.claims {
            let meta = &written.metadata;
            let claim = volumes.seen_claim(&meta.namespace, &meta.name).ok_or_else(|| {
                let key = format!("{}/{}", meta.namespace, meta.name);
                format!("failed to check provisioning pvc: could not find v1.PersistentVolumeClaim {key:?}")
            })?;
            if is_older(&claim.metadata.resource_version, &meta.resource_version) {
                return Ok(false);
            }
            let annotations = &claim.metadata.annotations;
            if annotations.is_empty() {
                return Err(format!("selectedNode annotation reset for PVC {:?}", meta.name));
            }
            // A provisioner that has given up takes the annotation away.
            if annotations.get(SELECTED_NODE) != Some(node.name()) {
                return Err(format!("provisioning failed for PVC {:?}", meta.name));
            }
            if !claim.spec.volume_name.is_empty() {
                let Some(volume) = volumes.seen_volume(&claim.spec.volume_name) else {
                    return Ok(false);
                };
                check_affinity(volume, node, cluster)?;
            }
            if !is_bound(claim) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn check_affinity(
    volume: &PersistentVolume,
    node: NodeView<'_>,
    cluster: ClusterView<'_>,
) -> Result<(), String> {
    let name = &volume.metadata.name;
    let reached = Bound::of(cluster.volumes(), name)
        .is_reached(cluster.volumes(), node)
        .map_err(|status| format!("failed to translate pv to csi: {}", status.message()))?;
    if reached == Some(false) {
        return Err(format!(
            "pv {name:?} node affinity doesn't match node {:?}: no matching NodeSelectorTerms",
            node.name()
        ));
    }
    Ok(())
}

/// Whether a resource version comes before another. Those that are no numbers are of no help.
fn is_older(seen: &str, written: &str) -> bool {
    match (seen.parse::<u64>(), written.parse::<u64>()) {
        (Ok(seen), Ok(written)) => seen < written,
        _ => false,
    }
}
