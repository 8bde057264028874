use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use orlop_client::{Api, Client, Result};
use orlop_clock::Clock;
use orlop_model::core::v1::{Event, EventSource, ObjectReference};
use orlop_model::{Object, Str, Time};
use parking_lot::Mutex;
use serde_json::json;

/// How many different events are remembered, to count them when they come again.
const REMEMBERED: usize = 4096;

/// Whether something went as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// Something happened that people may want to know.
    Normal,
    /// Something went wrong.
    Warning,
}

impl EventType {
    /// The text in `Event.type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// Writes Events about objects, as `kubectl describe` shows them. Clones share what they remember.
///
/// The same event about the same object is counted in the Event that there is, instead of written anew.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<Inner>,
}

struct Inner {
    events: Api<Event>,
    clock: Arc<dyn Clock>,
    component: Str,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// In the order in which they came first.
    seen: IndexMap<Subject, Seen>,
    /// Keeps names of one moment apart.
    last_stamp: i128,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Subject {
    kind: Str,
    namespace: Str,
    name: Str,
    uid: Str,
    field: Str,
    type_: EventType,
    reason: Str,
    message: Str,
}

struct Seen {
    name: Str,
    first: Time,
    count: i32,
}

impl Recorder {
    /// A recorder that names `component` as the source of its events.
    pub fn new(client: Arc<dyn Client>, clock: Arc<dyn Clock>, component: impl Into<Str>) -> Self {
        let (component, memory) = (component.into(), Mutex::default());
        Self { inner: Arc::new(Inner { events: Api::all(client), clock, component, memory }) }
    }

    /// Writes an event about an object.
    ///
    /// # Errors
    /// Those of creating and patching the Event. A failure is no reason not to go on.
    pub async fn event<K: Object>(
        &self,
        about: &K,
        type_: EventType,
        reason: &str,
        message: impl Into<Str>,
    ) -> Result<()> {
        self.event_about(&crate::reference_to(about), type_, reason, message).await
    }

    /// Writes an event about whatever the reference refers to.
    ///
    /// # Errors
    /// As [`event`](Self::event).
    pub async fn event_about(
        &self,
        about: &ObjectReference,
        type_: EventType,
        reason: &str,
        message: impl Into<Str>,
    ) -> Result<()> {
        let message = message.into();
        let now = Time::from(self.inner.clock.now());
        let subject = Subject {
            kind: about.kind.clone(),
            namespace: about.namespace.clone(),
            name: about.name.clone(),
            uid: about.uid.clone(),
            field: about.field_path.clone(),
            type_,
            reason: reason.into(),
            message: message.clone(),
        };
        let (name, first, count) = self.count(subject, now);

        // Events about objects of the cluster live where people look for them.
        let namespace = about.namespace.non_empty().cloned().unwrap_or_else(|| "default".into());
        let events = self.inner.events.within(namespace.clone());
        let mut event = Event {
            involved_object: about.clone(),
            reason: reason.into(),
            message,
            source: EventSource { component: self.inner.component.clone(), ..EventSource::default() },
            first_timestamp: Some(first),
            last_timestamp: Some(now),
            count,
            type_: type_.as_str().into(),
            reporting_component: self.inner.component.clone(),
            ..Event::default()
        };
        event.metadata.name = name.clone();
        event.metadata.namespace = namespace;

        let more = json!({ "count": count, "lastTimestamp": now });
        if count > 1 {
            match events.patch_merge(&name, more).await {
                // It was too old and is gone, or the first one is still on its way.
                Err(error) if error.is_not_found() => events.create(event).await.map(drop),
                result => result.map(drop),
            }
        } else {
            match events.create(event).await {
                Err(error) if error.is_already_exists() => events.patch_merge(&name, more).await.map(drop),
                result => result.map(drop),
            }
        }
    }

    /// The name of the subject's Event, when it came first and how often it has come with this.
    fn count(&self, subject: Subject, now: Time) -> (Str, Time, i32) {
        let mut memory = self.inner.memory.lock();
        let Memory { seen, last_stamp } = &mut *memory;
        if let Some(seen) = seen.get_mut(&subject) {
            seen.count = seen.count.saturating_add(1);
            return (seen.name.clone(), seen.first, seen.count);
        }
        // As client-go names them: the object and the moment in nanoseconds.
        *last_stamp = self.inner.clock.now().as_nanosecond().max(*last_stamp + 1);
        let name: Str = format!("{}.{:x}", subject.name, last_stamp).into();
        seen.insert(subject, Seen { name: name.clone(), first: now, count: 1 });
        if seen.len() > REMEMBERED {
            seen.shift_remove_index(0);
        }
        (name, now, 1)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("component", &self.inner.component).finish_non_exhaustive()
    }
}
