//! What to kill, to create, to start and to resize for a pod: a pure function of what is wanted and what is seen.

use std::collections::BTreeMap;

use orlop_model::Str;
use orlop_model::core::v1::ResourceResizeRestartPolicy::RestartContainer;
use orlop_model::core::v1::{Container, Pod, ResourceRequirements, resource_name};

use crate::probe::{ProbeOutcome, ProbeResults};
use crate::restart::{
    init_failed, is_sidecar, is_static, never_restarts, restart_rule, restarts_failures_only, should_start,
};
use crate::sandbox::sandbox_need;
use crate::view::{ContainerState, ContainerView, RuntimeView, definition};

/// Why a single container is killed, where that decides about its grace period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KillReason {
    /// No reason of these.
    #[default]
    None,
    /// Its liveness probe failed.
    LivenessProbe,
    /// Its startup probe failed.
    StartupProbe,
    /// The runtime cannot tell its state.
    Unknown,
}

impl KillReason {
    /// As kubelet names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::LivenessProbe => "LivenessProbe",
            Self::StartupProbe => "StartupProbe",
            Self::Unknown => "Unknown",
        }
    }
}

/// A container to kill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kill {
    /// The instance.
    pub id: Str,
    /// The container's name.
    pub name: Str,
    /// What the event says.
    pub message: String,
    /// Why.
    pub reason: KillReason,
}

/// A container whose instance is removed because all of the pod's containers begin anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// The instance.
    pub id: Str,
    /// The container's name.
    pub name: Str,
    /// It has not ended yet and must be killed first, without grace.
    pub kill: bool,
}

/// A running container whose resources are changed in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resize {
    /// The instance.
    pub id: Str,
    /// The container's name.
    pub name: Str,
}

/// What to do for a pod. Containers are named by their index in the pod's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodActions {
    /// Kill everything that the pod has.
    pub kill_pod: bool,
    /// Then make a new sandbox.
    pub create_sandbox: bool,
    /// The present sandbox, where it is of use.
    pub sandbox_id: Str,
    /// The attempt of the sandbox to use or to make.
    pub attempt: u32,
    /// Init containers to start, in order.
    pub start_init: Vec<usize>,
    /// Regular containers to start, in order.
    pub start: Vec<usize>,
    /// Ephemeral containers to start.
    pub start_ephemeral: Vec<usize>,
    /// Containers to kill before anything is started.
    pub kill: Vec<Kill>,
    /// Containers to remove, in order, because all begin anew.
    pub reset: Vec<Reset>,
    /// CPU to change, decreases first.
    pub resize_cpu: Vec<Resize>,
    /// Memory to change, decreases first.
    pub resize_memory: Vec<Resize>,
    /// A container is restarted for a resize, so the pod's own limits change.
    pub update_pod_resources: bool,
    /// The pod-level resources differ from those applied.
    pub update_pod_level_resources: bool,
}

impl PodActions {
    /// Nothing is to be done.
    pub fn is_empty(&self) -> bool {
        !self.kill_pod
            && !self.create_sandbox
            && self.start_init.is_empty()
            && self.start.is_empty()
            && self.start_ephemeral.is_empty()
            && self.kill.is_empty()
            && self.reset.is_empty()
            && self.resize_cpu.is_empty()
            && self.resize_memory.is_empty()
            && !self.update_pod_resources
            && !self.update_pod_level_resources
    }
}

/// The resources in force, as last applied by the agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actuated {
    /// By container name. A container without an entry has none.
    pub containers: BTreeMap<Str, ResourceRequirements>,
    /// Of the pod as a whole.
    pub pod: Option<ResourceRequirements>,
}

/// All that [`pod_actions`] looks at.
#[derive(Clone, Copy, Debug)]
pub struct ActionsInput<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// What the runtime shows.
    pub seen: &'a RuntimeView,
    /// Results of liveness probes, by container id.
    pub liveness: &'a ProbeResults,
    /// Results of startup probes, by container id.
    pub startup: &'a ProbeResults,
    /// A restart rule asked for all containers to begin anew.
    pub restart_all: bool,
    /// The resources in force; `None`: they equal the spec's.
    pub actuated: Option<&'a Actuated>,
}

