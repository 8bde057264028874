//! Pods.

use super::{
    Affinity, AppArmorProfile, ConditionStatus, Container, ContainerExtendedResourceRequest, ContainerStatus,
    DNSPolicy, EphemeralContainer, LocalObjectReference, NodeAllocatableResourceClaimStatus, OSName,
    PodConditionType, PodFSGroupChangePolicy, PodPhase, PodQOSClass, PodResizeStatus, PodSELinuxChangePolicy,
    PreemptionPolicy, ResourceHealthStatus, ResourceRequirements, RestartPolicy, SELinuxOptions,
    SeccompProfile, SupplementalGroupsPolicy, Toleration, TopologySpreadConstraint, Volume,
    WindowsSecurityContextOptions,
};
use crate::{Extra, List, Map, Message, Object, Quantity, Str, Time};

/// The kind `Pod` of `v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(version = "v1", short = "po", categories = "all", status)]
pub struct Pod {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub spec: PodSpec,
    #[wire(pb = 3)]
    pub status: PodStatus,
    #[wire(extra)]
    pub extra: Extra,
}

/// `HostAlias` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HostAlias {
    #[wire(pb = 1, required)]
    pub ip: Str,
    #[wire(pb = 2)]
    pub hostnames: List<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `HostIP` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HostIP {
    #[wire(pb = 1, required)]
    pub ip: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodCondition` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodCondition {
    #[wire(pb = 1, required)]
    pub type_: PodConditionType,
    #[wire(pb = 7)]
    pub observed_generation: i64,
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    #[wire(pb = 3, required)]
    pub last_probe_time: Option<Time>,
    #[wire(pb = 4, required)]
    pub last_transition_time: Option<Time>,
    #[wire(pb = 5)]
    pub reason: Str,
    #[wire(pb = 6)]
    pub message: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodDNSConfig` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodDNSConfig {
    #[wire(pb = 1)]
    pub nameservers: List<Str>,
    #[wire(pb = 2)]
    pub searches: List<Str>,
    #[wire(pb = 3)]
    pub options: List<PodDNSConfigOption>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodDNSConfigOption` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodDNSConfigOption {
    #[wire(pb = 1)]
    pub name: Str,
    #[wire(pb = 2)]
    pub value: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodExtendedResourceClaimStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodExtendedResourceClaimStatus {
    #[wire(pb = 1, required)]
    pub request_mappings: List<ContainerExtendedResourceRequest>,
    #[wire(pb = 2, required)]
    pub resource_claim_name: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodIP` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodIP {
    #[wire(pb = 1, required)]
    pub ip: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodOS` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodOS {
    #[wire(pb = 1, required)]
    pub name: OSName,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodReadinessGate` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodReadinessGate {
    #[wire(pb = 1, required)]
    pub condition_type: PodConditionType,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodResourceClaim` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodResourceClaim {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 3)]
    pub resource_claim_name: Option<Str>,
    #[wire(pb = 4)]
    pub resource_claim_template_name: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodResourceClaimStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodResourceClaimStatus {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2)]
    pub resource_claim_name: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodSchedulingGate` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodSchedulingGate {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodSchedulingGroup` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodSchedulingGroup {
    #[wire(pb = 1)]
    pub pod_group_name: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodSecurityContext` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodSecurityContext {
    #[wire(pb = 1)]
    pub se_linux_options: Option<Box<SELinuxOptions>>,
    #[wire(pb = 8)]
    pub windows_options: Option<Box<WindowsSecurityContextOptions>>,
    #[wire(pb = 2)]
    pub run_as_user: Option<i64>,
    #[wire(pb = 6)]
    pub run_as_group: Option<i64>,
    #[wire(pb = 3)]
    pub run_as_non_root: Option<bool>,
    #[wire(pb = 4)]
    pub supplemental_groups: List<i64>,
    #[wire(pb = 12)]
    pub supplemental_groups_policy: Option<SupplementalGroupsPolicy>,
    #[wire(pb = 5)]
    pub fs_group: Option<i64>,
    #[wire(pb = 7)]
    pub sysctls: List<Sysctl>,
    #[wire(pb = 9)]
    pub fs_group_change_policy: Option<PodFSGroupChangePolicy>,
    #[wire(pb = 10)]
    pub seccomp_profile: Option<Box<SeccompProfile>>,
    #[wire(pb = 11)]
    pub app_armor_profile: Option<Box<AppArmorProfile>>,
    #[wire(pb = 13)]
    pub se_linux_change_policy: Option<PodSELinuxChangePolicy>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodSpec` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodSpec {
    #[wire(pb = 1, list = "map", keys = "name", patch = "merge,retainKeys", merge_key = "name")]
    pub volumes: List<Volume>,
    #[wire(pb = 20, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub init_containers: List<Container>,
    #[wire(pb = 2, required, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub containers: List<Container>,
    #[wire(pb = 34, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub ephemeral_containers: List<EphemeralContainer>,
    #[wire(pb = 3)]
    pub restart_policy: RestartPolicy,
    #[wire(pb = 4)]
    pub termination_grace_period_seconds: Option<i64>,
    #[wire(pb = 5)]
    pub active_deadline_seconds: Option<i64>,
    #[wire(pb = 6)]
    pub dns_policy: DNSPolicy,
    #[wire(pb = 7, map = "atomic")]
    pub node_selector: Map<Str>,
    #[wire(pb = 8)]
    pub service_account_name: Str,
    #[wire(pb = 9)]
    pub service_account: Str,
    #[wire(pb = 21)]
    pub automount_service_account_token: Option<bool>,
    #[wire(pb = 10)]
    pub node_name: Str,
    #[wire(pb = 11)]
    pub host_network: bool,
    #[wire(name = "hostPID", pb = 12)]
    pub host_pid: bool,
    #[wire(name = "hostIPC", pb = 13)]
    pub host_ipc: bool,
    #[wire(pb = 27)]
    pub share_process_namespace: Option<bool>,
    #[wire(pb = 14)]
    pub security_context: Option<Box<PodSecurityContext>>,
    #[wire(pb = 15, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub image_pull_secrets: List<LocalObjectReference>,
    #[wire(pb = 16)]
    pub hostname: Str,
    #[wire(pb = 17)]
    pub subdomain: Str,
    #[wire(pb = 18)]
    pub affinity: Option<Box<Affinity>>,
    #[wire(pb = 19)]
    pub scheduler_name: Str,
    #[wire(pb = 22)]
    pub tolerations: List<Toleration>,
    #[wire(pb = 23, list = "map", keys = "ip", patch = "merge", merge_key = "ip")]
    pub host_aliases: List<HostAlias>,
    #[wire(pb = 24)]
    pub priority_class_name: Str,
    #[wire(pb = 25)]
    pub priority: Option<i32>,
    #[wire(pb = 26)]
    pub dns_config: Option<Box<PodDNSConfig>>,
    #[wire(pb = 28)]
    pub readiness_gates: List<PodReadinessGate>,
    #[wire(pb = 29)]
    pub runtime_class_name: Option<Str>,
    #[wire(pb = 30)]
    pub enable_service_links: Option<bool>,
    #[wire(pb = 31)]
    pub preemption_policy: Option<PreemptionPolicy>,
    #[wire(pb = 32)]
    pub overhead: Map<Quantity>,
    #[wire(
        pb = 33,
        list = "map",
        keys = "topologyKey,whenUnsatisfiable",
        patch = "merge",
        merge_key = "topologyKey"
    )]
    pub topology_spread_constraints: List<TopologySpreadConstraint>,
    #[wire(name = "setHostnameAsFQDN", pb = 35)]
    pub set_hostname_as_fqdn: Option<bool>,
    #[wire(pb = 36)]
    pub os: Option<Box<PodOS>>,
    #[wire(pb = 37)]
    pub host_users: Option<bool>,
    #[wire(pb = 38, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub scheduling_gates: List<PodSchedulingGate>,
    #[wire(pb = 39, list = "map", keys = "name", patch = "merge,retainKeys", merge_key = "name")]
    pub resource_claims: List<PodResourceClaim>,
    #[wire(pb = 40)]
    pub resources: Option<Box<ResourceRequirements>>,
    #[wire(pb = 41)]
    pub hostname_override: Option<Str>,
    #[wire(pb = 43)]
    pub scheduling_group: Option<Box<PodSchedulingGroup>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodStatus {
    #[wire(pb = 17)]
    pub observed_generation: i64,
    #[wire(pb = 1)]
    pub phase: PodPhase,
    #[wire(pb = 2, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<PodCondition>,
    #[wire(pb = 3)]
    pub message: Str,
    #[wire(pb = 4)]
    pub reason: Str,
    #[wire(pb = 11)]
    pub nominated_node_name: Str,
    #[wire(name = "hostIP", pb = 5)]
    pub host_ip: Str,
    #[wire(name = "hostIPs", pb = 16, patch = "merge", merge_key = "ip")]
    pub host_ips: List<HostIP>,
    #[wire(name = "podIP", pb = 6)]
    pub pod_ip: Str,
    #[wire(name = "podIPs", pb = 12, list = "map", keys = "ip", patch = "merge", merge_key = "ip")]
    pub pod_ips: List<PodIP>,
    #[wire(pb = 7)]
    pub start_time: Option<Time>,
    #[wire(pb = 10)]
    pub init_container_statuses: List<ContainerStatus>,
    #[wire(pb = 8)]
    pub container_statuses: List<ContainerStatus>,
    #[wire(pb = 9)]
    pub qos_class: PodQOSClass,
    #[wire(pb = 13)]
    pub ephemeral_container_statuses: List<ContainerStatus>,
    #[wire(pb = 14)]
    pub resize: PodResizeStatus,
    #[wire(pb = 15, list = "map", keys = "name", patch = "merge,retainKeys", merge_key = "name")]
    pub resource_claim_statuses: List<PodResourceClaimStatus>,
    #[wire(pb = 18)]
    pub extended_resource_claim_status: Option<Box<PodExtendedResourceClaimStatus>>,
    #[wire(pb = 19)]
    pub allocated_resources: Map<Quantity>,
    #[wire(pb = 20)]
    pub resources: Option<Box<ResourceRequirements>>,
    #[wire(pb = 21)]
    pub node_allocatable_resource_claim_statuses: List<NodeAllocatableResourceClaimStatus>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `PodTemplateSpec` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PodTemplateSpec {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub spec: PodSpec,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ResourceHealth` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ResourceHealth {
    #[wire(name = "resourceID", pb = 1, required)]
    pub resource_id: Str,
    #[wire(pb = 2)]
    pub health: ResourceHealthStatus,
    #[wire(pb = 6)]
    pub message: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ResourceStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ResourceStatus {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2, list = "map", keys = "resourceID")]
    pub resources: List<ResourceHealth>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `Sysctl` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Sysctl {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2, required)]
    pub value: Str,
    #[wire(extra)]
    pub extra: Extra,
}
