//! `sched_fit_strategies`: NodeResourcesFit's strategies and BalancedAllocation.

use orlop_model::Str;
use orlop_model::core::v1::Pod;
use orlop_model::vectors::{Case, Check};
use orlop_scheduler::plugins::{
    FitOptions, NodeResourcesBalancedAllocation, NodeResourcesFit, ResourceWeight, ScoringStrategy,
    ShapePoint, StrategyKind,
};
use orlop_scheduler::{Code, Engine, Profile};
use serde_json::{Map, Value, json};

use crate::{decode, engine, written};

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let (input, expect) = (&case.value["input"], &case.value["expect"]);
    let (fit, balanced) = plugins(&input["config"])?;
    let pod: Pod = decode(&input["pod"])?;
    let built = |profile: Profile| engine(profile, &input["nodes"], &input["pods"]);
    let mut check = Check::new();

    let filtering = Profile::builder("default-scheduler").filter(fit.clone()).build();
    let filtering = built(filtering.map_err(|error| error.to_string())?)?;
    let explanation = filtering.explain(&pod);
    let mut filter = Map::new();
    for node in &explanation.nodes {
        for (_, status) in &node.rejections {
            filter.insert(node.node.to_string(), written(status));
        }
    }
    check.json("filter", &or_empty(&expect["filter"]), &Value::Object(filter));
    let before = &explanation.before_nodes[0].status;
    let got = if before.code() == Code::Success { Value::Null } else { written(before) };
    check.json("prefilter", &expect["prefilter"], &got);

    // Without a filter every node is feasible, and so scored.
    let scoring = scorers(fit, balanced)?;
    let scoring: Engine = built(scoring)?;
    let explanation = scoring.explain(&pod);
    let nodes: Vec<&Str> = explanation.nodes.iter().map(|node| &node.node).collect();
    check.json("scored_nodes", &expect["scored_nodes"], &json!(nodes));
    let mut scores = Map::new();
    for node in &explanation.nodes {
        for score in &node.scores {
            let list = scores.entry(score.plugin.to_string()).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(json!(score.normalized));
            }
        }
    }
    check.json("scores", &expect["scores"], &Value::Object(scores));
    // The case lists plugins that this profile does not have, too.
    let ours = |plugin: &str| plugin.starts_with("NodeResources");
    let skipped: Vec<&str> = expect["score_skipped"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|p| ours(p))
        .collect();
    check.json("score_skipped", &json!(skipped), &json!(explanation.skipped));
    check.finish()
}

fn scorers(fit: NodeResourcesFit, balanced: NodeResourcesBalancedAllocation) -> Result<Profile, String> {
    Profile::builder("default-scheduler")
        .score(fit, 1)
        .score(balanced, 1)
        .build()
        .map_err(|error| error.to_string())
}

fn or_empty(value: &Value) -> Value {
    if value.is_null() { json!({}) } else { value.clone() }
}

fn plugins(config: &Value) -> Result<(NodeResourcesFit, NodeResourcesBalancedAllocation), String> {
    let strategy = &config["scoringStrategy"];
    let number = |value: &Value| value.as_i64().ok_or_else(|| format!("no number: {value}"));
    let name = |value: &Value| value.as_str().map(Str::from).ok_or_else(|| format!("no text: {value}"));
    let names =
        |value: &Value| value.as_array().into_iter().flatten().map(name).collect::<Result<Vec<Str>, _>>();
    let kind = match strategy["type"].as_str() {
        Some("LeastAllocated") => StrategyKind::LeastAllocated,
        Some("MostAllocated") => StrategyKind::MostAllocated,
        Some("RequestedToCapacityRatio") => StrategyKind::RequestedToCapacityRatio(
            strategy["shape"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|point| {
                    Ok(ShapePoint {
                        utilization: number(&point["utilization"])?,
                        score: number(&point["score"])?,
                    })
                })
                .collect::<Result<_, String>>()?,
        ),
        other => return Err(format!("unknown strategy {other:?}")),
    };
    let resources = strategy["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|resource| {
            Ok(ResourceWeight::new(name(&resource["name"])?, resource["weight"].as_i64().unwrap_or_default()))
        })
        .collect::<Result<Vec<_>, String>>()?;
    let fit = NodeResourcesFit::new(FitOptions {
        strategy: ScoringStrategy::new(kind, resources).map_err(|error| error.to_string())?,
        ignored_resources: names(&config["ignoredResources"])?.into_iter().collect(),
        ignored_resource_groups: names(&config["ignoredResourceGroups"])?.into_iter().collect(),
    });
    let balanced = if config["balancedResources"].is_null() {
        NodeResourcesBalancedAllocation::default()
    } else {
        NodeResourcesBalancedAllocation::new(names(&config["balancedResources"])?)
    };
    Ok((fit, balanced))
}
