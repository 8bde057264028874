//! Which ReplicaSet is the new one.

use std::cmp::Ordering;
use std::sync::Arc;

use orlop_model::apps::v1::{Deployment, ReplicaSet};

use super::annotations;
use crate::replicaset::replicas;
use crate::template::same_template;

/// The ReplicaSets of a Deployment by revision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Revisions {
    /// The oldest set with the Deployment's template.
    pub new: Option<Arc<ReplicaSet>>,
    /// All others, the oldest first.
    pub old: Vec<Arc<ReplicaSet>>,
}

/// Older first, then by name.
pub(super) fn by_age(left: &ReplicaSet, right: &ReplicaSet) -> Ordering {
    let (left, right) = (&left.metadata, &right.metadata);
    (left.creation_timestamp, &left.name).cmp(&(right.creation_timestamp, &right.name))
}

/// Lower revision first, then by age; by age where a revision is no number. Not transitive where some are none.
pub(super) fn by_revision(left: &ReplicaSet, right: &ReplicaSet) -> Ordering {
    let revisions = annotations::revision(&left.metadata).zip(annotations::revision(&right.metadata));
    revisions.map_or(Ordering::Equal, |(left, right)| left.cmp(&right)).then_with(|| by_age(left, right))
}

/// Whether a set asks for pods.
pub(super) fn is_active(set: &ReplicaSet) -> bool {
    replicas(set) > 0
}

impl Revisions {
    /// Tells the sets of `deployment` apart.
    #[must_use]
    pub fn of(deployment: &Deployment, sets: &[Arc<ReplicaSet>]) -> Self {
        let mut old = sets.to_vec();
        old.sort_by(|left, right| by_age(left, right));
        let new = old
            .iter()
            .position(|set| same_template(&set.spec.template, &deployment.spec.template))
            .map(|place| old.remove(place));
        Self { new, old }
    }

    /// All sets: the old ones, then the new one.
    pub fn all(&self) -> impl Iterator<Item = &Arc<ReplicaSet>> {
        self.old.iter().chain(&self.new)
    }

    /// The sets that ask for pods.
    pub fn active(&self) -> impl Iterator<Item = &Arc<ReplicaSet>> {
        self.all().filter(|set| is_active(set))
    }

    /// The only active set; if none is active, the new one or else the youngest. `None` if several are, or there is no
    /// set at all.
    #[must_use]
    pub fn active_or_latest(&self) -> Option<&Arc<ReplicaSet>> {
        let mut active = self.active();
        match (active.next(), active.next()) {
            (None, _) => self.new.as_ref().or(self.old.last()),
            (Some(only), None) => Some(only),
            (Some(_), Some(_)) => None,
        }
    }
}
