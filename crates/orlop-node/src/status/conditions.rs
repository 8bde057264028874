//! The conditions of a pod that the agent owns.

use orlop_model::core::v1::ContainerRestartRuleAction::RestartAllContainers;
use orlop_model::core::v1::{
    ConditionStatus, Container, ContainerStatus, Pod, PodCondition, PodConditionType, PodPhase, PodStatus,
};
use orlop_model::{List, Str};

use crate::restart::{is_sidecar, may_restart_all, restart_rule};
use crate::sandbox::sandbox_need;
use crate::view::{ContainerState, RuntimeView};

use super::StatusInput;

/// Whether the agent alone decides about conditions of this type.
pub(crate) fn owned(type_: &PodConditionType) -> bool {
    use PodConditionType as T;
    matches!(
        type_,
        T::PodScheduled
            | T::Ready
            | T::Initialized
            | T::ContainersReady
            | T::PodReadyToStartContainers
            | T::PodResizePending
            | T::PodResizeInProgress
            | T::AllContainersRestarting
    )
}

fn find<'a>(conditions: &'a [PodCondition], type_: &PodConditionType) -> Option<&'a PodCondition> {
    conditions.iter().find(|condition| condition.type_ == *type_)
}

/// Whether a restart of all containers is going on: it was under way, or a container has ended with a code for which
/// its rules ask for it; and not all of the pod's containers are gone from the runtime yet.
pub fn restarting_all(pod: &Pod, seen: &RuntimeView, old: &PodStatus) -> bool {
    !seen.containers.is_empty() && resets_all(pod, seen, old)
}

/// The same, to the point where all containers are gone.
pub(super) fn resets_all(pod: &Pod, seen: &RuntimeView, old: &PodStatus) -> bool {
    if !may_restart_all(&pod.spec) {
        return false;
    }
    let under_way = find(&old.conditions, &PodConditionType::AllContainersRestarting)
        .is_some_and(|condition| condition.status == ConditionStatus::True);
    let asks = |container: &Container, code: i32| {
        restart_rule(container, code).is_some_and(|action| *action == RestartAllContainers)
    };
    under_way
        || pod.spec.init_containers.iter().chain(&pod.spec.containers).any(|container| {
            seen.container(&container.name)
                .is_some_and(|c| c.state == ContainerState::Exited && asks(container, c.exit_code))
        })
}

/// `[a b]`.
fn names(names: &[&Str]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    format!("[{}]", names.join(" "))
}

struct Verdict {
    status: ConditionStatus,
    reason: &'static str,
    message: String,
}

impl Verdict {
    fn yes() -> Self {
        Self { status: ConditionStatus::True, reason: "", message: String::new() }
    }

    fn no(reason: &'static str, message: String) -> Self {
        Self { status: ConditionStatus::False, reason, message }
    }

    fn of(holds: bool) -> Self {
        if holds { Self::yes() } else { Self::no("", String::new()) }
    }
}

/// Joins what is wrong about containers, or `None` if nothing is.
fn complaint(unknown: &[&Str], other: &[&Str], adjective: &str) -> Option<String> {
    let mut parts = Vec::new();
    if !unknown.is_empty() {
        parts.push(format!("containers with unknown status: {}", names(unknown)));
    }
    if !other.is_empty() {
        parts.push(format!("containers with {adjective} status: {}", names(other)));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn status_of<'a>(status: &'a PodStatus, name: &str) -> Option<&'a ContainerStatus> {
    status.init_container_statuses.iter().chain(&status.container_statuses).find(|known| known.name == *name)
}

/// Once it is True it stays so.
fn initialized(pod: &Pod, old: &PodStatus, status: &PodStatus) -> Verdict {
    let (mut unknown, mut incomplete) = (Vec::new(), Vec::new());
    for container in &pod.spec.init_containers {
        match status_of(status, &container.name) {
            None => unknown.push(&container.name),
            Some(known) => {
                let complete = if is_sidecar(container) { known.started == Some(true) } else { known.ready };
                if !complete {
                    incomplete.push(&container.name);
                }
            }
        }
    }
    if status.phase == PodPhase::Succeeded && unknown.is_empty() {
        return Verdict { reason: "PodCompleted", ..Verdict::yes() };
    }
    let started = status
        .container_statuses
        .iter()
        .any(|known| known.state.running.is_some() || known.state.terminated.is_some());
    let before = || {
        find(&old.conditions, &PodConditionType::Initialized)
            .is_some_and(|c| c.status == ConditionStatus::True)
    };
    if started || before() {
        return Verdict::yes();
    }
    match complaint(&unknown, &incomplete, "incomplete") {
        Some(message) => Verdict::no("ContainersNotInitialized", message),
        None => Verdict::yes(),
    }
}

