//! [`Heads`]: which node of a class is best, without sorting the others.

use std::collections::BinaryHeap;

/// A node and its score. The greater comes first: of equal scores that of the greater rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Head {
    pub(super) score: i32,
    /// The node's rank and index, as in [`Cluster::rank`](crate::Cluster::rank).
    pub(super) rank: (u32, u32),
}

impl Head {
    pub(super) fn node(self) -> u32 {
        self.rank.1
    }
}

/// Nodes, best first. Entries are not changed when a node's score does: who looks checks whether they still
/// hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Heads(BinaryHeap<Head>);

impl Heads {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn push(&mut self, head: Head) {
        self.0.push(head);
    }

    /// The first that holds; those before it are forgotten.
    pub(super) fn first(&mut self, holds: impl Fn(Head) -> bool) -> Option<Head> {
        while let Some(head) = self.0.peek() {
            if holds(*head) {
                return Some(*head);
            }
            self.0.pop();
        }
        None
    }

    /// Keeps each entry that still holds once.
    pub(super) fn tidy(&mut self, holds: impl Fn(Head) -> bool) {
        let mut heads = std::mem::take(&mut self.0).into_vec();
        heads.retain(|head| holds(*head));
        heads.sort_unstable_by_key(|head| head.node());
        heads.dedup();
        self.0 = heads.into();
    }

    pub(super) fn size(&self) -> usize {
        self.0.capacity() * size_of::<Head>()
    }
}
