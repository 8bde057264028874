//! [`SchedulingQueue`]: pods on their way to a decision.

mod backoff;
mod entry;
mod pending;

pub use backoff::Backoff;
pub use entry::QueuedPod;
pub use pending::{QueueCounts, QueueOptions, Requeue, SchedulingQueue};
