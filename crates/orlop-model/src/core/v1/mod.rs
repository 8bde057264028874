//! API group `core`, version `v1`.

mod affinity;
mod binding;
mod config_map;
mod container;
mod enums;
mod event;
mod namespace;
mod node;
mod pod;
mod reference;
pub mod resource_name;
mod secret;
mod secret_data;
mod service;
mod volume;

pub use affinity::*;
pub use binding::*;
pub use config_map::*;
pub use container::*;
pub use enums::*;
pub use event::*;
pub use namespace::*;
pub use node::*;
pub use pod::*;
pub use reference::*;
pub use secret::*;
pub use service::*;
pub use volume::*;
