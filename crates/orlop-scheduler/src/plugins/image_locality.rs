//! [`ImageLocality`]: nodes that have the pod's images already.

use orlop_model::{List, Str};
use smallvec::SmallVec;

use crate::cluster::{ClusterView, NodeView, PodGroup};
use crate::framework::{
    Counts, DomainScore, Feasibility, MAX_SCORE, Normalize, Plan, Plugin, PodTemplate, PreScore, Status,
    Tally, Totals,
};

const MIB: i64 = 1 << 20;
/// Below this sum of sizes a node scores 0.
const LEAST: i64 = 23 * MIB;
/// At this sum per container a node scores 100.
const MOST_PER_CONTAINER: i64 = 1_000 * MIB;

/// Rates nodes by the sizes of the pod's images that they have, each weighed with the share of nodes
/// that have it, so that a single node with a rare big image does not attract all pods.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImageLocality;

/// The images of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodImages {
    /// Of init containers, containers and image volumes, named with a tag, none left out.
    names: List<Str>,
    /// Init containers and containers.
    containers: usize,
}

impl Plugin for ImageLocality {
    fn name(&self) -> &str {
        "ImageLocality"
    }
}

/// Nothing is counted: what matters are the sizes of the images on the node.
impl Plan for PodImages {
    fn tallies(&self) -> &[Tally] {
        &[]
    }

    fn weigh(&self, _: usize, _: &PodGroup) -> Option<i32> {
        None
    }

    fn keys(&self) -> usize {
        self.names.len()
    }

    fn key(&self, key: usize, node: NodeView<'_>) -> i64 {
        node.image_size(&self.names[key]).unwrap_or(0)
    }
}

impl DomainScore for ImageLocality {
    type Signature = PodImages;
    type Plan = PodImages;
    /// The share of nodes that have each image.
    type State = SmallVec<[f64; 4]>;
    const NORMALIZE: Normalize = Normalize::None;

    fn sign(&self, pod: PodTemplate<'_>) -> PodImages {
        let spec = pod.spec();
        let containers = spec.init_containers.iter().chain(&spec.containers);
        let volumes = spec.volumes.iter().filter_map(|volume| volume.source.image.as_ref());
        PodImages {
            names: containers
                .map(|container| tagged(&container.image))
                .chain(volumes.map(|image| tagged(&image.reference)))
                .collect(),
            containers: spec.init_containers.len() + spec.containers.len(),
        }
    }

    fn plan(&self, images: &PodImages, _: ClusterView<'_>) -> Result<PodImages, Status> {
        Ok(images.clone())
    }

    fn pre_score(
        &self,
        images: &PodImages,
        _: Totals<'_>,
        _: &Feasibility,
        cluster: ClusterView<'_>,
    ) -> PreScore<Self::State> {
        let share = |name: &Str| {
            let nodes = cluster.images().get(name).map_or(0, |image| image.nodes().len());
            nodes as f64 / cluster.node_count() as f64
        };
        let shares: Self::State = images.names.iter().map(share).collect();
        if shares.iter().all(|share| *share == 0.0) { PreScore::Even(0) } else { PreScore::Run(shares) }
    }

    fn score(&self, images: &PodImages, shares: &Self::State, counts: Counts<'_>) -> Option<i64> {
        let sum = shares
            .iter()
            .enumerate()
            .fold(0_i64, |sum, (index, share)| sum.saturating_add((counts.key(index) as f64 * share) as i64));
        let containers = i64::try_from(images.containers.max(1)).unwrap_or(i64::MAX);
        let most = MOST_PER_CONTAINER.saturating_mul(containers);
        Some(MAX_SCORE * (sum.clamp(LEAST, most) - LEAST) / (most - LEAST))
    }
}

/// The name with `:latest` where it has neither tag nor digest.
fn tagged(name: &Str) -> Str {
    let has_tag = match (name.rfind(':'), name.rfind('/')) {
        (Some(colon), Some(slash)) => colon > slash,
        (colon, _) => colon.is_some(),
    };
    if has_tag { name.clone() } else { format!("{name}:latest").into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_a_tag() {
        for (name, wanted) in [
            ("nginx", "nginx:latest"),
            ("nginx:1", "nginx:1"),
            ("registry.local:5000/app", "registry.local:5000/app:latest"),
            ("registry.local:5000/app@sha256:aa", "registry.local:5000/app@sha256:aa"),
        ] {
            assert_eq!(tagged(&name.into()), wanted);
        }
    }
}
