//! Statuses of pods.

use super::{
    ConditionStatus, NodeAllocatableResourceClaimStatus, PodConditionType, PodPhase, PodQOSClass,
    PodResizeStatus, RecursiveReadOnlyMode, ResourceHealthStatus, ResourceRequirements, Signal,
};
use crate::{Constant, Extra, List, Map, Message, Quantity, Rare, Str, Time};

/// Links an extended resource of a container to the device request of the claim that backs it.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerExtendedResourceRequest {
    /// Name of the container that asks for the extended resource.
    #[wire(pb = 1, required)]
    pub container_name: Str,
    /// Name of the extended resource, such as `example.com/gpu`.
    #[wire(pb = 2, required)]
    pub resource_name: Str,
    /// Name of the request inside the generated resource claim that supplies the resource.
    #[wire(pb = 3, required)]
    pub request_name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Present or past state of a container, with one member set; no member means waiting.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerState {
    /// Set while the container is not yet running, for example during an image pull.
    #[wire(pb = 1)]
    pub waiting: Option<Box<ContainerStateWaiting>>,
    /// Set while the container runs.
    #[wire(pb = 2)]
    pub running: Option<Box<ContainerStateRunning>>,
    /// Set once the container has exited, with its outcome.
    #[wire(pb = 3)]
    pub terminated: Option<Box<ContainerStateTerminated>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

impl Constant for ContainerState {
    const DEFAULT: &'static Self =
        &Self { waiting: None, running: None, terminated: None, extra: Extra::new() };
}

/// Details of a running container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerStateRunning {
    /// Time at which the container was last started or restarted.
    #[wire(pb = 1, required, plain, needless)]
    pub started_at: Option<Time>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Outcome of a container that has exited.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerStateTerminated {
    /// Exit code of the main process; 0 means success.
    #[wire(pb = 1, required)]
    pub exit_code: i32,
    /// Number of the signal that ended the process, 0 when not known.
    #[wire(pb = 2)]
    pub signal: i32,
    /// Brief cause in CamelCase, such as `Completed`, `Error` or `OOMKilled`.
    #[wire(pb = 3)]
    pub reason: Str,
    /// Final message, read from the termination message file or the logs.
    #[wire(pb = 4)]
    pub message: Str,
    /// Time at which the execution that ended had begun.
    #[wire(pb = 5, required, plain, needless)]
    pub started_at: Option<Time>,
    /// Time at which the container exited.
    #[wire(pb = 6, required, plain, needless)]
    pub finished_at: Option<Time>,
    /// Identifier of the ended container, written as `type://id`.
    #[wire(name = "containerID", pb = 7)]
    pub container_id: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Why a container is not running yet.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerStateWaiting {
    /// Brief cause in CamelCase, such as `ContainerCreating`, `ImagePullBackOff` or `CrashLoopBackOff`.
    #[wire(pb = 1)]
    pub reason: Str,
    /// Human-readable details of why the container waits.
    #[wire(pb = 2)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// State of one container of a pod, as reported by the kubelet.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerStatus {
    /// Name of the container in the pod spec; cannot be changed.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// State the container is in now.
    #[wire(pb = 2)]
    pub state: ContainerState,
    /// How the previous run ended, in case the container has been restarted.
    #[wire(pb = 3)]
    pub last_state: Rare<ContainerState>,
    /// Whether the readiness probe passes; without a probe, true once the container has started.
    #[wire(pb = 4, required)]
    pub ready: bool,
    /// Number of restarts, counted from containers still on the node, so that garbage collection may reset
    /// it.
    #[wire(pb = 5, required)]
    pub restart_count: i32,
    /// Image the container runs, as the runtime resolved it; may differ from the one in the spec.
    #[wire(pb = 6, required)]
    pub image: Str,
    /// Identifier or digest of the image that the runtime uses.
    #[wire(name = "imageID", pb = 7, required)]
    pub image_id: Str,
    /// Identifier of the container, written as `type://id`, such as `containerd://4f5e`.
    #[wire(name = "containerID", pb = 8)]
    pub container_id: Str,
    /// True once the post-start hook has ended and any startup probe has passed; reset upon restart.
    #[wire(pb = 9)]
    pub started: Option<bool>,
    /// Requests the node has granted to the container, updated once a resize is admitted.
    #[wire(pb = 10)]
    pub allocated_resources: Map<Quantity>,
    /// Requests and limits in force on the running container, as read back from the runtime.
    #[wire(pb = 11)]
    pub resources: Option<Box<ResourceRequirements>>,
    /// Mounts of the container as they were carried out, such as the resulting recursive read-only mode.
    #[wire(pb = 12, list = "map", keys = "mountPath", patch = "merge", merge_key = "mountPath")]
    pub volume_mounts: List<VolumeMountStatus>,
    /// Identity under which the first process of the container was started.
    #[wire(pb = 13)]
    pub user: Option<Box<ContainerUser>>,
    /// Health of the devices given to the container by device plugins or dynamic resource allocation.
    #[wire(pb = 14, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub allocated_resources_status: List<ResourceStatus>,
    /// Signal the runtime sends for stopping the container, after the defaults of image and runtime.
    #[wire(pb = 15)]
    pub stop_signal: Option<Signal>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Identity of the first process of a container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerUser {
    /// User and group ids of the process; set on Linux only.
    #[wire(pb = 1)]
    pub linux: Option<Box<LinuxContainerUser>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One IP address of the node on which a pod runs.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HostIP {
    /// The address in text form, IPv4 or IPv6.
    #[wire(pb = 1, required)]
    pub ip: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// What the kubelet mounted for an image volume.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ImageVolumeStatus {
    /// Digest reference of the image or artifact that was resolved and mounted.
    #[wire(pb = 1, needed)]
    pub image_ref: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// User and group ids with which the first process of a container was started on Linux.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct LinuxContainerUser {
    /// Primary user id of the process.
    #[wire(pb = 1, required)]
    pub uid: i64,
    /// Primary group id of the process.
    #[wire(pb = 2, required)]
    pub gid: i64,
    /// Further group ids of the process, including those the image defines when the policy merges them.
    #[wire(pb = 3)]
    pub supplemental_groups: List<i64>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One aspect of a Pod's state, with its truth value, time of change and explanation.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodCondition {
    /// Which aspect is meant, e.g. `Ready` or `PodScheduled`; readiness gates add further domain-prefixed
    /// types.
    #[wire(pb = 1, required)]
    pub type_: PodConditionType,
    /// The Pod's `metadata.generation` on which this condition was computed.
    #[wire(pb = 7)]
    pub observed_generation: i64,
    /// Whether the condition holds: `True`, `False` or `Unknown`.
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    /// When the condition was last checked; components normally leave it empty.
    #[wire(pb = 3, required, plain, needless)]
    pub last_probe_time: Option<Time>,
    /// When `status` last switched from one value to another.
    #[wire(pb = 4, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// CamelCase word for machines explaining the last transition, e.g. `Unschedulable`.
    #[wire(pb = 5)]
    pub reason: Str,
    /// Details of the last transition for humans; may be empty.
    #[wire(pb = 6)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Tells which generated `ResourceClaim` backs the extended resources of a Pod that DRA devices serve.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodExtendedResourceClaimStatus {
    /// Maps each container and extended resource to the request of the claim that provides the device.
    #[wire(pb = 1, required)]
    pub request_mappings: List<ContainerExtendedResourceRequest>,
    /// Name of the `ResourceClaim`, in the Pod's namespace, that the scheduler created for the extended
    /// resources.
    #[wire(pb = 2, required)]
    pub resource_claim_name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One IP address given to a Pod.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodIP {
    /// The address, IPv4 or IPv6, in its textual form.
    #[wire(pb = 1, required)]
    pub ip: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Records which `ResourceClaim` was generated for one entry of the Pod's `resourceClaims`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodResourceClaimStatus {
    /// Name of the entry in `spec.resourceClaims` this status belongs to.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Name of the generated claim in the Pod's namespace; unset if none turned out to be needed.
    #[wire(pb = 2)]
    pub resource_claim_name: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Last known state of a Pod, which may lag behind; reported mainly by the kubelet of its node.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodStatus {
    /// The `metadata.generation` of the Pod that this status reflects.
    #[wire(pb = 17)]
    pub observed_generation: i64,
    /// Coarse stage of life, set to `Pending` at creation and afterwards derived from the container states.
    #[wire(pb = 1)]
    pub phase: PodPhase,
    /// Detailed states such as `PodScheduled`, `Initialized` and `Ready`, one entry per type.
    #[wire(pb = 2, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<PodCondition>,
    /// Human-readable explanation of the phase, e.g. of an eviction.
    #[wire(pb = 3)]
    pub message: Str,
    /// Short CamelCase cause of the state, e.g. `Evicted`.
    #[wire(pb = 4)]
    pub reason: Str,
    /// Node where room is being made or expected for the Pod; no guarantee that it ends up there.
    #[wire(pb = 11)]
    pub nominated_node_name: Str,
    /// Primary IP address of the node; empty until the Pod is bound and the kubelet has taken it up.
    #[wire(name = "hostIP", pb = 5)]
    pub host_ip: Str,
    /// All IP addresses of the node, at most one per family, the first equal to `hostIP`.
    #[wire(name = "hostIPs", pb = 16, patch = "merge", merge_key = "ip")]
    pub host_ips: List<HostIP>,
    /// Primary IP address of the Pod, reachable at least within the cluster; empty until allocated.
    #[wire(name = "podIP", pb = 6)]
    pub pod_ip: Str,
    /// Addresses of the Pod, at most one IPv4 and one IPv6, the first equal to `podIP`.
    #[wire(name = "podIPs", pb = 12, list = "map", keys = "ip", patch = "merge", merge_key = "ip")]
    pub pod_ips: List<PodIP>,
    /// When the kubelet accepted the Pod, before it pulled any image.
    #[wire(pb = 7)]
    pub start_time: Option<Time>,
    /// State of each init container, including sidecars, as reported by the kubelet.
    #[wire(pb = 10)]
    pub init_container_statuses: List<ContainerStatus>,
    /// State of each regular container, with restarts, image and readiness.
    #[wire(pb = 8)]
    pub container_statuses: List<ContainerStatus>,
    /// Quality-of-service class computed from requests and limits at creation; it never changes afterwards.
    #[wire(pb = 9)]
    pub qos_class: PodQOSClass,
    /// State of each ephemeral debugging container that was added to the Pod.
    #[wire(pb = 13)]
    pub ephemeral_container_statuses: List<ContainerStatus>,
    /// Progress of an in-place resize; deprecated, read the conditions `PodResizePending` and
    /// `PodResizeInProgress` instead.
    #[wire(pb = 14)]
    pub resize: PodResizeStatus,
    /// Names of the claims generated from templates, one entry per such `spec.resourceClaims` item.
    #[wire(pb = 15, list = "map", keys = "name", patch = "merge,retainKeys", merge_key = "name")]
    pub resource_claim_statuses: List<PodResourceClaimStatus>,
    /// The claim created by the scheduler for extended resources that DRA devices back.
    #[wire(pb = 18)]
    pub extended_resource_claim_status: Option<Box<PodExtendedResourceClaimStatus>>,
    /// Pod-level requests the node has granted so far; differs from the spec while a resize waits.
    #[wire(pb = 19)]
    pub allocated_resources: Map<Quantity>,
    /// Pod-level requests and limits actually in force on the node's control group.
    #[wire(pb = 20)]
    pub resources: Option<Box<ResourceRequirements>>,
    /// Amounts of node resources such as `cpu` or `memory` that DRA claims allocated to the Pod; written by
    /// the scheduler.
    #[wire(pb = 21)]
    pub node_allocatable_resource_claim_statuses: List<NodeAllocatableResourceClaimStatus>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Legacy wrapper of a Pod's status, for file-based status exchange with a kubelet.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct PodStatusResult {
    /// Standard object metadata of the Pod concerned.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The wrapped state of the Pod, read-only for clients.
    #[wire(pb = 2)]
    pub status: PodStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Health of one device allocated to a container, as its plugin or driver reports it.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ResourceHealth {
    /// Identifier of the device, unique for its resource name within the node.
    #[wire(name = "resourceID", pb = 1, required)]
    pub resource_id: Str,
    /// Latest report: `Healthy`, `Unhealthy` or `Unknown`, e.g. when the plugin has stopped answering.
    #[wire(pb = 2)]
    pub health: ResourceHealthStatus,
    /// Human-readable details on the device's health, from the DRA driver.
    #[wire(pb = 6)]
    pub message: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Health of the devices allocated to a container for one resource.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ResourceStatus {
    /// Resource concerned, such as `example.com/gpu`, or `claim:name/request` for dynamic resource claims.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// One entry per device that the container received of the resource.
    #[wire(pb = 2, list = "map", keys = "resourceID")]
    pub resources: List<ResourceHealth>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// How a volume mount of a container was actually carried out.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeMountStatus {
    /// Name of the mount as given in the container's `volumeMounts`.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Path of the mount in the container, identifying the entry.
    #[wire(pb = 2, required)]
    pub mount_path: Str,
    /// Whether the mount was made read-only.
    #[wire(pb = 3)]
    pub read_only: bool,
    /// Effective mode, `Enabled` or `Disabled` after resolving `IfPossible`; unset for writable mounts.
    #[wire(pb = 4)]
    pub recursive_read_only: Option<RecursiveReadOnlyMode>,
    /// Details that depend on the kind of volume, currently for image volumes.
    #[wire(pb = 5)]
    pub volume_status: Option<Box<VolumeStatus>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// State of a mounted volume, by kind; at most one member is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeStatus {
    /// State of an image volume, such as the exact image that was mounted.
    #[wire(pb = 1)]
    pub image: Option<Box<ImageVolumeStatus>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
