//! The phase of a pod: a short word for where it is in its life.

use orlop_model::core::v1::{Container, ContainerStateTerminated, ContainerStatus, Pod, PodPhase, PodStatus};

use crate::restart::{is_sidecar, is_static, restarts_after};
use crate::view::{ContainerState, RuntimeView};

use super::containers::RESTARTING_ALL;

/// A state with which the container stays ended.
fn is_for_good(container: &Container, pod: &Pod, ended: &ContainerStateTerminated) -> bool {
    ended.reason != RESTARTING_ALL && !restarts_after(container, &pod.spec, ended.exit_code)
}

fn find<'a>(list: &'a [ContainerStatus], name: &str) -> Option<&'a ContainerStatus> {
    list.iter().find(|status| status.name == *name)
}

/// The phase that container statuses give, before what was said earlier is taken into account.
///
/// `terminal`: nothing of the pod will be started again.
pub(super) fn phase(pod: &Pod, status: &PodStatus, terminal: bool, seen: &RuntimeView) -> PodPhase {
    let spec = &pod.spec;
    let (mut pending, mut failed_for_good) = (0, 0);
    let (mut pending_sidecars, mut unknown, mut running, mut waiting) = (0, 0, 0, 0);
    let (mut stopped, mut stopped_for_good, mut succeeded) = (0, 0, 0);

    for container in &spec.init_containers {
        let known = find(&status.init_container_statuses, &container.name);
        if is_sidecar(container) {
            match known.map(|known| (&known.state, &known.last_state)) {
                None => unknown += 1,
                Some((state, _)) if state.running.is_some() => {
                    if known.and_then(|known| known.started) != Some(true) {
                        pending_sidecars += 1;
                    }
                    running += 1;
                }
                // A sidecar that has ended says nothing about the pod.
                Some((state, _)) if state.terminated.is_some() => {}
                Some((state, last)) if state.waiting.is_some() => {
                    if last.terminated.is_none() {
                        pending_sidecars += 1;
                        waiting += 1;
                    }
                }
                Some(_) => {
                    pending_sidecars += 1;
                    unknown += 1;
                }
            }
            continue;
        }
        let ended = known.and_then(|known| match (&known.state.terminated, &known.state.waiting) {
            (Some(ended), _) => Some(ended),
            (None, Some(_)) => known.last_state.terminated.as_ref(),
            (None, None) => None,
        });
        match ended.filter(|_| known.is_some_and(|known| known.state.running.is_none())) {
            None => pending += 1,
            Some(ended) if ended.exit_code != 0 && is_for_good(container, pod, ended) => failed_for_good += 1,
            Some(_) => {}
        }
    }

    for container in &spec.containers {
        let Some(known) = find(&status.container_statuses, &container.name) else {
            unknown += 1;
            continue;
        };
        if known.state.running.is_some() {
            running += 1;
        } else if let Some(ended) = &known.state.terminated {
            stopped += 1;
            succeeded += i32::from(ended.exit_code == 0);
            stopped_for_good += i32::from(is_for_good(container, pod, ended));
        } else if known.state.waiting.is_some() {
            match &known.last_state.terminated {
                Some(ended) => {
                    stopped += 1;
                    stopped_for_good += i32::from(is_for_good(container, pod, ended));
                }
                None => waiting += 1,
            }
        } else {
            unknown += 1;
        }
    }

    if failed_for_good > 0 {
        return PodPhase::Failed;
    }
    let has_run = || {
        seen.containers.iter().any(|instance| {
            instance.active
                && instance.state != ContainerState::Unknown
                && spec.containers.iter().any(|container| container.name == instance.name)
        })
    };
    if pending > 0 || waiting > 0 || pending_sidecars > 0 && !has_run() {
        return PodPhase::Pending;
    }
    if running > 0 && unknown == 0 {
        return PodPhase::Running;
    }
    if running == 0 && stopped > 0 && unknown == 0 {
        let ended = || {
            if stopped == succeeded { PodPhase::Succeeded } else { PodPhase::Failed }
        };
        if terminal && !is_static(pod) {
            return ended();
        }
        return if stopped == stopped_for_good { ended() } else { PodPhase::Running };
    }
    PodPhase::Pending
}
