use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use proptest::prelude::*;
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

/// What happens to the objects of storage, and to pods with claims, by small numbers.
#[derive(Clone, Debug)]
enum Step {
    /// A volume is seen: of a class, reserved for a claim or bound to it, or free.
    Volume(u8, bool, Option<(u8, bool)>),
    VolumeGone(u8),
    /// A claim is seen, with or without a selected node, bound or not.
    Claim(u8, bool, bool),
    ClaimGone(u8),
    Attachment(u8, u8),
    AttachmentGone(u8),
    Capacity(u8, bool),
    CapacityGone(u8),
    /// A pod is assumed: a volume for one claim, and a volume to be made for another.
    Assume(u8, u8, u8, u8),
    Forget(u8),
    Confirm(u8),
    Remove(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let number = || 0..5_u8;
    let bound = prop::option::weighted(0.3, (number(), any::<bool>()));
    let step = prop_oneof![
        4 => (number(), any::<bool>(), bound).prop_map(|(a, b, c)| Step::Volume(a, b, c)),
        1 => number().prop_map(Step::VolumeGone),
        4 => (number(), any::<bool>(), any::<bool>()).prop_map(|(a, b, c)| Step::Claim(a, b, c)),
        1 => number().prop_map(Step::ClaimGone),
        1 => (number(), number()).prop_map(|(a, b)| Step::Attachment(a, b)),
        1 => number().prop_map(Step::AttachmentGone),
        1 => (number(), any::<bool>()).prop_map(|(a, b)| Step::Capacity(a, b)),
        1 => number().prop_map(Step::CapacityGone),
        5 => (number(), number(), number(), number()).prop_map(|(a, b, c, d)| Step::Assume(a, b, c, d)),
        2 => number().prop_map(Step::Forget),
        1 => number().prop_map(Step::Confirm),
        1 => number().prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 1..60)
}

fn numbered(kind: &str, number: u8) -> Str {
    format!("{kind}{number}").into()
}

/// The change of a step that is about an object of storage.
fn object(step: &Step) -> Option<StorageChange> {
    Some(match step {
        Step::Volume(number, local, bound) => {
            let reference = bound.map(|(claim, by_uid)| {
                let uid = if by_uid { format!("c{claim}-uid") } else { String::new() };
                json!({"namespace": "default", "name": format!("c{claim}"), "uid": uid})
            });
            let mut object = PersistentVolume::clone(&volume(&numbered("v", *number), json!(reference)));
            object.spec.storage_class_name = if *local { "local" } else { "other" }.into();
            StorageChange::VolumeSet(Arc::new(object))
        }
        Step::VolumeGone(number) => StorageChange::VolumeRemoved(numbered("v", *number)),
        Step::Claim(number, selected, bound) => {
            let annotations = if *selected { json!({super::SELECTED_NODE: "n"}) } else { json!({}) };
            let spec = json!({"volumeName": if *bound { "v0" } else { "" }});
            StorageChange::ClaimSet(claim(&numbered("c", *number), spec, annotations))
        }
        Step::ClaimGone(number) => {
            StorageChange::ClaimRemoved { namespace: "default".into(), name: numbered("c", *number) }
        }
        Step::Attachment(number, node) => StorageChange::AttachmentSet(read(json!({
            "metadata": {"name": numbered("a", *number)},
            "spec": {"attacher": "d", "nodeName": numbered("n", *node), "source": {}}}))),
        Step::AttachmentGone(number) => StorageChange::AttachmentRemoved(numbered("a", *number)),
        Step::Capacity(number, local) => StorageChange::CapacitySet(read(json!({
            "metadata": {"namespace": "s", "name": numbered("k", *number)},
            "storageClassName": if *local { "local" } else { "other" }, "capacity": "1Gi"}))),
        Step::CapacityGone(number) => {
            StorageChange::CapacityRemoved { namespace: "s".into(), name: numbered("k", *number) }
        }
        _ => return None,
    })
}

/// All that can be asked, as text.
fn shown(cluster: &Cluster) -> String {
    let volumes = cluster.view().volumes();
    let mut text = String::new();
    for class in ["local", "other"] {
        let of_class: Vec<_> = volumes.volumes_of_class(class).collect();
        let capacities: Vec<_> = volumes.capacities(class).map(|one| &one.metadata.name).collect();
        text += &format!("{class} {of_class:?} {capacities:?}\n");
    }
    for number in 0..5 {
        let attachments: Vec<_> =
            volumes.attachments(&numbered("n", number)).map(|one| &one.metadata.name).collect();
        text += &format!("{number} {attachments:?} {:?}\n", volumes.claim("default", &numbered("c", number)));
    }
    text + &cluster.fingerprint()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// After any history, once its pods are gone, the cluster is one that has seen the last of each
    /// object alone; and at no time does a volume count for two claims of different pods.
    #[test]
    fn history_leaves_nothing_but_what_was_seen_last(steps in steps()) {
        let new = || {
            let mut cluster = Cluster::new(1);
            cluster.record(Change::NodeAdded(read(json!({"metadata": {"name": "n"}})))).unwrap();
            cluster
        };
        let mut cluster = new();
        let mut last: std::collections::BTreeMap<Str, StorageChange> = std::collections::BTreeMap::new();
        for step in &steps {
            match step {
                Step::Assume(number, volume, for_claim, asking) => {
                    let pod = pod(&numbered("p", *number));
                    let before = shown(&cluster);
                    let volumes = cluster.view().volumes();
                    let mut plan = BindPlan::default();
                    let (first, second) = (numbered("c", *for_claim), numbered("c", *asking));
                    if let (Some(volume), Some(claim)) =
                        (volumes.volume(&numbered("v", *volume)), volumes.claim("default", &first))
                    {
                        plan.bind(volume, claim);
                    }
                    if let Some(claim) = volumes.claim("default", &second) {
                        plan.provision(claim, "n");
                    }
                    let id = numbered("p", *number);
                    if cluster.record(Change::PodAssumed { pod, node: "n".into() }).is_err() {
                        continue;
                    }
                    let plan = Arc::new(plan);
                    let taken = plan.volumes.iter().any(|wanted| {
                        let known = cluster.view().volumes().volume(&wanted.metadata.name).unwrap();
                        let reference = known.spec.claim_ref.as_ref();
                        reference.is_some_and(|reference| reference.name != first)
                    });
                    let change = StorageChange::Assumed { pod: id.clone(), plan };
                    let assumed = cluster.record(change.into());
                    prop_assert_eq!(assumed.is_ok(), !taken, "{:?}", assumed);
                    if assumed.is_err() {
                        cluster.record(Change::PodForgot(id)).unwrap();
                        prop_assert_eq!(shown(&cluster), before);
                    }
                }
                Step::Forget(number) => drop(cluster.record(Change::PodForgot(numbered("p", *number)))),
                Step::Confirm(number) => {
                    if cluster.pod(&numbered("p", *number)).is_some() {
                        let mut bound = Pod::clone(&pod(&numbered("p", *number)));
                        bound.spec.node_name = "n".into();
                        cluster.record(Change::PodAdded(Arc::new(bound))).unwrap();
                    }
                }
                Step::Remove(number) => {
                    cluster.record(Change::PodRemoved(numbered("p", *number))).unwrap();
                }
                other => {
                    let change = object(other).unwrap();
                    let key = match other {
                        Step::Volume(number, ..) | Step::VolumeGone(number) => numbered("v", *number),
                        Step::Claim(number, ..) | Step::ClaimGone(number) => numbered("c", *number),
                        Step::Attachment(number, _) | Step::AttachmentGone(number) => numbered("a", *number),
                        Step::Capacity(number, _) | Step::CapacityGone(number) => numbered("k", *number),
                        _ => unreachable!("pods are dealt with above"),
                    };
                    last.insert(key, change.clone());
                    storage(&mut cluster, change);
                }
            }
        }
        for number in 0..5 {
            cluster.record(Change::PodRemoved(numbered("p", number))).unwrap();
        }
        let mut fresh = new();
        for change in last.into_values() {
            storage(&mut fresh, change);
        }
        prop_assert_eq!(shown(&cluster), shown(&fresh));
    }
}
