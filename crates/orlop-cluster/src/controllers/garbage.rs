//! Garbage collection by owner references.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use orlop_cache::{Delta, Store};
use orlop_client::{
    Client, DeleteOptions, Error, GetOptions, Patch, Preconditions, Propagation, Subresource, WriteOptions,
};
use orlop_controller::{EventType, Informers, Recorder};
use orlop_model::apps::v1::{Deployment, ReplicaSet};
use orlop_model::batch::v1::Job;
use orlop_model::coordination::v1::Lease;
use orlop_model::core::v1::{ConfigMap, Namespace, Node, ObjectReference, Pod, Secret, Service};
use orlop_model::{KindInfo, Object, ObjectKey, ObjectMeta, StaticKind, Str};
use orlop_planners::garbage::{
    self, Answer, Attempt, Call, Collector, Identity, InvalidNamespace, Outcome, PatchBody, Step,
};

use super::Parts;

const NAME: &str = "garbage-collector-controller";
/// First wait before an object is tried again; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(60);

/// What a cache tells, whatever the kind.
enum Seen {
    Applied(Coordinates, Box<ObjectMeta>),
    Deleted(Coordinates, Box<ObjectMeta>),
    /// The caches are quiet for now.
    Nothing,
}

/// apiVersion and kind.
type Coordinates = (Str, Str);

pub(super) async fn run(parts: Parts) {
    let driver = Driver {
        client: Arc::clone(parts.informers.client()),
        recorder: Recorder::new(Arc::clone(parts.informers.client()), Arc::clone(&parts.clock), NAME),
        kinds: parts
            .kinds
            .iter()
            .map(|kind| ((kind.api_version().into_owned(), kind.kind.to_string()), kind.clone()))
            .collect(),
        collector: Collector::new(),
        failures: BTreeMap::new(),
    };
    let changes = changes(&parts.informers, &parts.kinds);
    tokio::select! {
        biased;
        () = parts.stop.cancelled() => {}
        () = driver.run(changes) => {}
    }
}

/// The changes of all kinds. Kinds that this crate knows share their caches with everybody else.
fn changes(informers: &Informers, kinds: &[KindInfo]) -> SelectAll<BoxStream<'static, Seen>> {
    let mut streams = SelectAll::new();
    for kind in kinds {
        let typed = [
            typed::<Pod>(informers, kind),
            typed::<ReplicaSet>(informers, kind),
            typed::<Deployment>(informers, kind),
            typed::<Job>(informers, kind),
            typed::<ConfigMap>(informers, kind),
            typed::<Secret>(informers, kind),
            typed::<Service>(informers, kind),
            typed::<Node>(informers, kind),
            typed::<Lease>(informers, kind),
            typed::<Namespace>(informers, kind),
        ];
        let known = typed.into_iter().flatten().next();
        streams.push(known.unwrap_or_else(|| stream(&informers.dynamic(kind), kind)));
    }
    streams
}

fn typed<K: StaticKind>(informers: &Informers, kind: &KindInfo) -> Option<BoxStream<'static, Seen>> {
    K::KIND.is(kind).then(|| stream(&informers.of::<K>(), kind))
}

fn stream<K: Object>(store: &Store<K>, kind: &KindInfo) -> BoxStream<'static, Seen> {
    let coordinates: Coordinates = (Str::from(&*kind.api_version()), Str::from(&*kind.kind));
    let seen = move |delta: Delta<K>| {
        let meta = |object: &K| Box::new(object.meta().clone());
        match &delta {
            Delta::Added { object, .. } => Seen::Applied(coordinates.clone(), meta(object)),
            // Most changes are of no concern: owners, finalizers and deletion are what counts.
            Delta::Modified { old, new } if same_to_us(old.meta(), new.meta()) => Seen::Nothing,
            Delta::Modified { new, .. } => Seen::Applied(coordinates.clone(), meta(new)),
            Delta::Deleted { last, .. } => Seen::Deleted(coordinates.clone(), meta(last)),
            _ => Seen::Nothing,
        }
    };
    store.subscribe().map(seen).boxed()
}

fn same_to_us(old: &ObjectMeta, new: &ObjectMeta) -> bool {
    old.uid == new.uid
        && old.owner_references == new.owner_references
        && old.finalizers == new.finalizers
        && old.deletion_timestamp == new.deletion_timestamp
}

