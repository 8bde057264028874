//! [`PodGroups`]: placed pods that no selector can tell apart, counted together.

use std::collections::HashMap;

use orlop_model::core::v1::Pod;
use orlop_model::{Map, Str};

/// Pods of one namespace with equal labels. Selectors are matched once per group, not per pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodGroup {
    pub(super) namespace: Str,
    pub(super) labels: Map<Str>,
}

impl PodGroup {
    /// The pods' namespace.
    #[must_use]
    pub fn namespace(&self) -> &Str {
        &self.namespace
    }

    /// The pods' labels.
    #[must_use]
    pub fn labels(&self) -> &Map<Str> {
        &self.labels
    }
}

/// All groups that have a pod somewhere, by small numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct PodGroups {
    by_group: HashMap<PodGroup, u32>,
    groups: Vec<Option<PodGroup>>,
    members: Vec<u32>,
    free: Vec<u32>,
}

impl PodGroups {
    /// The number of the pod's group, which has one member more.
    pub(super) fn join(&mut self, pod: &Pod) -> u32 {
        let group =
            PodGroup { namespace: pod.metadata.namespace.clone(), labels: pod.metadata.labels.clone() };
        if let Some(&number) = self.by_group.get(&group) {
            self.members[number as usize] += 1;
            return number;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.groups.push(None);
            self.members.push(0);
            u32::try_from(self.groups.len() - 1).expect("fewer than 2^32 groups of pods")
        });
        self.groups[number as usize] = Some(group.clone());
        self.members[number as usize] = 1;
        self.by_group.insert(group, number);
        number
    }

    pub(super) fn leave(&mut self, number: u32) {
        let members = &mut self.members[number as usize];
        *members -= 1;
        if *members == 0
            && let Some(group) = self.groups[number as usize].take()
        {
            self.by_group.remove(&group);
            self.free.push(number);
        }
    }

    pub(super) fn slots(&self) -> &[Option<PodGroup>] {
        &self.groups
    }
}

/// How many pods of a group are on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupCount {
    pub(super) group: u32,
    pub(super) running: u32,
    pub(super) terminating: u32,
}

impl GroupCount {
    /// Place of the group's answer in [`ClusterView::each_group`](super::ClusterView::each_group).
    #[must_use]
    pub fn group(&self) -> usize {
        self.group as usize
    }

    /// Pods that are not being deleted.
    #[must_use]
    pub fn running(&self) -> i64 {
        i64::from(self.running)
    }

    /// All pods.
    #[must_use]
    pub fn all(&self) -> i64 {
        i64::from(self.running) + i64::from(self.terminating)
    }
}
