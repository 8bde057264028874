//! Nodes that live and die, and what becomes of their pods.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use orlop_model::core::v1::{
    ConditionStatus, Node, NodeCondition, NodeConditionType, Pod, PodCondition, PodConditionType, PodPhase,
    Taint, TaintEffect, Toleration, TolerationOperator,
};
use orlop_model::{List, MicroTime, Str};
use orlop_planners::node_lifecycle::{self, Cluster, Memory, Settings, UNREACHABLE, ZoneState};
use orlop_planners::pod_gc;
use orlop_planners::taint_eviction::{Decision, Scheduled, decide};
use orlop_planners::{Change, Plan, PlannedObject, pod};
use proptest::prelude::*;

struct World {
    nodes: BTreeMap<Str, Arc<Node>>,
    leases: BTreeMap<Str, MicroTime>,
    pods: BTreeMap<Str, Arc<Pod>>,
    memory: Memory,
    settings: Settings,
    now: Timestamp,
    /// When nodes of each zone were tainted.
    tainted: BTreeMap<Str, Vec<Timestamp>>,
}

fn name(number: usize) -> Str {
    format!("n{number}").into()
}

impl World {
    /// Nodes that are ready, each in the zone of its number, with a pod each.
    fn new(zones: &[usize]) -> Self {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        let mut world = Self {
            nodes: BTreeMap::new(),
            leases: BTreeMap::new(),
            pods: BTreeMap::new(),
            memory: Memory::default(),
            settings: Settings::default(),
            now,
            tainted: BTreeMap::new(),
        };
        for (number, zone) in zones.iter().enumerate() {
            let mut node = Node::default();
            node.metadata.name = name(number);
            node.metadata.creation_timestamp = Some(now.into());
            node.metadata.labels.insert("topology.kubernetes.io/zone", format!("z{zone}").into());
            node.status.conditions.push(NodeCondition {
                type_: NodeConditionType::Ready,
                status: ConditionStatus::True,
                last_heartbeat_time: Some(now.into()),
                ..NodeCondition::default()
            });
            let mut pod = Pod::default();
            pod.metadata.name = format!("p{number}").into();
            pod.spec.node_name = name(number);
            pod.status.phase = PodPhase::Running;
            pod.status.conditions.push(PodCondition {
                type_: PodConditionType::Ready,
                status: ConditionStatus::True,
                ..PodCondition::default()
            });
            world.pods.insert(pod.metadata.name.clone(), Arc::new(pod));
            world.nodes.insert(name(number), Arc::new(node));
        }
        world
    }

