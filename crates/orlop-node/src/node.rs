//! The node's own object, its conditions, and its heartbeat.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use orlop_client::{Api, Result};
use orlop_model::coordination::v1::{Lease, LeaseSpec};
use orlop_model::core::v1::{
    ConditionStatus, Node, NodeAddress, NodeAddressType, NodeCondition, NodeConditionType, NodeStatus,
    NodeSystemInfo, Taint,
};
use orlop_model::meta::v1::OwnerReference;
use orlop_model::{Map, MicroTime, Quantity, Str, Time};
use tokio::time::Instant;

use crate::context::Context;
use crate::events::EventType::Normal;
use crate::runtime::{Limits, PodRuntime, RuntimeHealth};

/// The namespace of the nodes' leases.
const LEASE_NAMESPACE: &str = "kube-node-lease";
/// A registration is tried again after 100 ms, doubling up to this.
const LONGEST_REGISTER_WAIT: Duration = Duration::from_secs(7);
/// The version of Kubernetes whose node agent this one behaves like.
const KUBELET_VERSION: &str = "v1.36.0";
/// Condition of a node whose runtime does not hold containers to their limits; others do not have it.
const LIMITS_IGNORED: &str = "LimitsIgnored";

/// What a node is and offers.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    /// Its name, a DNS subdomain.
    pub name: Str,
    /// Labels besides those of host name, operating system and architecture.
    pub labels: Map<Str>,
    /// Annotations.
    pub annotations: Map<Str>,
    /// Taints that it is registered with.
    pub taints: Vec<Taint>,
    /// What it has: `cpu`, `memory`, `ephemeral-storage`, `pods`, …
    pub capacity: Map<Quantity>,
    /// What pods may use of it; where a resource is missing here, all of it.
    pub allocatable: Map<Quantity>,
    /// Its addresses, the primary one first.
    pub addresses: Vec<IpAddr>,
    /// The id its cloud knows it by; empty without a cloud.
    pub provider_id: Str,
    /// Addresses of its pods, such as `10.1.2.0/24`; empty if others decide.
    pub pod_cidr: Str,
    /// `linux`, …
    pub os: Str,
    /// `amd64`, `arm64`, …
    pub arch: Str,
}

impl NodeConfig {
    /// A node with 4 CPUs, 16 GiB of memory, 100 GiB of storage and room for 110 pods.
    pub fn new(name: impl Into<Str>) -> Self {
        let quantity = |text: &str| text.parse::<Quantity>().unwrap_or_default();
        let capacity = [
            ("cpu", quantity("4")),
            ("memory", quantity("16Gi")),
            ("ephemeral-storage", quantity("100Gi")),
            ("pods", quantity("110")),
        ]
        .into();
        Self {
            name: name.into(),
            labels: Map::new(),
            annotations: Map::new(),
            taints: Vec::new(),
            capacity,
            allocatable: Map::new(),
            addresses: Vec::new(),
            provider_id: Str::EMPTY,
            pod_cidr: Str::EMPTY,
            os: "linux".into(),
            arch: if cfg!(target_arch = "aarch64") { "arm64".into() } else { "amd64".into() },
        }
    }

    /// What pods may use.
    pub(crate) fn allocatable(&self) -> Map<Quantity> {
        let mut allocatable = self.capacity.clone();
        allocatable.extend(self.allocatable.iter().map(|(name, value)| (name.clone(), value.clone())));
        allocatable
    }

    fn labels(&self) -> Map<Str> {
        let mut labels = self.labels.clone();
        for prefix in ["kubernetes.io", "beta.kubernetes.io"] {
            labels.insert(format!("{prefix}/os"), self.os.clone());
            labels.insert(format!("{prefix}/arch"), self.arch.clone());
        }
        labels.insert("kubernetes.io/hostname", self.name.clone());
        labels
    }

    /// The node as it is registered.
    fn node(&self) -> Node {
        let mut node = Node::default();
        node.metadata.name = self.name.clone();
        node.metadata.labels = self.labels();
        node.metadata.annotations = self.annotations.clone();
        node.metadata
            .annotations
            .insert("volumes.kubernetes.io/controller-managed-attach-detach", "true".into());
        node.spec.taints = self.taints.iter().cloned().collect();
        node.spec.provider_id = self.provider_id.clone();
        node.spec.pod_cidr = self.pod_cidr.clone();
        if !self.pod_cidr.is_empty() {
            node.spec.pod_cidrs = [self.pod_cidr.clone()].into_iter().collect();
        }
        node
    }
}

fn condition(type_: NodeConditionType, holds: bool, reason: &str, message: impl Into<Str>) -> NodeCondition {
    let status = if holds { ConditionStatus::True } else { ConditionStatus::False };
    NodeCondition {
        type_,
        status,
        reason: reason.into(),
        message: message.into(),
        ..NodeCondition::default()
    }
}

