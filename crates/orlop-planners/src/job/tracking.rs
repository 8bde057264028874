//! Counting the pods that have ended.
//!
//! Order of writes: the status names the pods, their finalizers go, the status counts them. Whatever is cut off in
//! between is taken up from the UIDs in the status.

use std::collections::BTreeSet;

use orlop_model::batch::v1::{Job, JobConditionType, JobStatus};
use orlop_model::core::v1::{ConditionStatus, Pod};
use orlop_model::{List, Str};
use serde_json::json;

use super::sync::{Draft, Memory, View};
use super::tracked::{Tracked, has_finalizer};
use super::{MAX_UNCOUNTED, TRACKING_FINALIZER, condition};
use crate::{Change, EventDraft, PatchChange, Plan};

/// Counts what has ended and writes the status; `changed` says whether it differs already.
pub(super) fn track(view: &View<'_>, mut draft: Draft, mut changed: bool) -> Plan<Memory> {
    let mut pods: Vec<&Tracked<'_>> = view.pods.iter().collect();
    if view.indexed.is_some() {
        pods.sort_by_key(|tracked| tracked.index);
    }
    let mut with_finalizer: BTreeSet<&Str> =
        pods.iter().filter(|tracked| tracked.uncounted()).map(|tracked| tracked.uid()).collect();
    changed |= count(&mut draft.status, &with_finalizer);

    let mut to_free = Vec::new();
    let mut new_indexes = BTreeSet::new();
    let mut counted = 0;
    let mut full = false;
    let fails = ends_without_success(&draft);
    for tracked in pods.iter().filter(|tracked| tracked.uncounted()) {
        if !may_be_freed(view, &draft, tracked) {
            continue;
        }
        to_free.push(*tracked);
        let uncounted = draft.status.uncounted_terminated_pods.get_or_insert_default();
        let valid = view.indexed.is_none_or(|most| tracked.index_below(most).is_some());
        if tracked.succeeded() && !view.uncounted_failed.contains(tracked.uid()) {
            if let Some(completions) = view.indexed {
                // Indexes are counted at once: the set of them does not count one twice.
                let index = tracked.index_below(completions);
                if let Some(index) = index.filter(|index| !view.counted_indexes.contains(*index)) {
                    new_indexes.insert(index);
                    counted += 1;
                    changed = true;
                }
            } else if !view.uncounted_succeeded.contains(tracked.uid()) {
                uncounted.succeeded.push(tracked.uid().clone());
                changed = true;
            }
        } else if (tracked.failed || fails)
            && valid
            && !view.uncounted_failed.contains(tracked.uid())
            && tracked.failure.counts()
        {
            uncounted.failed.push(tracked.uid().clone());
            changed = true;
        }
        if counted + uncounted.succeeded.len() + uncounted.failed.len() >= MAX_UNCOUNTED {
            full = true;
            break;
        }
    }
    changed |= write_indexes(view, &mut draft.status, &new_indexes);
    changed |= write_interim(view, &mut draft);

    if changed {
        write(view.job, &mut draft);
        draft.plan.memory.backoff = view.backoff;
        changed = false;
    }
    for tracked in to_free {
        draft.plan.push(remove_finalizer(tracked.pod));
        with_finalizer.remove(tracked.uid());
    }
    changed |= count(&mut draft.status, &with_finalizer);
    let finished = !full && finish(view, &mut draft);
    if changed || finished {
        write(view.job, &mut draft);
    }
    if finished {
        tell(view.job, &mut draft);
    }
    draft.plan
}

/// Whether the Job ends, and not by success.
fn ends_without_success(draft: &Draft) -> bool {
    let finished = draft.finished.as_ref();
    finished.is_some_and(|finished| finished.type_ != JobConditionType::SuccessCriteriaMet)
}

/// Whether the finalizer of this pod may go.
fn may_be_freed(view: &View<'_>, draft: &Draft, tracked: &Tracked<'_>) -> bool {
    if view.job.metadata.deletion_timestamp.is_some() || draft.finished.is_some() || tracked.succeeded() {
        return true;
    }
    let successor_awaited = view.indexed.is_some_and(|completions| {
        let index = tracked.index_below(completions);
        index.and_then(|index| view.replaced(index)).is_some_and(|delayed| delayed.uid() == tracked.uid())
    });
    tracked.failed && !successor_awaited
}

