//! [`QueueOptions`], and [`QueueCounts`].

use std::time::Duration;

use super::Backoff;

/// Settings of a [`SchedulingQueue`](super::SchedulingQueue).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueOptions {
    /// How long pods wait after a try in vain, once an event gives them another chance.
    pub backoff: Backoff,
    /// After this time a pod is tried again even though no event gave it a chance.
    pub max_unschedulable: Duration,
    /// Whether an idle scheduler tries pods whose back-off (but for errors) has not passed yet.
    pub pop_from_backoff: bool,
    /// For each such span of waiting a pod counts as more important by one, so that a stream of
    /// important pods cannot keep others waiting for ever. `None`: priority alone counts.
    pub ageing: Option<Duration>,
    /// Whether, and how long, others stand back for a pod that has fitted nowhere for long. `None`: a
    /// pod that fits nowhere never holds up others.
    pub hold: Option<Hold>,
}

impl Default for QueueOptions {
    /// kube-scheduler's: 1 s to 10 s, 5 minutes, yes, no ageing, no hold.
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            max_unschedulable: Duration::from_secs(300),
            pop_from_backoff: true,
            ageing: None,
            hold: None,
        }
    }
}

/// No starvation behind small pods: what is released piece by piece goes to a pod that needs much of
/// it at once.
///
/// The pod that has waited longest since its first try holds back all that sort behind it, so that
/// nothing takes what becomes free but itself and what is more important.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// How long a pod has to have waited.
    pub after: Duration,
    /// For how long others stand back; one that will never fit must not stop the rest for good.
    pub at_most: Duration,
}

/// How many pods are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Ready to be tried.
    pub active: usize,
    /// Waiting for their back-off to pass.
    pub backoff: usize,
    /// Waiting for an event that may let them in.
    pub unschedulable: usize,
    /// Kept out.
    pub gated: usize,
    /// Taken, the outcome not yet told.
    pub in_flight: usize,
}

impl QueueCounts {
    /// All pods that the queue knows.
    #[must_use]
    pub fn total(&self) -> usize {
        self.active + self.backoff + self.unschedulable + self.gated + self.in_flight
    }
}
