//! The status of a pod, from what its runtime shows, its probes and its status before: a pure function.

mod address;
mod conditions;
mod containers;
mod phase;
mod resources;

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::{Pod, PodCondition, PodPhase, PodStatus};
use orlop_model::pod_resources::qos_class;

pub use address::{host_ips, sorted_ips};
pub(crate) use conditions::owned as is_own_condition;
pub use conditions::restarting_all;
pub(crate) use containers::{INHERITED, STATUS_UNKNOWN, runtime_id};

use crate::probe::ProbeResults;
use crate::view::RuntimeView;

/// Why a container could not be started: reason and message of its waiting state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartError {
    /// Such as `ErrImagePull`, `CrashLoopBackOff`, `CreateContainerConfigError`.
    pub reason: Str,
    /// For people.
    pub message: Str,
}

/// Why the agent ends a pod: reason and message of its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evict {
    /// Such as `Evicted`, `DeadlineExceeded`.
    pub reason: Str,
    /// For people.
    pub message: Str,
}

/// All that [`pod_status`] looks at.
#[derive(Clone, Copy, Debug)]
pub struct StatusInput<'a> {
    /// The pod as the API server has it.
    pub pod: &'a Pod,
    /// The status generated last; `None`: take the API server's.
    pub previous: Option<&'a PodStatus>,
    /// What the runtime shows.
    pub seen: &'a RuntimeView,
    /// Addresses of the node by its status, the primary one first ([`host_ips`]); empty if unknown.
    pub host_ips: &'a [IpAddr],
    /// Addresses that the node was configured with; the first decides which family comes first.
    pub node_ips: &'a [IpAddr],
    /// Results of readiness probes, by container id.
    pub readiness: &'a ProbeResults,
    /// Results of startup probes, by container id.
    pub startup: &'a ProbeResults,
    /// Whether probing of this pod has begun.
    pub probing: bool,
    /// When the agent was started.
    pub agent_started: Timestamp,
    /// Last failures to start a container, by its name.
    pub start_errors: &'a BTreeMap<Str, StartError>,
    /// Conditions about resizes in progress.
    pub resize: &'a [PodCondition],
    /// The agent ends this pod.
    pub evict: Option<&'a Evict>,
    /// Nothing of the pod will ever be started again.
    pub terminal: bool,
}

/// The status of a pod now. It has no times of its own but those of its containers: who writes it keeps `startTime`
/// and `lastTransitionTime` ([`crate::merge`]).
pub fn pod_status(input: &StatusInput<'_>) -> PodStatus {
    let pod = input.pod;
    let old = input.previous.unwrap_or(&pod.status);
    let mut status = PodStatus::default();
    address::set_pod_ips(&mut status, input);
    status.qos_class = qos_class(pod);
    let restarting = restarting_all(pod, input.seen, old);
    let resetting = conditions::resets_all(pod, input.seen, old);
    let kinds = containers::Context { input, old, resetting };
    status.container_statuses = kinds.regular();
    status.init_container_statuses = kinds.init();
    status.ephemeral_container_statuses = kinds.ephemeral();
    resources::set_pod_level(&mut status, pod, old);

    status.phase = phase::phase(pod, &status, input.terminal, input.seen);
    let is_final = |phase: &PodPhase| matches!(phase, PodPhase::Failed | PodPhase::Succeeded);
    if !is_final(&status.phase) {
        if is_final(&old.phase) {
            status.phase = old.phase.clone();
        } else if is_final(&pod.status.phase) {
            status.phase = pod.status.phase.clone();
        }
    }
    if status.phase == old.phase {
        status.reason = old.reason.non_empty().unwrap_or(&pod.status.reason).clone();
        status.message = old.message.non_empty().unwrap_or(&pod.status.message).clone();
    }
    if let Some(evict) = input.evict {
        status.phase = PodPhase::Failed;
        status.reason = evict.reason.clone();
        status.message = evict.message.clone();
    }
    if is_final(&pod.status.phase) {
        status.phase = pod.status.phase.clone();
    }
    containers::set_started_and_ready(&mut status, input, old);
    status.conditions = conditions::conditions(input, old, &status, restarting);
    address::set_host_ips(&mut status, input);
    status
}
