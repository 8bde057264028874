//! The kind `HorizontalPodAutoscaler`.

use super::{
    HPAScalingPolicyType, HorizontalPodAutoscalerConditionType, MetricSourceType, MetricTargetType,
    ScalingPolicySelect,
};
use crate::{Extra, List, Message, Object, Quantity, Str, Time};

/// Adjusts the replica count of a workload to one or more metrics.
///
/// The kind `HorizontalPodAutoscaler` of `autoscaling/v2`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#horizontalpodautoscaler-v2-autoscaling).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "autoscaling", version = "v2", short = "hpa", categories = "all", status)]
#[wire(debug)]
pub struct HorizontalPodAutoscaler {
    /// Identity, labels and ownership of the autoscaler.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Workload to scale, replica bounds, metrics and scaling behaviour.
    #[wire(pb = 2, needed)]
    pub spec: HorizontalPodAutoscalerSpec,
    /// Current scale, metric readings and conditions; written by the controller.
    #[wire(pb = 3)]
    pub status: HorizontalPodAutoscalerStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Target for the usage of a resource by one container in each scaled pod.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerResourceMetricSource {
    /// Resource measured, such as `cpu` or `memory`.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Wanted usage, as `Utilization` in percent of the request or as `AverageValue`.
    #[wire(pb = 2, needed)]
    pub target: MetricTarget,
    /// Name of the container whose usage is measured.
    #[wire(pb = 3, required)]
    pub container: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Last reading of a container resource metric.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerResourceMetricStatus {
    /// Resource that was measured, such as `cpu`.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Measured usage, averaged over the pods.
    #[wire(pb = 2, needed)]
    pub current: MetricValueStatus,
    /// Name of the container that was measured.
    #[wire(pb = 3, required)]
    pub container: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Reference to an object in the same namespace that can be resolved through any served version.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
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

/// Target for a metric from outside the cluster, such as the length of a cloud queue.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ExternalMetricSource {
    /// Name and label query that identify the metric in the external metrics API.
    #[wire(pb = 1, needed)]
    pub metric: MetricIdentifier,
    /// Wanted value, as `Value` in total or as `AverageValue` per pod.
    #[wire(pb = 2, needed)]
    pub target: MetricTarget,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Last reading of an external metric.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ExternalMetricStatus {
    /// Name and label query of the metric that was read.
    #[wire(pb = 1, needed)]
    pub metric: MetricIdentifier,
    /// Value found at the last reading, in total or per pod.
    #[wire(pb = 2, needed)]
    pub current: MetricValueStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Speed limit for scaling: how much change is allowed within a period.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HPAScalingPolicy {
    /// Unit of `value`: `Pods` for an absolute number, `Percent` of the current replicas.
    #[wire(pb = 1, required)]
    pub type_: HPAScalingPolicyType,
    /// Largest change permitted per period, in pods or percent; greater than 0.
    #[wire(pb = 2, required)]
    pub value: i32,
    /// Length in seconds of the window the limit applies to, from 1 to 1800.
    #[wire(pb = 3, required)]
    pub period_seconds: i32,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Damping of scaling in one direction: stabilization, speed limits and tolerance.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HPAScalingRules {
    /// Seconds of past recommendations considered against flapping, 0 to 3600; default 0 scaling up, 300
    /// scaling down.
    #[wire(pb = 3)]
    pub stabilization_window_seconds: Option<i32>,
    /// Which policy counts: `Max` (default) allows most change, `Min` least, `Disabled` forbids scaling in
    /// this direction.
    #[wire(pb = 1)]
    pub select_policy: Option<ScalingPolicySelect>,
    /// Speed limits; by default up 4 pods or 100 percent, down 100 percent, per 15 seconds each.
    #[wire(pb = 2)]
    pub policies: List<HPAScalingPolicy>,
    /// Relative deviation from the target that causes no scaling, such as `0.05`; defaults to the
    /// cluster-wide 10 percent.
    #[wire(pb = 4)]
    pub tolerance: Option<Quantity>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Scaling rules, separate for growing and shrinking.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HorizontalPodAutoscalerBehavior {
    /// Rules for growing; default is no stabilization and the greater of 4 pods or doubling per 15 seconds.
    #[wire(pb = 1)]
    pub scale_up: Option<Box<HPAScalingRules>>,
    /// Rules for shrinking; default allows going down to `minReplicas` after a 300-second stabilization
    /// window.
    #[wire(pb = 2)]
    pub scale_down: Option<Box<HPAScalingRules>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observation about an autoscaler at some point in time.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HorizontalPodAutoscalerCondition {
    /// Observed aspect, such as `AbleToScale`, `ScalingActive` or `ScalingLimited`.
    #[wire(pb = 1, required)]
    pub type_: HorizontalPodAutoscalerConditionType,
    /// Whether the aspect holds: `True`, `False` or `Unknown`.
    #[wire(pb = 2, required)]
    pub status: crate::core::v1::ConditionStatus,
    /// When `status` last switched to another value.
    #[wire(pb = 3, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// CamelCase word telling why the last transition took place, such as `ReadyForNewScale`.
    #[wire(pb = 4)]
    pub reason: Str,
    /// Details of the last transition for people.
    #[wire(pb = 5)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Desired behaviour of a metric-based autoscaler.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HorizontalPodAutoscalerSpec {
    /// Workload with a `scale` subresource whose replica count is adjusted.
    #[wire(pb = 1, needed)]
    pub scale_target_ref: CrossVersionObjectReference,
    /// Lower bound for the replica count; default 1, and 0 needs `HPAScaleToZero` plus an object or external
    /// metric.
    #[wire(pb = 2)]
    pub min_replicas: Option<i32>,
    /// Upper bound for the replica count; not below `minReplicas`.
    #[wire(pb = 3, required)]
    pub max_replicas: i32,
    /// Metrics to follow, the highest resulting replica count wins; default is 80 percent average CPU
    /// utilization.
    #[wire(pb = 4)]
    pub metrics: List<MetricSpec>,
    /// Limits on speed and flapping in each direction; unset uses the default rules.
    #[wire(pb = 5)]
    pub behavior: Option<Box<HorizontalPodAutoscalerBehavior>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a metric-based autoscaler.
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
    #[wire(pb = 3)]
    pub current_replicas: i32,
    /// Replicas the autoscaler last calculated as needed.
    #[wire(pb = 4, required)]
    pub desired_replicas: i32,
    /// Last readings of the metrics in use.
    #[wire(pb = 5, required, needless)]
    pub current_metrics: List<MetricStatus>,
    /// Reasons for and obstacles to scaling, at most one entry of each type.
    #[wire(pb = 6, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<HorizontalPodAutoscalerCondition>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Identifies a metric by name and, if needed, labels.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct MetricIdentifier {
    /// Name of the metric in the custom or external metrics API.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Label query passed to the metrics server to narrow the metric; unset uses the name alone.
    #[wire(pb = 2, map = "atomic")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One metric to scale on; exactly the field that `type` names is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct MetricSpec {
    /// Origin of the metric, which selects one of the fields below.
    #[wire(pb = 1, required)]
    pub type_: MetricSourceType,
    /// Target for a metric that describes a single object, such as requests at an `Ingress`.
    #[wire(pb = 2)]
    pub object: Option<Box<ObjectMetricSource>>,
    /// Target for a custom metric that each pod reports, averaged over the pods.
    #[wire(pb = 3)]
    pub pods: Option<Box<PodsMetricSource>>,
    /// Target for the CPU or memory usage of whole pods.
    #[wire(pb = 4)]
    pub resource: Option<Box<ResourceMetricSource>>,
    /// Target for the CPU or memory usage of one container in each pod.
    #[wire(pb = 7)]
    pub container_resource: Option<Box<ContainerResourceMetricSource>>,
    /// Target for a metric unrelated to any Kubernetes object.
    #[wire(pb = 5)]
    pub external: Option<Box<ExternalMetricSource>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Last reading of one metric; exactly the field that `type` names is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct MetricStatus {
    /// Origin of the metric, which selects one of the fields below.
    #[wire(pb = 1, required)]
    pub type_: MetricSourceType,
    /// Reading of a metric that describes a single object.
    #[wire(pb = 2)]
    pub object: Option<Box<ObjectMetricStatus>>,
    /// Reading of a custom pod metric, averaged over the pods.
    #[wire(pb = 3)]
    pub pods: Option<Box<PodsMetricStatus>>,
    /// Reading of the CPU or memory usage of whole pods.
    #[wire(pb = 4)]
    pub resource: Option<Box<ResourceMetricStatus>>,
    /// Reading of the CPU or memory usage of one container in each pod.
    #[wire(pb = 7)]
    pub container_resource: Option<Box<ContainerResourceMetricStatus>>,
    /// Reading of a metric unrelated to any Kubernetes object.
    #[wire(pb = 5)]
    pub external: Option<Box<ExternalMetricStatus>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Wanted level of a metric, expressed in one of three ways.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct MetricTarget {
    /// Which of the following fields holds the target: `Utilization`, `Value` or `AverageValue`.
    #[wire(pb = 1, required)]
    pub type_: MetricTargetType,
    /// Wanted value of the metric as a whole.
    #[wire(pb = 2)]
    pub value: Option<Quantity>,
    /// Wanted value per pod, averaged over all relevant pods.
    #[wire(pb = 3)]
    pub average_value: Option<Quantity>,
    /// Wanted usage in percent of the requests, averaged over the pods; only for resource metrics.
    #[wire(pb = 4)]
    pub average_utilization: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Measured level of a metric.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct MetricValueStatus {
    /// Measured value of the metric as a whole.
    #[wire(pb = 1)]
    pub value: Option<Quantity>,
    /// Measured value per pod, averaged over all relevant pods.
    #[wire(pb = 2)]
    pub average_value: Option<Quantity>,
    /// Measured usage in percent of the requests, averaged over the pods; only for resource metrics.
    #[wire(pb = 3)]
    pub average_utilization: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Target for a metric that describes one Kubernetes object.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ObjectMetricSource {
    /// Object that the metric belongs to, in the autoscaler's namespace.
    #[wire(pb = 1, needed)]
    pub described_object: CrossVersionObjectReference,
    /// Wanted level, as `Value` in total or as `AverageValue` per pod.
    #[wire(pb = 2, needed)]
    pub target: MetricTarget,
    /// Name and label query that identify the metric in the custom metrics API.
    #[wire(pb = 3, needed)]
    pub metric: MetricIdentifier,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Last reading of a metric that describes one object.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ObjectMetricStatus {
    /// Name and label query of the metric that was read.
    #[wire(pb = 1, needed)]
    pub metric: MetricIdentifier,
    /// Level found at the last reading.
    #[wire(pb = 2, needed)]
    pub current: MetricValueStatus,
    /// Object that the metric belongs to.
    #[wire(pb = 3, needed)]
    pub described_object: CrossVersionObjectReference,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Target for a custom metric that every scaled pod reports.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodsMetricSource {
    /// Name and label query that identify the metric in the custom metrics API.
    #[wire(pb = 1, needed)]
    pub metric: MetricIdentifier,
    /// Wanted level; only `AverageValue` makes sense here.
    #[wire(pb = 2, needed)]
    pub target: MetricTarget,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Last reading of a custom pod metric.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodsMetricStatus {
    /// Name and label query of the metric that was read.
    #[wire(pb = 1, needed)]
    pub metric: MetricIdentifier,
    /// Level found at the last reading, averaged over the pods.
    #[wire(pb = 2, needed)]
    pub current: MetricValueStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Target for the resource usage of whole pods, summed over their containers.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ResourceMetricSource {
    /// Resource measured, such as `cpu` or `memory`.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Wanted usage, as `Utilization` in percent of the requests or as `AverageValue`.
    #[wire(pb = 2, needed)]
    pub target: MetricTarget,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Last reading of a pod resource metric.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ResourceMetricStatus {
    /// Resource that was measured, such as `memory`.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Measured usage, averaged over the pods.
    #[wire(pb = 2, needed)]
    pub current: MetricValueStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
