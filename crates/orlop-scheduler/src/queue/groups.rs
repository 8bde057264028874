//! [`Groups`]: pods that belong together, and the turns that groups take.

use std::collections::BTreeMap;
use std::fmt;

use hashbrown::HashMap;
use orlop_model::Str;
use orlop_model::core::v1::Pod;

use super::QueuedPod;
use crate::framework::guarded;

/// The user's function from a pod to its group.
pub(super) type GroupOf = Box<dyn Fn(&Pod) -> Option<Str> + Send + Sync>;

/// Which groups there are. Fair queueing by start tags: a pod of a group that had its turn comes after
/// one of each other group, whatever number of pods each has.
#[derive(Default)]
pub(super) struct Groups {
    key: Option<GroupOf>,
    fair: bool,
    /// How many pods the queue knows of each. Pods without a group count as one.
    members: HashMap<Str, usize>,
    /// Turns are taken among pods of equal priority.
    levels: BTreeMap<i32, Level>,
}

#[derive(Debug, Default)]
struct Level {
    /// The turn of the pod that was taken last.
    turn: u64,
    /// The turn of each group's next pod at the earliest.
    next: HashMap<Str, u64>,
}

impl fmt::Debug for Groups {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Groups")
            .field("fair", &self.fair)
            .field("levels", &self.levels)
            .finish_non_exhaustive()
    }
}

impl Groups {
    pub(super) fn new(key: GroupOf, fair: bool) -> Self {
        Self { key: Some(key), fair, ..Self::default() }
    }

    pub(super) fn is_fair(&self) -> bool {
        self.fair
    }

    /// The pod joins the queue.
    pub(super) fn join(&mut self, pod: &Pod) -> Option<Str> {
        let key = self.key.as_ref()?;
        // Where the function panics, the pod belongs to no group.
        let group = guarded("grouping", "", || key(pod)).ok().flatten();
        *self.members.entry(group.clone().unwrap_or_default()).or_default() += 1;
        group
    }

    /// A pod of the group leaves the queue for good.
    pub(super) fn leave(&mut self, group: Option<&Str>) {
        let name = group.map_or("", Str::as_str);
        let Some(members) = self.members.get_mut(name) else {
            return;
        };
        *members -= 1;
        if *members == 0 {
            self.members.remove(name);
            self.levels.retain(|_, level| {
                level.next.remove(name);
                !level.next.is_empty()
            });
        }
    }

    /// The turn of a pod that becomes ready.
    pub(super) fn turn(&mut self, queued: &QueuedPod) -> u64 {
        if !self.fair {
            return 0;
        }
        let level = self.levels.entry(queued.pod.spec.priority.unwrap_or(0)).or_default();
        let next = level.next.entry(queued.group.clone().unwrap_or_default()).or_default();
        let turn = level.turn.max(*next);
        *next = turn.saturating_add(1);
        turn
    }

    /// The pod is taken, and it was its turn.
    pub(super) fn taken(&mut self, queued: &QueuedPod, turn: u64) {
        if let Some(level) = self.levels.get_mut(&queued.pod.spec.priority.unwrap_or(0)) {
            level.turn = level.turn.max(turn);
        }
    }

    /// How many pods of the group the queue knows.
    pub(super) fn members(&self, group: &str) -> usize {
        self.members.get(group).copied().unwrap_or(0)
    }
}
