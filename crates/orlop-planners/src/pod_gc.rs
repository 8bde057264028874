//! Pod garbage collection: pods that nothing else would delete.
//!
//! [`sweep`] is to be called every [`PERIOD`]. Before pods are deleted because their node is gone, the node must have
//! been missing for the time of quarantine, and the API itself must say so: [`Sweep::nodes`] names the nodes to ask for,
//! [`orphaned`] deletes the pods of those that do not exist.
//!
//! ```
//! use std::sync::Arc;
//! use orlop_model::core::v1::Pod;
//! use orlop_planners::pod_gc::{self, Memory, Settings};
//!
//! let mut pod = Pod::default();
//! pod.metadata.name = "never-scheduled".into();
//! let now: jiff::Timestamp = "2026-03-01T12:00:00Z".parse()?;
//! pod.metadata.deletion_timestamp = Some(now.into());
//! let sweep = pod_gc::sweep(&[Arc::new(pod)], &[], &Settings::default(), &mut Memory::default(), now);
//! assert!(!sweep.unscheduled.is_empty());
//! # Ok::<(), jiff::Error>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orlop_model::Str;
use orlop_model::core::v1::{ConditionStatus, Node, NodeConditionType, Pod, PodCondition, PodPhase};
use serde::{Deserialize, Serialize};

use crate::pod::is_terminal;
use crate::pod_status::{StatusChange, disruption};
use crate::{Change, Delete};

/// How often [`sweep`] is to be called.
pub const PERIOD: Duration = Duration::from_secs(20);
/// Taint of a node that an administrator has shut down for good.
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// Knobs of the pod garbage collector; the default values are Kubernetes' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// So many ended pods are kept; 0: all.
    pub ended_pods: usize,
    /// How long a node must be missing before its pods are deleted.
    pub quarantine: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { ended_pods: 12_500, quarantine: SignedDuration::from_secs(40) }
    }
}

/// What the pod garbage collector remembers from call to call: the missing nodes, and when each is to be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    quarantine: BTreeMap<Str, Timestamp>,
}

/// One sweep. The parts are to be carried out in this order; a failure at one pod does not keep the others, so each
/// pod has a list of changes of its own.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Sweep {
    /// Ended pods above the number to keep.
    pub ended: Vec<Vec<Change>>,
    /// Pods being deleted on nodes that are out of service.
    pub out_of_service: Vec<Vec<Change>>,
    /// Nodes to read from the API; the pods of those that do not exist are [`orphaned`].
    pub nodes: Vec<Str>,
    /// Pods being deleted that were never bound to a node.
    pub unscheduled: Vec<Vec<Change>>,
}

/// Finds the pods to delete, and the nodes to ask for.
pub fn sweep(
    pods: &[Arc<Pod>],
    nodes: &[Arc<Node>],
    settings: &Settings,
    memory: &mut Memory,
    now: Timestamp,
) -> Sweep {
    let by_name: BTreeMap<&str, &Node> =
        nodes.iter().map(|node| (node.metadata.name.as_str(), &**node)).collect();
    let pods = in_order(pods);
    let deleting = |pod: &&Pod| pod.metadata.deletion_timestamp.is_some();
    Sweep {
        ended: surplus(&pods, settings.ended_pods),
        out_of_service: evicted_first(pods.iter().copied().filter(deleting).filter(|pod| {
            by_name.get(pod.spec.node_name.as_str()).is_some_and(|node| is_out_of_service(node))
        }))
        .map(|pod| delete(pod, None))
        .collect(),
        nodes: missing(&pods, &by_name, settings, memory, now),
        unscheduled: pods
            .iter()
            .copied()
            .filter(deleting)
            .filter(|pod| pod.spec.node_name.is_empty())
            .map(|pod| delete(pod, None))
            .collect(),
    }
}

