//! Family `node_taints`: taints from conditions; three rounds of the node monitor.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use orlop_model::MicroTime;
use orlop_model::coordination::v1::Lease;
use orlop_model::core::v1::{Node, Pod};
use orlop_model::vectors::{Case, Check};
use orlop_planners::node_lifecycle::{self, Cluster, Memory, Settings};
use orlop_planners::{Change, Plan, PlannedObject};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) fn run(case: &Case) -> Result<(), String> {
    match case.op.as_str() {
        "noScheduleTaints" => no_schedule(case),
        "monitor" => monitor(case),
        other => Err(format!("unknown operation {other:?}")),
    }
}

fn time(text: &Value) -> Result<Timestamp, String> {
    text.as_str().unwrap_or_default().parse().map_err(|error: jiff::Error| error.to_string())
}

fn no_schedule(case: &Case) -> Result<(), String> {
    let mut node: Node =
        serde_json::from_value(case.value["in"]["node"].clone()).map_err(|error| error.to_string())?;
    let plan = node_lifecycle::condition_taints(&node, time(&case.value["now"])?);
    let mut check = Check::new();
    let want = case.value["actions"].as_array().cloned().unwrap_or_default();
    super::actions::compare(&mut check, &want, &super::actions::actions(&plan)?, false);
    for change in &plan.changes {
        patch(&mut node, change)?;
    }
    let after = case.value.get("taintsAfter").filter(|taints| !taints.is_null());
    check.json("taintsAfter", after.unwrap_or(&json!([])), &json!(node.spec.taints));
    check.finish()
}

/// Applies a patch of taints.
fn patch(node: &mut Node, change: &Change) -> Result<(), String> {
    let Change::Patch(patch) = change else {
        return Err(format!("unexpected {change:?}"));
    };
    let taints = patch.document["spec"]["taints"].clone();
    let taints = if taints.is_null() { json!([]) } else { taints };
    node.spec.taints = serde_json::from_value(taints).map_err(|error| error.to_string())?;
    Ok(())
}

#[derive(Deserialize)]
struct Input {
    nodes: Vec<Arc<Node>>,
    #[serde(default)]
    leases: Option<Vec<Lease>>,
    #[serde(default)]
    pods: Option<Vec<Arc<Pod>>>,
    config: Config,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(rename = "evictionQPS")]
    eviction_qps: f32,
    #[serde(rename = "secondaryEvictionQPS")]
    secondary_eviction_qps: f32,
    unhealthy_zone_threshold: f32,
    large_cluster_threshold: usize,
    monitor_grace_seconds: i64,
    startup_grace_seconds: i64,
}

struct State {
    nodes: BTreeMap<String, Arc<Node>>,
    pods: Vec<Arc<Pod>>,
}

impl State {
    fn apply(&mut self, plans: &[Plan]) -> Result<Vec<Value>, String> {
        let mut actions = Vec::new();
        for plan in plans {
            actions.extend(super::actions::actions(plan)?);
            for change in &plan.changes {
                match change {
                    Change::UpdateStatus(PlannedObject::Node(updated)) => {
                        let node = self.nodes.get_mut(updated.metadata.name.as_str());
                        let node = node.ok_or("an unknown node was updated")?;
                        Arc::make_mut(node).status = updated.status.clone();
                    }
                    Change::UpdateStatus(PlannedObject::Pod(updated)) => {
                        for pod in &mut self.pods {
                            if pod.metadata.name == updated.metadata.name {
                                *pod = updated.clone();
                            }
                        }
                    }
                    Change::Patch(patched) => {
                        let node = self.nodes.get_mut(patched.key.name.as_str());
                        patch(Arc::make_mut(node.ok_or("an unknown node was patched")?), change)?;
                    }
                    other => return Err(format!("unexpected {other:?}")),
                }
            }
        }
        Ok(actions)
    }
}

fn monitor(case: &Case) -> Result<(), String> {
    let input: Input = case.get("in")?;
    let config = input.config;
    let settings = Settings {
        eviction_rate: config.eviction_qps,
        secondary_eviction_rate: config.secondary_eviction_qps,
        large_zone: config.large_cluster_threshold,
        unhealthy_share: config.unhealthy_zone_threshold,
        monitor_grace: SignedDuration::from_secs(config.monitor_grace_seconds),
        startup_grace: SignedDuration::from_secs(config.startup_grace_seconds),
    };
    let mut leases: BTreeMap<String, Option<MicroTime>> = input
        .leases
        .unwrap_or_default()
        .into_iter()
        .map(|lease| (lease.metadata.name.to_string(), lease.spec.renew_time))
        .collect();
    let names = |node: Arc<Node>| (node.metadata.name.to_string(), node);
    let mut state =
        State { nodes: input.nodes.into_iter().map(names).collect(), pods: input.pods.unwrap_or_default() };
    let mut memory = Memory::default();
    let mut check = Check::new();
    let steps = case.value["steps"].as_array().cloned().unwrap_or_default();
    for (number, step) in steps.iter().enumerate() {
        let now = time(&step["now"])?;
        let nodes: Vec<_> = state.nodes.values().cloned().collect();
        let (pods, renewals) = (state.pods.clone(), leases.clone());
        let cluster = Cluster {
            nodes: &nodes,
            lease: &|node| renewals.get(node).copied(),
            pods: &|node| pods.iter().filter(|pod| pod.spec.node_name == *node).cloned().collect(),
        };
        let plans = node_lifecycle::monitor(&cluster, &settings, &mut memory, now);
        let mut got = state.apply(&plans)?;
        // The pass looks at the conditions that the round began with, and at the taints as they are now.
        let find = |name: &str| {
            let mut node = nodes.iter().find(|node| node.metadata.name == *name)?.clone();
            Arc::make_mut(&mut node).spec = state.nodes.get(name)?.spec.clone();
            Some(node)
        };
        let plans = node_lifecycle::taint(find, &mut memory, now);
        got.extend(state.apply(&plans)?);
        let want = step["actions"].as_array().cloned().unwrap_or_default();
        let mut step_check = Check::new();
        if case.value["unordered"] == json!(true) {
            let sorted = |actions: &[Value]| {
                let mut actions: Vec<_> = actions.iter().map(super::actions::sorted_lists).collect();
                actions.sort_by_cached_key(|action| {
                    action["name"].to_string()
                        + &action["object"]["metadata"]["name"].to_string()
                        + &action["verb"].to_string()
                });
                actions
            };
            super::actions::compare(&mut step_check, &sorted(&want), &sorted(&got), true);
        } else {
            super::actions::compare(&mut step_check, &want, &got, true);
        }
        let zones: BTreeMap<_, _> = memory.zones().map(|(key, state)| (key, state.as_str())).collect();
        step_check.json("zoneStates", &step["zoneStates"], &json!(zones));
        if let Err(difference) = step_check.finish() {
            check.miss(format!("step {number}: {difference}"));
        }
        if let Some(next) = steps.get(number + 1) {
            let renewed = time(&next["now"])? - SignedDuration::from_secs(1);
            for name in step["thenLeasesRenewed"].as_array().into_iter().flatten() {
                if let Some(lease) = leases.get_mut(name.as_str().unwrap_or_default()) {
                    *lease = Some(renewed.into());
                }
            }
        }
    }
    check.finish()
}
