//! [`LocalClient`], a server without a socket.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use orlop_client::{
    Client, DeleteOptions, Deleted, Draft, Error, GetOptions, ListOptions, Patch, Record, RecordList, Result,
    Subresource, WatchOptions, WatchStream, WriteOptions,
};
use orlop_clock::{Clock, Random};
use orlop_model::core::v1::Pod;
use orlop_model::{FieldError, KindInfo, ObjectKey, StaticKind, metadata};
use orlop_store::Store;

use crate::admission::{Admission, DefaultTolerations};
use crate::scheme::Scheme;
use crate::server::{Server, refuse};
use crate::strategy::Strategy;
use crate::update::Wanted;

/// The API over a store in the same process: a [`Client`] that defaults, admits, validates and stores.
///
/// Objects are shared with the store, and by it with every watcher: nothing is encoded or decoded on the way unless the
/// store itself does. Cheap to clone; all clones are the same server, and several servers may share one store.
#[derive(Clone)]
pub struct LocalClient {
    pub(crate) server: Arc<Server>,
}

/// Sets up a [`LocalClient`].
#[must_use = "nothing is made before `build`"]
pub struct Builder {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Random,
    scheme: Scheme,
    admission: Vec<Arc<dyn Admission>>,
    tracks_managers: bool,
}

impl LocalClient {
    /// Begins a server over a store, with the [built-in kinds](Scheme::builtin).
    ///
    /// `clock` tells creation and deletion times; uids and generated names are drawn from `random`, so that one seed
    /// gives the same objects again.
    pub fn builder(store: Arc<dyn Store>, clock: Arc<dyn Clock>, random: Random) -> Builder {
        Builder {
            store,
            clock,
            random,
            scheme: Scheme::builtin(),
            admission: vec![Arc::new(DefaultTolerations)],
            tracks_managers: true,
        }
    }

    /// The kinds that are served.
    pub fn scheme(&self) -> &Scheme {
        &self.server.scheme
    }

    /// The store behind the server.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.server.store
    }
}

impl Builder {
    /// Also serves a user's own kind.
    pub fn register<K: StaticKind>(mut self) -> Self {
        self.scheme.register::<K>();
        self
    }

    /// Also serves a user's own kind, with rules of its own.
    pub fn register_with<K: StaticKind>(mut self, strategy: impl Strategy<K>) -> Self {
        self.scheme.register_with::<K>(strategy);
        self
    }

    /// Serves these kinds and no others.
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Adds a rule at the end of the admission chain, which begins with [`DefaultTolerations`].
    pub fn admission(mut self, rule: impl Admission) -> Self {
        self.admission.push(Arc::new(rule));
        self
    }

    /// Takes all rules out of the admission chain.
    pub fn without_admission(mut self) -> Self {
        self.admission.clear();
        self
    }

    /// Leaves `metadata.managedFields` as they are sent: writes cost a little less, and nothing can be applied by
    /// [`Patch::Apply`].
    pub fn without_managed_fields(mut self) -> Self {
        self.tracks_managers = false;
        self
    }

    /// Makes the server, and in a new store the namespaces that are always there: `default`, `kube-system`,
    /// `kube-public` and `kube-node-lease`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn build(self) -> Result<LocalClient> {
        let Self { store, clock, random, scheme, admission, tracks_managers } = self;
        let (names, uids, addresses) = (random.fork("names"), random.fork("uids"), random.fork("addresses"));
        let client = LocalClient {
            server: Arc::new(Server {
                store,
                scheme,
                admission,
                clock,
                names,
                uids,
                addresses,
                tracks_managers,
            }),
        };
        client.make_namespaces().await?;
        Ok(client)
    }
}

fn check_manager(options: &WriteOptions) -> Result<()> {
    let errors: Vec<FieldError> = metadata::validate_manager(&options.field_manager, "fieldManager");
    refuse(&KindInfo::guess("meta.k8s.io/v1", "WriteOptions"), &ObjectKey::default(), errors)
}

/// Who applies has a name; nobody else takes by force.
fn check_apply(options: &WriteOptions, patch: &Patch) -> Result<()> {
    let error = match patch {
        Patch::Apply(_) if options.field_manager.is_empty() => {
            FieldError::required("fieldManager", "is required for apply patch")
        }
        Patch::Merge(_) | Patch::Json(_) | Patch::Strategic(_) if options.force => {
            FieldError::forbidden("force", "may not be specified for non-apply patch")
        }
        _ => return Ok(()),
    };
    refuse(&KindInfo::guess("meta.k8s.io/v1", "PatchOptions"), &ObjectKey::default(), vec![error])
}

#[async_trait]
impl Client for LocalClient {
    async fn get(&self, kind: &KindInfo, key: &ObjectKey, options: &GetOptions) -> Result<Arc<Record>> {
        self.get_object(kind, key, options).await
    }

    async fn list(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &ListOptions,
    ) -> Result<RecordList> {
        self.list_objects(kind, namespace, options).await
    }

    async fn watch(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream> {
        self.watch_objects(kind, namespace, options).await
    }

    async fn create(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        check_manager(options)?;
        self.create_object(kind, namespace, draft, options).await
    }

    async fn update(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        check_manager(options)?;
        self.write(kind, key, &subresource, Wanted::Draft(draft), options).await
    }

    async fn patch(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        patch: Patch,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        check_manager(options)?;
        check_apply(options, &patch)?;
        self.write(kind, key, &subresource, Wanted::Patch(patch), options).await
    }

    async fn post(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Option<Arc<Record>>> {
        check_manager(options)?;
        match subresource {
            Subresource::Binding if kind.is(Pod::KIND) => self.bind(kind, key, draft, options).await,
            Subresource::Eviction if kind.is(Pod::KIND) => self.evict(kind, key, draft, options).await,
            other => Err(Error::unsupported(format!(
                "nothing can be posted to the subresource {other} of {}",
                kind.resource()
            ))),
        }
    }

    async fn delete(&self, kind: &KindInfo, key: &ObjectKey, options: &DeleteOptions) -> Result<Deleted> {
        self.delete_object(kind, key, &Subresource::Main, options).await
    }
}

impl LocalClient {
    async fn write(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: &Subresource,
        wanted: Wanted,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        match subresource {
            Subresource::Scale => self.write_scale(kind, key, wanted, options).await,
            _ => self.write_object(kind, key, subresource, wanted, options).await,
        }
    }
}

impl fmt::Debug for LocalClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalClient")
            .field("scheme", &self.server.scheme)
            .field("store", &self.server.store)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("scheme", &self.scheme)
            .field("admission", &self.admission.len())
            .field("tracks_managers", &self.tracks_managers)
            .finish_non_exhaustive()
    }
}
