//! [`ClaimUsers`]: which placed pods name which claims.

use std::collections::{BTreeSet, HashMap};

use orlop_model::Str;
use orlop_model::core::v1::Pod;

/// The placed pods that name a claim, those of ephemeral volumes left out.
#[derive(Clone, Debug, Default)]
pub(in crate::cluster) struct ClaimUsers {
    /// Ids of pods, by namespace and name of the claim.
    users: HashMap<Str, HashMap<Str, BTreeSet<Str>>>,
}

fn named_claims(pod: &Pod) -> impl Iterator<Item = &Str> {
    let claims = pod.spec.volumes.iter().filter_map(|volume| volume.source.persistent_volume_claim.as_ref());
    claims.map(|claim| &claim.claim_name)
}

impl ClaimUsers {
    /// Ids of the pods that name a claim.
    pub(super) fn of(&self, namespace: &str, claim: &str) -> impl Iterator<Item = &Str> {
        self.users.get(namespace).and_then(|claims| claims.get(claim)).into_iter().flatten()
    }

    /// A pod is on a node from now on.
    pub(in crate::cluster) fn placed(&mut self, pod: &Pod, id: &Str) {
        for claim in named_claims(pod) {
            let claims = self.users.entry(pod.metadata.namespace.clone()).or_default();
            claims.entry(claim.clone()).or_default().insert(id.clone());
        }
    }

    /// A pod is on no node any more.
    pub(in crate::cluster) fn left(&mut self, pod: &Pod, id: &Str) {
        for claim in named_claims(pod) {
            let Some(claims) = self.users.get_mut(pod.metadata.namespace.as_str()) else { continue };
            if let Some(pods) = claims.get_mut(claim.as_str()) {
                pods.remove(id);
                if pods.is_empty() {
                    claims.remove(claim.as_str());
                }
            }
            if claims.is_empty() {
                self.users.remove(pod.metadata.namespace.as_str());
            }
        }
    }

    /// All of it, as text.
    pub(in crate::cluster) fn fingerprint(&self) -> String {
        let mut users: Vec<_> = self
            .users
            .iter()
            .flat_map(|(namespace, claims)| {
                claims.iter().map(move |(claim, pods)| format!("{namespace}/{claim} {pods:?}"))
            })
            .collect();
        users.sort_unstable();
        format!("{users:?}")
    }
}
