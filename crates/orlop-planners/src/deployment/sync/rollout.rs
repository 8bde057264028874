//! Rolling out: RollingUpdate and Recreate.

use std::sync::Arc;

use orlop_model::apps::v1::ReplicaSet;
use orlop_model::core::v1::Pod;

use super::Sync;
use crate::deployment::Revisions;
use crate::deployment::numbers::{self, max_unavailable, replicas};
use crate::deployment::revisions::is_active;
use crate::replicaset::replicas as set_replicas;
use crate::{PlanError, pod};

impl Sync<'_> {
    pub(super) fn rolling_update(&mut self) -> Result<(), PlanError> {
        let revisions = self.revisions(true)?;
        if !self.scale_up_new(&revisions)? && !self.scale_down_old(&revisions) {
            self.clean_up_if_complete(&revisions);
        }
        self.write_rollout_status(&revisions);
        Ok(())
    }

    fn scale_up_new(&mut self, revisions: &Revisions) -> Result<bool, PlanError> {
        let Some(new) = &revisions.new else {
            return Ok(false);
        };
        let (desired, current) = (replicas(&self.deployment), set_replicas(new));
        let size = if current >= desired {
            desired
        } else {
            let total = numbers::total_replicas(revisions.all().map(|set| &**set));
            numbers::new_set_replicas(&self.deployment, total, current)?
        };
        Ok(self.scale(new, size, false).0)
    }

    /// Scales old sets down as far as availability allows: first pods that are not available, then others.
    fn scale_down_old(&mut self, revisions: &Revisions) -> bool {
        let Some(new) = &revisions.new else { return false };
        let mut old: Vec<_> = revisions.old.iter().filter(|set| is_active(set)).cloned().collect();
        if numbers::total_replicas(old.iter().map(|set| &**set)) == 0 {
            return false;
        }
        let deployment = &self.deployment;
        let min_available = replicas(deployment).wrapping_sub(max_unavailable(deployment));
        let total = numbers::total_replicas(revisions.all().map(|set| &**set));
        let new_unavailable = set_replicas(new).wrapping_sub(new.status.available_replicas);
        let room = total.wrapping_sub(min_available).wrapping_sub(new_unavailable);
        if room <= 0 {
            return false;
        }
        // A set that has more pods available than it asks for makes a step invalid; the whole is then tried again later.
        let Some(unhealthy) = self.scale_down_unhealthy(&mut old, room) else {
            return false;
        };
        let available = |set: &ReplicaSet| set.status.available_replicas;
        let sets = old.iter().chain([new]).map(|set| &**set);
        let spare = numbers::sum(sets, available).wrapping_sub(min_available);
        let healthy = self.scale_down_by(&old, spare);
        unhealthy > 0 || healthy > 0
    }

    fn scale_down_unhealthy(&mut self, old: &mut [Arc<ReplicaSet>], most: i32) -> Option<i32> {
        let mut done = 0;
        for set in old {
            if done >= most {
                break;
            }
            let size = set_replicas(set);
            let unavailable = size.wrapping_sub(set.status.available_replicas);
            if size == 0 || unavailable == 0 {
                continue;
            }
            let count = unavailable.min(most - done);
            if count < 0 {
                return None;
            }
            *set = self.scale(set, size - count, false).1;
            done += count;
        }
        Some(done)
    }

    fn scale_down_by(&mut self, old: &[Arc<ReplicaSet>], most: i32) -> i32 {
        let mut done = 0;
        for set in old {
            if done >= most {
                break;
            }
            let count = set_replicas(set).min(most - done);
            if count > 0 {
                self.scale(set, set_replicas(set) - count, false);
                done += count;
            }
        }
        done
    }

    /// Old pods go first, then new ones come.
    pub(super) fn recreate(&mut self) -> Result<(), PlanError> {
        let mut revisions = self.revisions(false)?;
        let mut scaled_down = false;
        for set in revisions.old.iter().filter(|set| is_active(set)) {
            scaled_down |= self.scale(set, 0, false).0;
        }
        if scaled_down || self.old_pods_run(&revisions) {
            self.write_rollout_status(&revisions);
            return Ok(());
        }
        if revisions.new.is_none() {
            revisions = self.revisions(true)?;
        }
        if let Some(new) = &revisions.new {
            self.scale(new, replicas(&self.deployment), false);
        }
        self.clean_up_if_complete(&revisions);
        self.write_rollout_status(&revisions);
        Ok(())
    }

    fn old_pods_run(&self, revisions: &Revisions) -> bool {
        let old = revisions.old.iter().map(|set| &**set);
        if numbers::sum(old, |set| set.status.replicas) > 0 {
            return true;
        }
        let is_old = |pod: &&Arc<Pod>| {
            pod.metadata.controller().is_some_and(|controller| {
                self.sets.iter().any(|set| set.metadata.uid == controller.uid)
                    && revisions.new.as_ref().is_none_or(|new| new.metadata.uid != controller.uid)
            })
        };
        self.children
            .pods
            .iter()
            .filter(|pod| pod.metadata.namespace == self.deployment.metadata.namespace)
            .filter(|pod| self.selector.matches(&pod.metadata.labels))
            .filter(is_old)
            .any(|pod| !pod::is_terminal(pod))
    }
}
