//! The strategies of the built-in kinds.

use std::borrow::Cow;
use std::collections::BTreeSet;

use orlop_client::Result;
use orlop_model::apps::v1::{Deployment, DeploymentStatus, ReplicaSet, ReplicaSetStatus};
use orlop_model::autoscaling::v1::Scale;
use orlop_model::batch::v1::{Job, JobStatus};
use orlop_model::coordination::v1::Lease;
use orlop_model::core::v1::{
    ConfigMap, Event, Namespace, NamespacePhase, NamespaceStatus, Node, Pod, PodPhase, PodStatus, Secret, Service, ServiceStatus,
};
use orlop_model::names::NameRule;
use orlop_model::{ByteString, LabelSelector, ObjectMeta, Str, Time};

use crate::qos::qos_class;
use crate::strategy::Strategy;

/// The strategies of the built-in kinds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Builtin;

/// `PartialEq` instead of encodings, and metadata along with the status, as for all of Kubernetes' own kinds.
macro_rules! builtin {
    ($kind:ty) => {
        fn equal(&self, left: &$kind, right: &$kind) -> bool {
            left == right
        }
        fn default(&self, object: &mut $kind) {
            orlop_model::defaults::SetDefaults::set_defaults(object);
        }
    };
    ($kind:ty, spec) => {
        builtin!($kind);
        fn copy_status(&self, from: &$kind, to: &mut $kind) -> Result<()> {
            to.status.clone_from(&from.status);
            Ok(())
        }
        fn copy_status_metadata(&self, from: &ObjectMeta, to: &mut ObjectMeta) {
            to.labels.clone_from(&from.labels);
            to.annotations.clone_from(&from.annotations);
            to.finalizers.clone_from(&from.finalizers);
        }
    };
    ($kind:ty, spec, generation) => {
        builtin!($kind, spec);
        fn differs(&self, new: &$kind, old: &$kind) -> bool {
            new.spec != old.spec
        }
    };
    ($kind:ty, spec, no generation) => {
        builtin!($kind, spec);
        fn counts_generations(&self) -> bool {
            false
        }
    };
    ($kind:ty, plain) => {
        builtin!($kind);
        fn counts_generations(&self) -> bool {
            false
        }
        fn copy_status(&self, _: &$kind, _: &mut $kind) -> Result<()> {
            Ok(())
        }
    };
}

impl Strategy<Namespace> for Builtin {
    builtin!(Namespace, spec, no generation);

    fn prepare_create(&self, namespace: &mut Namespace) {
        namespace.status = NamespaceStatus { phase: NamespacePhase::Active, ..NamespaceStatus::default() };
        if !namespace.spec.finalizers.iter().any(|finalizer| *finalizer == "kubernetes") {
            namespace.spec.finalizers.push("kubernetes".into());
        }
    }

    fn prepare_update(&self, new: &mut Namespace, old: &Namespace) {
        new.spec.finalizers.clone_from(&old.spec.finalizers);
    }

    fn name_rule(&self) -> NameRule {
        NameRule::Label
    }

    fn fields(&self) -> &'static [&'static str] {
        &["status.phase"]
    }

    fn field<'a>(&self, namespace: &'a Namespace, name: &str) -> Cow<'a, str> {
        match name {
            "status.phase" => namespace.status.phase.as_str().into(),
            _ => "".into(),
        }
    }

    fn begin_deletion(&self, namespace: &mut Namespace, _: Time) {
        namespace.status.phase = NamespacePhase::Terminating;
    }

    fn is_held(&self, namespace: &Namespace) -> bool {
        !namespace.spec.finalizers.is_empty()
    }
}

impl Strategy<Node> for Builtin {
    builtin!(Node, spec, no generation);

    fn fields(&self) -> &'static [&'static str] {
        &["spec.unschedulable"]
    }

    fn field<'a>(&self, node: &'a Node, name: &str) -> Cow<'a, str> {
        match name {
            "spec.unschedulable" => boolean(node.spec.unschedulable),
            _ => "".into(),
        }
    }
}

impl Strategy<Pod> for Builtin {
    builtin!(Pod);

    fn differs(&self, new: &Pod, old: &Pod) -> bool {
        new.spec != old.spec
    }

    fn copy_status(&self, from: &Pod, to: &mut Pod) -> Result<()> {
        to.status.clone_from(&from.status);
        Ok(())
    }

    fn copy_status_metadata(&self, from: &ObjectMeta, to: &mut ObjectMeta) {
        to.labels.clone_from(&from.labels);
        to.annotations.clone_from(&from.annotations);
        to.finalizers.clone_from(&from.finalizers);
    }

