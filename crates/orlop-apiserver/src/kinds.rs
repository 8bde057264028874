//! The strategies of the built-in kinds.

use std::borrow::Cow;

use orlop_client::Result;
use orlop_model::admissionregistration::v1::{
    MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration,
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
};
use orlop_model::apiextensions::v1::CustomResourceDefinition;
use orlop_model::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use orlop_model::autoscaling::v1::Scale;
use orlop_model::autoscaling::v2::HorizontalPodAutoscaler;
use orlop_model::batch::v1::{CronJob, Job};
use orlop_model::certificates::v1::CertificateSigningRequest;
use orlop_model::coordination::v1::Lease;
use orlop_model::core::v1::{
    ConfigMap, Endpoints, Event, LimitRange, Namespace, NamespacePhase, Node, PersistentVolume,
    PersistentVolumeClaim, Pod, PodPhase, PodTemplate, ReplicationController, ResourceQuota, Secret, Service,
    ServiceAccount,
};
use orlop_model::defaults::SetDefaults;
use orlop_model::discovery::v1::EndpointSlice;
use orlop_model::names::NameRule;
use orlop_model::networking::v1::{IPAddress, Ingress, IngressClass, NetworkPolicy, ServiceCIDR};
use orlop_model::node::v1::RuntimeClass;
use orlop_model::policy::v1::PodDisruptionBudget;
use orlop_model::prepare::{Prepare, complete_addresses};
use orlop_model::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use orlop_model::scheduling::v1::PriorityClass;
use orlop_model::storage::v1::{
    CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment, VolumeAttributesClass,
};
use orlop_model::table::Printer;
use orlop_model::validate::{self, Validate};
use orlop_model::{FieldError, LabelSelector, ObjectMeta, Str, Time};

use crate::scheme::Scheme;
use crate::service::keep_allocations;
use crate::strategy::Strategy;

/// The strategies of the built-in kinds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Builtin;

/// What all built-in kinds have in common: the model's rules, and `PartialEq` instead of encodings.
macro_rules! builtin {
    ($kind:ty) => {
        fn default(&self, object: &mut $kind) {
            object.set_defaults();
        }
        builtin!($kind, without default);
    };
    ($kind:ty, without default) => {
        fn prepare_create(&self, object: &mut $kind) {
            object.prepare_for_create();
        }
        fn prepare_update(&self, new: &mut $kind, old: &$kind) {
            new.prepare_for_update(old);
        }
        builtin!($kind, without any);
    };
    ($kind:ty, without prepare) => {
        fn default(&self, object: &mut $kind) {
            object.set_defaults();
        }
        builtin!($kind, without any);
    };
    ($kind:ty, without any) => {
        fn clear_status(&self, _: &mut $kind) -> Result<()> {
            Ok(()) // part of `prepare_create`, for the kinds that begin without
        }
        fn validate_metadata(&self, _: &$kind, _: Option<&$kind>) -> Vec<FieldError> {
            Vec::new() // part of the two below
        }
        fn validate_create(&self, object: &$kind) -> Vec<FieldError> {
            validate::create(object)
        }
        fn validate_update(&self, new: &$kind, old: &$kind) -> Vec<FieldError> {
            validate::update(new, old)
        }
        fn name_rule(&self) -> NameRule {
            <$kind as Validate>::NAME_RULE
        }
        fn equal(&self, left: &$kind, right: &$kind) -> bool {
            left == right
        }
        fn printer(&self) -> Printer {
            Printer::of::<$kind>()
        }
    };
}

