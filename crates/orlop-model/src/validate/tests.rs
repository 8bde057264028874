//! The cases of the family `validation` whose kinds there are and which the rules reach: the file leaves out those of
//! the rules that are missing yet.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde_json::Value;

use super::*;
use crate::apps::v1::{Deployment, ReplicaSet};
use crate::batch::v1::Job;
use crate::coordination::v1::Lease;
use crate::core::v1::{ConfigMap, Namespace, Node, Pod, Secret, Service};
use crate::defaults::SetDefaults;
use crate::prepare::Prepare;

type Errors = Vec<(String, String, String)>;

fn run<K: Validate + SetDefaults + Prepare>(case: &Value) -> Errors {
    let read = |name: &str| -> K {
        let mut object: K = serde_json::from_value(case[name].clone()).unwrap();
        object.set_defaults();
        object
    };
    let mut object = read("in");
    if case["op"] == "create" {
        let meta = object.meta_mut();
        meta.uid = "00000000-0000-4000-8000-000000000001".into();
        if meta.name.is_empty() && !meta.generate_name.is_empty() {
            meta.name = format!("{}abcde", meta.generate_name).into();
        }
    }
    // Addresses of Services are another step's business there.
    if case["op"] == "create" && case["kind"] != "Service" {
        object.prepare_for_create();
    }
    let errors = if case["op"] == "create" {
        if object.kind().is_namespaced() && object.meta().namespace.is_empty() {
            object.meta_mut().namespace = "default".into();
        }
        create(&object)
    } else {
        let old = read("old");
        let meta = object.meta_mut();
        meta.generation = old.meta().generation;
        meta.creation_timestamp = old.meta().creation_timestamp;
        update(&object, &old)
    };
    errors.into_iter().map(|error| (error.kind.as_str().to_owned(), error.field, error.detail)).collect()
}

#[test]
fn as_kubernetes_does() {
    let bytes = include_bytes!("../../tests/cases/validation.jsonl.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    let mut misses = BTreeMap::<String, Vec<String>>::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let check = match case["kind"].as_str().unwrap() {
            "ConfigMap" => run::<ConfigMap>,
            "Deployment" => run::<Deployment>,
            "Job" => run::<Job>,
            "Lease" => run::<Lease>,
            "Namespace" => run::<Namespace>,
            "Node" => run::<Node>,
            "Pod" => run::<Pod>,
            "ReplicaSet" => run::<ReplicaSet>,
            "Secret" => run::<Secret>,
            "Service" => run::<Service>,
            kind => panic!("no rules for {kind}"),
        };
        let part = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let wanted: Errors = case["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|error| (part(error, "type"), part(error, "field"), part(error, "detail")))
            .collect();
        let got = check(&case);
        // Some errors stand there twice in Kubernetes' answers; compared are sets of kind and field.
        let set = |errors: &Errors| {
            let mut set: Vec<_> =
                errors.iter().map(|(kind, field, _)| (kind.clone(), field.clone())).collect();
            set.sort();
            set.dedup();
            set
        };
        if set(&wanted) != set(&got) {
            let text = format!("{} ({}): wanted {wanted:?}\n    got {got:?}", case["id"], case["note"]);
            misses.entry(case["kind"].as_str().unwrap().to_owned()).or_default().push(text);
        }
    }
    let texts: Vec<String> = misses.into_values().flatten().collect();
    assert!(texts.is_empty(), "{} cases differ:\n{}", texts.len(), texts.join("\n"));
}
