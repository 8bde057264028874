//! The kind `Role`.

use super::PolicyRule;
use crate::{Extra, List, Object};

/// Set of permissions inside one namespace.
///
/// The kind `Role` of `rbac.authorization.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#role-v1-rbac).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "rbac.authorization.k8s.io", version = "v1")]
#[wire(debug)]
pub struct Role {
    /// Object metadata; the permissions hold in the namespace of the object.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Permissions of the role, purely additive; non-resource URLs are refused here.
    #[wire(pb = 2, required, needless)]
    pub rules: List<PolicyRule>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
