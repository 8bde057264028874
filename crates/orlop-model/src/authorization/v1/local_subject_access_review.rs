//! The kind `LocalSubjectAccessReview`.

use super::{SubjectAccessReviewSpec, SubjectAccessReviewStatus};
use crate::{Extra, Object};

/// Namespaced question whether a user may do something in that namespace.
///
/// The kind `LocalSubjectAccessReview` of `authorization.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#localsubjectaccessreview-v1-authorization).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "authorization.k8s.io", version = "v1", verbs = "create")]
#[wire(debug)]
pub struct LocalSubjectAccessReview {
    /// Object metadata; its namespace must equal that of the resource attributes.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// User and action; only resource actions in the namespace of the review.
    #[wire(pb = 2, needed)]
    pub spec: SubjectAccessReviewSpec,
    /// The decision, filled in by the server.
    #[wire(pb = 3)]
    pub status: SubjectAccessReviewStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
