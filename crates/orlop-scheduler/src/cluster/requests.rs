//! What a pod requests, in the variants that kube-scheduler counts.

use orlop_model::core::v1::{Container, Pod, resource_name};
use orlop_model::{Map, Quantity, Str};

use super::Resources;

const DEFAULT_MILLI_CPU: i64 = 100;
const DEFAULT_MEMORY: i64 = 200 << 20;

/// What the pod takes from its node: resizes in progress count at their greater end.
pub(crate) fn on_node(pod: &Pod) -> Resources {
    Resources::from_list(&Rules { status: true, pod_level: true, default: Filled::default() }.total(pod))
}

/// The same, with 100 millicores of cpu and 200 MiB of memory for each container that is silent
/// about them. Where the pod as a whole says what it requests, only what it does not mention there
/// (or in any container) is filled up.
pub(crate) fn on_node_non_zero(pod: &Pod) -> Resources {
    let mut rules = Rules { status: true, pod_level: true, default: Filled { cpu: true, memory: true } };
    if has_pod_level_requests(pod) {
        let plain = Rules { default: Filled::default(), ..rules }.total(pod);
        let silent = |name: &str| plain.get(name).is_none_or(Quantity::is_zero);
        rules.default = Filled { cpu: silent(resource_name::CPU), memory: silent(resource_name::MEMORY) };
    }
    Resources::from_list(&rules.total(pod))
}

/// What a pod that is to be placed requests, by its spec alone.
pub(crate) fn incoming(pod: &Pod) -> Resources {
    Resources::from_list(&Rules { status: false, pod_level: true, default: Filled::default() }.total(pod))
}

/// How a scorer counts what the incoming pod requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForScore {
    /// Whether silent containers count as if they had asked for a little.
    pub(crate) non_zero: bool,
    /// Whether requests of the pod as a whole count.
    pub(crate) pod_level: bool,
}

impl ForScore {
    pub(crate) fn of(self, pod: &Pod) -> Amounts {
        let default = Filled { cpu: self.non_zero, memory: self.non_zero };
        Amounts(Rules { status: true, pod_level: self.pod_level, default }.total(pod))
    }
}

/// Amounts by any name.
pub(crate) struct Amounts(Map<Quantity>);

impl Amounts {
    /// Millicores of cpu, units of all others; 0 where the pod does not ask for it.
    pub(crate) fn get(&self, name: &str) -> i64 {
        let Some(quantity) = self.0.get(name) else { return 0 };
        if name == resource_name::CPU { quantity.milli_value() } else { quantity.value() }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Filled {
    cpu: bool,
    memory: bool,
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    /// Whether the status is looked at, for resizes in progress.
    status: bool,
    /// Whether `spec.resources` counts.
    pod_level: bool,
    /// What silent containers are filled up with.
    default: Filled,
}

impl Rules {
    fn total(self, pod: &Pod) -> Map<Quantity> {
        let mut total: Map<Quantity> = Map::new();
        for container in &pod.spec.containers {
            add(&mut total, &self.of_container(pod, container));
        }
        // Sidecars run beside everything that starts after them.
        let mut sidecars: Map<Quantity> = Map::new();
        let mut init: Map<Quantity> = Map::new();
        for container in &pod.spec.init_containers {
            let mut own = self.of_container(pod, container);
            if container.restart_policy.as_ref().is_some_and(|policy| policy.as_str() == "Always") {
                add(&mut total, &own);
                add(&mut sidecars, &own);
                own.clone_from(&sidecars);
            } else {
                add(&mut own, &sidecars);
            }
            raise(&mut init, &own);
        }
        raise(&mut total, &init);
        if self.pod_level && has_pod_level_requests(pod) {
            for (name, quantity) in pod.spec.resources.iter().flat_map(|resources| &resources.requests) {
                if is_pod_level(name) {
                    total.insert(name.clone(), quantity.clone());
                }
            }
        }
        add(&mut total, &pod.spec.overhead);
        total
    }

    fn of_container(self, pod: &Pod, container: &Container) -> Map<Quantity> {
        let mut requests = container.resources.requests.clone();
        if self.status
            && let Some(status) = pod
                .status
                .container_statuses
                .iter()
                .chain(&pod.status.init_container_statuses)
                .find(|status| status.name == container.name)
            && let Some(actual) = &status.resources
        {
            if is_resize_infeasible(pod) {
                requests = actual.requests.clone();
            } else {
                raise(&mut requests, &actual.requests);
            }
            raise(&mut requests, &status.allocated_resources);
        }
        if self.default.cpu {
            requests.get_or_insert_with(resource_name::CPU, || Quantity::from_millis(DEFAULT_MILLI_CPU));
        }
        if self.default.memory {
            requests.get_or_insert_with(resource_name::MEMORY, || Quantity::from_bytes(DEFAULT_MEMORY));
        }
        requests
    }
}

fn is_resize_infeasible(pod: &Pod) -> bool {
    pod.status
        .conditions
        .iter()
        .any(|condition| condition.type_ == "PodResizePending" && condition.reason == "Infeasible")
}

fn has_pod_level_requests(pod: &Pod) -> bool {
    pod.spec.resources.iter().flat_map(|resources| resources.requests.keys()).any(is_pod_level)
}

fn is_pod_level(name: &Str) -> bool {
    matches!(name.as_str(), resource_name::CPU | resource_name::MEMORY) || name.starts_with("hugepages-")
}

fn add(total: &mut Map<Quantity>, more: &Map<Quantity>) {
    for (name, quantity) in more {
        *total.get_or_insert_with(name, || Quantity::ZERO) += quantity;
    }
}

fn raise(total: &mut Map<Quantity>, to: &Map<Quantity>) {
    for (name, quantity) in to {
        match total.get_mut(name) {
            Some(known) if *known >= *quantity => {}
            Some(known) => *known = quantity.clone(),
            None => {
                total.insert(name.clone(), quantity.clone());
            }
        }
    }
}
