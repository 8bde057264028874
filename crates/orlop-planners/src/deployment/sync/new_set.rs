//! The ReplicaSet of the present template: found and brought up to date, or created.

use std::sync::Arc;

use orlop_model::apps::v1::{DeploymentConditionType, ReplicaSet, ReplicaSetSpec};
use orlop_model::core::v1::ConditionStatus;
use orlop_model::{List, Object, ObjectMeta};

use super::Sync;
use super::scale::sizes;
use crate::deployment::numbers;
use crate::deployment::status::{condition, has_progress_deadline, reason};
use crate::deployment::{Revisions, annotations, create_error};
use crate::template::{POD_TEMPLATE_HASH, name_with_hash, same_template, template_hash};
use crate::{Change, Create, EventDraft, Occasion, OnExists, PlanError};

impl Sync<'_> {
    /// The sets by revision, the new one brought up to date, or created if it is missing and `create` says so.
    pub(super) fn revisions(&mut self, create: bool) -> Result<Revisions, PlanError> {
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
        let mut news = annotations::set_revision(&mut self.deployment, &revision.unwrap_or_default());
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

        let taken =
            self.children.replica_sets.iter().find(|other| {
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
        set.metadata.controller().is_some_and(|controller| controller.uid == self.deployment.metadata.uid)
            && same_template(&self.deployment.spec.template, &set.spec.template)
    }

    fn tell_creation(&mut self, name: &str, size: i32, place: usize) {
        let deployment = &self.deployment;
        if size > 0 {
            let message = format!("Scaled up replica set {name} from 0 to {size}");
            let event = EventDraft::normal(deployment, "ScalingReplicaSet", message);
            self.plan.events.push(event.on(Occasion::Success(place)));
        }
        let message = create_error(name, "");
        let event = EventDraft::warning(deployment, reason::CREATE_ERROR, message);
        self.plan.events.push(event.on(Occasion::Failure(place)));
    }
}
