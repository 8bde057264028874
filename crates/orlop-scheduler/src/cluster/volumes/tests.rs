use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use serde_json::{Value, json};

use super::{BindPlan, StorageChange};
use crate::{Change, Cluster, ClusterEvent, Logged, RecordError, StorageEvent};

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Arc<T> {
    Arc::new(serde_json::from_value(value).unwrap())
}

fn volume(name: &str, claim: Value) -> Arc<PersistentVolume> {
    read(json!({
        "metadata": {"name": name},
        "spec": {"storageClassName": "local", "capacity": {"storage": "1Gi"}, "claimRef": claim},
        "status": {"phase": "Available"},
    }))
}

fn claim(name: &str, spec: Value, annotations: Value) -> Arc<PersistentVolumeClaim> {
    read(json!({
        "metadata": {"name": name, "namespace": "default", "uid": format!("{name}-uid"), "annotations": annotations},
        "spec": spec,
    }))
}

fn pod(name: &str) -> Arc<Pod> {
    read(json!({
        "metadata": {"name": name, "namespace": "default", "uid": name},
        "spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]},
    }))
}

fn storage(cluster: &mut Cluster, change: StorageChange) -> Option<ClusterEvent> {
    cluster.record(Change::Storage(change)).unwrap()
}

/// A node `n`, a volume `pv`, claims `data` and `scratch`.
fn cluster() -> Cluster {
    let mut cluster = Cluster::new(1);
    cluster.record(Change::NodeAdded(read(json!({"metadata": {"name": "n"}})))).unwrap();
    storage(&mut cluster, StorageChange::VolumeSet(volume("pv", json!(null))));
    storage(&mut cluster, StorageChange::ClaimSet(claim("data", json!({}), json!({}))));
    storage(&mut cluster, StorageChange::ClaimSet(claim("scratch", json!({}), json!({}))));
    cluster
}

/// `data` gets `pv`, and `scratch` a new volume.
fn plan(cluster: &Cluster) -> Arc<BindPlan> {
    let volumes = cluster.view().volumes();
    let mut plan = BindPlan::default();
    plan.bind(volumes.volume("pv").unwrap(), volumes.claim("default", "data").unwrap());
    plan.provision(volumes.claim("default", "scratch").unwrap(), "n");
    Arc::new(plan)
}

/// The claim that a volume counts as bound to, and the node that `scratch` counts as given to.
fn assumed(cluster: &Cluster) -> (Option<Str>, Option<Str>) {
    let volumes = cluster.view().volumes();
    let reference = volumes.volume("pv").and_then(|volume| volume.spec.claim_ref.as_ref());
    let scratch = volumes.claim("default", "scratch").unwrap();
    let node = scratch.metadata.annotations.get("volume.kubernetes.io/selected-node");
    (reference.map(|reference| reference.name.clone()), node.cloned())
}

fn with_assumption() -> (Cluster, String) {
    let mut cluster = cluster();
    let before = cluster.fingerprint();
    cluster.record(Change::PodAssumed { pod: pod("p"), node: "n".into() }).unwrap();
    let plan = plan(&cluster);
    storage(&mut cluster, StorageChange::Assumed { pod: "p".into(), plan });
    assert_eq!(assumed(&cluster), (Some("data".into()), Some("n".into())));
    (cluster, before)
}

#[test]
fn forgetting_the_pod_or_its_volumes_undoes_the_decision() {
    let (mut cluster, before) = with_assumption();
    assert!(
        cluster.log().since(0).unwrap().any(|entry| *entry == Logged::VolumesAssumed { pod: "p".into() })
    );
    cluster.record(Change::PodForgot("p".into())).unwrap();
    assert_eq!((assumed(&cluster), cluster.fingerprint()), ((None, None), before.clone()));

    let (mut cluster, _) = with_assumption();
    cluster.record(Change::PodRemoved("p".into())).unwrap();
    assert_eq!((assumed(&cluster), cluster.fingerprint()), ((None, None), before));

    let (mut cluster, _) = with_assumption();
    let event = storage(&mut cluster, StorageChange::Forgot("p".into()));
    assert!(matches!(event, Some(ClusterEvent::Storage(StorageEvent::Volume(_)))), "a volume is free again");
    assert_eq!(assumed(&cluster), (None, None));
    assert!(storage(&mut cluster, StorageChange::Forgot("p".into())).is_none());
}

