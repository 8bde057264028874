//! One step of a Job.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use orlop_model::Str;
use orlop_model::batch::v1::{CompletionMode, Job, JobCondition, JobConditionType, JobStatus};
use orlop_model::core::v1::{ConditionStatus, Pod, RestartPolicy};
use orlop_model::selector::Selector;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::manage::{delete_active, manage};
use super::tracked::{Tracked, is_indexed};
use super::tracking::track;
use super::{
    Backoff, CONTROLLER_NAME, Failure, Indexes, TRACKING_FINALIZER, condition, finished_at, success_policy,
};
use crate::claim::{Claim, claim};
use crate::pod::{is_active, is_ready, is_terminating};
use crate::{EventDraft, Plan};

/// What a step of a Job is planned from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inputs<'a> {
    /// The Job.
    pub job: &'a Job,
    /// Pods of the Job's namespace that it controls, and those without a controller. Sorted by name.
    pub pods: Vec<&'a Pod>,
    /// Whether `pods` shows all pods that earlier steps created and deleted. Otherwise no pod is created and the Job
    /// is not called finished.
    pub satisfied: bool,
    /// UIDs of pods whose finalizer an earlier step removed, as long as `pods` shows it still.
    pub removals_in_flight: BTreeSet<Str>,
    /// Creates nothing. Set it for the step after one whose creates failed, so that the pods that have ended are
    /// counted even while no pod can be created.
    pub hold_creation: bool,
}

impl<'a> Inputs<'a> {
    /// A Job and its pods, with nothing left over from earlier steps.
    #[must_use]
    pub fn new(job: &'a Job, pods: impl IntoIterator<Item = &'a Pod>) -> Self {
        let mut pods: Vec<_> = pods.into_iter().collect();
        pods.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        Self { job, pods, satisfied: true, removals_in_flight: BTreeSet::new(), hold_creation: false }
    }
}

/// What a Job's controller remembers from one step to the next. It may be lost: back-off then starts anew.
///
/// To be kept once the plan has been carried out; after a plan that was cut off the memory before it stays in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The back-off record.
    pub backoff: Backoff,
}

/// What is known of a Job before anything is decided.
pub(super) struct View<'a> {
    pub job: &'a Job,
    pub now: Timestamp,
    pub satisfied: bool,
    pub hold_creation: bool,
    pub pods: Vec<Tracked<'a>>,
    /// Completions of an indexed Job.
    pub indexed: Option<i32>,
    /// UIDs that the status names as ended and not counted yet.
    pub uncounted_succeeded: BTreeSet<Str>,
    pub uncounted_failed: BTreeSet<Str>,
    /// Succeeded and failed pods (or indexes), those that no status shows yet included.
    pub succeeded: i64,
    pub failed: i64,
    /// Succeeded indexes by the status, and with those that it does not show yet.
    pub counted_indexes: Indexes,
    pub succeeded_indexes: Indexes,
    /// Failed indexes, where each index has a limit of its own.
    pub failed_indexes: Option<Indexes>,
    /// Per index the failed pod that stays until its successor has taken over its failure count.
    pub delayed: BTreeMap<i32, usize>,
    pub backoff: Backoff,
}

/// What is being decided.
pub(super) struct Draft {
    pub plan: Plan<Memory>,
    pub status: JobStatus,
    pub active: i32,
    pub ready: i32,
    pub terminating: i32,
    /// Why the Job ends, if it does: the interim condition, or `Failed`.
    pub finished: Option<JobCondition>,
}

impl Draft {
    /// Plans again after `wait`, unless that is planned for earlier.
    pub(super) fn requeue(&mut self, wait: SignedDuration) {
        let wait = std::time::Duration::try_from(wait).unwrap_or_default();
        let earliest = self.plan.requeue.map_or(wait, |other| other.min(wait));
        self.plan.requeue = Some(earliest);
    }
}

