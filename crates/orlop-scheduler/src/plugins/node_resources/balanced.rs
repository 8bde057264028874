//! [`NodeResourcesBalancedAllocation`]: a node's resources should be used evenly.

use orlop_model::Str;
use smallvec::SmallVec;

use super::Kind;
use super::fit::ScoreRequest;
use crate::cluster::NodeView;
use crate::cluster::requests::ForScore;
use crate::framework::{MAX_SCORE, Normalize, Plugin, PodTemplate, PreScore, Reads, Score};

/// Rates nodes by how much the pod would even out the shares of their resources in use: 50 where it
/// changes nothing, above where the shares come closer, below where they drift apart.
#[derive(Clone, Debug)]
pub struct NodeResourcesBalancedAllocation {
    resources: Vec<(Str, Kind)>,
}

impl Default for NodeResourcesBalancedAllocation {
    /// Over cpu and memory.
    fn default() -> Self {
        Self::new(["cpu".into(), "memory".into()])
    }
}

impl NodeResourcesBalancedAllocation {
    /// Over the resources of these names.
    #[must_use]
    pub fn new(resources: impl IntoIterator<Item = Str>) -> Self {
        Self {
            resources: resources
                .into_iter()
                .map(|name| {
                    let kind = Kind::of(&name);
                    (name, kind)
                })
                .collect(),
        }
    }
}

impl Plugin for NodeResourcesBalancedAllocation {
    fn name(&self) -> &str {
        "NodeResourcesBalancedAllocation"
    }
}

impl Score for NodeResourcesBalancedAllocation {
    type Signature = ScoreRequest;
    const READS: Reads = Reads::Local;
    const NORMALIZE: Normalize = Normalize::None;

    fn sign(&self, pod: PodTemplate<'_>) -> ScoreRequest {
        let requests = ForScore { non_zero: false, pod_level: true }.of(pod.pod());
        self.resources.iter().map(|(name, _)| requests.get(name)).collect()
    }

    fn pre_score(&self, request: &ScoreRequest) -> PreScore {
        if request.iter().all(|&amount| amount == 0) { PreScore::Skip } else { PreScore::Run(()) }
    }

    fn score(&self, request: &ScoreRequest, node: NodeView<'_>) -> i64 {
        if let ([(_, Kind::Cpu), (_, Kind::Memory)], &[milli_cpu, memory]) = (&*self.resources, &**request) {
            let (offered, used) = (node.allocatable(), node.requested());
            if offered.milli_cpu != 0 && offered.memory != 0 {
                let spread = |milli_cpu: i64, memory: i64| {
                    evenness(&[share(milli_cpu, offered.milli_cpu), share(memory, offered.memory)])
                };
                let with = spread(used.milli_cpu.wrapping_add(milli_cpu), used.memory.wrapping_add(memory));
                return change(with, spread(used.milli_cpu, used.memory));
            }
        }
        let mut with: SmallVec<[f64; 4]> = SmallVec::new();
        let mut without: SmallVec<[f64; 4]> = SmallVec::new();
        for ((_, kind), &pod) in self.resources.iter().zip(request) {
            if let Some((offered, used)) = kind.on(node, pod, false) {
                with.push(share(used.wrapping_add(pod), offered));
                without.push(share(used, offered));
            }
        }
        change(evenness(&with), evenness(&without))
    }
}

/// The score where the shares are that even with the pod, and without it.
fn change(with: i64, without: i64) -> i64 {
    MAX_SCORE / 2 + (MAX_SCORE / 2 + with - without) / 2
}

#[inline]
fn share(used: i64, offered: i64) -> f64 {
    (used as f64 / offered as f64).min(1.0)
}

/// 100 where all shares are equal, less by their standard deviation.
#[inline]
fn evenness(shares: &[f64]) -> i64 {
    let deviation = match shares {
        [] | [_] => 0.0,
        [a, b] => ((a - b) / 2.0).abs(),
        _ => {
            let count = shares.len() as f64;
            let mean = shares.iter().sum::<f64>() / count;
            (shares.iter().map(|share| (share - mean) * (share - mean)).sum::<f64>() / count).sqrt()
        }
    };
    ((1.0 - deviation) * MAX_SCORE as f64) as i64
}
