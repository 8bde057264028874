//! The scheduling decision, all nodes scored, in the shapes in which kube-scheduler was measured: taking the
//! pod from the queue, filtering, scoring, choosing, assuming. A sample of the decisions is compared with a
//! full evaluation, node by node.
//!
//! *cold*: the first 1,000 pods in an empty cluster. *warm*: those after them, until 50,000 pods are placed or
//! the cluster is nine tenths full. *churn*: warm, with a pod deleted for every two placed, and one node in a
//! hundred updated for every 1,000 placed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use orlop_benches::{Bench, CpuClock, Peer, Plot};
use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::{Node, Pod, PreemptionPolicy, Service};
use orlop_scheduler::{Change, Decision, Engine, Profile, Scheduler, SchedulingQueue, Step, pod_id};
use serde_json::{Value, json};

fn node(i: usize) -> Node {
    let mut labels = json!({
        "kubernetes.io/hostname": format!("node-{i:05}"),
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": "region-1",
        "topology.kubernetes.io/zone": format!("zone-{}", i % 3),
        "node.kubernetes.io/instance-type": format!("type-{}", i / 3 % 4),
    });
    if i.is_multiple_of(100) {
        labels["example.com/special"] = "true".into();
    }
    let resources = json!({"cpu": "32", "memory": "128Gi", "ephemeral-storage": "100Gi", "pods": "110"});
    decode(json!({
        "metadata": {"name": format!("node-{i:05}"), "uid": format!("node-uid-node-{i:05}"), "resourceVersion": "1", "labels": labels},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }))
}

/// The nodes of the shape `mix`: every twentieth is for batch pods only.
fn mixed_node(i: usize) -> Node {
    let mut node = serde_json::to_value(node(i)).expect("JSON");
    if i % 20 == 19 {
        node["spec"]["taints"] = json!([{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}]);
    }
    decode(node)
}

fn decode<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object of its kind")
}

fn pod(shape: &str, j: usize) -> Pod {
    let k = j % 50;
    let app = match shape {
        "anti" | "pref" => format!("app-{}", j % 100),
        "mix" => format!("mix-{k}"),
        _ => "web".to_owned(),
    };
    let (cpu, memory) = match shape {
        "whole" => ("20".to_owned(), "64Gi".to_owned()),
        // Unlike every other pod: no two of them ask for the same.
        "unlike" => (format!("{}m", 100 + j % 97), format!("{}Ki", 200 * 1024 + j)),
        "mix" => (format!("{}m", 50 * (1 + k % 8)), format!("{}Mi", 64 * (1 + k % 6))),
        _ => ("100m".to_owned(), "200Mi".to_owned()),
    };
    let own = json!({"matchLabels": {"app": app}});
    let zone = "topology.kubernetes.io/zone";
    let host = "kubernetes.io/hostname";
    let spread = |key: &str, when: &str| json!({"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": own});
    let term = |key: &str| json!({"topologyKey": key, "labelSelector": own});
    let preferred = |key: &str| json!({"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term(key)}]});
    let required = |key: &str| json!({"requiredDuringSchedulingIgnoredDuringExecution": [term(key)]});
    let on_nodes = |key: &str, values: Value| {
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": key, "operator": "In", "values": values}]},
        ]}}})
    };
    let mut port = json!({"containerPort": 80, "protocol": "TCP"});
    let mut spec = match (shape, k % 10) {
        ("spread", _) => {
            json!({"topologySpreadConstraints": [spread(zone, "DoNotSchedule"), spread(host, "ScheduleAnyway")]})
        }
        ("anti", _) => json!({"affinity": {"podAntiAffinity": required(host)}}),
        ("pref", _) => json!({"affinity": {"podAffinity": preferred(zone)}}),
        ("nodeaff", _) => json!({"affinity": on_nodes("example.com/special", json!(["true"]))}),
        ("mix", 1) => {
            json!({"nodeSelector": {"node.kubernetes.io/instance-type": format!("type-{}", k % 4)}})
        }
        ("mix", 2) => json!({"topologySpreadConstraints": [spread(zone, "ScheduleAnyway")]}),
        ("mix", 3) => json!({"topologySpreadConstraints": [spread(zone, "DoNotSchedule")]}),
        ("mix", 4) => json!({"affinity": {"podAntiAffinity": preferred(host)}}),
        ("mix", 5) => json!({"affinity": {"podAntiAffinity": required(host)}}),
        ("mix", 6) => json!({"affinity": {"podAffinity": preferred(zone)}}),
        ("mix", 7) => json!({"affinity": on_nodes(zone, json!(["zone-0", "zone-1"]))}),
        ("mix", 8) => {
            json!({"tolerations": [{"key": "dedicated", "operator": "Equal", "value": "batch", "effect": "NoSchedule"}]})
        }
        ("mix", 9) => {
            port["hostPort"] = (8000 + k).into();
            json!({})
        }
        _ => json!({}),
    };
    let resources = json!({"cpu": cpu, "memory": memory});
    spec["containers"] = json!([{
        "name": "c",
        "image": "registry.k8s.io/pause:3.10",
        "ports": [port],
        "resources": {"requests": resources, "limits": resources},
    }]);
    spec["schedulerName"] = "default-scheduler".into();
    spec["restartPolicy"] = "Always".into();
    spec["terminationGracePeriodSeconds"] = 30.into();
    decode(json!({
        "metadata": {
            "name": format!("pod-{j:06}"), "namespace": "default", "uid": format!("pod-uid-pod-{j:06}"),
            "resourceVersion": "1", "creationTimestamp": "2023-11-14T22:13:20Z", "labels": {"app": app},
        },
        "spec": spec,
        "status": {"phase": "Pending"},
    }))
}

