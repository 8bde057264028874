//! API group `certificates`, version `v1`.

mod certificate_signing_request;
mod enums;

pub use self::certificate_signing_request::*;
pub use self::enums::*;
