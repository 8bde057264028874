//! Replacing and patching objects and their subresources.

use std::sync::Arc;

use orlop_client::{AnyObject, Draft, Error, Patch, Record, Result, Subresource, WriteOptions};
use orlop_model::autoscaling::v1::Scale;
use orlop_model::core::v1::Namespace;
use orlop_model::meta::v1::ManagedFieldsEntry;
use orlop_model::{FieldError, KindInfo, ObjectKey, ObjectMeta, StaticKind};
use orlop_store::Txn;
use serde_json::Value;

use crate::admission::{Operation, Request};
use crate::local::LocalClient;
use crate::patch::patched;
use crate::resource::Resource;
use crate::server::{Failure, Stored, own, refuse, value};
use crate::service::Allocation;

/// What a caller wants an object, or a subresource of it, to become.
pub(crate) enum Wanted {
    Draft(Draft),
    Patch(Patch),
}

/// What an attempt at an update writes.
enum New {
    /// Nothing: the object is as wanted.
    Same,
    /// An object whose changes belong to their writer.
    Written(Arc<dyn AnyObject>),
    /// An object that knows already who owns what.
    Applied(Arc<dyn AnyObject>),
}

/// One attempt at an update.
struct Attempt<'a> {
    resource: &'a dyn Resource,
    key: &'a ObjectKey,
    subresource: &'a Subresource,
    old: &'a Stored,
    options: &'a WriteOptions,
}

impl LocalClient {
    pub(crate) async fn write_object(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: &Subresource,
        wanted: Wanted,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let resource = Arc::clone(self.server.scheme.resource(kind)?);
        let resource = &*resource;
        check_subresource(resource, subresource)?;
        let mut wanted = Some(wanted);
        loop {
            let old = match self.server.load(resource, key).await {
                Err(error) if error.is_not_found() && *subresource == Subresource::Main => {
                    match self.create_applied(resource, key, wanted.as_ref(), options, error).await {
                        // Somebody else was faster.
                        Err(error) if error.is_already_exists() => continue,
                        result => return result,
                    }
                }
                result => result?,
            };
            let attempt = Attempt { resource, key, subresource, old: &old, options };
            // A draft that insists on a version has one attempt: it is moved in, so that nothing is copied.
            let (new, insists) = match wanted.take() {
                Some(Wanted::Draft(Draft::Typed(object)))
                    if !subresource_is_scale(subresource) && !object.meta().resource_version.is_empty() =>
                {
                    (New::Written(self.open(&attempt, Draft::Typed(object))?), true)
                }
                Some(again) => {
                    let new = self.wanted_object(&attempt, &again)?;
                    let insists = matches!((&again, &new), (Wanted::Draft(_), New::Written(new)) if !new.meta().resource_version.is_empty());
                    wanted = Some(again);
                    (new, insists)
                }
                None => return Err(Error::internal("an update was tried twice")),
            };
            let (new, tracks) = match new {
                New::Same => return Ok(old.record),
                New::Written(new) => (new, self.server.tracks_managers),
                New::Applied(new) => (new, false),
            };
            let sent = new.meta().resource_version.clone();
            match self.try_write(&attempt, new, tracks).await {
                Ok(record) => return Ok(record),
                Err(Failure::Error(error)) => return Err(error),
                Err(Failure::Raced) if insists => {
                    let stored = self.server.load(resource, key).await?;
                    return Err(Error::modified(kind, key, sent, stored.record.resource_version()));
                }
                Err(Failure::Raced) => {}
            }
        }
    }

    /// Creates an object that is not there, if it is to be applied.
    async fn create_applied(
        &self,
        resource: &dyn Resource,
        key: &ObjectKey,
        wanted: Option<&Wanted>,
        options: &WriteOptions,
        missing: Error,
    ) -> Result<Arc<Record>> {
        let Some(Wanted::Patch(Patch::Apply(config))) = wanted else { return Err(missing) };
        self.check_tracks()?;
        let tracking = self.server.tracking(resource, &Subresource::Main, options);
        let applied = resource.apply(None, config, &tracking.as_options())?;
        let mut object =
            applied.ok_or_else(|| Error::bad_request("name must be provided for apply patch"))?;
        if !object.meta().resource_version.is_empty() {
            return Err(Error::modified(resource.kind(), key, object.meta().resource_version.clone(), ""));
        }
        object = resource.open(Draft::Typed(object), options.strict)?;
        address(resource.kind(), key, own(&mut object)?.meta_mut())?;
        self.create_opened(resource, key.namespace.as_deref(), object, options, false).await
    }

