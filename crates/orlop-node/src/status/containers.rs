//! The statuses of a pod's containers.

use jiff::SignedDuration;
use orlop_model::core::v1::{
    ConditionStatus, Container, ContainerState as ApiState, ContainerStateRunning, ContainerStateTerminated,
    ContainerStateWaiting, ContainerStatus, MountPropagationMode, PodConditionType, PodStatus,
    RecursiveReadOnlyMode, VolumeMount, VolumeMountStatus,
};
use orlop_model::{List, Str, Time};

use crate::probe::{ProbeOutcome, ProbeResults};
use crate::restart::{is_sidecar, should_start};
use crate::view::{ContainerState, ContainerView};

use super::{StatusInput, resources};

/// Why a container was ended, or waits, when all of a pod's containers begin anew.
pub(crate) const RESTARTING_ALL: &str = "RestartingAllContainers";
/// Why a container is said to have ended of which nothing is known any more.
pub(crate) const STATUS_UNKNOWN: &str = "ContainerStatusUnknown";
/// A container that started this long before the agent was another agent's: what that one said about it still holds.
pub(crate) const INHERITED: SignedDuration = SignedDuration::from_secs(10);

/// `containerd://ID`, the form of ids in the API.
pub(crate) fn api_id(id: &str) -> Str {
    format!("containerd://{id}").into()
}

/// The runtime's id in an id of the API.
pub(crate) fn runtime_id(id: &str) -> &str {
    id.split_once("://").map_or(id, |(_, id)| id)
}

fn waiting(reason: &str) -> ApiState {
    ApiState {
        waiting: Some(Box::new(ContainerStateWaiting { reason: reason.into(), ..Default::default() })),
        ..Default::default()
    }
}

fn ended(exit_code: i32, reason: &str, message: &str) -> Box<ContainerStateTerminated> {
    Box::new(ContainerStateTerminated {
        exit_code,
        reason: reason.into(),
        message: message.into(),
        ..Default::default()
    })
}

/// The states of an instance in the words of the API.
fn state_of(instance: &ContainerView, old: Option<&ContainerStatus>) -> ApiState {
    match instance.state {
        ContainerState::Running => ApiState {
            running: Some(Box::new(ContainerStateRunning {
                started_at: instance.started_at.map(Time::from),
                ..Default::default()
            })),
            ..Default::default()
        },
        ContainerState::Exited => ApiState {
            terminated: Some(Box::new(ContainerStateTerminated {
                exit_code: instance.exit_code,
                reason: instance.reason.clone(),
                message: instance.message.clone(),
                started_at: instance.started_at.map(Time::from),
                finished_at: instance.finished_at.map(Time::from),
                container_id: api_id(&instance.id),
                ..Default::default()
            })),
            ..Default::default()
        },
        ContainerState::Unknown if old.is_some_and(|old| old.state.running.is_some()) => ApiState {
            terminated: Some(ended(
                137,
                STATUS_UNKNOWN,
                "The container could not be located when the pod was terminated",
            )),
            ..Default::default()
        },
        ContainerState::Created | ContainerState::Unknown => waiting(""),
    }
}

pub(super) struct Context<'a> {
    pub(super) input: &'a StatusInput<'a>,
    pub(super) old: &'a PodStatus,
    pub(super) resetting: bool,
}

