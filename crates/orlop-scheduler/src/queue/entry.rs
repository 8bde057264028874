//! [`QueuedPod`]: a pod in the queue, with its history there.

use std::collections::BTreeSet;
use std::sync::Arc;

use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::Pod;

/// A pod in the queue, or just taken from it, with its history there.
#[derive(Clone, Debug)]
pub struct QueuedPod {
    pub(super) pod: Arc<Pod>,
    pub(super) id: Str,
    pub(super) since: Timestamp,
    pub(super) first_added: Timestamp,
    pub(super) attempts: u32,
    pub(super) unschedulable: u32,
    pub(super) errors: u32,
    pub(super) rejected_by: BTreeSet<Str>,
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

    /// The plugins that turned it down last time.
    #[must_use]
    pub fn rejected_by(&self) -> &BTreeSet<Str> {
        &self.rejected_by
    }

    /// Tries in vain that count for its back-off: errors in a row, else all that ended unschedulable.
    pub(super) fn tries(&self) -> u32 {
        if self.errors > 0 { self.errors } else { self.unschedulable }
    }
}
