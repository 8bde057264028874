use std::any::Any;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use orlop_cache::{Delta, Store};
use orlop_client::{Api, Client};
use orlop_clock::{Clock, SystemClock};
use orlop_model::{Object, StaticKind, Str};
use orlop_workqueue::{Add, Limit, Priority, Queue, Ticket};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::context::Shared;
use crate::view::View;
use crate::writes::Write;
use crate::{Action, Context, Error, Informers, Recorder, Retry};

/// How many keys are reconciled at once unless told otherwise.
const CONCURRENCY: usize = 4;
/// How long a key waits until its controller's caches have what it wrote.
const VISIBLE: Duration = Duration::from_secs(5);
/// After so many changes in a row others get their turn.
const BREATH: usize = 256;

/// A control loop over keys of any kind: caches tell what changed, each change is mapped to keys, and an async function
/// is called for each key.
///
/// [`Controller`](crate::Controller) is this for the objects of one kind, and easier; this is for controllers that look
/// at several kinds and share [`Informers`] with others.
///
/// - A key is never reconciled twice at once, and is reconciled again after whatever changed meanwhile.
/// - Nothing is reconciled before all caches have the objects that there were at the start; fresh changes come before
///   those.
/// - What a reconciler wrote through its [`Context`] is in the caches when the key is reconciled next (or 5 s have gone
///   by). Meanwhile the key waits, and no worker.
/// - A failure is tried again when [`Error::retry`] says; a panic is a failure of that key alone.
///
/// ```
/// # use std::sync::Arc;
/// # use orlop_client::Client;
/// # use orlop_controller::{Action, Informers, KeyController, controller_of};
/// # use orlop_model::{Object, StaticKind, apps::v1::ReplicaSet, core::v1::Pod};
/// # async fn example(client: Arc<dyn Client>) {
/// let informers = Informers::new(client);
/// let (sets, pods) = (informers.of::<ReplicaSet>(), informers.of::<Pod>());
/// KeyController::new("replicaset", &informers)
///     .watch::<ReplicaSet, _>(|set| Some(set.key()))
///     .watch::<Pod, _>(|pod| controller_of(pod, ReplicaSet::KIND))
///     .run(move |key, cx| {
///         let (set, pods) = (sets.get(&key), pods.list_in(key.namespace()));
///         async move {
///             // … plan from `set` and its `pods`, write by `cx.api()` …
/// #           let _ = (set, pods, cx);
///             Ok(Action::await_change())
///         }
///     })
///     .await;
/// # }
/// ```
pub struct KeyController<Q: Hash + Eq + Clone + 'static> {
    name: Str,
    informers: Informers,
    client: Arc<dyn Client>,
    clock: Arc<dyn Clock>,
    queue: Queue<Q>,
    views: Vec<Arc<dyn View>>,
    sources: Vec<Source<Q>>,
    concurrency: usize,
    timeout: Option<Duration>,
    stop: CancellationToken,
}

/// Feeds the queue until its cache stops.
type Source<Q> = Box<dyn FnOnce(Queue<Q>) -> BoxFuture<'static, ()> + Send>;

