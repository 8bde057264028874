//! [`Backoff`]: how long a pod waits after a try that came to nothing.

use std::time::Duration;

/// An exponential back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first try. Zero: no back-off at all.
    pub initial: Duration,
    /// At most.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_limit() {
        let seconds: Vec<u64> = (0..7).map(|tries| Backoff::default().after(tries).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 10, 10]);
        assert_eq!(Backoff::default().after(u32::MAX).as_secs(), 10);
    }
}
