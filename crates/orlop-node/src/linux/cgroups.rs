//! The control groups of pods and containers, in kubelet's tree.

use orlop_container::cgroup::{CgroupPath, Limit, Resources, WeightFormula};
use orlop_model::core::v1::{Container, Pod, PodQOSClass, ResourceRequirements};
use orlop_model::pod_resources::{ContainerCgroup, PodCgroup, qos_class};

/// Length of the periods that CPU quotas are for, in microseconds.
const PERIOD: i64 = 100_000;

/// The names below the runtime's own control group that lead to a pod's: Guaranteed pods directly, others by tier.
pub(crate) fn pod_path(pod: &Pod, uid: &str) -> String {
    match qos_class(pod) {
        PodQOSClass::Guaranteed => format!("kubepods/pod{uid}"),
        PodQOSClass::Burstable => format!("kubepods/burstable/pod{uid}"),
        _ => format!("kubepods/besteffort/pod{uid}"),
    }
}

/// What the kernel is told of a pod as a whole.
pub(crate) fn pod_resources(pod: &Pod) -> Resources {
    let values = PodCgroup::new(pod, PERIOD);
    let mut resources = Resources::new();
    resources.cpu_shares = Some(values.cpu_shares);
    resources.cpu_weight_formula = WeightFormula::Linear;
    resources.cpu_quota = values.cpu_quota.and_then(quota);
    resources.cpu_period = values.cpu_period.and_then(|period| u64::try_from(period).ok());
    resources.memory = values.memory_limit.and_then(limit);
    resources
}

/// What the kernel is told of a container; and how willingly it kills it.
pub(crate) fn container_resources(pod: &Pod, container: &Container, memory: i64) -> (Resources, i32) {
    let values = ContainerCgroup::new(pod, container, memory, PERIOD);
    let mut resources = Resources::new();
    resources.cpu_shares = Some(values.cpu_shares);
    resources.cpu_weight_formula = WeightFormula::Quadratic;
    if let Some(quota) = quota(values.cpu_quota) {
        resources.cpu_quota = Some(quota);
        resources.cpu_period = u64::try_from(values.cpu_period).ok();
    }
    if let Some(memory) = limit(values.memory_limit) {
        resources.memory = Some(memory);
        // Memory and swap together: no swap beyond.
        resources.memory_swap = Some(memory);
    }
    resources.oom_group = Some(true);
    let score = i32::try_from(values.oom_score_adj).unwrap_or(0).clamp(-1000, 1000);
    (resources, score)
}

/// The same for a container whose resources have changed.
pub(crate) fn resized(to: &ResourceRequirements, memory: i64) -> Resources {
    let container = Container { resources: to.clone(), ..Container::default() };
    container_resources(&Pod::default(), &container, memory).0
}

fn limit(value: i64) -> Option<Limit> {
    u64::try_from(value).ok().filter(|value| *value > 0).map(Limit::Value)
}

fn quota(value: i64) -> Option<Limit> {
    match value {
        0 => None,
        value => u64::try_from(value).ok().map(Limit::Value),
    }
}

/// The runtime's own control group.
///
/// # Errors
/// Its path is none.
pub(crate) fn top(parent: &str) -> Result<CgroupPath, orlop_container::Error> {
    CgroupPath::new(parent)
}

/// A path below the runtime's own control group.
///
/// # Errors
/// It is none.
pub(crate) fn below(parent: &str, path: &str) -> Result<CgroupPath, orlop_container::Error> {
    CgroupPath::new(format!("{parent}/{path}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(resources: serde_json::Value) -> Pod {
        serde_json::from_value(json!({"spec": {"containers": [{"name": "c", "resources": resources}]}}))
            .unwrap()
    }

    #[test]
    fn tiers_and_limits() {
        let best = pod(json!({}));
        assert_eq!(pod_path(&best, "u"), "kubepods/besteffort/podu");
        assert_eq!(pod_resources(&best).cpu_shares, Some(2));
        let some = pod(json!({"requests": {"cpu": "250m"}, "limits": {"memory": "64Mi"}}));
        assert_eq!(pod_path(&some, "u"), "kubepods/burstable/podu");
        let (own, score) = container_resources(&some, &some.spec.containers[0], 1 << 30);
        assert_eq!((own.cpu_shares, own.memory), (Some(256), Some(Limit::Value(64 << 20))));
        assert!((2..1000).contains(&score));
        let all = pod(
            json!({"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": "500m", "memory": "64Mi"}}),
        );
        assert_eq!(pod_path(&all, "u"), "kubepods/podu");
        let whole = pod_resources(&all);
        assert_eq!(
            (whole.cpu_quota, whole.memory),
            (Some(Limit::Value(50_000)), Some(Limit::Value(64 << 20)))
        );
    }
}
