//! The kind `ClusterRoleBinding`.

use super::{RoleRef, Subject};
use crate::{Extra, List, Object};

/// Grants the permissions of a `ClusterRole` to subjects in the whole cluster.
///
/// The kind `ClusterRoleBinding` of `rbac.authorization.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#clusterrolebinding-v1-rbac).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "rbac.authorization.k8s.io", version = "v1", cluster)]
#[wire(debug)]
pub struct ClusterRoleBinding {
    /// Object metadata; the binding is cluster-scoped.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Users, groups and service accounts that receive the role.
    #[wire(pb = 2)]
    pub subjects: List<Subject>,
    /// The `ClusterRole` being granted; immutable.
    #[wire(pb = 3, needed, map = "atomic")]
    pub role_ref: RoleRef,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
