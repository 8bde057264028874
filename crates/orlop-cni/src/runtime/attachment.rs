//! [`Attachment`]: which container, which interface, which namespace.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;
use orlop_netlink::{Mac, Netns};
use serde_json::{Map, Value, json};

use crate::CniError;
use crate::capability::PortMapping;
use crate::error::code;

/// What is to be attached to a network, or detached.
///
/// ```no_run
/// use std::sync::Arc;
/// use orlop_cni::Attachment;
/// use orlop_netlink::Netns;
///
/// let by_path = Attachment::new("3f2a", "eth0").in_netns("/run/pods/3f2a/net");
/// let by_descriptor = Attachment::new("3f2a", "eth0").in_namespace(Arc::new(Netns::create()?));
/// # Ok::<(), orlop_netlink::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Attachment {
    /// The container's id: letters, digits, `_`, `.`, `-`.
    pub container_id: String,
    /// Name of the interface in the container, of at most 15 bytes.
    pub ifname: String,
    /// The container's network namespace; may be missing for DEL.
    pub netns: Option<NetnsRef>,
    /// `NAME=VALUE` pairs separated by semicolons, for plugins that read `CNI_ARGS`.
    pub args: String,
    /// By capability, what plugins are told that declare it.
    pub capabilities: Map<String, Value>,
    pub(crate) netns_path: String,
}

/// A network namespace by path or by descriptor.
#[derive(Clone, Debug)]
pub enum NetnsRef {
    /// A file that names it: a bind mount, or one in `/proc`.
    Path(PathBuf),
    /// A descriptor.
    Open(Arc<Netns>),
}

impl Attachment {
    /// Without a namespace or anything else.
    #[must_use]
    pub fn new(container_id: impl Into<String>, ifname: impl Into<String>) -> Self {
        Self { container_id: container_id.into(), ifname: ifname.into(), ..Self::default() }
    }

    /// In the namespace that a path names.
    #[must_use]
    pub fn in_netns(mut self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.netns_path = path.display().to_string();
        self.netns = Some(NetnsRef::Path(path));
        self
    }

    /// In a namespace that is open. Plugins that are executed find it by a path below this process's `/proc` folder.
    #[must_use]
    pub fn in_namespace(mut self, netns: Arc<Netns>) -> Self {
        use std::os::fd::{AsFd, AsRawFd};
        self.netns_path = format!("/proc/{}/fd/{}", std::process::id(), netns.as_fd().as_raw_fd());
        self.netns = Some(NetnsRef::Open(netns));
        self
    }

    /// With a path that results tell instead of the one that the namespace was opened by.
    #[must_use]
    pub fn netns_named(mut self, path: impl Into<String>) -> Self {
        self.netns_path = path.into();
        self
    }

    /// With arguments for plugins that declare a capability.
    #[must_use]
    pub fn capability(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.capabilities.insert(name.into(), value.into());
        self
    }

    /// With ports of the host that lead to the container: capability `portMappings`.
    #[must_use]
    pub fn port_mappings(self, ports: &[PortMapping]) -> Self {
        self.capability("portMappings", json!(ports))
    }

    /// With a hardware address: capability `mac`.
    #[must_use]
    pub fn mac(self, mac: Mac) -> Self {
        self.capability("mac", mac.to_string())
    }

    /// With addresses that it is to have: capability `ips`.
    #[must_use]
    pub fn ips(self, ips: &[IpAddr]) -> Self {
        self.capability("ips", json!(ips))
    }

    /// With networks to choose its addresses from: capability `ipRanges`.
    #[must_use]
    pub fn ip_ranges(self, subnets: &[IpNet]) -> Self {
        let ranges: Vec<_> = subnets.iter().map(|subnet| json!([{"subnet": subnet.to_string()}])).collect();
        self.capability("ipRanges", ranges)
    }

    pub(crate) fn open_netns(&self) -> Result<Arc<Netns>, CniError> {
        match &self.netns {
            Some(NetnsRef::Open(netns)) => Ok(Arc::clone(netns)),
            Some(NetnsRef::Path(path)) => Netns::open(path)
                .map(Arc::new)
                .map_err(|error| CniError::new(code::INVALID_ENVIRONMENT, error.to_string())),
            None => Err(CniError::new(code::INVALID_ENVIRONMENT, "no network namespace")),
        }
    }
}
