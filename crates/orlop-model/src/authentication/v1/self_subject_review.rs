//! The kind `SelfSubjectReview`.

use super::UserInfo;
use crate::{Extra, Message, Object};

/// Request with which a client asks under which identity the API server sees it.
///
/// The kind `SelfSubjectReview` of `authentication.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#selfsubjectreview-v1-authentication).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "authentication.k8s.io", version = "v1", cluster, verbs = "create")]
#[wire(debug)]
pub struct SelfSubjectReview {
    /// Object metadata; the review is not stored, so hardly anything is set.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The answer, filled in by the server.
    #[wire(pb = 2)]
    pub status: SelfSubjectReviewStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Answer to a `SelfSubjectReview`: who the caller is.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SelfSubjectReviewStatus {
    /// Name, UID, groups and extra attributes of the calling user, after any impersonation.
    #[wire(pb = 1)]
    pub user_info: UserInfo,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