/// Of kinds with a status, which may be written along with some metadata.
macro_rules! status {
    ($kind:ty) => {
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
}

/// Of kinds without a status.
macro_rules! no_status {
    ($kind:ty) => {
        fn copy_status(&self, _: &$kind, _: &mut $kind) -> Result<()> {
            Ok(())
        }
    };
}

/// Of kinds whose changes are counted here.
macro_rules! generations {
    ($kind:ty) => {
        fn differs(&self, new: &$kind, old: &$kind) -> bool {
            new.spec != old.spec
        }
    };
}

/// Of kinds whose changes are not counted, or by their own preparation.
macro_rules! no_generations {
    () => {
        fn counts_generations(&self) -> bool {
            false
        }
    };
}

/// The kinds of which nothing else is particular: whether they have a status, whether changes of the spec are counted
/// here.
macro_rules! kinds {
    ($($kind:ty: $status:ident $generations:ident;)*) => {$(
        impl Strategy<$kind> for Builtin {
            builtin!($kind);
            kinds!(@$status $kind);
            kinds!(@$generations $kind);
        }
    )*};
    (@status $kind:ty) => { status!($kind); };
    (@without_status $kind:ty) => { no_status!($kind); };
    (@counted $kind:ty) => { generations!($kind); };
    (@uncounted $kind:ty) => { no_generations!(); };
}

kinds! {
    ClusterRole: without_status uncounted;
    ClusterRoleBinding: without_status uncounted;
    ControllerRevision: without_status uncounted;
    CronJob: status uncounted;
    CSIDriver: without_status uncounted;
    CSINode: without_status uncounted;
    CSIStorageCapacity: without_status uncounted;
    CustomResourceDefinition: status counted;
    DaemonSet: status uncounted;
    Endpoints: without_status uncounted;
    HorizontalPodAutoscaler: status uncounted;
    Ingress: status counted;
    IngressClass: without_status counted;
    IPAddress: without_status uncounted;
    LimitRange: without_status uncounted;
    MutatingAdmissionPolicy: without_status counted;
    MutatingAdmissionPolicyBinding: without_status counted;
    NetworkPolicy: without_status counted;
    PersistentVolume: status uncounted;
    PersistentVolumeClaim: status uncounted;
    PodDisruptionBudget: status counted;
    PodTemplate: without_status uncounted;
    ResourceQuota: status uncounted;
    Role: without_status uncounted;
    RoleBinding: without_status uncounted;
    RuntimeClass: without_status uncounted;
    ServiceAccount: without_status uncounted;
    ServiceCIDR: status uncounted;
    StorageClass: without_status uncounted;
    ValidatingAdmissionPolicy: status counted;
    ValidatingAdmissionPolicyBinding: without_status counted;
    VolumeAttachment: status uncounted;
    VolumeAttributesClass: without_status uncounted;
}

/// Adds the built-in kinds that have rules.
pub(crate) fn register(scheme: &mut Scheme) {
    macro_rules! add {
        ($($kind:ty),* $(,)?) => {$(scheme.register_with::<$kind>(Builtin);)*};
    }
    add!(
        ConfigMap,
        Endpoints,
        Event,
        LimitRange,
        Namespace,
        Node,
        PersistentVolume,
        PersistentVolumeClaim,
        Pod
    );
    add!(ResourceQuota, Secret, Service, ServiceAccount);
    add!(PodTemplate, ReplicationController);
    add!(ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet, CronJob, Job);
    add!(HorizontalPodAutoscaler, PodDisruptionBudget, PriorityClass, Lease, EndpointSlice);
    add!(Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR, RuntimeClass);
    add!(CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment, VolumeAttributesClass);
    add!(ClusterRole, ClusterRoleBinding, Role, RoleBinding, CertificateSigningRequest);
    add!(MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration);
    add!(ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration);
    add!(CustomResourceDefinition);
}

impl Strategy<Namespace> for Builtin {
    builtin!(Namespace);
    status!(Namespace);
    no_generations!();

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
    builtin!(Node);
    status!(Node);
    no_generations!();

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
    status!(Pod);
    generations!(Pod);

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
        let has_nothing_to_stop = pod.spec.node_name.is_empty()
            || matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed);
        Some(match period {
            _ if has_nothing_to_stop => 0,
            ..0 => 1,
            period => period,
        })
    }
}

impl Strategy<ConfigMap> for Builtin {
    builtin!(ConfigMap);
    no_status!(ConfigMap);
    no_generations!();
}

impl Strategy<Secret> for Builtin {
    builtin!(Secret, without default);
    no_status!(Secret);
    no_generations!();

    fn default(&self, secret: &mut Secret) {
        secret.set_defaults();
        secret.merge_string_data();
    }

    fn fields(&self) -> &'static [&'static str] {
        &["type"]
    }

    fn field<'a>(&self, secret: &'a Secret, _: &str) -> Cow<'a, str> {
        secret.type_.as_str().into()
    }
}

impl Strategy<Service> for Builtin {
    builtin!(Service, without prepare);
    status!(Service);
    no_generations!();

    fn prepare_create(&self, service: &mut Service) {
        complete_addresses(service, None);
        service.prepare_for_create();
    }

