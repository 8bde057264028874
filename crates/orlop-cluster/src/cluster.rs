//! [`Cluster`]: the composed control plane.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use orlop_apiserver::LocalClient;
use orlop_cache::Index;
use orlop_client::{Api, Client, Error};
use orlop_clock::{Clock, Random};
use orlop_controller::{Informers, Recorder};
use orlop_model::apps::v1::ReplicaSet;
use orlop_model::core::v1::{ConditionStatus, Event, NodeConditionType};
use orlop_model::core::v1::{Namespace, Node, Pod, Service};
use orlop_model::policy::v1::PodDisruptionBudget;
use orlop_model::scheme::Scheme;
use orlop_model::{KindInfo, ObjectKey, StaticKind, Str};
use orlop_node::sim::{SimOptions, SimRuntime};
use orlop_node::{Agent, AgentConfig, NodeConfig, PodRuntime};
use orlop_scheduler::driver::{ClientActuator, Driver, SchedulerHandle, Sources, StorageSources};
use orlop_scheduler::plugins::PrioritySort;
use orlop_scheduler::{Engine, Profile, QueueOptions, Scheduler, SchedulingQueue};
use orlop_store::{MemoryStore, Store};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::Leftover;
use crate::controllers::{self, Parts, PodsByController};

/// Addresses that a simulated node gives its pods.
const PODS_PER_NODE: u32 = 256;
/// The first address of the pods of the first simulated node.
const POD_NETWORK: Ipv4Addr = Ipv4Addr::new(10, 128, 0, 0);

/// Why a cluster could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The API server could not be set up.
    #[error("the API server could not be set up: {0}")]
    Server(#[from] Error),
    /// The scheduler's profile is impossible.
    #[error("the scheduler could not be set up: {0}")]
    Scheduler(#[from] orlop_scheduler::ProfileError),
    /// Two nodes have one name.
    #[error("there are two nodes named {0:?}")]
    DuplicateNode(Str),
}

/// Sets up a [`Cluster`].
#[must_use = "nothing runs before `start`"]
pub struct Builder {
    clock: Arc<dyn Clock>,
    seed: u64,
    store: Arc<dyn Store>,
    server: Vec<Box<dyn FnOnce(orlop_apiserver::Builder) -> orlop_apiserver::Builder + Send>>,
    scheme: Scheme,
    nodes: Vec<NodeConfig>,
    agent: AgentConfig,
    sim: SimOptions,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Builder")
            .field("seed", &self.seed)
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// The seed of everything that is left to chance: names, UIDs, jitter, what simulated containers do.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Keeps everything in this store instead of a new one in memory.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = store;
        self
    }

    /// Also serves a user's own kind.
    pub fn register<K: StaticKind>(mut self) -> Self {
        self.scheme.register::<K>();
        self.server.push(Box::new(|server| server.register::<K>()));
        self
    }

    /// Adds a rule to the admission chain.
    pub fn admission(mut self, rule: impl orlop_apiserver::Admission) -> Self {
        self.server.push(Box::new(|server| server.admission(rule)));
        self
    }

    /// Adds a simulated node.
    pub fn node(mut self, node: NodeConfig) -> Self {
        self.nodes.push(node);
        self
    }

    /// Adds simulated nodes `node-1`, `node-2` … of the usual size.
    pub fn nodes(mut self, count: usize) -> Self {
        let width = count.to_string().len();
        self.nodes.extend((1..=count).map(|number| NodeConfig::new(format!("node-{number:0width$}"))));
        self
    }

    /// Settings of the node agents.
    pub fn agent(mut self, agent: AgentConfig) -> Self {
        self.agent = agent;
        self
    }

    /// How simulated nodes behave.
    pub fn sim(mut self, sim: SimOptions) -> Self {
        self.sim = sim;
        self
    }

    /// Starts everything, inside the tokio runtime of the caller.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(self) -> Result<Cluster, StartError> {
        let Self { clock, seed, store, server, scheme, nodes, agent, sim } = self;
        let random = Random::new(seed);
        let builder = LocalClient::builder(store, Arc::clone(&clock), random.fork("api server"));
        let local = server.into_iter().fold(builder, |builder, set_up| set_up(builder)).build().await?;
        let client: Arc<dyn Client> = Arc::new(local.clone());
        let informers = Informers::with_random(Arc::clone(&client), random.fork("informers"));
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();

        let kinds = owned_kinds(&local);
        let parts = Parts {
            informers: informers.clone(),
            clock: Arc::clone(&clock),
            stop: stop.clone(),
            kinds,
            pods: PodsByController::new(&informers),
        };
        for (name, controller) in controllers::all(&parts) {
            tasks.spawn(controller.instrument(tracing::info_span!("controller", name)));
        }
        let (namespaces, ended) = (local.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                biased;
                () = ended.cancelled() => {}
                result = namespaces.run_namespaces() => {
                    if let Err(error) = result {
                        tracing::error!(%error, "namespaces are not finished any more");
                    }
                }
            }
        });
        let scheduler = scheduler(&informers, &client, &clock, seed)?;
        let handle = scheduler.handle();
        tasks.spawn(scheduler.run(stop.clone()));

        let pods_by_node = informers.of::<Pod>().index(|pod: &Pod| pod.spec.node_name.clone());
        let mut cluster = Cluster {
            client,
            scheme: Arc::new(scheme),
            clock,
            random,
            informers,
            scheduler: handle,
            pods_by_node,
            nodes: BTreeMap::new(),
            runtimes: BTreeMap::new(),
            agent,
            sim: Arc::new(sim),
            stop,
            tasks,
        };
        for node in nodes {
            cluster.add_node(node)?;
        }
        Ok(cluster)
    }
}

