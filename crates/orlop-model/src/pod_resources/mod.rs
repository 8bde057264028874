//! What a pod asks for as a whole: requests and limits, quality of service, and the values that the
//! kernel is given for it and its containers.
//!
//! ```
//! use orlop_model::core::v1::Pod;
//! use orlop_model::pod_resources::{Counting, compute_qos_class, requests};
//!
//! let pod: Pod = serde_json::from_str(
//!     r#"{"spec": {"containers": [
//!         {"name": "a", "resources": {"requests": {"cpu": "250m"}}},
//!         {"name": "b", "resources": {"requests": {"cpu": "1"}}}]}}"#,
//! )?;
//! assert_eq!(requests(&pod, &Counting::default())["cpu"].to_string(), "1250m");
//! assert_eq!(compute_qos_class(&pod).as_str(), "Burstable");
//! # Ok::<(), serde_json::Error>(())
//! ```

mod cgroup;
mod oom;
mod qos;

pub use self::cgroup::{
    ContainerCgroup, HugepageLimits, PodCgroup, cpu_quota, cpu_shares, pod_cpu_weight, runtime_cpu_weight,
};
pub use self::oom::oom_score_adj;
pub use self::qos::{compute_qos_class, qos_class};

use crate::core::v1::{
    Container, ContainerRestartPolicy, ContainerStatus, Pod, PodConditionType, resource_name,
};
use crate::{Map, Quantity, Str};

/// What counts in [`requests`] and [`limits`]. The default is what the spec says, overhead and
/// pod-level resources included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting<'a> {
    /// Counts what the node has given to running containers too, while a resize is under way: the
    /// scheduler's view.
    pub use_status: bool,
    /// Leaves out the overhead.
    pub without_overhead: bool,
    /// Leaves out resources that are set for the pod as a whole.
    pub without_pod_level: bool,
    /// Requests of a container that has none of that resource.
    pub missing_requests: Option<&'a Map<Quantity>>,
}

impl Counting<'_> {
    /// What the scheduler counts.
    pub const SCHEDULER: Self =
        Self { use_status: true, without_overhead: false, without_pod_level: false, missing_requests: None };
}

/// Whether an init container goes on running beside the containers.
#[must_use]
pub fn is_sidecar(container: &Container) -> bool {
    container.restart_policy == Some(ContainerRestartPolicy::Always)
}

/// Whether a resource can be set for a pod as a whole: cpu, memory and huge pages.
#[must_use]
pub fn is_pod_level_resource(name: &str) -> bool {
    matches!(name, resource_name::CPU | resource_name::MEMORY) || name.starts_with(HUGEPAGES)
}

/// The prefix of resources that are huge pages; the size of a page follows.
const HUGEPAGES: &str = "hugepages-";

/// Whether a pod has requests as a whole.
#[must_use]
pub fn has_pod_level_requests(pod: &Pod) -> bool {
    pod.spec
        .resources
        .as_ref()
        .is_some_and(|resources| resources.requests.keys().any(|name| is_pod_level_resource(name)))
}

/// Whether a pod has requests or limits as a whole.
#[must_use]
pub fn has_pod_level_resources(pod: &Pod) -> bool {
    pod.spec.resources.as_ref().is_some_and(|resources| {
        resources.requests.keys().chain(resources.limits.keys()).any(|name| is_pod_level_resource(name))
    })
}

/// All that a pod requests: the sum of its containers and sidecars, or what one of its init
/// containers needs beside the sidecars started before it, whichever is more; requests of the pod as
/// a whole instead where it has them; and the overhead.
#[must_use]
pub fn requests(pod: &Pod, counting: &Counting<'_>) -> Map<Quantity> {
    let mut total = container_requests(pod, counting);
    if !counting.without_pod_level && has_pod_level_requests(pod) {
        let resources = pod.spec.resources.iter().flat_map(|resources| &resources.requests);
        for (name, quantity) in resources.filter(|(name, _)| is_pod_level_resource(name)) {
            total.insert(name, quantity.clone());
        }
        if counting.use_status {
            pod_level_in_force(pod, &mut total);
        }
    }
    if !counting.without_overhead {
        add(&mut total, &pod.spec.overhead);
    }
    total
}

/// Requests of the pod as a whole that the node has given it, which may still be more, or, where a
/// resize is refused, are the ones that count.
fn pod_level_in_force(pod: &Pod, total: &mut Map<Quantity>) {
    let Some(actual) = &pod.status.resources else {
        return;
    };
    let mut given = actual.requests.clone();
    maximum(&mut given, &pod.status.allocated_resources);
    let infeasible = is_resize_infeasible(pod);
    for (name, quantity) in given.into_iter().filter(|(name, _)| is_pod_level_resource(name)) {
        let larger = total.get(&name).is_none_or(|wanted| quantity > *wanted);
        if infeasible || larger {
            total.insert(name, quantity);
        }
    }
}

/// All limits of a pod: as in [`requests`], but overhead is only added to limits that are
/// there and not zero.
#[must_use]
pub fn limits(pod: &Pod, counting: &Counting<'_>) -> Map<Quantity> {
    limits_visiting(pod, counting, &mut |_| {})
}

