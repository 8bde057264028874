//! Containers.

use super::{
    ContainerRestartPolicy, ContainerRestartRuleAction, ContainerRestartRuleOnExitCodesOperator,
    EnvFromSource, EnvVar, Lifecycle, MountPropagationMode, Probe, Protocol, PullPolicy,
    RecursiveReadOnlyMode, ResourceResizeRestartPolicy, SecurityContext, TerminationMessagePolicy,
};
use crate::{Extra, List, Map, Message, Quantity, Str};

/// One application, init or sidecar container of a pod.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Container {
    /// Unique name among all containers of the pod, a DNS label; cannot be changed afterwards.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Image reference, such as `nginx:1.27`; may be left out only where workload controllers supply a
    /// default.
    #[wire(pb = 2)]
    pub image: Str,
    /// Executable and leading arguments, run without a shell, in place of the `ENTRYPOINT` of the image;
    /// `$(VAR)` is expanded.
    #[wire(pb = 3)]
    pub command: List<Str>,
    /// Arguments of the entry point, in place of the `CMD` of the image; `$(VAR)` is expanded.
    #[wire(pb = 4)]
    pub args: List<Str>,
    /// Directory in which the process starts; when empty, the one of the image or runtime.
    #[wire(pb = 5)]
    pub working_dir: Str,
    /// Ports the container listens on; mostly informative, since unlisted ports remain reachable.
    #[wire(
        pb = 6,
        list = "map",
        keys = "containerPort,protocol",
        patch = "merge",
        merge_key = "containerPort"
    )]
    pub ports: List<ContainerPort>,
    /// Config maps and secrets whose entries all become variables; later sources win, and `env` wins over
    /// them.
    #[wire(pb = 19)]
    pub env_from: List<EnvFromSource>,
    /// Environment variables of the process, each with a name of its own.
    #[wire(pb = 7, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub env: List<EnvVar>,
    /// Compute resources requested and their upper limits, along with dynamic resource claims.
    #[wire(pb = 8)]
    pub resources: ResourceRequirements,
    /// Whether an in-place change of CPU or memory restarts the container; `NotRequired` for resources not
    /// listed.
    #[wire(pb = 23)]
    pub resize_policy: List<ContainerResizePolicy>,
    /// Overrides the restart policy of the pod; `Always` on an init container makes it a sidecar.
    #[wire(pb = 24)]
    pub restart_policy: Option<ContainerRestartPolicy>,
    /// Exit code rules tried in order ahead of `restartPolicy`, at most 20; the first match decides.
    #[wire(pb = 25)]
    pub restart_policy_rules: List<ContainerRestartRule>,
    /// Volumes of the pod to mount into the filesystem of the container.
    #[wire(pb = 9, list = "map", keys = "mountPath", patch = "merge", merge_key = "mountPath")]
    pub volume_mounts: List<VolumeMount>,
    /// Volumes of the pod to expose as raw block devices.
    #[wire(pb = 21, list = "map", keys = "devicePath", patch = "merge", merge_key = "devicePath")]
    pub volume_devices: List<VolumeDevice>,
    /// Periodic check whose failure restarts the container; none when unset.
    #[wire(pb = 10)]
    pub liveness_probe: Option<Box<Probe>>,
    /// Periodic check whose failure takes the pod out of service endpoints; none when unset.
    #[wire(pb = 11)]
    pub readiness_probe: Option<Box<Probe>>,
    /// Check that must succeed before liveness and readiness probes begin; its failure restarts the
    /// container.
    #[wire(pb = 22)]
    pub startup_probe: Option<Box<Probe>>,
    /// Hooks run after start and before termination, and the signal used for stopping.
    #[wire(pb = 12)]
    pub lifecycle: Option<Box<Lifecycle>>,
    /// File in the container read for its final message, at most 4096 bytes; defaults to
    /// `/dev/termination-log`.
    #[wire(pb = 13)]
    pub termination_message_path: Str,
    /// Whether the final message comes only from the file or also from the logs; defaults to `File`.
    #[wire(pb = 20)]
    pub termination_message_policy: TerminationMessagePolicy,
    /// When to pull the image; defaults to `Always` for the tag `latest` or no tag, else `IfNotPresent`.
    #[wire(pb = 14)]
    pub image_pull_policy: PullPolicy,
    /// Security options of this container, which take precedence over those of the pod.
    #[wire(pb = 15)]
    pub security_context: Option<Box<SecurityContext>>,
    /// Keeps a buffer for standard input open, so that clients can attach; otherwise reads give end of file.
    #[wire(pb = 16)]
    pub stdin: bool,
    /// Closes standard input after the first attached client leaves, until the container restarts; false by
    /// default.
    #[wire(pb = 17)]
    pub stdin_once: bool,
    /// Allocates a terminal for the container, which requires `stdin`; false by default.
    #[wire(pb = 18)]
    pub tty: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// An image present on a node, as reported by the kubelet.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerImage {
    /// Tags and digests by which the image is known; at most five are reported.
    #[wire(pb = 1, required, needless)]
    pub names: List<Str>,
    /// Size of the image on disk, in bytes.
    #[wire(pb = 2)]
    pub size_bytes: i64,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// A network port on which a container listens.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerPort {
    /// Name unique within the pod, at most 15 characters, by which services and probes can refer to the port.
    #[wire(pb = 1)]
    pub name: Str,
    /// Port opened on the node, 1 to 65535; must equal `containerPort` under host networking; rarely needed.
    #[wire(pb = 2)]
    pub host_port: i32,
    /// Port on the IP address of the pod, 1 to 65535; required.
    #[wire(pb = 3, required)]
    pub container_port: i32,
    /// Transport protocol, `TCP`, `UDP` or `SCTP`; defaults to `TCP`.
    #[wire(pb = 4, default = "\"TCP\"")]
    pub protocol: Protocol,
    /// Address of the node to which `hostPort` is bound; all addresses when empty.
    #[wire(name = "hostIP", pb = 5)]
    pub host_ip: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// What an in-place change of one resource means for the running container.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerResizePolicy {
    /// Resource the policy is for, either `cpu` or `memory`.
    #[wire(pb = 1, required)]
    pub resource_name: Str,
    /// Policy for the change: `NotRequired`, the default, resizes without restart if possible;
    /// `RestartContainer` restarts to apply the change.
    #[wire(pb = 2, required)]
    pub restart_policy: ResourceResizeRestartPolicy,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Decides on an exit of the container when its condition matches.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerRestartRule {
    /// What happens upon a match: `Restart` this container, or `RestartAllContainers` of the pod; required.
    #[wire(pb = 1, needed)]
    pub action: ContainerRestartRuleAction,
    /// Condition on the exit code of the container; required.
    #[wire(pb = 2)]
    pub exit_codes: Option<Box<ContainerRestartRuleOnExitCodes>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Set of exit codes for which a restart rule matches or does not match.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ContainerRestartRuleOnExitCodes {
    /// Comparison: `In` matches codes within `values`, `NotIn` matches codes outside of them; required.
    #[wire(pb = 1, needed)]
    pub operator: ContainerRestartRuleOnExitCodesOperator,
    /// Exit codes to compare with, at most 255 of them, without duplicates.
    #[wire(pb = 2, list = "set")]
    pub values: List<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Container added to a running pod for debugging, without resource guarantees and never restarted.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EphemeralContainer {
    /// Gives all fields shared with ordinary containers, of which some are refused here.
    #[wire(inline, pb = 1)]
    pub container: Container,
    /// Container whose process namespace is joined; when empty, the namespaces set in the pod spec are used.
    #[wire(pb = 2)]
    pub target_container_name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Container's reference to one of the Pod's `resourceClaims`, not the `resource.k8s.io` object.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ResourceClaim {
    /// Name of the entry in `spec.resourceClaims` to make available in the container.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Single request of the claim to use; empty gives the container everything the claim allocated.
    #[wire(pb = 2)]
    pub request: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Compute resources that a container, or a whole Pod, needs and may use.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ResourceRequirements {
    /// Upper bounds; exceeding `cpu` is throttled, exceeding `memory` gets the container killed.
    #[wire(pb = 1)]
    pub limits: Map<Quantity>,
    /// Guaranteed amounts used for scheduling; a resource left out takes its limit if there is one.
    #[wire(pb = 2)]
    pub requests: Map<Quantity>,
    /// Entries of the Pod's `resourceClaims` the container uses; containers only.
    #[wire(pb = 3, list = "map", keys = "name")]
    pub claims: List<ResourceClaim>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Makes a block-mode volume available in a container as a raw device.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeDevice {
    /// Name of a volume of the Pod that is backed by a `PersistentVolumeClaim` in `Block` mode.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Absolute path in the container at which the device appears, unique among its mounts.
    #[wire(pb = 2, required)]
    pub device_path: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Place of a volume within a container's filesystem, and how it is mounted.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct VolumeMount {
    /// Name of the Pod's volume to mount.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Mounts the volume read-only in this container; default `false`.
    #[wire(pb = 2)]
    pub read_only: bool,
    /// Whether mounts nested below become read-only as well; default `Disabled`, other values need `readOnly`
    /// and no propagation.
    #[wire(pb = 7)]
    pub recursive_read_only: Option<RecursiveReadOnlyMode>,
    /// Path in the container at which the volume appears; must not contain `:`.
    #[wire(pb = 3, required)]
    pub mount_path: Str,
    /// Path inside the volume to mount instead of its root; relative, without `..`, default the root.
    #[wire(pb = 4)]
    pub sub_path: Str,
    /// Whether later mounts spread between node and container; default `None`.
    #[wire(pb = 5)]
    pub mount_propagation: Option<MountPropagationMode>,
    /// Like `subPath`, but with `$(NAME)` replaced from the container's environment; excludes `subPath`.
    #[wire(pb = 6)]
    pub sub_path_expr: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
