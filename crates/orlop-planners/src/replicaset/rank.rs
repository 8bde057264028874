//! Which pods of a ReplicaSet go first.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use orlop_model::apps::v1::ReplicaSet;
use orlop_model::core::v1::{ContainerStatus, Pod, PodPhase};
use orlop_model::selector::{Selector, SelectorError};
use orlop_model::{Str, Time};

use super::Children;
use crate::pod;
use crate::sort::merge_sort;

/// Annotation of a pod: the lower the number (32 bits, 0 if absent), the sooner it is deleted.
pub const POD_DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// `pods` in the order in which they are to be deleted.
///
/// The order is that of Kubernetes 1.36 (`ActivePodsWithRanks`), which is not transitive: pods of *equal* times go on
/// to the next rule, those of different times in one bucket are told apart by UID. Equal pods stay in order of
/// their names.
pub(super) fn rank(
    set: &ReplicaSet,
    children: &Children<'_>,
    mut pods: Vec<Arc<Pod>>,
    now: Timestamp,
) -> Vec<Arc<Pod>> {
    pods.sort_by(|left, right| left.metadata.name.cmp(&right.metadata.name));
    let related = related_per_node(set, children);
    let entries: Vec<Entry> = pods.iter().map(|pod| Entry::new(pod, &related, now)).collect();
    merge_sort((0..pods.len()).collect(), &|left: &usize, right: &usize| {
        entries[*left].goes_before(&entries[*right])
    })
    .into_iter()
    .map(|index| pods[index].clone())
    .collect()
}

/// Active pods per node among those that the ReplicaSets with the same controller select.
fn related_per_node<'a>(set: &ReplicaSet, children: &Children<'a>) -> BTreeMap<&'a str, usize> {
    let mut per_node = BTreeMap::new();
    let Some(controller) = set.metadata.controller() else {
        return per_node;
    };
    let selectors: Result<BTreeMap<&Str, Selector>, _> = children
        .siblings
        .iter()
        .map(|sibling| &**sibling)
        .filter(|sibling| sibling.metadata.namespace == set.metadata.namespace)
        .filter(|sibling| sibling.metadata.controller().is_some_and(|other| other.uid == controller.uid))
        .chain([set])
        .map(|sibling| {
            let selector = Selector::from_object(sibling.spec.selector.as_deref())?;
            Ok::<_, SelectorError>((&sibling.metadata.uid, selector))
        })
        .collect();
    // With one that cannot be read nobody is related, as in Kubernetes.
    let Ok(selectors) = selectors else { return per_node };
    let mut seen = BTreeSet::new();
    for pod in children.pods {
        let selected = pod.metadata.namespace == set.metadata.namespace
            && selectors.values().any(|selector| selector.matches(&pod.metadata.labels));
        if selected && seen.insert(&pod.metadata.uid) && pod::is_active(pod) {
            *per_node.entry(pod.spec.node_name.as_str()).or_default() += 1;
        }
    }
    per_node
}

/// What the order looks at, taken once per pod.
struct Entry<'a> {
    /// Everything up to the ready time; smaller goes first.
    first: (bool, u8, bool, i32, Reverse<usize>),
    /// Ready since; the outer `None` if it is not ready.
    ready: Option<Option<Moment>>,
    /// Most restarts of a container, then of a sidecar.
    restarts: (i32, i32),
    created: Option<Moment>,
    uid: &'a str,
}

/// A time, and its bucket of age.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Moment {
    at: Time,
    bucket: i32,
}

impl Moment {
    /// Buckets double in length: the whole part of the logarithm to base 2 of the age in nanoseconds, −1 for ages of
    /// zero and below.
    fn new(at: Time, now: Timestamp) -> Self {
        let age = now.as_nanosecond() - at.timestamp().as_nanosecond();
        let bucket = if age > 0 { 127 - age.leading_zeros().cast_signed() } else { -1 };
        Self { at, bucket }
    }
}

impl<'a> Entry<'a> {
    fn new(pod: &'a Pod, related: &BTreeMap<&str, usize>, now: Timestamp) -> Self {
        let ready = pod::ready(pod);
        let phase = match pod.status.phase {
            PodPhase::Running => 2,
            PodPhase::Unknown => 1,
            _ => 0,
        };
        let related = related.get(pod.spec.node_name.as_str()).copied().unwrap_or(0);
        let moment = |at: Option<Time>| at.map(|at| Moment::new(at, now));
        Self {
            first: (
                !pod.spec.node_name.is_empty(),
                phase,
                ready.is_some(),
                deletion_cost(pod),
                Reverse(related),
            ),
            ready: ready.map(|ready| moment(ready.last_transition_time)),
            restarts: restarts(pod),
            created: moment(pod.metadata.creation_timestamp),
            uid: &pod.metadata.uid,
        }
    }

    /// Whether this pod is to be deleted before the other.
    fn goes_before(&self, other: &Self) -> bool {
        match self.first.cmp(&other.first) {
            Ordering::Equal => {}
            unequal => return unequal.is_lt(),
        }
        if let (Some(left), Some(right)) = (self.ready, other.ready)
            && let Some(answer) = self.younger(left, right, other)
        {
            return answer;
        }
        if self.restarts != other.restarts {
            return self.restarts > other.restarts;
        }
        self.younger(self.created, other.created, other).unwrap_or(false)
    }

    /// Whether the younger of two different times, one that is absent first, is this pod's; `None` if they are equal.
    fn younger(&self, left: Option<Moment>, right: Option<Moment>, other: &Self) -> Option<bool> {
        match (left, right) {
            (Some(left), Some(right)) if left.at == right.at => None,
            (Some(left), Some(right)) if left.bucket == right.bucket => Some(self.uid < other.uid),
            (Some(left), Some(right)) => Some(left.bucket < right.bucket),
            (None, None) => None,
            (left, _) => Some(left.is_none()),
        }
    }
}

fn deletion_cost(pod: &Pod) -> i32 {
    let text = pod.metadata.annotations.get(POD_DELETION_COST).map_or("", |text| text.as_str());
    let well_formed = text == "0" || matches!(text.as_bytes().first(), Some(b'-' | b'1'..=b'9'));
    if well_formed { text.parse().unwrap_or(0) } else { 0 }
}

fn restarts(pod: &Pod) -> (i32, i32) {
    fn most<'a>(statuses: impl Iterator<Item = &'a ContainerStatus>) -> i32 {
        statuses.map(|status| status.restart_count).max().unwrap_or(0).max(0)
    }
    let is_sidecar = |status: &&ContainerStatus| {
        pod.spec.init_containers.iter().any(|container| {
            container.name == status.name
                && container.restart_policy.as_ref().is_some_and(|policy| *policy == "Always")
        })
    };
    (
        most(pod.status.container_statuses.iter()),
        most(pod.status.init_container_statuses.iter().filter(is_sidecar)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletion_costs_are_read_as_kubernetes_reads_them() {
        for (text, cost) in
            [("5", 5), ("-05", -5), ("0", 0), ("05", 0), ("+3", 0), ("bad", 0), ("99999999999", 0)]
        {
            let mut pod = Pod::default();
            pod.metadata.annotations.insert(POD_DELETION_COST, text.into());
            assert_eq!(deletion_cost(&pod), cost, "{text:?}");
        }
    }
}
