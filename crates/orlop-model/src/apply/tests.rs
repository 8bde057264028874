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

/// Draws by a seed (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut next = self.0;
        next = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        next = (next ^ (next >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (next ^ (next >> 31)) % count
    }

    fn one(&mut self, texts: &[&'static str]) -> &'static str {
        texts[self.below(texts.len() as u64) as usize]
    }

    fn some(&mut self, texts: &[&'static str]) -> Vec<&'static str> {
        let mut some: Vec<_> = texts.iter().copied().filter(|_| self.below(2) == 0).collect();
        if !some.is_empty() {
            let first = self.below(some.len() as u64) as usize;
            some.rotate_left(first);
        }
        some
    }

    fn map(&mut self) -> Value {
        self.some(&["a", "b", "c"])
            .into_iter()
            .map(|key| (key.to_owned(), self.one(&["1", "2"]).into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    fn container(&mut self, name: &str) -> Value {
        let mut container = json!({"name": name});
        if self.below(2) == 0 {
            container["image"] = self.one(&["i:1", "i:2"]).into();
        }
        if self.below(3) == 0 {
            container["args"] = json!(["-x", self.one(&["y", "z"])]);
        }
        let env = self.some(&["E0", "E1", "E2"]);
        if !env.is_empty() {
            container["env"] =
                env.into_iter().map(|name| json!({"name": name, "value": self.one(&["v", "w"])})).collect();
        }
        if self.below(3) == 0 {
            container["ports"] =
                json!([{"containerPort": 80 + self.below(2), "protocol": self.one(&["TCP", "UDP"])}]);
        }
        if self.below(3) == 0 {
            container["resources"] = json!({"requests": {"cpu": self.one(&["1", "2"])}});
        }
        if self.below(3) == 0 {
            container["securityContext"] = json!({"runAsUser": self.below(2)});
        }
        container
    }

    fn config(&mut self) -> Value {
        let mut config = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"}});
        let mut set = |path: &str, value: Value| {
            let is_empty = value.as_object().is_some_and(serde_json::Map::is_empty)
                || value.as_array().is_some_and(Vec::is_empty);
            if !is_empty {
                let steps: Vec<&str> = path.split('.').collect();
                let place = steps.iter().fold(&mut config, |place, step| &mut place[*step]);
                *place = value;
            }
        };
        let containers: Vec<Value> =
            self.some(&["c0", "c1", "c2"]).into_iter().map(|name| self.container(name)).collect();
        set("metadata.labels", self.map());
        set("metadata.annotations", self.map());
        set("metadata.finalizers", json!(self.some(&["f/1", "f/2", "f/3"])));
        set("spec.template.metadata.labels", self.map());
        set("spec.template.spec.nodeSelector", self.map());
        set("spec.template.spec.containers", containers.into());
        let volumes = self.some(&["v0", "v1"]).into_iter();
        set(
            "spec.template.spec.volumes",
            volumes.map(|name| json!({"name": name, "emptyDir": {}})).collect(),
        );
        for (path, value) in [
            ("spec.replicas", json!(self.below(3))),
            ("spec.paused", json!(true)),
            ("spec.selector.matchLabels", json!({"app": self.one(&["a", "b"])})),
            ("spec.strategy.type", json!(self.one(&["Recreate", "RollingUpdate"]))),
            ("spec.template.spec.terminationGracePeriodSeconds", json!(self.below(2))),
            ("spec.template.spec.tolerations", json!([{"key": self.one(&["k", "l"]), "operator": "Exists"}])),
        ] {
            if self.below(2) == 0 {
                set(path, value);
            }
        }
        config
    }
}

fn target() -> Target<'static> {
    use crate::Message;
    Target::new("apps/v1", "Deployment", crate::tree::Shape::Message(Deployment::SCHEMA))
}

fn sets(object: &Deployment) -> Vec<(String, FieldSet)> {
    let entries = object.metadata.managed_fields.iter();
    entries
        .map(|entry| {
            let set = FieldSet::parse(entry.fields_v1.as_ref().unwrap()).unwrap();
            (format!("{} {}", entry.manager, entry.operation.as_str()), set)
        })
        .collect()
}

/// Whoever applied owns exactly what it applied, all that is owned is there, and nothing is owned in parts that is one
/// value.
#[track_caller]
fn check_ownership(object: &Deployment, config: Option<&Value>) {
    let shape = target().shape;
    let node = crate::tree::Node::from(object as &dyn crate::message::Fields);
    let there = fields_of(node, shape).with_parents(shape);
    for (owner, set) in sets(object) {
        assert!(!set.is_empty(), "{owner} owns nothing");
        assert!(
            set.leaves().is_within(&there),
            "{owner} owns what is not there:\n{}",
            set.difference(&there)
        );
        assert_eq!(updater::reconciled(&set, shape), None, "{owner} owns parts of one value");
        if let (Some(config), true) = (config, owner == "me Apply") {
            let applied = fields_of(crate::tree::Node::from(config), shape);
            assert_eq!(set, applied.difference(&updater::NOBODYS));
        }
    }
}

#[test]
fn ownership_holds_together() {
    for seed in 0..300 {
        let mut draw = Draw(seed);
        let mut object = Deployment::default();
        for _ in 0..6 {
            let config = draw.config();
            if draw.below(4) == 0 {
                // Somebody writes the object as a whole, keeping who owned what.
                let mut new: Deployment = serde_json::from_value(config).unwrap();
                new.metadata.managed_fields = object.metadata.managed_fields.clone();
                update(&object, &mut new, &Options::by(draw.one(&["me", "writer"]))).unwrap();
                object = new;
                check_ownership(&object, None);
                continue;
            }
            let forces = draw.below(2) == 0;
            let manager = draw.one(&["me", "you", "they"]);
            let options = Options { force: forces, ..Options::by(manager) };
            match apply(&object, &config, &options) {
                Ok(new) => {
                    object = new.unwrap_or(object);
                    check_ownership(&object, (manager == "me").then_some(&config));
                    assert_eq!(apply(&object, &config, &options), Ok(None), "seed {seed}");
                }
                Err(ApplyError::Conflicts(conflicts)) => {
                    assert!(
                        !forces
                            && conflicts.iter().all(|conflict| conflict.manager() != manager
                                || conflict.message().contains(" using "))
                    );
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn typed_and_untyped_objects_become_the_same() {
    for seed in 0..300 {
        let mut draw = Draw(seed);
        let mut typed = Deployment::default();
        let mut untyped = json!({"apiVersion": "apps/v1", "kind": "Deployment"});
        for _ in 0..5 {
            let config = draw.config();
            let options =
                Options { force: draw.below(2) == 0, ..Options::by(draw.one(&["me", "you", "they"])) };
            let result = apply(&typed, &config, &options);
            match (result, apply_value(&untyped, &config, &target(), &options)) {
                (Ok(new), Ok(value)) => {
                    typed = new.unwrap_or(typed);
                    untyped = value.unwrap_or(untyped);
                }
                (Err(left), Err(right)) => assert_eq!(left, right, "seed {seed}"),
                (left, right) => panic!("seed {seed}: {left:?} but {right:?}"),
            }
            let read: Deployment = serde_json::from_value(untyped.clone()).unwrap();
            assert_eq!(read, typed, "seed {seed}");
        }
    }
}

#[test]
fn nothing_is_left_of_what_everybody_gave_up() {
    let nothing = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"}});
    for seed in 0..200 {
        let mut draw = Draw(seed);
        let mut object = Deployment::default();
        for _ in 0..4 {
            let options = Options::by(draw.one(&["me", "you", "they"])).forced();
            object = apply(&object, &draw.config(), &options).unwrap().unwrap_or(object);
        }
        for manager in ["me", "you", "they"] {
            let options = Options::by(manager);
            let kept: Vec<_> =
                sets(&object).into_iter().filter(|(owner, _)| *owner != format!("{manager} Apply")).collect();
            object = apply(&object, &nothing, &options).unwrap().unwrap_or(object);
            assert_eq!(sets(&object), kept, "others keep what they own");
        }
        let mut empty = Deployment::default();
        empty.metadata.name = "web".into();
        empty.metadata.namespace = "default".into();
        assert_eq!(object, empty, "seed {seed}");
    }
}

#[test]
fn what_is_applied_can_be_taken_out_again() {
    for seed in 0..100 {
        let mut draw = Draw(seed);
        let (config, other) = (draw.config(), draw.config());
        let object = apply(&Deployment::default(), &config, &Options::by("me")).unwrap().unwrap_or_default();
        let object = apply(&object, &other, &Options::by("you").forced()).unwrap().unwrap_or(object);
        let Some(extracted) = applied_by(&object, "me", "").unwrap() else { continue };
        assert_eq!(apply(&object, &extracted, &Options::by("me")), Ok(None), "seed {seed}: {extracted}");
    }
}

#[test]
fn many_writers_become_few_entries() {
    let mut object = Deployment::default();
    object.metadata.labels.insert("l", "0".into());
    let config = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"labels": {"x": "1"}}});
    let mut object = apply(&object, &config, &Options::by("me")).unwrap().unwrap();
    object.metadata.uid = "u".into();
    for index in 0..14_i64 {
        let mut new = object.clone();
        new.metadata.labels.insert(format!("l{index}"), "1".into());
        let name = format!("writer-{index:02}");
        let time = crate::Time::from_seconds(1_000 + index);
        update(&object, &mut new, &Options::by(&name).at(time)).unwrap();
        object = new;
    }
    let entries = &object.metadata.managed_fields;
    let updates: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.operation.as_str() == "Update")
        .map(|entry| entry.manager.as_str())
        .collect();
    assert_eq!(updates.len(), MAX_UPDATE_MANAGERS);
    assert_eq!((updates[0], updates[1], updates[9]), (ANCIENT_CHANGES, "writer-05", "writer-13"));
    assert!(entries.is_sorted_by_key(|entry| (entry.operation.as_str(), entry.time)));
}

#[test]
fn managed_fields_can_be_reset_and_are_not_lost() {
    use crate::meta::v1::ManagedFieldsEntry;
    let mut object =
        apply(&Deployment::default(), &config(1, &json!([])), &Options::by("me")).unwrap().unwrap();
    object.metadata.uid = "u".into();
    let write = |entries: Vec<ManagedFieldsEntry>, subresource: &str| {
        let mut new = object.clone();
        new.metadata.managed_fields = entries.into();
        update(&object, &mut new, &Options { subresource, ..Options::by("you") }).unwrap();
        new.metadata.managed_fields
    };
    assert_eq!(write(Vec::new(), ""), object.metadata.managed_fields);
    assert_eq!(write(vec![ManagedFieldsEntry::default()], ""), crate::List::new());
    assert_eq!(write(vec![ManagedFieldsEntry::default()], "status"), object.metadata.managed_fields);
    let garbage = ManagedFieldsEntry { manager: "x".into(), ..ManagedFieldsEntry::default() };
    assert_eq!(write(vec![garbage], ""), object.metadata.managed_fields);
}

#[test]
fn what_kubectl_applied_before_is_its_own() {
    let last = config(1, &json!([{"name": "a", "image": "i"}]));
    let mut object: Deployment = serde_json::from_value(last.clone()).unwrap();
    object.metadata.annotations.insert(last_applied::ANNOTATION, format!("{last}\n").into());
    let wanted = config(2, &json!([{"name": "a", "image": "j"}]));
    assert!(apply(&object, &wanted, &Options::by("other")).is_err());
    let applied = apply(&object, &wanted, &Options::by("kubectl")).unwrap().unwrap();
    assert_eq!(applied.spec.replicas, Some(2));
    let annotation = &applied.metadata.annotations[last_applied::ANNOTATION];
    assert_eq!(serde_json::from_str::<Value>(annotation).unwrap(), wanted);
    // What somebody has changed since is in conflict.
    object.spec.replicas = Some(7);
    let Err(ApplyError::Conflicts(conflicts)) = apply(&object, &wanted, &Options::by("kubectl")) else {
        panic!("a conflict")
    };
    assert_eq!(conflicts.iter().map(Conflict::field).collect::<Vec<_>>(), [".spec.replicas"]);
}

#[test]
fn managers_of_other_versions_see_the_same_object() {
    use crate::meta::v1::ManagedFieldsEntry;
    let mut object =
        apply(&Deployment::default(), &config(1, &json!([])), &Options::by("me")).unwrap().unwrap();
    let rename = |entry: &mut ManagedFieldsEntry, version: &str| entry.api_version = version.into();
    rename(&mut object.metadata.managed_fields[0], "apps/v1beta1");
    let others = [("apps/v1beta1", target().shape)];
    let with_others = Target { others: &others, ..target() };
    let wanted = config(2, &json!([]));
    let conflict = apply_to(&object, &wanted, &with_others, &Options::by("you")).unwrap_err();
    assert_eq!(conflict.to_string(), r#"Apply failed with 1 conflict: conflict with "me": .spec.replicas"#);
    // Nobody knows a version that is no more.
    let new = apply_to(&object, &wanted, &target(), &Options::by("you")).unwrap().unwrap();
    assert_eq!(sets(&new).len(), 1);
}

#[test]
fn custom_objects_are_merged_by_their_schema() {
    use crate::tree::Shape;
    let schema = serde_json::from_value(json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
            "items": {"type": "object", "properties": {"id": {"type": "string"}, "size": {"type": "integer"}}}},
        "whole": {"type": "array", "items": {"type": "string"}},
    }}}})).unwrap();
    let target = Target::new("example.dev/v1", "Thing", Shape::custom(Some(&schema), false));
    let thing = |spec: Value| json!({"apiVersion": "example.dev/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": spec});
    let object: crate::DynamicObject = serde_json::from_value(thing(json!({}))).unwrap();
    let mine = thing(json!({"parts": [{"id": "a", "size": 1}], "whole": ["x"]}));
    let object = apply_to(&object, &mine, &target, &Options::by("me")).unwrap().unwrap();
    let yours = thing(json!({"parts": [{"id": "b", "size": 2}]}));
    let object = apply_to(&object, &yours, &target, &Options::by("you")).unwrap().unwrap();
    assert_eq!(object.body["spec"]["parts"], json!([{"id": "a", "size": 1}, {"id": "b", "size": 2}]));
    let wrong = thing(json!({"whole": ["y"]}));
    let error = apply_to(&object, &wrong, &target, &Options::by("you")).unwrap_err();
    assert!(error.to_string().contains(r#"conflict with "me": .spec.whole"#), "{error}");
    let unknown = apply_to(&object, &thing(json!({"other": 1})), &target, &Options::by("me")).unwrap_err();
    assert!(unknown.to_string().ends_with(".spec.other: field not declared in schema"), "{unknown}");
    let given_up =
        apply_to(&object, &thing(json!({"whole": ["x"]})), &target, &Options::by("me")).unwrap().unwrap();
    assert_eq!(given_up.body["spec"], json!({"parts": [{"id": "b", "size": 2}], "whole": ["x"]}));
}

#[test]
fn keys_have_the_defaults_of_the_schema() {
    let ports = |ports: Value| config(1, &json!([{"name": "a", "image": "i", "ports": ports}]));
    let object = apply(
        &Deployment::default(),
        &ports(json!([{"containerPort": 80, "protocol": "TCP"}])),
        &Options::by("me"),
    )
    .unwrap()
    .unwrap();
    let object = apply(&object, &ports(json!([{"containerPort": 80, "name": "http"}])), &Options::by("you"))
        .unwrap()
        .unwrap();
    assert_eq!(object.spec.template.spec.containers[0].ports.len(), 1);
}

/// JSON has two ways to write an ampersand.
#[test]
fn sets_that_are_written_in_another_way_are_the_same() {
    let config = json!({"apiVersion": "v1", "kind": "Pod", "spec": {"a&b": [1]}});
    let target = Target::new("v1", "Pod", crate::tree::Shape::Deduced);
    let applied = apply_value(&json!({}), &config, &target, &Options::by("me")).unwrap().unwrap();
    assert_eq!(apply_value(&applied, &config, &target, &Options::by("me")), Ok(None));
}
