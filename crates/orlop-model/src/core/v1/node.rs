//! Nodes.

use super::{
    ConditionStatus, ConfigMapNodeConfigSource, ContainerImage, NodeAddressType, NodeConditionType,
    NodePhase, Taint,
};
use crate::{Extra, List, Map, Message, Object, Quantity, Str, Time};

/// The kind `Node` of `v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(version = "v1", short = "no", cluster, status)]
pub struct Node {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub spec: NodeSpec,
    #[wire(pb = 3)]
    pub status: NodeStatus,
    #[wire(extra)]
    pub extra: Extra,
}

/// `AttachedVolume` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct AttachedVolume {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2, required)]
    pub device_path: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `DaemonEndpoint` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DaemonEndpoint {
    #[wire(name = "Port", pb = 1, required)]
    pub port: i32,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeAddress` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeAddress {
    #[wire(pb = 1, required)]
    pub type_: NodeAddressType,
    #[wire(pb = 2, required)]
    pub address: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeAllocatableResourceClaimStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeAllocatableResourceClaimStatus {
    #[wire(pb = 1, required)]
    pub resource_claim_name: Str,
    #[wire(pb = 2, list = "set")]
    pub containers: List<Str>,
    #[wire(pb = 3, required)]
    pub resources: Map<Quantity>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeCondition` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeCondition {
    #[wire(pb = 1, required)]
    pub type_: NodeConditionType,
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    #[wire(pb = 3, required)]
    pub last_heartbeat_time: Option<Time>,
    #[wire(pb = 4, required)]
    pub last_transition_time: Option<Time>,
    #[wire(pb = 5)]
    pub reason: Str,
    #[wire(pb = 6)]
    pub message: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeConfigSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeConfigSource {
    #[wire(pb = 2)]
    pub config_map: Option<Box<ConfigMapNodeConfigSource>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeConfigStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeConfigStatus {
    #[wire(pb = 1)]
    pub assigned: Option<Box<NodeConfigSource>>,
    #[wire(pb = 2)]
    pub active: Option<Box<NodeConfigSource>>,
    #[wire(pb = 3)]
    pub last_known_good: Option<Box<NodeConfigSource>>,
    #[wire(pb = 4)]
    pub error: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeDaemonEndpoints` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeDaemonEndpoints {
    #[wire(pb = 1)]
    pub kubelet_endpoint: DaemonEndpoint,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeFeatures` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeFeatures {
    #[wire(pb = 1)]
    pub supplemental_groups_policy: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeRuntimeHandler` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeRuntimeHandler {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2)]
    pub features: Option<Box<NodeRuntimeHandlerFeatures>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeRuntimeHandlerFeatures` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeRuntimeHandlerFeatures {
    #[wire(pb = 1)]
    pub recursive_read_only_mounts: Option<bool>,
    #[wire(pb = 2)]
    pub user_namespaces: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeSpec` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeSpec {
    #[wire(name = "podCIDR", pb = 1)]
    pub pod_cidr: Str,
    #[wire(name = "podCIDRs", pb = 7, list = "set", patch = "merge")]
    pub pod_cidrs: List<Str>,
    #[wire(name = "providerID", pb = 3)]
    pub provider_id: Str,
    #[wire(pb = 4)]
    pub unschedulable: bool,
    #[wire(pb = 5)]
    pub taints: List<Taint>,
    #[wire(pb = 6)]
    pub config_source: Option<Box<NodeConfigSource>>,
    #[wire(name = "externalID", pb = 2)]
    pub external_id: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeStatus {
    #[wire(pb = 1)]
    pub capacity: Map<Quantity>,
    #[wire(pb = 2)]
    pub allocatable: Map<Quantity>,
    #[wire(pb = 3)]
    pub phase: NodePhase,
    #[wire(pb = 4, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<NodeCondition>,
    #[wire(pb = 5, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub addresses: List<NodeAddress>,
    #[wire(pb = 6)]
    pub daemon_endpoints: NodeDaemonEndpoints,
    #[wire(pb = 7)]
    pub node_info: NodeSystemInfo,
    #[wire(pb = 8)]
    pub images: List<ContainerImage>,
    #[wire(pb = 9)]
    pub volumes_in_use: List<Str>,
    #[wire(pb = 10)]
    pub volumes_attached: List<AttachedVolume>,
    #[wire(pb = 11)]
    pub config: Option<Box<NodeConfigStatus>>,
    #[wire(pb = 12)]
    pub runtime_handlers: List<NodeRuntimeHandler>,
    #[wire(pb = 13)]
    pub features: Option<Box<NodeFeatures>>,
    #[wire(pb = 14)]
    pub declared_features: List<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeSwapStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeSwapStatus {
    #[wire(pb = 1)]
    pub capacity: Option<i64>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `NodeSystemInfo` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NodeSystemInfo {
    #[wire(name = "machineID", pb = 1, required)]
    pub machine_id: Str,
    #[wire(name = "systemUUID", pb = 2, required)]
    pub system_uuid: Str,
    #[wire(name = "bootID", pb = 3, required)]
    pub boot_id: Str,
    #[wire(pb = 4, required)]
    pub kernel_version: Str,
    #[wire(pb = 5, required)]
    pub os_image: Str,
    #[wire(pb = 6, required)]
    pub container_runtime_version: Str,
    #[wire(pb = 7, required)]
    pub kubelet_version: Str,
    #[wire(pb = 8, required)]
    pub kube_proxy_version: Str,
    #[wire(pb = 9, required)]
    pub operating_system: Str,
    #[wire(pb = 10, required)]
    pub architecture: Str,
    #[wire(pb = 11)]
    pub swap: Option<Box<NodeSwapStatus>>,
    #[wire(extra)]
    pub extra: Extra,
}
