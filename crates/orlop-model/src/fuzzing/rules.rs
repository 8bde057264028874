//! Updates of pods and workloads.

use serde_json::Value;

use super::objects::validate_one;
use crate::StaticKind;
use crate::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use crate::batch::v1::{CronJob, Job};
use crate::core::v1::{Pod, PodTemplate, ReplicationController};
use crate::defaults::SetDefaults;
use crate::prepare::{self, Prepare};
use crate::validate::{self, Validate};

/// A pod or a workload in JSON (`{"old": …, "new": …}` for an update), defaulted, prepared and validated.
///
/// # Panics
/// If an object that is valid is refused once it was written and read again, or as an update without a change.
pub fn validate_pod(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let (old, new) =
        if value["new"].is_object() { (&value["old"], &value["new"]) } else { (&Value::Null, &value) };
    let validate = match new["kind"].as_str().unwrap_or_default() {
        "ControllerRevision" => validated::<ControllerRevision>,
        "CronJob" => validated::<CronJob>,
        "DaemonSet" => validated::<DaemonSet>,
        "Deployment" => validated::<Deployment>,
        "Job" => validated::<Job>,
        "PodTemplate" => validated::<PodTemplate>,
        "ReplicaSet" => validated::<ReplicaSet>,
        "ReplicationController" => validated::<ReplicationController>,
        "StatefulSet" => validated::<StatefulSet>,
        _ => validated::<Pod>,
    };
    validate(old, new);
}

fn validated<K>(old: &Value, new: &Value)
where
    K: StaticKind + SetDefaults + Prepare + Validate,
{
    let Ok(mut new) = serde_json::from_value::<K>(new.clone()) else {
        return;
    };
    validate_one(new.clone());
    let Ok(mut old) = serde_json::from_value::<K>(old.clone()) else {
        return;
    };
    old.set_defaults();
    new.set_defaults();
    prepare::update(&mut new, &old);
    let errors = validate::update(&new, &old);
    assert!(errors.iter().all(|error| !error.to_string().is_empty()));
    let _ = new.warnings_on_update(&old);
}
