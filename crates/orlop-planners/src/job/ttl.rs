//! Deletion of finished Jobs after their time to live.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orlop_model::batch::v1::Job;
use orlop_model::meta::v1::{DeletionPropagation, Preconditions};
use orlop_model::{Object, ObjectKey};

use super::condition;
use crate::{Delete, Plan};

/// Why the end of a finished Job is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TtlError {
    /// The condition that says that the Job has ended has no transition time.
    #[error("Job {job}: status.conditions[{condition}].lastTransitionTime is missing")]
    NoFinishTime {
        /// Namespace and name of the Job.
        job: ObjectKey,
        /// Type of the condition.
        condition: String,
    },
}

/// Whether a Job is complete or failed.
#[must_use]
pub fn is_finished(job: &Job) -> bool {
    condition::finished(job).is_some()
}

/// When a Job ended; `None` if it has not.
///
/// # Errors
/// [`TtlError::NoFinishTime`] if it has, but does not say when.
pub fn finish_time(job: &Job) -> Result<Option<Timestamp>, TtlError> {
    let Some(finished) = condition::finished(job) else {
        return Ok(None);
    };
    match finished.last_transition_time {
        Some(time) => Ok(Some(time.timestamp())),
        None => Err(TtlError::NoFinishTime { job: job.key(), condition: finished.type_.as_str().to_owned() }),
    }
}

/// Deletes a finished Job, dependents first, when its `ttlSecondsAfterFinished` is over; until then it says when to
/// ask again. The Job should be read anew before the deletion is carried out: its time to live may have been raised.
///
/// # Errors
/// [`TtlError::NoFinishTime`] if the Job does not say when it ended.
pub fn plan_ttl(job: &Job, now: Timestamp) -> Result<Plan, TtlError> {
    let mut plan = Plan::default();
    let Some(ttl) = job.spec.ttl_seconds_after_finished else {
        return Ok(plan);
    };
    if job.metadata.deletion_timestamp.is_some() {
        return Ok(plan);
    }
    let Some(finished) = finish_time(job)? else {
        return Ok(plan);
    };
    let rest = SignedDuration::from_secs(ttl.into()) - now.duration_since(finished);
    if rest.is_positive() {
        plan.requeue = Some(Duration::try_from(rest).unwrap_or_default());
    } else {
        plan.push(Delete {
            preconditions: Some(Preconditions {
                uid: Some(job.metadata.uid.clone()),
                ..Preconditions::default()
            }),
            propagation: Some(DeletionPropagation::Foreground),
            ..Delete::new(job)
        });
    }
    Ok(plan)
}
