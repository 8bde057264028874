//! API group `apps`, version `v1`.

mod controller_revision;
mod daemon_set;
mod deployment;
mod enums;
mod replica_set;
mod stateful_set;

pub use self::controller_revision::*;
pub use self::daemon_set::*;
pub use self::deployment::*;
pub use self::enums::*;
pub use self::replica_set::*;
pub use self::stateful_set::*;
