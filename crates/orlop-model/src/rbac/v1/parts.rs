//! What several kinds have in common.

use crate::{Extra, List, Message, Str};

/// One permission: verbs allowed on API resources or on non-resource URLs, without naming the subject.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PolicyRule {
    /// Allowed actions such as `get` or `watch`; `*` means all.
    #[wire(pb = 1, required)]
    pub verbs: List<Str>,
    /// API groups of the resources; the empty string is the core group, `*` means all.
    #[wire(pb = 2)]
    pub api_groups: List<Str>,
    /// Plural resource names, with subresources as `pods/log`; `*` means all.
    #[wire(pb = 3)]
    pub resources: List<Str>,
    /// Object names to which the rule is limited; empty allows every name.
    #[wire(pb = 4)]
    pub resource_names: List<Str>,
    /// URL paths outside the resource API, with `*` only as last step; honoured only through a
    /// `ClusterRoleBinding`.
    #[wire(name = "nonResourceURLs", pb = 5)]
    pub non_resource_urls: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Pointer from a binding to the role that it grants.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct RoleRef {
    /// API group of the role; always `rbac.authorization.k8s.io`, which is also the default.
    #[wire(pb = 1, required, needless)]
    pub api_group: Str,
    /// `Role` or `ClusterRole`; a `ClusterRoleBinding` accepts only the latter.
    #[wire(pb = 2, required)]
    pub kind: Str,
    /// Name of the role that is granted.
    #[wire(pb = 3, required)]
    pub name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// User, group or service account that a binding gives permissions to.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct Subject {
    /// Type of the subject: `User`, `Group` or `ServiceAccount`.
    #[wire(pb = 1, required)]
    pub kind: Str,
    /// Empty by default for service accounts, `rbac.authorization.k8s.io` by default for users and groups.
    #[wire(pb = 2)]
    pub api_group: Str,
    /// User name, group name or service account name.
    #[wire(pb = 3, required)]
    pub name: Str,
    /// Namespace of a service account, required for it; must stay empty for users and groups.
    #[wire(pb = 4)]
    pub namespace: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