/// What is to be done for a pod now.
///
/// It ignores `deletionTimestamp` but for the start of regular containers: callers do not ask for a pod that is being
/// deleted, they kill it.
pub fn pod_actions(input: &ActionsInput<'_>) -> PodActions {
    let ActionsInput { pod, seen, .. } = *input;
    let need = sandbox_need(pod, seen);
    let mut actions = PodActions {
        kill_pod: need.create,
        create_sandbox: need.create,
        sandbox_id: need.id,
        attempt: need.attempt,
        ..PodActions::default()
    };
    if input.restart_all {
        actions.reset = resets(pod, seen);
    } else if need.create {
        begin_anew(pod, seen, &mut actions);
    } else {
        go_on(input, &mut actions);
    }
    actions
}

/// Ended containers whose rule asked for the restart come last, so that the reason stays visible until the end.
fn resets(pod: &Pod, seen: &RuntimeView) -> Vec<Reset> {
    let (mut resets, mut sources) = (Vec::new(), Vec::new());
    for container in pod.spec.containers.iter().chain(&pod.spec.init_containers) {
        for instance in seen.containers.iter().filter(|instance| instance.name == container.name) {
            let exited = instance.state == ContainerState::Exited;
            let source = exited
                && restart_rule(container, instance.exit_code).is_some_and(|action| {
                    *action == orlop_model::core::v1::ContainerRestartRuleAction::RestartAllContainers
                });
            let reset = Reset { id: instance.id.clone(), name: instance.name.clone(), kill: !exited };
            if source { sources.push(reset) } else { resets.push(reset) }
        }
    }
    resets.append(&mut sources);
    resets
}

fn begin_anew(pod: &Pod, seen: &RuntimeView, actions: &mut PodActions) {
    use orlop_model::core::v1::RestartPolicy;
    let spec = &pod.spec;
    if spec.restart_policy == RestartPolicy::Never && actions.attempt != 0 && !seen.containers.is_empty() {
        actions.create_sandbox = false;
        return;
    }
    let succeeded = |container: &Container| {
        seen.container(&container.name)
            .is_some_and(|c| c.state != ContainerState::Running && c.exit_code == 0)
    };
    let start: Vec<usize> = (0..spec.containers.len())
        .filter(|&index| {
            let container = &spec.containers[index];
            !(restarts_failures_only(container, spec) && succeeded(container))
        })
        .collect();
    if start.is_empty() {
        let ran = spec.containers.iter().any(|container| {
            seen.container(&container.name).is_some_and(|current| current.state != ContainerState::Unknown)
        });
        if ran {
            actions.create_sandbox = false;
            return;
        }
    }
    if spec.init_containers.is_empty() {
        actions.start = start;
    } else {
        actions.start_init = vec![0];
    }
}

fn go_on(input: &ActionsInput<'_>, actions: &mut PodActions) {
    let ActionsInput { pod, seen, .. } = *input;
    actions.start_ephemeral = (0..pod.spec.ephemeral_containers.len())
        .filter(|&index| seen.container(&pod.spec.ephemeral_containers[index].container.name).is_none())
        .collect();
    let initialized = init_actions(input, actions);
    if actions.kill_pod || !initialized {
        return;
    }
    let mut keep = 0;
    for (index, container) in pod.spec.containers.iter().enumerate() {
        let current = seen.container(&container.name);
        let Some(current) = current.filter(|current| current.state == ContainerState::Running) else {
            if should_start(container, pod, seen) {
                actions.start.push(index);
                if let Some(lost) = current.filter(|current| current.state == ContainerState::Unknown) {
                    actions.kill.push(Kill {
                        id: lost.id.clone(),
                        name: lost.name.clone(),
                        message: r#"Container is in "unknown" state, try killing it before restart"#
                            .to_owned(),
                        reason: KillReason::Unknown,
                    });
                }
            }
            continue;
        };
        let mut restart = !never_restarts(container, &pod.spec);
        let name = &container.name;
        let (mut message, reason) = if current.definition != definition(container) {
            restart = true;
            (format!("Container {name} definition changed"), KillReason::None)
        } else if input.liveness.get(&current.id) == Some(ProbeOutcome::Failure) {
            (format!("Container {name} failed liveness probe"), KillReason::LivenessProbe)
        } else if input.startup.get(&current.id) == Some(ProbeOutcome::Failure) {
            (format!("Container {name} failed startup probe"), KillReason::StartupProbe)
        } else {
            if resize(input, container, index, false, current, actions) {
                keep += 1;
            }
            continue;
        };
        if restart {
            message.push_str(", will be restarted");
            actions.start.push(index);
        }
        actions.kill.push(Kill { id: current.id.clone(), name: name.clone(), message, reason });
    }
    if keep == 0 && actions.start.is_empty() {
        actions.kill_pod = true;
        // Sidecars would keep alive a pod that has nothing left to do.
        actions.start_init.clear();
    }
    if !actions.kill_pod {
        actions.update_pod_level_resources = pod_level_resize(input);
    }
}