/// Moves UIDs that no longer have a finalizer from the lists of the status to its counters. Says whether there were
/// any.
fn count(status: &mut JobStatus, with_finalizer: &BTreeSet<&Str>) -> bool {
    let uncounted = status.uncounted_terminated_pods.get_or_insert_default();
    let move_out = |list: &mut List<Str>| {
        let before = list.len();
        list.retain(|uid| with_finalizer.contains(uid));
        i32::try_from(before - list.len()).unwrap_or(i32::MAX)
    };
    let succeeded = move_out(&mut uncounted.succeeded);
    let failed = move_out(&mut uncounted.failed);
    status.succeeded = status.succeeded.saturating_add(succeeded);
    status.failed = status.failed.saturating_add(failed);
    succeeded > 0 || failed > 0
}

/// Brings the index lists of the status up to date. Says whether they changed.
fn write_indexes(view: &View<'_>, status: &mut JobStatus, new: &BTreeSet<i32>) -> bool {
    if view.indexed.is_none() {
        return false;
    }
    let succeeded = view.succeeded_indexes.with(new.iter().copied());
    let completed: Str = succeeded.to_string().into();
    let failed: Option<Str> = view.failed_indexes.as_ref().map(|failed| failed.to_string().into());
    let changed = completed != status.completed_indexes || failed != status.failed_indexes;
    status.succeeded = i32::try_from(succeeded.len()).unwrap_or(i32::MAX);
    status.completed_indexes = completed;
    status.failed_indexes = failed;
    changed
}

/// Writes the condition that announces the end, and prepares the one that declares it. Says whether one was added.
fn write_interim(view: &View<'_>, draft: &mut Draft) -> bool {
    let Some(interim) = draft.finished.take() else {
        return false;
    };
    let (terminal, added) = match interim.type_ {
        JobConditionType::FailureTarget => (JobConditionType::Failed, true),
        JobConditionType::SuccessCriteriaMet => {
            let known = condition::holding(&draft.status.conditions, &interim.type_).is_some();
            (JobConditionType::Complete, !known)
        }
        ref terminal => (terminal.clone(), false),
    };
    draft.finished =
        Some(condition::new(terminal, ConditionStatus::True, &interim.reason, &interim.message, view.now));
    if added {
        draft.status.conditions.push(interim);
    }
    added
}

/// Declares the Job finished, once every pod is counted and none is terminating.
fn finish(view: &View<'_>, draft: &mut Draft) -> bool {
    let Some(finished) = draft.finished.clone() else {
        return false;
    };
    let uncounted = draft.status.uncounted_terminated_pods.get_or_insert_default();
    if !uncounted.succeeded.is_empty() || !uncounted.failed.is_empty() || draft.terminating > 0 {
        return false;
    }
    if finished.type_ == JobConditionType::Complete {
        draft.status.completion_time = Some(view.now.into());
    }
    condition::set(&mut draft.status.conditions, finished);
    true
}

fn tell(job: &Job, draft: &mut Draft) {
    let Some(finished) = &draft.finished else { return };
    let events = &mut draft.plan.events;
    if finished.type_ != JobConditionType::Complete {
        events.push(EventDraft::warning(job, finished.reason.clone(), finished.message.as_str()));
        return;
    }
    if job.spec.completions.is_some_and(|completions| draft.status.succeeded > completions) {
        events.push(EventDraft::warning(
            job,
            "TooManySucceededPods",
            "Too many succeeded pods running after completion count reached",
        ));
    }
    events.push(EventDraft::normal(job, "Completed", "Job completed"));
}

fn write(job: &Job, draft: &mut Draft) {
    let written = Job { status: draft.status.clone(), ..job.clone() };
    draft.plan.push(Change::update_status(written));
}

/// Takes the tracking finalizer off a pod.
pub(super) fn remove_finalizer(pod: &Pod) -> PatchChange {
    let document = json!({
        "metadata": {"$deleteFromPrimitiveList/finalizers": [TRACKING_FINALIZER]}
    });
    PatchChange::strategic(pod, document).or_missing()
}

/// Frees a pod of a Job that is gone or finished, so that it can be deleted; `None` if it is free.
#[must_use]
pub fn release_orphan(pod: &Pod) -> Option<Change> {
    has_finalizer(pod).then(|| remove_finalizer(pod).into())
}

/// Whether a pod carries the finalizer: no status has counted it yet, or it was not released after that.
#[must_use]
pub fn is_held(pod: &Pod) -> bool {
    has_finalizer(pod)
}
