//! API group `events`.

pub mod v1;
