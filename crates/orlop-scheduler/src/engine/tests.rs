use serde_json::{Value, json};

use super::*;
use crate::framework::{Code, Plugin, PodTemplate, Reads, Score};
use crate::plugins::NodeAffinity;

fn engine_of(profile: Profile, nodes: &[Value]) -> Engine {
    let mut engine = Engine::new([profile], 1).unwrap();
    for node in nodes {
        let mut node = node.clone();
        node["status"]["allocatable"] = json!({"cpu": "4", "memory": "8Gi", "pods": "10"});
        engine.record(Change::NodeAdded(Arc::new(serde_json::from_value(node).unwrap()))).unwrap();
    }
    engine
}

fn engine() -> Engine {
    let node = |name: &str, zone: &str| json!({"metadata": {"name": name, "labels": {"zone": zone}}});
    engine_of(Profile::kubernetes(), &[node("a", "1"), node("b", "2")])
}

fn pod(spec: Value) -> Pod {
    let mut pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "p", "namespace": "default", "labels": {"app": "p"}}, "spec": spec,
    }))
    .unwrap();
    if pod.spec.containers.is_empty() {
        pod.spec.containers.push(Default::default());
    }
    pod
}

fn message(engine: &Engine, spec: Value) -> String {
    match engine.evaluate(&pod(spec)) {
        Decision::Place(place) => format!("to {}", place.node()),
        Decision::Unschedulable(why) => {
            let text = why.to_string();
            text.split_once(" preemption: ").map_or(text.clone(), |(filters, _)| filters.to_owned())
        }
        Decision::Error(error) => format!("error: {error}"),
    }
}

fn required(terms: Value) -> Value {
    json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}})
}

#[test]
fn contradictory_and_malformed_affinity_is_told_with_its_reason() {
    let engine = engine();
    let named = |name: &str| json!({"key": "metadata.name", "operator": "In", "values": [name]});
    let both = required(json!([{"matchFields": [named("a"), named("b")]}]));
    assert_eq!(message(&engine, both), "0/2 nodes are available: pod affinity terms conflict.");
    let absent = required(json!([{"matchFields": [named("gone")]}]));
    assert_eq!(
        message(&engine, absent),
        "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    );
    // A malformed term matches nothing and leaves the others alone.
    let unknown = json!({"matchExpressions": [{"key": "zone", "operator": "Near", "values": ["1"]}]});
    assert_eq!(
        message(&engine, required(json!([unknown.clone()]))),
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
    );
    let other = json!({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["2"]}]});
    assert_eq!(message(&engine, required(json!([unknown, other]))), "to b");
    assert_eq!(
        message(&engine, required(json!([]))),
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
    );
    let spread = json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchExpressions": [{"key": "app", "operator": "Like", "values": ["x"]}]}}]});
    assert_eq!(
        message(&engine, spread),
        "error: running PreFilter plugin \"PodTopologySpread\": \"Like\" is not a valid label selector operator"
    );
    let lonely = json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "rack",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}]});
    assert_eq!(
        message(&engine, lonely),
        "0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints (missing required label)."
    );
}

#[test]
fn unknown_resources_and_absurd_amounts_are_lacking() {
    let engine = engine();
    let requests =
        |requests: Value| json!({"containers": [{"name": "c", "resources": {"requests": requests}}]});
    assert_eq!(
        message(&engine, requests(json!({"example.com/warp": "1"}))),
        "0/2 nodes are available: 2 Insufficient example.com/warp."
    );
    let greatest = json!({"cpu": "9223372036854775807", "memory": "9223372036854775807"});
    assert!(message(&engine, requests(greatest)).starts_with("0/2 nodes are available: 2 Insufficient"));
}

#[test]
fn a_profile_may_add_affinity() {
    let added = serde_json::from_value(json!({"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["2", "3"]}]}]}}));
    let plugin = NodeAffinity::with_added(&added.unwrap()).unwrap();
    let profile = Profile::builder("default-scheduler").filter(plugin).build().unwrap();
    let node = |name: &str, zone: &str| json!({"metadata": {"name": name, "labels": {"zone": zone}}});
    let engine = engine_of(profile, &[node("a", "1"), node("b", "2")]);
    assert_eq!(message(&engine, json!({})), "to b");
    assert_eq!(
        message(&engine, json!({"nodeSelector": {"zone": "1"}})),
        "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, \
         1 node(s) didn't match scheduler-enforced node affinity."
    );
    let malformed = serde_json::from_value(json!({"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "Near"}]}]}}));
    assert!(NodeAffinity::with_added(&malformed.unwrap()).is_err());
}

#[derive(Debug)]
struct Loud;

impl Plugin for Loud {
    fn name(&self) -> &str {
        "Loud"
    }
}

impl Score for Loud {
    type Signature = ();
    const READS: Reads = Reads::Static;
    const NORMALIZE: crate::framework::Normalize = crate::framework::Normalize::None;

    fn sign(&self, _: PodTemplate<'_>) {}

    fn score(&self, (): &(), _: crate::cluster::NodeView<'_>) -> i64 {
        101
    }
}

#[test]
fn a_score_out_of_range_is_an_error() {
    let profile = Profile::builder("default-scheduler").score(Loud, 1).build().unwrap();
    let engine =
        engine_of(profile, &[json!({"metadata": {"name": "a"}}), json!({"metadata": {"name": "b"}})]);
    let Decision::Error(error) = engine.evaluate(&pod(json!({}))) else { panic!("an error") };
    assert_eq!(error, ScheduleError::ScoreOutOfRange { plugin: "Loud".into(), score: 101 });
}

#[test]
fn ties_are_broken_by_the_seed_alone() {
    let chosen = |seed: u64| {
        let mut engine = Engine::new([Profile::builder("default-scheduler").build().unwrap()], seed).unwrap();
        for number in 0..8 {
            let node = json!({"metadata": {"name": format!("n{number}")}});
            engine.record(Change::NodeAdded(Arc::new(serde_json::from_value(node).unwrap()))).unwrap();
        }
        engine.evaluate(&pod(json!({}))).node().unwrap().to_string()
    };
    assert_eq!(chosen(1), chosen(1));
    let all: std::collections::BTreeSet<String> = (0..64).map(chosen).collect();
    assert_eq!(all.len(), 8, "each node is chosen by some seed");
}

#[test]
fn an_explanation_says_what_each_plugin_says() {
    let engine = engine();
    let explanation = engine.explain(&pod(json!({"nodeSelector": {"zone": "1"}, "containers": [
        {"name": "c", "resources": {"requests": {"cpu": "5"}}}]})));
    let both: Vec<_> =
        explanation.node("b").unwrap().rejections.iter().map(|(plugin, _)| plugin.as_str()).collect();
    assert_eq!(both, ["NodeAffinity", "NodeResourcesFit"]);
    let nearest = explanation.nearest_miss().unwrap();
    assert_eq!(nearest.node, "a");
    assert_eq!(nearest.rejections[0].1.code(), Code::UnschedulableAndUnresolvable);
    assert_eq!(nearest.rejections[0].1.reasons()[0].deficit(), Some(1_000));
}
