//! Properties of patches, over documents and objects made by chance.

use serde_json::{Map, Value, json};

use super::typed::without_directives;
use super::*;
use crate::apps::v1::Deployment;
use crate::core::v1::{Pod, Service};
use crate::message::Fields;
use crate::{DynamicObject, Message, Object, Schema};

/// Numbers that only look random (xorshift), so that a failure comes again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn value(&mut self, depth: usize, nulls: bool) -> Value {
        match self.below(if depth == 0 { 4 } else { 8 }) {
            0 if nulls => Value::Null,
            0 | 1 => json!(self.below(3)),
            2 => json!(*self.one(&["", "a", "é/~"])),
            3 => json!(self.below(2) == 0),
            4 | 5 => (0..self.below(4)).map(|_| self.value(depth - 1, nulls)).collect(),
            _ => self.object(depth - 1, nulls),
        }
    }

    fn object(&mut self, depth: usize, nulls: bool) -> Value {
        let mut fields = Map::new();
        for _ in 0..self.below(4) {
            let name = (*self.one(&["a", "b", "c.d", "e/f", "~", ""])).to_owned();
            fields.insert(name, self.value(depth, nulls));
        }
        Value::Object(fields)
    }

    /// A document of a pod: enough of it to have every way in which strategic merge treats a value.
    fn pod(&mut self) -> Value {
        let containers: Vec<Value> = self.some(&["a", "b", "c", "d"], |chance, name| {
            let ports = chance.some(&["80", "81"], |chance, port| {
                json!({"containerPort": port.parse::<u16>().ok(), "protocol": *chance.one(&["TCP", "UDP"])})
            });
            let env = chance.some(
                &["X", "Y", "Z"],
                |chance, name| json!({"name": name, "value": *chance.one(&["1", "2"])}),
            );
            let mut container =
                json!({"name": name, "image": *chance.one(&["i:1", "i:2"]), "env": env, "ports": ports});
            if chance.below(2) == 0 {
                container["args"] = json!([*chance.one(&["-v", "-q"])]);
            }
            container
        });
        let volumes = self.some(&["v", "w"], |chance, name| match chance.below(2) {
            0 => json!({"name": name, "emptyDir": {"medium": "Memory"}}),
            _ => json!({"name": name, "configMap": {"name": "cm"}}),
        });
        let mut pod = json!({
            "metadata": {"name": "p"},
            "spec": {"containers": containers, "volumes": volumes},
        });
        let finalizers: Vec<Value> = self.some(&["f/1", "f/2", "f/3"], |_, name| json!(name));
        for (place, name, value) in [
            ("metadata", "finalizers", json!(finalizers)),
            ("metadata", "labels", json!({"a": *self.one(&["1", "2"])})),
            ("spec", "tolerations", json!([{"key": *self.one(&["k", "l"]), "operator": "Exists"}])),
            ("spec", "terminationGracePeriodSeconds", json!(self.below(3) + 1)),
            ("spec", "securityContext", json!({"runAsUser": self.below(2) + 1})),
            ("spec", "future", json!({"x": self.below(2), "list": [self.below(2)]})),
        ] {
            if self.below(3) > 0 {
                pod[place][name] = value;
            }
        }
        pod
    }

    fn some(&mut self, names: &[&str], make: impl Fn(&mut Self, &str) -> Value) -> Vec<Value> {
        let mut names = names.to_vec();
        if self.below(4) == 0 {
            names.reverse();
        }
        let mut items = Vec::new();
        for name in names {
            if self.below(3) > 0 {
                items.push(make(self, name));
            }
        }
        items
    }
}

#[test]
fn a_difference_makes_of_one_document_the_other() {
    let mut chance = Chance(7);
    let (mut merges, mut operations) = (0, 0);
    for round in 0..1000 {
        let nulls = round % 2 == 0;
        let (old, new) = (chance.object(3, nulls), chance.object(3, nulls));
        let patch = diff(&old, &new, None);
        assert_eq!(patch.apply(old.clone(), None).as_ref(), Ok(&new), "{old} {new} {patch:?}");
        match &patch {
            Patch::Json(patch) => {
                operations += 1;
                // What is made for Kubernetes holds by the RFC too.
                let made = super::operations(
                    Document::from(&old),
                    &Document::from(patch),
                    Dialect::Strict,
                    Limits::default(),
                );
                assert_eq!(made, Ok(Document::from(&new)), "{old} {patch}");
            }
            _ => merges += 1,
        }
        assert!(diff(&old, &old, None).is_empty(), "{old}");
    }
    assert!(merges > 200 && operations > 20, "{merges} {operations}");
}

