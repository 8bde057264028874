//! The controllers on an API server whose answers are late, lost or conflicts, with caches that are fed late, twice, or
//! not at all until they list anew, in processes that crash, with nodes that are played: over many seeds, to their goals.

use std::collections::BTreeSet;

use orlop_apiserver::LocalClient;
use orlop_cache::test_util::{Faults, Faulty};
use orlop_client::{Api, Client, DeleteOptions, ListOptions};
use orlop_clock::{Random, TokioClock};
use orlop_controller::test_util::{Moment, Unreliable, WriteFaults, until_crash_or_goal};
use orlop_model::apps::v1::{Deployment, ReplicaSet};
use orlop_model::batch::v1::Job;
use orlop_model::coordination::v1::Lease;
use orlop_model::core::v1::{Event, Node, NodeStatus, PodPhase};
use orlop_model::{MicroTime, StaticKind, Time};
use orlop_store::{MemoryStore, Revision, Store as _};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::*;

const LIMIT: Duration = Duration::from_secs(7200);

/// As many as `ORLOP_SEEDS` says, or the one of `ORLOP_SEED`.
fn seeds() -> std::ops::Range<u64> {
    let asked = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    match asked("ORLOP_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked("ORLOP_SEEDS").unwrap_or(20),
    }
}

/// A server with its seed, and the clock that everybody has.
struct World {
    store: Arc<MemoryStore>,
    local: LocalClient,
    server: Arc<dyn Client>,
    clock: Arc<dyn Clock>,
    random: Random,
    /// UIDs of the pods that really succeeded.
    succeeded: Mutex<BTreeSet<Str>>,
}

impl World {
    async fn new(seed: u64) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let random = Random::new(seed);
        let store = Arc::new(MemoryStore::new());
        let local = LocalClient::builder(store.clone(), Arc::clone(&clock), random.fork("server"))
            .build()
            .await
            .unwrap();
        let server: Arc<dyn Client> = Arc::new(local.clone());
        Self { store, local, server, clock, random, succeeded: Mutex::default() }
    }

    /// Moves on with each write.
    async fn revision(&self) -> Revision {
        self.store.revision().await.unwrap()
    }

    fn api<K: StaticKind>(&self) -> Api<K> {
        Api::namespaced(Arc::clone(&self.server), "default")
    }

    async fn add_nodes(&self, names: &[&str]) {
        for name in names {
            let mut node = Node::default();
            node.metadata.name = (*name).into();
            node.status = ready_node(self.clock.now());
            Api::<Node>::all(Arc::clone(&self.server)).create(node).await.unwrap();
        }
    }

    async fn create<K: StaticKind>(&self, object: Value) {
        self.api::<K>().create(serde_json::from_value::<K>(object).unwrap()).await.unwrap();
    }

    async fn pods(&self) -> Vec<Arc<Pod>> {
        self.api::<Pod>().list(&ListOptions::new()).await.unwrap().items
    }

    /// What there is, for people who look for a mistake.
    async fn found(&self) -> String {
        let mut found = String::new();
        for deployment in self.api::<Deployment>().list(&ListOptions::new()).await.unwrap().items {
            found += &format!("\n{} {:?}", deployment.metadata.name, deployment.status);
        }
        for job in self.api::<Job>().list(&ListOptions::new()).await.unwrap().items {
            found += &format!("\n{} {:?}", job.metadata.name, job.status);
        }
        found += &format!("\n{} pods really succeeded", self.succeeded.lock().len());
        for node in Api::<Node>::all(Arc::clone(&self.server)).list(&ListOptions::new()).await.unwrap().items
        {
            found += &format!("\n{} {:?} {:?}", node.metadata.name, node.spec.taints, node.status.conditions);
        }
        for pod in self.pods().await {
            let meta = &pod.metadata;
            let (deleted, node, phase) = (meta.deletion_timestamp, &pod.spec.node_name, &pod.status.phase);
            found += &format!("\n{} on {node} {phase:?} {deleted:?} {:?}", meta.name, meta.finalizers);
        }
        found
    }

    /// The controllers, as they are in one process.
    fn controllers(&self, client: Arc<dyn Client>, start: u32) -> impl Future<Output = ()> + use<> {
        let informers = Informers::with_random(client, self.random.fork(&format!("informers {start}")));
        let kinds = self.local.scheme().kinds().filter(|kind| !Event::KIND.is(kind)).cloned().collect();
        let parts = Parts {
            informers: informers.clone(),
            clock: Arc::clone(&self.clock),
            stop: CancellationToken::new(),
            kinds,
            pods: PodsByController::new(&informers),
        };
        // Tasks of their own: nobody is polled for what others wait for. They end when the process does.
        let mut controllers: JoinSet<()> =
            all(&parts).into_iter().map(|(_, controller)| controller).collect();
        async move { while controllers.join_next().await.is_some() {} }
    }

    /// Runs the controllers with up to three crashes until the goal is reached.
    async fn reach(&self, seed: u64, goal: impl AsyncFnMut() -> bool) -> u32 {
        let caches = Faulty::new(Arc::clone(&self.server), self.random.fork("caches"));
        caches.set(faults(seed));
        let client = Unreliable::new(caches, self.random.fork("writes"));
        client.set(WriteFaults::some());
        let crashes = self.random.fork("crashes");
        let mut starts = 0;
        let program = |process| {
            starts += 1;
            if starts <= 3 {
                let moment = if crashes.chance(0.5) { Moment::Before } else { Moment::After };
                client.crash_at(crashes.range(0..60), moment);
            }
            self.controllers(process, starts)
        };
        match until_crash_or_goal(&client, program, goal, LIMIT).await {
            Ok(crashes) => crashes,
            Err(error) => panic!("ORLOP_SEED={seed}: {error}: {}", self.found().await),
        }
    }
}

