use super::*;

const PLUGIN: &str = "VolumeRestrictions";
const DISK: &str = "U: node(s) had no available disk";
const IN_USE: &str = "U: node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode \
                      already in-use by another pod";

#[test]
fn a_disk_is_on_a_node_once() {
    let gce =
        |name: &str, read_only: bool| json!({"gcePersistentDisk": {"pdName": name, "readOnly": read_only}});
    let aws =
        |id: &str, read_only: bool| json!({"awsElasticBlockStore": {"volumeID": id, "readOnly": read_only}});
    let iscsi = |iqn: &str, read_only: bool| json!({"iscsi": {"iqn": iqn, "targetPortal": "p", "lun": 0, "readOnly": read_only}});
    let rbd = |monitors: &[&str], pool: &str, image: &str, read_only: bool| json!({"rbd": {"monitors": monitors, "pool": pool, "image": image, "readOnly": read_only}});
    let cases = [
        (gce("d", false), gce("d", false), true),
        (gce("d", true), gce("d", false), true),
        (gce("d", true), gce("d", true), false),
        (gce("d", false), gce("e", false), false),
        (aws("d", true), aws("d", true), true),
        (aws("d", false), aws("e", false), false),
        (iscsi("d", true), iscsi("d", false), true),
        (iscsi("d", true), iscsi("d", true), false),
        (rbd(&["a", "b"], "p", "i", false), rbd(&["b", "c"], "p", "i", true), true),
        (rbd(&["a", "b"], "p", "i", true), rbd(&["b", "c"], "p", "i", true), false),
        (rbd(&["a"], "p", "i", false), rbd(&["b"], "p", "i", false), false),
        (rbd(&["a"], "p", "i", false), rbd(&["a"], "q", "i", false), false),
        (rbd(&["a"], "p", "i", false), rbd(&["a"], "p", "j", false), false),
        (gce("d", false), aws("d", false), false),
    ];
    for (mine, theirs, conflict) in cases {
        let engine = engine(&[
            node("a", json!({})),
            node("b", json!({})),
            pod("other", "a", std::slice::from_ref(&theirs)),
        ]);
        let nodes: &[_] = if conflict { &[("a", DISK)] } else { &[] };
        check(&engine, PLUGIN, &pod("new", "", &[mine]), "Success", nodes);
    }
}

#[test]
fn pods_without_such_volumes_cost_nothing() {
    let engine = engine(&[node("a", json!({})), claim("data", "", "1Gi", json!({}))]);
    for sources in [
        vec![],
        vec![json!({"emptyDir": {}})],
        vec![json!({"cinder": {"volumeID": "c"}})],
        vec![of_claim("data")],
    ] {
        check_before(&engine, PLUGIN, &pod("new", "", &sources), "Skip");
    }
    let missing = pod("new", "", &[of_claim("other")]);
    check_before(&engine, PLUGIN, &missing, "UU: persistentvolumeclaim \"other\" not found");
}

#[test]
fn a_claim_for_one_pod_is_taken_in_the_whole_cluster() {
    let once = json!({"spec": {"accessModes": ["ReadWriteOncePod"]}});
    let mut elsewhere = pod("stranger", "b", &[of_claim("data")]);
    elsewhere["metadata"]["namespace"] = json!("other");
    let objects = [
        node("a", json!({})),
        node("b", json!({})),
        claim("data", "", "1Gi", once.clone()),
        claim("log", "", "1Gi", once),
        elsewhere,
    ];
    let mut engine = engine(&objects);
    let new = pod("new", "", &[of_claim("data"), of_claim("log")]);
    check_before(&engine, PLUGIN, &new, "Skip");
    engine.record(change("Pod", &pod("one", "a", &[of_claim("data"), of_claim("data")]))).unwrap();
    check(&engine, PLUGIN, &new, "Success", &[("a", IN_USE), ("b", IN_USE)]);

    // Evicting the user helps, evicting a namesake's user does not.
    engine.record(change("Pod", &pod("two", "b", &[of_claim("log")]))).unwrap();
    let signature = VolumeRestrictions.sign(&read::<Pod>(&new));
    let view = engine.cluster().view();
    let crate::PreFilter::Run(mut state) = VolumeRestrictions.pre_filter(&signature, view) else {
        panic!("the claims are in use")
    };
    let (a, b) = (view.node("a").unwrap(), view.node("b").unwrap());
    let rejects = |state: &_| VolumeRestrictions.filter(&signature, state, a) != crate::Verdict::Pass;
    let placed = |id: &str| engine.cluster().pod(id).unwrap().0;
    VolumeRestrictions.remove_pod(&signature, &mut state, placed("stranger-uid"), b);
    VolumeRestrictions.remove_pod(&signature, &mut state, placed("one-uid"), a);
    assert!(rejects(&state), "two still uses log");
    VolumeRestrictions.remove_pod(&signature, &mut state, placed("two-uid"), b);
    assert!(!rejects(&state));
    VolumeRestrictions.add_pod(&signature, &mut state, placed("one-uid"), a);
    assert!(rejects(&state));
}

#[test]
fn it_wakes_for_what_gives_something_back() {
    let wakes = |sources: &[Value], event: &ClusterEvent| {
        VolumeRestrictions.hint(&read::<Pod>(&pod("new", "", sources)), event) == Hint::Queue
    };
    let gone = |sources: &[Value]| ClusterEvent::PodGone(read(&pod("gone", "a", sources)));
    let disk = json!({"awsElasticBlockStore": {"volumeID": "d"}});
    assert!(wakes(std::slice::from_ref(&disk), &gone(std::slice::from_ref(&disk))));
    assert!(!wakes(&[disk], &gone(&[of_claim("data")])));
    assert!(wakes(&[of_claim("data")], &gone(&[of_claim("data")])));
    let mut stranger = pod("gone", "a", &[of_claim("data")]);
    stranger["metadata"]["namespace"] = json!("other");
    assert!(!wakes(&[of_claim("data")], &ClusterEvent::PodGone(read(&stranger))));
    assert!(wakes(&[], &ClusterEvent::NodeAdded(read(&node("a", json!({}))))));
    let added = event(None, Some(&claim("data", "", "1Gi", json!({}))));
    assert!(wakes(&[of_claim("data")], &added));
    assert!(!wakes(&[of_claim("log")], &added));
    let object = claim("data", "", "1Gi", json!({}));
    assert!(!wakes(&[of_claim("data")], &event(Some(&object), Some(&object))));
}
