use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use orlop_cache::Delta;
use orlop_client::Api;
use orlop_clock::Clock;
use orlop_model::{Object, ObjectKey, Str};
use orlop_workqueue::Limit;
use tokio_util::sync::CancellationToken;

use crate::{Action, Context, Error, Handle, Informers, KeyController, Leadership, Retry, controller_of};

/// A control loop for the objects of one kind: an async function is called with each object when it, or something that
/// belongs to it, has changed, and makes the world as the object says.
///
/// What holds for its calls is said at [`KeyController`]; the crate's page has an example.
///
/// An object that is gone is not reconciled any more: what must not be left behind is either owned by it (see
/// [`Context::apply`]) or held by a finalizer (see [`Context::finalize`]).
pub struct Controller<K: Object> {
    name: Str,
    api: Api<K>,
    informers: Option<Informers>,
    when: Option<Predicate<K>>,
    inspect: Option<Box<dyn FnOnce(Handle<ObjectKey>) + Send>>,
    /// Further settings, once it is known with which informers.
    settings: Vec<Setting>,
}

type Predicate<K> = Box<dyn Fn(&Delta<K>) -> bool + Send + Sync>;

type Setting = Box<dyn FnOnce(KeyController<ObjectKey>) -> KeyController<ObjectKey> + Send>;

impl<K: Object> Controller<K> {
    /// A controller of the objects behind a handle.
    pub fn new(name: impl Into<Str>, api: Api<K>) -> Self {
        Self { name: name.into(), api, informers: None, when: None, inspect: None, settings: Vec::new() }
    }

    fn with(
        mut self,
        setting: impl FnOnce(KeyController<ObjectKey>) -> KeyController<ObjectKey> + Send + 'static,
    ) -> Self {
        self.settings.push(Box::new(setting));
        self
    }

    /// Only changes of the objects themselves for which this holds ask for them; see [`predicate`](crate::predicate).
    /// Default: all.
    #[must_use]
    pub fn when(mut self, predicate: impl Fn(&Delta<K>) -> bool + Send + Sync + 'static) -> Self {
        self.when = Some(Box::new(predicate));
        self
    }

    /// A change of an object behind this handle asks for the object that controls it, or did, if that is a `K`. So does
    /// its deletion, even if that was missed and only shows in a later list.
    #[must_use]
    pub fn owns<C: Object>(self, api: Api<C>) -> Self {
        self.owns_when(api, |_| true)
    }

    /// The same for changes for which a [`predicate`](crate::predicate) holds.
    #[must_use]
    pub fn owns_when<C: Object>(
        self,
        api: Api<C>,
        predicate: impl Fn(&Delta<C>) -> bool + Send + Sync + 'static,
    ) -> Self {
        let kind = self.api.kind().clone();
        self.watches_when(api, predicate, move |child| controller_of(child, &kind))
    }

    /// A change of an object behind this handle asks for the objects whose keys `map` gives for its old and its new
    /// state.
    #[must_use]
    pub fn watches<C, I>(self, api: Api<C>, map: impl Fn(&C) -> I + Send + Sync + 'static) -> Self
    where
        C: Object,
        I: IntoIterator<Item = ObjectKey> + 'static,
    {
        self.watches_when(api, |_| true, map)
    }

    /// The same for changes for which a [`predicate`](crate::predicate) holds.
    #[must_use]
    pub fn watches_when<C, I>(
        self,
        api: Api<C>,
        predicate: impl Fn(&Delta<C>) -> bool + Send + Sync + 'static,
        map: impl Fn(&C) -> I + Send + Sync + 'static,
    ) -> Self
    where
        C: Object,
        I: IntoIterator<Item = ObjectKey> + 'static,
    {
        self.with(move |keys| {
            keys.feed(&api, move |delta, ask| {
                if predicate(delta) {
                    delta.states().for_each(|object| map(object).into_iter().for_each(&mut *ask));
                }
            })
        })
    }

    /// See [`KeyController::stream`].
    #[must_use]
    pub fn stream(self, keys: impl Stream<Item = ObjectKey> + Send + 'static) -> Self {
        self.with(|controller| controller.stream(keys))
    }

    /// Shares informers with others. Default: its own.
    #[must_use]
    pub fn informers(mut self, informers: &Informers) -> Self {
        self.informers = Some(informers.clone());
        self
    }

    /// See [`KeyController::clock`].
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        self.with(|keys| keys.clock(clock))
    }

    /// See [`KeyController::concurrency`].
    #[must_use]
    pub fn concurrency(self, objects: usize) -> Self {
        self.with(move |keys| keys.concurrency(objects))
    }

