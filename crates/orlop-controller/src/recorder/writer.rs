use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use orlop_client::{Api, Client, Error, Result};
use orlop_clock::{Clock, Random, SystemClock, Timestamp};
use orlop_model::core::v1::{self as core, EventType, ObjectReference};
use orlop_model::events::v1 as events;
use orlop_model::{MicroTime, Object, Str, Time};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::Notify;

use super::EventFormat;
use super::correlator::{Correlator, Rate};
use super::format::{self, Reporter};
use super::series::{Series, Told};

/// Events wait to be written at most in this number; more are dropped. client-go's `maxQueuedEvents`.
const QUEUE: usize = 1000;
/// How often it is tried to write an event: client-go's `maxTriesPerEvent`.
const TRIES: u32 = 12;
/// The time between two tries; the first is a random part of it.
const RETRY: Duration = Duration::from_secs(10);
/// How many names are tried where other components use the same.
const NAMES: u32 = 16;

/// An event that is to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct EventDraft {
    /// The object it is about.
    pub about: ObjectReference,
    /// A second object that has to do with it.
    pub related: Option<ObjectReference>,
    /// Whether something went wrong.
    pub type_: EventType,
    /// What was done, for machines; empty: as the reason.
    pub action: Str,
    /// Why, for machines: one word in CamelCase.
    pub reason: Str,
    /// Text for people.
    pub message: Str,
    /// When it happened; the recorder sets it.
    pub(super) at: Timestamp,
}

impl EventDraft {
    /// An event about an object.
    pub fn new(
        about: ObjectReference,
        type_: EventType,
        reason: impl Into<Str>,
        message: impl Into<Str>,
    ) -> Self {
        let (reason, message, action, at) =
            (reason.into(), message.into(), Str::EMPTY, Timestamp::UNIX_EPOCH);
        Self { about, related: None, type_, action, reason, message, at }
    }

    /// Names what was done.
    #[must_use]
    pub fn action(mut self, action: impl Into<Str>) -> Self {
        self.action = action.into();
        self
    }

    /// Names a second object that has to do with it.
    #[must_use]
    pub fn related(mut self, related: ObjectReference) -> Self {
        self.related = Some(related);
        self
    }
}

/// Tells events about objects, as `kubectl describe` shows them, and holds nobody up: they are written by a task of their
/// own, in order. Clones share what they remember.
///
/// Events that come again are counted instead of repeated, as [`EventFormat`] says. About one object at most 25 are
/// written at once, and one more in five minutes. 1,000 may wait to be written; more are dropped, and so is one that the
/// server refuses, or cannot take twelve times in a row.
///
/// ```
/// # use std::sync::Arc;
/// # use orlop_client::Client;
/// # use orlop_clock::Clock;
/// # use orlop_controller::{EventType, Recorder};
/// # use orlop_model::core::v1::Pod;
/// # async fn example(client: Arc<dyn Client>, clock: Arc<dyn Clock>, pod: &Pod) {
/// let recorder = Recorder::builder(client, "kubelet").host("node-1").clock(clock).build();
/// recorder.event(pod, EventType::Warning, "BackOff", "Back-off restarting failed container");
/// recorder.flush().await; // before the program ends
/// # }
/// ```
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<Inner>,
}

/// Settings of a recorder that is to be built: see [`Recorder::builder`].
#[must_use = "a builder does nothing by itself"]
pub struct Builder {
    client: Arc<dyn Client>,
    clock: Arc<dyn Clock>,
    random: Option<Random>,
    reporter: Reporter,
    format: EventFormat,
}

struct Inner {
    client: Arc<dyn Client>,
    clock: Arc<dyn Clock>,
    random: Random,
    reporter: Reporter,
    format: EventFormat,
    state: Mutex<State>,
    memory: Mutex<Memory>,
    idle: Notify,
}

struct State {
    queue: VecDeque<Job>,
    /// Whether there is a task that writes.
    writing: bool,
    /// Whether there is a task that looks after series.
    tidying: bool,
    dropped: u64,
    /// Keeps names of one moment apart.
    last_stamp: i128,
}

enum Job {
    New(Box<EventDraft>),
    /// What became of a series.
    Told(Told),
}

struct Memory {
    correlator: Correlator,
    series: Series,
    rate: Rate,
}

impl Builder {
    /// The clock that events are dated by. Default: the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where it runs: a node's name, or the process among several of one component.
    pub fn host(mut self, host: impl Into<Str>) -> Self {
        self.reporter.host = host.into();
        self
    }

    /// How they are written. Default: [`EventFormat::Core`].
    pub fn format(mut self, format: EventFormat) -> Self {
        self.format = format;
        self
    }

    /// Where the jitter of waits comes from. Default: a stream that depends on the component.
    pub fn random(mut self, random: Random) -> Self {
        self.random = Some(random);
        self
    }