    fn prepare_create(&self, pod: &mut Pod) {
        pod.status = PodStatus { phase: PodPhase::Pending, qos_class: qos_class(pod), ..PodStatus::default() };
    }

    fn fields(&self) -> &'static [&'static str] {
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ]
    }

    fn field<'a>(&self, pod: &'a Pod, name: &str) -> Cow<'a, str> {
        let text: &str = match name {
            "spec.nodeName" => &pod.spec.node_name,
            "spec.restartPolicy" => pod.spec.restart_policy.as_str(),
            "spec.schedulerName" => &pod.spec.scheduler_name,
            "spec.serviceAccountName" => &pod.spec.service_account_name,
            "spec.hostNetwork" => return boolean(pod.spec.host_network),
            "status.phase" => pod.status.phase.as_str(),
            "status.podIP" => pod.status.pod_ips.first().map_or(&*pod.status.pod_ip, |first| &first.ip),
            "status.nominatedNodeName" => &pod.status.nominated_node_name,
            // Kubernetes accepts status.podIPs, but gives it no value.
            _ => "",
        };
        text.into()
    }

    fn grace(&self, pod: &Pod, asked: Option<i64>) -> Option<i64> {
        let period = asked.or(pod.spec.termination_grace_period_seconds).unwrap_or(0);
        let has_nothing_to_stop = pod.spec.node_name.is_empty() || matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed);
        Some(match period {
            _ if has_nothing_to_stop => 0,
            ..0 => 1,
            period => period,
        })
    }
}

impl Strategy<ConfigMap> for Builtin {
    builtin!(ConfigMap, plain);
}

impl Strategy<Secret> for Builtin {
    fn equal(&self, left: &Secret, right: &Secret) -> bool {
        left == right
    }

    fn default(&self, secret: &mut Secret) {
        orlop_model::defaults::SetDefaults::set_defaults(secret);
        // stringData is for writing only.
        for (key, text) in &std::mem::take(&mut secret.string_data) {
            secret.data.insert(key, ByteString::from(text.as_bytes().to_vec()));
        }
    }

    fn counts_generations(&self) -> bool {
        false
    }

    fn copy_status(&self, _: &Secret, _: &mut Secret) -> Result<()> {
        Ok(())
    }

    fn fields(&self) -> &'static [&'static str] {
        &["type"]
    }

    fn field<'a>(&self, secret: &'a Secret, _: &str) -> Cow<'a, str> {
        secret.type_.as_str().into()
    }
}

impl Strategy<Service> for Builtin {
    builtin!(Service, spec, no generation);

    fn prepare_create(&self, service: &mut Service) {
        service.status = ServiceStatus::default();
    }

    fn prepare_update(&self, new: &mut Service, old: &Service) {
        // What was allocated stays, unless the writer names something else or the type has no use for it.
        if new.spec.cluster_ip.is_empty() && new.spec.type_ != "ExternalName" {
            new.spec.cluster_ip.clone_from(&old.spec.cluster_ip);
            new.spec.cluster_ips.clone_from(&old.spec.cluster_ips);
        }
        if new.spec.type_ == "NodePort" || new.spec.type_ == "LoadBalancer" {
            let mut taken: BTreeSet<i32> = new.spec.ports.iter().map(|port| port.node_port).collect();
            for port in new.spec.ports.iter_mut().filter(|port| port.node_port == 0) {
                let same = old.spec.ports.iter().find(|other| other.port == port.port && other.protocol == port.protocol);
                if let Some(same) = same
                    && taken.insert(same.node_port)
                {
                    port.node_port = same.node_port;
                }
            }
        }
    }

    fn name_rule(&self) -> NameRule {
        NameRule::Dns1035Label
    }

    fn fields(&self) -> &'static [&'static str] {
        &["spec.clusterIP", "spec.type"]
    }

    fn field<'a>(&self, service: &'a Service, name: &str) -> Cow<'a, str> {
        match name {
            "spec.clusterIP" => service.spec.cluster_ip.as_str().into(),
            "spec.type" => service.spec.type_.as_str().into(),
            _ => "".into(),
        }
    }
}

impl Strategy<Deployment> for Builtin {
    builtin!(Deployment);

    fn copy_status(&self, from: &Deployment, to: &mut Deployment) -> Result<()> {
        to.status.clone_from(&from.status);
        Ok(())
    }

    fn copy_status_metadata(&self, from: &ObjectMeta, to: &mut ObjectMeta) {
        to.annotations.clone_from(&from.annotations);
        to.finalizers.clone_from(&from.finalizers);
    }

