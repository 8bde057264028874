//! What all verbs share: the store, the kinds, the rules.

use std::sync::Arc;

use orlop_client::{AnyObject, Error, Record, Result};
use orlop_clock::{Clock, Random};
use orlop_model::core::v1::Namespace;
use orlop_model::{FieldError, KindInfo, ObjectKey, ObjectMeta, StaticKind, Time};
use orlop_store::{At, Committed, Expected, Key, Revision, Store, Txn, Value};

use crate::admission::{Admission, Request};
use crate::resource::{Resource, stamped};
use crate::scheme::Scheme;

/// What all verbs share.
pub(crate) struct Server {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scheme: Scheme,
    pub(crate) admission: Vec<Arc<dyn Admission>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) names: Random,
    pub(crate) uids: Random,
    /// Draws the addresses and ports of Services.
    pub(crate) addresses: Random,
    /// Whether it is known who owns which fields.
    pub(crate) tracks_managers: bool,
}

/// A stored object together with the revision at which it was stored.
pub(crate) struct Stored {
    pub(crate) record: Arc<Record>,
    pub(crate) revision: Revision,
}

impl Stored {
    /// The typed object; stored records always have one.
    pub(crate) fn object(&self) -> Result<&Arc<dyn AnyObject>> {
        self.record.object().ok_or_else(|| Error::internal(format!("{:?} has no typed form", self.record)))
    }
}

/// Why a commit did not happen.
pub(crate) enum Failure {
    /// A condition does not hold: somebody else wrote first.
    Raced,
    /// All else.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Server {
    pub(crate) fn now(&self) -> Time {
        Time::from(self.clock.now())
    }

    /// The key of an object as stored; checks that namespaces are given exactly for namespaced kinds.
    pub(crate) fn store_key(&self, resource: &dyn Resource, key: &ObjectKey) -> Result<Key> {
        let namespace = key.namespace();
        match (resource.kind().is_namespaced(), namespace.is_empty()) {
            (true, true) => {
                Err(Error::bad_request("an empty namespace may not be set when a resource name is provided"))
            }
            (false, false) => Err(Error::bad_request(format!(
                "namespace may not be set for {}, which are not namespaced",
                resource.kind().plural
            ))),
            _ if key.name.is_empty() => Err(Error::bad_request("resource name may not be empty")),
            // Such names cannot exist, and would lead to other keys.
            _ if key.name.contains('/') || namespace.contains('/') => {
                Err(Error::not_found(resource.kind(), key))
            }
            _ => Ok(resource.store_key(namespace, &key.name)),
        }
    }

    pub(crate) fn record(
        &self,
        resource: &dyn Resource,
        stored: &orlop_store::Record,
    ) -> Result<Arc<Record>> {
        // In one process the typed form is there already; from a durable store it is decoded once.
        stored
            .value
            .decode(&**resource.codec())
            .map_err(|error| Error::internal(format!("{}: {error}", stored.key)))
    }

    pub(crate) async fn load(&self, resource: &dyn Resource, key: &ObjectKey) -> Result<Stored> {
        let store_key = self.store_key(resource, key)?;
        match self.store.get(&store_key, At::Latest).await.map_err(store_error)? {
            Some(stored) => Ok(Stored { record: self.record(resource, &stored)?, revision: stored.revision }),
            None => Err(Error::not_found(resource.kind(), key)),
        }
    }

    /// Commits and answers what became of the key.
    pub(crate) async fn commit(
        &self,
        resource: &dyn Resource,
        key: &Key,
        txn: Txn,
    ) -> Result<Arc<Record>, Failure> {
        let committed = self.commit_all(txn).await?;
        match committed.record(key) {
            Some(stored) => Ok(self.record(resource, stored)?),
            None => Err(Failure::Raced),
        }
    }

    pub(crate) async fn commit_all(&self, txn: Txn) -> Result<Committed, Failure> {
        self.store.commit(txn).await.map_err(|error| match error {
            orlop_store::Error::Conflict(_) => Failure::Raced,
            error => Failure::Error(store_error(error)),
        })
    }