/// Kinds that garbage collection looks at: all but events, which neither own nor are owned.
fn owned_kinds(local: &LocalClient) -> Arc<[KindInfo]> {
    local.scheme().kinds().filter(|kind| !Event::KIND.is(kind)).cloned().collect()
}

fn scheduler(
    informers: &Informers,
    client: &Arc<dyn Client>,
    clock: &Arc<dyn Clock>,
    seed: u64,
) -> Result<Driver, StartError> {
    let engine = Engine::new([Profile::kubernetes()], seed)?;
    let queue = SchedulingQueue::new(PrioritySort, QueueOptions::default());
    let sources = Sources::new(informers.of::<Pod>(), informers.of::<Node>())
        .namespaces(informers.of::<Namespace>())
        .services(informers.of::<Service>())
        .replica_sets(informers.of::<ReplicaSet>())
        .budgets(informers.of::<PodDisruptionBudget>())
        .storage(StorageSources::shared(informers));
    let recorder = Recorder::new(Arc::clone(client), Arc::clone(clock), "default-scheduler");
    let scheduler = Scheduler::new(engine, queue);
    let actuator = ClientActuator::new(Arc::clone(client)).events(recorder);
    Ok(Driver::new(scheduler, sources, actuator, Arc::clone(clock)))
}

/// A control plane with its nodes: store, API semantics, controllers, scheduler and node agents in one process.
///
/// Everything runs in tasks that end with it: [`Cluster::stop`] lets controllers finish what they are at, dropping it
/// ends all of them at once.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use orlop_clock::TokioClock;
/// use orlop_cluster::{Cluster, ops::{apply, rollout}};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = Arc::new(TokioClock::new("2026-03-01T12:00:00Z".parse()?));
/// let cluster = Cluster::builder(clock).seed(7).nodes(3).start().await?;
/// let manifest = apply::Source {
///     name: "web.yaml".into(),
///     text: r#"
/// apiVersion: apps/v1
/// kind: Deployment
/// metadata: {name: web}
/// spec:
///   replicas: 3
///   selector: {matchLabels: {app: web}}
///   template:
///     metadata: {labels: {app: web}}
///     spec: {containers: [{name: web, image: "example/web:1.0"}]}
/// "#.into(),
/// };
/// for applied in apply::run(cluster.client(), cluster.scheme(), &manifest, &Default::default()).await? {
///     println!("{applied}"); // deployment.apps/web created
/// }
/// let limit = Duration::from_secs(60);
/// let web = rollout::status(cluster.client(), "default", "web", limit, |line| println!("{line}")).await?;
/// assert_eq!(web.status.available_replicas, 3);
/// cluster.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct Cluster {
    client: Arc<dyn Client>,
    scheme: Arc<Scheme>,
    clock: Arc<dyn Clock>,
    random: Random,
    informers: Informers,
    scheduler: SchedulerHandle,
    /// One index for all agents.
    pods_by_node: Index<Pod, Str>,
    nodes: BTreeMap<Str, SimRuntime>,
    /// Runtimes of nodes that are not simulated.
    runtimes: BTreeMap<Str, Arc<dyn PodRuntime>>,
    agent: AgentConfig,
    sim: Arc<SimOptions>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cluster").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

impl Cluster {
    /// A cluster in memory, without nodes yet. `clock` is what everybody takes the time from; timers are tokio's, so
    /// it should go with it (`orlop_clock::TokioClock`).
    pub fn builder(clock: Arc<dyn Clock>) -> Builder {
        Builder {
            clock,
            seed: 0,
            store: Arc::new(MemoryStore::new()),
            server: Vec::new(),
            scheme: Scheme::builtin(),
            nodes: Vec::new(),
            agent: AgentConfig::default(),
            sim: SimOptions::default(),
        }
    }

    /// The client of the API.
    #[must_use]
    pub fn client(&self) -> &Arc<dyn Client> {
        &self.client
    }

    /// The objects of a kind in one namespace.
    #[must_use]
    pub fn api<K: StaticKind>(&self, namespace: &str) -> Api<K> {
        Api::namespaced(Arc::clone(&self.client), namespace)
    }