fn scheduler(shape: &str, nodes: usize) -> Scheduler {
    let now = Timestamp::UNIX_EPOCH;
    let engine = Engine::new([Profile::kubernetes()], 1).expect("the profile");
    let mut scheduler = Scheduler::new(engine, SchedulingQueue::default());
    for i in 0..nodes {
        let node = if shape == "mix" { mixed_node(i) } else { node(i) };
        scheduler.record(Change::NodeAdded(Arc::new(node)), now).expect("a new node");
    }
    if shape == "svc" {
        let service: Service = decode(json!({
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        }));
        scheduler.record(Change::ServiceSet(Arc::new(service)), now).expect("a new service");
    }
    scheduler
}

/// How many pods of a shape are placed: as many as are asked for, or until the cluster is nine tenths full.
fn limit(shape: &str, nodes: usize, wanted: usize) -> usize {
    match shape {
        "nodeaff" => wanted.min(nodes.div_ceil(100) * 99),
        "whole" => wanted.min(nodes * 9 / 10),
        // A hundred series of which each has one pod on a node; five of the mix's likewise.
        "anti" => wanted.min(nodes * 90),
        "mix" => wanted.min(nodes * 30),
        _ => wanted.min(nodes * 99),
    }
}

/// What a run showed.
struct Run {
    /// CPU time of a decision in microseconds: of the first pods, and of the others.
    cold: f64,
    warm: Option<f64>,
    placed: usize,
    /// Wall-clock time in microseconds that 99 of 100 warm decisions took at most.
    p99: f64,
    /// Bytes that the engine keeps per node, beside the cluster.
    kept: f64,
}

/// Decisions between two looks at the clock.
const BLOCK: usize = 50;
const COLD: usize = 1_000;

