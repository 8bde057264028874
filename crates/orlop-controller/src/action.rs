use std::time::Duration;

/// What a reconciler wants next, having done what was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Action {
    requeue: Option<Duration>,
}

impl Action {
    /// Nothing until something changes.
    pub const fn await_change() -> Self {
        Self { requeue: None }
    }

    /// To be called again after this time, or when something changes before.
    pub const fn requeue(after: Duration) -> Self {
        Self { requeue: Some(after) }
    }

    /// After which time to be called again.
    #[must_use]
    pub const fn requeue_after(&self) -> Option<Duration> {
        self.requeue
    }
}

impl From<Option<Duration>> for Action {
    fn from(requeue: Option<Duration>) -> Self {
        Self { requeue }
    }
}
