//! [`Driver`]: the loop itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use orlop_cache::{Delta, Subscription};
use orlop_client::{Client, Error};
use orlop_clock::Clock;
use orlop_model::apps::v1::ReplicaSet;
use orlop_model::core::v1::{Namespace, Node, Pod, Service};
use orlop_model::{Object, Str};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::report::{Report, key};
use super::{Binder, EventSink, NoEvents, PodBinding, Sources};
use crate::cluster::{Change, Workload, WorkloadKind, pod_id};
use crate::engine::{Explanation, ScheduleError};
use crate::framework::QueueSort;
use crate::plugins::PrioritySort;
use crate::queue::QueueCounts;
use crate::scheduler::{Scheduler, Step};

/// Decisions in a row before others on the same thread get their turn.
const BATCH: usize = 64;

/// Events that wait to be written at most; of more, those without a condition are let be.
const WAITING: usize = 10_000;

/// Settings of a [`Driver`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriverOptions {
    /// Bindings under way at once. While there are as many, nothing is decided.
    pub binders: usize,
    /// Conditions and Events being written at once.
    pub writers: usize,
}

impl Default for DriverOptions {
    /// 64 and 16.
    fn default() -> Self {
        Self { binders: 64, writers: 16 }
    }
}

/// Runs a [`Scheduler`] against the world: listens to caches, decides, binds through a client, and
/// tells on pods and in Events what came of it.
///
/// Nothing is decided before all caches have told what there is. A binding that fails undoes the
/// decision, which is repeated after a back-off. Dropping the future of [`run`](Self::run) at any
/// await loses nothing: the next driver learns from the API server what was bound.
pub struct Driver<S: QueueSort = PrioritySort> {
    scheduler: Arc<Mutex<Scheduler<S>>>,
    client: Arc<dyn Client>,
    clock: Arc<dyn Clock>,
    sources: Sources,
    binder: Arc<dyn Binder>,
    events: Arc<dyn EventSink>,
    options: DriverOptions,
}

/// A look into a running scheduler.
pub struct SchedulerHandle<S: QueueSort = PrioritySort> {
    scheduler: Arc<Mutex<Scheduler<S>>>,
}

impl<S: QueueSort> SchedulerHandle<S> {
    /// What the scheduler would decide about the pod now, and why.
    #[must_use]
    pub fn explain(&self, pod: &Pod) -> Explanation {
        self.scheduler.lock().engine().explain(pod)
    }

    /// How many pods are where in the queue.
    #[must_use]
    pub fn counts(&self) -> QueueCounts {
        self.scheduler.lock().queue().counts()
    }
}

impl<S: QueueSort> Clone for SchedulerHandle<S> {
    fn clone(&self) -> Self {
        Self { scheduler: Arc::clone(&self.scheduler) }
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
    /// A driver that binds through the pods' subresource `binding` and lets Events be.
    #[must_use]
    pub fn new(
        scheduler: Scheduler<S>,
        sources: Sources,
        client: Arc<dyn Client>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            scheduler: Arc::new(Mutex::new(scheduler)),
            binder: Arc::new(PodBinding::new(Arc::clone(&client))),
            client,
            clock,
            sources,
            events: Arc::new(NoEvents),
            options: DriverOptions::default(),
        }
    }

    /// With settings.
    #[must_use]
    pub fn options(mut self, options: DriverOptions) -> Self {
        self.options = options;
        self
    }

    /// Writes Events through `events`: an `orlop_controller::Recorder`, say.
    #[must_use]
    pub fn events(mut self, events: impl EventSink) -> Self {
        self.events = Arc::new(events);
        self
    }

    /// Binds through `binder`.
    #[must_use]
    pub fn binder(mut self, binder: impl Binder) -> Self {
        self.binder = Arc::new(binder);
        self
    }

    /// A look into the scheduler while it runs.
    #[must_use]
    pub fn handle(&self) -> SchedulerHandle<S> {
        SchedulerHandle { scheduler: Arc::clone(&self.scheduler) }
    }

