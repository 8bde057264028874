//! [`NodeResourcesFit`]: a node's pods must not request more than the node has.

use std::collections::BTreeSet;

use orlop_model::Str;
use orlop_model::core::v1::{Node, Pod, resource_name};
use smallvec::SmallVec;

use super::{Kind, ScoringStrategy, StrategyKind};
use crate::cluster::requests::{self, ForScore};
use crate::cluster::{NodeView, Resources, is_extended};
use crate::framework::{
    ClusterEvent, Code, Filter, Hint, Normalize, Plugin, PodTemplate, Reads, Reason, Score, Status, Verdict,
};

/// Configuration of [`NodeResourcesFit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FitOptions {
    /// How nodes are rated.
    pub strategy: ScoringStrategy,
    /// Extended resources that are not checked.
    pub ignored_resources: BTreeSet<Str>,
    /// Domains (`example.com`) whose extended resources are not checked.
    pub ignored_resource_groups: BTreeSet<Str>,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            strategy: ScoringStrategy::of_cpu_and_memory(StrategyKind::LeastAllocated),
            ignored_resources: BTreeSet::new(),
            ignored_resource_groups: BTreeSet::new(),
        }
    }
}

/// Turns down nodes that lack a resource the pod requests; rates nodes by how full they would be.
#[derive(Clone, Debug)]
pub struct NodeResourcesFit {
    options: FitOptions,
    kinds: Vec<(Kind, i64)>,
}

impl Default for NodeResourcesFit {
    fn default() -> Self {
        Self::new(FitOptions::default())
    }
}

impl NodeResourcesFit {
    /// With options.
    #[must_use]
    pub fn new(options: FitOptions) -> Self {
        let kinds = options
            .strategy
            .resources()
            .iter()
            .map(|resource| (Kind::of(&resource.name), resource.weight))
            .collect();
        Self { options, kinds }
    }

    /// The fuller node is better (cpu and memory).
    #[must_use]
    pub fn most_allocated() -> Self {
        Self::new(FitOptions {
            strategy: ScoringStrategy::of_cpu_and_memory(StrategyKind::MostAllocated),
            ..FitOptions::default()
        })
    }

    fn is_ignored(&self, name: &str) -> bool {
        is_extended(name)
            && (self.options.ignored_resources.contains(name)
                || name
                    .split_once('/')
                    .is_some_and(|(group, _)| self.options.ignored_resource_groups.contains(group)))
    }

    fn request(&self, pod: &Pod) -> FitRequest {
        let resources = requests::incoming(pod);
        let scalars = resources
            .scalars()
            .iter()
            .filter(|(name, amount)| *amount > 0 && !self.is_ignored(name))
            .cloned()
            .collect();
        FitRequest {
            milli_cpu: resources.milli_cpu,
            memory: resources.memory,
            ephemeral_storage: resources.ephemeral_storage,
            scalars,
        }
    }
}

/// What a pod requests, as far as the filter checks it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FitRequest {
    milli_cpu: i64,
    memory: i64,
    ephemeral_storage: i64,
    scalars: SmallVec<[(Str, i64); 1]>,
}

impl FitRequest {
    /// Whether it fits beside `used`; names of resources are compared, so ignored ones play no part.
    #[inline]
    fn fits(&self, offered: &Resources, used: &Resources) -> bool {
        fits(self.milli_cpu, used.milli_cpu, offered.milli_cpu)
            && fits(self.memory, used.memory, offered.memory)
            && fits(self.ephemeral_storage, used.ephemeral_storage, offered.ephemeral_storage)
            && self.scalars.iter().all(|(name, amount)| {
                fits(*amount, used.scalar(name).unwrap_or(0), offered.scalar(name).unwrap_or(0))
            })
    }

    #[cold]
    fn reject(&self, node: NodeView<'_>, full: bool) -> Verdict {
        let (offered, used) = (node.allocatable(), node.requested());
        let mut reasons: SmallVec<[Reason; 4]> = SmallVec::new();
        let mut hopeless = false;
        if full {
            reasons.push(Reason::TooManyPods {
                placed: i64::try_from(node.pod_count()).unwrap_or(i64::MAX),
                allocatable: node.allocatable_pods(),
            });
        }
        let mut check = |name: &str, requested: i64, used: i64, allocatable: i64| {
            if !fits(requested, used, allocatable) {
                hopeless |= requested > allocatable;
                reasons.push(Reason::Insufficient { resource: name.into(), requested, used, allocatable });
            }
        };
        check(resource_name::CPU, self.milli_cpu, used.milli_cpu, offered.milli_cpu);
        check(resource_name::MEMORY, self.memory, used.memory, offered.memory);
        check(
            resource_name::EPHEMERAL_STORAGE,
            self.ephemeral_storage,
            used.ephemeral_storage,
            offered.ephemeral_storage,
        );
        for (name, amount) in &self.scalars {
            check(name, *amount, used.scalar(name).unwrap_or(0), offered.scalar(name).unwrap_or(0));
        }
        // What exceeds the node by itself no eviction can make room for.
        let code = if hopeless { Code::UnschedulableAndUnresolvable } else { Code::Unschedulable };
        Verdict::Reject(Status::new(code, reasons))
    }
}

