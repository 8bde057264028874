//! The scheduling decision: every node evaluated for every pod, in the shapes in which
//! kube-scheduler was measured. A sample of the decisions is compared with what each plugin says
//! about each node, asked alone.

use std::sync::Arc;
use std::time::Duration;

use orlop_benches::{Bench, CpuClock, Peer};
use orlop_clock::Timestamp;
use orlop_model::core::v1::{Node, Pod, Service};
use orlop_scheduler::{Change, Engine, Profile, Scheduler, SchedulingQueue, Step, pod_id};
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

/// Schedules up to `limit` pods, or for as long as `budget` of CPU time lasts. Answers the CPU time of
/// one pod in microseconds, and how many were scheduled.
fn run(shape: &str, nodes: usize, limit: usize, budget: Duration) -> (f64, usize) {
    let mut scheduler = scheduler(shape, nodes);
    let limit = match shape {
        "nodeaff" => limit.min(100 * nodes.div_ceil(100)),
        "whole" => limit.min(nodes * 9 / 10),
        _ => limit.min(40 * nodes),
    };
    let moment = |j: usize| Timestamp::UNIX_EPOCH + Duration::from_micros(j as u64);
    for j in 0..limit {
        assert_eq!(scheduler.pod_seen(Arc::new(pod(shape, j)), moment(j)), None, "the pod is queued");
    }
    let now = moment(limit);
    let (mut spent, mut done) = (Duration::ZERO, 0);
    while done < limit && (spent < budget || done < 8) {
        let explained = (done % 16 == 0 && done < 160).then(|| scheduler.engine().explain(&pod(shape, done)));
        let start = CpuClock::now();
        let step = scheduler.next(now);
        let Some(Step::Bind { pod, node }) = step else {
            panic!("{shape}, {nodes} nodes: every pod fits, but: {step:?}")
        };
        scheduler.bound(&pod_id(&pod));
        spent += start.elapsed();
        assert_eq!(pod.metadata.name, format!("pod-{done:06}").as_str(), "first come, first served");
        if let Some(explained) = explained {
            assert_eq!(explained.nodes.len(), nodes);
            let best = explained
                .nodes
                .iter()
                .filter(|node| node.is_feasible())
                .map(|node| node.total)
                .max()
                .flatten();
            let chosen = explained.node(&node).expect("a node that is there");
            assert!(
                chosen.is_feasible() && chosen.total == best,
                "{shape}, {nodes} nodes, pod {done}: {node} is not best"
            );
        }
        done += 1;
    }
    (spent.as_secs_f64() * 1e6 / done as f64, done)
}

fn main() -> std::io::Result<()> {
    let mut bench = Bench::new("scheduler");
    let budget = Duration::from_millis(bench.size(150, 6_000) as u64);
    let all = "kube-scheduler 1.36, all nodes";
    let adaptive = "kube-scheduler 1.36, adaptive";
    // Shape, nodes, kube-scheduler's CPU µs per pod.
    let cases = [
        ("plain", 100, all, 434.0),
        ("spread", 100, all, 590.0),
        ("anti", 100, all, 701.0),
        ("pref", 100, all, 648.0),
        ("mix", 100, all, 586.0),
        ("nodeaff", 100, all, 206.0),
        ("svc", 100, all, 571.0),
        ("plain", 1_000, all, 3_459.0),
        ("plain", 1_000, adaptive, 1_057.0),
        ("spread", 1_000, all, 3_160.0),
        ("anti", 1_000, all, 3_534.0),
        ("pref", 1_000, all, 3_487.0),
        ("mix", 1_000, all, 2_581.0),
        ("nodeaff", 1_000, all, 1_562.0),
        ("svc", 1_000, adaptive, 1_505.0),
        ("plain", 5_000, all, 18_148.0),
        ("spread", 5_000, all, 18_195.0),
        ("anti", 5_000, all, 16_702.0),
        ("pref", 5_000, all, 20_300.0),
        ("mix", 5_000, all, 18_751.0),
        ("nodeaff", 5_000, all, 7_806.0),
        ("svc", 5_000, adaptive, 2_362.0),
        ("whole", 5_000, adaptive, 1_482.0),
    ];
    let mut before = None;
    for (shape, nodes, peer, value) in cases {
        let limit = if nodes == 100 { 1_000 } else { 300 };
        let peers = [Peer::recorded(peer, value)];
        let workload = format!("{shape}, {nodes} nodes");
        // One run can be compared with several peers.
        let figure = match before {
            Some((same, figure)) if same == (shape, nodes) => figure,
            _ => run(shape, nodes, limit, budget),
        };
        before = Some(((shape, nodes), figure));
        bench.row(&format!("{workload}, {} pods", figure.1), figure.0, "µs", &peers);
        if (shape, nodes, peer) == ("plain", 1_000, all) {
            bench.row(
                "plain, 1000 nodes: decisions per CPU second",
                1e6 / figure.0,
                "/s",
                &[Peer::recorded(all, 289.0)],
            );
        }
    }
    bench.finish()
}
