//! API group `coordination`, version `v1`.

mod enums;
mod lease;

pub use enums::*;
pub use lease::*;
