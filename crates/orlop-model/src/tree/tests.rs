//! One way into typed and untyped objects.

use serde_json::{Value, json};

use super::*;
use crate::apps::v1::Deployment;
use crate::core::v1::{Container, Pod};
use crate::message::Fields;
use crate::{DynamicObject, Message};

fn pod() -> Value {
    json!({
        "metadata": {"name": "p", "labels": {"a": "1"}},
        "spec": {
            "containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "1"}}, "new": [1, {"x": null}]}],
            "terminationGracePeriodSeconds": 0,
        },
        "status": {},
        "more": true,
    })
}

fn typed() -> Pod {
    serde_json::from_value(pod()).unwrap()
}

#[test]
fn typed_objects_look_like_their_json() {
    let (pod, value) = (typed(), pod());
    let node = Node::from(&pod as &dyn Fields);
    assert_eq!(node.to_value(), value);
    assert!(node.same(Node::Json(&value)) && Node::Json(&value).same(node) && node.same(node));
    let container = node.get("spec").unwrap().get("containers").unwrap().at(0).unwrap();
    assert_eq!(container.get("name").unwrap().as_str().unwrap(), "c");
    assert_eq!(container.get("new").unwrap().at(1).unwrap().form(), Form::Object);
    assert!(container.get("command").is_none() && container.get("nothing").is_none());
    assert_eq!(node.get("spec").unwrap().get("terminationGracePeriodSeconds").unwrap().form(), Form::Number);
    let none = Pod::default();
    assert_eq!(
        Node::from(&none as &dyn Fields).to_value(),
        json!({"metadata": {}, "spec": {"containers": null}, "status": {}})
    );
    assert!(!node.same(Node::from(&none as &dyn Fields)));
}

#[test]
fn dynamic_objects_look_like_their_json() {
    let mut value = pod();
    value["kind"] = "Other".into();
    value["apiVersion"] = "example.dev/v1".into();
    let object: DynamicObject = serde_json::from_value(value).unwrap();
    let mut seen = Node::from(&object).to_value();
    assert_eq!(seen, pod());
    let mut changed = object.clone();
    seen["metadata"]["labels"] = json!({"b": "2"});
    seen["more"] = Value::Null;
    NodeMut::from(&mut changed).set(&seen).unwrap();
    assert_eq!(Node::from(&changed).to_value(), seen);
}

