//! Workloads.

use super::Prepare;
use crate::apps::v1::{Deployment, DeploymentStatus, ReplicaSet, ReplicaSetStatus};
use crate::batch::v1::{Job, JobStatus};
use crate::{Map, Str};

impl Prepare for Deployment {
    fn prepare_for_create(&mut self) {
        self.status = DeploymentStatus::default();
    }
}

impl Prepare for ReplicaSet {
    fn prepare_for_create(&mut self) {
        self.status = ReplicaSetStatus::default();
    }
}

impl Prepare for Job {
    /// Unless the user takes care of the selector, the pods of a Job carry its uid and name, and it selects them by
    /// the uid.
    fn prepare_for_create(&mut self) {
        self.status = JobStatus::default();
        if self.spec.manual_selector == Some(true) {
            return;
        }
        let labels = &mut self.spec.template.metadata.labels;
        let (uid, name) = (&self.metadata.uid, &self.metadata.name);
        for (label, value) in [
            ("batch.kubernetes.io/controller-uid", uid),
            ("controller-uid", uid),
            ("batch.kubernetes.io/job-name", name),
            ("job-name", name),
        ] {
            labels.insert(label, value.clone());
        }
        let selector = self.spec.selector.get_or_insert_default();
        let entry: Map<Str> = [("batch.kubernetes.io/controller-uid", uid.clone())].into();
        if selector.match_labels.is_empty() {
            selector.match_labels = entry;
        }
    }
}