/// What goes wrong with what feeds the caches: nothing, some things, or much of everything.
fn faults(seed: u64) -> Faults {
    match seed % 4 {
        0 => Faults::default(),
        1 | 2 => Faults {
            list_fails: 0.1,
            watch_fails: 0.1,
            breaks: 0.03,
            ends: 0.03,
            repeats: 0.1,
            bookmarks: 0.1,
            delays: 0.2,
            delay: Duration::from_secs(3),
            ..Faults::default()
        },
        // What is silent for ever is given up after minutes; of that a little is enough.
        _ => Faults { list_hangs: 0.01, hangs: 0.003, ..Faults::all() },
    }
}

/// Plays scheduler and kubelets: binds pods, runs them, ends those of jobs, takes away what is to be deleted, renews
/// leases, and says that nodes and pods are ready where somebody else doubted it. Nodes in `dead` do nothing.
async fn play(world: &World, nodes: &[&str], dead: &Mutex<BTreeSet<&'static str>>) {
    let (pods, leases) =
        (world.api::<Pod>(), Api::<Lease>::namespaced(Arc::clone(&world.server), "kube-node-lease"));
    let all_nodes = Api::<Node>::all(Arc::clone(&world.server));
    let (mut seen, mut busy) = (None, true);
    for turn in 0_u64.. {
        let now = world.clock.now();
        let alive: Vec<&str> = nodes.iter().copied().filter(|name| !dead.lock().contains(name)).collect();
        if turn % 10 == 0 {
            for name in &alive {
                renew(&leases, name, now).await;
            }
        }
        // Whatever becomes of a write: the next round looks again, as long as there are changes.
        let revision = Some(world.revision().await);
        let calm = seen == revision && turn % 30 != 0;
        seen = revision;
        if !calm || busy {
            for node in all_nodes.list(&ListOptions::new()).await.unwrap().items {
                let ready = node
                    .status
                    .conditions
                    .iter()
                    .any(|found| found.type_ == "Ready" && found.status == "True");
                if !ready && alive.contains(&&*node.metadata.name) {
                    let _ = all_nodes
                        .modify_status(&node.metadata.name, |node| node.status = ready_node(now))
                        .await;
                }
            }
            busy = false;
            for pod in world.pods().await {
                busy |= play_pod(world, &pods, &pod, &alive, turn).await;
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn renew(leases: &Api<Lease>, name: &str, now: orlop_clock::Timestamp) {
    let renewed = leases.modify(name, |lease| lease.spec.renew_time = Some(MicroTime::from(now))).await;
    if renewed.is_err_and(|error| error.is_not_found()) {
        let mut lease = Lease::default();
        lease.metadata.name = name.into();
        lease.spec.holder_identity = Some(name.into());
        lease.spec.lease_duration_seconds = Some(40);
        lease.spec.renew_time = Some(MicroTime::from(now));
        leases.create(lease).await.unwrap();
    }
}

/// Says whether something is still to be done about the pod.
async fn play_pod(world: &World, pods: &Api<Pod>, pod: &Pod, alive: &[&str], turn: u64) -> bool {
    let (key, now) = (pod.key(), world.clock.now());
    let node = pod.spec.node_name.as_str();
    let mine = node.is_empty() || alive.contains(&node);
    let ended = matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed);
    if pod.metadata.is_deleting() {
        if mine && pod.metadata.finalizers.is_empty() {
            let now = DeleteOptions { grace: Some(0), ..DeleteOptions::default() };
            let _ = pods.delete_with(&key, &now).await;
        }
    } else if node.is_empty() {
        let name = alive[world.random.index(alive.len())];
        let _ = pods.bind(&key, name).await;
    } else if mine && !ended {
        let of_job = pod.metadata.controller().is_some_and(|owner| owner.kind == "Job");
        let running = pod.status.phase == PodPhase::Running;
        let ready =
            pod.status.conditions.iter().any(|found| found.type_ == "Ready" && found.status == "True");
        if running && !of_job && ready {
            return false;
        }
        if !turn.is_multiple_of(3) {
            return true;
        }
        let phase = match (running && of_job, world.random.chance(0.2)) {
            (false, _) => PodPhase::Running,
            (true, false) => PodPhase::Succeeded,
            (true, true) => PodPhase::Failed,
        };
        let written = pods.modify_status(&key, |pod| run(pod, phase.clone(), now)).await;
        if written.is_ok() && phase == PodPhase::Succeeded {
            world.succeeded.lock().insert(pod.metadata.uid.clone());
        }
    } else {
        return false;
    }
    true
}

fn run(pod: &mut Pod, phase: PodPhase, now: orlop_clock::Timestamp) {
    let ready = if phase == PodPhase::Running { "True" } else { "False" };
    let now = Time::from(now);
    let conditions = ["Ready", "ContainersReady"]
        .map(|type_| json!({"type": type_, "status": ready, "lastTransitionTime": now}));
    pod.status.conditions = serde_json::from_value(json!(conditions)).unwrap();
    pod.status.phase = phase;
    pod.status.start_time.get_or_insert(now);
}

fn deployment(name: &str, image: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [{"name": "main", "image": image}],
                    // Not minutes, which nobody wants to play.
                    "tolerations": [
                        {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "operator": "Exists", "tolerationSeconds": 15},
                        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "operator": "Exists", "tolerationSeconds": 15},
                    ],
                },
            },
        },
    })
}

