//! API group `autoscaling`, version `v2`.

mod enums;
mod horizontal_pod_autoscaler;

pub use self::enums::*;
pub use self::horizontal_pod_autoscaler::*;
