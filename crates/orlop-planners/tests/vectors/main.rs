//! Cases with the answers of Kubernetes' own controllers; see `orlop_model::vectors`.

mod actions;
mod deployment_rollout;
mod node_taints;
mod ownerref_gc;
mod podgc;
mod taint_eviction;
mod workload_job;
mod workload_replicaset;

use std::process::ExitCode;

use orlop_model::vectors::{self, Family};

fn main() -> ExitCode {
    vectors::run(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"),
        &[
            Family::new("node_taints", node_taints::run),
            Family::new("podgc", podgc::run),
            Family::new("taint_eviction", taint_eviction::run),
            Family::new("ownerref_gc", ownerref_gc::run),
            Family::new("workload_job", workload_job::run),
            Family::new("deployment_rollout", deployment_rollout::run),
            Family::new("workload_replicaset", workload_replicaset::run),
        ],
    )
}
