//! Golden objects: Kubernetes' own round-trip data, one object per kind with every field filled, as JSON and protobuf.
//!
//! Reads the folder in `ORLOP_GOLDEN` and is passed over aloud without it. Files of kinds that the crate does not have are
//! named.

#![allow(clippy::print_stdout, reason = "what was checked, and what was not, is told on the standard output")]

mod columns;
mod facts;
mod openapi;

use std::collections::BTreeMap;
use std::path::Path;

use orlop_model::message::Fields;
use orlop_model::{Message, json, protobuf};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

type Check = fn(&Path, &str) -> Result<(), String>;

macro_rules! check {
    ($checks:ident, $module:path, $package:literal: $($kind:ident)*) => {{
        use $module as package;
        $($checks.insert(file($package, stringify!($kind)), check::<package::$kind> as Check);)*
    }};
}

/// Everything that stands alone, by the name of its file.
fn checks() -> BTreeMap<String, Check> {
    let mut checks = BTreeMap::new();
    check!(checks, orlop_model::core::v1, "core/v1": Binding ComponentStatus ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolumeClaim PersistentVolume Pod PodTemplate ReplicationController ResourceQuota Secret ServiceAccount Service NodeProxyOptions PodAttachOptions PodExecOptions PodLogOptions PodPortForwardOptions PodProxyOptions PodStatusResult RangeAllocation SerializedReference ServiceProxyOptions);
    check!(checks, orlop_model::apps::v1, "apps/v1": ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet);
    check!(checks, orlop_model::events::v1, "events/v1": Event);
    check!(checks, orlop_model::authentication::v1, "authentication/v1": SelfSubjectReview TokenReview TokenRequest);
    check!(checks, orlop_model::authorization::v1, "authorization/v1": LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview);
    check!(checks, orlop_model::autoscaling::v2, "autoscaling/v2": HorizontalPodAutoscaler);
    check!(checks, orlop_model::autoscaling::v1, "autoscaling/v1": HorizontalPodAutoscaler Scale);
    check!(checks, orlop_model::batch::v1, "batch/v1": CronJob Job);
    check!(checks, orlop_model::certificates::v1, "certificates/v1": CertificateSigningRequest);
    check!(checks, orlop_model::networking::v1, "networking/v1": IngressClass Ingress IPAddress NetworkPolicy ServiceCIDR);
    check!(checks, orlop_model::policy::v1, "policy/v1": PodDisruptionBudget Eviction);
    check!(checks, orlop_model::rbac::v1, "rbac/v1": ClusterRoleBinding ClusterRole RoleBinding Role);
    check!(checks, orlop_model::storage::v1, "storage/v1": CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment VolumeAttributesClass);
    check!(checks, orlop_model::admissionregistration::v1, "admissionregistration/v1": MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration);
    check!(checks, orlop_model::apidiscovery::v2, "apidiscovery/v2": APIGroupDiscovery);
    check!(checks, orlop_model::apiextensions::v1, "apiextensions/v1": CustomResourceDefinition);
    check!(checks, orlop_model::scheduling::v1, "scheduling/v1": PriorityClass);
    check!(checks, orlop_model::coordination::v1, "coordination/v1": Lease);
    check!(checks, orlop_model::node::v1, "node/v1": RuntimeClass);
    check!(checks, orlop_model::discovery::v1, "discovery/v1": EndpointSlice);
    check!(checks, orlop_model::meta::v1, "meta/v1": APIGroup APIVersions CreateOptions DeleteOptions GetOptions ListOptions PatchOptions Status UpdateOptions WatchEvent);
    checks
}

/// `core.v1.Pod`; the kinds of `meta` are filed under `core`.
fn file(package: &str, kind: &str) -> String {
    let (group, version) = package.split_once('/').unwrap_or((package, ""));
    let group = match group {
        "meta" => "core",
        "rbac" => "rbac.authorization.k8s.io",
        "core" | "apps" | "batch" | "autoscaling" | "policy" => group,
        other => return format!("{other}.k8s.io.{version}.{kind}"),
    };
    format!("{group}.{version}.{kind}")
}

