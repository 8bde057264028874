//! Planners: what a controller of Kubernetes would do next, as pure functions.
//!
//! `(owner, children, memory, now) -> Plan`: nothing here does I/O, reads a clock or keeps state of its own, so that
//! decisions can be tested against Kubernetes' own, replayed and simulated. Every loop around a planner is the same:
//! read owner and children from a cache, plan, carry out the [`Change`]s of the [`Plan`] in order through a client
//! until one fails, tell its events, and plan again when something changes or after [`Plan::requeue`].
//!
//! | module | decides |
//! | --- | --- |
//! | [`deployment`] | rollouts: ReplicaSets of a Deployment, their sizes, history and rollback |
//! | [`replicaset`] | pods of a ReplicaSet, and which of them go first |
//! | [`job`] | pods of a Job, retries and completion |
//! | [`node_lifecycle`], [`taint_eviction`] | taints of nodes, and the pods they drive away |
//! | [`pod_gc`], [`garbage`] | pods and objects that nobody needs any longer |
//! | [`pod`], [`template`] | what planners ask of pods and make from templates |
//!
//! ```
//! use orlop_model::apps::v1::Deployment;
//! use orlop_planners::deployment::{self, Children};
//!
//! let web: Deployment = serde_json::from_str(r#"{
//!     "metadata": {"name": "web", "namespace": "default", "uid": "1"},
//!     "spec": {
//!         "replicas": 3,
//!         "selector": {"matchLabels": {"app": "web"}},
//!         "strategy": {"type": "Recreate"},
//!         "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "web"}]}}
//!     }
//! }"#)?;
//! let plan = deployment::plan(&web, &Children::default(), "2026-03-01T12:00:00Z".parse()?);
//! let first = plan.changes[0].to_action()?;
//! assert_eq!((&first["verb"], &first["resource"]), (&"create".into(), &"replicasets".into()));
//! assert_eq!(first["object"]["spec"]["replicas"], 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod change;
mod claim;
pub mod deployment;
pub mod garbage;
pub mod job;
pub mod node_lifecycle;
mod object;
mod plan;
pub mod pod;
pub mod pod_gc;
mod pod_status;
pub mod replicaset;
mod selector;
mod sort;
pub mod taint_eviction;
pub mod template;

pub use self::change::{Change, Create, Delete, OnExists, PatchChange, PatchType};
pub use self::object::{PlannedObject, Visit};
pub use self::plan::{EventDraft, Group, Occasion, Plan, PlanError, slow_start};
pub use orlop_model::core::v1::EventType;
