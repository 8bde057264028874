//! ReplicaSets: as many pods as are asked for.
//!
//! ```
//! use orlop_model::apps::v1::ReplicaSet;
//! use orlop_planners::replicaset::{self, Children, Settings};
//!
//! let set: ReplicaSet = serde_json::from_str(r#"{
//!     "metadata": {"name": "web", "namespace": "default", "uid": "1"},
//!     "spec": {
//!         "replicas": 2,
//!         "selector": {"matchLabels": {"app": "web"}},
//!         "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "web"}]}}
//!     }
//! }"#)?;
//! let now = "2026-03-01T12:00:00Z".parse()?;
//! let plan = replicaset::plan(&set, &Children::default(), &Settings::default(), now);
//! assert_eq!(plan.changes.len(), 3); // two pods, then the status
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod rank;
mod status;

use std::sync::Arc;

use jiff::Timestamp;
use orlop_model::apps::v1::ReplicaSet;
use orlop_model::core::v1::Pod;

use crate::claim::claim_all;
use crate::{
    Change, Create, Delete, EventDraft, Occasion, PatchChange, Plan, PlanError, pod, selector, template,
};

pub use self::rank::POD_DELETION_COST;

/// What there is beside the ReplicaSet, in any order; objects of other namespaces are passed over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Children<'a> {
    /// Pods: those the set controls (whether they match its selector or not), orphans that match, and the pods of its
    /// sibling sets. Simply all pods of the namespace will do.
    pub pods: &'a [Arc<Pod>],
    /// ReplicaSets with the same controller (a Deployment): their pods decide from which node a pod is taken.
    /// Others are passed over.
    pub siblings: &'a [Arc<ReplicaSet>],
}

/// How a ReplicaSet is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The most pods created or deleted by one plan.
    pub burst: usize,
    /// Whether the cache shows all pods that earlier plans created or deleted. If not, no pod is created or deleted now.
    pub settled: bool,
}

impl Default for Settings {
    /// A burst of 500, and the cache is up to date.
    fn default() -> Self {
        Self { burst: 500, settled: true }
    }
}

/// The pods a ReplicaSet has.
struct Claimed {
    active: Vec<Arc<Pod>>,
    terminating: usize,
    patches: Vec<PatchChange>,
}

fn claim_pods(set: &ReplicaSet, children: &Children<'_>) -> Result<Claimed, PlanError> {
    let selector = selector::compile(set, set.spec.selector.as_deref())?;
    let matches = |pod: &Pod| selector.matches(&pod.metadata.labels);
    let mut pods: Vec<_> = children
        .pods
        .iter()
        .filter(|pod| pod.metadata.namespace == set.metadata.namespace)
        .filter(|pod| pod.metadata.controller().is_none_or(|controller| controller.uid == set.metadata.uid))
        .collect();
    pods.sort_by(|left, right| left.metadata.name.cmp(&right.metadata.name));
    let terminating = pods
        .iter()
        .filter(|pod| pod.metadata.controller().is_some() && pod::is_terminating(pod) && matches(pod))
        .count();
    let active = pods.into_iter().filter(|pod| pod::is_active(pod)).cloned();
    let (active, patches) = claim_all(set, active, matches);
    Ok(Claimed { active, terminating, patches })
}

/// What to do next for `set`.
///
/// Adoptions and releases come first, then pods to create or delete, then the status, which counts the pods there were
/// before. If a create or delete fails, [`failed`] says what to write instead of the rest.
pub fn plan(set: &ReplicaSet, children: &Children<'_>, settings: &Settings, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let mut claimed = match claim_pods(set, children) {
        Ok(claimed) => claimed,
        Err(error) => {
            plan.error = Some(error);
            return plan;
        }
    };
    for patch in claimed.patches.drain(..) {
        plan.push(patch);
    }
    let mut failure = None;
    if settings.settled && !set.metadata.is_deleting() {
        let wanted = usize::try_from(replicas(set)).unwrap_or(0);
        let active = claimed.active.len();
        if active < wanted {
            failure = create_pods(set, (wanted - active).min(settings.burst), &mut plan);
        } else if active > wanted {
            let count = (active - wanted).min(settings.burst);
            let victims = if count < active {
                rank::rank(set, children, claimed.active.clone(), now)
            } else {
                claimed.active.clone()
            };
            delete_pods(set, &victims[..count], &mut plan);
        }
    }
    let failure_text = failure.as_ref().map(ToString::to_string);
    let status = status::status(set, &claimed, failure_text.as_deref(), now);
    if set.spec.min_ready_seconds > 0 && status.ready_replicas != status.available_replicas {
        plan.requeue =
            pod::next_availability(claimed.active.iter().map(|pod| &**pod), set.spec.min_ready_seconds, now)
                .or_else(|| {
                    u64::try_from(set.spec.min_ready_seconds).ok().map(std::time::Duration::from_secs)
                });
    }
    plan.changes.extend(status::write(set, status));
    plan.error = failure;
    plan
}

/// What to write after `change` of a [`plan`] failed with the error `message`: the status with the condition
/// `ReplicaFailure`. `children` are those the plan was made from.
pub fn failed(
    set: &ReplicaSet,
    children: &Children<'_>,
    change: &Change,
    message: &str,
    now: Timestamp,
) -> Plan {
    let text = match change {
        Change::Delete(_) => format!("unable to delete pods: {message}"),
        _ => message.to_owned(),
    };
    let mut plan = Plan::default();
    match claim_pods(set, children) {
        Ok(claimed) => {
            let status = status::status(set, &claimed, Some(&text), now);
            plan.changes.extend(status::write(set, status));
        }
        Err(error) => plan.error = Some(error),
    }
    plan
}

