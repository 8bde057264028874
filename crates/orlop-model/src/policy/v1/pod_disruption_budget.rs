//! The kind `PodDisruptionBudget`.

use super::UnhealthyPodEvictionPolicyType;
use crate::{Extra, IntOrString, List, Map, Message, Object, Time};

/// Limits how many pods of a set may be down at once through voluntary disruptions.
///
/// The kind `PodDisruptionBudget` of `policy/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#poddisruptionbudget-v1-policy).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "policy", version = "v1", short = "pdb", status)]
#[wire(debug)]
pub struct PodDisruptionBudget {
    /// Identity, labels and ownership of the budget.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Pods protected and the limit that applies to them.
    #[wire(pb = 2)]
    pub spec: PodDisruptionBudgetSpec,
    /// Pod counts and disruptions currently allowed; written by the disruption controller.
    #[wire(pb = 3)]
    pub status: PodDisruptionBudgetStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Desired limits of a disruption budget.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodDisruptionBudgetSpec {
    /// Pods that must stay healthy after an eviction, as a number or percentage rounded up; excludes
    /// `maxUnavailable`.
    #[wire(pb = 1)]
    pub min_available: Option<IntOrString>,
    /// Label query for the pods protected; an empty selector takes all in the namespace, an absent one none.
    #[wire(pb = 2, map = "atomic", patch = "replace")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Pods that may be unhealthy after an eviction, as a number or percentage rounded up; excludes
    /// `minAvailable`.
    #[wire(pb = 3)]
    pub max_unavailable: Option<IntOrString>,
    /// When running but unready pods may be evicted; unset behaves as `IfHealthyBudget`.
    #[wire(pb = 4)]
    pub unhealthy_pod_eviction_policy: Option<UnhealthyPodEvictionPolicyType>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a disruption budget.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodDisruptionBudgetStatus {
    /// The `metadata.generation` the counts are based on; evictions are refused while it lags behind.
    #[wire(pb = 1)]
    pub observed_generation: i64,
    /// Pods whose eviction was granted but not yet seen, with the time granted; entries expire after about
    /// two minutes.
    #[wire(pb = 2)]
    pub disrupted_pods: Map<Option<Time>>,
    /// Pods that may be evicted right now.
    #[wire(pb = 3, required, needless)]
    pub disruptions_allowed: i32,
    /// Protected pods that are ready at present.
    #[wire(pb = 4, required, needless)]
    pub current_healthy: i32,
    /// Smallest number of healthy pods that the budget demands.
    #[wire(pb = 5, required, needless)]
    pub desired_healthy: i32,
    /// Pods that the budget counts in total, taken from the scale of their controllers or the selected pods.
    #[wire(pb = 6, required, needless)]
    pub expected_pods: i32,
    /// Latest observations; `DisruptionAllowed` tells whether an eviction is possible now.
    #[wire(pb = 7, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<crate::meta::v1::Condition>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
