//! Jobs from their creation to their end, with pods that succeed, fail and vanish, and a controller that crashes between
//! any two of its writes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use orlop_model::batch::v1::{Job, JobConditionType};
use orlop_model::core::v1::{ConditionStatus, Pod, PodPhase};
use orlop_model::{Str, Time};
use orlop_planners::job::{self, Inputs, Memory, TRACKING_FINALIZER};
use orlop_planners::{Change, PatchChange, PlannedObject, pod};
use proptest::prelude::*;
use serde_json::{Value, json};

/// How a Job is set up.
#[derive(Clone, Debug)]
struct Setup {
    completions: Option<i32>,
    parallelism: i32,
    indexed: bool,
    backoff_limit: i32,
    limit_per_index: Option<i32>,
    max_failed_indexes: Option<i32>,
    only_failed: bool,
    policy: u8,
    deadline: Option<i64>,
}

fn setup() -> impl Strategy<Value = Setup> {
    (
        (prop::option::weighted(0.8, 0..6i32), 0..5i32, any::<bool>(), 0..7i32),
        (prop::option::of(0..3i32), prop::option::of(0..3i32), any::<bool>(), 0..3u8),
        prop::option::weighted(0.2, 30..3000i64),
    )
        .prop_map(|(size, rules, deadline)| {
            let (completions, parallelism, indexed, backoff_limit) = size;
            let (limit_per_index, max_failed_indexes, only_failed, policy) = rules;
            let indexed = indexed && completions.is_some();
            let limit_per_index = limit_per_index.filter(|_| indexed);
            Setup {
                completions,
                // A Job without parallelism never ends.
                parallelism: parallelism.max(1),
                indexed,
                backoff_limit,
                limit_per_index,
                max_failed_indexes: max_failed_indexes.filter(|_| limit_per_index.is_some()),
                only_failed,
                policy,
                deadline,
            }
        })
}

/// What happens in one round.
#[derive(Clone, Debug)]
struct Round {
    /// Seconds that pass.
    seconds: i64,
    /// What becomes of the pods, by their number.
    fates: Vec<u8>,
    /// The plan is cut off after so many changes, and the memory is lost.
    cut: Option<usize>,
    suspend: Option<bool>,
}

fn round() -> impl Strategy<Value = Round> {
    (
        0..40i64,
        prop::collection::vec(0..12u8, 8),
        prop::option::weighted(0.3, 0..6usize),
        prop::option::weighted(0.1, any::<bool>()),
    )
        .prop_map(|(seconds, fates, cut, suspend)| Round { seconds, fates, cut, suspend })
}

#[derive(Debug)]
struct World {
    job: Job,
    pods: Vec<Pod>,
    memory: Memory,
    now: Timestamp,
    serial: usize,
    /// UIDs of the pods that lost their finalizer after they had ended, or while they were being deleted.
    counted: BTreeSet<Str>,
}

impl World {
    fn new(setup: &Setup) -> Self {
        let mut job = json!({
            "metadata": {"name": "job", "namespace": "default", "uid": "job", "generation": 1},
            "spec": {
                "completions": setup.completions,
                "parallelism": setup.parallelism,
                "completionMode": if setup.indexed { "Indexed" } else { "NonIndexed" },
                "backoffLimit": setup.backoff_limit,
                "backoffLimitPerIndex": setup.limit_per_index,
                "maxFailedIndexes": setup.max_failed_indexes,
                "podReplacementPolicy": if setup.only_failed { "Failed" } else { "TerminatingOrFailed" },
                "activeDeadlineSeconds": setup.deadline,
                "selector": {"matchLabels": {"job": "job"}},
                "template": {
                    "metadata": {"labels": {"job": "job"}},
                    "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]},
                },
            },
        });
        if setup.limit_per_index.is_some() {
            job["spec"]["backoffLimit"] = json!(i32::MAX);
        }
        let rule = |action: &str, code: i32| json!({"action": action, "onExitCodes": {"operator": "In", "values": [code]}});
        let rules: Value = match setup.policy {
            0 => Value::Null,
            1 => json!([rule("Count", 1)]),
            _ => json!([rule("FailJob", 3)]),
        };
        if !rules.is_null() {
            job["spec"]["podFailurePolicy"] = json!({ "rules": rules });
            job["spec"]["podReplacementPolicy"] = json!("Failed");
        }
        Self {
            job: serde_json::from_value(job).expect("a Job"),
            pods: Vec::new(),
            memory: Memory::default(),
            now: "2026-03-01T12:00:00Z".parse().expect("a time"),
            serial: 0,
            counted: BTreeSet::new(),
        }
    }

