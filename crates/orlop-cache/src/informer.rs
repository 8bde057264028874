use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use orlop_client::{Api, Client, Error, Record, Result, WatchEvent, WatchOptions};
use orlop_clock::Random;
use orlop_model::{DynamicObject, KindInfo, Object, Str};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::reflector::{Page, Reflector, Settings, Step};
use crate::{Backoff, Budget, Change, Index, Lag, Relist, Store, Subscription, Writer};

/// The most events that are applied at once, while readers wait.
const BATCH: usize = 256;

type Transform<K> = Arc<dyn Fn(Arc<K>) -> Arc<K> + Send + Sync>;

/// How the object that is kept is got from a record.
type Read<K> = fn(&Record) -> Result<Arc<K>>;

/// Keeps a [`Store`] up to date with the objects behind an [`Api`], by listing and watching.
///
/// ```
/// # use std::sync::Arc;
/// # use orlop_cache::Informer;
/// # use orlop_client::{Api, Client};
/// # use orlop_model::core::v1::Pod;
/// # use tokio_util::sync::CancellationToken;
/// # async fn example(client: Arc<dyn Client>) {
/// let informer = Informer::builder(Api::<Pod>::all(client)).build();
/// let pods = informer.store().clone();
/// let by_node = pods.index(|pod| pod.spec.node_name.clone());
///
/// let stop = CancellationToken::new();
/// let running = informer.spawn(stop.clone()); // or `informer.run(stop)`, a plain future
/// pods.synced().await;
/// for pod in pods.by(&by_node, &"node-1".into()) {
///     println!("{}", pod.metadata.name);
/// }
/// running.stop().await;
/// # }
/// ```
pub struct Informer<K: Object> {
    store: Store<K>,
    source: Source<K>,
    feeds: Vec<Feed<K>>,
}

/// Where the objects come from, and what is done to them.
struct Source<K> {
    client: Arc<dyn Client>,
    kind: KindInfo,
    read: Read<K>,
    transform: Option<Transform<K>>,
    budget: Option<Budget>,
}

/// Everything, or one namespace.
struct Feed<K: Object> {
    namespace: Option<Str>,
    reflector: Reflector,
    writer: Writer<K>,
}

/// Settings of an informer that is to be built: see [`Informer::builder`].
pub struct Builder<K> {
    source: Source<K>,
    namespaces: Vec<Option<Str>>,
    settings: Settings,
    random: Random,
    log: Option<usize>,
}

impl<K: Object> Builder<K> {
    /// Only objects of these namespaces, each listed and watched on its own: for those who may not see the others. The
    /// handle's own namespace no longer counts. (Kinds of the cluster have none.)
    #[must_use]
    pub fn namespaces(mut self, namespaces: impl IntoIterator<Item = impl Into<Str>>) -> Self {
        let mut namespaces: Vec<Str> = namespaces.into_iter().map(Into::into).collect();
        namespaces.sort_unstable();
        namespaces.dedup();
        if self.source.kind.is_namespaced() {
            self.namespaces = namespaces.into_iter().map(Some).collect();
        }
        self
    }

    /// Only objects that a label selector selects, such as `app=web`.
    #[must_use]
    pub fn labels(mut self, selector: impl ToString) -> Self {
        self.settings.labels = selector.to_string();
        self
    }

    /// Only objects that a field selector selects, such as `spec.nodeName=node-1`.
    #[must_use]
    pub fn fields(mut self, selector: impl ToString) -> Self {
        self.settings.fields = selector.to_string();
        self
    }

    /// Objects in one page of a list; 0 for no pages. Default: 500.
    #[must_use]
    pub fn page(mut self, objects: usize) -> Self {
        self.settings.page = objects;
        self
    }

    /// Whether to list by a watch that begins with what there is. Default: yes, where the source can do that.
    #[must_use]
    pub fn streaming(mut self, streaming: bool) -> Self {
        self.settings.streaming = streaming;
        self
    }

    /// How long to wait between attempts that fail.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// Everything about how to ask, at once. The selectors too.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Lists only when it is its turn. Default: whenever it has to.
    #[must_use]
    pub fn budget(mut self, budget: &Budget) -> Self {
        self.source.budget = Some(budget.clone());
        self
    }

