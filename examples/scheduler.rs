//! The reference scheduler: informers, engine and binder on any client, with kube-scheduler's metrics, one leader among
//! several processes, and an orderly end.
//!
//! Without arguments it is shown at work: an API server in this process with simulated nodes, and two schedulers, of which
//! the second takes over from the first.
//!
//! `cargo run --release --example scheduler -- --help`

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use orlop_apiserver::LocalClient;
use orlop_cache::Informer;
use orlop_client::{Api, Client, ListOptions};
use orlop_clock::{Clock, Random, SystemClock};
use orlop_controller::{Election, LeadershipLost, Recorder};
use orlop_model::apps::v1::ReplicaSet;
use orlop_model::core::v1::{Namespace, Node, Pod, Service};
use orlop_model::policy::v1::PodDisruptionBudget;
use orlop_scheduler::driver::{
    AttemptResult, ClientActuator, Driver, SchedulerHandle, SchedulerMetrics, Sources,
};
use orlop_scheduler::{Backoff, Engine, Profile, QueueOptions, Scheduler, SchedulingQueue};
use orlop_store::MemoryStore;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The reference scheduler, at work on simulated nodes.
#[derive(Debug, Parser)]
#[command(name = "scheduler", version)]
struct Arguments {
    /// Simulated nodes
    #[arg(long, default_value_t = 50)]
    nodes: usize,

    /// Pods to be scheduled by each of the two schedulers
    #[arg(long, default_value_t = 500)]
    pods: usize,

    /// The seed of everything that is left to chance, such as the choice among equally good nodes
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Serve Prometheus' /metrics here while running
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<String>,

    /// Keep on scheduling when done, until Ctrl-C
    #[arg(long)]
    keep: bool,

    #[command(flatten)]
    settings: Settings,
}

/// What a scheduler can be told.
#[derive(Clone, Debug, Parser)]
struct Settings {
    /// Namespace of the Lease by which one of several schedulers is made the leader
    #[arg(long, default_value = "kube-system")]
    lease_namespace: String,

    /// Name of that Lease
    #[arg(long, default_value = "kube-scheduler")]
    lease_name: String,

    /// Seconds that a pod waits after its first try in vain
    #[arg(long, default_value_t = 1)]
    pod_initial_backoff_seconds: u64,

    /// Seconds that a pod waits after a try in vain at most
    #[arg(long, default_value_t = 10)]
    pod_max_backoff_seconds: u64,

    /// Seconds after which a pod counts as more important by one; 0: never
    #[arg(long, default_value_t = 0)]
    ageing_seconds: u64,
}

/// A scheduler that runs in this process.
struct Replica {
    handle: SchedulerHandle,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<Result<(), LeadershipLost>>,
}

