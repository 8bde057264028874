//! Parts of authentication/v1.

use crate::{Extra, List, Message, Object, Str, Time};

/// Request for a new token of a service account, sent to its `token` subresource.
///
/// The kind `TokenRequest` of `authentication.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#tokenrequest-v1-authentication).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "authentication.k8s.io", version = "v1")]
#[wire(debug)]
pub struct TokenRequest {
    /// Object metadata; name and namespace are those of the service account.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Wanted audiences, lifetime and binding of the token.
    #[wire(pb = 2)]
    pub spec: TokenRequestSpec,
    /// The issued token, filled in by the server.
    #[wire(pb = 3)]
    pub status: TokenRequestStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Object to whose lifetime a requested service account token is tied.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct BoundObjectReference {
    /// Kind of the object: `Pod`, `Secret` or `Node`.
    #[wire(pb = 1)]
    pub kind: Str,
    /// API version of the object, `v1` for all supported kinds.
    #[wire(pb = 2)]
    pub api_version: Str,
    /// Name of the bound object, in the namespace of the service account unless cluster-scoped.
    #[wire(pb = 3)]
    pub name: Str,
    /// UID of the bound object; when given it must match that of the existing object.
    #[wire(pb = 4)]
    pub uid: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Wanted properties of a service account token.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TokenRequestSpec {
    /// Recipients for which the token is valid; empty means the audiences of the API server.
    #[wire(pb = 1, required, needless)]
    pub audiences: List<Str>,
    /// Wanted lifetime in seconds, at least 600; 3600 by default, the issuer may choose another one.
    #[wire(pb = 4, required, needless)]
    pub expiration_seconds: Option<i64>,
    /// Object whose deletion invalidates the token; unset ties it only to the service account.
    #[wire(pb = 3, required, needless)]
    pub bound_object_ref: Option<Box<BoundObjectReference>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Result of a token request.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TokenRequestStatus {
    /// The issued JWT; a secret to be handled as such.
    #[wire(pb = 1, required, needless, secret)]
    pub token: Str,
    /// When the issued token ceases to be valid.
    #[wire(pb = 2, required, plain, needless)]
    pub expiration_timestamp: Option<Time>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
