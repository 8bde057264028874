//! The control groups of pods and containers, in kubelet's tree.

use orlop_container::cgroup::{CgroupPath, Limit, Resources, WeightFormula};
use orlop_model::core::v1::{Container, Pod, PodQOSClass, ResourceRequirements};
use orlop_model::pod_resources::{ContainerCgroup, PodCgroup, qos_class};
use serde::{Deserialize, Serialize};

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

/// What the kernel was told of a pod or a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    pub(crate) shares: u64,
    /// Microseconds of CPU in each period; 0: no limit.
    pub(crate) quota: i64,
    /// Bytes; 0: no limit.
    pub(crate) memory: i64,
}

impl Limits {
    /// Those of a pod.
    pub(crate) fn new(pod: &Pod) -> Self {
        let values = PodCgroup::new(pod, PERIOD);
        Self {
            shares: values.cpu_shares,
            quota: values.cpu_quota.unwrap_or(0).max(0),
            memory: values.memory_limit.unwrap_or(0).max(0),
        }
    }

    fn of_container(values: &ContainerCgroup) -> Self {
        Self { shares: values.cpu_shares, quota: values.cpu_quota.max(0), memory: values.memory_limit.max(0) }
    }

    /// Those of the pod when those of one of its containers change. What has no limit gets none.
    pub(crate) fn changed(self, before: Self, after: Self) -> Self {
        let by = |whole: i64, before: i64, after: i64| match (whole, before, after) {
            (0, _, _) | (_, 0, _) | (_, _, 0) => whole,
            _ => whole.saturating_add(after.saturating_sub(before)).max(after),
        };
        Self {
            shares: self.shares.saturating_add(after.shares).saturating_sub(before.shares).max(after.shares),
            quota: by(self.quota, before.quota, after.quota),
            memory: by(self.memory, before.memory, after.memory),
        }
    }

    /// The larger of each.
    pub(crate) fn larger(self, other: Self) -> Self {
        Self {
            shares: self.shares.max(other.shares),
            quota: self.quota.max(other.quota),
            memory: self.memory.max(other.memory),
        }
    }

    /// What the kernel is told of a pod as a whole.
    pub(crate) fn of_pod(self) -> Resources {
        let mut resources = Resources::new();
        resources.cpu_shares = Some(self.shares);
        resources.cpu_weight_formula = WeightFormula::Linear;
        resources.cpu_quota = quota(self.quota);
        resources.cpu_period = resources.cpu_quota.and(u64::try_from(PERIOD).ok());
        resources.memory = limit(self.memory);
        resources
    }
}

/// What the kernel is told of a new pod as a whole. `pids`: so many processes it may have.
pub(crate) fn pod_resources(pod: &Pod, pids: Option<u64>) -> Resources {
    let mut resources = Limits::new(pod).of_pod();
    resources.pids = pids.map(Limit::Value);
    resources
}

/// What the kernel is told of a container; and how willingly it kills it.
pub(crate) fn container_resources(pod: &Pod, container: &Container, memory: i64) -> (Resources, Limits, i32) {
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
    (resources, Limits::of_container(&values), score)
}

/// The same for a container whose resources have changed. A limit that is not given stays.
pub(crate) fn resized(to: &ResourceRequirements, before: Limits, memory: i64) -> (Resources, Limits) {
    let container = Container { resources: to.clone(), ..Container::default() };
    let (resources, after, _) = container_resources(&Pod::default(), &container, memory);
    let or = |after: i64, before: i64| if after == 0 { before } else { after };
    let after =
        Limits { quota: or(after.quota, before.quota), memory: or(after.memory, before.memory), ..after };
    (resources, after)
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
        assert_eq!(pod_resources(&best, Some(9)).cpu_shares, Some(2));
        let some = pod(json!({"requests": {"cpu": "250m"}, "limits": {"memory": "64Mi"}}));
        assert_eq!(pod_path(&some, "u"), "kubepods/burstable/podu");
        let (own, _, score) = container_resources(&some, &some.spec.containers[0], 1 << 30);
        assert_eq!((own.cpu_shares, own.memory), (Some(256), Some(Limit::Value(64 << 20))));
        assert!((2..1000).contains(&score));
        let all = pod(
            json!({"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": "500m", "memory": "64Mi"}}),
        );
        assert_eq!(pod_path(&all, "u"), "kubepods/podu");
        let whole = pod_resources(&all, None);
        assert_eq!(
            (whole.cpu_quota, whole.memory),
            (Some(Limit::Value(50_000)), Some(Limit::Value(64 << 20)))
        );
    }

    #[test]
    fn a_pod_changes_with_its_containers() {
        let limits = |shares, quota, memory| Limits { shares, quota, memory };
        let pod = limits(300, 50_000, 0);
        let (before, after) = (limits(100, 20_000, 1 << 20), limits(50, 40_000, 2 << 20));
        let changed = pod.changed(before, after);
        assert_eq!(changed, limits(250, 70_000, 0));
        assert_eq!(pod.larger(changed), limits(300, 70_000, 0));
        assert_eq!(changed.changed(after, before), pod);
    }
}
