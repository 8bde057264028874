//! The plugins that are built in.

mod bridge;
mod host_local;
mod loopback;
mod masquerade;
mod portmap;
mod removal;
mod rollback;
mod rules;

pub use bridge::{Bridge, BridgeConfig};
pub use host_local::{HostLocal, HostLocalConfig, Range};
pub use loopback::{Loopback, LoopbackConfig};
pub use portmap::{PortMap, PortMapConfig};
pub(crate) use rollback::Rollback;
