//! [`Driver`]: the loop itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use orlop_cache::{Delta, Subscription};
use orlop_client::Error;
use orlop_clock::{Clock, Timestamp};
use orlop_model::apps::v1::ReplicaSet;
use orlop_model::core::v1::{Namespace, Node, Pod, Service};
use orlop_model::policy::v1::PodDisruptionBudget;
use orlop_model::{Object, Str};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::actuator::key;
use super::cycle::{self, BindError};
use super::storage::{Heard, StorageInputs};
use super::{Actuator, AttemptResult, Eviction, SchedulerMetrics, Sources, Unscheduled, report, volumes};
use crate::cluster::{BindPlan, Change, Workload, WorkloadKind, pod_id};
use crate::engine::{Explanation, ScheduleError};
use crate::framework::{BindPlugins, DEFAULT_SCHEDULER, QueueSort, Status};
use crate::plugins::PrioritySort;
use crate::preemption::Nomination;
use crate::queue::QueueCounts;
use crate::scheduler::{Scheduler, Step};
use crate::waiting::WaitingPod;

/// Decisions in a row before others on the same thread get their turn.
const BATCH: usize = 64;

/// Settings of a [`Driver`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriverOptions {
    /// Bindings under way at once. While there are as many, nothing is decided.
    pub binders: usize,
    /// Conditions being written, and pods being evicted, at once.
    pub writers: usize,
    /// How long the control plane may take to bind the volumes of a pod.
    pub volume_timeout: Duration,
    /// How long bindings under way may take after the driver was told to stop.
    pub grace: Duration,
}

impl Default for DriverOptions {
    /// 64, 16, 600 s and 5 s.
    fn default() -> Self {
        Self {
            binders: 64,
            writers: 16,
            volume_timeout: Duration::from_secs(600),
            grace: Duration::from_secs(5),
        }
    }
}

/// Runs a [`Scheduler`] against the world: listens to caches, decides, binds through an [`Actuator`],
/// and tells on pods and in Events what came of it.
///
/// Nothing is decided before all caches have told what there is. A binding that fails undoes the
/// decision, which is repeated after a back-off. Dropping the future of [`run`](Self::run) at any
/// await loses nothing: the next driver learns from the API server what was bound.
pub struct Driver<S: QueueSort = PrioritySort> {
    shared: Arc<Shared<S>>,
    clock: Arc<dyn Clock>,
    sources: Sources,
    actuator: Arc<dyn Actuator>,
    options: DriverOptions,
}

struct Shared<S: QueueSort> {
    inner: Mutex<Inner<S>>,
    /// Somebody outside has said something that the loop has to look at.
    changed: Notify,
}

struct Inner<S: QueueSort> {
    scheduler: Scheduler<S>,
    metrics: SchedulerMetrics,
}

/// A look into a running scheduler.
pub struct SchedulerHandle<S: QueueSort = PrioritySort> {
    shared: Arc<Shared<S>>,
}

impl<S: QueueSort> SchedulerHandle<S> {
    /// What the scheduler would decide about the pod now, and why.
    #[must_use]
    pub fn explain(&self, pod: &Pod) -> Explanation {
        self.shared.inner.lock().scheduler.engine().explain(pod)
    }

    /// How many pods are where in the queue.
    #[must_use]
    pub fn counts(&self) -> QueueCounts {
        self.shared.inner.lock().scheduler.queue().counts()
    }

    /// What the scheduler has done so far, and how its queue is.
    #[must_use]
    pub fn metrics(&self) -> SchedulerMetrics {
        let inner = self.shared.inner.lock();
        let scheduler = &inner.scheduler;
        let cluster = scheduler.engine().cluster();
        SchedulerMetrics {
            pending: scheduler.queue().counts(),
            moves: scheduler.queue().moves().clone(),
            waiting: scheduler.waiting().len(),
            nodes: cluster.view().node_count(),
            pods: cluster.pod_count(),
            ..inner.metrics.clone()
        }
    }

    /// The pods that wait for a plugin's leave to be bound.
    #[must_use]
    pub fn waiting(&self) -> Vec<WaitingPod> {
        self.shared.inner.lock().scheduler.waiting().iter().cloned().collect()
    }

