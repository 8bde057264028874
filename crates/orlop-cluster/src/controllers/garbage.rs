//! Garbage collection by owner references.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use orlop_cache::Delta;
use orlop_client::{
    Api, DeleteOptions, Error, GetOptions, Patch, Preconditions, Propagation, Subresource, WriteOptions,
};
use orlop_controller::{Action, Context, EventType, Informers, KeyController, Recorder};
use orlop_model::apps::v1::{Deployment, ReplicaSet};
use orlop_model::batch::v1::Job;
use orlop_model::coordination::v1::Lease;
use orlop_model::core::v1::{ConfigMap, Namespace, Node, ObjectReference, Pod, Secret, Service};
use orlop_model::{DynamicObject, KindInfo, Object, ObjectKey, ObjectMeta, StaticKind, Str};
use orlop_planners::garbage::{
    self, Answer, Attempt, Call, Collector, Identity, InvalidNamespace, Outcome, PatchBody, Step,
};
use orlop_workqueue::{Limit, Queue};
use parking_lot::Mutex;

use super::Parts;

const NAME: &str = "garbage-collector-controller";
/// First wait before an object is tried again; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(60);

/// apiVersion and kind.
type Coordinates = (Str, Str);

/// An object to be worked on, by its UID.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Work {
    uid: Str,
    /// Its dependents are to be orphaned; else it may be garbage itself.
    orphan: bool,
}

impl Work {
    fn of(attempt: &Attempt) -> Self {
        Self { uid: attempt.object().uid.clone(), orphan: matches!(attempt, Attempt::Orphan(_)) }
    }
}

/// An object that could not be worked on to the end.
#[derive(Debug, thiserror::Error)]
#[error("{} {} ({}) could not be collected yet", object.kind, object.name, object.uid)]
struct NotYet {
    object: Box<Identity>,
}

pub(super) async fn run(parts: Parts) {
    let Parts { informers, clock, stop, kinds, .. } = parts;
    let by_name = |kind: &KindInfo| ((kind.api_version().into_owned(), kind.kind.to_string()), kind.clone());
    let driver = Arc::new(Driver { kinds: kinds.iter().map(by_name).collect(), state: Mutex::default() });
    let mut controller = KeyController::new(NAME, &informers)
        .clock(clock)
        .stop(stop)
        // One after the other: what one leads to is known to the next.
        .concurrency(1)
        .limit(Doubling);
    for kind in kinds.iter() {
        controller = watch(controller, &informers, kind, &driver);
    }
    let queue = controller.queue().clone();
    controller
        .run(move |work, cx| {
            let (driver, queue) = (Arc::clone(&driver), queue.clone());
            async move { driver.work_on(&work, &cx, &queue).await }
        })
        .await;
}

/// After a failure.
struct Doubling;

impl Limit<Work> for Doubling {
    fn delay(&mut self, _: &Work, failures: u32, _: Duration) -> Duration {
        FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST)
    }
}

/// Follows the objects of a kind. Kinds that this crate knows share their caches with everybody else.
fn watch(
    controller: KeyController<Work>,
    informers: &Informers,
    kind: &KindInfo,
    driver: &Arc<Driver>,
) -> KeyController<Work> {
    macro_rules! known {
        ($($known:ty),*) => {
            $(if <$known>::KIND.is(kind) {
                return observe(controller, &Api::<$known>::all(Arc::clone(informers.client())), kind, driver);
            })*
        };
    }
    known!(Pod, ReplicaSet, Deployment, Job, ConfigMap, Secret, Service, Node, Lease, Namespace);
    observe(controller, &Api::<DynamicObject>::dynamic(Arc::clone(informers.client()), kind), kind, driver)
}

fn observe<K: Object>(
    controller: KeyController<Work>,
    api: &Api<K>,
    kind: &KindInfo,
    driver: &Arc<Driver>,
) -> KeyController<Work> {
    let coordinates: Coordinates = (Str::from(&*kind.api_version()), Str::from(&*kind.kind));
    let driver = Arc::clone(driver);
    controller.watch_deltas(api, move |delta| {
        let mut state = driver.state.lock();
        let (api_version, kind) = &coordinates;
        match delta {
            Delta::Added { object, .. } => state.collector.applied(api_version, kind, object.meta()),
            // Most changes are of no concern: owners, finalizers and deletion are what counts.
            Delta::Modified { old, new } if !same_to_us(old.meta(), new.meta()) => {
                state.collector.applied(api_version, kind, new.meta());
            }
            Delta::Deleted { last, .. } => state.collector.deleted(api_version, kind, last.meta()),
            _ => return Vec::new(),
        }
        state.found()
    })
}

fn same_to_us(old: &ObjectMeta, new: &ObjectMeta) -> bool {
    old.uid == new.uid
        && old.owner_references == new.owner_references
        && old.finalizers == new.finalizers
        && old.deletion_timestamp == new.deletion_timestamp
}

struct Driver {
    kinds: BTreeMap<(String, String), KindInfo>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    collector: Collector,
    /// What is to be worked on.
    attempts: HashMap<Work, VecDeque<Attempt>>,
    /// What is to be tried again after its back-off.
    failed: HashMap<Work, Vec<Attempt>>,
}

