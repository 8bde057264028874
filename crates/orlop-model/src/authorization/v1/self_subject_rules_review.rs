//! The kind `SelfSubjectRulesReview`.

use crate::{Extra, List, Message, Object, Str};

/// Question of a client for everything it may do in one namespace.
///
/// The kind `SelfSubjectRulesReview` of `authorization.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#selfsubjectrulesreview-v1-authorization).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "authorization.k8s.io", version = "v1", cluster, verbs = "create")]
#[wire(debug)]
pub struct SelfSubjectRulesReview {
    /// Object metadata; the review is not stored, so hardly anything is set.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The namespace for which rules are asked.
    #[wire(pb = 2, needed)]
    pub spec: SelfSubjectRulesReviewSpec,
    /// The permissions found, filled in by the server.
    #[wire(pb = 3)]
    pub status: SubjectRulesReviewStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Verbs that the subject may use on certain non-resource URLs.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NonResourceRule {
    /// Allowed HTTP verbs in lower case; `*` means all.
    #[wire(pb = 1, required)]
    pub verbs: List<Str>,
    /// Allowed URL paths; `*` only as the complete last step, alone it means all.
    #[wire(name = "nonResourceURLs", pb = 2)]
    pub non_resource_urls: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Verbs that the subject may use on certain resources.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ResourceRule {
    /// Allowed Kubernetes verbs; `*` means all.
    #[wire(pb = 1, required)]
    pub verbs: List<Str>,
    /// API groups of the resources; `*` means all.
    #[wire(pb = 2)]
    pub api_groups: List<Str>,
    /// Plural resource names, with subresources as `pods/log`; `*` means all, `*/name` that subresource
    /// everywhere.
    #[wire(pb = 3)]
    pub resources: List<Str>,
    /// Object names to which the rule is limited; empty allows every name.
    #[wire(pb = 4)]
    pub resource_names: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Scope of a rules review.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SelfSubjectRulesReviewSpec {
    /// Namespace whose permissions are listed; required.
    #[wire(pb = 1)]
    pub namespace: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Permissions found by a rules review; not meant for authorization decisions.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SubjectRulesReviewStatus {
    /// Permitted actions on resources, in no particular order, possibly with repetitions.
    #[wire(pb = 1, required)]
    pub resource_rules: List<ResourceRule>,
    /// Permitted actions on URL paths, in no particular order, possibly with repetitions.
    #[wire(pb = 2, required)]
    pub non_resource_rules: List<NonResourceRule>,
    /// True when the lists are not exhaustive, for example because an authorizer cannot enumerate rules.
    #[wire(pb = 3, required)]
    pub incomplete: bool,
    /// Trouble met while collecting the rules, such as an authorizer without support for it.
    #[wire(pb = 4)]
    pub evaluation_error: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
