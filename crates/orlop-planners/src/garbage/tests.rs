use orlop_model::meta::v1::{ObjectMeta, OwnerReference};
use orlop_model::{List, Time};
use serde_json::json;

use super::*;

fn kinds(_: &str, kind: &str) -> Option<bool> {
    match kind {
        "Pod" | "Set" => Some(true),
        "Node" => Some(false),
        _ => None,
    }
}

fn object(name: &str, owners: &[(&str, &str)]) -> ObjectMeta {
    ObjectMeta {
        name: name.into(),
        namespace: "default".into(),
        uid: name.into(),
        resource_version: "1".into(),
        owner_references: owners
            .iter()
            .map(|(kind, name)| OwnerReference {
                api_version: "v1".into(),
                kind: (*kind).into(),
                name: (*name).into(),
                uid: (*name).into(),
                block_owner_deletion: Some(true),
                ..OwnerReference::default()
            })
            .collect(),
        ..ObjectMeta::default()
    }
}

fn deleting(mut meta: ObjectMeta, finalizer: &str) -> ObjectMeta {
    meta.deletion_timestamp = Some(Time::from_seconds(0));
    meta.finalizers = List::from_iter([finalizer.into()]);
    meta
}

/// Runs an attempt; `answer` is asked for each call.
fn run(
    collector: &mut Collector,
    attempt: &mut Attempt,
    mut answer: impl FnMut(&Call) -> Answer,
) -> (Vec<Call>, Outcome) {
    let mut calls = Vec::new();
    let mut told = None;
    loop {
        match attempt.step(collector, &kinds, told.take()) {
            Step::Finished(outcome) => return (calls, outcome),
            Step::Call(call) => {
                told = Some(answer(&call));
                calls.push(call);
            }
        }
    }
}

#[test]
fn a_circle_of_foreground_deletions_is_broken() {
    let mut collector = Collector::new();
    let a = deleting(object("a", &[("Set", "b")]), FOREGROUND_FINALIZER);
    let b = object("b", &[("Set", "a")]);
    collector.applied("v1", "Set", &b);
    collector.applied("v1", "Set", &a);
    let mut of_b = loop {
        let attempt = collector.next_attempt().expect("b is to be checked");
        if attempt.object().uid == "b" {
            break attempt;
        }
    };
    let (calls, outcome) = run(&mut collector, &mut of_b, |call| match call {
        Call::Get { object } if object.name == "a" => Answer::Found(Box::new(a.clone())),
        Call::Get { .. } => Answer::Found(Box::new(b.clone())),
        Call::Patch { .. } => {
            Answer::Found(Box::new(ObjectMeta { resource_version: "2".into(), ..b.clone() }))
        }
        Call::Delete { .. } => Answer::Done,
    });
    assert_eq!(outcome, Outcome::Settled);
    let [_, _, Call::Patch { patch, .. }, Call::Delete { propagation, resource_version, .. }] = &calls[..]
    else {
        panic!("{calls:#?}")
    };
    let unblocked = json!({"metadata": {"uid": "b", "ownerReferences": [
        {"apiVersion": "v1", "kind": "Set", "name": "a", "uid": "a", "blockOwnerDeletion": false},
    ]}});
    assert_eq!(*patch, PatchBody::Strategic(unblocked));
    assert_eq!(*propagation, Propagation::Foreground);
    assert_eq!(resource_version.as_deref(), Some("2"), "the patch made a new version");
}

