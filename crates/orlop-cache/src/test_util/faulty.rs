use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use orlop_client::{
    Client, Error, Forward, ListOptions, RecordList, Result, WatchEvent, WatchOptions, WatchStream,
};
use orlop_clock::Random;
use orlop_model::{KindInfo, Str};
use parking_lot::Mutex;

/// Events of each watch that are kept, to be repeated.
const KEPT: usize = 32;

/// How often what goes wrong: shares of the requests, or of the events of a watch, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// Lists that fail: out of reach, 429, late, 500, 410.
    pub list_fails: f64,
    /// Lists that are never answered.
    pub list_hangs: f64,
    /// Watches that cannot be begun, likewise.
    pub watch_fails: f64,
    /// Events in whose place the watch fails, likewise.
    pub breaks: f64,
    /// Events in whose place the watch just ends.
    pub ends: f64,
    /// Events from which on the watch is silent for ever.
    pub hangs: f64,
    /// Events that are preceded by one that came before. (A watch does not skip any by that.)
    pub repeats: f64,
    /// Events that are preceded by a bookmark.
    pub bookmarks: f64,
    /// Events that come late,
    pub delays: f64,
    /// by at most this time.
    pub delay: Duration,
}

impl Faults {
    /// Much of everything.
    #[must_use]
    pub fn all() -> Self {
        Self {
            list_fails: 0.3,
            list_hangs: 0.05,
            watch_fails: 0.2,
            breaks: 0.05,
            ends: 0.05,
            hangs: 0.02,
            repeats: 0.1,
            bookmarks: 0.2,
            delays: 0.05,
            delay: Duration::from_secs(5),
        }
    }
}

/// A client whose lists and watches do what those of a client can do wrong. Writes and gets go through.
pub struct Faulty {
    client: Arc<dyn Client>,
    state: Arc<State>,
}

struct State {
    faults: Mutex<Faults>,
    random: Random,
    /// What watches brought, by what they asked for.
    brought: Mutex<BTreeMap<String, VecDeque<WatchEvent>>>,
}

impl Faulty {
    /// Without faults as yet.
    #[must_use]
    pub fn new(client: Arc<dyn Client>, random: Random) -> Arc<Self> {
        let state = State { faults: Mutex::default(), random, brought: Mutex::default() };
        Arc::new(Self { client, state: Arc::new(state) })
    }

    /// From now on these. What hangs already hangs on.
    pub fn set(&self, faults: Faults) {
        *self.state.faults.lock() = faults;
    }
}

impl State {
    fn faults(&self) -> Faults {
        *self.faults.lock()
    }

    fn error(&self) -> Error {
        match self.random.index(5) {
            0 => Error::Transport { message: "connection refused".into(), source: None },
            1 => {
                let retry_after =
                    self.random.chance(0.5).then(|| Duration::from_secs(self.random.range(0..20)));
                Error::TooManyRequests { object: Box::default(), message: "busy".into(), retry_after }
            }
            2 => Error::Timeout { message: "slow".into() },
            3 => Error::internal("broken"),
            _ => Error::expired("too old"),
        }
    }

    /// An event that this watch, or one before it, brought: no later than it has come.
    fn brought_before(&self, watch: &Open) -> Option<WatchEvent> {
        let come_to: u64 = watch.version.parse().ok()?;
        let brought = self.brought.lock();
        let before =
            |event: &&WatchEvent| event.resource_version().parse::<u64>().is_ok_and(|at| at <= come_to);
        let before: Vec<_> = brought.get(&watch.asked)?.iter().filter(before).collect();
        self.random.pick(&before).map(|event| (*event).clone())
    }

    /// The next thing that a watch brings.
    async fn next(self: Arc<Self>, mut watch: Open) -> Option<(Result<WatchEvent>, Open)> {
        if watch.over {
            return None;
        }
        let faults = self.faults();
        let random = &self.random;
        if random.chance(faults.hangs) {
            std::future::pending::<()>().await;
        }
        if random.chance(faults.ends) {
            return None;
        }
        if random.chance(faults.breaks) {
            watch.over = true;
            return Some((Err(self.error()), watch));
        }
        if !watch.initial {
            if random.chance(faults.repeats)
                && let Some(again) = self.brought_before(&watch)
            {
                return Some((Ok(again), watch));
            }
            if watch.bookmarks && !watch.version.is_empty() && random.chance(faults.bookmarks) {
                let resource_version = watch.version.clone();
                return Some((
                    Ok(WatchEvent::Bookmark { resource_version, initial_events_end: false }),
                    watch,
                ));
            }
        }
        if random.chance(faults.delays) {
            tokio::time::sleep(faults.delay.mul_f64(random.f64())).await;
        }
        let event = watch.events.next().await?;
        match &event {
            Ok(WatchEvent::Bookmark { resource_version, initial_events_end }) => {
                watch.initial &= !initial_events_end;
                watch.version = resource_version.clone();
            }
            Ok(event) => {
                if !watch.initial {
                    watch.version = event.resource_version();
                    let mut brought = self.brought.lock();
                    let brought = brought.entry(watch.asked.clone()).or_default();
                    if brought.len() == KEPT {
                        brought.pop_front();
                    }
                    brought.push_back(event.clone());
                }
            }
            Err(_) => {}
        }
        Some((event, watch))
    }
}

struct Open {
    events: WatchStream,
    asked: String,
    bookmarks: bool,
    /// What there was at the start is not complete.
    initial: bool,
    version: Str,
    over: bool,
}

#[async_trait]
impl Forward for Faulty {
    fn inner(&self) -> &dyn Client {
        &*self.client
    }

    async fn pass_list(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &ListOptions,
    ) -> Result<RecordList> {
        let faults = self.state.faults();
        if self.state.random.chance(faults.list_hangs) {
            std::future::pending::<()>().await;
        }
        if self.state.random.chance(faults.list_fails) {
            return Err(self.state.error());
        }
        self.client.list(kind, namespace, options).await
    }

    async fn pass_watch(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream> {
        if self.state.random.chance(self.state.faults().watch_fails) {
            return Err(self.state.error());
        }
        let events = self.client.watch(kind, namespace, options).await?;
        let WatchOptions { labels, fields, resource_version, bookmarks, initial_events } = options;
        let open = Open {
            events,
            asked: format!("{} {namespace:?} {labels} {fields}", kind.resource()),
            bookmarks: *bookmarks,
            initial: *initial_events || matches!(resource_version.as_str(), "" | "0"),
            version: resource_version.as_str().into(),
            over: false,
        };
        let state = Arc::clone(&self.state);
        Ok(stream::unfold(open, move |open| Arc::clone(&state).next(open)).boxed())
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("faults", &self.state.faults()).finish_non_exhaustive()
    }
}
