//! Columns of tables against those of Kubernetes.

use orlop_model::StaticKind;
use orlop_model::table::Tabular;
use serde_json::{Value, json};

use crate::facts;

/// Columns by group, version and kind.
fn columns<K: Tabular + StaticKind>() -> ([String; 3], Value) {
    let columns =
        K::COLUMNS.iter().map(|column| json!([column.name, column.type_, column.format, column.priority]));
    let kind = K::KIND;
    ([kind.group.to_string(), kind.version.to_string(), kind.kind.to_string()], columns.collect())
}

macro_rules! all {
    ($($group:ident::$version:ident { $($kind:ident),* })*) => {
        vec![$($(columns::<orlop_model::$group::$version::$kind>()),*),*]
    };
}

#[test]
fn columns_are_those_of_kubernetes() {
    let Some(schema) = facts::schema() else {
        return;
    };
    let ours = all! {
        admissionregistration::v1 { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration,
            ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration }
        apiextensions::v1 { CustomResourceDefinition }
        apps::v1 { ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet }
        autoscaling::v1 { HorizontalPodAutoscaler }
        autoscaling::v2 { HorizontalPodAutoscaler }
        batch::v1 { CronJob, Job }
        certificates::v1 { CertificateSigningRequest }
        coordination::v1 { Lease }
        core::v1 { ComponentStatus, ConfigMap, Endpoints, Event, LimitRange, Namespace, Node, PersistentVolume,
            PersistentVolumeClaim, Pod, PodTemplate, ReplicationController, ResourceQuota, Secret, Service, ServiceAccount }
        discovery::v1 { EndpointSlice }
        events::v1 { Event }
        networking::v1 { IPAddress, Ingress, IngressClass, NetworkPolicy, ServiceCIDR }
        node::v1 { RuntimeClass }
        policy::v1 { PodDisruptionBudget }
        rbac::v1 { ClusterRole, ClusterRoleBinding, Role, RoleBinding }
        scheduling::v1 { PriorityClass }
        storage::v1 { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment, VolumeAttributesClass }
    };
    let elsewhere = ["apiregistration.k8s.io", "flowcontrol.apiserver.k8s.io", "resource.k8s.io"];
    let mut misses = Vec::new();
    for kind in schema["kinds"].as_array().expect("kinds") {
        let name =
            ["group", "version", "kind"].map(|part| kind[part].as_str().unwrap_or_default().to_owned());
        if kind["cols"].is_null() || elsewhere.contains(&name[0].as_str()) {
            continue;
        }
        match ours.iter().find(|(other, _)| *other == name) {
            None => misses.push(format!("{name:?}: no columns")),
            Some((_, columns)) if *columns != kind["cols"] => {
                misses.push(format!("{name:?}: wanted {}, got {columns}", kind["cols"]));
            }
            Some(_) => {}
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}
