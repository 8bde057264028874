//! Family `taint_eviction`: whether and when a pod must leave a tainted node.

use jiff::{SignedDuration, Timestamp};
use orlop_model::core::v1::{Pod, Taint};
use orlop_model::vectors::{Case, Check};
use orlop_planners::taint_eviction::{Decision, Scheduled, decide, evict};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    pod: Pod,
    #[serde(default)]
    taints: Option<Vec<Taint>>,
    scheduled: Option<Earlier>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Earlier {
    created_seconds_ago: i64,
    fire_in_seconds: i64,
}

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let input: Input = case.get("in")?;
    let now: Timestamp = case.text("now").parse().map_err(|error: jiff::Error| error.to_string())?;
    let scheduled = input.scheduled.map(|earlier| Scheduled {
        since: now - SignedDuration::from_secs(earlier.created_seconds_ago),
        at: now + SignedDuration::from_secs(earlier.fire_in_seconds),
    });
    let decision = decide(&input.pod, &input.taints.unwrap_or_default(), scheduled, now);
    let (word, fire, actions) = match decision {
        Decision::Never => ("never", None, Vec::new()),
        Decision::Now => ("evictNow", None, super::actions::actions(&evict(&input.pod, now))?),
        Decision::At(scheduled) => {
            ("evictLater", Some(scheduled.at.duration_since(now).as_secs()), Vec::new())
        }
    };
    let out = &case.value["out"];
    let mut check = Check::new();
    check.json("decision", &out["decision"], &json!(word));
    check.eq("fireInSeconds", &out["fireInSeconds"].as_i64(), &fire);
    let wanted = out["actions"].as_array().cloned().unwrap_or_default();
    check.json("actions", &Value::Array(wanted), &Value::Array(actions));
    check.finish()
}
