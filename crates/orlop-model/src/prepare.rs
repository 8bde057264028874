//! What a server does to an object before it stores it, besides defaulting.

use crate::apps::v1::{Deployment, DeploymentStatus, ReplicaSet, ReplicaSetStatus};
use crate::batch::v1::Job;
use crate::batch::v1::JobStatus;
use crate::coordination::v1::Lease;
use crate::core::v1::{
    ConfigMap, Event, FinalizerName, Namespace, NamespacePhase, NamespaceStatus, Node, Pod, PodPhase,
    PodStatus, Secret, Service, ServiceType,
};
use crate::{Map, Object, Str, list, pod_resources};

/// A kind that is prepared before it is stored. The object has its name and uid.
pub trait Prepare: Object {
    /// Before the object is created: what users may not set is reset, what follows from the rest is filled in.
    fn prepare_for_create(&mut self) {}
}

impl Prepare for ConfigMap {}
impl Prepare for Event {}
impl Prepare for Lease {}
impl Prepare for Node {}

impl Prepare for Secret {
    fn prepare_for_create(&mut self) {
        self.merge_string_data();
    }
}

impl Prepare for Namespace {
    fn prepare_for_create(&mut self) {
        self.status = NamespaceStatus { phase: NamespacePhase::Active, ..NamespaceStatus::default() };
        if !self.spec.finalizers.contains(&FinalizerName::Kubernetes) {
            self.spec.finalizers.push(FinalizerName::Kubernetes);
        }
    }
}

impl Prepare for Pod {
    fn prepare_for_create(&mut self) {
        self.status = PodStatus {
            phase: PodPhase::Pending,
            qos_class: pod_resources::compute_qos_class(self),
            ..PodStatus::default()
        };
    }
}

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

impl Prepare for Service {
    fn prepare_for_create(&mut self) {
        let spec = &mut self.spec;
        if spec.type_ != ServiceType::ExternalName
            && !spec.cluster_ip.is_empty()
            && spec.cluster_ips.is_empty()
        {
            spec.cluster_ips = list![spec.cluster_ip.clone()];
        }
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