fn ready_node(now: orlop_clock::Timestamp) -> NodeStatus {
    let now = Time::from(now);
    let ready =
        json!({"type": "Ready", "status": "True", "lastHeartbeatTime": now, "lastTransitionTime": now});
    serde_json::from_value(json!({"conditions": [ready]})).unwrap()
}

fn paused<F: Future>(test: F) -> F::Output {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(test)
}

/// A rollout while another deployment is deleted: Deployment, ReplicaSet, garbage collection.
#[test]
fn rollouts_and_deletions_come_to_their_end_whatever_goes_wrong() {
    let mut crashes = 0;
    for seed in seeds() {
        crashes += paused(async {
            let world = World::new(seed).await;
            world.add_nodes(&["a", "b"]).await;
            world.create::<Deployment>(deployment("web", "example/web:1")).await;
            world.create::<Deployment>(deployment("old", "example/old:1")).await;
            let dead = Mutex::default();
            let (deployments, sets) = (world.api::<Deployment>(), world.api::<ReplicaSet>());
            let mut phase = 0;
            let goal = async || {
                let web = deployments.get("web").await.unwrap();
                let available = web.status.available_replicas == 3
                    && web.status.replicas == 3
                    && web.status.observed_generation == web.metadata.generation;
                match phase {
                    // Sometimes in the middle of the first rollout.
                    0 if available || world.random.chance(0.1) => {
                        let image = |web: &mut Deployment| {
                            web.spec.template.spec.containers[0].image = "example/web:2".into();
                        };
                        deployments.modify("web", image).await.unwrap();
                        deployments.delete("old").await.unwrap();
                        phase = 1;
                        false
                    }
                    0 => false,
                    _ => {
                        let pods = world.pods().await;
                        let new = pods.iter().filter(|pod| pod.spec.containers[0].image == "example/web:2");
                        let sets = sets.list(&ListOptions::new()).await.unwrap().items;
                        available
                            && web.status.updated_replicas == 3
                            && new.count() == 3
                            && pods.len() == 3
                            && sets
                                .iter()
                                .all(|set| set.metadata.labels.get("app").is_some_and(|app| *app == "web"))
                    }
                }
            };
            tokio::select! {
                crashes = world.reach(seed, goal) => crashes,
                () = play(&world, &["a", "b"], &dead) => unreachable!("nodes play for ever"),
            }
        });
    }
    assert!(u64::from(crashes) >= seeds().end - seeds().start, "{crashes} crashes");
}

