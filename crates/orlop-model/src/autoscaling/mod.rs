//! API group `autoscaling`.

pub mod v1;