struct Driver {
    client: Arc<dyn Client>,
    recorder: Recorder,
    kinds: BTreeMap<(String, String), KindInfo>,
    collector: Collector,
    /// How often each object has failed in a row, by UID.
    failures: BTreeMap<Str, u32>,
}

impl Driver {
    async fn run(mut self, mut changes: SelectAll<BoxStream<'static, Seen>>) {
        let mut waiting: Vec<(tokio::time::Instant, Attempt)> = Vec::new();
        loop {
            let due = waiting.iter().map(|(at, _)| *at).min();
            let retry = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                seen = changes.next() => match seen {
                    Some(seen) => self.observe(seen),
                    None => return,
                },
                () = retry => {
                    let now = tokio::time::Instant::now();
                    let due = waiting.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>();
                    due.iter().for_each(|(_, attempt)| self.collector.retry(attempt));
                }
            }
            while let Some(attempt) = self.collector.next_attempt() {
                if let Some((wait, attempt)) = self.attempt(attempt).await {
                    waiting.push((tokio::time::Instant::now() + wait, attempt));
                }
            }
            for warning in self.collector.take_warnings() {
                self.warn(&warning);
            }
        }
    }

    fn observe(&mut self, seen: Seen) {
        match seen {
            Seen::Applied((api_version, kind), meta) => self.collector.applied(&api_version, &kind, &meta),
            Seen::Deleted((api_version, kind), meta) => {
                self.failures.remove(&meta.uid);
                self.collector.deleted(&api_version, &kind, &meta);
            }
            Seen::Nothing => {}
        }
    }

    /// Works on one object; gives it back if it has to be tried again, and when.
    async fn attempt(&mut self, mut attempt: Attempt) -> Option<(Duration, Attempt)> {
        let uid = attempt.object().uid.clone();
        let mut answer = None;
        loop {
            let kinds = &self.kinds;
            let scopes = |api_version: &str, kind: &str| {
                kinds.get(&(api_version.to_owned(), kind.to_owned())).map(KindInfo::is_namespaced)
            };
            match attempt.step(&mut self.collector, &scopes, answer.take()) {
                Step::Call(call) => answer = Some(self.call(call).await),
                Step::Finished(Outcome::Settled) => {
                    self.failures.remove(&uid);
                    return None;
                }
                Step::Finished(Outcome::Retry) => {
                    let failures = self.failures.entry(uid).or_default();
                    let wait = FIRST.saturating_mul(1 << (*failures).min(16)).min(LONGEST);
                    *failures += 1;
                    return Some((wait, attempt));
                }
            }
        }
    }

    async fn call(&self, call: Call) -> Answer {
        let object = match &call {
            Call::Get { object } | Call::Patch { object, .. } | Call::Delete { object, .. } => object,
        };
        let Some(kind) = self.kinds.get(&(object.api_version.to_string(), object.kind.to_string())) else {
            return Answer::Failed;
        };
        let key = ObjectKey { namespace: object.namespace.non_empty().cloned(), name: object.name.clone() };
        let result = match &call {
            Call::Get { .. } => {
                self.client.get(kind, &key, &GetOptions::default()).await.map(|record| found(record.meta()))
            }
            Call::Patch { patch, .. } => {
                let patch = match patch {
                    PatchBody::Strategic(document) => Patch::Strategic(document.clone()),
                    PatchBody::Merge(document) => Patch::Merge(document.clone()),
                };
                let options = WriteOptions::by(NAME);
                self.client
                    .patch(kind, &key, Subresource::Main, patch, &options)
                    .await
                    .map(|record| found(record.meta()))
            }
            Call::Delete { object, resource_version, propagation } => {
                let options = delete_options(object, resource_version.as_ref(), *propagation);
                self.client.delete(kind, &key, &options).await.map(|_| Answer::Done)
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

    fn warn(&self, warning: &InvalidNamespace) {
        let Identity { kind, api_version, namespace, name, uid } = warning.dependent.clone();
        let about = ObjectReference { kind, api_version, namespace, name, uid, ..ObjectReference::default() };
        self.recorder.event_about(&about, EventType::Warning, InvalidNamespace::REASON, warning.message());
    }
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
