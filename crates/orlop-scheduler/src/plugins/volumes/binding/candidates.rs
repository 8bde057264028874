//! [`Candidates`]: the volumes that a claim could get.

use std::sync::Arc;

use orlop_model::core::v1::{
    NodeSelectorOperator, NodeSelectorRequirement, PersistentVolume, PersistentVolumeClaim,
    PersistentVolumeMode, PersistentVolumePhase, resource_name,
};
use orlop_model::selector::{NodeSelectorMatcher, Selector};
use orlop_model::{Quantity, Str};

use super::label_index::LabelIndex;
use super::reaches;
use crate::cluster::{KnownVolume, NodeView, is_bound_to};
use crate::framework::Status;

/// How much storage a claim asks for.
pub(super) fn request(claim: &PersistentVolumeClaim) -> Quantity {
    claim.spec.resources.requests.get(resource_name::STORAGE).cloned().unwrap_or_default()
}

fn capacity(volume: &PersistentVolume) -> Quantity {
    volume.spec.capacity.get(resource_name::STORAGE).cloned().unwrap_or_default()
}

#[derive(Clone, Debug)]
struct Candidate {
    volume: Arc<PersistentVolume>,
    affinity: Option<Arc<NodeSelectorMatcher>>,
}

/// The volumes that a claim could get, nodes aside.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    /// The volume that is reserved for the claim: this or none.
    reserved: Option<Candidate>,
    /// By ascending capacity, then by name.
    free: Vec<Candidate>,
    by_node: LabelIndex,
}

impl Candidates {
    /// Those of the volumes of the claim's class, given by name, that it could get.
    ///
    /// # Errors
    /// The claim's selector is malformed.
    pub(super) fn of<'a>(
        claim: &PersistentVolumeClaim,
        volumes: impl Iterator<Item = KnownVolume<'a>>,
    ) -> Result<Self, Status> {
        let selector = match claim.spec.selector.as_deref() {
            None => Selector::everything(),
            Some(selector) => Selector::from_object(Some(selector)).map_err(|why| {
                let meta = &claim.metadata;
                let key = format!("{}/{}", meta.namespace, meta.name);
                Status::error(format!("error creating internal label selector for claim: {key}: {why}"))
            })?,
        };
        let request = request(claim);
        let mut free = Vec::new();
        for slot in volumes {
            let volume = slot.object();
            let reserved = is_bound_to(volume, claim);
            if (volume.spec.claim_ref.is_some() && !reserved)
                || capacity(volume) < request
                || mode(volume.spec.volume_mode.as_ref()) != mode(claim.spec.volume_mode.as_ref())
                || attributes(volume.spec.volume_attributes_class_name.as_ref())
                    != attributes(claim.spec.volume_attributes_class_name.as_ref())
                || volume.metadata.deletion_timestamp.is_some()
            {
                continue;
            }
            let candidate = Candidate { volume: Arc::clone(volume), affinity: slot.affinity().cloned() };
            if reserved {
                return Ok(Self { reserved: Some(candidate), ..Self::default() });
            }
            if volume.status.phase == PersistentVolumePhase::Available
                && selector.matches(&volume.metadata.labels)
                && claim.spec.access_modes.iter().all(|mode| volume.spec.access_modes.contains(mode))
            {
                free.push(candidate);
            }
        }
        // Stable: by name where capacities are equal.
        free.sort_by_cached_key(|candidate| capacity(&candidate.volume));
        let mut by_node = LabelIndex::default();
        for (number, candidate) in (0_u32..).zip(&free) {
            by_node.push(number, needed_label(&candidate.volume));
        }
        Ok(Self { reserved: None, free, by_node })
    }

    /// The volume that the claim gets on the node: the one reserved for it, else the smallest that
    /// is not `taken`.
    pub(super) fn best(
        &self,
        node: NodeView<'_>,
        taken: &[(usize, &Arc<PersistentVolume>)],
    ) -> Option<&Arc<PersistentVolume>> {
        if let Some(reserved) = &self.reserved {
            return reaches(reserved.affinity.as_deref(), node).then_some(&reserved.volume);
        }
        let number = self.by_node.first(node.labels(), |number| {
            let candidate = &self.free[number as usize];
            let is_taken =
                taken.iter().any(|(_, volume)| volume.metadata.name == candidate.volume.metadata.name);
            !is_taken && reaches(candidate.affinity.as_deref(), node)
        })?;
        Some(&self.free[number as usize].volume)
    }
}

fn mode(mode: Option<&PersistentVolumeMode>) -> &PersistentVolumeMode {
    mode.unwrap_or(&PersistentVolumeMode::Filesystem)
}

/// An empty name is none.
fn attributes(class: Option<&Str>) -> &str {
    class.map_or("", |class| class.as_str())
}

/// A label that nodes which reach the volume must have, and its values; none where there may be
/// several ways to reach it.
fn needed_label(volume: &PersistentVolume) -> Option<(&Str, impl IntoIterator<Item = &Str>)> {
    let required = volume.spec.node_affinity.as_ref()?.required.as_ref()?;
    let [term] = required.node_selector_terms.as_slice() else {
        return None;
    };
    let is_one_of = |expression: &&NodeSelectorRequirement| expression.operator == NodeSelectorOperator::In;
    let expression = term.match_expressions.iter().find(is_one_of)?;
    Some((&expression.key, expression.values.iter()))
}
