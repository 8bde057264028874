//! Creating objects.

use std::sync::Arc;

use orlop_client::{AnyObject, Draft, Error, Record, Result, Subresource, WriteOptions};
use orlop_model::{FieldError, KindInfo, ObjectKey};
use orlop_store::{Expected, Format, Txn, Value};
use parking_lot::Mutex;

use crate::admission::{Operation, Request};
use crate::local::LocalClient;
use crate::resource::{Resource, stamped};
use crate::server::{Failure, key_of, own, refuse};

/// A generated name has at most so many characters, five of them random (apiserver, `names/generate.go`).
const MAX_GENERATED_NAME: usize = 63;
const RANDOM_SUFFIX: usize = 5;
/// How often another name is tried when a generated one is taken.
const NAME_ATTEMPTS: usize = 8;

impl LocalClient {
    pub(crate) async fn create_object(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let resource = Arc::clone(self.server.scheme.resource(kind)?);
        let object = resource.open(draft, options.strict)?;
        self.create_opened(&*resource, namespace, object, options, self.server.tracks_managers).await
    }

    /// `tracks`: all of the object is its writer's.
    pub(crate) async fn create_opened(
        &self,
        resource: &dyn Resource,
        namespace: Option<&str>,
        mut object: Arc<dyn AnyObject>,
        options: &WriteOptions,
        tracks: bool,
    ) -> Result<Arc<Record>> {
        self.fill_in(resource, namespace, own(&mut object)?)?;
        if !object.meta().name.is_empty() {
            return self.try_create(resource, object, options, tracks).await;
        }
        let mut attempt = 1;
        loop {
            let mut object = object.duplicate();
            let meta = own(&mut object)?.meta_mut();
            meta.name = self.generate_name(&meta.generate_name).into();
            match self.try_create(resource, object, options, tracks).await {
                Err(error) if error.is_already_exists() && attempt < NAME_ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    /// Sets what only the server decides.
    fn fill_in(
        &self,
        resource: &dyn Resource,
        namespace: Option<&str>,
        object: &mut dyn AnyObject,
    ) -> Result<()> {
        let kind = resource.kind();
        let meta = object.meta_mut();
        match (kind.is_namespaced(), namespace.unwrap_or_default()) {
            (false, _) => meta.namespace = "".into(),
            (true, "") if meta.namespace.is_empty() => {
                return Err(Error::bad_request("an empty namespace may not be set during creation"));
            }
            (true, "") => {}
            (true, namespace) if meta.namespace.is_empty() => meta.namespace = namespace.into(),
            (true, namespace) if meta.namespace != namespace => {
                return Err(Error::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
            (true, _) => {}
        }
        if !meta.resource_version.is_empty() {
            return Err(Error::bad_request("resourceVersion should not be set on objects to be created"));
        }
        if meta.name.is_empty() && meta.generate_name.is_empty() {
            let error = FieldError::required("metadata.name", "name or generateName is required");
            return refuse(kind, &key_of(kind, meta), vec![error]);
        }
        meta.uid = self.server.uids.uid().into();
        meta.creation_timestamp = Some(self.server.now());
        meta.deletion_timestamp = None;
        meta.deletion_grace_period_seconds = None;
        meta.self_link = "".into();
        meta.generation = i64::from(resource.counts_generations());
        Ok(())
    }

    fn generate_name(&self, base: &str) -> String {
        let mut end = base.len().min(MAX_GENERATED_NAME - RANDOM_SUFFIX);
        while !base.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}{}", &base[..end], self.server.names.name_suffix_of(RANDOM_SUFFIX))
    }

    async fn try_create(
        &self,
        resource: &dyn Resource,
        mut object: Arc<dyn AnyObject>,
        options: &WriteOptions,
        tracks: bool,
    ) -> Result<Arc<Record>> {
        let kind = resource.kind();
        let key = key_of(kind, object.meta());
        loop {
            // The store takes the object only if it is going to keep it: otherwise it is there for the next attempt.
            let slot = Arc::new(Mutex::new(None));
            match self.create_once(resource, &key, object, &slot, options, tracks).await {
                Ok(record) => return Ok(record),
                Err(Failure::Error(error)) => return Err(error),
                Err(Failure::Raced) => {}
            }
            match self.server.load(resource, &key).await {
                Ok(_) => return Err(Error::already_exists(kind, &key)),
                Err(error) if !error.is_not_found() => return Err(error),
                // The namespace has changed, or another Service got its addresses first.
                Err(_) => {}
            }
            let kept = slot.lock().take();
            object =
                kept.ok_or_else(|| Error::internal(format!("{kind} {key} was neither stored nor kept")))?;
        }
    }

    async fn create_once(
        &self,
        resource: &dyn Resource,
        key: &ObjectKey,
        mut object: Arc<dyn AnyObject>,
        slot: &Arc<Mutex<Option<Arc<dyn AnyObject>>>>,
        options: &WriteOptions,
        tracks: bool,
    ) -> Result<Arc<Record>, Failure> {
        let (server, kind) = (&*self.server, resource.kind());
        let namespace = if kind.is_namespaced() { server.open_namespace(kind, key).await? } else { None };
        let request = Request {
            operation: Operation::Create,
            kind,
            key,
            subresource: &Subresource::Main,
            old: None,
            field_manager: &options.field_manager,
            dry_run: options.dry_run,
            client: self,
        };
        resource.default(own(&mut object)?)?;
        if tracks {
            let tracking = server.tracking(resource, &Subresource::Main, options);
            resource.track(None, own(&mut object)?, &tracking.as_options())?;
        }
        if !server.admission.is_empty() {
            server.mutate(&request, &mut object).await?;
            resource.default(own(&mut object)?)?;
        }
        resource.prepare_create(own(&mut object)?)?;
        refuse(kind, key, resource.validate_create(&*object)?)?;
        let addresses = server.allocate(resource, key, &mut object, None).await?;
        server.admit(&request, &object).await?;

        let store_key = server.store_key(resource, key)?;
        if options.dry_run {
            return match server.load(resource, key).await {
                Err(error) if error.is_not_found() => Ok(Arc::new(Record::from_object(object))),
                Err(error) => Err(error.into()),
                Ok(_) => Err(Error::already_exists(kind, key).into()),
            };
        }
        *slot.lock() = Some(object);
        let (slot, codec) = (Arc::clone(slot), Arc::clone(resource.codec()));
        let mut txn = Txn::create(&store_key, move |revision| {
            let object = slot.lock().take();
            let record = object.map(|object| stamped(object, revision));
            record.map_or_else(
                || Value::bytes(Format::Json, ""),
                |record| Value::typed(Arc::new(record), codec),
            )
        });
        if let Some((namespace, revision)) = namespace {
            txn = txn.expect(namespace, Expected::At(revision));
        }
        server.commit(resource, &store_key, addresses.guard(txn)).await
    }
}