    /// Replaces what was read as `old`.
    pub(crate) async fn replace(
        &self,
        resource: &dyn Resource,
        key: &Key,
        old: Revision,
        object: Arc<dyn AnyObject>,
    ) -> Result<Arc<Record>, Failure> {
        self.commit(resource, key, Txn::update(key, old, value(resource, object))).await
    }

    /// Removes what was read as `old`; `last` is the last state that watchers see.
    pub(crate) async fn remove(
        &self,
        resource: &dyn Resource,
        key: &Key,
        old: Revision,
        last: Arc<dyn AnyObject>,
    ) -> Result<Arc<Record>, Failure> {
        let last = value(resource, last);
        let txn =
            Txn::new().expect(key, Expected::At(old)).delete_with(key, move |revision, _| last(revision));
        self.commit(resource, key, txn).await
    }

    pub(crate) async fn mutate(&self, request: &Request<'_>, object: &mut Arc<dyn AnyObject>) -> Result<()> {
        for admission in &self.admission {
            admission.mutate(request, own(object)?).await?;
        }
        Ok(())
    }

    pub(crate) async fn admit(&self, request: &Request<'_>, object: &Arc<dyn AnyObject>) -> Result<()> {
        for admission in &self.admission {
            admission.validate(request, &**object).await?;
        }
        Ok(())
    }

    /// A namespace that objects may be created in, as a condition that it stays so until the commit.
    pub(crate) async fn open_namespace(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
    ) -> Result<Option<(Key, Revision)>> {
        let Ok(namespaces) = self.scheme.resource(Namespace::KIND) else {
            return Ok(None); // A server of own kinds only need not have namespaces.
        };
        let namespace = ObjectKey::cluster(key.namespace());
        let stored = self.load(&**namespaces, &namespace).await?;
        if stored.record.meta().is_deleting() {
            let message = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            return Err(Error::forbidden(kind, key, message));
        }
        Ok(Some((namespaces.store_key("", key.namespace()), stored.revision)))
    }
}

/// Makes a stored value out of an object that gets its resourceVersion on the way.
pub(crate) fn value(
    resource: &dyn Resource,
    object: Arc<dyn AnyObject>,
) -> impl FnOnce(Revision) -> Value + Send + 'static {
    let codec = Arc::clone(resource.codec());
    move |revision| Value::typed(Arc::new(stamped(object, revision)), codec)
}

/// The object to be changed: it is nobody else's.
pub(crate) fn own(object: &mut Arc<dyn AnyObject>) -> Result<&mut dyn AnyObject> {
    if Arc::get_mut(object).is_none() {
        *object = object.duplicate();
    }
    Arc::get_mut(object).ok_or_else(|| Error::internal("a fresh object is shared"))
}

pub(crate) fn refuse(kind: &KindInfo, key: &ObjectKey, errors: Vec<FieldError>) -> Result<()> {
    if errors.is_empty() { Ok(()) } else { Err(Error::invalid(kind, key, errors)) }
}

pub(crate) fn store_error(error: orlop_store::Error) -> Error {
    match error {
        orlop_store::Error::Expired { requested, compacted } => {
            Error::expired(format!("too old resource version: {requested} ({compacted})"))
        }
        orlop_store::Error::Future { requested, current } => Error::TooLargeResourceVersion {
            wanted: requested.to_string().into(),
            current: current.to_string().into(),
        },
        orlop_store::Error::Backend { source, uncertain: true } => {
            Error::Timeout { message: format!("the store did not confirm: {source}") }
        }
        error => Error::internal(error.to_string()),
    }
}

/// The key of an object that is about to be created or updated.
pub(crate) fn key_of(kind: &KindInfo, meta: &ObjectMeta) -> ObjectKey {
    ObjectKey { namespace: kind.is_namespaced().then(|| meta.namespace.clone()), name: meta.name.clone() }
}
