//! Old revisions: cleaned up, or gone back to.

use std::sync::Arc;

use orlop_model::apps::v1::ReplicaSet;

use super::Sync;
use crate::deployment::revisions::by_revision;
use crate::deployment::{Revisions, annotations, status};
use crate::replicaset::replicas as set_replicas;
use crate::sort::merge_sort;
use crate::template::{POD_TEMPLATE_HASH, same_template};
use crate::{Change, Delete, EventDraft, Occasion, PlanError};

impl Sync<'_> {
    pub(super) fn clean_up_if_complete(&mut self, revisions: &Revisions) {
        // By the status as stored: history goes one sync after the rollout is over.
        if status::is_complete(&self.deployment, &self.deployment.status) {
            self.clean_up(&revisions.old);
        }
    }

    /// Deletes the lowest revisions beyond the limit, those that are in use left out.
    pub(super) fn clean_up(&mut self, old: &[Arc<ReplicaSet>]) {
        let limit = self.deployment.spec.revision_history_limit.filter(|limit| *limit != i32::MAX);
        let Some(limit) = limit else { return };
        let alive: Vec<_> = old.iter().filter(|set| !set.metadata.is_deleting()).collect();
        let excess = alive.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        let sorted = merge_sort(alive, &|left, right| by_revision(left, right).is_lt());
        for set in sorted.into_iter().take(excess) {
            let is_idle = set.status.replicas == 0
                && set_replicas(set) == 0
                && set.metadata.generation <= set.status.observed_generation;
            if is_idle {
                self.plan.push(Delete::new(&**set));
            }
        }
    }

    pub(super) fn roll_back(&mut self, revision: i64) -> Result<(), PlanError> {
        let revisions = self.revisions(true)?;
        let wanted = match revision {
            0 => annotations::last_revision(revisions.all().map(|set| &**set)),
            revision => revision,
        };
        let target = revisions
            .all()
            .find(|set| annotations::revision(&set.metadata) == Some(wanted))
            .filter(|_| wanted != 0);
        let event = match target {
            None => {
                let message = match wanted {
                    0 => "Unable to find last revision.",
                    _ => "Unable to find the revision to rollback to.",
                };
                let reason = "DeploymentRollbackRevisionNotFound";
                EventDraft::warning(&self.deployment, reason, message)
            }
            Some(set) if same_template(&self.deployment.spec.template, &set.spec.template) => {
                let name = self.deployment.metadata.name.as_str();
                let message = format!(
                    "The rollback revision contains the same template as current deployment {name:?}"
                );
                let reason = "DeploymentRollbackTemplateUnchanged";
                EventDraft::warning(&self.deployment, reason, message)
            }
            Some(set) => {
                self.deployment.spec.template = set.spec.template.clone();
                self.deployment.spec.template.metadata.labels.remove(POD_TEMPLATE_HASH);
                annotations::restore(&mut self.deployment, set);
                let name = self.deployment.metadata.name.as_str();
                let message = format!("Rolled back deployment {name:?} to revision {wanted}");
                EventDraft::normal(&self.deployment, "DeploymentRollback", message)
                    .on(Occasion::Success(self.plan.changes.len()))
            }
        };
        self.plan.events.push(event);
        self.deployment.metadata.annotations.remove(annotations::ROLLBACK_TO);
        self.plan.push(Change::update(self.deployment.clone()));
        Ok(())
    }
}
