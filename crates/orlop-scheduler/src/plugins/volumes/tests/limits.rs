use super::*;

const PLUGIN: &str = "NodeVolumeLimits";
const FULL: &str = "U: node(s) exceed max volume count";

fn csi_node(name: &str, limits: &[(&str, Option<i64>)], migrated: &str) -> Value {
    let drivers: Vec<Value> = limits
        .iter()
        .map(|(driver, count)| {
            json!({"name": driver, "nodeID": name, "topologyKeys": [], "allocatable": count.map(|count| json!({"count": count}))})
        })
        .collect();
    json!({"kind": "CSINode", "spec": {"drivers": drivers}, "metadata": {"name": name,
        "annotations": {"storage.alpha.kubernetes.io/migrated-plugins": migrated}}})
}

fn csi(name: &str, driver: &str) -> [Value; 2] {
    let source = json!({"spec": {"csi": {"driver": driver, "volumeHandle": format!("{name}-handle")}}});
    [volume(name, "", "1Gi", source), bound(name, name)]
}

fn attachment(name: &str, attacher: &str, node: &str, volume: &str) -> Value {
    json!({"kind": "VolumeAttachment", "metadata": {"name": name}, "spec": {
        "attacher": attacher, "nodeName": node, "source": {"persistentVolumeName": volume}}})
}

#[test]
fn volumes_of_a_driver_are_counted() {
    let mut objects = vec![
        node("a", json!({})),
        node("b", json!({})),
        csi_node("a", &[("d", Some(2)), ("e", None)], ""),
        pod("old", "a", &[of_claim("v1"), of_claim("w1"), of_claim("missing")]),
    ];
    for (name, driver) in [("v1", "d"), ("v2", "d"), ("v3", "d"), ("w1", "e"), ("w2", "e")] {
        objects.extend(csi(name, driver));
    }
    let engine = |more: &[Value]| super::engine(&[&objects[..], more].concat());
    let new = |claims: &[&str]| pod("new", "", &claims.iter().map(|name| of_claim(name)).collect::<Vec<_>>());
    let plain = engine(&[]);
    check(&plain, PLUGIN, &new(&["v2"]), "Success", &[]);
    check(&plain, PLUGIN, &new(&["v2", "v3"]), "Success", &[("a", FULL)]);
    // Shared volumes, and those of drivers without a limit, cost nothing.
    check(&plain, PLUGIN, &new(&["v1", "v2", "w1", "w2"]), "Success", &[]);
    check(&plain, PLUGIN, &new(&["v2", "v2"]), "Success", &[]);
    // What is attached counts, unless a pod of the node uses it; what only the new pod uses twice.
    check(&engine(&[attachment("x", "d", "a", "v1")]), PLUGIN, &new(&["v2"]), "Success", &[]);
    check(&engine(&[attachment("x", "d", "a", "v3")]), PLUGIN, &new(&["v2"]), "Success", &[("a", FULL)]);
    check(&engine(&[attachment("x", "d", "a", "v2")]), PLUGIN, &new(&["v2"]), "Success", &[("a", FULL)]);
    check(&engine(&[attachment("x", "d", "b", "v3")]), PLUGIN, &new(&["v2"]), "Success", &[]);
    check(&engine(&[attachment("x", "d", "a", "gone")]), PLUGIN, &new(&["v2"]), "Success", &[]);
}

#[test]
fn without_limits_it_costs_nothing() {
    let mut objects = vec![node("a", json!({})), csi_node("a", &[("d", None)], "")];
    objects.extend(csi("v1", "d"));
    let mut engine = engine(&objects);
    let new = pod("new", "", &[of_claim("v1")]);
    check_before(&engine, PLUGIN, &new, "Skip");
    engine.record(change("CSINode", &csi_node("b", &[("e", Some(1))], ""))).unwrap();
    check_before(&engine, PLUGIN, &new, "Success");
    engine.record(change("CSINode", &csi_node("b", &[("e", Some(2))], ""))).unwrap();
    engine.record(StorageChange::CsiNodeRemoved("b".into()).into()).unwrap();
    check_before(&engine, PLUGIN, &new, "Skip");
    let missing = "UU: looking up PVC ns/other: persistentvolumeclaim \"other\" not found";
    check(&engine, PLUGIN, &pod("new", "", &[of_claim("other")]), "Success", &[("a", missing)]);
}

#[test]
fn claims_without_a_volume_count_for_the_class() {
    let engine = engine(&[
        node("a", json!({})),
        csi_node("a", &[("d", Some(1))], ""),
        class("c", json!("WaitForFirstConsumer"), "d", json!({})),
        claim("one", "c", "1Gi", json!({})),
        claim("two", "c", "1Gi", json!({})),
        claim("lost", "c", "1Gi", json!({"spec": {"volumeName": "gone"}})),
        claim("classless", "", "1Gi", json!({})),
        claim("unclassed", "nowhere", "1Gi", json!({})),
        pod("old", "a", &[of_claim("one")]),
    ]);
    for (name, nodes) in [
        ("one", &[][..]),
        ("two", &[("a", FULL)]),
        ("lost", &[("a", FULL)]),
        ("classless", &[]),
        ("unclassed", &[]),
        ("other", &[("a", "UU: looking up PVC ns/other: persistentvolumeclaim \"other\" not found")]),
        ("", &[("a", "Error: PersistentVolumeClaim had no name")]),
    ] {
        check(&engine, PLUGIN, &pod("new", "", &[of_claim(name)]), "Success", nodes);
    }
}

