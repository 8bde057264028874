//! Kinds of which nothing but the status is reset, requests for certificates and definitions of kinds.

use super::Prepare;

macro_rules! with_status {
    ($($(#[$feature:meta])? $group:ident::$version:ident::$kind:ident),* $(,)?) => {$(
        $(#[$feature])?
        impl Prepare for crate::$group::$version::$kind {
            fn prepare_for_create(&mut self) {
                self.status = Default::default();
            }

            fn prepare_for_update(&mut self, old: &Self) {
                self.status = old.status.clone();
            }
        }
    )*};
}

with_status! {
    #[cfg(feature = "admissionregistration")]
    admissionregistration::v1::ValidatingAdmissionPolicy,
    #[cfg(feature = "autoscaling")]
    autoscaling::v1::HorizontalPodAutoscaler,
    #[cfg(feature = "autoscaling")]
    autoscaling::v2::HorizontalPodAutoscaler,
    #[cfg(feature = "networking")]
    networking::v1::Ingress,
    #[cfg(feature = "networking")]
    networking::v1::ServiceCIDR,
    #[cfg(feature = "storage")]
    storage::v1::VolumeAttachment,
}

#[cfg(feature = "certificates")]
impl Prepare for crate::certificates::v1::CertificateSigningRequest {
    fn prepare_for_create(&mut self) {
        self.status = Default::default();
    }

    /// A request does not change.
    fn prepare_for_update(&mut self, old: &Self) {
        self.spec = old.spec.clone();
        self.status = old.status.clone();
    }
}

#[cfg(feature = "apiextensions")]
impl Prepare for crate::apiextensions::v1::CustomResourceDefinition {
    /// The version for storage is remembered as one that objects are stored in.
    fn prepare_for_create(&mut self) {
        self.status = Default::default();
        remember_storage(self);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        remember_storage(self);
    }
}

#[cfg(feature = "apiextensions")]
fn remember_storage(definition: &mut crate::apiextensions::v1::CustomResourceDefinition) {
    for version in definition.spec.versions.iter().filter(|version| version.storage) {
        if !definition.status.stored_versions.contains(&version.name) {
            definition.status.stored_versions.push(version.name.clone());
        }
    }
}
