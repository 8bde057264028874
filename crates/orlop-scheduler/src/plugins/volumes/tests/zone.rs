use super::*;

const PLUGIN: &str = "VolumeZone";
const CONFLICT: &str = "UU: node(s) had no available volume zone";
const BETA: &str = "failure-domain.beta.kubernetes.io/zone";
const ZONE: &str = "topology.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";

#[test]
fn nodes_outside_the_volumes_zone_are_turned_down() {
    let labelled = |labels: Value| volume("pv", "", "1Gi", json!({"metadata": {"labels": labels}}));
    let nodes = [
        node("none", json!({"zone": "z1"})),
        node("beta", json!({BETA: "z1"})),
        node("z1", json!({ZONE: "z1", REGION: "r"})),
        node("z2", json!({ZONE: "z2", REGION: "r"})),
        node("region", json!({REGION: "r"})),
    ];
    let all = |names: &[&'static str]| names.iter().map(|name| (*name, CONFLICT)).collect::<Vec<_>>();
    let cases = [
        (json!({ZONE: "z1"}), all(&["beta", "region", "z2"])),
        (json!({ZONE: "z1__ z2"}), all(&["beta", "region"])),
        // An old label of the volume is looked for among the new ones of the node too.
        (json!({BETA: "z1"}), all(&["region", "z2"])),
        (json!({ZONE: "z1", REGION: "s"}), all(&["beta", "region", "z1", "z2"])),
        (json!({REGION: "r"}), all(&["beta"])),
    ];
    for (labels, want) in cases {
        let objects = [&nodes[..], &[labelled(labels.clone()), bound("data", "pv")]].concat();
        check(&engine(&objects), PLUGIN, &pod("new", "", &[of_claim("data")]), "Success", &want);
    }
    for labels in [json!({}), json!({ZONE: "z1__"}), json!({ZONE: ""}), json!({"zone": "z1"})] {
        let objects = [&nodes[..], &[labelled(labels), bound("data", "pv")]].concat();
        check_before(&engine(&objects), PLUGIN, &pod("new", "", &[of_claim("data")]), "Skip");
    }
}

#[test]
fn claims_without_a_volume_are_waited_for() {
    let engine = engine(&[
        node("a", json!({})),
        local(),
        class("now", json!("Immediate"), "p", json!({})),
        class("odd", json!(null), "p", json!({})),
        bound("lost", "gone"),
        claim("classless", "", "1Gi", json!({})),
        claim("waits", "local", "1Gi", json!({})),
        claim("pending", "now", "1Gi", json!({})),
        claim("strange", "odd", "1Gi", json!({})),
        claim("unclassed", "nowhere", "1Gi", json!({})),
    ]);
    let cases = [
        ("waits", "Skip"),
        ("", "UU: PersistentVolumeClaim had no name"),
        ("other", "UU: persistentvolumeclaim \"other\" not found"),
        ("classless", "UU: PersistentVolumeClaim had no pv name and storageClass name"),
        ("unclassed", "UU: storageclass.storage.k8s.io \"nowhere\" not found"),
        ("strange", "UU: VolumeBindingMode not set for StorageClass \"odd\""),
        ("pending", "UU: PersistentVolume had no name"),
        ("lost", "UU: persistentvolume \"gone\" not found"),
    ];
    for (name, want) in cases {
        check_before(&engine, PLUGIN, &pod("new", "", &[of_claim(name)]), want);
    }
    // Claims of ephemeral volumes are none of its business.
    check_before(&engine, PLUGIN, &pod("new", "", &[json!({"ephemeral": {}})]), "Skip");
}

#[test]
fn it_wakes_for_what_may_name_a_zone() {
    let new = read::<Pod>(&pod("new", "", &[of_claim("data")]));
    let wakes = |event: &ClusterEvent| VolumeZone.hint(&new, event) == Hint::Queue;
    assert!(wakes(&ClusterEvent::NodeAdded(read(&node("a", json!({}))))));
    assert!(wakes(&relabelled()));
    assert!(wakes(&event(None, Some(&local()))));
    assert!(!wakes(&event(None, Some(&class("now", json!("Immediate"), "p", json!({}))))));
    let data = claim("data", "", "1Gi", json!({}));
    assert!(wakes(&event(None, Some(&data))));
    assert!(wakes(&event(Some(&data), Some(&bound("data", "pv")))));
    assert!(!wakes(&event(Some(&data), None)));
    assert!(!wakes(&event(None, Some(&claim("log", "", "1Gi", json!({}))))));
    let plain = volume("pv", "", "1Gi", json!({}));
    assert!(wakes(&event(None, Some(&plain))));
    assert!(!wakes(&event(Some(&plain), Some(&volume("pv", "", "2Gi", json!({}))))));
    let labelled = volume("pv", "", "1Gi", json!({"metadata": {"labels": {ZONE: "z"}}}));
    assert!(wakes(&event(Some(&plain), Some(&labelled))));
    assert!(!wakes(&ClusterEvent::PodGone(Arc::clone(&new))));
}