fn containers_ready(pod: &Pod, status: &PodStatus) -> Verdict {
    let (mut unknown, mut unready) = (Vec::new(), Vec::new());
    let sidecars = pod.spec.init_containers.iter().filter(|container| is_sidecar(container));
    for container in sidecars.chain(&pod.spec.containers) {
        match status_of(status, &container.name) {
            None => unknown.push(&container.name),
            Some(known) if !known.ready => unready.push(&container.name),
            Some(_) => {}
        }
    }
    if status.phase == PodPhase::Succeeded && unknown.is_empty() {
        return Verdict::no("PodCompleted", String::new());
    }
    if status.phase == PodPhase::Failed {
        return Verdict::no("PodFailed", String::new());
    }
    match complaint(&unknown, &unready, "unready") {
        Some(message) => Verdict::no("ContainersNotReady", message),
        None => Verdict::yes(),
    }
}

fn ready(pod: &Pod, conditions: &[PodCondition], status: &PodStatus) -> Verdict {
    let containers = containers_ready(pod, status);
    if containers.status != ConditionStatus::True {
        return containers;
    }
    let complaints: Vec<String> = pod
        .spec
        .readiness_gates
        .iter()
        .filter_map(|gate| match find(conditions, &gate.condition_type) {
            None => Some(format!(
                "corresponding condition of pod readiness gate \"{}\" does not exist.",
                gate.condition_type
            )),
            Some(condition) if condition.status != ConditionStatus::True => Some(format!(
                "the status of pod readiness gate \"{}\" is not \"True\", but {}",
                gate.condition_type, condition.status
            )),
            Some(_) => None,
        })
        .collect();
    if complaints.is_empty() {
        Verdict::yes()
    } else {
        Verdict::no("ReadinessGatesNotReady", complaints.join(", "))
    }
}

/// Conditions of others as they are, then the agent's own.
pub(super) fn conditions(
    input: &StatusInput<'_>,
    old: &PodStatus,
    status: &PodStatus,
    restarting: bool,
) -> List<PodCondition> {
    let pod = input.pod;
    let mut conditions: List<PodCondition> =
        pod.status.conditions.iter().filter(|condition| !owned(&condition.type_)).cloned().collect();
    let own = |type_: PodConditionType, verdict: Verdict| PodCondition {
        type_,
        status: verdict.status,
        reason: verdict.reason.into(),
        message: verdict.message.into(),
        observed_generation: pod.metadata.generation,
        ..PodCondition::default()
    };
    for resize in input.resize.iter().filter(|_| !input.terminal) {
        conditions.push(PodCondition { observed_generation: pod.metadata.generation, ..resize.clone() });
    }
    if let Some(disruption) = find(&old.conditions, &PodConditionType::DisruptionTarget) {
        match conditions.iter_mut().find(|condition| condition.type_ == PodConditionType::DisruptionTarget) {
            Some(present) => *present = disruption.clone(),
            None => conditions.push(disruption.clone()),
        }
    }
    let sandbox = !sandbox_need(pod, input.seen).create;
    conditions.push(own(PodConditionType::PodReadyToStartContainers, Verdict::of(sandbox)));
    conditions.push(own(PodConditionType::Initialized, initialized(pod, old, status)));
    let verdict = ready(pod, &conditions, status);
    conditions.push(own(PodConditionType::Ready, verdict));
    conditions.push(own(PodConditionType::ContainersReady, containers_ready(pod, status)));
    conditions.push(own(PodConditionType::PodScheduled, Verdict::yes()));
    if may_restart_all(&pod.spec) {
        let verdict = match status.phase {
            PodPhase::Succeeded => Verdict::no("PodCompleted", String::new()),
            PodPhase::Failed => Verdict::no("PodFailed", String::new()),
            _ if restarting => Verdict {
                reason: "RestartAllContainersStarted",
                message: "container exited with restart policy rule".to_owned(),
                ..Verdict::yes()
            },
            _ => Verdict::no("", String::new()),
        };
        // This condition alone carries no generation.
        conditions.push(PodCondition {
            observed_generation: 0,
            ..own(PodConditionType::AllContainersRestarting, verdict)
        });
    }
    conditions
}
