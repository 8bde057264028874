use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use orlop_workqueue::Queue;
use parking_lot::Mutex;

use crate::Metrics;
use crate::metrics::Counters;

/// How far a controller has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It does not run yet, or its caches are not complete.
    #[default]
    Starting,
    /// Its caches are complete, and somebody else leads.
    Standby,
    /// It reconciles.
    Running,
    /// It was told to stop and finishes what it is at.
    Stopping,
    /// It has ended.
    Ended,
}

/// A look at a controller while it runs. Cheap to clone.
pub struct Handle<Q: Hash + Eq + Clone + 'static> {
    pub(crate) queue: Queue<Q>,
    pub(crate) status: Arc<Status>,
}

#[derive(Debug)]
pub(crate) struct Status {
    phase: Mutex<Phase>,
    pub(crate) counters: Counters,
}

impl Status {
    pub(crate) const fn new(counters: Counters) -> Self {
        Self { phase: Mutex::new(Phase::Starting), counters }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        tracing::debug!(controller = %self.counters.name, ?phase);
        *self.phase.lock() = phase;
    }
}

impl<Q: Hash + Eq + Clone + 'static> Handle<Q> {
    /// Its queue: to ask for keys from elsewhere, for metrics, and after the end for what is left
    /// ([`Queue::take_rest`], among it what was cut off).
    #[must_use]
    pub const fn queue(&self) -> &Queue<Q> {
        &self.queue
    }

    /// How far it has come.
    #[must_use]
    pub fn phase(&self) -> Phase {
        *self.status.phase.lock()
    }

    /// Whether its caches are complete and it has not been told to stop: it works, or would if it led.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.phase(), Phase::Standby | Phase::Running)
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.phase() != Phase::Ended
    }

    /// What it has done so far.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.status.counters.read()
    }
}

impl<Q: Hash + Eq + Clone + 'static> Clone for Handle<Q> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), status: Arc::clone(&self.status) }
    }
}

impl<Q: Hash + Eq + Clone + 'static> fmt::Debug for Handle<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("phase", &self.phase())
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
