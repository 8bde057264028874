//! [`PrioritySort`]: the more important pod first.

use std::cmp::Reverse;

use orlop_clock::Timestamp;

use crate::framework::{Plugin, QueueSort};
use crate::queue::QueuedPod;

/// Greater `spec.priority` first, then whoever has waited longer.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrioritySort;

impl Plugin for PrioritySort {
    fn name(&self) -> &str {
        "PrioritySort"
    }
}

impl QueueSort for PrioritySort {
    type Key = (Reverse<i32>, Timestamp);

    fn key(&self, pod: &QueuedPod) -> Self::Key {
        (Reverse(pod.pod().spec.priority.unwrap_or(0)), pod.since())
    }
}
