use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use orlop_client::Api;
use orlop_clock::Clock;
use orlop_model::{Object, ObjectKey, Str};
use orlop_workqueue::{Limit, Queue};
use tokio_util::sync::CancellationToken;

use crate::{Action, Context, Error, Informers, KeyController, controller_of};

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
    /// Further settings, once it is known with which informers.
    settings: Vec<Setting>,
}

type Setting = Box<dyn FnOnce(KeyController<ObjectKey>) -> KeyController<ObjectKey> + Send>;

impl<K: Object> Controller<K> {
    /// A controller of the objects behind a handle.
    pub fn new(name: impl Into<Str>, api: Api<K>) -> Self {
        Self { name: name.into(), api, informers: None, settings: Vec::new() }
    }

    fn with(
        mut self,
        setting: impl FnOnce(KeyController<ObjectKey>) -> KeyController<ObjectKey> + Send + 'static,
    ) -> Self {
        self.settings.push(Box::new(setting));
        self
    }

    /// A change of an object behind this handle asks for the object that controls it, if that is a `K`.
    #[must_use]
    pub fn owns<C: Object>(self, api: Api<C>) -> Self {
        let kind = self.api.kind().clone();
        self.with(move |keys| keys.watch_api(&api, move |child| controller_of(child, &kind)))
    }

    /// A change of an object behind this handle asks for the objects whose keys `map` gives for its old and its new
    /// state.
    #[must_use]
    pub fn watches<C, I>(self, api: Api<C>, map: impl Fn(&C) -> I + Send + Sync + 'static) -> Self
    where
        C: Object,
        I: IntoIterator<Item = ObjectKey> + 'static,
    {
        self.with(move |keys| keys.watch_api(&api, map))
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

    /// Calls `inspect` with the queue when the controller starts: to ask for objects from elsewhere, and for metrics.
    #[must_use]
    pub fn with_queue(self, inspect: impl FnOnce(&Queue<ObjectKey>) + Send + 'static) -> Self {
        self.with(|keys| {
            inspect(keys.queue());
            keys
        })
    }

    /// Runs until it is told to [stop](Self::stop). Dropping the future ends it at once.
    pub async fn run<F, R>(self, reconcile: F)
    where
        F: Fn(Arc<K>, Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, Error>> + Send + 'static,
    {
        let Self { name, api, informers, settings } = self;
        let informers = informers.unwrap_or_else(|| Informers::new(Arc::clone(api.client())));
        let store = informers.of_api(&api);
        let keys = KeyController::new(name, &informers).watch_api(&api, |object: &K| Some(object.key()));
        let keys = settings.into_iter().fold(keys, |keys, setting| setting(keys));
        let reconcile = Arc::new(reconcile);
        keys.run(move |key, cx| {
            let (object, reconcile) = (store.get(&key), Arc::clone(&reconcile));
            async move {
                match object {
                    Some(object) => {
                        let cx = cx.owned_by(&*object);
                        reconcile(object, cx).await
                    }
                    None => Ok(Action::await_change()),
                }
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
