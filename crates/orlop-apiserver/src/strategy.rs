//! [`Strategy`]: what is particular to a kind.

use std::borrow::Cow;
use std::sync::Arc;

use orlop_client::{Error, Result};
use orlop_model::apiextensions::v1::JSONSchemaProps;
use orlop_model::autoscaling::v1::Scale;
use orlop_model::names::NameRule;
use orlop_model::table::Printer;
use orlop_model::{FieldError, Object, ObjectMeta, Time, metadata};
use serde_json::{Value, json};

/// What is particular to the objects of one kind: defaults, validation, which part is status, graceful deletion.
///
/// Every method has a default that suits a plain kind with `spec` and `status` fields, so that a user's own kind needs
/// none of them. Methods are pure; they are called in this order: create: `default`, `clear_status`, `prepare_create`,
/// `validate_create`; update: `default`, `copy_status`, `prepare_update`, `validate_update`; update of the status:
/// `copy_status`, `validate_status_update`. The admission chain mutates before the `prepare_…` methods, and validates
/// after the `validate_…` methods.
pub trait Strategy<K: Object>: Send + Sync + 'static {
    /// Sets what the writer left open. Must change nothing when called twice.
    fn default(&self, object: &mut K) {
        let _ = object;
    }

    /// Takes the status off an object that is to be created, where the status has a subresource of its own.
    ///
    /// # Errors
    /// [`Error::Internal`] if the object cannot be taken apart.
    fn clear_status(&self, object: &mut K) -> Result<()> {
        if object.kind().status { clear_field(object, "status") } else { Ok(()) }
    }

    /// Resets what else a writer has no say in at creation, and fills in what follows from the rest.
    fn prepare_create(&self, object: &mut K) {
        let _ = object;
    }

    /// Resets what a writer has no say in at an update; the status is that of `old` already.
    fn prepare_update(&self, new: &mut K, old: &K) {
        let _ = (new, old);
    }

    /// What is wrong with the metadata of an object that is to be stored, or to replace `old`. By default: labels,
    /// annotations, owners, finalizers, and for new objects the name.
    fn validate_metadata(&self, new: &K, old: Option<&K>) -> Vec<FieldError> {
        validate_metadata(new, old, self.name_rule())
    }

    /// What is wrong with a new object, apart from its metadata. Empty: nothing.
    fn validate_create(&self, object: &K) -> Vec<FieldError> {
        let _ = object;
        Vec::new()
    }

    /// What is wrong with an update, apart from the metadata.
    fn validate_update(&self, new: &K, old: &K) -> Vec<FieldError> {
        let _ = (new, old);
        Vec::new()
    }

    /// What is wrong with an update of the status, apart from the metadata.
    fn validate_status_update(&self, new: &K, old: &K) -> Vec<FieldError> {
        let _ = (new, old);
        Vec::new()
    }

    /// Which names objects may have.
    fn name_rule(&self) -> NameRule {
        NameRule::Subdomain
    }

    /// Gives `to` the status of `from`.
    ///
    /// # Errors
    /// [`Error::Internal`] if the object cannot be taken apart.
    fn copy_status(&self, from: &K, to: &mut K) -> Result<()> {
        copy_field(from, to, "status")
    }

    /// Gives `to` the metadata that may be changed along with the status; nothing by default.
    fn copy_status_metadata(&self, from: &ObjectMeta, to: &mut ObjectMeta) {
        let _ = (from, to);
    }

    /// Whether `metadata.generation` counts the changes of the desired state.
    fn counts_generations(&self) -> bool {
        true
    }

    /// Whether the desired state differs: anything but metadata and status.
    fn differs(&self, new: &K, old: &K) -> bool {
        let body = |object: &K| {
            let mut value = serde_json::to_value(object).ok()?;
            let fields = value.as_object_mut()?;
            fields.remove("metadata");
            fields.remove("status");
            Some(value)
        };
        body(new) != body(old)
    }

    /// Whether two objects are the same in every field.
    fn equal(&self, left: &K, right: &K) -> bool {
        serde_json::to_vec(left).ok() == serde_json::to_vec(right).ok()
    }

    /// The structural schema of objects that do not know their fields: how what is applied to them is merged.
    fn structural_schema(&self) -> Option<&JSONSchemaProps> {
        None
    }

    /// Names of the field selectors besides `metadata.name` and `metadata.namespace`.
    fn fields(&self) -> &'static [&'static str] {
        &[]
    }

    /// The value of one of [`fields`](Self::fields).
    fn field<'a>(&self, object: &'a K, name: &str) -> Cow<'a, str> {
        let _ = (object, name);
        Cow::Borrowed("")
    }

    /// Seconds that the object stays after its deletion has begun, given what the caller asked for. `None`: the kind
    /// has no graceful deletion.
    fn grace(&self, object: &K, asked: Option<i64>) -> Option<i64> {
        let _ = (object, asked);
        None
    }

    /// Replicas wanted and seen, and the selector. Metadata is filled in by the caller. `None`: there is no scale.
    fn scale(&self, object: &K) -> Option<Scale> {
        let value = object.kind().scale.then(|| serde_json::to_value(object).ok())??;
        let replicas = |part: &str| {
            value[part]["replicas"].as_i64().and_then(|count| count.try_into().ok()).unwrap_or(0)
        };
        let mut scale = Scale::default();
        scale.spec.replicas = replicas("spec");
        scale.status.replicas = replicas("status");
        scale.status.selector = value["status"]["selector"].as_str().unwrap_or_default().into();
        Some(scale)
    }

    /// Sets the replicas wanted.
    ///
    /// # Errors
    /// [`Error::Internal`] if the object cannot be taken apart.
    fn set_replicas(&self, object: &mut K, replicas: i32) -> Result<()> {
        let mut value = serde_json::to_value(&*object).map_err(broken)?;
        if !value["spec"].is_object() {
            value["spec"] = json!({});
        }
        value["spec"]["replicas"] = replicas.into();
        *object = decode(object, value)?;
        Ok(())
    }

    /// What prints the objects as tables: names and when they were created, unless the kind has columns of its own.
    fn printer(&self) -> Printer {
        Printer::plain()
    }

    /// Called when deletion begins: namespaces become `Terminating`.
    fn begin_deletion(&self, object: &mut K, at: Time) {
        let _ = (object, at);
    }

    /// Whether something besides `metadata.finalizers` holds a deleted object: a namespace's own finalizers.
    fn is_held(&self, object: &K) -> bool {
        let _ = object;
        false
    }
}