#[test]
fn what_is_seen_replaces_what_was_assumed() {
    let (mut cluster, _) = with_assumption();
    // An update that says nothing about the decision leaves it standing.
    let mut labelled = PersistentVolume::clone(&volume("pv", json!(null)));
    labelled.metadata.labels.insert("a", "b".into());
    storage(&mut cluster, StorageChange::VolumeSet(Arc::new(labelled)));
    assert_eq!(assumed(&cluster).0, Some("data".into()));
    assert_eq!(cluster.view().volumes().volume("pv").unwrap().metadata.labels.len(), 1);
    // The volume went to somebody else, the claim was served and then given up.
    let other = json!({"namespace": "default", "name": "other", "uid": "other-uid"});
    storage(&mut cluster, StorageChange::VolumeSet(volume("pv", other)));
    assert_eq!(assumed(&cluster), (Some("other".into()), Some("n".into())));
    assert!(cluster.view().volumes().assumed("p").is_some());
    let served = json!({"volume.kubernetes.io/selected-node": "n"});
    storage(&mut cluster, StorageChange::ClaimSet(claim("scratch", json!({}), served)));
    assert!(cluster.view().volumes().assumed("p").is_some(), "the pod is not bound yet");
    let mut bound = Pod::clone(&pod("p"));
    bound.spec.node_name = "n".into();
    cluster.record(Change::PodAdded(Arc::new(bound))).unwrap();
    assert!(cluster.view().volumes().assumed("p").is_none(), "nothing is assumed any more");
    storage(&mut cluster, StorageChange::ClaimSet(claim("scratch", json!({}), json!({}))));
    assert_eq!(assumed(&cluster).1, None);
}

#[test]
fn a_volume_is_given_away_once() {
    let (mut cluster, _) = with_assumption();
    let volumes = cluster.view().volumes();
    let mut second = BindPlan::default();
    second.bind(volumes.seen_volume("pv").unwrap(), volumes.claim("default", "scratch").unwrap());
    let before = cluster.fingerprint();
    let record = |cluster: &mut Cluster, pod: &str, plan: BindPlan| {
        cluster.record(Change::Storage(StorageChange::Assumed { pod: pod.into(), plan: Arc::new(plan) }))
    };
    let taken = RecordError::VolumeTaken { volume: "pv".into() };
    assert_eq!(record(&mut cluster, "q", second.clone()).unwrap_err(), taken);
    assert_eq!(
        record(&mut cluster, "p", BindPlan::default()).unwrap_err(),
        RecordError::VolumesAssumed { pod: "p".into() }
    );
    assert_eq!(cluster.fingerprint(), before);
    storage(&mut cluster, StorageChange::VolumeRemoved("pv".into()));
    assert_eq!(
        record(&mut cluster, "q", second).unwrap_err(),
        RecordError::UnknownVolume { volume: "pv".into() }
    );
}

#[test]
fn users_of_a_claim_are_pods_on_known_nodes() {
    let mut cluster = cluster();
    let users = |cluster: &Cluster| cluster.view().claim_users("default", "data").count();
    cluster.record(Change::PodAssumed { pod: pod("p"), node: "n".into() }).unwrap();
    let mut elsewhere = Pod::clone(&pod("q"));
    elsewhere.spec.node_name = "gone".into();
    cluster.record(Change::PodAdded(Arc::new(elsewhere))).unwrap();
    assert_eq!(users(&cluster), 1);
    cluster.record(Change::PodRemoved("p".into())).unwrap();
    assert_eq!(users(&cluster), 0);
    cluster.record(Change::NodeAdded(read(json!({"metadata": {"name": "gone"}})))).unwrap();
    assert_eq!(users(&cluster), 1);
}

#[test]
fn indices_follow_the_objects() {
    let mut cluster = cluster();
    let of = |cluster: &Cluster, class: &str| -> Vec<Str> {
        cluster.view().volumes().volumes_of_class(class).map(|volume| volume.metadata.name.clone()).collect()
    };
    storage(&mut cluster, StorageChange::VolumeSet(volume("a", json!(null))));
    assert_eq!(of(&cluster, "local"), ["a", "pv"]);
    let mut beta = PersistentVolume::clone(&volume("a", json!(null)));
    beta.metadata.annotations.insert("volume.beta.kubernetes.io/storage-class", "old".into());
    assert!(storage(&mut cluster, StorageChange::VolumeSet(Arc::new(beta.clone()))).is_some());
    assert_eq!((of(&cluster, "local"), of(&cluster, "old")), (vec!["pv".into()], vec!["a".into()]));
    beta.metadata.resource_version = "9".into();
    assert!(storage(&mut cluster, StorageChange::VolumeSet(Arc::new(beta))).is_none(), "nothing to see");
    assert_eq!(cluster.view().volumes().volume("a").unwrap().metadata.resource_version, "9");

    let attachment = |node: &str| {
        StorageChange::AttachmentSet(read(json!({
            "metadata": {"name": "at"}, "spec": {"attacher": "d", "nodeName": node, "source": {}}})))
    };
    storage(&mut cluster, attachment("n"));
    storage(&mut cluster, attachment("m"));
    let attached = |cluster: &Cluster, node: &str| cluster.view().volumes().attachments(node).count();
    assert_eq!((attached(&cluster, "n"), attached(&cluster, "m")), (0, 1));
    storage(&mut cluster, StorageChange::AttachmentRemoved("at".into()));
    assert_eq!(attached(&cluster, "m"), 0);
    storage(
        &mut cluster,
        StorageChange::CapacitySet(read(json!({
            "metadata": {"namespace": "s", "name": "c"}, "storageClassName": "local", "capacity": "1Gi"}))),
    );
    assert_eq!(cluster.view().volumes().capacities("local").count(), 1);
    storage(&mut cluster, StorageChange::CapacityRemoved { namespace: "s".into(), name: "c".into() });
    assert_eq!(cluster.view().volumes().capacities("local").count(), 0);
}
