//! Patches of objects as JSON documents.

mod strategic;

pub use self::strategic::{StrategicError, strategic};
