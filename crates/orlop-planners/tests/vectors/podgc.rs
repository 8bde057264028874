//! Family `podgc`: two sweeps over the same objects, the second 41 s later.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use orlop_model::core::v1::{Node, Pod};
use orlop_model::vectors::{Case, Check};
use orlop_model::{ObjectKey, Str};
use orlop_planners::Change;
use orlop_planners::pod_gc::{self, Memory, Settings};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    #[serde(default)]
    nodes: Option<Vec<Arc<Node>>>,
    #[serde(default)]
    pods: Option<Vec<Arc<Pod>>>,
    terminated_pod_threshold: usize,
    quarantine_seconds: i64,
}

fn sweep(
    pods: &[Arc<Pod>],
    nodes: &[Arc<Node>],
    settings: &Settings,
    memory: &mut Memory,
    now: Timestamp,
    deleted: &mut BTreeSet<ObjectKey>,
) -> Result<Vec<Value>, String> {
    let sweep = pod_gc::sweep(pods, nodes, settings, memory, now);
    let mut actions = Vec::new();
    // The API forgets deleted pods, while the lists still show them: a call that does not find its pod ends what is
    // done to it.
    let mut add = |changes: Vec<Vec<Change>>, actions: &mut Vec<Value>| {
        for changes in &changes {
            for change in changes {
                actions.push(change.to_action().map_err(|error| error.to_string())?);
                let gone = match change {
                    Change::Delete(delete) => !deleted.insert(delete.key.clone()),
                    other => deleted.contains(&other.key()),
                };
                if gone {
                    break;
                }
            }
        }
        Ok::<(), String>(())
    };
    add(sweep.ended, &mut actions)?;
    add(sweep.out_of_service, &mut actions)?;
    let mut gone = BTreeSet::<Str>::new();
    for node in sweep.nodes {
        actions.push(json!({"verb": "get", "resource": "nodes", "name": node}));
        // The API has the same nodes.
        if nodes.iter().all(|known| known.metadata.name != node) {
            gone.insert(node);
        }
    }
    add(pod_gc::orphaned(pods, &gone, now), &mut actions)?;
    add(sweep.unscheduled, &mut actions)?;
    Ok(actions)
}

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let input: Input = case.get("in")?;
    let now: Timestamp = case.text("now").parse().map_err(|error: jiff::Error| error.to_string())?;
    let (pods, nodes) = (input.pods.unwrap_or_default(), input.nodes.unwrap_or_default());
    let settings = Settings {
        ended_pods: input.terminated_pod_threshold,
        quarantine: SignedDuration::from_secs(input.quarantine_seconds),
    };
    let (mut memory, mut deleted) = (Memory::default(), BTreeSet::new());
    let mut check = Check::new();
    for (part, now) in [("actions", now), ("actionsAfterQuarantine", now + SignedDuration::from_secs(41))] {
        let got = sweep(&pods, &nodes, &settings, &mut memory, now, &mut deleted)?;
        let want = case.value[part].as_array().cloned().unwrap_or_default();
        if case.value["unordered"] == json!(true) {
            let lists = |list: &[Value]| list.iter().map(super::actions::sorted_lists).collect::<Vec<_>>();
            check.multiset(part, &lists(&want), &lists(&got));
        } else {
            check.json(part, &json!(want), &json!(got));
        }
    }
    check.finish()
}