    fn prepare_update(&self, new: &mut Service, old: &Service) {
        keep_allocations(&mut new.spec, &old.spec);
        new.prepare_for_update(old);
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

    fn differs(&self, new: &Deployment, old: &Deployment) -> bool {
        // The controller copies annotations to the ReplicaSets: they are part of what it has to observe.
        new.spec != old.spec || new.metadata.annotations != old.metadata.annotations
    }

    fn copy_status(&self, from: &Deployment, to: &mut Deployment) -> Result<()> {
        to.status.clone_from(&from.status);
        Ok(())
    }

    fn copy_status_metadata(&self, from: &ObjectMeta, to: &mut ObjectMeta) {
        to.annotations.clone_from(&from.annotations);
        to.finalizers.clone_from(&from.finalizers);
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
    builtin!(ReplicaSet);
    status!(ReplicaSet);
    generations!(ReplicaSet);

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

impl Strategy<StatefulSet> for Builtin {
    builtin!(StatefulSet);
    status!(StatefulSet);
    no_generations!();

    fn scale(&self, set: &StatefulSet) -> Option<Scale> {
        Some(scale(set.spec.replicas, set.status.replicas, set.spec.selector.as_deref()))
    }

    fn set_replicas(&self, set: &mut StatefulSet, replicas: i32) -> Result<()> {
        set.spec.replicas = Some(replicas);
        Ok(())
    }
}

impl Strategy<ReplicationController> for Builtin {
    builtin!(ReplicationController);
    status!(ReplicationController);
    no_generations!();

    fn scale(&self, controller: &ReplicationController) -> Option<Scale> {
        let (spec, status) = (&controller.spec, &controller.status);
        let selector = LabelSelector { match_labels: spec.selector.clone(), ..LabelSelector::default() };
        Some(scale(spec.replicas, status.replicas, Some(&selector)))
    }

    fn set_replicas(&self, controller: &mut ReplicationController, replicas: i32) -> Result<()> {
        controller.spec.replicas = Some(replicas);
        Ok(())
    }

    fn fields(&self) -> &'static [&'static str] {
        &["status.replicas"]
    }

    fn field<'a>(&self, controller: &'a ReplicationController, _: &str) -> Cow<'a, str> {
        controller.status.replicas.to_string().into()
    }
}

impl Strategy<Job> for Builtin {
    builtin!(Job);
    status!(Job);
    generations!(Job);

    fn fields(&self) -> &'static [&'static str] {
        &["status.successful"]
    }

    fn field<'a>(&self, job: &'a Job, _: &str) -> Cow<'a, str> {
        job.status.succeeded.to_string().into()
    }
}

impl Strategy<Event> for Builtin {
    builtin!(Event);
    no_status!(Event);
    no_generations!();

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
    builtin!(Lease);
    no_status!(Lease);
    no_generations!();
}

impl Strategy<EndpointSlice> for Builtin {
    builtin!(EndpointSlice);
    no_status!(EndpointSlice);

    fn differs(&self, new: &EndpointSlice, old: &EndpointSlice) -> bool {
        (&new.endpoints, &new.ports, &new.address_type) != (&old.endpoints, &old.ports, &old.address_type)
    }
}

impl Strategy<PriorityClass> for Builtin {
    builtin!(PriorityClass);
    no_status!(PriorityClass);

    fn differs(&self, _: &PriorityClass, _: &PriorityClass) -> bool {
        false // The first generation is the last: what counts does not change.
    }
}

impl Strategy<CertificateSigningRequest> for Builtin {
    builtin!(CertificateSigningRequest);
    status!(CertificateSigningRequest);
    no_generations!();

    fn fields(&self) -> &'static [&'static str] {
        &["spec.signerName"]
    }

    fn field<'a>(&self, request: &'a CertificateSigningRequest, _: &str) -> Cow<'a, str> {
        request.spec.signer_name.as_str().into()
    }
}

/// Of configurations of webhooks, whose changes are counted.
macro_rules! webhooks {
    ($($kind:ty),*) => {$(
        impl Strategy<$kind> for Builtin {
            builtin!($kind);
            no_status!($kind);

            fn differs(&self, new: &$kind, old: &$kind) -> bool {
                new.webhooks != old.webhooks
            }
        }
    )*};
}

webhooks!(MutatingWebhookConfiguration, ValidatingWebhookConfiguration);

fn boolean(value: bool) -> Cow<'static, str> {
    if value { "true".into() } else { "false".into() }
}

fn scale(wanted: Option<i32>, seen: i32, selector: Option<&LabelSelector>) -> Scale {
    let mut scale = Scale::default();
    scale.spec.replicas = wanted.unwrap_or(1);
    scale.status.replicas = seen;
    scale.status.selector = LabelSelector::display(selector).into();
    scale
}
