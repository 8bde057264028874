//! [`BindPlan`]: which volumes the claims of a pod get.

use std::sync::Arc;

use orlop_model::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim};

/// Annotation of claims: the node that the volume is to be made for.
pub(crate) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// Annotation of volumes and claims that were bound by the control plane, not by their author.
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

/// Which volumes the claims of a pod get on a node: the objects to write before the pod is bound.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BindPlan {
    /// Volumes that were there before, each with `spec.claimRef` set to the claim that gets it.
    pub volumes: Vec<Arc<PersistentVolume>>,
    /// Claims that a volume is to be made for, each with annotation
    /// `volume.kubernetes.io/selected-node`.
    pub claims: Vec<Arc<PersistentVolumeClaim>>,
}

impl BindPlan {
    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.volumes.is_empty() && self.claims.is_empty()
    }

    /// Gives the volume to the claim.
    pub(crate) fn bind(&mut self, volume: &PersistentVolume, claim: &PersistentVolumeClaim) {
        let mut bound = volume.clone();
        // Not where a user has reserved the volume for the claim.
        if !is_bound_to(volume, claim) && !bound.metadata.annotations.contains_key(BOUND_BY_CONTROLLER) {
            bound.metadata.annotations.insert(BOUND_BY_CONTROLLER, "yes".into());
        }
        let meta = &claim.metadata;
        if !volume.spec.claim_ref.as_deref().is_some_and(|reference| {
            reference.name == meta.name && reference.namespace == meta.namespace && reference.uid == meta.uid
        }) {
            bound.spec.claim_ref = Some(Box::new(ObjectReference {
                kind: "PersistentVolumeClaim".into(),
                api_version: "v1".into(),
                namespace: meta.namespace.clone(),
                name: meta.name.clone(),
                uid: meta.uid.clone(),
                resource_version: meta.resource_version.clone(),
                ..ObjectReference::default()
            }));
        }
        self.volumes.push(Arc::new(bound));
    }

    /// Asks for a volume on the node.
    pub(crate) fn provision(&mut self, claim: &PersistentVolumeClaim, node: &str) {
        let mut asking = claim.clone();
        asking.metadata.annotations.insert(SELECTED_NODE, node.into());
        self.claims.push(Arc::new(asking));
    }
}

/// Whether the volume is reserved for the claim or bound to it: by name, and by uid if it tells one.
pub(crate) fn is_bound_to(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    volume.spec.claim_ref.as_deref().is_some_and(|reference| {
        reference.name == claim.metadata.name
            && reference.namespace == claim.metadata.namespace
            && (reference.uid.is_empty() || reference.uid == claim.metadata.uid)
    })
}

/// Whether what is seen of a volume decides what was assumed of it: it belongs to a claim by uid, or
/// to another claim than the assumed one.
pub(super) fn settles_volume(seen: &PersistentVolume, assumed: &PersistentVolume) -> bool {
    let Some(reference) = seen.spec.claim_ref.as_deref() else {
        return false;
    };
    let same = assumed
        .spec
        .claim_ref
        .as_deref()
        .is_some_and(|wanted| wanted.name == reference.name && wanted.namespace == reference.namespace);
    !reference.uid.is_empty() || !same
}

/// Whether a volume belongs, or is reserved, to another claim than the one that it is to be bound to.
pub(super) fn is_for_another(volume: &PersistentVolume, bound: &PersistentVolume) -> bool {
    let Some(reference) = volume.spec.claim_ref.as_deref() else {
        return false;
    };
    !bound.spec.claim_ref.as_deref().is_some_and(|wanted| {
        wanted.name == reference.name
            && wanted.namespace == reference.namespace
            && (reference.uid.is_empty() || reference.uid == wanted.uid)
    })
}

/// What was assumed of a volume, put on what is seen of it now.
pub(super) fn assume_volume_again(seen: &PersistentVolume, assumed: &PersistentVolume) -> PersistentVolume {
    let mut bound = seen.clone();
    bound.spec.claim_ref = assumed.spec.claim_ref.clone();
    if let Some(by) = assumed.metadata.annotations.get(BOUND_BY_CONTROLLER) {
        bound.metadata.annotations.insert(BOUND_BY_CONTROLLER, by.clone());
    }
    bound
}

/// Whether what is seen of a claim decides what was assumed of it.
pub(super) fn settles_claim(seen: &PersistentVolumeClaim, assumed: &PersistentVolumeClaim) -> bool {
    seen.metadata.annotations.contains_key(SELECTED_NODE)
        || !seen.spec.volume_name.is_empty()
        || seen.metadata.uid != assumed.metadata.uid
}

/// What was assumed of a claim, put on what is seen of it now.
pub(super) fn assume_claim_again(
    seen: &PersistentVolumeClaim,
    assumed: &PersistentVolumeClaim,
) -> PersistentVolumeClaim {
    let mut asking = seen.clone();
    if let Some(node) = assumed.metadata.annotations.get(SELECTED_NODE) {
        asking.metadata.annotations.insert(SELECTED_NODE, node.clone());
    }
    asking
}