/// Also shows the limits of each container; for an init container, together with the sidecars before
/// it.
fn limits_visiting(
    pod: &Pod,
    counting: &Counting<'_>,
    visit: &mut dyn FnMut(&Map<Quantity>),
) -> Map<Quantity> {
    let mut total = aggregate(
        pod,
        &mut |container| match in_force(pod, container, counting) {
            Some(status) => limits_in_force(pod, container, status),
            None => container.resources.limits.clone(),
        },
        visit,
    );
    if !counting.without_pod_level && has_pod_level_resources(pod) {
        let resources = pod.spec.resources.iter().flat_map(|resources| &resources.limits);
        for (name, quantity) in resources.filter(|(name, _)| is_pod_level_resource(name)) {
            total.insert(name, quantity.clone());
        }
    }
    if !counting.without_overhead {
        for (name, quantity) in &pod.spec.overhead {
            if let Some(limit) = total.get_mut(name).filter(|limit| !limit.is_zero()) {
                *limit += quantity;
            }
        }
    }
    total
}

/// The part of [`requests`] that containers ask for.
#[must_use]
pub fn container_requests(pod: &Pod, counting: &Counting<'_>) -> Map<Quantity> {
    aggregate(
        pod,
        &mut |container| {
            let mut requests = match in_force(pod, container, counting) {
                Some(status) => requests_in_force(pod, container, status),
                None => container.resources.requests.clone(),
            };
            for (name, quantity) in counting.missing_requests.into_iter().flatten() {
                requests.get_or_insert_with(name, || quantity.clone());
            }
            requests
        },
        &mut |_| {},
    )
}

/// The sum of containers and sidecars, or the most that is needed while an init container runs.
fn aggregate(
    pod: &Pod,
    of: &mut dyn FnMut(&Container) -> Map<Quantity>,
    visit: &mut dyn FnMut(&Map<Quantity>),
) -> Map<Quantity> {
    let mut total = Map::new();
    for container in &pod.spec.containers {
        let resources = of(container);
        visit(&resources);
        add(&mut total, &resources);
    }
    let mut sidecars = Map::new();
    let mut at_start = Map::new();
    for container in &pod.spec.init_containers {
        let mut resources = of(container);
        if is_sidecar(container) {
            add(&mut total, &resources);
            add(&mut sidecars, &resources);
            visit(&sidecars);
            maximum(&mut at_start, &sidecars);
        } else {
            add(&mut resources, &sidecars);
            visit(&resources);
            maximum(&mut at_start, &resources);
        }
    }
    maximum(&mut total, &at_start);
    total
}

/// The status of a container that may be resized while it runs, if it counts.
fn in_force<'a>(pod: &'a Pod, container: &Container, counting: &Counting<'_>) -> Option<&'a ContainerStatus> {
    if !counting.use_status {
        return None;
    }
    let is_init = pod.spec.init_containers.iter().any(|init| std::ptr::eq(init, container));
    if is_init && !is_sidecar(container) {
        return None;
    }
    // Where a name is in both lists, the last one counts.
    let statuses = pod.status.container_statuses.iter().chain(&pod.status.init_container_statuses);
    let status = statuses.rev().find(|status| status.name == container.name)?;
    status.resources.is_some().then_some(status)
}

fn requests_in_force(pod: &Pod, container: &Container, status: &ContainerStatus) -> Map<Quantity> {
    let mut requests = match is_resize_infeasible(pod) {
        true => Map::new(),
        false => container.resources.requests.clone(),
    };
    if let Some(actual) = &status.resources {
        maximum(&mut requests, &actual.requests);
    }
    maximum(&mut requests, &status.allocated_resources);
    requests
}

fn limits_in_force(pod: &Pod, container: &Container, status: &ContainerStatus) -> Map<Quantity> {
    let mut limits = match is_resize_infeasible(pod) {
        true => Map::new(),
        false => container.resources.limits.clone(),
    };
    if let Some(actual) = &status.resources {
        maximum(&mut limits, &actual.limits);
    }
    limits
}

/// Whether the node has refused to resize the pod for good.
#[must_use]
pub fn is_resize_infeasible(pod: &Pod) -> bool {
    pod.status
        .conditions
        .iter()
        .find(|condition| condition.type_ == PodConditionType::PodResizePending)
        .is_some_and(|condition| condition.reason == "Infeasible")
}

/// Adds quantities to those of `total`.
pub fn add(total: &mut Map<Quantity>, more: &Map<Quantity>) {
    for (name, quantity) in more {
        match total.get_mut(name) {
            Some(sum) => *sum += quantity,
            None => {
                total.insert(name, quantity.clone());
            }
        }
    }
}

/// Raises quantities of `total` to those of `other`.
pub fn maximum(total: &mut Map<Quantity>, other: &Map<Quantity>) {
    for (name, quantity) in other {
        match total.get_mut(name) {
            Some(most) if *most >= *quantity => {}
            Some(most) => *most = quantity.clone(),
            None => {
                total.insert(name, quantity.clone());
            }
        }
    }
}

/// A quantity that is there and not zero.
fn nonzero<'a>(quantities: &'a Map<Quantity>, name: &str) -> Option<&'a Quantity> {
    quantities.get(name).filter(|quantity| !quantity.is_zero())
}

/// Whole units of a resource, 0 where it is not there.
fn value(quantities: &Map<Quantity>, name: &str) -> i64 {
    quantities.get(name).map_or(0, Quantity::value)
}

/// Thousandths of a resource, 0 where it is not there.
fn milli_value(quantities: &Map<Quantity>, name: &str) -> i64 {
    quantities.get(name).map_or(0, Quantity::milli_value)
}

/// Resources that are huge pages, with the size of a page in bytes.
fn hugepages(quantities: &Map<Quantity>) -> impl Iterator<Item = (i64, &Quantity)> {
    quantities.iter().filter_map(|(name, quantity): (&Str, _)| {
        let size = Quantity::parse(name.strip_prefix(HUGEPAGES)?).ok()?;
        Some((size.value(), quantity))
    })
}
