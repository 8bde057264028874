//! API group `networking`.

pub mod v1;