/// One step of a Job.
pub fn plan(inputs: &Inputs<'_>, memory: &Memory, now: Timestamp) -> Plan<Memory> {
    let job = inputs.job;
    let mut plan = Plan { memory: memory.clone(), ..Plan::default() };
    if job.spec.managed_by.as_ref().is_some_and(|manager| *manager != *CONTROLLER_NAME) {
        return plan;
    }
    if condition::finished(job).is_some() {
        plan.memory = Memory::default();
        return plan;
    }
    if let Some(CompletionMode::Other(_)) = job.spec.completion_mode {
        plan.events.push(EventDraft::warning(
            job,
            "UnknownCompletionMode",
            "Skipped Job sync because completion mode is unknown",
        ));
        return plan;
    }

    let pods = claim_pods(inputs, &mut plan);
    let view = View::new(inputs, pods, memory, now);
    let active = view.active().count();
    let ready = view.active().filter(|tracked| is_ready(tracked.pod)).count();
    let terminating = view.pods.iter().filter(|tracked| is_terminating(tracked.pod)).count();
    let mut draft = Draft {
        plan,
        status: job.status.clone(),
        active: saturate(active),
        ready: saturate(ready),
        terminating: saturate(terminating),
        finished: None,
    };
    draft.status.uncounted_terminated_pods.get_or_insert_default();
    if draft.status.start_time.is_none() && !view.suspended() {
        draft.status.start_time = Some(now.into());
    }
    draft.finished = finished_condition(&view, &mut draft);

    let mut changed = false;
    if draft.finished.is_some() {
        delete_active(&view, &mut draft);
        if !view.satisfied {
            // Pods may be about that the cache does not show yet.
            draft.finished = None;
        }
    } else {
        let managed = view.satisfied && job.metadata.deletion_timestamp.is_none();
        if managed {
            manage(&view, &mut draft);
        }
        let enough = match job.spec.completions {
            None => view.succeeded > 0,
            Some(completions) => view.succeeded >= i64::from(completions),
        };
        if enough && draft.active == 0 {
            draft.finished = Some(condition::new(
                JobConditionType::SuccessCriteriaMet,
                ConditionStatus::True,
                "CompletionsReached",
                "Reached expected number of succeeded pods",
                now,
            ));
        } else if managed {
            changed = suspend_or_resume(&view, &mut draft);
        }
    }

    changed |= draft.active != job.status.active
        || job.status.ready != Some(draft.ready)
        || job.status.terminating != Some(draft.terminating);
    draft.status.active = draft.active;
    draft.status.ready = Some(draft.ready);
    draft.status.terminating = Some(draft.terminating);
    track(&view, draft, changed)
}

