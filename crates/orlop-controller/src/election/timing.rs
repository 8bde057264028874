use std::time::Duration;

/// The times of an election.
///
/// A leader that has not managed to renew its lease for [`renew_deadline`](Self::renew_deadline) is one no longer; the
/// others wait for [`lease_duration`](Self::lease_duration) after they last saw the lease change. Each measures that on
/// its own clock, from what it has seen itself: clocks need not agree on the time. They may run at different rates, up
/// to `lease_duration / renew_deadline` of each other (1.5 by default).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    lease: Duration,
    renew: Duration,
    retry: Duration,
}

/// Times that do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// A leader would believe in its lease for longer than the others do.
    #[error("the lease's duration ({lease:?}) must be longer than the renew deadline ({renew:?})")]
    Lease {
        /// How long the others wait.
        lease: Duration,
        /// How long a leader goes on without having renewed.
        renew: Duration,
    },
    /// A leader would have no second try.
    #[error("the renew deadline ({renew:?}) must be longer than 1.2 times the retry period ({retry:?})")]
    Renew {
        /// How long a leader goes on without having renewed.
        renew: Duration,
        /// The time between two tries.
        retry: Duration,
    },
    /// It would try all the time.
    #[error("the retry period must not be zero")]
    Retry,
}

impl Timing {
    /// How long the others wait for a leader that is silent (rounded up to whole seconds, as a Lease has them), after
    /// which time without a renewal a leader gives up, and the time between two tries.
    ///
    /// # Errors
    /// [`TimingError`] unless `lease > renew > 1.2 · retry > 0`.
    pub fn try_new(lease: Duration, renew: Duration, retry: Duration) -> Result<Self, TimingError> {
        let lease = Duration::from_secs(lease.as_secs() + u64::from(lease.subsec_nanos() > 0));
        if lease <= renew {
            return Err(TimingError::Lease { lease, renew });
        }
        if renew <= retry.mul_f64(1.2) {
            return Err(TimingError::Renew { renew, retry });
        }
        if retry.is_zero() {
            return Err(TimingError::Retry);
        }
        Ok(Self { lease, renew, retry })
    }

    /// How long the others wait after the lease last changed.
    #[must_use]
    pub const fn lease_duration(&self) -> Duration {
        self.lease
    }

    /// How long a leader goes on without having renewed.
    #[must_use]
    pub const fn renew_deadline(&self) -> Duration {
        self.renew
    }

    /// The time between two tries.
    #[must_use]
    pub const fn retry_period(&self) -> Duration {
        self.retry
    }
}

impl Default for Timing {
    /// 15 s, 10 s and 2 s, as Kubernetes' components.
    fn default() -> Self {
        let [lease, renew, retry] = [15, 10, 2].map(Duration::from_secs);
        Self { lease, renew, retry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_times_are_refused() {
        let try_new = |lease, renew, retry| {
            let [lease, renew, retry] = [lease, renew, retry].map(Duration::from_millis);
            Timing::try_new(lease, renew, retry)
        };
        assert_eq!(try_new(15_000, 10_000, 2_000), Ok(Timing::default()));
        assert!(matches!(try_new(10_000, 10_000, 2_000), Err(TimingError::Lease { .. })));
        assert!(matches!(try_new(15_000, 2_400, 2_000), Err(TimingError::Renew { .. })));
        assert_eq!(try_new(15_000, 1, 0), Err(TimingError::Retry));
        assert_eq!(try_new(10_001, 10_000, 1).map(|timing| timing.lease.as_secs()), Ok(11));
    }
}
