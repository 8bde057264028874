//! What an engine keeps between decisions is never seen but by speed: each answer is that of a full
//! evaluation.

use std::sync::Arc;

use orlop_model::core::v1::{Namespace, Node, Pod, Service};
use orlop_model::policy::v1::PodDisruptionBudget;
use orlop_model::{LabelSelector, Str};
use orlop_scheduler::plugins::{
    DefaultPreemption, ImageLocality, InterPodAffinity, NodeAffinity, NodeName, NodePorts,
    NodeResourcesBalancedAllocation, NodeResourcesFit, NodeUnschedulable, PodTopologySpread, TaintToleration,
};
use orlop_scheduler::{
    Change, ClusterFilter, ClusterScore, ClusterView, Decision, Engine, Feasible, NodeView, Normalize,
    Plugin, PreFilter, PreScore, Profile, Verdict, Workload, WorkloadKind, pod_id,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// What a history is made of. Numbers choose among what is there.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Node {
        number: u8,
        cpu: u8,
        cordoned: bool,
        taint: u8,
        zone: u8,
        labels: u8,
        images: u8,
    },
    RemoveNode(u8),
    /// Pods of these kinds are decided about, and assumed unless the last number says otherwise.
    Schedule {
        kinds: Vec<u8>,
        assume: bool,
    },
    /// An assumed pod is confirmed, forgotten, or a placed one marked as being deleted, or removed.
    Confirm(u8),
    Forget(u8),
    Terminate(u8),
    Remove(u8),
    /// A pod that somebody else placed.
    Foreign {
        kind: u8,
        node: u8,
    },
    Namespace {
        number: u8,
        label: u8,
    },
    Service {
        number: u8,
        there: bool,
    },
    Workload(bool),
    /// A pod of this kind is nominated to a node; or of the pods that are, one is no more, or is decided
    /// about and perhaps assumed.
    Nominate {
        kind: u8,
        node: u8,
    },
    Withdraw(u8),
    ScheduleNominated(u8, bool),
    /// Of pods with this label so many may be evicted.
    Budget {
        number: u8,
        allowed: i8,
    },
    /// The next steps, as many as the number says, are taken in a fork, which is reverted or committed.
    Fork(u8, bool),
}

impl Step {
    /// What [`Step::Budget`] records.
    pub(super) fn budget(number: u8, allowed: i8) -> Change {
        let (namespace, name) = (Str::from("ns0"), Str::from(format!("b{number}")));
        if allowed < 0 {
            return Change::BudgetRemoved { namespace, name };
        }
        let budget: Arc<PodDisruptionBudget> = decode(json!({
            "metadata": {"namespace": namespace, "name": name},
            "spec": {"selector": {"matchLabels": {"app": format!("a{number}")}}},
            "status": {"disruptionsAllowed": allowed, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1},
        }));
        Change::BudgetSet(budget)
    }
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = (0..12_u8, 1..9_u8, prop::bool::weighted(0.1), 0..4_u8, 0..5_u8, 0..4_u8, 0..4_u8);
    let step = prop_oneof![
        6 => node.prop_map(|(number, cpu, cordoned, taint, zone, labels, images)| Step::Node {
            number, cpu, cordoned, taint, zone, labels, images
        }),
        1 => (0..12_u8).prop_map(Step::RemoveNode),
        12 => (prop::collection::vec(0..KINDS, 1..6), prop::bool::weighted(0.9))
            .prop_map(|(kinds, assume)| Step::Schedule { kinds, assume }),
        2 => any::<u8>().prop_map(Step::Confirm),
        2 => any::<u8>().prop_map(Step::Forget),
        2 => any::<u8>().prop_map(Step::Terminate),
        4 => any::<u8>().prop_map(Step::Remove),
        2 => (0..KINDS, 0..14_u8).prop_map(|(kind, node)| Step::Foreign { kind, node }),
        1 => (0..2_u8, 0..3_u8).prop_map(|(number, label)| Step::Namespace { number, label }),
        1 => (0..3_u8, any::<bool>()).prop_map(|(number, there)| Step::Service { number, there }),
        1 => any::<bool>().prop_map(Step::Workload),
        2 => (0..KINDS, 0..14_u8).prop_map(|(kind, node)| Step::Nominate { kind, node }),
        1 => any::<u8>().prop_map(Step::Withdraw),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(number, assume)| Step::ScheduleNominated(number, assume)),
        1 => (0..4_u8, -1..3_i8).prop_map(|(number, allowed)| Step::Budget { number, allowed }),
        2 => (1..8_u8, any::<bool>()).prop_map(|(steps, commit)| Step::Fork(steps, commit)),
    ];
    prop::collection::vec(step, 10..60)
}

