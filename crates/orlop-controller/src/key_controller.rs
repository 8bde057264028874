use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{Stream, StreamExt};
use orlop_cache::{Delta, Store};
use orlop_client::{Api, Client};
use orlop_clock::{Clock, SystemClock};
use orlop_model::{Object, StaticKind, Str};
use orlop_workqueue::{Add, Bucket, Exponential, Limit, Priority, Queue};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::context::{Cleaned, Shared};
use crate::engine::Engine;
use crate::handle::Status;
use crate::metrics::Counters;
use crate::parked::{Behind, shepherd};
use crate::view::View;
use crate::{Action, Context, Error, Handle, Informers, Leadership, Phase, Recorder};

/// How many keys are reconciled at once unless told otherwise.
const CONCURRENCY: usize = 4;
/// How long the last events may take to be written.
const LAST_WORDS: Duration = Duration::from_secs(1);

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
/// - Dropping the future at any moment loses no key: what is left can be had from the queue of its [`Handle`].
/// - A failure is tried again when [`Error::retry`] says; a panic is a failure of that key alone.
///
/// ```
/// # use std::sync::Arc;
/// # use orlop_client::Client;
/// # use orlop_controller::{Action, Error, Informers, KeyController, controller_of};
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
///             Ok::<_, Error>(Action::await_change())
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
    limit: Shelf<Q>,
    handle: Handle<Q>,
    views: Vec<Arc<dyn View>>,
    sources: Vec<Source<Q>>,
    concurrency: usize,
    timeout: Option<Duration>,
    leadership: Option<Leadership>,
    stop: CancellationToken,
    drain: bool,
    grace: Option<Duration>,
}

/// Feeds the queue until it stops.
type Source<Q> = Box<dyn FnOnce(Queue<Q>) -> BoxFuture<'static, ()> + Send>;

/// The limit of a queue, to be exchanged as long as nothing runs.
struct Shelf<Q>(Arc<Mutex<Box<dyn Limit<Q>>>>);

impl<Q: 'static> Limit<Q> for Shelf<Q> {
    fn delay(&mut self, key: &Q, failures: u32, now: Duration) -> Duration {
        self.0.lock().delay(key, failures, now)
    }
}