    /// The kinds that manifests may have.
    #[must_use]
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The caches that all parts share.
    #[must_use]
    pub fn informers(&self) -> &Informers {
        &self.informers
    }

    /// A look into the scheduler.
    #[must_use]
    pub fn scheduler(&self) -> &SchedulerHandle {
        &self.scheduler
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A simulated node, to make it fail.
    #[must_use]
    pub fn sim_node(&self, name: &str) -> Option<&SimRuntime> {
        self.nodes.get(name)
    }

    /// Adds a simulated node and starts its agent.
    ///
    /// # Errors
    /// [`StartError::DuplicateNode`].
    pub fn add_node(&mut self, mut node: NodeConfig) -> Result<(), StartError> {
        self.check_name(&node)?;
        let number = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        if node.addresses.is_empty() {
            let address = u32::from(Ipv4Addr::new(10, 0, 0, 1)).saturating_add(number);
            node.addresses.push(Ipv4Addr::from(address).into());
        }
        let first = u32::from(POD_NETWORK).saturating_add(number.saturating_mul(PODS_PER_NODE));
        let random = self.random.fork(&format!("runtime {}", node.name));
        let (sim, clock) = (Arc::clone(&self.sim), Arc::clone(&self.clock));
        let runtime = SimRuntime::new(sim, first.into(), PODS_PER_NODE, Arc::clone(&clock), random);
        self.nodes.insert(node.name.clone(), runtime.clone());
        let link = Arc::new(runtime.link(Arc::clone(&self.client)));
        let name = node.name.clone();
        let pods = self.pods_by_node.clone();
        let agent = Agent::new(node, link, Arc::new(runtime), pods, clock, self.random.fork("agents"));
        self.run(name, agent);
        Ok(())
    }

    /// Adds a node whose pods a runtime of the caller's runs, and starts its agent. Its containers are told of services.
    ///
    /// # Errors
    /// [`StartError::DuplicateNode`].
    pub fn add_runtime(&mut self, node: NodeConfig, runtime: Arc<dyn PodRuntime>) -> Result<(), StartError> {
        self.check_name(&node)?;
        self.runtimes.insert(node.name.clone(), Arc::clone(&runtime));
        let name = node.name.clone();
        let (client, pods, clock) =
            (Arc::clone(&self.client), self.pods_by_node.clone(), Arc::clone(&self.clock));
        let agent = Agent::new(node, client, runtime, pods, clock, self.random.fork("agents"))
            .services(self.informers.of::<Service>());
        self.run(name, agent);
        Ok(())
    }

    fn check_name(&self, node: &NodeConfig) -> Result<(), StartError> {
        if self.nodes.contains_key(&node.name) || self.runtimes.contains_key(&node.name) {
            return Err(StartError::DuplicateNode(node.name.clone()));
        }
        Ok(())
    }

    fn run(&mut self, name: Str, agent: Agent) {
        let agent = agent.config(self.agent.clone());
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            if let Err(error) = agent.run(stop).await {
                tracing::error!(%error, node = %name, "the agent of a node has ended");
            }
        });
    }

    /// Waits until this many nodes are ready; `false` if they are not within `limit`.
    pub async fn nodes_ready(&self, count: usize, limit: Duration) -> bool {
        let nodes = self.informers.of::<Node>();
        let ready = |node: &Node| {
            let mut conditions = node.status.conditions.iter();
            conditions
                .any(|found| found.type_ == NodeConditionType::Ready && found.status == ConditionStatus::True)
        };
        let wait = async {
            let mut changes = nodes.subscribe();
            while nodes.filter(None, ready).len() < count {
                if futures::StreamExt::next(&mut changes).await.is_none() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(limit, wait).await.unwrap_or(false)
    }

    /// Pods that nodes still have although the API has them no more; nothing, once all is settled.
    ///
    /// # Errors
    /// Those of the client. A node without power is passed over.
    pub async fn left_behind(&self) -> Result<Vec<Leftover>, Error> {
        let mut found = Vec::new();
        let simulated = self.nodes.iter().filter(|(_, runtime)| runtime.is_up());
        let simulated = simulated.map(|(name, runtime)| (name, runtime as &dyn PodRuntime));
        let others = self.runtimes.iter().map(|(name, runtime)| (name, &**runtime));
        for (node, runtime) in simulated.chain(others) {
            for known in runtime.pods().await.unwrap_or_default() {
                let pod = ObjectKey::namespaced(known.namespace, known.name);
                let alive = Api::<Pod>::all(Arc::clone(&self.client)).get_opt(&pod).await?;
                if alive.is_none_or(|alive| alive.metadata.uid != known.uid) {
                    found.push(Leftover { node: node.clone(), pod, uid: known.uid });
                }
            }
        }
        Ok(found)
    }

    /// Stops everything and waits until it has ended. Controllers finish what they are at and agents tell their last
    /// events; bindings under way and what agents were doing are cut off.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.informers.shut_down().await;
    }
}