    fn check_tracks(&self) -> Result<()> {
        if self.server.tracks_managers {
            return Ok(());
        }
        Err(Error::unsupported_media_type(
            "the body of the request was in an unknown format - this server keeps no managed fields, so nothing can be applied",
        ))
    }

    fn applied_object(&self, attempt: &Attempt<'_>, config: &Value) -> Result<New> {
        self.check_tracks()?;
        let tracking = self.server.tracking(attempt.resource, attempt.subresource, attempt.options);
        let applied =
            attempt.resource.apply(Some(&**attempt.old.object()?), config, &tracking.as_options())?;
        Ok(match applied {
            Some(object) => New::Applied(self.open(attempt, Draft::Typed(object))?),
            None => New::Same,
        })
    }

    /// The object as wanted, before anything is merged with the stored one.
    fn wanted_object(&self, attempt: &Attempt<'_>, wanted: &Wanted) -> Result<New> {
        let object = attempt.old.object()?;
        if let Wanted::Patch(Patch::Apply(config)) = wanted {
            return if subresource_is_scale(attempt.subresource) {
                let kind = attempt.resource.kind();
                let scale = read_scale(Draft::Json(config.clone()))?;
                check_replicas(&scale, attempt.key)?;
                let mut parent = serde_json::json!({
                    "apiVersion": kind.api_version(), "kind": kind.kind,
                    "metadata": {"name": attempt.key.name.as_str()},
                });
                if let Some(replicas) = config.pointer("/spec/replicas") {
                    parent["spec"]["replicas"] = replicas.clone();
                }
                if !scale.metadata.resource_version.is_empty() {
                    parent["metadata"]["resourceVersion"] = scale.metadata.resource_version.as_str().into();
                }
                self.applied_object(attempt, &parent)
            } else {
                self.applied_object(attempt, config)
            };
        }
        let (resource, strict) = (attempt.resource, attempt.options.strict);
        if !subresource_is_scale(attempt.subresource) {
            return match wanted {
                Wanted::Draft(draft) => self.open(attempt, draft.clone()),
                Wanted::Patch(patch) => self.addressed(attempt, resource.patch(&**object, patch, strict)?),
            }
            .map(New::Written);
        }
        let scale = scale_of(resource, object, attempt.key)?;
        let scale = match wanted {
            Wanted::Draft(draft) => read_scale(draft.clone())?,
            Wanted::Patch(patch) => patched(&scale, patch, strict)?,
        };
        check_replicas(&scale, attempt.key)?;
        let mut new = object.duplicate();
        attempt.resource.set_replicas(own(&mut new)?, scale.spec.replicas)?;
        own(&mut new)?.meta_mut().resource_version = scale.metadata.resource_version;
        Ok(New::Written(new))
    }

    fn open(&self, attempt: &Attempt<'_>, draft: Draft) -> Result<Arc<dyn AnyObject>> {
        self.addressed(attempt, attempt.resource.open(draft, attempt.options.strict)?)
    }

    /// The object with the name and the namespace of the request, which are the only ones it may have.
    fn addressed(&self, attempt: &Attempt<'_>, mut object: Arc<dyn AnyObject>) -> Result<Arc<dyn AnyObject>> {
        let kind = attempt.resource.kind();
        address(kind, attempt.key, own(&mut object)?.meta_mut())?;
        Ok(object)
    }

