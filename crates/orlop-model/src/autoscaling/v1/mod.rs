//! API group `autoscaling`, version `v1`.

mod enums;
mod horizontal_pod_autoscaler;
mod scale;

pub use self::enums::*;
pub use self::horizontal_pod_autoscaler::*;
pub use self::scale::*;
