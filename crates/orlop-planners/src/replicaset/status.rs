//! Status of a ReplicaSet.

use jiff::Timestamp;
use orlop_model::Time;
use orlop_model::apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetConditionType, ReplicaSetStatus};
use orlop_model::core::v1::ConditionStatus;

use super::{Claimed, replicas};
use crate::{Change, pod};

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The status to report; `failure` is why pods could not be created or deleted.
pub(super) fn status(
    set: &ReplicaSet,
    claimed: &Claimed,
    failure: Option<&str>,
    now: Timestamp,
) -> ReplicaSetStatus {
    let active = &claimed.active;
    let wanted_labels = &set.spec.template.metadata.labels;
    let labeled = active
        .iter()
        .filter(|pod| wanted_labels.iter().all(|(key, value)| pod.metadata.labels.get(key) == Some(value)));
    let ready = active.iter().filter(|pod| pod::is_ready(pod));
    let available = active.iter().filter(|pod| pod::is_available(pod, set.spec.min_ready_seconds, now));
    let mut status = ReplicaSetStatus {
        replicas: count(active.len()),
        fully_labeled_replicas: count(labeled.count()),
        ready_replicas: count(ready.count()),
        available_replicas: count(available.count()),
        terminating_replicas: Some(count(claimed.terminating)),
        observed_generation: set.metadata.generation,
        ..set.status.clone()
    };
    let is_failure =
        |condition: &ReplicaSetCondition| condition.type_ == ReplicaSetConditionType::ReplicaFailure;
    match failure {
        None => status.conditions.retain(|condition| !is_failure(condition)),
        // A failure that is known already is not refreshed while failures go on.
        Some(_) if status.conditions.iter().any(is_failure) => {}
        Some(message) => status.conditions.push(ReplicaSetCondition {
            type_: ReplicaSetConditionType::ReplicaFailure,
            status: ConditionStatus::True,
            last_transition_time: Some(Time::from(now)),
            reason: match status.replicas.cmp(&replicas(set)) {
                std::cmp::Ordering::Less => "FailedCreate".into(),
                std::cmp::Ordering::Equal => "".into(),
                std::cmp::Ordering::Greater => "FailedDelete".into(),
            },
            message: message.into(),
            ..ReplicaSetCondition::default()
        }),
    }
    status
}

/// The write of `status`, unless it says nothing new.
pub(super) fn write(set: &ReplicaSet, status: ReplicaSetStatus) -> Option<Change> {
    (status != set.status).then(|| Change::update_status(ReplicaSet { status, ..set.clone() }))
}
