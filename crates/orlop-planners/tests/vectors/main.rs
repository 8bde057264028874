//! Cases with the answers of Kubernetes' own controllers; see `orlop_model::vectors`.

mod actions;
mod workload_replicaset;

use std::process::ExitCode;

use orlop_model::vectors::{self, Family};

fn main() -> ExitCode {
    vectors::run(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"),
        &[
            Family::new("workload_replicaset", workload_replicaset::run),
        ],
    )
}
