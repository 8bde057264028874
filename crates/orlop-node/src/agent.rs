//! The agent of one node.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use orlop_cache::{Delta, Index, Store, Subscription};
use orlop_client::Client;
use orlop_clock::{Clock, Random};
use orlop_model::Str;
use orlop_model::core::v1::{Pod, Service};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cell::PodCell;
use crate::context::{AgentConfig, Context};
use crate::events::Events;
use crate::materials::TokenIssuer;
use crate::node::{self, NodeConfig};
use crate::runtime::{KnownPod, PodRuntime, RuntimeError};
use crate::worker::Worker;

/// A pod that nobody asks for any more is given this long to end.
const ORPHAN_GRACE: Duration = Duration::from_secs(1);
/// What is left to tell when the agent stops must be told within this time.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why an agent could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// What an agent before has left could not be taken over or removed.
    #[error("node {node}: recovery failed: {source}")]
    Recover {
        /// The node.
        node: Str,
        /// Why.
        source: RuntimeError,
    },
}

/// The agent of one node: registers the node, keeps its lease, runs the pods that are assigned to it on a
/// [`PodRuntime`], and reports what becomes of them.
///
/// All agents of a process share one informer through an [`Index`] of the pods by their node's name.
///
/// ```no_run
/// use std::sync::Arc;
/// use orlop_cache::Informer;
/// use orlop_client::{Api, Client};
/// use orlop_clock::{Clock, Random};
/// use orlop_model::core::v1::Pod;
/// use orlop_node::{Agent, NodeConfig, PodRuntime};
/// use tokio_util::sync::CancellationToken;
///
/// async fn run(client: Arc<dyn Client>, runtime: Arc<dyn PodRuntime>, clock: Arc<dyn Clock>, stop: CancellationToken) {
///     let informer = Informer::builder(Api::<Pod>::all(client.clone())).build();
///     let by_node = informer.index(|pod: &Pod| pod.spec.node_name.clone());
///     let pods = informer.spawn(stop.clone());
///     let agent = Agent::new(NodeConfig::new("n1"), client, runtime, by_node, clock, Random::new(7));
///     agent.run(stop).await.expect("recovery succeeds");
///     pods.stop().await;
/// }
/// ```
pub struct Agent {
    node: NodeConfig,
    client: Arc<dyn Client>,
    runtime: Arc<dyn PodRuntime>,
    pods: Index<Pod, Str>,
    clock: Arc<dyn Clock>,
    random: Random,
    config: AgentConfig,
    services: Option<Store<Service>>,
    tokens: Option<Arc<dyn TokenIssuer>>,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("node", &self.node.name)
            .field("runtime", &self.runtime)
            .finish_non_exhaustive()
    }
}

impl Agent {
    /// An agent with kubelet's settings. `pods` holds pods by their `spec.nodeName`.
    pub fn new(
        node: NodeConfig,
        client: Arc<dyn Client>,
        runtime: Arc<dyn PodRuntime>,
        pods: Index<Pod, Str>,
        clock: Arc<dyn Clock>,
        random: Random,
    ) -> Self {
        let random = random.fork(&format!("node {}", node.name));
        Self {
            node,
            client,
            runtime,
            pods,
            clock,
            random,
            config: AgentConfig::default(),
            services: None,
            tokens: None,
        }
    }

    /// With other settings.
    #[must_use]
    pub fn config(mut self, config: AgentConfig) -> Self {
        self.config = config;
        self
    }

    /// Tells containers of these services by variables; until they are read, containers wait. Without them containers
    /// are told of none.
    #[must_use]
    pub fn services(mut self, services: Store<Service>) -> Self {
        self.services = Some(services);
        self
    }

    /// Gets the tokens of service accounts from there. Without it a volume that shows one cannot be set up.
    #[must_use]
    pub fn tokens(mut self, issuer: Arc<dyn TokenIssuer>) -> Self {
        self.tokens = Some(issuer);
        self
    }

    /// Works until it is told to stop. The pods run on; another agent can adopt them.
    ///
    /// Everything it does happens in this future and in tasks that end with it.
    ///
    /// # Errors
    /// [`AgentError::Recover`] before anything else was done.
    pub async fn run(self, stop: CancellationToken) -> Result<(), AgentError> {
        let Self { node: config, client, runtime, pods, clock, random, config: settings, services, tokens } =
            self;
        let known = runtime
            .recover(settings.recover)
            .await
            .map_err(|source| AgentError::Recover { node: config.name.clone(), source })?;
        let config = Arc::new(config);
        let context = Arc::new(Context {
            node: config.name.clone(),
            events: Events::new(Arc::clone(&client), config.name.clone(), Arc::clone(&clock)),
            client,
            runtime,
            host_ips: config.addresses.clone(),
            allocatable: config.allocatable(),
            services,
            tokens,
            pulls: Semaphore::new(settings.parallel_pulls.max(1)),
            started: clock.now(),
            began: Instant::now(),
            clock,
            random,
            config: settings,
        });
        // Each of these is made when it is needed and lives on the heap: an idle agent is small.
        let stopped = tokio::select! {
            biased;
            () = stop.cancelled() => true,
            () = Box::pin(work(Arc::clone(&context), config, pods, known)) => false,
        };
        if stopped {
            drop(tokio::time::timeout(LAST_WORDS, context.events.flush()).await);
        }
        Ok(())
    }
}