fn check<M>(folder: &Path, name: &str) -> Result<(), String>
where
    M: Message + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let read = |extension: &str| {
        let file = folder.join(format!("{name}.{extension}"));
        std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))
    };
    let (text, bytes) = (read("json")?, read("pb")?);
    let wanted: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;

    let object: M = json::from_slice(&text).map_err(|error| format!("JSON: {error}"))?;
    equal(
        "JSON → type → JSON",
        &wanted,
        &serde_json::from_slice(&json::to_vec(&object)).unwrap_or_default(),
    )?;
    equal("type → serde", &wanted, &serde_json::to_value(&object).map_err(|error| error.to_string())?)?;
    let by_serde: M = serde_json::from_value(wanted.clone()).map_err(|error| format!("serde: {error}"))?;
    if by_serde != object {
        return Err(format!("serde reads {by_serde:?}, and not {object:?}"));
    }
    // The files have the order of Go's encoder, which ours has to be as well.
    let compact = serde_json::to_vec(&object).map_err(|error| error.to_string())?;
    if json::to_vec(&object) != compact {
        return Err("serde and Go's encoder differ".to_owned());
    }
    let (_, problems) = json::from_slice_strict::<M>(&text).map_err(|error| error.to_string())?;
    if !problems.is_empty() {
        return Err(format!("strictly read: {problems:?}"));
    }

    let from_bytes: M = protobuf::from_slice(&bytes).map_err(|error| format!("protobuf: {error}"))?;
    equal("protobuf → type → JSON", &wanted, &serde_json::to_value(&from_bytes).unwrap_or_default())?;
    let written = protobuf::to_vec(&object);
    if written != bytes {
        let place = written.iter().zip(&bytes).take_while(|(ours, theirs)| ours == theirs).count();
        let around =
            |bytes: &[u8]| format!("{:02x?}", &bytes[place.saturating_sub(8)..bytes.len().min(place + 24)]);
        return Err(format!(
            "type → protobuf: byte {place}: {} instead of {}",
            around(&written),
            around(&bytes)
        ));
    }
    keeps_unknown_fields::<M>(wanted)
}

/// Adds a field to every object whose fields a type describes; all must come back, and all be found.
fn keeps_unknown_fields<M: Message + Serialize + DeserializeOwned>(mut wanted: Value) -> Result<(), String> {
    let mut added = 0;
    add(&mut wanted, &orlop_model::FieldType::Message(|| M::SCHEMA), &mut added);
    let object: M = serde_json::from_value(wanted.clone()).map_err(|error| error.to_string())?;
    equal("with unknown fields", &wanted, &serde_json::to_value(&object).unwrap_or_default())?;
    let mut found = 0;
    let root: &dyn Fields = &object;
    orlop_model::message::unknown_fields(root, &mut orlop_model::Path::new(), &mut |_, _| found += 1);
    if found == added { Ok(()) } else { Err(format!("{found} unknown fields are found of {added}")) }
}

fn add(value: &mut Value, ty: &orlop_model::FieldType, added: &mut usize) {
    use orlop_model::FieldType;
    match (value, ty) {
        (Value::Object(fields), FieldType::Message(schema)) => {
            for (name, value) in fields.iter_mut() {
                if let Some(field) = schema().field(name) {
                    add(value, &field.ty, added);
                }
            }
            fields.insert("orlopUnknown".to_owned(), serde_json::json!({"deep": [1, "<", null]}));
            *added += 1;
        }
        (Value::Object(entries), FieldType::Map(ty)) => {
            entries.values_mut().for_each(|value| add(value, ty, added))
        }
        (Value::Array(items), FieldType::List(ty)) => {
            items.iter_mut().for_each(|value| add(value, ty, added))
        }
        _ => {}
    }
}

fn equal(what: &str, wanted: &Value, got: &Value) -> Result<(), String> {
    if wanted == got { Ok(()) } else { Err(format!("{what}: {}", difference("", wanted, got))) }
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
    let checks = checks();
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of golden objects can be read")
        .filter_map(|entry| {
            entry.ok()?.file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    files.sort();
    let (mut passed, mut failed, mut not_covered) = (0, Vec::new(), Vec::new());
    for name in files {
        match checks.get(&name) {
            None => not_covered.push(name),
            Some(check) => match check(folder, &name) {
                Ok(()) => passed += 1,
                Err(error) => failed.push(format!("{name}: {error}")),
            },
        }
    }
    println!("not covered, since no API group of the crate has them: {}", not_covered.join(", "));
    println!("golden: {passed} passed, {} failed", failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(passed > 0, "no golden object in {}", folder.display());
}
