//! `sched_preemption`: which pods make way for one that fits nowhere.

use std::sync::Arc;

use orlop_model::core::v1::Pod;
use orlop_model::policy::v1::PodDisruptionBudget;
use orlop_model::vectors::{Case, Check};
use orlop_scheduler::{Change, Code, Decision, Unschedulable};
use serde_json::{Map, Value, json};

use crate::filter_score::{profile, record_neighbours};
use crate::{decode, engine, written};

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let (input, expect) = (&case.value["input"], &case.value["expect"]);
    let cluster = &input["cluster"];
    let mut engine = engine(profile(&input["config"])?, &cluster["nodes"], &cluster["pods"])?;
    record_neighbours(&mut engine, cluster)?;
    for budget in decode::<Vec<PodDisruptionBudget>>(&input["pdbs"])? {
        engine.record(Change::BudgetSet(Arc::new(budget))).map_err(|error| error.to_string())?;
    }
    let pod: Arc<Pod> = Arc::new(decode(&input["pod"])?);
    let decision = engine.evaluate(&pod);
    let Decision::Unschedulable(why) = &decision else {
        return Err(format!("want unschedulable, got {decision:?}"));
    };
    let mut check = Check::new();
    check.eq("schedule", &decision, &engine.schedule(&pod));
    check.eq("schedule again", &decision, &engine.schedule(&pod));

    filtering(expect, why, &mut check);
    let status = match why.no_remedy() {
        Some(status) => written(status),
        None => json!({"code": Code::Success.as_str()}),
    };
    check.json("status", &expect["status"], &status);
    let ties: Vec<String> = decode(&expect["tie"])?;
    match why.nomination() {
        Some(nomination) if ties.is_empty() => {
            check.json("nominatedNode", &expect["nominatedNode"], &json!(nomination.node));
            let victims: Vec<String> = nomination.victims.iter().map(|pod| name(pod)).collect();
            check.json("victims", &expect["victims"], &json!(victims));
        }
        Some(nomination) => {
            check.eq("one of the best", &true, &ties.contains(&nomination.node.to_string()));
        }
        None => check.json("nominatedNode", &expect["nominatedNode"], &Value::Null),
    }
    if let Some(text) = expect["ineligible"].as_str() {
        let message = why.no_remedy().map(|status| status.message());
        check.eq("ineligible", &Some(format!("preemption: {text}")), &message);
        return check.finish();
    }
    let run = engine.dry_run(&pod, |run| {
        let mut candidates: Vec<_> = run.candidates.iter().collect();
        candidates.sort_by_key(|candidate| candidate.node().name());
        let candidates: Vec<Value> = candidates
            .into_iter()
            .map(|candidate| {
                let victims = candidate.victims().iter().map(|pod| name(pod.object()));
                json!({
                    "node": candidate.node().name(), "numPDBViolations": candidate.violations(),
                    "victims": victims.collect::<Vec<_>>(),
                })
            })
            .collect();
        let rejected: Map<String, Value> =
            run.rejected.iter().map(|(node, status)| (node.to_string(), written(status))).collect();
        (candidates, rejected)
    });
    let (candidates, rejected) = run.ok_or("no dry run")?;
    let or = |value: &Value, empty: Value| if value.is_null() { empty } else { value.clone() };
    check.json("candidates", &or(&expect["candidates"], json!([])), &json!(candidates));
    check.json("rejected", &or(&expect["rejected"], json!({})), &Value::Object(rejected));
    check.finish()
}

fn name(pod: &Pod) -> String {
    format!("{}/{}", pod.metadata.namespace, pod.metadata.name)
}

/// The first filter that says no, per node.
fn filtering(expect: &Value, why: &Unschedulable, check: &mut Check) {
    let before = match why.before_nodes() {
        Some(status) => written(status),
        None => Value::Null,
    };
    let mut want = expect["prefilter_status"].clone();
    if let Some(want) = want.as_object_mut() {
        want.remove("plugin");
    }
    check.json("prefilter_status", &want, &before);
    if why.before_nodes().is_some() {
        return;
    }
    let statuses = why.rejections().map(|(node, plugin, status)| {
        let mut status = written(status);
        status["plugin"] = json!(plugin);
        (node.to_string(), status)
    });
    check.json("filter_status", &expect["filter_status"], &Value::Object(statuses.collect()));
}
