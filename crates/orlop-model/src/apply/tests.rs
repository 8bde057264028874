//! Server-side apply.

use serde_json::{Value, json};

use super::*;
use crate::apps::v1::Deployment;
use crate::{FieldsV1, RawJson};

fn parse(text: &str) -> FieldSet {
    FieldSet::parse(&FieldsV1::from(RawJson::parse(text).unwrap())).unwrap()
}

#[test]
fn sets_come_back_as_they_were() {
    for text in [
        "{}",
        r#"{"f:a":{},"f:b":{".":{},"f:c":{}},"k:{\"name\":\"x\"}":{},"v:\"\\\"y\\\"\"":{},"v:1":{},"i:0":{}}"#,
        r#"{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}"#,
    ] {
        let set = parse(text);
        let written = set.to_fields();
        assert_eq!(FieldSet::parse(&written).unwrap(), set, "{text}");
        let (got, want): (Value, Value) =
            (serde_json::from_str(written.as_json()).unwrap(), serde_json::from_str(text).unwrap());
        assert_eq!(got, want);
    }
    assert_eq!(parse(r#"{ "f:a" : {"x:": {}, "f:\u0062": {}} }"#), parse(r#"{"f:a":{"f:b":{}}}"#));
    for text in ["1", r#"{"f:a":1}"#, r#"{"a":{}}"#, r#"{"k:1":{}}"#, r#"{"i:x":{}}"#, r#"{"":{}}"#] {
        assert!(FieldSet::parse(&FieldsV1::from(RawJson::parse(text).unwrap())).is_err(), "{text}");
    }
}

#[test]
fn sets_are_an_algebra() {
    let left = parse(r#"{"f:a":{".":{},"f:b":{},"f:c":{}},"f:d":{}}"#);
    let right = parse(r#"{"f:a":{"f:b":{},"f:e":{}},"f:d":{"f:x":{}},"f:y":{}}"#);
    assert_eq!(
        left.union(&right),
        parse(r#"{"f:a":{".":{},"f:b":{},"f:c":{},"f:e":{}},"f:d":{".":{},"f:x":{}},"f:y":{}}"#)
    );
    assert_eq!(left.intersection(&right), parse(r#"{"f:a":{"f:b":{}}}"#));
    assert_eq!(left.difference(&right), parse(r#"{"f:a":{".":{},"f:c":{}},"f:d":{}}"#));
    assert_eq!(left.recursive_difference(&parse(r#"{"f:a":{}}"#)), parse(r#"{"f:d":{}}"#));
    assert_eq!(left.leaves(), parse(r#"{"f:a":{"f:b":{},"f:c":{}},"f:d":{}}"#));
    assert!(parse(r#"{"f:a":{"f:b":{}}}"#).is_within(&left) && !left.is_within(&right));
    assert_eq!((left.len(), right.len()), (4, 4));
}

fn config(replicas: i32, containers: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"a": "1"}},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}},
    })
}

#[test]
fn the_second_time_nothing_changes() {
    let time = crate::Time::from_seconds(1_000_000_000);
    let config = config(2, &json!([{"name": "a", "image": "i"}]));
    let options = Options::by("me").at(time);
    let once = apply(&Deployment::default(), &config, &options).unwrap().unwrap();
    assert_eq!(once.metadata.managed_fields[0].time, Some(time));
    let later = Options { time: Some(crate::Time::from_seconds(2_000_000_000)), ..options };
    assert!(apply(&once, &config, &later).unwrap().is_none());
}

#[test]
fn what_only_one_owned_goes_with_its_owner() {
    let container = |name: &str| json!([{"name": name, "image": "i"}]);
    let object =
        apply(&Deployment::default(), &config(2, &container("a")), &Options::by("me")).unwrap().unwrap();
    let object = apply(&object, &config(2, &container("b")), &Options::by("you")).unwrap().unwrap();
    assert_eq!(object.spec.template.spec.containers.len(), 2);
    let nothing = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}});
    let object = apply(&object, &nothing, &Options::by("me")).unwrap().unwrap();
    assert_eq!(object.spec.template.spec.containers.len(), 1);
    assert_eq!(object.spec.template.spec.containers[0].name, "b");
    assert_eq!((object.spec.replicas, object.metadata.labels.len()), (Some(2), 1));
    let object = apply(&object, &nothing, &Options::by("you")).unwrap().unwrap();
    assert_eq!((object.spec.replicas, object.metadata.labels.len()), (None, 0));
    assert_eq!((object.spec.template.spec.containers.len(), object.metadata.managed_fields.len()), (0, 0));
}
