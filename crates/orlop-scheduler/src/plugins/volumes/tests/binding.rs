use super::*;

const PLUGIN: &str = "VolumeBinding";
const UNREACHED: &str = "UU: node(s) didn't match PersistentVolume's node affinity";
const NONE_TO_BIND: &str = "UU: node(s) didn't find available persistent volumes to bind";
const NO_ROOM: &str = "UU: node(s) did not have enough free storage";
const NO_VOLUME: &str = "UU: node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

fn zones() -> [Value; 2] {
    [node("a", json!({"zone": "z1"})), node("b", json!({"zone": "z2"}))]
}

fn new(claims: &[&str]) -> Value {
    pod("new", "", &claims.iter().map(|name| of_claim(name)).collect::<Vec<_>>())
}

/// What `new` gets on a node: volumes with their claims, and claims that volumes are made for.
fn planned(engine: &Engine, pod: &Value, node: &str) -> (Vec<(String, String)>, Vec<String>) {
    let plan = VolumeBinding.plan(&read::<Pod>(pod), node, engine.cluster().view()).unwrap();
    let volumes = plan.volumes.iter().map(|volume| {
        (volume.metadata.name.to_string(), volume.spec.claim_ref.as_ref().unwrap().name.to_string())
    });
    let claims = plan.claims.iter().map(|claim| claim.metadata.name.to_string());
    (volumes.collect(), claims.collect())
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(volume, claim)| ((*volume).to_owned(), (*claim).to_owned())).collect()
}

#[test]
fn claims_that_are_not_ready_are_told() {
    let deleted = json!({"metadata": {"deletionTimestamp": "2026-03-01T00:00:00Z"}});
    let engine = engine(&[
        node("a", json!({})),
        local(),
        class("now", json!("Immediate"), "p", json!({})),
        class("odd", json!(null), "p", json!({})),
        claim("lost", "", "1Gi", json!({"spec": {"volumeName": "gone"}, "status": {"phase": "Lost"}})),
        claim("deleted", "", "1Gi", deleted),
        claim("pending", "now", "1Gi", json!({})),
        claim("classless", "", "1Gi", json!({})),
        claim("unclassed", "nowhere", "1Gi", json!({})),
        claim("prebound", "local", "1Gi", json!({"spec": {"volumeName": "pv"}})),
        claim("strange", "odd", "1Gi", json!({})),
    ]);
    let immediate = "UU: pod has unbound immediate PersistentVolumeClaims";
    for (name, want) in [
        ("other", "UU: persistentvolumeclaim \"other\" not found"),
        ("lost", "UU: persistentvolumeclaim \"lost\" bound to non-existent persistentvolume \"gone\""),
        ("deleted", "UU: persistentvolumeclaim \"deleted\" is being deleted"),
        ("pending", immediate),
        ("classless", immediate),
        ("unclassed", immediate),
        ("prebound", immediate),
        ("strange", "Error: VolumeBindingMode not set for StorageClass \"odd\""),
    ] {
        check_before(&engine, PLUGIN, &new(&[name]), want);
    }
    let waiting =
        "UU: waiting for ephemeral volume controller to create the persistentvolumeclaim \"new-v0\"";
    check_before(&engine, PLUGIN, &pod("new", "", &[json!({"ephemeral": {}})]), waiting);
    check_before(&engine, PLUGIN, &pod("new", "", &[json!({"emptyDir": {}})]), "Skip");
}

#[test]
fn bound_volumes_have_to_be_reached() {
    let mut objects = zones().to_vec();
    objects.extend([
        volume("pv", "", "1Gi", json!({"spec": {"nodeAffinity": reached_from("z1")}})),
        volume("anywhere", "", "1Gi", json!({})),
        bound("data", "pv"),
        bound("any", "anywhere"),
        bound("lost", "gone"),
    ]);
    let engine = engine(&objects);
    check(&engine, PLUGIN, &new(&["data", "any"]), "Success", &[("b", UNREACHED)]);
    check(&engine, PLUGIN, &new(&["lost", "data"]), "Success", &[("a", NO_VOLUME), ("b", NO_VOLUME)]);
    check_before(&engine, PLUGIN, &new(&["any"]), "Skip");
    // The first that is wrong is told.
    check(&engine, PLUGIN, &new(&["data", "lost"]), "Success", &[("a", NO_VOLUME), ("b", UNREACHED)]);
    assert!(VolumeBinding.plan(&read(&new(&["any"])), "a", engine.cluster().view()).unwrap().is_empty());
}

