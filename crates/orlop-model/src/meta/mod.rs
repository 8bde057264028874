//! API group `meta`.

pub mod v1;
