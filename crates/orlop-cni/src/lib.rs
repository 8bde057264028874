//! CNI, the Container Network Interface: containers are attached to networks by plugins that are called in the order of
//! a network configuration list.
//!
//! [`Cni`] is the runtime. The plugins that are built in, `loopback`, `bridge`, `host-local` and `portmap`, run in the
//! caller's process and speak netlink; others implement [`Plugin`], or are executables that an [`Invoker`] calls by
//! CNI's protocol, if the caller asks for that. [`skel`] is the protocol's other side, for plugins that are to be
//! executables. Results are converted between all versions of the specification from 0.1.0 to 1.1.0.
//!
//! ```no_run
//! # #[cfg(target_os = "linux")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use orlop_cni::capability::{PortMapping, Protocol};
//! use orlop_cni::{Attachment, Cni, NetworkList};
//! use orlop_netlink::Netns;
//!
//! let network = NetworkList::parse(
//!     r#"{"cniVersion": "1.1.0", "name": "pods", "plugins": [
//!         {"type": "loopback"},
//!         {"type": "bridge", "bridge": "pods0", "isDefaultGateway": true, "ipMasq": true,
//!          "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}},
//!         {"type": "portmap", "capabilities": {"portMappings": true}}]}"#,
//! )?;
//! let cni = Cni::builder("/var/lib/example/cni").build()?;
//!
//! let pod = Arc::new(Netns::create()?);
//! let web = PortMapping { host_port: 8080, container_port: 80, protocol: Protocol::Tcp, host_ip: None };
//! let attachment = Attachment::new("3f2a", "eth0").in_namespace(pod).port_mappings(&[web]);
//! let result = cni.add(&network, &attachment)?;
//! println!("{:?}", result.addresses().collect::<Vec<_>>());
//!
//! cni.del(&network, &attachment)?;
//! cni.remove_network(&network)?;
//! assert!(cni.owned(&network)?.is_empty());
//! # Ok(())
//! # }
//! # #[cfg(not(target_os = "linux"))]
//! # fn main() {}
//! ```
//!
//! On other systems than Linux there are the types, the conversion and the protocol, but neither runtime nor plugins.

pub mod capability;
mod conflist;
mod error;
mod files;
#[cfg(feature = "test-util")]
pub mod fuzzing;
mod json;
pub mod name;
mod quote;
mod result;
pub mod skel;
pub mod version;

pub use conflist::{ConfigError, NetworkList, PluginConfig};
pub use error::{CniError, code};
pub use json::Malformed;
pub use result::{CniResult, ConvertError, Dns, Interface, IpConfig, Route, VersionedResult};

#[cfg(target_os = "linux")]
mod fault;
#[cfg(target_os = "linux")]
mod owner;
#[cfg(target_os = "linux")]
pub mod plugin;
#[cfg(target_os = "linux")]
pub mod plugins;
#[cfg(target_os = "linux")]
mod runtime;

#[cfg(target_os = "linux")]
pub use self::{
    fault::Faults,
    owner::{Owned, OwnedKind, Owner},
    plugin::Plugin,
    runtime::{Attachment, Builder, Cni, Error, Executables, Invocation, Invoker, NetnsRef},
};
