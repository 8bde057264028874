//! [`ImageLocality`]: nodes that have the pod's images already.

use orlop_model::core::v1::Pod;
use orlop_model::{List, Str};

use crate::cluster::{ClusterView, NodeView};
use crate::framework::{DomainScore, Feasible, MAX_SCORE, Normalize, Plugin, PreScore};

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

impl DomainScore for ImageLocality {
    type Signature = PodImages;
    /// Sums by node index; empty where no node has any of the images.
    type State = Vec<i64>;
    const NORMALIZE: Normalize = Normalize::None;

    fn sign(&self, pod: &Pod) -> PodImages {
        let spec = &pod.spec;
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

    fn pre_score(&self, images: &PodImages, cluster: ClusterView<'_>, _: Feasible<'_>) -> PreScore<Vec<i64>> {
        let mut sums = Vec::new();
        for image in images.names.iter().filter_map(|name| cluster.images().get(name)) {
            if sums.is_empty() {
                sums = vec![0_i64; cluster.bound()];
            }
            for (node, size) in image.nodes() {
                let share = image.nodes().len() as f64 / cluster.node_count() as f64;
                sums[node] = sums[node].saturating_add((size as f64 * share) as i64);
            }
        }
        PreScore::Run(sums)
    }

    fn score(&self, images: &PodImages, sums: &Vec<i64>, node: NodeView<'_>) -> Option<i64> {
        let sum = sums.get(node.index()).copied().unwrap_or(0);
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
