//! The kind `ClusterRole`.

use super::PolicyRule;
use crate::{Extra, List, Message, Object};

/// Cluster-scoped set of permissions, grantable cluster-wide or inside a namespace.
///
/// The kind `ClusterRole` of `rbac.authorization.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#clusterrole-v1-rbac).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "rbac.authorization.k8s.io", version = "v1", cluster)]
#[wire(debug)]
pub struct ClusterRole {
    /// Object metadata; aggregation matches on the labels.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Permissions of the role, purely additive; overwritten by the controller when `aggregationRule` is set.
    #[wire(pb = 2, required, needless)]
    pub rules: List<PolicyRule>,
    /// Makes a controller fill `rules` from other ClusterRoles chosen by label.
    #[wire(pb = 3)]
    pub aggregation_rule: Option<Box<AggregationRule>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Selects the ClusterRoles whose rules are merged into an aggregated `ClusterRole`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct AggregationRule {
    /// Label selectors; a `ClusterRole` matched by any of them contributes its rules.
    #[wire(pb = 1)]
    pub cluster_role_selectors: List<crate::meta::v1::LabelSelector>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