fn decode<T: serde::de::DeserializeOwned>(value: Value) -> Arc<T> {
    Arc::new(serde_json::from_value(value).unwrap())
}

fn node(number: u8, cpu: u8, cordoned: bool, taint: u8, zone: u8, labels: u8, images: u8) -> Arc<Node> {
    let name = format!("n{number}");
    let mut all = json!({"class": format!("c{}", labels % 2)});
    if labels != 3 {
        // Two nodes may say that they are the same host.
        all[HOST] = format!("n{}", number / (1 + u8::from(labels == 2))).into();
    }
    if zone < 4 {
        all[ZONE] = format!("z{}", zone % 3).into();
    }
    if number.is_multiple_of(3) {
        all["rack"] = format!("r{}", number / 4).into();
    }
    let taints = match taint {
        1 => json!([{"key": "t", "effect": "NoSchedule"}]),
        2 => json!([{"key": "t", "effect": "PreferNoSchedule"}, {"key": "u", "effect": "PreferNoSchedule"}]),
        _ => json!([]),
    };
    let has: Vec<Value> = (0..2)
        .filter(|bit| images & (1 << bit) != 0)
        .map(|bit| json!({"names": [format!("image-{bit}:1")], "sizeBytes": 90_000_000 * (1 + i64::from(bit))}))
        .collect();
    decode(json!({
        "metadata": {"name": name, "labels": all},
        "spec": {"unschedulable": cordoned, "taints": taints},
        "status": {
            "allocatable": {"cpu": cpu.to_string(), "memory": "8Gi", "pods": "9"},
            "images": has,
        },
    }))
}

pub(super) const KINDS: u8 = 26;

pub(super) fn pod(number: usize, kind: u8) -> Arc<Pod> {
    let app = format!("a{}", kind % 4);
    let own = json!({"matchLabels": {"app": app}});
    let mut pod = json!({
        "metadata": {
            "name": format!("p{}", "x".repeat(number % 3) + &number.to_string()), "namespace": format!("ns{}", kind % 5 / 4), "uid": format!("u{number}"),
            "labels": {"app": app},
        },
        "spec": {"containers": [{"name": "c", "image": format!("image-{}:1", kind % 3), "resources": {"requests": {
            "cpu": format!("{}m", 100 * (1 + u32::from(kind) % 7)), "memory": format!("{}Mi", 100 * (1 + u32::from(kind) % 3))}}}]},
    });
    let spread = |key: &str, when: &str, skew: u8| {
        json!({
            "maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": own,
        })
    };
    let term = |key: &str| json!({"topologyKey": key, "labelSelector": own});
    let spec = &mut pod["spec"];
    match kind {
        1 => spec["containers"][0]["ports"] = json!([{"containerPort": 80, "hostPort": 80}]),
        2 => spec["tolerations"] = json!([{"operator": "Exists"}]),
        3 => spec["topologySpreadConstraints"] = json!([spread(ZONE, "DoNotSchedule", 1)]),
        4 => {
            spec["topologySpreadConstraints"] =
                json!([spread(ZONE, "ScheduleAnyway", 1), spread(HOST, "ScheduleAnyway", 2)])
        }
        5 => {
            spec["topologySpreadConstraints"] =
                json!([spread(HOST, "DoNotSchedule", 1), spread("rack", "ScheduleAnyway", 1)])
        }
        6 => {
            let mut constraint = spread(ZONE, "DoNotSchedule", 1);
            constraint["minDomains"] = 3.into();
            constraint["nodeTaintsPolicy"] = "Honor".into();
            spec["topologySpreadConstraints"] = json!([constraint]);
            spec["nodeSelector"] = json!({"class": "c1"});
        }
        7 => {
            spec["affinity"] =
                json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term(HOST)]}})
        }
        8 => {
            spec["affinity"] =
                json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term(ZONE)]}})
        }
        9 => {
            spec["affinity"] =
                json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term(ZONE)]}})
        }
        10 => {
            spec["affinity"] = json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term(HOST), term("rack")]}})
        }
        11 => {
            spec["affinity"] = json!({"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 30, "podAffinityTerm": term(ZONE)}, {"weight": 7, "podAffinityTerm": term(HOST)}]}})
        }
        12 => {
            spec["affinity"] = json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 50, "podAffinityTerm": term(HOST)}, {"weight": 5, "podAffinityTerm": term(ZONE)}]}})
        }
        13 => {
            spec["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": "a2"}}, "namespaceSelector": {"matchLabels": {"team": "t1"}}}]}})
        }
        14 => {
            spec["affinity"] = json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 10, "preference": {"matchExpressions": [{"key": "class", "operator": "In", "values": ["c1"]}]}},
            {"weight": 3, "preference": {"matchExpressions": [{"key": "rack", "operator": "Exists"}]}}]}})
        }
        15 => {
            spec["affinity"] = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1", "n2", "n9"]}]}]}}})
        }
        16 => spec["nodeSelector"] = json!({"class": "c0"}),
        17 => {
            pod["metadata"]["ownerReferences"] = json!([
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "rs", "controller": true}])
        }
        18 => {
            spec["affinity"] = json!({
                "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 9, "podAffinityTerm": term("rack")}]},
                "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term(HOST)]},
            })
        }
        19 => spec["containers"][0]["resources"]["requests"]["cpu"] = json!("7"),
        20 => spec["containers"][0]["resources"] = json!({}),
        // Unlike every other pod.
        21 => pod["metadata"]["labels"]["number"] = number.to_string().into(),
        _ => {}
    }
    if !number.is_multiple_of(5) {
        pod["spec"]["priority"] = json!((number % 5) as i32 * 10 - 20);
    }
    if !number.is_multiple_of(3) {
        pod["status"] = json!({"startTime": format!("2026-01-01T00:{:02}:00Z", number * 7 % 50)});
    }
    decode(pod)
}

