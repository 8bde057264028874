//! Deleting objects: grace periods, finalizers, preconditions.

use std::sync::Arc;

use orlop_client::{AnyObject, DeleteOptions, Deleted, Error, Propagation, Record, Result, Subresource};
use orlop_model::core::v1::Namespace;
use orlop_model::{KindInfo, List, ObjectKey, ObjectMeta, StaticKind, Str, Time};

use crate::admission::{Operation, Request};
use crate::local::LocalClient;
use crate::resource::Resource;
use crate::server::{Failure, Stored, own};
use crate::update::may_go;

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// Namespaces that are always there (Kubernetes' admission plugin `NamespaceLifecycle`).
const IMMORTAL: [&str; 3] = ["default", "kube-public", "kube-system"];

/// What a delete does to an object.
enum Step {
    /// Nothing: its deletion has begun, and goes on as it does.
    Wait,
    /// It is changed: its deletion begins, or comes nearer.
    Mark(Arc<dyn AnyObject>),
    /// It is removed; this is its last state.
    Remove(Arc<dyn AnyObject>),
}

impl LocalClient {
    pub(crate) async fn delete_object(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: &Subresource,
        options: &DeleteOptions,
    ) -> Result<Deleted> {
        let resource = Arc::clone(self.server.scheme.resource(kind)?);
        if kind.is(Namespace::KIND) && IMMORTAL.contains(&&*key.name) {
            return Err(Error::forbidden(kind, key, "this namespace may not be deleted"));
        }
        let deleted = loop {
            let old = self.server.load(&*resource, key).await?;
            match self.try_delete(&*resource, key, subresource, &old, options).await {
                Ok(deleted) => break deleted,
                Err(Failure::Error(error)) => return Err(error),
                Err(Failure::Raced) => {}
            }
        };
        if kind.is(Namespace::KIND)
            && !deleted.is_gone()
            && !options.dry_run
            && self.finish_namespace(&key.name).await?
        {
            return Ok(Deleted::Gone(Arc::clone(deleted.record())));
        }
        Ok(deleted)
    }

    async fn try_delete(
        &self,
        resource: &dyn Resource,
        key: &ObjectKey,
        subresource: &Subresource,
        old: &Stored,
        options: &DeleteOptions,
    ) -> Result<Deleted, Failure> {
        let (server, kind, object) = (&*self.server, resource.kind(), old.object()?);
        check_preconditions(kind, key, object.meta(), options)?;
        let request = Request {
            operation: Operation::Delete,
            kind,
            key,
            subresource,
            old: Some(&old.record),
            field_manager: "",
            dry_run: options.dry_run,
            client: self,
        };
        server.admit(&request, object).await?;
        let store_key = server.store_key(resource, key)?;
        match plan(resource, object, options, server.now())? {
            Step::Wait => Ok(Deleted::Pending(Arc::clone(&old.record))),
            Step::Mark(object) if options.dry_run => {
                Ok(Deleted::Pending(Arc::new(Record::from_object(object))))
            }
            Step::Remove(object) if options.dry_run => {
                Ok(Deleted::Gone(Arc::new(Record::from_object(object))))
            }
            Step::Mark(object) => {
                Ok(Deleted::Pending(server.replace(resource, &store_key, old.revision, object).await?))
            }
            Step::Remove(object) => {
                Ok(Deleted::Gone(server.remove(resource, &store_key, old.revision, object).await?))
            }
        }
    }
}

pub(crate) fn check_preconditions(
    kind: &KindInfo,
    key: &ObjectKey,
    meta: &ObjectMeta,
    options: &DeleteOptions,
) -> Result<()> {
    let wanted = &options.preconditions;
    if let Some(uid) = &wanted.uid
        && *uid != meta.uid
    {
        return Err(precondition(
            kind,
            key,
            uid,
            &meta.uid,
            format!(
                "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
                meta.uid
            ),
        ));
    }
    if let Some(version) = &wanted.resource_version
        && *version != meta.resource_version
    {
        return Err(precondition(
            kind,
            key,
            version,
            &meta.resource_version,
            format!(
                "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({}). The object might have been modified",
                meta.resource_version
            ),
        ));
    }
    Ok(())
}

