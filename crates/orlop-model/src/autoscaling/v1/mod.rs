//! API group `autoscaling`, version `v1`.

mod scale;

pub use scale::*;