#[test]
fn a_kind_without_strategic_merge_is_patched_by_merge() {
    let mut collector = Collector::new();
    let owner = deleting(object("a", &[]), ORPHAN_FINALIZER);
    let child = object("b", &[("Set", "a"), ("Set", "c")]);
    collector.applied("v1", "Set", &object("c", &[]));
    collector.applied("v1", "Set", &child);
    collector.applied("v1", "Set", &owner);
    let mut attempt = loop {
        match collector.next_attempt().expect("a is to be orphaned") {
            attempt @ Attempt::Orphan(_) => break attempt,
            Attempt::Delete(_) => {}
        }
    };
    let (calls, outcome) = run(&mut collector, &mut attempt, |call| match call {
        Call::Patch { patch: PatchBody::Strategic(_), .. } => Answer::Unsupported,
        Call::Get { object } if object.name == "b" => Answer::Found(Box::new(child.clone())),
        Call::Get { .. } => Answer::Found(Box::new(owner.clone())),
        _ => Answer::Done,
    });
    assert_eq!(outcome, Outcome::Settled);
    let [_, _, Call::Patch { patch: PatchBody::Merge(freed), .. }, _, Call::Patch { patch, .. }] = &calls[..]
    else {
        panic!("{calls:#?}")
    };
    assert_eq!(freed["metadata"]["ownerReferences"][0]["uid"], "c");
    assert_eq!(freed["metadata"]["resourceVersion"], "1");
    let released = json!({"metadata": {"resourceVersion": "1", "finalizers": null}});
    assert_eq!(*patch, PatchBody::Merge(released));
}

#[test]
fn a_conflict_with_unchanged_owners_does_not_save_an_orphan() {
    let mut collector = Collector::new();
    let child = object("b", &[("Set", "gone")]);
    collector.applied("v1", "Set", &child);
    let mut conflicts = 0;
    while let Some(mut attempt) = collector.next_attempt() {
        run(&mut collector, &mut attempt, |call| match call {
            Call::Get { object } if object.name == "gone" => Answer::NotFound,
            Call::Get { .. } if conflicts == 0 => Answer::Found(Box::new(child.clone())),
            Call::Get { .. } => {
                Answer::Found(Box::new(ObjectMeta { resource_version: "2".into(), ..child.clone() }))
            }
            Call::Delete { resource_version: Some(version), .. } => {
                assert_eq!(*version, "1");
                conflicts += 1;
                Answer::Conflict
            }
            Call::Delete { resource_version: None, .. } => {
                conflicts += 10;
                Answer::Done
            }
            Call::Patch { .. } => panic!("nothing is to be patched"),
        });
    }
    assert_eq!(conflicts, 11);
}

#[test]
fn a_cluster_scoped_object_with_a_namespaced_owner_is_left_alone() {
    let mut collector = Collector::new();
    let mut node = object("n", &[("Pod", "gone")]);
    node.namespace = Default::default();
    collector.applied("v1", "Node", &node);
    while let Some(mut attempt) = collector.next_attempt() {
        let (calls, outcome) = run(&mut collector, &mut attempt, |_| panic!("nobody is to be asked"));
        assert!(calls.is_empty());
        assert_eq!(outcome, Outcome::Settled);
    }
}

#[test]
fn owners_in_other_namespaces_are_reported() {
    let mut collector = Collector::new();
    let mut owner = object("a", &[]);
    owner.namespace = "other".into();
    collector.applied("v1", "Set", &owner);
    collector.applied("v1", "Pod", &object("b", &[("Set", "a")]));
    let warnings = collector.take_warnings();
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        warnings[0].message(),
        "ownerRef [v1/Set, namespace: default, name: a, uid: a] does not exist in namespace \"default\"",
    );
    assert_eq!(collector.next_attempt().expect("b is checked").object().uid, "b");
}

#[test]
fn an_unserved_kind_is_tried_again() {
    let mut collector = Collector::new();
    collector.applied("v1", "Pod", &object("b", &[("Custom", "a")]));
    let mut attempt = collector.next_attempt().expect("the owner is checked");
    let (calls, outcome) = run(&mut collector, &mut attempt, |_| panic!("nobody is to be asked"));
    assert!(calls.is_empty());
    assert_eq!(outcome, Outcome::Retry);
    assert!(collector.is_idle());
    collector.retry(&attempt);
    assert!(!collector.is_idle());
}
