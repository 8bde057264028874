//! What a patch makes of an object.

use std::any::Any;

use orlop_client::{Cause, Error, ObjectRef, Patch, Result};
use orlop_model::patch::{
    self, Limits, MergeError, OperationError, PatchError, StrategicError, apply_merge, apply_operations,
    apply_strategic,
};
use orlop_model::{DynamicObject, FieldError, Object, Path};
use serde_json::Value;

/// The object after the patch; with `strict`, if the patch brings no fields that the type does not know.
pub(crate) fn patched<K: Object>(old: &K, patch: &Patch, strict: bool) -> Result<K> {
    let new = match patch {
        Patch::Json(operations) => apply_operations(old, operations, Limits::default()),
        Patch::Merge(change) => merged(old, change),
        Patch::Strategic(change) => {
            let mut new = old.clone();
            match new.message_mut() {
                Some(message) => apply_strategic(message, change).map(|()| new),
                None => return Err(unknown_format("json-patch+json, application/merge-patch+json")),
            }
        }
        Patch::Apply(_) => {
            return Err(unknown_format(
                "json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json",
            ));
        }
    };
    let new = new.map_err(|error| refusal(error, patch))?;
    if strict {
        check_unknown_fields(old, &new, patch)?;
    }
    Ok(new)
}

fn merged<K: Object>(old: &K, change: &Value) -> Result<K, PatchError> {
    let mut new = old.clone();
    if let Some(message) = new.message_mut() {
        return apply_merge(message, change).map(|()| new);
    }
    if let Some(object) = (&mut new as &mut dyn Any).downcast_mut::<DynamicObject>() {
        return apply_merge(object, change).map(|()| new);
    }
    let unreadable =
        |error: serde_json::Error| PatchError::Mismatch { path: String::new(), message: error.to_string() };
    let mut document = old.to_value().map_err(unreadable)?;
    apply_merge(&mut document, change)?;
    serde_json::from_value(document).map_err(unreadable)
}

fn unknown_format(types: &str) -> Error {
    Error::unsupported_media_type(format!(
        "the body of the request was in an unknown format - accepted media types include: application/{types}"
    ))
}

/// The answer to a patch that does not apply, as Kubernetes gives it: a malformed patch is a bad request, one that does not
/// fit the object cannot be processed, a result that is no such object is invalid.
fn refusal(error: PatchError, patch: &Patch) -> Error {
    match error {
        PatchError::Merge(MergeError::Patch) if patch.document().is_array() => {
            invalid(patch, "an object cannot become a list")
        }
        PatchError::Merge(error) => Error::bad_request(error.to_string()),
        PatchError::Operation(error) => match error {
            OperationError::Decode => Error::bad_request(error.to_string()),
            OperationError::TooMany { .. } => Error::too_large(error.to_string()),
            _ => Error::unprocessable(error.to_string()),
        },
        PatchError::Strategic(error) => match error {
            StrategicError::NotAnObject
            | StrategicError::PrimitiveList
            | StrategicError::RetainKeys
            | StrategicError::ElementOrder
            | StrategicError::Unsupported => Error::bad_request(error.to_string()),
            StrategicError::ListOfLists => Error::unprocessable(error.to_string()),
            // Kubernetes takes what else is wrong with a patch for a failure of its own.
            _ => Error::internal(error.to_string()),
        },
        error @ PatchError::Mismatch { .. } => invalid(patch, error.to_string()),
    }
}

/// The result is no object of the kind.
fn invalid(patch: &Patch, detail: impl Into<String>) -> Error {
    let change = match patch {
        Patch::Strategic(change) => patch::printed(change),
        other => other.document().to_string(),
    };
    let cause = Cause::from(FieldError::invalid("patch", change, detail.into()));
    Error::Invalid { object: Box::new(ObjectRef::default()), causes: vec![cause] }
}

/// Fields that the stored object has already are no fault of the patch.
fn check_unknown_fields<K: Object>(old: &K, new: &K, patch: &Patch) -> Result<()> {
    let unknown = |object: &K| {
        let mut found = Vec::new();
        object.unknown_fields(&mut Path::new(), &mut |path, name| {
            found.push(format!("unknown field {:?}", path.child(name)));
        });
        found
    };
    let mut found = unknown(new);
    if !found.is_empty() {
        let before = unknown(old);
        found.retain(|field| !before.contains(field));
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(invalid(patch, format!("strict decoding error: {}", found.join(", "))))
}
