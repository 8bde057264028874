//! The controllers of a control plane: planners in loops. Each is a future that runs until it is told to stop.

mod deployment;
mod garbage;
mod job;
mod node;
mod pod_gc;
mod replica_set;
mod taint_eviction;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use orlop_cache::{Index, Store};
use orlop_clock::Clock;
use orlop_controller::{Action, Context, Error, Informers, Recorder};
use orlop_model::core::v1::Pod;
use orlop_model::{KindInfo, Object, Str};
use orlop_planners::{EventDraft, Plan};
use tokio_util::sync::CancellationToken;

use crate::carry_out::{Tell, carry_out};

/// When it is looked again whether a cache that is late has come up.
const LATE: Duration = Duration::from_secs(1);

/// What all controllers have in common.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) informers: Informers,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: CancellationToken,
    /// Kinds whose objects can own others, or be owned.
    pub(crate) kinds: Arc<[KindInfo]>,
    /// The pods of each controller, by its UID.
    pub(crate) pods: PodsByController,
}

/// The pods that a controller controls, and those that nobody does.
#[derive(Clone)]
pub(crate) struct PodsByController {
    store: Store<Pod>,
    index: Index<Pod, Str>,
}

impl PodsByController {
    pub(crate) fn new(informers: &Informers) -> Self {
        let store = informers.of::<Pod>();
        let uid = |pod: &Pod| pod.metadata.controller().map(|owner| owner.uid.clone()).unwrap_or_default();
        let index = store.index(uid);
        Self { store, index }
    }

    /// The pods that these controllers control, and those of the namespace that nobody does.
    fn of(&self, namespace: &str, uids: impl IntoIterator<Item = Str>) -> Vec<Arc<Pod>> {
        let mut pods: Vec<Arc<Pod>> =
            uids.into_iter().flat_map(|uid| self.store.by(&self.index, &uid)).collect();
        let orphans = self.store.by(&self.index, &Str::EMPTY);
        pods.extend(orphans.into_iter().filter(|pod| pod.metadata.namespace == *namespace));
        pods
    }
}

/// All controllers, by name.
pub(crate) fn all(parts: &Parts) -> Vec<(&'static str, BoxFuture<'static, ()>)> {
    vec![
        ("deployment-controller", Box::pin(deployment::run(parts.clone()))),
        ("replicaset-controller", Box::pin(replica_set::run(parts.clone()))),
        ("job-controller", Box::pin(job::run(parts.clone()))),
        ("garbage-collector", Box::pin(garbage::run(parts.clone()))),
        ("node-controller", Box::pin(node::run(parts.clone()))),
        ("taint-eviction-controller", Box::pin(taint_eviction::run(parts.clone()))),
        ("pod-garbage-collector", Box::pin(pod_gc::run(parts.clone()))),
    ]
}

impl Tell for Recorder {
    async fn tell(&self, event: &EventDraft, text: String) {
        self.event_about(&event.regarding, event.type_, event.reason.clone(), text);
    }
}

/// Carries out a plan; `failed` says what to write where a change failed.
async fn carry_out_or<M>(
    cx: &Context,
    plan: Plan<M>,
    failed: impl FnOnce(&orlop_planners::Change, &str) -> Plan,
) -> Result<Action, Error> {
    carry_out_to(cx, &plan.compact(), failed).await.1
}

/// The same for a plan that is compact. Also says how many of its changes were made for certain.
async fn carry_out_to<M>(
    cx: &Context,
    plan: &Plan<M>,
    failed: impl FnOnce(&orlop_planners::Change, &str) -> Plan,
) -> (usize, Result<Action, Error>) {
    if let Err((place, error)) = carry_out(&**cx.client(), cx.recorder(), plan, cx.name()).await {
        let consequence = failed(&plan.changes[place], &error.to_string()).compact();
        if let Err((_, error)) = carry_out(&**cx.client(), cx.recorder(), &consequence, cx.name()).await {
            tracing::debug!(%error, "the failure of a change could not be written");
        }
        return (place, Err(error.into()));
    }
    let outcome = match &plan.error {
        Some(error) => Err(Error::other(error.clone())),
        None => Ok(plan.requeue.into()),
    };
    (plan.changes.len(), outcome)
}

/// Nothing to write where a change failed.
fn nothing(_: &orlop_planners::Change, _: &str) -> Plan {
    Plan::default()
}

/// The UID of an object.
fn uid(object: &impl Object) -> Str {
    object.meta().uid.clone()
}

#[cfg(test)]
mod tests;
