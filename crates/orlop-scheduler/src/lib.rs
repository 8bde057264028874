//! Scheduling: which node a pod goes to, and why.
//!
//! - [`framework`](Filter): one small trait per extension point ([`Filter`], [`Score`], [`PreEnqueue`],
//!   [`QueueSort`], [`Reserve`], [`Permit`] …), put together in [`Profile`]s. A plugin sees a pod only
//!   through the signature that it took from it, and declares what it [reads](Reads).
//! - [`plugins`]: kube-scheduler's own, with its rules, reasons and scores.
//! - [`Engine`]: the cluster as a fold over [`Change`]s, and the pure decision
//!   [`Engine::schedule`]; [`Engine::explain`] says why, per node and plugin.
//! - [`SchedulingQueue`]: who is next; back-off, and waking by the events that matter.
//! - [`Scheduler`]: engine and queue together: told what happens, it says what to bind.
//! - feature `driver`: the loop that connects them to informers and a client.
//!
//! Everything but the driver is synchronous and pure: time, seed and events are arguments.
//!
//! ```
//! use std::sync::Arc;
//! use orlop_model::core::v1::{Node, Pod};
//! use orlop_scheduler::{Change, Engine, Profile};
//!
//! let mut engine = Engine::new([Profile::kubernetes()], 1)?;
//! for (name, cpu) in [("small", "1"), ("big", "8")] {
//!     let node: Node = serde_json::from_value(serde_json::json!({
//!         "metadata": {"name": name},
//!         "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}},
//!     }))?;
//!     engine.record(Change::NodeAdded(Arc::new(node)))?;
//! }
//! let pod: Pod = serde_json::from_value(serde_json::json!({
//!     "metadata": {"name": "web", "namespace": "default"},
//!     "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "500m"}}}]},
//! }))?;
//! assert_eq!(engine.schedule(&Arc::new(pod)).node().unwrap(), "big");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cluster;
#[cfg(feature = "driver")]
pub mod driver;
mod engine;
mod framework;
pub mod plugins;
mod preemption;
mod queue;
mod scheduler;
mod waiting;

pub use cluster::{
    BindPlan, Change, ChangeLog, Cluster, ClusterView, GroupCount, HostPort, HostPorts, Image, Images,
    Logged, NodeView, PlacedPod, PodGroup, RecordError, Replaced, Resources, StorageChange, StorageEvent,
    Volumes, Workload, WorkloadKind, is_extended, is_finished, is_scalar, pod_id,
};
pub use engine::{
    Decision, Engine, Explanation, Fork, NodeExplanation, Placement, PluginOutcome, PluginScore, Rejection,
    ScheduleError, Trial, Unplaced, Unschedulable,
};
pub use framework::{
    Bind, BindVerdict, ClusterEvent, ClusterFilter, ClusterScore, Code, Counts, DomainFilter, DomainScore,
    Feasibility, Feasible, Filter, Hint, MAX_SCORE, Normalize, Permit, PermitVerdict, Plan, Plugin,
    PodTemplate, PostBind, PostFilter, PreBind, PreEnqueue, PreFilter, PreScore, Profile, ProfileBuilder,
    ProfileError, QueueSort, Reads, Reason, Remedy, Reserve, Score, Status, Tally, Totals, Verdict,
};
pub use preemption::{Candidate, DryRun, Nomination};
pub use queue::{
    Backoff, Cause, Gate, Hold, Moves, Priority, PriorityError, QueueCounts, QueueOptions, QueuePlace,
    QueuedPod, Rejector, Requeue, SYSTEM_CLUSTER_CRITICAL, SYSTEM_NODE_CRITICAL, SchedulingQueue,
    priority_of,
};
pub use scheduler::{Scheduler, Step};
pub use waiting::{WaitingPod, WaitingPods};
