//! The kind `TokenReview`.

use super::UserInfo;
use crate::{Extra, List, Message, Object, Str};

/// Request to check a bearer token; webhook token authentication uses the same type.
///
/// The kind `TokenReview` of `authentication.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#tokenreview-v1-authentication).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "authentication.k8s.io", version = "v1", cluster, verbs = "create")]
#[wire(debug)]
pub struct TokenReview {
    /// Object metadata; the review is not stored, so hardly anything is set.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The token to check and the audiences of the asker.
    #[wire(pb = 2, needed)]
    pub spec: TokenReviewSpec,
    /// Whether the token is valid and whose it is, filled in by the server.
    #[wire(pb = 3)]
    pub status: TokenReviewStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Question of a token review.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TokenReviewSpec {
    /// The opaque bearer token to check.
    #[wire(pb = 1, needed, secret)]
    pub token: Str,
    /// Identities of the asking resource server, one of which the token must cover; the API server's own when
    /// empty.
    #[wire(pb = 2)]
    pub audiences: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Answer to a token review.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TokenReviewStatus {
    /// True when the token belongs to a known user.
    #[wire(pb = 1)]
    pub authenticated: bool,
    /// The user to whom the token belongs, when authenticated.
    #[wire(pb = 2)]
    pub user: UserInfo,
    /// Audiences common to token and question; empty from an audience-unaware authenticator, then the API
    /// server's are meant.
    #[wire(pb = 4)]
    pub audiences: List<Str>,
    /// Reason why the token could not be checked.
    #[wire(pb = 3)]
    pub error: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
