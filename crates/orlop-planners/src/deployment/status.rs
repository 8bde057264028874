//! Status and conditions of a Deployment.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orlop_model::apps::v1::{
    Deployment, DeploymentCondition, DeploymentConditionType, DeploymentStatus, ReplicaSet,
    ReplicaSetConditionType,
};
use orlop_model::core::v1::ConditionStatus;
use orlop_model::{List, Time};

use super::numbers::{max_unavailable, replicas, sum, total_replicas};

/// Reasons of the condition `Progressing`.
pub(super) mod reason {
    pub(in super::super) const PAUSED: &str = "DeploymentPaused";
    pub(in super::super) const RESUMED: &str = "DeploymentResumed";
    pub(in super::super) const FOUND_NEW_SET: &str = "FoundNewReplicaSet";
    pub(in super::super) const NEW_SET_CREATED: &str = "NewReplicaSetCreated";
    pub(in super::super) const NEW_SET_AVAILABLE: &str = "NewReplicaSetAvailable";
    pub(in super::super) const SET_UPDATED: &str = "ReplicaSetUpdated";
    pub(in super::super) const CREATE_ERROR: &str = "ReplicaSetCreateError";
    pub(in super::super) const TIMED_OUT: &str = "ProgressDeadlineExceeded";
}

/// The time a rollout may take without progress, unless there is no limit (absent or 2147483647 seconds).
fn progress_deadline(deployment: &Deployment) -> Option<SignedDuration> {
    let seconds = deployment.spec.progress_deadline_seconds.filter(|seconds| *seconds != i32::MAX)?;
    Some(SignedDuration::from_secs(i64::from(seconds)))
}

pub(super) fn has_progress_deadline(deployment: &Deployment) -> bool {
    progress_deadline(deployment).is_some()
}

pub(super) fn condition<'a>(
    status: &'a DeploymentStatus,
    type_: &DeploymentConditionType,
) -> Option<&'a DeploymentCondition> {
    status.conditions.iter().find(|condition| condition.type_ == *type_)
}

pub(super) fn progressing(status: &DeploymentStatus) -> Option<&DeploymentCondition> {
    condition(status, &DeploymentConditionType::Progressing)
}

pub(super) fn new_condition(
    type_: DeploymentConditionType,
    status: ConditionStatus,
    reason: &str,
    message: impl Into<String>,
    now: Timestamp,
) -> DeploymentCondition {
    DeploymentCondition {
        type_,
        status,
        last_update_time: Some(Time::from(now)),
        last_transition_time: Some(Time::from(now)),
        reason: reason.into(),
        message: message.into().into(),
        ..DeploymentCondition::default()
    }
}

/// Sets a condition: one of equal status and reason stays as it is; any other goes to the end of the list and keeps its
/// transition time if the status is the same.
pub(super) fn set_condition(status: &mut DeploymentStatus, mut new: DeploymentCondition) {
    if let Some(old) = condition(status, &new.type_)
        && old.status == new.status
    {
        if old.reason == new.reason {
            return;
        }
        new.last_transition_time = old.last_transition_time;
    }
    remove_condition(status, &new.type_);
    status.conditions.push(new);
}

fn remove_condition(status: &mut DeploymentStatus, type_: &DeploymentConditionType) {
    status.conditions.retain(|condition| condition.type_ != *type_);
}

