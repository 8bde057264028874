//! Events of a watch.

use crate::{Extra, Message, RawJson, Str};

/// One message of a watch stream: the sort of change and the object concerned.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct WatchEvent {
    /// Sort of event: `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    #[wire(pb = 1, required)]
    pub type_: Str,
    /// New state for additions and changes, last state for deletions, bare resource version for bookmarks,
    /// usually a `Status` for errors.
    #[wire(pb = 2, required, plain)]
    pub object: Option<RawJson>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
