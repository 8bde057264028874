//! API group `discovery`.

pub mod v1;
