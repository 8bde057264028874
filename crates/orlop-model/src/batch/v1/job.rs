//! The kind `Job`.

use super::{JobConditionType, JobSpec};
use crate::{Extra, List, Message, Object, Str, Time};

/// Workload that runs pods until a number of them have finished successfully.
///
/// The kind `Job` of `batch/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#job-v1-batch).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "batch", version = "v1", categories = "all", status)]
#[wire(debug)]
pub struct Job {
    /// Identity, labels and ownership of the job.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Desired completions, parallelism and failure handling.
    #[wire(pb = 2)]
    pub spec: JobSpec,
    /// Observed progress and outcome; written by the job controller.
    #[wire(pb = 3)]
    pub status: JobStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observation about a job, in particular its final outcome.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct JobCondition {
    /// Observed aspect: `Suspended`, `Complete`, `Failed`, `FailureTarget` or `SuccessCriteriaMet`.
    #[wire(pb = 1, required)]
    pub type_: JobConditionType,
    /// Whether the aspect holds: `True`, `False` or `Unknown`.
    #[wire(pb = 2, required)]
    pub status: crate::core::v1::ConditionStatus,
    /// When the condition was last examined.
    #[wire(pb = 3, required, plain, needless)]
    pub last_probe_time: Option<Time>,
    /// When `status` last switched to another value.
    #[wire(pb = 4, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// CamelCase word for the last transition, such as `BackoffLimitExceeded` or `DeadlineExceeded`.
    #[wire(pb = 5)]
    pub reason: Str,
    /// Details of the last transition for people.
    #[wire(pb = 6)]
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a job.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct JobStatus {
    /// Latest observations, among them the final outcome as `Complete` or `Failed`.
    #[wire(pb = 1, patch = "merge", merge_key = "type")]
    pub conditions: List<JobCondition>,
    /// When the controller first took up the job; reset each time it resumes from suspension.
    #[wire(pb = 2)]
    pub start_time: Option<Time>,
    /// When the job finished successfully; stays unset for failed jobs.
    #[wire(pb = 3)]
    pub completion_time: Option<Time>,
    /// Pods that are pending or running and are not being deleted.
    #[wire(pb = 4)]
    pub active: i32,
    /// Pods that have reached the phase `Succeeded`.
    #[wire(pb = 5)]
    pub succeeded: i32,
    /// Pods that have reached the phase `Failed`.
    #[wire(pb = 6)]
    pub failed: i32,
    /// Pods with a deletion timestamp that are still pending or running; null when not tracked.
    #[wire(pb = 11)]
    pub terminating: Option<i32>,
    /// Successful indexes of an `Indexed` job in compressed form, such as `1,3-5,7`.
    #[wire(pb = 7)]
    pub completed_indexes: Str,
    /// Indexes given up as failed, in the form `1,3-5,7`; set only with `backoffLimitPerIndex`.
    #[wire(pb = 10)]
    pub failed_indexes: Option<Str>,
    /// UIDs of finished pods not yet added to the counters; lets the controller count each pod exactly once.
    #[wire(pb = 8)]
    pub uncounted_terminated_pods: Option<Box<UncountedTerminatedPods>>,
    /// Active pods whose `Ready` condition is true and which are not being deleted.
    #[wire(pb = 9)]
    pub ready: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// UIDs of finished pods that the job's counters do not include yet.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct UncountedTerminatedPods {
    /// UIDs of successful pods still to be counted.
    #[wire(pb = 1, list = "set")]
    pub succeeded: List<Str>,
    /// UIDs of failed pods still to be counted.
    #[wire(pb = 2, list = "set")]
    pub failed: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
