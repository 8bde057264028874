//! Resources in statuses, and the class of service that they make.

use orlop_model::core::v1::{Container, ContainerStatus, Pod, PodPhase, PodQOSClass, PodStatus, ResourceRequirements, resource_name};
use orlop_model::{Map, Quantity};

use crate::restart::is_sidecar;
use crate::view::{ContainerState, ContainerView};

type ResourceList = Map<Quantity>;

/// CPU limits up to 10m and requests up to 2m all become the same in the kernel.
const LEAST_CPU_LIMIT: i64 = 10;
const LEAST_CPU_REQUEST: i64 = 2;

/// What the runtime applies, where it says so; what was said before, where it was; else what is asked for.
pub(super) fn of_container(container: &Container, current: &ContainerView, old: Option<&ContainerStatus>) -> ResourceRequirements {
    let mut resources = container.resources.clone();
    if current.state != ContainerState::Running {
        return resources;
    }
    let none = ResourceRequirements::default();
    let reported = current.resources.as_deref().unwrap_or(&none);
    let before = old.and_then(|old| old.resources.as_deref()).unwrap_or(&none);
    let keeps = old.is_some_and(|old| super::containers::runtime_id(&old.container_id) == current.id.as_str() && old.state.running.is_some());
    let overlay = |list: &mut ResourceList, reported: &ResourceList, before: &ResourceList, least_cpu: i64| {
        if list.is_empty() {
            return;
        }
        for name in [resource_name::CPU, resource_name::MEMORY] {
            match reported.get(name) {
                Some(value) => {
                    let asked = list.get(name).map_or(0, Quantity::milli_value);
                    if name == resource_name::MEMORY || value.milli_value() > least_cpu || asked > least_cpu {
                        list.insert(name, value.clone());
                    }
                }
                None => {
                    if let Some(value) = before.get(name).filter(|_| keeps) {
                        list.insert(name, value.clone());
                    }
                }
            }
        }
    };
    overlay(&mut resources.limits, &reported.limits, &before.limits, LEAST_CPU_LIMIT);
    overlay(&mut resources.requests, &reported.requests, &before.requests, LEAST_CPU_REQUEST);
    resources
}

fn add(sum: &mut ResourceList, more: &ResourceList) {
    for (name, value) in more {
        let total = sum.get(name).map_or_else(|| value.clone(), |present| present.clone() + value.clone());
        sum.insert(name.clone(), total);
    }
}

fn raise(most: &mut ResourceList, other: &ResourceList) {
    for (name, value) in other {
        if most.get(name).is_none_or(|present| value > present) {
            most.insert(name.clone(), value.clone());
        }
    }
}

/// Regular containers and sidecars run together; each plain init container runs with the sidecars before it.
fn aggregate<'a>(pod: &'a Pod, of: impl Fn(&'a Container) -> &'a ResourceList) -> ResourceList {
    let (mut sum, mut sidecars, mut most) = (ResourceList::new(), ResourceList::new(), ResourceList::new());
    for container in &pod.spec.containers {
        add(&mut sum, of(container));
    }
    for container in &pod.spec.init_containers {
        if is_sidecar(container) {
            add(&mut sum, of(container));
            add(&mut sidecars, of(container));
            raise(&mut most, &sidecars);
        } else {
            let mut with = sidecars.clone();
            add(&mut with, of(container));
            raise(&mut most, &with);
        }
    }
    raise(&mut sum, &most);
    sum
}

/// The pod-level value of CPU and memory where there is one, else what the containers make together.
fn pod_level(pod: &Pod, of: impl Fn(&ResourceRequirements) -> &ResourceList) -> ResourceList {
    let mut list = aggregate(pod, |container| of(&container.resources));
    if let Some(resources) = pod.spec.resources.as_deref() {
        for (name, value) in of(resources) {
            list.insert(name.clone(), value.clone());
        }
    }
    list
}

/// What the pod as a whole is given. A pod that runs keeps what was said of it before; of its cgroup only the memory
/// request cannot be read back, so that one is always the pod's own.
pub(super) fn set_pod_level(status: &mut PodStatus, pod: &Pod, old: &PodStatus) {
    let requests = pod_level(pod, |resources| &resources.requests);
    let limits = pod_level(pod, |resources| &resources.limits);
    status.allocated_resources = requests.clone();
    let mut resources = ResourceRequirements { requests, limits, ..ResourceRequirements::default() };
    if old.phase == PodPhase::Running {
        let none = ResourceRequirements::default();
        let before = old.resources.as_deref().unwrap_or(&none);
        let keep = |list: &mut ResourceList, before: &ResourceList, names: &[&str]| {
            if list.is_empty() {
                return;
            }
            for name in names {
                match before.get(name) {
                    Some(value) => list.insert(*name, value.clone()),
                    None => list.remove(name),
                };
            }
        };
        keep(&mut resources.requests, &before.requests, &[resource_name::CPU]);
        keep(&mut resources.limits, &before.limits, &[resource_name::CPU, resource_name::MEMORY]);
    }
    status.resources = Some(Box::new(resources));
}

/// The class of service of a pod, by CPU and memory: `Guaranteed` if every container limits both to what it requests,
/// `BestEffort` if none asks for any.
pub(super) fn qos(pod: &Pod) -> PodQOSClass {
    if !pod.status.qos_class.is_empty() {
        return pod.status.qos_class.clone();
    }
    let supported = [resource_name::CPU, resource_name::MEMORY];
    let positive = |list: &ResourceList, name: &str| list.get(name).filter(|value| value.milli_value() > 0).cloned();
    let pod_resources = pod.spec.resources.as_deref().filter(|r| !r.requests.is_empty() || !r.limits.is_empty());
    let all: Vec<&ResourceRequirements> = match pod_resources {
        Some(resources) => vec![resources],
        None => pod.spec.init_containers.iter().chain(&pod.spec.containers).map(|container| &container.resources).collect(),
    };
    let any = all.iter().any(|r| supported.iter().any(|name| positive(&r.requests, name).is_some() || positive(&r.limits, name).is_some()));
    if !any {
        return PodQOSClass::BestEffort;
    }
    let mut requests = ResourceList::new();
    let mut limits = ResourceList::new();
    let mut limited = true;
    for resources in all {
        for name in supported {
            if let Some(value) = positive(&resources.requests, name) {
                add(&mut requests, &[(name, value)].into());
            }
            match positive(&resources.limits, name) {
                Some(value) => add(&mut limits, &[(name, value)].into()),
                None => limited = false,
            }
        }
    }
    let equal = requests.len() == limits.len()
        && requests.iter().all(|(name, value)| limits.get(name) == Some(value));
    if limited && equal { PodQOSClass::Guaranteed } else { PodQOSClass::Burstable }
}
