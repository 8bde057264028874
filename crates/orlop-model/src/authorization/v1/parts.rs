//! What several kinds have in common.

use crate::{Extra, List, Map, Message, Str};

/// Field selector of the request under review, raw or parsed.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct FieldSelectorAttributes {
    /// Selector as sent in the URL query; must be empty when `requirements` is given.
    #[wire(pb = 1)]
    pub raw_selector: Str,
    /// Parsed selector terms, all of which limit the request; unknown ones may be ignored.
    #[wire(pb = 2)]
    pub requirements: List<crate::meta::v1::FieldSelectorRequirement>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Label selector of the request under review, raw or parsed.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct LabelSelectorAttributes {
    /// Selector as sent in the URL query; must be empty when `requirements` is given.
    #[wire(pb = 1)]
    pub raw_selector: Str,
    /// Parsed selector terms, all of which limit the request; unknown ones may be ignored.
    #[wire(pb = 2)]
    pub requirements: List<crate::meta::v1::LabelSelectorRequirement>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// An action on a URL outside the resource API.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NonResourceAttributes {
    /// URL path of the request, such as `/healthz`.
    #[wire(pb = 1)]
    pub path: Str,
    /// HTTP verb in lower case, such as `get`.
    #[wire(pb = 2)]
    pub verb: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// An action on an API resource whose permission is asked for.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ResourceAttributes {
    /// Namespace of the action; empty for cluster-scoped resources or, for namespaced ones, all namespaces.
    #[wire(pb = 1)]
    pub namespace: Str,
    /// Kubernetes verb such as `get` or `list`; `*` means all.
    #[wire(pb = 2)]
    pub verb: Str,
    /// API group of the resource; empty is the core group, `*` means all.
    #[wire(pb = 3)]
    pub group: Str,
    /// API version of the resource; `*` means all.
    #[wire(pb = 4)]
    pub version: Str,
    /// Plural resource name; `*` means all.
    #[wire(pb = 5)]
    pub resource: Str,
    /// Subresource such as `log` or `status`; empty for the resource itself.
    #[wire(pb = 6)]
    pub subresource: Str,
    /// Name of the single object; empty means all objects.
    #[wire(pb = 7)]
    pub name: Str,
    /// Field selector that limits the request; can only narrow what is asked.
    #[wire(pb = 8)]
    pub field_selector: Option<Box<FieldSelectorAttributes>>,
    /// Label selector that limits the request; can only narrow what is asked.
    #[wire(pb = 9)]
    pub label_selector: Option<Box<LabelSelectorAttributes>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Who wants to do what; needs `user` or `groups`, and exactly one kind of attributes.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SubjectAccessReviewSpec {
    /// Action on an API resource; excludes `nonResourceAttributes`.
    #[wire(pb = 1)]
    pub resource_attributes: Option<Box<ResourceAttributes>>,
    /// Action on a non-resource URL; excludes `resourceAttributes`.
    #[wire(pb = 2)]
    pub non_resource_attributes: Option<Box<NonResourceAttributes>>,
    /// User name to check; when given without `groups`, the user is taken as a member of none.
    #[wire(pb = 3)]
    pub user: Str,
    /// Groups of the user to check.
    #[wire(pb = 4)]
    pub groups: List<Str>,
    /// Further attributes of the user, as its authenticator would give them.
    #[wire(pb = 5)]
    pub extra: Map<List<Str>>,
    /// UID of the user to check.
    #[wire(pb = 6)]
    pub uid: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub unknown: Extra,
}

/// Decision of an access review.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SubjectAccessReviewStatus {
    /// True when the action is permitted.
    #[wire(pb = 1, required)]
    pub allowed: bool,
    /// True when an authorizer refused explicitly; with both flags false nobody had an opinion, never true
    /// together with `allowed`.
    #[wire(pb = 4)]
    pub denied: bool,
    /// Explanation of the decision; may be empty.
    #[wire(pb = 2)]
    pub reason: Str,
    /// Trouble met during the check; the decision may nevertheless be valid.
    #[wire(pb = 3)]
    pub evaluation_error: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
