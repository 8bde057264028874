//! Eviction of pods from nodes whose taints they do not tolerate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use orlop_cache::Delta;
use orlop_client::Api;
use orlop_controller::{Action, KeyController};
use orlop_model::core::v1::{Node, Pod, TaintEffect};
use orlop_model::{Object, ObjectKey, Str};
use orlop_planners::Plan;
use orlop_planners::taint_eviction::{Decision, Scheduled, cancelled, decide, evict};
use parking_lot::Mutex;

use super::{Parts, carry_out_or, nothing};

pub(super) async fn run(parts: Parts) {
    let Parts { informers, clock, stop, .. } = parts;
    let (pods, nodes) = (informers.of::<Pod>(), informers.of::<Node>());
    let by_node = pods.index(|pod: &Pod| pod.spec.node_name.clone());
    let pods_of_nodes = pods.clone();
    let client = Arc::clone(informers.client());
    let evictions = Arc::new(Mutex::new(BTreeMap::<ObjectKey, (Str, Scheduled)>::new()));
    KeyController::new("taint-eviction-controller", &informers)
        .clock(clock)
        .stop(stop)
        // What a pod tolerates and where it is hardly ever changes; its status does all the time.
        .watch_deltas(&Api::<Pod>::all(Arc::clone(&client)), |delta| match delta {
            Delta::Modified { old, new } if same_to_us(old, new) => None,
            Delta::Synced => None,
            delta => delta.states().last().filter(|pod| !pod.spec.node_name.is_empty()).map(|pod| pod.key()),
        })
        .watch_deltas(&Api::<Node>::all(client), move |delta| {
            let taints = |node: &Node| {
                node.spec
                    .taints
                    .iter()
                    .filter(|taint| taint.effect == TaintEffect::NoExecute)
                    .cloned()
                    .collect::<Vec<_>>()
            };
            match delta {
                Delta::Modified { old, new } if taints(old) == taints(new) => Vec::new(),
                Delta::Added { object, .. } if taints(object).is_empty() => Vec::new(),
                delta => {
                    let node = delta.states().last().map(|node| node.metadata.name.clone());
                    let pods = node.map(|node| pods_of_nodes.by(&by_node, &node)).unwrap_or_default();
                    pods.iter().map(|pod| pod.key()).collect()
                }
            }
        })
        .run(move |key: ObjectKey, cx| {
            let found = pods.get(&key);
            let (nodes, evictions) = (nodes.clone(), Arc::clone(&evictions));
            async move {
                let Some(pod) = found.filter(|pod| !pod.metadata.is_deleting()) else {
                    evictions.lock().remove(&key);
                    return Ok(Action::await_change());
                };
                let node = nodes.get(&ObjectKey::cluster(pod.spec.node_name.clone()));
                let taints = node.as_ref().map_or(&[][..], |node| &node.spec.taints);
                let scheduled = evictions
                    .lock()
                    .get(&key)
                    .filter(|(uid, _)| *uid == pod.metadata.uid)
                    .map(|(_, scheduled)| *scheduled);
                let now = cx.now();
                match decide(&pod, taints, scheduled, now) {
                    Decision::Now => carry_out_or(&cx, evict(&pod, now), nothing).await,
                    Decision::At(due) if due.at <= now => carry_out_or(&cx, evict(&pod, now), nothing).await,
                    Decision::At(due) => {
                        evictions.lock().insert(key, (pod.metadata.uid.clone(), due));
                        let wait = Duration::try_from(due.at.duration_since(now)).unwrap_or_default();
                        Ok(Action::requeue(wait))
                    }
                    Decision::Never => {
                        if evictions.lock().remove(&key).is_some() {
                            let plan: Plan = Plan { events: vec![cancelled(&pod)], ..Plan::default() };
                            return carry_out_or(&cx, plan, nothing).await;
                        }
                        Ok(Action::await_change())
                    }
                }
            }
        })
        .await;
}

fn same_to_us(old: &Pod, new: &Pod) -> bool {
    let deleting = |pod: &Pod| pod.metadata.deletion_timestamp;
    old.spec.node_name == new.spec.node_name
        && old.spec.tolerations == new.spec.tolerations
        && deleting(old) == deleting(new)
}
