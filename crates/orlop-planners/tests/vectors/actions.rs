//! Comparing a plan's changes with the calls of a case.

use orlop_model::vectors::{Check, normalized};
use orlop_planners::Plan;
use serde_json::{Value, json};

/// The calls of a plan, in the form of the cases.
pub(crate) fn actions<M>(plan: &Plan<M>) -> Result<Vec<Value>, String> {
    let actions = plan.changes.iter().map(|change| change.to_action());
    actions.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

/// An action to be compared: objects normalized, without `apiVersion` and `kind`, which the cases leave out of created
/// objects.
fn comparable(action: &Value) -> Value {
    let mut action = action.clone();
    if let Some(object) = action.get_mut("object") {
        *object = normalized(object);
        if let Some(fields) = object.as_object_mut() {
            fields.remove("apiVersion");
            fields.remove("kind");
            // A ReplicaSet without pods: Go writes the number in any case.
            if fields.get("status") == Some(&json!({"replicas": 0})) {
                fields.remove("status");
            }
        }
    }
    action
}

/// Compares the calls. In parallel runs (neighbours of equal verb, resource and subresource) the order does not matter.
pub(crate) fn compare(check: &mut Check, want: &[Value], got: &[Value], parallel: bool) {
    let prepare = |actions: &[Value]| {
        let mut actions: Vec<Value> = actions.iter().map(comparable).collect();
        if parallel {
            let kind =
                |action: &Value| ["verb", "resource", "subresource"].map(|part| action[part].to_string());
            for run in actions.chunk_by_mut(|left, right| kind(left) == kind(right)) {
                run.sort_by_cached_key(Value::to_string);
            }
        }
        Value::Array(actions)
    };
    let (want, got) = (prepare(want), prepare(got));
    let summary = |actions: &Value| {
        let calls: Vec<String> = actions
            .as_array()
            .into_iter()
            .flatten()
            .map(|action| {
                let name = action["name"].as_str().or(action["object"]["metadata"]["name"].as_str());
                format!(
                    "{} {}/{} {}",
                    action["verb"].as_str().unwrap_or_default(),
                    action["resource"].as_str().unwrap_or_default(),
                    action["subresource"].as_str().unwrap_or_default(),
                    name.unwrap_or_default(),
                )
            })
            .collect();
        calls.join("\n  ")
    };
    if want.as_array().map(Vec::len) == got.as_array().map(Vec::len) {
        check.json("actions", &want, &got);
    } else {
        check.miss(format!("want calls\n  {}\ngot calls\n  {}", summary(&want), summary(&got)));
    }
}

/// A value with all its lists sorted, for cases whose order means nothing (`unordered`).
pub(crate) fn sorted_lists(value: &Value) -> Value {
    match value {
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(sorted_lists).collect();
            list.sort_by_cached_key(Value::to_string);
            Value::Array(list)
        }
        Value::Object(fields) => {
            fields.iter().map(|(key, field)| (key.clone(), sorted_lists(field))).collect()
        }
        _ => value.clone(),
    }
}