fn run(shape: &str, nodes: usize, wanted: usize, churn: bool, budget: Duration) -> Run {
    let mut scheduler = scheduler(shape, nodes);
    let limit = limit(shape, nodes, wanted);
    let moment = |j: usize| Timestamp::UNIX_EPOCH + Duration::from_micros(j as u64);
    for j in 0..limit {
        assert_eq!(scheduler.pod_seen(Arc::new(pod(shape, j)), moment(j)), None, "the pod is queued");
    }
    let now = moment(limit);
    let (mut cold, mut warm, mut done) = (Duration::ZERO, Duration::ZERO, 0);
    let mut times: Vec<Duration> = Vec::with_capacity(limit);
    let mut placed: Vec<Str> = Vec::with_capacity(limit);
    // Changed nodes, made beforehand: each comes twice, with another label each time.
    let updates: Vec<Arc<Node>> = (0..if churn { 2_000 } else { 0 })
        .map(|index| {
            let i = index % 1_000 * 7 % nodes;
            let mut node = if shape == "mix" { mixed_node(i) } else { node(i) };
            node.metadata.labels.insert(Str::from("updated"), Str::from(index.to_string()));
            Arc::new(node)
        })
        .collect();
    let updates_per_thousand = nodes / 100;
    let mut updated = 0;
    while done < limit && cold + warm < budget {
        // Not timed: the next pod's node by a full evaluation.
        let full = (done % 1_000 == 0 && done < 20_000)
            .then(|| scheduler.engine().evaluate(&pod(shape, done)).node().cloned());
        let block = if full.is_some() { 1 } else { BLOCK.min(limit - done).min(1_000 - done % 1_000) };
        let start = CpuClock::now();
        for _ in 0..block {
            let began = Instant::now();
            let step = scheduler.next(now);
            let Some(Step::Bind { pod, node }) = step else {
                panic!("{shape}, {nodes} nodes: every pod fits, but: {step:?}")
            };
            let id = pod_id(&pod);
            scheduler.bound(&id);
            times.push(began.elapsed());
            if let Some(full) = &full {
                assert_eq!(Some(&node), full.as_ref(), "{shape}, {nodes} nodes, pod {done}: as in full");
            }
            if churn && done >= COLD {
                if done % 2 == 0 {
                    let gone = placed.swap_remove(done * 7_919 % placed.len());
                    scheduler.pod_gone(&gone, now);
                }
                while updated < (done - COLD) * updates_per_thousand / 1_000 {
                    let node = Arc::clone(&updates[updated % updates.len()]);
                    scheduler.record(Change::NodeUpdated(node), now).expect("a known node");
                    updated += 1;
                }
            }
            placed.push(id);
            done += 1;
        }
        let spent = start.elapsed();
        if done <= COLD { cold += spent } else { warm += spent }
    }
    let mut warm_times = times.split_off(COLD.min(times.len()));
    warm_times.sort_unstable();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    Run {
        cold: micros(cold) / done.min(COLD) as f64,
        warm: (done > COLD).then(|| micros(warm) / (done - COLD) as f64),
        placed: done,
        p99: warm_times.get(warm_times.len() * 99 / 100).copied().map_or(0.0, micros),
        kept: scheduler.engine().memory_used() as f64 / nodes as f64,
    }
}

/// CPU time in milliseconds of what preemption adds to a decision about a pod for which three of ten less
/// important pods have to go, on every node; the fastest of some.
fn preemption(nodes: usize) -> f64 {
    let mut engine = Engine::new([Profile::kubernetes()], 1).expect("the profile");
    for i in 0..nodes {
        engine.record(Change::NodeAdded(Arc::new(node(i)))).expect("a new node");
    }
    let pod = |name: String, node: &str, cpu: &str, priority: i32| -> Pod {
        decode(json!({
            "metadata": {"name": name, "namespace": "default", "uid": name, "labels": {"app": "web"}},
            "spec": {"nodeName": node, "priority": priority, "containers": [
                {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}]},
            "status": {"startTime": "2026-01-01T00:00:00Z"},
        }))
    };
    for round in 0..10 {
        for i in 0..nodes {
            let placed = pod(format!("{round}-{i}"), &format!("node-{i:05}"), "3200m", round % 3);
            engine.record(Change::PodAdded(Arc::new(placed))).expect("a new pod");
        }
    }
    let wanted = pod("wanted".to_owned(), "", "9", 100);
    let mut patient = wanted.clone();
    patient.spec.preemption_policy = Some(PreemptionPolicy::Never);
    let mut best = f64::MAX;
    for _ in 0..15 {
        let start = CpuClock::now();
        let Decision::Unschedulable(why) = engine.evaluate(&wanted) else { panic!("every node is full") };
        let whole = start.elapsed();
        assert_eq!(why.nomination().map(|nomination| nomination.victims.len()), Some(3));
        let start = CpuClock::now();
        assert_eq!(engine.evaluate(&patient).node(), None);
        best = best.min((whole.saturating_sub(start.elapsed())).as_secs_f64() * 1e3);
    }
    best
}

