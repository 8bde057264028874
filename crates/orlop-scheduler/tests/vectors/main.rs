//! Decisions against those of kube-scheduler 1.36.

mod filter_score;
mod fit_strategies;
mod preemption;

use std::process::ExitCode;
use std::sync::Arc;

use orlop_model::core::v1::{Node, Pod};
use orlop_model::vectors::{self, Family};
use orlop_scheduler::{Change, Engine, Profile, Status};
use serde_json::{Value, json};

fn main() -> ExitCode {
    vectors::run(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"),
        &[
            Family::new("sched_filter_score", filter_score::run),
            Family::new("sched_fit_strategies", fit_strategies::run),
            Family::new("sched_preemption", preemption::run),
        ],
    )
}

/// A value of the case as a kind; an absent one is its default.
fn decode<T: serde::de::DeserializeOwned + Default>(value: &Value) -> Result<T, String> {
    match value {
        Value::Null => Ok(T::default()),
        value => serde_json::from_value(value.clone()).map_err(|error| format!("{error} in {value}")),
    }
}

/// An engine over the nodes and pods of a case.
fn engine(profile: Profile, nodes: &Value, pods: &Value) -> Result<Engine, String> {
    let mut engine = Engine::new([profile], 1).map_err(|error| error.to_string())?;
    for node in decode::<Vec<Node>>(nodes)? {
        engine.record(Change::NodeAdded(Arc::new(node))).map_err(|error| error.to_string())?;
    }
    for pod in decode::<Vec<Pod>>(pods)? {
        engine.record(Change::PodAdded(Arc::new(pod))).map_err(|error| error.to_string())?;
    }
    Ok(engine)
}

/// A status as the cases write it; the tail of scalar resources, random in the original, is sorted.
fn written(status: &Status) -> Value {
    let mut reasons: Vec<String> = status.reasons().iter().map(ToString::to_string).collect();
    let scalar = |reason: &String| {
        reason
            .strip_prefix("Insufficient ")
            .is_some_and(|name| !matches!(name, "cpu" | "memory" | "ephemeral-storage"))
    };
    if let Some(first) = reasons.iter().position(scalar) {
        reasons[first..].sort();
    }
    json!({"code": status.code().as_str(), "reasons": reasons})
}
