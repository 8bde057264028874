//! A Job's pods, with what the Job's controller wants to know of each.

use std::collections::BTreeSet;

use orlop_model::Str;
use orlop_model::batch::v1::{CompletionMode, Job, PodReplacementPolicy};
use orlop_model::core::v1::{Pod, PodPhase};

use super::{COMPLETION_INDEX, Failure, IGNORED_FAILURE_COUNT, INDEX_FAILURE_COUNT, TRACKING_FINALIZER};

/// One pod of a Job.
#[derive(Clone, Debug)]
pub(super) struct Tracked<'a> {
    pub pod: &'a Pod,
    /// It carries the tracking finalizer: it has not been counted yet.
    pub finalizer: bool,
    /// The finalizer's removal was asked for, but the cache does not show it yet.
    pub in_flight: bool,
    /// Completion index, from 0; `None` without a valid one.
    pub index: Option<i64>,
    /// Failed, or as good as failed.
    pub failed: bool,
    /// What the failure means; for pods that have not failed what it would mean.
    pub failure: Failure,
}

impl<'a> Tracked<'a> {
    pub(super) fn new(pod: &'a Pod, job: &Job, adopted: bool, in_flight: &BTreeSet<Str>) -> Self {
        let finalizer = adopted || has_finalizer(pod);
        Self {
            pod,
            finalizer,
            in_flight: in_flight.contains(&pod.metadata.uid),
            index: completion_index(pod),
            failed: has_failed(pod, job),
            failure: Failure::of(pod, job.spec.pod_failure_policy.as_deref()),
        }
    }

    /// Whether it still has to be counted.
    pub(super) fn uncounted(&self) -> bool {
        self.finalizer && !self.in_flight
    }

    pub(super) fn uid(&self) -> &'a Str {
        &self.pod.metadata.uid
    }

    pub(super) fn succeeded(&self) -> bool {
        self.pod.status.phase == PodPhase::Succeeded
    }

    /// The completion index, if it is below `completions`.
    pub(super) fn index_below(&self, completions: i32) -> Option<i32> {
        let index = i32::try_from(self.index?).ok()?;
        (index < completions).then_some(index)
    }

    /// How often pods of its index failed before it, by counted failures.
    pub(super) fn failure_count(&self) -> i32 {
        count(self.pod, INDEX_FAILURE_COUNT)
    }

    /// How often pods of its index failed before it, by ignored failures.
    pub(super) fn ignored_count(&self) -> i32 {
        count(self.pod, IGNORED_FAILURE_COUNT)
    }
}

pub(super) fn has_finalizer(pod: &Pod) -> bool {
    pod.metadata.finalizers.iter().any(|finalizer| *finalizer == *TRACKING_FINALIZER)
}

pub(super) fn is_indexed(job: &Job) -> bool {
    job.spec.completion_mode == Some(CompletionMode::Indexed)
}

/// Whether a pod is replaced only when it has ended, not already when its deletion begins.
pub(super) fn replaces_only_failed(job: &Job) -> bool {
    job.spec.pod_replacement_policy == Some(PodReplacementPolicy::Failed)
        || job.spec.pod_failure_policy.is_some()
}

fn has_failed(pod: &Pod, job: &Job) -> bool {
    pod.status.phase == PodPhase::Failed
        || !replaces_only_failed(job)
            && pod.metadata.deletion_timestamp.is_some()
            && pod.status.phase != PodPhase::Succeeded
}

fn completion_index(pod: &Pod) -> Option<i64> {
    let index: i64 = pod.metadata.annotations.get(COMPLETION_INDEX)?.parse().ok()?;
    (index >= 0).then_some(index)
}

/// A count from an annotation; 0 where it is missing or no valid count.
fn count(pod: &Pod, annotation: &str) -> i32 {
    let count = pod.metadata.annotations.get(annotation).and_then(|text| text.parse().ok());
    count.filter(|count| *count >= 0).unwrap_or_default()
}
