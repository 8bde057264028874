//! Scheduling from end to end: pods are created at an API server in memory, heard of through informers, decided about,
//! and bound through the API server again; and what the queue costs by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use orlop_apiserver::LocalClient;
use orlop_benches::{Bench, CpuClock, Peer};
use orlop_cache::Informer;
use orlop_client::{Api, Client};
use orlop_clock::{Random, SystemClock, Timestamp};
use orlop_controller::Recorder;
use orlop_model::core::v1::{Node, Pod, Service};
use orlop_model::{Str, apps::v1::ReplicaSet};
use orlop_scheduler::driver::{AttemptResult, ClientActuator, Driver, Sources};
use orlop_scheduler::{Engine, Profile, Scheduler, SchedulingQueue};
use orlop_store::MemoryStore;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn decode<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object of its kind")
}

fn node(i: usize) -> Node {
    let resources = json!({"cpu": "32", "memory": "128Gi", "ephemeral-storage": "100Gi", "pods": "110"});
    decode(json!({
        "metadata": {"name": format!("node-{i:05}"), "labels": {
            "kubernetes.io/hostname": format!("node-{i:05}"),
            "kubernetes.io/os": "linux",
            "topology.kubernetes.io/region": "region-1",
            "topology.kubernetes.io/zone": format!("zone-{}", i % 3),
        }},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }))
}

/// A pod as its author writes it.
fn template() -> Pod {
    let resources = json!({"cpu": "100m", "memory": "200Mi"});
    decode(json!({
        "metadata": {"name": "pod", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{
            "name": "c",
            "image": "registry.k8s.io/pause:3.10",
            "ports": [{"containerPort": 80}],
            "resources": {"requests": resources, "limits": resources},
        }]},
    }))
}

/// What one run found.
struct Run {
    wall: Duration,
    cpu: Duration,
}

/// Schedules `pods` pods onto `nodes` nodes, from the first creation to the last binding.
async fn run(nodes: usize, pods: usize, with_events: bool) -> Run {
    let clock = Arc::new(SystemClock);
    let server = LocalClient::builder(Arc::new(MemoryStore::new()), clock.clone(), Random::new(1));
    let client: Arc<dyn Client> = Arc::new(server.build().await.expect("a server"));
    let api = Api::<Node>::all(Arc::clone(&client));
    for i in 0..nodes {
        let wanted = node(i);
        let status = wanted.status.clone();
        api.create(wanted).await.expect("a new node");
        let name = Str::from(format!("node-{i:05}"));
        api.modify_status(&name, |node| node.status = status.clone()).await.expect("its status");
    }

    let stop = CancellationToken::new();
    let informers = (
        Informer::builder(Api::<Pod>::all(Arc::clone(&client))).build(),
        Informer::builder(api).build(),
        Informer::builder(Api::<Service>::all(Arc::clone(&client))).build(),
        Informer::builder(Api::<ReplicaSet>::all(Arc::clone(&client))).build(),
    );
    let sources = Sources::new(informers.0.store().clone(), informers.1.store().clone())
        .services(informers.2.store().clone())
        .replica_sets(informers.3.store().clone());
    let _running = (
        informers.0.spawn(stop.clone()),
        informers.1.spawn(stop.clone()),
        informers.2.spawn(stop.clone()),
        informers.3.spawn(stop.clone()),
    );
    let engine = Engine::new([Profile::kubernetes()], 1).expect("a profile");
    let scheduler: Scheduler = Scheduler::new(engine, SchedulingQueue::default());
    let mut actuator = ClientActuator::new(Arc::clone(&client));
    if with_events {
        actuator = actuator.events(Recorder::new(Arc::clone(&client), clock.clone(), "default-scheduler"));
    }
    let driver = Driver::new(scheduler, sources, actuator, clock);
    let handle = driver.handle();
    let driver = tokio::spawn(driver.run(stop.clone()));
    wait_until(|| handle.metrics().nodes == nodes).await;

    let (start, cpu) = (Instant::now(), CpuClock::now());
    let creator = tokio::spawn(async move {
        let (api, template) = (Api::<Pod>::namespaced(client, "default"), template());
        for i in 0..pods {
            let mut pod = template.clone();
            pod.metadata.name = format!("pod-{i:06}").into();
            api.create(pod).await.expect("a new pod");
            // Whoever creates pods over a network gives others a turn with each.
            if i % 16 == 15 {
                tokio::task::yield_now().await;
            }
        }
    });
    wait_until(|| handle.metrics().attempts_total(AttemptResult::Scheduled) == pods as u64).await;
    let run = Run { wall: start.elapsed(), cpu: cpu.elapsed() };
    creator.await.expect("all were created");
    let metrics = handle.metrics();
    assert_eq!(metrics.attempts_total(AttemptResult::Unschedulable), 0, "every pod fits");
    assert_eq!(metrics.attempts_total(AttemptResult::Error), 0, "nothing fails");
    stop.cancel();
    driver.await.expect("the driver ends");
    run
}

async fn wait_until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(600), "nothing moves");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Nanoseconds of taking a pod from a queue of so many and reporting it placed.
fn pop_and_done(pods: usize) -> f64 {
    let rules = Engine::new([Profile::kubernetes()], 1).expect("a profile");
    let mut queue: SchedulingQueue = SchedulingQueue::default();
    let template = template();
    let random = Random::new(1);
    // As in a cluster, which knows its pods from before and after.
    let mut kept = Vec::with_capacity(pods);
    for i in 0..pods {
        let mut pod = template.clone();
        pod.metadata.name = format!("pod-{i:06}").into();
        pod.metadata.uid = random.uid().into();
        let moment = Timestamp::UNIX_EPOCH + Duration::from_micros(i as u64);
        let pod = Arc::new(pod);
        kept.push(Arc::clone(&pod));
        assert_eq!(queue.add(pod, &rules, moment), None, "the pod is queued");
    }
    let start = CpuClock::now();
    for _ in 0..pods {
        let next = queue.pop(&rules, Timestamp::UNIX_EPOCH).expect("a pod");
        let id = next.id().clone();
        queue.decided(&id);
        queue.done(&id);
    }
    let took = start.elapsed();
    assert_eq!((queue.counts().total(), kept.len()), (0, pods), "all are placed");
    #[expect(clippy::cast_precision_loss, reason = "far below what a float can tell apart")]
    let each = took.as_nanos() as f64 / pods as f64;
    each
}

/// The most memory that the process has had, in MB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "far below what a float can tell apart")]
fn main() -> std::io::Result<()> {
    let mut bench = Bench::new("scheduler_e2e");
    let (nodes, pods) = (bench.size(500, 5_000), bench.size(3_000, 50_000));
    let queued = bench.size(5_000, 50_000);
    bench.whole(&format!("queue: pop and done, {queued} pods"), "ns", &[], || pop_and_done(queued));

    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    for with_events in [false, true] {
        let Run { wall, cpu } = runtime()?.block_on(run(nodes, pods, with_events));
        let events = if with_events { ", with Events" } else { "" };
        let workload = format!("{nodes} nodes, {pods} pods{events}");
        let kube = |value| [Peer::recorded("kube-scheduler 1.36, its API server and etcd", value)];
        bench.row(&format!("{workload}: bound"), pods as f64 / wall.as_secs_f64(), "/s", &kube(288.0));
        bench.row(&format!("{workload}: CPU of one pod"), cpu.as_secs_f64() * 1e6 / pods as f64, "µs", &[]);
        if !with_events {
            bench.row(&format!("{workload}: peak RSS"), peak(), "MB", &kube(1_500.0));
        }
    }
    bench.finish()
}
