//! How a Linux node's runtime works.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use orlop_cni::{ConfigError, NetworkList};
use orlop_model::Str;

use super::log::LogLimits;
use crate::dns::DnsSettings;

/// How a Linux node's runtime works.
#[derive(Clone, Debug)]
pub struct LinuxConfig {
    /// The node's name; it marks what is made outside of [`root`](Self::root).
    pub node: Str,
    /// The folder of everything that outlives the process: records, volumes, the containers' own files. It belongs to
    /// this runtime alone.
    pub root: PathBuf,
    /// The folder of the containers' logs.
    pub logs: PathBuf,
    /// The folder of seccomp profiles that pods may name (`type: Localhost`).
    pub seccomp: PathBuf,
    /// Path of the control group that holds those of all pods, from the top of each hierarchy. It belongs to this
    /// runtime alone.
    pub cgroup: String,
    /// The pods' network.
    pub network: NetworkList,
    /// How pods resolve names.
    pub dns: DnsSettings,
    /// The machine's memory in bytes; what a container requests of it decides whom the kernel kills first.
    pub memory: i64,
    /// So many processes and threads a pod may have; `None`: as many as the machine.
    pub pod_pids_limit: Option<u64>,
    /// How large logs become.
    pub log: LogLimits,
    /// Containers that name no seccomp profile get the default one; otherwise none.
    pub seccomp_default: bool,
    /// Images that are in the store are not asked for elsewhere, also with pull policy `Always`.
    pub local_images: bool,
    /// How registries are spoken to.
    #[cfg(feature = "registry")]
    pub registry: orlop_image::RegistryOptions,
    /// What fails on purpose, for tests.
    #[cfg(feature = "test-util")]
    pub faults: super::Faults,
}

impl LinuxConfig {
    /// A node of this name with everything below one folder, and a network of its own behind a bridge: pods get
    /// addresses out of `subnet` (its first address and the length of its prefix), reach each other and the host, and
    /// through it the outside.
    ///
    /// # Errors
    /// A network that cannot be, because of its name or its addresses.
    pub fn new(
        node: impl Into<Str>,
        root: impl Into<PathBuf>,
        subnet: (Ipv4Addr, u8),
    ) -> Result<Self, ConfigError> {
        let (node, root) = (node.into(), root.into());
        let network = bridge_network(&format!("orlop-{node}"), &bridge_name(&node), subnet)?;
        Ok(Self {
            logs: root.join("logs"),
            seccomp: root.join("seccomp"),
            cgroup: format!("/orlop-{node}"),
            network,
            dns: DnsSettings {
                host: std::fs::read_to_string("/etc/resolv.conf").ok(),
                ..DnsSettings::default()
            },
            memory: machine_memory(),
            pod_pids_limit: None,
            log: LogLimits::default(),
            seccomp_default: true,
            local_images: true,
            #[cfg(feature = "registry")]
            registry: orlop_image::RegistryOptions::default(),
            #[cfg(feature = "test-util")]
            faults: super::Faults::default(),
            node,
            root,
        })
    }
}

/// Name of the bridge of a node: at most 15 bytes, different for different nodes.
fn bridge_name(node: &str) -> String {
    let mut hash = crate::view::Fnv::default();
    hash.text(node);
    format!("orlop{:08x}", hash.0 & 0xffff_ffff)
}

fn bridge_network(
    name: &str,
    bridge: &str,
    (first, length): (Ipv4Addr, u8),
) -> Result<NetworkList, ConfigError> {
    let list = serde_json::json!({
        "cniVersion": "1.1.0",
        "name": name,
        "plugins": [
            {"type": "loopback"},
            {
                "type": "bridge",
                "bridge": bridge,
                "isGateway": true,
                "ipMasq": true,
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": format!("{first}/{length}")}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    });
    NetworkList::parse(&list.to_string())
}

/// Bytes of memory of the machine; 0 if the kernel does not say.
fn machine_memory() -> i64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib =
        line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.trim().parse::<i64>().ok());
    kib.map_or(0, |kib| kib.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_a_network() {
        let config = LinuxConfig::new("worker-1", "/r", (Ipv4Addr::new(10, 9, 1, 0), 24)).unwrap();
        assert_eq!(config.network.name, "orlop-worker-1");
        assert_eq!(config.network.plugins.len(), 3);
        assert!(bridge_name("a-node-with-a-long-name").len() <= 15);
        assert!(config.memory > 0);
    }
}