    fn active(&self) -> usize {
        self.pods.iter().filter(|pod| pod::is_active(pod)).count()
    }

    /// One step of the controller.
    fn step(&mut self, cut: Option<usize>) {
        let plan = job::plan(&Inputs::new(&self.job, &self.pods), &self.memory, self.now);
        let whole = cut.is_none_or(|cut| cut >= plan.changes.len());
        let changes = &plan.changes[..cut.unwrap_or(usize::MAX).min(plan.changes.len())];
        for change in changes {
            self.apply(change);
        }
        self.memory = if whole { plan.memory } else { Memory::default() };
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Create(create) => {
                let PlannedObject::Pod(new) = &create.object else { panic!("unexpected {create:?}") };
                let mut pod = Pod::clone(new);
                self.serial += 1;
                pod.metadata.name = format!("{}{}", pod.metadata.generate_name, self.serial).into();
                pod.metadata.uid = format!("uid-{}", self.serial).into();
                pod.metadata.namespace = "default".into();
                pod.metadata.creation_timestamp = Some(self.now.into());
                pod.status.phase = PodPhase::Pending;
                self.pods.push(pod);
                let parallelism = self.job.spec.parallelism.unwrap_or(1);
                assert!(self.active() <= usize::try_from(parallelism).unwrap_or_default());
            }
            Change::UpdateStatus(PlannedObject::Job(new)) => self.write_status(new),
            Change::Patch(patch) => self.free(patch),
            Change::Delete(delete) => {
                let now = self.now;
                if let Some(pod) = self.pods.iter_mut().find(|pod| pod.metadata.name == delete.key.name) {
                    pod.metadata.deletion_timestamp.get_or_insert(now.into());
                }
            }
            other => panic!("unexpected {other:?}"),
        }
    }

    fn write_status(&mut self, new: &Job) {
        let (old, new) = (&self.job.status, &new.status);
        assert!(new.succeeded >= old.succeeded, "successes are uncounted: {old:?} -> {new:?}");
        assert!(new.failed >= old.failed, "failures are uncounted: {old:?} -> {new:?}");
        assert!(!is_finished(&self.job), "a finished Job is written");
        self.job.status = new.clone();
    }

    fn free(&mut self, patch: &PatchChange) {
        let wanted = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": [TRACKING_FINALIZER]}});
        assert_eq!(patch.document, wanted);
        let Some(pod) = self.pods.iter_mut().find(|pod| pod.metadata.name == patch.key.name) else {
            return;
        };
        let before = pod.metadata.finalizers.len();
        pod.metadata.finalizers.retain(|finalizer| *finalizer != *TRACKING_FINALIZER);
        if pod.metadata.finalizers.len() < before && !pod::is_active(pod) {
            self.counted.insert(pod.metadata.uid.clone());
        }
    }

    /// Lets time pass and pods go on; `fates` chooses what becomes of each.
    fn live(&mut self, seconds: i64, fates: &[u8]) {
        self.now += SignedDuration::from_secs(seconds);
        let now = self.now;
        for (number, pod) in self.pods.iter_mut().enumerate() {
            let fate = fates.get(number % fates.len().max(1)).copied().unwrap_or_default();
            let deleting = pod.metadata.deletion_timestamp.is_some();
            match (&pod.status.phase, fate) {
                (PodPhase::Succeeded | PodPhase::Failed, _) => {}
                (_, 0..=2) => end(pod, 0, now),
                (_, 3) => end(pod, 1, now),
                (_, 4) => end(pod, 2, now),
                (_, 5) => end(pod, 3, now),
                (_, 6) if !deleting => pod.metadata.deletion_timestamp = Some(now.into()),
                (_, _) if deleting && fate > 6 => end(pod, 143, now),
                (PodPhase::Pending, _) => pod.status.phase = PodPhase::Running,
                _ => {}
            }
        }
        // A pod goes when it is being deleted, has ended and nothing holds it.
        self.pods.retain(|pod| {
            pod.metadata.deletion_timestamp.is_none()
                || !pod.metadata.finalizers.is_empty()
                || !pod::is_terminal(pod)
        });
    }
}