    /// Lets the pod of this [id](crate::pod_id) be bound as far as `plugin` is concerned. Says whether it
    /// waited for that.
    pub fn allow(&self, id: &str, plugin: &str) -> bool {
        let waited = self.shared.inner.lock().scheduler.waiting_mut().allow(id, plugin);
        self.shared.changed.notify_one();
        waited
    }

    /// Turns down the pod of this [id](crate::pod_id), which waits for leave to be bound, in the name of
    /// `plugin`. Says whether there is one.
    pub fn reject(&self, id: &str, plugin: &str, status: Status) -> bool {
        let waited = self.shared.inner.lock().scheduler.waiting_mut().reject(id, plugin, status);
        self.shared.changed.notify_one();
        waited
    }
}

impl<S: QueueSort> Clone for SchedulerHandle<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: QueueSort> std::fmt::Debug for SchedulerHandle<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SchedulerHandle").field("counts", &self.counts()).finish()
    }
}

impl<S: QueueSort> std::fmt::Debug for Driver<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Driver")
            .field("sources", &self.sources)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<S: QueueSort> Driver<S> {
    /// A driver that hears from `sources` and acts by `actuator`: a
    /// [`ClientActuator`](super::ClientActuator), say.
    #[must_use]
    pub fn new(
        scheduler: Scheduler<S>,
        sources: Sources,
        actuator: impl Actuator,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let inner = Inner { scheduler, metrics: SchedulerMetrics::default() };
        Self {
            shared: Arc::new(Shared { inner: Mutex::new(inner), changed: Notify::new() }),
            clock,
            sources,
            actuator: Arc::new(actuator),
            options: DriverOptions::default(),
        }
    }

    /// With settings.
    #[must_use]
    pub fn options(mut self, options: DriverOptions) -> Self {
        self.options = options;
        self
    }

    /// A look into the scheduler while it runs.
    #[must_use]
    pub fn handle(&self) -> SchedulerHandle<S> {
        SchedulerHandle { shared: Arc::clone(&self.shared) }
    }

    /// Runs until `stop` is cancelled. Then nothing more is decided, and what is being bound is given a
    /// while to end.
    pub async fn run(self, stop: CancellationToken) {
        let grace = self.options.grace;
        let mut work = Work {
            inputs: Inputs::new(&self.sources),
            volumes: FuturesUnordered::new(),
            binds: FuturesUnordered::new(),
            acts: FuturesUnordered::new(),
            evictions: VecDeque::new(),
            withdrawals: VecDeque::new(),
            conditions: Conditions::default(),
            driver: self,
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = work.run() => {}
        }
        if tokio::time::timeout(grace, work.finish()).await.is_err() {
            tracing::warn!(bindings = work.binds.len(), "stopped while pods were being bound");
        }
    }
}

/// The subscriptions, and how many have not yet told all that was there at the start.
struct Inputs {
    nodes: Option<Subscription<Node>>,
    namespaces: Option<Subscription<Namespace>>,
    services: Option<Subscription<Service>>,
    replica_sets: Option<Subscription<ReplicaSet>>,
    budgets: Option<Subscription<PodDisruptionBudget>>,
    pods: Option<Subscription<Pod>>,
    storage: Option<StorageInputs>,
    unsynced: usize,
}

impl Inputs {
    fn new(sources: &Sources) -> Self {
        let optional = [
            sources.namespaces.is_some(),
            sources.services.is_some(),
            sources.replica_sets.is_some(),
            sources.budgets.is_some(),
        ];
        Self {
            nodes: Some(sources.nodes.subscribe()),
            namespaces: sources.namespaces.as_ref().map(|store| store.subscribe()),
            services: sources.services.as_ref().map(|store| store.subscribe()),
            replica_sets: sources.replica_sets.as_ref().map(|store| store.subscribe()),
            budgets: sources.budgets.as_ref().map(|store| store.subscribe()),
            pods: Some(sources.pods.subscribe()),
            storage: sources.storage.as_deref().map(StorageInputs::new),
            unsynced: 2
                + optional.into_iter().filter(|there| *there).count()
                + sources.storage.as_ref().map_or(0, |_| StorageInputs::COUNT),
        }
    }
}

