//! API group `node`.

pub mod v1;
