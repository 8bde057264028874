//! Family `names`: validators of names and values, labels, annotations, metadata.

use orlop_model::names::{self, NameRule};
use orlop_model::vectors::{Case, Check};
use orlop_model::{FieldError, Map, ObjectMeta, Str, metadata};
use serde_json::{Value, json};

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let mut check = Check::new();
    match case.op.as_str() {
        "string" => strings(case, &mut check),
        "labels" => {
            let labels: Map<Str> = case.get("labels")?;
            errors(case, metadata::validate_labels(&labels, "metadata.labels"), &mut check);
        }
        "annotations" => {
            let annotations: Map<Str> = case.value["annotations"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|entry| {
                    let length = entry["value_len"].as_u64().unwrap_or_default();
                    let key = entry["key"].as_str().unwrap_or_default();
                    (key, Str::from("x".repeat(usize::try_from(length).unwrap_or_default())))
                })
                .collect();
            let found = metadata::validate_annotations(&annotations, "metadata.annotations");
            errors(case, found, &mut check);
        }
        "port_number" => {
            let found = names::port_number(case.get("value")?);
            check.json("errors", &case.value["errors"], &list(found));
        }
        "object_meta" => {
            let meta: ObjectMeta = case.get("metadata")?;
            check.eq("rule", "dns1123_subdomain", case.text("name_rule"));
            let namespaced = case.get("namespaced")?;
            let found = metadata::validate(&meta, namespaced, NameRule::Subdomain, "metadata");
            let found = found.iter().map(ToString::to_string).collect();
            check.json("errors", &case.value["errors"], &list(found));
        }
        other => check.miss(format!("no operation {other:?}")),
    }
    check.finish()
}

/// Absent if empty, like in a case.
fn list(texts: Vec<String>) -> Value {
    if texts.is_empty() { Value::Null } else { json!(texts) }
}

fn errors(case: &Case, found: Vec<FieldError>, check: &mut Check) {
    let mut found: Vec<String> = found.iter().map(ToString::to_string).collect();
    found.sort();
    check.json("errors", &case.value["errors"], &list(found));
}

fn strings(case: &Case, check: &mut Check) {
    let value = case.text("value");
    let valid = case.value["valid"].as_array().into_iter().flatten();
    let valid = valid.filter_map(|name| Some((name.as_str()?, Value::Null)));
    let invalid = case.value["errors"].as_object().into_iter().flatten();
    let invalid = invalid.map(|(name, texts)| (name.as_str(), texts.clone()));
    for (validator, want) in valid.chain(invalid) {
        let Some(found) = validate(validator, value) else {
            check.miss(format!("no validator {validator:?}"));
            continue;
        };
        check.json(validator, &want, &list(found));
    }
}

fn validate(validator: &str, value: &str) -> Option<Vec<String>> {
    let field = |validate: fn(&str, &str) -> Vec<FieldError>| {
        validate("f", value).iter().map(ToString::to_string).collect()
    };
    let object = |rule: NameRule| -> Vec<String> {
        let meta = ObjectMeta { name: value.into(), ..ObjectMeta::default() };
        let errors = metadata::validate_name(&meta, rule, "metadata");
        errors.iter().map(ToString::to_string).collect()
    };
    Some(match validator {
        "dns1123_label" => names::dns1123_label(value),
        "dns1123_subdomain" => names::dns1123_subdomain(value),
        "dns1123_subdomain_underscore" => names::dns1123_subdomain_underscore(value),
        "dns1035_label" => names::dns1035_label(value),
        "wildcard_dns1123_subdomain" => names::wildcard_dns1123_subdomain(value),
        "label_key" => names::label_key(value),
        "label_value" => names::label_value(value),
        "c_identifier" => names::c_identifier(value),
        "path_segment_name" => names::path_segment_name(value),
        "decimal_integer" => names::decimal_integer(value),
        "port_name" => names::port_name(value),
        "percent" => names::percent(value),
        "http_header_name" => names::http_header_name(value),
        "env_var_name" => names::env_var_name(value),
        "relaxed_env_var_name" => names::relaxed_env_var_name(value),
        "configmap_key" => names::configmap_key(value),
        "name_subdomain_generate" => NameRule::Subdomain.check_prefix(value),
        "name_label_generate" => NameRule::Label.check_prefix(value),
        "name_dns1035_generate" => NameRule::Dns1035Label.check_prefix(value),
        "namespace_name" => NameRule::Label.check(value),
        "fqdn" => field(names::fqdn),
        "fq_name" => field(names::fully_qualified_name),
        "domain_prefixed_path" => field(names::domain_prefixed_path),
        "domain_prefixed_key" => field(names::domain_prefixed_key),
        "finalizer" => field(names::finalizer),
        "ip" => field(names::ip),
        "cidr" => field(names::cidr),
        "cronjob_name" => {
            let mut errors = object(NameRule::Subdomain);
            errors.extend(names::cronjob_name("metadata.name", value).iter().map(ToString::to_string));
            errors
        }
        "job_name" => object(NameRule::Subdomain),
        "service_name" => object(NameRule::Dns1035Label),
        _ => return None,
    })
}
