//! Whom the kernel kills first when memory runs out.

use crate::core::v1::{Container, Pod, PodQOSClass, resource_name};

use super::{Counting, container_requests, has_pod_level_requests, is_sidecar, nonzero, qos_class, value};

const GUARANTEED: i64 = -997;
const BEST_EFFORT: i64 = 1000;
const SYSTEM_CRITICAL_PRIORITY: i32 = 2_000_000_000;

/// `oom_score_adj` of a container on a node with `memory_capacity` bytes: -997 for guaranteed and
/// node-critical pods, 1000 for best-effort ones, between 3 and 999 for the rest, the less the more
/// memory the container requests.
///
/// As in Kubernetes it is more than 1000 where requests of a pod as a whole are less than those of
/// its containers, which validation refuses; whoever writes it to the kernel has to limit it.
#[must_use]
pub fn oom_score_adj(pod: &Pod, container: &Container, memory_capacity: i64) -> i64 {
    if is_node_critical(pod) {
        return GUARANTEED;
    }
    match qos_class(pod) {
        PodQOSClass::Guaranteed => return GUARANTEED,
        PodQOSClass::BestEffort => return BEST_EFFORT,
        _ => {}
    }
    let share = if has_pod_level_requests(pod) { unassigned_share(pod) } else { 0 };
    let score = |request: i64| {
        1000_i64
            - 1000_i64.wrapping_mul(request.wrapping_add(share)).checked_div(memory_capacity).unwrap_or(0)
    };
    let memory = |container: &Container| value(&container.resources.requests, resource_name::MEMORY);
    let mut adjustment = score(memory(container));
    let is_init = pod.spec.init_containers.iter().any(|init| init.name == container.name);
    if is_init && is_sidecar(container) {
        // A sidecar outlives the containers it serves.
        let least = pod.spec.containers.iter().map(memory).min().unwrap_or(0);
        adjustment = adjustment.min(score(least));
    }
    match adjustment {
        ..3 => 1000 + GUARANTEED,
        BEST_EFFORT => BEST_EFFORT - 1,
        _ => adjustment,
    }
}

/// Memory that the pod as a whole requests beyond its containers, per container.
fn unassigned_share(pod: &Pod) -> i64 {
    let Some(request) =
        pod.spec.resources.as_ref().and_then(|resources| nonzero(&resources.requests, resource_name::MEMORY))
    else {
        return 0;
    };
    let assigned = container_requests(pod, &Counting::default());
    let rest = request.value().wrapping_sub(value(&assigned, resource_name::MEMORY));
    let containers = pod.spec.containers.len() + pod.spec.init_containers.len();
    i64::try_from(containers).ok().and_then(|containers| rest.checked_div(containers)).unwrap_or(0)
}

/// Whether a node cannot do without the pod: of class `system-node-critical`, and critical by its
/// priority or because it does not come from the API.
fn is_node_critical(pod: &Pod) -> bool {
    let annotations = &pod.metadata.annotations;
    let is_static = annotations.get("kubernetes.io/config.source").is_some_and(|source| *source != "api");
    let is_mirror = annotations.contains_key("kubernetes.io/config.mirror");
    let has_priority = pod.spec.priority.is_some_and(|priority| priority >= SYSTEM_CRITICAL_PRIORITY);
    (is_static || is_mirror || has_priority) && pod.spec.priority_class_name == "system-node-critical"
}
