//! Patches of objects: JSON merge patch, JSON patch, strategic merge patch, and the differences between objects.
//!
//! | | applied | made of two | made of three |
//! |---|---|---|---|
//! | JSON merge patch (RFC 7396) | [`merge`] | [`merge_diff`] | [`merge_three_way`] |
//! | JSON patch (RFC 6902) | [`operations`] | | |
//! | strategic merge patch | [`strategic`] | [`strategic_diff`] | [`strategic_three_way`] |
//!
//! These work on documents, as Kubernetes does it. [`apply_strategic`] and [`apply_merge`] change typed objects in place, so
//! that a small patch of a large object costs little. [`diff`] and [`between`] find the patch that makes one object of
//! another and leaves all else alone.
//!
//! Custom kinds take JSON patches and merge patches; Kubernetes refuses strategic merge patches of them
//! ([`StrategicError::Unsupported`]), as their schemas name no merge keys.

mod difference;
mod document;
mod merge;
mod operations;
mod strategic;
#[cfg(test)]
mod tests;
mod typed;

pub use self::difference::{Patch, between, diff};
pub use self::document::{Document, DocumentError};
pub use self::merge::{MergeError, merge, merge_diff, merge_three_way};
pub use self::operations::{Dialect, Limits, OperationError, operations};
pub use self::strategic::{StrategicError, printed, strategic, strategic_diff, strategic_three_way};
pub use self::typed::{PatchError, apply_merge, apply_operations, apply_strategic};
