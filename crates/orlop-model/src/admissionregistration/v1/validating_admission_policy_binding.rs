//! The kind `ValidatingAdmissionPolicyBinding`.

use super::{MatchResources, ParamRef, ValidationAction};
use crate::{Extra, List, Message, Object, Str};

/// Puts a `ValidatingAdmissionPolicy` into force with chosen actions, parameters and matching.
///
/// The kind `ValidatingAdmissionPolicyBinding` of `admissionregistration.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#validatingadmissionpolicybinding-v1-admissionregistration).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "admissionregistration.k8s.io", version = "v1", categories = "api-extensions", cluster)]
#[wire(debug)]
pub struct ValidatingAdmissionPolicyBinding {
    /// Object metadata; the binding is cluster-scoped.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Policy, parameters, matching and actions of the binding.
    #[wire(pb = 2, needed)]
    pub spec: ValidatingAdmissionPolicyBindingSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// What a validating policy binding binds and enforces.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ValidatingAdmissionPolicyBindingSpec {
    /// Name of the bound `ValidatingAdmissionPolicy`; without such a policy the binding has no effect.
    #[wire(pb = 1, needed)]
    pub policy_name: Str,
    /// Parameter objects for the policy; must fit its `paramKind`, and is ignored when the policy has none.
    #[wire(pb = 2, map = "atomic")]
    pub param_ref: Option<Box<ParamRef>>,
    /// Further narrowing of the policy's own match; unset adds no restriction.
    #[wire(pb = 3, map = "atomic")]
    pub match_resources: Option<Box<MatchResources>>,
    /// Set of reactions to a failed validation, at least one; `Deny` and `Warn` cannot be combined.
    #[wire(pb = 4, needed, list = "set")]
    pub validation_actions: List<ValidationAction>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
