//! The kind `NetworkPolicy`.

use super::PolicyType;
use crate::{Extra, IntOrString, List, Message, Object, Str};

/// Namespaced firewall rules that restrict which traffic the selected Pods may receive or send.
///
/// The kind `NetworkPolicy` of `networking.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#networkpolicy-v1-networking).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "networking.k8s.io", version = "v1", plural = "networkpolicies", short = "netpol")]
#[wire(debug)]
pub struct NetworkPolicy {
    /// Object metadata; the policy acts only on Pods of its own namespace.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Selected Pods and the traffic allowed for them.
    #[wire(pb = 2)]
    pub spec: NetworkPolicySpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// CIDR range, minus exceptions, used as a peer of a `NetworkPolicy` rule.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IPBlock {
    /// Allowed IPv4 or IPv6 range, such as `192.168.1.0/24` or `2001:db8::/64`.
    #[wire(pb = 1, required)]
    pub cidr: Str,
    /// CIDR ranges left out of the block; each must lie strictly inside `cidr`.
    #[wire(pb = 2)]
    pub except: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Traffic that selected Pods may send: it must match one of `ports` and one of `to`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NetworkPolicyEgressRule {
    /// Allowed destination ports, combined with OR; empty allows every port.
    #[wire(pb = 1)]
    pub ports: List<NetworkPolicyPort>,
    /// Allowed destinations, combined with OR; empty allows every destination.
    #[wire(pb = 2)]
    pub to: List<NetworkPolicyPeer>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Traffic that selected Pods may receive: it must match one of `ports` and one of `from`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NetworkPolicyIngressRule {
    /// Allowed ports on the selected Pods, combined with OR; empty allows every port.
    #[wire(pb = 1)]
    pub ports: List<NetworkPolicyPort>,
    /// Allowed sources, combined with OR; empty allows every source.
    #[wire(pb = 2)]
    pub from: List<NetworkPolicyPeer>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Source or destination of traffic: Pods by labels, whole namespaces, or an IP block.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NetworkPolicyPeer {
    /// Pods by label, in the policy's namespace or in those of `namespaceSelector`; an empty selector takes
    /// all Pods.
    #[wire(pb = 1, map = "atomic")]
    pub pod_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// Namespaces by label whose Pods match; an empty selector takes all namespaces.
    #[wire(pb = 2, map = "atomic")]
    pub namespace_selector: Option<Box<crate::meta::v1::LabelSelector>>,
    /// CIDR range as peer; cannot be combined with the two selectors.
    #[wire(pb = 3)]
    pub ip_block: Option<Box<IPBlock>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Protocol and port, or port range, that a rule opens.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NetworkPolicyPort {
    /// Transport protocol to match, `TCP`, `UDP` or `SCTP`; `TCP` by default.
    #[wire(pb = 1)]
    pub protocol: Option<crate::core::v1::Protocol>,
    /// Port number or named container port; unset matches all ports of the protocol.
    #[wire(pb = 2)]
    pub port: Option<IntOrString>,
    /// Last port of the range that begins at `port`, inclusive; needs a numeric `port` not larger than it.
    #[wire(pb = 3)]
    pub end_port: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Which Pods a policy isolates and what remains allowed.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NetworkPolicySpec {
    /// Pods of the namespace under the policy; an empty selector takes all of them.
    #[wire(pb = 1, map = "atomic")]
    pub pod_selector: crate::meta::v1::LabelSelector,
    /// Allowed incoming traffic; with ingress isolation and an empty list nothing may come in.
    #[wire(pb = 2)]
    pub ingress: List<NetworkPolicyIngressRule>,
    /// Allowed outgoing traffic; with egress isolation and an empty list nothing may go out.
    #[wire(pb = 3)]
    pub egress: List<NetworkPolicyEgressRule>,
    /// Directions that the policy isolates; by default `Ingress`, plus `Egress` when egress rules exist.
    #[wire(pb = 4)]
    pub policy_types: List<PolicyType>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
