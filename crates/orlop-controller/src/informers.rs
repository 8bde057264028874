use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use orlop_cache::{Budget, Informer, Running, Store};
use orlop_client::{Api, Client};
use orlop_clock::Random;
use orlop_model::{DynamicObject, KindInfo, Object, StaticKind, Str};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::view::{StoreView, View};

/// How many kinds are listed at once.
const LISTS: usize = 8;

/// The informers of a program: one for each kind (and namespace, where only one is wanted), shared by all who ask.
///
/// Each is started when it is first asked for, in a task of its own; no more than eight of them list at once. They end with [`Informers::shut_down`], or when
/// the last clone is dropped.
///
/// ```
/// # use std::sync::Arc;
/// # use orlop_client::Client;
/// # use orlop_controller::Informers;
/// # use orlop_model::core::v1::{Node, Pod};
/// # async fn example(client: Arc<dyn Client>) {
/// let informers = Informers::new(client);
/// let (pods, nodes) = (informers.of::<Pod>(), informers.of::<Node>());
/// informers.synced().await;
/// println!("{} pods on {} nodes", pods.len(), nodes.len());
/// # }
/// ```
#[derive(Clone)]
pub struct Informers {
    inner: Arc<Inner>,
}

struct Inner {
    client: Arc<dyn Client>,
    random: Random,
    lists: Budget,
    stop: CancellationToken,
    shared: Mutex<BTreeMap<Id, Shared>>,
}

/// Kind, namespace, and the type in which the objects are wanted.
type Id = (String, Str, TypeId);

struct Shared {
    /// A `Store<K>`.
    store: Box<dyn Any + Send + Sync>,
    view: Arc<dyn View>,
    running: Running,
}

impl Informers {
    /// No informers yet.
    pub fn new(client: Arc<dyn Client>) -> Self {
        Self::with_random(client, Random::new(0))
    }

    /// The same, with the source of the jitter of their waits.
    pub fn with_random(client: Arc<dyn Client>, random: Random) -> Self {
        let (stop, shared) = (CancellationToken::new(), Mutex::default());
        Self { inner: Arc::new(Inner { client, random, lists: Budget::new(LISTS), stop, shared }) }
    }

    /// The client that the informers use.
    #[must_use]
    pub fn client(&self) -> &Arc<dyn Client> {
        &self.inner.client
    }

    /// The cache of all objects of a kind.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn of<K: StaticKind>(&self) -> Store<K> {
        self.of_api(&Api::all(Arc::clone(&self.inner.client)))
    }

    /// The cache of all objects of a kind that is known only at run time.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn dynamic(&self, kind: &KindInfo) -> Store<DynamicObject> {
        self.of_api(&Api::dynamic(Arc::clone(&self.inner.client), kind))
    }

    /// The cache of the kind and namespace that a handle is for. The handle's client is used if there is no informer
    /// for them yet.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn of_api<K: Object>(&self, api: &Api<K>) -> Store<K> {
        self.share(api).0
    }

    pub(crate) fn share<K: Object>(&self, api: &Api<K>) -> (Store<K>, Arc<dyn View>) {
        let kind = format!("{}/{}", api.kind().api_version(), api.kind().plural);
        let id: Id = (kind, api.namespace().unwrap_or_default().into(), TypeId::of::<K>());
        let mut shared = self.inner.shared.lock();
        if let Some(Shared { store, view, .. }) = shared.get(&id)
            && let Some(store) = store.downcast_ref::<Store<K>>()
        {
            return (store.clone(), Arc::clone(view));
        }
        let random = self.inner.random.fork(&format!("{} {}", id.0, id.1));
        let informer = Informer::builder(api.clone()).random(random).budget(&self.inner.lists).build();
        let store = informer.store().clone();
        let view: Arc<dyn View> =
            Arc::new(StoreView { store: store.clone(), kind: api.kind().clone(), namespace: id.1.clone() });
        let running = informer.spawn(self.inner.stop.clone());
        shared.insert(id, Shared { store: Box::new(store.clone()), view: Arc::clone(&view), running });
        (store, view)
    }

    /// Waits until all informers that were asked for so far have the objects that there were at the start. `false` if
    /// one stopped before.
    pub async fn synced(&self) -> bool {
        let views: Vec<_> =
            self.inner.shared.lock().values().map(|shared| Arc::clone(&shared.view)).collect();
        for view in views {
            if !view.synced().await {
                return false;
            }
        }
        true
    }

    /// Ends all informers and waits until they have ended.
    pub async fn shut_down(&self) {
        self.inner.stop.cancel();
        let shared = std::mem::take(&mut *self.inner.shared.lock());
        for Shared { running, .. } in shared.into_values() {
            running.stop().await;
        }
    }
}

impl fmt::Debug for Informers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.inner.shared.lock().keys().map(|(kind, ..)| kind)).finish()
    }
}
