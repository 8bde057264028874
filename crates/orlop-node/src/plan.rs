//! The next step of a pod: its actions, but for containers that still wait after a crash.

use jiff::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::{Container, Pod};

use crate::actions::{ActionsInput, Actuated, PodActions, pod_actions};
use crate::backoff::{Backoff, go_duration};
use crate::probe::ProbeResults;
use crate::view::{ContainerState, Fnv, RuntimeView};

/// What probing says about a pod's containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodProbes {
    /// Results of liveness probes.
    pub liveness: ProbeResults,
    /// Results of readiness probes.
    pub readiness: ProbeResults,
    /// Results of startup probes.
    pub startup: ProbeResults,
}

/// A container that is to be started, but not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The container's name.
    pub name: Str,
    /// When it may be started.
    pub until: Timestamp,
    /// The message of its waiting state, whose reason is `CrashLoopBackOff`.
    pub message: String,
}

/// What to do for a pod now, and when to ask again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodPlan {
    /// What to do. Containers in back-off are not among those to start.
    pub actions: PodActions,
    /// Containers in back-off.
    pub held: Vec<Held>,
    /// When the first of them may be started.
    pub wake: Option<Timestamp>,
}

/// `NAME_NAMESPACE(UID)`, as messages name a pod.
pub fn pod_text(pod: &Pod) -> String {
    let meta = &pod.metadata;
    format!("{}_{}({})", meta.name, meta.namespace, meta.uid)
}

/// The key under which restarts of a container wait: another image, or other resources, begin anew.
pub fn backoff_key(pod: &Pod, container: &Container) -> Str {
    let mut hash = Fnv::default();
    for text in
        [&pod.metadata.name, &pod.metadata.namespace, &pod.metadata.uid, &container.name, &container.image]
    {
        hash.text(text);
    }
    for list in [&container.resources.requests, &container.resources.limits] {
        for (name, quantity) in list {
            hash.text(name);
            hash.text(&quantity.to_string());
        }
        hash.text("");
    }
    format!("{:016x}", hash.0).into()
}

/// When the newest ended instance of a container ended.
pub(crate) fn last_end(seen: &RuntimeView, name: &str) -> Option<Timestamp> {
    let ended = |instance: &&crate::view::ContainerView| {
        instance.name == *name && instance.state == ContainerState::Exited
    };
    seen.containers.iter().find(ended).map(|instance| instance.finished_at.unwrap_or(instance.created_at))
}

/// What to do for a pod at `now`: the pure core of the agent.
///
/// It does not start what was crashing until its back-off is over. Who carries the plan out notes each start of a
/// container that has ended before with [`Backoff::next`].
pub fn plan(
    pod: &Pod,
    seen: &RuntimeView,
    probes: &PodProbes,
    restart_all: bool,
    actuated: Option<&Actuated>,
    backoff: &Backoff,
    now: Timestamp,
) -> PodPlan {
    let input = ActionsInput {
        pod,
        seen,
        liveness: &probes.liveness,
        startup: &probes.startup,
        restart_all,
        actuated,
    };
    let mut plan = PodPlan { actions: pod_actions(&input), ..PodPlan::default() };
    // A new sandbox begins with containers of its own; what ended in the old one holds it back all the same.
    let PodPlan { actions, held, wake } = &mut plan;
    let mut may_start = |container: &Container| {
        let Some(ended) = last_end(seen, &container.name) else {
            return true;
        };
        let key = backoff_key(pod, container);
        let Some(until) = backoff.until(&key, ended).filter(|until| now < *until) else {
            return true;
        };
        let wait = go_duration(backoff.wait(&key));
        held.push(Held {
            name: container.name.clone(),
            until,
            message: format!(
                "back-off {wait} restarting failed container={} pod={}",
                container.name,
                pod_text(pod)
            ),
        });
        *wake = Some(wake.map_or(until, |wake| wake.min(until)));
        false
    };
    // A plain init container that waits holds back those after it.
    let mut open = true;
    actions.start_init.retain(|&index| {
        let container = &pod.spec.init_containers[index];
        let starts = open && may_start(container);
        open &= starts || crate::restart::is_sidecar(container);
        starts
    });
    if !open {
        actions.start.clear();
    }
    actions.start.retain(|&index| may_start(&pod.spec.containers[index]));
    plan
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::view::{ContainerView, SandboxView, definition};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_772_366_400 + seconds).unwrap()
    }

    fn pod() -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "default", "uid": "u1"},
            "spec": {"restartPolicy": "Always", "containers": [{"name": "app", "image": "app:1"}]},
        }))
        .unwrap()
    }

    fn crashed(pod: &Pod, ended: i64) -> RuntimeView {
        RuntimeView {
            sandboxes: vec![SandboxView {
                id: "s".into(),
                ip: Some("10.0.0.1".into()),
                ..SandboxView::default()
            }],
            containers: vec![ContainerView {
                id: "c".into(),
                name: "app".into(),
                state: ContainerState::Exited,
                exit_code: 1,
                finished_at: Some(at(ended)),
                definition: definition(&pod.spec.containers[0]),
                ..ContainerView::default()
            }],
            ..RuntimeView::default()
        }
    }

    #[test]
    fn a_crashing_container_waits_with_the_known_words() {
        let (pod, probes, mut backoff) = (pod(), PodProbes::default(), Backoff::default());
        let first = plan(&pod, &crashed(&pod, 0), &probes, false, None, &backoff, at(0));
        assert_eq!((first.actions.start.as_slice(), first.held.len()), (&[0][..], 0));
        backoff.next(&backoff_key(&pod, &pod.spec.containers[0]), at(0), at(0));
        let second = plan(&pod, &crashed(&pod, 2), &probes, false, None, &backoff, at(2));
        assert!(second.actions.start.is_empty() && !second.actions.kill_pod);
        assert_eq!(
            second.held[0].message,
            "back-off 10s restarting failed container=app pod=web_default(u1)"
        );
        assert_eq!(second.wake, Some(at(12)));
        let third = plan(&pod, &crashed(&pod, 2), &probes, false, None, &backoff, at(12));
        assert_eq!((third.actions.start.as_slice(), third.wake), (&[0][..], None));
    }
}
