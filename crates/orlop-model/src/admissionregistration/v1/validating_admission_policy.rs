//! The kind `ValidatingAdmissionPolicy`.

use super::{FailurePolicyType, MatchCondition, MatchResources, ParamKind, Variable};
use crate::{Extra, List, Message, Object, Str};

/// Cluster-scoped policy that accepts or rejects requests in-process by CEL expressions.
///
/// The kind `ValidatingAdmissionPolicy` of `admissionregistration.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#validatingadmissionpolicy-v1-admissionregistration).
#[derive(Clone, Default, PartialEq, Object)]
#[object(
    group = "admissionregistration.k8s.io",
    version = "v1",
    plural = "validatingadmissionpolicies",
    categories = "api-extensions",
    cluster,
    status
)]
#[wire(debug)]
pub struct ValidatingAdmissionPolicy {
    /// Object metadata; bindings refer to the policy by name.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Matching, parameters and validations of the policy.
    #[wire(pb = 2)]
    pub spec: ValidatingAdmissionPolicySpec,
    /// Result of type checking, written by the controller manager.
    #[wire(pb = 3)]
    pub status: ValidatingAdmissionPolicyStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Key and computed value that a policy adds to the audit event of a request.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct AuditAnnotation {
    /// Qualified name, unique in the policy and at most 63 bytes; the audit key is prefixed with the policy
    /// name.
    #[wire(pb = 1, required)]
    pub key: Str,
    /// CEL expression yielding a string of at most 10 kB (longer ones are cut), or null for no annotation.
    #[wire(pb = 2, required)]
    pub value_expression: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// A type-checking complaint about one CEL expression of a policy.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ExpressionWarning {
    /// JSON path of the expression within the policy, such as `spec.validations[0].expression`.
    #[wire(pb = 2, required)]
    pub field_ref: Str,
    /// Text of the complaint, with the checked type and the compiler error.
    #[wire(pb = 3, required)]
    pub warning: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Result of checking the CEL expressions of a policy against the matched types.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TypeChecking {
    /// Complaints about single expressions; empty when all of them check.
    #[wire(pb = 1)]
    pub expression_warnings: List<ExpressionWarning>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Wanted behaviour of a validating admission policy.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ValidatingAdmissionPolicySpec {
    /// Kind of the parameter objects; unset means that the policy takes no parameters.
    #[wire(pb = 1, map = "atomic")]
    pub param_kind: Option<Box<ParamKind>>,
    /// Requests that the policy looks at; required, with at least one resource rule.
    #[wire(pb = 2, map = "atomic")]
    pub match_constraints: Option<Box<MatchResources>>,
    /// CEL checks of the request; this or `auditAnnotations` must not be empty.
    #[wire(pb = 3)]
    pub validations: List<Validation>,
    /// What happens when the policy is misconfigured or an expression errs; `Fail` by default.
    #[wire(pb = 4)]
    pub failure_policy: Option<FailurePolicyType>,
    /// Up to 20 computed annotations for the audit event; this or `validations` must not be empty.
    #[wire(pb = 5)]
    pub audit_annotations: List<AuditAnnotation>,
    /// Up to 64 CEL conditions, all of which must be true for the policy to run.
    #[wire(pb = 6, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub match_conditions: List<MatchCondition>,
    /// Named CEL expressions for reuse as `variables.name`; a later one may use earlier ones.
    #[wire(pb = 7, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub variables: List<Variable>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a validating admission policy.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ValidatingAdmissionPolicyStatus {
    /// Value of `metadata.generation` that the controller has type-checked.
    #[wire(pb = 1)]
    pub observed_generation: i64,
    /// Type-checking results; present once the check is complete.
    #[wire(pb = 2)]
    pub type_checking: Option<Box<TypeChecking>>,
    /// Conditions by type that describe the current state of the policy.
    #[wire(pb = 3, list = "map", keys = "type")]
    pub conditions: List<crate::meta::v1::Condition>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One CEL check of a validating admission policy and the answer on failure.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Validation {
    /// CEL expression that must yield true for acceptable requests; sees `object`, `oldObject`, `request`,
    /// `params`, `namespaceObject`, `variables` and `authorizer`.
    #[wire(pb = 1, required)]
    pub expression: Str,
    /// Text for the client when the check fails; required if the expression contains line breaks.
    #[wire(pb = 2)]
    pub message: Str,
    /// Machine-readable cause and thus HTTP code of a rejection, such as `Forbidden`; `Invalid` by default.
    #[wire(pb = 3)]
    pub reason: Option<crate::meta::v1::StatusReason>,
    /// CEL expression that yields the failure text and wins over `message`; on an error `message` is used.
    #[wire(pb = 4)]
    pub message_expression: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
