use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use crate::Priority;
use crate::queue::Shared;
use crate::state::Taken;

/// A key that was handed out: nobody else gets it as long as this lives.
///
/// Dropping the ticket finishes the key (also when the worker panics or its future is dropped); if the key was added
/// meanwhile, it is queued again. Dropping keeps the count of failures; a success is told by [`Ticket::forget`], a
/// failure by [`Ticket::retry`].
pub struct Ticket<K: Hash + Eq + Clone + 'static> {
    shared: Arc<Shared<K>>,
    taken: Taken<K>,
}

impl<K: Hash + Eq + Clone + 'static> Ticket<K> {
    pub(crate) const fn new(shared: Arc<Shared<K>>, taken: Taken<K>) -> Self {
        Self { shared, taken }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &K {
        &self.taken.key
    }

    /// How often the key has failed since it was last forgotten.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.taken.failures
    }

    /// The priority that it was queued with.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        self.taken.priority
    }

    /// How long it was due before it was handed out.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.taken.waited
    }

    /// Finishes the key: it failed, and comes back after the delay that the queue's limits ask for, which is returned.
    /// Its priority is kept.
    pub fn retry(self) -> Duration {
        self.shared.retry(&self.taken, None)
    }

    /// Finishes the key: it failed, and comes back after `delay`. The failure is counted, the limits are not asked.
    pub fn retry_after(self, delay: Duration) {
        self.shared.retry(&self.taken, Some(delay));
    }

    /// Finishes the key: it succeeded, its failures are forgotten, and it comes back after `delay`.
    pub fn requeue_after(self, delay: Duration) {
        self.shared.requeue(&self.taken, delay);
    }

    /// Finishes the key: it succeeded, and its failures are forgotten.
    pub fn forget(self) {
        self.shared.forget_taken(&self.taken);
    }
}

impl<K: Hash + Eq + Clone + 'static> Drop for Ticket<K> {
    fn drop(&mut self) {
        self.shared.finish(self.taken.slot);
    }
}

impl<K: Hash + Eq + Clone + 'static + fmt::Debug> fmt::Debug for Ticket<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("key", &self.taken.key)
            .field("failures", &self.taken.failures)
            .finish()
    }
}
