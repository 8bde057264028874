//! The kind `ServiceAccount`.

use super::{LocalObjectReference, ObjectReference};
use crate::{Extra, List, Object};

/// Identity of processes in Pods towards the API server, within a namespace.
///
/// The kind `ServiceAccount` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#serviceaccount-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", short = "sa", subresources = "token")]
#[wire(debug)]
pub struct ServiceAccount {
    /// Standard object metadata; namespace and name make up the user name
    /// `system:serviceaccount:namespace:name`.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Secrets Pods of this account may use when the annotation enforcing it is set; deprecated, not kept up
    /// by the system.
    #[wire(pb = 2, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub secrets: List<ObjectReference>,
    /// Registry credentials, as Secrets in the same namespace, that admission adds to Pods naming none.
    #[wire(pb = 3)]
    pub image_pull_secrets: List<LocalObjectReference>,
    /// Whether Pods of the account get a token mounted; unset counts as `true`, and a Pod's own setting wins.
    #[wire(pb = 4)]
    pub automount_service_account_token: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
