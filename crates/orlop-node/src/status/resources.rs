//! Resources in statuses.

use orlop_model::core::v1::{
    Container, ContainerStatus, Pod, PodPhase, PodStatus, ResourceRequirements, resource_name,
};
use orlop_model::pod_resources::{self, Counting};
use orlop_model::{Map, Quantity};

use crate::view::{ContainerState, ContainerView};

type ResourceList = Map<Quantity>;

/// CPU limits up to 10m and requests up to 2m all become the same in the kernel.
const LEAST_CPU_LIMIT: i64 = 10;
const LEAST_CPU_REQUEST: i64 = 2;

/// What the runtime applies, where it says so; what was said before, where it was; else what is asked for.
pub(super) fn of_container(
    container: &Container,
    current: &ContainerView,
    old: Option<&ContainerStatus>,
) -> ResourceRequirements {
    let mut resources = container.resources.clone();
    if current.state != ContainerState::Running {
        return resources;
    }
    let none = ResourceRequirements::default();
    let reported = current.resources.as_deref().unwrap_or(&none);
    let before = old.and_then(|old| old.resources.as_deref()).unwrap_or(&none);
    let keeps = old.is_some_and(|old| {
        super::containers::runtime_id(&old.container_id) == current.id.as_str() && old.state.running.is_some()
    });
    let overlay = |list: &mut ResourceList,
                   reported: &ResourceList,
                   before: &ResourceList,
                   least_cpu: i64| {
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

/// What the pod as a whole is given. A pod that runs keeps what was said of it before; of its cgroup only the memory
/// request cannot be read back, so that one is always the pod's own.
pub(super) fn set_pod_level(status: &mut PodStatus, pod: &Pod, old: &PodStatus) {
    let counting = Counting { without_overhead: true, ..Counting::default() };
    let (requests, limits) = (pod_resources::requests(pod, &counting), pod_resources::limits(pod, &counting));
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
