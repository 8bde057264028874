//! The life of nodes: dead ones are found, tainted, and their pods marked.

use std::sync::Arc;

use futures::stream;
use orlop_cache::{Delta, Index, Store};
use orlop_client::Api;
use orlop_controller::{Action, Context, Error, KeyController};
use orlop_model::coordination::v1::Lease;
use orlop_model::core::v1::{Node, Pod};
use orlop_model::{Object, ObjectKey, Str};
use orlop_planners::node_lifecycle::{
    Cluster, MONITOR_PERIOD, Memory, Settings, TAINT_PERIOD, assigned, condition_taints, monitor, os_labels,
    taint,
};
use orlop_planners::{Change, Plan, PlannedObject};
use parking_lot::Mutex;

use super::{Parts, carry_out_or, nothing};

const NAME: &str = "node-controller";
/// Where the leases of nodes are.
const LEASES: &str = "kube-node-lease";

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Work {
    /// Taints and labels that follow from the node itself, as soon as it changes.
    Node(ObjectKey),
    /// A pod that was bound, maybe to a node that is down.
    Pod(ObjectKey),
    /// To look which nodes are alive.
    Monitor,
    /// To taint the dead ones whose turn it is.
    Taint,
}

/// What is looked at.
struct Caches {
    nodes: Store<Node>,
    pods: Store<Pod>,
    leases: Store<Lease>,
    by_node: Index<Pod, Str>,
    memory: Mutex<Memory>,
}

pub(super) async fn run(parts: Parts) {
    let Parts { informers, clock, stop, .. } = parts;
    let pods = informers.of::<Pod>();
    let by_node = pods.index(|pod: &Pod| pod.spec.node_name.clone());
    let (nodes, leases) = (informers.of::<Node>(), informers.of::<Lease>());
    let caches = Arc::new(Caches { nodes, pods, leases, by_node, memory: Mutex::default() });
    let api = Api::<Pod>::all(Arc::clone(informers.client()));
    let first = async {
        tokio::time::sleep(MONITOR_PERIOD).await;
        Work::Monitor
    };
    let controller = KeyController::new(NAME, &informers)
        .clock(clock)
        .stop(stop)
        .watch::<Node, _>(|node| Some(Work::Node(node.key())))
        .watch_deltas(&api, |delta| match delta {
            Delta::Modified { old, new } if old.spec.node_name != new.spec.node_name => {
                Some(Work::Pod(new.key()))
            }
            Delta::Added { object, initial: false } if !object.spec.node_name.is_empty() => {
                Some(Work::Pod(object.key()))
            }
            _ => None,
        })
        .sees::<Lease>()
        .stream(stream::once(first));
    let queue = controller.queue().clone();
    controller
        .run(move |work, cx| {
            let (caches, queue) = (Arc::clone(&caches), queue.clone());
            async move {
                match work {
                    Work::Node(key) => caches.follow(&key, &cx).await,
                    Work::Pod(key) => caches.receive(&key, &cx).await,
                    Work::Monitor => {
                        caches.look(&cx).await;
                        queue.add(Work::Taint);
                        Ok(Action::requeue(MONITOR_PERIOD))
                    }
                    Work::Taint => Ok(caches.evict(&cx).await),
                }
            }
        })
        .await;
}

impl Caches {
    async fn follow(&self, key: &ObjectKey, cx: &Context) -> Result<Action, Error> {
        let Some(node) = self.nodes.get(key) else {
            return Ok(Action::await_change());
        };
        let mut plan = condition_taints(&node, cx.now());
        plan.changes.extend(os_labels(&node));
        carry_out_or(cx, plan, nothing).await
    }

    async fn receive(&self, key: &ObjectKey, cx: &Context) -> Result<Action, Error> {
        let Some(pod) = self.pods.get(key) else {
            return Ok(Action::await_change());
        };
        let plan = assigned(&pod, &self.memory.lock(), cx.now());
        carry_out_or(cx, plan, nothing).await
    }

    async fn look(&self, cx: &Context) {
        let plans = {
            let renewed = |lease: Arc<Lease>| lease.spec.renew_time;
            let lease = |name: &str| self.leases.get(&ObjectKey::namespaced(LEASES, name)).map(renewed);
            let on_node = |name: &str| self.pods.by(&self.by_node, &Str::from(name));
            let all = self.nodes.list();
            let cluster = Cluster { nodes: &all, lease: &lease, pods: &on_node };
            monitor(&cluster, &Settings::default(), &mut self.memory.lock(), cx.now())
        };
        for plan in plans {
            let node = plan.changes.iter().find_map(node_of_pod);
            if !apply(cx, plan).await
                && let Some(node) = node
            {
                self.memory.lock().mark_pods_again(&node);
            }
        }
    }

    /// Comes back as long as nodes wait for their turn.
    async fn evict(&self, cx: &Context) -> Action {
        let fresh = |name: &str| self.nodes.get(&ObjectKey::cluster(name));
        let plans = taint(fresh, &mut self.memory.lock(), cx.now());
        for plan in plans {
            apply(cx, plan).await;
        }
        self.memory.lock().awaits_taint().then_some(TAINT_PERIOD).into()
    }
}

/// The node whose pods a change is about, if it is about a pod.
fn node_of_pod(change: &Change) -> Option<Str> {
    match change {
        Change::UpdateStatus(PlannedObject::Pod(pod)) => Some(pod.spec.node_name.clone()),
        _ => None,
    }
}

/// One node must not keep the others: the next round finds it again.
async fn apply(cx: &Context, plan: Plan) -> bool {
    let done = carry_out_or(cx, plan, nothing).await;
    if let Err(error) = &done {
        tracing::warn!(%error, "a node could not be written");
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
