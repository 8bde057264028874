//! Binding and evicting pods.

use std::sync::Arc;

use orlop_client::{
    Client, DeleteOptions, Draft, Error, ObjectRef, Preconditions, Propagation, Record, Result, Subresource,
    WriteOptions,
};
use orlop_model::core::v1::{Binding, ConditionStatus, Pod, PodCondition, PodConditionType};
use orlop_model::meta::v1::DeletionPropagation;
use orlop_model::policy::v1::Eviction;
use orlop_model::{FieldError, KindInfo, ObjectKey, StaticKind, Time};

use crate::admission::{Operation, Request};
use crate::delete::check_preconditions;
use crate::local::LocalClient;
use crate::server::{Failure, own, refuse};

impl LocalClient {
    /// Assigns a pod to a node.
    pub(crate) async fn bind(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Option<Arc<Record>>> {
        let binding: Arc<Binding> = read(draft)?;
        let node = &binding.target.name;
        let mut errors = Vec::new();
        if !binding.target.kind.is_empty() && binding.target.kind != "Node" {
            errors.push(FieldError::not_supported(
                "target.kind",
                binding.target.kind.as_str(),
                &["Node", "<empty>"],
            ));
        }
        if node.is_empty() {
            errors.push(FieldError::required("target.name", ""));
        }
        refuse(Binding::KIND, key, errors)?;

        let (server, resource) = (&*self.server, Arc::clone(self.server.scheme.resource(kind)?));
        loop {
            let stored = server.load(&*resource, key).await?;
            let mut object = stored.object()?.duplicate();
            let Some(pod) = own(&mut object)?.as_any_mut().downcast_mut::<Pod>() else {
                return Err(Error::unsupported(format!("{} cannot be bound", kind.resource())));
            };
            for (sent, found) in [
                (&binding.metadata.uid, &pod.metadata.uid),
                (&binding.metadata.resource_version, &pod.metadata.resource_version),
            ] {
                if !sent.is_empty() && sent != found {
                    return Err(conflict(
                        kind,
                        key,
                        format!("Precondition failed: in precondition: {sent}, in object meta: {found}"),
                    ));
                }
            }
            if pod.metadata.is_deleting() {
                return Err(conflict(
                    kind,
                    key,
                    format!("pod {} is being deleted, cannot be assigned to a host", key.name),
                ));
            }
            if !pod.spec.node_name.is_empty() {
                return Err(conflict(
                    kind,
                    key,
                    format!("pod {} is already assigned to node {:?}", key.name, pod.spec.node_name.as_str()),
                ));
            }
            if !pod.spec.scheduling_gates.is_empty() {
                return Err(conflict(
                    kind,
                    key,
                    format!("pod {} has non-empty .spec.schedulingGates", key.name),
                ));
            }
            pod.spec.node_name = node.clone();
            pod.status.nominated_node_name = "".into();
            for (name, value) in &binding.metadata.annotations {
                pod.metadata.annotations.insert(name, value.clone());
            }
            set_condition(pod, PodConditionType::PodScheduled, "", "", server.now());

            let request = Request {
                operation: Operation::Connect,
                kind,
                key,
                subresource: &Subresource::Binding,
                old: Some(&stored.record),
                field_manager: &options.field_manager,
                dry_run: options.dry_run,
                client: self,
            };
            server.admit(&request, &object).await?;
            if options.dry_run {
                return Ok(None);
            }
            let store_key = server.store_key(&*resource, key)?;
            match server.replace(&*resource, &store_key, stored.revision, object).await {
                Ok(_) => return Ok(None),
                Err(Failure::Error(error)) => return Err(error),
                Err(Failure::Raced) => {}
            }
        }
    }

    /// Deletes a pod unless the admission chain refuses.
    pub(crate) async fn evict(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Option<Arc<Record>>> {
        let eviction: Arc<Eviction> = read(draft)?;
        let asked = eviction.delete_options.as_deref();
        let preconditions = asked.and_then(|asked| asked.preconditions.as_deref());
        let delete = DeleteOptions {
            grace: asked.and_then(|asked| asked.grace_period_seconds),
            propagation: asked.and_then(|asked| asked.propagation_policy.as_ref()).and_then(propagation),
            preconditions: Preconditions {
                uid: preconditions.and_then(|wanted| wanted.uid.clone()),
                resource_version: preconditions.and_then(|wanted| wanted.resource_version.clone()),
            },
            dry_run: options.dry_run
                || asked.is_some_and(|asked| asked.dry_run.iter().any(|text| *text == "All")),
        };
        let (server, resource) = (&*self.server, Arc::clone(self.server.scheme.resource(kind)?));
        loop {
            let stored = server.load(&*resource, key).await?;
            let mut object = stored.object()?.duplicate();
            check_preconditions(kind, key, object.meta(), &delete)?;
            let request = Request {
                operation: Operation::Delete,
                kind,
                key,
                subresource: &Subresource::Eviction,
                old: Some(&stored.record),
                field_manager: &options.field_manager,
                dry_run: delete.dry_run,
                client: self,
            };
            server.admit(&request, &object).await?;
            let Some(pod) = own(&mut object)?.as_any_mut().downcast_mut::<Pod>() else {
                return Err(Error::unsupported(format!("{} cannot be evicted", kind.resource())));
            };
            // Why the pod goes is told in its status, so that its Job or its owner can tell it from a failure.
            if !pod.metadata.is_deleting() && !delete.dry_run {
                set_condition(
                    pod,
                    PodConditionType::DisruptionTarget,
                    "EvictionByEvictionAPI",
                    "Eviction API: evicting",
                    server.now(),
                );
                let store_key = server.store_key(&*resource, key)?;
                match server.replace(&*resource, &store_key, stored.revision, object).await {
                    Ok(_) => {}
                    Err(Failure::Error(error)) => return Err(error),
                    Err(Failure::Raced) => continue,
                }
            }
            let mut delete = delete;
            // The eviction itself has changed the version.
            delete.preconditions.resource_version = None;
            return self.delete(kind, key, &delete).await.map(|_| None);
        }
    }
}

fn read<K: StaticKind>(draft: Draft) -> Result<Arc<K>> {
    match draft {
        Draft::Typed(object) => Record::from_object(object).get(),
        Draft::Json(value) => {
            let KindInfo { version, kind, .. } = K::KIND;
            let object = serde_json::from_value(value);
            object.map(Arc::new).map_err(|error| {
                Error::bad_request(format!(
                    "{kind} in version {version:?} cannot be handled as a {kind}: {error}"
                ))
            })
        }
    }
}

fn conflict(kind: &KindInfo, key: &ObjectKey, message: String) -> Error {
    let mut object = ObjectRef::new(kind, key);
    object.resource = format!("{}/binding", object.resource).into();
    Error::Conflict { object: Box::new(object), sent: None, stored: None, message }
}

fn propagation(policy: &DeletionPropagation) -> Option<Propagation> {
    match policy {
        DeletionPropagation::Background => Some(Propagation::Background),
        DeletionPropagation::Foreground => Some(Propagation::Foreground),
        DeletionPropagation::Orphan => Some(Propagation::Orphan),
        DeletionPropagation::Other(_) => None,
    }
}

/// Makes a condition true.
fn set_condition(pod: &mut Pod, type_: PodConditionType, reason: &str, message: &str, now: Time) {
    let conditions = &mut pod.status.conditions;
    let index = conditions.iter().position(|condition| condition.type_ == type_).unwrap_or_else(|| {
        conditions.push(PodCondition { type_, ..PodCondition::default() });
        conditions.len() - 1
    });
    let condition = &mut conditions[index];
    if condition.status != ConditionStatus::True {
        condition.last_transition_time = Some(now);
    }
    condition.status = ConditionStatus::True;
    condition.reason = reason.into();
    condition.message = message.into();
}
