//! API group `certificates`.

pub mod v1;
