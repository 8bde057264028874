//! A filter and a scorer of one's own in a profile: pods go where their data is, there to the cheapest node.
//!
//! `cargo run --example scheduler-plugin`

use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{Node, Pod};
use orlop_scheduler::{
    Change, ClusterEvent, Decision, Engine, Filter, Hint, NodeView, Normalize, Plugin, PodTemplate,
    PreFilter, Profile, Reads, Score, Verdict,
};
use serde_json::json;

/// Turns down nodes that lack the data set which the pod's annotation `example.dev/dataset` names.
#[derive(Debug)]
struct DataLocality;

impl Plugin for DataLocality {
    fn name(&self) -> &str {
        "DataLocality"
    }
}

impl Filter for DataLocality {
    /// All it gets to see of a pod: the name of its data set.
    type Signature = Option<Str>;
    /// Answers depend on the node object alone, and may be kept until it changes.
    const READS: Reads = Reads::Static;

    fn sign(&self, pod: PodTemplate<'_>) -> Option<Str> {
        pod.annotations().get("example.dev/dataset").cloned()
    }

    fn pre_filter(&self, dataset: &Option<Str>) -> PreFilter {
        if dataset.is_some() { PreFilter::Run(()) } else { PreFilter::Skip }
    }

    fn filter(&self, dataset: &Option<Str>, node: NodeView<'_>) -> Verdict {
        let there = node.labels().get("example.dev/datasets").map_or("", Str::as_str);
        let found = dataset.as_ref().is_none_or(|wanted| there.split('_').any(|name| wanted == name));
        Verdict::pass_if(found, "node(s) didn't have the pod's data set")
    }

    /// Only nodes can change anything for a pod that was turned down.
    fn hint(&self, _: &Pod, event: &ClusterEvent) -> Hint {
        Hint::queue_if(matches!(event, ClusterEvent::NodeAdded(_) | ClusterEvent::NodeUpdated { .. }))
    }
}

/// Rates nodes by the price in their label `example.dev/price`: the cheapest gets 100.
#[derive(Debug)]
struct CheapestNode;

impl Plugin for CheapestNode {
    fn name(&self) -> &str {
        "CheapestNode"
    }
}

impl Score for CheapestNode {
    type Signature = ();
    const READS: Reads = Reads::Static;
    const NORMALIZE: Normalize = Normalize::ToMax { reverse: true };

    fn sign(&self, _: PodTemplate<'_>) {}

    fn score(&self, (): &(), node: NodeView<'_>) -> i64 {
        node.labels()
            .get("example.dev/price")
            .and_then(|price| price.parse().ok())
            .unwrap_or(i64::from(u16::MAX))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let profile = Profile::kubernetes_builder().filter(DataLocality).score(CheapestNode, 10).build()?;
    let mut engine = Engine::new([profile], 1)?;
    for (name, datasets, price) in
        [("big", "maps_faces", "30"), ("mid", "maps", "20"), ("spot", "faces", "5")]
    {
        let node: Node = serde_json::from_value(json!({
            "metadata": {"name": name, "labels": {"example.dev/datasets": datasets, "example.dev/price": price}},
            "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "10"}},
        }))?;
        engine.record(Change::NodeAdded(Arc::new(node)))?;
    }
    for (name, dataset) in [("train-maps", "maps"), ("train-faces", "faces"), ("train-birds", "birds")] {
        let pod: Arc<Pod> = serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "default", "annotations": {"example.dev/dataset": dataset}},
            "spec": {"containers": [{"name": "c", "image": "train", "resources": {"requests": {"cpu": "1"}}}]},
        }))?;
        print!("{name}: {}", engine.explain(&pod));
        if let Decision::Place(place) = engine.schedule(&pod) {
            engine.record(Change::PodAssumed { pod, node: place.node().clone() })?;
        }
    }
    Ok(())
}