fn precondition(kind: &KindInfo, key: &ObjectKey, sent: &Str, stored: &Str, message: String) -> Error {
    let mut error = Error::conflict(kind, key, message);
    if let Error::Conflict { sent: told, stored: found, .. } = &mut error {
        (*told, *found) = (Some(sent.clone()), Some(stored.clone()));
    }
    error
}

/// What a delete does now (apiserver's `rest.BeforeDelete` and `Store.Delete`).
fn plan(
    resource: &dyn Resource,
    old: &Arc<dyn AnyObject>,
    options: &DeleteOptions,
    now: Time,
) -> Result<Step> {
    let mut object = old.duplicate();
    let grace = resource.grace(&**old, options.grace)?;
    let meta = own(&mut object)?.meta_mut();

    let graceful = match (meta.deletion_timestamp, meta.deletion_grace_period_seconds, grace) {
        // The deletion of such a kind begins and ends at once, but for finalizers.
        (_, _, None) | (Some(_), None, _) => None,
        // Deletion has begun: it can only come nearer.
        (Some(at), Some(period), Some(_)) => {
            match options.grace.map(|asked| if asked < 0 { 1 } else { asked }) {
                Some(shorter) if shorter < period => {
                    meta.deletion_timestamp = Some(later(at, shorter - period));
                    meta.deletion_grace_period_seconds = Some(shorter);
                    Some(shorter)
                }
                _ => return Ok(Step::Wait),
            }
        }
        (None, _, Some(period)) => {
            begin(meta, later(now, period), period);
            Some(period)
        }
    };

    let collector = collector_finalizers(&meta.finalizers, options.propagation);
    let collector_changed = collector != meta.finalizers;
    meta.finalizers = collector;
    let pending = !meta.finalizers.is_empty();
    let first = old.meta().deletion_timestamp.is_none();
    if graceful.is_none() && first {
        begin(meta, now, 0);
    }
    if first {
        resource.begin_deletion(own(&mut object)?, now)?;
    }
    let held = pending || resource.is_held(&*object)?;
    if graceful.unwrap_or(0) > 0 || held {
        let changed = first || graceful.is_some() || collector_changed;
        return Ok(if changed { Step::Mark(object) } else { Step::Wait });
    }
    if graceful.is_none() {
        // Nobody waits for such an object: its last state says nothing of a deletion, as in Kubernetes.
        object = old.duplicate();
    }
    debug_assert!(graceful.is_none() || may_go(resource, &*object)?, "a removed object is held by nothing");
    Ok(Step::Remove(object))
}

fn begin(meta: &mut ObjectMeta, at: Time, period: i64) {
    meta.deletion_timestamp = Some(at);
    meta.deletion_grace_period_seconds = Some(period);
    if meta.generation > 0 {
        meta.generation += 1;
    }
}

fn later(at: Time, seconds: i64) -> Time {
    // Far beyond any date: the latest that can be told.
    Time::from_seconds(at.seconds().saturating_add(seconds))
}

/// The finalizers with those by which the garbage collector is told what to do with owned objects.
fn collector_finalizers(finalizers: &List<Str>, propagation: Option<Propagation>) -> List<Str> {
    let has = |name: &str| finalizers.iter().any(|finalizer| *finalizer == *name);
    let (orphan, foreground) = match propagation {
        Some(Propagation::Orphan) => (true, false),
        Some(Propagation::Foreground) => (false, true),
        Some(Propagation::Background) => (false, false),
        None => (has(ORPHAN), has(FOREGROUND)),
    };
    if (orphan, foreground) == (has(ORPHAN), has(FOREGROUND)) {
        return finalizers.clone();
    }
    let mut new: List<Str> = finalizers
        .iter()
        .filter(|finalizer| **finalizer != *ORPHAN && **finalizer != *FOREGROUND)
        .cloned()
        .collect();
    if orphan {
        new.push(ORPHAN.into());
    }
    if foreground {
        new.push(FOREGROUND.into());
    }
    new
}
