//! The kind `MutatingAdmissionPolicyBinding`.

use super::{MatchResources, ParamRef};
use crate::{Extra, Message, Object, Str};

/// Puts a `MutatingAdmissionPolicy` into force, optionally with parameters and narrower matching.
///
/// The kind `MutatingAdmissionPolicyBinding` of `admissionregistration.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#mutatingadmissionpolicybinding-v1-admissionregistration).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "admissionregistration.k8s.io", version = "v1", categories = "api-extensions", cluster)]
#[wire(debug)]
pub struct MutatingAdmissionPolicyBinding {
    /// Object metadata; the binding is cluster-scoped.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Policy, parameters and matching of the binding.
    #[wire(pb = 2)]
    pub spec: MutatingAdmissionPolicyBindingSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// What a mutating policy binding binds.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct MutatingAdmissionPolicyBindingSpec {
    /// Name of the bound `MutatingAdmissionPolicy`; without such a policy the binding has no effect.
    #[wire(pb = 1)]
    pub policy_name: Str,
    /// Parameter objects for the policy; must fit its `paramKind`, and is ignored when the policy has none.
    #[wire(pb = 2, map = "atomic")]
    pub param_ref: Option<Box<ParamRef>>,
    /// Further narrowing of the policy's own match; unset adds no restriction.
    #[wire(pb = 3, map = "atomic")]
    pub match_resources: Option<Box<MatchResources>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