impl Context<'_> {
    /// Sorted by name, as clients expect.
    pub(super) fn regular(&self) -> List<ContainerStatus> {
        let spec = &self.input.pod.spec;
        let mut statuses = self.statuses(spec.containers.iter(), &self.old.container_statuses, false);
        statuses.sort_by(|one, other| one.name.cmp(&other.name));
        statuses
    }

    /// In the order of the spec.
    pub(super) fn init(&self) -> List<ContainerStatus> {
        self.statuses(self.input.pod.spec.init_containers.iter(), &self.old.init_container_statuses, true)
    }

    /// Sorted by name.
    pub(super) fn ephemeral(&self) -> List<ContainerStatus> {
        let containers =
            self.input.pod.spec.ephemeral_containers.iter().map(|ephemeral| &ephemeral.container);
        let mut statuses = self.statuses(containers, &self.old.ephemeral_container_statuses, false);
        statuses.sort_by(|one, other| one.name.cmp(&other.name));
        statuses
    }

    fn statuses<'c>(
        &self,
        containers: impl Iterator<Item = &'c Container>,
        old: &[ContainerStatus],
        init: bool,
    ) -> List<ContainerStatus> {
        containers
            .map(|container| {
                let old = old.iter().find(|old| old.name == container.name);
                let mut status =
                    self.in_runtime(container, old).unwrap_or_else(|| self.without_runtime(container, old));
                if !(init && self.complete_init(container, &mut status)) {
                    self.not_started(container, init, &mut status);
                }
                status
            })
            .collect()
    }

    /// A container of which the runtime has no instance.
    fn without_runtime(&self, container: &Container, old: Option<&ContainerStatus>) -> ContainerStatus {
        let pod = self.input.pod;
        let initializing =
            if pod.spec.init_containers.is_empty() { "ContainerCreating" } else { "PodInitializing" };
        let mut status = ContainerStatus {
            name: container.name.clone(),
            image: container.image.clone(),
            state: waiting(initializing),
            volume_mounts: volume_mounts(container),
            ..ContainerStatus::default()
        };
        let Some(old) = old else { return status };
        let ran = old.state.terminated.is_some() || old.state.running.is_some();
        if self.resetting && ran {
            status.state = waiting(RESTARTING_ALL);
            status.last_state.terminated = Some(ended(
                137,
                RESTARTING_ALL,
                "The container is removed because RestartAllContainers in place",
            ));
            status.restart_count = old.restart_count + 1;
            return status;
        }
        if old.state.terminated.is_some() {
            return old.clone();
        }
        status.restart_count = old.restart_count;
        status.last_state = old.last_state.clone();
        if old.state.running.is_some() && status.last_state.terminated.is_none() {
            // Otherwise it would look as if it had never run, and the pod as if it were Pending.
            status.last_state.terminated = Some(ended(
                137,
                STATUS_UNKNOWN,
                "The container could not be located when the pod was deleted.  The container used to be Running",
            ));
            if pod.metadata.deletion_timestamp.is_none() {
                status.restart_count += 1;
            }
        }
        status
    }

    /// The newest instance is the state, the second newest the state before.
    fn in_runtime(&self, container: &Container, old: Option<&ContainerStatus>) -> Option<ContainerStatus> {
        let mut instances =
            self.input.seen.containers.iter().filter(|instance| instance.name == container.name);
        let newest = instances.next()?;
        let id = api_id(&newest.id);
        let mut status = ContainerStatus {
            name: container.name.clone(),
            restart_count: newest.restart_count,
            image: newest.image.clone(),
            image_id: newest.image_ref.clone(),
            state: state_of(newest, old),
            volume_mounts: old.map(|old| old.volume_mounts.clone()).unwrap_or_default(),
            user: newest.user.clone(),
            ..ContainerStatus::default()
        };
        if let Some(old) = old {
            status.restart_count = status.restart_count.max(old.restart_count);
            status.last_state = old.last_state.clone();
            if old.state.terminated.is_some() {
                if old.container_id != id {
                    status.last_state = old.state.clone().into();
                }
                if newest.state == ContainerState::Running && old.restart_count >= newest.restart_count {
                    status.restart_count = old.restart_count + 1;
                }
            }
            if newest.state == ContainerState::Unknown && old.state.running.is_some() {
                status.restart_count = old.restart_count + 1;
            }
        }
        status.container_id = id;
        if let Some(previous) = instances.next() {
            status.last_state = state_of(previous, old).into();
        }
        status.resources = Some(Box::new(resources::of_container(container, newest, old)));
        status.allocated_resources = container.resources.requests.clone();
        Some(status)
    }

    /// An init container that is gone from the runtime has ended well if regular containers were made after it.
    /// Answers whether that was said now.
    fn complete_init(&self, container: &Container, status: &mut ContainerStatus) -> bool {
        let seen = self.input.seen;
        if is_sidecar(container)
            || status.state.waiting.is_none()
            || seen.container(&container.name).is_some()
        {
            return false;
        }
        let initialized = self.input.pod.spec.containers.iter().any(|regular| {
            seen.container(&regular.name).is_some_and(|current| current.state != ContainerState::Unknown)
        });
        if initialized {
            status.state = ApiState {
                terminated: Some(ended(
                    0,
                    "Completed",
                    "Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally",
                )),
                ..ApiState::default()
            };
        }
        initialized
    }

    /// A container that is about to be started and could not be, the last time it was tried, waits.
    fn not_started(&self, container: &Container, init: bool, status: &mut ContainerStatus) {
        let input = self.input;
        if init
            && input
                .seen
                .container(&container.name)
                .is_some_and(|c| c.state == ContainerState::Exited && c.exit_code == 0)
        {
            return;
        }
        let Some(error) = input.start_errors.get(&container.name) else {
            return;
        };
        if !should_start(container, input.pod, input.seen) {
            return;
        }
        if status.state.terminated.is_some() {
            status.last_state = std::mem::take(&mut status.state).into();
        }
        status.state = ApiState {
            waiting: Some(Box::new(ContainerStateWaiting {
                reason: error.reason.clone(),
                message: error.message.clone(),
                ..Default::default()
            })),
            ..ApiState::default()
        };
    }
}

