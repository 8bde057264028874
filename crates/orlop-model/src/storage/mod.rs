//! API group `storage`.

pub mod v1;
