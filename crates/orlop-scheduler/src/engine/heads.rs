//! [`Heads`]: which node of a class is best, without sorting the others.

/// A node and its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) score: i32,
    pub(super) node: u32,
}

/// A binary heap of nodes, best first: the greatest score, of equal ones the greatest rank. Entries are not
/// changed when a node's score does; who looks checks whether they still hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Heads(Vec<Head>);

impl Heads {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn first(&self) -> Option<Head> {
        self.0.first().copied()
    }

    pub(super) fn push(&mut self, head: Head, rank: impl Fn(u32) -> u64) {
        self.0.push(head);
        let mut at = self.0.len() - 1;
        while at > 0 {
            let parent = (at - 1) / 2;
            if !better(head, self.0[parent], &rank) {
                break;
            }
            self.0[at] = self.0[parent];
            at = parent;
        }
        self.0[at] = head;
    }

    pub(super) fn pop(&mut self, rank: impl Fn(u32) -> u64) {
        let Some(last) = self.0.pop() else {
            return;
        };
        if !self.0.is_empty() {
            self.sink(0, last, &rank);
        }
    }

    /// Keeps each entry that still holds once.
    pub(super) fn rebuild(&mut self, holds: impl Fn(Head) -> bool, rank: impl Fn(u32) -> u64) {
        self.0.retain(|head| holds(*head));
        self.0.sort_unstable_by_key(|head| head.node);
        self.0.dedup();
        for at in (0..self.0.len() / 2).rev() {
            self.sink(at, self.0[at], &rank);
        }
    }

    fn sink(&mut self, mut at: usize, head: Head, rank: &impl Fn(u32) -> u64) {
        loop {
            let mut child = 2 * at + 1;
            if child >= self.0.len() {
                break;
            }
            if child + 1 < self.0.len() && better(self.0[child + 1], self.0[child], rank) {
                child += 1;
            }
            if !better(self.0[child], head, rank) {
                break;
            }
            self.0[at] = self.0[child];
            at = child;
        }
        self.0[at] = head;
    }

    pub(super) fn size(&self) -> usize {
        self.0.capacity() * size_of::<Head>()
    }
}

fn better(a: Head, b: Head, rank: &impl Fn(u32) -> u64) -> bool {
    a.score > b.score || (a.score == b.score && rank(a.node) > rank(b.node))
}
