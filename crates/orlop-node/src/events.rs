//! Events about pods and the node, as `kubectl describe` shows them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use orlop_client::{Api, Client};
use orlop_clock::Clock;
use orlop_model::core::v1::{Event, EventSource, Node, ObjectReference, Pod};
use orlop_model::{Object, Str, Time};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::Notify;

/// Events wait for the writer at most in this number; more are dropped.
const QUEUE: usize = 1000;
/// So many different events are remembered, to count instead of repeating them.
const REMEMBERED: usize = 256;

/// Whether an event is about something going wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum EventType {
    /// Nothing is wrong.
    Normal,
    /// Something is.
    Warning,
}

impl EventType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    uid: Str,
    field: Str,
    type_: EventType,
    reason: &'static str,
    message: Str,
}

#[derive(Debug)]
struct Draft {
    key: Key,
    object: ObjectReference,
    at: Time,
}

#[derive(Debug)]
struct Known {
    name: Str,
    count: i32,
    used: u64,
}

/// Writes events without holding anybody up. An event that was written before is counted instead.
#[derive(Debug)]
pub(crate) struct Recorder {
    host: Str,
    clock: Arc<dyn Clock>,
    queue: Mutex<VecDeque<Draft>>,
    wake: Notify,
}

impl Recorder {
    pub(crate) fn new(host: Str, clock: Arc<dyn Clock>) -> Self {
        Self { host, clock, queue: Mutex::default(), wake: Notify::new() }
    }

    /// An event about a pod, or about one of its containers (`field` such as `spec.containers{web}`).
    pub(crate) fn pod(
        &self,
        pod: &Pod,
        field: &str,
        type_: EventType,
        reason: &'static str,
        message: impl Into<Str>,
    ) {
        let meta = &pod.metadata;
        let object = ObjectReference {
            api_version: "v1".into(),
            kind: "Pod".into(),
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            uid: meta.uid.clone(),
            resource_version: meta.resource_version.clone(),
            field_path: field.into(),
            ..ObjectReference::default()
        };
        self.push(object, type_, reason, message.into());
    }

    /// An event about the node.
    pub(crate) fn node(&self, node: &Node, type_: EventType, reason: &'static str, message: impl Into<Str>) {
        let object = ObjectReference {
            api_version: "v1".into(),
            kind: node.kind().kind.to_string().into(),
            name: node.metadata.name.clone(),
            uid: node.metadata.uid.clone(),
            ..ObjectReference::default()
        };
        self.push(object, type_, reason, message.into());
    }

    fn push(&self, object: ObjectReference, type_: EventType, reason: &'static str, message: Str) {
        let key = Key { uid: object.uid.clone(), field: object.field_path.clone(), type_, reason, message };
        let mut queue = self.queue.lock();
        if queue.len() >= QUEUE {
            tracing::warn!(node = %self.host, reason, "too many events, one is dropped");
            return;
        }
        queue.push_back(Draft { key, object, at: Time::from(self.clock.now()) });
        drop(queue);
        self.wake.notify_one();
    }

    /// Writes events as they come, until dropped.
    pub(crate) async fn run(&self, client: Arc<dyn Client>) {
        let mut writer = Writer { recorder: self, client, known: BTreeMap::new(), written: 0 };
        loop {
            writer.drain().await;
            self.wake.notified().await;
        }
    }

    /// Writes what waits.
    pub(crate) async fn flush(&self, client: Arc<dyn Client>) {
        Writer { recorder: self, client, known: BTreeMap::new(), written: 0 }.drain().await;
    }
}

struct Writer<'a> {
    recorder: &'a Recorder,
    client: Arc<dyn Client>,
    known: BTreeMap<Key, Known>,
    written: u64,
}

impl Writer<'_> {
    async fn drain(&mut self) {
        loop {
            let next = self.recorder.queue.lock().pop_front();
            let Some(draft) = next else { return };
            if let Err(error) = self.write(&draft).await {
                tracing::debug!(node = %self.recorder.host, reason = draft.key.reason, %error, "an event could not be written");
            }
        }
    }

    async fn write(&mut self, draft: &Draft) -> orlop_client::Result<()> {
        self.written += 1;
        let namespace = draft.object.namespace.non_empty().cloned().unwrap_or_else(|| "default".into());
        let api = Api::<Event>::namespaced(Arc::clone(&self.client), namespace.clone());
        if let Some(known) = self.known.get_mut(&draft.key) {
            known.count += 1;
            known.used = self.written;
            let patch = json!({"count": known.count, "lastTimestamp": draft.at.to_string()});
            match api.patch_merge(&known.name, patch).await {
                Err(error) if error.is_not_found() => {}
                result => return result.map(drop),
            }
        }
        let mut event = self.event(draft, namespace);
        loop {
            match api.create(&event).await {
                // Somebody else had the same name: the next moment will do.
                Err(error) if error.is_already_exists() => {
                    self.written += 1;
                    event.metadata.name = self.name(draft);
                }
                Err(error) => return Err(error),
                Ok(_) => break,
            }
        }
        if self.known.len() >= REMEMBERED {
            let oldest = self.known.iter().min_by_key(|(_, known)| known.used).map(|(key, _)| key.clone());
            oldest.map(|key| self.known.remove(&key));
        }
        self.known
            .insert(draft.key.clone(), Known { name: event.metadata.name, count: 1, used: self.written });
        Ok(())
    }

    fn name(&self, draft: &Draft) -> Str {
        // Like client-go, with a counter in place of the nanoseconds, so that a simulation gives the same names again.
        let mut host = crate::view::Fnv::default();
        host.text(&self.recorder.host);
        let moment = (draft.at.seconds() as u64)
            .wrapping_mul(1_000_000_000)
            .wrapping_add(host.0 % 0xffff * 10_000)
            .wrapping_add(self.written);
        format!("{}.{moment:x}", draft.object.name).into()
    }

    fn event(&self, draft: &Draft, namespace: Str) -> Event {
        let mut event = Event {
            involved_object: draft.object.clone(),
            reason: draft.key.reason.into(),
            message: draft.key.message.clone(),
            type_: draft.key.type_.as_str().into(),
            source: EventSource {
                component: "kubelet".into(),
                host: self.recorder.host.clone(),
                ..EventSource::default()
            },
            reporting_component: "kubelet".into(),
            reporting_instance: self.recorder.host.clone(),
            first_timestamp: Some(draft.at),
            last_timestamp: Some(draft.at),
            count: 1,
            ..Event::default()
        };
        event.metadata.name = self.name(draft);
        event.metadata.namespace = namespace;
        event
    }
}
