//! Family `validation`: creation and update of 25 kinds.

use orlop_model::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use orlop_model::autoscaling::v2::HorizontalPodAutoscaler;
use orlop_model::batch::v1::{CronJob, Job};
use orlop_model::coordination::v1::Lease;
use orlop_model::core::v1::{
    ConfigMap, LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota,
    Secret, Service, ServiceAccount,
};
use orlop_model::defaults::SetDefaults;
use orlop_model::discovery::v1::EndpointSlice;
use orlop_model::networking::v1::{Ingress, NetworkPolicy};
use orlop_model::policy::v1::PodDisruptionBudget;
use orlop_model::prepare::{self, Prepare};
use orlop_model::scheduling::v1::PriorityClass;
use orlop_model::storage::v1::StorageClass;
use orlop_model::validate::{self, Validate};
use orlop_model::vectors::{Case, Check};
use orlop_model::{FieldError, Object, StaticKind, fuzzing};
use serde_json::{Value, json};

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let run = match case.text("kind") {
        "ConfigMap" => one::<ConfigMap>,
        "CronJob" => one::<CronJob>,
        "DaemonSet" => one::<DaemonSet>,
        "Deployment" => one::<Deployment>,
        "EndpointSlice" => one::<EndpointSlice>,
        "HorizontalPodAutoscaler" => one::<HorizontalPodAutoscaler>,
        "Ingress" => one::<Ingress>,
        "Job" => one::<Job>,
        "Lease" => one::<Lease>,
        "LimitRange" => one::<LimitRange>,
        "Namespace" => one::<Namespace>,
        "NetworkPolicy" => one::<NetworkPolicy>,
        "Node" => one::<Node>,
        "PersistentVolume" => one::<PersistentVolume>,
        "PersistentVolumeClaim" => one::<PersistentVolumeClaim>,
        "Pod" => one::<Pod>,
        "PodDisruptionBudget" => one::<PodDisruptionBudget>,
        "PriorityClass" => one::<PriorityClass>,
        "ReplicaSet" => one::<ReplicaSet>,
        "ResourceQuota" => one::<ResourceQuota>,
        "Secret" => one::<Secret>,
        "StatefulSet" => one::<StatefulSet>,
        "Service" => one::<Service>,
        "ServiceAccount" => one::<ServiceAccount>,
        "StorageClass" => one::<StorageClass>,
        kind => return Err(format!("no rules for {kind}")),
    };
    let mut check = Check::new();
    run(case, &mut check)?;
    check.finish().map_err(|text| format!("{}\n{text}", case.text("note")))
}

fn one<K>(case: &Case, check: &mut Check) -> Result<(), String>
where
    K: StaticKind + SetDefaults + Prepare + Validate,
{
    let mut object: K = read(case, "in")?;
    let (errors, warnings) = match case.op.as_str() {
        "create" => {
            let meta = object.meta_mut();
            meta.uid = "00000000-0000-4000-8000-000000000001".into();
            if meta.namespace.is_empty() && object.kind().is_namespaced() {
                object.meta_mut().namespace = "default".into();
            }
            let meta = object.meta_mut();
            if meta.name.is_empty() && !meta.generate_name.is_empty() {
                meta.name = format!("{}abcde", meta.generate_name).into();
            }
            // What is in order stays so when it is written, read and updated.
            fuzzing::validate_one(object.clone());
            object.prepare_for_create();
            (validate::create(&object), object.warnings_on_create())
        }
        "update" => {
            let old: K = read(case, "old")?;
            prepare::update(&mut object, &old);
            (validate::update(&object, &old), object.warnings_on_update(&old))
        }
        other => return Err(format!("no operation {other:?}")),
    };
    let wanted = case.value["errors"].as_array().map_or(&[][..], Vec::as_slice);
    let wanted: Vec<Value> = wanted
        .iter()
        .map(|error| {
            json!([error["type"], error["field"], without_dump(error["detail"].as_str().unwrap_or_default())])
        })
        .collect();
    let got: Vec<Value> = errors.iter().map(plain).collect();
    check.multiset("errors", &wanted, &got);
    // Valid objects alone are warned about.
    if errors.is_empty() {
        let mut wanted = case.value["warnings"].as_array().cloned().unwrap_or_default();
        wanted.sort_by_key(Value::to_string);
        let mut got: Vec<Value> = warnings.into_iter().map(Value::from).collect();
        got.sort_by_key(Value::to_string);
        check.json("warnings", &wanted.into(), &got.into());
    }
    Ok(())
}

fn read<K: Object + SetDefaults>(case: &Case, part: &str) -> Result<K, String> {
    let mut object: K = case.get(part)?;
    object.set_defaults();
    Ok(object)
}

fn plain(error: &FieldError) -> Value {
    json!([error.kind.as_str(), error.field, without_dump(&error.detail)])
}

/// What stands before the difference of two Go values.
fn without_dump(detail: &str) -> &str {
    detail.split_once("\n@@").map_or(detail, |(text, _)| text).trim_end()
}
