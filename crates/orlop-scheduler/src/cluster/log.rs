//! [`ChangeLog`]: what happened to the cluster, in order.

use std::collections::VecDeque;

use orlop_model::Str;

/// One entry of the [`ChangeLog`]. Pods are named by [`pod_id`](crate::pod_id).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Logged {
    /// A node appeared.
    NodeAdded {
        /// Its name.
        node: Str,
    },
    /// A node changed in something that plugins read.
    NodeUpdated {
        /// Its name.
        node: Str,
    },
    /// A node disappeared.
    NodeRemoved {
        /// Its name.
        node: Str,
    },
    /// A pod was decided to go to a node.
    PodAssumed {
        /// Its identity.
        pod: Str,
        /// The node's name.
        node: Str,
    },
    /// Such a decision was undone.
    PodForgot {
        /// Its identity.
        pod: Str,
        /// The node's name.
        node: Str,
    },
    /// A pod was seen on a node; for an assumed one: the decision holds.
    PodAdded {
        /// Its identity.
        pod: Str,
        /// The node's name.
        node: Str,
    },
    /// A pod on a node changed.
    PodUpdated {
        /// Its identity.
        pod: Str,
        /// The node's name.
        node: Str,
    },
    /// A pod is gone from its node.
    PodRemoved {
        /// Its identity.
        pod: Str,
        /// The node's name.
        node: Str,
    },
    /// A pod is to have room on a node soon.
    PodNominated {
        /// Its identity.
        pod: Str,
        /// The node's name.
        node: Str,
    },
    /// A pod is nominated to a node no more.
    NominationCleared {
        /// Its identity.
        pod: Str,
        /// The node's name.
        node: Str,
    },
    /// It was decided which volumes the claims of a pod get.
    VolumesAssumed {
        /// Identity of the pod.
        pod: Str,
    },
    /// Such a decision was undone.
    VolumesForgot {
        /// Identity of the pod.
        pod: Str,
    },
    /// An object that plugins read beside nodes and pods was set or removed.
    ObjectChanged {
        /// Its kind.
        kind: Str,
        /// Its namespace; empty if it has none.
        namespace: Str,
        /// Its name.
        name: Str,
    },
}

/// What of a node changed: all that engines which keep answers need to know of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Touch {
    /// Index of the node; of no meaning for [`Touched::Group`].
    pub(crate) node: u32,
    pub(crate) what: Touched,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touched {
    /// The object: it came, changed or went.
    Object,
    /// A pod of this group came or went.
    Pods(u32),
    /// This number stands for another group of pods now.
    Group(u32),
}

/// The last changes of the cluster, each with a number that grows by one.
///
/// Readers keep a cursor, [`next`](Self::next) at the time of their last look, and read on with
/// [`since`](Self::since). The log forgets the oldest entries beyond its capacity; a reader that is
/// told so has to look at the whole cluster again.
#[derive(Clone, Debug)]
pub struct ChangeLog {
    entries: VecDeque<Logged>,
    first: u64,
    capacity: usize,
    touches: VecDeque<Touch>,
    first_touch: u64,
}

impl ChangeLog {
    /// An empty log that keeps the last `capacity` entries.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { entries: VecDeque::new(), first: 0, capacity, touches: VecDeque::new(), first_touch: 0 }
    }

    /// The number that the next entry will get: a cursor behind everything so far.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Entries from number `cursor` on, or `None` if some of them are forgotten (or the cursor is
    /// not of this log).
    #[must_use]
    pub fn since(&self, cursor: u64) -> Option<impl Iterator<Item = &Logged>> {
        let skip = usize::try_from(cursor.checked_sub(self.first)?).ok()?;
        (skip <= self.entries.len()).then(|| self.entries.range(skip..))
    }

    /// The number that the next touch will get.
    pub(crate) fn next_touch(&self) -> u64 {
        self.first_touch + self.touches.len() as u64
    }

    /// Touches from number `cursor` on, or `None` if some of them are forgotten.
    pub(crate) fn touches_since(&self, cursor: u64) -> Option<impl ExactSizeIterator<Item = &Touch> + Clone> {
        let skip = usize::try_from(cursor.checked_sub(self.first_touch)?).ok()?;
        (skip <= self.touches.len()).then(|| self.touches.range(skip..))
    }

    pub(super) fn touch(&mut self, node: u32, what: Touched) {
        self.touches.push_back(Touch { node, what });
        if self.touches.len() > self.capacity {
            self.touches.pop_front();
            self.first_touch += 1;
        }
    }

    /// Forgets entries from number `end` on; the touches stay.
    pub(super) fn truncate(&mut self, end: u64) {
        match usize::try_from(end.saturating_sub(self.first)) {
            Ok(left) if end >= self.first => self.entries.truncate(left),
            _ => {
                self.entries.clear();
                self.first = end;
            }
        }
    }

    pub(crate) fn push(&mut self, entry: Logged) {
        self.entries.push_back(entry);
        if self.entries.len() > self.capacity {
            self.entries.pop_front();
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_each_entry_once_or_are_told_to_look_anew() {
        let mut log = ChangeLog::new(2);
        let start = log.next();
        let added = |name: &str| Logged::NodeAdded { node: name.into() };
        log.push(added("a"));
        let cursor = log.next();
        log.push(added("b"));
        log.push(added("c"));
        assert!(log.since(start).is_none());
        assert_eq!(log.since(cursor).unwrap().cloned().collect::<Vec<_>>(), [added("b"), added("c")]);
        assert_eq!(log.since(log.next()).unwrap().count(), 0);
        assert!(log.since(log.next() + 1).is_none());
    }
}
