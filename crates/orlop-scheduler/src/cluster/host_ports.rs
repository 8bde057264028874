//! [`HostPort`] and [`HostPorts`]: ports of a node that pods take.

use orlop_model::core::v1::{Container, Pod};
use orlop_model::{List, Str};

const ANY_ADDRESS: Str = Str::from_static("0.0.0.0");

/// A port of the node that a pod asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// 1 to 65,535.
    pub port: i32,
    /// `TCP` (also where the pod names none), `UDP`, `SCTP`.
    pub protocol: Str,
    /// Address of the node; `0.0.0.0` (also where the pod names none) stands for all.
    pub address: Str,
}

impl HostPort {
    /// The host ports of a pod's containers and restartable init containers.
    #[must_use]
    pub fn of(pod: &Pod) -> List<Self> {
        let mut ports = List::new();
        for container in &pod.spec.containers {
            collect(container, &mut ports);
        }
        for container in &pod.spec.init_containers {
            if container.restart_policy.as_ref().is_some_and(|policy| policy.as_str() == "Always") {
                collect(container, &mut ports);
            }
        }
        ports
    }

    /// Whether two pods on one node cannot have both.
    #[must_use]
    pub fn conflicts_with(&self, other: &Self) -> bool {
        self.port == other.port
            && self.protocol == other.protocol
            && (self.address == other.address || self.address == ANY_ADDRESS || other.address == ANY_ADDRESS)
    }
}

fn collect(container: &Container, ports: &mut List<HostPort>) {
    for port in &container.ports {
        if port.host_port > 0 {
            ports.push(HostPort {
                port: port.host_port,
                protocol: if port.protocol.is_empty() {
                    Str::from_static("TCP")
                } else {
                    port.protocol.as_str().into()
                },
                address: port.host_ip.non_empty().cloned().unwrap_or(ANY_ADDRESS),
            });
        }
    }
}

/// The ports in use on a node, with the number of pods that use each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPorts(Vec<(HostPort, u32)>);

impl HostPorts {
    /// Whether one of `wanted` conflicts with a port in use.
    #[must_use]
    pub fn conflict(&self, wanted: &[HostPort]) -> bool {
        wanted.iter().any(|port| {
            let from = self.0.partition_point(|(used, _)| used.port < port.port);
            self.0[from..]
                .iter()
                .take_while(|(used, _)| used.port == port.port)
                .any(|(used, _)| used.conflicts_with(port))
        })
    }

    pub(crate) fn take(&mut self, ports: &[HostPort]) {
        for port in ports {
            match self.0.binary_search_by(|(used, _)| used.cmp(port)) {
                Ok(index) => self.0[index].1 += 1,
                Err(index) => self.0.insert(index, (port.clone(), 1)),
            }
        }
    }

    /// Makes the ports free, whoever uses them.
    pub(crate) fn vacate(&mut self, ports: &[HostPort]) {
        for port in ports {
            if let Ok(index) = self.0.binary_search_by(|(used, _)| used.cmp(port)) {
                self.0.remove(index);
            }
        }
    }

    pub(crate) fn give_back(&mut self, ports: &[HostPort]) {
        for port in ports {
            if let Ok(index) = self.0.binary_search_by(|(used, _)| used.cmp(port)) {
                self.0[index].1 -= 1;
                if self.0[index].1 == 0 {
                    self.0.remove(index);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(address: &str, protocol: &str, port: i32) -> HostPort {
        HostPort { port, protocol: protocol.into(), address: address.into() }
    }

    #[test]
    fn any_address_conflicts_with_each() {
        let mut used = HostPorts::default();
        used.take(&[port("127.0.0.1", "TCP", 80), port("0.0.0.0", "UDP", 53)]);
        assert!(used.conflict(&[port("0.0.0.0", "TCP", 80)]));
        assert!(used.conflict(&[port("127.0.0.1", "TCP", 80)]));
        assert!(!used.conflict(&[port("127.0.0.2", "TCP", 80)]));
        assert!(!used.conflict(&[port("127.0.0.1", "UDP", 80)]));
        assert!(used.conflict(&[port("10.0.0.1", "UDP", 53)]));
        used.give_back(&[port("127.0.0.1", "TCP", 80)]);
        assert!(!used.conflict(&[port("0.0.0.0", "TCP", 80)]));
    }
}
