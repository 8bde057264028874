//! API group `apps`, version `v1`.

mod deployment;
mod enums;
mod replica_set;

pub use deployment::*;
pub use enums::*;
pub use replica_set::*;