#[inline]
fn fits(requested: i64, used: i64, offered: i64) -> bool {
    requested <= 0 || requested <= offered.wrapping_sub(used)
}

impl Plugin for NodeResourcesFit {
    fn name(&self) -> &str {
        "NodeResourcesFit"
    }
}

impl Filter for NodeResourcesFit {
    type Signature = FitRequest;
    const READS: Reads = Reads::Local;

    fn sign(&self, pod: PodTemplate<'_>) -> FitRequest {
        self.request(pod.pod())
    }

    #[inline]
    fn filter(&self, request: &FitRequest, node: NodeView<'_>) -> Verdict {
        let full = i64::try_from(node.pod_count()).unwrap_or(i64::MAX) >= node.allocatable_pods();
        if !full && request.fits(node.allocatable(), node.requested()) {
            Verdict::Pass
        } else {
            request.reject(node, full)
        }
    }

    fn concerns(&self, event: &ClusterEvent) -> bool {
        // One more pod makes no room.
        !matches!(
            event,
            ClusterEvent::PodPlaced(_)
                | ClusterEvent::NodeRemoved(_)
                | ClusterEvent::Storage(_)
                | ClusterEvent::Other { .. }
        )
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        // What matters is whether the pod could fit the node empty; whether it fits now, the next
        // try finds out.
        let fits_empty = |node: &Node| {
            self.request(pod).fits(&Resources::from_list(&node.status.allocatable), &Resources::default())
        };
        Hint::queue_if(match event {
            ClusterEvent::NodeAdded(node) => fits_empty(node),
            ClusterEvent::NodeUpdated { old, new } => {
                fits_empty(new) && {
                    let (before, after) = (
                        Resources::from_list(&old.status.allocatable),
                        Resources::from_list(&new.status.allocatable),
                    );
                    let request = self.request(pod);
                    let pods = |node: &Node| {
                        node.status.allocatable.get(resource_name::PODS).map_or(0, |n| n.value())
                    };
                    pods(old) < pods(new)
                        || (request.milli_cpu > 0 && before.milli_cpu < after.milli_cpu)
                        || (request.memory > 0 && before.memory < after.memory)
                        || (request.ephemeral_storage > 0
                            && before.ephemeral_storage < after.ephemeral_storage)
                        || request.scalars.iter().any(|(name, _)| before.get(name) < after.get(name))
                }
            }
            ClusterEvent::PodGone(_) => true,
            ClusterEvent::PodUpdated { old, new } => {
                let ((before, _), (after, _)) = (requests::on_node(old), requests::on_node(new));
                let request = self.request(pod);
                (request.milli_cpu > 0 && after.milli_cpu < before.milli_cpu)
                    || (request.memory > 0 && after.memory < before.memory)
                    || (request.ephemeral_storage > 0 && after.ephemeral_storage < before.ephemeral_storage)
                    || request.scalars.iter().any(|(name, _)| after.get(name) < before.get(name))
            }
            ClusterEvent::PendingUpdated { old, new } => {
                new.metadata.uid == pod.metadata.uid && requests::incoming(old) != requests::incoming(new)
            }
            _ => false,
        })
    }
}

/// What a pod requests of each resource that a strategy looks at, in its order.
pub(super) type ScoreRequest = SmallVec<[i64; 4]>;

impl Score for NodeResourcesFit {
    type Signature = ScoreRequest;
    const READS: Reads = Reads::Local;
    const NORMALIZE: Normalize = Normalize::None;

    fn sign(&self, pod: PodTemplate<'_>) -> ScoreRequest {
        // Pod-level resources of the incoming pod play no part here, unlike in the filter: a flag
        // that the original never sets.
        let requests = ForScore { non_zero: true, pod_level: false }.of(pod.pod());
        self.options.strategy.resources().iter().map(|resource| requests.get(&resource.name)).collect()
    }

    #[inline]
    fn score(&self, request: &ScoreRequest, node: NodeView<'_>) -> i64 {
        self.options.strategy.score(self.kinds.iter().zip(request).filter_map(|((kind, weight), &pod)| {
            let (offered, used) = kind.on(node, pod, true)?;
            Some((offered, used.wrapping_add(pod), *weight))
        }))
    }
}
