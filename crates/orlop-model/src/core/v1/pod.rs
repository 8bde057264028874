//! Pods.

use super::{
    Affinity, Container, DNSPolicy, EphemeralContainer, LocalObjectReference, OSName, PodConditionType,
    PodSecurityContext, PodStatus, PreemptionPolicy, ResourceRequirements, RestartPolicy, Toleration,
    TopologySpreadConstraint, Volume,
};
use crate::{Extra, List, Map, Message, Object, Quantity, Str};

/// Group of containers that run together on one node, sharing network and volumes.
///
/// The kind `Pod` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#pod-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(
    version = "v1",
    short = "po",
    categories = "all",
    status,
    subresources = "attach,binding,ephemeralcontainers,eviction,exec,log,portforward,proxy,resize"
)]
#[wire(debug)]
pub struct Pod {
    /// Standard object metadata; the Pod's name also becomes its default hostname.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// What to run and how; mostly immutable after creation, apart from images, deadlines, tolerations and a
    /// few more.
    #[wire(pb = 2)]
    pub spec: PodSpec,
    /// Most recent state seen by the kubelet and the scheduler; written through the `status` subresource.
    #[wire(pb = 3)]
    pub status: PodStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Line added to the `/etc/hosts` file that the kubelet writes for the pod.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct HostAlias {
    /// IP address at the beginning of the line; required.
    #[wire(pb = 1, required)]
    pub ip: Str,
    /// Names that shall resolve to the address.
    #[wire(pb = 2)]
    pub hostnames: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// DNS settings of a Pod that are merged into what its `dnsPolicy` generates.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodDNSConfig {
    /// IP addresses of resolvers appended to the generated ones, duplicates dropped; at most 3, required with
    /// policy `None`.
    #[wire(pb = 1)]
    pub nameservers: List<Str>,
    /// Search domains appended to the generated ones, duplicates dropped; at most 32 with 2048 characters in
    /// total.
    #[wire(pb = 2)]
    pub searches: List<Str>,
    /// Entries for the `options` line of `resolv.conf`, overriding generated ones of the same name.
    #[wire(pb = 3)]
    pub options: List<PodDNSConfigOption>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One resolver option of a Pod, as in the `options` line of `resolv.conf`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodDNSConfigOption {
    /// Name of the option, e.g. `ndots`; required.
    #[wire(pb = 1)]
    pub name: Str,
    /// Value written after a colon, as in `ndots:2`; unset for options that are bare flags.
    #[wire(pb = 2)]
    pub value: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Operating system the containers of a Pod are built for.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodOS {
    /// Either `linux` or `windows`; determines which security fields of the Pod are allowed.
    #[wire(pb = 1, required)]
    pub name: OSName,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Extra condition that must be true before a Pod counts as ready.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodReadinessGate {
    /// Type of the entry in the Pod's `status.conditions` that some external controller has to set to `True`.
    #[wire(pb = 1, required)]
    pub condition_type: PodConditionType,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Makes a `ResourceClaim` usable by the containers of a Pod, either by name or generated from a template.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodResourceClaim {
    /// Name by which containers refer to the claim in `resources.claims`; a DNS label unique in the Pod.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Existing `ResourceClaim` in the Pod's namespace; exactly one of this and `resourceClaimTemplateName`
    /// is set.
    #[wire(pb = 3)]
    pub resource_claim_name: Option<Str>,
    /// The `ResourceClaimTemplate` in the Pod's namespace from which a claim is made that lives as long as
    /// the Pod.
    #[wire(pb = 4)]
    pub resource_claim_template_name: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Named obstacle that keeps the scheduler from considering a Pod until it is removed.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodSchedulingGate {
    /// Unique, qualified name of the gate, telling which controller will lift it.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Ties a Pod to the group of Pods with which the scheduler is to treat it as one workload.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodSchedulingGroup {
    /// Name of the `PodGroup` object in the Pod's namespace; must be a DNS subdomain.
    #[wire(pb = 1)]
    pub pod_group_name: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Desired content and behaviour of a Pod: containers, volumes, placement, networking and security.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodSpec {
    /// Volumes its containers can mount, each with a name unique in the Pod.
    #[wire(pb = 1, list = "map", keys = "name", patch = "merge,retainKeys", merge_key = "name")]
    pub volumes: List<Volume>,
    /// Containers run one after another to completion before the others; those with `restartPolicy: Always`
    /// keep running as sidecars.
    #[wire(pb = 20, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub init_containers: List<Container>,
    /// Main containers, started in parallel; at least one is required and none can be added or removed later.
    #[wire(pb = 2, required, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub containers: List<Container>,
    /// Temporary containers for debugging a running Pod; added only through the `ephemeralcontainers`
    /// subresource and never removed.
    #[wire(pb = 34, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub ephemeral_containers: List<EphemeralContainer>,
    /// Whether the kubelet restarts containers that exit; `Always` (default), `OnFailure` or `Never`.
    #[wire(pb = 3)]
    pub restart_policy: RestartPolicy,
    /// Seconds between the stop signal and the forced kill on deletion; default 30, while 0 kills at once.
    #[wire(pb = 4)]
    pub termination_grace_period_seconds: Option<i64>,
    /// Seconds from `status.startTime` the Pod may stay active before the kubelet fails it; at least 1,
    /// unlimited when unset.
    #[wire(pb = 5)]
    pub active_deadline_seconds: Option<i64>,
    /// Source of the resolver configuration; default `ClusterFirst`, which with `hostNetwork` acts like
    /// `Default`.
    #[wire(pb = 6)]
    pub dns_policy: DNSPolicy,
    /// Labels, with exact values, that a node must all carry for the Pod to be placed on it.
    #[wire(pb = 7, map = "atomic")]
    pub node_selector: Map<Str>,
    /// The `ServiceAccount` in whose name the Pod talks to the API; admission fills in `default` when empty.
    #[wire(pb = 8)]
    pub service_account_name: Str,
    /// Deprecated alias of `serviceAccountName`, which the API server keeps equal to it.
    #[wire(pb = 9)]
    pub service_account: Str,
    /// Whether a service account token is mounted into the containers; unset takes the `ServiceAccount`'s
    /// setting, else `true`.
    #[wire(pb = 21)]
    pub automount_service_account_token: Option<bool>,
    /// Node the Pod is bound to, written by the scheduler; a value at creation bypasses scheduling.
    #[wire(pb = 10)]
    pub node_name: Str,
    /// Uses the node's network namespace, so container ports are host ports; default `false`.
    #[wire(pb = 11)]
    pub host_network: bool,
    /// Shares the node's process ID namespace; default `false`, and excludes `shareProcessNamespace`.
    #[wire(name = "hostPID", pb = 12)]
    pub host_pid: bool,
    /// Shares the node's IPC namespace, e.g. System V semaphores; default `false`.
    #[wire(name = "hostIPC", pb = 13)]
    pub host_ipc: bool,
    /// Lets all containers see each other's processes, with no container holding PID 1; default `false`,
    /// excludes `hostPID`.
    #[wire(pb = 27)]
    pub share_process_namespace: Option<bool>,
    /// Pod-wide security settings such as user IDs and `fsGroup`; API server default is an empty object.
    #[wire(pb = 14)]
    pub security_context: Option<Box<PodSecurityContext>>,
    /// Secrets in the Pod's namespace with registry credentials; when empty, admission copies those of the
    /// `ServiceAccount`.
    #[wire(pb = 15, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub image_pull_secrets: List<LocalObjectReference>,
    /// Host name inside the Pod, a DNS label; default is the Pod's name.
    #[wire(pb = 16)]
    pub hostname: Str,
    /// Makes the Pod's full name `hostname.subdomain.namespace.svc.cluster-domain`; normally names a headless
    /// `Service`.
    #[wire(pb = 17)]
    pub subdomain: Str,
    /// Rules that attract the Pod to nodes or other Pods, or keep it away from them.
    #[wire(pb = 18)]
    pub affinity: Option<Box<Affinity>>,
    /// Scheduler responsible for placing the Pod; default `default-scheduler`.
    #[wire(pb = 19)]
    pub scheduler_name: Str,
    /// Node taints the Pod puts up with; admission adds `not-ready` and `unreachable` for 300 seconds.
    #[wire(pb = 22)]
    pub tolerations: List<Toleration>,
    /// Extra lines for the containers' `/etc/hosts`, which the kubelet manages.
    #[wire(pb = 23, list = "map", keys = "ip", patch = "merge", merge_key = "ip")]
    pub host_aliases: List<HostAlias>,
    /// The `PriorityClass` that gives the priority, e.g. `system-node-critical`; empty takes the global
    /// default class, or 0.
    #[wire(pb = 24)]
    pub priority_class_name: Str,
    /// Numeric rank, higher is more important; admission computes it from the class and rejects a differing
    /// value.
    #[wire(pb = 25)]
    pub priority: Option<i32>,
    /// Resolver settings merged with those generated by `dnsPolicy`; required when the policy is `None`.
    #[wire(pb = 26)]
    pub dns_config: Option<Box<PodDNSConfig>>,
    /// Extra conditions that must be `True`, besides ready containers, before the Pod counts as ready.
    #[wire(pb = 28)]
    pub readiness_gates: List<PodReadinessGate>,
    /// The `RuntimeClass` whose handler runs the Pod; unset or empty selects the node's default runtime.
    #[wire(pb = 29)]
    pub runtime_class_name: Option<Str>,
    /// Whether environment variables for the Services of the namespace are injected; default `true`.
    #[wire(pb = 30)]
    pub enable_service_links: Option<bool>,
    /// Whether the Pod may evict less important ones to get room; default `PreemptLowerPriority`, admission
    /// sets it from the class.
    #[wire(pb = 31)]
    pub preemption_policy: Option<PreemptionPolicy>,
    /// Resources the runtime needs beyond the containers; filled in from the `RuntimeClass` by admission and
    /// counted in scheduling.
    #[wire(pb = 32)]
    pub overhead: Map<Quantity>,
    /// Rules for spreading matching Pods evenly over topology domains; a node must satisfy all of them.
    #[wire(
        pb = 33,
        list = "map",
        keys = "topologyKey,whenUnsatisfiable",
        patch = "merge",
        merge_key = "topologyKey"
    )]
    pub topology_spread_constraints: List<TopologySpreadConstraint>,
    /// Makes the kernel host name the fully qualified name instead of the short one; default `false`.
    #[wire(name = "setHostnameAsFQDN", pb = 35)]
    pub set_hostname_as_fqdn: Option<bool>,
    /// Operating system required of the node, checked by the kubelet; fields of the other system must be
    /// unset.
    #[wire(pb = 36)]
    pub os: Option<Box<PodOS>>,
    /// Whether the Pod uses the node's user namespace; default `true`, while `false` maps its users to
    /// unprivileged ones.
    #[wire(pb = 37)]
    pub host_users: Option<bool>,
    /// While any is left, the scheduler ignores the Pod; set only at creation, afterwards only removed.
    #[wire(pb = 38, list = "map", keys = "name", patch = "merge", merge_key = "name")]
    pub scheduling_gates: List<PodSchedulingGate>,
    /// Dynamic resource claims to be allocated before start, which containers then reference by name;
    /// immutable.
    #[wire(pb = 39, list = "map", keys = "name", patch = "merge,retainKeys", merge_key = "name")]
    pub resource_claims: List<PodResourceClaim>,
    /// Pod-level budget shared by all containers, for `cpu`, `memory` and huge pages; `claims` is not allowed
    /// here.
    #[wire(pb = 40)]
    pub resources: Option<Box<ResourceRequirements>>,
    /// Exact host name inside the Pod, at most 64 characters, without DNS records; excludes `hostNetwork` and
    /// `setHostnameAsFQDN`.
    #[wire(pb = 41)]
    pub hostname_override: Option<Str>,
    /// The `PodGroup` the Pod belongs to, for workload-aware scheduling; immutable, behind the feature gate
    /// `GenericWorkload`.
    #[wire(pb = 43)]
    pub scheduling_group: Option<Box<PodSchedulingGroup>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Blueprint of the Pods a controller creates.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct PodTemplateSpec {
    /// Labels and annotations copied to each Pod; the labels must match the controller's selector.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Behaviour of each Pod made from the blueprint.
    #[wire(pb = 2)]
    pub spec: PodSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