    /// Runs until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let mut work = Work {
            inputs: Inputs::new(&self.sources),
            binds: JoinSet::new(),
            writes: JoinSet::new(),
            waiting: VecDeque::new(),
            writing: BTreeSet::new(),
            held: BTreeMap::new(),
            driver: self,
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = work.run() => {}
        }
    }
}

/// The subscriptions, and how many have not yet told all that was there at the start.
struct Inputs {
    nodes: Option<Subscription<Node>>,
    namespaces: Option<Subscription<Namespace>>,
    services: Option<Subscription<Service>>,
    replica_sets: Option<Subscription<ReplicaSet>>,
    pods: Option<Subscription<Pod>>,
    unsynced: usize,
}

impl Inputs {
    fn new(sources: &Sources) -> Self {
        let optional =
            [sources.namespaces.is_some(), sources.services.is_some(), sources.replica_sets.is_some()];
        Self {
            nodes: Some(sources.nodes.subscribe()),
            namespaces: sources.namespaces.as_ref().map(|store| store.subscribe()),
            services: sources.services.as_ref().map(|store| store.subscribe()),
            replica_sets: sources.replica_sets.as_ref().map(|store| store.subscribe()),
            pods: Some(sources.pods.subscribe()),
            unsynced: 2 + optional.into_iter().filter(|there| *there).count(),
        }
    }
}

/// The next change; never, once the cache has stopped.
async fn next<K: Object>(input: &mut Option<Subscription<K>>) -> Delta<K> {
    if let Some(changes) = input {
        if let Some(delta) = changes.next().await {
            return delta;
        }
        *input = None;
    }
    pending().await
}

/// The outcome of a binding.
type Bound = (Arc<Pod>, Str, Result<(), Error>);

struct Work<S: QueueSort> {
    driver: Driver<S>,
    inputs: Inputs,
    binds: JoinSet<Bound>,
    /// Each ends with the id of its pod.
    writes: JoinSet<Str>,
    waiting: VecDeque<Report>,
    /// Pods that something is being written about: one thing at a time, in order.
    writing: BTreeSet<Str>,
    /// What is to be written about them next.
    held: BTreeMap<Str, VecDeque<Report>>,
}

