//! A whole control plane in one process, as a library: store, API semantics, controllers, scheduler and nodes, and the
//! operations of people ([`ops`]).

pub mod ops;