fn main() -> std::io::Result<()> {
    let mut bench = Bench::new("scheduler");
    let only = std::env::var("ORLOP_SHAPE").ok();
    let budget = Duration::from_millis(bench.size(400, 20_000) as u64);
    let wanted = bench.size(5_000, 50_000);
    // Shape, then decisions per CPU-second of kube-scheduler 1.36, cold, 5,000 nodes: scoring a tenth of the
    // nodes, scoring all.
    let shapes: [(&str, Option<f64>, Option<f64>); 9] = [
        ("plain", Some(736.0), Some(55.0)),
        ("svc", Some(423.0), None),
        ("spread", Some(225.0), Some(55.0)),
        ("nodeaff", Some(128.0), Some(128.0)),
        ("whole", Some(675.0), None),
        ("anti", Some(442.0), Some(60.0)),
        ("pref", Some(443.0), Some(49.0)),
        ("mix", Some(415.0), Some(53.0)),
        ("unlike", None, Some(55.0)),
    ];
    // The default of kube-scheduler looks at a tenth of 5,000 nodes.
    let in_full = bench.size(0, 1) == 1;
    let sizes: &[usize] = if in_full { &[100, 1_000, 5_000, 15_000, 100_000] } else { &[1_000, 5_000] };
    let mut ours: Vec<(&str, f64, f64)> = Vec::new();
    for &nodes in sizes {
        for (shape, tenth, all) in shapes {
            if only.as_deref().is_some_and(|only| !only.split(',').any(|only| only == shape)) {
                continue;
            }
            let peers: Vec<Peer> =
                [("kube-scheduler, 10 % of nodes", tenth), ("kube-scheduler, all nodes", all)]
                    .into_iter()
                    .filter(|_| nodes == 5_000)
                    .filter_map(|(name, value)| Some(Peer::recorded(name, value?)))
                    .collect();
            let name = format!("{shape}, {nodes} nodes");
            let plain = run(shape, nodes, wanted, false, budget);
            bench.row(&format!("{name}, cold"), 1e6 / plain.cold, "/CPU-s", &peers);
            if let Some(warm) = plain.warm {
                ours.push((shape, nodes as f64, 1e6 / warm));
                bench.row(&format!("{name}, warm, {} pods", plain.placed), 1e6 / warm, "/CPU-s", &peers);
                bench.row(&format!("{name}, warm, p99 of one"), plain.p99, "µs", &[]);
            }
            bench.row(&format!("{name}, kept per node"), plain.kept, "B", &[]);
            if shape != "unlike"
                && nodes >= 5_000
                && let Some(warm) = run(shape, nodes, wanted, true, budget).warm
            {
                bench.row(&format!("{name}, churn"), 1e6 / warm, "/CPU-s", &[]);
            }
        }
        if only.as_deref().is_none_or(|only| only == "preemption") {
            bench.row(
                &format!("preemption's dry run, {nodes} nodes of 10 pods"),
                preemption(nodes),
                "ms",
                &[],
            );
        }
    }
    if in_full && only.is_none() {
        plot(&ours).write(concat!(env!("CARGO_MANIFEST_DIR"), "/scheduler.svg").as_ref())?;
    }
    bench.finish()
}

/// Decisions by size of the cluster, beside what was recorded of kube-scheduler 1.36.
fn plot(ours: &[(&str, f64, f64)]) -> Plot {
    let mut plot = Plot::new("Scheduling decisions, all nodes scored", "nodes", "decisions per CPU-second");
    for shape in ["plain", "svc", "mix"] {
        let points = ours.iter().filter(|(name, ..)| *name == shape).map(|(_, nodes, rate)| (*nodes, *rate));
        plot.series(&format!("Orlop, {shape}, warm"), false, points.collect());
    }
    let tenth = [(100.0, 2_303.0), (1_000.0, 946.0), (5_000.0, 736.0), (15_000.0, 418.0)];
    plot.series("kube-scheduler, plain, its default", true, tenth.into());
    let svc = [(100.0, 1_966.0), (1_000.0, 664.0), (5_000.0, 423.0), (15_000.0, 120.0)];
    plot.series("kube-scheduler, svc, its default", true, svc.into());
    plot.series(
        "kube-scheduler, plain, all nodes",
        true,
        vec![(100.0, 2_303.0), (1_000.0, 289.0), (5_000.0, 55.0)],
    );
    plot
}