impl State {
    /// What the collector wants worked on now.
    fn found(&mut self) -> Vec<Work> {
        let mut found = Vec::new();
        while let Some(attempt) = self.collector.next_attempt() {
            let work = Work::of(&attempt);
            self.attempts.entry(work.clone()).or_default().push_back(attempt);
            found.push(work);
        }
        found
    }

    /// What to do next about an object. What failed before is looked at anew.
    fn next(&mut self, work: &Work) -> (Option<Attempt>, Vec<Work>) {
        for failed in self.failed.remove(work).unwrap_or_default() {
            self.collector.retry(&failed);
        }
        let mut found = self.found();
        let mut attempts = self.attempts.remove(work).unwrap_or_default();
        let next = attempts.pop_front();
        found.retain(|found| found != work);
        if !attempts.is_empty() {
            self.attempts.insert(work.clone(), attempts);
            found.push(work.clone());
        }
        (next, found)
    }
}

impl Driver {
    /// Works on one object.
    async fn work_on(&self, work: &Work, cx: &Context, queue: &Queue<Work>) -> Result<Action, NotYet> {
        let (attempt, found) = self.state.lock().next(work);
        found.into_iter().for_each(|work| _ = queue.add(work));
        let Some(mut attempt) = attempt else {
            return Ok(Action::await_change());
        };
        let mut answer = None;
        let outcome = loop {
            let scopes = |api_version: &str, kind: &str| {
                self.kinds.get(&(api_version.to_owned(), kind.to_owned())).map(KindInfo::is_namespaced)
            };
            let step = attempt.step(&mut self.state.lock().collector, &scopes, answer.take());
            match step {
                Step::Call(call) => answer = Some(self.call(cx, call).await),
                Step::Finished(outcome) => break outcome,
            }
        };
        let (found, warnings) = {
            let mut state = self.state.lock();
            (state.found(), state.collector.take_warnings())
        };
        found.into_iter().for_each(|work| _ = queue.add(work));
        warnings.iter().for_each(|warning| warn(cx.recorder(), warning));
        match outcome {
            Outcome::Settled => Ok(Action::await_change()),
            Outcome::Retry => {
                let not_yet = NotYet { object: Box::new(attempt.object().clone()) };
                self.state.lock().failed.entry(work.clone()).or_default().push(attempt);
                Err(not_yet)
            }
        }
    }

    async fn call(&self, cx: &Context, call: Call) -> Answer {
        let client = cx.client();
        let object = match &call {
            Call::Get { object } | Call::Patch { object, .. } | Call::Delete { object, .. } => object,
        };
        let Some(kind) = self.kinds.get(&(object.api_version.to_string(), object.kind.to_string())) else {
            return Answer::Failed;
        };
        let key = ObjectKey { namespace: object.namespace.non_empty().cloned(), name: object.name.clone() };
        let result = match &call {
            Call::Get { .. } => {
                client.get(kind, &key, &GetOptions::default()).await.map(|record| found(record.meta()))
            }
            Call::Patch { patch, .. } => {
                let patch = match patch {
                    PatchBody::Strategic(document) => Patch::Strategic(document.clone()),
                    PatchBody::Merge(document) => Patch::Merge(document.clone()),
                };
                let options = WriteOptions::by(NAME);
                client
                    .patch(kind, &key, Subresource::Main, patch, &options)
                    .await
                    .map(|record| found(record.meta()))
            }
            Call::Delete { object, resource_version, propagation } => {
                let options = delete_options(object, resource_version.as_ref(), *propagation);
                client.delete(kind, &key, &options).await.map(|_| Answer::Done)
            }
        };
        result.unwrap_or_else(|error| match error {
            error if error.is_not_found() => Answer::NotFound,
            error if error.is_conflict() => Answer::Conflict,
            Error::Unsupported { .. } | Error::UnsupportedMediaType { .. } => Answer::Unsupported,
            error => {
                tracing::debug!(%error, object = %object.name, "garbage collection is tried again");
                Answer::Failed
            }
        })
    }
}

fn warn(recorder: &Recorder, warning: &InvalidNamespace) {
    let Identity { kind, api_version, namespace, name, uid } = warning.dependent.clone();
    let about = ObjectReference { kind, api_version, namespace, name, uid, ..ObjectReference::default() };
    recorder.event_about(&about, EventType::Warning, InvalidNamespace::REASON, warning.message());
}

fn found(meta: &ObjectMeta) -> Answer {
    Answer::Found(Box::new(meta.clone()))
}

fn delete_options(
    object: &Identity,
    resource_version: Option<&Str>,
    propagation: garbage::Propagation,
) -> DeleteOptions {
    DeleteOptions {
        preconditions: Preconditions {
            uid: Some(object.uid.clone()),
            resource_version: resource_version.cloned(),
        },
        propagation: Some(match propagation {
            garbage::Propagation::Background => Propagation::Background,
            garbage::Propagation::Foreground => Propagation::Foreground,
            garbage::Propagation::Orphan => Propagation::Orphan,
        }),
        ..DeleteOptions::default()
    }
}