/// The strategy of a user's own kind: every default of [`Strategy`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl<K: Object> Strategy<K> for Plain {}

/// What is wrong with metadata that is to be stored, or to replace that of `old`.
pub(crate) fn validate_metadata<K: Object>(new: &K, old: Option<&K>, rule: NameRule) -> Vec<FieldError> {
    let is_namespaced = new.kind().is_namespaced();
    let (new, Some(old)) = (new.meta(), old.map(Object::meta)) else {
        return metadata::validate(new.meta(), is_namespaced, rule, "metadata");
    };
    // What is checked is mostly as it was.
    let is_same = new.labels == old.labels
        && new.annotations == old.annotations
        && new.owner_references == old.owner_references
        && new.finalizers == old.finalizers
        && new.managed_fields == old.managed_fields;
    let mut errors =
        if is_same { Vec::new() } else { metadata::validate_common(new, is_namespaced, "metadata") };
    if old.is_deleting() {
        let added = new.finalizers.iter().filter(|finalizer| !old.finalizers.contains(finalizer));
        let added: Vec<String> = added.map(|finalizer| format!("{finalizer:?}")).collect();
        if !added.is_empty() {
            let detail =
                "no new finalizers can be added if the object is being deleted, found new finalizers";
            let detail = format!("{detail} []string{{{}}}", added.join(", "));
            errors.push(FieldError::forbidden("metadata.finalizers", detail));
        }
    }
    errors
}

fn copy_field<K: Object>(from: &K, to: &mut K, field: &str) -> Result<()> {
    let source = serde_json::to_value(from).map_err(broken)?;
    let mut target = serde_json::to_value(&*to).map_err(broken)?;
    let (Value::Object(mut source), Value::Object(fields)) = (source, &mut target) else {
        return Err(Error::internal(format!("{} is no JSON object", to.kind().kind)));
    };
    let wanted = source.remove(field);
    if wanted.as_ref() == fields.get(field) {
        return Ok(());
    }
    match wanted {
        Some(value) => fields.insert(field.to_owned(), value),
        None => fields.remove(field),
    };
    *to = decode(to, target)?;
    Ok(())
}

fn clear_field<K: Object>(object: &mut K, field: &str) -> Result<()> {
    let mut value = serde_json::to_value(&*object).map_err(broken)?;
    let removed = value.as_object_mut().and_then(|fields| fields.remove(field));
    let is_empty = removed.is_none_or(|removed| removed.as_object().is_some_and(serde_json::Map::is_empty));
    if !is_empty {
        *object = decode(object, value)?;
    }
    Ok(())
}

/// Reads a changed document of the same kind as `like`.
fn decode<K: Object>(like: &K, value: Value) -> Result<K> {
    let mut object: K = serde_json::from_value(value).map_err(broken)?;
    crate::resource::set_dynamic_kind(&mut object, || Arc::new(like.kind().clone()));
    Ok(object)
}

fn broken(error: serde_json::Error) -> Error {
    Error::internal(error.to_string())
}
