//! API group `admissionregistration`, version `v1`.

mod enums;
mod mutating_admission_policy;
mod mutating_admission_policy_binding;
mod mutating_webhook_configuration;
mod parts;
mod validating_admission_policy;
mod validating_admission_policy_binding;
mod validating_webhook_configuration;

pub use self::enums::*;
pub use self::mutating_admission_policy::*;
pub use self::mutating_admission_policy_binding::*;
pub use self::mutating_webhook_configuration::*;
pub use self::parts::*;
pub use self::validating_admission_policy::*;
pub use self::validating_admission_policy_binding::*;
pub use self::validating_webhook_configuration::*;