impl<Q: Hash + Eq + Clone + fmt::Debug + Send + Sync + 'static> KeyController<Q> {
    /// A controller that is fed by nothing yet.
    pub fn new(name: impl Into<Str>, informers: &Informers) -> Self {
        let name = name.into();
        let limit: Box<dyn Limit<Q>> = Box::new((Exponential::default(), Bucket::default()));
        let limit = Arc::new(Mutex::new(limit));
        let queue = Queue::builder().timed().limit(Shelf(Arc::clone(&limit))).build();
        let status = Arc::new(Status::new(Counters::new(name.clone())));
        Self {
            name,
            informers: informers.clone(),
            client: Arc::clone(informers.client()),
            clock: Arc::new(SystemClock),
            limit: Shelf(limit),
            handle: Handle { queue, status },
            views: Vec::new(),
            sources: Vec::new(),
            concurrency: CONCURRENCY,
            timeout: None,
            leadership: None,
            stop: CancellationToken::new(),
            drain: false,
            grace: None,
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
        self.feed(api, move |delta, ask| {
            delta.states().for_each(|object| map(object).into_iter().for_each(&mut *ask));
        })
    }

    /// The same, with the whole change to look at: for controllers that count what they see, or that only care about
    /// some changes.
    ///
    /// # Panics
    /// Outside of a tokio runtime: the kind's informer is started.
    #[must_use]
    pub fn watch_deltas<K, I>(
        self,
        api: &Api<K>,
        map: impl Fn(&Delta<K>) -> I + Send + Sync + 'static,
    ) -> Self
    where
        K: Object,
        I: IntoIterator<Item = Q> + 'static,
    {
        self.feed(api, move |delta, ask| map(delta).into_iter().for_each(ask))
    }

    /// Objects of kind `K` are looked at, but their changes ask for nothing: nothing is reconciled before their cache is
    /// complete, and what is written of them is waited for.
    ///
    /// # Panics
    /// Outside of a tokio runtime: the kind's informer is started.
    #[must_use]
    pub fn sees<K: StaticKind>(mut self) -> Self {
        let (_, view) = self.informers.share(&Api::<K>::all(Arc::clone(self.informers.client())));
        self.views.push(view);
        self
    }

    pub(crate) fn feed<K: Object>(
        mut self,
        api: &Api<K>,
        map: impl Fn(&Delta<K>, &mut dyn FnMut(Q)) + Send + Sync + 'static,
    ) -> Self {
        let (store, view) = self.informers.share(api);
        self.views.push(view);
        self.sources.push(Box::new(move |queue| Box::pin(feed(store, map, queue))));
        self
    }

    /// Keys that come from elsewhere ask for themselves: ticks, messages of another system. When the stream ends, the
    /// controller goes on without.
    #[must_use]
    pub fn stream(mut self, keys: impl Stream<Item = Q> + Send + 'static) -> Self {
        self.sources.push(Box::new(move |queue| {
            Box::pin(async move {
                let mut keys = Box::pin(keys);
                while let Some(key) = keys.next().await {
                    queue.add(key);
                    tokio::task::coop::consume_budget().await;
                }
                std::future::pending().await
            })
        }));
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
    pub fn limit(self, limit: impl Limit<Q>) -> Self {
        *self.limit.0.lock() = Box::new(limit);
        self
    }

    /// Works only while this process leads: caches fill up before, nothing is reconciled. When the leadership is lost,
    /// the controller ends at once, wherever it is.
    #[must_use]
    pub fn leadership(mut self, leadership: &Leadership) -> Self {
        self.leadership = Some(leadership.clone());
        self
    }

    /// Ends the controller gracefully when it is cancelled: what is being reconciled is finished, nothing new is begun.
    #[must_use]
    pub fn stop(mut self, stop: CancellationToken) -> Self {
        self.stop = stop;
        self
    }

    /// How long what is being reconciled may go on after the controller was told to [stop](Self::stop); then it is cut
    /// off. Default: as long as it takes.
    #[must_use]
    pub fn grace(mut self, limit: Duration) -> Self {
        self.grace = Some(limit);
        self
    }

    /// When told to [stop](Self::stop), also reconciles the keys that are ready by then, all within this time.
    #[must_use]
    pub fn drain(mut self, limit: Duration) -> Self {
        self.drain = true;
        self.grace = Some(limit);
        self
    }

    /// A look at the controller while it runs, and at its queue.
    #[must_use]
    pub fn handle(&self) -> Handle<Q> {
        self.handle.clone()
    }

    /// The queue, to ask for keys from elsewhere, and for its metrics.
    #[must_use]
    pub const fn queue(&self) -> &Queue<Q> {
        &self.handle.queue
    }

    /// Runs until it is told to [stop](Self::stop), or loses its [leadership](Self::leadership). Dropping the future ends
    /// it at once.
    ///
    /// The reconciler's error is one of its own, or an [`Error`]; what of it is tried again when is said at
    /// [`Error::of`], or decided by [`run_judged`](Self::run_judged).
    pub async fn run<F, R, E>(self, reconcile: F)
    where
        F: Fn(Q, Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, E>> + Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        let Self { name, informers, client, clock, handle, views, sources, concurrency, timeout, .. } = self;
        let (leadership, stop, drain, grace) = (self.leadership, self.stop, self.drain, self.grace);
        let Handle { queue, status } = handle;
        status.counters.most.store(concurrency, Relaxed);
        let ended = EndWith(Arc::clone(&status));
        let recorder = Recorder::new(Arc::clone(&client), Arc::clone(&clock), name.clone());
        // A leader that is cut off writes nothing more, not even from tasks that it has started.
        let client = match &leadership {
            Some(leadership) => leadership.guard(client),
            None => client,
        };
        let cleaned = Cleaned::default();
        let shared = Arc::new(Shared {
            name,
            client,
            clock,
            recorder: recorder.clone(),
            leadership: leadership.clone(),
            cleaned,
        });
        let reconcile = move |key, cx| {
            let running = reconcile(key, cx);
            async move { running.await.map_err(Error::of) }
        };
        let (parked, to_keep) = mpsc::unbounded_channel();
        let behind = Arc::new(Behind::new());
        let shepherd = shepherd(to_keep, Arc::clone(&behind), Arc::clone(&status));
        let engine = Arc::new(Engine {
            shared,
            status: Arc::clone(&status),
            queue: queue.clone(),
            views,
            reconcile,
            timeout,
            parked,
            behind,
        });
        // Dropped, and with them their tasks ended, in whatever way this future ends.
        let (mut feeds, mut workers, mut kept) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
        kept.spawn(shepherd);
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
            if let Some(leadership) = &leadership {
                status.enter(Phase::Standby);
                if leadership.acquired().await.is_none() {
                    return;
                }
            }
            status.enter(Phase::Running);
            for _ in 0..concurrency {
                workers.spawn(Arc::clone(&engine).work());
            }
            // Workers end when the queue is shut down, and by nothing else.
            while workers.join_next().await.is_some() {}
        };
        let lost = async {
            match &leadership {
                Some(leadership) => {
                    leadership.acquired().await;
                    leadership.lost().await;
                }
                None => std::future::pending().await,
            }
        };
        let mut lost = std::pin::pin!(lost);
        let cut_off = tokio::select! {
            biased;
            () = &mut lost => true,
            () = stop.cancelled() => false,
            () = work => false,
        };
        status.enter(Phase::Stopping);
        drop(feeds);
        if cut_off {
            tracing::warn!(controller = %engine.shared.name, "the leadership is lost: everything ends here");
        } else {
            let deadline = grace.and_then(|grace| Instant::now().checked_add(grace));
            let finish = async {
                if drain && !workers.is_empty() {
                    queue.drain().await;
                }
                queue.shut_down();
                while workers.join_next().await.is_some() {}
            };
            let late = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = finish => {}
                () = &mut lost => {}
                () = late => tracing::warn!(controller = %engine.shared.name, "what is not finished is cut off"),
            }
        }
        queue.shut_down();
        workers.abort_all();
        while workers.join_next().await.is_some() {}
        // Nobody asks for the keys that still wait for the caches.
        kept.shutdown().await;
        if !cut_off {
            drop(tokio::time::timeout(LAST_WORDS, recorder.flush()).await);
        }
        drop(informers);
        drop(ended);
    }

    /// [`run`](Self::run) with errors of the reconciler's own; `judge` says when each is tried again.
    pub async fn run_judged<F, R, E>(
        self,
        reconcile: F,
        judge: impl Fn(&E) -> crate::Retry + Send + Sync + 'static,
    ) where
        F: Fn(Q, Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, E>> + Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        let judge = Arc::new(judge);
        self.run(move |key, cx| {
            let (outcome, judge) = (reconcile(key, cx), Arc::clone(&judge));
            async move {
                outcome.await.map_err(|error| {
                    let retry = judge(&error);
                    Error::judged(error, retry)
                })
            }
        })
        .await;
    }
}

/// Says so when a controller has ended, in whatever way.
struct EndWith(Arc<Status>);

impl Drop for EndWith {
    fn drop(&mut self) {
        self.0.enter(Phase::Ended);
    }
}

async fn feed<K, Q>(store: Store<K>, map: impl Fn(&Delta<K>, &mut dyn FnMut(Q)), queue: Queue<Q>)
where
    K: Object,
    Q: Hash + Eq + Clone + 'static,
{
    let mut changes = store.subscribe();
    while let Some(delta) = changes.next().await {
        let initial = matches!(delta, Delta::Added { initial: true, .. });
        let priority = if initial { Priority::LOW } else { Priority::NORMAL };
        map(&delta, &mut |key| _ = queue.add_with(key, Add { priority, ..Add::default() }));
        // A long stretch of changes must not keep the others on this thread waiting.
        tokio::task::coop::consume_budget().await;
    }
}

impl<Q: Hash + Eq + Clone + 'static> fmt::Debug for KeyController<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyController")
            .field("name", &self.name)
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}
