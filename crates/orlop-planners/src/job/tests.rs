use std::time::Duration;

use jiff::Timestamp;
use orlop_model::Object;
use orlop_model::batch::v1::Job;
use orlop_model::core::v1::Pod;
use serde_json::{Value, json};

use super::*;
use crate::{Change, PlannedObject};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn job(spec: Value, status: Value) -> Job {
    let mut job = json!({
        "metadata": {"name": "j", "namespace": "default", "uid": "j"},
        "spec": {
            "parallelism": 1, "completions": 1, "backoffLimit": 6,
            "selector": {"matchLabels": {"job": "j"}},
            "template": {"metadata": {"labels": {"job": "j"}}, "spec": {"containers": [{"name": "c"}]}},
        },
        "status": status,
    });
    for (key, value) in spec.as_object().unwrap() {
        job["spec"][key] = value.clone();
    }
    serde_json::from_value(job).unwrap()
}

fn pod(job: &Job, name: &str, status: Value) -> Pod {
    let mut pod: Pod = serde_json::from_value(json!({
        "metadata": {
            "name": name, "namespace": "default", "uid": name, "labels": {"job": "j"},
            "finalizers": [TRACKING_FINALIZER],
        },
        "status": status,
    }))
    .unwrap();
    pod.metadata.owner_references.push(job.controller_reference());
    pod
}

fn steps(job: &Job, pods: &[Pod]) -> Vec<String> {
    let plan = plan(&Inputs::new(job, pods), &Memory::default(), now());
    let name = |change: &Change| match change {
        Change::Create(_) => "create".to_owned(),
        Change::UpdateStatus(_) => "status".to_owned(),
        Change::Patch(patch) => format!("patch {}", patch.key.name),
        Change::Delete(delete) => format!("delete {}", delete.key.name),
        Change::Update(_) => "update".to_owned(),
    };
    plan.changes.iter().map(name).collect()
}

#[test]
fn a_job_of_another_controller_is_left_alone() {
    let job = job(json!({"managedBy": "example.dev/other"}), json!({}));
    assert!(steps(&job, &[]).is_empty());
    let own = self::job(json!({"managedBy": CONTROLLER_NAME}), json!({}));
    assert_eq!(steps(&own, &[]), ["create", "status"]);
}

#[test]
fn an_unknown_completion_mode_is_told() {
    let job = job(json!({"completionMode": "Sometimes"}), json!({}));
    let plan = plan(&Inputs::new(&job, &[]), &Memory::default(), now());
    assert!(plan.changes.is_empty());
    assert_eq!(plan.events[0].reason, "UnknownCompletionMode");
}

#[test]
fn orphans_are_adopted_and_strangers_released_with_the_finalizer() {
    let job = job(json!({}), json!({}));
    let mut orphan = pod(&job, "orphan", json!({"phase": "Running"}));
    orphan.metadata.owner_references.clear();
    orphan.metadata.finalizers.clear();
    let mut stranger = pod(&job, "stranger", json!({"phase": "Running"}));
    stranger.metadata.labels.clear();
    let pods = [orphan, stranger];
    let plan = plan(&Inputs::new(&job, &pods), &Memory::default(), now());
    let [Change::Patch(adopted), Change::Patch(released), Change::UpdateStatus(PlannedObject::Job(written))] =
        &plan.changes[..]
    else {
        panic!("{:#?}", plan.changes)
    };
    assert_eq!(adopted.document["metadata"]["finalizers"], json!([TRACKING_FINALIZER]));
    assert_eq!(adopted.document["metadata"]["ownerReferences"][0]["uid"], "j");
    let finalizers = &released.document["metadata"]["$deleteFromPrimitiveList/finalizers"];
    assert_eq!(*finalizers, json!([TRACKING_FINALIZER]));
    assert_eq!(written.status.active, 1, "the adopted pod counts");
}