#[test]
fn claims_of_ephemeral_volumes_are_the_pods_own() {
    let owner = |uid: &str| {
        json!({"metadata": {"ownerReferences": [
            {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": uid, "controller": true}]}})
    };
    let objects = |uid: &str| {
        [
            node("a", json!({})),
            csi_node("a", &[("d", Some(0))], ""),
            class("c", json!("WaitForFirstConsumer"), "d", json!({})),
            claim("new-v0", "c", "1Gi", owner(uid)),
        ]
    };
    let new = pod("new", "", &[json!({"ephemeral": {}})]);
    check(&engine(&objects("new-uid")), PLUGIN, &new, "Success", &[("a", FULL)]);
    let why = "PVC ns/new-v0 was not created for pod ns/new (pod is not owner)";
    let error = format!("Error: {why}");
    check(&engine(&objects("old-uid")), PLUGIN, &new, "Success", &[("a", &error)]);
    check_before(&engine(&objects("old-uid")), "VolumeBinding", &new, &format!("UU: {why}"));
}

#[test]
fn in_tree_volumes_count_where_the_driver_stands_in() {
    let aws = |id: &str| json!({"awsElasticBlockStore": {"volumeID": id}});
    let limits = [("ebs.csi.aws.com", Some(1))];
    let engine = engine(&[
        node("a", json!({})),
        node("b", json!({})),
        csi_node("a", &limits, "kubernetes.io/gce-pd,kubernetes.io/aws-ebs"),
        csi_node("b", &limits, ""),
        volume("pv", "", "1Gi", json!({"spec": aws("vol-1")})),
        bound("data", "pv"),
        class("c", json!("WaitForFirstConsumer"), "kubernetes.io/aws-ebs", json!({})),
        claim("new", "c", "1Gi", json!({})),
        pod("old", "a", &[of_claim("data")]),
        pod("older", "b", &[of_claim("data")]),
    ]);
    let full: &[_] = &[("a", FULL)];
    check(&engine, PLUGIN, &pod("new", "", &[aws("aws://z/vol-1")]), "Success", &[]);
    check(&engine, PLUGIN, &pod("new", "", &[aws("vol-2")]), "Success", full);
    check(&engine, PLUGIN, &pod("new", "", &[of_claim("new")]), "Success", full);
    let why = "Error: converting volume(v0) from inline to csi: failed to translate Kubernetes ID to EBS Volume \
               ID Invalid format for AWS volume (aws://z/x)";
    check(&engine, PLUGIN, &pod("new", "", &[aws("aws://z/x")]), "Success", &[("a", why)]);
    for source in [json!({"emptyDir": {}}), json!({"iscsi": {"iqn": "i", "targetPortal": "p", "lun": 0}})] {
        check_before(&engine, PLUGIN, &pod("new", "", &[source]), "Skip");
    }
    check_before(
        &engine,
        PLUGIN,
        &pod("new", "", &[json!({"vsphereVolume": {"volumePath": "v"}})]),
        "Success",
    );
}

#[test]
fn it_wakes_for_room() {
    let new = read::<Pod>(&pod("new", "", &[of_claim("data")]));
    let wakes = |event: &ClusterEvent| NodeVolumeLimits.hint(&new, event) == Hint::Queue;
    let gone = |sources: &[Value]| ClusterEvent::PodGone(read(&pod("gone", "a", sources)));
    assert!(wakes(&gone(&[of_claim("x")])));
    assert!(wakes(&gone(&[json!({"cinder": {"volumeID": "c"}})])));
    assert!(!wakes(&gone(&[json!({"emptyDir": {}})])));
    let (one, two) = (csi_node("a", &[("d", Some(1))], ""), csi_node("a", &[("d", Some(2))], ""));
    assert!(wakes(&event(None, Some(&one))));
    assert!(wakes(&event(Some(&one), Some(&two))));
    assert!(wakes(&event(Some(&one), Some(&csi_node("a", &[], "")))));
    assert!(!wakes(&event(Some(&two), Some(&one))));
    assert!(wakes(&event(None, Some(&claim("data", "", "1Gi", json!({}))))));
    assert!(!wakes(&event(None, Some(&claim("log", "", "1Gi", json!({}))))));
    let detached = event(Some(&attachment("x", "ebs.csi.aws.com", "a", "pv")), None);
    assert!(wakes(&detached));
    let hint = |source: Value| NodeVolumeLimits.hint(&read::<Pod>(&pod("new", "", &[source])), &detached);
    assert_eq!(hint(json!({"awsElasticBlockStore": {"volumeID": "d"}})), Hint::Queue);
    assert_eq!(hint(json!({"gcePersistentDisk": {"pdName": "d"}})), Hint::Skip);
}
