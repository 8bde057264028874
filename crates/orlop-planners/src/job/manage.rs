//! How many pods of a Job run.

use jiff::SignedDuration;
use orlop_model::batch::v1::Job;

use super::sync::{Draft, View};
use super::tracked::{Tracked, replaces_only_failed};
use super::tracking::remove_finalizer;
use super::{Indexes, MAX_CHANGES, backoff, pod, removal};
use crate::pod::{is_ready, is_terminating};
use crate::{Create, Delete, EventDraft, Occasion};

/// The shortest time after which a Job that backs off is planned again.
const SHORTEST_REQUEUE: SignedDuration = SignedDuration::from_secs(1);

/// Creates or deletes pods, never both in one step.
pub(super) fn manage(view: &View<'_>, draft: &mut Draft) {
    let spec = &view.job.spec;
    let active: Vec<_> = view.active().collect();
    if view.suspended() {
        for tracked in removal::choose(&active, view.indexed, active.len()) {
            delete_uncounted(view.job, tracked, draft);
        }
        return;
    }
    let running = i64::from(draft.active);
    let parallelism = i64::from(spec.parallelism.unwrap_or(1));
    let want = match spec.completions {
        // Whatever runs may end once one pod has succeeded.
        None if view.succeeded > 0 => running,
        None => parallelism,
        Some(completions) => (i64::from(completions) - view.succeeded).min(parallelism).max(0),
    };

    let too_many = usize::try_from(running - want).unwrap_or_default();
    let mut chosen = removal::choose(&active, view.indexed, too_many);
    chosen.truncate(MAX_CHANGES);
    if !chosen.is_empty() {
        for tracked in chosen {
            delete_uncounted(view.job, tracked, draft);
        }
        return;
    }

    let waited_for = if replaces_only_failed(view.job) { i64::from(draft.terminating) } else { 0 };
    let missing = usize::try_from(want - waited_for - running).unwrap_or_default();
    if missing > 0 && !view.hold_creation {
        create(view, draft, missing.min(MAX_CHANGES));
    }
}

fn create(view: &View<'_>, draft: &mut Draft, missing: usize) {
    let limits_per_index = view.failed_indexes.is_some();
    let wait = view.backoff.remaining(view.now);
    if !limits_per_index && wait.is_positive() {
        return back_off(draft, wait);
    }
    let Some(completions) = view.indexed else {
        for _ in 0..missing {
            create_pod(view, draft, None);
        }
        return;
    };
    let pending = pending_indexes(view, completions).first_missing(missing, completions);
    let mut shortest: Option<SignedDuration> = None;
    let mut due = Vec::new();
    for index in pending {
        let wait = view.replaced(index).filter(|_| limits_per_index).map(|failed| {
            let failures = i64::from(failed.failure_count()) + i64::from(failed.ignored_count()) + 1;
            let failures = u32::try_from(failures).unwrap_or(u32::MAX);
            backoff::remaining(failures, backoff::finished_at(failed.pod), view.now)
        });
        match wait.filter(|wait| wait.is_positive()) {
            None => due.push(index),
            Some(wait) => shortest = Some(shortest.map_or(wait, |other| other.min(wait))),
        }
    }
    match shortest {
        Some(wait) if due.is_empty() => back_off(draft, wait),
        _ => {
            for index in due {
                create_pod(view, draft, Some(index));
            }
        }
    }
}

/// Indexes for which no pod is to be created.
fn pending_indexes(view: &View<'_>, completions: i32) -> Indexes {
    let taken = |wanted: &dyn Fn(&Tracked<'_>) -> bool| -> Indexes {
        let pods = view.pods.iter().filter(|tracked| wanted(tracked));
        pods.filter_map(|tracked| tracked.index_below(completions)).collect()
    };
    let mut taken_indexes = view
        .succeeded_indexes
        .union(&view.active().filter_map(|tracked| tracked.index_below(completions)).collect());
    if replaces_only_failed(view.job) {
        taken_indexes = taken_indexes.union(&taken(&|tracked| is_terminating(tracked.pod)));
    }
    match &view.failed_indexes {
        Some(failed) => taken_indexes.union(failed),
        None => taken_indexes,
    }
}

/// Waits before creating pods. As in Kubernetes the status then shows no active pods, even if some run.
fn back_off(draft: &mut Draft, wait: SignedDuration) {
    draft.requeue(wait.max(SHORTEST_REQUEUE));
    draft.active = 0;
}

fn create_pod(view: &View<'_>, draft: &mut Draft, index: Option<i32>) {
    let replaced = index.and_then(|index| view.replaced(index));
    let pod = pod::new_pod(view.job, index, replaced);
    let namespace = &view.job.metadata.namespace;
    let place = draft.plan.push(Create::new(pod).in_namespace(namespace));
    let created = EventDraft::normal(view.job, "SuccessfulCreate", "Created pod: ");
    let failed = EventDraft::warning(view.job, "FailedCreate", "Error creating: ");
    draft.plan.events.push(created.on(Occasion::Created(place)));
    draft.plan.events.push(failed.on(Occasion::Failure(place)));
    draft.active = draft.active.saturating_add(1);
}

/// Deletes every active pod of a Job that ends; the finalizers stay until the pods are counted.
pub(super) fn delete_active(view: &View<'_>, draft: &mut Draft) {
    for tracked in view.active() {
        delete_pod(view.job, tracked, draft);
    }
}

/// Deletes a pod that is not to be counted, so its finalizer goes first.
fn delete_uncounted(job: &Job, tracked: &Tracked<'_>, draft: &mut Draft) {
    if tracked.finalizer {
        draft.plan.push(remove_finalizer(tracked.pod));
    }
    delete_pod(job, tracked, draft);
}

fn delete_pod(job: &Job, tracked: &Tracked<'_>, draft: &mut Draft) {
    let pod = tracked.pod;
    let place = draft.plan.push(Delete::new(pod));
    let message = format!("Deleted pod: {}", pod.metadata.name);
    let deleted = EventDraft::normal(job, "SuccessfulDelete", message);
    let failed = EventDraft::warning(job, "FailedDelete", "Error deleting: ");
    draft.plan.events.push(deleted.on(Occasion::Success(place)));
    draft.plan.events.push(failed.on(Occasion::Failure(place)));
    draft.active -= 1;
    draft.ready -= i32::from(is_ready(pod));
    draft.terminating = draft.terminating.saturating_add(1);
}