impl<Q: Hash + Eq + Clone + fmt::Debug + Send + Sync + 'static> KeyController<Q> {
    /// A controller that is fed by nothing yet.
    pub fn new(name: impl Into<Str>, informers: &Informers) -> Self {
        Self {
            name: name.into(),
            informers: informers.clone(),
            client: Arc::clone(informers.client()),
            clock: Arc::new(SystemClock),
            queue: Queue::builder().timed().build(),
            views: Vec::new(),
            sources: Vec::new(),
            concurrency: CONCURRENCY,
            timeout: None,
            stop: CancellationToken::new(),
        }
    }

    /// A change of an object of kind `K` asks for the keys that `map` gives for its old and its new state.
    ///
    /// # Panics
    /// Outside of a tokio runtime: the kind's informer is started.
    #[must_use]
    pub fn watch<K, I>(self, map: impl Fn(&K) -> I + Send + Sync + 'static) -> Self
    where
        K: StaticKind,
        I: IntoIterator<Item = Q> + 'static,
    {
        let api = Api::all(Arc::clone(self.informers.client()));
        self.watch_api::<K, I>(&api, map)
    }

    /// The same for the kind and namespace that a handle is for.
    ///
    /// # Panics
    /// Outside of a tokio runtime: the kind's informer is started.
    #[must_use]
    pub fn watch_api<K, I>(self, api: &Api<K>, map: impl Fn(&K) -> I + Send + Sync + 'static) -> Self
    where
        K: Object,
        I: IntoIterator<Item = Q> + 'static,
    {
        self.watch_deltas(api, move |delta| delta.states().flat_map(|object| map(object)).collect::<Vec<_>>())
    }

    /// The same, with the whole change to look at: for controllers that count what they see, or that only care about
    /// some changes.
    ///
    /// # Panics
    /// Outside of a tokio runtime: the kind's informer is started.
    #[must_use]
    pub fn watch_deltas<K, I>(
        mut self,
        api: &Api<K>,
        map: impl Fn(&Delta<K>) -> I + Send + Sync + 'static,
    ) -> Self
    where
        K: Object,
        I: IntoIterator<Item = Q> + 'static,
    {
        let (store, view) = self.informers.share(api);
        self.views.push(view);
        self.sources.push(Box::new(move |queue| Box::pin(feed(store, map, queue))));
        self
    }

    /// The clock that reconcilers see. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How many keys are reconciled at once, at least 1. Default: 4.
    #[must_use]
    pub fn concurrency(mut self, keys: usize) -> Self {
        self.concurrency = keys.max(1);
        self
    }

    /// How long reconciling a key may take. Default: no limit.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// How long a key that failed waits. Default: the longer of 5 ms doubled up to 1,000 s for each key, and 10 keys a
    /// second with a burst of 100 for all.
    #[must_use]
    pub fn limit(mut self, limit: impl Limit<Q>) -> Self {
        self.queue = Queue::builder().timed().limit(limit).build();
        self
    }

    /// Ends the controller gracefully when it is cancelled: what is being reconciled is finished, nothing new is begun.
    #[must_use]
    pub fn stop(mut self, stop: CancellationToken) -> Self {
        self.stop = stop;
        self
    }

    /// The queue, to ask for keys from elsewhere, and for its metrics. After [`KeyController::limit`].
    #[must_use]
    pub const fn queue(&self) -> &Queue<Q> {
        &self.queue
    }

    /// Runs until it is told to [stop](Self::stop). Dropping the future ends it at once.
    pub async fn run<F, R>(self, reconcile: F)
    where
        F: Fn(Q, Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, Error>> + Send + 'static,
    {
        let Self { name, informers, client, clock, queue, views, sources, concurrency, timeout, stop } = self;
        let recorder = Recorder::new(Arc::clone(&client), Arc::clone(&clock), name.clone());
        let shared = Arc::new(Shared { name, client, clock, recorder });
        let parked = Mutex::new(JoinSet::new());
        let engine = Arc::new(Engine { shared, queue: queue.clone(), views, reconcile, timeout, parked });
        // Dropped, and with them their tasks ended, in whatever way this future ends.
        let (mut feeds, mut workers) = (JoinSet::new(), JoinSet::new());
        for source in sources {
            feeds.spawn(source(queue.clone()));
        }
        let work = async {
            for view in &engine.views {
                if !view.synced().await {
                    tracing::warn!(controller = %engine.shared.name, "a cache stopped before it was complete");
                    return;
                }
            }
            for _ in 0..concurrency {
                workers.spawn(Arc::clone(&engine).work());
            }
            // Workers end when the queue is shut down, and by nothing else.
            while workers.join_next().await.is_some() {}
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = work => {}
        }
        queue.shut_down();
        while workers.join_next().await.is_some() {}
        drop(feeds);
        // Nobody asks for the keys that still wait for the caches.
        engine.parked.lock().abort_all();
        drop(informers);
    }
}

async fn feed<K, Q, I>(store: Store<K>, map: impl Fn(&Delta<K>) -> I, queue: Queue<Q>)
where
    K: Object,
    Q: Hash + Eq + Clone + 'static,
    I: IntoIterator<Item = Q> + 'static,
{
    let mut changes = store.subscribe();
    let mut in_a_row = 0;
    while let Some(delta) = changes.next().await {
        let initial = matches!(delta, Delta::Added { initial: true, .. });
        let priority = if initial { Priority::LOW } else { Priority::NORMAL };
        for key in map(&delta) {
            queue.add_with(key, Add { priority, ..Add::default() });
        }
        in_a_row += 1;
        if in_a_row % BREATH == 0 {
            tokio::task::yield_now().await;
        }
    }
}

struct Engine<Q: Hash + Eq + Clone + 'static, F> {
    shared: Arc<Shared>,
    queue: Queue<Q>,
    views: Vec<Arc<dyn View>>,
    reconcile: F,
    timeout: Option<Duration>,
    /// Keys that are done but for the caches to come up with what they wrote.
    parked: Mutex<JoinSet<()>>,
}

impl<Q, F, R> Engine<Q, F>
where
    Q: Hash + Eq + Clone + fmt::Debug + Send + Sync + 'static,
    F: Fn(Q, Context) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Action, Error>> + Send + 'static,
{
    async fn work(self: Arc<Self>) {
        while let Some(ticket) = self.queue.get().await {
            let cx = Context::new(&self.shared, ticket.failures());
            let outcome = self.reconcile(ticket.key().clone(), cx.clone()).await;
            if let Err(error) = &outcome {
                self.tell(&ticket, error);
            }
            let unseen = self.unseen(cx.writes().take());
            if unseen.is_empty() {
                finish(ticket, outcome);
            } else {
                self.park(ticket, outcome, unseen);
            }
        }
    }

    async fn reconcile(&self, key: Q, cx: Context) -> Result<Action, Error> {
        // The call itself may panic as well as its future.
        let guarded = AssertUnwindSafe(async { (self.reconcile)(key, cx).await }).catch_unwind();
        let caught = match self.timeout {
            None => guarded.await,
            Some(limit) => match tokio::time::timeout(limit, guarded).await {
                Ok(caught) => caught,
                Err(_) => return Err(Error::Timeout { limit }),
            },
        };
        caught.unwrap_or_else(|panic| Err(Error::Panic { message: said(&*panic) }))
    }

    fn tell(&self, ticket: &Ticket<Q>, error: &Error) {
        let (controller, key, failures) = (&self.shared.name, ticket.key(), ticket.failures() + 1);
        if error.is_conflict() {
            tracing::debug!(%controller, ?key, failures, %error, "reconcile conflicted");
        } else {
            tracing::warn!(%controller, ?key, failures, %error, "reconcile failed");
        }
    }

    /// What was written and is not in a cache yet that it comes into.
    fn unseen(&self, writes: Vec<Write>) -> Vec<(Arc<dyn View>, Str)> {
        let mut unseen = Vec::new();
        for write in writes {
            for view in &self.views {
                if view.covers(&write.kind, &write.namespace) && view.has(&write.revision) == Some(false) {
                    unseen.push((Arc::clone(view), write.revision.clone()));
                }
            }
        }
        unseen
    }

    /// Keeps the key from being handed out until the caches have come up, and lets the worker go on.
    fn park(&self, ticket: Ticket<Q>, outcome: Result<Action, Error>, unseen: Vec<(Arc<dyn View>, Str)>) {
        let mut parked = self.parked.lock();
        while parked.try_join_next().is_some() {}
        parked.spawn(async move {
            let visible = async {
                for (view, revision) in &unseen {
                    view.wait_for(revision).await;
                }
            };
            if tokio::time::timeout(VISIBLE, visible).await.is_err() {
                tracing::warn!(key = ?ticket.key(), "goes on without having seen what it wrote");
            }
            finish(ticket, outcome);
        });
    }
}

fn finish<Q: Hash + Eq + Clone + 'static>(ticket: Ticket<Q>, outcome: Result<Action, Error>) {
    match outcome {
        Ok(action) => match action.requeue_after() {
            None => ticket.forget(),
            Some(after) => ticket.requeue_after(after),
        },
        Err(error) => match error.retry(ticket.failures()) {
            Retry::Limited => {
                ticket.retry();
            }
            Retry::After(delay) => ticket.retry_after(delay),
            Retry::Never => ticket.forget(),
        },
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}

impl<Q: Hash + Eq + Clone + 'static> fmt::Debug for KeyController<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyController")
            .field("name", &self.name)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
