//! Defaulting: the values that Kubernetes fills in when an object is written or read.
//!
//! [`Default`] values of Rust's types mean *absent*; [`SetDefaults::set_defaults`] turns absent fields into the
//! values that the API documents (`SetDefaults_*` of Kubernetes 1.36). It is idempotent. Every kind has the trait when
//! its group's feature is on; for many there is nothing to fill in.
//!
//! Feature gates are taken as they are by default in 1.36. A HorizontalPodAutoscaler of `autoscaling/v1` that names no
//! utilization gets none here: the API makes that choice when it converts the object to `autoscaling/v2`.

#[cfg(feature = "admissionregistration")]
mod admission;
#[cfg(feature = "autoscaling")]
mod autoscaling;
mod claim;
mod container;
#[cfg(feature = "apiextensions")]
mod definition;
mod image;
#[cfg(feature = "networking")]
mod network;
mod persistent_volume;
mod pod;
mod quota;
#[cfg(feature = "rbac")]
mod role;
mod service;
#[cfg(feature = "storage")]
mod storage;
mod volume;
mod workload;

use crate::core::v1::{Endpoints, Namespace, NamespacePhase, Node, Protocol, Secret};
use crate::message::Mapping as _;
use crate::{Map, Quantity, Str};

/// A kind whose absent fields may have default values.
pub trait SetDefaults {
    /// Fills absent fields with their defaults.
    fn set_defaults(&mut self) {}
}

