//! [`SchedulingQueue`]: pods on their way to a decision.

mod backoff;
mod entry;
mod flight;
mod groups;
mod moves;
mod options;
mod pending;
mod pool;
mod priority;
mod requeue;
mod slots;
mod virtual_time;

pub use backoff::Backoff;
pub use entry::QueuedPod;
pub use moves::{Cause, Moves, QueuePlace};
pub use options::{Hold, QueueCounts, QueueOptions};
pub use pending::SchedulingQueue;
pub use priority::{Priority, PriorityError, SYSTEM_CLUSTER_CRITICAL, SYSTEM_NODE_CRITICAL, priority_of};
pub use requeue::{Gate, Rejector, Requeue};
pub(crate) use virtual_time::{VirtualTime, later};