/// Decides about init containers, from the last to the first: completed ones may have been removed from the runtime,
/// so the fewest must be relied upon. Answers whether the pod is initialized.
fn init_actions(input: &ActionsInput<'_>, actions: &mut PodActions) -> bool {
    let ActionsInput { pod, seen, .. } = *input;
    let inits = &pod.spec.init_containers;
    if inits.is_empty() {
        return true;
    }
    let last = inits.len() - 1;
    let mut initialized = pod.spec.containers.iter().any(|container| {
        seen.container(&container.name)
            .is_some_and(|c| matches!(c.state, ContainerState::Created | ContainerState::Running))
    });
    let mut previously = initialized;
    let restart = |current: &ContainerView,
                   message: String,
                   reason: KillReason,
                   index: usize,
                   actions: &mut PodActions| {
        actions.kill.push(Kill { id: current.id.clone(), name: current.name.clone(), message, reason });
        actions.start_init.push(index);
    };
    for (index, container) in inits.iter().enumerate().rev() {
        let sidecar = is_sidecar(container);
        let Some(current) = seen.container(&container.name) else {
            if previously && sidecar {
                actions.start_init.push(index);
            }
            continue;
        };
        if previously && !sidecar {
            continue;
        }
        let name = &container.name;
        match current.state {
            ContainerState::Created => actions.start_init.push(index),
            ContainerState::Running if sidecar => 'running: {
                if container.startup_probe.is_some() {
                    match input.startup.get(&current.id) {
                        Some(ProbeOutcome::Success) => {}
                        Some(ProbeOutcome::Failure) => {
                            let message = format!("Init container {name} failed startup probe");
                            restart(current, message, KillReason::StartupProbe, index, actions);
                            break 'running;
                        }
                        Some(ProbeOutcome::Unknown) | None => break 'running,
                    }
                }
                if index == last {
                    initialized = true;
                } else if !previously {
                    actions.start_init.push(index + 1);
                }
                if current.definition != definition(container) {
                    let message = format!("Init container {name} definition changed");
                    restart(current, message, KillReason::None, index, actions);
                    break 'running;
                }
                if container.liveness_probe.is_some() {
                    match input.liveness.get(&current.id) {
                        None => break 'running,
                        Some(ProbeOutcome::Failure) => {
                            let message = format!("Init container {name} failed liveness probe");
                            restart(current, message, KillReason::LivenessProbe, index, actions);
                            break 'running;
                        }
                        Some(_) => {}
                    }
                }
                resize(input, container, index, true, current, actions);
            }
            ContainerState::Running => {
                resize(input, container, index, true, current, actions);
            }
            ContainerState::Exited if sidecar => actions.start_init.push(index),
            ContainerState::Exited if init_failed(current) => {
                if !should_start(container, pod, seen) {
                    actions.kill_pod = true;
                    actions.start_init.clear();
                    return false;
                }
                actions.start_init.push(index);
            }
            ContainerState::Exited if index == last => initialized = true,
            ContainerState::Exited => actions.start_init.push(index + 1),
            ContainerState::Unknown => {
                if !sidecar && never_restarts(container, &pod.spec) {
                    actions.kill_pod = true;
                    actions.start_init.clear();
                    return false;
                }
                let message =
                    r#"Init container is in "unknown" state, try killing it before restart"#.to_owned();
                restart(current, message, KillReason::Unknown, index, actions);
            }
        }
        previously = true;
    }
    if !previously {
        actions.start_init.push(0);
    }
    actions.start_init.reverse();
    initialized
}

