//! API group `events`, version `v1`.

mod event;

pub use self::event::*;