fn saturate(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl<'a> View<'a> {
    fn new(inputs: &Inputs<'a>, pods: Vec<Tracked<'a>>, memory: &Memory, now: Timestamp) -> Self {
        let job = inputs.job;
        let status = &job.status;
        let uncounted = status.uncounted_terminated_pods.as_deref();
        let completions = job.spec.completions.unwrap_or_default();
        let mut view = Self {
            job,
            now,
            satisfied: inputs.satisfied,
            hold_creation: inputs.hold_creation,
            pods,
            indexed: is_indexed(job).then_some(completions),
            uncounted_succeeded: uncounted.iter().flat_map(|pods| &pods.succeeded).cloned().collect(),
            uncounted_failed: uncounted.iter().flat_map(|pods| &pods.failed).cloned().collect(),
            succeeded: 0,
            failed: 0,
            counted_indexes: Indexes::default(),
            succeeded_indexes: Indexes::default(),
            failed_indexes: None,
            delayed: BTreeMap::new(),
            backoff: Backoff::default(),
        };
        let succeeded = view.valid(&view.uncounted_succeeded, Tracked::succeeded);
        let failed = view.valid(&view.uncounted_failed, |tracked| tracked.failed);
        let counting = failed.iter().filter(|tracked| tracked.failure.counts()).count();
        let pods = |list: &[&Tracked<'a>]| list.iter().map(|tracked| tracked.pod).collect::<Vec<_>>();
        let backoff = memory.backoff.after(pods(&succeeded), pods(&failed));
        let (succeeded, failed) = (
            i64::from(status.succeeded) + total(succeeded.len() + view.uncounted_succeeded.len()),
            i64::from(status.failed) + total(counting + view.uncounted_failed.len()),
        );
        (view.succeeded, view.failed, view.backoff) = (succeeded, failed, backoff);
        view.count_indexes();
        view
    }

    /// Pods that no status shows as ended yet and that `wanted` selects.
    fn valid(&self, known: &BTreeSet<Str>, wanted: impl Fn(&Tracked<'a>) -> bool) -> Vec<&Tracked<'a>> {
        self.pods
            .iter()
            .filter(|tracked| tracked.uncounted() && !known.contains(tracked.uid()))
            .filter(|tracked| {
                self.indexed.is_none_or(|completions| tracked.index_below(completions).is_some())
            })
            .filter(|tracked| wanted(tracked))
            .collect()
    }

    fn count_indexes(&mut self) {
        let Some(completions) = self.indexed else { return };
        let status = &self.job.status;
        let indexes_of = |wanted: &dyn Fn(&Tracked<'a>) -> bool| -> Indexes {
            let pods = self.pods.iter().filter(|tracked| tracked.finalizer && wanted(tracked));
            pods.filter_map(|tracked| tracked.index_below(completions)).collect()
        };
        let counted = Indexes::parse(&status.completed_indexes, completions);
        let succeeded = counted.union(&indexes_of(&Tracked::succeeded));
        let failed = self.job.spec.backoff_limit_per_index.map(|limit| {
            let text = status.failed_indexes.as_deref().unwrap_or_default();
            Indexes::parse(text, completions).union(&indexes_of(&|tracked| index_failed(tracked, limit)))
        });
        self.succeeded = succeeded.len();
        (self.counted_indexes, self.succeeded_indexes, self.failed_indexes) = (counted, succeeded, failed);
        self.delay_deletions(completions);
    }

    /// Finds per index the last failed pod without a successor.
    fn delay_deletions(&mut self, completions: i32) {
        let Some(failed_indexes) = &self.failed_indexes else {
            return;
        };
        let active: BTreeSet<i64> = self.active().filter_map(|tracked| tracked.index).collect();
        let failures =
            |tracked: &Tracked<'_>| i64::from(tracked.failure_count()) + i64::from(tracked.ignored_count());
        let mut delayed: BTreeMap<i32, usize> = BTreeMap::new();
        for (place, tracked) in self.pods.iter().enumerate() {
            let Some(index) = tracked.index_below(completions) else {
                continue;
            };
            if !tracked.uncounted()
                || !tracked.failed
                || self.succeeded_indexes.contains(index)
                || failed_indexes.contains(index)
                || active.contains(&i64::from(index))
            {
                continue;
            }
            let later = delayed.get(&index).is_none_or(|&other| {
                let other = &self.pods[other];
                failures(other) <= failures(tracked) && finished_at(other.pod) <= finished_at(tracked.pod)
            });
            if later {
                delayed.insert(index, place);
            }
        }
        self.delayed = delayed;
    }

    pub(super) fn active(&self) -> impl Iterator<Item = &Tracked<'a>> {
        self.pods.iter().filter(|tracked| is_active(tracked.pod))
    }

    pub(super) fn suspended(&self) -> bool {
        self.job.spec.suspend == Some(true)
    }

    /// The failed pod whose successor at `index` takes over its failure count.
    pub(super) fn replaced(&self, index: i32) -> Option<&Tracked<'a>> {
        self.delayed.get(&index).map(|&place| &self.pods[place])
    }
}

fn total(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Whether the index of this pod has failed for good.
fn index_failed(tracked: &Tracked<'_>, limit: i32) -> bool {
    tracked.failed
        && (tracked.failure == Failure::FailsIndex
            || tracked.failure.counts() && tracked.failure_count() >= limit)
}

/// Keeps the pods that are the Job's own. Those that match no longer are released, together with the finalizer;
/// matching ones without a controller are adopted, and get it.
fn claim_pods<'a>(inputs: &Inputs<'a>, plan: &mut Plan<Memory>) -> Vec<Tracked<'a>> {
    let job = inputs.job;
    let mut claimed = Vec::new();
    // A selector that cannot be read selects nothing.
    let selector =
        Selector::from_object(job.spec.selector.as_deref()).unwrap_or_else(|_| Selector::nothing());
    for &pod in &inputs.pods {
        let matches = selector.matches(&pod.metadata.labels);
        let adopted = match claim(job, pod, matches) {
            Claim::Kept => false,
            Claim::Adopted(mut patch) => {
                patch.document["metadata"]["finalizers"] = json!([TRACKING_FINALIZER]);
                plan.push(patch);
                true
            }
            Claim::Released(mut patch) => {
                let finalizers = &mut patch.document["metadata"]["$deleteFromPrimitiveList/finalizers"];
                *finalizers = json!([TRACKING_FINALIZER]);
                plan.push(patch);
                continue;
            }
            Claim::Ignored => continue,
        };
        claimed.push(Tracked::new(pod, job, adopted, &inputs.removals_in_flight));
    }
    claimed
}

/// Why the Job is to end now, if it is.
fn finished_condition(view: &View<'_>, draft: &mut Draft) -> Option<JobCondition> {
    let job = view.job;
    let spec = &job.spec;
    let conditions = &job.status.conditions;
    if let Some(met) = condition::holding(conditions, &JobConditionType::SuccessCriteriaMet) {
        return Some(met.clone());
    }
    if let Some(target) = condition::holding(conditions, &JobConditionType::FailureTarget) {
        return Some(condition::new(
            JobConditionType::Failed,
            ConditionStatus::True,
            &target.reason,
            &target.message,
            view.now,
        ));
    }
    let interim = |type_, reason: &str, message: &str| {
        Some(condition::new(type_, ConditionStatus::True, reason, message, view.now))
    };
    let failure = |reason, message| interim(JobConditionType::FailureTarget, reason, message);
    let fails_job = view.pods.iter().filter(|tracked| tracked.failed);
    if let Some(message) = fails_job.into_iter().find_map(|tracked| match &tracked.failure {
        Failure::FailsJob(message) => Some(message),
        _ => None,
    }) {
        return failure("PodFailurePolicy", message);
    }
    let default_limit = if spec.backoff_limit_per_index.is_some() { i32::MAX } else { 6 };
    let limit = i64::from(spec.backoff_limit.unwrap_or(default_limit));
    if view.failed > limit || restarts_exceed(view, limit) {
        return failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
    }
    if let (Some(seconds), Some(start), false) =
        (spec.active_deadline_seconds, draft.status.start_time, view.suspended())
    {
        let rest = SignedDuration::from_secs(seconds) - view.now.duration_since(start.timestamp());
        if !rest.is_positive() {
            return failure("DeadlineExceeded", "Job was active longer than specified deadline");
        }
        draft.requeue(rest);
    }
    let completions = view.indexed?;
    if let Some(failed) = &view.failed_indexes {
        let failed = failed.len();
        if spec.max_failed_indexes.is_some_and(|most| failed > i64::from(most)) {
            return failure(
                "MaxFailedIndexesExceeded",
                "Job has exceeded the specified maximal number of failed indexes",
            );
        }
        if failed > 0 && failed + view.succeeded_indexes.len() >= i64::from(completions) {
            return failure("FailedIndexes", "Job has failed indexes");
        }
    }
    let policy = spec.success_policy.as_deref()?;
    let message = success_policy::met(policy, completions, &view.succeeded_indexes)?;
    interim(JobConditionType::SuccessCriteriaMet, "SuccessPolicy", &message)
}

/// Whether containers that are restarted in place have been so too often.
fn restarts_exceed(view: &View<'_>, limit: i64) -> bool {
    if view.job.spec.template.spec.restart_policy != RestartPolicy::OnFailure {
        return false;
    }
    let running = view.pods.iter().map(|tracked| &tracked.pod.status);
    let restarts: i64 = running
        .filter(|status| matches!(status.phase.as_str(), "Running" | "Pending"))
        .flat_map(|status| status.init_container_statuses.iter().chain(&status.container_statuses))
        .map(|status| i64::from(status.restart_count))
        .sum();
    if limit == 0 { restarts > 0 } else { restarts >= limit }
}

/// Notes in the conditions that the Job is suspended or no longer is. Says whether the status changed.
fn suspend_or_resume(view: &View<'_>, draft: &mut Draft) -> bool {
    let (status, reason, message, event) = if view.suspended() {
        (ConditionStatus::True, "JobSuspended", "Job suspended", "Suspended")
    } else {
        (ConditionStatus::False, "JobResumed", "Job resumed", "Resumed")
    };
    let new = condition::new(JobConditionType::Suspended, status, reason, message, view.now);
    let mut changed = condition::set(&mut draft.status.conditions, new);
    if changed {
        draft.plan.events.push(EventDraft::normal(view.job, event, message));
    }
    if view.suspended() {
        changed |= draft.status.start_time.take().is_some();
    } else if changed {
        // The active deadline runs anew.
        draft.status.start_time = Some(view.now.into());
    }
    changed
}