/// The answers of two engines, compared as far as users can tell.
fn same(one: &Decision, two: &Decision) -> bool {
    match (one, two) {
        (Decision::Unschedulable(one), Decision::Unschedulable(two)) => {
            one.to_string() == two.to_string()
                && one.rejected_by() == two.rejected_by()
                && one.nomination() == two.nomination()
                && one.withdraws_nomination() == two.withdraws_nomination()
        }
        (one, two) => one == two,
    }
}

/// Keeps pods of one kind off nodes with an even number of pods, and scores nodes by their pods: looks at
/// anything.
#[derive(Debug)]
struct Whims;

impl Plugin for Whims {
    fn name(&self) -> &str {
        "Whims"
    }
}

impl ClusterFilter for Whims {
    type Signature = Str;
    type State = usize;

    fn sign(&self, pod: &Pod) -> Str {
        pod.metadata.name.clone()
    }

    fn pre_filter(&self, name: &Str, cluster: ClusterView<'_>) -> PreFilter<usize> {
        match name.len() % 3 {
            0 => PreFilter::Skip,
            rest => PreFilter::Run(rest + cluster.node_count()),
        }
    }

    fn filter(&self, _: &Str, state: &usize, node: NodeView<'_>) -> Verdict {
        if (node.pod_count() + state).is_multiple_of(2) {
            Verdict::unschedulable("node has an odd number of pods")
        } else {
            Verdict::Pass
        }
    }
}

impl ClusterScore for Whims {
    type State = usize;
    const NORMALIZE: Normalize = Normalize::MinMax;

    fn pre_score(&self, pod: &Pod, _: ClusterView<'_>, feasible: Feasible<'_>) -> PreScore<usize> {
        if pod.metadata.name.ends_with('7') { PreScore::Skip } else { PreScore::Run(feasible.len()) }
    }

    fn score(&self, state: &usize, node: NodeView<'_>) -> Option<i64> {
        Some(((node.pod_count() * 7 + state) % 5) as i64)
    }
}

fn engine(number: u8, seed: u64) -> Engine {
    Engine::new([profile(number)], seed).unwrap()
}

