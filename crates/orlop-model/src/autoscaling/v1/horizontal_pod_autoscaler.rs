//! The kind `HorizontalPodAutoscaler`.

use crate::{Extra, Message, Object, Str, Time};

/// Adjusts the replica count of a workload to its CPU load; newer features live in annotations.
///
/// The kind `HorizontalPodAutoscaler` of `autoscaling/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#horizontalpodautoscaler-v1-autoscaling).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "autoscaling", version = "v1", short = "hpa", categories = "all", status)]
#[wire(debug)]
pub struct HorizontalPodAutoscaler {
    /// Identity and labels, plus annotations that carry metrics, conditions and behaviour of
    /// `autoscaling/v2`.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Workload to scale, replica bounds and CPU target.
    #[wire(pb = 2, needed)]
    pub spec: HorizontalPodAutoscalerSpec,
    /// Current scale and load as last observed by the controller.
    #[wire(pb = 3)]
    pub status: HorizontalPodAutoscalerStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Reference to an object in the same namespace that can be resolved through any served version.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct CrossVersionObjectReference {
    /// Kind of the object, such as `Deployment`.
    #[wire(pb = 1, required)]
    pub kind: Str,
    /// Name of the object in the autoscaler's namespace.
    #[wire(pb = 2, required)]
    pub name: Str,
    /// Group and version of the object, such as `apps/v1`.
    #[wire(pb = 3)]
    pub api_version: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Desired behaviour of a CPU-based autoscaler.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HorizontalPodAutoscalerSpec {
    /// Workload with a `scale` subresource whose replica count is adjusted.
    #[wire(pb = 1, needed, map = "atomic")]
    pub scale_target_ref: CrossVersionObjectReference,
    /// Lower bound for the replica count; default 1, and 0 needs the `HPAScaleToZero` feature.
    #[wire(pb = 2)]
    pub min_replicas: Option<i32>,
    /// Upper bound for the replica count; not below `minReplicas`.
    #[wire(pb = 3, required)]
    pub max_replicas: i32,
    /// Wanted CPU usage in percent of the requests, averaged over all pods; 80 when no metric at all is
    /// given.
    #[wire(name = "targetCPUUtilizationPercentage", pb = 4)]
    pub target_cpu_utilization_percentage: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a CPU-based autoscaler.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HorizontalPodAutoscalerStatus {
    /// The `metadata.generation` the controller acted on most recently.
    #[wire(pb = 1)]
    pub observed_generation: Option<i64>,
    /// When the autoscaler last changed the replica count.
    #[wire(pb = 2)]
    pub last_scale_time: Option<Time>,
    /// Replicas of the target at the last check.
    #[wire(pb = 3, required)]
    pub current_replicas: i32,
    /// Replicas the autoscaler last calculated as needed.
    #[wire(pb = 4, required)]
    pub desired_replicas: i32,
    /// Measured CPU usage in percent of the requests, averaged over all pods.
    #[wire(name = "currentCPUUtilizationPercentage", pb = 5)]
    pub current_cpu_utilization_percentage: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
