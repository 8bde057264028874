//! Strategic merge patch: like a merge patch (RFC 7396), with lists merged by the keys that a schema names.
//!
//! The algorithms are those of Kubernetes, down to what its code does by accident: the order in which elements end up,
//! which nulls and directives survive in new values, which patches are refused.

mod apply;
mod diff;
mod error;
mod order;
mod rules;
mod three_way;

use serde_json::Value;

pub(super) use self::apply::{Target, added, check_order, merge_list, merge_object, overwritten_objects};
pub use self::error::StrategicError;
pub(super) use self::order::{Identity, Places, Scalar, in_order};
pub(super) use self::rules::{Place, Rules, Strategy};
pub use self::three_way::strategic_three_way;
use crate::Schema;

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
pub(super) const ELEMENT_ORDER: &str = "$setElementOrder";
/// What names of directives begin with.
pub(super) const DIRECTIVES: [&str; 4] = [DIRECTIVE, RETAIN_KEYS, DELETE_FROM, ELEMENT_ORDER];

/// A value as Go prints it (`map[a:1 b:[x y]]`), as it stands in messages about strategic merge patches.
#[must_use]
pub fn printed(value: &Value) -> String {
    error::dump(value)
}

fn is_deletion(element: &Value) -> bool {
    element.get(DIRECTIVE).is_some_and(|directive| directive == "delete")
}

/// Applies `patch` to `original`, whose fields `schema` describes; without a schema lists are replaced. All directives are
/// understood: `$patch`, `$retainKeys`, `$deleteFromPrimitiveList`, `$setElementOrder`.
///
/// ```
/// use orlop_model::{Message, core::v1::Pod, patch};
/// use serde_json::json;
///
/// let pod = json!({"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}});
/// let change = json!({"spec": {"containers": [{"name": "b", "image": "b:2"}]}});
/// let patched = patch::strategic(pod, change, Some(Pod::SCHEMA))?;
/// // The elements of the patch go first, as far as they are new; others keep their places.
/// assert_eq!(patched["spec"]["containers"][0]["image"], "a:1");
/// assert_eq!(patched["spec"]["containers"][1]["image"], "b:2");
/// # Ok::<(), patch::StrategicError>(())
/// ```
///
/// # Errors
/// If one of both is no object, or the patch contradicts itself or the schema; the latter also where both have an object or
/// a list in a field that the schema does not know.
pub fn strategic(
    original: Value,
    patch: Value,
    schema: Option<&'static Schema>,
) -> Result<Value, StrategicError> {
    merged(original, patch, Rules::new(schema, false))
}

/// The same, with fields that the schema does not know merged as a JSON merge patch does it.
pub(super) fn strategic_leniently(
    original: Value,
    patch: Value,
    schema: &'static Schema,
) -> Result<Value, StrategicError> {
    merged(original, patch, Rules::new(Some(schema), true))
}

fn merged(original: Value, patch: Value, rules: Rules) -> Result<Value, StrategicError> {
    match (original, patch) {
        (Value::Object(original), Value::Object(patch)) => {
            merge_object(original, patch, rules, Target::Document).map(Value::Object)
        }
        _ => Err(StrategicError::NotAnObject),
    }
}

/// The strategic merge patch that makes `modified` of `original`, as Kubernetes makes it. Applied to `original` it does
/// not always give `modified`: lists of scalars in another order and elements with equal keys defeat it. See
/// [`diff`](super::diff) for a patch that is sure to.
///
/// # Errors
/// If one of both is no object, or they differ in a field that the schema does not know, or have elements without the key
/// by which the schema finds them.
pub fn strategic_diff(
    original: &Value,
    modified: &Value,
    schema: Option<&'static Schema>,
) -> Result<Value, StrategicError> {
    diff::difference(original, modified, Rules::new(schema, false))
}

/// The same, with fields that the schema does not know compared as for a JSON merge patch.
pub(super) fn strategic_diff_leniently(
    original: &Value,
    modified: &Value,
    schema: &'static Schema,
) -> Result<Value, StrategicError> {
    diff::difference(original, modified, Rules::new(Some(schema), true))
}