/// Runtimes without recursive read-only mounts only ever make the plain kind. Nothing is said of mounts that ask for
/// what is not possible.
fn volume_mounts(container: &Container) -> List<VolumeMountStatus> {
    let plain = |mount: &VolumeMount| match &mount.recursive_read_only {
        None | Some(RecursiveReadOnlyMode::Disabled) => true,
        Some(RecursiveReadOnlyMode::IfPossible) => mount
            .mount_propagation
            .as_ref()
            .is_none_or(|propagation| *propagation == MountPropagationMode::None),
        Some(_) => false,
    };
    let status = |mount: &VolumeMount| VolumeMountStatus {
        name: mount.name.clone(),
        mount_path: mount.mount_path.clone(),
        read_only: mount.read_only,
        recursive_read_only: (mount.read_only && plain(mount)).then_some(RecursiveReadOnlyMode::Disabled),
        ..VolumeMountStatus::default()
    };
    container.volume_mounts.iter().map(status).collect()
}

/// `started` and `ready`, from what the probes say.
pub(super) fn set_started_and_ready(status: &mut PodStatus, input: &StatusInput<'_>, old: &PodStatus) {
    let spec = &input.pod.spec;
    for known in status.container_statuses.iter_mut() {
        let container = spec.containers.iter().find(|container| container.name == known.name);
        let before = old.container_statuses.iter().find(|before| before.name == known.name);
        judge(known, container, before, input);
    }
    for known in status.init_container_statuses.iter_mut() {
        let container = spec.init_containers.iter().find(|container| container.name == known.name);
        let before = old.init_container_statuses.iter().find(|before| before.name == known.name);
        if container.is_some_and(is_sidecar) {
            judge(known, container, before, input);
        } else {
            known.started = Some(is_started(known, None, before, input));
            if known.state.terminated.as_ref().is_some_and(|ended| ended.exit_code == 0) {
                known.ready = true;
            }
        }
    }
}

fn result(results: &ProbeResults, id: &str) -> Option<ProbeOutcome> {
    results.get(runtime_id(id))
}

fn is_started(
    known: &ContainerStatus,
    container: Option<&Container>,
    before: Option<&ContainerStatus>,
    input: &StatusInput<'_>,
) -> bool {
    if known.state.running.is_none() {
        return false;
    }
    if let Some(outcome) = result(input.startup, &known.container_id) {
        return outcome == ProbeOutcome::Success;
    }
    if before.is_some_and(|before| before.started == Some(true)) {
        return true;
    }
    !(input.probing && container.is_some_and(|container| container.startup_probe.is_some()))
}

fn judge(
    known: &mut ContainerStatus,
    container: Option<&Container>,
    before: Option<&ContainerStatus>,
    input: &StatusInput<'_>,
) {
    let started = is_started(known, container, before, input);
    known.started = Some(started);
    if !started {
        return;
    }
    let probed = container.is_some_and(|container| container.readiness_probe.is_some());
    let outcome = result(input.readiness, &known.container_id);
    known.ready = match outcome {
        Some(ProbeOutcome::Success) => true,
        None if is_inherited(known, input) => {
            let was_ready = || {
                let conditions = &input.pod.status.conditions;
                conditions
                    .iter()
                    .any(|c| c.type_ == PodConditionType::Ready && c.status == ConditionStatus::True)
            };
            !probed || was_ready()
        }
        Some(_) if is_inherited(known, input) => false,
        _ => !(input.probing && probed),
    };
}

fn is_inherited(known: &ContainerStatus, input: &StatusInput<'_>) -> bool {
    let started = known.state.running.as_ref().and_then(|running| running.started_at);
    started.is_some_and(|started| {
        started.timestamp().saturating_add(INHERITED).is_ok_and(|held| held < input.agent_started)
    })
}