impl<S: QueueSort> Work<S> {
    async fn run(&mut self) {
        loop {
            self.take_what_is_there();
            let more = self.inputs.unsynced == 0 && self.decide();
            self.start_writing();
            if more {
                tokio::task::yield_now().await;
                continue;
            }
            let wait = self.wait();
            tokio::select! {
                biased;
                delta = next(&mut self.inputs.nodes) => self.node(delta),
                delta = next(&mut self.inputs.namespaces) => self.namespace(delta),
                delta = next(&mut self.inputs.services) => self.service(delta),
                delta = next(&mut self.inputs.replica_sets) => self.replica_set(delta),
                delta = next(&mut self.inputs.pods) => self.pod(delta),
                Some(bound) = self.binds.join_next() => self.bound(bound),
                Some(written) = self.writes.join_next() => self.written(written),
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
    }

    /// How long until the queue may have something; `None`: not before something happens.
    fn wait(&self) -> Option<Duration> {
        if self.inputs.unsynced > 0 || self.binds.len() >= self.driver.options.binders {
            return None;
        }
        let wake = self.driver.scheduler.lock().next_wake()?;
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
        while let Some(delta) = self.inputs.pods.as_mut().and_then(Subscription::try_next) {
            self.pod(delta);
        }
        while let Some(bound) = self.binds.try_join_next() {
            self.bound(bound);
        }
        while let Some(written) = self.writes.try_join_next() {
            self.written(written);
        }
    }

    fn record(&mut self, change: Change) {
        let now = self.driver.clock.now();
        if let Err(error) = self.driver.scheduler.lock().record(change, now) {
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

    fn pod(&mut self, delta: Delta<Pod>) {
        let now = self.driver.clock.now();
        match delta {
            Delta::Added { object, .. } | Delta::Modified { new: object, .. } => {
                self.driver.scheduler.lock().pod_seen(object, now);
            }
            Delta::Deleted { last, .. } => self.driver.scheduler.lock().pod_gone(&pod_id(&last), now),
            Delta::Synced => self.inputs.unsynced -= 1,
            // Only for those who ask for it.
            Delta::Reset => {}
        }
    }

    /// Decides about some pods. Says whether there may be more to decide about at once.
    fn decide(&mut self) -> bool {
        for _ in 0..BATCH {
            if self.binds.len() >= self.driver.options.binders {
                return false;
            }
            let now = self.driver.clock.now();
            let Some(step) = self.driver.scheduler.lock().next(now) else {
                return false;
            };
            match step {
                Step::Bind { pod, node } => {
                    tracing::debug!(pod = %key(&pod), %node, "assumed");
                    let binder = Arc::clone(&self.driver.binder);
                    self.binds.spawn(async move {
                        let bound = AssertUnwindSafe(binder.bind(&pod, &node)).catch_unwind().await;
                        let result = bound.unwrap_or_else(|_| Err(Error::internal("the binder panicked")));
                        (pod, node, result)
                    });
                }
                Step::Unschedulable { pod, why } => {
                    self.report(Report::failed(pod, "Unschedulable", why.to_string()))
                }
                Step::Refused { pod, status } => {
                    let message = format!("0/1 nodes are available: {}.", status.message());
                    self.report(Report::failed(pod, "Unschedulable", message));
                }
                // Nothing is wrong with it, and it will be gone.
                Step::Failed { error: ScheduleError::Deleting { .. }, .. } => {}
                Step::Failed { pod, error: error @ ScheduleError::NoNodes } => {
                    self.report(Report::failed(pod, "Unschedulable", error.to_string()));
                }
                Step::Failed { pod, error } => {
                    self.report(Report::failed(pod, "SchedulerError", error.to_string()))
                }
            }
        }
        true
    }

    fn bound(&mut self, outcome: Result<Bound, tokio::task::JoinError>) {
        let (pod, node, result) = match outcome {
            Ok(bound) => bound,
            // Only if the runtime is shut down.
            Err(_) => return,
        };
        let now = self.driver.clock.now();
        match result {
            Ok(()) => {
                self.driver.scheduler.lock().bound(&pod_id(&pod));
                self.report(Report::scheduled(pod, &node));
            }
            Err(error) => {
                self.driver.scheduler.lock().bind_failed(&pod, &node, now);
                tracing::debug!(pod = %key(&pod), %node, %error, "binding failed");
                // Gone: the cache will say so, and nobody is there to be told.
                if !error.is_not_found() {
                    let message = format!("binding rejected: running Bind plugin \"DefaultBinder\": {error}");
                    self.report(Report::failed(pod, "SchedulerError", message));
                }
            }
        }
    }

    fn report(&mut self, report: Report) {
        if self.waiting.len() < WAITING || report.condition.is_some() {
            self.waiting.push_back(report);
        }
    }

    fn start_writing(&mut self) {
        while self.writes.len() < self.driver.options.writers {
            let Some(report) = self.waiting.pop_front() else {
                return;
            };
            let id = pod_id(&report.pod);
            if self.writing.insert(id.clone()) {
                self.write(id, report);
            } else {
                self.held.entry(id).or_default().push_back(report);
            }
        }
    }

    fn write(&mut self, id: Str, report: Report) {
        let (client, events) = (Arc::clone(&self.driver.client), Arc::clone(&self.driver.events));
        let now = self.driver.clock.now();
        self.writes.spawn(async move {
            report.write(client, events, now).await;
            id
        });
    }

    fn written(&mut self, written: Result<Str, tokio::task::JoinError>) {
        let Ok(id) = written else { return };
        let next = self.held.get_mut(&id).and_then(VecDeque::pop_front);
        match next {
            Some(report) => self.write(id, report),
            None => {
                self.held.remove(&id);
                self.writing.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests;