/// A job with failing pods, while a node dies and is removed: Job, node, taint eviction, pod GC.
#[test]
fn jobs_are_done_and_dead_nodes_are_left_whatever_goes_wrong() {
    let mut crashes = 0;
    for seed in seeds() {
        crashes += paused(async {
            let world = World::new(seed).await;
            world.add_nodes(&["a", "b"]).await;
            world.create::<Deployment>(deployment("web", "example/web:1")).await;
            world
                .create::<Job>(json!({
                    "metadata": {"name": "sum", "namespace": "default"},
                    "spec": {
                        "completions": 4, "parallelism": 2, "backoffLimit": 50,
                        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example/sum:1"}]}},
                    },
                }))
                .await;
            let dead: Mutex<BTreeSet<&'static str>> = Mutex::default();
            let (deployments, jobs) = (world.api::<Deployment>(), world.api::<Job>());
            let nodes = Api::<Node>::all(Arc::clone(&world.server));
            let mut removed = false;
            let mut ticks = 0;
            let goal = async || {
                ticks += 1;
                let web = deployments.get("web").await.unwrap();
                if dead.lock().is_empty() {
                    if web.status.available_replicas == 3 || ticks > 200 {
                        dead.lock().insert("b");
                    }
                    return false;
                }
                let pods = world.pods().await;
                if !removed {
                    // Once its pods are told to go, an administrator removes the node.
                    let there = |pod: &&Arc<Pod>| pod.spec.node_name == "b" && !pod.metadata.is_deleting();
                    let tainted = nodes
                        .get("b")
                        .await
                        .unwrap()
                        .spec
                        .taints
                        .iter()
                        .any(|taint| taint.key == "node.kubernetes.io/unreachable");
                    let web_there =
                        pods.iter().filter(there).any(|pod| pod.metadata.labels.contains_key("app"));
                    if tainted && !web_there {
                        nodes.delete("b").await.unwrap();
                        removed = true;
                    }
                    return false;
                }
                let job = jobs.get("sum").await.unwrap();
                web.status.available_replicas == 3
                    && orlop_planners::job::is_finished(&job)
                    // Where the answer to a create is lost there may be more pods than are needed; each counts once.
                    && job.status.succeeded >= 4
                    && usize::try_from(job.status.succeeded) == Ok(world.succeeded.lock().len())
                    && pods.iter().all(|pod| pod.spec.node_name != "b")
                    && pods.iter().all(|pod| pod.metadata.finalizers.is_empty())
            };
            tokio::select! {
                crashes = world.reach(seed, goal) => crashes,
                () = play(&world, &["a", "b"], &dead) => unreachable!("nodes play for ever"),
            }
        });
    }
    assert!(u64::from(crashes) >= seeds().end - seeds().start, "{crashes} crashes");
}
