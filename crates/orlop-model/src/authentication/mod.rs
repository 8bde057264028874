//! API group `authentication`.

pub mod v1;
