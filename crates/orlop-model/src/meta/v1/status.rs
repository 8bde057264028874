//! Statuses and conditions.

use super::{CauseType, ConditionStatus, StatusReason};
use crate::{Extra, List, Message, Str, Time};

/// One observed aspect of an object's state, in the shape shared by many `status.conditions` lists.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Condition {
    /// Name of the aspect in CamelCase, optionally with a domain prefix; unique within the condition list.
    #[wire(pb = 1, required)]
    pub type_: Str,
    /// Whether the aspect holds: `True`, `False` or `Unknown`.
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    /// The `metadata.generation` this condition was computed from; a smaller number than the current one
    /// means it is stale.
    #[wire(pb = 3)]
    pub observed_generation: i64,
    /// Moment at which `status` last switched to another value.
    #[wire(pb = 4, required, plain)]
    pub last_transition_time: Option<Time>,
    /// CamelCase word for programs that tells why the condition last changed; must not be empty.
    #[wire(pb = 5, required)]
    pub reason: Str,
    /// Explanation for people, possibly empty, at most 32768 characters.
    #[wire(pb = 6, required)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Metadata of a collection or of a synthetic response, as opposed to that of a stored object.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ListMeta {
    /// Former URL of the list; deprecated and no longer filled in by the server.
    #[wire(pb = 1)]
    pub self_link: Str,
    /// Version of the collection snapshot, from which a watch may be started; opaque to clients, set by the
    /// server.
    #[wire(pb = 2)]
    pub resource_version: Str,
    /// Token for requesting the next page; empty when the list is complete, and valid only for a limited
    /// time.
    #[wire(pb = 3)]
    pub continue_: Str,
    /// Estimated number of items after this page; absent when unknown, on the last page, or when selectors
    /// are used.
    #[wire(pb = 4)]
    pub remaining_item_count: Option<i64>,
    /// Present if the list was narrowed by a shard selector and therefore is only a part of the collection.
    #[wire(pb = 5)]
    pub shard_info: Option<Box<ShardInfo>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Tells which shard selector produced a partial list.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ShardInfo {
    /// The request's shard selector, repeated so that clients can verify and merge their shards.
    #[wire(pb = 1, required)]
    pub selector: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Outcome of a call that returns no other object, most often an error report.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct Status {
    /// List-style metadata, normally empty in a status answer.
    #[wire(pb = 1)]
    pub metadata: ListMeta,
    /// Overall outcome, either `Success` or `Failure`.
    #[wire(pb = 2)]
    pub status: Str,
    /// Description of the outcome for people.
    #[wire(pb = 3)]
    pub message: Str,
    /// Machine-readable cause of a failure that refines the HTTP code; empty when nothing is known.
    #[wire(pb = 4)]
    pub reason: StatusReason,
    /// Further data about the failure, such as the object concerned and single causes, depending on `reason`.
    #[wire(pb = 5)]
    pub details: Option<Box<StatusDetails>>,
    /// HTTP status code suggested for the outcome; 0 if not set.
    #[wire(pb = 6)]
    pub code: i32,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One of possibly several problems behind a failed request.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct StatusCause {
    /// Machine-readable kind of the problem; empty when there is no information.
    #[wire(pb = 1)]
    pub reason: CauseType,
    /// Description of the problem for people, which may be shown as is.
    #[wire(pb = 2)]
    pub message: Str,
    /// Path of the offending field in JSON notation, such as `spec.containers[0].image`; empty if none is
    /// known.
    #[wire(pb = 3)]
    pub field: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Structured data about a failure: the object concerned, its causes and retry advice.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct StatusDetails {
    /// Name of the object the failed call was about, if one is known.
    #[wire(pb = 1)]
    pub name: Str,
    /// API group of the object concerned; empty for core or unknown.
    #[wire(pb = 2)]
    pub group: Str,
    /// Resource or kind concerned, which may differ from the kind requested.
    #[wire(pb = 3)]
    pub kind: Str,
    /// UID of the single object concerned, if there is one.
    #[wire(pb = 6)]
    pub uid: Str,
    /// Individual problems found, such as one entry for each invalid field.
    #[wire(pb = 4)]
    pub causes: List<StatusCause>,
    /// Seconds to wait before the operation is tried again; 0 gives no advice.
    #[wire(pb = 5)]
    pub retry_after_seconds: i32,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
