//! API group `meta`, version `v1`.

mod enums;
mod object_meta;
mod selector;
mod status;

pub use enums::*;
pub use object_meta::*;
pub use selector::*;
pub use status::*;
