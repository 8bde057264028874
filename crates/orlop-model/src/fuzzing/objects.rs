//! Objects of built-in kinds: defaults, preparation and validation.

use crate::defaults::SetDefaults;
use crate::manifest::{Document, Fields, documents};
use crate::prepare::{self, Prepare};
use crate::validate::{self, Validate};
use crate::{FieldError, StaticKind, protobuf};

/// A manifest of objects of built-in kinds: each is defaulted, prepared and validated, for creation and as what
/// replaces it.
///
/// # Panics
/// As [`validate_one`].
pub fn validate_any(bytes: &[u8]) {
    for document in documents("fuzz", bytes).into_iter().flatten() {
        validate_document(&document);
    }
}

/// What is wrong with an object that is to be created; nothing is known of kinds without rules.
///
/// # Panics
/// As [`validate_one`].
pub(crate) fn validate_document(document: &Document) -> Option<Vec<FieldError>> {
    macro_rules! kinds {
        ($($(#[$feature:meta])? $group:ident::$version:ident { $($kind:ident),* })*) => {$(
            $(#[$feature])?
            {
                use crate::$group::$version as group;
                $(
                    if let Some(errors) = read::<group::$kind>(document) {
                        return Some(errors);
                    }
                )*
            }
        )*};
    }
    kinds! {
        core::v1 {
            ConfigMap, Endpoints, Event, LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod,
            ResourceQuota, Secret, Service, ServiceAccount
        }
        apps::v1 { DaemonSet, Deployment, ReplicaSet, StatefulSet }
        batch::v1 { CronJob, Job }
        coordination::v1 { Lease }
        policy::v1 { PodDisruptionBudget }
        #[cfg(feature = "admissionregistration")]
        admissionregistration::v1 {
            MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration,
            ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration
        }
        #[cfg(feature = "apiextensions")]
        apiextensions::v1 { CustomResourceDefinition }
        #[cfg(feature = "authentication")]
        authentication::v1 { SelfSubjectReview, TokenRequest, TokenReview }
        #[cfg(feature = "authorization")]
        authorization::v1 {
            LocalSubjectAccessReview, SelfSubjectAccessReview,
            SelfSubjectRulesReview, SubjectAccessReview
        }
        #[cfg(feature = "autoscaling")]
        autoscaling::v1 { HorizontalPodAutoscaler }
        #[cfg(feature = "autoscaling")]
        autoscaling::v2 { HorizontalPodAutoscaler }
        #[cfg(feature = "certificates")]
        certificates::v1 { CertificateSigningRequest }
        #[cfg(feature = "discovery")]
        discovery::v1 { EndpointSlice }
        #[cfg(feature = "events")]
        events::v1 { Event }
        #[cfg(feature = "networking")]
        networking::v1 { IPAddress, Ingress, IngressClass, NetworkPolicy, ServiceCIDR }
        #[cfg(feature = "node")]
        node::v1 { RuntimeClass }
        #[cfg(feature = "rbac")]
        rbac::v1 { ClusterRole, ClusterRoleBinding, Role, RoleBinding }
        #[cfg(feature = "scheduling")]
        scheduling::v1 { PriorityClass }
        #[cfg(feature = "storage")]
        storage::v1 {
            CSIDriver, CSINode, CSIStorageCapacity,
            StorageClass, VolumeAttachment, VolumeAttributesClass
        }
    }
    None
}

fn read<K>(document: &Document) -> Option<Vec<FieldError>>
where
    K: StaticKind + SetDefaults + Prepare + Validate,
{
    if document.api_version() != K::KIND.api_version() || document.kind() != K::KIND.kind {
        return None;
    }
    document.decode_as::<K>(Fields::Lenient).ok().map(validate_one)
}

/// Validates an object as a server does: for creation, and as what replaces it.
///
/// # Panics
/// If an error has no text, or if an object that is in order is not as its own successor, or not after it was written
/// and read, in JSON or protobuf.
pub fn validate_one<K>(mut object: K) -> Vec<FieldError>
where
    K: StaticKind + SetDefaults + Prepare + Validate,
{
    object.set_defaults();
    if K::KIND.is_namespaced() && K::IS_STORED && object.meta().namespace.is_empty() {
        object.meta_mut().namespace = "default".into();
    }
    if K::IS_STORED {
        object.meta_mut().uid = "00000000-0000-4000-8000-000000000001".into();
    }
    object.prepare_for_create();
    let errors = validate::create(&object);
    assert!(errors.iter().all(|error| !error.to_string().is_empty()));
    let mut new = object.clone();
    new.meta_mut().resource_version = "1".into();
    let old = new.clone();
    prepare::update(&mut new, &old);
    let later = validate::update(&new, &old);
    let _ = (new.warnings_on_create(), new.warnings_on_update(&old));
    if !errors.is_empty() {
        return errors;
    }
    if K::IS_STORED {
        assert!(later.is_empty(), "in order, but not as its own successor: {later:?}");
    }
    let json = object.to_json();
    let again: K = crate::json::from_slice(&json).expect("what is written can be read");
    assert_eq!(validate::create(&again), [], "in order, but not after it was written and read");
    assert_eq!(again.to_json(), json);
    let again: K = protobuf::from_slice(&object.to_protobuf()).expect("what is written can be read");
    assert_eq!(
        validate::create(&again),
        [],
        "in order, but not after it was written and read as protobuf: {}",
        String::from_utf8_lossy(&json)
    );
    errors
}
