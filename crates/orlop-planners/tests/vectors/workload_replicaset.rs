//! Family `workload_replicaset`: one sync of a ReplicaSet, and the whole order of deletion.

use std::sync::Arc;

use jiff::Timestamp;
use orlop_model::apps::v1::ReplicaSet;
use orlop_model::core::v1::Pod;
use orlop_model::vectors::{Case, Check};
use orlop_planners::replicaset::{self, Children, Settings};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    replica_set: ReplicaSet,
    #[serde(default)]
    other_replica_sets: Option<Vec<Arc<ReplicaSet>>>,
    #[serde(default)]
    pods: Option<Vec<Arc<Pod>>>,
    burst_replicas: usize,
}

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let input: Input = case.get("in")?;
    let now: Timestamp = case.text("now").parse().map_err(|error: jiff::Error| error.to_string())?;
    let mut pods = input.pods.unwrap_or_default();
    let siblings = input.other_replica_sets.unwrap_or_default();
    let settings = Settings { burst: input.burst_replicas, settled: true };
    let mut check = Check::new();
    // No answer depends on the order of the input.
    for _ in 0..2 {
        let children = Children { pods: &pods, siblings: &siblings };
        let order: Vec<String> = replicaset::deletion_order(&input.replica_set, &children, now)
            .iter()
            .map(|pod| pod.metadata.name.to_string())
            .collect();
        let wanted: Option<Vec<String>> = case.get("deletionOrder")?;
        check.eq("deletionOrder", &wanted.unwrap_or_default(), &order);
        let plan = replicaset::plan(&input.replica_set, &children, &settings, now);
        let wanted: Option<Vec<Value>> = case.get("actions")?;
        let wanted = wanted.unwrap_or_default();
        super::actions::compare(&mut check, &wanted, &super::actions::actions(&plan)?, true);
        pods.reverse();
    }
    check.finish()
}