/// The node's status now. Conditions have no times yet.
fn status(config: &NodeConfig, runtime: &dyn PodRuntime, health: &RuntimeHealth) -> NodeStatus {
    let info = runtime.info();
    let address =
        |type_: NodeAddressType, address: Str| NodeAddress { type_, address, ..NodeAddress::default() };
    let addresses =
        config.addresses.iter().map(|ip| address(NodeAddressType::InternalIP, ip.to_string().into()));
    let network = health.network.as_ref().map(|why| format!("container runtime network not ready: {why}"));
    let problems: Vec<&str> = health.runtime.iter().chain(&network).map(String::as_str).collect();
    let ready = match problems.as_slice() {
        [] => condition(NodeConditionType::Ready, true, "KubeletReady", "kubelet is posting ready status"),
        [only] => condition(NodeConditionType::Ready, false, "KubeletNotReady", *only),
        many => {
            condition(NodeConditionType::Ready, false, "KubeletNotReady", format!("[{}]", many.join(", ")))
        }
    };
    use NodeConditionType as T;
    let limits = match &info.limits {
        Limits::Enforced => None,
        Limits::Ignored { why } => {
            Some(condition(T::Other(LIMITS_IGNORED.into()), true, "NoCgroups", why.clone()))
        }
    };
    NodeStatus {
        capacity: config.capacity.clone(),
        allocatable: config.allocatable(),
        addresses: addresses.chain([address(NodeAddressType::Hostname, config.name.clone())]).collect(),
        conditions: [
            condition(
                T::MemoryPressure,
                false,
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available",
            ),
            condition(T::DiskPressure, false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            condition(
                T::PIDPressure,
                false,
                "KubeletHasSufficientPID",
                "kubelet has sufficient PID available",
            ),
            ready,
        ]
        .into_iter()
        .chain(limits)
        .collect(),
        node_info: NodeSystemInfo {
            machine_id: config.name.clone(),
            system_uuid: config.name.clone(),
            boot_id: config.name.clone(),
            kernel_version: info.kernel,
            os_image: info.os_image,
            container_runtime_version: info.version,
            kubelet_version: KUBELET_VERSION.into(),
            operating_system: config.os.clone(),
            architecture: config.arch.clone(),
            ..NodeSystemInfo::default()
        },
        ..NodeStatus::default()
    }
}

/// Puts a fresh status into a node; answers whether it differs in more than the time of the heartbeat.
fn update(node: &mut Node, fresh: NodeStatus, now: Time) -> bool {
    let before = std::mem::take(&mut node.status);
    let mut conditions = before.conditions.clone();
    let mut changed = false;
    let is_of_limits = |condition: &NodeCondition| condition.type_.as_str() == LIMITS_IGNORED;
    if !fresh.conditions.iter().any(is_of_limits) && conditions.iter().any(is_of_limits) {
        // An agent before this one had no way to enforce them.
        conditions = conditions.into_iter().filter(|condition| !is_of_limits(condition)).collect();
        changed = true;
    }
    for mut condition in fresh.conditions {
        let old = conditions.iter_mut().find(|old| old.type_ == condition.type_);
        condition.last_heartbeat_time = Some(now);
        condition.last_transition_time = match &old {
            Some(old) if old.status == condition.status && old.last_transition_time.is_some() => {
                old.last_transition_time
            }
            _ => Some(now),
        };
        let same = |old: &NodeCondition| {
            old.status == condition.status
                && old.reason == condition.reason
                && old.message == condition.message
        };
        changed |= !old.as_deref().is_some_and(same);
        match old {
            Some(old) => *old = condition,
            None => conditions.push(condition),
        }
    }
    changed |= before.capacity != fresh.capacity
        || before.allocatable != fresh.allocatable
        || before.addresses != fresh.addresses
        || before.node_info != fresh.node_info;
    node.status = NodeStatus {
        conditions,
        capacity: fresh.capacity,
        allocatable: fresh.allocatable,
        addresses: fresh.addresses,
        node_info: fresh.node_info,
        ..before
    };
    changed
}

/// Registers the node, however long that takes, and answers it as stored.
pub(crate) async fn register(context: &Context, config: &NodeConfig) -> Arc<Node> {
    let mut wait = Duration::from_millis(100);
    loop {
        match try_register(context, config).await {
            Ok(node) => return node,
            Err(error) => tracing::warn!(node = %config.name, %error, "the node could not be registered"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_REGISTER_WAIT);
    }
}

async fn try_register(context: &Context, config: &NodeConfig) -> Result<Arc<Node>> {
    let api = Api::<Node>::all(Arc::clone(&context.client));
    let health = context.runtime.health().await;
    let now = Time::from(context.clock.now());
    let mut node = config.node();
    update(&mut node, status(config, &*context.runtime, &health), now);
    let stored = match api.create(&node).await {
        Err(error) if error.is_already_exists() => {
            // The labels that it has on its own account are set anew; what others gave it stays.
            api.modify(&config.name, |present| {
                for (name, value) in config.labels().iter() {
                    present.metadata.labels.insert(name.clone(), value.clone());
                }
            })
            .await?
        }
        result => result?,
    };
    if stored.status.conditions == node.status.conditions && stored.status.capacity == node.status.capacity {
        return Ok(stored);
    }
    api.modify_status(&config.name, |present| {
        update(present, status(config, &*context.runtime, &health), now);
    })
    .await
}

/// Keeps the node's status up to date, until dropped.
pub(crate) async fn report(context: Arc<Context>, config: Arc<NodeConfig>, mut node: Arc<Node>) {
    let api = Api::<Node>::all(Arc::clone(&context.client));
    context.events.node(&node, Normal, "Starting", "Starting kubelet.");
    tell_readiness(&context, &node, &node.status);
    let mut reported = Instant::now();
    // Not all nodes report in the same moment.
    let report = context.config.report_frequency;
    let mut due = report.mul_f64(0.5 + context.random.f64());
    loop {
        tokio::time::sleep(context.random.jitter(context.config.status_frequency, 0.04)).await;
        let health = context.runtime.health().await;
        let now = Time::from(context.clock.now());
        let fresh = status(&config, &*context.runtime, &health);
        if !differs(&node, &fresh) && reported.elapsed() < due {
            continue;
        }
        if is_ready(&node.status) != is_ready(&fresh) {
            tell_readiness(&context, &node, &fresh);
        }
        let mut next = Node::clone(&node);
        update(&mut next, fresh.clone(), now);
        let written = match api.update_status(next).await {
            Err(error) if error.is_conflict() => {
                api.modify_status(&config.name, |present| {
                    update(present, fresh.clone(), now);
                })
                .await
            }
            // Somebody has deleted the node while its agent lives.
            Err(error) if error.is_not_found() => try_register(&context, &config).await,
            result => result,
        };
        match written {
            Ok(stored) => {
                node = stored;
                reported = Instant::now();
                due = report;
            }
            Err(error) => {
                tracing::warn!(node = %config.name, %error, "the node's status could not be written")
            }
        }
    }
}

fn is_ready(status: &NodeStatus) -> bool {
    let mut conditions = status.conditions.iter();
    conditions.any(|condition| {
        condition.type_ == NodeConditionType::Ready && condition.status == ConditionStatus::True
    })
}

fn tell_readiness(context: &Context, node: &Node, status: &NodeStatus) {
    let reason = if is_ready(status) { "NodeReady" } else { "NodeNotReady" };
    context.events.node(node, Normal, reason, format!("Node {} status is now: {reason}", context.node));
}

/// Whether a fresh status says something else than the node's.
fn differs(node: &Node, fresh: &NodeStatus) -> bool {
    let same = |fresh: &NodeCondition| {
        node.status.conditions.iter().any(|old| {
            old.type_ == fresh.type_
                && old.status == fresh.status
                && old.reason == fresh.reason
                && old.message == fresh.message
        })
    };
    !fresh.conditions.iter().all(same)
        || node.status.capacity != fresh.capacity
        || node.status.allocatable != fresh.allocatable
        || node.status.addresses != fresh.addresses
        || node.status.node_info != fresh.node_info
}

/// Renews the node's lease, until dropped.
pub(crate) async fn heartbeat(context: Arc<Context>, node: Arc<Node>) {
    let api = Api::<Lease>::namespaced(Arc::clone(&context.client), LEASE_NAMESPACE);
    let every = context.config.lease / 4;
    let mut known: Option<Arc<Lease>> = None;
    loop {
        match renew(&api, &context, &node, known.as_deref()).await {
            Ok(lease) => known = Some(lease),
            Err(error) => {
                known = None;
                tracing::warn!(node = %context.node, %error, "the node's lease could not be renewed");
            }
        }
        tokio::time::sleep(context.random.jitter(every, 0.04)).await;
    }
}

async fn renew(
    api: &Api<Lease>,
    context: &Context,
    node: &Node,
    known: Option<&Lease>,
) -> Result<Arc<Lease>> {
    let fill = |lease: &mut Lease| {
        lease.spec = LeaseSpec {
            holder_identity: Some(context.node.clone()),
            lease_duration_seconds: Some(i32::try_from(context.config.lease.as_secs()).unwrap_or(i32::MAX)),
            renew_time: Some(MicroTime::from(context.clock.now())),
            ..std::mem::take(&mut lease.spec)
        };
        if lease.metadata.owner_references.is_empty() {
            lease.metadata.owner_references.push(OwnerReference {
                api_version: "v1".into(),
                kind: "Node".into(),
                name: node.metadata.name.clone(),
                uid: node.metadata.uid.clone(),
                ..OwnerReference::default()
            });
        }
    };
    if let Some(known) = known {
        let mut lease = known.clone();
        fill(&mut lease);
        match api.update(lease).await {
            Err(error) if error.is_conflict() || error.is_not_found() => {}
            result => return result,
        }
    }
    match api.modify(&context.node, fill).await {
        Err(error) if error.is_not_found() => {
            let mut lease = Lease::default();
            lease.metadata.name = context.node.clone();
            lease.metadata.namespace = LEASE_NAMESPACE.into();
            fill(&mut lease);
            api.create(lease).await
        }
        result => result,
    }
}
