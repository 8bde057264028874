//! Random histories of a cluster.

mod preemption;
mod ranking;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{Node, Pod};
use orlop_scheduler::{
    Change, ChangeLog, ClusterEvent, Decision, Engine, Hint, Logged, Profile, Requeue as _, pod_id,
};
use proptest::prelude::*;
use serde_json::json;

#[derive(Clone, Debug)]
enum Step {
    /// A node of this number appears or changes: cpu, cordoned, tainted.
    Node(u8, u8, bool, bool),
    RemoveNode(u8),
    /// A pod of this number and kind is scheduled and assumed.
    Schedule(u8, u8),
    /// The assumption that was made last is confirmed, or undone.
    Confirm,
    Forget,
    RemovePod(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..6_u8, 1..5_u8, prop::bool::weighted(0.1), prop::bool::weighted(0.2))
            .prop_map(|(node, cpu, cordoned, tainted)| Step::Node(node, cpu, cordoned, tainted)),
        1 => (0..6_u8).prop_map(Step::RemoveNode),
        8 => (0..40_u8, 0..8_u8).prop_map(|(pod, kind)| Step::Schedule(pod, kind)),
        3 => Just(Step::Confirm),
        2 => Just(Step::Forget),
        2 => (0..40_u8).prop_map(Step::RemovePod),
    ];
    prop::collection::vec(step, 1..60)
}

fn node(number: u8, cpu: u8, cordoned: bool, tainted: bool) -> Arc<Node> {
    let taints = if tainted { json!([{"key": "t", "effect": "NoSchedule"}]) } else { json!([]) };
    let name = format!("n{number}");
    Arc::new(
        serde_json::from_value(json!({
            "metadata": {"name": name, "labels": {
                "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": format!("z{}", number % 2),
            }},
            "spec": {"unschedulable": cordoned, "taints": taints},
            "status": {"allocatable": {
                "cpu": cpu.to_string(), "memory": "4Gi", "pods": "6", "example.com/gpu": (cpu / 2).to_string(),
            }},
        }))
        .unwrap(),
    )
}

fn pod(number: u8, kind: u8) -> Pod {
    let mut pod = json!({
        "metadata": {"name": format!("p{number}"), "namespace": "default", "uid": format!("u{number}"),
            "labels": {"app": format!("a{}", kind % 3)}},
        "spec": {"containers": [{"name": "c", "image": "i", "resources": {"requests": {
            "cpu": format!("{}m", 200 * u32::from(kind)), "memory": "100Mi"}}}]},
    });
    let spec = &mut pod["spec"];
    match kind {
        1 => spec["containers"][0]["ports"] = json!([{"containerPort": 80, "hostPort": 80}]),
        2 => spec["tolerations"] = json!([{"operator": "Exists"}]),
        3 => spec["containers"][0]["resources"]["requests"]["example.com/gpu"] = json!("1"),
        4 => {
            spec["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "a1"}}}]}});
        }
        5 => {
            spec["topologySpreadConstraints"] = json!([{"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule",
                "topologyKey": "topology.kubernetes.io/zone", "labelSelector": {"matchLabels": {"app": "a2"}}}]);
        }
        8 => {
            spec["affinity"] = json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "topology.kubernetes.io/zone", "labelSelector": {"matchLabels": {"app": "a2"}}}]}});
        }
        9 => {
            spec["nodeSelector"] = json!({"topology.kubernetes.io/zone": "z2"});
            spec["containers"][0]["resources"]["requests"]["cpu"] = json!("3");
        }
        _ => {}
    }
    serde_json::from_value(pod).unwrap()
}

fn new_engine(seed: u64) -> Engine {
    Engine::new([Profile::kubernetes()], seed).unwrap()
}

