//! The kind `ValidatingWebhookConfiguration`.

use super::{
    FailurePolicyType, MatchCondition, MatchPolicyType, RuleWithOperations, SideEffectClass,
    WebhookClientConfig,
};
use crate::{Extra, List, Message, Object, Str};

/// Cluster-scoped registration of validating admission webhooks.
///
/// The kind `ValidatingWebhookConfiguration` of `admissionregistration.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#validatingwebhookconfiguration-v1-admissionregistration).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "admissionregistration.k8s.io", version = "v1", categories = "api-extensions", cluster)]
#[wire(debug)]
pub struct ValidatingWebhookConfiguration {
    /// Object metadata; the configuration is found by its cluster-wide name.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The registered webhooks, with unique names; the matching ones are called in parallel.
    #[wire(pb = 2, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub webhooks: List<ValidatingWebhook>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One admission webhook that accepts or rejects requests without changing them.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ValidatingWebhook {
    /// Fully qualified name with at least three segments, unique in the configuration, such as
    /// `check.example.com`.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// How the API server reaches the webhook; required.
    #[wire(pb = 2, needed)]
    pub client_config: WebhookClientConfig,
    /// Operations and resources that trigger a call; webhook configurations and admission policies themselves
    /// are never sent.
    #[wire(pb = 3)]
    pub rules: List<RuleWithOperations>,
    /// Whether an unreachable or faulty webhook rejects (`Fail`, the default) or admits (`Ignore`) the
    /// request.
    #[wire(pb = 4)]
    pub failure_policy: Option<FailurePolicyType>,
    /// Whether requests through other versions of a resource also match; `Equivalent` by default.
    #[wire(pb = 9)]
    pub match_policy: Option<MatchPolicyType>,
    /// Labels of the namespace whose objects are sent; all by default, other cluster-scoped objects always
    /// match.
    #[wire(pb = 5, map = "atomic")]
    pub namespace_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Labels that the old or new object must carry to be sent; all by default.
    #[wire(pb = 10, map = "atomic")]
    pub object_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Declared effects outside the request; only `None` and `NoneOnDryRun` are accepted, required.
    #[wire(pb = 6, required)]
    pub side_effects: Option<SideEffectClass>,
    /// Seconds to wait for an answer before `failurePolicy` applies, 1 to 30; 10 by default.
    #[wire(pb = 7)]
    pub timeout_seconds: Option<i32>,
    /// `AdmissionReview` versions the webhook understands, preferred first; the first one known to the server
    /// is sent, required.
    #[wire(pb = 8, required)]
    pub admission_review_versions: List<Str>,
    /// Up to 64 CEL conditions, all of which must be true for the call to be made.
    #[wire(pb = 11, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub match_conditions: List<MatchCondition>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
