//! Family `label_selector`: label, field and node selectors, preferred terms.

use orlop_model::core::v1::{Node, NodeSelector, PreferredSchedulingTerm};
use orlop_model::meta::v1::LabelSelector;
use orlop_model::selector::{
    FieldSelector, NodePreferences, NodeSelectorMatcher, Selector, SelectorError, validate,
};
use orlop_model::vectors::{Case, Check};
use orlop_model::{List, Map, Str};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let mut check = Check::new();
    match case.op.as_str() {
        "label_string" => label_string(case, &mut check)?,
        "label_json" => label_json(case, &mut check)?,
        "field_string" => field_string(case, &mut check)?,
        "node_selector" => node_selector(case, &mut check)?,
        "preferred_terms" => preferred_terms(case, &mut check)?,
        other => check.miss(format!("no operation {other:?}")),
    }
    check.finish()
}

/// Compares `ok` and `error`.
fn outcome<T>(case: &Case, got: Result<T, SelectorError>, check: &mut Check) -> Option<T> {
    check.json("ok", &case.value["ok"], &json!(got.is_ok()));
    match got {
        Ok(value) => Some(value),
        Err(error) => {
            check.eq("error", case.text("error"), &error.to_string());
            None
        }
    }
}

fn matches(
    case: &Case,
    part: &str,
    check: &mut Check,
    matches: impl Fn(&Map<Str>) -> bool,
) -> Result<(), String> {
    for (index, want) in case.value["matches"].as_array().into_iter().flatten().enumerate() {
        let labels = Map::<Str>::deserialize(&want[part]).map_err(|error| error.to_string())?;
        check.json(&format!("matches[{index}]"), &want["match"], &json!(matches(&labels)));
    }
    Ok(())
}

fn labels(case: &Case, selector: &Selector, check: &mut Check) -> Result<(), String> {
    check.eq("canonical", case.text("canonical"), &selector.to_string());
    check.json("empty", &case.value["empty"], &json!(selector.is_everything()));
    matches(case, "labels", check, |labels| selector.matches(labels))
}

fn label_string(case: &Case, check: &mut Check) -> Result<(), String> {
    let Some(selector) = outcome(case, Selector::parse(case.text("in")), check) else {
        return Ok(());
    };
    labels(case, &selector, check)?;
    let requirements: Vec<Value> = selector
        .requirements()
        .iter()
        .map(|requirement| {
            let mut want = json!({"key": requirement.key(), "op": requirement.operator().as_str()});
            if !requirement.values().is_empty() {
                want["values"] = json!(requirement.values());
            }
            want
        })
        .collect();
    check.json("requirements", &case.value["requirements"], &absent_if_empty(requirements));
    Ok(())
}

fn absent_if_empty(list: Vec<Value>) -> Value {
    if list.is_empty() { Value::Null } else { Value::Array(list) }
}

fn label_json(case: &Case, check: &mut Check) -> Result<(), String> {
    let object: Option<LabelSelector> = case.get("selector")?;
    check.eq("format", case.text("format"), &LabelSelector::display(object.as_ref()));
    let errors = object.as_ref().map(|object| validate(object, false, "selector")).unwrap_or_default();
    let errors = errors.iter().map(|error| json!(error.to_string())).collect();
    check.json("validation_errors", &case.value["validation_errors"], &absent_if_empty(errors));
    match outcome(case, Selector::from_object(object.as_ref()), check) {
        Some(selector) => labels(case, &selector, check),
        None => Ok(()),
    }
}

fn field_string(case: &Case, check: &mut Check) -> Result<(), String> {
    let Some(selector) = outcome(case, FieldSelector::parse(case.text("in")), check) else {
        return Ok(());
    };
    check.eq("canonical", case.text("canonical"), &selector.to_string());
    check.json("empty", &case.value["empty"], &json!(selector.is_everything()));
    let requirements = selector
        .requirements()
        .iter()
        .map(|term| json!({"field": term.field, "op": if term.equal { "=" } else { "!=" }, "value": term.value}))
        .collect();
    check.json("requirements", &case.value["requirements"], &absent_if_empty(requirements));
    matches(case, "fields", check, |fields| selector.matches(fields))
}

fn node(part: &Value) -> Result<Node, String> {
    let labels = Option::<Map<Str>>::deserialize(&part["labels"]).map_err(|error| error.to_string())?;
    let mut node = Node::default();
    node.metadata.name = part["node"].as_str().unwrap_or_default().into();
    node.metadata.labels = labels.unwrap_or_default();
    Ok(node)
}

fn node_selector(case: &Case, check: &mut Check) -> Result<(), String> {
    let terms: Option<List<_>> = case.get("terms")?;
    let selector = NodeSelector { node_selector_terms: terms.unwrap_or_default(), ..NodeSelector::default() };
    outcome(case, NodeSelectorMatcher::new(&selector), check);
    let lazy = NodeSelectorMatcher::lazy(&selector);
    for (index, want) in case.value["matches"].as_array().into_iter().flatten().enumerate() {
        let (matches, error) = match lazy.matches(&node(want)?) {
            Ok(matches) => (matches, Value::Null),
            Err(error) => (false, json!(error.to_string())),
        };
        check.json(&format!("matches[{index}].match"), &want["match"], &json!(matches));
        check.json(&format!("matches[{index}].error"), &want["error"], &error);
    }
    Ok(())
}

fn preferred_terms(case: &Case, check: &mut Check) -> Result<(), String> {
    let terms: Option<List<PreferredSchedulingTerm>> = case.get("terms")?;
    let Some(preferences) = outcome(case, NodePreferences::new(&terms.unwrap_or_default()), check) else {
        return Ok(());
    };
    for (index, want) in case.value["scores"].as_array().into_iter().flatten().enumerate() {
        let score = preferences.score(&node(want)?);
        check.json(&format!("scores[{index}]"), &want["score"], &json!(score));
    }
    Ok(())
}