    async fn try_write(
        &self,
        attempt: &Attempt<'_>,
        mut new: Arc<dyn AnyObject>,
        tracks: bool,
    ) -> Result<Arc<Record>, Failure> {
        let Attempt { resource, key, subresource, old: stored, options } = *attempt;
        let (server, kind) = (&*self.server, resource.kind());
        let old = stored.object()?;
        check_preconditions(kind, key, new.meta(), old.meta())?;

        let request = Request {
            operation: Operation::Update,
            kind,
            key,
            subresource,
            old: Some(&stored.record),
            field_manager: &options.field_manager,
            dry_run: options.dry_run,
            client: self,
        };
        if *subresource == Subresource::Status {
            let status = new;
            new = old.duplicate();
            resource.copy_status(&*status, own(&mut new)?)?;
            resource.copy_status_metadata(status.meta(), own(&mut new)?.meta_mut());
            if server.tracks_managers {
                own(&mut new)?.meta_mut().managed_fields = status.meta().managed_fields.clone();
            }
            resource.default(own(&mut new)?)?;
            self.track(attempt, &mut new, tracks)?;
            server.mutate(&request, &mut new).await?;
        } else {
            if *subresource == Subresource::Finalize {
                new = finalized(&*new, old)?;
            }
            keep_system_fields(own(&mut new)?.meta_mut(), old.meta());
            if kind.status {
                resource.copy_status(&**old, own(&mut new)?)?;
            }
            resource.default(own(&mut new)?)?;
            self.track(attempt, &mut new, tracks)?;
            if !server.admission.is_empty() {
                server.mutate(&request, &mut new).await?;
                resource.default(own(&mut new)?)?;
            }
            if *subresource != Subresource::Finalize {
                resource.prepare_update(own(&mut new)?, &**old)?;
            }
            if resource.counts_generations() && resource.differs(&*new, &**old)? {
                own(&mut new)?.meta_mut().generation = old.meta().generation + 1;
            }
        }
        own(&mut new)?.meta_mut().resource_version = old.meta().resource_version.clone();
        if self.is_same(resource, &mut new, &**old)? {
            return Ok(Arc::clone(&stored.record));
        }

        let errors = match subresource {
            Subresource::Status => resource.validate_status_update(&*new, &**old)?,
            Subresource::Finalize => resource.validate_metadata_update(&*new, &**old)?,
            _ => resource.validate_update(&*new, &**old)?,
        };
        refuse(kind, key, errors)?;
        let addresses = match subresource {
            Subresource::Main => server.allocate(resource, key, &mut new, Some(&**old)).await?,
            _ => Allocation::default(),
        };
        server.admit(&request, &new).await?;

        if options.dry_run {
            return Ok(Arc::new(Record::from_object(new)));
        }
        let store_key = server.store_key(resource, key)?;
        if may_go(resource, &*new)? {
            return server.remove(resource, &store_key, stored.revision, new).await;
        }
        let txn = Txn::update(&store_key, stored.revision, value(resource, new));
        server.commit(resource, &store_key, addresses.guard(txn)).await
    }

    fn track(&self, attempt: &Attempt<'_>, new: &mut Arc<dyn AnyObject>, tracks: bool) -> Result<()> {
        if !tracks {
            return Ok(());
        }
        let tracking = self.server.tracking(attempt.resource, attempt.subresource, attempt.options);
        attempt.resource.track(Some(&**attempt.old.object()?), own(new)?, &tracking.as_options())
    }

    /// Whether nothing is left to be written, be it that managed fields have other times.
    fn is_same(
        &self,
        resource: &dyn Resource,
        new: &mut Arc<dyn AnyObject>,
        old: &dyn AnyObject,
    ) -> Result<bool> {
        let (mine, stored) = (&new.meta().managed_fields, &old.meta().managed_fields);
        if mine == stored || !are_timeless_equal(mine, stored) {
            return resource.equal(&**new, old);
        }
        let meta = own(new)?.meta_mut();
        let mine = std::mem::replace(&mut meta.managed_fields, old.meta().managed_fields.clone());
        let is_same = resource.equal(&**new, old)?;
        own(new)?.meta_mut().managed_fields = mine;
        Ok(is_same)
    }

    /// The scale of an object, as its subresource shows it.
    pub(crate) async fn get_scale(&self, kind: &KindInfo, key: &ObjectKey) -> Result<Arc<Record>> {
        let resource = self.server.scheme.resource(kind)?;
        check_subresource(&**resource, &Subresource::Scale)?;
        let stored = self.server.load(&**resource, key).await?;
        Ok(Arc::new(Record::new(scale_of(&**resource, stored.object()?, key)?)))
    }

    /// Writes through `scale`, and answers the scale as it is then.
    pub(crate) async fn write_scale(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        wanted: Wanted,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let written = self.write_object(kind, key, &Subresource::Scale, wanted, options).await?;
        let resource = self.server.scheme.resource(kind)?;
        let object = written.object().ok_or_else(|| Error::internal("a written object has no typed form"))?;
        Ok(Arc::new(Record::new(scale_of(&**resource, object, key)?)))
    }
}

/// Whether nothing holds an object any longer whose deletion has begun.
pub(crate) fn may_go(resource: &dyn Resource, object: &dyn AnyObject) -> Result<bool> {
    let meta = object.meta();
    let period_is_over = meta.deletion_grace_period_seconds.unwrap_or(0) == 0;
    Ok(meta.is_deleting() && meta.finalizers.is_empty() && period_is_over && !resource.is_held(object)?)
}

fn subresource_is_scale(subresource: &Subresource) -> bool {
    *subresource == Subresource::Scale
}

