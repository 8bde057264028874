//! Jobs, and the deletion of finished ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use orlop_controller::{Action, Error, KeyController, controller_of};
use orlop_model::batch::v1::Job;
use orlop_model::core::v1::Pod;
use orlop_model::{Object, ObjectKey, StaticKind, Str};
use orlop_planners::job::{self, Inputs, Memory};
use orlop_planners::{Change, Occasion, Plan, PlannedObject};
use parking_lot::Mutex;

use super::{Parts, carry_out_or, carry_out_to, nothing, uid};

/// How long creating pods is held back after it failed.
const HELD: Duration = Duration::from_secs(1);

/// What is remembered of a Job.
#[derive(Clone, Default)]
struct Remembered {
    uid: Str,
    memory: Memory,
    /// Pods could not be created the last time.
    hold_creation: bool,
    /// UIDs of pods that were released and that the cache may still show with their finalizer.
    released: BTreeSet<Str>,
}

pub(super) async fn run(parts: Parts) {
    let Parts { informers, clock, stop, pods, .. } = parts;
    let jobs = informers.of::<Job>();
    let memories = Arc::new(Mutex::new(BTreeMap::<ObjectKey, Remembered>::new()));
    KeyController::new("job-controller", &informers)
        .clock(clock)
        .stop(stop)
        .watch::<Job, _>(|job| Some(job.key()))
        .watch::<Pod, _>(|pod| controller_of(pod, Job::KIND))
        .run(move |key: ObjectKey, cx| {
            let found = jobs.get(&key);
            let (pods, memories) = (pods.clone(), Arc::clone(&memories));
            async move {
                let Some(job) = found else {
                    memories.lock().remove(&key);
                    // Its pods are counted by nobody any more: nothing may hold them.
                    let of_job = |pod: &Pod| controller_of(pod, Job::KIND).is_some_and(|owner| owner == key);
                    let orphans = pods.store.filter(Some(key.namespace()), of_job);
                    let changes = orphans.iter().filter_map(|pod| job::release_orphan(pod)).collect();
                    let plan: Plan = Plan { changes, ..Plan::default() };
                    return carry_out_or(&cx, plan, nothing).await;
                };
                let remembered =
                    memories.lock().get(&key).filter(|found| found.uid == job.metadata.uid).cloned();
                let remembered = remembered.unwrap_or_default();
                let pods = pods.of(key.namespace(), [uid(&*job)]);
                let mut inputs = Inputs::new(&job, pods.iter().map(|pod| &**pod));
                inputs.hold_creation = remembered.hold_creation;
                // A cache that is late must not lead to more pods, nor to pods counted twice.
                inputs.satisfied = cx.sees_own_writes();
                let held =
                    |pod: &&Arc<Pod>| remembered.released.contains(&pod.metadata.uid) && job::is_held(pod);
                inputs.removals_in_flight = pods.iter().filter(held).map(|pod| uid(&**pod)).collect();
                let mut released = inputs.removals_in_flight.clone();
                let now = cx.now();
                let plan = first_half(job::plan(&inputs, &remembered.memory, now));
                let (made, done) = carry_out_to(&cx, &plan, nothing).await;
                released.extend(
                    pods.iter().filter(|pod| releases(&plan.changes[..made], pod)).map(|pod| uid(&**pod)),
                );
                let memory = if done.is_ok() { plan.memory } else { remembered.memory };
                let kept = Remembered { uid: uid(&*job), memory, hold_creation: done.is_err(), released };
                memories.lock().insert(key, kept);
                let done = done?;
                if !job::is_finished(&job) {
                    // What was held back is still to be created, and nothing else may ever ask for it.
                    return Ok(if remembered.hold_creation { Action::requeue(HELD) } else { done });
                }
                let plan = job::plan_ttl(&job, now).map_err(Error::permanent)?;
                carry_out_or(&cx, plan, nothing).await
            }
        })
        .await;
}

/// Whether one of these changes takes a pod's finalizer off.
fn releases(changes: &[Change], pod: &Pod) -> bool {
    job::release_orphan(pod).is_some_and(|release| {
        changes.iter().any(|change| match (change, &release) {
            (Change::Patch(made), Change::Patch(release)) => {
                made.kind.is(&release.kind) && made.key == release.key && made.document == release.document
            }
            _ => false,
        })
    })
}

/// A plan up to the first write of the Job's status, if it has a second one.
///
/// The first names the pods that are to be counted, then their finalizers go, and the second counts them. A crash in between
/// must find the names, or those pods are counted by nobody. The second write would conflict with the first; the rest
/// is planned again when the cache has the names, which it is because the Job has changed.
fn first_half(mut plan: Plan<Memory>) -> Plan<Memory> {
    let of_status = |change: &Change| matches!(change, Change::UpdateStatus(PlannedObject::Job(_)));
    let mut writes = plan.changes.iter().enumerate().filter(|(_, change)| of_status(change));
    let (Some((first, _)), Some(_)) = (writes.next(), writes.next()) else {
        return plan;
    };
    plan.changes.truncate(first + 1);
    plan.events.retain(|event| match event.occasion {
        Occasion::Planned => false,
        Occasion::Success(at) | Occasion::Created(at) | Occasion::Failure(at) => at <= first,
    });
    plan
}
