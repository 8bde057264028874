//! The kind `RoleBinding`.

use super::{RoleRef, Subject};
use crate::{Extra, List, Object};

/// Grants a `Role` or a `ClusterRole` to subjects within one namespace.
///
/// The kind `RoleBinding` of `rbac.authorization.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#rolebinding-v1-rbac).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "rbac.authorization.k8s.io", version = "v1")]
#[wire(debug)]
pub struct RoleBinding {
    /// Object metadata; its namespace bounds what is granted.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Users, groups and service accounts that receive the role; service accounts may live in other
    /// namespaces.
    #[wire(pb = 2)]
    pub subjects: List<Subject>,
    /// The `Role` of this namespace, or `ClusterRole`, being granted; immutable.
    #[wire(pb = 3, needed, map = "atomic")]
    pub role_ref: RoleRef,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
