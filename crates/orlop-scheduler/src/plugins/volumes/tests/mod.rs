//! Each plugin against the rules and words of kube-scheduler.

mod binding;
mod limits;
mod properties;
mod restrictions;
mod zone;

use std::collections::BTreeMap;
use std::sync::Arc;

use orlop_model::core::v1::{Node, Pod};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::framework::{ClusterFilter as _, Code, Hint};
use crate::plugins::{BindProgress, NodeVolumeLimits, VolumeBinding, VolumeRestrictions, VolumeZone};
use crate::{
    BindPlan, Change, ClusterEvent, Engine, Profile, Replaced, Scheduler, SchedulingQueue, Status, Step,
    StorageChange, StorageEvent,
};

fn read<T: DeserializeOwned>(value: &Value) -> Arc<T> {
    Arc::new(serde_json::from_value(value.clone()).unwrap())
}

fn change(kind: &str, object: &Value) -> Change {
    match kind {
        "Node" => Change::NodeAdded(read(object)),
        "Pod" => Change::PodAdded(read(object)),
        "PersistentVolume" => StorageChange::VolumeSet(read(object)).into(),
        "PersistentVolumeClaim" => StorageChange::ClaimSet(read(object)).into(),
        "StorageClass" => StorageChange::ClassSet(read(object)).into(),
        "CSINode" => StorageChange::CsiNodeSet(read(object)).into(),
        "CSIDriver" => StorageChange::DriverSet(read(object)).into(),
        "VolumeAttachment" => StorageChange::AttachmentSet(read(object)).into(),
        "CSIStorageCapacity" => StorageChange::CapacitySet(read(object)).into(),
        other => panic!("{other}"),
    }
}

/// An engine that knows these objects, whose kinds are written with them.
fn engine(objects: &[Value]) -> Engine {
    let profile = Profile::builder("default-scheduler")
        .cluster_filter(VolumeRestrictions)
        .cluster_filter(NodeVolumeLimits)
        .cluster_filter(VolumeBinding)
        .cluster_filter(VolumeZone);
    engine_with(profile.build().unwrap(), objects)
}

fn engine_with(profile: Profile, objects: &[Value]) -> Engine {
    let mut engine = Engine::new([profile], 1).unwrap();
    for object in objects {
        engine.record(change(object["kind"].as_str().unwrap(), object)).unwrap();
    }
    engine
}

fn node(name: &str, labels: Value) -> Value {
    json!({"kind": "Node", "metadata": {"name": name, "labels": labels}})
}

/// A pod with volumes `v0`, `v1`, … of these sources.
fn pod(name: &str, on: &str, sources: &[Value]) -> Value {
    let volumes: Vec<Value> = sources
        .iter()
        .enumerate()
        .map(|(index, source)| {
            let mut volume = source.clone();
            volume["name"] = json!(format!("v{index}"));
            volume
        })
        .collect();
    json!({"kind": "Pod", "metadata": {"name": name, "namespace": "ns", "uid": format!("{name}-uid")},
        "spec": {"nodeName": on, "volumes": volumes}})
}

fn of_claim(name: &str) -> Value {
    json!({"persistentVolumeClaim": {"claimName": name}})
}

/// A claim; `more` goes over what it has already.
fn claim(name: &str, class: &str, size: &str, more: Value) -> Value {
    let mut claim = json!({"kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "ns", "uid": format!("{name}-uid")},
        "spec": {"storageClassName": class, "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}}}});
    merge(&mut claim, more);
    claim
}

/// A claim that has its volume.
fn bound(name: &str, volume: &str) -> Value {
    let annotations = json!({"pv.kubernetes.io/bind-completed": "yes"});
    claim(name, "", "1Gi", json!({"spec": {"volumeName": volume}, "metadata": {"annotations": annotations}}))
}

fn volume(name: &str, class: &str, size: &str, more: Value) -> Value {
    let mut volume = json!({"kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {"storageClassName": class, "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}},
        "status": {"phase": "Available"}});
    merge(&mut volume, more);
    volume
}

/// The affinity of a volume that only nodes of the zone can reach.
fn reached_from(zone: &str) -> Value {
    json!({"required": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]}]}})
}

fn class(name: &str, mode: Value, provisioner: &str, more: Value) -> Value {
    let mut class = json!({"kind": "StorageClass", "metadata": {"name": name}, "provisioner": provisioner,
        "volumeBindingMode": mode});
    merge(&mut class, more);
    class
}

/// A class that waits for the first consumer and makes no volumes.
fn local() -> Value {
    class("local", json!("WaitForFirstConsumer"), "kubernetes.io/no-provisioner", json!({}))
}

