//! [`QueuedPod`]: a pod in the queue, with its history there.

use std::sync::Arc;

use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::Pod;

use super::Rejector;

/// A pod in the queue, with its history there. Times are the queue's: those of the caller, but that
/// they never go back.
#[derive(Clone, Debug)]
pub struct QueuedPod {
    pub(super) pod: Arc<Pod>,
    pub(super) id: Str,
    pub(super) since: Timestamp,
    pub(super) first_added: Timestamp,
    pub(super) attempts: u32,
    pub(super) unschedulable: u32,
    pub(super) errors: u32,
    pub(super) rejected_by: Option<Arc<[Rejector]>>,
    pub(super) gated_by: Option<Str>,
    pub(super) group: Option<Str>,
}

impl QueuedPod {
    /// The object, as last seen.
    #[must_use]
    pub fn pod(&self) -> &Arc<Pod> {
        &self.pod
    }

    /// Its identity, as [`pod_id`](crate::pod_id) gives it.
    #[must_use]
    pub fn id(&self) -> &Str {
        &self.id
    }

    /// When it was added, or last came back from a try.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// When it was first added.
    #[must_use]
    pub fn first_added(&self) -> Timestamp {
        self.first_added
    }

    /// How often it was taken from the queue.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The plugins that turned it down last time, by name.
    #[must_use]
    pub fn rejected_by(&self) -> &[Rejector] {
        self.rejected_by.as_deref().unwrap_or_default()
    }

    /// The plugin that keeps it out of the queue.
    #[must_use]
    pub fn gated_by(&self) -> Option<&Str> {
        self.gated_by.as_ref()
    }

    /// Its group.
    #[must_use]
    pub fn group(&self) -> Option<&Str> {
        self.group.as_ref()
    }

    /// Tries in vain that count for its back-off: errors in a row, else all that ended unschedulable.
    pub(super) fn tries(&self) -> u32 {
        if self.errors > 0 { self.errors } else { self.unschedulable }
    }
}
