//! Pure planners: `(owner, children, memory, now) -> Plan`.

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
pub use self::plan::{
    EventDraft, EventType, Group, Occasion, Plan, PlanError, reference_to, slow_start,
};