    fn differs(&self, new: &Deployment, old: &Deployment) -> bool {
        // The controller copies annotations to the ReplicaSets: they are part of what it has to observe.
        new.spec != old.spec || new.metadata.annotations != old.metadata.annotations
    }

    fn prepare_create(&self, deployment: &mut Deployment) {
        deployment.status = DeploymentStatus::default();
    }

    fn scale(&self, deployment: &Deployment) -> Option<Scale> {
        Some(scale(deployment.spec.replicas, deployment.status.replicas, deployment.spec.selector.as_deref()))
    }

    fn set_replicas(&self, deployment: &mut Deployment, replicas: i32) -> Result<()> {
        deployment.spec.replicas = Some(replicas);
        Ok(())
    }
}

impl Strategy<ReplicaSet> for Builtin {
    builtin!(ReplicaSet, spec, generation);

    fn prepare_create(&self, set: &mut ReplicaSet) {
        set.status = ReplicaSetStatus::default();
    }

    fn scale(&self, set: &ReplicaSet) -> Option<Scale> {
        Some(scale(set.spec.replicas, set.status.replicas, set.spec.selector.as_deref()))
    }

    fn set_replicas(&self, set: &mut ReplicaSet, replicas: i32) -> Result<()> {
        set.spec.replicas = Some(replicas);
        Ok(())
    }

    fn fields(&self) -> &'static [&'static str] {
        &["status.replicas"]
    }

    fn field<'a>(&self, set: &'a ReplicaSet, _: &str) -> Cow<'a, str> {
        set.status.replicas.to_string().into()
    }
}

impl Strategy<Job> for Builtin {
    builtin!(Job, spec, generation);

    fn prepare_create(&self, job: &mut Job) {
        job.status = JobStatus::default();
        select_own_pods(job);
    }

    fn fields(&self) -> &'static [&'static str] {
        &["status.successful"]
    }

    fn field<'a>(&self, job: &'a Job, _: &str) -> Cow<'a, str> {
        job.status.succeeded.to_string().into()
    }
}

/// Unless the writer manages the selector: the pods are found by the job's uid, under the present and the former label.
fn select_own_pods(job: &mut Job) {
    if job.spec.manual_selector == Some(true) {
        return;
    }
    let (uid, name) = (&job.metadata.uid, &job.metadata.name);
    let labels = &mut job.spec.template.metadata.labels;
    for (label, value) in [
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
        ("controller-uid", uid),
        ("job-name", name),
    ] {
        if !labels.contains_key(label) {
            labels.insert(label, value.clone());
        }
    }
    let selector = job.spec.selector.get_or_insert_default();
    if !selector.match_labels.contains_key("batch.kubernetes.io/controller-uid") {
        selector.match_labels.insert("batch.kubernetes.io/controller-uid", uid.clone());
    }
}

impl Strategy<Event> for Builtin {
    builtin!(Event, plain);

    fn fields(&self) -> &'static [&'static str] {
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ]
    }

    fn field<'a>(&self, event: &'a Event, name: &str) -> Cow<'a, str> {
        let about = &event.involved_object;
        let text: &Str = match name {
            "involvedObject.kind" => &about.kind,
            "involvedObject.namespace" => &about.namespace,
            "involvedObject.name" => &about.name,
            "involvedObject.uid" => &about.uid,
            "involvedObject.apiVersion" => &about.api_version,
            "involvedObject.resourceVersion" => &about.resource_version,
            "involvedObject.fieldPath" => &about.field_path,
            "reason" => &event.reason,
            "reportingComponent" => &event.reporting_component,
            "source" => event.source.component.non_empty().unwrap_or(&event.reporting_component),
            _ => &event.type_,
        };
        text.as_str().into()
    }
}

impl Strategy<Lease> for Builtin {
    builtin!(Lease, plain);
}

fn boolean(value: bool) -> Cow<'static, str> {
    if value { "true".into() } else { "false".into() }
}

fn scale(wanted: Option<i32>, seen: i32, selector: Option<&LabelSelector>) -> Scale {
    let mut scale = Scale::default();
    scale.spec.replicas = wanted.unwrap_or(1);
    scale.status.replicas = seen;
    scale.status.selector = selector.map(selector_text).unwrap_or_default().into();
    scale
}

/// The selector as `kubectl -l` takes it, its terms sorted.
fn selector_text(selector: &LabelSelector) -> String {
    let mut terms: Vec<String> = selector.match_labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    for term in &selector.match_expressions {
        let mut values: Vec<&str> = term.values.iter().map(Str::as_str).collect();
        values.sort_unstable();
        let (key, values) = (&term.key, values.join(","));
        terms.push(match term.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_string(),
        });
    }
    terms.sort_unstable();
    terms.join(",")
}
