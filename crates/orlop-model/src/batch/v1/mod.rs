//! API group `batch`, version `v1`.

mod enums;
mod job;

pub use enums::*;
pub use job::*;