/// The kinds that have no defaults.
macro_rules! without_defaults {
    ($($(#[$feature:meta])? $group:ident::$version:ident { $($kind:ident),* })*) => {$(
        $(#[$feature])?
        const _: () = {
            $(impl SetDefaults for crate::$group::$version::$kind {})*
        };
    )*};
}

without_defaults! {
    core::v1 { Binding, ComponentStatus, ConfigMap, Event, ServiceAccount }
    apps::v1 { ControllerRevision }
    coordination::v1 { Lease }
    policy::v1 { Eviction, PodDisruptionBudget }
    #[cfg(feature = "authentication")]
    authentication::v1 { SelfSubjectReview, TokenReview }
    #[cfg(feature = "authorization")]
    authorization::v1 { LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReview }
    #[cfg(feature = "autoscaling")]
    autoscaling::v1 { Scale }
    #[cfg(feature = "certificates")]
    certificates::v1 { CertificateSigningRequest }
    #[cfg(feature = "events")]
    events::v1 { Event }
    #[cfg(feature = "networking")]
    networking::v1 { Ingress, IPAddress, ServiceCIDR }
    #[cfg(feature = "rbac")]
    rbac::v1 { ClusterRole, Role }
    #[cfg(feature = "storage")]
    storage::v1 { CSINode, CSIStorageCapacity, VolumeAttributesClass }
}

impl SetDefaults for Secret {
    fn set_defaults(&mut self) {
        if self.type_.is_empty() {
            self.type_ = "Opaque".into();
        }
    }
}

impl SetDefaults for Namespace {
    fn set_defaults(&mut self) {
        if self.status.phase.is_empty() {
            self.status.phase = NamespacePhase::Active;
        }
        if !self.metadata.name.is_empty() {
            self.metadata.labels.insert("kubernetes.io/metadata.name", self.metadata.name.clone());
        }
    }
}

impl SetDefaults for Node {
    fn set_defaults(&mut self) {
        round_up_to_milli(&mut self.status.capacity);
        round_up_to_milli(&mut self.status.allocatable);
        // `allocatable: {}` is a node that has nothing to give.
        if self.status.allocatable.is_nil() {
            self.status.allocatable = self.status.capacity.clone();
        }
    }
}

impl SetDefaults for Endpoints {
    fn set_defaults(&mut self) {
        for port in self.subsets.iter_mut().flat_map(|subset| &mut subset.ports) {
            if port.protocol.is_empty() {
                port.protocol = Protocol::TCP;
            }
        }
    }
}

#[cfg(feature = "authentication")]
impl SetDefaults for crate::authentication::v1::TokenRequest {
    fn set_defaults(&mut self) {
        self.spec.expiration_seconds.get_or_insert(3600);
    }
}

#[cfg(feature = "discovery")]
impl SetDefaults for crate::discovery::v1::EndpointSlice {
    fn set_defaults(&mut self) {
        for port in &mut self.ports {
            port.name.get_or_insert_default();
            port.protocol.get_or_insert(Protocol::TCP);
        }
    }
}

#[cfg(feature = "node")]
impl SetDefaults for crate::node::v1::RuntimeClass {
    fn set_defaults(&mut self) {
        if let Some(overhead) = &mut self.overhead {
            round_up_to_milli(&mut overhead.pod_fixed);
        }
    }
}

#[cfg(feature = "scheduling")]
impl SetDefaults for crate::scheduling::v1::PriorityClass {
    fn set_defaults(&mut self) {
        self.preemption_policy.get_or_insert(crate::core::v1::PreemptionPolicy::PreemptLowerPriority);
    }
}

/// Amounts finer than a thousandth are rounded up to one.
fn round_up_to_milli(resources: &mut Map<Quantity>) {
    for (_, quantity) in resources.iter_mut() {
        quantity.round_up(-3);
    }
}

/// Sets texts that are empty.
fn fill<const N: usize>(fields: [(&mut Str, &'static str); N]) {
    for (field, default) in fields {
        if field.is_empty() {
            *field = default.into();
        }
    }
}

/// Adds the entries of another map that are wanted and missing.
fn insert_missing(into: &mut Map<Quantity>, from: &Map<Quantity>, wanted: impl Fn(&str) -> bool) {
    for (name, quantity) in from {
        if wanted(name) && !into.contains_key(name) {
            into.insert(name, quantity.clone());
        }
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use serde_json::{Value, json};

    use super::SetDefaults;
    use crate::Object;
    use crate::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingAdmissionPolicyBinding};
    use crate::apiextensions::v1::CustomResourceDefinition;
    use crate::autoscaling::v1::HorizontalPodAutoscaler;
    use crate::core::v1::{Endpoints, Pod, ReplicationController};
    use crate::networking::v1::IngressClass;
    use crate::node::v1::RuntimeClass;
    use crate::rbac::v1::RoleBinding;
    use crate::storage::v1::{CSIDriver, VolumeAttachment};

    /// `wanted` names the fields that are compared; the object has others.
    fn check<K: Object + SetDefaults>(input: &Value, wanted: &[(&str, Value)]) {
        let mut object: K = serde_json::from_value(input.clone()).unwrap();
        object.set_defaults();
        let once = serde_json::to_value(&object).unwrap();
        for (pointer, value) in wanted {
            assert_eq!(once.pointer(pointer), Some(value), "{pointer} of {once}");
        }
        object.set_defaults();
        assert_eq!(serde_json::to_value(&object).unwrap(), once, "idempotent");
    }

    #[test]
    fn kinds_without_vectors() {
        check::<CustomResourceDefinition>(
            &json!({"spec": {"names": {"kind": "CronTab"}, "versions": [{"name": "v1"}, {"name": "v2", "storage": true}]}}),
            &[
                (
                    "/spec/names",
                    json!({"kind": "CronTab", "listKind": "CronTabList", "plural": "", "singular": "crontab"}),
                ),
                ("/spec/conversion", json!({"strategy": "None"})),
                ("/status/storedVersions", json!(["v2"])),
            ],
        );
        check::<MutatingWebhookConfiguration>(
            &json!({"webhooks": [{"name": "a.b.c", "clientConfig": {"service": {"name": "s", "namespace": "n"}},
                "rules": [{"operations": ["CREATE"]}]}]}),
            &[
                ("/webhooks/0/clientConfig/service/port", json!(443)),
                ("/webhooks/0/failurePolicy", json!("Fail")),
                ("/webhooks/0/matchPolicy", json!("Equivalent")),
                ("/webhooks/0/namespaceSelector", json!({})),
                ("/webhooks/0/objectSelector", json!({})),
                ("/webhooks/0/reinvocationPolicy", json!("Never")),
                ("/webhooks/0/rules/0/scope", json!("*")),
                ("/webhooks/0/timeoutSeconds", json!(10)),
            ],
        );
        check::<ValidatingAdmissionPolicyBinding>(
            &json!({"spec": {"matchResources": {"excludeResourceRules": [{"resources": ["pods"]}]}}}),
            &[
                ("/spec/matchResources/matchPolicy", json!("Equivalent")),
                ("/spec/matchResources/excludeResourceRules/0/scope", json!("*")),
            ],
        );
        check::<HorizontalPodAutoscaler>(&json!({}), &[("/spec/minReplicas", json!(1))]);
        check::<Endpoints>(
            &json!({"subsets": [{"ports": [{"port": 1}]}]}),
            &[("/subsets/0/ports/0/protocol", json!("TCP"))],
        );
        check::<ReplicationController>(
            &json!({"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}}),
            &[
                ("/metadata/labels", json!({"a": "b"})),
                ("/spec/selector", json!({"a": "b"})),
                ("/spec/replicas", json!(1)),
                ("/spec/template/spec/dnsPolicy", json!("ClusterFirst")),
            ],
        );
        check::<IngressClass>(
            &json!({"spec": {"parameters": {"kind": "K", "name": "n"}}}),
            &[("/spec/parameters/scope", json!("Cluster"))],
        );
        check::<RuntimeClass>(
            &json!({"handler": "h", "overhead": {"podFixed": {"cpu": "1u"}}}),
            &[("/overhead/podFixed/cpu", json!("1m"))],
        );
        check::<RoleBinding>(
            &json!({"subjects": [{"kind": "Group", "name": "g"}, {"kind": "ServiceAccount", "name": "s"}],
                "roleRef": {"kind": "Role", "name": "r"}}),
            &[
                ("/roleRef/apiGroup", json!("rbac.authorization.k8s.io")),
                ("/subjects/0/apiGroup", json!("rbac.authorization.k8s.io")),
                ("/subjects/1", json!({"kind": "ServiceAccount", "name": "s"})),
            ],
        );
        check::<CSIDriver>(
            &json!({"spec": {}}),
            &[(
                "/spec",
                json!({"attachRequired": true, "podInfoOnMount": false, "storageCapacity": false,
                    "requiresRepublish": false, "seLinuxMount": false, "fsGroupPolicy": "ReadWriteOnceWithFSType",
                    "volumeLifecycleModes": ["Persistent"]}),
            )],
        );
        check::<VolumeAttachment>(
            &json!({"spec": {"source": {"inlineVolumeSpec": {"iscsi": {"iqn": "q"}}}}}),
            &[("/spec/source/inlineVolumeSpec/iscsi/iscsiInterface", json!("default"))],
        );
    }

    /// What a pod requests as a whole is the sum of what was written, rounded only then.
    #[test]
    fn sums_are_rounded_once() {
        let tiny = json!({"name": "c", "resources": {"requests": {"cpu": "100u"}}});
        check::<Pod>(
            &json!({"spec": {"containers": [tiny, tiny], "resources": {"limits": {"cpu": "1"}}}}),
            &[
                ("/spec/containers/1/resources/requests/cpu", json!("1m")),
                ("/spec/resources/requests/cpu", json!("1m")),
            ],
        );
    }
}
