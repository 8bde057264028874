//! Whether a pod needs a new sandbox.

use orlop_model::Str;
use orlop_model::core::v1::Pod;

use crate::view::{Network, RuntimeView, SandboxState};

/// The sandbox that a pod has, or whether it needs another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxNeed {
    /// A new one is needed.
    pub create: bool,
    /// The attempt of the sandbox to use or to make.
    pub attempt: u32,
    /// The present sandbox's id; empty if there is none, or none of use.
    pub id: Str,
}

/// The network that a pod asks for.
pub fn network_of(pod: &Pod) -> Network {
    if pod.spec.host_network { Network::Node } else { Network::Pod }
}

/// A sandbox is needed if there is none, if more than one is ready, if the newest is not, if its network is not what
/// the pod asks for, or if it has a network of its own without an address.
pub fn sandbox_need(pod: &Pod, seen: &RuntimeView) -> SandboxNeed {
    let Some(newest) = seen.sandboxes.first() else {
        return SandboxNeed { create: true, attempt: 0, id: Str::EMPTY };
    };
    let anew =
        |id: &Str| SandboxNeed { create: true, attempt: newest.attempt.saturating_add(1), id: id.clone() };
    let ready = seen.sandboxes.iter().filter(|sandbox| sandbox.state == SandboxState::Ready).count();
    if ready > 1 || newest.state != SandboxState::Ready {
        return anew(&newest.id);
    }
    if newest.network != network_of(pod) {
        return anew(&Str::EMPTY);
    }
    if !pod.spec.host_network && newest.ip.as_ref().is_some_and(|ip| ip.is_empty()) {
        return anew(&newest.id);
    }
    SandboxNeed { create: false, attempt: newest.attempt, id: newest.id.clone() }
}
