//! Family `patch`: strategic merge, JSON merge and JSON patches, applied and made.

use orlop_model::apps::v1::Deployment;
use orlop_model::core::v1::{Pod, Service};
use orlop_model::patch::{self, Dialect, Document, Limits, StrategicError};
use orlop_model::vectors::Case;
use orlop_model::{Message, Schema};
use serde_json::Value;

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let line: Document = case.line.parse().map_err(|error| format!("the case: {error}"))?;
    let part = |name: &str| line.get(name).cloned().unwrap_or_default();
    let value = |name: &str| part(name).to_value().map_err(|error| format!("{name}: {error}"));
    let wants_ok = part("ok") == Document::Bool(true);
    let wanted = line.get("result");
    match case.op.as_str() {
        "strategic" => {
            let got = patch::strategic(value("original")?, value("patch")?, Some(schema(&line)?));
            check("result", wants_ok, wanted, &documents(got))
        }
        "strategic_diff" => {
            let (original, modified) = (value("original")?, value("modified")?);
            let got = patch::strategic_diff(&original, &modified, Some(schema(&line)?));
            check("result", wants_ok, wanted, &documents(got.clone()))?;
            let Ok(got) = got else { return Ok(()) };
            let applied = patch::strategic(original, got, Some(schema(&line)?));
            if let Some(equal) = line.get("roundtrip_equal") {
                let is_equal = applied.as_ref().is_ok_and(|applied| *applied == modified);
                if *equal != Document::Bool(is_equal) {
                    return Err(format!("roundtrip_equal: want {equal}, got {is_equal}"));
                }
            }
            check("applied", line.get("apply_error").is_none(), line.get("applied"), &documents(applied))
        }
        "three_way" => {
            let (original, modified, current) = (value("original")?, value("modified")?, value("current")?);
            let schema = Some(schema(&line)?);
            let overwrite = part("overwrite") == Document::Bool(true);
            let got = patch::strategic_three_way(&original, &modified, &current, schema, overwrite);
            let conflicts = matches!(got, Err(StrategicError::Conflict { .. }));
            if conflicts != (part("conflict") == Document::Bool(true)) {
                return Err(format!("conflict: want {}, got {got:?}", part("conflict")));
            }
            check("result", wants_ok, wanted, &documents(got.clone()))?;
            match (got, line.get("applied")) {
                (Ok(got), applied @ Some(_)) => {
                    check("applied", true, applied, &documents(patch::strategic(current, got, schema)))
                }
                _ => Ok(()),
            }
        }
        "json_merge" => {
            let got = patch::merge(part("original"), part("patch"));
            check("result", wants_ok, wanted, &got)
        }
        "json_merge_three_way" => {
            let got = patch::merge_three_way(&part("original"), &part("modified"), &part("current"));
            check("result", wants_ok, wanted, &got)
        }
        "json_patch" => {
            // The cases are those of the library alone, which sets no limits.
            let limits = Limits { operations: usize::MAX, copied: usize::MAX };
            let got = patch::operations(part("original"), &part("patch"), Dialect::Kubernetes, limits);
            let is_decode = matches!(got, Err(patch::OperationError::Decode));
            if is_decode != (part("decode_error") == Document::Bool(true)) {
                return Err(format!("decode_error: want {}, got {got:?}", part("decode_error")));
            }
            check("result", wants_ok, wanted, &got)
        }
        other => Err(format!("unknown operation {other:?}")),
    }
}

fn schema(line: &Document) -> Result<&'static Schema, String> {
    match line.get("kind").and_then(Document::as_str).unwrap_or_default() {
        "Pod" => Ok(Pod::SCHEMA),
        "Deployment" => Ok(Deployment::SCHEMA),
        "Service" => Ok(Service::SCHEMA),
        kind => Err(format!("no schema of {kind:?}")),
    }
}

fn documents<E: Clone>(got: Result<Value, E>) -> Result<Document, E> {
    got.map(|value| Document::from(&value))
}

/// Compares as plain JSON; numbers that are the same value may be written differently.
fn check<E: std::fmt::Display>(
    what: &str,
    wants_ok: bool,
    wanted: Option<&Document>,
    got: &Result<Document, E>,
) -> Result<(), String> {
    match (got, wants_ok, wanted) {
        (Err(_), false, _) => Ok(()),
        (Ok(got), true, Some(wanted)) if got == wanted || same(got, wanted) => Ok(()),
        (Ok(_), true, None) => Ok(()),
        (Ok(got), true, Some(wanted)) => Err(format!("{what}:\n  want {wanted}\n  got  {got}")),
        (Ok(got), false, _) => Err(format!("{what}: want an error\n  got  {got}")),
        (Err(error), true, wanted) => {
            let wanted = wanted.map(ToString::to_string).unwrap_or_default();
            Err(format!("{what}:\n  want {wanted}\n  got error {error}"))
        }
    }
}

fn same(left: &Document, right: &Document) -> bool {
    match (left, right) {
        (Document::Number(left), Document::Number(right)) => {
            left == right || {
                let is_integer = |text: &str| !text.contains(['.', 'e', 'E']);
                let float = |text: &str| text.parse::<f64>().ok();
                !(is_integer(left) && is_integer(right)) && float(left) == float(right)
            }
        }
        (Document::Array(left), Document::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Document::Object(left), Document::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}
