//! Patches of objects: JSON merge patch, JSON patch, strategic merge patch, and the differences between objects.
//!
//! | | applied | made of two | made of three |
//! |---|---|---|---|
//! | JSON merge patch (RFC 7396) | [`merge`] | [`merge_diff`] | [`merge_three_way`] |
//! | JSON patch (RFC 6902) | [`operations`] | | |
//! | strategic merge patch | [`strategic`] | [`strategic_diff`] | [`strategic_three_way`] |

mod document;
mod merge;
mod operations;
mod strategic;

pub use self::document::{Document, DocumentError};
pub use self::merge::{MergeError, merge, merge_diff, merge_three_way};
pub use self::operations::{Dialect, Limits, OperationError, operations};
pub use self::strategic::{StrategicError, strategic, strategic_diff, strategic_three_way};