/// Nodes' offers against what the pods that an engine knows take, counted from the objects alone.
fn overcommitted(nodes: &BTreeMap<Str, Arc<Node>>, placed: &BTreeMap<Str, (Pod, Str)>) -> Option<String> {
    for (name, node) in nodes {
        let here: Vec<&Pod> = placed.values().filter(|(_, on)| on == name).map(|(pod, _)| pod).collect();
        for resource in ["cpu", "memory", "example.com/gpu"] {
            let offered = node.status.allocatable.get(resource).map_or(0, |amount| amount.milli_value());
            let taken: i64 = here
                .iter()
                .filter_map(|pod| pod.spec.containers[0].resources.requests.get(resource))
                .map(|amount| amount.milli_value())
                .sum();
            if taken > offered {
                return Some(format!("{name}: {taken} of {offered} {resource}"));
            }
        }
        let ports = here.iter().filter(|pod| !pod.spec.containers[0].ports.is_empty()).count();
        if here.len() > 6 || ports > 1 {
            return Some(format!("{name}: {} pods, {ports} with the port", here.len()));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Forgetting an assumption leaves no trace, and neither does removing a pod that was added.
    #[test]
    fn forget_undoes_assume(steps in steps(), number in 100..110_u8, kind in 0..8_u8) {
        let mut engine = new_engine(1);
        run(&mut engine, &steps)?;
        let new = Arc::new(pod(number, kind));
        let before = engine.cluster().fingerprint();
        let decision = engine.evaluate(&new);
        prop_assert_eq!(engine.cluster().fingerprint(), before.clone(), "deciding changes nothing");
        if let Some(node) = decision.node() {
            let change = Change::PodAssumed { pod: Arc::clone(&new), node: node.clone() };
            engine.record(change.clone()).unwrap();
            prop_assert_ne!(engine.cluster().fingerprint(), before.clone());
            prop_assert!(engine.record(change).is_err(), "a pod is placed once");
            engine.record(Change::PodForgot(pod_id(&new))).unwrap();
            prop_assert_eq!(engine.cluster().fingerprint(), before.clone());
            prop_assert_eq!(engine.evaluate(&new), decision.clone());

            let mut bound = Pod::clone(&new);
            bound.spec.node_name = node.clone();
            engine.record(Change::PodAdded(Arc::new(bound))).unwrap();
            engine.record(Change::PodRemoved(pod_id(&new))).unwrap();
            prop_assert_eq!(engine.cluster().fingerprint(), before);
        }
    }

    /// The same history and seed give the same decisions, and a cluster built from the objects that
    /// are left decides as the one that lived through it all.
    #[test]
    fn decisions_follow_from_the_state(steps in steps(), seed in any::<u64>(), kind in 0..8_u8) {
        let (mut one, mut two) = (new_engine(seed), new_engine(seed));
        let left = run(&mut one, &steps)?;
        run(&mut two, &steps)?;
        let new = pod(200, kind);
        prop_assert_eq!(one.evaluate(&new), two.evaluate(&new));
        prop_assert_eq!(logged(one.cluster().log()), logged(two.cluster().log()));

        let mut fresh = new_engine(seed);
        for node in left.nodes.values() {
            fresh.record(Change::NodeAdded(Arc::clone(node))).unwrap();
        }
        for (pod, node) in left.placed.values() {
            let mut pod = pod.clone();
            pod.spec.node_name = node.clone();
            fresh.record(Change::PodAdded(Arc::new(pod))).unwrap();
        }
        match (one.evaluate(&new), fresh.evaluate(&new)) {
            (Decision::Unschedulable(a), Decision::Unschedulable(b)) => prop_assert_eq!(a.to_string(), b.to_string()),
            (a, b) => prop_assert_eq!(a, b),
        }
    }

    /// What is explained is what is decided.
    #[test]
    fn explanations_agree_with_decisions(steps in steps(), kind in 0..8_u8) {
        let mut engine = new_engine(5);
        run(&mut engine, &steps)?;
        let new = pod(200, kind);
        let explanation = engine.explain(&new);
        let feasible: BTreeSet<&Str> =
            explanation.nodes.iter().filter(|node| node.is_feasible()).map(|node| &node.node).collect();
        match &explanation.decision {
            Decision::Place(place) => {
                prop_assert!(feasible.contains(place.node()));
                prop_assert_eq!(place.feasible(), feasible.len());
                let total = explanation.node(place.node()).and_then(|node| node.total);
                prop_assert!(explanation.nodes.iter().all(|node| node.total <= total));
                prop_assert!(place.total().is_none() || place.total() == total);
            }
            Decision::Unschedulable(_) => {
                prop_assert!(feasible.is_empty());
                prop_assert!(explanation.nodes.is_empty() || explanation.nearest_miss().is_some());
            }
            Decision::Error(_) => prop_assert!(explanation.nodes.is_empty()),
        }
    }

    /// An event that makes a pod schedulable is one that a plugin which turned it down waits for.
    #[test]
    fn no_chance_is_missed(steps in steps(), changes in prop::collection::vec(changes(), 20)) {
        let mut engine = new_engine(5);
        let left = run(&mut engine, &steps)?;
        let waiting: Vec<_> = (0..10)
            .map(|kind| pod(200, kind))
            .filter_map(|pod| match engine.evaluate(&pod) {
                Decision::Unschedulable(why) => Some((pod, why)),
                _ => None,
            })
            .collect();
        for then in &changes {
            let mut engine = engine.clone();
            let Some(event) = then.apply(&mut engine, &left) else { continue };
            for (pod, why) in &waiting {
                if let Decision::Place(place) = engine.evaluate(pod) {
                    let by = why.rejected_by();
                    prop_assert!(
                        by.iter().any(|plugin| engine.hint(plugin, pod, &event) == Hint::Queue),
                        "{:?} opened {} to {:?}, turned down by {:?}: {}", then, place.node(), pod.spec, by, why
                    );
                }
            }
        }
    }
}

/// One change after a history; numbers choose among what is there.
#[derive(Clone, Debug)]
enum Then {
    Node { number: u8, cpu: u8, cordoned: bool, tainted: bool, zone: u8 },
    RemoveNode(u8),
    RemovePod(u8),
    PlacePod(u8, u8),
    Relabel(u8, u8),
    Terminate(u8),
}

fn changes() -> impl Strategy<Value = Then> {
    let (cordoned, tainted) = (prop::bool::weighted(0.1), prop::bool::weighted(0.2));
    prop_oneof![
        3 => (0..8_u8, 1..8_u8, cordoned, tainted, 0..3_u8).prop_map(
            |(number, cpu, cordoned, tainted, zone)| Then::Node { number, cpu, cordoned, tainted, zone }
        ),
        1 => (0..6_u8).prop_map(Then::RemoveNode),
        4 => any::<u8>().prop_map(Then::RemovePod),
        2 => (any::<u8>(), 0..8_u8).prop_map(|(node, kind)| Then::PlacePod(node, kind)),
        2 => (any::<u8>(), 0..4_u8).prop_map(|(pod, app)| Then::Relabel(pod, app)),
        1 => any::<u8>().prop_map(Then::Terminate),
    ]
}

impl Then {
    /// Applies it; `None` where there is nothing to apply it to, or no plugin can see it.
    fn apply(&self, engine: &mut Engine, left: &Left) -> Option<ClusterEvent> {
        let placed = |number: u8| left.placed.values().nth(usize::from(number) % left.placed.len().max(1));
        let bound = |(pod, node): &(Pod, Str)| {
            let mut pod = pod.clone();
            pod.spec.node_name = node.clone();
            pod
        };
        let change = match *self {
            Self::Node { number, cpu, cordoned, tainted, zone } => {
                let mut node = Node::clone(&node(number, cpu, cordoned, tainted));
                node.metadata.labels.insert("topology.kubernetes.io/zone", format!("z{zone}").into());
                Change::NodeUpdated(Arc::new(node))
            }
            Self::RemoveNode(number) => Change::NodeRemoved(format!("n{number}").into()),
            Self::RemovePod(number) => Change::PodRemoved(pod_id(&placed(number)?.0)),
            Self::PlacePod(number, kind) => {
                let node = left.nodes.keys().nth(usize::from(number) % left.nodes.len().max(1))?;
                Change::PodAdded(Arc::new(bound(&(pod(201, kind), node.clone()))))
            }
            Self::Relabel(number, app) => {
                let mut pod = bound(placed(number)?);
                pod.metadata.labels.insert("app", format!("a{app}").into());
                Change::PodUpdated(Arc::new(pod))
            }
            Self::Terminate(number) => {
                let mut pod = bound(placed(number)?);
                pod.metadata.deletion_timestamp = Some(orlop_clock::Timestamp::UNIX_EPOCH.into());
                Change::PodUpdated(Arc::new(pod))
            }
        };
        engine.record(change).ok().flatten()
    }
}

fn logged(log: &ChangeLog) -> Vec<Logged> {
    log.since(0).expect("short histories are whole").cloned().collect()
}

struct Left {
    nodes: BTreeMap<Str, Arc<Node>>,
    placed: BTreeMap<Str, (Pod, Str)>,
}

/// Runs a history against the engine and a plain model of it, and checks after each decision that no
/// node is given more than it has.
fn run(engine: &mut Engine, steps: &[Step]) -> Result<Left, TestCaseError> {
    let mut left = Left { nodes: BTreeMap::new(), placed: BTreeMap::new() };
    let mut assumed: Vec<Str> = Vec::new();
    for step in steps {
        match step {
            Step::Node(number, cpu, cordoned, tainted) => {
                let node = node(*number, *cpu, *cordoned, *tainted);
                // Shrinking a node may overcommit it; that is not the scheduler's doing.
                let mut smaller = left.nodes.clone();
                smaller.insert(node.metadata.name.clone(), Arc::clone(&node));
                if overcommitted(&smaller, &left.placed).is_none() {
                    left.nodes = smaller;
                    engine.record(Change::NodeUpdated(node)).unwrap();
                }
            }
            Step::RemoveNode(number) => {
                let name = Str::from(format!("n{number}"));
                prop_assert_eq!(
                    engine.record(Change::NodeRemoved(name.clone())).is_ok(),
                    left.nodes.remove(&name).is_some()
                );
            }
            Step::Schedule(number, kind) => {
                let pod = pod(*number, *kind);
                let id = pod_id(&pod);
                if left.placed.contains_key(&id) {
                    continue;
                }
                let new = Arc::new(pod.clone());
                if let Some(node) = engine.schedule(&new).node().cloned() {
                    let change = Change::PodAssumed { pod: new, node: node.clone() };
                    engine.record(change).unwrap();
                    left.placed.insert(id.clone(), (pod, node));
                    assumed.push(id);
                    prop_assert_eq!(overcommitted(&left.nodes, &left.placed), None);
                }
            }
            Step::Confirm => {
                if let Some(id) = assumed.pop() {
                    let (pod, node) = &left.placed[&id];
                    let mut pod = pod.clone();
                    pod.spec.node_name = node.clone();
                    engine.record(Change::PodAdded(Arc::new(pod))).unwrap();
                }
            }
            Step::Forget => {
                if let Some(id) = assumed.pop() {
                    engine.record(Change::PodForgot(id.clone())).unwrap();
                    left.placed.remove(&id);
                }
            }
            Step::RemovePod(number) => {
                let id = Str::from(format!("u{number}"));
                let gone = engine.record(Change::PodRemoved(id.clone())).unwrap();
                prop_assert_eq!(gone.is_some(), left.placed.remove(&id).is_some());
                assumed.retain(|other| *other != id);
            }
        }
        prop_assert_eq!(engine.cluster().pod_count(), left.placed.len());
    }
    Ok(left)
}