pub(super) fn profile(number: u8) -> Profile {
    match number {
        4 => Profile::kubernetes_builder().cluster_filter(Whims).build().unwrap(),
        5 => Profile::kubernetes_builder().cluster_filter(Whims).cluster_score(Whims, 9).build().unwrap(),
        0 => Profile::kubernetes(),
        1 => Profile::builder("default-scheduler")
            .filter(NodeUnschedulable)
            .filter(NodeName)
            .post_filter(DefaultPreemption::default())
            .filter(NodeResourcesFit::most_allocated())
            .domain_filter(InterPodAffinity::default())
            .score(NodeResourcesFit::most_allocated(), 5)
            .domain_score(PodTopologySpread::default(), 1)
            .build()
            .unwrap(),
        2 => Profile::builder("default-scheduler")
            .domain_filter(PodTopologySpread::with_defaults([]))
            .filter(NodePorts)
            .filter(NodeAffinity::default())
            .post_filter(DefaultPreemption::default())
            .domain_score(
                InterPodAffinity {
                    hard_pod_affinity_weight: 40,
                    ignore_preferred_terms_of_existing_pods: true,
                },
                3,
            )
            .score(TaintToleration, 2)
            .domain_score(ImageLocality, 7)
            .build()
            .unwrap(),
        _ => Profile::kubernetes_builder()
            .without("NodeResourcesBalancedAllocation")
            .score(NodeResourcesBalancedAllocation::default(), 11)
            .build()
            .unwrap(),
    }
}

/// What a history knows.
#[derive(Clone, Default)]
pub(super) struct Known {
    pub(super) pods: usize,
    assumed: Vec<(Arc<Pod>, Str)>,
    placed: Vec<Arc<Pod>>,
    nominated: Vec<Arc<Pod>>,
}

/// Plays a history; after each decision the full evaluation must give the same.
pub(super) fn play(mut steps: &[Step], engine: &mut Engine, known: &mut Known) -> Result<(), TestCaseError> {
    while let Some((step, rest)) = steps.split_first() {
        steps = rest;
        if let Step::Fork(number, commit) = step {
            let (inside, rest) = steps.split_at(usize::from(*number).min(steps.len()));
            steps = rest;
            let before = engine.cluster().fingerprint();
            let mut trial = Known { pods: known.pods, ..known.clone() };
            let mut fork = engine.fork();
            play(inside, &mut fork, &mut trial)?;
            known.pods = trial.pods;
            if *commit {
                fork.commit();
                *known = trial;
            } else {
                drop(fork);
                prop_assert_eq!(engine.cluster().fingerprint(), before);
            }
        } else {
            take(step, engine, known)?;
        }
    }
    Ok(())
}