    /// How many changes are logged for subscribers: see [`Store::with_log`].
    #[must_use]
    pub fn log(mut self, changes: usize) -> Self {
        self.log = Some(changes);
        self
    }

    /// Where the jitter of waits and time-outs comes from. Default: a stream that is the same at each start, which is
    /// good for a replay and bad for many processes that start together.
    #[must_use]
    pub fn random(mut self, random: Random) -> Self {
        self.random = random;
        self
    }

    /// Changes each object before it gets into the store, to leave out what takes memory and nobody needs. Name,
    /// namespace, uid and resourceVersion have to stay.
    #[must_use]
    pub fn transform(mut self, transform: impl Fn(Arc<K>) -> Arc<K> + Send + Sync + 'static) -> Self {
        self.source.transform = Some(Arc::new(transform));
        self
    }

    /// Builds the informer. It does nothing until it is run.
    #[must_use]
    pub fn build(self) -> Informer<K> {
        let Self { source, namespaces, settings, random, log } = self;
        // A namespace that everything is asked from is no part of the whole: the whole is.
        let parts = match &*namespaces {
            [_] => vec![None],
            _ => namespaces.clone(),
        };
        let (store, writers) = Store::build(parts, log);
        let single = namespaces.len() == 1;
        let feeds = namespaces.into_iter().zip(writers).map(|(namespace, writer)| {
            let random = match &namespace {
                Some(namespace) if !single => random.fork(namespace),
                _ => random.clone(),
            };
            Feed { namespace, reflector: Reflector::new(settings.clone(), random), writer }
        });
        let feeds = feeds.collect();
        Informer { store, source, feeds }
    }
}

impl<K: Object> Informer<K> {
    /// Starts the settings of an informer.
    #[must_use]
    pub fn builder(api: Api<K>) -> Builder<K> {
        Builder::new(&api, |record| record.get())
    }

    /// The store, which is empty until the informer has run for a while.
    #[must_use]
    pub const fn store(&self) -> &Store<K> {
        &self.store
    }

    /// See [`Store::index`].
    #[must_use]
    pub fn index<V, F>(&self, value: F) -> Index<K, V>
    where
        V: Ord + Clone + Send + Sync + 'static,
        F: Fn(&K) -> V + Send + Sync + 'static,
    {
        self.store().index(value)
    }

    /// See [`Store::subscribe`].
    pub fn subscribe(&self) -> Subscription<K> {
        self.store().subscribe()
    }

    /// See [`Store::subscribe_with`].
    pub fn subscribe_with(&self, lag: Lag) -> Subscription<K> {
        self.store().subscribe_with(lag)
    }

    /// Runs until `stop` is cancelled. Dropping the future stops it too. After that the store no longer changes.
    pub async fn run(self, stop: CancellationToken) {
        let Self { store: _, source, mut feeds } = self;
        let span = tracing::debug_span!("informer", kind = %source.kind.resource());
        let keep_up = join_all(feeds.iter_mut().map(|feed| source.keep_up(feed))).instrument(span);
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            _ = keep_up => {}
        }
    }

    /// Runs in a task of its own, which ends with the handle.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use = "the informer stops when the handle is dropped"]
    pub fn spawn(self, stop: CancellationToken) -> Running {
        let stop = stop.child_token();
        Running { task: tokio::spawn(self.run(stop.clone())), stop }
    }
}

impl Informer<DynamicObject> {
    /// Starts the settings of an informer that keeps nothing of the objects but their metadata. What is not kept is not
    /// even decoded.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use orlop_cache::Informer;
    /// # use orlop_client::{Api, Client};
    /// # use orlop_model::core::v1::Secret;
    /// # fn example(client: Arc<dyn Client>) {
    /// let secrets = Informer::metadata(&Api::<Secret>::all(client)).build();
    /// for secret in secrets.store().list() {
    ///     println!("{} {:?}", secret.metadata.name, secret.metadata.labels);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn metadata<T: Object>(api: &Api<T>) -> Builder<DynamicObject> {
        Builder::new(api, |record| {
            let mut object = DynamicObject::new(Arc::new(record.kind().clone()));
            object.metadata = record.meta().clone();
            Ok(Arc::new(object))
        })
    }
}

