//! API group `networking`, version `v1`.

mod enums;
mod ingress;
mod ingress_class;
mod ip_address;
mod network_policy;
mod service_cidr;

pub use self::enums::*;
pub use self::ingress::*;
pub use self::ingress_class::*;
pub use self::ip_address::*;
pub use self::network_policy::*;
pub use self::service_cidr::*;
