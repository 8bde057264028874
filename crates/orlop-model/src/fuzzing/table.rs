//! Tables of arbitrary objects.

use serde_json::Value;

use crate::defaults::SetDefaults;
use crate::meta::v1::{ListMeta, TableColumnDefinition};
use crate::table::{CustomColumns, Printer, Tabular};
use crate::{AnyObject, DynamicObject, Message, json};

/// Defaults an object of a type and prints it as a table.
fn defaulted_and_printed<K: Tabular + SetDefaults + PartialEq>(value: &Value) {
    let Ok(mut object) = serde_json::from_value::<K>(value.clone()) else {
        return;
    };
    object.set_defaults();
    let once = object.clone();
    object.set_defaults();
    assert!(once == object, "defaulting again changes nothing");
    let now = "2026-03-01T12:00:00Z".parse().expect("a time");
    assert_eq!(object.row(now).cells.len(), K::COLUMNS.len());
    let objects = [&object as &dyn AnyObject];
    let table = Printer::of::<K>().table(objects, ListMeta::default(), &"Object".into(), now);
    let _ = json::to_vec(&table.expect("objects can be written"));
}

macro_rules! by_kind {
    ($value:ident, $($group:ident::$version:ident { $($kind:ident),* })*) => {
        match ($value["apiVersion"].as_str().unwrap_or_default(), $value["kind"].as_str().unwrap_or_default()) {
            $($((api_version, stringify!($kind))
                if api_version == <crate::$group::$version::$kind as Message>::SCHEMA.api_version =>
            {
                defaulted_and_printed::<crate::$group::$version::$kind>(&$value);
                true
            })*)*
            _ => false,
        }
    };
}

/// An object in JSON that is defaulted and printed as a table; with `columns` (a list of pairs of type and path) by
/// these as a custom kind.
///
/// # Panics
/// If defaulting it twice is not the same as once, or its row does not have a cell for each column.
pub fn table(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let is_known = by_kind! { value,
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
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let columns: Vec<(String, String)> = value["columns"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|column| (text(&column[0]), text(&column[1])))
        .collect();
    if is_known || columns.is_empty() {
        return;
    }
    let columns = columns.iter().map(|(type_, path)| {
        (TableColumnDefinition { type_: type_.as_str().into(), ..Default::default() }, path.as_str())
    });
    let (Ok(columns), Ok(object)) =
        (CustomColumns::new(columns), serde_json::from_value::<DynamicObject>(value.clone()))
    else {
        return;
    };
    let row = columns.row(&object, "2026-03-01T12:00:00Z".parse().expect("a time"));
    assert_eq!(row.cells.len(), columns.definitions().len());
}
