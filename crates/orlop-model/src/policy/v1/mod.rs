//! API group `policy`, version `v1`.

mod enums;
mod eviction;
mod pod_disruption_budget;

pub use self::enums::*;
pub use self::eviction::*;
pub use self::pod_disruption_budget::*;