    /// The recorder.
    #[must_use]
    pub fn build(self) -> Recorder {
        let Self { client, clock, random, reporter, format } = self;
        let random = random.unwrap_or_else(|| Random::new(0).fork(&reporter.component));
        let state =
            State { queue: VecDeque::new(), writing: false, tidying: false, dropped: 0, last_stamp: 0 };
        let memory = Memory { correlator: Correlator::new(), series: Series::new(), rate: Rate::new() };
        let (state, memory, idle) = (Mutex::new(state), Mutex::new(memory), Notify::new());
        Recorder { inner: Arc::new(Inner { client, clock, random, reporter, format, state, memory, idle }) }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("reporter", &self.reporter).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Starts the settings of a recorder that names `component` as the source of its events.
    pub fn builder(client: Arc<dyn Client>, component: impl Into<Str>) -> Builder {
        let reporter = Reporter { component: component.into(), host: Str::EMPTY };
        Builder { client, clock: Arc::new(SystemClock), random: None, reporter, format: EventFormat::Core }
    }

    /// A recorder with the default settings but for the clock.
    pub fn new(client: Arc<dyn Client>, clock: Arc<dyn Clock>, component: impl Into<Str>) -> Self {
        Self::builder(client, component).clock(clock).build()
    }

    /// Tells an event about an object. Outside of a tokio runtime it waits until the next one is told inside of one.
    pub fn event<K: Object>(
        &self,
        about: &K,
        type_: EventType,
        reason: impl Into<Str>,
        message: impl Into<Str>,
    ) {
        self.emit(EventDraft::new(ObjectReference::to(about), type_, reason, message));
    }

    /// Tells an event about whatever the reference refers to.
    pub fn event_about(
        &self,
        about: &ObjectReference,
        type_: EventType,
        reason: impl Into<Str>,
        message: impl Into<Str>,
    ) {
        self.emit(EventDraft::new(about.clone(), type_, reason, message));
    }

    /// Tells an event.
    pub fn emit(&self, mut draft: EventDraft) {
        draft.at = self.inner.clock.now();
        self.inner.push(Job::New(Box::new(draft)));
    }

    /// How many events were dropped because too many waited.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.inner.state.lock().dropped
    }

    /// Waits until everything that was told so far is written or given up.
    pub async fn flush(&self) {
        loop {
            let mut idle = std::pin::pin!(self.inner.idle.notified());
            idle.as_mut().enable();
            if !self.inner.state.lock().writing {
                return;
            }
            idle.await;
        }
    }
}

