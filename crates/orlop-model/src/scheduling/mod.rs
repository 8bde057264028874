//! API group `scheduling`.

pub mod v1;