/// The next change; never, once the cache has stopped.
pub(super) async fn next<K: Object>(input: &mut Option<Subscription<K>>) -> Delta<K> {
    if let Some(changes) = input {
        if let Some(delta) = changes.next().await {
            return delta;
        }
        *input = None;
    }
    pending().await
}

type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A pod whose volumes are bound, or cannot be.
struct Prepared {
    pod: Arc<Pod>,
    node: Str,
    plugins: Option<BindPlugins>,
    started: Instant,
    result: Result<(), BindError>,
}

/// The outcome of a binding.
struct Bound {
    pod: Arc<Pod>,
    node: Str,
    started: Instant,
    result: Result<(), BindError>,
}

/// Something that was done beside, and the pod that it was done for.
enum Acted {
    Written(Str),
    Evicted(Eviction, orlop_client::Result<()>),
    Withdrawn,
}

/// Conditions to be written: one thing at a time about a pod, and of several the last.
#[derive(Default)]
struct Conditions {
    wanted: BTreeMap<Str, (Arc<Pod>, Unscheduled)>,
    order: VecDeque<Str>,
    writing: BTreeSet<Str>,
}

impl Conditions {
    fn add(&mut self, pod: Arc<Pod>, why: Unscheduled) {
        let id = pod_id(&pod);
        if self.wanted.insert(id.clone(), (pod, why)).is_none() && !self.writing.contains(&id) {
            self.order.push_back(id);
        }
    }

    /// The pod is nominated no more, whatever was to be written down.
    fn withdraw(&mut self, pod: &Pod) {
        if let Some((_, why)) = self.wanted.get_mut(&pod_id(pod)) {
            why.nominated_node = None;
        }
    }

    /// Nobody wants to know any more.
    fn drop(&mut self, id: &Str) {
        if !self.wanted.is_empty() {
            self.wanted.remove(id);
        }
    }

    fn next(&mut self) -> Option<(Str, Arc<Pod>, Unscheduled)> {
        while let Some(id) = self.order.pop_front() {
            if let Some((pod, why)) = self.wanted.remove(&id) {
                self.writing.insert(id.clone());
                return Some((id, pod, why));
            }
        }
        None
    }

    fn written(&mut self, id: Str) {
        self.writing.remove(&id);
        if self.wanted.contains_key(&id) {
            self.order.push_back(id);
        }
    }
}

struct Work<S: QueueSort> {
    driver: Driver<S>,
    inputs: Inputs,
    /// Not counted among the bindings: that may take minutes.
    volumes: FuturesUnordered<Running<Prepared>>,
    binds: FuturesUnordered<Running<Bound>>,
    acts: FuturesUnordered<Running<Acted>>,
    evictions: VecDeque<Eviction>,
    /// Pods whose nomination is to be cleared.
    withdrawals: VecDeque<Arc<Pod>>,
    conditions: Conditions,
}

