//! The kind `CronJob`.

use super::{ConcurrencyPolicy, JobSpec};
use crate::{Extra, List, Message, Object, Str, Time};

/// Object that creates jobs repeatedly on a time schedule.
///
/// The kind `CronJob` of `batch/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#cronjob-v1-batch).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "batch", version = "v1", short = "cj", categories = "all", status)]
#[wire(debug)]
pub struct CronJob {
    /// Identity, labels and ownership of the cron job.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Schedule, job template and history limits.
    #[wire(pb = 2, needed)]
    pub spec: CronJobSpec,
    /// Active runs and times of past ones; written by the cron job controller.
    #[wire(pb = 3)]
    pub status: CronJobStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Desired behaviour of a cron job.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CronJobSpec {
    /// Time pattern in five-field cron syntax, such as `*/5 * * * *`, or a macro like `@hourly`.
    #[wire(pb = 1, required)]
    pub schedule: Str,
    /// IANA zone name in which the schedule is read, such as `Europe/Berlin`; default is the zone of
    /// kube-controller-manager.
    #[wire(pb = 8)]
    pub time_zone: Option<Str>,
    /// Seconds after the due time within which a missed run may still start; unset means no deadline.
    #[wire(pb = 2)]
    pub starting_deadline_seconds: Option<i64>,
    /// Handling of overlap: `Allow` (default) runs both, `Forbid` skips the new run, `Replace` cancels the
    /// old one.
    #[wire(pb = 3)]
    pub concurrency_policy: ConcurrencyPolicy,
    /// Stops new runs while true without touching those already started; default false.
    #[wire(pb = 4)]
    pub suspend: Option<bool>,
    /// Job that is created on each scheduled run.
    #[wire(pb = 5, needed)]
    pub job_template: JobTemplateSpec,
    /// Number of successfully finished jobs to keep; default 3.
    #[wire(pb = 6)]
    pub successful_jobs_history_limit: Option<i32>,
    /// Number of failed jobs to keep; default 1.
    #[wire(pb = 7)]
    pub failed_jobs_history_limit: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a cron job.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CronJobStatus {
    /// References to the jobs currently running for this cron job.
    #[wire(pb = 1)]
    pub active: List<crate::core::v1::ObjectReference>,
    /// Due time of the most recent run that was started.
    #[wire(pb = 4)]
    pub last_schedule_time: Option<Time>,
    /// When a run most recently finished with success.
    #[wire(pb = 5)]
    pub last_successful_time: Option<Time>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Blueprint of the jobs that a cron job creates.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct JobTemplateSpec {
    /// Labels and annotations copied onto each created job.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Specification given to each created job.
    #[wire(pb = 2)]
    pub spec: JobSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
