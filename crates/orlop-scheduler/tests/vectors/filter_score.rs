//! `sched_filter_score`: every plugin alone, and the whole cycle.

use std::collections::BTreeMap;
use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{Namespace, Pod, Service};
use orlop_model::vectors::{Case, Check};
use orlop_scheduler::plugins::InterPodAffinity;
use orlop_scheduler::{Change, Code, Decision, Engine, Profile, ProfileBuilder, Workload, WorkloadKind};
use serde_json::{Value, json};

use crate::{decode, engine, written};

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let (input, expect) = (&case.value["input"], &case.value["expect"]);
    let cluster = &input["cluster"];
    let mut engine = engine(profile(&input["config"])?, &cluster["nodes"], &cluster["pods"])?;
    record_neighbours(&mut engine, cluster)?;
    let pod: Pod = decode(&input["pod"])?;
    let explanation = engine.explain(&pod);
    let mut check = Check::new();

    // Every filter alone: what is not written is Success.
    for outcome in &explanation.before_nodes {
        let want = &expect["plugins"][outcome.plugin.as_str()];
        let mut prefilter = json!({"code": outcome.status.code().as_str()});
        if !outcome.status.reasons().is_empty() {
            prefilter["reasons"] = written(&outcome.status)["reasons"].clone();
        }
        if let Some(only) = &outcome.only {
            prefilter["nodeNames"] = json!(only);
        }
        let silent = json!({"code": "Success"});
        let want_prefilter = if want["prefilter"].is_null() { &silent } else { &want["prefilter"] };
        check.json(&format!("{}.prefilter", outcome.plugin), want_prefilter, &prefilter);
        let mut filter = serde_json::Map::new();
        for node in &explanation.nodes {
            for (_, status) in node.rejections.iter().filter(|(plugin, _)| *plugin == outcome.plugin) {
                filter.insert(node.node.to_string(), written(status));
            }
        }
        let want_filter = if want["filter"].is_null() { json!({}) } else { want["filter"].clone() };
        check.json(&format!("{}.filter", outcome.plugin), &want_filter, &Value::Object(filter));
    }
    for plugin in expect["plugins"].as_object().into_iter().flatten().map(|(plugin, _)| plugin) {
        if !explanation.before_nodes.iter().any(|outcome| outcome.plugin == *plugin) {
            check.miss(format!("{plugin} is not in the profile"));
        }
    }

    // The whole cycle.
    let feasible: Vec<_> = explanation.nodes.iter().filter(|node| node.is_feasible()).collect();
    check.json(
        "feasible",
        &expect["feasible"],
        &json!(feasible.iter().map(|node| &node.node).collect::<Vec<_>>()),
    );
    let mut raw: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    let mut scores: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for score in feasible.iter().flat_map(|node| &node.scores) {
        raw.entry(&score.plugin).or_default().push(score.raw.unwrap_or(0));
        scores.entry(&score.plugin).or_default().push(score.normalized);
    }
    for key in ["prescore_error", "score_error"] {
        if let Some(want) = expect[key]["reasons"][0].as_str() {
            let error = explanation.score_error.as_ref().map(ToString::to_string).unwrap_or_default();
            check.eq(key, want, &error);
            check.eq(
                "decision",
                &true,
                &(feasible.len() < 2 || matches!(explanation.decision, Decision::Error(_))),
            );
            return check.finish();
        }
    }
    check.eq("score error", &None, &explanation.score_error.as_ref().map(ToString::to_string));
    if feasible.is_empty() {
        unschedulable(expect, &explanation.decision, &mut check);
        return check.finish();
    }
    check.json("scores", &expect["scores"], &json!(scores));
    for (plugin, want) in expect["raw"].as_object().into_iter().flatten() {
        check.json(&format!("raw.{plugin}"), want, &json!(raw.get(plugin.as_str())));
    }
    let sorted = |value: &Value| {
        let mut names: Vec<String> = decode(value).unwrap_or_default();
        names.sort();
        names
    };
    check.eq("score_skipped", &sorted(&expect["score_skipped"]), &sorted(&json!(explanation.skipped)));
    let totals: Vec<_> = feasible.iter().map(|node| node.total).collect();
    check.json("total", &expect["total"], &json!(totals));
    match explanation.decision.node() {
        Some(node) => {
            check.eq("node is one of the best", &true, &sorted(&expect["best"]).contains(&node.to_string()));
        }
        None => check.miss(format!("decision: {:?}", explanation.decision)),
    }
    check.finish()
}

/// The default profile with the case's arguments of InterPodAffinity.
pub(crate) fn profile(config: &Value) -> Result<Profile, String> {
    let affinity = InterPodAffinity {
        hard_pod_affinity_weight: config["hardPodAffinityWeight"].as_i64().unwrap_or(1),
        ignore_preferred_terms_of_existing_pods: config["ignorePreferredTermsOfExistingPods"]
            .as_bool()
            .unwrap_or_default(),
    };
    // The cases were made without the plugins of volumes.
    ["VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding", "VolumeZone"]
        .into_iter()
        .fold(Profile::kubernetes_builder(), ProfileBuilder::without)
        .without("InterPodAffinity")
        .domain_filter(affinity)
        .domain_score(affinity, 2)
        .build()
        .map_err(|error| error.to_string())
}

pub(crate) fn record_neighbours(engine: &mut Engine, cluster: &Value) -> Result<(), String> {
    let mut changes = Vec::new();
    for namespace in decode::<Vec<Namespace>>(&cluster["namespaces"])? {
        changes.push(Change::NamespaceSet(Arc::new(namespace)));
    }
    for service in decode::<Vec<Service>>(&cluster["services"])? {
        changes.push(Change::ServiceSet(Arc::new(service)));
    }
    for (list, kind) in
        [("replicaSets", WorkloadKind::ReplicaSet), ("statefulSets", WorkloadKind::StatefulSet)]
    {
        for object in cluster[list].as_array().into_iter().flatten() {
            let text = |field: &str| Str::from(object["metadata"][field].as_str().unwrap_or_default());
            changes.push(Change::WorkloadSet {
                workload: Workload { kind, namespace: text("namespace"), name: text("name") },
                selector: decode(&object["spec"]["selector"])?,
            });
        }
    }
    for change in changes {
        engine.record(change).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn unschedulable(expect: &Value, decision: &Decision, check: &mut Check) {
    let Decision::Unschedulable(why) = decision else {
        check.miss(format!("decision: want unschedulable, got {decision:?}"));
        return;
    };
    match why.before_nodes() {
        Some(status) => {
            let mut want = expect["prefilter_status"].clone();
            if let Some(want) = want.as_object_mut() {
                want.remove("plugin");
            }
            check.json("prefilter_status", &want, &written(status));
        }
        None => {
            check.json("prefilter_status", &expect["prefilter_status"], &Value::Null);
            // The first plugin of the profile that says no gives a node's reasons.
            for (node, plugin, status) in why.rejections() {
                let want = &expect["plugins"][plugin.as_str()]["filter"][node.as_str()];
                check.json(&format!("{node} in the cycle"), want, &written(status));
                check.eq("code", &true, &(status.code() != Code::Success));
            }
        }
    }
}
