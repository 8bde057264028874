//! What the vectors do not show: rollbacks, refusals, failures, waiting.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use orlop_model::Time;
use orlop_model::apps::v1::{Deployment, ReplicaSet};
use serde_json::json;

use super::*;
use crate::{EventType, OnExists, PlanError};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

fn web(image: &str) -> Deployment {
    serde_json::from_value(json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "d", "generation": 1},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "progressDeadlineSeconds": 60,
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image}]}},
        },
    }))
    .expect("a Deployment")
}

fn plan_with(deployment: &Deployment, sets: &[Arc<ReplicaSet>]) -> Plan {
    plan(deployment, &Children { replica_sets: sets, pods: &[] }, now())
}

/// The ReplicaSet that a Deployment with this image creates.
fn set_of(image: &str, revision: &str) -> ReplicaSet {
    let plan = plan_with(&web(image), &[]);
    let Some(Change::Create(create)) = plan.changes.first() else { panic!("{plan:?}") };
    let PlannedObject::ReplicaSet(set) = &create.object else { panic!("{plan:?}") };
    let mut set = ReplicaSet::clone(set);
    set.metadata.uid = format!("uid of {}", set.metadata.name).into();
    set.metadata.creation_timestamp = Some(Time::from(now()));
    set.metadata.annotations.insert(REVISION, revision.into());
    set
}

fn only_update(plan: &Plan) -> &Deployment {
    let updates: Vec<_> = plan
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Update(PlannedObject::Deployment(deployment)) => Some(deployment),
            _ => None,
        })
        .collect();
    let [update] = updates[..] else { panic!("{plan:?}") };
    update
}

fn events(plan: &Plan) -> Vec<String> {
    let text =
        |event: &crate::EventDraft| format!("{} {} {}", event.type_.as_str(), event.reason, event.message);
    plan.events.iter().map(text).collect()
}

#[test]
fn a_rollback_takes_template_and_annotations_of_the_revision() {
    let mut deployment = web("web:2");
    deployment.metadata.annotations.insert(ROLLBACK_TO, "0".into());
    deployment.metadata.annotations.insert(REVISION, "2".into());
    let mut old = set_of("web:1", "1");
    old.metadata.annotations.insert("note", "first".into());
    let sets = [Arc::new(old), Arc::new(set_of("web:2", "2"))];
    let plan = plan_with(&deployment, &sets);
    let update = only_update(&plan);
    assert_eq!(update.spec.template.spec.containers[0].image, "web:1");
    assert!(update.spec.template.metadata.labels.get("pod-template-hash").is_none());
    let annotations = &update.metadata.annotations;
    assert_eq!(annotations.get("note").map(|note| note.as_str()), Some("first"));
    assert_eq!(annotations.get(REVISION).map(|text| text.as_str()), Some("2"));
    assert!(annotations.get(ROLLBACK_TO).is_none());
    assert_eq!(
        events(&plan).last().map(String::as_str),
        Some("Normal DeploymentRollback Rolled back deployment \"web\" to revision 1")
    );
}

#[test]
fn a_rollback_to_nowhere_is_given_up() {
    for (to, reason) in [
        ("7", "Warning DeploymentRollbackRevisionNotFound Unable to find the revision to rollback to."),
        ("0", "Warning DeploymentRollbackRevisionNotFound Unable to find last revision."),
        (
            "1",
            "Warning DeploymentRollbackTemplateUnchanged The rollback revision contains the same template as current deployment \"web\"",
        ),
    ] {
        let mut deployment = web("web:1");
        deployment.metadata.annotations.insert(ROLLBACK_TO, to.into());
        let plan = plan_with(&deployment, &[Arc::new(set_of("web:1", "1"))]);
        let update = only_update(&plan);
        assert!(update.metadata.annotations.get(ROLLBACK_TO).is_none());
        assert_eq!(update.spec, deployment.spec);
        assert_eq!(events(&plan), [reason]);
    }
}