/// CPU in millis, memory in bytes; 0 where unset.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Figures {
    cpu_request: i64,
    cpu_limit: i64,
    memory_request: i64,
    memory_limit: i64,
}

impl Figures {
    fn of(resources: &ResourceRequirements) -> Self {
        let cpu = |list: &orlop_model::Map<orlop_model::Quantity>| {
            list.get(resource_name::CPU).map_or(0, |q| q.milli_value())
        };
        let memory = |list: &orlop_model::Map<orlop_model::Quantity>| {
            list.get(resource_name::MEMORY).map_or(0, |q| q.value())
        };
        Self {
            cpu_request: cpu(&resources.requests),
            cpu_limit: cpu(&resources.limits),
            memory_request: memory(&resources.requests),
            memory_limit: memory(&resources.limits),
        }
    }
}

/// Answers whether the container stays as it is or is resized in place; `false`: it is restarted for the resize.
fn resize(
    input: &ActionsInput<'_>,
    container: &Container,
    index: usize,
    init: bool,
    current: &ContainerView,
    actions: &mut PodActions,
) -> bool {
    let Some(actuated) = input.actuated else {
        return true;
    };
    if is_static(input.pod) {
        return true;
    }
    let wanted = Figures::of(&container.resources);
    let applied = actuated.containers.get(&container.name).map(Figures::of).unwrap_or_default();
    if wanted == applied {
        return true;
    }
    let cpu = wanted.cpu_limit != applied.cpu_limit || wanted.cpu_request != applied.cpu_request;
    let memory =
        wanted.memory_limit != applied.memory_limit || wanted.memory_request != applied.memory_request;
    let restarts = |resource: &str| {
        let policy = container.resize_policy.iter().find(|policy| policy.resource_name == *resource);
        policy.is_some_and(|policy| policy.restart_policy == RestartContainer)
    };
    if cpu && restarts(resource_name::CPU) || memory && restarts(resource_name::MEMORY) {
        actions.kill.push(Kill {
            id: current.id.clone(),
            name: current.name.clone(),
            message: format!("Container {} resize requires restart", container.name),
            reason: KillReason::None,
        });
        if init {
            actions.start_init.push(index)
        } else {
            actions.start.push(index)
        }
        actions.update_pod_resources = true;
        return false;
    }
    // The limit decides about the order where both changed.
    let order = |list: &mut Vec<Resize>, limits: (i64, i64), requests: (i64, i64)| {
        let (to, from) = if limits.0 != limits.1 { limits } else { requests };
        let resize = Resize { id: current.id.clone(), name: current.name.clone() };
        match to.cmp(&from) {
            std::cmp::Ordering::Greater => list.push(resize),
            std::cmp::Ordering::Less => list.insert(0, resize),
            std::cmp::Ordering::Equal => {}
        }
    };
    order(
        &mut actions.resize_memory,
        (wanted.memory_limit, applied.memory_limit),
        (wanted.memory_request, applied.memory_request),
    );
    order(
        &mut actions.resize_cpu,
        (wanted.cpu_limit, applied.cpu_limit),
        (wanted.cpu_request, applied.cpu_request),
    );
    true
}

fn pod_level_resize(input: &ActionsInput<'_>) -> bool {
    let (Some(actuated), Some(wanted)) = (input.actuated, input.pod.spec.resources.as_deref()) else {
        return false;
    };
    if is_static(input.pod) || wanted.requests.is_empty() && wanted.limits.is_empty() {
        return false;
    }
    Figures::of(wanted) != actuated.pod.as_ref().map(Figures::of).unwrap_or_default()
}
