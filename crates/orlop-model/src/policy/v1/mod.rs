//! API group `policy`, version `v1`.

mod eviction;

pub use eviction::*;
