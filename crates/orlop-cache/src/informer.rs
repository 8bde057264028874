use std::fmt;
use std::sync::Arc;

use futures::StreamExt;
use orlop_client::{Api, Record, WatchEvent};
use orlop_clock::Random;
use orlop_model::{Object, Str};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::reflector::{Page, Reflector, Settings, Step};
use crate::{Backoff, Change, Index, Store, Subscription, Writer};

/// The most events that are applied at once, while readers wait.
const BATCH: usize = 256;

type Transform<K> = Arc<dyn Fn(Arc<K>) -> Arc<K> + Send + Sync>;

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
    api: Api<K>,
    reflector: Reflector,
    transform: Option<Transform<K>>,
    writer: Writer<K>,
}

/// Settings of an informer that is to be built: see [`Informer::builder`].
pub struct Builder<K> {
    api: Api<K>,
    settings: Settings,
    random: Random,
    transform: Option<Transform<K>>,
}

impl<K: Object> Builder<K> {
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

    /// How long to wait between attempts that fail.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
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
        self.transform = Some(Arc::new(transform));
        self
    }

    /// Builds the informer. It does nothing until it is run.
    #[must_use]
    pub fn build(self) -> Informer<K> {
        let Self { api, settings, random, transform } = self;
        let (_, writer) = Store::new();
        Informer { api, reflector: Reflector::new(settings, random), transform, writer }
    }
}

impl<K: Object> Informer<K> {
    /// Starts the settings of an informer.
    #[must_use]
    pub fn builder(api: Api<K>) -> Builder<K> {
        let random = Random::new(0).fork(&api.kind().resource());
        Builder { api, settings: Settings::default(), random, transform: None }
    }

    /// The store, which is empty until the informer has run for a while.
    #[must_use]
    pub const fn store(&self) -> &Store<K> {
        self.writer.store()
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

    /// Runs until `stop` is cancelled. Dropping the future stops it too. After that the store no longer changes.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = self.keep_up() => {}
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

    async fn keep_up(&mut self) {
        let started = Instant::now();
        let mut kept: Vec<Arc<Record>> = Vec::new();
        loop {
            match self.reflector.next() {
                Step::Wait(wait) => {
                    kept.clear();
                    tokio::time::sleep(wait).await;
                    self.reflector.waited();
                }
                Step::List(options) => {
                    if options.continue_.is_empty() {
                        kept.clear();
                    }
                    match self.api.client().list(self.api.kind(), self.api.namespace(), &options).await {
                        Ok(page) => {
                            kept.extend(page.items);
                            match self.reflector.listed(
                                &page.resource_version,
                                &page.continue_,
                                started.elapsed(),
                            ) {
                                Page::Partial => {}
                                Page::Complete => {
                                    self.replace(std::mem::take(&mut kept), page.resource_version)
                                }
                                Page::Stale => kept.clear(),
                            }
                        }
                        Err(error) => {
                            tracing::debug!(kind = %self.api.kind().resource(), %error, "list failed");
                            self.reflector.list_failed(&error, started.elapsed());
                        }
                    }
                }
                Step::Watch { options, timeout } => {
                    let began = Instant::now();
                    let mut brought = false;
                    let watch = self.watch(&options, &mut brought);
                    let error = tokio::time::timeout(timeout, watch).await.unwrap_or(None);
                    if let Some(error) = &error {
                        tracing::debug!(kind = %self.api.kind().resource(), %error, "watch ended");
                    }
                    self.reflector.watch_ended(error.as_ref(), began.elapsed(), brought, started.elapsed());
                }
            }
        }
    }

    /// Until the watch ends; with the error, if that is why. What was applied stays when the future is dropped.
    async fn watch(
        &mut self,
        options: &orlop_client::WatchOptions,
        brought: &mut bool,
    ) -> Option<orlop_client::Error> {
        let watch = self.api.client().watch(self.api.kind(), self.api.namespace(), options).await;
        let mut batches = match watch {
            Ok(events) => events.ready_chunks(BATCH),
            Err(error) => return Some(error),
        };
        while let Some(batch) = batches.next().await {
            let full = batch.len() == BATCH;
            let mut changes = Vec::with_capacity(batch.len());
            let mut ended = None;
            for event in batch {
                match event {
                    Ok(event) => {
                        *brought = true;
                        let version = event.resource_version();
                        self.reflector.saw(&version);
                        changes.push(self.change(event).unwrap_or(Change::Bookmark(version)));
                    }
                    Err(error) => {
                        ended = Some(error);
                        break;
                    }
                }
            }
            self.writer.apply(changes);
            if ended.is_some() {
                return ended;
            }
            if full {
                // A long stretch of events must not keep the others on this thread waiting.
                tokio::task::yield_now().await;
            }
        }
        None
    }

    fn replace(&mut self, records: Vec<Arc<Record>>, revision: Str) {
        let objects = records.iter().filter_map(|record| self.object(record)).collect();
        self.writer.replace(objects, revision);
    }

    fn change(&self, event: WatchEvent) -> Option<Change<K>> {
        match event {
            WatchEvent::Added(record) | WatchEvent::Modified(record) => self.object(&record).map(Change::Put),
            WatchEvent::Deleted(record) => self.object(&record).map(Change::Delete),
            WatchEvent::Bookmark { .. } => None,
        }
    }

    /// The typed object that the record shares. One that cannot be read is passed over: the others must not suffer.
    fn object(&self, record: &Record) -> Option<Arc<K>> {
        match record.get::<K>() {
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
            .field("api", &self.api)
            .field("store", self.store())
            .finish_non_exhaustive()
    }
}

impl<K> fmt::Debug for Builder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("api", &self.api)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
