//! Pods as real processes, on Linux.
//!
//! [`LinuxRuntime`] is a [`PodRuntime`](crate::PodRuntime) that puts containers (`orlop-container`), images
//! (`orlop-image`), networks (`orlop-cni`) and files (`orlop-fs`) together: a sandbox is namespaces and a control group,
//! held by mounts and folders, without a process; a container is a process over the layers of its image, with the pod's
//! volumes, its log in the CRI's line format.
//!
//! Everything is written down before it is made, so that whatever a killed agent has left is found by the next
//! ([`PodRuntime::recover`](crate::PodRuntime::recover)), and [`LinuxRuntime::audit`] tells from kernel and disk what is
//! there.
//!
//! It needs root, of the machine or of namespaces of the program's own (`orlop_container::rootless`). Where no cgroups were
//! delegated it works without: containers have no limits and no statistics, which
//! [`RuntimeInfo::limits`](crate::RuntimeInfo::limits) says. Where there is one user only, whatever needs another is refused,
//! and groups of images are left out.
//!
//! ```no_run
//! use std::net::Ipv4Addr;
//! use std::sync::Arc;
//! use orlop_clock::{Clock, Random};
//! use orlop_image::{Store, StoreOptions};
//! use orlop_node::linux::{LinuxConfig, LinuxRuntime};
//!
//! # fn make(clock: Arc<dyn Clock>) -> Result<(), Box<dyn std::error::Error>> {
//! let images = Store::open("/var/lib/example/images", StoreOptions::default())?;
//! let config = LinuxConfig::new("worker-1", "/var/lib/example/worker-1", (Ipv4Addr::new(10, 1, 1, 0), 24))?;
//! let runtime = LinuxRuntime::new(config, images, clock, Random::new(7))?;
//! # drop(runtime);
//! # Ok(())
//! # }
//! ```

mod atomic;
mod cgroups;
mod config;
mod connect;
mod container;
mod exec;
mod faults;
mod gates;
mod grpc;
mod handlers;
mod http;
mod images;
mod log;
mod log_read;
mod mounts;
mod output;
mod ownership;
mod record;
mod recover;
mod runtime;
mod sandbox;
#[cfg(test)]
mod scratch;
mod seccomp;
mod security;
mod state;
#[cfg(feature = "https")]
mod tls;
mod undo;
mod volumes;

pub use config::LinuxConfig;
#[cfg(feature = "test-util")]
pub use faults::Faults;
pub use log::LogLimits;
pub use recover::Left;
pub use runtime::{LinuxError, LinuxRuntime};
