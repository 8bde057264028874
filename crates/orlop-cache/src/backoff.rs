use std::time::Duration;

use orlop_clock::Random;

/// How long to wait between attempts that fail: doubling from `first` to `longest`, each prolonged by a random part of
/// at most `jitter` of it. After `reset` without a failure it begins at `first` again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait, before jitter.
    pub longest: Duration,
    /// The random part, as a share of the wait.
    pub jitter: f64,
    /// How long without a failure makes it forget.
    pub reset: Duration,
}

impl Default for Backoff {
    /// What client-go's reflector uses: 0.8 s up to 30 s, each at most doubled by jitter, forgotten after 2 min.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(800),
            longest: Duration::from_secs(30),
            jitter: 1.0,
            reset: Duration::from_secs(120),
        }
    }
}

/// A [`Backoff`] in use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts {
    failures: u32,
    last: Option<Duration>,
}

impl Attempts {
    /// The wait after one more failure. `now` counts from any moment that stays the same.
    pub(crate) fn failed(&mut self, backoff: &Backoff, now: Duration, random: &Random) -> Duration {
        if self.last.is_some_and(|last| now.saturating_sub(last) > backoff.reset) {
            self.failures = 0;
        }
        self.last = Some(now);
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        random.jitter(backoff.first.saturating_mul(factor).min(backoff.longest), backoff.jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_health() {
        let (backoff, random) = (Backoff { jitter: 0.0, ..Backoff::default() }, Random::new(1));
        let mut attempts = Attempts::default();
        let ms = Duration::from_millis;
        let waits: Vec<_> = (0..8).map(|n| attempts.failed(&backoff, ms(n), &random)).collect();
        assert_eq!(waits, [800, 1600, 3200, 6400, 12800, 25600, 30000, 30000].map(ms));
        assert_eq!(attempts.failed(&backoff, ms(120_007), &random), ms(30000));
        assert_eq!(attempts.failed(&backoff, ms(240_008), &random), ms(800));
    }

    #[test]
    fn jitter_prolongs_by_at_most_its_share() {
        let (backoff, random) = (Backoff::default(), Random::new(1));
        for _ in 0..100 {
            let wait = Attempts::default().failed(&backoff, Duration::ZERO, &random);
            assert!(wait >= backoff.first && wait < backoff.first * 2, "{wait:?}");
        }
    }
}
