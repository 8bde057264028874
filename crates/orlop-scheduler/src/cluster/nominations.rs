//! [`Nominations`]: pods that are to have room on a node soon.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use orlop_model::Str;

/// Which pods are nominated to which nodes: pods are to be evicted there for them, or were.
#[derive(Clone, Debug, Default)]
pub(super) struct Nominations {
    /// By identity of the pod: its place in the cluster's table.
    by_pod: HashMap<Str, u32>,
    /// By index of the node, in the order of nomination.
    by_node: BTreeMap<u32, Vec<u32>>,
    version: u64,
}

impl Nominations {
    pub(super) fn is_empty(&self) -> bool {
        self.by_pod.is_empty()
    }

    /// Changes whenever a nomination does.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn slot(&self, id: &str) -> Option<u32> {
        if self.by_pod.is_empty() { None } else { self.by_pod.get(id).copied() }
    }

    /// Places of the pods nominated to a node.
    pub(super) fn on(&self, node: u32) -> &[u32] {
        if self.by_node.is_empty() { &[] } else { self.by_node.get(&node).map_or(&[], Vec::as_slice) }
    }

    /// Nodes with the places of the pods nominated to them.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (u32, &[u32])> {
        self.by_node.iter().map(|(&node, slots)| (node, slots.as_slice()))
    }

    /// At this place in the order of the node's nominations.
    pub(super) fn add(&mut self, id: Str, slot: u32, node: u32, place: usize) {
        self.version += 1;
        self.by_pod.insert(id, slot);
        let slots = self.by_node.entry(node).or_default();
        slots.insert(place.min(slots.len()), slot);
    }

    /// Answers the place that it had.
    pub(super) fn remove(&mut self, id: &str, node: u32) -> usize {
        let Some(slot) = self.by_pod.remove(id) else {
            return 0;
        };
        self.version += 1;
        let Some(slots) = self.by_node.get_mut(&node) else {
            return 0;
        };
        let place = slots.iter().position(|other| *other == slot).unwrap_or(slots.len());
        slots.retain(|other| *other != slot);
        if slots.is_empty() {
            self.by_node.remove(&node);
        }
        place
    }
}
