//! The kind `SubjectAccessReview`.

use super::{SubjectAccessReviewSpec, SubjectAccessReviewStatus};
use crate::{Extra, Object};

/// Question whether a given user or group may do something anywhere in the cluster.
///
/// The kind `SubjectAccessReview` of `authorization.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#subjectaccessreview-v1-authorization).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "authorization.k8s.io", version = "v1", cluster, verbs = "create")]
#[wire(debug)]
pub struct SubjectAccessReview {
    /// Object metadata; must be empty apart from managed fields, as the review is not stored.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// User and action under review.
    #[wire(pb = 2, needed)]
    pub spec: SubjectAccessReviewSpec,
    /// The decision, filled in by the server.
    #[wire(pb = 3)]
    pub status: SubjectAccessReviewStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
