//! Node lifecycle: whether nodes are alive, and the taints that tell the scheduler and the evictions so.
//!
//! - [`condition_taints`] keeps the `NoSchedule` taints of a node in line with its conditions; call it when the node
//!   changes, and [`os_labels`] with it.
//! - [`monitor`] looks at the heartbeats of all nodes, every [`MONITOR_PERIOD`]: conditions of a silent node become
//!   `Unknown`, its pods unready, and the node is queued for a `NoExecute` taint.
//! - [`taint`] serves these queues, every [`TAINT_PERIOD`]: one queue per zone, each with a rate that depends on how
//!   much of the zone is down.
//! - [`assigned`] marks a pod unready that was bound to a node which is down.
//!
//! Time is the controller's own: a node counts as alive from the moment at which a new heartbeat is *seen*, so clocks
//! of nodes do not matter.
//!
//! ```
//! use std::sync::Arc;
//! use orlop_model::core::v1::Node;
//! use orlop_planners::node_lifecycle::{self, Cluster, Memory, Settings};
//!
//! let mut node = Node::default();
//! node.metadata.name = "n1".into();
//! let nodes = [Arc::new(node)];
//! let cluster = Cluster { nodes: &nodes, lease: &|_| None, pods: &|_| Vec::new() };
//! let mut memory = Memory::default();
//! // A node that never reported is down once the grace period after its creation is over.
//! let now = "2026-03-01T12:00:00Z".parse()?;
//! let plans = node_lifecycle::monitor(&cluster, &Settings::default(), &mut memory, now);
//! assert!(plans.iter().any(|plan| !plan.changes.is_empty()));
//! # Ok::<(), jiff::Error>(())
//! ```

mod health;
mod monitor;
mod taints;
mod zone;

use std::time::Duration;

pub use monitor::{Cluster, Memory, Settings, assigned, monitor, taint};
pub use taints::{NOT_READY, UNREACHABLE, condition_taints, os_labels};
pub use zone::{ZoneState, zone_key};

/// How often [`monitor`] is to be called.
pub const MONITOR_PERIOD: Duration = Duration::from_secs(5);
/// How often [`taint`] is to be called.
pub const TAINT_PERIOD: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
