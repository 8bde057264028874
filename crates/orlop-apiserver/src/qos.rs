//! The quality of service class of a pod.

use orlop_model::Quantity;
use orlop_model::core::v1::{Pod, PodQOSClass, resource_name};

/// Guaranteed: every container limits CPU and memory, and requests the same. Best effort: nothing requests or limits
/// either. Burstable: all else (Kubernetes' `ComputePodQOS`).
pub(crate) fn qos_class(pod: &Pod) -> PodQOSClass {
    let mut requests = [None, None];
    let mut limits = [None, None];
    let mut guaranteed = true;
    let whole = pod.spec.resources.as_deref();
    let containers = pod.spec.containers.iter().chain(&pod.spec.init_containers).map(|container| &container.resources);
    let all: Vec<_> = match whole {
        // Resources of the pod as a whole replace those of its containers.
        Some(whole) if !whole.requests.is_empty() || !whole.limits.is_empty() => vec![whole],
        _ => containers.collect(),
    };
    for resources in all {
        for (index, name) in [resource_name::CPU, resource_name::MEMORY].into_iter().enumerate() {
            let asked = resources.requests.get(name).filter(|quantity| quantity.sign() > 0);
            let limited = resources.limits.get(name).filter(|quantity| quantity.sign() > 0);
            add(&mut requests[index], asked);
            add(&mut limits[index], limited);
            guaranteed &= limited.is_some();
        }
    }
    if requests.iter().chain(&limits).all(Option::is_none) {
        PodQOSClass::BestEffort
    } else if guaranteed && requests == limits {
        PodQOSClass::Guaranteed
    } else {
        PodQOSClass::Burstable
    }
}

fn add(sum: &mut Option<Quantity>, quantity: Option<&Quantity>) {
    if let Some(quantity) = quantity {
        *sum.get_or_insert_with(|| Quantity::from(0)) += quantity;
    }
}