#[test]
fn a_deadline_asks_to_be_planned_again() {
    let status = json!({"startTime": "2026-03-01T11:59:00Z"});
    let job = job(json!({"activeDeadlineSeconds": 100}), status.clone());
    let plan = plan(&Inputs::new(&job, &[]), &Memory::default(), now());
    assert_eq!(plan.requeue, Some(Duration::from_secs(40)));
    let late = self::job(json!({"activeDeadlineSeconds": 60}), status);
    let plan = self::plan(&Inputs::new(&late, &[]), &Memory::default(), now());
    let Some(Change::UpdateStatus(PlannedObject::Job(written))) = plan.changes.last() else {
        panic!("{plan:#?}")
    };
    let types: Vec<_> = written.status.conditions.iter().map(|found| found.type_.as_str()).collect();
    assert_eq!(types, ["FailureTarget", "Failed"]);
    assert!(plan.events.iter().any(|event| event.reason == "DeadlineExceeded"));
}

#[test]
fn failures_delay_the_next_pod_and_are_remembered() {
    let job = job(json!({}), json!({}));
    let failed = json!({"phase": "Failed", "containerStatuses": [
        {"name": "c", "state": {"terminated": {"exitCode": 1, "finishedAt": "2026-03-01T11:59:55Z"}}},
    ]});
    let pods = [pod(&job, "a", failed)];
    let plan = plan(&Inputs::new(&job, &pods), &Memory::default(), now());
    assert_eq!(plan.requeue, Some(Duration::from_secs(5)));
    assert_eq!(plan.memory.backoff.failures, 1);
    assert!(plan.changes.iter().all(|change| !matches!(change, Change::Create(_))));
    // While creation is held the pod is counted all the same.
    let mut inputs = Inputs::new(&job, &pods);
    inputs.hold_creation = true;
    let held = self::plan(&inputs, &Memory::default(), now() + Duration::from_secs(60));
    assert_eq!(held.changes.len(), 3, "{:#?}", held.changes);
}

#[test]
fn nothing_is_created_or_finished_while_the_cache_lags() {
    let job = job(json!({}), json!({}));
    let mut inputs = Inputs::new(&job, &[]);
    inputs.satisfied = false;
    let plan = plan(&inputs, &Memory::default(), now());
    assert!(plan.changes.iter().all(|change| matches!(change, Change::UpdateStatus(_))));
    // A finalizer that is on its way off is not taken off twice.
    let pods = [pod(&job, "a", json!({"phase": "Succeeded"}))];
    let mut inputs = Inputs::new(&job, &pods);
    inputs.removals_in_flight.insert("a".into());
    let plan = self::plan(&inputs, &Memory::default(), now());
    assert!(plan.changes.iter().all(|change| !matches!(change, Change::Patch(_))));
}

#[test]
fn finished_jobs_go_after_their_time() {
    let finished =
        |at: Value| json!({"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": at}]});
    let ttl = json!({"ttlSecondsAfterFinished": 60});
    let soon = job(ttl.clone(), finished(json!("2026-03-01T11:59:30Z")));
    let plan = plan_ttl(&soon, now()).unwrap();
    assert!(plan.changes.is_empty());
    assert_eq!(plan.requeue, Some(Duration::from_secs(30)));
    let over = job(ttl.clone(), finished(json!("2026-03-01T11:59:00Z")));
    let plan = plan_ttl(&over, now()).unwrap();
    let [Change::Delete(delete)] = &plan.changes[..] else { panic!("{plan:#?}") };
    assert_eq!(delete.preconditions.as_ref().unwrap().uid.as_deref(), Some("j"));
    assert_eq!(delete.propagation.as_ref().unwrap().as_str(), "Foreground");
    let unknown = job(ttl.clone(), finished(Value::Null));
    assert!(plan_ttl(&unknown, now()).is_err());
    assert!(plan_ttl(&job(ttl, json!({})), now()).unwrap().is_quiet());
}

#[test]
fn names_of_indexed_pods_leave_room_for_a_suffix() {
    let mut long = job(json!({"completionMode": "Indexed"}), json!({}));
    long.metadata.name = "j".repeat(63).into();
    let plan = plan(&Inputs::new(&long, &[]), &Memory::default(), now());
    let Some(Change::Create(create)) = plan.changes.first() else { panic!("{plan:#?}") };
    let meta = create.object.meta();
    assert_eq!(meta.generate_name.len(), 58);
    assert!(meta.generate_name.ends_with("-0-"));
}
