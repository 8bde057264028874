use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use orlop_model::core::v1::{Node, Pod};
use serde_json::json;

use super::*;
use crate::{Change, PlannedObject};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn node(name: &str, ready: &str) -> Arc<Node> {
    let node = json!({
        "metadata": {"name": name, "creationTimestamp": "2026-03-01T10:00:00Z",
            "labels": {"topology.kubernetes.io/region": "r", "topology.kubernetes.io/zone": "z"}},
        "status": {"conditions": [{"type": "Ready", "status": ready, "lastHeartbeatTime": "2026-03-01T11:59:00Z"}]},
    });
    Arc::new(serde_json::from_value(node).unwrap())
}

fn cluster(nodes: &[Arc<Node>]) -> Cluster<'_> {
    Cluster { nodes, lease: &|_| None, pods: &|_| Vec::new() }
}

#[test]
fn labels_follow() {
    let mut node = Node::default();
    assert_eq!(os_labels(&node), None);
    node.metadata.labels.insert("kubernetes.io/os", "linux".into());
    node.metadata.labels.insert("kubernetes.io/arch", "arm64".into());
    node.metadata.labels.insert("beta.kubernetes.io/arch", "amd64".into());
    let Some(Change::Patch(patch)) = os_labels(&node) else { panic!("a patch") };
    let labels = json!({"beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "arm64"});
    assert_eq!(patch.document["metadata"]["labels"], labels);
}

#[test]
fn zones_are_named_by_region_and_zone() {
    let mut labelled = Node::default();
    assert_eq!(zone_key(&labelled), "");
    labelled.metadata.labels.insert("topology.kubernetes.io/zone", "z".into());
    assert_eq!(zone_key(&labelled), ":\0:z");
    labelled.metadata.labels.insert("failure-domain.beta.kubernetes.io/zone", "old".into());
    assert_eq!(zone_key(&labelled), ":\0:old");
}

#[test]
fn a_small_zone_that_is_partly_down_loses_no_node() {
    let mut nodes: Vec<_> = (0..3).map(|number| node(&format!("down{number}"), "False")).collect();
    nodes.push(node("up", "True"));
    let mut memory = Memory::default();
    let _ = monitor(&cluster(&nodes), &Settings::default(), &mut memory, now());
    assert_eq!(memory.zones().next(), Some(("r:\0:z", ZoneState::PartialDisruption)));
    let find = |name: &str| nodes.iter().find(|node| node.metadata.name == *name).cloned();
    let later = now() + SignedDuration::from_secs(3600);
    assert!(taint(find, &mut memory, later).is_empty());
    // A large zone goes on, slowly.
    let mut memory = Memory::default();
    let large = Settings { large_zone: 3, ..Settings::default() };
    let _ = monitor(&cluster(&nodes), &large, &mut memory, now());
    assert_eq!(taint(find, &mut memory, now()).len(), 1);
    assert!(taint(find, &mut memory, now() + SignedDuration::from_secs(99)).is_empty());
    assert_eq!(taint(find, &mut memory, now() + SignedDuration::from_secs(101)).len(), 1);
}

#[test]
fn pods_that_could_not_be_written_are_tried_again() {
    let nodes = [node("n", "True")];
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "p", "namespace": "default"}, "spec": {"nodeName": "n"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }))
    .unwrap();
    let pod = Arc::new(pod);
    let pods = |_: &str| vec![pod.clone()];
    let mut memory = Memory::default();
    let settings = Settings::default();
    let up = Cluster { pods: &pods, ..cluster(&nodes) };
    let _ = monitor(&up, &settings, &mut memory, now());
    let dead = now() + SignedDuration::from_secs(51);
    let plans = monitor(&up, &settings, &mut memory, dead);
    let [plan] = &plans[..] else { panic!("{plans:#?}") };
    let [Change::UpdateStatus(PlannedObject::Node(died)), Change::UpdateStatus(PlannedObject::Pod(_))] =
        &plan.changes[..]
    else {
        panic!("{plan:#?}")
    };
    assert_eq!(assigned(&pod, &memory, dead).changes.len(), 1);
    // The node was written, the pod was not.
    let nodes = [died.clone()];
    let down = Cluster { pods: &pods, ..cluster(&nodes) };
    memory.mark_pods_again("n");
    let again: usize =
        monitor(&down, &settings, &mut memory, dead).iter().map(|plan| plan.changes.len()).sum();
    assert_eq!(again, 1);
    let quiet = monitor(&down, &settings, &mut memory, dead);
    assert!(quiet.iter().all(|plan| plan.changes.is_empty()));
}

#[test]
fn nodes_are_told_of_when_they_come_and_go() {
    let nodes = [node("n", "True")];
    let mut memory = Memory::default();
    let reasons = |plans: Vec<crate::Plan>| -> Vec<String> {
        plans.iter().flat_map(|plan| &plan.events).map(|event| event.reason.to_string()).collect()
    };
    let settings = Settings::default();
    assert_eq!(reasons(monitor(&cluster(&nodes), &settings, &mut memory, now())), ["RegisteredNode"]);
    assert!(reasons(monitor(&cluster(&nodes), &settings, &mut memory, now())).is_empty());
    assert_eq!(reasons(monitor(&cluster(&[]), &settings, &mut memory, now())), ["RemovingNode"]);
}