fn take(step: &Step, engine: &mut Engine, known: &mut Known) -> Result<(), TestCaseError> {
    let Known { pods, assumed, placed, nominated } = known;
    match step {
        Step::Fork(..) => {}
        Step::Node { number, cpu, cordoned, taint, zone, labels, images } => {
            let node = node(*number, *cpu, *cordoned, *taint, *zone, *labels, *images);
            engine.record(Change::NodeUpdated(node)).unwrap();
        }
        Step::RemoveNode(number) => {
            let _ = engine.record(Change::NodeRemoved(format!("n{number}").into()));
        }
        Step::Schedule { kinds, assume } => {
            for kind in kinds {
                *pods += 1;
                let pod = pod(*pods, *kind);
                let (decision, full) = (engine.schedule(&pod), engine.evaluate(&pod));
                prop_assert!(
                    same(&decision, &full),
                    "kind {}: {:?} is {:?} in full: {}",
                    kind,
                    decision,
                    full,
                    engine.explain(&pod)
                );
                if let (Some(node), true) = (decision.node(), assume) {
                    let change = Change::PodAssumed { pod: Arc::clone(&pod), node: node.clone() };
                    engine.record(change).unwrap();
                    assumed.push((pod, node.clone()));
                }
            }
        }
        Step::Confirm(number) => {
            if !assumed.is_empty() {
                let (pod, node) = assumed.remove(usize::from(*number) % assumed.len());
                let mut pod = Pod::clone(&pod);
                pod.spec.node_name = node;
                let pod = Arc::new(pod);
                engine.record(Change::PodAdded(Arc::clone(&pod))).unwrap();
                placed.push(pod);
            }
        }
        Step::Forget(number) => {
            if !assumed.is_empty() {
                let (pod, _) = assumed.remove(usize::from(*number) % assumed.len());
                engine.record(Change::PodForgot(pod_id(&pod))).unwrap();
            }
        }
        Step::Terminate(number) => {
            if !placed.is_empty() {
                let index = usize::from(*number) % placed.len();
                let mut pod = Pod::clone(&placed[index]);
                pod.metadata.deletion_timestamp = Some("2026-01-01T00:00:00Z".parse().unwrap());
                placed[index] = Arc::new(pod);
                engine.record(Change::PodUpdated(Arc::clone(&placed[index]))).unwrap();
            }
        }
        Step::Remove(number) => {
            if !placed.is_empty() {
                let pod = placed.remove(usize::from(*number) % placed.len());
                engine.record(Change::PodRemoved(pod_id(&pod))).unwrap();
            }
        }
        Step::Foreign { kind, node } => {
            *pods += 1;
            let mut pod = Pod::clone(&pod(*pods, *kind));
            pod.spec.node_name = format!("n{node}").into();
            let pod = Arc::new(pod);
            engine.record(Change::PodAdded(Arc::clone(&pod))).unwrap();
            placed.push(pod);
        }
        Step::Namespace { number, label } => {
            let namespace: Arc<Namespace> = decode(json!({
                "metadata": {"name": format!("ns{number}"), "labels": {"team": format!("t{label}")}},
            }));
            engine.record(Change::NamespaceSet(namespace)).unwrap();
        }
        Step::Service { number, there } => {
            let name = Str::from(format!("s{number}"));
            if *there {
                let service: Arc<Service> = decode(json!({
                    "metadata": {"name": name, "namespace": "ns0"},
                    "spec": {"selector": {"app": format!("a{number}")}},
                }));
                engine.record(Change::ServiceSet(service)).unwrap();
            } else {
                engine.record(Change::ServiceRemoved { namespace: "ns0".into(), name }).unwrap();
            }
        }
        Step::Workload(there) => {
            let workload =
                Workload { kind: WorkloadKind::ReplicaSet, namespace: "ns0".into(), name: "rs".into() };
            let selector: LabelSelector =
                serde_json::from_value(json!({"matchLabels": {"app": "a1"}})).unwrap();
            engine
                .record(if *there {
                    Change::WorkloadSet { workload, selector: Some(selector) }
                } else {
                    Change::WorkloadRemoved(workload)
                })
                .unwrap();
        }
        Step::Nominate { kind, node } => {
            *pods += 1;
            let mut pod = pod(*pods, *kind);
            if pods.is_multiple_of(2) {
                Arc::make_mut(&mut pod).status.nominated_node_name = format!("n{node}").into();
            }
            let change = Change::PodNominated { pod: Arc::clone(&pod), node: format!("n{node}").into() };
            engine.record(change).unwrap();
            nominated.push(pod);
        }
        Step::Withdraw(number) => {
            if !nominated.is_empty() {
                let pod = nominated.remove(usize::from(*number) % nominated.len());
                let id = pod_id(&pod);
                let change =
                    if number % 2 == 0 { Change::PodRemoved(id) } else { Change::NominationCleared(id) };
                engine.record(change).unwrap();
            }
        }
        Step::ScheduleNominated(number, assume) => {
            if !nominated.is_empty() {
                let index = usize::from(*number) % nominated.len();
                let pod = Arc::clone(&nominated[index]);
                let (decision, full) = (engine.schedule(&pod), engine.evaluate(&pod));
                prop_assert!(same(&decision, &full), "{:?} is {:?} in full", decision, full);
                if let (Some(node), true) = (decision.node(), assume) {
                    nominated.remove(index);
                    let change = Change::PodAssumed { pod: Arc::clone(&pod), node: node.clone() };
                    engine.record(change).unwrap();
                    prop_assert_eq!(engine.cluster().nominated_to(&pod_id(&pod)), None);
                    assumed.push((pod, node.clone()));
                }
            }
        }
        Step::Budget { number, allowed } => {
            engine.record(Step::budget(*number, *allowed)).unwrap();
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("ORLOP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(5_000),
        // The default is ten times as slow without optimisation.
        rng_algorithm: prop::test_runner::RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_kept_is_not_seen(steps in steps(), profile in 0..3_u8, seed in any::<u64>()) {
        play(&steps, &mut engine(profile, seed), &mut Known::default())?;
    }

    #[test]
    fn what_is_kept_is_not_seen_by_other_profiles(steps in steps(), profile in 3..6_u8, seed in any::<u64>()) {
        play(&steps, &mut engine(profile, seed), &mut Known::default())?;
    }
}
