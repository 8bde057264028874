//! Random clusters: what is chosen, and that it is chosen once.

use std::collections::BTreeMap;

use orlop_model::Quantity;
use orlop_model::core::v1::{PersistentVolume, PersistentVolumeClaim};
use proptest::prelude::*;

use super::*;
use crate::pod_id;

#[derive(Clone, Debug)]
struct Disk {
    size: u8,
    zone: Option<u8>,
    gold: bool,
    shared: bool,
    available: bool,
    /// Number of the claim that it is reserved for.
    reserved: Option<u8>,
}

#[derive(Clone, Debug)]
struct Want {
    size: u8,
    gold: bool,
    shared: bool,
    /// Whether a volume can be made for it.
    made: bool,
}

fn disks() -> impl Strategy<Value = Vec<Disk>> {
    let disk = (
        1..6_u8,
        prop::option::weighted(0.6, 0..3_u8),
        prop::bool::ANY,
        prop::bool::ANY,
        prop::bool::weighted(0.8),
        prop::option::weighted(0.2, 0..12_u8),
    );
    let disk = disk.prop_map(|(size, zone, gold, shared, available, reserved)| Disk {
        size,
        zone,
        gold,
        shared,
        available,
        reserved,
    });
    prop::collection::vec(disk, 0..14)
}

fn wants() -> impl Strategy<Value = Vec<Want>> {
    let want = (1..6_u8, prop::bool::weighted(0.3), prop::bool::weighted(0.3), prop::bool::weighted(0.3));
    let want = want.prop_map(|(size, gold, shared, made)| Want { size, gold, shared, made });
    prop::collection::vec(want, 12)
}

fn modes(shared: bool) -> Value {
    if shared { json!(["ReadWriteOnce", "ReadWriteMany"]) } else { json!(["ReadWriteOnce"]) }
}

/// Three zones with a node each, the disks, and the claims `c0`, `c1`, ….
fn cluster(disks: &[Disk], wants: &[Want]) -> Engine {
    engine(&objects(3, disks, wants))
}

fn objects(nodes: u8, disks: &[Disk], wants: &[Want]) -> Vec<Value> {
    let mut objects: Vec<Value> = (0..nodes)
        .map(|number| {
            let mut node = node(&format!("n{number}"), json!({"zone": format!("z{}", number % 3)}));
            node["status"] = json!({"allocatable": {"cpu": "4", "memory": "4Gi", "pods": "4"}});
            node
        })
        .collect();
    objects.push(class("made", json!("WaitForFirstConsumer"), "d", json!({})));
    objects.push(local());
    for (index, disk) in disks.iter().enumerate() {
        let affinity = disk.zone.map(|zone| reached_from(&format!("z{zone}")));
        let claim = disk.reserved.map(|claim| json!({"namespace": "ns", "name": format!("c{claim}")}));
        let more = json!({
            "metadata": {"labels": {"tier": if disk.gold { "gold" } else { "iron" }}},
            "spec": {"nodeAffinity": affinity, "accessModes": modes(disk.shared), "claimRef": claim},
            "status": {"phase": if disk.available { "Available" } else { "Released" }},
        });
        let class = if index % 4 == 3 { "made" } else { "local" };
        objects.push(volume(&format!("v{index}"), class, &format!("{}Gi", disk.size), more));
    }
    for (index, want) in wants.iter().enumerate() {
        let selector = want.gold.then(|| json!({"matchLabels": {"tier": "gold"}}));
        let more = json!({"spec": {"selector": selector, "accessModes": modes(want.shared)}});
        let class = if want.made { "made" } else { "local" };
        objects.push(claim(&format!("c{index}"), class, &format!("{}Gi", want.size), more));
    }
    objects
}

