//! One sync of a Deployment, step by step.

use std::sync::Arc;

use jiff::Timestamp;
use orlop_model::apps::v1::{
    Deployment, DeploymentConditionType, DeploymentStatus, DeploymentStrategyType, ReplicaSet,
    ReplicaSetSpec,
};
use orlop_model::core::v1::{ConditionStatus, Pod};
use orlop_model::{List, Object, ObjectMeta};

use super::numbers::{self, max_surge, max_unavailable, replicas};
use super::revisions::{by_age, by_revision, is_active};
use super::status::{self, condition, has_progress_deadline, new_condition, progressing, reason, set_condition};
use super::{Children, Revisions, annotations};
use crate::claim::claim_all;
use crate::replicaset::replicas as set_replicas;
use crate::selector::selects;
use crate::sort::merge_sort;
use crate::template::{POD_TEMPLATE_HASH, name_with_hash, same_template, template_hash};
use crate::{Change, Create, Delete, EventDraft, Occasion, OnExists, Plan, PlanError, pod};

/// A sync under way.
pub(super) struct Sync<'a> {
    /// The Deployment as the next write of it will be.
    deployment: Deployment,
    /// Its ReplicaSets as the cache has them, the oldest first.
    sets: Vec<Arc<ReplicaSet>>,
    children: &'a Children<'a>,
    now: Timestamp,
    plan: Plan,
}

impl<'a> Sync<'a> {
    pub(super) fn run(deployment: &Deployment, children: &'a Children<'a>, now: Timestamp) -> Plan {
        let mut sync = Self {
            deployment: deployment.clone(),
            sets: Vec::new(),
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
        self.claim_sets();
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
            DeploymentStrategyType::Other(other) => {
                Err(numbers::unknown_strategy(&self.deployment, other))
            }
        }
    }

    // === selector and children ===

