//! API group `node`, version `v1`.

mod runtime_class;

pub use self::runtime_class::*;
