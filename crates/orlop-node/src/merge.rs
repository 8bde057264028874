//! What the agent writes: its status of a pod, merged into what the API server has.

use jiff::Timestamp;
use orlop_model::core::v1::{
    ConditionStatus, ContainerStatus, Pod, PodCondition, PodConditionType, PodPhase, PodStatus,
};
use orlop_model::{List, Time};

use crate::restart::{is_sidecar, is_static};
use crate::status::{STATUS_UNKNOWN, is_own_condition};

/// The status to write for `pod`, or `None` if the API server's says the same already.
///
/// Conditions and fields of others stay as they are. Times of conditions change only with their status. While anything
/// of the pod can run (`may_run`) a final phase is held back: whoever sees it may replace the pod.
pub fn merge(pod: &Pod, generated: &PodStatus, may_run: bool, now: Timestamp) -> Option<PodStatus> {
    let api = &pod.status;
    let mut status = generated.clone();
    status.start_time = api.start_time.or(generated.start_time).or(Some(Time::from(now)));
    status.observed_generation = pod.metadata.generation;
    status.nominated_node_name = api.nominated_node_name.clone();
    status.resize = api.resize.clone();
    status.resource_claim_statuses = api.resource_claim_statuses.clone();
    status.extended_resource_claim_status = api.extended_resource_claim_status.clone();
    status.extra = api.extra.clone();

    let is_final = matches!(status.phase, PodPhase::Failed | PodPhase::Succeeded);
    let held = may_run && is_final && !matches!(api.phase, PodPhase::Failed | PodPhase::Succeeded);
    if held {
        status.phase = api.phase.clone();
        status.reason = api.reason.clone();
        status.message = api.message.clone();
    }
    let shared = |condition: &PodCondition| condition.type_ == PodConditionType::DisruptionTarget;
    let mut conditions: List<PodCondition> =
        api.conditions.iter().filter(|condition| !is_own_condition(&condition.type_)).cloned().collect();
    for condition in &generated.conditions {
        if shared(condition) && !held {
            conditions.retain(|present| !shared(present));
        } else if !is_own_condition(&condition.type_) {
            continue;
        }
        let mut condition = condition.clone();
        if is_final && matches!(condition.type_, PodConditionType::Ready | PodConditionType::ContainersReady)
        {
            condition.status = ConditionStatus::False;
            let reason = if generated.phase == PodPhase::Failed { "PodFailed" } else { "PodCompleted" };
            condition.reason = reason.into();
            condition.message = orlop_model::Str::EMPTY;
        }
        let before = api.conditions.iter().find(|before| before.type_ == condition.type_);
        condition.last_transition_time = match before {
            Some(before) if before.status == condition.status && before.last_transition_time.is_some() => {
                before.last_transition_time
            }
            _ => Some(Time::from(now)),
        };
        conditions.push(condition);
    }
    // In the order in which the server has them, so that a status that says the same is the same.
    conditions.sort_by_key(|condition| {
        api.conditions.iter().position(|before| before.type_ == condition.type_).unwrap_or(usize::MAX)
    });
    status.conditions = conditions;
    (status != *api).then_some(status)
}

/// Makes the status of a pod of which nothing runs any more a final one: containers of which no end is known count as
/// ended in an unknown way, and a pod that was not finished has failed.
pub fn finish(pod: &Pod, status: &mut PodStatus) {
    let unknown = |container: &mut ContainerStatus| {
        if container.state.terminated.is_some() {
            return;
        }
        container.state = Default::default();
        container.state.terminated = Some(Box::new(orlop_model::core::v1::ContainerStateTerminated {
            exit_code: 137,
            reason: STATUS_UNKNOWN.into(),
            message: "The container could not be located when the pod was terminated".into(),
            ..Default::default()
        }));
        container.ready = false;
        container.started = Some(false);
    };
    if is_initialized(pod, status) {
        status.container_statuses.iter_mut().for_each(unknown);
    }
    // Init containers after the last one that ran have never run.
    let ran = |container: &ContainerStatus| {
        container.state.waiting.is_none() || container.last_state.terminated.is_some()
    };
    let inits = status.init_container_statuses.iter().rposition(ran).map_or(0, |last| last + 1);
    status.init_container_statuses.iter_mut().take(inits).for_each(unknown);
    if !is_static(pod) && !matches!(status.phase, PodPhase::Failed | PodPhase::Succeeded) {
        status.phase = PodPhase::Failed;
    }
}