/// The active pods that `set` controls now (no orphans; pods that no longer match its selector are among them), the
/// first to be deleted first. [`plan`] takes the order among the pods that are left after adoption and release.
#[must_use]
pub fn deletion_order(set: &ReplicaSet, children: &Children<'_>, now: Timestamp) -> Vec<Arc<Pod>> {
    let owned = children.pods.iter().filter(|pod| {
        let controller = pod.metadata.controller();
        pod.metadata.namespace == set.metadata.namespace
            && controller.is_some_and(|controller| controller.uid == set.metadata.uid)
            && pod::is_active(pod)
    });
    rank::rank(set, children, owned.cloned().collect(), now)
}

/// Pods asked for.
pub(crate) fn replicas(set: &ReplicaSet) -> i32 {
    set.spec.replicas.unwrap_or(1)
}

fn create_pods(set: &ReplicaSet, count: usize, plan: &mut Plan) -> Option<PlanError> {
    if set.spec.template.metadata.labels.is_empty() {
        return Some(PlanError::invalid(
            set,
            "spec.template.metadata.labels",
            "unable to create pods, no labels",
        ));
    }
    let pod = Arc::new(template::pod_from_template(set, &set.spec.template));
    for _ in 0..count {
        let place = plan.push(Create::new(pod.clone()).in_namespace(&set.metadata.namespace));
        plan.events.extend([
            EventDraft::normal(set, "SuccessfulCreate", "Created pod: ").on(Occasion::Created(place)),
            EventDraft::warning(set, "FailedCreate", "Error creating: ").on(Occasion::Failure(place)),
        ]);
    }
    None
}

fn delete_pods(set: &ReplicaSet, pods: &[Arc<Pod>], plan: &mut Plan) {
    for pod in pods {
        let place = plan.push(Delete::new(&**pod));
        let deleted = format!("Deleted pod: {}", pod.metadata.name);
        plan.events.extend([
            EventDraft::normal(set, "SuccessfulDelete", deleted).on(Occasion::Success(place)),
            EventDraft::warning(set, "FailedDelete", "Error deleting: ").on(Occasion::Failure(place)),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use orlop_model::Time;
    use orlop_model::core::v1::{ConditionStatus, PodCondition, PodConditionType, PodPhase};
    use serde_json::json;

    use super::*;
    use crate::PlannedObject;

    fn set() -> ReplicaSet {
        serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "default", "uid": "1", "generation": 2},
            "spec": {
                "replicas": 2,
                "minReadySeconds": 10,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}},
            },
        }))
        .expect("a ReplicaSet")
    }

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().expect("a time")
    }

    fn status_in(plan: &Plan) -> &ReplicaSet {
        match plan.changes.last() {
            Some(Change::UpdateStatus(PlannedObject::ReplicaSet(set))) => set,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_failure_stays_in_the_status_until_a_plan_goes_through() {
        let (mut set, children) = (set(), Children::default());
        let first = plan(&set, &children, &Settings::default(), now());
        let after = failed(&set, &children, &first.changes[0], "quota exceeded", now());
        set = status_in(&after).clone();
        let condition = set.status.conditions[0].clone();
        assert_eq!((&*condition.reason, &*condition.message), ("FailedCreate", "quota exceeded"));

        let later = now() + Duration::from_secs(5);
        let again = failed(&set, &children, &first.changes[0], "something else", later);
        assert!(again.changes.is_empty(), "a failure that is known is not refreshed: {again:?}");

        let waiting = plan(&set, &children, &Settings { settled: false, ..Settings::default() }, later);
        assert_eq!(waiting.changes.len(), 1);
        assert!(status_in(&waiting).status.conditions.is_empty());
    }

    #[test]
    fn a_template_without_labels_makes_no_pods() {
        let mut set = set();
        set.spec.template.metadata.labels.clear();
        let plan = plan(&set, &Children::default(), &Settings::default(), now());
        assert!(matches!(plan.error, Some(PlanError::Invalid { .. })));
        assert_eq!(plan.changes.len(), 1);
        assert_eq!(status_in(&plan).status.conditions[0].reason, "FailedCreate");
    }

    #[test]
    fn it_waits_for_the_next_pod_to_become_available() {
        let set = set();
        let pods: Vec<_> = [3, 7]
            .into_iter()
            .map(|age| {
                let mut pod = template::pod_from_template(&set, &set.spec.template);
                pod.metadata.name = format!("web-{age}").into();
                pod.metadata.namespace = "default".into();
                pod.status.phase = PodPhase::Running;
                pod.status.conditions.push(PodCondition {
                    type_: PodConditionType::Ready,
                    status: ConditionStatus::True,
                    last_transition_time: Some(Time::from(now() - Duration::from_secs(age))),
                    ..PodCondition::default()
                });
                Arc::new(pod)
            })
            .collect();
        let children = Children { pods: &pods, siblings: &[] };
        let plan = plan(&set, &children, &Settings::default(), now());
        assert_eq!(plan.requeue, Some(Duration::from_secs(3)));
        let status = &status_in(&plan).status;
        assert_eq!((status.ready_replicas, status.available_replicas), (2, 0));
    }
}
