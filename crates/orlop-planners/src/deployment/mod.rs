//! Deployments: rolling from one ReplicaSet to the next.
//!
//! One call of [`plan`] is one step of a rollout; the changes it asks for alter the ReplicaSets, which alter the pods,
//! and so it goes on until nothing differs.
//!
//! ```
//! use orlop_model::apps::v1::Deployment;
//! use orlop_planners::{Change, PlannedObject};
//! use orlop_planners::deployment::{self, Children};
//!
//! let web: Deployment = serde_json::from_str(r#"{
//!     "metadata": {"name": "web", "namespace": "default", "uid": "1"},
//!     "spec": {
//!         "replicas": 3,
//!         "selector": {"matchLabels": {"app": "web"}},
//!         "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
//!         "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "web"}]}}
//!     }
//! }"#)?;
//! let plan = deployment::plan(&web, &Children::default(), "2026-03-01T12:00:00Z".parse()?).compact();
//! let [Change::Create(create), Change::UpdateStatus(_)] = &plan.changes[..] else { panic!() };
//! let PlannedObject::ReplicaSet(set) = &create.object else { panic!() };
//! assert_eq!(set.spec.replicas, Some(3));
//! assert_eq!(plan.events[0].text(""), format!("Scaled up replica set {} from 0 to 3", set.metadata.name));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod annotations;
mod numbers;
mod revisions;
mod status;
mod sync;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use orlop_model::apps::v1::{Deployment, DeploymentConditionType, ReplicaSet};
use orlop_model::core::v1::{ConditionStatus, Pod};

use crate::{Change, Plan, PlannedObject};

pub use self::annotations::{
    DESIRED_REPLICAS, MAX_REPLICAS, REVISION, REVISION_HISTORY, ROLLBACK_TO, last_revision, max_revision,
};
pub use self::numbers::{
    Fenceposts, is_saturated, max_surge, max_unavailable, min_available, new_set_replicas, proportion,
    resolve_fenceposts, total_replicas,
};
pub use self::revisions::Revisions;
pub use self::status::{is_complete, is_progressing, is_timed_out, status};

/// What there is beside the Deployment, in any order; objects of other namespaces are passed over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Children<'a> {
    /// All ReplicaSets of the namespace: those of others matter when a name is taken.
    pub replica_sets: &'a [Arc<ReplicaSet>],
    /// The pods of the Deployment's ReplicaSets; only the strategy Recreate looks at them. All pods of the namespace
    /// will do.
    pub pods: &'a [Arc<Pod>],
}

/// What to do next for `deployment`.
///
/// Status and ReplicaSets may be written several times in one plan, as Kubernetes does: [`Plan::compact`] keeps the
/// last write of each. If the creation of a ReplicaSet fails, [`failed`] says what to write instead of the rest.
pub fn plan(deployment: &Deployment, children: &Children<'_>, now: Timestamp) -> Plan {
    sync::Sync::run(deployment, children, now)
}

/// What to write after `change` of a [`plan`] failed with the error `message`: for the creation of a ReplicaSet the
/// condition `Progressing` with reason `ReplicaSetCreateError`, if there is a progress deadline; nothing for others.
/// Not to be called where the namespace is being deleted: that is no failure.
pub fn failed(deployment: &Deployment, change: &Change, message: &str, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    if let Change::Create(create) = change
        && let PlannedObject::ReplicaSet(set) = &create.object
        && status::has_progress_deadline(deployment)
    {
        let mut deployment = deployment.clone();
        let condition = status::new_condition(
            DeploymentConditionType::Progressing,
            ConditionStatus::False,
            status::reason::CREATE_ERROR,
            create_error(&set.metadata.name, message),
            now,
        );
        status::set_condition(&mut deployment.status, condition);
        plan.push(Change::update_status(deployment));
    }
    plan
}

fn create_error(name: &str, message: &str) -> String {
    format!("Failed to create new replica set {name:?}: {message}")
}
