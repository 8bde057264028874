//! Family `kubectl_tables`: columns and rows that `kubectl get` shows.

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
use orlop_model::json;
use orlop_model::meta::v1::ListMeta;
use orlop_model::networking::v1::{Ingress, NetworkPolicy};
use orlop_model::policy::v1::PodDisruptionBudget;
use orlop_model::scheduling::v1::PriorityClass;
use orlop_model::storage::v1::StorageClass;
use orlop_model::table::{Printer, Tabular, own_columns};
use orlop_model::vectors::{Case, Check};
use orlop_model::{AnyObject, StaticKind};
use serde_json::Value;

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let mut check = Check::new();
    let print = match case.text("kind") {
        "ConfigMap" => print::<ConfigMap>,
        "CronJob" => print::<CronJob>,
        "DaemonSet" => print::<DaemonSet>,
        "Deployment" => print::<Deployment>,
        "EndpointSlice" => print::<EndpointSlice>,
        "HorizontalPodAutoscaler" => print::<HorizontalPodAutoscaler>,
        "Ingress" => print::<Ingress>,
        "Job" => print::<Job>,
        "Lease" => print::<Lease>,
        "LimitRange" => print::<LimitRange>,
        "Namespace" => print::<Namespace>,
        "NetworkPolicy" => print::<NetworkPolicy>,
        "Node" => print::<Node>,
        "PersistentVolume" => print::<PersistentVolume>,
        "PersistentVolumeClaim" => print::<PersistentVolumeClaim>,
        "Pod" => print::<Pod>,
        "PodDisruptionBudget" => print::<PodDisruptionBudget>,
        "PriorityClass" => print::<PriorityClass>,
        "ReplicaSet" => print::<ReplicaSet>,
        "ResourceQuota" => print::<ResourceQuota>,
        "Secret" => print::<Secret>,
        "Service" => print::<Service>,
        "ServiceAccount" => print::<ServiceAccount>,
        "StatefulSet" => print::<StatefulSet>,
        "StorageClass" => print::<StorageClass>,
        kind => return Err(format!("no table of {kind}")),
    };
    print(case, &mut check)?;
    check.finish()
}

fn print<K: Tabular + StaticKind + SetDefaults>(case: &Case, check: &mut Check) -> Result<(), String> {
    if let Err(error) = own_columns::<K>(K::KIND) {
        check.eq("error", case.text("error"), &error.to_string());
        return Ok(());
    }
    check.eq("error", case.text("error"), "");
    let mut object: K = case.get("in")?;
    object.set_defaults();
    let now = case.text("now").parse().map_err(|error| format!("now: {error}"))?;
    let table = Printer::of::<K>()
        .table([&object as &dyn AnyObject], ListMeta::default(), &"None".into(), now)
        .map_err(|error| error.to_string())?;
    let mut table: Value =
        serde_json::from_slice(&json::to_vec(&table)).map_err(|error| error.to_string())?;
    for column in table["columnDefinitions"].as_array_mut().into_iter().flatten() {
        // What the cases leave out: our words are others than Kubernetes'.
        let description = column.as_object_mut().and_then(|column| column.remove("description"));
        if description.as_ref().and_then(Value::as_str).is_none_or(str::is_empty) {
            check.miss(format!("a column without description: {column}"));
        }
    }
    for row in table["rows"].as_array_mut().into_iter().flatten() {
        row.as_object_mut().map(|row| row.remove("object"));
    }
    check.json("columns", &case.value["columns"], &table["columnDefinitions"]);
    check.json("rows", &case.value["rows"], &table["rows"]);
    Ok(())
}
