//! Workloads.

use super::Prepare;
use super::pod::drop_disabled;
use crate::apps::v1::{
    ControllerRevision, DaemonSet, DaemonSetStatus, Deployment, DeploymentStatus, ReplicaSet,
    ReplicaSetStatus, StatefulSet, StatefulSetStatus,
};
use crate::batch::v1::{CronJob, CronJobStatus, Job, JobStatus};
use crate::core::v1::{PodTemplate, ReplicationController, ReplicationControllerStatus};
use crate::validate::{NAME_LABEL, OLD_NAME_LABEL, OLD_UID_LABEL, UID_LABEL};
use crate::{Map, Str};

/// Counts the changes of a DaemonSet's template; Kubernetes keeps it for clients of old versions.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

impl Prepare for ControllerRevision {}

impl Prepare for Deployment {
    fn prepare_for_create(&mut self) {
        self.metadata.generation = 1;
        self.status = DeploymentStatus::default();
        drop_disabled(&mut self.spec.template.spec, None);
    }

    /// The controller copies annotations to the ReplicaSets: they are part of what it has to observe.
    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        drop_disabled(&mut self.spec.template.spec, Some(&old.spec.template.spec));
        if self.spec != old.spec || self.metadata.annotations != old.metadata.annotations {
            self.metadata.generation = old.metadata.generation + 1;
        }
    }
}

impl Prepare for ReplicaSet {
    fn prepare_for_create(&mut self) {
        self.metadata.generation = 1;
        self.status = ReplicaSetStatus::default();
        drop_disabled(&mut self.spec.template.spec, None);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        drop_disabled(&mut self.spec.template.spec, Some(&old.spec.template.spec));
        if self.spec != old.spec {
            self.metadata.generation = old.metadata.generation + 1;
        }
    }
}

impl Prepare for StatefulSet {
    fn prepare_for_create(&mut self) {
        self.metadata.generation = 1;
        self.status = StatefulSetStatus::default();
        drop_max_unavailable(self, None);
        drop_disabled(&mut self.spec.template.spec, None);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        drop_max_unavailable(self, Some(old));
        drop_disabled(&mut self.spec.template.spec, Some(&old.spec.template.spec));
        if self.spec != old.spec {
            self.metadata.generation = old.metadata.generation + 1;
        }
    }
}

/// Kubernetes 1.36 leaves this feature switched off: the field is taken off unless it was there before.
fn drop_max_unavailable(set: &mut StatefulSet, old: Option<&StatefulSet>) {
    let was_set = old
        .and_then(|old| old.spec.update_strategy.rolling_update.as_ref())
        .is_some_and(|bounds| bounds.max_unavailable.is_some());
    if let Some(bounds) = &mut set.spec.update_strategy.rolling_update
        && !was_set
    {
        bounds.max_unavailable = None;
    }
}

impl Prepare for DaemonSet {
    fn prepare_for_create(&mut self) {
        self.metadata.generation = 1;
        self.status = DaemonSetStatus::default();
        set_template_generation(&mut self.metadata.annotations, |count| count.max(1));
        drop_disabled(&mut self.spec.template.spec, None);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        drop_disabled(&mut self.spec.template.spec, Some(&old.spec.template.spec));
        let changed = self.spec.template != old.spec.template;
        match old.metadata.annotations.get(TEMPLATE_GENERATION) {
            Some(count) => {
                self.metadata.annotations.insert(TEMPLATE_GENERATION, count.clone());
                if changed {
                    set_template_generation(&mut self.metadata.annotations, |count| count.saturating_add(1));
                }
            }
            None => {
                self.metadata.annotations.remove(TEMPLATE_GENERATION);
                if changed {
                    set_template_generation(&mut self.metadata.annotations, |_| 1);
                }
            }
        }
        if self.spec != old.spec {
            self.metadata.generation = old.metadata.generation + 1;
        }
    }
}

fn set_template_generation(annotations: &mut Map<Str>, change: impl FnOnce(i64) -> i64) {
    let count = annotations.get(TEMPLATE_GENERATION).and_then(|text| text.parse().ok()).unwrap_or(0);
    annotations.insert(TEMPLATE_GENERATION, change(count).to_string().into());
}

impl Prepare for ReplicationController {
    fn prepare_for_create(&mut self) {
        self.metadata.generation = 1;
        self.status = ReplicationControllerStatus::default();
        if let Some(template) = &mut self.spec.template {
            drop_disabled(&mut template.spec, None);
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        if let Some(template) = &mut self.spec.template {
            drop_disabled(&mut template.spec, old.spec.template.as_ref().map(|template| &template.spec));
        }
        if self.spec != old.spec {
            self.metadata.generation = old.metadata.generation + 1;
        }
    }
}

impl Prepare for PodTemplate {
    fn prepare_for_create(&mut self) {
        self.metadata.generation = 1;
        drop_disabled(&mut self.template.spec, None);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        drop_disabled(&mut self.template.spec, Some(&old.template.spec));
        if self.template != old.template {
            self.metadata.generation = old.metadata.generation + 1;
        }
    }
}

impl Prepare for Job {
    /// Unless the user takes care of the selector, the pods of a Job carry its uid and name, and it selects them by
    /// the uid. What the user has set stays, for validation to refuse.
    fn prepare_for_create(&mut self) {
        if self.spec.manual_selector != Some(true) {
            let labels = &mut self.spec.template.metadata.labels;
            let (uid, name) = (&self.metadata.uid, &self.metadata.name);
            for (label, value) in
                [(OLD_NAME_LABEL, name), (NAME_LABEL, name), (OLD_UID_LABEL, uid), (UID_LABEL, uid)]
            {
                if !labels.contains_key(label) {
                    labels.insert(label, value.clone());
                }
            }
            let selector = self.spec.selector.get_or_insert_default();
            if !selector.match_labels.contains_key(UID_LABEL) {
                selector.match_labels.insert(UID_LABEL, uid.clone());
            }
        }
        self.metadata.generation = 1;
        self.status = JobStatus::default();
        drop_disabled(&mut self.spec.template.spec, None);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        drop_disabled(&mut self.spec.template.spec, Some(&old.spec.template.spec));
        if self.spec != old.spec {
            self.metadata.generation = old.metadata.generation + 1;
        }
    }
}

impl Prepare for CronJob {
    fn prepare_for_create(&mut self) {
        self.metadata.generation = 1;
        self.status = CronJobStatus::default();
        drop_disabled(&mut self.spec.job_template.spec.template.spec, None);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        let before = &old.spec.job_template.spec.template.spec;
        drop_disabled(&mut self.spec.job_template.spec.template.spec, Some(before));
        if self.spec != old.spec {
            self.metadata.generation = old.metadata.generation + 1;
        }
    }
}