/// Whether the pod's regular containers have had their turn.
fn is_initialized(pod: &Pod, status: &PodStatus) -> bool {
    if pod.spec.init_containers.is_empty() {
        return true;
    }
    let ran = |container: &ContainerStatus| {
        container.last_state.terminated.is_some() || container.state.waiting.is_none()
    };
    if status.container_statuses.iter().any(ran) {
        return true;
    }
    let (Some(container), Some(last)) =
        (pod.spec.init_containers.last(), status.init_container_statuses.last())
    else {
        return false;
    };
    if is_sidecar(container) {
        return last.state.running.is_some() && last.started == Some(true);
    }
    [&last.last_state, &last.state]
        .iter()
        .any(|state| state.terminated.as_ref().is_some_and(|ended| ended.exit_code == 0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn pod(status: serde_json::Value) -> Pod {
        serde_json::from_value(
            json!({"metadata": {"generation": 3}, "spec": {"containers": [{"name": "a"}]}, "status": status}),
        )
        .unwrap()
    }

    fn generated(phase: &str, ready: &str) -> PodStatus {
        let status = json!({"phase": phase, "conditions": [{"type": "Ready", "status": ready, "observedGeneration": 3}]});
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn others_keep_what_is_theirs() {
        let pod = pod(json!({
            "phase": "Pending", "startTime": "2026-03-01T10:00:00Z", "nominatedNodeName": "n7",
            "conditions": [
                {"type": "Ready", "status": "False", "lastTransitionTime": "2026-03-01T11:00:00Z"},
                {"type": "example.com/gate", "status": "True", "lastTransitionTime": "2026-03-01T11:00:00Z"},
            ],
        }));
        let status = merge(&pod, &generated("Running", "False"), true, now()).unwrap();
        assert_eq!(status.conditions[0].last_transition_time, pod.status.conditions[0].last_transition_time);
        assert_eq!(status.conditions[1], pod.status.conditions[1]);
        assert_eq!((status.start_time, status.nominated_node_name.as_str()), (pod.status.start_time, "n7"));
        assert_eq!(status.observed_generation, 3);
        let status = merge(&pod, &generated("Running", "True"), true, now()).unwrap();
        assert_eq!(status.conditions[0].last_transition_time, Some(now().into()));

        let mut stored = pod;
        stored.status = status;
        assert_eq!(merge(&stored, &generated("Running", "True"), true, now()), None, "it says the same");
    }

    #[test]
    fn nothing_is_final_while_something_runs() {
        let pod = pod(json!({"phase": "Running"}));
        let held = merge(&pod, &generated("Failed", "True"), true, now()).unwrap();
        assert_eq!((held.phase, held.conditions[0].status.as_str()), (PodPhase::Running, "False"));
        let told = merge(&pod, &generated("Failed", "True"), false, now()).unwrap();
        assert_eq!((told.phase, told.conditions[0].reason.as_str()), (PodPhase::Failed, "PodFailed"));
    }

    #[test]
    fn what_never_came_to_an_end_has_failed() {
        let pod = pod(json!({}));
        let status = json!({"phase": "Pending", "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "ContainerCreating"}}}]});
        let mut status: PodStatus = serde_json::from_value(status).unwrap();
        finish(&pod, &mut status);
        assert_eq!(status.phase, PodPhase::Failed);
        assert_eq!(
            status.container_statuses[0].state.terminated.as_ref().unwrap().reason,
            "ContainerStatusUnknown"
        );
    }
}
