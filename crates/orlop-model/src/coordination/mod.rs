//! API group `coordination`.

pub mod v1;
