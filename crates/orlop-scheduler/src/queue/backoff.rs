//! [`Backoff`]: how long a pod waits after a try that came to nothing.

use std::time::Duration;

use orlop_clock::Timestamp;

use super::virtual_time::{later, next_second};

/// An exponential back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first try. Zero: no back-off at all.
    pub initial: Duration,
    /// At most. Zero: no back-off at all.
    pub max: Duration,
}

impl Default for Backoff {
    /// 1 s, doubling to 10 s, as in kube-scheduler.
    fn default() -> Self {
        Self { initial: Duration::from_secs(1), max: Duration::from_secs(10) }
    }
}

impl Backoff {
    /// How long after the `tries`-th try in vain; 0 tries: not at all.
    #[must_use]
    pub fn after(self, tries: u32) -> Duration {
        match tries.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => {
                let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
                self.initial.checked_mul(factor).map_or(self.max, |wait| wait.min(self.max))
            }
        }
    }

    /// When the back-off of a pod that came back at `since` after its `tries`-th try in vain is over:
    /// at the first whole second after it, as in kube-scheduler. Pods whose back-off ends within one
    /// second are so ready together, and the more important ones among them come first.
    #[must_use]
    pub fn until(self, since: Timestamp, tries: u32) -> Timestamp {
        match self.after(tries) {
            Duration::ZERO => since,
            wait => next_second(later(since, wait)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_limit() {
        let seconds: Vec<u64> = (0..7).map(|tries| Backoff::default().after(tries).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 10, 10]);
        assert_eq!(Backoff::default().after(u32::MAX).as_secs(), 10);
        let none = Backoff { max: Duration::ZERO, ..Backoff::default() };
        assert_eq!(none.after(5), Duration::ZERO);
    }

    #[test]
    fn it_ends_with_a_second() {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let until = |since, tries| Backoff::default().until(at(since), tries).as_millisecond();
        assert_eq!(until(500, 0), 500);
        // At 1.5 s, hence with the second that began at 1 s.
        assert_eq!(until(500, 1), 2_000);
        assert_eq!(until(999, 2), 3_000);
        // A pod whose back-off ends right with a second's beginning waits that second out too.
        assert_eq!(until(0, 1), 2_000);
        assert_eq!(Backoff::default().until(Timestamp::MAX, 1), Timestamp::MAX);
        let none = Backoff { initial: Duration::ZERO, ..Backoff::default() };
        assert_eq!(none.until(at(500), 3), at(500));
    }
}