fn merge(base: &mut Value, more: Value) {
    match (base, more) {
        (Value::Object(base), Value::Object(more)) => {
            for (key, value) in more {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, more) => *base = more,
    }
}

fn said(status: &Status) -> String {
    let code = match status.code() {
        Code::Unschedulable => "U",
        Code::UnschedulableAndUnresolvable => "UU",
        other => other.as_str(),
    };
    if status.reasons().is_empty() { code.to_owned() } else { format!("{code}: {}", status.message()) }
}

/// What a plugin says, asked alone: before nodes, and of the nodes that it turns down.
fn told(engine: &Engine, plugin: &str, pod: &Value) -> (String, BTreeMap<String, String>) {
    let explanation = engine.explain(&read::<Pod>(pod));
    let before = explanation.before_nodes.iter().find(|outcome| outcome.plugin == plugin).unwrap();
    let nodes = explanation.nodes.iter().flat_map(|node| {
        let rejections = node.rejections.iter().filter(|(by, _)| by == plugin);
        rejections.map(|(_, status)| (node.node.to_string(), said(status)))
    });
    (said(&before.status), nodes.collect())
}

#[track_caller]
fn check(engine: &Engine, plugin: &str, pod: &Value, before: &str, nodes: &[(&str, &str)]) {
    let nodes = nodes.iter().map(|(node, said)| ((*node).to_owned(), (*said).to_owned())).collect();
    assert_eq!(told(engine, plugin, pod), (before.to_owned(), nodes), "{plugin} about {pod}");
}

/// Turned down before nodes are looked at.
#[track_caller]
fn check_before(engine: &Engine, plugin: &str, pod: &Value, before: &str) {
    check(engine, plugin, pod, before, &[]);
}

/// The event of an object before and after; its kind is written with it.
fn event(old: Option<&Value>, new: Option<&Value>) -> ClusterEvent {
    fn replaced<K: DeserializeOwned>(old: Option<&Value>, new: Option<&Value>) -> Replaced<K> {
        Replaced { old: old.map(read), new: new.map(read) }
    }
    let kind = old.or(new).unwrap()["kind"].as_str().unwrap();
    ClusterEvent::Storage(match kind {
        "PersistentVolume" => StorageEvent::Volume(replaced(old, new)),
        "PersistentVolumeClaim" => StorageEvent::Claim(replaced(old, new)),
        "StorageClass" => StorageEvent::Class(replaced(old, new)),
        "CSINode" => StorageEvent::CsiNode(replaced(old, new)),
        "CSIDriver" => StorageEvent::Driver(replaced(old, new)),
        "VolumeAttachment" => StorageEvent::Attachment(replaced(old, new)),
        "CSIStorageCapacity" => StorageEvent::Capacity(replaced(old, new)),
        other => panic!("{other}"),
    })
}

fn relabelled() -> ClusterEvent {
    let read = |labels| read::<Node>(&node("a", labels));
    ClusterEvent::NodeUpdated { old: read(json!({})), new: read(json!({"zone": "z1"})) }
}

#[test]
fn pods_wait_for_claims_classes_and_volumes() {
    let at = |seconds: i64| orlop_clock::Timestamp::from_second(1_772_366_400 + seconds).unwrap();
    let engine = engine_with(Profile::kubernetes(), &[]);
    let mut scheduler: Scheduler = Scheduler::new(engine, SchedulingQueue::default());
    let mut node = node("a", json!({}));
    node["status"] = json!({"allocatable": {"pods": "4"}});
    scheduler.record(change("Node", &node), at(0)).unwrap();
    scheduler.pod_seen(read(&pod("new", "", &[of_claim("data")])), at(0));
    let mut now = 0;
    let mut try_again = |scheduler: &mut Scheduler, news: Option<Value>| {
        if let Some(object) = news {
            scheduler.record(change(object["kind"].as_str().unwrap(), &object), at(now)).unwrap();
            now += 20;
        }
        scheduler.next(at(now)).map(|step| match step {
            Step::Unschedulable { why, .. } => why.to_string(),
            Step::Bind { node, .. } => format!("bind to {node}"),
            other => panic!("{other:?}"),
        })
    };
    let no_use = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    let told = |why: &str| Some(format!("0/1 nodes are available: {why}. {no_use}"));
    let missing = "persistentvolumeclaim \"data\" not found";
    assert_eq!(try_again(&mut scheduler, None), told(missing));
    assert_eq!(try_again(&mut scheduler, Some(claim("other", "local", "1Gi", json!({})))), None);
    let immediate = "pod has unbound immediate PersistentVolumeClaims";
    assert_eq!(try_again(&mut scheduler, Some(claim("data", "local", "1Gi", json!({})))), told(immediate));
    let none = "1 node(s) didn't find available persistent volumes to bind";
    assert_eq!(try_again(&mut scheduler, Some(local())), told(none));
    assert_eq!(try_again(&mut scheduler, Some(volume("small", "local", "1Mi", json!({})))), told(none));
    let bound = try_again(&mut scheduler, Some(volume("pv", "local", "1Gi", json!({}))));
    assert_eq!(bound.as_deref(), Some("bind to a"));
    assert_eq!(scheduler.engine().cluster().view().volumes().assumed("new-uid").unwrap().volumes.len(), 1);
}
