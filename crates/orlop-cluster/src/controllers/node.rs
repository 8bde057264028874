//! The life of nodes: dead ones are found, tainted, and their pods marked.

use std::sync::Arc;

use futures::join;
use orlop_cache::Delta;
use orlop_client::Api;
use orlop_clock::Clock;
use orlop_controller::{Action, KeyController, Recorder};
use orlop_model::coordination::v1::Lease;
use orlop_model::core::v1::{Node, Pod};
use orlop_model::{Object, ObjectKey, Str};
use orlop_planners::node_lifecycle::{
    Cluster, MONITOR_PERIOD, Memory, Settings, TAINT_PERIOD, assigned, condition_taints, monitor, os_labels,
    taint,
};
use orlop_planners::{Change, Plan, PlannedObject};
use parking_lot::Mutex;

use super::{Parts, carry_out_or, nothing, tick};
use crate::carry_out::carry_out;

const NAME: &str = "node-controller";
/// Where the leases of nodes are.
const LEASES: &str = "kube-node-lease";

pub(super) async fn run(parts: Parts) {
    let memory = Arc::new(Mutex::new(Memory::default()));
    let newcomers = receive(parts.clone(), Arc::clone(&memory));
    join!(follow(parts.clone()), newcomers, look(&parts, &memory), evict(&parts, &memory));
}

/// Taints and labels that follow from the node itself, as soon as it changes.
async fn follow(parts: Parts) {
    let Parts { informers, clock, stop, .. } = parts;
    let nodes = informers.of::<Node>();
    KeyController::new(NAME, &informers)
        .clock(clock)
        .stop(stop)
        .watch::<Node, _>(|node| Some(node.key()))
        .run(move |key: ObjectKey, cx| {
            let found = nodes.get(&key);
            async move {
                let Some(node) = found else {
                    return Ok(Action::await_change());
                };
                let mut plan = condition_taints(&node, cx.now());
                plan.changes.extend(os_labels(&node));
                carry_out_or(&cx, plan, nothing).await
            }
        })
        .await;
}

/// Pods that were bound to a node that is down.
async fn receive(parts: Parts, memory: Arc<Mutex<Memory>>) {
    let Parts { informers, clock, stop, .. } = parts;
    let pods = informers.of::<Pod>();
    let api = Api::<Pod>::all(Arc::clone(informers.client()));
    KeyController::new(NAME, &informers)
        .clock(clock)
        .stop(stop)
        .watch_deltas(&api, |delta| match delta {
            Delta::Modified { old, new } if old.spec.node_name != new.spec.node_name => Some(new.key()),
            Delta::Added { object, initial: false } if !object.spec.node_name.is_empty() => {
                Some(object.key())
            }
            _ => None,
        })
        .run(move |key: ObjectKey, cx| {
            let found = pods.get(&key);
            let memory = Arc::clone(&memory);
            async move {
                let Some(pod) = found else {
                    return Ok(Action::await_change());
                };
                let plan = assigned(&pod, &memory.lock(), cx.now());
                carry_out_or(&cx, plan, nothing).await
            }
        })
        .await;
}

async fn look(parts: &Parts, memory: &Mutex<Memory>) {
    let (nodes, pods) = (parts.informers.of::<Node>(), parts.informers.of::<Pod>());
    let leases = parts.informers.of::<Lease>();
    let by_node = pods.index(|pod: &Pod| pod.spec.node_name.clone());
    let recorder = recorder(parts);
    while tick(MONITOR_PERIOD, &parts.stop).await {
        if !(nodes.is_synced() && leases.is_synced() && pods.is_synced()) {
            continue;
        }
        let plans = {
            let renewed = |lease: Arc<Lease>| lease.spec.renew_time;
            let lease = |name: &str| leases.get(&ObjectKey::namespaced(LEASES, name)).map(renewed);
            let on_node = |name: &str| pods.by(&by_node, &Str::from(name));
            let all = nodes.list();
            let cluster = Cluster { nodes: &all, lease: &lease, pods: &on_node };
            monitor(&cluster, &Settings::default(), &mut memory.lock(), parts.clock.now())
        };
        for plan in plans {
            if !apply(parts, &recorder, &plan).await
                && let Some(node) = plan.changes.iter().find_map(node_of_pod)
            {
                memory.lock().mark_pods_again(&node);
            }
        }
    }
}

/// The node whose pods a change is about, if it is about a pod.
fn node_of_pod(change: &Change) -> Option<Str> {
    match change {
        Change::UpdateStatus(PlannedObject::Pod(pod)) => Some(pod.spec.node_name.clone()),
        _ => None,
    }
}

async fn evict(parts: &Parts, memory: &Mutex<Memory>) {
    let nodes = parts.informers.of::<Node>();
    let recorder = recorder(parts);
    while tick(TAINT_PERIOD, &parts.stop).await {
        let fresh = |name: &str| nodes.get(&ObjectKey::cluster(name));
        let plans = taint(fresh, &mut memory.lock(), parts.clock.now());
        for plan in plans {
            apply(parts, &recorder, &plan).await;
        }
    }
}

fn recorder(parts: &Parts) -> Recorder {
    let clock: Arc<dyn Clock> = Arc::clone(&parts.clock);
    Recorder::new(Arc::clone(parts.informers.client()), clock, NAME)
}

async fn apply(parts: &Parts, recorder: &Recorder, plan: &Plan) -> bool {
    let done = carry_out(&**parts.informers.client(), recorder, plan, NAME).await;
    if let Err((place, error)) = &done {
        tracing::warn!(%error, change = ?plan.changes[*place], "a node could not be written");
    }
    done.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The round in which a node dies marks its pods; whose node it was is known from that very plan.
    #[test]
    fn a_plan_that_marks_pods_names_their_node() {
        let node: Node = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "dead", "uid": "1", "creationTimestamp": "2026-03-01T10:00:00Z"},
            "status": {"conditions": [{"type": "Ready", "status": "True",
                "lastHeartbeatTime": "2026-03-01T11:00:00Z", "lastTransitionTime": "2026-03-01T11:00:00Z"}]},
        }))
        .unwrap();
        let pod: Pod = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"nodeName": "dead"},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }))
        .unwrap();
        let (nodes, pods) = (vec![Arc::new(node)], vec![Arc::new(pod)]);
        let cluster = Cluster { nodes: &nodes, lease: &|_| None, pods: &|_| pods.clone() };
        let mut memory = Memory::default();
        let round = |memory: &mut Memory, at: &str| {
            let plans = monitor(&cluster, &Settings::default(), memory, at.parse().unwrap());
            plans.iter().flat_map(|plan| &plan.changes).find_map(node_of_pod)
        };
        assert_eq!(round(&mut memory, "2026-03-01T12:00:00Z"), None);
        assert_eq!(round(&mut memory, "2026-03-01T12:10:00Z"), Some("dead".into()));
    }
}