fn check_subresource(resource: &dyn Resource, subresource: &Subresource) -> Result<()> {
    let kind = resource.kind();
    let served = match subresource {
        Subresource::Main => true,
        Subresource::Status => kind.status,
        Subresource::Scale => kind.scale,
        Subresource::Finalize => kind.is(Namespace::KIND),
        _ => false,
    };
    if served {
        Ok(())
    } else {
        Err(Error::unsupported(format!(
            "{} have no subresource {subresource} that can be written",
            kind.resource()
        )))
    }
}

fn check_replicas(scale: &Scale, key: &ObjectKey) -> Result<()> {
    if scale.spec.replicas >= 0 {
        return Ok(());
    }
    let error =
        FieldError::invalid("spec.replicas", scale.spec.replicas, "must be greater than or equal to 0");
    Err(Error::invalid(Scale::KIND, key, [error]))
}

/// Gives an object the name and namespace that it is asked for by; it has no others.
fn address(kind: &KindInfo, key: &ObjectKey, meta: &mut ObjectMeta) -> Result<()> {
    let namespace = key.namespace();
    if meta.name.is_empty() {
        meta.name = key.name.clone();
    }
    if meta.namespace.is_empty() || !kind.is_namespaced() {
        meta.namespace = namespace.into();
    }
    if meta.name != key.name {
        let (object, url) = (&meta.name, &key.name);
        return Err(Error::bad_request(format!(
            "the name of the object ({object}) does not match the name on the URL ({url})"
        )));
    }
    if meta.namespace != *namespace {
        return Err(Error::bad_request(format!(
            "the namespace of the object ({}) does not match the namespace on the request ({namespace})",
            meta.namespace
        )));
    }
    Ok(())
}

fn are_timeless_equal(left: &[ManagedFieldsEntry], right: &[ManagedFieldsEntry]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            left.manager == right.manager
                && left.operation == right.operation
                && left.api_version == right.api_version
                && left.subresource == right.subresource
                && left.fields_v1 == right.fields_v1
        })
}

fn check_preconditions(kind: &KindInfo, key: &ObjectKey, new: &ObjectMeta, old: &ObjectMeta) -> Result<()> {
    if !new.uid.is_empty() && new.uid != old.uid {
        let message =
            format!("Precondition failed: UID in precondition: {}, UID in object meta: {}", new.uid, old.uid);
        return Err(Error::conflict(kind, key, message));
    }
    if !new.resource_version.is_empty() && new.resource_version != old.resource_version {
        return Err(Error::modified(kind, key, &new.resource_version, &old.resource_version));
    }
    Ok(())
}

fn keep_system_fields(new: &mut ObjectMeta, old: &ObjectMeta) {
    new.uid.clone_from(&old.uid);
    new.creation_timestamp = old.creation_timestamp;
    new.deletion_timestamp = old.deletion_timestamp;
    new.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    new.generation = old.generation;
    new.self_link = "".into();
}

/// The stored namespace with the wanted finalizers.
fn finalized(new: &dyn AnyObject, old: &Arc<dyn AnyObject>) -> Result<Arc<dyn AnyObject>> {
    let mut object = old.duplicate();
    let wanted = new.as_any().downcast_ref::<Namespace>();
    let namespace = own(&mut object)?.as_any_mut().downcast_mut::<Namespace>();
    if let (Some(wanted), Some(namespace)) = (wanted, namespace) {
        namespace.spec.finalizers.clone_from(&wanted.spec.finalizers);
        namespace.metadata.resource_version.clone_from(&wanted.metadata.resource_version);
    }
    Ok(object)
}

fn scale_of(resource: &dyn Resource, object: &Arc<dyn AnyObject>, key: &ObjectKey) -> Result<Scale> {
    let Some(mut scale) = resource.scale(&**object)? else {
        return Err(Error::unsupported(format!("{} have no scale", resource.kind().resource())));
    };
    let meta = object.meta();
    scale.metadata = ObjectMeta {
        name: key.name.clone(),
        namespace: meta.namespace.clone(),
        uid: meta.uid.clone(),
        resource_version: meta.resource_version.clone(),
        creation_timestamp: meta.creation_timestamp,
        ..ObjectMeta::default()
    };
    Ok(scale)
}

fn read_scale(draft: Draft) -> Result<Scale> {
    serde_json::from_value(draft.into_value()?).map_err(|error| {
        Error::bad_request(format!("Scale in version \"v1\" cannot be handled as a Scale: {error}"))
    })
}