/// The status of `deployment` whose ReplicaSets are `sets`, among them `new`: counts and the condition `Available`,
/// the other conditions as they are.
#[must_use]
pub fn status(
    deployment: &Deployment,
    sets: &[Arc<ReplicaSet>],
    new: Option<&ReplicaSet>,
    now: Timestamp,
) -> DeploymentStatus {
    let of_all = |number: fn(&ReplicaSet) -> i32| sum(sets.iter().map(|set| &**set), number);
    let available = of_all(|set| set.status.available_replicas);
    let wanted = total_replicas(sets.iter().map(|set| &**set));
    let mut status = DeploymentStatus {
        observed_generation: deployment.metadata.generation,
        replicas: of_all(|set| set.status.replicas),
        updated_replicas: new.map_or(0, |set| set.status.replicas),
        ready_replicas: of_all(|set| set.status.ready_replicas),
        available_replicas: available,
        unavailable_replicas: wanted.wrapping_sub(available).max(0),
        terminating_replicas: terminating(sets),
        conditions: deployment.status.conditions.clone(),
        collision_count: deployment.status.collision_count,
        extra: deployment.status.extra.clone(),
    };
    let enough = available >= replicas(deployment).wrapping_sub(max_unavailable(deployment));
    let (is, reason, message) = if enough {
        (ConditionStatus::True, "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        (
            ConditionStatus::False,
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    set_condition(&mut status, new_condition(DeploymentConditionType::Available, is, reason, message, now));
    status
}

/// Terminating pods; unknown if a set does not tell that has been observed by a controller.
fn terminating(sets: &[Arc<ReplicaSet>]) -> Option<i32> {
    sets.iter().try_fold(0_i32, |sum, set| match set.status.terminating_replicas {
        Some(terminating) => Some(sum.wrapping_add(terminating)),
        None if set.status.observed_generation == 0 => Some(sum),
        None => None,
    })
}

/// Whether all pods are of the new revision and available, at the latest generation.
#[must_use]
pub fn is_complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let desired = replicas(deployment);
    status.updated_replicas == desired
        && status.replicas == desired
        && status.available_replicas == desired
        && status.observed_generation >= deployment.metadata.generation
}

/// Whether `status` is a step forward from the one stored: more updated, ready or available pods, or fewer old ones.
#[must_use]
pub fn is_progressing(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let stored = &deployment.status;
    let old_pods = |status: &DeploymentStatus| status.replicas.wrapping_sub(status.updated_replicas);
    status.updated_replicas > stored.updated_replicas
        || old_pods(status) < old_pods(stored)
        || status.ready_replicas > stored.ready_replicas
        || status.available_replicas > stored.available_replicas
}

/// Whether the rollout made no progress for longer than its deadline.
#[must_use]
pub fn is_timed_out(deployment: &Deployment, status: &DeploymentStatus, now: Timestamp) -> bool {
    let Some(deadline) = progress_deadline(deployment) else {
        return false;
    };
    let Some(condition) = progressing(status) else {
        return false;
    };
    match condition.reason.as_str() {
        reason::NEW_SET_AVAILABLE => false,
        reason::TIMED_OUT => true,
        _ => condition.last_update_time.is_none_or(|since| now.duration_since(since.timestamp()) > deadline),
    }
}

/// The status of a rollout: [`status`] with the conditions `Progressing` and `ReplicaFailure`.
pub(super) fn rollout_status(
    deployment: &Deployment,
    sets: &[Arc<ReplicaSet>],
    new: Option<&ReplicaSet>,
    now: Timestamp,
) -> DeploymentStatus {
    let mut status = status(deployment, sets, new, now);
    if !has_progress_deadline(deployment) {
        remove_condition(&mut status, &DeploymentConditionType::Progressing);
    } else {
        update_progress(deployment, &mut status, new, now);
    }
    match failure(sets, new) {
        Some(failure) => set_condition(&mut status, failure),
        None => remove_condition(&mut status, &DeploymentConditionType::ReplicaFailure),
    }
    status
}

fn update_progress(
    deployment: &Deployment,
    status: &mut DeploymentStatus,
    new: Option<&ReplicaSet>,
    now: Timestamp,
) {
    let current = progressing(&deployment.status);
    let was_complete = current.is_some_and(|condition| condition.reason == reason::NEW_SET_AVAILABLE);
    // A resync after the rollout: nothing to estimate.
    if status.replicas == status.updated_replicas && was_complete {
        return;
    }
    let subject = match new {
        Some(set) => format!("ReplicaSet {:?}", set.metadata.name.as_str()),
        None => format!("Deployment {:?}", deployment.metadata.name.as_str()),
    };
    let set = |status: &mut DeploymentStatus, is, reason, what: &str| {
        let message = format!("{subject} {what}.");
        let type_ = DeploymentConditionType::Progressing;
        set_condition(status, new_condition(type_, is, reason, message, now));
    };
    if is_complete(deployment, status) {
        set(status, ConditionStatus::True, reason::NEW_SET_AVAILABLE, "has successfully progressed");
    } else if is_progressing(deployment, status) {
        // Replaced even if it says the same, so that the deadline runs anew.
        remove_condition(status, &DeploymentConditionType::Progressing);
        set(status, ConditionStatus::True, reason::SET_UPDATED, "is progressing");
        if let Some(current) = current
            && current.status == ConditionStatus::True
            && let Some(condition) = status.conditions.last_mut()
        {
            condition.last_transition_time = current.last_transition_time;
        }
    } else if is_timed_out(deployment, status, now) {
        set(status, ConditionStatus::False, reason::TIMED_OUT, "has timed out progressing");
    }
}

/// Why pods cannot be created or deleted, as the ReplicaSets tell; the new one first.
fn failure(sets: &[Arc<ReplicaSet>], new: Option<&ReplicaSet>) -> Option<DeploymentCondition> {
    let failure = |set: &ReplicaSet| {
        let conditions: &List<_> = &set.status.conditions;
        let found =
            conditions.iter().find(|condition| condition.type_ == ReplicaSetConditionType::ReplicaFailure)?;
        Some(DeploymentCondition {
            type_: DeploymentConditionType::ReplicaFailure,
            status: found.status.clone(),
            last_update_time: found.last_transition_time,
            last_transition_time: found.last_transition_time,
            reason: found.reason.clone(),
            message: found.message.clone(),
            ..DeploymentCondition::default()
        })
    };
    new.and_then(failure).or_else(|| sets.iter().find_map(|set| failure(set)))
}

/// When to look again at a rollout that shows no change: a second after its deadline.
pub(super) fn recheck(
    deployment: &Deployment,
    status: &DeploymentStatus,
    now: Timestamp,
) -> Option<Duration> {
    let deadline = progress_deadline(deployment)?;
    let current = progressing(&deployment.status)?;
    if is_complete(deployment, status) || current.reason == reason::TIMED_OUT {
        return None;
    }
    let second = SignedDuration::from_secs(1);
    let left = match current.last_update_time {
        Some(since) => deadline.saturating_sub(now.duration_since(since.timestamp())),
        None => SignedDuration::ZERO,
    };
    let wait = if left < second { second } else { left.saturating_add(second) };
    Duration::try_from(wait).ok()
}
