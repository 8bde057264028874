//! The kind `SelfSubjectAccessReview`.

use super::{NonResourceAttributes, ResourceAttributes, SubjectAccessReviewStatus};
use crate::{Extra, Message, Object};

/// Question of a client whether it may itself do something.
///
/// The kind `SelfSubjectAccessReview` of `authorization.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#selfsubjectaccessreview-v1-authorization).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "authorization.k8s.io", version = "v1", cluster, verbs = "create")]
#[wire(debug)]
pub struct SelfSubjectAccessReview {
    /// Object metadata; the review is not stored, so hardly anything is set.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The action; the user is the caller.
    #[wire(pb = 2, needed)]
    pub spec: SelfSubjectAccessReviewSpec,
    /// The decision, filled in by the server.
    #[wire(pb = 3)]
    pub status: SubjectAccessReviewStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// The action the caller asks about; exactly one of the two members is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SelfSubjectAccessReviewSpec {
    /// Action on an API resource; excludes `nonResourceAttributes`.
    #[wire(pb = 1)]
    pub resource_attributes: Option<Box<ResourceAttributes>>,
    /// Action on a non-resource URL; excludes `resourceAttributes`.
    #[wire(pb = 2)]
    pub non_resource_attributes: Option<Box<NonResourceAttributes>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
