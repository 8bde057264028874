//! Jobs: pods that run to completion.
//!
//! [`plan`] does one step for a Job: it counts the pods that have ended, decides whether the Job has succeeded or
//! failed, and creates or deletes pods. A pod carries the finalizer [`TRACKING_FINALIZER`] until it is counted. The
//! counting survives a crash between any two of its writes: first the status names the ended pods, then their
//! finalizers go, then the status counts them.
//!
//! [`plan_ttl`] deletes finished Jobs after their time to live; [`release_orphan`] frees pods whose Job is gone.
//!
//! ```
//! use orlop_model::batch::v1::{Job, JobSpec};
//! use orlop_planners::{Change, job};
//!
//! let mut job = Job::default();
//! job.metadata.name = "copy".into();
//! job.spec = JobSpec { parallelism: Some(2), completions: Some(3), backoff_limit: Some(6), ..JobSpec::default() };
//! let now = "2026-03-01T12:00:00Z".parse()?;
//! let plan = job::plan(&job::Inputs::new(&job, &[]), &job::Memory::default(), now);
//! let creates = plan.changes.iter().filter(|change| matches!(change, Change::Create(_))).count();
//! assert_eq!(creates, 2);
//! # Ok::<(), jiff::Error>(())
//! ```

mod backoff;
mod condition;
mod failure_policy;
mod indexes;
mod manage;
mod pod;
mod removal;
mod success_policy;
mod sync;
mod tracked;
mod tracking;
mod ttl;

pub use backoff::{Backoff, finished_at};
pub use failure_policy::Failure;
pub use indexes::Indexes;
pub use sync::{Inputs, Memory, plan};
pub use tracking::{is_held, release_orphan};
pub use ttl::{TtlError, finish_time, is_finished, plan_ttl};

/// Finalizer of pods that have not been counted in their Job's status.
pub const TRACKING_FINALIZER: &str = "batch.kubernetes.io/job-tracking";
/// Annotation and label with the completion index of a pod.
pub const COMPLETION_INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Annotation with the number of counted failures of the pod's index before it.
pub const INDEX_FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-failure-count";
/// Annotation with the number of ignored failures of the pod's index before it.
pub const IGNORED_FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-ignored-failure-count";
/// Value of `spec.managedBy` that means this controller; so does none.
pub const CONTROLLER_NAME: &str = "kubernetes.io/job-controller";
/// At most so many pods are created or deleted in one step.
pub const MAX_CHANGES: usize = 500;
/// At most so many ended pods are named in the status at a time.
pub const MAX_UNCOUNTED: usize = 500;

#[cfg(test)]
mod tests;