    fn selects_everything(&self) -> bool {
        self.deployment.spec.selector.as_deref().is_some_and(|selector| {
            selector.match_labels.is_empty() && selector.match_expressions.is_empty()
        })
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

    fn claim_sets(&mut self) {
        let namespace = &self.deployment.metadata.namespace;
        let mut candidates: Vec<_> = self
            .children
            .replica_sets
            .iter()
            .filter(|set| set.metadata.namespace == *namespace)
            .cloned()
            .collect();
        candidates.sort_by(|left, right| left.metadata.name.cmp(&right.metadata.name));
        let selector = self.deployment.spec.selector.as_deref();
        let (sets, patches) = claim_all(&self.deployment, candidates, |set: &ReplicaSet| {
            selects(selector, &set.metadata.labels)
        });
        self.plan.changes.extend(patches.into_iter().map(Change::from));
        self.sets = sets;
        self.sets.sort_by(|left, right| by_age(left, right));
    }

    // === writes ===

    fn write_status(&mut self) {
        self.plan.push(Change::update_status(self.deployment.clone()));
    }

    fn set_progressing(&mut self, is: ConditionStatus, reason: &str, message: String) {
        let type_ = DeploymentConditionType::Progressing;
        set_condition(
            &mut self.deployment.status,
            new_condition(type_, is, reason, message, self.now),
        );
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

    // === the new ReplicaSet ===

    /// The sets by revision, the new one brought up to date, or created if it is missing and `create` says so.
    fn revisions(&mut self, create: bool) -> Result<Revisions, PlanError> {
        let mut revisions = Revisions::of(&self.deployment, &self.sets);
        let revision = annotations::max_revision(revisions.old.iter().map(|set| &**set));
        let revision = revision.saturating_add(1);
        revisions.new = match revisions.new.take() {
            Some(set) => Some(self.update_new_set(set, revision)),
            None if create => Some(self.create_new_set(&revisions.old, revision)?),
            None => None,
        };
        Ok(revisions)
    }

    fn update_new_set(&mut self, set: Arc<ReplicaSet>, revision: i64) -> Arc<ReplicaSet> {
        let mut updated = ReplicaSet::clone(&set);
        let annotations = &mut updated.metadata.annotations;
        let annotated = annotations::update_new_set(&self.deployment, annotations, revision);
        let seconds = self.deployment.spec.min_ready_seconds;
        if annotated || updated.spec.min_ready_seconds != seconds {
            updated.spec.min_ready_seconds = seconds;
            let updated = Arc::new(updated);
            self.plan.push(Change::update(updated.clone()));
            return updated;
        }
        let revision = updated.metadata.annotations.get(annotations::REVISION).cloned();
        let mut news =
            annotations::set_revision(&mut self.deployment, &revision.unwrap_or_default());
        // Somebody set a deadline on a Deployment that had none: count from now.
        if has_progress_deadline(&self.deployment)
            && condition(&self.deployment.status, &DeploymentConditionType::Progressing).is_none()
        {
            let message = format!("Found new replica set {:?}", updated.metadata.name.as_str());
            self.set_progressing(ConditionStatus::True, reason::FOUND_NEW_SET, message);
            news = true;
        }
        if news {
            self.write_status();
        }
        Arc::new(updated)
    }

    fn create_new_set(
        &mut self,
        old: &[Arc<ReplicaSet>],
        revision: i64,
    ) -> Result<Arc<ReplicaSet>, PlanError> {
        let total = numbers::total_replicas(old.iter().map(|set| &**set));
        let size = numbers::new_set_replicas(&self.deployment, total, 0)?;
        let set = Arc::new(self.new_set(size, revision));
        let name = set.metadata.name.clone();
        let create = Create::new(set.clone());

        let taken = self.children.replica_sets.iter().find(|other| {
            other.metadata.name == name && other.metadata.namespace == set.metadata.namespace
        });
        let (created, exists) = match taken {
            Some(other) if self.is_ours(other) => {
                self.plan.push(create.on_exists(OnExists::Ignore));
                (other.clone(), true)
            }
            Some(_) => {
                let mut collided = self.deployment.clone();
                let count = collided.status.collision_count.unwrap_or(0);
                collided.status.collision_count = Some(count.wrapping_add(1));
                let instead = vec![Change::update_status(collided)];
                let resource = create.object.kind().resource().into_owned();
                self.plan.push(create.on_exists(OnExists::Instead(instead)));
                return Err(PlanError::NameTaken { resource, name });
            }
            None => {
                let place = self.plan.push(create);
                self.tell_creation(&name, size, place);
                (set, false)
            }
        };

        let mut news = annotations::set_revision(&mut self.deployment, &revision.to_string());
        if !exists && has_progress_deadline(&self.deployment) {
            let message = format!("Created new replica set {:?}", name.as_str());
            self.set_progressing(ConditionStatus::True, reason::NEW_SET_CREATED, message);
            news = true;
        }
        if news {
            self.write_status();
        }
        Ok(created)
    }

    fn new_set(&self, size: i32, revision: i64) -> ReplicaSet {
        let deployment = &self.deployment;
        let hash = template_hash(&deployment.spec.template, deployment.status.collision_count);
        let mut template = deployment.spec.template.clone();
        template.metadata.labels.insert(POD_TEMPLATE_HASH, hash.as_str().into());
        let mut selector = deployment.spec.selector.clone().unwrap_or_default();
        selector.match_labels.insert(POD_TEMPLATE_HASH, hash.as_str().into());
        let mut metadata = ObjectMeta {
            name: name_with_hash(&deployment.metadata.name, &hash),
            namespace: deployment.metadata.namespace.clone(),
            labels: template.metadata.labels.clone(),
            owner_references: List::from_iter([deployment.controller_reference()]),
            ..ObjectMeta::default()
        };
        annotations::update_new_set(deployment, &mut metadata.annotations, revision);
        let (desired, max) = sizes(deployment);
        annotations::set_sizes(&mut metadata.annotations, desired, max);
        ReplicaSet {
            metadata,
            spec: ReplicaSetSpec {
                replicas: Some(size),
                min_ready_seconds: deployment.spec.min_ready_seconds,
                selector: Some(selector),
                template,
                ..ReplicaSetSpec::default()
            },
            ..ReplicaSet::default()
        }
    }

    fn is_ours(&self, set: &ReplicaSet) -> bool {
        set.metadata
            .controller()
            .is_some_and(|controller| controller.uid == self.deployment.metadata.uid)
            && same_template(&self.deployment.spec.template, &set.spec.template)
    }

    fn tell_creation(&mut self, name: &str, size: i32, place: usize) {
        let deployment = &self.deployment;
        if size > 0 {
            let message = format!("Scaled up replica set {name} from 0 to {size}");
            let event = EventDraft::normal(deployment, "ScalingReplicaSet", message);
            self.plan.events.push(event.on(Occasion::Success(place)));
        }
        let message = super::create_error(name, "");
        let event = EventDraft::warning(deployment, reason::CREATE_ERROR, message);
        self.plan.events.push(event.on(Occasion::Failure(place)));
    }

    // === scaling ===

    /// Scales one set; whether its size changes, and the set as it will be. `forced`: writes it even if only the noted
    /// sizes of the Deployment differ.
    fn scale(
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
            let message =
                format!("Scaled {direction} replica set {name} from {before} to {size}");
            let event = EventDraft::normal(&self.deployment, "ScalingReplicaSet", message);
            self.plan.events.push(event.on(Occasion::Success(place)));
        }
        (before != size, scaled)
    }

    /// Whether the Deployment's size was changed since a set was last scaled.
    fn is_scaling(&mut self) -> Result<bool, PlanError> {
        let revisions = self.revisions(false)?;
        let desired = replicas(&self.deployment);
        Ok(revisions.active().any(|set| {
            annotations::number(set, annotations::DESIRED_REPLICAS)
                .is_some_and(|noted| noted != desired)
        }))
    }

    /// Scales what there is, without rolling anything out.
    fn scale_only(&mut self) -> Result<(), PlanError> {
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

    // === rolling out ===

    fn rolling_update(&mut self) -> Result<(), PlanError> {
        let revisions = self.revisions(true)?;
        if !self.scale_up_new(&revisions)? && !self.scale_down_old(&revisions) {
            self.clean_up_if_complete(&revisions);
        }
        self.write_rollout_status(&revisions);
        Ok(())
    }

    fn scale_up_new(&mut self, revisions: &Revisions) -> Result<bool, PlanError> {
        let Some(new) = &revisions.new else { return Ok(false) };
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
        let mut old: Vec<_> =
            revisions.old.iter().filter(|set| is_active(set)).cloned().collect();
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
        let Some(unhealthy) = self.scale_down_unhealthy(&mut old, room) else { return false };
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
    fn recreate(&mut self) -> Result<(), PlanError> {
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
        let selector = self.deployment.spec.selector.as_deref();
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
            .filter(|pod| selects(selector, &pod.metadata.labels))
            .filter(is_old)
            .any(|pod| !pod::is_terminal(pod))
    }

    // === history ===

    fn clean_up_if_complete(&mut self, revisions: &Revisions) {
        // By the status as stored: history goes one sync after the rollout is over.
        if status::is_complete(&self.deployment, &self.deployment.status) {
            self.clean_up(&revisions.old);
        }
    }

    /// Deletes the lowest revisions beyond the limit, those that are in use left out.
    fn clean_up(&mut self, old: &[Arc<ReplicaSet>]) {
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

    fn roll_back(&mut self, revision: i64) -> Result<(), PlanError> {
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

/// The sizes to note on a ReplicaSet: asked for, and with the surge.
fn sizes(deployment: &Deployment) -> (i32, i32) {
    let desired = replicas(deployment);
    (desired, desired.wrapping_add(max_surge(deployment)))
}
