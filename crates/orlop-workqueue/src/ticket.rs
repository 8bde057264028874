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
    /// Whether the key is finished already.
    finished: bool,
}

/// What a worker has to say at the end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// Nothing.
    Done,
    /// It succeeded: failures are forgotten.
    Succeeded,
    /// It succeeded, and comes back.
    Requeue(Duration),
    /// It failed, and comes back when the limits say, or then.
    Failed(Option<Duration>),
}

impl<K: Hash + Eq + Clone + 'static> Ticket<K> {
    pub(crate) const fn new(shared: Arc<Shared<K>>, taken: Taken<K>) -> Self {
        Self { shared, taken, finished: false }
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

    /// How long it was due before it was handed out; zero unless the queue [measures](crate::Builder::timed) that.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.taken.waited
    }

    /// Finishes the key, as dropping the ticket does.
    pub fn done(self) {}

    /// Finishes the key: it failed, and comes back after the delay that the queue's limits ask for, which is returned.
    /// Its priority is kept.
    pub fn retry(self) -> Duration {
        self.end(Verdict::Failed(None))
    }

    /// Finishes the key: it failed, and comes back after `delay`. The failure is counted, the limits are not asked.
    pub fn retry_after(self, delay: Duration) {
        self.end(Verdict::Failed(Some(delay)));
    }

    /// Finishes the key: it succeeded, its failures are forgotten, and it comes back when the others of its priority
    /// have had their turn.
    pub fn requeue(self) {
        self.requeue_after(Duration::ZERO);
    }

    /// Finishes the key: it succeeded, its failures are forgotten, and it comes back after `delay`.
    pub fn requeue_after(self, delay: Duration) {
        self.end(Verdict::Requeue(delay));
    }

    /// Finishes the key: it succeeded, and its failures are forgotten.
    pub fn forget(self) {
        self.end(Verdict::Succeeded);
    }

    fn end(mut self, verdict: Verdict) -> Duration {
        self.finished = true;
        self.shared.finish(&self.taken, verdict)
    }
}

impl<K: Hash + Eq + Clone + 'static> Drop for Ticket<K> {
    fn drop(&mut self) {
        if !self.finished {
            self.shared.finish(&self.taken, Verdict::Done);
        }
    }
}

impl<K: Hash + Eq + Clone + 'static + fmt::Debug> fmt::Debug for Ticket<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("key", &self.taken.key)
            .field("failures", &self.taken.failures)
            .field("priority", &self.taken.priority)
            .finish()
    }
}
