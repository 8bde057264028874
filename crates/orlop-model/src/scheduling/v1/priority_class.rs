//! The kind `PriorityClass`.

use crate::{Extra, Object, Str};

/// Named scheduling priority that pods can refer to; cluster-scoped.
///
/// The kind `PriorityClass` of `scheduling.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#priorityclass-v1-scheduling).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "scheduling.k8s.io", version = "v1", plural = "priorityclasses", short = "pc", cluster)]
#[wire(debug)]
pub struct PriorityClass {
    /// Name that pods use in `priorityClassName`; the prefix `system-` is reserved.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Priority number, higher is more important; at most 1000000000 for user-defined classes, immutable.
    #[wire(pb = 2, required, needless)]
    pub value: i32,
    /// Makes this the priority of pods that name no class; only one class should set it, default false.
    #[wire(pb = 3)]
    pub global_default: bool,
    /// Advice for people on when to use the class.
    #[wire(pb = 4)]
    pub description: Str,
    /// Whether pods of the class may displace others: `PreemptLowerPriority` (default) or `Never`; immutable.
    #[wire(pb = 5)]
    pub preemption_policy: Option<crate::core::v1::PreemptionPolicy>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
