//! What several kinds have in common.

use super::{MatchPolicyType, OperationType, ParameterNotFoundActionType, ScopeType};
use crate::{ByteString, Extra, List, Message, Str};

/// Named CEL condition that a request must meet before a webhook or policy is run.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct MatchCondition {
    /// Qualified name of the condition, unique in its list and used in logs.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// CEL expression over `object`, `oldObject`, `request` and `authorizer` that yields a boolean.
    #[wire(pb = 2, required)]
    pub expression: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Requests to which a policy or binding applies.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct MatchResources {
    /// Labels of the namespace of the object, or of a `Namespace` itself; matches all by default.
    #[wire(pb = 1, map = "atomic")]
    pub namespace_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Labels that the new or the old object must carry; matches all by default.
    #[wire(pb = 2, map = "atomic")]
    pub object_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Operations and resources to match; a request must fit at least one.
    #[wire(pb = 3)]
    pub resource_rules: List<NamedRuleWithOperations>,
    /// Operations and resources to leave out; stronger than `resourceRules`.
    #[wire(pb = 4)]
    pub exclude_resource_rules: List<NamedRuleWithOperations>,
    /// Whether rules also catch other versions of the same resource; `Equivalent` by default.
    #[wire(pb = 7)]
    pub match_policy: Option<MatchPolicyType>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Operations and resources, optionally limited to certain object names.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct NamedRuleWithOperations {
    /// Object names to which the rule is limited; empty matches every name.
    #[wire(pb = 1)]
    pub resource_names: List<Str>,
    /// Gives the operations, API groups, versions, resources and scope to match.
    #[wire(inline, pb = 2)]
    pub rule_with_operations: RuleWithOperations,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Kind of the objects that parameterize a policy.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct ParamKind {
    /// Group and version of the parameter kind, such as `v1` or `rules.example.com/v1`; required.
    #[wire(pb = 1)]
    pub api_version: Str,
    /// Kind of the parameter objects; required.
    #[wire(pb = 2)]
    pub kind: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Chooses the parameter objects of a binding, by name or by labels.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct ParamRef {
    /// Name of the one parameter object; excludes `selector`, and one of both is required.
    #[wire(pb = 1)]
    pub name: Str,
    /// Namespace to search; when empty and the kind is namespaced, the namespace of the evaluated object.
    #[wire(pb = 2)]
    pub namespace: Str,
    /// Labels of the parameter objects, each of which is evaluated; an empty selector takes all; excludes
    /// `name`.
    #[wire(pb = 3, map = "atomic")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// What happens when no parameter object is found: `Allow` skips the policy, `Deny` applies its
    /// `failurePolicy`.
    #[wire(pb = 4)]
    pub parameter_not_found_action: Option<ParameterNotFoundActionType>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Resources to match, by group, version, name and scope.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Rule {
    /// API groups to match; the empty string is the core group, and `*` alone means all.
    #[wire(pb = 1)]
    pub api_groups: List<Str>,
    /// API versions to match; `*` alone means all.
    #[wire(pb = 2)]
    pub api_versions: List<Str>,
    /// Plural resources, with subresources as `pods/log`; `*` takes all resources, `*/*` also all
    /// subresources.
    #[wire(pb = 3)]
    pub resources: List<Str>,
    /// Restriction to `Cluster` or `Namespaced` resources; `*`, the default, takes both.
    #[wire(pb = 4)]
    pub scope: Option<ScopeType>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Operations together with the resources on which they match.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct RuleWithOperations {
    /// Operations to match, such as `CREATE`; `*` must stand alone, at least one is required.
    #[wire(pb = 1)]
    pub operations: List<OperationType>,
    /// Gives the API groups, versions, resources and scope to match.
    #[wire(inline, pb = 2)]
    pub rule: Rule,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// In-cluster `Service` under which an admission webhook runs.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ServiceReference {
    /// Namespace of the `Service`; required.
    #[wire(pb = 1, required)]
    pub namespace: Str,
    /// Name of the `Service`; required.
    #[wire(pb = 2, required)]
    pub name: Str,
    /// URL path of the requests to the webhook; optional.
    #[wire(pb = 3)]
    pub path: Option<Str>,
    /// Port of the `Service`, 1 to 65535; 443 by default.
    #[wire(pb = 4)]
    pub port: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Named CEL expression that other expressions of the policy can reuse.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct Variable {
    /// CEL identifier, unique in the policy, accessed as `variables.name`.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// CEL expression of the value, evaluated lazily and at most once per evaluation.
    #[wire(pb = 2, required)]
    pub expression: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// How the API server reaches an admission webhook; exactly one of `url` and `service` is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct WebhookClientConfig {
    /// Location outside the cluster, with scheme `https` and no user, query or fragment.
    #[wire(pb = 3)]
    pub url: Option<Str>,
    /// `Service` of the cluster that fronts the webhook.
    #[wire(pb = 1)]
    pub service: Option<Box<ServiceReference>>,
    /// PEM certificates, as bytes, to verify the webhook's server certificate; the system roots when unset.
    #[wire(pb = 2)]
    pub ca_bundle: ByteString,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