impl<K> Builder<K> {
    fn new<T: Object>(api: &Api<T>, read: Read<K>) -> Self {
        let random = Random::new(0).fork(&api.kind().resource());
        let source = Source {
            client: Arc::clone(api.client()),
            kind: api.kind().clone(),
            read,
            transform: None,
            budget: None,
        };
        let namespaces = vec![api.namespace().map(Str::from)];
        Self { source, namespaces, settings: Settings::default(), random, log: None }
    }
}

/// Why a watch ended, if it did not just end.
type End = Option<Error>;

impl<K: Object> Source<K> {
    async fn keep_up(&self, feed: &mut Feed<K>) {
        let started = Instant::now();
        loop {
            match feed.reflector.next() {
                Step::Wait(wait) => {
                    tokio::time::sleep(wait).await;
                    feed.reflector.waited();
                }
                Step::List { .. } => self.list(feed, started).await,
                Step::Stream { options, timeout, idle } => {
                    let turn = self.turn().await;
                    self.watch(feed, &options, timeout, Some((idle, turn)), started).await;
                }
                Step::Watch { options, timeout } => {
                    self.watch::<()>(feed, &options, timeout, None, started).await;
                }
            }
        }
    }

    /// Waits until this informer may list.
    async fn turn(&self) -> impl Sized + use<'_, K> {
        match &self.budget {
            Some(budget) => budget.turn().await,
            None => None,
        }
    }

    /// Turns the pages of a list, as long as the reflector wants another.
    async fn list(&self, feed: &mut Feed<K>, started: Instant) {
        let _turn = self.turn().await;
        let Feed { namespace, reflector, writer } = feed;
        let mut relist = writer.relist();
        while let Step::List { options, timeout } = reflector.next() {
            if options.continue_.is_empty() {
                relist.clear();
            }
            let page = self.client.list(&self.kind, namespace.as_deref(), &options);
            match limited(timeout, page).await {
                Ok(page) => {
                    match reflector.listed(&page.resource_version, &page.continue_, started.elapsed()) {
                        Page::Partial => self.take_in(&mut relist, page.items),
                        Page::Complete => {
                            self.take_in(&mut relist, page.items);
                            relist.commit(page.resource_version);
                            return;
                        }
                        Page::Stale => return,
                    }
                }
                Err(error) => {
                    tracing::debug!(kind = %self.kind.resource(), %error, "list failed");
                    reflector.list_failed(&error, started.elapsed());
                }
            }
        }
    }

    async fn watch<T>(
        &self,
        feed: &mut Feed<K>,
        options: &WatchOptions,
        timeout: Duration,
        stream: Option<(Duration, T)>,
        started: Instant,
    ) {
        let began = Instant::now();
        let mut brought = false;
        let watch = self.events(feed, options, stream, &mut brought, started);
        let error = tokio::time::timeout(timeout, watch).await.unwrap_or(None);
        if let Some(error) = &error {
            tracing::debug!(kind = %self.kind.resource(), %error, "watch ended");
        }
        feed.reflector.watch_ended(error.as_ref(), began.elapsed(), brought, started.elapsed());
    }

    /// Takes in events until the watch ends. What was applied stays when the future is dropped; what was not, the
    /// reflector asks for again.
    async fn events<T>(
        &self,
        feed: &mut Feed<K>,
        options: &WatchOptions,
        stream: Option<(Duration, T)>,
        brought: &mut bool,
        started: Instant,
    ) -> End {
        let Feed { namespace, reflector, writer } = feed;
        let watch = self.client.watch(&self.kind, namespace.as_deref(), options);
        let watch = match &stream {
            Some((idle, _)) => limited(*idle, watch).await,
            None => watch.await,
        };
        let mut batches = match watch {
            Ok(events) => events.ready_chunks(BATCH),
            Err(error) => return Some(error),
        };
        let mut rest = Vec::new();
        if let Some((idle, turn)) = stream {
            let mut relist = writer.relist();
            let complete = 'list: loop {
                let next = limited(idle, async { Ok(batches.next().await) }).await;
                let mut batch = match next {
                    Ok(Some(batch)) => batch.into_iter(),
                    Ok(None) => return None,
                    Err(error) => return Some(error),
                };
                *brought = true;
                while let Some(event) = batch.next() {
                    match event {
                        Ok(WatchEvent::Bookmark { resource_version, initial_events_end: true }) => {
                            rest.extend(batch);
                            break 'list resource_version;
                        }
                        Ok(WatchEvent::Added(record) | WatchEvent::Modified(record)) => {
                            self.take_in(&mut relist, [record]);
                        }
                        Ok(event) => {
                            if let Some(change) = self.change(event) {
                                relist.change(change);
                            }
                        }
                        Err(error) => return Some(error),
                    }
                }
            };
            match reflector.streamed(&complete, started.elapsed()) {
                Page::Complete => relist.commit(complete),
                Page::Partial | Page::Stale => return None,
            }
            drop(turn);
        }
        loop {
            let batch = match std::mem::take(&mut rest) {
                empty if empty.is_empty() => match batches.next().await {
                    Some(batch) => batch,
                    None => return None,
                },
                rest => rest,
            };
            // Nothing of the batch is lost if this is dropped here: none of it was seen.
            writer.room().await;
            let full = batch.len() == BATCH;
            let mut changes = Vec::with_capacity(batch.len());
            let mut ended = None;
            for event in batch {
                match event {
                    Ok(event) => {
                        *brought = true;
                        let version = event.resource_version();
                        reflector.saw(&version);
                        changes.push(self.change(event).unwrap_or(Change::Bookmark(version)));
                    }
                    Err(error) => {
                        ended = Some(error);
                        break;
                    }
                }
            }
            writer.apply(changes);
            if ended.is_some() {
                return ended;
            }
            if full {
                // A long stretch of events must not keep the others on this thread waiting.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Takes in what is listed. What is known in that state is not even decoded.
    fn take_in(&self, relist: &mut Relist<'_, K>, records: impl IntoIterator<Item = Arc<Record>>) {
        for record in records {
            if relist.knows(record.meta()) {
                continue;
            }
            match self.object(&record) {
                Some(object) => relist.page([object]),
                None => relist.keep(&record.key()),
            }
        }
    }

    fn change(&self, event: WatchEvent) -> Option<Change<K>> {
        match event {
            WatchEvent::Added(record) | WatchEvent::Modified(record) => self.object(&record).map(Change::Put),
            WatchEvent::Deleted(record) => self.object(&record).map(Change::Delete),
            WatchEvent::Bookmark { .. } => None,
        }
    }

    /// The object that the record shares. One that cannot be read is passed over: the others must not suffer.
    fn object(&self, record: &Record) -> Option<Arc<K>> {
        match (self.read)(record) {
            Ok(object) => Some(match &self.transform {
                Some(transform) => transform(object),
                None => object,
            }),
            Err(error) => {
                tracing::warn!(%error, "passed over an object that cannot be read");
                None
            }
        }
    }
}

async fn limited<T>(limit: Duration, answer: impl Future<Output = Result<T>>) -> Result<T> {
    let late = || Error::Timeout { message: format!("no answer within {limit:?}") };
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| Err(late()))
}

/// An informer that runs in its own task. Dropping this ends the task at once.
#[must_use = "the informer stops when this is dropped"]
#[derive(Debug)]
pub struct Running {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Running {
    /// Stops the informer and waits until it has ended.
    pub async fn stop(mut self) {
        self.stop.cancel();
        // It ends by itself, or has panicked: ended it has.
        let _ = (&mut self.task).await;
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<K: Object> fmt::Debug for Informer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Informer")
            .field("kind", &self.source.kind.resource())
            .field("store", self.store())
            .finish_non_exhaustive()
    }
}

impl<K> fmt::Debug for Builder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("kind", &self.source.kind.resource())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
