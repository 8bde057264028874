use std::time::Duration;

use crate::Error;

/// Decides how long a key that failed has to wait.
///
/// Called with the queue's lock held: it must be quick and must not call the queue. `now` is the time since the queue
/// was built and never goes back. Limits compose: a tuple of two is the longer of both, as client-go's
/// `MaxOfRateLimiter`.
pub trait Limit<K>: Send + 'static {
    /// The delay for `key`, which had failed `failures` times before (0 = this is its first failure).
    fn delay(&mut self, key: &K, failures: u32, now: Duration) -> Duration;
}

impl<K, A: Limit<K>, B: Limit<K>> Limit<K> for (A, B) {
    fn delay(&mut self, key: &K, failures: u32, now: Duration) -> Duration {
        // Both are asked, always: a bucket has to count the key even where the other one decides.
        let one = self.0.delay(key, failures, now);
        let other = self.1.delay(key, failures, now);
        one.max(other)
    }
}

/// Per key: `first × 2^failures`, at most `longest` (client-go's `ItemExponentialFailureRateLimiter`).
///
/// ```
/// # use std::time::Duration;
/// # use orlop_workqueue::{Exponential, Limit};
/// let mut limit = Exponential::try_new(Duration::from_millis(5), Duration::from_secs(1))?;
/// assert_eq!(limit.delay(&"key", 0, Duration::ZERO), Duration::from_millis(5));
/// assert_eq!(limit.delay(&"key", 3, Duration::ZERO), Duration::from_millis(40));
/// assert_eq!(limit.delay(&"key", 99, Duration::ZERO), Duration::from_secs(1));
/// # Ok::<(), orlop_workqueue::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Exponential {
    first: Duration,
    longest: Duration,
}

impl Exponential {
    /// A delay of `first` after the first failure, doubled with each further one, never above `longest`.
    ///
    /// # Errors
    /// [`Error::Exponential`] if `first` is longer than `longest`.
    pub fn try_new(first: Duration, longest: Duration) -> Result<Self, Error> {
        if first > longest {
            return Err(Error::Exponential { first, longest });
        }
        Ok(Self { first, longest })
    }
}

impl Default for Exponential {
    /// 5 ms up to 1,000 s, as client-go's default controller rate limiter.
    fn default() -> Self {
        Self { first: Duration::from_millis(5), longest: Duration::from_secs(1000) }
    }
}

impl<K> Limit<K> for Exponential {
    fn delay(&mut self, _: &K, failures: u32, _: Duration) -> Duration {
        let factor = 1u32.checked_shl(failures);
        factor
            .and_then(|factor| self.first.checked_mul(factor))
            .map_or(self.longest, |delay| delay.min(self.longest))
    }
}

/// For all keys together: a token bucket. Each failure takes one token; if none is left it waits for its turn.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// Time in which one token comes in.
    interval: Duration,
    burst: u32,
    /// When the bucket is full again, had nobody else come (the generic cell rate algorithm's arrival time).
    full_at: Duration,
}

impl Bucket {
    /// `per_second` tokens each second, of which `burst` may be saved up; the bucket starts full.
    ///
    /// # Errors
    /// [`Error::Bucket`] if the rate is not a number above 0 or `burst` is 0.
    pub fn try_new(per_second: f64, burst: u32) -> Result<Self, Error> {
        let interval = Duration::try_from_secs_f64(1.0 / per_second);
        match interval {
            Ok(interval) if burst > 0 && per_second > 0.0 => {
                Ok(Self { interval, burst, full_at: Duration::ZERO })
            }
            _ => Err(Error::Bucket { per_second, burst }),
        }
    }
}

impl Default for Bucket {
    /// Ten a second with a burst of 100, as client-go's default controller rate limiter.
    fn default() -> Self {
        Self { interval: Duration::from_millis(100), burst: 100, full_at: Duration::ZERO }
    }
}

impl<K> Limit<K> for Bucket {
    fn delay(&mut self, _: &K, _: u32, now: Duration) -> Duration {
        self.full_at = self.full_at.max(now).saturating_add(self.interval);
        self.full_at.saturating_sub(self.interval.saturating_mul(self.burst)).saturating_sub(now)
    }
}

/// The same delay each time.
#[derive(Clone, Copy, Debug)]
pub struct Fixed(
    /// The delay.
    pub Duration,
);

impl<K> Limit<K> for Fixed {
    fn delay(&mut self, _: &K, _: u32, _: Duration) -> Duration {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn exponential_doubles_up_to_the_longest() {
        let mut limit = Exponential::default();
        let delays: Vec<_> = (0..5).map(|n| limit.delay(&(), n, ms(0))).collect();
        assert_eq!(delays, [ms(5), ms(10), ms(20), ms(40), ms(80)]);
        for failures in [18, 31, 32, u32::MAX] {
            assert_eq!(limit.delay(&(), failures, ms(0)), ms(1_000_000), "{failures}");
        }
    }

    #[test]
    fn a_bucket_gives_its_burst_then_its_rate_and_refills() {
        let mut limit = Bucket::try_new(10.0, 3).unwrap();
        let delays: Vec<_> = (0..5).map(|_| limit.delay(&(), 0, ms(0))).collect();
        assert_eq!(delays, [ms(0), ms(0), ms(0), ms(100), ms(200)]);
        // At 500 ms everything promised is out; 3 tokens came in by 800 ms, and no more than that are saved.
        let later: Vec<_> = (0..4).map(|_| limit.delay(&(), 0, ms(5_000))).collect();
        assert_eq!(later, [ms(0), ms(0), ms(0), ms(100)]);
    }

    #[test]
    fn together_the_longer_delay_counts_and_the_bucket_counts_always() {
        let mut both = (Exponential::default(), Bucket::try_new(10.0, 1).unwrap());
        assert_eq!(both.delay(&(), 10, ms(0)), ms(5_120));
        assert_eq!(both.delay(&(), 0, ms(0)), ms(100));
    }

    #[test]
    fn impossible_limits_are_refused() {
        assert!(Exponential::try_new(ms(2), ms(1)).is_err());
        for (rate, burst) in [(0.0, 1), (-1.0, 1), (f64::NAN, 1), (1.0, 0)] {
            assert!(Bucket::try_new(rate, burst).is_err(), "{rate} {burst}");
        }
    }
}