impl<S: QueueSort> Work<S> {
    async fn run(&mut self) {
        loop {
            self.take_what_is_there();
            let more = self.inputs.unsynced == 0 && self.decide().await;
            self.act();
            if more {
                tokio::task::yield_now().await;
                continue;
            }
            let wait = self.wait();
            let shared = Arc::clone(&self.driver.shared);
            tokio::select! {
                biased;
                delta = next(&mut self.inputs.nodes) => self.node(delta),
                delta = next(&mut self.inputs.namespaces) => self.namespace(delta),
                delta = next(&mut self.inputs.services) => self.service(delta),
                delta = next(&mut self.inputs.replica_sets) => self.replica_set(delta),
                delta = next(&mut self.inputs.budgets) => self.budget(delta),
                heard = StorageInputs::next(&mut self.inputs.storage) => self.storage(heard),
                delta = next(&mut self.inputs.pods) => self.pod(delta),
                Some(prepared) = self.volumes.next() => self.prepared(prepared).await,
                Some(bound) = self.binds.next() => self.bound(bound),
                Some(acted) = self.acts.next() => self.acted(acted),
                () = shared.changed.notified() => {}
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
    }

    /// Ends what was begun.
    async fn finish(&mut self) {
        while let Some(bound) = self.binds.next().await {
            self.bound(bound);
        }
        loop {
            self.act();
            let Some(acted) = self.acts.next().await else { return };
            self.acted(acted);
        }
    }

    /// How long until the queue may have something; `None`: not before something happens.
    fn wait(&self) -> Option<Duration> {
        if self.inputs.unsynced > 0 || self.binds.len() >= self.driver.options.binders {
            return None;
        }
        let wake = self.driver.shared.inner.lock().scheduler.next_wake()?;
        let wait = wake.duration_since(self.driver.clock.now());
        // At least a moment: a clock that lags behind the timer must not make the loop spin.
        Some(Duration::try_from(wait).unwrap_or_default().max(Duration::from_millis(1)))
    }

    fn take_what_is_there(&mut self) {
        while let Some(delta) = self.inputs.nodes.as_mut().and_then(Subscription::try_next) {
            self.node(delta);
        }
        while let Some(delta) = self.inputs.namespaces.as_mut().and_then(Subscription::try_next) {
            self.namespace(delta);
        }
        while let Some(delta) = self.inputs.services.as_mut().and_then(Subscription::try_next) {
            self.service(delta);
        }
        while let Some(delta) = self.inputs.replica_sets.as_mut().and_then(Subscription::try_next) {
            self.replica_set(delta);
        }
        while let Some(delta) = self.inputs.budgets.as_mut().and_then(Subscription::try_next) {
            self.budget(delta);
        }
        while let Some(heard) = self.inputs.storage.as_mut().and_then(StorageInputs::try_next) {
            self.storage(heard);
        }
        self.take_pods();
        while let Poll::Ready(Some(bound)) = poll_now(&mut self.binds) {
            self.bound(bound);
        }
        while let Poll::Ready(Some(acted)) = poll_now(&mut self.acts) {
            self.acted(acted);
        }
    }

    /// Most changes are of pods: all that wait are taken at one moment and under one lock.
    fn take_pods(&mut self) {
        let Some(pods) = &mut self.inputs.pods else { return };
        let Some(first) = pods.try_next() else { return };
        let now = self.driver.clock.now();
        let mut inner = self.driver.shared.inner.lock();
        let unsynced = &mut self.inputs.unsynced;
        pod_changed(&mut inner.scheduler, first, unsynced, now);
        while let Some(delta) = pods.try_next() {
            pod_changed(&mut inner.scheduler, delta, unsynced, now);
        }
    }

    fn record(&mut self, change: Change) {
        let now = self.driver.clock.now();
        if let Err(error) = self.driver.shared.inner.lock().scheduler.record(change, now) {
            // A node removed twice, say: the cluster is as it should be.
            tracing::debug!(%error, "change passed over");
        }
    }

    fn node(&mut self, delta: Delta<Node>) {
        match delta {
            Delta::Added { object, .. } => self.record(Change::NodeAdded(object)),
            Delta::Modified { new, .. } => self.record(Change::NodeUpdated(new)),
            Delta::Deleted { last, .. } => self.record(Change::NodeRemoved(last.metadata.name.clone())),
            Delta::Synced => self.inputs.unsynced -= 1,
            // Only for those who ask for it.
            Delta::Reset => {}
        }
    }

    fn namespace(&mut self, delta: Delta<Namespace>) {
        match delta {
            Delta::Added { object, .. } | Delta::Modified { new: object, .. } => {
                self.record(Change::NamespaceSet(object));
            }
            Delta::Deleted { last, .. } => self.record(Change::NamespaceRemoved(last.metadata.name.clone())),
            Delta::Synced => self.inputs.unsynced -= 1,
            // Only for those who ask for it.
            Delta::Reset => {}
        }
    }

    fn service(&mut self, delta: Delta<Service>) {
        match delta {
            Delta::Added { object, .. } | Delta::Modified { new: object, .. } => {
                self.record(Change::ServiceSet(object))
            }
            Delta::Deleted { last, .. } => self.record(Change::ServiceRemoved {
                namespace: last.metadata.namespace.clone(),
                name: last.metadata.name.clone(),
            }),
            Delta::Synced => self.inputs.unsynced -= 1,
            // Only for those who ask for it.
            Delta::Reset => {}
        }
    }

    fn replica_set(&mut self, delta: Delta<ReplicaSet>) {
        let workload = |object: &ReplicaSet| Workload {
            kind: WorkloadKind::ReplicaSet,
            namespace: object.metadata.namespace.clone(),
            name: object.metadata.name.clone(),
        };
        match delta {
            Delta::Added { object, .. } | Delta::Modified { new: object, .. } => {
                self.record(Change::WorkloadSet {
                    workload: workload(&object),
                    selector: object.spec.selector.as_deref().cloned(),
                })
            }
            Delta::Deleted { last, .. } => self.record(Change::WorkloadRemoved(workload(&last))),
            Delta::Synced => self.inputs.unsynced -= 1,
            // Only for those who ask for it.
            Delta::Reset => {}
        }
    }

    fn budget(&mut self, delta: Delta<PodDisruptionBudget>) {
        match delta {
            Delta::Added { object, .. } | Delta::Modified { new: object, .. } => {
                self.record(Change::BudgetSet(object))
            }
            Delta::Deleted { last, .. } => self.record(Change::BudgetRemoved {
                namespace: last.metadata.namespace.clone(),
                name: last.metadata.name.clone(),
            }),
            Delta::Synced => self.inputs.unsynced -= 1,
            // Only for those who ask for it.
            Delta::Reset => {}
        }
    }

    fn storage(&mut self, heard: Heard) {
        match heard {
            Heard::Change(change) => self.record(change.into()),
            Heard::Synced => self.inputs.unsynced -= 1,
            Heard::Nothing => {}
        }
    }

    fn pod(&mut self, delta: Delta<Pod>) {
        let now = self.driver.clock.now();
        let mut inner = self.driver.shared.inner.lock();
        pod_changed(&mut inner.scheduler, delta, &mut self.inputs.unsynced, now);
    }

    /// Decides about some pods. Says whether there may be more to decide about at once.
    async fn decide(&mut self) -> bool {
        for _ in 0..BATCH {
            if self.binds.len() >= self.driver.options.binders {
                return false;
            }
            let (now, started) = (self.driver.clock.now(), Instant::now());
            let (step, plugins, plan) = {
                let mut inner = self.driver.shared.inner.lock();
                let Some(step) = inner.scheduler.next(now) else {
                    return false;
                };
                inner.metrics.decided(started.elapsed());
                let plugins =
                    match &step {
                        Step::Bind { pod, .. } => inner.scheduler.engine().profile(pod).and_then(|profile| {
                            (!profile.binding.is_empty()).then(|| profile.binding.clone())
                        }),
                        _ => None,
                    };
                let plan = match &step {
                    Step::Bind { pod, .. } => {
                        let volumes = inner.scheduler.engine().cluster().view().volumes();
                        volumes.assumed(&pod_id(pod)).cloned()
                    }
                    _ => None,
                };
                (step, plugins, plan)
            };
            match step {
                Step::Bind { pod, node } => match plan {
                    None => self.bind(pod, node, plugins, started).await,
                    Some(plan) => self.bind_volumes(plan, pod, node, plugins, started),
                },
                Step::Wait { pod, node, until } => {
                    tracing::debug!(pod = %key(&pod), %node, %until, "waits to be bound");
                }
                Step::Unschedulable { pod, why, withdrawn } => {
                    let mut node = why.nomination().map(|nomination| nomination.node.clone());
                    for other in withdrawn {
                        if Arc::ptr_eq(&other, &pod) {
                            // Cleared along with the condition.
                            node = Some(Str::EMPTY);
                        } else {
                            self.conditions.withdraw(&other);
                            self.withdrawals.push_back(other);
                        }
                    }
                    if let Some(nomination) = why.nomination() {
                        self.make_room(&pod, nomination);
                    }
                    self.failed(pod, "Unschedulable", why.to_string(), node, started);
                }
                Step::Refused { pod, status, .. } => {
                    let message = format!("0/1 nodes are available: {}.", status.message());
                    self.failed(pod, "Unschedulable", message, None, started);
                }
                // Nothing is wrong with it, and it will be gone.
                Step::Failed { error: ScheduleError::Deleting { .. }, .. } => {}
                Step::Failed { pod, error: error @ ScheduleError::NoNodes } => {
                    self.failed(pod, "Unschedulable", error.to_string(), None, started);
                }
                Step::Failed { pod, error } => {
                    self.failed(pod, "SchedulerError", error.to_string(), None, started);
                }
            }
        }
        true
    }

    fn bind_volumes(
        &self,
        plan: Arc<BindPlan>,
        pod: Arc<Pod>,
        node: Str,
        plugins: Option<BindPlugins>,
        started: Instant,
    ) {
        let (actuator, shared) = (Arc::clone(&self.driver.actuator), Arc::clone(&self.driver.shared));
        let limit = self.driver.options.volume_timeout;
        self.volumes.push(Box::pin(async move {
            let id = pod_id(&pod);
            let progress = |plan: &BindPlan| {
                plan.progress(&id, &node, shared.inner.lock().scheduler.engine().cluster().view())
            };
            let result = volumes::bind(&plan, &*actuator, limit, progress).await;
            Prepared { pod, node, plugins, started, result }
        }));
    }

    async fn prepared(&mut self, prepared: Prepared) {
        let Prepared { pod, node, plugins, started, result } = prepared;
        match result {
            Ok(()) => self.bind(pod, node, plugins, started).await,
            Err(error) => self.bound(Bound { pod, node, started, result: Err(error) }),
        }
    }

    async fn bind(&mut self, pod: Arc<Pod>, node: Str, plugins: Option<BindPlugins>, started: Instant) {
        let actuator = Arc::clone(&self.driver.actuator);
        let mut binding: Running<Bound> = Box::pin(async move {
            let result = cycle::bind(plugins, &*actuator, &pod, &node).await;
            Bound { pod, node, started, result }
        });
        // An actuator at hand is done at once.
        match futures::poll!(binding.as_mut()) {
            Poll::Ready(bound) => self.bound(bound),
            Poll::Pending => self.binds.push(binding),
        }
    }

    fn bound(&mut self, bound: Bound) {
        let Bound { pod, node, started, result } = bound;
        let (now, id) = (self.driver.clock.now(), pod_id(&pod));
        match result {
            Ok(()) => {
                {
                    let mut inner = self.driver.shared.inner.lock();
                    let Inner { scheduler, metrics } = &mut *inner;
                    if let Some(queued) = scheduler.queue().get(&id) {
                        let waited = now.duration_since(queued.first_added());
                        metrics.bound(queued.attempts(), Duration::try_from(waited).unwrap_or_default());
                    }
                    scheduler.bound(&id);
                    metrics.attempt(profile_of(&pod), AttemptResult::Scheduled, started.elapsed());
                }
                self.conditions.drop(&id);
                tracing::debug!(pod = %key(&pod), %node, "bound");
                if self.driver.actuator.tells() {
                    self.driver.actuator.record(&pod, report::scheduled(&pod, &node));
                }
            }
            Err(error) => {
                self.driver.shared.inner.lock().scheduler.bind_failed(&pod, &node, now);
                tracing::debug!(pod = %key(&pod), %node, %error, "binding failed");
                // Gone: the cache will say so, and nobody is there to be told.
                if error.is_pod_gone() {
                    self.attempted(&pod, AttemptResult::Error, started);
                } else {
                    self.failed(pod, "SchedulerError", error.to_string(), None, started);
                }
            }
        }
    }

    fn attempted(&self, pod: &Pod, result: AttemptResult, started: Instant) {
        self.driver.shared.inner.lock().metrics.attempt(profile_of(pod), result, started.elapsed());
    }

    fn failed(
        &mut self,
        pod: Arc<Pod>,
        reason: &'static str,
        message: String,
        nominated_node: Option<Str>,
        started: Instant,
    ) {
        let unschedulable = reason == "Unschedulable";
        let result = if unschedulable { AttemptResult::Unschedulable } else { AttemptResult::Error };
        self.attempted(&pod, result, started);
        if self.driver.actuator.tells() {
            self.driver.actuator.record(&pod, report::failed(&message));
        }
        if let Some(why) = report::unscheduled(&pod, reason, message, nominated_node) {
            self.conditions.add(pod, why);
        }
    }

    /// Has the victims evicted; those that wait to be bound only have to be told.
    fn make_room(&mut self, preemptor: &Arc<Pod>, nomination: &Nomination) {
        let Nomination { node, victims, .. } = nomination;
        let mut inner = self.driver.shared.inner.lock();
        inner.metrics.preemption_attempts += 1;
        inner.metrics.preemption_victims += victims.len() as u64;
        for victim in victims {
            let waiting = inner.scheduler.waiting_mut();
            if !waiting.reject(&pod_id(victim), "DefaultPreemption", Status::unschedulable("preempted")) {
                let preemptor = Arc::clone(preemptor);
                self.evictions.push_back(Eviction {
                    victim: Arc::clone(victim),
                    preemptor,
                    node: node.clone(),
                });
            }
        }
    }

    /// Begins what is to be done beside.
    fn act(&mut self) {
        while self.acts.len() < self.driver.options.writers {
            let (actuator, now) = (Arc::clone(&self.driver.actuator), self.driver.clock.now());
            if let Some(eviction) = self.evictions.pop_front() {
                self.acts.push(Box::pin(async move {
                    let evicted = AssertUnwindSafe(actuator.evict(&eviction, now)).catch_unwind().await;
                    let result = evicted.unwrap_or_else(|_| Err(Error::internal("the actuator panicked")));
                    let Eviction { victim, preemptor, node } = &eviction;
                    if result.is_ok() {
                        actuator.record(victim, report::preempted(preemptor, node));
                    }
                    Acted::Evicted(eviction, result)
                }));
            } else if let Some(pod) = self.withdrawals.pop_front() {
                self.acts.push(Box::pin(async move {
                    match AssertUnwindSafe(actuator.withdraw(&pod)).catch_unwind().await {
                        Ok(Err(error)) if !error.is_not_found() => {
                            tracing::debug!(pod = %key(&pod), %error, "nomination not cleared");
                        }
                        Ok(_) => {}
                        Err(_) => tracing::warn!(pod = %key(&pod), "the actuator panicked"),
                    }
                    Acted::Withdrawn
                }));
            } else if let Some((id, pod, why)) = self.conditions.next() {
                self.acts.push(Box::pin(async move {
                    match AssertUnwindSafe(actuator.unscheduled(&pod, &why, now)).catch_unwind().await {
                        Ok(Err(error)) if !error.is_not_found() => {
                            tracing::debug!(pod = %key(&pod), %error, "condition not written");
                        }
                        Ok(_) => {}
                        Err(_) => tracing::warn!(pod = %key(&pod), "the actuator panicked"),
                    }
                    Acted::Written(id)
                }));
            } else {
                return;
            }
        }
    }

    fn acted(&mut self, acted: Acted) {
        match acted {
            Acted::Written(id) => self.conditions.written(id),
            Acted::Withdrawn | Acted::Evicted(_, Ok(())) => {}
            Acted::Evicted(Eviction { victim, preemptor, .. }, Err(error)) => {
                let preemptor = pod_id(&preemptor);
                tracing::debug!(%preemptor, %error, "eviction failed");
                let now = self.driver.clock.now();
                self.driver.shared.inner.lock().scheduler.eviction_failed(&victim, &preemptor, now);
            }
        }
    }
}

fn pod_changed<S: QueueSort>(
    scheduler: &mut Scheduler<S>,
    delta: Delta<Pod>,
    unsynced: &mut usize,
    now: Timestamp,
) {
    match delta {
        Delta::Added { object, .. } | Delta::Modified { new: object, .. } => {
            scheduler.pod_seen(object, now);
        }
        Delta::Deleted { last, .. } => scheduler.pod_gone(&pod_id(&last), now),
        Delta::Synced => *unsynced -= 1,
        // Only for those who ask for it.
        Delta::Reset => {}
    }
}

/// The next outcome, if there is one already.
fn poll_now<T>(running: &mut FuturesUnordered<Running<T>>) -> Poll<Option<T>> {
    if running.is_empty() {
        return Poll::Ready(None);
    }
    // Whatever is not ready is looked at again by the loop's own waker, with the next select.
    running.poll_next_unpin(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

fn profile_of(pod: &Pod) -> &str {
    pod.spec.scheduler_name.non_empty().map_or(DEFAULT_SCHEDULER, Str::as_str)
}

#[cfg(test)]
mod tests;
