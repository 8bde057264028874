//! How a pod ends: how long its containers are given, and which waits for which.

use std::time::Duration;

use orlop_model::core::v1::{Container, Pod};

use crate::actions::KillReason;
use crate::restart::is_sidecar;

/// The runtime is always given this long, whatever is left of the grace.
pub(crate) const LEAST_GRACE: Duration = Duration::from_secs(2);

fn seconds(value: i64) -> Duration {
    Duration::from_secs(u64::try_from(value).unwrap_or(0))
}

/// How long a pod that ends is given as a whole: what its deletion says, or what its own spec says; at least a second.
/// It can only become shorter: `before` is what it was given so far.
pub fn pod_grace(pod: &Pod, before: Option<Duration>) -> Duration {
    let own = match pod.metadata.deletion_grace_period_seconds {
        Some(grace) => seconds(grace),
        None => before.unwrap_or_else(|| seconds(pod.spec.termination_grace_period_seconds.unwrap_or(30))),
    };
    before.map_or(own, |before| own.min(before)).max(Duration::from_secs(1))
}

/// How long one container is given that is killed while its pod goes on.
pub fn container_grace(pod: &Pod, container: &Container, reason: KillReason) -> Duration {
    if let Some(grace) = pod.metadata.deletion_grace_period_seconds {
        return seconds(grace);
    }
    let probe = match reason {
        KillReason::LivenessProbe => container.liveness_probe.as_deref(),
        KillReason::StartupProbe => container.startup_probe.as_deref(),
        KillReason::None | KillReason::Unknown => None,
    };
    let of_probe = probe.and_then(|probe| probe.termination_grace_period_seconds);
    of_probe.or(pod.spec.termination_grace_period_seconds).map_or(LEAST_GRACE, seconds)
}

/// The containers that must have ended before this one is stopped: a sidecar waits for all regular containers and for
/// the sidecar after it; others wait for nobody.
pub fn ends_after<'a>(pod: &'a Pod, name: &str) -> Vec<&'a str> {
    let sidecars: Vec<&str> = pod
        .spec
        .init_containers
        .iter()
        .filter(|container| is_sidecar(container))
        .map(|container| container.name.as_str())
        .collect();
    let Some(position) = sidecars.iter().position(|sidecar| *sidecar == name) else {
        return Vec::new();
    };
    let regular = pod.spec.containers.iter().map(|container| container.name.as_str());
    regular.chain(sidecars.get(position + 1).copied()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sidecars_end_last_and_in_reverse() {
        let pod: Pod = serde_json::from_value(json!({"spec": {
            "initContainers": [
                {"name": "s1", "restartPolicy": "Always"}, {"name": "i"}, {"name": "s2", "restartPolicy": "Always"}],
            "containers": [{"name": "a"}, {"name": "b"}],
        }}))
        .unwrap();
        assert_eq!(ends_after(&pod, "a"), Vec::<&str>::new());
        assert_eq!(ends_after(&pod, "i"), Vec::<&str>::new());
        assert_eq!(ends_after(&pod, "s2"), ["a", "b"]);
        assert_eq!(ends_after(&pod, "s1"), ["a", "b", "s2"]);
    }

    #[test]
    fn grace_only_shrinks() {
        let mut pod: Pod =
            serde_json::from_value(json!({"spec": {"terminationGracePeriodSeconds": 45}})).unwrap();
        let first = pod_grace(&pod, None);
        assert_eq!(first, Duration::from_secs(45));
        pod.metadata.deletion_grace_period_seconds = Some(60);
        assert_eq!(pod_grace(&pod, Some(first)), first);
        pod.metadata.deletion_grace_period_seconds = Some(0);
        assert_eq!(pod_grace(&pod, Some(first)), Duration::from_secs(1));
    }
}
