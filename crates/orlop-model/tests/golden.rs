//! Golden objects: Kubernetes' own round-trip data, one object per kind with every field filled.
//!
//! Reads the folder in `ORLOP_GOLDEN` and is passed over aloud without it.

#![allow(clippy::print_stdout, reason = "what was checked, and what was not, is told on the standard output")]

use std::path::Path;

use orlop_model::{Object, StaticKind, apps, batch, coordination, core};
use serde_json::Value;

fn round_trip<K: Object + StaticKind>(folder: &Path) -> Result<(), String> {
    let group = match &*K::KIND.group {
        "" => "core",
        group => group,
    };
    let file = folder.join(format!("{group}.{}.{}.json", K::KIND.version, K::KIND.kind));
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let wanted: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let object: K = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", K::KIND))?;
    let got = serde_json::to_value(&object).map_err(|error| error.to_string())?;
    if got != wanted {
        return Err(format!("{}: {}", K::KIND, difference("", &wanted, &got)));
    }
    let mut unknown = Vec::new();
    object.unknown_fields(&mut orlop_model::Path::new(), &mut |path, name| unknown.push(path.child(name)));
    if !unknown.is_empty() {
        return Err(format!("{}: the type does not know {unknown:?}", K::KIND));
    }
    keeps_unknown_fields::<K>(wanted)
}

/// Adds a field to the object and to every object below it; all must come back.
fn keeps_unknown_fields<K: Object + StaticKind>(mut wanted: Value) -> Result<(), String> {
    wanted["orlopUnknown"] = Value::from(1);
    wanted["metadata"]["orlopUnknown"] = Value::from("kept");
    if let Some(spec) = wanted.get_mut("spec").and_then(Value::as_object_mut) {
        spec.insert("orlopUnknown".to_owned(), serde_json::json!({"deep": [1, 2, null]}));
    }
    let object: K = serde_json::from_value(wanted.clone()).map_err(|error| error.to_string())?;
    let got = serde_json::to_value(&object).map_err(|error| error.to_string())?;
    if got == wanted { Ok(()) } else { Err(format!("{}: {}", K::KIND, difference("", &wanted, &got))) }
}

/// The first place where two documents differ.
fn difference(path: &str, wanted: &Value, got: &Value) -> String {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            let names = wanted.keys().chain(got.keys());
            let null = Value::Null;
            names
                .map(|name| (name, wanted.get(name).unwrap_or(&null), got.get(name).unwrap_or(&null)))
                .find(|(_, wanted, got)| wanted != got)
                .map_or_else(
                    || format!("{path}: equal"),
                    |(name, wanted, got)| difference(&format!("{path}.{name}"), wanted, got),
                )
        }
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
            let mut pairs = wanted.iter().zip(got).enumerate();
            pairs.find(|(_, (wanted, got))| wanted != got).map_or_else(
                || format!("{path}: equal"),
                |(index, (wanted, got))| difference(&format!("{path}[{index}]"), wanted, got),
            )
        }
        _ => format!("{path}: wanted {wanted}, got {got}"),
    }
}

#[test]
fn golden() {
    let Some(folder) = std::env::var_os("ORLOP_GOLDEN") else {
        println!("skipped: needs the folder of golden objects in ORLOP_GOLDEN");
        return;
    };
    let folder = Path::new(&folder);
    let results = [
        round_trip::<core::v1::Binding>(folder),
        round_trip::<core::v1::ConfigMap>(folder),
        round_trip::<core::v1::Event>(folder),
        round_trip::<core::v1::Namespace>(folder),
        round_trip::<core::v1::Node>(folder),
        round_trip::<core::v1::Pod>(folder),
        round_trip::<core::v1::Secret>(folder),
        round_trip::<core::v1::Service>(folder),
        round_trip::<apps::v1::Deployment>(folder),
        round_trip::<apps::v1::ReplicaSet>(folder),
        round_trip::<batch::v1::Job>(folder),
        round_trip::<coordination::v1::Lease>(folder),
        round_trip::<orlop_model::autoscaling::v1::Scale>(folder),
        round_trip::<orlop_model::policy::v1::Eviction>(folder),
    ];
    let failed: Vec<String> = results.iter().filter_map(|result| result.clone().err()).collect();
    println!("golden: {} passed, {} failed", results.len() - failed.len(), failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
