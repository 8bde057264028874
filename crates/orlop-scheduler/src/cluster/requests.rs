//! What a pod requests, in the variants that kube-scheduler counts.

use std::sync::LazyLock;

use orlop_model::core::v1::{Pod, resource_name};
use orlop_model::pod_resources::{Counting, has_pod_level_requests, requests};
use orlop_model::{Map, Quantity};

use super::Resources;

/// What a container that says nothing counts as: 100 millicores of cpu and 200 MiB of memory.
static MISSING: LazyLock<Map<Quantity>> = LazyLock::new(|| {
    Map::from([
        (resource_name::CPU, Quantity::from_millis(100)),
        (resource_name::MEMORY, Quantity::from_bytes(200 << 20)),
    ])
});

/// What the pod takes from its node (resizes in progress count at their greater end), and the same
/// with a little for each container that is silent about cpu or memory. Where the pod as a whole
/// says what it requests, only what is not mentioned anywhere is filled up.
pub(crate) fn on_node(pod: &Pod) -> (Resources, Resources) {
    let plain = requests(pod, &Counting::SCHEDULER);
    let filled = if has_pod_level_requests(pod) {
        let silent = |name: &str| plain.get(name).is_none_or(Quantity::is_zero);
        let missing: Map<Quantity> = MISSING
            .iter()
            .filter(|(name, _)| silent(name))
            .map(|(name, quantity)| (name.clone(), quantity.clone()))
            .collect();
        requests(pod, &Counting { missing_requests: Some(&missing), ..Counting::SCHEDULER })
    } else {
        requests(pod, &Counting { missing_requests: Some(&MISSING), ..Counting::SCHEDULER })
    };
    (Resources::from_list(&plain), Resources::from_list(&filled))
}

/// What a pod that is to be placed requests, by its spec alone.
pub(crate) fn incoming(pod: &Pod) -> Resources {
    Resources::from_list(&requests(pod, &Counting::default()))
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
        let counting = Counting {
            without_pod_level: !self.pod_level,
            missing_requests: self.non_zero.then_some(&*MISSING),
            ..Counting::SCHEDULER
        };
        Amounts(requests(pod, &counting))
    }
}

/// Amounts by any name.
pub(crate) struct Amounts(Map<Quantity>);

impl Amounts {
    /// Millicores of cpu, units of all others; 0 where the pod does not ask for it.
    pub(crate) fn get(&self, name: &str) -> i64 {
        let Some(quantity) = self.0.get(name) else {
            return 0;
        };
        if name == resource_name::CPU { quantity.milli_value() } else { quantity.value() }
    }
}
