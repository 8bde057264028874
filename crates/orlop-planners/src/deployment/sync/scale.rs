//! Scaling ReplicaSets without rolling anything out.

use std::sync::Arc;

use orlop_model::apps::v1::{Deployment, ReplicaSet};

use super::Sync;
use crate::deployment::numbers::{self, max_surge, replicas};
use crate::deployment::revisions::{by_age, is_active};
use crate::deployment::{Revisions, annotations};
use crate::replicaset::replicas as set_replicas;
use crate::{Change, EventDraft, Occasion, PlanError};

impl Sync<'_> {
    /// Scales one set; whether its size changes, and the set as it will be. `forced`: writes it even if only the noted
    /// sizes of the Deployment differ.
    pub(super) fn scale(
        &mut self,
        set: &Arc<ReplicaSet>,
        size: i32,
        forced: bool,
    ) -> (bool, Arc<ReplicaSet>) {
        let before = set_replicas(set);
        let mut scaled = ReplicaSet::clone(set);
        let (desired, max) = sizes(&self.deployment);
        let noted = annotations::set_sizes(&mut scaled.metadata.annotations, desired, max);
        if before == size && !(forced && noted) {
            return (false, set.clone());
        }
        scaled.spec.replicas = Some(size);
        let scaled = Arc::new(scaled);
        let place = self.plan.push(Change::update(scaled.clone()));
        if before != size {
            let direction = if before < size { "up" } else { "down" };
            let name = &set.metadata.name;
            let message = format!("Scaled {direction} replica set {name} from {before} to {size}");
            let event = EventDraft::normal(&self.deployment, "ScalingReplicaSet", message);
            self.plan.events.push(event.on(Occasion::Success(place)));
        }
        (before != size, scaled)
    }

    /// Whether the Deployment's size was changed since a set was last scaled.
    pub(super) fn is_scaling(&mut self) -> Result<bool, PlanError> {
        let revisions = self.revisions(false)?;
        let desired = replicas(&self.deployment);
        Ok(revisions.active().any(|set| {
            annotations::number(set, annotations::DESIRED_REPLICAS).is_some_and(|noted| noted != desired)
        }))
    }

    /// Scales what there is, without rolling anything out.
    pub(super) fn scale_only(&mut self) -> Result<(), PlanError> {
        let revisions = self.revisions(false)?;
        self.scale_sets(&revisions);
        if self.deployment.spec.paused && annotations::rollback_to(&self.deployment).is_none() {
            self.clean_up(&revisions.old);
        }
        self.write_plain_status(&revisions);
        Ok(())
    }

    fn scale_sets(&mut self, revisions: &Revisions) {
        let desired = replicas(&self.deployment);
        if let Some(only) = revisions.active_or_latest() {
            self.scale(only, desired, false);
            return;
        }
        if revisions.new.as_ref().is_some_and(|new| numbers::is_saturated(&self.deployment, new)) {
            for old in revisions.old.iter().rev().filter(|set| is_active(set)) {
                self.scale(old, 0, false);
            }
            return;
        }
        if numbers::is_rolling_update(&self.deployment) {
            self.scale_in_proportion(revisions);
        }
    }

    /// Spreads a change of size over several active sets, so that a rollout under way keeps its risk.
    fn scale_in_proportion(&mut self, revisions: &Revisions) {
        let deployment = &self.deployment;
        // The youngest old one first, then the new one.
        let active = revisions.old.iter().rev().chain(&revisions.new).filter(|set| is_active(set));
        let mut sets: Vec<_> = active.cloned().collect();
        let allowed = match replicas(deployment) {
            desired if desired > 0 => desired.wrapping_add(max_surge(deployment)),
            _ => 0,
        };
        let total = numbers::total_replicas(sets.iter().map(|set| &**set));
        let to_add = allowed.wrapping_sub(total);
        sets.sort_by(|left, right| {
            let larger = set_replicas(right).cmp(&set_replicas(left));
            match to_add.signum() {
                1 => larger.then_with(|| by_age(right, left)),
                -1 => larger.then_with(|| by_age(left, right)),
                _ => std::cmp::Ordering::Equal,
            }
        });
        let mut added = 0_i32;
        let mut sizes: Vec<i32> = sets
            .iter()
            .map(|set| {
                let share = numbers::proportion(set, deployment, to_add, added);
                added = added.wrapping_add(share);
                set_replicas(set).wrapping_add(share)
            })
            .collect();
        if let Some(first) = sizes.first_mut()
            && to_add != 0
        {
            *first = first.wrapping_add(to_add.wrapping_sub(added)).max(0);
        }
        for (set, size) in sets.iter().zip(sizes) {
            self.scale(set, size, true);
        }
    }
}

/// The sizes to note on a ReplicaSet: asked for, and with the surge.
pub(super) fn sizes(deployment: &Deployment) -> (i32, i32) {
    let desired = replicas(deployment);
    (desired, desired.wrapping_add(max_surge(deployment)))
}