#[test]
fn a_difference_makes_of_one_pod_the_other() {
    let mut chance = Chance(11);
    let (mut strategic, mut others) = (0, 0);
    for _ in 0..300 {
        let (old, new) = (chance.pod(), chance.pod());
        let patch = diff(&old, &new, Some(Pod::SCHEMA));
        assert_eq!(patch.apply(old.clone(), Some(Pod::SCHEMA)).as_ref(), Ok(&new), "{old} {new} {patch:?}");
        match patch {
            Patch::Strategic(_) => strategic += 1,
            _ => others += 1,
        }
    }
    assert!(strategic > 150, "{strategic} {others}");
}

/// What others changed in the meantime stays, and what they left alone becomes as wanted.
#[test]
fn a_three_way_patch_keeps_what_others_changed() {
    let mut chance = Chance(13);
    for _ in 0..150 {
        let (last, wanted) = (chance.pod(), chance.pod());
        let mut current = last.clone();
        current["spec"]["nodeName"] = json!("n");
        current["metadata"]["annotations"] = json!({"theirs": "1"});
        let schema = Some(Pod::SCHEMA);
        // Fields that the schema does not know have no three-way patch in Kubernetes.
        let known = [last, wanted, current].map(|mut pod| {
            if let Some(spec) = pod["spec"].as_object_mut() {
                spec.remove("future");
            }
            pod
        });
        let [last, wanted, current] = known;
        let patch = strategic_three_way(&last, &wanted, &current, schema, true).unwrap();
        let mut patched = strategic(current.clone(), patch.clone(), schema).unwrap();
        assert_eq!(patched["spec"]["nodeName"], "n");
        assert_eq!(patched["metadata"]["annotations"]["theirs"], "1");
        let again = strategic_three_way(&wanted, &wanted, &patched, schema, true).unwrap();
        let unchanged = strategic(patched.clone(), again.clone(), schema).unwrap();
        assert_eq!(unchanged, patched, "{again}");
        if let (Some(spec), Some(meta)) =
            (patched["spec"].as_object_mut().cloned(), patched["metadata"].as_object_mut())
        {
            meta.remove("annotations");
            for name in spec.keys().filter(|name| *name != "nodeName") {
                assert!(wanted["spec"].get(name).is_some(), "{name} is left of {last}: {patch}");
            }
        }
        let documents = [&last, &wanted, &current].map(Document::from);
        let merged = merge_three_way(&documents[0], &documents[1], &documents[2]).unwrap();
        let merged = merge(documents[2].clone(), merged).unwrap().to_value().unwrap();
        assert_eq!(merged["spec"]["nodeName"], "n");
        assert_eq!(merged["spec"]["containers"], wanted["spec"]["containers"]);
    }
}

fn typed<K: Object>(document: &Value) -> K {
    serde_json::from_value(document.clone()).unwrap()
}

