//! What a patch makes of a document.

use orlop_client::{Error, Patch, Result};
use orlop_model::Schema;
use serde_json::Value;

/// Most operations of a JSON patch, as in Kubernetes.
const MAX_OPERATIONS: usize = 10_000;

/// The document after the patch.
pub(crate) fn patched(mut document: Value, patch: &Patch, schema: Option<&'static Schema>) -> Result<Value> {
    match patch {
        Patch::Merge(patch) => {
            if !patch.is_object() {
                return Err(Error::bad_request("a merge patch of an object must be a JSON object"));
            }
            json_patch::merge(&mut document, patch);
            Ok(document)
        }
        Patch::Json(operations) => {
            let operations: json_patch::Patch = serde_json::from_value(operations.clone())
                .map_err(|error| Error::bad_request(format!("error decoding patch: {error}")))?;
            if operations.len() > MAX_OPERATIONS {
                let found = operations.len();
                return Err(Error::bad_request(format!(
                    "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {found}"
                )));
            }
            json_patch::patch(&mut document, &operations)
                .map_err(|error| Error::bad_request(format!("the JSON patch cannot be applied: {error}")))?;
            Ok(document)
        }
        Patch::Strategic(_) if schema.is_none() => Err(Error::unsupported(
            "the body of the request was in an unknown format - strategic merge patches need a kind with a schema",
        )),
        Patch::Strategic(patch) => {
            orlop_model::patch::strategic(document, patch.clone(), schema).map_err(|error| {
                Error::bad_request(format!("the strategic merge patch cannot be applied: {error}"))
            })
        }
        Patch::Apply(_) => Err(Error::unsupported(format!(
            "the body of the request was in an unknown format - patches of type {} are not supported",
            patch.content_type()
        ))),
    }
}
