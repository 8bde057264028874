//! JSON merge patch (RFC 7396): application, differences, three documents.

use std::collections::BTreeMap;

use super::Document;

type Entries = BTreeMap<String, Document>;

/// A JSON merge patch that cannot be applied or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The patch is neither an object nor a list.
    #[error("Invalid JSON Patch")]
    Patch,
    /// The document is `null`, or not an object where only objects will do.
    #[error("Invalid JSON Document")]
    Document,
    /// One document is a list and the other is none.
    #[error("Mismatched JSON Documents")]
    Mismatched,
    /// What the modified document changes was deleted by it too.
    #[error("the patch changes and deletes the same fields")]
    Conflict,
}

/// Applies a JSON merge patch as Kubernetes does, which differs from RFC 7396 where a patch is no object: a list replaces
/// the document, scalars are refused. Objects in lists that replace something else than an object lose their nulls.
///
/// ```
/// use orlop_model::patch::{self, Document};
///
/// let document: Document = r#"{"a": {"b": 1, "c": 2}, "d": [1, 2]}"#.parse()?;
/// let change: Document = r#"{"a": {"b": null, "e": 3}, "d": [4]}"#.parse()?;
/// assert_eq!(patch::merge(document, change)?.to_string(), r#"{"a":{"c":2,"e":3},"d":[4]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the document is `null`, or the patch is neither an object nor a list.
pub fn merge(document: Document, patch: Document) -> Result<Document, MergeError> {
    match (document, patch) {
        (Document::Null, _) => Err(MergeError::Document),
        (Document::Object(mut document), Document::Object(patch)) => {
            merge_entries(&mut document, patch);
            Ok(Document::Object(document))
        }
        (_, mut patch @ (Document::Object(_) | Document::Array(_))) => {
            remove_nulls(&mut patch);
            Ok(patch)
        }
        _ => Err(MergeError::Patch),
    }
}

fn merge_entries(document: &mut Entries, patch: Entries) {
    for (name, mut new) in patch {
        if new.is_null() {
            document.remove(&name);
            continue;
        }
        match (document.get_mut(&name), new) {
            (Some(Document::Object(old)), Document::Object(new)) => merge_entries(old, new),
            // A list that replaces an object keeps the nulls of its objects.
            (Some(old @ Document::Object(_)), new) => *old = new,
            (_, other) => {
                new = other;
                remove_nulls(&mut new);
                document.insert(name, new);
            }
        }
    }
}

/// Removes entries that are `null`; items of lists stay.
fn remove_nulls(document: &mut Document) {
    match document {
        Document::Object(entries) => {
            entries.retain(|_, value| !value.is_null());
            entries.values_mut().for_each(remove_nulls);
        }
        Document::Array(items) => items.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}

/// The merge patch that makes `modified` of `original`, as Kubernetes makes it: for two objects, or for two lists of as
/// many objects.
///
/// A merge patch cannot say that a value becomes `null`, or that an object loses all that it had and stays empty: see
/// [`diff`](super::diff) for a patch that is sure to.
///
/// # Errors
/// If they are not of the same form.
pub fn merge_diff(original: &Document, modified: &Document) -> Result<Document, MergeError> {
    match (original, modified) {
        (Document::Array(original), Document::Array(modified)) if original.len() == modified.len() => {
            let patches =
                original.iter().zip(modified).map(|(original, modified)| object_diff(original, modified));
            patches.collect::<Result<_, _>>().map(Document::Array)
        }
        (Document::Array(_), Document::Array(_)) => Err(MergeError::Document),
        (Document::Array(_), _) | (_, Document::Array(_)) => Err(MergeError::Mismatched),
        _ => object_diff(original, modified),
    }
}

fn object_diff(original: &Document, modified: &Document) -> Result<Document, MergeError> {
    let entries = |document| match document {
        // Go leaves a map as it is when it reads `null` into it.
        &Document::Null => Ok(None),
        Document::Object(entries) => Ok(Some(entries)),
        _ => Err(MergeError::Document),
    };
    let empty = Entries::new();
    let (original, modified) = (entries(original)?.unwrap_or(&empty), entries(modified)?.unwrap_or(&empty));
    Ok(Document::Object(entries_diff(original, modified)))
}

fn entries_diff(original: &Entries, modified: &Entries) -> Entries {
    let mut patch = Entries::new();
    for (name, new) in modified {
        match (original.get(name), new) {
            (Some(Document::Object(old)), Document::Object(new)) => {
                let changes = entries_diff(old, new);
                if !changes.is_empty() {
                    patch.insert(name.clone(), Document::Object(changes));
                }
            }
            (Some(old), new) if same(old, new) => {}
            (_, new) => {
                patch.insert(name.clone(), new.clone());
            }
        }
    }
    let gone = original.keys().filter(|name| !modified.contains_key(*name));
    patch.extend(gone.map(|name| (name.clone(), Document::Null)));
    patch
}

/// Whether two documents are equal; numbers by value.
pub(super) fn same(left: &Document, right: &Document) -> bool {
    match (left, right) {
        (Document::Number(left), Document::Number(right)) => same_number(left, right),
        (Document::Array(left), Document::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Document::Object(left), Document::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

fn same_number(left: &str, right: &str) -> bool {
    let is_integer = |text: &str| !text.contains(['.', 'e', 'E']);
    if left == right {
        return true;
    }
    if is_integer(left) && is_integer(right) {
        return left.trim_start_matches('-') == "0" && right.trim_start_matches('-') == "0";
    }
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => left.is_finite() && left == right,
        _ => false,
    }
}

/// The merge patch that brings `current` to `modified` without undoing what others changed: changes and additions from
/// `current` to `modified`, and deletions from `original`, what was applied last, to `modified`.
///
/// # Errors
/// If one of them is no object (`null` counts as an empty one), or both parts say something of the same field.
pub fn merge_three_way(
    original: &Document,
    modified: &Document,
    current: &Document,
) -> Result<Document, MergeError> {
    let additions = part(merge_diff(current, modified)?, false)?;
    let deletions = part(merge_diff(original, modified)?, true)?;
    if overlap(&Document::Object(additions.clone()), &Document::Object(deletions.clone())) {
        return Err(MergeError::Conflict);
    }
    merge(Document::Object(deletions), Document::Object(additions))
}

/// The nulls of a patch, or everything else.
fn part(patch: Document, nulls: bool) -> Result<Entries, MergeError> {
    match patch {
        Document::Object(entries) => Ok(filtered(entries, nulls)),
        _ => Err(MergeError::Patch),
    }
}

fn filtered(entries: Entries, nulls: bool) -> Entries {
    let mut kept = Entries::new();
    for (name, value) in entries {
        match value {
            // An empty object is a value, not an empty patch.
            Document::Object(inner) if !inner.is_empty() => {
                let inner = filtered(inner, nulls);
                if !inner.is_empty() {
                    kept.insert(name, Document::Object(inner));
                }
            }
            value if value.is_null() == nulls => {
                kept.insert(name, value);
            }
            _ => {}
        }
    }
    kept
}

/// Whether two patches say different things of the same field.
fn overlap(left: &Document, right: &Document) -> bool {
    match (left, right) {
        (Document::Object(left), Document::Object(right)) => {
            left.iter().any(|(name, left)| right.get(name).is_some_and(|right| overlap(left, right)))
        }
        (Document::Array(left), Document::Array(right)) => {
            left.len() != right.len() || left.iter().zip(right).any(|(left, right)| overlap(left, right))
        }
        _ => !same(left, right),
    }
}
