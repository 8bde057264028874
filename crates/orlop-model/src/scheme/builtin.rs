//! All kinds of this crate.

use super::Scheme;

/// Registers the kinds of the API groups that this crate was built with, in Kubernetes' order of preference.
pub(super) fn register(scheme: &mut Scheme) -> &mut Scheme {
    #[cfg(feature = "core")]
    {
        use crate::core::v1 as group;
        scheme
            .register::<group::Binding>()
            .register::<group::ComponentStatus>()
            .register::<group::ConfigMap>()
            .register::<group::Endpoints>()
            .register::<group::Event>()
            .register::<group::LimitRange>()
            .register::<group::Namespace>()
            .register::<group::Node>()
            .register::<group::PersistentVolumeClaim>()
            .register::<group::PersistentVolume>()
            .register::<group::Pod>()
            .register::<group::PodTemplate>()
            .register::<group::ReplicationController>()
            .register::<group::ResourceQuota>()
            .register::<group::Secret>()
            .register::<group::ServiceAccount>()
            .register::<group::Service>();
    }
    #[cfg(feature = "apps")]
    {
        use crate::apps::v1 as group;
        scheme
            .register::<group::ControllerRevision>()
            .register::<group::DaemonSet>()
            .register::<group::Deployment>()
            .register::<group::ReplicaSet>()
            .register::<group::StatefulSet>();
    }
    #[cfg(feature = "batch")]
    {
        use crate::batch::v1 as group;
        scheme.register::<group::CronJob>().register::<group::Job>();
    }
    #[cfg(feature = "autoscaling")]
    {
        use crate::autoscaling::v2 as group;
        scheme.register::<group::HorizontalPodAutoscaler>();
    }
    #[cfg(feature = "autoscaling")]
    {
        use crate::autoscaling::v1 as group;
        scheme.register::<group::HorizontalPodAutoscaler>().register::<group::Scale>();
    }
    #[cfg(feature = "policy")]
    {
        use crate::policy::v1 as group;
        scheme.register::<group::PodDisruptionBudget>().register::<group::Eviction>();
    }
    #[cfg(feature = "networking")]
    {
        use crate::networking::v1 as group;
        scheme
            .register::<group::IngressClass>()
            .register::<group::Ingress>()
            .register::<group::IPAddress>()
            .register::<group::NetworkPolicy>()
            .register::<group::ServiceCIDR>();
    }
    #[cfg(feature = "discovery")]
    {
        use crate::discovery::v1 as group;
        scheme.register::<group::EndpointSlice>();
    }
    #[cfg(feature = "storage")]
    {
        use crate::storage::v1 as group;
        scheme
            .register::<group::CSIDriver>()
            .register::<group::CSINode>()
            .register::<group::CSIStorageCapacity>()
            .register::<group::StorageClass>()
            .register::<group::VolumeAttachment>()
            .register::<group::VolumeAttributesClass>();
    }
    #[cfg(feature = "scheduling")]
    {
        use crate::scheduling::v1 as group;
        scheme.register::<group::PriorityClass>();
    }
    #[cfg(feature = "coordination")]
    {
        use crate::coordination::v1 as group;
        scheme.register::<group::Lease>();
    }
    #[cfg(feature = "rbac")]
    {
        use crate::rbac::v1 as group;
        scheme
            .register::<group::ClusterRoleBinding>()
            .register::<group::ClusterRole>()
            .register::<group::RoleBinding>()
            .register::<group::Role>();
    }
    #[cfg(feature = "apiextensions")]
    {
        use crate::apiextensions::v1 as group;
        scheme.register::<group::CustomResourceDefinition>();
    }
    #[cfg(feature = "admissionregistration")]
    {
        use crate::admissionregistration::v1 as group;
        scheme
            .register::<group::MutatingAdmissionPolicy>()
            .register::<group::MutatingAdmissionPolicyBinding>()
            .register::<group::MutatingWebhookConfiguration>()
            .register::<group::ValidatingAdmissionPolicy>()
            .register::<group::ValidatingAdmissionPolicyBinding>()
            .register::<group::ValidatingWebhookConfiguration>();
    }
    #[cfg(feature = "events")]
    {
        use crate::events::v1 as group;
        scheme.register::<group::Event>();
    }
    #[cfg(feature = "node")]
    {
        use crate::node::v1 as group;
        scheme.register::<group::RuntimeClass>();
    }
    #[cfg(feature = "authentication")]
    {
        use crate::authentication::v1 as group;
        scheme
            .register::<group::SelfSubjectReview>()
            .register::<group::TokenReview>()
            .register::<group::TokenRequest>();
    }
    #[cfg(feature = "authorization")]
    {
        use crate::authorization::v1 as group;
        scheme
            .register::<group::LocalSubjectAccessReview>()
            .register::<group::SelfSubjectAccessReview>()
            .register::<group::SelfSubjectRulesReview>()
            .register::<group::SubjectAccessReview>();
    }
    #[cfg(feature = "certificates")]
    {
        use crate::certificates::v1 as group;
        scheme.register::<group::CertificateSigningRequest>();
    }
    scheme
}
