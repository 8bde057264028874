//! API group `coordination`, version `v1`.

mod enums;
mod lease;

pub use self::enums::*;
pub use self::lease::*;
