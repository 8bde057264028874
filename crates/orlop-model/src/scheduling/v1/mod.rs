//! API group `scheduling`, version `v1`.

mod priority_class;

pub use self::priority_class::*;
