//! Family `ownerref_gc`: one run of the collector over a set of objects. The API of these cases
//! serves the core group alone; references to other kinds fail and are not tried again.

use std::collections::BTreeMap;

use orlop_model::meta::v1::ObjectMeta;
use orlop_model::vectors::{Case, Check};
use orlop_planners::garbage::{Answer, Call, Collector, Identity, PatchBody, Step};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    objects: Vec<Object>,
    #[serde(default)]
    deleted: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
}

/// The kinds served: resource, and whether it is namespaced.
fn served(api_version: &str, kind: &str) -> Option<(&'static str, bool)> {
    match (api_version, kind) {
        ("v1", "Pod") => Some(("pods", true)),
        ("v1", "ConfigMap") => Some(("configmaps", true)),
        ("v1", "Secret") => Some(("secrets", true)),
        ("v1", "Service") => Some(("services", true)),
        ("v1", "Node") => Some(("nodes", false)),
        ("v1", "Namespace") => Some(("namespaces", false)),
        _ => None,
    }
}

fn resource(object: &Identity) -> &'static str {
    served(&object.api_version, &object.kind).map_or("", |(resource, _)| resource)
}

type Live = BTreeMap<(String, String, String), ObjectMeta>;

fn place(api_version: &str, kind: &str, namespace: &str, name: &str) -> (String, String, String) {
    (format!("{api_version} {kind}"), namespace.to_owned(), name.to_owned())
}

/// Applies what the collector patches: owner references dropped or made non-blocking, finalizers.
fn apply(meta: &mut ObjectMeta, patch: &Value) {
    for reference in patch["ownerReferences"].as_array().into_iter().flatten() {
        let uid = reference["uid"].as_str().unwrap_or_default();
        if reference["$patch"] == json!("delete") {
            meta.owner_references.retain(|owner| owner.uid != *uid);
        } else {
            for owner in meta.owner_references.iter_mut().filter(|owner| owner.uid == *uid) {
                owner.block_owner_deletion = reference["blockOwnerDeletion"].as_bool();
            }
        }
    }
    if let Some(finalizers) = patch.get("finalizers") {
        meta.finalizers = serde_json::from_value(finalizers.clone()).unwrap_or_default();
    }
}

/// Answers a call and notes it as an action.
fn answer(live: &mut Live, actions: &mut Vec<Value>, call: Call) -> Answer {
    let (Call::Get { object } | Call::Patch { object, .. } | Call::Delete { object, .. }) = &call;
    let place = place(&object.api_version, &object.kind, &object.namespace, &object.name);
    let resource = resource(object);
    let name = object.name.as_str();
    match &call {
        Call::Get { .. } => {
            actions.push(json!({"verb": "get", "resource": resource, "name": name}));
            live.get(&place).map_or(Answer::NotFound, |meta| Answer::Found(Box::new(meta.clone())))
        }
        Call::Patch { patch, .. } => {
            let (patch_type, patch) = match patch {
                PatchBody::Strategic(patch) => ("application/strategic-merge-patch+json", patch),
                PatchBody::Merge(patch) => ("application/merge-patch+json", patch),
            };
            actions.push(json!({
                "verb": "patch", "resource": resource, "name": name, "patchType": patch_type, "patch": patch,
            }));
            let Some(meta) = live.get_mut(&place) else {
                return Answer::NotFound;
            };
            apply(meta, &patch["metadata"]);
            Answer::Found(Box::new(meta.clone()))
        }
        Call::Delete { resource_version, propagation, .. } => {
            let mut preconditions = json!({"uid": object.uid});
            if let Some(version) = resource_version {
                preconditions["resourceVersion"] = json!(version);
            }
            actions.push(json!({
                "verb": "delete", "resource": resource, "name": name,
                "options": {"propagationPolicy": propagation.as_str(), "preconditions": preconditions},
            }));
            live.remove(&place).map_or(Answer::NotFound, |_| Answer::Done)
        }
    }
}

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let input: Input = case.get("in")?;
    let deleted = input.deleted.unwrap_or_default();
    let mut collector = Collector::new();
    let mut live = Live::new();
    for object in &input.objects {
        let meta = &object.metadata;
        collector.applied(&object.api_version, &object.kind, meta);
        if !deleted.iter().any(|name| meta.name == name.as_str()) {
            live.insert(place(&object.api_version, &object.kind, &meta.namespace, &meta.name), meta.clone());
        }
    }
    for name in &deleted {
        for object in input.objects.iter().filter(|object| object.metadata.name == name.as_str()) {
            collector.deleted(&object.api_version, &object.kind, &object.metadata);
        }
    }
    let kinds = |api_version: &str, kind: &str| served(api_version, kind).map(|(_, namespaced)| namespaced);
    let mut actions = Vec::new();
    while let Some(mut attempt) = collector.next_attempt() {
        let mut told = None;
        while let Step::Call(call) = attempt.step(&mut collector, &kinds, told.take()) {
            told = Some(answer(&mut live, &mut actions, call));
        }
    }
    let wanted = case.value["actions"].as_array().cloned().unwrap_or_default();
    let mut check = Check::new();
    if case.value["unordered"] == json!(true) {
        check.multiset("actions", &wanted, &actions);
    } else {
        check.json("actions", &json!(wanted), &json!(actions));
    }
    check.finish()
}
