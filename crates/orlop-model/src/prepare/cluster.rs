//! Nodes, namespaces, quotas, configuration, and kinds of which nothing is reset.

use super::Prepare;
use crate::coordination::v1::Lease;
use crate::core::v1::{
    FinalizerName, Namespace, NamespacePhase, NamespaceStatus, Node, ObjectReference, ResourceQuota,
    ResourceQuotaStatus, Secret, ServiceAccount,
};
use crate::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetStatus};

/// The kinds that are stored as they come.
macro_rules! as_they_come {
    ($($(#[$feature:meta])? $group:ident::$version:ident { $($kind:ident),* })*) => {$(
        $(#[$feature])?
        const _: () = {
            $(impl Prepare for crate::$group::$version::$kind {})*
        };
    )*};
}

as_they_come! {
    core::v1 { ConfigMap, Endpoints, Event, LimitRange }
    #[cfg(feature = "admissionregistration")]
    admissionregistration::v1 {
        MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration,
        ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration
    }
    #[cfg(feature = "authentication")]
    authentication::v1 { SelfSubjectReview, TokenRequest, TokenReview }
    #[cfg(feature = "authorization")]
    authorization::v1 {
        LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReview
    }
    #[cfg(feature = "events")]
    events::v1 { Event }
    #[cfg(feature = "networking")]
    networking::v1 { IPAddress, IngressClass, NetworkPolicy }
    #[cfg(feature = "node")]
    node::v1 { RuntimeClass }
    #[cfg(feature = "rbac")]
    rbac::v1 { ClusterRole, ClusterRoleBinding, Role, RoleBinding }
    #[cfg(feature = "scheduling")]
    scheduling::v1 { PriorityClass }
    #[cfg(feature = "storage")]
    storage::v1 { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttributesClass }
}

impl Prepare for Secret {
    fn prepare_for_create(&mut self) {
        self.merge_string_data();
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.merge_string_data();
        if self.type_.is_empty() {
            self.type_ = old.type_.clone();
        }
    }
}

impl Prepare for ServiceAccount {
    /// Of a reference to a Secret only the name counts.
    fn prepare_for_create(&mut self) {
        names_only(&mut self.secrets);
    }

    fn prepare_for_update(&mut self, _old: &Self) {
        names_only(&mut self.secrets);
    }
}

fn names_only(secrets: &mut [ObjectReference]) {
    for secret in secrets {
        let name = std::mem::take(&mut secret.name);
        *secret = ObjectReference { name, ..ObjectReference::default() };
    }
}

impl Prepare for Namespace {
    fn prepare_for_create(&mut self) {
        self.status = NamespaceStatus { phase: NamespacePhase::Active, ..NamespaceStatus::default() };
        if !self.spec.finalizers.contains(&FinalizerName::Kubernetes) {
            self.spec.finalizers.push(FinalizerName::Kubernetes);
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.spec.finalizers = old.spec.finalizers.clone();
        self.status = old.status.clone();
    }
}

impl Prepare for Node {
    /// The status stays: nodes register themselves with it. The kubelet's configuration from the cluster is gone.
    fn prepare_for_create(&mut self) {
        self.spec.config_source = None;
        self.status.config = None;
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        if old.spec.config_source.is_none() {
            self.spec.config_source = None;
        }
    }
}

impl Prepare for ResourceQuota {
    fn prepare_for_create(&mut self) {
        self.status = ResourceQuotaStatus::default();
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
    }
}

impl Prepare for PodDisruptionBudget {
    fn prepare_for_create(&mut self) {
        self.status = PodDisruptionBudgetStatus::default();
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
    }
}

impl Prepare for Lease {
    /// Coordinated election needs a gate that is off by default; what was there already stays.
    fn prepare_for_create(&mut self) {
        self.spec.strategy = None;
        self.spec.preferred_holder = None;
    }

    fn prepare_for_update(&mut self, old: &Self) {
        if old.spec.strategy.is_none() {
            self.spec.strategy = None;
        }
        if old.spec.preferred_holder.is_none() {
            self.spec.preferred_holder = None;
        }
    }
}
