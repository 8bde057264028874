//! One sync of a Deployment, step by step.

mod history;
mod new_set;
mod rollout;
mod scale;

use std::sync::Arc;

use jiff::Timestamp;
use orlop_model::apps::v1::{
    Deployment, DeploymentConditionType, DeploymentStatus, DeploymentStrategyType, ReplicaSet,
};
use orlop_model::core::v1::ConditionStatus;
use orlop_model::selector::Selector;

use super::numbers;
use super::revisions::by_age;
use super::status::{self, has_progress_deadline, new_condition, progressing, reason, set_condition};
use super::{Children, Revisions, annotations};
use crate::claim::claim_all;
use crate::{Change, EventDraft, Plan, PlanError, selector};

/// A sync under way.
pub(super) struct Sync<'a> {
    /// The Deployment as the next write of it will be.
    deployment: Deployment,
    /// Its ReplicaSets as the cache has them, the oldest first.
    sets: Vec<Arc<ReplicaSet>>,
    selector: Selector,
    children: &'a Children<'a>,
    now: Timestamp,
    plan: Plan,
}

impl<'a> Sync<'a> {
    pub(super) fn run(deployment: &Deployment, children: &'a Children<'a>, now: Timestamp) -> Plan {
        let mut sync = Self {
            deployment: deployment.clone(),
            sets: Vec::new(),
            selector: Selector::nothing(),
            children,
            now,
            plan: Plan::default(),
        };
        if let Err(error) = sync.sync() {
            sync.plan.error = Some(error);
        }
        sync.plan
    }

    fn sync(&mut self) -> Result<(), PlanError> {
        if self.selects_everything() {
            self.refuse_selector();
            return Ok(());
        }
        self.claim_sets()?;
        if self.deployment.metadata.is_deleting() {
            let revisions = self.revisions(false)?;
            self.write_plain_status(&revisions);
            return Ok(());
        }
        self.note_pause();
        if self.deployment.spec.paused {
            return self.scale_only();
        }
        if let Some(revision) = annotations::rollback_to(&self.deployment) {
            return self.roll_back(revision);
        }
        if self.is_scaling()? {
            return self.scale_only();
        }
        match &self.deployment.spec.strategy.type_ {
            DeploymentStrategyType::Recreate => self.recreate(),
            DeploymentStrategyType::RollingUpdate => self.rolling_update(),
            DeploymentStrategyType::Other(other) => Err(numbers::unknown_strategy(&self.deployment, other)),
        }
    }

    // === selector and children ===

    fn selects_everything(&self) -> bool {
        self.deployment
            .spec
            .selector
            .as_deref()
            .is_some_and(|selector| selector.match_labels.is_empty() && selector.match_expressions.is_empty())
    }

    fn refuse_selector(&mut self) {
        self.plan.events.push(EventDraft::warning(
            &self.deployment,
            "SelectingAll",
            "This deployment is selecting all pods. A non-empty selector is required.",
        ));
        let generation = self.deployment.metadata.generation;
        if self.deployment.status.observed_generation < generation {
            self.deployment.status.observed_generation = generation;
            self.write_status();
        }
    }

    fn claim_sets(&mut self) -> Result<(), PlanError> {
        let selector = self.deployment.spec.selector.as_deref();
        self.selector = selector::compile(&self.deployment, selector)?;
        let namespace = &self.deployment.metadata.namespace;
        let mut candidates: Vec<_> = self
            .children
            .replica_sets
            .iter()
            .filter(|set| set.metadata.namespace == *namespace)
            .cloned()
            .collect();
        candidates.sort_by(|left, right| left.metadata.name.cmp(&right.metadata.name));
        let (sets, patches) = claim_all(&self.deployment, candidates, |set: &ReplicaSet| {
            self.selector.matches(&set.metadata.labels)
        });
        self.plan.changes.extend(patches.into_iter().map(Change::from));
        self.sets = sets;
        self.sets.sort_by(|left, right| by_age(left, right));
        Ok(())
    }

    // === writes ===

    fn write_status(&mut self) {
        self.plan.push(Change::update_status(self.deployment.clone()));
    }

    fn set_progressing(&mut self, is: ConditionStatus, reason: &str, message: String) {
        let type_ = DeploymentConditionType::Progressing;
        set_condition(&mut self.deployment.status, new_condition(type_, is, reason, message, self.now));
    }

    /// Writes counts and availability, if they are news.
    fn write_plain_status(&mut self, revisions: &Revisions) {
        let sets: Vec<_> = revisions.all().cloned().collect();
        let new = revisions.new.as_deref();
        let status = status::status(&self.deployment, &sets, new, self.now);
        self.replace_status(status);
    }

    /// Writes the status of a rollout, if it is news; else says when to look again.
    fn write_rollout_status(&mut self, revisions: &Revisions) {
        let sets: Vec<_> = revisions.all().cloned().collect();
        let new = revisions.new.as_deref();
        let status = status::rollout_status(&self.deployment, &sets, new, self.now);
        if status == self.deployment.status {
            self.plan.requeue = status::recheck(&self.deployment, &status, self.now);
        }
        self.replace_status(status);
    }

    fn replace_status(&mut self, status: DeploymentStatus) {
        if status != self.deployment.status {
            self.deployment.status = status;
            self.write_status();
        }
    }

    /// Pausing stops the clock of the progress deadline, resuming starts it anew.
    fn note_pause(&mut self) {
        if !has_progress_deadline(&self.deployment) {
            return;
        }
        let current = progressing(&self.deployment.status);
        let current = current.map(|condition| condition.reason.clone()).unwrap_or_default();
        if current == reason::TIMED_OUT {
            return;
        }
        let (reason, message) = match (self.deployment.spec.paused, current == reason::PAUSED) {
            (true, false) => (reason::PAUSED, "Deployment is paused"),
            (false, true) => (reason::RESUMED, "Deployment is resumed"),
            (true, true) | (false, false) => return,
        };
        self.set_progressing(ConditionStatus::Unknown, reason, message.to_owned());
        self.write_status();
    }
}
