//! Containers.

use super::{
    AppArmorProfileType, ContainerRestartPolicy, ContainerRestartRuleAction,
    ContainerRestartRuleOnExitCodesOperator, MountPropagationMode, ProcMountType, Protocol, PullPolicy,
    RecursiveReadOnlyMode, ResourceResizeRestartPolicy, ResourceStatus, SeccompProfileType, Signal,
    TerminationMessagePolicy, URIScheme, VolumeStatus,
};
use crate::{Extra, IntOrString, List, Map, Message, Quantity, Str, Time};

/// `AppArmorProfile` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct AppArmorProfile {
    #[wire(pb = 1, required)]
    pub type_: AppArmorProfileType,
    #[wire(pb = 2)]
    pub localhost_profile: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `Capabilities` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Capabilities {
    #[wire(pb = 1)]
    pub add: List<Str>,
    #[wire(pb = 2)]
    pub drop: List<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ConfigMapEnvSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ConfigMapEnvSource {
    #[wire(pb = "1.1")]
    pub name: Str,
    #[wire(pb = 2)]
    pub optional: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ConfigMapKeySelector` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ConfigMapKeySelector {
    #[wire(pb = "1.1")]
    pub name: Str,
    #[wire(pb = 2, required)]
    pub key: Str,
    #[wire(pb = 3)]
    pub optional: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `Container` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Container {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2)]
    pub image: Str,
    #[wire(pb = 3)]
    pub command: List<Str>,
    #[wire(pb = 4)]
    pub args: List<Str>,
    #[wire(pb = 5)]
    pub working_dir: Str,
    #[wire(
        pb = 6,
        list = "map",
        keys = "containerPort,protocol",
        patch = "merge",
        merge_key = "containerPort"
    )]
    pub ports: List<ContainerPort>,
    #[wire(pb = 19)]
    pub env_from: List<EnvFromSource>,
    #[wire(pb = 7, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub env: List<EnvVar>,
    #[wire(pb = 8)]
    pub resources: ResourceRequirements,
    #[wire(pb = 23)]
    pub resize_policy: List<ContainerResizePolicy>,
    #[wire(pb = 24)]
    pub restart_policy: Option<ContainerRestartPolicy>,
    #[wire(pb = 25)]
    pub restart_policy_rules: List<ContainerRestartRule>,
    #[wire(pb = 9, list = "map", keys = "mountPath", patch = "merge", merge_key = "mountPath")]
    pub volume_mounts: List<VolumeMount>,
    #[wire(pb = 21, list = "map", keys = "devicePath", patch = "merge", merge_key = "devicePath")]
    pub volume_devices: List<VolumeDevice>,
    #[wire(pb = 10)]
    pub liveness_probe: Option<Box<Probe>>,
    #[wire(pb = 11)]
    pub readiness_probe: Option<Box<Probe>>,
    #[wire(pb = 22)]
    pub startup_probe: Option<Box<Probe>>,
    #[wire(pb = 12)]
    pub lifecycle: Option<Box<Lifecycle>>,
    #[wire(pb = 13)]
    pub termination_message_path: Str,
    #[wire(pb = 20)]
    pub termination_message_policy: TerminationMessagePolicy,
    #[wire(pb = 14)]
    pub image_pull_policy: PullPolicy,
    #[wire(pb = 15)]
    pub security_context: Option<Box<SecurityContext>>,
    #[wire(pb = 16)]
    pub stdin: bool,
    #[wire(pb = 17)]
    pub stdin_once: bool,
    #[wire(pb = 18)]
    pub tty: bool,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerExtendedResourceRequest` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerExtendedResourceRequest {
    #[wire(pb = 1, required)]
    pub container_name: Str,
    #[wire(pb = 2, required)]
    pub resource_name: Str,
    #[wire(pb = 3, required)]
    pub request_name: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerImage` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerImage {
    #[wire(pb = 1, required)]
    pub names: List<Str>,
    #[wire(pb = 2)]
    pub size_bytes: i64,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerPort` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerPort {
    #[wire(pb = 1)]
    pub name: Str,
    #[wire(pb = 2)]
    pub host_port: i32,
    #[wire(pb = 3, required)]
    pub container_port: i32,
    #[wire(pb = 4)]
    pub protocol: Protocol,
    #[wire(name = "hostIP", pb = 5)]
    pub host_ip: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerResizePolicy` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerResizePolicy {
    #[wire(pb = 1, required)]
    pub resource_name: Str,
    #[wire(pb = 2, required)]
    pub restart_policy: ResourceResizeRestartPolicy,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerRestartRule` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerRestartRule {
    #[wire(pb = 1)]
    pub action: ContainerRestartRuleAction,
    #[wire(pb = 2)]
    pub exit_codes: Option<Box<ContainerRestartRuleOnExitCodes>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerRestartRuleOnExitCodes` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerRestartRuleOnExitCodes {
    #[wire(pb = 1)]
    pub operator: ContainerRestartRuleOnExitCodesOperator,
    #[wire(pb = 2, list = "set")]
    pub values: List<i32>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerState` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerState {
    #[wire(pb = 1)]
    pub waiting: Option<Box<ContainerStateWaiting>>,
    #[wire(pb = 2)]
    pub running: Option<Box<ContainerStateRunning>>,
    #[wire(pb = 3)]
    pub terminated: Option<Box<ContainerStateTerminated>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerStateRunning` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerStateRunning {
    #[wire(pb = 1, required)]
    pub started_at: Option<Time>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerStateTerminated` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerStateTerminated {
    #[wire(pb = 1, required)]
    pub exit_code: i32,
    #[wire(pb = 2)]
    pub signal: i32,
    #[wire(pb = 3)]
    pub reason: Str,
    #[wire(pb = 4)]
    pub message: Str,
    #[wire(pb = 5, required)]
    pub started_at: Option<Time>,
    #[wire(pb = 6, required)]
    pub finished_at: Option<Time>,
    #[wire(name = "containerID", pb = 7)]
    pub container_id: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerStateWaiting` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerStateWaiting {
    #[wire(pb = 1)]
    pub reason: Str,
    #[wire(pb = 2)]
    pub message: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerStatus {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2)]
    pub state: ContainerState,
    #[wire(pb = 3)]
    pub last_state: ContainerState,
    #[wire(pb = 4, required)]
    pub ready: bool,
    #[wire(pb = 5, required)]
    pub restart_count: i32,
    #[wire(pb = 6, required)]
    pub image: Str,
    #[wire(name = "imageID", pb = 7, required)]
    pub image_id: Str,
    #[wire(name = "containerID", pb = 8)]
    pub container_id: Str,
    #[wire(pb = 9)]
    pub started: Option<bool>,
    #[wire(pb = 10)]
    pub allocated_resources: Map<Quantity>,
    #[wire(pb = 11)]
    pub resources: Option<Box<ResourceRequirements>>,
    #[wire(pb = 12, list = "map", keys = "mountPath", patch = "merge", merge_key = "mountPath")]
    pub volume_mounts: List<VolumeMountStatus>,
    #[wire(pb = 13)]
    pub user: Option<Box<ContainerUser>>,
    #[wire(pb = 14, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub allocated_resources_status: List<ResourceStatus>,
    #[wire(pb = 15)]
    pub stop_signal: Option<Signal>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ContainerUser` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ContainerUser {
    #[wire(pb = 1)]
    pub linux: Option<Box<LinuxContainerUser>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `EnvFromSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvFromSource {
    #[wire(pb = 1)]
    pub prefix: Str,
    #[wire(pb = 2)]
    pub config_map_ref: Option<Box<ConfigMapEnvSource>>,
    #[wire(pb = 3)]
    pub secret_ref: Option<Box<SecretEnvSource>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `EnvVar` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvVar {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2)]
    pub value: Str,
    #[wire(pb = 3)]
    pub value_from: Option<Box<EnvVarSource>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `EnvVarSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvVarSource {
    #[wire(pb = 1, map = "atomic")]
    pub field_ref: Option<Box<ObjectFieldSelector>>,
    #[wire(pb = 2, map = "atomic")]
    pub resource_field_ref: Option<Box<ResourceFieldSelector>>,
    #[wire(pb = 3, map = "atomic")]
    pub config_map_key_ref: Option<Box<ConfigMapKeySelector>>,
    #[wire(pb = 4, map = "atomic")]
    pub secret_key_ref: Option<Box<SecretKeySelector>>,
    #[wire(pb = 5, map = "atomic")]
    pub file_key_ref: Option<Box<FileKeySelector>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `EphemeralContainer` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EphemeralContainer {
    #[wire(inline, pb = 1)]
    pub container: Container,
    #[wire(pb = 2)]
    pub target_container_name: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ExecAction` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ExecAction {
    #[wire(pb = 1)]
    pub command: List<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `FileKeySelector` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct FileKeySelector {
    #[wire(pb = 1, required)]
    pub volume_name: Str,
    #[wire(pb = 2, required)]
    pub path: Str,
    #[wire(pb = 3, required)]
    pub key: Str,
    #[wire(pb = 4)]
    pub optional: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `GRPCAction` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct GRPCAction {
    #[wire(pb = 1, required)]
    pub port: i32,
    #[wire(pb = 2, required)]
    pub service: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `HTTPGetAction` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HTTPGetAction {
    #[wire(pb = 1)]
    pub path: Str,
    #[wire(pb = 2, required)]
    pub port: IntOrString,
    #[wire(pb = 3)]
    pub host: Str,
    #[wire(pb = 4)]
    pub scheme: URIScheme,
    #[wire(pb = 5)]
    pub http_headers: List<HTTPHeader>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `HTTPHeader` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HTTPHeader {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2, required)]
    pub value: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `Lifecycle` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Lifecycle {
    #[wire(pb = 1)]
    pub post_start: Option<Box<LifecycleHandler>>,
    #[wire(pb = 2)]
    pub pre_stop: Option<Box<LifecycleHandler>>,
    #[wire(pb = 3)]
    pub stop_signal: Option<Signal>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `LifecycleHandler` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LifecycleHandler {
    #[wire(pb = 1)]
    pub exec: Option<Box<ExecAction>>,
    #[wire(pb = 2)]
    pub http_get: Option<Box<HTTPGetAction>>,
    #[wire(pb = 3)]
    pub tcp_socket: Option<Box<TCPSocketAction>>,
    #[wire(pb = 4)]
    pub sleep: Option<Box<SleepAction>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `LinuxContainerUser` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LinuxContainerUser {
    #[wire(pb = 1, required)]
    pub uid: i64,
    #[wire(pb = 2, required)]
    pub gid: i64,
    #[wire(pb = 3)]
    pub supplemental_groups: List<i64>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ObjectFieldSelector` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ObjectFieldSelector {
    #[wire(pb = 1)]
    pub api_version: Str,
    #[wire(pb = 2, required)]
    pub field_path: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `Probe` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Probe {
    #[wire(inline, pb = 1)]
    pub handler: ProbeHandler,
    #[wire(pb = 2)]
    pub initial_delay_seconds: i32,
    #[wire(pb = 3)]
    pub timeout_seconds: i32,
    #[wire(pb = 4)]
    pub period_seconds: i32,
    #[wire(pb = 5)]
    pub success_threshold: i32,
    #[wire(pb = 6)]
    pub failure_threshold: i32,
    #[wire(pb = 7)]
    pub termination_grace_period_seconds: Option<i64>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ProbeHandler` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProbeHandler {
    #[wire(pb = 1)]
    pub exec: Option<Box<ExecAction>>,
    #[wire(pb = 2)]
    pub http_get: Option<Box<HTTPGetAction>>,
    #[wire(pb = 3)]
    pub tcp_socket: Option<Box<TCPSocketAction>>,
    #[wire(pb = 4)]
    pub grpc: Option<Box<GRPCAction>>,
}

/// `ResourceClaim` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ResourceClaim {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2)]
    pub request: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ResourceFieldSelector` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ResourceFieldSelector {
    #[wire(pb = 1)]
    pub container_name: Str,
    #[wire(pb = 2, required)]
    pub resource: Str,
    #[wire(pb = 3)]
    pub divisor: Quantity,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ResourceRequirements` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ResourceRequirements {
    #[wire(pb = 1)]
    pub limits: Map<Quantity>,
    #[wire(pb = 2)]
    pub requests: Map<Quantity>,
    #[wire(pb = 3, list = "map", keys = "name")]
    pub claims: List<ResourceClaim>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `SELinuxOptions` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SELinuxOptions {
    #[wire(pb = 1)]
    pub user: Str,
    #[wire(pb = 2)]
    pub role: Str,
    #[wire(pb = 3)]
    pub type_: Str,
    #[wire(pb = 4)]
    pub level: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `SeccompProfile` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SeccompProfile {
    #[wire(pb = 1, required)]
    pub type_: SeccompProfileType,
    #[wire(pb = 2)]
    pub localhost_profile: Option<Str>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `SecretEnvSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SecretEnvSource {
    #[wire(pb = "1.1")]
    pub name: Str,
    #[wire(pb = 2)]
    pub optional: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `SecretKeySelector` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SecretKeySelector {
    #[wire(pb = "1.1")]
    pub name: Str,
    #[wire(pb = 2, required)]
    pub key: Str,
    #[wire(pb = 3)]
    pub optional: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `SecurityContext` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SecurityContext {
    #[wire(pb = 1)]
    pub capabilities: Option<Box<Capabilities>>,
    #[wire(pb = 2)]
    pub privileged: Option<bool>,
    #[wire(pb = 3)]
    pub se_linux_options: Option<Box<SELinuxOptions>>,
    #[wire(pb = 10)]
    pub windows_options: Option<Box<WindowsSecurityContextOptions>>,
    #[wire(pb = 4)]
    pub run_as_user: Option<i64>,
    #[wire(pb = 8)]
    pub run_as_group: Option<i64>,
    #[wire(pb = 5)]
    pub run_as_non_root: Option<bool>,
    #[wire(pb = 6)]
    pub read_only_root_filesystem: Option<bool>,
    #[wire(pb = 7)]
    pub allow_privilege_escalation: Option<bool>,
    #[wire(pb = 9)]
    pub proc_mount: Option<ProcMountType>,
    #[wire(pb = 11)]
    pub seccomp_profile: Option<Box<SeccompProfile>>,
    #[wire(pb = 12)]
    pub app_armor_profile: Option<Box<AppArmorProfile>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `SleepAction` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SleepAction {
    #[wire(pb = 1, required)]
    pub seconds: i64,
    #[wire(extra)]
    pub extra: Extra,
}

/// `TCPSocketAction` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TCPSocketAction {
    #[wire(pb = 1, required)]
    pub port: IntOrString,
    #[wire(pb = 2)]
    pub host: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `VolumeDevice` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VolumeDevice {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2, required)]
    pub device_path: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `VolumeMount` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VolumeMount {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2)]
    pub read_only: bool,
    #[wire(pb = 7)]
    pub recursive_read_only: Option<RecursiveReadOnlyMode>,
    #[wire(pb = 3, required)]
    pub mount_path: Str,
    #[wire(pb = 4)]
    pub sub_path: Str,
    #[wire(pb = 5)]
    pub mount_propagation: Option<MountPropagationMode>,
    #[wire(pb = 6)]
    pub sub_path_expr: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `VolumeMountStatus` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VolumeMountStatus {
    #[wire(pb = 1, required)]
    pub name: Str,
    #[wire(pb = 2, required)]
    pub mount_path: Str,
    #[wire(pb = 3)]
    pub read_only: bool,
    #[wire(pb = 4)]
    pub recursive_read_only: Option<RecursiveReadOnlyMode>,
    #[wire(pb = 5)]
    pub volume_status: Option<Box<VolumeStatus>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `WindowsSecurityContextOptions` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WindowsSecurityContextOptions {
    #[wire(pb = 1)]
    pub gmsa_credential_spec_name: Option<Str>,
    #[wire(pb = 2)]
    pub gmsa_credential_spec: Option<Str>,
    #[wire(pb = 3)]
    pub run_as_user_name: Option<Str>,
    #[wire(pb = 4)]
    pub host_process: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}