impl Inner {
    fn push(self: &Arc<Self>, job: Job) {
        let mut state = self.state.lock();
        if state.queue.len() >= QUEUE {
            state.dropped += 1;
            let component = &self.reporter.component;
            if state.dropped.is_power_of_two() {
                tracing::warn!(%component, dropped = state.dropped, "too many events");
            }
            return;
        }
        state.queue.push_back(job);
        if !state.writing
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            state.writing = true;
            // Ends when nothing is left; and with the last handle, whatever is left.
            runtime.spawn(write(Writing { inner: Arc::downgrade(self), begun: true }));
        }
    }

    /// A name as client-go gives: the object's and the moment, in nanoseconds.
    fn name(&self, draft: &EventDraft) -> Str {
        // Components that tell of one object at one moment, as in a simulation, hardly ever come upon the same name.
        let spread = [&self.reporter.component, &self.reporter.host]
            .iter()
            .flat_map(|text| text.bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            });
        let mut state = self.state.lock();
        let stamp = draft.at.as_nanosecond() + i128::from(spread % 1_000_000);
        state.last_stamp = stamp.max(state.last_stamp + 1);
        format!("{}.{:x}", draft.about.name, state.last_stamp).into()
    }

    async fn write(self: &Arc<Self>, job: Job) {
        match (job, self.format) {
            (Job::New(draft), EventFormat::Core) => {
                let name = self.name(&draft);
                let (counted, allowed) = {
                    let mut memory = self.memory.lock();
                    let counted = memory.correlator.count(&draft, name.clone());
                    (counted, memory.rate.allows(&draft.about, draft.at))
                };
                if allowed {
                    let name = counted.known.clone().unwrap_or(name);
                    let event = format::core(&self.reporter, &draft, name, &counted);
                    self.persist(|| self.write_core(&draft, &event)).await;
                }
            }
            (Job::New(draft), EventFormat::Series) => {
                let name = self.name(&draft);
                let (told, allowed) = {
                    let mut memory = self.memory.lock();
                    let told = memory.series.take(&draft, name);
                    let allowed = told == Told::Counted || memory.rate.allows(&draft.about, draft.at);
                    (told, allowed)
                };
                if let Told::First(name) = told {
                    if allowed {
                        let event = format::event(&self.reporter, &draft, name, None);
                        self.persist(|| self.create_event(&draft, &event)).await;
                    }
                } else if allowed {
                    self.tell(told).await;
                }
                self.tidy();
            }
            (Job::Told(told), _) => self.tell(told).await,
        }
    }

    async fn tell(&self, told: Told) {
        let Told::Series { name, count, last, first } = told else { return };
        let event = format::event(&self.reporter, &first, name, Some((count, last)));
        self.persist(|| self.write_series(&first, &event)).await;
    }

    async fn write_core(&self, draft: &EventDraft, event: &core::Event) -> Result<()> {
        let events =
            Api::<core::Event>::namespaced(Arc::clone(&self.client), event.metadata.namespace.clone());
        if event.count > 1 {
            let last = Time::from(draft.at);
            let more = json!({ "count": event.count, "lastTimestamp": last, "message": event.message });
            match events.patch_merge(&event.metadata.name, more).await {
                // It was too old and is gone.
                Err(error) if error.is_not_found() => {}
                result => return result.map(drop),
            }
        }
        let mut event = event.clone();
        for _ in 0..NAMES {
            match events.create(&event).await {
                Err(error) if error.is_already_exists() && event.count == 1 => {
                    event.metadata.name = self.name(draft);
                }
                result => return result.map(drop),
            }
        }
        Ok(())
    }

    async fn create_event(&self, draft: &EventDraft, event: &events::Event) -> Result<()> {
        let events =
            Api::<events::Event>::namespaced(Arc::clone(&self.client), event.metadata.namespace.clone());
        let mut event = event.clone();
        for _ in 0..NAMES {
            match events.create(&event).await {
                Err(error) if error.is_already_exists() => {
                    let name = self.name(draft);
                    self.memory.lock().series.renamed(&event.metadata.name, &name);
                    event.metadata.name = name;
                }
                result => return result.map(drop),
            }
        }
        Ok(())
    }

    async fn write_series(&self, first: &EventDraft, event: &events::Event) -> Result<()> {
        let events =
            Api::<events::Event>::namespaced(Arc::clone(&self.client), event.metadata.namespace.clone());
        let series = event.series.as_ref().map(|series| (series.count, series.last_observed_time));
        let Some((count, last)) = series else { return Ok(()) };
        let more = json!({ "series": { "count": count, "lastObservedTime": last.map(|last: MicroTime| last.to_string()) } });
        match events.patch_merge(&event.metadata.name, more).await {
            Err(error) if error.is_not_found() => self.create_event(first, event).await,
            result => result.map(drop),
        }
    }

    /// Tries again while that may help.
    async fn persist<F: Future<Output = Result<()>>>(&self, mut write: impl FnMut() -> F) {
        for attempt in 1..=TRIES {
            let Err(error) = write().await else { return };
            let component = &self.reporter.component;
            let again = error.is_transient() && attempt < TRIES;
            tracing::debug!(%component, %error, attempt, again, "an event could not be written");
            if !again {
                return;
            }
            let wait = match (attempt, &error) {
                (_, Error::TooManyRequests { retry_after: Some(after), .. }) => *after,
                (1, _) => RETRY.mul_f64(self.random.f64()),
                _ => RETRY,
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Sees to it that series are finished.
    fn tidy(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if !std::mem::replace(&mut state.tidying, true) {
            tokio::spawn(tidy(Arc::downgrade(self)));
        }
    }
}

/// The task that writes.
struct Writing {
    inner: Weak<Inner>,
    /// Whether it has not come to its end: then it is dropped half-way.
    begun: bool,
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.begun
            && let Some(inner) = self.inner.upgrade()
        {
            inner.state.lock().writing = false;
            inner.idle.notify_waiters();
        }
    }
}

async fn write(mut writing: Writing) {
    while let Some(inner) = writing.inner.upgrade() {
        let job = {
            let mut state = inner.state.lock();
            let job = state.queue.pop_front();
            // Under the lock: whoever pushes from now on starts the next task.
            state.writing = job.is_some();
            writing.begun = job.is_some();
            job
        };
        let Some(job) = job else {
            inner.idle.notify_waiters();
            return;
        };
        inner.write(job).await;
    }
}

async fn tidy(inner: Weak<Inner>) {
    loop {
        let wait = {
            let Some(inner) = inner.upgrade() else { return };
            let now = inner.clock.now();
            let due = inner.memory.lock().series.due(now);
            due.into_iter().for_each(|told| inner.push(Job::Told(told)));
            let next = inner.memory.lock().series.next(now);
            let mut state = inner.state.lock();
            state.tidying = next.is_some();
            let Some(next) = next else { return };
            next.max(Duration::from_millis(1))
        };
        tokio::time::sleep(wait).await;
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("reporter", &self.inner.reporter)
            .field("format", &self.inner.format)
            .finish_non_exhaustive()
    }
}
