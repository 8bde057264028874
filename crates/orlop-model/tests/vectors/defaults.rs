//! Family `defaults`: what an object is after defaulting.

use orlop_model::Object;
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
use orlop_model::scheduling::v1::PriorityClass;
use orlop_model::storage::v1::StorageClass;
use orlop_model::vectors::{Case, Check};

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let mut check = Check::new();
    let defaulted = match case.text("kind") {
        "ConfigMap" => defaulted::<ConfigMap>,
        "CronJob" => defaulted::<CronJob>,
        "DaemonSet" => defaulted::<DaemonSet>,
        "Deployment" => defaulted::<Deployment>,
        "EndpointSlice" => defaulted::<EndpointSlice>,
        "HorizontalPodAutoscaler" => defaulted::<HorizontalPodAutoscaler>,
        "Ingress" => defaulted::<Ingress>,
        "Job" => defaulted::<Job>,
        "Lease" => defaulted::<Lease>,
        "LimitRange" => defaulted::<LimitRange>,
        "Namespace" => defaulted::<Namespace>,
        "NetworkPolicy" => defaulted::<NetworkPolicy>,
        "Node" => defaulted::<Node>,
        "PersistentVolume" => defaulted::<PersistentVolume>,
        "PersistentVolumeClaim" => defaulted::<PersistentVolumeClaim>,
        "Pod" => defaulted::<Pod>,
        "PodDisruptionBudget" => defaulted::<PodDisruptionBudget>,
        "PriorityClass" => defaulted::<PriorityClass>,
        "ReplicaSet" => defaulted::<ReplicaSet>,
        "ResourceQuota" => defaulted::<ResourceQuota>,
        "Secret" => defaulted::<Secret>,
        "Service" => defaulted::<Service>,
        "ServiceAccount" => defaulted::<ServiceAccount>,
        "StatefulSet" => defaulted::<StatefulSet>,
        "StorageClass" => defaulted::<StorageClass>,
        kind => return Err(format!("no defaults of {kind}")),
    };
    defaulted(case, &mut check)?;
    check.finish()
}

/// Compares the object after defaulting, and that defaulting it again
/// changes nothing.
fn defaulted<K: Object + SetDefaults>(case: &Case, check: &mut Check) -> Result<(), String> {
    let mut object: K = case.get("in")?;
    object.set_defaults();
    let once = serde_json::to_value(&object).map_err(|error| error.to_string())?;
    check.object("out", &case.value["out"], &once);
    object.set_defaults();
    let twice = serde_json::to_value(&object).map_err(|error| error.to_string())?;
    check.json("twice", &once, &twice);
    Ok(())
}