#[test]
fn migrated_volumes_are_reached_by_the_drivers_labels() {
    let csi_node = |name: &str, migrated: &str| {
        json!({"kind": "CSINode", "spec": {"drivers": []}, "metadata": {"name": name,
            "annotations": {"storage.alpha.kubernetes.io/migrated-plugins": migrated}}})
    };
    let disk = |id: &str| {
        let affinity = json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["z1"]}]}]}});
        json!({"spec": {"awsElasticBlockStore": {"volumeID": id}, "nodeAffinity": affinity}})
    };
    let engine = engine(&[
        node("old", json!({"topology.kubernetes.io/zone": "z1"})),
        node("new", json!({"topology.ebs.csi.aws.com/zone": "z1"})),
        csi_node("new", "kubernetes.io/aws-ebs"),
        csi_node("old", ""),
        node("half", json!({"topology.kubernetes.io/zone": "z1"})),
        csi_node("half", "kubernetes.io/aws-ebs"),
        volume("pv", "", "1Gi", disk("vol-1")),
        volume("bad", "", "1Gi", disk("aws://z/x")),
        bound("data", "pv"),
        bound("odd", "bad"),
    ]);
    check(&engine, PLUGIN, &super::pod("p", "", &[of_claim("data")]), "Success", &[("half", UNREACHED)]);
    let why = "Error: could not translate pv: failed to translate Kubernetes ID to EBS Volume ID Invalid format \
               for AWS volume (aws://z/x)";
    check(&engine, PLUGIN, &new(&["odd"]), "Success", &[("half", why), ("new", why)]);
}

#[test]
fn the_smallest_volume_that_fits_is_taken() {
    let with = |more: Value| json!({"spec": more});
    let mut objects = zones().to_vec();
    objects.extend([
        local(),
        claim("data", "local", "2Gi", json!({})),
        volume("small", "local", "1Gi", json!({})),
        volume("e", "local", "5Gi", json!({})),
        volume("d", "local", "4Gi", json!({})),
        volume("c", "local", "4096Mi", json!({})),
        volume("far", "local", "3Gi", with(json!({"nodeAffinity": reached_from("z2")}))),
        volume("classless", "", "2Gi", json!({})),
        volume("block", "local", "2Gi", with(json!({"volumeMode": "Block"}))),
        volume("modes", "local", "2Gi", with(json!({"accessModes": ["ReadOnlyMany"]}))),
        volume("attributes", "local", "2Gi", with(json!({"volumeAttributesClassName": "gold"}))),
        volume("released", "local", "2Gi", json!({"status": {"phase": "Released"}})),
        volume("deleted", "local", "2Gi", json!({"metadata": {"deletionTimestamp": "2026-03-01T00:00:00Z"}})),
        volume("taken", "local", "2Gi", with(json!({"claimRef": {"namespace": "ns", "name": "x"}}))),
    ]);
    let engine = engine(&objects);
    let data = new(&["data"]);
    check(&engine, PLUGIN, &data, "Success", &[]);
    assert_eq!(planned(&engine, &data, "a"), (pairs(&[("c", "data")]), vec![]));
    assert_eq!(planned(&engine, &data, "b"), (pairs(&[("far", "data")]), vec![]));
    let plan = VolumeBinding.plan(&read(&data), "a", engine.cluster().view()).unwrap();
    let reference = serde_json::to_value(&plan.volumes[0].spec.claim_ref).unwrap();
    assert_eq!(
        reference,
        json!({"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": "ns", "name": "data", "uid": "data-uid"})
    );
    assert_eq!(plan.volumes[0].metadata.annotations["pv.kubernetes.io/bound-by-controller"], "yes");
}