/// What a claim gets, by looking at every volume: the one that is reserved for it or nothing, else the
/// smallest, of equal ones the first by name.
fn brute_force(
    claim: &PersistentVolumeClaim,
    volumes: &BTreeMap<String, Arc<PersistentVolume>>,
    zone: &str,
    taken: &[String],
) -> Option<String> {
    let storage = |amounts: &orlop_model::Map<Quantity>| amounts.get("storage").cloned().unwrap_or_default();
    let reached = |volume: &PersistentVolume| {
        let required = volume.spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_ref());
        required
            .is_none_or(|required| required.node_selector_terms[0].match_expressions[0].values[0] == *zone)
    };
    let mine = |volume: &PersistentVolume| {
        volume.spec.claim_ref.as_ref().is_some_and(|reference| reference.name == claim.metadata.name)
    };
    let mut fits: Vec<_> = volumes
        .iter()
        .filter(|(_, volume)| claim.spec.storage_class_name.as_ref() == Some(&volume.spec.storage_class_name))
        .filter(|(_, volume)| storage(&volume.spec.capacity) >= storage(&claim.spec.resources.requests))
        .collect();
    if let Some((name, volume)) = fits.iter().find(|(_, volume)| mine(volume)) {
        return reached(volume).then(|| (*name).clone());
    }
    fits.retain(|(name, volume)| {
        volume.spec.claim_ref.is_none()
            && volume.status.phase.as_str() == "Available"
            && claim.spec.selector.as_ref().is_none_or(|_| volume.metadata.labels["tier"] == "gold")
            && claim.spec.access_modes.iter().all(|mode| volume.spec.access_modes.contains(mode))
            && reached(volume)
            && !taken.contains(name)
    });
    fits.into_iter()
        .min_by_key(|(name, volume)| (storage(&volume.spec.capacity), (*name).clone()))
        .map(|(name, _)| name.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Pods with one to three claims each are assumed one after the other: every claim gets what brute
    /// force finds, no volume goes to two claims, and forgetting all of it leaves no trace.
    #[test]
    fn each_volume_is_the_smallest_and_given_once(
        disks in disks(),
        wants in wants(),
        picks in prop::collection::vec((prop::collection::vec(0..12_usize, 1..4), 0..3_usize), 1..8),
    ) {
        let mut engine = cluster(&disks, &wants);
        let before = engine.cluster().fingerprint();
        let mut given: BTreeMap<String, String> = BTreeMap::new();
        let mut assumed = Vec::new();
        for (number, (claims, zone)) in picks.iter().enumerate() {
            let names: Vec<String> = claims.iter().map(|claim| format!("c{claim}")).collect();
            let sources: Vec<Value> = names.iter().map(|name| of_claim(name)).collect();
            let pod = read::<Pod>(&pod(&format!("p{number}"), "", &sources));
            let (node, zone) = (format!("n{zone}"), format!("z{zone}"));
            let view = engine.cluster().view();
            let volumes: BTreeMap<String, Arc<PersistentVolume>> = (0..disks.len())
                .map(|index| format!("v{index}"))
                .map(|name| (name.clone(), Arc::clone(view.volumes().volume(&name).unwrap())))
                .collect();

            let mut waiting: Vec<_> = names.clone();
            waiting.sort();
            waiting.dedup();
            waiting.sort_by_key(|name| names.iter().position(|other| other == name));
            let claim = |name: &String| view.volumes().claim("ns", name).unwrap();
            let (selected, mut waiting): (Vec<String>, Vec<String>) = waiting.into_iter().partition(|name| {
                claim(name).metadata.annotations.contains_key("volume.kubernetes.io/selected-node")
            });
            waiting.sort_by_key(|name| wants[name[1..].parse::<usize>().unwrap()].size);
            let elsewhere = selected
                .iter()
                .any(|name| claim(name).metadata.annotations["volume.kubernetes.io/selected-node"] != *node);
            let mut want_volumes = Vec::new();
            let mut want_made: Vec<String> = selected;
            for name in waiting {
                let taken: Vec<String> = want_volumes.iter().map(|(volume, _): &(String, String)| volume.clone()).collect();
                match brute_force(claim(&name), &volumes, &zone, &taken) {
                    Some(volume) => want_volumes.push((volume, name)),
                    None => want_made.push(name),
                }
            }
            let can = |name: &String| wants[name[1..].parse::<usize>().unwrap()].made;
            let possible = !elsewhere && want_made.iter().all(can);

            let plan = VolumeBinding.plan(&pod, &node, view);
            prop_assert_eq!(plan.is_ok(), possible, "{:?}", plan);
            let Ok(plan) = plan else { continue };
            let got: Vec<(String, String)> = plan
                .volumes
                .iter()
                .map(|volume| {
                    (volume.metadata.name.to_string(), volume.spec.claim_ref.as_ref().unwrap().name.to_string())
                })
                .collect();
            prop_assert_eq!(&got, &want_volumes);
            let made: Vec<String> = plan.claims.iter().map(|claim| claim.metadata.name.to_string()).collect();
            prop_assert_eq!(made, want_made);
            for (volume, claim) in got {
                let owner = given.entry(volume).or_insert_with(|| claim.clone());
                prop_assert_eq!(&*owner, &claim, "a volume goes to one claim");
            }
            let here = engine.cluster().fingerprint();
            let assume = Change::PodAssumed { pod: Arc::clone(&pod), node: node.as_str().into() };
            engine.record(assume.clone()).unwrap();
            engine.record(Change::PodForgot(pod_id(&pod))).unwrap();
            prop_assert_eq!(engine.cluster().fingerprint(), here, "forgetting undoes assuming");
            engine.record(assume).unwrap();
            assumed.push(pod_id(&pod));
        }
        for id in assumed.into_iter().rev() {
            engine.record(Change::PodForgot(id)).unwrap();
        }
        prop_assert_eq!(engine.cluster().fingerprint(), before);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// With claims or without, an engine that keeps what it found decides as one that looks at everything.
    #[test]
    fn what_is_kept_does_not_matter(
        disks in disks(),
        wants in wants(),
        pods in prop::collection::vec((prop::collection::vec(0..12_usize, 0..3), 0..3_u8, 0..6_u8), 1..24),
    ) {
        let mut engine = engine_with(Profile::kubernetes(), &objects(7, &disks, &wants));
        let mut placed: Vec<orlop_model::Str> = Vec::new();
        for (number, (claims, app, fate)) in pods.into_iter().enumerate() {
            let sources: Vec<Value> = claims.iter().map(|claim| of_claim(&format!("c{claim}"))).collect();
            let mut pod = pod(&format!("p{number}"), "", &sources);
            pod["metadata"]["labels"] = json!({"app": app.to_string()});
            pod["spec"]["containers"] = json!([{"name": "c", "resources": {"requests": {"cpu": app.to_string()}}}]);
            let pod = read::<Pod>(&pod);
            let want = engine.evaluate(&pod);
            prop_assert_eq!(&engine.schedule(&pod), &want);
            if let Some(node) = want.node() {
                let assume = Change::PodAssumed { pod: Arc::clone(&pod), node: node.clone() };
                let before = engine.cluster().fingerprint();
                let mut fork = engine.fork();
                fork.record(assume.clone()).unwrap();
                fork.record(StorageChange::VolumeRemoved("v0".into()).into()).unwrap();
                for other in &placed {
                    fork.record(Change::PodRemoved(other.clone())).unwrap();
                }
                drop(fork);
                prop_assert_eq!(engine.cluster().fingerprint(), before);
                engine.record(assume).unwrap();
                placed.push(pod_id(&pod));
            }
            match fate {
                0 => {
                    if let Some(id) = placed.pop() {
                        engine.record(Change::PodForgot(id)).unwrap();
                    }
                }
                1 => {
                    let name = format!("v{}", number % 14);
                    engine.record(StorageChange::VolumeRemoved(name.into()).into()).unwrap();
                }
                _ => {}
            }
        }
    }
}
