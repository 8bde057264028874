//! Conditions of a Job.

use jiff::Timestamp;
use orlop_model::List;
use orlop_model::batch::v1::{Job, JobCondition, JobConditionType};
use orlop_model::core::v1::ConditionStatus;

pub(super) fn new(
    type_: JobConditionType,
    status: ConditionStatus,
    reason: &str,
    message: &str,
    now: Timestamp,
) -> JobCondition {
    JobCondition {
        type_,
        status,
        last_probe_time: Some(now.into()),
        last_transition_time: Some(now.into()),
        reason: reason.into(),
        message: message.into(),
        ..JobCondition::default()
    }
}

/// Replaces the condition of this type if status, reason or message differ, or appends it unless it would be False.
/// Says whether anything changed.
pub(super) fn set(conditions: &mut List<JobCondition>, new: JobCondition) -> bool {
    match conditions.iter_mut().find(|condition| condition.type_ == new.type_) {
        Some(old) => {
            let differs = old.status != new.status || old.reason != new.reason || old.message != new.message;
            if differs {
                *old = new;
            }
            differs
        }
        None if new.status == ConditionStatus::False => false,
        None => {
            conditions.push(new);
            true
        }
    }
}

/// The condition of this type that is True.
pub(super) fn holding<'a>(
    conditions: &'a [JobCondition],
    type_: &JobConditionType,
) -> Option<&'a JobCondition> {
    conditions
        .iter()
        .find(|condition| condition.type_ == *type_)
        .filter(|condition| condition.status == ConditionStatus::True)
}

/// The condition that says that the Job has ended, if it has.
pub(super) fn finished(job: &Job) -> Option<&JobCondition> {
    job.status.conditions.iter().find(|condition| {
        matches!(condition.type_, JobConditionType::Complete | JobConditionType::Failed)
            && condition.status == ConditionStatus::True
    })
}