#[test]
fn small_claims_choose_first_and_no_volume_twice() {
    let mut objects = zones().to_vec();
    objects.extend([
        local(),
        claim("big", "local", "3Gi", json!({})),
        claim("small", "local", "1Gi", json!({})),
        claim("gold", "local", "1Gi", json!({"spec": {"selector": {"matchLabels": {"tier": "gold"}}}})),
        volume("v2", "local", "2Gi", json!({})),
        volume("v4", "local", "4Gi", json!({"metadata": {"labels": {"tier": "gold"}}})),
    ]);
    let engine = engine(&objects);
    let both = new(&["big", "small", "big"]);
    assert_eq!(planned(&engine, &both, "a"), (pairs(&[("v2", "small"), ("v4", "big")]), vec![]));
    let want = [("a", NONE_TO_BIND), ("b", NONE_TO_BIND)];
    check(&engine, PLUGIN, &new(&["big", "gold"]), "Success", &want);
    let selected = json!({"spec": {"selector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}}});
    let mut engine = engine;
    engine.record(change("PersistentVolumeClaim", &claim("odd", "local", "1Gi", selected))).unwrap();
    let (before, _) = told(&engine, PLUGIN, &new(&["odd"]));
    assert!(
        before.starts_with("Error: error creating internal label selector for claim: ns/odd: "),
        "{before}"
    );
}

#[test]
fn a_volume_reserved_for_a_claim_wins_or_nothing_does() {
    let reserved =
        json!({"claimRef": {"namespace": "ns", "name": "data"}, "nodeAffinity": reached_from("z1")});
    let mut objects = zones().to_vec();
    objects.extend([
        local(),
        claim("data", "local", "1Gi", json!({})),
        volume("free", "local", "1Gi", json!({})),
        volume("reserved", "local", "9Gi", json!({"spec": reserved, "status": {"phase": "Pending"}})),
    ]);
    let engine = engine(&objects);
    check(&engine, PLUGIN, &new(&["data"]), "Success", &[("b", NONE_TO_BIND)]);
    let plan = VolumeBinding.plan(&read(&new(&["data"])), "a", engine.cluster().view()).unwrap();
    assert_eq!(plan.volumes[0].metadata.name, "reserved");
    assert_eq!(plan.volumes[0].spec.claim_ref.as_ref().unwrap().uid, "data-uid");
    assert!(plan.volumes[0].metadata.annotations.is_empty(), "a user has reserved it");
}

#[test]
fn volumes_are_made_where_the_class_allows() {
    let topologies = json!({"allowedTopologies": [
        {"matchLabelExpressions": []},
        {"matchLabelExpressions": [{"key": "zone", "values": ["z1", "z3"]}]},
    ]});
    let mut objects = zones().to_vec();
    objects.extend([
        local(),
        class("fast", json!("WaitForFirstConsumer"), "d", topologies),
        class("any", json!("WaitForFirstConsumer"), "d", json!({})),
        claim("data", "fast", "1Gi", json!({})),
        claim("more", "any", "1Gi", json!({})),
        claim("static", "local", "1Gi", json!({})),
        volume("pv", "local", "1Gi", json!({"spec": {"nodeAffinity": reached_from("z1")}})),
    ]);
    let engine = engine(&objects);
    check(&engine, PLUGIN, &new(&["data"]), "Success", &[("b", NONE_TO_BIND)]);
    check(&engine, PLUGIN, &new(&["more"]), "Success", &[]);
    let all = new(&["static", "more", "data"]);
    check(&engine, PLUGIN, &all, "Success", &[("b", NONE_TO_BIND)]);
    let made = vec!["more".to_owned(), "data".to_owned()];
    assert_eq!(planned(&engine, &all, "a"), (pairs(&[("pv", "static")]), made));
}

#[test]
fn a_volume_being_made_keeps_its_node() {
    let selected = json!({"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "a"}}});
    let mut objects = zones().to_vec();
    objects.extend([
        class("any", json!("WaitForFirstConsumer"), "d", json!({})),
        claim("data", "any", "1Gi", selected),
        claim("more", "any", "1Gi", json!({})),
        bound("lost", "gone"),
    ]);
    let engine = engine(&objects);
    check(&engine, PLUGIN, &new(&["data"]), "Success", &[("b", NONE_TO_BIND)]);
    assert_eq!(planned(&engine, &new(&["more", "data"]), "a").1, ["data", "more"]);
    // Reasons in kube-scheduler's order, which is not that of their finding.
    let both = "UU: node(s) didn't find available persistent volumes to bind, node(s) unavailable due to one or \
                more pvc(s) bound to non-existent pv(s)";
    check(&engine, PLUGIN, &new(&["lost", "data"]), "Success", &[("a", NO_VOLUME), ("b", both)]);
}

#[test]
fn drivers_that_tell_their_room_are_believed() {
    let driver = |tells: bool| json!({"kind": "CSIDriver", "metadata": {"name": "d"}, "spec": {"storageCapacity": tells}});
    let capacity = |name: &str, class: &str, topology: Value, capacity: Value, most: Value| {
        json!({"kind": "CSIStorageCapacity", "metadata": {"namespace": "s", "name": name}, "storageClassName": class,
            "nodeTopology": topology, "capacity": capacity, "maximumVolumeSize": most})
    };
    let zone = |zone: &str| json!({"matchLabels": {"zone": zone}});
    let base = |tells: bool| {
        let mut objects = zones().to_vec();
        objects.extend([
            driver(tells),
            class("any", json!("WaitForFirstConsumer"), "d", json!({})),
            claim("data", "any", "2Gi", json!({})),
        ]);
        objects
    };
    let (a, b) = (("a", NO_ROOM), ("b", NO_ROOM));
    let cases = [
        (vec![], vec![a, b]),
        (vec![capacity("c", "any", zone("z1"), json!("2Gi"), json!(null))], vec![b]),
        (vec![capacity("c", "any", zone("z1"), json!("1Gi"), json!(null))], vec![a, b]),
        (vec![capacity("c", "any", zone("z1"), json!("9Gi"), json!("1Gi"))], vec![a, b]),
        (vec![capacity("c", "any", zone("z1"), json!(null), json!("3Gi"))], vec![b]),
        (vec![capacity("c", "any", zone("z1"), json!(null), json!(null))], vec![a, b]),
        (vec![capacity("c", "any", json!(null), json!("9Gi"), json!(null))], vec![a, b]),
        (vec![capacity("c", "any", json!({}), json!("9Gi"), json!(null))], vec![]),
        (vec![capacity("c", "other", json!({}), json!("9Gi"), json!(null))], vec![a, b]),
        (
            vec![
                capacity("c", "any", zone("z1"), json!("1Gi"), json!(null)),
                capacity(
                    "d",
                    "any",
                    json!({"matchExpressions": [{"key": "zone", "operator": "Exists"}]}),
                    json!("2Gi"),
                    json!(null),
                ),
            ],
            vec![],
        ),
    ];
    for (capacities, want) in cases {
        let engine = engine(&[base(true), capacities].concat());
        check(&engine, PLUGIN, &new(&["data"]), "Success", &want);
    }
    check(&engine(&base(false)), PLUGIN, &new(&["data"]), "Success", &[]);
    let mut unsized_claim = base(true);
    unsized_claim.push(claim("data", "any", "1Gi", json!({"spec": {"resources": {"requests": null}}})));
    check(&engine(&unsized_claim), PLUGIN, &new(&["data"]), "Success", &[]);
}

#[test]
fn assumed_volumes_are_gone_for_others() {
    let mut objects = zones().to_vec();
    objects.extend([
        local(),
        claim("one", "local", "1Gi", json!({})),
        claim("two", "local", "1Gi", json!({})),
        volume("v1", "local", "1Gi", json!({"spec": {"nodeAffinity": reached_from("z1")}})),
        volume("v2", "local", "2Gi", json!({"spec": {"nodeAffinity": reached_from("z1")}})),
    ]);
    let mut engine = engine(&objects);
    let before = engine.cluster().fingerprint();
    let first = read::<Pod>(&pod("first", "", &[of_claim("one")]));
    engine.record(Change::PodAssumed { pod: Arc::clone(&first), node: "a".into() }).unwrap();
    assert_eq!(engine.cluster().view().volumes().assumed("first-uid").unwrap().volumes.len(), 1);
    let two = pod("second", "", &[of_claim("two")]);
    assert_eq!(planned(&engine, &two, "a").0, pairs(&[("v2", "two")]));
    // Who shares the claim shares the volume.
    assert_eq!(planned(&engine, &pod("third", "", &[of_claim("one")]), "a").0, pairs(&[("v1", "one")]));
    engine.record(Change::PodAssumed { pod: read(&two), node: "a".into() }).unwrap();
    engine.record(change("PersistentVolumeClaim", &claim("three", "local", "1Gi", json!({})))).unwrap();
    let three = pod("fourth", "", &[of_claim("three")]);
    check(&engine, PLUGIN, &three, "Success", &[("a", NONE_TO_BIND), ("b", NONE_TO_BIND)]);
    engine.record(Change::PodForgot("second-uid".into())).unwrap();
    engine.record(Change::PodForgot("first-uid".into())).unwrap();
    assert_eq!(engine.cluster().fingerprint(), before);
    // A pod that cannot be assumed takes nothing.
    engine.record(Change::PodAssumed { pod: Arc::clone(&first), node: "gone".into() }).unwrap_err();
    assert_eq!(engine.cluster().fingerprint(), before);
}

#[test]
fn binding_goes_on_until_all_is_bound() {
    let mut objects = zones().to_vec();
    objects.extend([
        local(),
        class("any", json!("WaitForFirstConsumer"), "d", json!({})),
        claim("data", "local", "1Gi", json!({"metadata": {"resourceVersion": "1"}})),
        claim("made", "any", "1Gi", json!({"metadata": {"resourceVersion": "2"}})),
        volume(
            "pv",
            "local",
            "1Gi",
            json!({"metadata": {"resourceVersion": "3"}, "spec": {"nodeAffinity": reached_from("z1")}}),
        ),
    ]);
    let mut engine = engine(&objects);
    let pod = read::<Pod>(&new(&["data", "made"]));
    engine.record(Change::PodAssumed { pod, node: "a".into() }).unwrap();
    let mut plan = BindPlan::clone(engine.cluster().view().volumes().assumed("new-uid").unwrap());
    // As the server answers.
    Arc::make_mut(&mut plan.volumes[0]).metadata.resource_version = "10".into();
    Arc::make_mut(&mut plan.claims[0]).metadata.resource_version = "11".into();
    let progress = |engine: &Engine| plan.progress("new-uid", "a", engine.cluster().view());
    let failed = |why: &str| BindProgress::Failed(why.to_owned());
    assert_eq!(progress(&engine), BindProgress::Wait);
    // The volume is seen as written, and then its claim as bound.
    let mut written = serde_json::to_value(&*plan.volumes[0]).unwrap();
    let written_claim = serde_json::to_value(&*plan.claims[0]).unwrap();
    engine.record(change("PersistentVolume", &written)).unwrap();
    assert_eq!(progress(&engine), BindProgress::Wait);
    engine.record(change("PersistentVolumeClaim", &bound("data", "pv"))).unwrap();
    assert_eq!(progress(&engine), BindProgress::Wait);
    engine.record(change("PersistentVolumeClaim", &written_claim)).unwrap();
    assert_eq!(progress(&engine), BindProgress::Wait);

    let with = |annotations: Value, volume: &str| {
        let meta = json!({"resourceVersion": "20", "annotations": annotations});
        claim("made", "any", "1Gi", json!({"metadata": meta, "spec": {"volumeName": volume}}))
    };
    let selected = "volume.kubernetes.io/selected-node";
    let done = json!({selected: "a", "pv.kubernetes.io/bind-completed": "yes"});
    let mut see = |object: &Value| {
        engine.record(change(object["kind"].as_str().unwrap(), object)).unwrap();
        progress(&engine)
    };
    assert_eq!(see(&with(json!({}), "")), failed("selectedNode annotation reset for PVC \"made\""));
    assert_eq!(see(&with(json!({"x": "y"}), "")), failed("provisioning failed for PVC \"made\""));
    assert_eq!(see(&with(json!({selected: "b"}), "")), failed("provisioning failed for PVC \"made\""));
    assert_eq!(see(&with(done, "new-pv")), BindProgress::Wait, "the volume is not seen yet");
    let unreached = volume("new-pv", "any", "1Gi", json!({"spec": {"nodeAffinity": reached_from("z2")}}));
    assert_eq!(
        see(&unreached),
        failed("pv \"new-pv\" node affinity doesn't match node \"a\": no matching NodeSelectorTerms")
    );
    assert_eq!(see(&volume("new-pv", "any", "1Gi", json!({}))), BindProgress::Done);
    written["kind"] = json!("PersistentVolume");
    written["metadata"]["resourceVersion"] = json!("30");
    written["spec"]["claimRef"] = json!(null);
    assert_eq!(see(&written), failed("ClaimRef got reset for pv \"pv\""));
    engine.record(Change::PodRemoved("new-uid".into())).unwrap();
    assert_eq!(progress(&engine), failed("pod does not exist any more: pod \"new-uid\" not found"));
    engine.record(Change::NodeRemoved("a".into())).unwrap();
    assert_eq!(progress(&engine), failed("failed to get node \"a\": node \"a\" not found"));
}

#[test]
fn it_wakes_for_what_may_give_a_volume() {
    let new = read::<Pod>(&pod("new", "", &[of_claim("data"), json!({"ephemeral": {}})]));
    let wakes = |event: &ClusterEvent| VolumeBinding.hint(&new, event) == Hint::Queue;
    let updated = |old: Value, new: Value| wakes(&event(Some(&old), Some(&new)));
    assert!(wakes(&ClusterEvent::NodeAdded(read(&node("a", json!({}))))));
    assert!(wakes(&relabelled()));
    assert!(wakes(&event(None, Some(&local()))));
    let topologies =
        json!({"allowedTopologies": [{"matchLabelExpressions": [{"key": "z", "values": ["1"]}]}]});
    let mode = json!("WaitForFirstConsumer");
    assert!(updated(class("c", mode.clone(), "p", json!({})), class("c", mode.clone(), "p", topologies)));
    assert!(!updated(class("c", mode.clone(), "p", json!({})), class("c", mode, "q", json!({}))));
    assert!(wakes(&event(None, Some(&claim("data", "", "1Gi", json!({}))))));
    assert!(wakes(&event(None, Some(&claim("new-v1", "", "1Gi", json!({}))))));
    assert!(!wakes(&event(None, Some(&claim("log", "", "1Gi", json!({}))))));
    let pv = volume("pv", "", "1Gi", json!({}));
    assert!(wakes(&event(None, Some(&pv))) && updated(pv.clone(), pv.clone()));
    assert!(!wakes(&event(Some(&pv), None)));
    let csi = |migrated: &str| {
        json!({"kind": "CSINode", "spec": {"drivers": []}, "metadata": {"name": "a",
            "annotations": {"storage.alpha.kubernetes.io/migrated-plugins": migrated}}})
    };
    assert!(
        wakes(&event(None, Some(&csi("")))) && updated(csi(""), csi("x")) && !updated(csi("x"), csi("x"))
    );
    let driver = |tells: Value| json!({"kind": "CSIDriver", "metadata": {"name": "d"}, "spec": {"storageCapacity": tells}});
    assert!(updated(driver(json!(true)), driver(json!(null))));
    assert!(!updated(driver(json!(false)), driver(json!(true))));
    assert!(!wakes(&event(None, Some(&driver(json!(true))))));
    let room = |size: Value| json!({"kind": "CSIStorageCapacity", "metadata": {"namespace": "s", "name": "c"}, "storageClassName": "c", "capacity": size});
    assert!(wakes(&event(None, Some(&room(json!("1Gi"))))));
    assert!(
        updated(room(json!("1Gi")), room(json!("2Gi"))) && updated(room(json!(null)), room(json!("2Gi")))
    );
    assert!(
        !updated(room(json!("2Gi")), room(json!("1Gi"))) && !updated(room(json!("2Gi")), room(json!(null)))
    );
    // Decided and then forgotten: its volumes are free again.
    assert!(wakes(&ClusterEvent::PodGone(read(&pod("gone", "", &[of_claim("x")])))));
    assert!(!wakes(&ClusterEvent::PodGone(read(&pod("gone", "a", &[of_claim("x")])))));
}