fn end(pod: &mut Pod, code: i32, now: Timestamp) {
    pod.status.phase = if code == 0 { PodPhase::Succeeded } else { PodPhase::Failed };
    let status =
        json!([{"name": "c", "state": {"terminated": {"exitCode": code, "finishedAt": Time::from(now)}}}]);
    pod.status.container_statuses = serde_json::from_value(status).expect("a container status");
}

fn is_finished(job: &Job) -> bool {
    job::is_finished(job)
}

fn holds(job: &Job, type_: &JobConditionType) -> bool {
    let mut conditions = job.status.conditions.iter();
    conditions.any(|found| found.type_ == *type_ && found.status == ConditionStatus::True)
}

fn run(setup: &Setup, rounds: &[Round]) -> World {
    let mut world = World::new(setup);
    for round in rounds {
        if let Some(suspend) = round.suspend.filter(|_| !is_finished(&world.job)) {
            world.job.spec.suspend = Some(suspend);
        }
        world.step(round.cut);
        world.live(round.seconds, &round.fates);
        assert_one_pod_per_index(&world);
    }
    // From now on pods end, mostly well.
    world.job.spec.suspend = Some(false);
    for number in 0..400 {
        if is_finished(&world.job) {
            return world;
        }
        world.step(None);
        let fate = if number % 7 == 0 { 4 } else { 0 };
        world.live(61, &[fate]);
    }
    panic!("the Job does not end: {world:#?}");
}

/// Of an index runs one pod at most, those that a controller that crashed left uncounted aside.
fn assert_one_pod_per_index(world: &World) {
    if world.job.spec.completions.is_none() {
        return;
    }
    let mut running = BTreeMap::<&str, usize>::new();
    for pod in world.pods.iter().filter(|pod| pod::is_active(pod)) {
        if let Some(index) = pod.metadata.annotations.get(job::COMPLETION_INDEX) {
            *running.entry(index).or_default() += 1;
        }
    }
    assert!(running.values().all(|pods| *pods == 1), "{running:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_job_ends_and_counts_each_pod_once(setup in setup(), rounds in prop::collection::vec(round(), 0..40)) {
        let world = run(&setup, &rounds);
        let (job, status) = (&world.job, &world.job.status);
        let complete = holds(job, &JobConditionType::Complete);
        prop_assert_ne!(complete, holds(job, &JobConditionType::Failed));
        prop_assert_eq!(complete, holds(job, &JobConditionType::SuccessCriteriaMet));
        prop_assert_eq!(!complete, holds(job, &JobConditionType::FailureTarget));
        prop_assert_eq!(complete, status.completion_time.is_some());

        // Nothing runs, nothing is held, nothing is uncounted.
        prop_assert_eq!(world.active(), 0);
        prop_assert!(world.pods.iter().all(|pod| pod.metadata.finalizers.is_empty()));
        let uncounted = status.uncounted_terminated_pods.as_deref().cloned().unwrap_or_default();
        prop_assert!(uncounted.succeeded.is_empty() && uncounted.failed.is_empty());
        prop_assert_eq!((status.active, status.terminating), (0, Some(0)));

        if setup.indexed {
            let completions = setup.completions.unwrap_or_default();
            let succeeded = job::Indexes::parse(&status.completed_indexes, completions);
            prop_assert_eq!(i64::from(status.succeeded), succeeded.len());
            if complete {
                prop_assert_eq!(succeeded.len(), i64::from(completions));
            }
        } else {
            let counted = i32::try_from(world.counted.len()).unwrap_or(i32::MAX);
            let total = status.succeeded + status.failed;
            if complete && (setup.only_failed || setup.policy > 0) {
                // Pods that are still being deleted when the Job succeeds count for nothing.
                prop_assert!(total <= counted);
            } else {
                prop_assert_eq!(total, counted);
            }
            if complete {
                prop_assert!(status.succeeded >= setup.completions.unwrap_or(1));
            } else if status.conditions.iter().any(|found| found.reason == "BackoffLimitExceeded") {
                prop_assert!(status.failed > setup.backoff_limit);
            }
        }
        // A finished Job is left alone.
        let plan = job::plan(&Inputs::new(job, &world.pods), &world.memory, world.now);
        prop_assert!(plan.is_quiet());
    }
}