    fn apply(&mut self, plans: &[Plan]) {
        for change in plans.iter().flat_map(|plan| &plan.changes) {
            match change {
                Change::UpdateStatus(PlannedObject::Node(node)) => {
                    let stored = self.nodes.get_mut(&node.metadata.name).expect("the node");
                    Arc::make_mut(stored).status = node.status.clone();
                }
                Change::UpdateStatus(PlannedObject::Pod(pod)) => {
                    self.pods.insert(pod.metadata.name.clone(), pod.clone());
                }
                Change::Patch(patch) => {
                    let node = Arc::make_mut(self.nodes.get_mut(&patch.key.name).expect("the node"));
                    let taints: Option<List<Taint>> =
                        serde_json::from_value(patch.document["spec"]["taints"].clone()).expect("taints");
                    let before = is_tainted(node);
                    node.spec.taints = taints.unwrap_or_default();
                    if is_tainted(node) && !before {
                        let zone = node_lifecycle::zone_key(node);
                        self.tainted.entry(zone).or_default().push(self.now);
                    }
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// Nodes report: their lease is renewed, and Ready is True again.
    fn report(&mut self, alive: &BTreeSet<Str>) {
        for (name, node) in &mut self.nodes {
            if !alive.contains(name) {
                continue;
            }
            self.leases.insert(name.clone(), self.now.into());
            let node = Arc::make_mut(node);
            for condition in &mut node.status.conditions {
                if condition.type_ == NodeConditionType::Ready {
                    condition.status = ConditionStatus::True;
                    condition.last_heartbeat_time = Some(self.now.into());
                }
            }
        }
    }

    /// One round of the monitor and five seconds of serving the queues.
    fn round(&mut self) {
        let nodes: Vec<_> = self.nodes.values().cloned().collect();
        let (leases, pods) = (self.leases.clone(), self.pods.clone());
        let cluster = Cluster {
            nodes: &nodes,
            lease: &|name| leases.get(name).map(|renewed| Some(*renewed)),
            pods: &|name| pods.values().filter(|pod| pod.spec.node_name == *name).cloned().collect(),
        };
        let plans = node_lifecycle::monitor(&cluster, &self.settings, &mut self.memory, self.now);
        self.apply(&plans);
        for _ in 0..5 {
            let nodes = self.nodes.clone();
            let plans = node_lifecycle::taint(|name| nodes.get(name).cloned(), &mut self.memory, self.now);
            self.apply(&plans);
            self.now += SignedDuration::from_secs(1);
        }
    }
}

fn is_tainted(node: &Node) -> bool {
    node.spec.taints.iter().any(|taint| taint.effect == TaintEffect::NoExecute)
}

fn is_ready(node: &Node) -> bool {
    let mut conditions = node.status.conditions.iter();
    conditions.any(|found| found.type_ == NodeConditionType::Ready && found.status == ConditionStatus::True)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_reports_is_left_alone_and_who_is_silent_is_tainted_at_the_rate_of_its_zone(
        zones in prop::collection::vec(0..3usize, 1..10),
        // Which nodes die, by round; the others report every 20 s.
        deaths in prop::collection::vec((0..10usize, 0..40usize), 0..8),
        minutes in 4..12usize,
    ) {
        let mut world = World::new(&zones);
        let mut all_down = false;
        for round in 0..minutes * 12 {
            let alive: BTreeSet<Str> = (0..zones.len())
                .filter(|number| deaths.iter().all(|(node, at)| node != number || round < *at))
                .map(name)
                .collect();
            if round % 4 == 0 {
                world.report(&alive);
            }
            world.round();
            for (name, node) in world.nodes.iter().filter(|(name, _)| alive.contains(*name)) {
                prop_assert!(is_ready(node), "{} reports and is not ready", name);
                prop_assert!(!is_tainted(node), "{} reports and is tainted", name);
            }
            all_down = world.nodes.values().all(|node| !is_ready(node));
            if all_down {
                prop_assert!(world.memory.zones().all(|(_, state)| state == ZoneState::FullDisruption));
                prop_assert!(world.nodes.values().all(|node| !is_tainted(node)), "the fault is ours");
            }
        }
        // One node at once, then one in ten seconds.
        for times in world.tainted.values() {
            for pair in times.windows(2) {
                prop_assert!(pair[1].duration_since(pair[0]).as_secs() >= 9, "{:?}", times);
            }
        }
        let long_ago = |at: usize| at + 48 < minutes * 12;
        for (number, at) in &deaths {
            let dead = name(*number);
            let Some(node) = world.nodes.get(&dead).filter(|_| long_ago(*at)) else { continue };
            prop_assert!(!is_ready(node));
            let ready = world.pods.values().filter(|pod| pod.spec.node_name == dead && pod::is_ready(pod));
            prop_assert_eq!(ready.count(), 0);
        }
        let partly = world.memory.zones().any(|(_, state)| state == ZoneState::PartialDisruption);
        if !all_down && !partly {
            // Four minutes are more than grace and queue together.
            for (number, at) in deaths.iter().filter(|(_, at)| long_ago(*at) && minutes >= 8) {
                let Some(node) = world.nodes.get(&name(*number)) else { continue };
                let tainted = node.spec.taints.iter().any(|taint| taint.key == UNREACHABLE);
                prop_assert!(tainted, "{} is silent since round {} and not tainted", node.metadata.name, at);
            }
        }
    }

    #[test]
    fn a_pod_leaves_when_the_shortest_toleration_ends_and_not_before(
        seconds in prop::collection::vec(prop::option::of(-5..100i64), 0..4),
        covered in any::<bool>(),
        elapsed in 1..50i64,
    ) {
        let start: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        let mut pod = Pod::default();
        let mut taints = Vec::new();
        for (number, seconds) in seconds.iter().enumerate() {
            let key: Str = format!("t{number}").into();
            taints.push(Taint { key: key.clone(), effect: TaintEffect::NoExecute, ..Taint::default() });
            pod.spec.tolerations.push(Toleration {
                key,
                operator: TolerationOperator::Exists,
                toleration_seconds: *seconds,
                ..Toleration::default()
            });
        }
        if !covered {
            taints.push(Taint { key: "x".into(), effect: TaintEffect::NoExecute, ..Taint::default() });
        }
        let shortest = seconds.iter().flatten().map(|seconds| (*seconds).max(0)).min();
        let wanted = match shortest {
            _ if !covered => Decision::Now,
            None => Decision::Never,
            Some(0) => Decision::Now,
            Some(time) => Decision::At(Scheduled { since: start, at: start + SignedDuration::from_secs(time) }),
        };
        let decision = decide(&pod, &taints, None, start);
        prop_assert_eq!(decision, wanted);
        // Asked again later, it does not begin anew.
        if let Decision::At(scheduled) = decision {
            let later = start + SignedDuration::from_secs(elapsed);
            prop_assert_eq!(decide(&pod, &taints, Some(scheduled), later), decision);
        }
    }

    #[test]
    fn only_pods_that_nobody_looks_after_are_collected(
        pods in prop::collection::vec((0..4usize, 0..5u8, any::<bool>(), any::<bool>(), 0..100i64), 0..30),
        keep in 0..6usize,
    ) {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        // Nodes 1 and 2 exist, 3 does not, 0 is none.
        let nodes: Vec<Arc<Node>> = [1, 2]
            .map(|number| {
                let mut node = Node::default();
                node.metadata.name = name(number);
                Arc::new(node)
            })
            .to_vec();
        let pods: Vec<Arc<Pod>> = pods
            .into_iter()
            .enumerate()
            .map(|(number, (node, phase, deleting, evicted, age))| {
                let mut pod = Pod::default();
                pod.metadata.name = format!("p{number}").into();
                pod.metadata.creation_timestamp = Some((now - SignedDuration::from_secs(age)).into());
                pod.metadata.deletion_timestamp = deleting.then(|| now.into());
                pod.spec.node_name = if node == 0 { Str::EMPTY } else { name(node) };
                pod.status.phase = PodPhase::from(["Pending", "Running", "Succeeded", "Failed", "Unknown"][usize::from(phase)]);
                pod.status.reason = if evicted { "Evicted".into() } else { Str::EMPTY };
                Arc::new(pod)
            })
            .collect();
        let settings = pod_gc::Settings { ended_pods: keep, ..pod_gc::Settings::default() };
        let mut memory = pod_gc::Memory::default();
        let names = |changes: &[Vec<Change>]| -> BTreeSet<Str> {
            changes.iter().flatten().map(|change| change.key().name).collect()
        };
        let first = pod_gc::sweep(&pods, &nodes, &settings, &mut memory, now);
        prop_assert!(first.nodes.is_empty(), "nobody is asked for before the quarantine is over");
        let ended = pods.iter().filter(|pod| pod::is_terminal(pod)).count();
        let surplus = if keep == 0 { 0 } else { ended.saturating_sub(keep) };
        prop_assert_eq!(first.ended.len(), surplus);
        let unscheduled: BTreeSet<Str> = pods
            .iter()
            .filter(|pod| pod.metadata.deletion_timestamp.is_some() && pod.spec.node_name.is_empty())
            .map(|pod| pod.metadata.name.clone())
            .collect();
        prop_assert_eq!(names(&first.unscheduled), unscheduled);
        prop_assert!(first.out_of_service.is_empty());

        let later = now + SignedDuration::from_secs(40);
        let second = pod_gc::sweep(&pods, &nodes, &settings, &mut memory, later);
        let missing = pods.iter().any(|pod| pod.spec.node_name == "n3");
        prop_assert_eq!(&second.nodes, &if missing { vec![name(3)] } else { vec![] });
        let orphaned: BTreeSet<Str> = pods
            .iter()
            .filter(|pod| pod.spec.node_name == "n3")
            .map(|pod| pod.metadata.name.clone())
            .collect();
        prop_assert_eq!(names(&pod_gc::orphaned(&pods, &[name(3)].into(), later)), orphaned);
        // It is asked for again only after another quarantine.
        let soon = pod_gc::sweep(&pods, &nodes, &settings, &mut memory, later + SignedDuration::from_secs(20));
        prop_assert!(soon.nodes.is_empty());
    }
}
