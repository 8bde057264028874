//! API group `discovery`, version `v1`.

mod endpoint_slice;
mod enums;

pub use self::endpoint_slice::*;
pub use self::enums::*;
