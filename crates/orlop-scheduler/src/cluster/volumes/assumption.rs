//! [`Assumptions`]: decisions about volumes that are not carried out yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim};

use super::BindPlan;

/// What a decision makes of an object.
#[derive(Clone, Debug)]
pub(super) struct Assumption<K> {
    /// The pods that the decision was about: several may share a claim.
    pub(super) pods: BTreeSet<Str>,
    pub(super) object: Arc<K>,
}

/// A decision about the volumes of a pod.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    pub(super) plan: Arc<BindPlan>,
    /// Whether the pod is bound. What is left to be seen of its volumes is under way then.
    pub(super) confirmed: bool,
}

/// Namespace and name of a claim.
pub(super) type ClaimName = (Str, Str);

pub(super) fn name_of(claim: &PersistentVolumeClaim) -> ClaimName {
    (claim.metadata.namespace.clone(), claim.metadata.name.clone())
}

/// Decisions that are not carried out yet; few, as they are soon.
#[derive(Clone, Debug, Default)]
pub(super) struct Assumptions {
    pub(super) volumes: BTreeMap<Str, Assumption<PersistentVolume>>,
    pub(super) claims: BTreeMap<ClaimName, Assumption<PersistentVolumeClaim>>,
    /// By id of the pod.
    pub(super) pods: BTreeMap<Str, Decided>,
}

/// A pod more counts on what is assumed of an object.
pub(super) fn join<N: Ord, K>(all: &mut BTreeMap<N, Assumption<K>>, name: N, pod: &Str, object: &Arc<K>) {
    let assumption =
        all.entry(name).or_insert_with(|| Assumption { pods: BTreeSet::new(), object: Arc::clone(object) });
    assumption.pods.insert(pod.clone());
}

/// A pod less counts on it. Returns what was assumed if that was the last.
pub(super) fn leave<N: Ord, K>(all: &mut BTreeMap<N, Assumption<K>>, name: &N, pod: &str) -> Option<Arc<K>> {
    let assumption = all.get_mut(name)?;
    if !assumption.pods.remove(pod) || !assumption.pods.is_empty() {
        return None;
    }
    all.remove(name).map(|assumption| assumption.object)
}

impl Assumptions {
    /// The pod is seen to be bound: so are its volumes, and they will be seen to be.
    pub(super) fn confirm(&mut self, pod: &str) {
        if let Some(decided) = self.pods.get_mut(pod) {
            decided.confirmed = true;
        }
        self.settle(pod);
    }

    /// Drops the decision about a bound pod once nothing of it is assumed any more.
    pub(super) fn settle(&mut self, pod: &str) {
        let Some(Decided { plan, confirmed: true }) = self.pods.get(pod) else {
            return;
        };
        let of_volume = |volume: &Arc<PersistentVolume>| {
            self.volumes.get(&volume.metadata.name).is_some_and(|assumed| assumed.pods.contains(pod))
        };
        let of_claim = |claim: &Arc<PersistentVolumeClaim>| {
            self.claims.get(&name_of(claim)).is_some_and(|assumed| assumed.pods.contains(pod))
        };
        if !plan.volumes.iter().any(of_volume) && !plan.claims.iter().any(of_claim) {
            self.pods.remove(pod);
        }
    }
}
