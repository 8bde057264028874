//! Taints of nodes, and the patches that change them.

use jiff::Timestamp;
use orlop_model::List;
use orlop_model::core::v1::{ConditionStatus, Node, NodeConditionType, Taint, TaintEffect};
use serde_json::{Value, json};

use crate::{Change, PatchChange, Plan};

/// Taint of a node that says it is not ready.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// Taint of a node that says nothing any more.
pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const MEMORY_PRESSURE: &str = "node.kubernetes.io/memory-pressure";
const DISK_PRESSURE: &str = "node.kubernetes.io/disk-pressure";
const PID_PRESSURE: &str = "node.kubernetes.io/pid-pressure";
const NETWORK_UNAVAILABLE: &str = "node.kubernetes.io/network-unavailable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// The taints that [`condition_taints`] looks after.
const BY_CONDITION: [&str; 7] = [
    NOT_READY,
    UNREACHABLE,
    MEMORY_PRESSURE,
    DISK_PRESSURE,
    PID_PRESSURE,
    NETWORK_UNAVAILABLE,
    UNSCHEDULABLE,
];

/// Labels that older clients read, and the labels they follow.
const FOLLOWING_LABELS: [(&str, &str); 2] =
    [("beta.kubernetes.io/os", "kubernetes.io/os"), ("beta.kubernetes.io/arch", "kubernetes.io/arch")];

/// The key of the taint for a condition in this status, if there is one.
fn key_for(type_: &NodeConditionType, status: &ConditionStatus) -> Option<&'static str> {
    match (type_, status) {
        (NodeConditionType::Ready, ConditionStatus::False) => Some(NOT_READY),
        (NodeConditionType::Ready, ConditionStatus::Unknown) => Some(UNREACHABLE),
        (NodeConditionType::MemoryPressure, ConditionStatus::True) => Some(MEMORY_PRESSURE),
        (NodeConditionType::DiskPressure, ConditionStatus::True) => Some(DISK_PRESSURE),
        (NodeConditionType::PIDPressure, ConditionStatus::True) => Some(PID_PRESSURE),
        (NodeConditionType::NetworkUnavailable, ConditionStatus::True) => Some(NETWORK_UNAVAILABLE),
        _ => None,
    }
}

/// Brings the `NoSchedule` taints of a node in line with its conditions and `spec.unschedulable`: first adds those that
/// are missing (with `now` as the time), then removes those that are out of date. Other taints are left alone.
pub fn condition_taints(node: &Node, now: Timestamp) -> Plan {
    let conditions = node.status.conditions.iter();
    let wanted: Vec<&str> = conditions
        .filter_map(|condition| key_for(&condition.type_, &condition.status))
        .chain(node.spec.unschedulable.then_some(UNSCHEDULABLE))
        .collect();
    let present = |key: &str| exists(&node.spec.taints, key, &TaintEffect::NoSchedule);
    let missing: Vec<Taint> =
        wanted.iter().filter(|key| !present(key)).map(|key| new(key, TaintEffect::NoSchedule, now)).collect();
    let surplus: Vec<&str> =
        BY_CONDITION.into_iter().filter(|key| present(key) && !wanted.contains(key)).collect();

    let mut edit = Edit::of(node);
    edit.add(missing);
    edit.remove(&surplus, &TaintEffect::NoSchedule);
    Plan { changes: edit.changes, ..Plan::default() }
}

/// Lets the labels `beta.kubernetes.io/os` and `beta.kubernetes.io/arch` follow `kubernetes.io/os` and
/// `kubernetes.io/arch`; `None` if they do.
#[must_use]
pub fn os_labels(node: &Node) -> Option<Change> {
    let labels = &node.metadata.labels;
    let changed: serde_json::Map<String, Value> = FOLLOWING_LABELS
        .iter()
        .filter_map(|(follower, leader)| Some((follower, labels.get(leader)?)))
        .filter(|(follower, value)| labels.get(follower) != Some(value))
        .map(|(follower, value)| ((*follower).to_owned(), json!(value)))
        .collect();
    let document = json!({"metadata": {"labels": changed}});
    (!changed.is_empty()).then(|| PatchChange::strategic(node, document).into())
}

pub(super) fn new(key: &str, effect: TaintEffect, now: Timestamp) -> Taint {
    Taint { key: key.into(), effect, time_added: Some(now.into()), ..Taint::default() }
}

pub(super) fn exists(taints: &[Taint], key: &str, effect: &TaintEffect) -> bool {
    taints.iter().any(|taint| taint.key == *key && taint.effect == *effect)
}

/// A node's taints as they become, and the patches made of that. Each patch carries the whole list.
#[derive(Clone, Debug)]
pub(super) struct Edit<'a> {
    node: &'a Node,
    /// The taints after the changes so far.
    taints: List<Taint>,
    pub changes: Vec<Change>,
}

impl<'a> Edit<'a> {
    pub(super) fn of(node: &'a Node) -> Self {
        Self { node, taints: node.spec.taints.clone(), changes: Vec::new() }
    }

    /// The taints after the changes so far.
    pub(super) fn taints(&self) -> &List<Taint> {
        &self.taints
    }

    /// Goes on from taints that earlier changes left.
    pub(super) fn after(mut self, taints: &List<Taint>) -> Self {
        self.taints = taints.clone();
        self
    }

    /// Adds taints; one that is there already gets the new time.
    pub(super) fn add(&mut self, new: impl IntoIterator<Item = Taint>) {
        let before = self.taints.clone();
        for new in new {
            let same = |taint: &Taint| taint.key == new.key && taint.effect == new.effect;
            match self.taints.iter_mut().find(|taint| same(taint)) {
                Some(old) => *old = new,
                None => self.taints.push(new),
            }
        }
        self.patch(&before);
    }

    /// Removes taints. The node as it was seen decides whether that is tried at all.
    pub(super) fn remove(&mut self, keys: &[&str], effect: &TaintEffect) {
        if !keys.iter().any(|key| exists(&self.node.spec.taints, key, effect)) {
            return;
        }
        let before = self.taints.clone();
        self.taints.retain(|taint| taint.effect != *effect || !keys.iter().any(|key| taint.key == **key));
        self.patch(&before);
    }

    fn patch(&mut self, before: &List<Taint>) {
        if self.taints == *before {
            return;
        }
        let taints = if self.taints.is_empty() { Value::Null } else { json!(self.taints) };
        let document = json!({"spec": {"taints": taints}});
        self.changes.push(PatchChange::strategic(self.node, document).into());
    }
}