/// Deletes the pods of nodes that do not exist, each with its own list of changes. A pod that has not ended fails.
#[must_use]
pub fn orphaned(pods: &[Arc<Pod>], gone: &BTreeSet<Str>, now: Timestamp) -> Vec<Vec<Change>> {
    in_order(pods)
        .into_iter()
        .filter(|pod| gone.contains(&pod.spec.node_name))
        .map(|pod| {
            let message = "PodGC: node no longer exists";
            delete(pod, Some(disruption(pod, "DeletionByPodGC", message, now)))
        })
        .collect()
}

/// The pods by creation, then namespace and name.
fn in_order(pods: &[Arc<Pod>]) -> Vec<&Pod> {
    let mut pods: Vec<&Pod> = pods.iter().map(|pod| &**pod).collect();
    pods.sort_by(|a, b| {
        let key = |pod: &Pod| pod.metadata.creation_timestamp;
        key(a)
            .cmp(&key(b))
            .then_with(|| a.metadata.name.cmp(&b.metadata.name))
            .then_with(|| a.metadata.namespace.cmp(&b.metadata.namespace))
    });
    pods
}

/// Ended pods beyond the number to keep: evicted ones first, then older ones.
fn surplus(pods: &[&Pod], keep: usize) -> Vec<Vec<Change>> {
    if keep == 0 {
        return Vec::new();
    }
    let ended: Vec<&Pod> = evicted_first(pods.iter().copied().filter(|pod| has_ended(pod))).collect();
    let surplus = ended.len().saturating_sub(keep);
    ended.into_iter().take(surplus).map(|pod| delete(pod, None)).collect()
}

/// Evicted pods before the others; otherwise the order stays.
fn evicted_first<'a>(pods: impl Iterator<Item = &'a Pod>) -> impl Iterator<Item = &'a Pod> {
    let (evicted, others): (Vec<_>, Vec<_>) = pods.partition(|pod| is_evicted(pod));
    evicted.into_iter().chain(others)
}

/// An unknown phase counts as ended here, an absent one too.
fn has_ended(pod: &Pod) -> bool {
    !matches!(pod.status.phase, PodPhase::Pending | PodPhase::Running | PodPhase::Unknown)
}

fn is_evicted(pod: &Pod) -> bool {
    pod.status.phase == PodPhase::Failed && pod.status.reason == "Evicted"
}

fn is_out_of_service(node: &Node) -> bool {
    let conditions = &node.status.conditions;
    let ready = conditions.iter().find(|condition| condition.type_ == NodeConditionType::Ready);
    let ready = ready.is_some_and(|condition| condition.status == ConditionStatus::True);
    !ready && node.spec.taints.iter().any(|taint| taint.key == OUT_OF_SERVICE)
}

/// Nodes whose quarantine is over and that are missing still. A missing node stays in quarantine, or goes back to it.
fn missing(
    pods: &[&Pod],
    nodes: &BTreeMap<&str, &Node>,
    settings: &Settings,
    memory: &mut Memory,
    now: Timestamp,
) -> Vec<Str> {
    let mut due: Vec<(Timestamp, Str)> = Vec::new();
    memory.quarantine.retain(|node, until| {
        let over = *until <= now;
        if over && !nodes.contains_key(node.as_str()) {
            due.push((*until, node.clone()));
        }
        !over
    });
    let until = now.checked_add(settings.quarantine).unwrap_or(Timestamp::MAX);
    for pod in pods {
        let node = &pod.spec.node_name;
        if !node.is_empty() && !nodes.contains_key(node.as_str()) {
            memory.quarantine.entry(node.clone()).or_insert(until);
        }
    }
    due.sort();
    due.into_iter().map(|(_, node)| node).collect()
}

/// Deletes a pod at once; one that has not ended fails first, so that its owner counts it.
fn delete(pod: &Pod, condition: Option<PodCondition>) -> Vec<Change> {
    let mut changes = Vec::new();
    if !is_terminal(pod) {
        let mut failed = StatusChange::of(pod).phase(PodPhase::Failed);
        if let Some(condition) = condition {
            failed = failed.condition(condition);
        }
        changes.extend(failed.patch().map(Change::from));
    }
    changes.push(Delete { grace_period_seconds: Some(0), ..Delete::new(pod) }.into());
    changes
}