#[test]
fn a_selector_of_everything_or_of_nonsense_is_refused() {
    let mut deployment = web("web:1");
    deployment.spec.selector = Some(Box::default());
    let plan = plan_with(&deployment, &[]);
    assert_eq!(plan.events[0].type_, EventType::Warning);
    assert_eq!(plan.events[0].reason, "SelectingAll");
    let [Change::UpdateStatus(PlannedObject::Deployment(update))] = &plan.changes[..] else {
        panic!("{plan:?}")
    };
    assert_eq!(update.status.observed_generation, 1);

    deployment.spec.selector = serde_json::from_value(
        json!({"matchExpressions": [{"key": "app", "operator": "Like", "values": ["w"]}]}),
    )
    .expect("a selector");
    let plan = plan_with(&deployment, &[]);
    assert!(plan.changes.is_empty());
    assert!(matches!(plan.error, Some(PlanError::Invalid { field: "spec.selector", .. })));
}

#[test]
fn a_name_that_is_taken_is_counted_and_avoided() {
    let mut foreign = set_of("web:1", "1");
    foreign.metadata.owner_references[0].uid = "someone else".into();
    let sets = [Arc::new(foreign)];
    let mut deployment = web("web:1");
    let plan = plan_with(&deployment, &sets);
    let [Change::Create(create)] = &plan.changes[..] else { panic!("{plan:?}") };
    let OnExists::Instead(instead) = &create.on_exists else { panic!("{create:?}") };
    let [Change::UpdateStatus(PlannedObject::Deployment(update))] = &instead[..] else {
        panic!("{instead:?}")
    };
    assert_eq!(update.status.collision_count, Some(1));
    let error = plan.error.as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(error, format!("replicasets.apps {:?} already exists", sets[0].metadata.name.as_str()));

    deployment.status = update.status.clone();
    let plan = plan_with(&deployment, &sets);
    assert_eq!(plan.error, None);
    let Some(Change::Create(create)) = plan.changes.first() else { panic!("{plan:?}") };
    assert_ne!(create.object.meta().name, sets[0].metadata.name);
}

#[test]
fn a_failed_creation_shows_in_the_status() {
    let deployment = web("web:1");
    let plan = plan_with(&deployment, &[]);
    let after = failed(&deployment, &plan.changes[0], "quota exceeded", now());
    let [Change::UpdateStatus(PlannedObject::Deployment(update))] = &after.changes[..] else {
        panic!("{after:?}")
    };
    let condition = &update.status.conditions[0];
    assert_eq!((condition.type_.as_str(), condition.status.as_str()), ("Progressing", "False"));
    assert_eq!(condition.reason, "ReplicaSetCreateError");
    let name = &plan.changes[0].key().name;
    let text = format!("Failed to create new replica set {:?}: quota exceeded", name.as_str());
    assert_eq!(condition.message, text);
    let warning = plan.events.iter().find(|event| event.type_ == EventType::Warning);
    assert_eq!(warning.map(|event| event.text("quota exceeded")), Some(text));
}

#[test]
fn a_rollout_without_news_is_looked_at_again_after_its_deadline() {
    let mut deployment = web("web:1");
    let mut sets = vec![];
    for _ in 0..5 {
        let plan = plan_with(&deployment, &sets);
        if plan.changes.is_empty() {
            assert_eq!(plan.requeue, Some(Duration::from_secs(61)));
            let later = now() + Duration::from_secs(61);
            let children = Children { replica_sets: &sets, pods: &[] };
            let plan = super::plan(&deployment, &children, later);
            let [Change::UpdateStatus(PlannedObject::Deployment(update))] = &plan.changes[..] else {
                panic!("{plan:?}")
            };
            assert!(update.status.conditions.iter().any(|it| it.reason == "ProgressDeadlineExceeded"));
            return;
        }
        for change in plan.changes {
            match change {
                Change::Create(create) => {
                    let PlannedObject::ReplicaSet(set) = create.object else { panic!() };
                    sets.push(set);
                }
                Change::UpdateStatus(PlannedObject::Deployment(update)) => {
                    deployment = Deployment::clone(&update);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    panic!("the status is written again and again: {:?}", deployment.status);
}