impl Replica {
    /// Starts one on any client: its caches fill up at once, but it decides nothing before it leads.
    fn start(
        client: &Arc<dyn Client>,
        identity: &str,
        seed: u64,
        settings: &Settings,
    ) -> Result<Self, orlop_scheduler::ProfileError> {
        let (stop, clock): (_, Arc<dyn Clock>) = (CancellationToken::new(), Arc::new(SystemClock));
        let election =
            Election::new(Arc::clone(client), &*settings.lease_namespace, &*settings.lease_name, identity);
        // Whatever is written after the leadership is lost is refused here.
        let guarded = election.leadership().guard(Arc::clone(client));

        let pods = Informer::builder(Api::<Pod>::all(Arc::clone(client))).build();
        let nodes = Informer::builder(Api::<Node>::all(Arc::clone(client))).build();
        let namespaces = Informer::builder(Api::<Namespace>::all(Arc::clone(client))).build();
        let services = Informer::builder(Api::<Service>::all(Arc::clone(client))).build();
        let replica_sets = Informer::builder(Api::<ReplicaSet>::all(Arc::clone(client))).build();
        let budgets = Informer::builder(Api::<PodDisruptionBudget>::all(Arc::clone(client))).build();
        let sources = Sources::new(pods.store().clone(), nodes.store().clone())
            .namespaces(namespaces.store().clone())
            .services(services.store().clone())
            .replica_sets(replica_sets.store().clone())
            .budgets(budgets.store().clone());

        let second = Duration::from_secs(1);
        let options = QueueOptions {
            backoff: Backoff {
                initial: second
                    .saturating_mul(u32::try_from(settings.pod_initial_backoff_seconds).unwrap_or(u32::MAX)),
                max: second
                    .saturating_mul(u32::try_from(settings.pod_max_backoff_seconds).unwrap_or(u32::MAX)),
            },
            ageing: (settings.ageing_seconds > 0).then(|| Duration::from_secs(settings.ageing_seconds)),
            ..QueueOptions::default()
        };
        let engine = Engine::new([Profile::kubernetes()], seed)?;
        let scheduler = Scheduler::new(engine, SchedulingQueue::new(Default::default(), options));
        let events = Recorder::new(Arc::clone(client), Arc::clone(&clock), "default-scheduler");
        let actuator = ClientActuator::new(guarded).events(events);
        let driver = Driver::new(scheduler, sources, actuator, clock);
        let handle = driver.handle();

        let token = stop.clone();
        let running = tokio::spawn(async move {
            let caches = CancellationToken::new();
            let _informers = (
                pods.spawn(caches.clone()),
                nodes.spawn(caches.clone()),
                namespaces.spawn(caches.clone()),
                services.spawn(caches.clone()),
                replica_sets.spawn(caches.clone()),
                budgets.spawn(caches.clone()),
            );
            let ended = election.lead(token.clone(), |_| driver.run(token.clone())).await;
            caches.cancel();
            ended.map(drop)
        });
        Ok(Self { handle, stop, running })
    }

    /// Ends what is being bound, and gives the Lease back.
    async fn stop(self) -> Result<SchedulerMetrics, LeadershipLost> {
        self.stop.cancel();
        self.running.await.expect("a scheduler does not panic")?;
        Ok(self.handle.metrics())
    }
}

/// Answers every request with the metrics of the schedulers.
async fn serve(listener: TcpListener, handles: Vec<SchedulerHandle>) {
    while let Ok((mut peer, _)) = listener.accept().await {
        let mut body = String::new();
        // The one that has decided something is, or was, the leader.
        let busy = handles.iter().map(SchedulerHandle::metrics);
        if let Some(metrics) = busy.max_by_key(|metrics| metrics.attempts_total(AttemptResult::Scheduled)) {
            metrics.write(&mut body).expect("a string takes everything");
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        tokio::spawn(async move {
            let mut request = [0; 4096];
            let talk = async {
                // What exactly is asked for does not matter.
                if peer.read(&mut request).await.is_ok() && peer.write_all(head.as_bytes()).await.is_ok() {
                    let _ = peer.write_all(body.as_bytes()).await;
                }
            };
            let _ = tokio::time::timeout(Duration::from_secs(5), talk).await;
        });
    }
}

fn node(number: usize) -> Node {
    let name = format!("node-{number:04}");
    let resources = json!({"cpu": "16", "memory": "64Gi", "pods": "110"});
    let node = json!({
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name,
            "topology.kubernetes.io/zone": format!("zone-{}", number % 3),
        }},
        "status": {"capacity": resources, "allocatable": resources},
    });
    serde_json::from_value(node).expect("a node")
}

fn pod(name: &str, cpu: &str) -> Pod {
    let pod = json!({
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}]},
    });
    serde_json::from_value(pod).expect("a pod")
}

async fn create_nodes(client: &Arc<dyn Client>, count: usize) -> orlop_client::Result<()> {
    let api = Api::<Node>::all(Arc::clone(client));
    for number in 0..count {
        let node = node(number);
        let status = node.status.clone();
        let created = api.create(node).await?;
        api.modify_status(&created.metadata.name, |node| node.status = status.clone()).await?;
    }
    Ok(())
}

