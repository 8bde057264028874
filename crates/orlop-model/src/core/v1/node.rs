//! Nodes.

use super::{
    ConditionStatus, ConfigMapNodeConfigSource, ContainerImage, NodeAddressType, NodeConditionType,
    NodePhase, Taint,
};
use crate::{Extra, List, Map, Message, Object, Quantity, Str, Time};

/// A machine of the cluster on which pods run.
///
/// The kind `Node` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#node-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", short = "no", cluster, status, subresources = "proxy")]
#[wire(debug)]
pub struct Node {
    /// Standard object metadata; the labels serve node selectors and affinities.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Wanted properties: taints, pod address ranges and whether pods may be scheduled.
    #[wire(pb = 2)]
    pub spec: NodeSpec,
    /// What the kubelet and the node controllers report: capacity, conditions, addresses and more.
    #[wire(pb = 3)]
    pub status: NodeStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One volume that the attach/detach controller has attached to a node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct AttachedVolume {
    /// Cluster-wide unique name of the volume, made of plugin name and volume identifier.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Path on the node under which the attached device is expected.
    #[wire(pb = 2, required)]
    pub device_path: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Port on which a daemon of the node listens.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct DaemonEndpoint {
    /// TCP port number of the daemon, 10250 for the kubelet by default.
    #[wire(name = "Port", pb = 1, required)]
    pub port: i32,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// An address by which a node can be reached.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeAddress {
    /// Kind of address, such as `Hostname`, `InternalIP` or `ExternalIP`.
    #[wire(pb = 1, required)]
    pub type_: NodeAddressType,
    /// The address itself, an IP address or a DNS name.
    #[wire(pb = 2, required)]
    pub address: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Node resources such as CPU or memory that a pod obtained through dynamic resource allocation.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeAllocatableResourceClaimStatus {
    /// Name of the resource claim, after expansion of templates, from which the amounts stem; required.
    #[wire(pb = 1, required)]
    pub resource_claim_name: Str,
    /// Containers of the pod that use the claim.
    #[wire(pb = 2, list = "set")]
    pub containers: List<Str>,
    /// Total amount given to the claim, by name of the node resource; written by the scheduler.
    #[wire(pb = 3, required)]
    pub resources: Map<Quantity>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One aspect of the health of a node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeCondition {
    /// Aspect in question, such as `Ready` or `MemoryPressure`; required.
    #[wire(pb = 1, required)]
    pub type_: NodeConditionType,
    /// Truth value `True`, `False` or `Unknown`, the latter when the kubelet has fallen silent.
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    /// Time at which the kubelet last sent the condition, by default at least every five minutes.
    #[wire(pb = 3, required, plain, needless)]
    pub last_heartbeat_time: Option<Time>,
    /// Time at which `status` last changed.
    #[wire(pb = 4, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// Brief cause of the last change in CamelCase, such as `KubeletReady`.
    #[wire(pb = 5)]
    pub reason: Str,
    /// Human-readable details of the last change.
    #[wire(pb = 6)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Origin of a dynamic kubelet configuration; of no effect since the feature was removed in 1.24.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeConfigSource {
    /// Config map with the configuration, the only kind of origin there was.
    #[wire(pb = 2)]
    pub config_map: Option<Box<ConfigMapNodeConfigSource>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// State of dynamic kubelet configuration; no longer filled in since the feature was removed.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeConfigStatus {
    /// Configuration the node was told to use, as stored on its disk.
    #[wire(pb = 1)]
    pub assigned: Option<Box<NodeConfigSource>>,
    /// Configuration the node was really running with.
    #[wire(pb = 2)]
    pub active: Option<Box<NodeConfigSource>>,
    /// Configuration to fall back on, an earlier one that had proven stable.
    #[wire(pb = 3)]
    pub last_known_good: Option<Box<NodeConfigSource>>,
    /// Problem met in applying `assigned`, after which the node fell back to `lastKnownGood`.
    #[wire(pb = 4)]
    pub error: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Ports of the daemons that run on a node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeDaemonEndpoints {
    /// Port of the kubelet server, 10250 by default.
    #[wire(pb = 1)]
    pub kubelet_endpoint: DaemonEndpoint,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Abilities of the container runtime on a node that do not depend on the runtime handler.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeFeatures {
    /// Whether the runtime honours `supplementalGroupsPolicy` and reports the user of containers.
    #[wire(pb = 1)]
    pub supplemental_groups_policy: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// A runtime handler available on a node, with what it can do.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeRuntimeHandler {
    /// Handler name as used by runtime classes; empty for the default handler.
    #[wire(pb = 1, required, needless)]
    pub name: Str,
    /// Abilities of the handler, unset where the runtime does not tell.
    #[wire(pb = 2)]
    pub features: Option<Box<NodeRuntimeHandlerFeatures>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Abilities of one runtime handler.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeRuntimeHandlerFeatures {
    /// Whether the handler can make mounts read-only along with all their submounts.
    #[wire(pb = 1)]
    pub recursive_read_only_mounts: Option<bool>,
    /// Whether the handler can run pods in user namespaces of their own.
    #[wire(pb = 2)]
    pub user_namespaces: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Wanted properties of a node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeSpec {
    /// Address range from which pods of the node get their IPs; equals the first of `podCIDRs`.
    #[wire(name = "podCIDR", pb = 1)]
    pub pod_cidr: Str,
    /// Address ranges for pods of the node, at most one of IPv4 and one of IPv6.
    #[wire(name = "podCIDRs", pb = 7, list = "set", patch = "merge")]
    pub pod_cidrs: List<Str>,
    /// Identifier of the machine at its cloud, as `provider://id`; once set, never changed.
    #[wire(name = "providerID", pb = 3)]
    pub provider_id: Str,
    /// Keeps new pods off the node, as `kubectl cordon` does; false by default.
    #[wire(pb = 4)]
    pub unschedulable: bool,
    /// Marks that repel or evict pods lacking a matching toleration.
    #[wire(pb = 5)]
    pub taints: List<Taint>,
    /// Origin of dynamic kubelet configuration; deprecated and of no effect.
    #[wire(pb = 6)]
    pub config_source: Option<Box<NodeConfigSource>>,
    /// Former identifier of the machine; deprecated, not set by kubelets since 1.13.
    #[wire(name = "externalID", pb = 2)]
    pub external_id: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// State of a node as reported by its kubelet and by controllers.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeStatus {
    /// Total resources of the machine, such as `cpu`, `memory` and `pods`.
    #[wire(pb = 1)]
    pub capacity: Map<Quantity>,
    /// Resources left for pods after reservations for the system; taken from `capacity` when not reported.
    #[wire(pb = 2)]
    pub allocatable: Map<Quantity>,
    /// Former life stage of the node; deprecated and not filled in.
    #[wire(pb = 3)]
    pub phase: NodePhase,
    /// Aspects of health, such as `Ready` and `DiskPressure`.
    #[wire(pb = 4, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<NodeCondition>,
    /// Addresses of the node, from the cloud provider or found by the kubelet.
    #[wire(pb = 5, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub addresses: List<NodeAddress>,
    /// Ports of daemons of the node, only the kubelet at present.
    #[wire(pb = 6)]
    pub daemon_endpoints: NodeDaemonEndpoints,
    /// Identifiers and software versions of the machine.
    #[wire(pb = 7)]
    pub node_info: NodeSystemInfo,
    /// Images present on the node, at most 50 unless the kubelet is configured otherwise.
    #[wire(pb = 8)]
    pub images: List<ContainerImage>,
    /// Attachable volumes mounted or being mounted, set by the kubelet so that they are not detached too
    /// early.
    #[wire(pb = 9)]
    pub volumes_in_use: List<Str>,
    /// Volumes attached to the node, set by the attach/detach controller.
    #[wire(pb = 10)]
    pub volumes_attached: List<AttachedVolume>,
    /// State of dynamic kubelet configuration; no longer filled in.
    #[wire(pb = 11)]
    pub config: Option<Box<NodeConfigStatus>>,
    /// Runtime handlers the container runtime offers, with their abilities.
    #[wire(pb = 12)]
    pub runtime_handlers: List<NodeRuntimeHandler>,
    /// Abilities of the container runtime apart from single handlers.
    #[wire(pb = 13)]
    pub features: Option<Box<NodeFeatures>>,
    /// Names of kubelet features relevant to scheduling, for matching pods that need them.
    #[wire(pb = 14)]
    pub declared_features: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Swap memory of a node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeSwapStatus {
    /// Total swap space, in bytes; unset if unknown.
    #[wire(pb = 1)]
    pub capacity: Option<i64>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Identifiers and versions of a node, collected by its kubelet.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct NodeSystemInfo {
    /// Content of `/etc/machine-id` on Linux, unique within the cluster.
    #[wire(name = "machineID", pb = 1, required)]
    pub machine_id: Str,
    /// UUID that the firmware gives the machine; `machineID` is preferred for identification.
    #[wire(name = "systemUUID", pb = 2, required)]
    pub system_uuid: Str,
    /// Identifier that changes with each boot of the machine.
    #[wire(name = "bootID", pb = 3, required)]
    pub boot_id: Str,
    /// Kernel release, as `uname -r` prints it.
    #[wire(pb = 4, required)]
    pub kernel_version: Str,
    /// Name of the operating system release, such as `Debian GNU/Linux 12 (bookworm)`.
    #[wire(pb = 5, required)]
    pub os_image: Str,
    /// Runtime and its version, written like `containerd://2.0.0`.
    #[wire(pb = 6, required)]
    pub container_runtime_version: Str,
    /// Version of the kubelet, such as `v1.36.0`.
    #[wire(pb = 7, required)]
    pub kubelet_version: Str,
    /// Deprecated: held a guess of the kube-proxy version, and current kubelets leave it empty.
    #[wire(pb = 8, required)]
    pub kube_proxy_version: Str,
    /// Operating system as Go calls it, `linux` or `windows`.
    #[wire(pb = 9, required)]
    pub operating_system: Str,
    /// Processor architecture as Go calls it, such as `amd64` or `arm64`.
    #[wire(pb = 10, required)]
    pub architecture: Str,
    /// Swap space of the machine, if the kubelet reports it.
    #[wire(pb = 11)]
    pub swap: Option<Box<NodeSwapStatus>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