/// Makes the same change to the typed object and to JSON.
fn change(change: impl Fn(NodeMut<'_>)) {
    let (mut typed, mut value) = (typed(), pod());
    change(NodeMut::from(&mut typed as &mut dyn Fields));
    change(NodeMut::from(&mut value));
    assert_eq!(Node::from(&typed as &dyn Fields).to_value(), value);
}

fn containers(node: NodeMut<'_>) -> NodeMut<'_> {
    node.into_field("spec").unwrap().into_field("containers").unwrap()
}

#[test]
fn changes_are_those_of_json() {
    change(|node| {
        containers(node).into_pushed().unwrap().set(&json!({"name": "d", "resources": {}})).unwrap()
    });
    change(|node| {
        let container = containers(node).into_item(0).unwrap();
        container
            .into_entry("securityContext")
            .unwrap()
            .into_entry("runAsUser")
            .unwrap()
            .set(&json!(0))
            .unwrap();
    });
    change(|node| {
        let mut container = containers(node).into_item(0).unwrap();
        assert!(container.remove("image") && container.remove("new") && !container.remove("command"));
    });
    change(|node| {
        let mut containers = containers(node);
        for name in ["d", "e", "f"] {
            let mut item = containers.reborrow().into_pushed().unwrap();
            item.set(&json!({"name": name, "resources": {}})).unwrap();
        }
        containers.permute(&[3, 0, 7, 3, 2]);
        assert_eq!(containers.len(), 3);
        assert_eq!(containers.at(0).unwrap().get("name").unwrap().as_str().unwrap(), "f");
    });
    change(|mut node| {
        let labels = node.reborrow().into_field("metadata").unwrap().into_field("labels").unwrap();
        labels.into_entry("b").unwrap().set(&json!("2")).unwrap();
        assert!(node.reborrow().into_field("metadata").unwrap().into_field("labels").unwrap().remove("a"));
        assert!(node.remove("more"));
    });
    change(|node| {
        let mut spec = node.into_field("spec").unwrap();
        assert!(spec.remove("terminationGracePeriodSeconds"));
        spec.into_entry("later").unwrap().set(&json!({"x": 1})).unwrap();
    });
    change(|node| containers(node).set(&json!([])).unwrap());
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut pod = typed();
    let mut node = NodeMut::from(&mut pod as &mut dyn Fields);
    let mut containers = node.reborrow().into_field("spec").unwrap().into_field("containers").unwrap();
    let error = containers.set(&json!([{"name": 1}])).unwrap_err();
    assert_eq!(error.to_string(), "[0].name: invalid type: integer `1`, expected a string");
    assert!(containers.set(&json!("x")).is_err());
    let mut container = Container::default();
    let node = NodeMut::from(&mut container as &mut dyn Fields);
    assert!(node.into_field("resources").unwrap().into_pushed().is_err());
}

#[test]
fn shapes_are_those_of_the_tables() {
    let spec = Shape::Message(Deployment::SCHEMA).member("spec").shape().unwrap();
    let template = spec.member("template").shape().unwrap().member("spec").shape().unwrap();
    let containers = template.member("containers").shape().unwrap();
    let Listing::Map(keys) = containers.listing() else { panic!("containers have keys") };
    assert_eq!(keys.names().collect::<Vec<_>>(), ["name"]);
    let Listing::Map(keys) = containers.item().member("ports").shape().unwrap().listing() else {
        panic!("ports have keys")
    };
    assert_eq!(keys.default("protocol"), Some(json!("TCP")));
    assert!(matches!(template.member("nothing"), Member::Undeclared));
    assert!(matches!(containers.item().member("args").shape().unwrap().listing(), Listing::Atomic));
    assert!(spec.member("selector").shape().unwrap().is_atomic_object());
    assert!(!spec.member("strategy").shape().unwrap().is_atomic_object());
}

#[test]
fn shapes_are_those_of_structural_schemas() {
    let schema = serde_json::from_value(json!({
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {
                "parts": {
                    "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
                    "items": {"type": "object", "properties": {"id": {"type": "string", "default": "x"}}},
                },
                "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "whole": {"type": "object", "x-kubernetes-map-type": "atomic"},
                "size": {"x-kubernetes-int-or-string": true},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "inner": {"type": "object", "x-kubernetes-embedded-resource": true},
                "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
            }},
        },
    }))
    .unwrap();
    let root = Shape::custom(Some(&schema), false);
    let finalizers = |shape: Shape<'_>| {
        let metadata = shape.member("metadata").shape().unwrap();
        matches!(metadata.member("finalizers").shape().unwrap().listing(), Listing::Set)
    };
    assert!(finalizers(root));
    let spec = root.member("spec").shape().unwrap();
    let place = |name: &str| spec.member(name).shape().unwrap();
    let Listing::Map(keys) = place("parts").listing() else { panic!("parts have keys") };
    assert_eq!((keys.names().collect::<Vec<_>>(), keys.default("id")), (vec!["id"], Some(json!("x"))));
    assert!(matches!(place("tags").listing(), Listing::Set));
    assert!(place("whole").is_atomic_object());
    assert_eq!(place("size").forms().scalar, Some(ScalarType::Any));
    assert!(matches!(place("free").member("x"), Member::Entry(Shape::Deduced)));
    assert!(finalizers(place("inner")));
    let counts = place("counts").member("x").shape().unwrap();
    assert_eq!(counts.forms().scalar, Some(ScalarType::Number));
    assert!(matches!(spec.member("nothing"), Member::Undeclared));
    assert!(matches!(Shape::custom(None, false).member("spec"), Member::Entry(Shape::Deduced)));
}
