//! API group `rbac`, version `v1`.

mod cluster_role;
mod cluster_role_binding;
mod parts;
mod role;
mod role_binding;

pub use self::cluster_role::*;
pub use self::cluster_role_binding::*;
pub use self::parts::*;
pub use self::role::*;
pub use self::role_binding::*;