async fn work(context: Arc<Context>, config: Arc<NodeConfig>, pods: Index<Pod, Str>, known: Vec<KnownPod>) {
    let subscription = pods.subscribe(&context.node);
    let node = Box::pin(node::register(&context, &config)).await;
    let report = Box::pin(node::report(Arc::clone(&context), config, Arc::clone(&node)));
    let heartbeat = Box::pin(node::heartbeat(Arc::clone(&context), node));
    let serve = Box::pin(serve(Arc::clone(&context), subscription, known));
    // None of them ever ends by itself.
    tokio::select! {
        biased;
        () = serve => {}
        () = heartbeat => {}
        () = report => {}
    }
}

/// One pod's worker.
struct Served {
    cell: Arc<PodCell>,
    task: AbortHandle,
}

/// Gives each pod of the node a worker.
async fn serve(context: Arc<Context>, mut pods: Subscription<Pod>, known: Vec<KnownPod>) {
    let mut events = context.runtime.events();
    let mut workers: JoinSet<Str> = JoinSet::new();
    let mut served: BTreeMap<Str, Served> = BTreeMap::new();
    let mut orphans = known;
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            delta = next(&mut pods), if open => match delta {
                Some(delta) => {
                    if matches!(delta, Delta::Synced) {
                        for orphan in std::mem::take(&mut orphans) {
                            if !served.contains_key(&orphan.uid) {
                                let context = Arc::clone(&context);
                                workers.spawn(async move {
                                    remove_orphan(&context, &orphan.uid).await;
                                    orphan.uid
                                });
                            }
                        }
                    }
                    take(&context, delta, &mut served, &mut workers);
                }
                // The cache has stopped; what runs is looked after all the same.
                None => open = false,
            },
            Some(event) = events.next() => {
                if let Some(served) = served.get(&event.uid) {
                    served.cell.touch();
                }
            }
            Some(ended) = workers.join_next(), if !workers.is_empty() => match ended {
                Ok(uid) => {
                    served.remove(&uid);
                }
                Err(error) if error.is_panic() => {
                    tracing::error!(node = %context.node, %error, "a pod's worker has panicked");
                    served.retain(|_, served| !served.task.is_finished());
                }
                Err(_) => {}
            },
        }
    }
}

async fn next(pods: &mut (impl Stream<Item = Delta<Pod>> + Unpin)) -> Option<Delta<Pod>> {
    pods.next().await
}

fn take(
    context: &Arc<Context>,
    delta: Delta<Pod>,
    served: &mut BTreeMap<Str, Served>,
    workers: &mut JoinSet<Str>,
) {
    match delta {
        Delta::Added { object: pod, .. } | Delta::Modified { new: pod, .. } => {
            let uid = pod.metadata.uid.clone();
            if let Some(served) = served.get(&uid) {
                served.cell.set_pod(pod);
                return;
            }
            let cell = Arc::new(PodCell::new(pod));
            let worker = Worker::new(Arc::clone(context), Arc::clone(&cell));
            let ended = uid.clone();
            let task = workers.spawn(async move {
                worker.run().await;
                ended
            });
            served.insert(uid, Served { cell, task });
        }
        Delta::Deleted { last, .. } => {
            if let Some(served) = served.get(&last.metadata.uid) {
                served.cell.set_gone();
            }
        }
        Delta::Synced | Delta::Reset => {}
    }
}

/// Ends and removes a pod of which only the runtime knows.
async fn remove_orphan(context: &Context, uid: &str) {
    let runtime = &context.runtime;
    let Ok(seen) = runtime.view(uid).await else { return };
    for instance in &seen.containers {
        drop(runtime.stop_container(&instance.id, ORPHAN_GRACE).await);
        drop(runtime.remove_container(&instance.id).await);
    }
    for sandbox in &seen.sandboxes {
        drop(runtime.stop_sandbox(&sandbox.id).await);
        drop(runtime.remove_sandbox(&sandbox.id).await);
    }
    drop(runtime.remove_pod(uid).await);
}