/// Creates pods and waits until all of them are on nodes.
async fn create_pods(client: &Arc<dyn Client>, prefix: &str, count: usize) -> Result<Duration, String> {
    let api = Api::<Pod>::namespaced(Arc::clone(client), "default");
    let start = Instant::now();
    for number in 0..count {
        let name = format!("{prefix}-{number:05}");
        api.create(pod(&name, "50m")).await.map_err(|error| error.to_string())?;
    }
    loop {
        let pods = api.list(&ListOptions::new()).await.map_err(|error| error.to_string())?.items;
        let bound = pods
            .iter()
            .filter(|pod| pod.metadata.name.starts_with(prefix) && !pod.spec.node_name.is_empty())
            .count();
        if bound == count {
            return Ok(start.elapsed());
        }
        if start.elapsed() > Duration::from_secs(60) {
            return Err(format!("{bound} of {count} pods are bound after a minute"));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn show(arguments: Arguments) -> Result<(), String> {
    let store = Arc::new(MemoryStore::new());
    let server = LocalClient::builder(store, Arc::new(SystemClock), Random::new(arguments.seed));
    let client: Arc<dyn Client> = Arc::new(server.build().await.map_err(|error| error.to_string())?);
    create_nodes(&client, arguments.nodes).await.map_err(|error| error.to_string())?;

    let start = |identity: &str| {
        Replica::start(&client, identity, arguments.seed, &arguments.settings)
            .map_err(|error| error.to_string())
    };
    let (first, second) = (start("scheduler-1")?, start("scheduler-2")?);
    if let Some(address) = &arguments.metrics {
        let listener = TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
        println!("metrics: http://{}/metrics", listener.local_addr().map_err(|error| error.to_string())?);
        tokio::spawn(serve(listener, vec![first.handle.clone(), second.handle.clone()]));
    }

    let took = create_pods(&client, "first", arguments.pods).await?;
    println!("{} pods are on {} nodes after {took:.1?}", arguments.pods, arguments.nodes);
    let decided = |replica: &Replica| replica.handle.metrics().attempts_total(AttemptResult::Scheduled);
    // Which of the two came first is up to chance.
    let (leader, other) = if decided(&first) > 0 { (first, second) } else { (second, first) };
    if decided(&other) > 0 {
        return Err("two schedulers have led at once".to_owned());
    }

    let api = Api::<Pod>::namespaced(Arc::clone(&client), "default");
    let big = api.create(pod("big", "64")).await.map_err(|error| error.to_string())?;
    let explained = leader.handle.explain(&big);
    let nearest = explained.nearest_miss().ok_or("the big pod fits")?;
    println!("a pod that asks for 64 cpus would come nearest to fitting on {}", nearest.node);

    let metrics = leader.stop().await.map_err(|lost| lost.to_string())?;
    println!("the leader stops after {} bindings", metrics.attempts_total(AttemptResult::Scheduled));
    let took = create_pods(&client, "second", arguments.pods).await?;
    println!("the other takes over: {} more pods after {took:.1?}", arguments.pods);
    if arguments.keep {
        println!("until Ctrl-C");
        tokio::signal::ctrl_c().await.map_err(|error| error.to_string())?;
    }
    let metrics = other.stop().await.map_err(|lost| lost.to_string())?;
    let mut text = String::new();
    metrics.write(&mut text).map_err(|error| error.to_string())?;
    for line in text.lines().filter(|line| {
        ["scheduler_schedule_attempts", "scheduler_pending", "scheduler_queue", "scheduler_cache"]
            .iter()
            .any(|name| line.starts_with(name))
    }) {
        println!("  {line}");
    }
    if metrics.attempts_total(AttemptResult::Scheduled) != arguments.pods as u64 {
        return Err("the second scheduler has not bound what came after the first".to_owned());
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match show(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
