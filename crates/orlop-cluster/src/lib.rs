//! A whole control plane in one process, as a library.
//!
//! - [`Cluster`] composes store, API semantics, controllers, scheduler and (simulated) nodes; its example is the whole
//!   story in twenty lines.
//! - [`ops`] is what people do with a cluster, this one or any other behind a client: apply manifests, wait, roll out
//!   and back, scale, drain, delete, look.
//!
//! Nothing is decided here: decisions are those of `orlop-planners`, `orlop-scheduler` and `orlop-node`.

mod audit;
mod carry_out;
mod cluster;
mod controllers;
pub mod ops;

pub use audit::Leftover;
pub use cluster::{Builder, Cluster, StartError};
