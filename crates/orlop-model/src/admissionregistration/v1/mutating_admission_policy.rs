//! The kind `MutatingAdmissionPolicy`.

use super::{
    FailurePolicyType, MatchCondition, MatchResources, ParamKind, PatchType, ReinvocationPolicyType, Variable,
};
use crate::{Extra, List, Message, Object, Str};

/// Cluster-scoped policy that changes admitted objects in-process by CEL expressions.
///
/// The kind `MutatingAdmissionPolicy` of `admissionregistration.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#mutatingadmissionpolicy-v1-admissionregistration).
#[derive(Clone, Default, PartialEq, Object)]
#[object(
    group = "admissionregistration.k8s.io",
    version = "v1",
    plural = "mutatingadmissionpolicies",
    categories = "api-extensions",
    cluster
)]
#[wire(debug)]
pub struct MutatingAdmissionPolicy {
    /// Object metadata; bindings refer to the policy by name.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Matching, parameters and mutations of the policy.
    #[wire(pb = 2)]
    pub spec: MutatingAdmissionPolicySpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Mutation as a server-side apply patch computed by CEL.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ApplyConfiguration {
    /// CEL expression yielding an `Object` that is merged into the request object by apply rules; may not set
    /// atomic lists or maps.
    #[wire(pb = 1)]
    pub expression: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Mutation as a JSON patch computed by CEL.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct JSONPatch {
    /// CEL expression yielding an array of `JSONPatch` operations, applied in order to the request object.
    #[wire(pb = 1)]
    pub expression: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Wanted behaviour of a mutating admission policy.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct MutatingAdmissionPolicySpec {
    /// Kind of the parameter objects; unset means that the policy takes no parameters.
    #[wire(pb = 1, map = "atomic")]
    pub param_kind: Option<Box<ParamKind>>,
    /// Requests that the policy looks at, with at least one resource rule; required, `DELETE` cannot be
    /// matched.
    #[wire(pb = 2, map = "atomic")]
    pub match_constraints: Option<Box<MatchResources>>,
    /// Named CEL expressions for reuse as `variables.name`; a later one may use earlier ones.
    #[wire(pb = 3)]
    pub variables: List<Variable>,
    /// Changes in the order of their application; at least one.
    #[wire(pb = 4)]
    pub mutations: List<Mutation>,
    /// What happens when the policy is misconfigured or an expression errs; `Fail` by default.
    #[wire(pb = 5)]
    pub failure_policy: Option<FailurePolicyType>,
    /// Up to 64 CEL conditions, all of which must be true for the policy to run.
    #[wire(pb = 6, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub match_conditions: List<MatchCondition>,
    /// Whether the policy may run again when later plugins change the object: `Never` or `IfNeeded`;
    /// required.
    #[wire(pb = 7)]
    pub reinvocation_policy: ReinvocationPolicyType,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One CEL-computed change to the object; the member named by `patchType` is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Mutation {
    /// Form of the change, `ApplyConfiguration` or `JSONPatch`; required.
    #[wire(pb = 2, required)]
    pub patch_type: PatchType,
    /// Change as a server-side apply patch; set exactly with that `patchType`.
    #[wire(pb = 3)]
    pub apply_configuration: Option<Box<ApplyConfiguration>>,
    /// Change as JSON patch operations; set exactly with that `patchType`.
    #[wire(pb = 4)]
    pub json_patch: Option<Box<JSONPatch>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
