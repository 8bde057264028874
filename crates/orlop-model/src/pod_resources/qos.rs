//! Quality of service.

use crate::core::v1::{Pod, PodQOSClass, ResourceRequirements, resource_name};
use crate::{Map, Quantity};

use super::add;

/// The class in the status, or the one that follows from the spec while there is none.
#[must_use]
pub fn qos_class(pod: &Pod) -> PodQOSClass {
    if pod.status.qos_class.is_empty() { compute_qos_class(pod) } else { pod.status.qos_class.clone() }
}

/// The class that follows from the spec. Resources of the pod as a whole decide alone where there
/// are some, else those of all containers and init containers; only cpu and memory count.
#[must_use]
pub fn compute_qos_class(pod: &Pod) -> PodQOSClass {
    let (mut requests, mut limits) = (Map::new(), Map::new());
    let mut fully_limited = true;
    if let Some(resources) = &pod.spec.resources {
        add(&mut requests, &counted(&resources.requests));
        if !resources.limits.is_empty() {
            add(&mut limits, &counted(&resources.limits));
            fully_limited = is_fully_limited(resources);
        }
    } else {
        for container in pod.spec.containers.iter().chain(&pod.spec.init_containers) {
            add(&mut requests, &counted(&container.resources.requests));
            add(&mut limits, &counted(&container.resources.limits));
            fully_limited &= is_fully_limited(&container.resources);
        }
    }
    if requests.is_empty() && limits.is_empty() {
        return PodQOSClass::BestEffort;
    }
    let guaranteed = fully_limited
        && requests.len() == limits.len()
        && requests.iter().all(|(name, request)| limits.get(name) == Some(request));
    if guaranteed { PodQOSClass::Guaranteed } else { PodQOSClass::Burstable }
}

fn counted(quantities: &Map<Quantity>) -> Map<Quantity> {
    quantities
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), resource_name::CPU | resource_name::MEMORY))
        .filter(|(_, quantity)| quantity.sign() > 0)
        .map(|(name, quantity)| (name, quantity.clone()))
        .collect()
}

fn is_fully_limited(resources: &ResourceRequirements) -> bool {
    counted(&resources.limits).len() == 2
}