/// In place or on a document, a patch does the same.
#[test]
fn patches_in_place_are_patches_of_documents() {
    let mut chance = Chance(17);
    for round in 0..600 {
        let (old, mut new) = (chance.pod(), chance.pod());
        let change = match round % 3 {
            0 => strategic::strategic_diff_leniently(&old, &new, Pod::SCHEMA).unwrap(),
            1 => {
                // Items in any order, some of them new, as people write them.
                new["spec"]["volumes"] =
                    json!([{"name": "v", "$retainKeys": ["name", "emptyDir"], "emptyDir": {}}]);
                new["spec"]["nodeSelector"] = json!({"a": null, "b": "1"});
                new
            }
            _ => {
                json!({"spec": {"containers": [{"name": *chance.one(&["a", "b", "c", "d"]), "image": "i:3"}], "future": {"x": null, "y": [1]}}})
            }
        };
        let on_document = strategic::strategic_leniently(old.clone(), change.clone(), Pod::SCHEMA);
        let mut pod: Pod = typed(&old);
        let in_place = apply_strategic(&mut pod, &change);
        match on_document {
            Ok(document) => {
                assert_eq!(in_place, Ok(()), "{old} {change}");
                // Types have no place for the directives that Kubernetes leaves in new values.
                let document: Value = without_directives(&document);
                assert_eq!(pod, typed(&document), "{old} {change}");
            }
            Err(error) => assert_eq!(in_place, Err(error.into()), "{old} {change}"),
        }
        let merged = merge(Document::from(&old), Document::from(&change)).unwrap().to_value().unwrap();
        if round % 3 == 2 {
            let mut pod: Pod = typed(&old);
            apply_merge(&mut pod as &mut dyn Fields, &change).unwrap();
            assert_eq!(pod, typed(&merged), "{old} {change}");
            let kind = |mut document: Value| {
                document["apiVersion"] = json!("v1");
                document["kind"] = json!("Pod");
                document
            };
            let mut pod: DynamicObject = typed(&kind(old));
            apply_merge(&mut pod, &change).unwrap();
            assert_eq!(pod, typed(&kind(merged)), "{change}");
        }
    }
}

#[test]
fn a_typed_update_leaves_alone_what_the_type_does_not_know() {
    let server = json!({"metadata": {"name": "p"}, "spec": {"containers": [
        {"name": "a", "image": "i:1", "newField": {"x": 1}}, {"name": "b", "image": "i:1"}], "newer": [1]}});
    // A client of an older version has not got them.
    let known = json!({"metadata": {"name": "p"}, "spec": {"containers": [
        {"name": "a", "image": "i:1"}, {"name": "b", "image": "i:1"}]}});
    let old: Pod = typed(&known);
    let mut new = old.clone();
    new.spec.containers[0].image = "i:2".into();
    let patch = between(&old, &new).unwrap();
    let mut stored: Pod = typed(&server);
    apply_strategic(&mut stored, patch.document()).unwrap();
    let mut wanted = server;
    wanted["spec"]["containers"][0]["image"] = json!("i:2");
    assert_eq!(stored, typed(&wanted));
    assert!(between(&new, &new).unwrap().is_empty());
}

#[test]
fn a_typed_object_keeps_its_kind() {
    let mut service = Service::default();
    let change = json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": "NodePort"}});
    apply_strategic(&mut service, &change).unwrap();
    let error = apply_strategic(&mut service, &json!({"kind": "Pod"})).unwrap_err();
    assert!(matches!(&error, PatchError::Mismatch { path, .. } if path == "kind"), "{error}");
    let error = apply_strategic(&mut service, &json!({"spec": {"ports": [{"port": "x"}]}})).unwrap_err();
    assert!(matches!(&error, PatchError::Mismatch { path, .. } if path == "spec.ports"), "{error}");
    let operations = json!([{"op": "replace", "path": "/spec/type", "value": "ClusterIP"}]);
    let patched = apply_operations(&service, &operations, Limits::default()).unwrap();
    assert_eq!(patched.to_value().unwrap()["spec"]["type"], "ClusterIP");
}

#[test]
fn unknown_objects_are_refused_as_by_kubernetes() {
    let both = |patch: Value| {
        let original = json!({"spec": {"strange": {"a": 1}, "replicas": 1}});
        let schema: Option<&'static Schema> = Some(Deployment::SCHEMA);
        (strategic(original.clone(), patch.clone(), schema), Patch::Strategic(patch).apply(original, schema))
    };
    let (kubernetes, leniently) = both(json!({"spec": {"strange": {"b": 2}}}));
    assert_eq!(
        kubernetes.unwrap_err().to_string(),
        "unable to find api field in struct DeploymentSpec for the json field \"strange\""
    );
    assert_eq!(leniently.unwrap()["spec"]["strange"], json!({"a": 1, "b": 2}));
    // Where it is not merged it is not looked at.
    assert!(both(json!({"spec": {"strange": 1, "stranger": {"b": 2}}})).0.is_ok());
}