    /// See [`KeyController::timeout`].
    #[must_use]
    pub fn timeout(self, limit: Duration) -> Self {
        self.with(move |keys| keys.timeout(limit))
    }

    /// See [`KeyController::limit`].
    #[must_use]
    pub fn limit(self, limit: impl Limit<ObjectKey>) -> Self {
        self.with(|keys| keys.limit(limit))
    }

    /// See [`KeyController::stop`].
    #[must_use]
    pub fn stop(self, stop: CancellationToken) -> Self {
        self.with(|keys| keys.stop(stop))
    }

    /// See [`KeyController::grace`].
    #[must_use]
    pub fn grace(self, limit: Duration) -> Self {
        self.with(move |keys| keys.grace(limit))
    }

    /// See [`KeyController::drain`].
    #[must_use]
    pub fn drain(self, limit: Duration) -> Self {
        self.with(move |keys| keys.drain(limit))
    }

    /// See [`KeyController::leadership`].
    #[must_use]
    pub fn leadership(self, leadership: &Leadership) -> Self {
        let leadership = leadership.clone();
        self.with(move |keys| keys.leadership(&leadership))
    }

    /// Calls `inspect` with a [`Handle`] when the controller starts: to ask for objects from elsewhere, for metrics and
    /// health.
    #[must_use]
    pub fn with_handle(mut self, inspect: impl FnOnce(Handle<ObjectKey>) + Send + 'static) -> Self {
        self.inspect = Some(Box::new(inspect));
        self
    }

    /// Runs until it is told to [stop](Self::stop), or loses its [leadership](Self::leadership). Dropping the future ends
    /// it at once.
    ///
    /// The reconciler's error is one of its own, or an [`Error`]; what of it is tried again when is said at
    /// [`Error::of`], or decided by [`run_judged`](Self::run_judged).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use orlop_client::{Api, Client};
    /// # use orlop_controller::{Action, Context, Controller, Error};
    /// # use orlop_model::core::v1::ConfigMap;
    /// #[derive(Debug, thiserror::Error)]
    /// enum Failure {
    ///     #[error("no host is given")]
    ///     NoHost,
    ///     #[error("the certificate could not be written")]
    ///     Certificate(#[from] Error),
    /// }
    ///
    /// async fn reconcile(map: Arc<ConfigMap>, cx: Context) -> Result<Action, Failure> {
    ///     let host = map.data.get("host").ok_or(Failure::NoHost)?;
    ///     # let certificate = orlop_model::core::v1::Secret::default();
    ///     // … make one for the host …
    ///     cx.apply(&certificate).await?;
    ///     # let _ = host;
    ///     Ok(Action::await_change())
    /// }
    ///
    /// # async fn run(client: Arc<dyn Client>) {
    /// Controller::new("hosts", Api::<ConfigMap>::all(client)).run(reconcile).await;
    /// # }
    /// ```
    pub async fn run<F, R, E>(self, reconcile: F)
    where
        F: Fn(Arc<K>, Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, E>> + Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        let Self { name, api, informers, when, inspect, settings } = self;
        let informers = informers.unwrap_or_else(|| Informers::new(Arc::clone(api.client())));
        let store = informers.of_api(&api);
        let keys = KeyController::new(name, &informers).feed(&api, move |delta: &Delta<K>, ask| {
            // The old state has the same key.
            if let Some(key) = delta.key()
                && when.as_ref().is_none_or(|when| when(delta))
            {
                ask(key);
            }
        });
        let keys = settings.into_iter().fold(keys, |keys, setting| setting(keys));
        if let Some(inspect) = inspect {
            inspect(keys.handle());
        }
        keys.run(move |key, cx| {
            let running = store.get(&key).map(|object| {
                cx.about(&object);
                reconcile(object, cx)
            });
            async move {
                match running {
                    Some(running) => running.await,
                    None => Ok(Action::await_change()),
                }
            }
        })
        .await;
    }

    /// [`run`](Self::run) with errors of the reconciler's own; `judge` says when each is tried again.
    pub async fn run_judged<F, R, E>(self, reconcile: F, judge: impl Fn(&E) -> Retry + Send + Sync + 'static)
    where
        F: Fn(Arc<K>, Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, E>> + Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        let judge = Arc::new(judge);
        self.run(move |object, cx| {
            let (outcome, judge) = (reconcile(object, cx), Arc::clone(&judge));
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

impl<K: Object> fmt::Debug for Controller<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller").field("name", &self.name).field("api", &self.api).finish_non_exhaustive()
    }
}
