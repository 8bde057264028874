//! [`PodGroups`]: placed pods that no plugin can tell apart, counted together.

use std::sync::Arc;

use hashbrown::HashMap;
use orlop_model::core::v1::Pod;
use orlop_model::{Map, Str};

use super::{Load, PodTerms};

/// Pods of one namespace with equal labels and equal affinity to other pods. Selectors are matched once
/// per group, not per pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodGroup {
    namespace: Str,
    labels: Map<Str>,
    terms: Option<Box<PodTerms>>,
}

impl PodGroup {
    pub(crate) fn of(pod: &Pod) -> Self {
        Self {
            namespace: pod.metadata.namespace.clone(),
            labels: pod.metadata.labels.clone(),
            // Admission refuses malformed terms; those of a pod that runs all the same say nothing.
            terms: PodTerms::of(pod).ok().flatten().map(Box::new),
        }
    }

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

    /// The pods' affinity to other pods, if they have any.
    pub(crate) fn terms(&self) -> Option<&PodTerms> {
        self.terms.as_deref()
    }
}

/// All groups that have a pod somewhere, by small numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct PodGroups {
    by_group: HashMap<Arc<PodGroup>, u32>,
    groups: Vec<Option<Arc<PodGroup>>>,
    members: Vec<u32>,
    /// What the last pod of each takes: most pods of a group take the same.
    loads: Vec<Option<Arc<Load>>>,
    free: Vec<u32>,
}

impl PodGroups {
    /// The number of a group, which has one member more, and whether the group is new.
    pub(super) fn join(&mut self, group: &Arc<PodGroup>) -> (u32, bool) {
        if let Some(&number) = self.by_group.get(group) {
            self.members[number as usize] += 1;
            return (number, false);
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.groups.push(None);
            self.members.push(0);
            self.loads.push(None);
            u32::try_from(self.groups.len() - 1).expect("fewer than 2^32 groups of pods")
        });
        self.groups[number as usize] = Some(Arc::clone(group));
        self.members[number as usize] = 1;
        self.by_group.insert(Arc::clone(group), number);
        (number, true)
    }

    /// The load, shared with the last pod of the group if that takes the same.
    pub(super) fn share(&mut self, group: u32, load: Arc<Load>) -> Arc<Load> {
        match &mut self.loads[group as usize] {
            Some(last) if Arc::ptr_eq(last, &load) => load,
            Some(last) if **last == *load => Arc::clone(last),
            last => {
                *last = Some(Arc::clone(&load));
                load
            }
        }
    }

    pub(super) fn leave(&mut self, number: u32) {
        let members = &mut self.members[number as usize];
        *members -= 1;
        if *members == 0
            && let Some(group) = self.groups[number as usize].take()
        {
            self.by_group.remove(&group);
            self.loads[number as usize] = None;
            self.free.push(number);
        }
    }

    pub(super) fn slots(&self) -> &[Option<Arc<PodGroup>>] {
        &self.groups
    }
}

/// How many pods of a group are on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupCount {
    pub(super) group: u32,
    /// Below 0 on a node from which a pod that is being deleted is [taken away](super::TrialNode::remove).
    pub(super) running: i32,
    pub(super) terminating: i32,
}

impl GroupCount {
    /// The group's number; that of a group without pods is given to another.
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
